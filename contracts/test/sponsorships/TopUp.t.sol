// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISponsorships} from "../../src/interfaces/ISponsorships.sol";
import {Funds} from "./Funds.sol";
import {vm} from "../util/Vm.sol";

interface ITransferAndCall {
    function transferAndCall(address to, uint256 value, bytes calldata data) external returns (bool);
}

/// @dev topUp, transferAndCall and extend: more epochs at the same rate.
contract TopUpTest is Funds {
    function test_reverts_for_nothing() public {
        make(RATE, 0, 1);
        vm.expectRevert(ISponsorships.ZeroAmount.selector);
        sponsorships.topUp(1, 0);
    }

    function test_reverts_for_an_unknown_sponsorship() public {
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.UnknownSponsorship.selector, 1));
        sponsorships.topUp(1, 1);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.UnknownSponsorship.selector, 1));
        sponsorships.extend(1);
    }

    function test_reverts_once_stopped() public {
        make(RATE, 0, 1);
        sponsorships.stop(1);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.AlreadyStopped.selector, 1));
        sponsorships.topUp(1, RATE);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.AlreadyStopped.selector, 1));
        sponsorships.extend(1);
    }

    function test_reverts_too_far_ahead() public {
        make(1, 0, 1);
        uint64 limit = uint64(1 << 32) + 2;
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.TooFar.selector, uint256(limit) + 1, limit));
        sponsorships.topUp(1, 1 << 32);
        sponsorships.topUp(1, (1 << 32) - 1);
    }

    function test_reverts_without_the_funds() public {
        make(RATE, 0, 1);
        vm.prank(STRANGER);
        vm.expectRevert(
            abi.encodeWithSignature(
                "ERC20InsufficientAllowance(address,uint256,uint256)", address(sponsorships), 0, RATE
            )
        );
        sponsorships.topUp(1, RATE);
    }

    function test_prolongs_what_runs() public {
        make(RATE, 0, 3);
        enter(3);
        vm.expectEmit(address(sponsorships));
        emit ISponsorships.ToppedUp(1, address(this), 2 * RATE + 7);
        expect(1, 5, 7, RATE);
        sponsorships.topUp(1, 2 * RATE + 7);
        vm.assertEq(get(1).fromEpoch, 2);
        vm.assertEq(get(1).toEpoch, 7);
        vm.assertEq(get(1).spare, 7);
        vm.assertEq(sponsorships.scheduledThrough(100), 5 * RATE);
        vm.assertEq(held(), 5 * RATE + 7);
    }

    function test_remainders_add_up_to_an_epoch() public {
        make(RATE, 0, 1);
        sponsorships.topUp(1, RATE / 2);
        vm.assertEq(get(1).toEpoch, 3);
        vm.assertEq(get(1).spare, RATE / 2);
        sponsorships.topUp(1, RATE / 2 + 1);
        vm.assertEq(get(1).toEpoch, 4);
        vm.assertEq(get(1).spare, 1);
    }

    function test_begins_again_two_epochs_ahead_if_it_was_over() public {
        make(RATE, 0, 1);
        enter(3);
        expect(1, 5, 6, RATE);
        sponsorships.topUp(1, RATE);
        vm.assertEq(get(1).fromEpoch, 5);
        vm.assertEq(sponsorships.scheduled(2), RATE);
        vm.assertEq(sponsorships.scheduled(3), 0);
        vm.assertEq(sponsorships.scheduled(4), 0);
        vm.assertEq(sponsorships.scheduled(5), RATE);
        vm.assertEq(sponsorships.scheduled(6), 0);
    }

    function test_adjoins_if_it_ends_in_two_epochs() public {
        make(RATE, 0, 3);
        enter(3);
        expect(1, 5, 6, RATE);
        sponsorships.topUp(1, RATE);
        vm.assertEq(get(1).fromEpoch, 2);
    }

    function test_prolongs_what_has_not_begun() public {
        make(RATE, 10, 1);
        sponsorships.topUp(1, RATE);
        vm.assertEq(get(1).fromEpoch, 10);
        vm.assertEq(get(1).toEpoch, 12);
    }

    function test_anyone_may_and_the_sponsor_keeps_it() public {
        make(RATE, 0, 1);
        token.transfer(STRANGER, RATE);
        vm.startPrank(STRANGER);
        token.approve(address(sponsorships), RATE);
        sponsorships.topUp(1, RATE);
        vm.stopPrank();
        uint256 before = token.balanceOf(address(this));
        sponsorships.stop(1);
        vm.assertEq(token.balanceOf(address(this)) - before, 2 * RATE);
    }

    // ---- transferAndCall

    function test_transfer_and_call_is_the_tokens_alone() public {
        make(RATE, 0, 1);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.NotToken.selector, address(this)));
        sponsorships.onTokenTransfer(address(this), RATE, abi.encode(uint64(1)));
    }

    function test_transfer_and_call_refuses_what_topUp_refuses() public {
        make(RATE, 0, 1);
        ITransferAndCall data = ITransferAndCall(address(token));
        vm.expectRevert(ISponsorships.ZeroAmount.selector);
        data.transferAndCall(address(sponsorships), 0, abi.encode(uint64(1)));
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.UnknownSponsorship.selector, 2));
        data.transferAndCall(address(sponsorships), RATE, abi.encode(uint64(2)));
        vm.expectRevert();
        data.transferAndCall(address(sponsorships), RATE, "");
        vm.assertEq(held(), RATE);
    }

    function test_transfer_and_call_tops_up() public {
        make(RATE, 0, 1);
        vm.expectEmit(address(sponsorships));
        emit ISponsorships.ToppedUp(1, address(this), 3 * RATE);
        ITransferAndCall(address(token)).transferAndCall(address(sponsorships), 3 * RATE, abi.encode(uint64(1)));
        vm.assertEq(get(1).toEpoch, 6);
        vm.assertEq(held(), 4 * RATE);
    }

    // ---- extend

    function test_extend_reverts_for_less_than_an_epoch() public {
        make(RATE, 0, 1);
        sponsorships.topUp(1, RATE - 1);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.LessThanOneEpoch.selector, RATE - 1, RATE));
        sponsorships.extend(1);
    }

    function test_extend_turns_refunds_into_epochs() public {
        make(RATE, 0, 3);
        enter(5);
        settle(4);
        refund(1, 2 * RATE + 5);
        vm.prank(STRANGER);
        expect(1, 7, 9, RATE);
        sponsorships.extend(1);
        vm.assertEq(get(1).spare, 5);
        vm.assertEq(sponsorships.scheduledThrough(100), 5 * RATE);
    }

    function test_gas_topUp() public {
        make(RATE, 0, 3);
        sponsorships.topUp(1, RATE);
        vm.snapshotGasLastCall("sponsorships", "topUp");
        ITransferAndCall(address(token)).transferAndCall(address(sponsorships), RATE, abi.encode(uint64(1)));
        vm.snapshotGasLastCall("sponsorships", "topUp by transferAndCall");
        enter(4);
        settle(3);
        refund(1, RATE);
        sponsorships.extend(1);
        vm.snapshotGasLastCall("sponsorships", "extend");
    }
}
