// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {ISlashing} from "../../src/interfaces/ISlashing.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {BandwidthReceipt} from "../../src/libraries/Types.sol";
import {vm} from "../util/Vm.sol";
import {Case} from "./Case.sol";

contract ReceiptEquivocationTest is Case {
    /// @dev The call, so that a test can spoil any part of it.
    struct Proof {
        uint64 epoch;
        address relayer;
        address receiver;
        uint32 sequence;
        bytes32[2] roots;
        bytes32[2] r;
        bytes32[2] vs;
    }

    function proof(uint256 key, uint64 epoch, uint32 sequence) private view returns (Proof memory p) {
        p.epoch = epoch;
        p.relayer = RELAYER;
        p.receiver = vm.addr(key);
        p.sequence = sequence;
        p.roots = [keccak256("a"), keccak256("b")];
        for (uint256 i = 0; i < 2; ++i) {
            sign(p, i, key);
        }
    }

    function sign(Proof memory p, uint256 i, uint256 key) private view {
        BandwidthReceipt memory receipt = BandwidthReceipt(p.epoch, p.relayer, p.receiver, p.sequence, p.roots[i]);
        (p.r[i], p.vs[i]) = compact(key, Eip712.bandwidthReceipt(receipt));
    }

    function good() private view returns (Proof memory) {
        return proof(KEY, EPOCH, 1);
    }

    function submit(Proof memory p, bool thenExecute) private {
        vm.prank(REPORTER);
        slashing.receiptEquivocation(p.epoch, p.relayer, p.receiver, p.sequence, p.roots, p.r, p.vs, thenExecute);
    }

    function refused(Proof memory p, bytes memory reason) private {
        vm.expectRevert(reason);
        submit(p, false);
    }

    function slotOf(Proof memory p) private view returns (bytes32) {
        return slashing.receiptSlot(p.epoch, p.relayer, p.receiver);
    }

    function test_reverts_if_the_evidence_is_too_old() public {
        enter(EPOCH + EVIDENCE + 1);
        refused(good(), tooOld());
    }

    function test_reverts_if_the_roots_are_one() public {
        Proof memory p = good();
        (p.roots[1], p.r[1], p.vs[1]) = (p.roots[0], p.r[0], p.vs[0]);
        refused(p, notAConflict());
    }

    function test_reverts_if_another_signed_the_first() public {
        Proof memory p = good();
        sign(p, 0, 0xf00);
        refused(p, notSignedBy(0xf00, node));
    }

    function test_reverts_if_another_signed_the_second() public {
        Proof memory p = good();
        sign(p, 1, 0xf00);
        refused(p, notSignedBy(0xf00, node));
    }

    /// @dev Receipts that differ in anything but the root are no contradiction; one of them cannot be passed off for
    /// the other, since there is one field for both.
    function test_reverts_for_receipts_of_two_sequences() public {
        Proof memory p = good();
        Proof memory later = proof(KEY, EPOCH, 2);
        (p.r[1], p.vs[1]) = (later.r[1], later.vs[1]);
        vm.expectPartialRevert(ISlashing.NotSignedByReceiver.selector);
        submit(p, false);
    }

    function test_reverts_for_a_high_s_twin() public {
        Proof memory p = good();
        uint256 n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bool odd = uint256(p.vs[1]) >> 255 == 1;
        uint256 s = n - (uint256(p.vs[1]) << 1 >> 1);
        // A high s does not fit: its highest bit is where the recovery bit goes.
        vm.assertTrue(s >> 255 == 1);
        p.vs[1] = bytes32((s << 1 >> 1) | (odd ? 0 : 1 << 255));
        vm.expectPartialRevert(ISlashing.NotSignedByReceiver.selector);
        submit(p, false);
    }

    function test_reverts_for_a_signature_that_recovers_nobody() public {
        Proof memory p = good();
        p.r[1] = bytes32(type(uint256).max);
        refused(p, abi.encodeWithSelector(ECDSA.ECDSAInvalidSignature.selector));
    }

    function test_reverts_if_the_receiver_is_no_operators_node() public {
        Proof memory p = proof(0xf00, EPOCH, 1);
        refused(p, abi.encodeWithSelector(ISlashing.NotAnOperator.selector, vm.addr(0xf00)));
    }

    function test_reverts_the_second_time_with_whatever_receipts() public {
        Proof memory p = good();
        submit(p, false);
        refused(p, alreadyProven(slotOf(p)));
        refused(proof(KEY, EPOCH, 2), alreadyProven(slotOf(p)));
        slashing.execute(slotOf(p));
        refused(p, alreadyProven(slotOf(p)));
    }

    function test_records_and_takes_nothing() public {
        Proof memory p = good();
        vm.expectEmit(address(slashing));
        emit ISlashing.OffenceProven(slotOf(p), 1, REPORTER, ISlashing.Kind.ReceiptEquivocation, 0);
        submit(p, false);
        assertRecorded(slotOf(p), ISlashing.Kind.ReceiptEquivocation, false);
        assertTaken(0, 0, 0);
    }

    function test_executes_at_once_and_burns_what_is_not_bounty() public {
        Proof memory p = good();
        vm.expectEmit(address(slashing));
        emit ISlashing.OffenceExecuted(slotOf(p), 1, BOUNTY, 0, PENALTY - BOUNTY);
        submit(p, true);
        assertRecorded(slotOf(p), ISlashing.Kind.ReceiptEquivocation, true);
        assertTaken(PENALTY, BOUNTY, 0);
        vm.assertEq(staking.weightAt(1, EPOCH + 1), STAKE);
        vm.assertEq(staking.weightAt(1, EPOCH + 2), STAKE - PENALTY);
    }

    function test_holds_in_the_last_epoch_of_the_window() public {
        enter(EPOCH + EVIDENCE);
        submit(good(), true);
        assertTaken(PENALTY, BOUNTY, 0);
    }

    function test_holds_for_an_epoch_to_come() public {
        submit(proof(KEY, EPOCH + 5, 1), true);
        assertTaken(PENALTY, BOUNTY, 0);
    }

    function test_reaches_a_removed_node() public {
        vm.prank(ownerOf(1));
        staking.removeNode(1, node);
        submit(good(), true);
        assertTaken(PENALTY, BOUNTY, 0);
    }

    function test_each_epoch_relayer_and_receiver_is_an_offence_of_its_own() public {
        submit(good(), false);
        submit(proof(KEY, EPOCH + 1, 1), false);
        Proof memory p = good();
        p.relayer = STRANGER;
        sign(p, 0, KEY);
        sign(p, 1, KEY);
        submit(p, false);
        addNode(1, KEY + 1);
        submit(proof(KEY + 1, EPOCH, 1), false);
    }

    function test_gas() public {
        Proof memory p = good();
        submit(p, false);
        vm.snapshotGasLastCall("slashing", "receiptEquivocation");
        slashing.execute(slotOf(p));
        vm.snapshotGasLastCall("slashing", "execute");
        submit(proof(KEY, EPOCH + 1, 1), true);
        vm.snapshotGasLastCall("slashing", "receiptEquivocation, then execute");
    }
}
