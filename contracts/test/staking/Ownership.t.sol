// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {vm} from "../util/Vm.sol";
import {StakingTest} from "./StakingTest.sol";

/// @dev transferOwnership and acceptOwnership.
contract OwnershipTest is StakingTest {
    function test_transfer_reverts_unless_owner() public {
        register(1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotOwner.selector, 1, address(this)));
        staking.transferOwnership(1, address(this));
    }

    function test_accept_reverts_unless_offered() public {
        register(1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotCandidate.selector, 1, address(this)));
        staking.acceptOwnership(1);
    }

    function test_accept_reverts_if_the_offer_was_withdrawn() public {
        register(1);
        vm.startPrank(ownerOf(1));
        staking.transferOwnership(1, address(this));
        staking.transferOwnership(1, address(0));
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotCandidate.selector, 1, address(this)));
        staking.acceptOwnership(1);
    }

    function test_changes_hands_in_two_steps() public {
        register(1);
        vm.expectEmit(address(staking));
        emit IStaking.OwnershipOffered(1, ownerOf(1), BOB);
        vm.prank(ownerOf(1));
        staking.transferOwnership(1, BOB);
        vm.assertEq(staking.operators(1).owner, ownerOf(1));
        vm.assertEq(staking.operators(1).candidate, BOB);
        vm.expectEmit(address(staking));
        emit IStaking.OwnershipTransferred(1, ownerOf(1), BOB);
        vm.prank(BOB);
        staking.acceptOwnership(1);
        vm.assertEq(staking.operators(1).owner, BOB);
        vm.assertEq(staking.operators(1).candidate, address(0));
    }

    function test_own_stake_goes_with_it_but_a_delegation_of_the_old_owner_does_not() public {
        uint64 id = pool(10 * MIN_STAKE, 0);
        delegate(ownerOf(1), id, MIN_STAKE);
        uint64 request = unstake(id, MIN_STAKE);
        vm.prank(ownerOf(1));
        staking.transferOwnership(id, BOB);
        vm.prank(BOB);
        staking.acceptOwnership(id);

        vm.expectRevert(abi.encodeWithSelector(IStaking.NotOwner.selector, id, ownerOf(1)));
        vm.prank(ownerOf(1));
        staking.unstake(id, 1);
        uint64 another = undelegate(ownerOf(1), id, ALL);
        enter(UNBONDING);
        staking.withdraw(request);
        staking.withdraw(another);
        vm.assertEq(token.balanceOf(BOB), MIN_STAKE);
        vm.assertEq(token.balanceOf(ownerOf(1)), MIN_STAKE);
    }
}
