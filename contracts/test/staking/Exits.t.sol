// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {vm} from "../util/Vm.sol";
import {StakingTest} from "./StakingTest.sol";

/// @dev unstake and undelegate.
contract ExitsTest is StakingTest {
    function test_unstake_reverts_unless_owner() public {
        pool(MIN_STAKE, 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotOwner.selector, 1, address(this)));
        staking.unstake(1, 1);
    }

    function test_exits_revert_for_zero() public {
        uint64 id = pool(MIN_STAKE, DATA);
        vm.expectRevert(IStaking.ZeroAmount.selector);
        vm.prank(ownerOf(1));
        staking.unstake(id, 0);
        vm.expectRevert(IStaking.ZeroAmount.selector);
        undelegate(ALICE, id, 0);
    }

    function test_exits_revert_for_more_than_is_held() public {
        uint64 id = pool(MIN_STAKE, DATA);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InsufficientStake.selector, MIN_STAKE, MIN_STAKE + 1));
        vm.prank(ownerOf(1));
        staking.unstake(id, MIN_STAKE + 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InsufficientStake.selector, DATA, DATA + 1));
        undelegate(ALICE, id, DATA + 1);
    }

    function test_undelegate_reverts_for_who_has_nothing() public {
        uint64 id = pool(MIN_STAKE, DATA);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InsufficientStake.selector, 0, ALL));
        undelegate(BOB, id, ALL);
    }

    function test_unstake_burns_own_shares_and_lowers_the_weight() public {
        uint64 id = pool(10 * MIN_STAKE, 0);
        enter(4);
        uint128 shares = staking.pools(id).shares;
        vm.expectEmit(address(staking));
        emit IStaking.UnbondingStarted(id, address(0), 1, 4 * MIN_STAKE, 4 * MIN_STAKE * 1e6, 4 + UNBONDING);
        vm.expectEmit(address(staking));
        emit IStaking.WeightChanged(id, 6, 6 * MIN_STAKE);
        vm.assertEq(unstake(id, 4 * MIN_STAKE), 1);
        vm.assertEq(staking.weightAt(id, 5), 10 * MIN_STAKE);
        vm.assertEq(staking.weightAt(id, 6), 6 * MIN_STAKE);
        IStaking.Pool memory p = staking.pools(id);
        vm.assertEq(p.shares, shares - 4 * MIN_STAKE * 1e6);
        vm.assertEq(p.ownShares, p.shares);
        vm.assertEq(p.unbondingOwn, 4 * MIN_STAKE);
        assertBooked();
    }

    function test_undelegate_burns_shares_and_lowers_the_weight_at_once() public {
        uint64 id = pool(MIN_STAKE, 3 * MIN_STAKE);
        staking.sync(id);
        enter(4);
        vm.expectEmit(address(staking));
        emit IStaking.UnbondingStarted(id, ALICE, 1, MIN_STAKE, MIN_STAKE * 1e6, 4 + UNBONDING);
        undelegate(ALICE, id, MIN_STAKE);
        vm.assertEq(staking.weightAt(id, 5), 4 * MIN_STAKE);
        vm.assertEq(staking.weightAt(id, 6), 3 * MIN_STAKE);
        vm.assertEq(valueOf(ALICE, id), 2 * MIN_STAKE);
        vm.assertEq(staking.pools(id).unbondingDelegated, MIN_STAKE);
        assertBooked();
    }

    function test_an_operator_may_leave_first_and_then_has_no_weight() public {
        uint64 id = pool(MIN_STAKE, 9 * MIN_STAKE);
        staking.sync(id);
        enter(4);
        unstake(id, ALL);
        vm.assertEq(staking.weightAt(id, 5), 10 * MIN_STAKE);
        vm.assertEq(staking.weightAt(id, 6), 0);
        vm.assertEq(valueOf(ALICE, id), 9 * MIN_STAKE);
        vm.expectRevert(abi.encodeWithSelector(IStaking.SelfStakeTooLow.selector, 0, 9 * MIN_STAKE + 1));
        staking.delegate(id, 1);
        undelegate(ALICE, id, ALL);
        IStaking.Pool memory p = staking.pools(id);
        vm.assertEq(p.assets, 0);
        vm.assertEq(p.shares, 0);
    }

    function test_the_least_shares_that_cover_it_are_burned() public {
        uint64 id = pool(100 * DATA, 100 * DATA);
        pay(id, 37 * DATA + 1);
        wait(VESTING);
        uint128 value = valueOf(ALICE, id);
        uint128 shares = sharesOf(ALICE, id);
        undelegate(ALICE, id, 10 * DATA);
        // Rounded against Alice, by less than the price of a share.
        vm.assertLe(valueOf(ALICE, id), value - 10 * DATA);
        vm.assertGe(valueOf(ALICE, id) + 2, value - 10 * DATA);
        vm.assertGe(sharesOf(ALICE, id), shares - (uint256(shares) * 10 * DATA / value + 1));
        assertBooked();
    }

    function test_unvested_earnings_stay_with_those_who_stay() public {
        uint64 id = pool(100 * DATA, 100 * DATA, 0);
        pay(id, 20 * DATA);
        undelegate(ALICE, id, ALL);
        vm.assertEq(staking.requests(1).amount, 100 * DATA);
        wait(VESTING);
        vm.assertEq(staking.ownValue(id), 120 * DATA);
    }

    function test_the_last_one_out_takes_everything() public {
        uint64 id = pool(100 * DATA, 100 * DATA, 0);
        pay(id, 20 * DATA);
        undelegate(ALICE, id, ALL);
        vm.assertEq(locked(id), 20 * DATA);
        // Not more than what has vested, unless it is all.
        vm.expectRevert(abi.encodeWithSelector(IStaking.InsufficientStake.selector, 100 * DATA, 101 * DATA));
        vm.prank(ownerOf(1));
        staking.unstake(id, 101 * DATA);
        vm.assertEq(staking.ownValue(id), 120 * DATA);
        unstake(id, ALL);
        vm.assertEq(staking.requests(2).amount, 120 * DATA);
        IStaking.Pool memory p = staking.pools(id);
        vm.assertEq(p.assets, 0);
        vm.assertEq(p.shares, 0);
        vm.assertEq(p.locked, 0);
        assertBooked();
    }

    /// @dev What a view promises is what an exit pays, pay that is not shared out yet included.
    function testFuzz_an_exit_pays_what_the_views_say(uint72 own, uint72 other, uint72 earned, uint8 time) public {
        vm.assume(own > 1e6 && other > 1e6 && uint256(other) <= 9 * uint256(own));
        uint64 id = pool(own, other);
        pay(id, earned);
        staking.sync(id);
        wait(time);
        pay(id, earned / 3);
        uint128 value = valueOf(ALICE, id);
        undelegate(ALICE, id, ALL);
        vm.assertEq(staking.requests(1).amount, value);
        value = staking.ownValue(id);
        unstake(id, ALL);
        vm.assertEq(staking.requests(2).amount, value);
        assertBooked();
    }
}
