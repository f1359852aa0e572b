// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IEpochs} from "./IEpochs.sol";
import {Certificate} from "../libraries/Types.sol";

/// @title Payout roots under a certificate of the operators, and the payouts made from them.
/// @notice Anyone may post and push; nobody can post what 2/3 of the stake did not sign, or push more than was
/// posted. Amounts are cumulative since genesis, so a missed epoch is caught up by the next. Holds no tokens:
/// Sponsorships keeps them until they are pushed.
interface ISettlement is IEpochs {
    event Posted(uint64 indexed epoch, bytes32 indexed root, uint256 total, uint64[] absentees, address poster);
    event Pushed(bytes32 indexed root, bytes32 indexed leaf, uint256 amount);

    error InvalidParameters();
    error EpochNotClosed(uint64 epoch, uint64 currentEpoch);
    error EpochNotNewer(uint64 epoch, uint64 lastEpoch);
    error TotalMismatch(uint256 claimed, uint256 payable_);
    error QuorumMissed(uint128 signerStake, uint128 totalStake);
    error InvalidCertificate();
    error InvalidProof();
    error OverPaid(uint256 due, uint256 inFlight);

    /// @notice Accepts the payout root of a closed epoch newer than the last.
    /// @param root Root of the chunks of cumulative payouts through `epoch`.
    /// @param total Sum of them; it must equal what Sponsorships makes payable through `epoch`.
    /// @param certificate Over `Payout(epoch, checkpoint, root, total)`.
    function post(uint64 epoch, bytes32 root, uint256 total, Certificate calldata certificate) external;

    /// @notice Pays a chunk of the latest root: to each account its cumulative amount less what it was paid. A chunk
    /// pushed twice pays nothing the second time.
    function push(uint256[] calldata entries, bytes32[] calldata proof) external;

    /// @notice Checks a certificate over the statement with `structHash` by the operator set of `epoch`; reverts with
    /// the reason if it does not hold.
    function verify(uint64 epoch, bytes32 structHash, Certificate calldata certificate) external view;

    /// @notice Whether there was a first post. Until then `lastEpoch` is 0 and says nothing.
    function posted() external view returns (bool);
    function lastEpoch() external view returns (uint64);
    function root() external view returns (bytes32);
    /// @notice Cumulative total of the latest root.
    function total() external view returns (uint256);
    /// @notice Cumulative total of all pushes.
    function paid() external view returns (uint256);
    /// @notice Posted and not yet pushed.
    function inFlight() external view returns (uint256);
    /// @notice Part of a pot that goes to the attesters of the payout.
    function attesterBps() external view returns (uint16);
    /// @notice Part of the rest that goes to availability.
    function availabilityBps() external view returns (uint16);
    function staking() external view returns (address);
    function sponsorships() external view returns (address);
    function slashing() external view returns (address);
}
