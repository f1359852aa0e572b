// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IEpochs} from "./IEpochs.sol";
import {
    Attestation, BandwidthReceipt, Certificate, Credit, Delivery, DeliveryReceipt, Payout, Volume
} from "../libraries/Types.sol";

/// @title Proofs that an operator broke the protocol, and the price of it.
/// @notice Anyone may prove and anyone may execute. A proof records the offence and its reporter; executing it takes
/// the penalty from the operator's pool, pays the reporter a bounty, gives the harmed stream's sponsorship its part
/// and burns the rest. Every proof can do both at once. Stake outlasts the evidence window by long enough to execute
/// whatever was proven in it. The contract is also the verifying contract of Tatum's EIP-712 domain.
/// Token assumptions. For safety: a transfer moves exactly the amount asked. For liveness: transfers to reporters do
/// not revert, whoever they are; a token with a list of refused receivers would let an offender block its penalty.
interface ISlashing is IEpochs {
    event OffenceProven(
        bytes32 indexed slot, uint64 indexed operatorId, address indexed reporter, Kind kind, uint64 sponsorshipId
    );
    /// @notice `bounty + returned + burned` left the operator's pool.
    event OffenceExecuted(
        bytes32 indexed slot, uint64 indexed operatorId, uint128 bounty, uint128 returned, uint128 burned
    );

    error InvalidParameters();
    error NotAConflict();
    error NotSignedByReceiver(address signer, address receiver);
    error NotAnOperator(address receiver);
    error UnknownKey(uint256 g1x);
    error UnknownOperator(uint64 operatorId);
    error InvalidAttestations();
    error EvidenceTooOld(uint64 epoch, uint64 currentEpoch);
    error AlreadyProven(bytes32 slot);
    error NotProven(bytes32 slot);
    error AlreadyExecuted(bytes32 slot);
    error InvalidOpening();
    /// @notice The stream named as harmed is not the one of the offence.
    error WrongStream();

    enum Kind {
        None,
        ReceiptEquivocation,
        ReceiptRegression,
        DeliveryEquivocation,
        OverCredit,
        VolumeEquivocation,
        PayoutEquivocation,
        Fault
    }

    /// @notice Parameters of the deployment. Bounds: `bountyBps + returnBps` below half, so that whoever slashes
    /// itself loses more than it gets back whichever roles it plays.
    struct Parameters {
        address token;
        address staking;
        address sponsorships;
        address settlement;
        uint64 genesis;
        uint64 epochLength;
        uint16 slashBps;
        uint16 faultBps;
        uint16 bountyBps;
        uint16 returnBps;
        uint64 evidenceEpochs;
    }

    /// @notice Who is harmed: a sponsorship of the stream part of the offence. Its part of the penalty is at most what
    /// it paid for that stream part in that epoch. A `sponsorshipId` of 0 names nobody, and that part is burned too.
    struct Harm {
        uint64 sponsorshipId;
        string streamId;
        uint32 partition;
    }

    /// @param reporter Who is owed the bounty.
    struct Offence {
        address reporter;
        uint64 operatorId;
        Kind kind;
        bool executed;
    }

    /// @notice Two receipts of one receiver for one relayer, epoch and sequence, with different credits.
    /// @param thenExecute Whether to execute at once, as in all proofs.
    function receiptEquivocation(
        uint64 epoch,
        address relayer,
        address receiver,
        uint32 sequence,
        bytes32[2] calldata creditsRoots,
        bytes32[2] calldata r,
        bytes32[2] calldata vs,
        bool thenExecute
    ) external;

    /// @notice Two receipts of one receiver for one relayer and epoch, the one with the higher sequence confirming
    /// less of a stream part than the other.
    /// @param creditA Leaf of the stream part in `earlier`, with its proof; likewise B in `later`.
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
    ) external;

    /// @notice Two delivery receipts of one receiver for one epoch, with different deliveries.
    function deliveryEquivocation(
        DeliveryReceipt calldata a,
        bytes calldata signatureA,
        DeliveryReceipt calldata b,
        bytes calldata signatureB,
        bool thenExecute
    ) external;

    /// @notice A receiver's credit for a stream part that exceeds its own delivery of it, in messages or bytes.
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
    ) external;

    /// @notice Two different volumes of one stream part and epoch under one BLS key, whether or not it is in force.
    /// @param a The key, and its signature of `volumeA`. The negated key with negated signatures is as good.
    /// @param signatureB Its signature of `volumeB`.
    function volumeEquivocation(
        Volume calldata volumeA,
        Volume calldata volumeB,
        Attestation calldata a,
        uint256[2] calldata signatureB,
        Harm calldata harm,
        bool thenExecute
    ) external;

    /// @notice Two different payouts of one epoch under one BLS key.
    function payoutEquivocation(
        Payout calldata payoutA,
        Payout calldata payoutB,
        Attestation calldata a,
        uint256[2] calldata signatureB,
        bool thenExecute
    ) external;

    /// @notice More than 2/3 of the stake attest that the operator does not serve a stream part it was assigned.
    /// @param certificate Over `Fault(epoch, checkpoint, streamPart, operatorId)`.
    function fault(
        uint64 epoch,
        bytes32 streamPart,
        uint64 operatorId,
        Certificate calldata certificate,
        Harm calldata harm,
        bool thenExecute
    ) external;

    /// @notice Takes the penalty of a proven offence and distributes it. Anyone may call it.
    function execute(bytes32 slot) external;

    // Slots: `keccak256(abi.encode(kind, ...))` of the function's arguments, with the first kind that shares the
    // slot.

    /// @notice The slot of what a receiver did to one relayer in one epoch: equivocation, regression and over-credit
    /// share it. One history is owed per epoch and relayer: breaking it is one offence however many receipts show it.
    function receiptSlot(uint64 epoch, address relayer, address receiver) external pure returns (bytes32);
    function deliverySlot(uint64 epoch, address receiver) external pure returns (bytes32);
    /// @notice Of an operator, whichever of its keys it used.
    function volumeSlot(uint64 epoch, bytes32 streamPart, uint64 operatorId) external pure returns (bytes32);
    function payoutSlot(uint64 epoch, uint64 operatorId) external pure returns (bytes32);
    function faultSlot(uint64 epoch, bytes32 streamPart, uint64 operatorId) external pure returns (bytes32);

    function offences(bytes32 slot) external view returns (Offence memory);
    function domainSeparator() external view returns (bytes32);
    function token() external view returns (address);
    function staking() external view returns (address);
    function sponsorships() external view returns (address);
    function settlement() external view returns (address);
    /// @notice Part of the operator's pool, unbonding included, that an offence costs.
    function slashBps() external view returns (uint16);
    /// @notice The same for a fault, which is a matter of opinion.
    function faultBps() external view returns (uint16);
    /// @notice Part of a penalty that the reporter gets.
    function bountyBps() external view returns (uint16);
    /// @notice Part of a penalty that the harmed stream's sponsorship gets, at most.
    function returnBps() external view returns (uint16);
    /// @notice How many epochs after its own a statement or receipt can still be used as evidence.
    function evidenceEpochs() external view returns (uint64);
}
