// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Timeline} from "./Timeline.sol";
import {ISponsorships} from "./interfaces/ISponsorships.sol";
import {Epochs} from "./libraries/Epochs.sol";
import {Merkle} from "./libraries/Merkle.sol";
import {Schedule} from "./libraries/Schedule.sol";
import {Segments} from "./libraries/Segments.sol";
import {Tokens} from "./libraries/Tokens.sol";

/// @title Sponsors' funds, made payable epoch by epoch, with what was not earned returned to where it came from.
/// @notice The balance is at least, and but for tokens sent without a call exactly,
///     the sum of all spares
///     + scheduled from `nextEpoch` on
///     + lapsed - recovered
///     + settled - refunded - released.
contract Sponsorships is Timeline {
    using SafeERC20 for IERC20;
    using Schedule for mapping(uint64 epoch => int256);
    using Segments for Segments.State;

    uint256 private constant STREAM_ID_LIMIT = 256;
    uint32 private constant PARTITION_LIMIT = 100;
    uint8 private constant REDUNDANCY_LIMIT = 64;
    uint16 private constant BPS = 10_000;
    /// @dev How far ahead a sponsorship may begin or end, so that epochs fit their fields.
    uint64 private constant EPOCHS_LIMIT = 1 << 32;
    uint256 private constant SUPPLY_LIMIT = 1 << 93;

    /// @dev `streamHash` is the low bits of keccak256(streamId): enough to recognize a stream, as a string that
    /// resembles another's would gain its finder part of one penalty.
    struct Record {
        address sponsor;
        uint80 streamHash;
        uint8 partitions;
        uint128 refunded;
        uint128 spare;
        Segments.State segments;
        uint64 recoveredBefore;
    }

    address public immutable token;
    address public immutable slashing;

    mapping(uint64 sponsorshipId => Record) private _records;

    constructor(
        address token_,
        address settlement_,
        address slashing_,
        uint64 genesis_,
        uint64 epochLength_,
        uint64 lapseEpochs_
    ) Epochs(genesis_, epochLength_) Timeline(settlement_, lapseEpochs_) {
        bool sane = token_ != address(0) && slashing_ != address(0);
        if (!sane || IERC20(token_).totalSupply() > SUPPLY_LIMIT) revert InvalidParameters();
        token = token_;
        slashing = slashing_;
    }

    // ---- sponsors

    /// @inheritdoc ISponsorships
    function create(
        string calldata streamId,
        uint32 partitions,
        uint128 ratePerEpoch,
        uint64 startEpoch,
        uint64 epochs,
        uint8 redundancy,
        uint16 subscriberShareBps
    ) external returns (uint64 sponsorshipId) {
        uint256 idLength = bytes(streamId).length;
        if (idLength == 0 || idLength > STREAM_ID_LIMIT) revert InvalidStreamId(idLength);
        if (partitions == 0 || partitions > PARTITION_LIMIT) revert InvalidPartitions(partitions);
        if (redundancy == 0 || redundancy > REDUNDANCY_LIMIT) revert InvalidRedundancy(redundancy);
        if (subscriberShareBps > BPS) revert InvalidShare(subscriberShareBps);
        if (ratePerEpoch == 0 || epochs == 0) revert ZeroAmount();
        uint64 earliest = currentEpoch() + LEAD;
        if (startEpoch == 0) startEpoch = earliest;
        if (startEpoch < earliest) revert StartTooEarly(startEpoch, earliest);
        uint64 toEpoch = _bounded(startEpoch, epochs, earliest);

        sponsorshipId = ++_counts.sponsorships;
        Record storage record = _records[sponsorshipId];
        record.sponsor = msg.sender;
        record.streamHash = _hash(streamId);
        record.partitions = uint8(partitions);
        record.segments.latest = Segments.Latest(uint40(startEpoch), uint40(toEpoch), ratePerEpoch, 0, false);
        _changes.add(startEpoch, toEpoch, ratePerEpoch);

        emit SponsorshipCreated(sponsorshipId, msg.sender, streamId, partitions, redundancy, subscriberShareBps);
        emit Scheduled(sponsorshipId, startEpoch, toEpoch, ratePerEpoch);
        Tokens.pullExact(token, msg.sender, uint256(ratePerEpoch) * epochs);
    }

    /// @inheritdoc ISponsorships
    function topUp(uint64 sponsorshipId, uint128 amount) external {
        _topUp(sponsorshipId, msg.sender, amount);
        Tokens.pullExact(token, msg.sender, amount);
    }

    /// @inheritdoc ISponsorships
    function onTokenTransfer(address from, uint256 amount, bytes calldata data) external {
        if (msg.sender != token) revert NotToken(msg.sender);
        _topUp(abi.decode(data, (uint64)), from, SafeCast.toUint128(amount));
    }

    /// @inheritdoc ISponsorships
    function extend(uint64 sponsorshipId) external {
        Segments.Latest memory latest = _running(sponsorshipId);
        uint128 funds = _records[sponsorshipId].spare;
        if (funds < latest.rate) revert LessThanOneEpoch(funds, latest.rate);
        _extend(sponsorshipId, latest, funds);
    }

    /// @inheritdoc ISponsorships
    function setRate(uint64 sponsorshipId, uint128 ratePerEpoch) external {
        if (ratePerEpoch == 0) revert ZeroAmount();
        Segments.Latest memory latest = _own(sponsorshipId);
        Record storage record = _records[sponsorshipId];
        (uint64 fromEpoch, uint128 left) = _cut(latest);
        uint128 funds = record.spare + left;
        if (funds < ratePerEpoch) revert LessThanOneEpoch(funds, ratePerEpoch);
        uint64 toEpoch = _bounded(fromEpoch, funds / ratePerEpoch, currentEpoch() + LEAD);

        if (fromEpoch > latest.from) record.segments.close(latest, fromEpoch);
        (latest.from, latest.to, latest.rate) = (uint40(fromEpoch), uint40(toEpoch), ratePerEpoch);
        record.segments.latest = latest;
        record.spare = funds % ratePerEpoch;
        _changes.add(fromEpoch, toEpoch, ratePerEpoch);

        emit Scheduled(sponsorshipId, fromEpoch, toEpoch, ratePerEpoch);
    }

    /// @inheritdoc ISponsorships
    function stop(uint64 sponsorshipId) external returns (uint128 amount) {
        Segments.Latest memory latest = _own(sponsorshipId);
        Record storage record = _records[sponsorshipId];
        (uint64 fromEpoch, uint128 left) = _cut(latest);
        amount = record.spare + left;

        if (left != 0) latest.to = uint40(fromEpoch);
        latest.stopped = true;
        record.segments.latest = latest;
        record.spare = 0;

        if (left != 0) emit Scheduled(sponsorshipId, fromEpoch, fromEpoch, 0);
        emit Stopped(sponsorshipId);
        _pay(sponsorshipId, msg.sender, amount);
    }

    /// @inheritdoc ISponsorships
    function reclaim(uint64 sponsorshipId) external returns (uint128 amount) {
        Record storage record = _known(sponsorshipId);
        if (!record.segments.latest.stopped) revert NotStopped(sponsorshipId);
        amount = record.spare;
        if (amount == 0) revert NothingToReclaim(sponsorshipId);

        record.spare = 0;

        _pay(sponsorshipId, record.sponsor, amount);
    }

    // ---- what comes back

    /// @inheritdoc ISponsorships
    function recover(uint64 sponsorshipId) external returns (uint128 amount) {
        Record storage record = _known(sponsorshipId);
        uint64 from = record.recoveredBefore;
        uint64 first = record.segments.first();
        if (from < first) from = first;
        uint64 lapseId = _lapseEndingAfter(from);
        if (lapseId == 0) revert NothingToRecover(sponsorshipId);
        Lapse memory lapse_ = _lapses[lapseId];
        if (from < lapse_.fromEpoch) from = lapse_.fromEpoch;
        uint64 reached;
        (amount, reached) = record.segments.sum(from, lapse_.toEpoch);

        record.recoveredBefore = reached;
        record.spare += amount;

        emit Recovered(sponsorshipId, lapseId, amount);
    }

    // ---- Settlement and Slashing

    /// @inheritdoc ISponsorships
    function credit(uint256[] calldata entries) external returns (uint256 due) {
        if (msg.sender != settlement) revert NotSettlement(msg.sender);
        uint64 last = _counts.sponsorships;
        for (uint256 i = 0; i < entries.length; ++i) {
            (, uint64 sponsorshipId, uint128 cumulative) = Merkle.unpack(entries[i]);
            if (sponsorshipId == 0 || sponsorshipId > last) revert UnknownSponsorship(sponsorshipId);
            Record storage record = _records[sponsorshipId];
            uint128 refunded = record.refunded;
            if (cumulative <= refunded) continue;
            uint128 amount = cumulative - refunded;
            due += amount;
            record.refunded = cumulative;
            record.spare += amount;
            emit Refunded(sponsorshipId, amount, cumulative);
        }
    }

    /// @inheritdoc ISponsorships
    function release(address to, uint256 amount) external {
        if (msg.sender != settlement) revert NotSettlement(msg.sender);
        emit Released(to, amount);
        IERC20(token).safeTransfer(to, amount);
    }

    /// @inheritdoc ISponsorships
    function restore(uint64 sponsorshipId, uint128 amount) external {
        if (msg.sender != slashing) revert NotSlashing(msg.sender);
        _known(sponsorshipId).spare += amount;
        emit Restored(sponsorshipId, amount);
    }

    // ---- views

    /// @inheritdoc ISponsorships
    function ratePerPartition(uint64 sponsorshipId, string calldata streamId, uint64 epoch)
        external
        view
        returns (uint128 rate, uint32 partitions)
    {
        Record storage record = _known(sponsorshipId);
        if (record.streamHash != _hash(streamId)) revert WrongStream(sponsorshipId);
        partitions = record.partitions;
        rate = record.segments.rateAt(epoch) / partitions;
    }

    /// @inheritdoc ISponsorships
    function sponsorships(uint64 sponsorshipId) external view returns (Sponsorship memory) {
        Record storage record = _records[sponsorshipId];
        Segments.Latest memory latest = record.segments.latest;
        return Sponsorship({
            sponsor: record.sponsor,
            partitions: record.partitions,
            stopped: latest.stopped,
            fromEpoch: latest.from,
            toEpoch: latest.to,
            ratePerEpoch: latest.rate,
            spare: record.spare,
            refunded: record.refunded
        });
    }

    /// @inheritdoc ISponsorships
    function sponsorshipCount() external view returns (uint64) {
        return _counts.sponsorships;
    }

    // ---- inside

    function _topUp(uint64 sponsorshipId, address from, uint128 amount) private {
        if (amount == 0) revert ZeroAmount();
        Segments.Latest memory latest = _running(sponsorshipId);
        emit ToppedUp(sponsorshipId, from, amount);
        _extend(sponsorshipId, latest, _records[sponsorshipId].spare + amount);
    }

    /// @dev Schedules further epochs for `funds`; what is less than an epoch's is the spare.
    function _extend(uint64 sponsorshipId, Segments.Latest memory latest, uint128 funds) private {
        Record storage record = _records[sponsorshipId];
        record.spare = funds % latest.rate;
        uint128 epochs = funds / latest.rate;
        if (epochs == 0) return;
        uint64 earliest = currentEpoch() + LEAD;
        uint64 fromEpoch = latest.to;
        if (fromEpoch < earliest) {
            record.segments.close(latest, fromEpoch);
            fromEpoch = earliest;
            latest.from = uint40(fromEpoch);
        }
        uint64 toEpoch = _bounded(fromEpoch, epochs, earliest);

        latest.to = uint40(toEpoch);
        record.segments.latest = latest;
        _changes.add(fromEpoch, toEpoch, latest.rate);

        emit Scheduled(sponsorshipId, fromEpoch, toEpoch, latest.rate);
    }

    /// @dev Takes off the schedule what can still be changed, and returns from where on, and its worth.
    function _cut(Segments.Latest memory latest) private returns (uint64 fromEpoch, uint128 left) {
        fromEpoch = currentEpoch() + LEAD;
        if (fromEpoch < latest.from) fromEpoch = latest.from;
        if (fromEpoch >= latest.to) return (fromEpoch, 0);
        left = latest.rate * (latest.to - fromEpoch);
        _changes.remove(fromEpoch, latest.to, latest.rate);
    }

    function _pay(uint64 sponsorshipId, address sponsor, uint128 amount) private {
        if (amount == 0) return;
        emit Reclaimed(sponsorshipId, sponsor, amount);
        IERC20(token).safeTransfer(sponsor, amount);
    }

    function _known(uint64 sponsorshipId) private view returns (Record storage record) {
        record = _records[sponsorshipId];
        if (record.sponsor == address(0)) revert UnknownSponsorship(sponsorshipId);
    }

    /// @dev Of a sponsorship that was not stopped. A rate of 0 is nobody's.
    function _running(uint64 sponsorshipId) private view returns (Segments.Latest memory latest) {
        latest = _records[sponsorshipId].segments.latest;
        if (latest.rate == 0) revert UnknownSponsorship(sponsorshipId);
        if (latest.stopped) revert AlreadyStopped(sponsorshipId);
    }

    function _own(uint64 sponsorshipId) private view returns (Segments.Latest memory) {
        if (_known(sponsorshipId).sponsor != msg.sender) revert NotSponsor(sponsorshipId, msg.sender);
        return _running(sponsorshipId);
    }

    function _bounded(uint64 fromEpoch, uint128 epochs, uint64 earliest) private pure returns (uint64) {
        uint256 toEpoch = uint256(fromEpoch) + epochs;
        uint64 limit = earliest + EPOCHS_LIMIT;
        if (toEpoch > limit) revert TooFar(toEpoch, limit);
        return uint64(toEpoch);
    }

    function _hash(string calldata streamId) private pure returns (uint80) {
        return uint80(uint256(keccak256(bytes(streamId))));
    }
}
