// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISponsorships} from "../../src/interfaces/ISponsorships.sol";
import {Funds} from "./Funds.sol";
import {vm} from "../util/Vm.sol";

contract CreateTest is Funds {
    uint64 private constant FAR = 1 << 32;

    function test_reverts_for_an_empty_or_long_stream_id() public {
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.InvalidStreamId.selector, 0));
        sponsorships.create("", 1, RATE, 0, 1, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.InvalidStreamId.selector, 257));
        sponsorships.create(string(new bytes(257)), 1, RATE, 0, 1, 1, 0);
        sponsorships.create(string(new bytes(256)), 1, RATE, 0, 1, 1, 0);
    }

    function test_reverts_unless_1_to_100_partitions() public {
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.InvalidPartitions.selector, 0));
        sponsorships.create(STREAM, 0, RATE, 0, 1, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.InvalidPartitions.selector, 101));
        sponsorships.create(STREAM, 101, RATE, 0, 1, 1, 0);
        vm.assertEq(get(sponsorships.create(STREAM, 100, RATE, 0, 1, 1, 0)).partitions, 100);
    }

    function test_reverts_unless_redundancy_is_1_to_64() public {
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.InvalidRedundancy.selector, 0));
        sponsorships.create(STREAM, 1, RATE, 0, 1, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.InvalidRedundancy.selector, 65));
        sponsorships.create(STREAM, 1, RATE, 0, 1, 65, 0);
    }

    function test_reverts_for_a_share_above_the_whole() public {
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.InvalidShare.selector, 10_001));
        sponsorships.create(STREAM, 1, RATE, 0, 1, 1, 10_001);
    }

    function test_reverts_for_nothing() public {
        vm.expectRevert(ISponsorships.ZeroAmount.selector);
        make(0, 0, 1);
        vm.expectRevert(ISponsorships.ZeroAmount.selector);
        make(RATE, 0, 0);
    }

    function test_reverts_less_than_two_epochs_ahead() public {
        enter(5);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.StartTooEarly.selector, 6, 7));
        make(RATE, 6, 1);
    }

    function test_reverts_too_far_ahead() public {
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.TooFar.selector, FAR + 3, FAR + 2));
        make(1, 0, FAR + 1);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.TooFar.selector, FAR + 3, FAR + 2));
        make(1, FAR + 2, 1);
        vm.expectRevert(
            abi.encodeWithSelector(ISponsorships.TooFar.selector, 2 * uint256(type(uint64).max), FAR + 2)
        );
        make(1, type(uint64).max, type(uint64).max);
        vm.assertEq(get(make(1, 0, FAR)).toEpoch, FAR + 2);
    }

    function test_reverts_without_the_funds() public {
        vm.prank(STRANGER);
        vm.expectRevert(
            abi.encodeWithSignature(
                "ERC20InsufficientAllowance(address,uint256,uint256)", address(sponsorships), 0, RATE
            )
        );
        make(RATE, 0, 1);
    }

    function test_pulls_the_whole_amount() public {
        enter(5);
        vm.expectEmit(address(sponsorships));
        emit ISponsorships.SponsorshipCreated(1, address(this), STREAM, 1, 3, 5000);
        expect(1, 7, 10, RATE);
        vm.assertEq(make(RATE, 0, 3), 1);
        vm.assertEq(make(RATE, 9, 1), 2);
        vm.assertEq(sponsorships.sponsorshipCount(), 2);
        vm.assertEq(held(), 4 * RATE);

        ISponsorships.Sponsorship memory s = get(1);
        vm.assertEq(s.sponsor, address(this));
        vm.assertEq(s.partitions, 1);
        vm.assertFalse(s.stopped);
        vm.assertEq(s.fromEpoch, 7);
        vm.assertEq(s.toEpoch, 10);
        vm.assertEq(s.ratePerEpoch, RATE);
        vm.assertEq(s.spare, 0);
    }

    function test_an_unknown_sponsorship_is_all_zero() public view {
        vm.assertEq(get(1).sponsor, address(0));
        vm.assertEq(get(0).sponsor, address(0));
    }

    function test_gas_create() public {
        make(RATE, 0, 3);
        make(RATE, 0, 5);
        vm.snapshotGasLastCall("sponsorships", "create, the first to end then");
        make(RATE, 0, 5);
        vm.snapshotGasLastCall("sponsorships", "create, not the first to end then");
    }
}
