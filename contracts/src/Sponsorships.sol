// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ISponsorships} from "./interfaces/ISponsorships.sol";
import {Epochs} from "./libraries/Epochs.sol";
import {Merkle} from "./libraries/Merkle.sol";

/// @title Sponsors' funds, released to Settlement epoch by epoch, and refunds of what was not earned.
/// @notice Holds the sum of what is scheduled and not settled, and of what was refunded and not reclaimed.
/// @dev A running sum at a cursor plus the change of the rate at each epoch give the sum at any epoch, walking from
/// the cursor in either direction; so advancing the cursor, which anyone may, never hides an epoch that is still to
/// be settled.
contract Sponsorships is ISponsorships, Epochs {
    using SafeERC20 for IERC20;

    uint256 private constant STREAM_ID_LIMIT = 256;
    uint32 private constant PARTITION_LIMIT = 100;
    uint8 private constant REDUNDANCY_LIMIT = 64;
    uint64 private constant EPOCHS_LIMIT = 1 << 32;
    uint16 private constant BPS = 10_000;

    /// @dev How the sum of rates changes at the start of an epoch.
    struct Change {
        uint128 up;
        uint128 down;
    }

    /// @dev `total` is the sum through `epoch`, whose rate is `rate`.
    struct Cursor {
        uint64 epoch;
        uint128 rate;
        uint256 total;
    }

    address public immutable token;
    address public immutable settlement;

    uint64 public sponsorshipCount;
    uint256 public settled;

    mapping(uint64 sponsorshipId => Sponsorship) private _sponsorships;
    mapping(uint64 epoch => Change) private _changes;
    Cursor private _cursor;

    constructor(address token_, address settlement_, uint64 genesis_, uint64 epochLength_)
        Epochs(genesis_, epochLength_)
    {
        if (token_ == address(0) || settlement_ == address(0)) revert InvalidParameters();
        token = token_;
        settlement = settlement_;
    }

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
        // Far bounds, so that no sum of epochs overflows.
        if (epochs > EPOCHS_LIMIT || startEpoch - earliest > EPOCHS_LIMIT) revert InvalidParameters();

        sponsorshipId = ++sponsorshipCount;
        _sponsorships[sponsorshipId] = Sponsorship({
            sponsor: msg.sender,
            startEpoch: startEpoch,
            partitions: partitions,
            epochs: epochs,
            redundancy: redundancy,
            subscriberShareBps: subscriberShareBps,
            ratePerEpoch: ratePerEpoch,
            refunded: 0,
            reclaimed: 0
        });
        _changes[startEpoch].up += ratePerEpoch;
        _changes[startEpoch + epochs].down += ratePerEpoch;

        emit SponsorshipCreated(
            sponsorshipId,
            msg.sender,
            streamId,
            partitions,
            ratePerEpoch,
            startEpoch,
            epochs,
            redundancy,
            subscriberShareBps
        );
        IERC20(token).safeTransferFrom(msg.sender, address(this), uint256(ratePerEpoch) * epochs);
    }

    /// @inheritdoc ISponsorships
    function advance(uint64 toEpoch) public {
        uint64 current = currentEpoch();
        if (toEpoch >= current) revert EpochNotClosed(toEpoch, current);
        Cursor memory cursor = _cursor;
        if (toEpoch <= cursor.epoch) return;
        _cursor = _walk(cursor, toEpoch);
    }

    /// @inheritdoc ISponsorships
    function settle(uint64 epoch) external returns (uint256 cumulative) {
        if (msg.sender != settlement) revert NotSettlement(msg.sender);
        advance(epoch);
        cumulative = scheduledThrough(epoch);
        // Settlement asks for later epochs only.
        uint256 amount = cumulative - settled;

        settled = cumulative;

        emit Settled(epoch, amount, cumulative);
        if (amount != 0) IERC20(token).safeTransfer(settlement, amount);
    }

    /// @inheritdoc ISponsorships
    function credit(uint256[] calldata entries) external returns (uint256 due) {
        if (msg.sender != settlement) revert NotSettlement(msg.sender);
        uint64 last = sponsorshipCount;
        for (uint256 i = 0; i < entries.length; ++i) {
            (, uint64 sponsorshipId, uint128 cumulative) = Merkle.unpack(entries[i]);
            if (sponsorshipId == 0 || sponsorshipId > last) revert UnknownSponsorship(sponsorshipId);
            uint128 refunded = _sponsorships[sponsorshipId].refunded;
            if (cumulative <= refunded) continue;
            uint128 amount = cumulative - refunded;
            due += amount;
            _sponsorships[sponsorshipId].refunded = cumulative;
            emit Refunded(sponsorshipId, amount, cumulative);
        }
    }

    /// @inheritdoc ISponsorships
    function reclaim(uint64 sponsorshipId) external returns (uint128 amount) {
        Sponsorship storage sponsorship = _sponsorships[sponsorshipId];
        amount = sponsorship.refunded - sponsorship.reclaimed;
        if (amount == 0) revert NothingToReclaim(sponsorshipId);
        address sponsor = sponsorship.sponsor;

        sponsorship.reclaimed = sponsorship.refunded;

        emit Reclaimed(sponsorshipId, sponsor, amount);
        IERC20(token).safeTransfer(sponsor, amount);
    }

    /// @inheritdoc ISponsorships
    function scheduledThrough(uint64 epoch) public view returns (uint256) {
        return _walk(_cursor, epoch).total;
    }

    /// @inheritdoc ISponsorships
    function sponsorships(uint64 sponsorshipId) external view returns (Sponsorship memory) {
        return _sponsorships[sponsorshipId];
    }

    /// @dev One storage read per epoch between the two.
    function _walk(Cursor memory cursor, uint64 epoch) private view returns (Cursor memory) {
        while (cursor.epoch < epoch) {
            cursor.epoch += 1;
            Change memory change = _changes[cursor.epoch];
            cursor.rate = cursor.rate + change.up - change.down;
            cursor.total += cursor.rate;
        }
        while (cursor.epoch > epoch) {
            Change memory change = _changes[cursor.epoch];
            cursor.total -= cursor.rate;
            cursor.rate = cursor.rate + change.down - change.up;
            cursor.epoch -= 1;
        }
        return cursor;
    }
}
