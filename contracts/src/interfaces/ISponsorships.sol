// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IEpochs} from "./IEpochs.sol";

/// @title Funds that pay for the delivery of streams, epoch by epoch.
/// @notice A sponsorship is fixed once created: top up, stop and changes of the rate do not exist yet. Token
/// assumptions: a plain ERC-20 that moves exactly the amount asked and calls nobody.
interface ISponsorships is IEpochs {
    event SponsorshipCreated(
        uint64 indexed sponsorshipId,
        address indexed sponsor,
        string streamId,
        uint32 partitions,
        uint128 ratePerEpoch,
        uint64 startEpoch,
        uint64 epochs,
        uint8 redundancy,
        uint16 subscriberShareBps
    );
    /// @notice What `settle` released to Settlement, and the cumulative total through `epoch`.
    event Settled(uint64 indexed epoch, uint256 amount, uint256 cumulative);
    event Refunded(uint64 indexed sponsorshipId, uint128 amount, uint128 cumulative);
    event Reclaimed(uint64 indexed sponsorshipId, address indexed sponsor, uint128 amount);

    error InvalidParameters();
    error InvalidStreamId(uint256 length);
    error InvalidPartitions(uint32 partitions);
    error InvalidRedundancy(uint8 redundancy);
    error InvalidShare(uint16 bps);
    error StartTooEarly(uint64 startEpoch, uint64 earliest);
    error ZeroAmount();
    error NotSettlement(address caller);
    error UnknownSponsorship(uint64 sponsorshipId);
    error EpochNotClosed(uint64 epoch, uint64 currentEpoch);
    error NothingToReclaim(uint64 sponsorshipId);

    struct Sponsorship {
        address sponsor;
        uint64 startEpoch;
        uint32 partitions;
        uint64 epochs;
        uint8 redundancy;
        uint16 subscriberShareBps;
        uint128 ratePerEpoch;
        uint128 refunded;
        uint128 reclaimed;
    }

    /// @notice Funds `ratePerEpoch * epochs` of the caller's tokens (approved before) for a stream; ids count from 1.
    /// @param streamId At most 256 bytes. Whether it exists is not asked: nobody delivers one that does not, and what
    /// is not earned comes back.
    /// @param partitions 1..100; each epoch's rate is divided equally over them.
    /// @param startEpoch At least two epochs ahead; 0 means the earliest.
    /// @param redundancy How many operators are to carry each partition, 1..64.
    /// @param subscriberShareBps Part of the budget for work that subscribers' receipts decide.
    function create(
        string calldata streamId,
        uint32 partitions,
        uint128 ratePerEpoch,
        uint64 startEpoch,
        uint64 epochs,
        uint8 redundancy,
        uint16 subscriberShareBps
    ) external returns (uint64 sponsorshipId);

    /// @notice Moves the running sum ahead to a closed epoch, for when more epochs passed than one `settle` can walk.
    function advance(uint64 toEpoch) external;

    /// @notice Transfers to Settlement what was scheduled through `epoch` and not settled yet. Settlement only.
    /// @return cumulative Scheduled since genesis through `epoch`.
    function settle(uint64 epoch) external returns (uint256 cumulative);

    /// @notice Makes reclaimable what each sponsorship's cumulative refund exceeds what it was refunded. Settlement
    /// only, which transfers the returned sum afterwards.
    /// @param entries Payout entries of kind 2 whose shape Settlement has checked.
    function credit(uint256[] calldata entries) external returns (uint256 due);

    /// @notice Pays the sponsor what was refunded. Anyone may call it.
    function reclaim(uint64 sponsorshipId) external returns (uint128 amount);

    /// @notice Scheduled since genesis through `epoch`, over all sponsorships.
    function scheduledThrough(uint64 epoch) external view returns (uint256);

    function sponsorships(uint64 sponsorshipId) external view returns (Sponsorship memory);
    function sponsorshipCount() external view returns (uint64);
    /// @notice Cumulative amount released to Settlement.
    function settled() external view returns (uint256);
    function token() external view returns (address);
    function settlement() external view returns (address);
}
