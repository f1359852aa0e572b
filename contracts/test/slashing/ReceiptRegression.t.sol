// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISlashing} from "../../src/interfaces/ISlashing.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {Merkle} from "../../src/libraries/Merkle.sol";
import {BandwidthReceipt, Credit} from "../../src/libraries/Types.sol";
import {vm} from "../util/Vm.sol";
import {Case} from "./Case.sol";

contract ReceiptRegressionTest is Case {
    struct Side {
        BandwidthReceipt receipt;
        bytes signature;
        Credit credit;
        bytes32[] proof;
    }

    /// @dev A receipt for one stream part only, so that the leaf is the root.
    function side(uint32 sequence, Credit memory leaf) private view returns (Side memory s) {
        s.receipt = BandwidthReceipt(EPOCH, RELAYER, node, sequence, Merkle.creditLeaf(leaf));
        s.credit = leaf;
        s.proof = none();
        sign(s, KEY);
    }

    function sign(Side memory s, uint256 key) private view {
        s.signature = signed(key, Eip712.bandwidthReceipt(s.receipt));
    }

    function credit(uint64 messages, uint64 bytes_, uint64 served) private pure returns (Credit memory) {
        return Credit(part(), messages, bytes_, served);
    }

    function earlier() private view returns (Side memory) {
        return side(1, credit(10, 100, 50));
    }

    function later() private view returns (Side memory) {
        return side(2, credit(9, 100, 50));
    }

    function submit(Side memory a, Side memory b, ISlashing.Harm memory harm, bool thenExecute) private {
        vm.prank(REPORTER);
        slashing.receiptRegression(
            a.receipt, a.signature, a.credit, a.proof, b.receipt, b.signature, b.credit, b.proof, harm, thenExecute
        );
    }

    function refused(Side memory a, Side memory b, bytes memory reason) private {
        vm.expectRevert(reason);
        submit(a, b, nobody(), false);
    }

    function test_reverts_if_the_evidence_is_too_old() public {
        enter(EPOCH + EVIDENCE + 1);
        refused(earlier(), later(), tooOld());
    }

    function test_reverts_unless_the_receipts_are_of_one_pair_and_epoch() public {
        Side memory b = later();
        b.receipt.epoch += 1;
        refused(earlier(), b, notAConflict());
        b = later();
        b.receipt.relayer = STRANGER;
        refused(earlier(), b, notAConflict());
        b = later();
        b.receipt.receiver = STRANGER;
        refused(earlier(), b, notAConflict());
    }

    function test_reverts_unless_the_sequence_went_up() public {
        refused(earlier(), side(1, credit(9, 100, 50)), notAConflict());
        refused(later(), earlier(), notAConflict());
    }

    function test_reverts_across_stream_parts() public {
        refused(earlier(), side(2, Credit("other", 9, 100, 50)), notAConflict());
    }

    function testFuzz_reverts_if_no_total_went_down(Credit memory a, uint32 m, uint32 b, uint32 s) public {
        (a.messages, a.bytes_, a.servedBytes) = (a.messages >> 1, a.bytes_ >> 1, a.servedBytes >> 1);
        Credit memory more = Credit(a.streamPart, a.messages + m, a.bytes_ + b, a.servedBytes + s);
        refused(side(1, a), side(2, more), notAConflict());
    }

    function test_reverts_if_a_leaf_is_not_in_its_receipt() public {
        Side memory a = earlier();
        a.credit.messages = 11;
        refused(a, later(), abi.encodeWithSelector(ISlashing.InvalidOpening.selector));
        Side memory b = later();
        b.credit.messages = 8;
        refused(earlier(), b, abi.encodeWithSelector(ISlashing.InvalidOpening.selector));
        b = later();
        b.proof = new bytes32[](1);
        refused(earlier(), b, abi.encodeWithSelector(ISlashing.InvalidOpening.selector));
    }

    function test_reverts_if_another_signed() public {
        Side memory a = earlier();
        sign(a, 0xf00);
        refused(a, later(), notSignedBy(0xf00, node));
        Side memory b = later();
        sign(b, 0xf00);
        refused(earlier(), b, notSignedBy(0xf00, node));
    }

    function test_reverts_for_a_high_s_twin() public {
        Side memory b = later();
        b.signature = twin(b.signature);
        refused(earlier(), b, highS(b.signature));
    }

    function test_reverts_if_the_receiver_is_no_operators_node() public {
        (Side memory a, Side memory b) = (earlier(), later());
        (a.receipt.receiver, b.receipt.receiver) = (vm.addr(0xf00), vm.addr(0xf00));
        sign(a, 0xf00);
        sign(b, 0xf00);
        refused(a, b, abi.encodeWithSelector(ISlashing.NotAnOperator.selector, vm.addr(0xf00)));
    }

    function test_reverts_after_an_equivocation_towards_the_same_relayer() public {
        bytes32 slot = offend(uint160(RELAYER), false);
        refused(earlier(), later(), alreadyProven(slot));
    }

    function test_a_lower_total_of_messages() public {
        bytes32 slot = slashing.receiptSlot(EPOCH, RELAYER, node);
        vm.expectEmit(address(slashing));
        emit ISlashing.OffenceProven(slot, 1, REPORTER, ISlashing.Kind.ReceiptRegression, 0);
        submit(earlier(), later(), nobody(), true);
        vm.snapshotGasLastCall("slashing", "receiptRegression, then execute");
        assertRecorded(slot, ISlashing.Kind.ReceiptRegression, true);
        assertTaken(PENALTY, BOUNTY, 0);
    }

    function test_a_lower_total_of_bytes() public {
        submit(earlier(), side(7, credit(12, 99, 50)), nobody(), true);
        assertTaken(PENALTY, BOUNTY, 0);
    }

    function test_a_lower_total_of_served_bytes() public {
        submit(earlier(), side(7, credit(12, 120, 49)), nobody(), true);
        assertTaken(PENALTY, BOUNTY, 0);
    }

    function test_a_leaf_among_several() public {
        Side memory a = earlier();
        bytes32 leaf = Merkle.creditLeaf(a.credit);
        a.proof = new bytes32[](1);
        a.proof[0] = keccak256("sibling");
        a.receipt.creditsRoot = leaf < a.proof[0]
            ? keccak256(bytes.concat(leaf, a.proof[0]))
            : keccak256(bytes.concat(a.proof[0], leaf));
        sign(a, KEY);
        submit(a, later(), nobody(), true);
        assertTaken(PENALTY, BOUNTY, 0);
    }

    function test_returns_to_the_harmed_sponsorship() public {
        submit(earlier(), later(), harmed(), false);
        vm.snapshotGasLastCall("slashing", "receiptRegression, somebody harmed");
        slashing.execute(slashing.receiptSlot(EPOCH, RELAYER, node));
        assertTaken(PENALTY, BOUNTY, RATE);
    }
}
