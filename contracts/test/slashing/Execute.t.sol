// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISlashing} from "../../src/interfaces/ISlashing.sol";
import {IStaking} from "../../src/interfaces/IStaking.sol";
import {vm} from "../util/Vm.sol";
import {Case} from "./Case.sol";

/// @dev Where the money of a penalty comes from and goes to.
contract ExecuteTest is Case {
    address private constant DELEGATOR = address(0xde1e);

    function valueOf(address who) private view returns (uint128 value) {
        (, value) = staking.delegationOf(1, who);
    }

    function test_reverts_if_nothing_was_proven() public {
        vm.expectRevert(abi.encodeWithSelector(ISlashing.NotProven.selector, bytes32("slot")));
        slashing.execute("slot");
    }

    function test_reverts_the_second_time() public {
        bytes32 slot = offend(1, false);
        slashing.execute(slot);
        vm.expectRevert(abi.encodeWithSelector(ISlashing.AlreadyExecuted.selector, slot));
        slashing.execute(slot);
        slot = offend(2, true);
        vm.expectRevert(abi.encodeWithSelector(ISlashing.AlreadyExecuted.selector, slot));
        slashing.execute(slot);
    }

    function test_by_a_stranger_pays_the_reporter() public {
        bytes32 slot = offend(1, false);
        vm.prank(STRANGER);
        slashing.execute(slot);
        assertTaken(PENALTY, BOUNTY, 0);
        vm.assertEq(token.balanceOf(STRANGER), 0);
    }

    function test_proven_offences_add_up_in_any_order() public {
        bytes32 first = offend(1, false);
        bytes32 second = offend(2, false);
        slashing.execute(second);
        slashing.execute(first);
        assertTaken(STAKE - STAKE * 81 / 100, (STAKE - STAKE * 81 / 100) / 10, 0);
    }

    /// @dev The penalty is rounded up, its parts down, and what rounding leaves is burned.
    function testFuzz_every_wei_of_a_penalty_is_accounted_for(uint64 more) public {
        stake(1, uint128(more) + 1);
        uint128 pool = STAKE + more + 1;
        uint256 held = token.balanceOf(address(staking));
        offend(1, true);
        uint256 taken = (uint256(pool) * SLASH_BPS + 9999) / 10_000;
        vm.assertEq(held - token.balanceOf(address(staking)), taken);
        vm.assertEq(token.balanceOf(REPORTER), taken * BOUNTY_BPS / 10_000);
        vm.assertEq(token.balanceOf(REPORTER) + token.balanceOf(BURNED), taken);
        vm.assertEq(staking.pools(1).assets, pool - taken);
    }

    function test_delegators_lose_nothing_while_own_stake_lasts() public {
        delegate(DELEGATOR, 1, STAKE);
        vm.prank(DELEGATOR);
        staking.undelegate(1, STAKE / 2);
        uint128 before = valueOf(DELEGATOR);
        offend(1, true);
        vm.assertTrue(valueOf(DELEGATOR) >= before);
        vm.assertEq(staking.requests(1).amount, STAKE / 2);
        vm.assertEq(staking.pools(1).assets, 3 * STAKE / 2 - 2 * PENALTY);
        vm.assertEq(staking.ownValue(1), STAKE - 2 * PENALTY);
        vm.assertEq(token.balanceOf(REPORTER), 2 * BOUNTY);
    }

    function test_takes_own_unbonding_before_what_is_delegated() public {
        delegate(DELEGATOR, 1, STAKE);
        vm.prank(ownerOf(1));
        uint64 request = staking.unstake(1, type(uint128).max);
        uint128 before = valueOf(DELEGATOR);
        offend(1, true);
        vm.assertTrue(valueOf(DELEGATOR) >= before);
        // What waits is valued down.
        vm.assertEq(staking.requests(request).amount, STAKE - 2 * PENALTY - 1);
    }

    function test_reaches_delegators_in_proportion_once_own_stake_is_gone() public {
        delegate(DELEGATOR, 1, STAKE);
        delegate(STRANGER, 1, STAKE);
        // 3/10 of own stake a time: gone after the fourth.
        for (uint256 i = 1; i <= 3; ++i) {
            offend(i, true);
        }
        vm.prank(DELEGATOR);
        uint64 request = staking.undelegate(1, type(uint128).max);
        uint128 waiting = staking.requests(request).amount;
        uint128 staying = valueOf(STRANGER);
        vm.assertTrue(waiting >= STAKE && staying >= STAKE);
        vm.assertTrue(staking.ownValue(1) > 0);
        offend(4, true);
        offend(5, true);
        vm.assertEq(staking.ownValue(1), 0);
        uint256 left = staking.requests(request).amount;
        vm.assertTrue(left < waiting && valueOf(STRANGER) < staying);
        // Both lost the same part, to the wei per share and per request.
        uint256 expected = left * staying / waiting;
        uint256 found = valueOf(STRANGER);
        vm.assertTrue(found + 10 >= expected && found <= expected + 10);
    }

    function test_an_empty_pool_pays_nobody() public {
        bytes32 slot = offend(1, false);
        vm.prank(ownerOf(1));
        uint64 request = staking.unstake(1, type(uint128).max);
        enter(EPOCH + UNBONDING);
        staking.withdraw(request);
        vm.expectEmit(address(slashing));
        emit ISlashing.OffenceExecuted(slot, 1, 0, 0, 0);
        slashing.execute(slot);
        vm.assertEq(token.balanceOf(REPORTER), 0);
    }

    /// @dev Money that somebody sends to the contract stays there; penalties do not count it.
    function test_stray_tokens_change_nothing() public {
        token.transfer(address(slashing), 5);
        offend(1, true);
        vm.assertEq(token.balanceOf(address(slashing)), 5);
        vm.assertEq(token.balanceOf(REPORTER), BOUNTY);
        vm.assertEq(token.balanceOf(BURNED), PENALTY - BOUNTY);
    }

    function test_the_loss_is_told() public {
        bytes32 slot = offend(1, false);
        IStaking.Pool memory pool = staking.pools(1);
        uint128 shares = pool.ownShares / 10;
        vm.expectEmit(address(staking));
        emit IStaking.Slashed(1, IStaking.Loss(PENALTY, shares, 0, 0, 0));
        slashing.execute(slot);
    }
}
