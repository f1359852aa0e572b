// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {ISlashing} from "./interfaces/ISlashing.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {Eip712} from "./libraries/Eip712.sol";
import {Epochs} from "./libraries/Epochs.sol";
import {Merkle} from "./libraries/Merkle.sol";
import {BandwidthReceipt, Credit} from "./libraries/Types.sol";

/// @title Punishes contradictions that are provable from signatures alone.
/// @notice Holds nothing: the stake is in Staking, which also pays the bounty.
contract Slashing is ISlashing, Epochs {
    uint8 private constant EQUIVOCATION = 1;
    uint8 private constant REGRESSION = 2;
    uint256 private constant BPS = 10_000;

    address public immutable staking;
    uint16 public immutable slashBps;
    uint64 public immutable evidenceEpochs;

    mapping(bytes32 slot => bool) public punished;

    /// @param staking_ Deployed before this contract: its unbonding has to outlast the evidence.
    constructor(address staking_, uint64 genesis_, uint64 epochLength_, uint16 slashBps_, uint64 evidenceEpochs_)
        Epochs(genesis_, epochLength_)
    {
        // Stake leaves the set LEAD epochs after unbonding begins, and answers for what it signs until then.
        bool sane = slashBps_ != 0 && slashBps_ <= BPS && evidenceEpochs_ != 0
            && evidenceEpochs_ + LEAD <= IStaking(staking_).unbondingEpochs();
        if (!sane) revert InvalidParameters();
        staking = staking_;
        slashBps = slashBps_;
        evidenceEpochs = evidenceEpochs_;
    }

    /// @inheritdoc ISlashing
    function receiptEquivocation(
        BandwidthReceipt calldata a,
        bytes calldata signatureA,
        BandwidthReceipt calldata b,
        bytes calldata signatureB
    ) external {
        if (!_samePair(a, b) || a.sequence != b.sequence || a.creditsRoot == b.creditsRoot) revert NotAConflict();
        _checkSigned(a, signatureA);
        _checkSigned(b, signatureB);
        _punish(a, EQUIVOCATION);
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
        bytes32[] calldata proofB
    ) external {
        bool comparable = _samePair(earlier, later) && earlier.sequence < later.sequence
            && creditA.streamPart == creditB.streamPart;
        bool less = creditB.messages < creditA.messages || creditB.bytes_ < creditA.bytes_
            || creditB.servedBytes < creditA.servedBytes;
        if (!comparable || !less) revert NotAConflict();
        _checkOpening(earlier, creditA, proofA);
        _checkOpening(later, creditB, proofB);
        _checkSigned(earlier, signatureA);
        _checkSigned(later, signatureB);
        _punish(earlier, REGRESSION);
    }

    /// @inheritdoc ISlashing
    function slotOf(uint64 epoch, address relayer, address receiver) public pure returns (bytes32) {
        return keccak256(abi.encode(epoch, relayer, receiver));
    }

    /// @inheritdoc ISlashing
    function domainSeparator() external view returns (bytes32) {
        return Eip712.separator(address(this));
    }

    function _samePair(BandwidthReceipt calldata a, BandwidthReceipt calldata b) private pure returns (bool) {
        return a.epoch == b.epoch && a.relayer == b.relayer && a.receiver == b.receiver;
    }

    /// @dev OpenZeppelin's recover refuses the high-s twin of a signature and lengths other than 65.
    function _checkSigned(BandwidthReceipt calldata receipt, bytes calldata signature) private view {
        bytes32 digest = Eip712.digest(address(this), Eip712.bandwidthReceipt(receipt));
        address signer = ECDSA.recover(digest, signature);
        if (signer != receipt.receiver) revert NotSignedByReceiver(signer, receipt.receiver);
    }

    function _checkOpening(BandwidthReceipt calldata receipt, Credit calldata credit, bytes32[] calldata proof)
        private
        pure
    {
        bool ok = MerkleProof.verifyCalldata(proof, receipt.creditsRoot, Merkle.creditLeaf(credit));
        if (!ok) revert InvalidOpening();
    }

    function _punish(BandwidthReceipt calldata receipt, uint8 kind) private {
        uint64 current = currentEpoch();
        bool stale = receipt.epoch < current && current - receipt.epoch > evidenceEpochs;
        if (stale) revert EvidenceTooOld(receipt.epoch, current);
        uint64 operatorId = IStaking(staking).operatorOf(receipt.receiver);
        if (operatorId == 0) revert NotAnOperator(receipt.receiver);
        bytes32 slot = slotOf(receipt.epoch, receipt.relayer, receipt.receiver);
        if (punished[slot]) revert AlreadyPunished(slot);
        IStaking.Operator memory operator = IStaking(staking).operators(operatorId);
        uint128 amount = _penaltyUp(uint256(operator.stake) + operator.unbonding);

        punished[slot] = true;

        // The event carries what was taken, so Staking acts before it; both are immutable and ours.
        uint128 taken = IStaking(staking).slash(operatorId, amount, msg.sender);
        emit OffenceProven(slot, operatorId, msg.sender, kind, taken);
    }

    function _penaltyUp(uint256 stake) private view returns (uint128) {
        // Stake plus unbonding is bounded by the token's supply, far below 2^128.
        return uint128((stake * slashBps + BPS - 1) / BPS);
    }
}
