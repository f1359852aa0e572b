// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {vm} from "../util/Vm.sol";
import {StakingTest} from "./StakingTest.sol";

contract DelegateTest is StakingTest {
    function test_reverts_for_zero() public {
        pool(MIN_STAKE, 0);
        vm.expectRevert(IStaking.ZeroAmount.selector);
        staking.delegate(1, 0);
    }

    function test_reverts_if_the_operator_has_no_stake_or_does_not_exist() public {
        register(1);
        for (uint64 id = 1; id <= 2; ++id) {
            vm.expectRevert(abi.encodeWithSelector(IStaking.SelfStakeTooLow.selector, 0, DATA));
            staking.delegate(id, DATA);
        }
    }

    function test_reverts_if_the_own_part_becomes_too_small() public {
        uint64 id = pool(MIN_STAKE, 0);
        fund(ALICE, 10 * MIN_STAKE);
        uint128 most = 9 * MIN_STAKE;
        vm.expectRevert(
            abi.encodeWithSelector(IStaking.SelfStakeTooLow.selector, MIN_STAKE, MIN_STAKE + most + 1)
        );
        vm.prank(ALICE);
        staking.delegate(id, most + 1);
        vm.prank(ALICE);
        staking.delegate(id, most);
        vm.assertEq(valueOf(ALICE, id), most);
    }

    function test_reverts_if_it_buys_no_share() public {
        uint64 id = pool(1, 0);
        pay(id, 10_000_000);
        vm.expectRevert(IStaking.ZeroShares.selector);
        staking.delegate(id, 3);
    }

    function test_buys_shares_and_leaves_the_weight_for_later() public {
        uint64 id = pool(MIN_STAKE, 0);
        enter(5);
        fund(ALICE, 2 * MIN_STAKE);
        vm.expectEmit(address(staking));
        emit IStaking.Delegated(id, ALICE, 2 * MIN_STAKE, 2 * MIN_STAKE * 1e6);
        vm.prank(ALICE);
        staking.delegate(id, 2 * MIN_STAKE);
        (uint128 shares, uint128 value) = staking.delegationOf(id, ALICE);
        vm.assertEq(shares, 2 * MIN_STAKE * 1e6);
        vm.assertEq(value, 2 * MIN_STAKE);
        vm.assertEq(staking.weightAt(id, 7), MIN_STAKE);
        staking.sync(id);
        vm.assertEq(staking.weightAt(id, 6), MIN_STAKE);
        vm.assertEq(staking.weightAt(id, 7), 3 * MIN_STAKE);
        assertBooked();
    }

    function test_several_deposits_add_up() public {
        uint64 id = pool(MIN_STAKE, DATA);
        delegate(BOB, id, 5 * DATA);
        delegate(ALICE, id, 2 * DATA);
        vm.assertEq(valueOf(ALICE, id), 3 * DATA);
        vm.assertEq(valueOf(BOB, id), 5 * DATA);
        vm.assertEq(staking.ownValue(id), MIN_STAKE);
        IStaking.Pool memory p = staking.pools(id);
        vm.assertEq(p.shares, p.ownShares + sharesOf(ALICE, id) + sharesOf(BOB, id));
    }

    /// @dev An owner may delegate to its operator as well; that is not own stake and does not go first in a slash.
    function test_an_owners_delegation_is_not_own_stake() public {
        uint64 id = pool(MIN_STAKE, 0);
        delegate(ownerOf(1), id, MIN_STAKE);
        vm.assertEq(staking.ownValue(id), MIN_STAKE);
        slash(id, 5000);
        vm.assertEq(staking.ownValue(id), 0);
        vm.assertEq(valueOf(ownerOf(1), id), MIN_STAKE);
    }
}
