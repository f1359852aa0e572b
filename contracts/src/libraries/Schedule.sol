// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title The sum of what all sponsorships pay, epoch by epoch.
/// @notice A running sum at a cursor, and how the sum of rates changes at the start of each epoch: so an epoch costs
/// one storage read, however many sponsorships there are.
library Schedule {
    /// @dev `total` sums the epochs before `epoch`, the last of which pays `rate`. One slot: at most 2^93 wei exist,
    /// and every epoch's rate is backed by wei of its own.
    struct Cursor {
        uint32 epoch;
        uint96 rate;
        uint128 total;
    }

    /// @notice Pays `rate` more in the epochs from `from` to before `to`.
    function add(mapping(uint64 epoch => int256) storage changes, uint64 from, uint64 to, uint128 rate) internal {
        changes[from] += int256(uint256(rate));
        changes[to] -= int256(uint256(rate));
    }

    /// @notice Undoes `add`.
    function remove(mapping(uint64 epoch => int256) storage changes, uint64 from, uint64 to, uint128 rate) internal {
        changes[from] -= int256(uint256(rate));
        changes[to] += int256(uint256(rate));
    }

    /// @notice Moves the cursor in memory to `epoch`, in either direction.
    function walk(mapping(uint64 epoch => int256) storage changes, Cursor memory cursor, uint64 epoch) internal view {
        while (cursor.epoch < epoch) {
            cursor.rate = _changed(cursor.rate, changes[cursor.epoch]);
            cursor.total += cursor.rate;
            cursor.epoch += 1;
        }
        while (cursor.epoch > epoch) {
            cursor.epoch -= 1;
            cursor.total -= cursor.rate;
            cursor.rate = _changed(cursor.rate, -changes[cursor.epoch]);
        }
    }

    function _changed(uint96 rate, int256 change) private pure returns (uint96) {
        return SafeCast.toUint96(SafeCast.toUint256(int256(uint256(rate)) + change));
    }
}
