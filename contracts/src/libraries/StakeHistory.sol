// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Bn254} from "./Bn254.sol";

/// @title Weights of operators, and of the set of them, by epoch.
/// @notice A point holds from its first epoch until the next point's. Operators with weight 0 are not in the set.
/// @dev The head of a point packs `fromEpoch << 192 | count << 128 | weight`; heads are ascending by epoch. Looking
/// an epoch up starts at the end, since what is asked for is nearly always recent.
library StakeHistory {
    struct State {
        mapping(uint64 operatorId => uint256[]) weights;
        uint256[] sets;
        mapping(uint64 fromEpoch => uint256[2]) aggregates;
    }

    /// @notice Makes `weight` the operator's weight from `fromEpoch` on, which is not before any point's.
    /// @return changed False if that was its latest weight already.
    function setWeight(State storage self, uint64 operatorId, uint256[2] memory key, uint64 fromEpoch, uint128 weight)
        internal
        returns (bool changed)
    {
        uint128 old = latest(self, operatorId);
        if (old == weight) return false;
        _put(self.weights[operatorId], fromEpoch, weight);

        uint256 head = self.sets.length == 0 ? 0 : self.sets[self.sets.length - 1];
        uint256[2] memory aggregate = self.aggregates[uint64(head >> 192)];
        uint256 count = uint32(head >> 128);
        if (old == 0) {
            aggregate = Bn254.add(aggregate, key);
            count += 1;
        } else if (weight == 0) {
            aggregate = Bn254.add(aggregate, Bn254.negate(key));
            count -= 1;
        }
        _put(self.sets, fromEpoch, (count << 128) | (uint128(head) - old + weight));
        self.aggregates[fromEpoch] = aggregate;
        return true;
    }

    /// @notice The operator's weight in the farthest epoch announced.
    function latest(State storage self, uint64 operatorId) internal view returns (uint128) {
        uint256[] storage points = self.weights[operatorId];
        return points.length == 0 ? 0 : uint128(points[points.length - 1]);
    }

    function weightAt(State storage self, uint64 operatorId, uint64 epoch) internal view returns (uint128) {
        return uint128(_at(self.weights[operatorId], epoch));
    }

    /// @notice All zero if no point is as early as `epoch`; `fromEpoch` is never 0 otherwise.
    function setAt(State storage self, uint64 epoch)
        internal
        view
        returns (uint64 fromEpoch, uint128 totalStake, uint256[2] memory aggregate, uint32 count)
    {
        uint256 head = _at(self.sets, epoch);
        fromEpoch = uint64(head >> 192);
        totalStake = uint128(head);
        count = uint32(head >> 128);
        aggregate = self.aggregates[fromEpoch];
    }

    function _put(uint256[] storage points, uint64 fromEpoch, uint256 value) private {
        uint256 length = points.length;
        uint256 head = (uint256(fromEpoch) << 192) | value;
        if (length != 0 && uint64(points[length - 1] >> 192) == fromEpoch) points[length - 1] = head;
        else points.push(head);
    }

    /// @dev The last head whose epoch is at most `epoch`, or 0. Gallops from the end, then bisects.
    function _at(uint256[] storage points, uint64 epoch) private view returns (uint256) {
        uint256 high = points.length; // all from here on are later than `epoch`
        uint256 low; // once found, not later than `epoch`
        uint256 found;
        for (uint256 step = 1; high != 0; step <<= 1) {
            low = high > step ? high - step : 0;
            uint256 head = points[low];
            if (uint64(head >> 192) <= epoch) {
                found = head;
                break;
            }
            high = low;
        }
        while (high > low + 1) {
            uint256 middle = (low + high) / 2;
            uint256 head = points[middle];
            if (uint64(head >> 192) <= epoch) (low, found) = (middle, head);
            else high = middle;
        }
        return found;
    }
}
