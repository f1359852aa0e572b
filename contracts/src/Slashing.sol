// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";
import {ISlashing} from "./interfaces/ISlashing.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {Bls} from "./libraries/Bls.sol";
import {Eip712} from "./libraries/Eip712.sol";
import {Merkle} from "./libraries/Merkle.sol";
import {
    Attestation, BandwidthReceipt, Certificate, Credit, Delivery, DeliveryReceipt, Payout, Volume
} from "./libraries/Types.sol";
import {Offences} from "./Offences.sol";

/// @title The proofs: contradictions that signatures alone show, and faults that 2/3 of the stake attest.
/// @dev OpenZeppelin's recover refuses the high-s twin of a signature, and any length but 65 bytes where it is bytes.
contract Slashing is Offences {
    constructor(Parameters memory p) Offences(p) {}

    /// @inheritdoc ISlashing
    function receiptEquivocation(
        uint64 epoch,
        address relayer,
        address receiver,
        uint32 sequence,
        bytes32[2] calldata creditsRoots,
        bytes32[2] calldata r,
        bytes32[2] calldata vs,
        bool thenExecute
    ) external {
        _checkAge(epoch);
        if (creditsRoots[0] == creditsRoots[1]) revert NotAConflict();
        BandwidthReceipt memory receipt = BandwidthReceipt(epoch, relayer, receiver, sequence, creditsRoots[0]);
        _checkSigner(ECDSA.recover(_digest(Eip712.bandwidthReceipt(receipt)), r[0], vs[0]), receiver);
        receipt.creditsRoot = creditsRoots[1];
        _checkSigner(ECDSA.recover(_digest(Eip712.bandwidthReceipt(receipt)), r[1], vs[1]), receiver);
        bytes32 slot = receiptSlot(epoch, relayer, receiver);
        _prove(Kind.ReceiptEquivocation, slot, _operatorOf(receiver), thenExecute);
    }

    /// @inheritdoc ISlashing
    function receiptRegression(
        BandwidthReceipt calldata earlier,
        bytes calldata signatureA,
        Credit calldata creditA,
        bytes32[] calldata proofA,
        BandwidthReceipt calldata later,
        bytes calldata signatureB,
        Credit calldata creditB,
        bytes32[] calldata proofB,
        Harm calldata harm,
        bool thenExecute
    ) external {
        _checkAge(earlier.epoch);
        bool comparable = earlier.epoch == later.epoch && earlier.relayer == later.relayer
            && earlier.receiver == later.receiver && earlier.sequence < later.sequence
            && creditA.streamPart == creditB.streamPart;
        bool less = creditB.messages < creditA.messages || creditB.bytes_ < creditA.bytes_
            || creditB.servedBytes < creditA.servedBytes;
        if (!comparable || !less) revert NotAConflict();
        _checkReceipt(earlier, signatureA, creditA, proofA);
        _checkReceipt(later, signatureB, creditB, proofB);
        bytes32 slot = receiptSlot(earlier.epoch, earlier.relayer, earlier.receiver);
        _proveHarm(
            Kind.ReceiptRegression,
            slot,
            _operatorOf(earlier.receiver),
            earlier.epoch,
            creditA.streamPart,
            harm,
            thenExecute
        );
    }

    /// @inheritdoc ISlashing
    function deliveryEquivocation(
        DeliveryReceipt calldata a,
        bytes calldata signatureA,
        DeliveryReceipt calldata b,
        bytes calldata signatureB,
        bool thenExecute
    ) external {
        _checkAge(a.epoch);
        bool conflict = a.epoch == b.epoch && a.receiver == b.receiver && a.deliveriesRoot != b.deliveriesRoot;
        if (!conflict) revert NotAConflict();
        _checkDelivery(a, signatureA);
        _checkDelivery(b, signatureB);
        bytes32 slot = deliverySlot(a.epoch, a.receiver);
        _prove(Kind.DeliveryEquivocation, slot, _operatorOf(a.receiver), thenExecute);
    }

    /// @inheritdoc ISlashing
    function overCredit(
        BandwidthReceipt calldata receipt,
        bytes calldata signatureA,
        Credit calldata credit,
        bytes32[] calldata proofA,
        DeliveryReceipt calldata delivery,
        bytes calldata signatureB,
        Delivery calldata delivered,
        bytes32[] calldata proofB,
        Harm calldata harm,
        bool thenExecute
    ) external {
        _checkAge(receipt.epoch);
        bool comparable = receipt.epoch == delivery.epoch && receipt.receiver == delivery.receiver
            && credit.streamPart == delivered.streamPart;
        bool exceeds = credit.messages > delivered.messages || credit.bytes_ > delivered.bytes_;
        if (!comparable || !exceeds) revert NotAConflict();
        _checkReceipt(receipt, signatureA, credit, proofA);
        _checkDelivery(delivery, signatureB);
        bytes32 leaf =
            Merkle.deliveryLeaf(delivered.streamPart, delivered.messages, delivered.bytes_, delivered.custody);
        _checkOpening(delivery.deliveriesRoot, leaf, proofB);
        bytes32 slot = receiptSlot(receipt.epoch, receipt.relayer, receipt.receiver);
        _proveHarm(
            Kind.OverCredit,
            slot,
            _operatorOf(receipt.receiver),
            receipt.epoch,
            credit.streamPart,
            harm,
            thenExecute
        );
    }

    /// @inheritdoc ISlashing
    function volumeEquivocation(
        Volume calldata volumeA,
        Volume calldata volumeB,
        Attestation calldata a,
        uint256[2] calldata signatureB,
        Harm calldata harm,
        bool thenExecute
    ) external {
        _checkAge(volumeA.epoch);
        if (volumeA.epoch != volumeB.epoch || volumeA.streamPart != volumeB.streamPart) revert NotAConflict();
        uint64 operatorId = _checkAttestations(_hash(volumeA), _hash(volumeB), a, signatureB);
        bytes32 slot = volumeSlot(volumeA.epoch, volumeA.streamPart, operatorId);
        _proveHarm(
            Kind.VolumeEquivocation, slot, operatorId, volumeA.epoch, volumeA.streamPart, harm, thenExecute
        );
    }

    /// @inheritdoc ISlashing
    function payoutEquivocation(
        Payout calldata payoutA,
        Payout calldata payoutB,
        Attestation calldata a,
        uint256[2] calldata signatureB,
        bool thenExecute
    ) external {
        _checkAge(payoutA.epoch);
        if (payoutA.epoch != payoutB.epoch) revert NotAConflict();
        uint64 operatorId = _checkAttestations(_hash(payoutA), _hash(payoutB), a, signatureB);
        _prove(Kind.PayoutEquivocation, payoutSlot(payoutA.epoch, operatorId), operatorId, thenExecute);
    }

    /// @inheritdoc ISlashing
    function fault(
        uint64 epoch,
        bytes32 streamPart,
        uint64 operatorId,
        Certificate calldata certificate,
        Harm calldata harm,
        bool thenExecute
    ) external {
        _checkAge(epoch);
        if (operatorId == 0 || operatorId > IStaking(staking).operatorCount()) revert UnknownOperator(operatorId);
        (uint64 checkpoint,,,) = IStaking(staking).setAt(epoch);
        ISettlement(settlement).verify(epoch, Eip712.fault(epoch, checkpoint, streamPart, operatorId), certificate);
        bytes32 slot = faultSlot(epoch, streamPart, operatorId);
        _proveHarm(Kind.Fault, slot, operatorId, epoch, streamPart, harm, thenExecute);
    }

    /// @inheritdoc ISlashing
    function receiptSlot(uint64 epoch, address relayer, address receiver) public pure returns (bytes32) {
        return keccak256(abi.encode(Kind.ReceiptEquivocation, epoch, relayer, receiver));
    }

    /// @inheritdoc ISlashing
    function deliverySlot(uint64 epoch, address receiver) public pure returns (bytes32) {
        return keccak256(abi.encode(Kind.DeliveryEquivocation, epoch, receiver));
    }

    /// @inheritdoc ISlashing
    function volumeSlot(uint64 epoch, bytes32 streamPart, uint64 operatorId) public pure returns (bytes32) {
        return keccak256(abi.encode(Kind.VolumeEquivocation, epoch, streamPart, operatorId));
    }

    /// @inheritdoc ISlashing
    function payoutSlot(uint64 epoch, uint64 operatorId) public pure returns (bytes32) {
        return keccak256(abi.encode(Kind.PayoutEquivocation, epoch, operatorId));
    }

    /// @inheritdoc ISlashing
    function faultSlot(uint64 epoch, bytes32 streamPart, uint64 operatorId) public pure returns (bytes32) {
        return keccak256(abi.encode(Kind.Fault, epoch, streamPart, operatorId));
    }

    /// @inheritdoc ISlashing
    function domainSeparator() external view returns (bytes32) {
        return Eip712.separator(address(this));
    }

    function _checkReceipt(
        BandwidthReceipt calldata receipt,
        bytes calldata signature,
        Credit calldata credit,
        bytes32[] calldata proof
    ) private view {
        _checkOpening(receipt.creditsRoot, Merkle.creditLeaf(credit), proof);
        _checkSigner(ECDSA.recover(_digest(Eip712.bandwidthReceipt(receipt)), signature), receipt.receiver);
    }

    function _checkDelivery(DeliveryReceipt calldata receipt, bytes calldata signature) private view {
        bytes32 hash = Eip712.deliveryReceipt(receipt.epoch, receipt.receiver, receipt.deliveriesRoot);
        _checkSigner(ECDSA.recover(_digest(hash), signature), receipt.receiver);
    }

    /// @dev That one key signed two different statements, and whose key it is. A key is found by its `x`, which its
    /// negation shares: a signature under the negated key is the negated signature, so it accuses the same secret.
    function _checkAttestations(
        bytes32 hashA,
        bytes32 hashB,
        Attestation calldata a,
        uint256[2] calldata signatureB
    ) private view returns (uint64 operatorId) {
        if (hashA == hashB) revert NotAConflict();
        operatorId = IStaking(staking).operatorOfKey(a.g1[0]);
        if (operatorId == 0) revert UnknownKey(a.g1[0]);
        bool both = Bls.verifyBoth(
            [_digest(hashA), _digest(hashB)], Bls.STATEMENT_TAG, a.g1, a.g2, a.signature, signatureB
        );
        if (!both) revert InvalidAttestations();
    }

    function _operatorOf(address receiver) private view returns (uint64 operatorId) {
        operatorId = IStaking(staking).operatorOf(receiver);
        if (operatorId == 0) revert NotAnOperator(receiver);
    }

    function _digest(bytes32 structHash) private view returns (bytes32) {
        return Eip712.digest(address(this), structHash);
    }

    function _checkSigner(address signer, address receiver) private pure {
        if (signer != receiver) revert NotSignedByReceiver(signer, receiver);
    }

    function _checkOpening(bytes32 root, bytes32 leaf, bytes32[] calldata proof) private pure {
        if (!MerkleProof.verifyCalldata(proof, root, leaf)) revert InvalidOpening();
    }

    function _hash(Volume calldata v) private pure returns (bytes32) {
        return Eip712.volume(v.epoch, v.checkpoint, v.streamPart, v.setDigest, v.messages, v.bytes_);
    }

    function _hash(Payout calldata p) private pure returns (bytes32) {
        return Eip712.payout(p.epoch, p.checkpoint, p.root, p.total);
    }
}
