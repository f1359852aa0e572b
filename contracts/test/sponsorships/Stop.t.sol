// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISponsorships} from "../../src/interfaces/ISponsorships.sol";
import {Funds} from "./Funds.sol";
import {vm} from "../util/Vm.sol";

/// @dev stop and reclaim.
contract StopTest is Funds {
    function test_reverts_for_an_unknown_sponsorship() public {
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.UnknownSponsorship.selector, 1));
        sponsorships.stop(1);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.UnknownSponsorship.selector, 1));
        sponsorships.reclaim(1);
    }

    function test_reverts_for_others() public {
        make(RATE, 0, 1);
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.NotSponsor.selector, 1, STRANGER));
        sponsorships.stop(1);
    }

    function test_reverts_the_second_time() public {
        make(RATE, 0, 1);
        sponsorships.stop(1);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.AlreadyStopped.selector, 1));
        sponsorships.stop(1);
    }

    function test_pays_what_is_left_from_two_epochs_ahead() public {
        make(RATE, 0, 10);
        sponsorships.topUp(1, 7);
        enter(4);
        uint256 before = token.balanceOf(address(this));
        expect(1, 6, 6, 0);
        vm.expectEmit(address(sponsorships));
        emit ISponsorships.Stopped(1);
        vm.expectEmit(address(sponsorships));
        emit ISponsorships.Reclaimed(1, address(this), 6 * RATE + 7);
        vm.assertEq(sponsorships.stop(1), 6 * RATE + 7);
        vm.assertEq(token.balanceOf(address(this)) - before, 6 * RATE + 7);
        vm.assertEq(held(), 4 * RATE);
        vm.assertEq(sponsorships.scheduled(5), RATE);
        vm.assertEq(sponsorships.scheduled(6), 0);
        vm.assertEq(sponsorships.scheduledThrough(100), 4 * RATE);
        vm.assertTrue(get(1).stopped);
        vm.assertEq(get(1).toEpoch, 6);
        vm.assertEq(get(1).spare, 0);
    }

    function test_pays_everything_before_the_start() public {
        make(RATE, 9, 10);
        enter(4);
        vm.assertEq(sponsorships.stop(1), 10 * RATE);
        vm.assertEq(held(), 0);
        vm.assertEq(sponsorships.scheduledThrough(100), 0);
        vm.assertEq(get(1).fromEpoch, get(1).toEpoch);
    }

    function test_stops_what_is_over_without_a_payment() public {
        make(RATE, 0, 2);
        enter(2);
        vm.assertEq(sponsorships.stop(1), 0);
        vm.assertEq(sponsorships.scheduledThrough(100), 2 * RATE);
        vm.assertEq(held(), 2 * RATE);
    }

    // ---- reclaim

    function test_reclaim_reverts_before_the_stop() public {
        make(RATE, 0, 1);
        sponsorships.topUp(1, 1);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.NotStopped.selector, 1));
        sponsorships.reclaim(1);
    }

    function test_reclaim_reverts_without_a_spare() public {
        make(RATE, 0, 1);
        sponsorships.stop(1);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.NothingToReclaim.selector, 1));
        sponsorships.reclaim(1);
    }

    function test_reclaim_pays_the_sponsor_whoever_calls_once() public {
        make(RATE, 0, 10);
        enter(4);
        sponsorships.stop(1);
        settle(3);
        refund(1, RATE + 3);
        uint256 before = token.balanceOf(address(this));
        vm.prank(STRANGER);
        vm.assertEq(sponsorships.reclaim(1), RATE + 3);
        vm.assertEq(token.balanceOf(address(this)) - before, RATE + 3);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.NothingToReclaim.selector, 1));
        sponsorships.reclaim(1);
        refund(1, RATE + 4);
        vm.assertEq(sponsorships.reclaim(1), 1);
    }

    function test_gas_stop() public {
        make(RATE, 0, 10);
        enter(4);
        sponsorships.stop(1);
        vm.snapshotGasLastCall("sponsorships", "stop");
    }
}
