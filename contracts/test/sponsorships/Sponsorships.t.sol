// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISponsorships} from "../../src/interfaces/ISponsorships.sol";
import {Fixture} from "../util/Fixture.sol";
import {vm} from "../util/Vm.sol";

contract SponsorshipsTest is Fixture {
    uint128 private constant RATE = 100 * DATA;

    function setUp() public override {
        super.setUp();
        token.approve(address(sponsorships), type(uint256).max);
    }

    function make(uint128 rate, uint64 start, uint64 epochs) private returns (uint64) {
        return sponsorships.create(STREAM, 1, rate, start, epochs, 3, 5000);
    }

    // ---- create

    function test_create_reverts_for_an_empty_or_long_stream_id() public {
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.InvalidStreamId.selector, 0));
        sponsorships.create("", 1, RATE, 0, 1, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.InvalidStreamId.selector, 257));
        sponsorships.create(string(new bytes(257)), 1, RATE, 0, 1, 1, 0);
        sponsorships.create(string(new bytes(256)), 1, RATE, 0, 1, 1, 0);
    }

    function test_create_reverts_out_of_bounds() public {
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.InvalidPartitions.selector, 0));
        sponsorships.create(STREAM, 0, RATE, 0, 1, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.InvalidPartitions.selector, 101));
        sponsorships.create(STREAM, 101, RATE, 0, 1, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.InvalidRedundancy.selector, 0));
        sponsorships.create(STREAM, 1, RATE, 0, 1, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.InvalidRedundancy.selector, 65));
        sponsorships.create(STREAM, 1, RATE, 0, 1, 65, 0);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.InvalidShare.selector, 10_001));
        sponsorships.create(STREAM, 1, RATE, 0, 1, 1, 10_001);
        vm.expectRevert(ISponsorships.ZeroAmount.selector);
        make(0, 0, 1);
        vm.expectRevert(ISponsorships.ZeroAmount.selector);
        make(RATE, 0, 0);
        vm.expectRevert(ISponsorships.InvalidParameters.selector);
        make(1, 0, (1 << 32) + 1);
        vm.expectRevert(ISponsorships.InvalidParameters.selector);
        make(1, type(uint64).max, 1);
    }

    function test_create_reverts_less_than_two_epochs_ahead() public {
        enter(5);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.StartTooEarly.selector, 6, 7));
        make(RATE, 6, 1);
    }

    function test_create_pulls_the_whole_amount() public {
        enter(5);
        vm.expectEmit(address(sponsorships));
        emit ISponsorships.SponsorshipCreated(1, address(this), STREAM, 1, RATE, 7, 3, 3, 5000);
        vm.assertEq(make(RATE, 0, 3), 1);
        vm.assertEq(make(RATE, 9, 1), 2);
        vm.assertEq(token.balanceOf(address(sponsorships)), 4 * RATE);
        ISponsorships.Sponsorship memory s = sponsorships.sponsorships(1);
        vm.assertEq(s.sponsor, address(this));
        vm.assertEq(s.startEpoch, 7);
        vm.assertEq(s.epochs, 3);
    }

    function test_gas_create() public {
        make(RATE, 0, 3);
        make(RATE, 0, 5);
        vm.snapshotGasLastCall("sponsorships", "create");
    }

    // ---- schedule

    function test_scheduled_sums_rates_over_epochs() public {
        make(RATE, 2, 3);
        make(7, 3, 10);
        vm.assertEq(sponsorships.scheduledThrough(1), 0);
        vm.assertEq(sponsorships.scheduledThrough(2), RATE);
        vm.assertEq(sponsorships.scheduledThrough(3), 2 * RATE + 7);
        vm.assertEq(sponsorships.scheduledThrough(4), 3 * RATE + 14);
        vm.assertEq(sponsorships.scheduledThrough(5), 3 * RATE + 21);
        vm.assertEq(sponsorships.scheduledThrough(100), 3 * RATE + 70);
    }

    function test_advance_reverts_for_an_open_epoch() public {
        enter(5);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.EpochNotClosed.selector, 5, 5));
        sponsorships.advance(5);
    }

    function testFuzz_advancing_changes_no_sum(uint8 to, uint8 asked, uint8 start, uint8 epochs) public {
        vm.assume(start >= 2 && epochs > 0);
        make(RATE, start, epochs);
        make(3, 4, 50);
        uint256 before = sponsorships.scheduledThrough(asked);
        enter(300);
        sponsorships.advance(to);
        vm.assertEq(sponsorships.scheduledThrough(asked), before);
        uint64 last = uint64(start) + epochs - 1;
        uint64 paid = asked < start ? 0 : (asked > last ? epochs : asked - start + 1);
        uint64 small = asked < 4 ? 0 : (asked > 53 ? 50 : asked - 3);
        vm.assertEq(before, uint256(paid) * RATE + 3 * small);
    }

    // ---- settle, credit, reclaim

    function test_settle_and_credit_are_settlements_alone() public {
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.NotSettlement.selector, address(this)));
        sponsorships.settle(0);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.NotSettlement.selector, address(this)));
        sponsorships.credit(new uint256[](0));
    }

    function test_settle_transfers_each_epoch_once() public {
        make(RATE, 2, 3);
        enter(5);
        vm.startPrank(address(settlement));
        vm.assertEq(sponsorships.settle(2), RATE);
        vm.assertEq(sponsorships.settle(4), 3 * RATE);
        vm.assertEq(sponsorships.settle(4), 3 * RATE);
        vm.stopPrank();
        vm.assertEq(token.balanceOf(address(settlement)), 3 * RATE);
        vm.assertEq(token.balanceOf(address(sponsorships)), 0);
    }

    function test_refunds_are_cumulative_and_reclaimed_once() public {
        sponsor(RATE, 3);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.NothingToReclaim.selector, 1));
        sponsorships.reclaim(1);
        uint256[] memory entries = new uint256[](1);
        entries[0] = pack(2, 1, 40);
        vm.startPrank(address(settlement));
        vm.assertEq(sponsorships.credit(entries), 40);
        vm.assertEq(sponsorships.credit(entries), 0);
        entries[0] = pack(2, 1, 55);
        vm.assertEq(sponsorships.credit(entries), 15);
        entries[0] = pack(2, 1, 30);
        vm.assertEq(sponsorships.credit(entries), 0);
        vm.stopPrank();
        vm.assertEq(sponsorships.reclaim(1), 55);
        vm.assertEq(token.balanceOf(SPONSOR), 55);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.NothingToReclaim.selector, 1));
        sponsorships.reclaim(1);
    }
}
