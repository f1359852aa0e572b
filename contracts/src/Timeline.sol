// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ISponsorships} from "./interfaces/ISponsorships.sol";
import {Epochs} from "./libraries/Epochs.sol";
import {Schedule} from "./libraries/Schedule.sol";

/// @title What all sponsorships pay together, epoch by epoch, and how far of it is settled or has lapsed.
/// @dev Changes of what is scheduled reach no epoch before `currentEpoch + LEAD`, and the cursor stands at `nextEpoch`,
/// which is closed or the first that is open: so what the cursor has passed never changes.
abstract contract Timeline is ISponsorships, Epochs {
    using Schedule for mapping(uint64 epoch => int256);

    /// @dev One storage read per epoch: after any number of calls of `lapse`, a `settle` has at most twice as many
    /// epochs to walk as this, which fits a transaction.
    uint64 private constant LAPSE_LIMIT = 2048;

    struct Counts {
        uint64 sponsorships;
        uint64 lapses;
        uint128 lapsed;
    }

    address public immutable settlement;
    uint64 public immutable lapseEpochs;

    /// @dev Stands at `nextEpoch`; its total is what was settled, lapsed epochs not included.
    Schedule.Cursor private _cursor;
    Counts internal _counts;
    mapping(uint64 epoch => int256) internal _changes;
    mapping(uint64 lapseId => Lapse) internal _lapses;

    constructor(address settlement_, uint64 lapseEpochs_) {
        bool sane = settlement_ != address(0) && lapseEpochs_ >= 2 * LEAD && lapseEpochs_ <= LAPSE_LIMIT;
        if (!sane) revert InvalidParameters();
        settlement = settlement_;
        lapseEpochs = lapseEpochs_;
        // Nothing can be scheduled for the epochs before.
        _cursor.epoch = SafeCast.toUint32(currentEpoch());
    }

    /// @inheritdoc ISponsorships
    function settle(uint64 epoch) external returns (uint256 cumulative) {
        if (msg.sender != settlement) revert NotSettlement(msg.sender);
        Schedule.Cursor memory cursor = _cursor;
        uint64 first = _firstPayable(cursor, epoch);
        if (first > cursor.epoch) _lapse(cursor, first);
        uint256 before = cursor.total;
        _changes.walk(cursor, epoch + 1);
        cumulative = cursor.total;

        _cursor = cursor;

        emit Settled(epoch, cumulative - before, cumulative);
    }

    /// @inheritdoc ISponsorships
    function lapse() external {
        Schedule.Cursor memory cursor = _cursor;
        // A post for `e` pays the epochs from `e + 1 - lapseEpochs` on, and `e` is at least `now - lapseEpochs`.
        uint64 kept = 2 * lapseEpochs;
        uint64 toEpoch = currentEpoch() + 1;
        toEpoch = toEpoch > kept ? toEpoch - kept : 0;
        if (toEpoch <= cursor.epoch) revert NothingLapsed();
        if (toEpoch > cursor.epoch + LAPSE_LIMIT) toEpoch = cursor.epoch + LAPSE_LIMIT;

        _lapse(cursor, toEpoch);
        _cursor = cursor;
    }

    /// @inheritdoc ISponsorships
    function scheduled(uint64 epoch) external view returns (uint256) {
        return _after(epoch).rate;
    }

    /// @inheritdoc ISponsorships
    function scheduledThrough(uint64 epoch) external view returns (uint256) {
        return _after(epoch).total;
    }

    /// @inheritdoc ISponsorships
    function payableThrough(uint64 epoch) external view returns (uint256) {
        Schedule.Cursor memory cursor = _cursor;
        uint128 before = cursor.total;
        _changes.walk(cursor, _firstPayable(cursor, epoch));
        cursor.total = before;
        _changes.walk(cursor, epoch + 1);
        return cursor.total;
    }

    /// @inheritdoc ISponsorships
    function lapses(uint64 lapseId) external view returns (Lapse memory) {
        return _lapses[lapseId];
    }

    /// @inheritdoc ISponsorships
    function lapseCount() external view returns (uint64) {
        return _counts.lapses;
    }

    /// @inheritdoc ISponsorships
    function nextEpoch() external view returns (uint64) {
        return _cursor.epoch;
    }

    /// @inheritdoc ISponsorships
    function settled() external view returns (uint256) {
        return _cursor.total;
    }

    /// @inheritdoc ISponsorships
    function lapsed() external view returns (uint256) {
        return _counts.lapsed;
    }

    // ---- inside

    /// @dev The epochs up to `toEpoch` pay nobody; the sum of what is settled stays as it is.
    function _lapse(Schedule.Cursor memory cursor, uint64 toEpoch) private {
        uint64 fromEpoch = cursor.epoch;
        uint128 before = cursor.total;
        _changes.walk(cursor, toEpoch);
        uint128 amount = cursor.total - before;
        cursor.total = before;

        Counts memory counts = _counts;
        counts.lapsed += amount;
        // Calling `lapse` in every epoch must not make thousands of lapses to recover from.
        if (counts.lapses == 0 || _lapses[counts.lapses].toEpoch != fromEpoch) {
            counts.lapses += 1;
            _lapses[counts.lapses].fromEpoch = fromEpoch;
        }
        _lapses[counts.lapses].toEpoch = toEpoch;
        _counts = counts;

        emit Lapsed(counts.lapses, fromEpoch, toEpoch, amount);
    }

    /// @dev Bisects to the first lapse that ends after `epoch`; 0 if none does.
    function _lapseEndingAfter(uint64 epoch) internal view returns (uint64) {
        uint64 count = _counts.lapses;
        uint64 low = 1;
        uint64 high = count + 1;
        while (low < high) {
            uint64 middle = (low + high) / 2;
            if (_lapses[middle].toEpoch > epoch) high = middle;
            else low = middle + 1;
        }
        return low > count ? 0 : low;
    }

    /// @dev The first epoch that settling `epoch` makes payable.
    function _firstPayable(Schedule.Cursor memory cursor, uint64 epoch) private view returns (uint64) {
        uint64 current = currentEpoch();
        if (epoch >= current) revert EpochNotClosed(epoch, current);
        if (epoch < cursor.epoch) revert EpochAccounted(epoch, cursor.epoch);
        if (current - epoch > lapseEpochs) revert EpochLapsed(epoch, current);
        return epoch + 1 > cursor.epoch + lapseEpochs ? epoch + 1 - lapseEpochs : cursor.epoch;
    }

    /// @dev The cursor as it would stand after `epoch` if no epoch had lapsed.
    function _after(uint64 epoch) private view returns (Schedule.Cursor memory cursor) {
        cursor = _cursor;
        cursor.total += _counts.lapsed;
        _changes.walk(cursor, epoch + 1);
    }
}
