// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISlashing} from "../../src/interfaces/ISlashing.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {Attestation, Volume} from "../../src/libraries/Types.sol";
import {vm} from "../util/Vm.sol";
import {Case} from "./Case.sol";

/// @dev Also the tests of the merged check of two attestations, which payouts share.
contract VolumeEquivocationTest is Case {
    struct Proof {
        Volume a;
        Volume b;
        Attestation attestation;
        uint256[2] signatureB;
    }

    function volume(uint64 messages) private pure returns (Volume memory) {
        return Volume(EPOCH, CHECKPOINT, part(), "digest", messages, 100);
    }

    function hashOf(Volume memory v) private pure returns (bytes32) {
        return Eip712.volume(v.epoch, v.checkpoint, v.streamPart, v.setDigest, v.messages, v.bytes_);
    }

    /// @dev Key `i` of the vectors signs both.
    function proof(Volume memory a, Volume memory b, uint256 i) private view returns (Proof memory p) {
        (p.a, p.b) = (a, b);
        p.attestation = Attestation(g1Of(i), g2Of(i), attest(secretOf(i), hashOf(a)));
        p.signatureB = attest(secretOf(i), hashOf(b));
    }

    function good() private view returns (Proof memory) {
        return proof(volume(10), volume(11), 1);
    }

    function submit(Proof memory p, ISlashing.Harm memory harm, bool thenExecute) private {
        vm.prank(REPORTER);
        // A failing precompile takes all the gas it is given.
        slashing.volumeEquivocation{gas: 3_000_000}(p.a, p.b, p.attestation, p.signatureB, harm, thenExecute);
    }

    function refused(Proof memory p, bytes memory reason) private {
        vm.expectRevert(reason);
        submit(p, nobody(), false);
    }

    function invalid() private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISlashing.InvalidAttestations.selector);
    }

    function invalidPoint() private pure returns (bytes memory) {
        return abi.encodeWithSelector(Bn254.InvalidPoint.selector);
    }

    function slot() private view returns (bytes32) {
        return slashing.volumeSlot(EPOCH, part(), 1);
    }

    function test_reverts_if_the_evidence_is_too_old() public {
        enter(EPOCH + EVIDENCE + 1);
        refused(good(), tooOld());
    }

    function test_reverts_unless_the_volumes_share_epoch_and_stream_part() public {
        Volume memory other = volume(11);
        other.epoch += 1;
        refused(proof(volume(10), other, 1), notAConflict());
        other = volume(11);
        other.streamPart = "other";
        refused(proof(volume(10), other, 1), notAConflict());
    }

    function test_reverts_for_one_statement_signed_twice() public {
        refused(proof(volume(10), volume(10), 1), notAConflict());
    }

    function test_reverts_for_a_key_that_nobody_registered() public {
        Proof memory p = proof(volume(10), volume(11), 9);
        refused(p, abi.encodeWithSelector(ISlashing.UnknownKey.selector, g1Of(9)[0]));
        p.attestation.g1 = [uint256(0), 0];
        refused(p, abi.encodeWithSelector(ISlashing.UnknownKey.selector, 0));
    }

    function test_reverts_if_either_signature_is_of_another_statement() public {
        Proof memory p = good();
        p.attestation.signature = attest(secretOf(1), hashOf(volume(12)));
        refused(p, invalid());
        p = good();
        p.signatureB = attest(secretOf(1), hashOf(volume(12)));
        refused(p, invalid());
        p = good();
        (p.attestation.signature, p.signatureB) = (p.signatureB, p.attestation.signature);
        refused(p, invalid());
    }

    function test_reverts_if_either_signature_is_anothers() public {
        Proof memory p = good();
        p.attestation.signature = attest(secretOf(2), hashOf(p.a));
        refused(p, invalid());
        p = good();
        p.signatureB = attest(secretOf(2), hashOf(p.b));
        refused(p, invalid());
    }

    /// @dev An accuser with a key of its own cannot pass its signatures off as the accused's.
    function test_reverts_if_the_key_in_g1_is_not_the_key_in_g2() public {
        Proof memory p = proof(volume(10), volume(11), 2);
        p.attestation.g1 = g1Of(1);
        refused(p, invalid());
        p = good();
        p.attestation.g2 = g2Of(2);
        refused(p, invalid());
    }

    /// @dev Errors chosen to cancel in a plain sum; the coefficients depend on them, so they do not.
    function test_reverts_for_errors_that_cancel() public {
        Proof memory p = good();
        uint256[2] memory e = Bn254.mul(Bn254.generator(), 7);
        p.attestation.signature = Bn254.add(p.attestation.signature, e);
        p.signatureB = Bn254.add(p.signatureB, Bn254.negate(e));
        refused(p, invalid());
    }

    function test_reverts_for_infinity() public {
        uint256[2] memory infinity;
        uint256[4] memory infinity2;
        Proof memory p = good();
        p.attestation.signature = infinity;
        refused(p, invalid());
        p = good();
        p.signatureB = infinity;
        refused(p, invalid());
        p = good();
        p.attestation.g2 = infinity2;
        refused(p, invalid());
    }

    function test_reverts_for_points_off_the_curve() public {
        Proof memory p = good();
        p.attestation.g1[1] += 1;
        refused(p, invalidPoint());
        p = good();
        p.attestation.signature[0] += 1;
        refused(p, invalidPoint());
        p = good();
        p.signatureB[1] += 1;
        refused(p, invalidPoint());
        p = good();
        p.attestation.g2[3] += 1;
        refused(p, invalidPoint());
    }

    function test_reverts_for_a_key_outside_the_subgroup() public {
        Proof memory p = good();
        p.attestation.g2 = outsideTheSubgroup();
        refused(p, invalidPoint());
    }

    function test_reverts_for_coordinates_that_are_not_reduced() public {
        Proof memory p = good();
        p.signatureB[0] += Bn254.P;
        refused(p, invalidPoint());
    }

    function test_reverts_the_second_time_with_whatever_volumes() public {
        submit(good(), nobody(), true);
        refused(good(), alreadyProven(slot()));
        refused(proof(volume(11), volume(10), 1), alreadyProven(slot()));
        refused(proof(volume(12), volume(13), 1), alreadyProven(slot()));
    }

    /// @dev Whoever holds signatures under a key can negate both: it is the same accusation, of the same secret.
    function test_the_negated_key_is_as_good_and_the_same_offence() public {
        Proof memory p = good();
        p.attestation.g1 = Bn254.negate(p.attestation.g1);
        p.attestation.g2 = negate(p.attestation.g2);
        refused(p, invalid());
        p.attestation.signature = Bn254.negate(p.attestation.signature);
        p.signatureB = Bn254.negate(p.signatureB);
        submit(p, nobody(), false);
        assertRecorded(slot(), ISlashing.Kind.VolumeEquivocation, false);
        refused(good(), alreadyProven(slot()));
    }

    function test_reaches_a_key_that_was_rotated_away() public {
        Proof memory p = good();
        rotate(9);
        enter(EPOCH + 5);
        submit(p, nobody(), true);
        assertTaken(PENALTY, BOUNTY, 0);
        refused(proof(volume(10), volume(11), 9), alreadyProven(slot()));
    }

    function test_reaches_a_key_that_is_not_in_force_yet() public {
        rotate(9);
        submit(proof(volume(10), volume(11), 9), nobody(), true);
        assertTaken(PENALTY, BOUNTY, 0);
    }

    /// @dev One statement under each key is no contradiction of either: two keys do not share one check.
    function test_reverts_for_one_statement_under_each_of_two_keys() public {
        rotate(9);
        Proof memory p = good();
        p.signatureB = attest(secretOf(9), hashOf(p.b));
        refused(p, invalid());
    }

    function rotate(uint256 i) private {
        (uint256[2] memory g1, uint256[4] memory g2) = (g1Of(i), g2Of(i));
        uint256[2] memory proven = possession(ownerOf(1), i);
        vm.prank(ownerOf(1));
        staking.rotateKey(1, g1, g2, proven);
    }

    function test_takes_the_penalty_and_returns_to_the_harmed_sponsorship() public {
        vm.expectEmit(address(slashing));
        emit ISlashing.OffenceProven(slot(), 1, REPORTER, ISlashing.Kind.VolumeEquivocation, sponsorshipId);
        submit(good(), harmed(), true);
        vm.snapshotGasLastCall("slashing", "volumeEquivocation, somebody harmed, then execute");
        assertRecorded(slot(), ISlashing.Kind.VolumeEquivocation, true);
        assertTaken(PENALTY, BOUNTY, RATE);
    }

    function test_a_different_checkpoint_alone_is_a_conflict() public {
        Volume memory other = volume(10);
        other.checkpoint = 1;
        submit(proof(volume(10), other, 1), nobody(), true);
        assertTaken(PENALTY, BOUNTY, 0);
    }

    function test_each_stream_part_is_an_offence_of_its_own() public {
        submit(good(), nobody(), true);
        (Volume memory a, Volume memory b) = (volume(10), volume(11));
        (a.streamPart, b.streamPart) = (bytes32("other"), bytes32("other"));
        submit(proof(a, b, 1), nobody(), true);
        vm.assertEq(staking.pools(1).assets, STAKE * 81 / 100);
    }
}
