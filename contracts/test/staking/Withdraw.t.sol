// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {vm} from "../util/Vm.sol";
import {StakingTest} from "./StakingTest.sol";

contract WithdrawTest is StakingTest {
    function test_reverts_for_an_unknown_request() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.UnknownRequest.selector, 1));
        staking.withdraw(1);
    }

    function test_reverts_before_its_epoch() public {
        uint64 id = pool(MIN_STAKE, DATA);
        enter(3);
        uint64 request = undelegate(ALICE, id, DATA);
        enter(2 + UNBONDING);
        vm.expectRevert(abi.encodeWithSelector(IStaking.TooEarly.selector, 3 + UNBONDING, 2 + UNBONDING));
        staking.withdraw(request);
    }

    function test_reverts_the_second_time() public {
        uint64 id = pool(MIN_STAKE, DATA);
        uint64 request = undelegate(ALICE, id, DATA);
        enter(UNBONDING);
        staking.withdraw(request);
        vm.expectRevert(abi.encodeWithSelector(IStaking.UnknownRequest.selector, request));
        staking.withdraw(request);
    }

    function test_anyone_may_have_the_holder_paid() public {
        uint64 id = pool(MIN_STAKE, 2 * DATA);
        uint64 request = undelegate(ALICE, id, DATA);
        IStaking.Request memory r = staking.requests(request);
        vm.assertEq(r.operatorId, id);
        vm.assertEq(r.holder, ALICE);
        vm.assertEq(r.amount, DATA);
        vm.assertEq(r.releaseEpoch, UNBONDING);
        enter(UNBONDING);
        vm.expectEmit(address(staking));
        emit IStaking.Withdrawn(request, ALICE, DATA);
        vm.prank(BOB);
        staking.withdraw(request);
        vm.assertEq(token.balanceOf(ALICE), DATA);
        vm.assertEq(staking.requests(request).operatorId, 0);
        vm.assertEq(staking.pools(id).unbondingDelegated, 0);
        assertBooked();
    }

    /// @dev Each request is closed by its id alone: a queue full of dust costs only who made it.
    function test_dust_requests_do_not_stand_in_anybodys_way() public {
        uint64 id = pool(MIN_STAKE, DATA);
        delegate(BOB, id, 1000);
        for (uint256 i = 0; i < 200; ++i) {
            undelegate(BOB, id, 1);
        }
        uint64 request = undelegate(ALICE, id, ALL);
        enter(UNBONDING);
        staking.withdraw{gas: 120_000}(request);
        vm.assertEq(token.balanceOf(ALICE), DATA);
        vm.assertEq(staking.pools(id).unbondingDelegated, 200);
        assertBooked();
    }

    function test_a_later_request_does_not_restart_the_wait() public {
        uint64 id = pool(MIN_STAKE, 2 * DATA);
        uint64 first = undelegate(ALICE, id, DATA);
        enter(UNBONDING - 1);
        uint64 second = undelegate(ALICE, id, DATA);
        enter(UNBONDING);
        staking.withdraw(first);
        vm.expectRevert(abi.encodeWithSelector(IStaking.TooEarly.selector, 2 * UNBONDING - 1, UNBONDING));
        staking.withdraw(second);
    }
}
