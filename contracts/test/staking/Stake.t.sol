// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IStaking} from "../../src/interfaces/IStaking.sol";
import {vm} from "../util/Vm.sol";
import {StakingTest} from "./StakingTest.sol";

contract StakeTest is StakingTest {
    function test_reverts_unless_owner() public {
        register(1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotOwner.selector, 1, address(this)));
        staking.stake(1, 1);
    }

    function test_reverts_if_the_operator_is_unknown() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotOwner.selector, 7, address(this)));
        staking.stake(7, 1);
    }

    function test_reverts_for_zero() public {
        register(1);
        vm.expectRevert(IStaking.ZeroAmount.selector);
        vm.prank(ownerOf(1));
        staking.stake(1, 0);
    }

    function test_reverts_if_it_buys_no_share() public {
        // A wei of stake, and then pay that makes a share worth more than a wei.
        uint64 id = pool(1, 0);
        pay(id, 10_000_000);
        fund(ownerOf(1), 3);
        vm.expectRevert(IStaking.ZeroShares.selector);
        vm.prank(ownerOf(1));
        staking.stake(id, 3);
    }

    /// @dev A share is worth so little then that what a deposit buys does not fit.
    function test_reverts_if_the_pool_was_slashed_to_nothing_and_delegators_hold_shares() public {
        uint64 id = pool(MIN_STAKE, MIN_STAKE);
        slash(id, 10_000);
        fund(ownerOf(1), MIN_STAKE);
        uint256 shares = uint256(MIN_STAKE) * (uint256(MIN_STAKE) * 1e6 + 1e6);
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 128, shares));
        vm.prank(ownerOf(1));
        staking.stake(id, MIN_STAKE);
        // Once they have left, it is as good as new.
        undelegate(ALICE, id, ALL);
        vm.prank(ownerOf(1));
        staking.stake(id, MIN_STAKE);
        vm.assertEq(staking.ownValue(id), MIN_STAKE);
    }

    function test_reverts_without_the_tokens() public {
        register(1);
        token.transfer(ownerOf(1), DATA);
        vm.prank(ownerOf(1));
        (bool done,) = address(staking).call(abi.encodeCall(IStaking.stake, (1, DATA)));
        vm.assertFalse(done);
        vm.assertEq(staking.pools(1).assets, 0);
    }

    function test_counts_two_epochs_later() public {
        uint64 id = register(1);
        enter(5);
        fund(ownerOf(1), MIN_STAKE);
        vm.expectEmit(address(staking));
        emit IStaking.Staked(1, ownerOf(1), MIN_STAKE, MIN_STAKE * 1e6);
        vm.expectEmit(address(staking));
        emit IStaking.WeightChanged(1, 7, MIN_STAKE);
        vm.prank(ownerOf(1));
        staking.stake(id, MIN_STAKE);
        vm.assertEq(staking.weightAt(1, 6), 0);
        vm.assertEq(staking.weightAt(1, 7), MIN_STAKE);
        IStaking.Pool memory p = staking.pools(id);
        vm.assertEq(p.assets, MIN_STAKE);
        vm.assertEq(p.shares, MIN_STAKE * 1e6);
        vm.assertEq(p.ownShares, p.shares);
        vm.assertEq(staking.ownValue(id), MIN_STAKE);
        assertBooked();
    }

    function test_below_the_minimum_has_no_weight() public {
        uint64 id = register(1);
        stake(id, MIN_STAKE - 1);
        vm.assertEq(staking.weightAt(1, 9), 0);
        stake(id, 1);
        vm.assertEq(staking.weightAt(1, 9), MIN_STAKE);
    }

    function test_pays_for_earnings_that_have_not_vested() public {
        uint64 id = pool(100 * DATA, 0);
        pay(id, 20 * DATA);
        stake(id, 60 * DATA);
        // Half as much as there was, shares included.
        IStaking.Pool memory p = staking.pools(id);
        vm.assertEq(p.assets, 180 * DATA);
        vm.assertApproxEqAbs(p.shares * 2 / 3, p.shares - (p.shares / 3), 1);
        vm.assertApproxEqAbs(staking.ownValue(id), 180 * DATA, 1);
        assertBooked();
    }
}
