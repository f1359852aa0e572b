// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISponsorships} from "../../src/interfaces/ISponsorships.sol";
import {Funds} from "./Funds.sol";
import {vm} from "../util/Vm.sol";

/// @dev credit, release and restore: what Settlement and Slashing do.
contract CreditTest is Funds {
    function test_credit_reverts_for_others() public {
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.NotSettlement.selector, address(this)));
        sponsorships.credit(new uint256[](0));
    }

    function test_credit_reverts_for_an_unknown_sponsorship() public {
        make(RATE, 0, 1);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.UnknownSponsorship.selector, 2));
        this.credit(2, 1);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.UnknownSponsorship.selector, 0));
        this.credit(0, 1);
    }

    function credit(uint64 id, uint256 cumulative) external {
        refund(id, cumulative);
    }

    function test_refunds_are_cumulative() public {
        make(RATE, 0, 3);
        enter(5);
        settle(4);
        vm.assertEq(refund(1, 40), 40);
        vm.assertEq(refund(1, 40), 0);
        vm.assertEq(refund(1, 30), 0);
        vm.assertEq(get(1).spare, 40);
        vm.expectEmit(address(sponsorships));
        emit ISponsorships.Refunded(1, 15, 55);
        vm.assertEq(refund(1, 55), 15);
        vm.assertEq(get(1).spare, 55);
        vm.assertEq(get(1).refunded, 55);
    }

    function test_refunds_many_at_once() public {
        make(RATE, 0, 3);
        make(RATE, 0, 3);
        uint256[] memory entries = new uint256[](2);
        (entries[0], entries[1]) = (pack(2, 1, 3), pack(2, 2, 4));
        vm.prank(address(settlement));
        vm.assertEq(sponsorships.credit(entries), 7);
        vm.assertEq(get(1).spare, 3);
        vm.assertEq(get(2).spare, 4);
    }

    // ---- release

    function test_release_reverts_for_others() public {
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.NotSettlement.selector, address(this)));
        sponsorships.release(address(this), 1);
    }

    function test_release_transfers() public {
        make(RATE, 0, 3);
        vm.expectEmit(address(sponsorships));
        emit ISponsorships.Released(address(staking), 40);
        vm.prank(address(settlement));
        sponsorships.release(address(staking), 40);
        vm.assertEq(token.balanceOf(address(staking)), 40);
        vm.assertEq(held(), 3 * RATE - 40);
    }

    // ---- restore

    function test_restore_reverts_for_others() public {
        make(RATE, 0, 3);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.NotSlashing.selector, address(this)));
        sponsorships.restore(1, 1);
    }

    function test_restore_reverts_for_an_unknown_sponsorship() public {
        vm.prank(address(slashing));
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.UnknownSponsorship.selector, 1));
        sponsorships.restore(1, 1);
    }

    function test_restore_adds_to_the_spare_even_of_a_stopped_one() public {
        make(RATE, 0, 3);
        token.transfer(address(sponsorships), 5);
        vm.prank(address(slashing));
        vm.expectEmit(address(sponsorships));
        emit ISponsorships.Restored(1, 5);
        sponsorships.restore(1, 5);
        vm.assertEq(get(1).spare, 5);
        vm.assertEq(sponsorships.stop(1), 3 * RATE + 5);
        restore(1, 6);
        vm.assertEq(sponsorships.reclaim(1), 6);
    }

    // ---- ratePerPartition

    function test_rate_reverts_for_an_unknown_sponsorship() public {
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.UnknownSponsorship.selector, 1));
        sponsorships.ratePerPartition(1, STREAM, 2);
    }

    function test_rate_reverts_for_another_stream() public {
        make(RATE, 0, 3);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.WrongStream.selector, 1));
        sponsorships.ratePerPartition(1, string.concat(STREAM, "s"), 2);
    }

    function rateAt(uint64 id, uint64 epoch) private view returns (uint128 rate) {
        (rate,) = sponsorships.ratePerPartition(id, STREAM, epoch);
    }

    function test_rate_is_divided_over_partitions_and_rounded_down() public {
        sponsorships.create(STREAM, 7, 100, 0, 3, 1, 0);
        (uint128 rate, uint32 partitions) = sponsorships.ratePerPartition(1, STREAM, 2);
        vm.assertEq(rate, 14);
        vm.assertEq(partitions, 7);
    }

    function test_rate_is_the_one_of_the_epoch() public {
        make(RATE, 0, 8); // 2..9
        enter(3);
        sponsorships.setRate(1, 2 * RATE); // 5, 6; what is left is one epoch's RATE
        enter(8);
        sponsorships.topUp(1, RATE); // 10
        enter(9);
        sponsorships.topUp(1, 2 * RATE); // 11
        sponsorships.stop(1); // before 11
        uint128[13] memory expected =
            [0, 0, RATE, RATE, RATE, 2 * RATE, 2 * RATE, 0, 0, 0, 2 * RATE, 0, 0];
        for (uint64 epoch = 0; epoch < 13; ++epoch) {
            vm.assertEq(rateAt(1, epoch), expected[epoch]);
            vm.assertEq(sponsorships.scheduled(epoch), expected[epoch]);
        }
    }
}
