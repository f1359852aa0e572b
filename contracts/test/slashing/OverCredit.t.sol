// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISlashing} from "../../src/interfaces/ISlashing.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {Merkle} from "../../src/libraries/Merkle.sol";
import {BandwidthReceipt, Credit, Delivery, DeliveryReceipt} from "../../src/libraries/Types.sol";
import {vm} from "../util/Vm.sol";
import {Case} from "./Case.sol";

contract OverCreditTest is Case {
    struct Proof {
        BandwidthReceipt receipt;
        bytes signatureA;
        Credit credit;
        bytes32[] proofA;
        DeliveryReceipt delivery;
        bytes signatureB;
        Delivery delivered;
        bytes32[] proofB;
    }

    /// @dev One stream part in either list, so that the leaves are the roots.
    function proof(Credit memory credit, Delivery memory delivered) private view returns (Proof memory p) {
        p.receipt = BandwidthReceipt(EPOCH, RELAYER, node, 1, Merkle.creditLeaf(credit));
        p.credit = credit;
        p.proofA = none();
        p.delivery = DeliveryReceipt(EPOCH, node, leafOf(delivered));
        p.delivered = delivered;
        p.proofB = none();
        sign(p, KEY, KEY);
    }

    function leafOf(Delivery memory d) private pure returns (bytes32) {
        return Merkle.deliveryLeaf(d.streamPart, d.messages, d.bytes_, d.custody);
    }

    function sign(Proof memory p, uint256 keyA, uint256 keyB) private view {
        p.signatureA = signed(keyA, Eip712.bandwidthReceipt(p.receipt));
        p.signatureB =
            signed(keyB, Eip712.deliveryReceipt(p.delivery.epoch, p.delivery.receiver, p.delivery.deliveriesRoot));
    }

    function good() private view returns (Proof memory) {
        return proof(Credit(part(), 11, 100, 50), Delivery(part(), 10, 100, "custody"));
    }

    function submit(Proof memory p, ISlashing.Harm memory harm, bool thenExecute) private {
        vm.prank(REPORTER);
        slashing.overCredit(
            p.receipt,
            p.signatureA,
            p.credit,
            p.proofA,
            p.delivery,
            p.signatureB,
            p.delivered,
            p.proofB,
            harm,
            thenExecute
        );
    }

    function refused(Proof memory p, bytes memory reason) private {
        vm.expectRevert(reason);
        submit(p, nobody(), false);
    }

    function test_reverts_if_the_evidence_is_too_old() public {
        enter(EPOCH + EVIDENCE + 1);
        refused(good(), tooOld());
    }

    function test_reverts_unless_both_are_of_one_receiver_epoch_and_stream_part() public {
        Proof memory p = good();
        p.delivery.epoch += 1;
        refused(p, notAConflict());
        p = good();
        p.delivery.receiver = STRANGER;
        refused(p, notAConflict());
        p = good();
        p.delivered.streamPart = "other";
        refused(p, notAConflict());
    }

    /// @dev However much was served: a second copy of what was delivered once is no lie.
    function testFuzz_reverts_if_the_credit_is_within_the_delivery(Credit memory c, uint64 messages, uint64 bytes_)
        public
    {
        if (messages < c.messages) (messages, c.messages) = (c.messages, messages);
        if (bytes_ < c.bytes_) (bytes_, c.bytes_) = (c.bytes_, bytes_);
        refused(proof(c, Delivery(c.streamPart, messages, bytes_, "custody")), notAConflict());
    }

    function test_reverts_if_a_leaf_is_not_in_its_receipt() public {
        bytes memory reason = abi.encodeWithSelector(ISlashing.InvalidOpening.selector);
        Proof memory p = good();
        p.credit.messages += 1;
        refused(p, reason);
        p = good();
        p.delivered.messages -= 1;
        refused(p, reason);
        p = good();
        p.delivered.custody = "other";
        refused(p, reason);
    }

    function test_reverts_if_another_signed() public {
        Proof memory p = good();
        sign(p, 0xf00, KEY);
        refused(p, notSignedBy(0xf00, node));
        sign(p, KEY, 0xf00);
        refused(p, notSignedBy(0xf00, node));
    }

    function test_reverts_for_a_high_s_twin() public {
        Proof memory p = good();
        p.signatureA = twin(p.signatureA);
        refused(p, highS(p.signatureA));
        p = good();
        p.signatureB = twin(p.signatureB);
        refused(p, highS(p.signatureB));
    }

    function test_reverts_if_the_receiver_is_no_operators_node() public {
        Proof memory p = good();
        (p.receipt.receiver, p.delivery.receiver) = (vm.addr(0xf00), vm.addr(0xf00));
        sign(p, 0xf00, 0xf00);
        refused(p, abi.encodeWithSelector(ISlashing.NotAnOperator.selector, vm.addr(0xf00)));
    }

    function test_reverts_after_an_equivocation_towards_the_same_relayer() public {
        bytes32 slot = offend(uint160(RELAYER), false);
        refused(good(), alreadyProven(slot));
    }

    function test_more_messages_than_were_delivered() public {
        bytes32 slot = slashing.receiptSlot(EPOCH, RELAYER, node);
        vm.expectEmit(address(slashing));
        emit ISlashing.OffenceProven(slot, 1, REPORTER, ISlashing.Kind.OverCredit, sponsorshipId);
        submit(good(), harmed(), true);
        vm.snapshotGasLastCall("slashing", "overCredit, somebody harmed, then execute");
        assertRecorded(slot, ISlashing.Kind.OverCredit, true);
        assertTaken(PENALTY, BOUNTY, RATE);
    }

    function test_more_bytes_than_were_delivered() public {
        submit(proof(Credit(part(), 10, 101, 50), Delivery(part(), 10, 100, "custody")), nobody(), true);
        assertTaken(PENALTY, BOUNTY, 0);
    }
}
