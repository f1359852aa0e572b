// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISponsorships} from "../../src/interfaces/ISponsorships.sol";
import {Funds} from "./Funds.sol";
import {vm} from "../util/Vm.sol";

/// @dev lapse and recover: what nobody certified goes back.
contract LapseTest is Funds {
    function test_reverts_while_a_post_can_still_pay() public {
        make(RATE, 0, 100);
        // A post for 2 + LAPSE - 1 pays epoch 2, and is in time until epoch 2 + 2 * LAPSE - 1.
        enter(1 + 2 * LAPSE);
        sponsorships.lapse();
        vm.assertEq(sponsorships.nextEpoch(), 2);
        vm.expectRevert(ISponsorships.NothingLapsed.selector);
        sponsorships.lapse();
        vm.assertEq(settle(1 + LAPSE), LAPSE * RATE);
        vm.assertEq(sponsorships.lapsed(), 0);
    }

    function test_lapses_what_no_post_can_pay() public {
        make(RATE, 0, 100);
        enter(2 + 2 * LAPSE);
        vm.expectEmit(address(sponsorships));
        emit ISponsorships.Lapsed(1, 0, 3, RATE);
        vm.prank(STRANGER);
        sponsorships.lapse();
        vm.assertEq(sponsorships.lapsed(), RATE);
        vm.assertEq(sponsorships.settled(), 0);
        vm.assertEq(settle(2 + LAPSE), LAPSE * RATE);
    }

    function test_reverts_right_at_the_beginning() public {
        vm.expectRevert(ISponsorships.NothingLapsed.selector);
        sponsorships.lapse();
    }

    function test_lapsing_in_every_epoch_is_one_lapse() public {
        make(RATE, 0, 100);
        for (uint64 now_ = 2 * LAPSE; now_ < 2 * LAPSE + 10; ++now_) {
            enter(now_);
            sponsorships.lapse();
        }
        vm.assertEq(sponsorships.lapseCount(), 1);
        vm.assertEq(sponsorships.lapses(1).toEpoch, 10);
        vm.assertEq(sponsorships.recover(1), 8 * RATE);
    }

    function test_lapses_are_apart_once_something_was_settled() public {
        make(RATE, 0, 100);
        enter(40);
        settle(30);
        enter(80);
        settle(70);
        vm.assertEq(sponsorships.lapseCount(), 2);
        vm.assertEq(sponsorships.lapses(1).toEpoch, 31 - LAPSE);
        vm.assertEq(sponsorships.lapses(2).fromEpoch, 31);
        vm.assertEq(sponsorships.lapses(2).toEpoch, 71 - LAPSE);
        vm.assertEq(sponsorships.recover(1), (31 - LAPSE - 2) * RATE);
        vm.assertEq(sponsorships.recover(1), (40 - LAPSE) * RATE);
        vm.assertEq(get(1).spare, sponsorships.lapsed());
    }

    function test_walks_a_long_outage_in_steps() public {
        make(RATE, 0, 4000);
        enter(5000);
        sponsorships.lapse{gas: 33_500_000}();
        vm.snapshotGasLastCall("sponsorships", "lapse, 2,048 epochs");
        vm.assertEq(sponsorships.nextEpoch(), 2048);
        sponsorships.lapse();
        sponsorships.lapse();
        vm.assertEq(sponsorships.nextEpoch(), 5001 - 2 * LAPSE);
        vm.assertEq(settle(4999), 0);
        vm.assertEq(sponsorships.lapsed(), 4000 * RATE);
        vm.assertEq(sponsorships.recover(1), 4000 * RATE);
    }

    /// @dev With epochs that lapse as late as they may, what is left to walk is the most there can be.
    function test_after_lapsing_the_longest_settlement_fits_a_transaction() public {
        bytes memory arguments = abi.encode(token, settlement, slashing, GENESIS, LENGTH, uint64(2048));
        ISponsorships slow = ISponsorships(create("Sponsorships", arguments));
        token.approve(address(slow), RATE);
        slow.create(STREAM, 1, RATE, 9000, 1, 3, 5000);
        enter(10_000);
        slow.lapse();
        slow.lapse();
        slow.lapse();
        vm.assertEq(slow.nextEpoch(), 10_001 - 2 * 2048);
        vm.prank(address(settlement));
        vm.assertEq(slow.settle{gas: 33_500_000}(9999), RATE);
        vm.snapshotGasLastCall("sponsorships", "settle, 4,095 epochs");
    }

    // ---- recover

    function test_recover_reverts_for_an_unknown_sponsorship() public {
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.UnknownSponsorship.selector, 1));
        sponsorships.recover(1);
    }

    function test_recover_reverts_if_nothing_lapsed() public {
        make(RATE, 0, 100);
        enter(10);
        settle(9);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.NothingToRecover.selector, 1));
        sponsorships.recover(1);
    }

    function test_recover_reverts_the_second_time() public {
        make(RATE, 0, 100);
        enter(30);
        settle(20);
        vm.expectEmit(address(sponsorships));
        emit ISponsorships.Recovered(1, 1, 7 * RATE);
        vm.prank(STRANGER);
        vm.assertEq(sponsorships.recover(1), 7 * RATE);
        vm.assertEq(get(1).spare, 7 * RATE);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.NothingToRecover.selector, 1));
        sponsorships.recover(1);
    }

    function test_recover_goes_on_when_the_lapse_does() public {
        make(RATE, 0, 100);
        enter(30);
        sponsorships.lapse();
        vm.assertEq(sponsorships.recover(1), 5 * RATE);
        enter(32);
        sponsorships.lapse();
        vm.assertEq(sponsorships.recover(1), 2 * RATE);
    }

    function test_recover_passes_over_lapses_before_the_sponsorship() public {
        make(RATE, 0, 10);
        enter(40);
        settle(39);
        make(RATE, 0, 100);
        enter(80);
        settle(79);
        // Epochs 42..67 lapsed; the first lapse is not the second sponsorship's.
        vm.expectEmit(address(sponsorships));
        emit ISponsorships.Recovered(2, 2, 26 * RATE);
        sponsorships.recover(2);
        vm.assertEq(sponsorships.recover(1), 10 * RATE);
        vm.assertEq(sponsorships.recover(1), 0);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.NothingToRecover.selector, 1));
        sponsorships.recover(1);
    }

    function test_recover_counts_each_rate_for_its_epochs() public {
        make(RATE, 0, 10);
        enter(3);
        sponsorships.setRate(1, 2 * RATE); // epochs 5, 6, 7; the 10th part is spare
        vm.assertEq(get(1).spare, RATE);
        enter(10);
        sponsorships.topUp(1, RATE); // epoch 12
        enter(40);
        settle(39);
        vm.assertEq(sponsorships.lapsed(), 3 * RATE + 3 * 2 * RATE + 2 * RATE);
        vm.assertEq(sponsorships.recover(1), 11 * RATE);
    }

    function test_recover_after_a_stop_can_be_reclaimed() public {
        make(RATE, 0, 100);
        enter(3);
        sponsorships.stop(1);
        enter(40);
        settle(39);
        vm.assertEq(sponsorships.recover(1), 3 * RATE);
        vm.assertEq(sponsorships.reclaim(1), 3 * RATE);
        vm.assertEq(held(), 0);
    }

    function test_recover_of_many_rates_takes_steps() public {
        make(10, 0, 4000);
        uint128 expected;
        for (uint64 now_ = 1; now_ <= 300; ++now_) {
            enter(now_);
            sponsorships.setRate(1, 10 + uint128(now_ % 7));
        }
        enter(400);
        settle(399);
        expected = uint128(sponsorships.lapsed());
        uint128 first = sponsorships.recover{gas: 33_500_000}(1);
        vm.snapshotGasLastCall("sponsorships", "recover, 256 rates");
        vm.assertTrue(first < expected);
        vm.assertEq(first + sponsorships.recover(1), expected);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.NothingToRecover.selector, 1));
        sponsorships.recover(1);
    }

    function test_gas_recover() public {
        make(RATE, 0, 100);
        enter(30);
        settle(20);
        sponsorships.recover(1);
        vm.snapshotGasLastCall("sponsorships", "recover");
    }
}
