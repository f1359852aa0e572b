// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IEpochs} from "./IEpochs.sol";
import {BandwidthReceipt, Credit} from "../libraries/Types.sol";

/// @title Proofs that an operator contradicted itself under its own signature, and the price of it.
/// @notice Anyone may bring a proof and is paid a bounty, which is always less than what is burned. The contract is
/// also the verifying contract of Tatum's EIP-712 domain.
interface ISlashing is IEpochs {
    /// @param kind 1 = receipt equivocation, 2 = receipt regression.
    event OffenceProven(
        bytes32 indexed slot, uint64 indexed operatorId, address indexed reporter, uint8 kind, uint128 amount
    );

    error InvalidParameters();
    error NotAConflict();
    error NotSignedByReceiver(address signer, address receiver);
    error NotAnOperator(address receiver);
    error EvidenceTooOld(uint64 epoch, uint64 currentEpoch);
    error AlreadyPunished(bytes32 slot);
    error InvalidOpening();

    /// @notice Two receipts of one receiver for one relayer, epoch and sequence, with different credits.
    function receiptEquivocation(
        BandwidthReceipt calldata a,
        bytes calldata signatureA,
        BandwidthReceipt calldata b,
        bytes calldata signatureB
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
        bytes32[] calldata proofB
    ) external;

    /// @notice The key an offence of a receiver against its relayer is recorded under. One history is owed per epoch
    /// and relayer, so breaking it is one offence however many receipts show it.
    function slotOf(uint64 epoch, address relayer, address receiver) external pure returns (bytes32);

    function punished(bytes32 slot) external view returns (bool);
    function domainSeparator() external view returns (bytes32);
    function staking() external view returns (address);
    /// @notice Part of the operator's stake, unbonding included, that an offence costs.
    function slashBps() external view returns (uint16);
    /// @notice How many epochs after its own a receipt can still be used as evidence.
    function evidenceEpochs() external view returns (uint64);
}
