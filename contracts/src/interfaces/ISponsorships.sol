// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IEpochs} from "./IEpochs.sol";

/// @title Funds that pay for the delivery of streams, epoch by epoch.
/// @notice A sponsorship is scheduled at a rate up to an epoch; what it has beyond that (refunds, remainders) is its
/// `spare`, which anyone may turn into further epochs until the sponsor stops it. All tokens stay here until they are
/// pushed. Token assumptions. For safety: a transfer moves exactly the amount asked (a deposit that brings less is
/// refused), and there are never more than 2^93 wei. For liveness: transfers to sponsors do not revert.
interface ISponsorships is IEpochs {
    event SponsorshipCreated(
        uint64 indexed sponsorshipId,
        address indexed sponsor,
        string streamId,
        uint32 partitions,
        uint8 redundancy,
        uint16 subscriberShareBps
    );
    /// @notice From `fromEpoch` to before `toEpoch` the sponsorship pays `ratePerEpoch`, and nothing after. Replaces
    /// what was scheduled for `fromEpoch` and later, and leaves what was scheduled before it: further epochs at the
    /// same rate are announced from the previous `toEpoch` on.
    event Scheduled(uint64 indexed sponsorshipId, uint64 fromEpoch, uint64 toEpoch, uint128 ratePerEpoch);
    event ToppedUp(uint64 indexed sponsorshipId, address indexed from, uint128 amount);
    event Stopped(uint64 indexed sponsorshipId);
    /// @notice What `settle` made payable, and the cumulative sum of that through `epoch`.
    event Settled(uint64 indexed epoch, uint256 amount, uint256 cumulative);
    /// @notice The epochs from `fromEpoch` to before `toEpoch` were not certified in time. They pay nobody: `recover`.
    /// A lapse that continues the last one has its id.
    event Lapsed(uint64 indexed lapseId, uint64 fromEpoch, uint64 toEpoch, uint256 amount);
    event Refunded(uint64 indexed sponsorshipId, uint128 amount, uint128 cumulative);
    event Recovered(uint64 indexed sponsorshipId, uint64 indexed lapseId, uint128 amount);
    /// @notice Part of a slash, for the stream that was harmed.
    event Restored(uint64 indexed sponsorshipId, uint128 amount);
    event Reclaimed(uint64 indexed sponsorshipId, address indexed sponsor, uint128 amount);
    event Released(address indexed to, uint256 amount);

    error InvalidParameters();
    error InvalidStreamId(uint256 length);
    error InvalidPartitions(uint32 partitions);
    error InvalidRedundancy(uint8 redundancy);
    error InvalidShare(uint16 bps);
    error StartTooEarly(uint64 startEpoch, uint64 earliest);
    /// @notice What would be scheduled ends too far ahead.
    error TooFar(uint256 toEpoch, uint64 limit);
    error ZeroAmount();
    error NotSettlement(address caller);
    error NotSlashing(address caller);
    error NotToken(address caller);
    error NotSponsor(uint64 sponsorshipId, address caller);
    error UnknownSponsorship(uint64 sponsorshipId);
    error AlreadyStopped(uint64 sponsorshipId);
    error NotStopped(uint64 sponsorshipId);
    /// @notice The funds do not pay for one epoch at the rate.
    error LessThanOneEpoch(uint128 funds, uint128 ratePerEpoch);
    error EpochNotClosed(uint64 epoch, uint64 currentEpoch);
    /// @notice Everything before `nextEpoch` is settled or lapsed.
    error EpochAccounted(uint64 epoch, uint64 nextEpoch);
    /// @notice Too old to be settled: at most `lapseEpochs` may pass.
    error EpochLapsed(uint64 epoch, uint64 currentEpoch);
    error NothingLapsed();
    error NothingToReclaim(uint64 sponsorshipId);
    error NothingToRecover(uint64 sponsorshipId);
    error WrongStream(uint64 sponsorshipId);

    /// @notice As of now. `ratePerEpoch`, `fromEpoch` and `toEpoch` are the latest that was scheduled, `toEpoch`
    /// excluded; equal epochs mean that it was stopped before it began.
    struct Sponsorship {
        address sponsor;
        uint32 partitions;
        bool stopped;
        uint64 fromEpoch;
        uint64 toEpoch;
        uint128 ratePerEpoch;
        uint128 spare;
        uint128 refunded;
    }

    /// @notice Epochs that were not certified in time, `toEpoch` excluded. It moves on while nothing is settled.
    struct Lapse {
        uint64 fromEpoch;
        uint64 toEpoch;
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

    /// @notice Adds `amount` of the caller's tokens (approved before) and schedules as many further epochs as they
    /// and the spare pay for, which may be none. Anyone may; what they add is the sponsor's.
    function topUp(uint64 sponsorshipId, uint128 amount) external;

    /// @notice ERC-677: `transferAndCall` with `abi.encode(uint64 sponsorshipId)` tops up. Token only.
    function onTokenTransfer(address from, uint256 amount, bytes calldata data) external;

    /// @notice Schedules as many further epochs as the spare pays for: after the last one, or from `now + 2` if that
    /// is over. Anyone may call it.
    function extend(uint64 sponsorshipId) external;

    /// @notice Changes the rate from epoch `now + 2` on (or from `fromEpoch`, if later), for as many epochs as what is
    /// left pays for: what was scheduled from then on, and the spare. Sponsor only.
    function setRate(uint64 sponsorshipId, uint128 ratePerEpoch) external;

    /// @notice Ends the sponsorship before epoch `now + 2`, for good, and pays the sponsor what is left. Refunds that
    /// come later: `reclaim`. Sponsor only.
    function stop(uint64 sponsorshipId) external returns (uint128 amount);

    /// @notice Pays the sponsor of a stopped sponsorship its spare. Anyone may call it.
    function reclaim(uint64 sponsorshipId) external returns (uint128 amount);

    /// @notice Adds to the spare what the sponsorship had scheduled for the next lapse since it began that it has not
    /// recovered yet (or for the rest of it), which may be nothing. Anyone may call it.
    function recover(uint64 sponsorshipId) external returns (uint128 amount);

    /// @notice Gives up on epochs that can no longer be settled, about 2,000 of them at most: when nothing is posted
    /// any more, or before the first post after so long that `settle` could not walk all epochs. Anyone may call it.
    function lapse() external;

    /// @notice Makes payable what is scheduled for `epoch` and the unsettled epochs before it, `lapseEpochs` of them at
    /// most; the older ones lapse. Settlement only.
    /// @return cumulative Payable since genesis through `epoch`.
    function settle(uint64 epoch) external returns (uint256 cumulative);

    /// @notice Adds to each sponsorship's spare what its cumulative refund exceeds what it was refunded. Settlement only.
    /// @param entries Payout entries of kind 2 whose shape Settlement has checked.
    function credit(uint256[] calldata entries) external returns (uint256 due);

    /// @notice Transfers pushed payouts. Settlement only, which bounds them by what was settled.
    function release(address to, uint256 amount) external;

    /// @notice Adds to the spare what Slashing has just transferred. Slashing only.
    function restore(uint64 sponsorshipId, uint128 amount) external;

    // ---- views

    /// @notice Scheduled for one epoch, over all sponsorships.
    function scheduled(uint64 epoch) external view returns (uint256);

    /// @notice Scheduled since genesis through `epoch`, over all sponsorships, lapsed epochs included.
    function scheduledThrough(uint64 epoch) external view returns (uint256);

    /// @notice What `settle(epoch)` would return: the total a payout root of `epoch` must have. Reverts as it would.
    function payableThrough(uint64 epoch) external view returns (uint256);

    /// @notice What the sponsorship has scheduled per partition for `epoch`; reverts if it is not for this stream.
    function ratePerPartition(uint64 sponsorshipId, string calldata streamId, uint64 epoch)
        external
        view
        returns (uint128 rate, uint32 partitions);

    function sponsorships(uint64 sponsorshipId) external view returns (Sponsorship memory);
    function sponsorshipCount() external view returns (uint64);
    function lapses(uint64 lapseId) external view returns (Lapse memory);
    function lapseCount() external view returns (uint64);
    /// @notice The first epoch that is neither settled nor lapsed.
    function nextEpoch() external view returns (uint64);
    /// @notice Cumulative amount made payable.
    function settled() external view returns (uint256);
    /// @notice Cumulative amount lapsed. With `settled`, everything scheduled before `nextEpoch`.
    function lapsed() external view returns (uint256);
    function token() external view returns (address);
    function settlement() external view returns (address);
    function slashing() external view returns (address);
    function lapseEpochs() external view returns (uint64);
}
