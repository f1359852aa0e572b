// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISponsorships} from "../../src/interfaces/ISponsorships.sol";
import {Funds} from "./Funds.sol";
import {vm} from "../util/Vm.sol";

contract SetRateTest is Funds {
    function test_reverts_for_no_rate() public {
        make(RATE, 0, 1);
        vm.expectRevert(ISponsorships.ZeroAmount.selector);
        sponsorships.setRate(1, 0);
    }

    function test_reverts_for_an_unknown_sponsorship() public {
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.UnknownSponsorship.selector, 1));
        sponsorships.setRate(1, RATE);
    }

    function test_reverts_for_others() public {
        make(RATE, 0, 1);
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.NotSponsor.selector, 1, STRANGER));
        sponsorships.setRate(1, RATE);
    }

    function test_reverts_once_stopped() public {
        make(RATE, 0, 1);
        sponsorships.stop(1);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.AlreadyStopped.selector, 1));
        sponsorships.setRate(1, RATE);
    }

    function test_reverts_if_what_is_left_pays_no_epoch() public {
        make(RATE, 0, 3);
        sponsorships.topUp(1, 7);
        enter(2);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.LessThanOneEpoch.selector, RATE + 7, RATE + 8));
        sponsorships.setRate(1, RATE + 8);
        sponsorships.setRate(1, RATE + 7);
    }

    function test_reverts_too_far_ahead() public {
        make(RATE, 0, 1);
        uint64 limit = uint64(1 << 32) + 2;
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.TooFar.selector, 2 + uint256(RATE), limit));
        sponsorships.setRate(1, 1);
    }

    function test_changes_two_epochs_ahead() public {
        make(RATE, 0, 10);
        sponsorships.topUp(1, 1);
        enter(4);
        // 6 epochs of RATE are left, and 1 wei.
        expect(1, 6, 6 + 19, 31 * DATA);
        sponsorships.setRate(1, 31 * DATA);
        vm.assertEq(sponsorships.scheduled(5), RATE);
        vm.assertEq(sponsorships.scheduled(6), 31 * DATA);
        vm.assertEq(sponsorships.scheduled(24), 31 * DATA);
        vm.assertEq(sponsorships.scheduled(25), 0);
        vm.assertEq(get(1).spare, 600 * DATA + 1 - 19 * 31 * DATA);
        vm.assertEq(get(1).fromEpoch, 6);
        vm.assertEq(held(), 10 * RATE + 1);
    }

    function test_changes_from_the_start_if_it_has_not_begun() public {
        make(RATE, 10, 2);
        expect(1, 10, 14, RATE / 2);
        sponsorships.setRate(1, RATE / 2);
        vm.assertEq(sponsorships.scheduledThrough(9), 0);
        vm.assertEq(sponsorships.scheduledThrough(100), 2 * RATE);
    }

    function test_twice_in_an_epoch_the_last_one_counts() public {
        make(RATE, 0, 10);
        enter(4);
        sponsorships.setRate(1, 3 * RATE);
        sponsorships.setRate(1, 2 * RATE);
        vm.assertEq(sponsorships.scheduled(5), RATE);
        vm.assertEq(sponsorships.scheduled(6), 2 * RATE);
        vm.assertEq(sponsorships.scheduled(8), 2 * RATE);
        vm.assertEq(sponsorships.scheduled(9), 0);
        vm.assertEq(sponsorships.scheduledThrough(100), 10 * RATE);
    }

    function test_revives_what_is_over_with_its_spare() public {
        make(RATE, 0, 1);
        enter(5);
        sponsorships.topUp(1, RATE - 1);
        expect(1, 7, 8, RATE - 1);
        sponsorships.setRate(1, RATE - 1);
        vm.assertEq(sponsorships.scheduled(2), RATE);
        vm.assertEq(sponsorships.scheduled(6), 0);
        vm.assertEq(sponsorships.scheduled(7), RATE - 1);
        vm.assertEq(get(1).spare, 0);
    }

    function test_gas_setRate() public {
        make(RATE, 0, 10);
        enter(4);
        sponsorships.setRate(1, 2 * RATE);
        vm.snapshotGasLastCall("sponsorships", "setRate");
    }
}
