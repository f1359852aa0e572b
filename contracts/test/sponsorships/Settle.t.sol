// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISponsorships} from "../../src/interfaces/ISponsorships.sol";
import {Funds} from "./Funds.sol";
import {vm} from "../util/Vm.sol";

/// @dev settle, and the views of the schedule.
contract SettleTest is Funds {
    function test_reverts_for_others() public {
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.NotSettlement.selector, address(this)));
        sponsorships.settle(0);
    }

    /// @dev The view says what the call would.
    function refuse(uint64 epoch, bytes memory reason) private {
        vm.expectRevert(reason);
        sponsorships.payableThrough(epoch);
        vm.prank(address(settlement));
        vm.expectRevert(reason);
        sponsorships.settle(epoch);
    }

    function test_reverts_for_an_open_epoch() public {
        enter(5);
        refuse(5, abi.encodeWithSelector(ISponsorships.EpochNotClosed.selector, 5, 5));
    }

    function test_reverts_for_what_is_accounted_for() public {
        enter(6);
        settle(4);
        refuse(4, abi.encodeWithSelector(ISponsorships.EpochAccounted.selector, 4, 5));
    }

    function test_reverts_for_what_is_too_old() public {
        enter(20);
        refuse(20 - LAPSE - 1, abi.encodeWithSelector(ISponsorships.EpochLapsed.selector, 20 - LAPSE - 1, 20));
        settle(20 - LAPSE);
    }

    function test_makes_each_epoch_payable_once_and_moves_nothing() public {
        make(RATE, 2, 3);
        enter(6);
        vm.assertEq(sponsorships.payableThrough(2), RATE);
        vm.expectEmit(address(sponsorships));
        emit ISponsorships.Settled(2, RATE, RATE);
        vm.assertEq(settle(2), RATE);
        vm.assertEq(sponsorships.nextEpoch(), 3);
        vm.assertEq(sponsorships.payableThrough(4), 3 * RATE);
        vm.assertEq(settle(4), 3 * RATE);
        vm.assertEq(settle(5), 3 * RATE);
        vm.assertEq(sponsorships.settled(), 3 * RATE);
        vm.assertEq(held(), 3 * RATE);
        vm.assertEq(token.balanceOf(address(settlement)), 0);
    }

    function test_catches_up_as_many_epochs_as_do_not_lapse() public {
        make(RATE, 2, 100);
        enter(2);
        settle(1);
        enter(2 + LAPSE);
        vm.assertEq(settle(1 + LAPSE), LAPSE * RATE);
        vm.assertEq(sponsorships.lapseCount(), 0);
        vm.assertEq(sponsorships.lapsed(), 0);
    }

    function test_older_epochs_lapse() public {
        make(RATE, 2, 100);
        make(3, 4, 100);
        enter(30);
        settle(20);
        // Through 20: 12 epochs pay, 9..20; 2..8 lapse, and so do the empty 0 and 1.
        vm.assertEq(sponsorships.settled(), LAPSE * (RATE + 3));
        vm.assertEq(sponsorships.lapsed(), 7 * RATE + 5 * 3);
        vm.assertEq(sponsorships.lapseCount(), 1);
        vm.assertEq(sponsorships.lapses(1).fromEpoch, 0);
        vm.assertEq(sponsorships.lapses(1).toEpoch, 9);
        vm.assertEq(sponsorships.scheduledThrough(20), 19 * RATE + 17 * 3);
        vm.assertEq(sponsorships.payableThrough(29), sponsorships.settled() + 9 * (RATE + 3));
    }

    function test_scheduled_sums_rates_over_epochs() public {
        make(RATE, 2, 3);
        make(7, 3, 10);
        vm.assertEq(sponsorships.scheduledThrough(1), 0);
        vm.assertEq(sponsorships.scheduledThrough(2), RATE);
        vm.assertEq(sponsorships.scheduledThrough(3), 2 * RATE + 7);
        vm.assertEq(sponsorships.scheduledThrough(4), 3 * RATE + 14);
        vm.assertEq(sponsorships.scheduledThrough(5), 3 * RATE + 21);
        vm.assertEq(sponsorships.scheduledThrough(100), 3 * RATE + 70);
        vm.assertEq(sponsorships.scheduled(3), RATE + 7);
        vm.assertEq(sponsorships.scheduled(5), 7);
        enter(8);
        settle(6);
        vm.assertEq(sponsorships.scheduled(3), RATE + 7);
        vm.assertEq(sponsorships.scheduledThrough(3), 2 * RATE + 7);
        vm.assertEq(sponsorships.scheduledThrough(0), 0);
    }

    function test_gas_settle() public {
        make(RATE, 2, 100);
        enter(5);
        settle(3);
        settle(4);
        vm.snapshotGasLastCall("sponsorships", "settle, 1 epoch");
        enter(14);
        settle(13);
        vm.snapshotGasLastCall("sponsorships", "settle, 9 epochs");
    }
}
