// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Bn254} from "./Bn254.sol";

/// @title Weights and keys of operators, and of the set of them, by epoch.
/// @notice A point holds from its first epoch until the next point's. Operators with weight 0 are not in the set.
/// @dev Cold slots are what certificates pay for. So a point is one slot, the last of a line is found without knowing
/// how many there are, and keys are kept as commitments: who asks brings the keys along.
/// An operator's point packs `fromEpoch << 224 | weight << 180 | hash of its key`, the weight in UNITs.
/// The set's point packs `fromEpoch << 224 | keyEpoch << 192 | count << 160 | earlier << 128 | total`, `total` in wei.
/// Epochs of 4 seconds reach 2^32 in 544 years.
/// Why 180 bits of a hash: who finds two keys with one hash can register the first and be absent under the second,
/// chosen so that taking it away cancels the other members' keys, and then signs alone for all. That takes 2^90 point
/// additions, about as much as breaking BN254, against a sum of the others' keys that changes with the set.
library StakeHistory {
    uint256 internal constant UNIT = 1e15;
    uint256 internal constant MAX_UNITS = (1 << 44) - 1;

    uint256 private constant HASH_MASK = (1 << 180) - 1;

    /// @dev `past` holds all points but the last, ascending.
    struct Line {
        uint256 last;
        mapping(uint256 index => uint256 point) past;
    }

    /// @param keyHashes Commitments to the sum of the members' keys, by the first epoch of that sum (`keyEpoch`).
    /// @param aggregate The latest sum of the members' keys.
    struct State {
        mapping(uint64 operatorId => Line) operators;
        Line set;
        mapping(uint256 keyEpoch => bytes32) keyHashes;
        uint256[2] aggregate;
    }

    /// @dev A point of the set, unpacked. `earlier` counts the points before it.
    struct Members {
        uint256 fromEpoch;
        uint256 keyEpoch;
        uint256 count;
        uint256 earlier;
        uint256 total;
    }

    /// @notice Begins an operator's line: one point, no weight, this key.
    function begin(State storage self, uint64 operatorId, uint256[2] memory key) internal {
        self.operators[operatorId].last = _hash(key);
    }

    /// @notice Makes `weight` (in UNITs, not the latest) the operator's from `fromEpoch` on, which is not before any
    /// point's.
    /// @param points How many points the operator's line has; the caller has a slot with room for it.
    /// @param key The operator's latest key; read only if it joins or leaves the set.
    /// @return How many points its line has now.
    function setWeight(
        State storage self,
        uint64 operatorId,
        uint32 points,
        uint64 fromEpoch,
        uint256 weight,
        uint256[2] storage key
    ) internal returns (uint32) {
        Line storage line = self.operators[operatorId];
        uint256 last = line.last;
        uint256 old = _weight(last);
        Members memory set = _advance(self.set, fromEpoch);
        set.total = set.total + weight * UNIT - old * UNIT;
        if (old == 0) {
            set.count += 1;
            set.keyEpoch = fromEpoch;
            _commit(self, fromEpoch, Bn254.add(self.aggregate, key));
        } else if (weight == 0) {
            set.count -= 1;
            set.keyEpoch = fromEpoch;
            _commit(self, fromEpoch, Bn254.add(self.aggregate, Bn254.negate(key)));
        }
        self.set.last = _pack(set);
        return _put(line, last, points, (uint256(fromEpoch) << 224) | (weight << 180) | (last & HASH_MASK));
    }

    /// @notice Makes `key` the operator's from `fromEpoch` on, in place of `old`, its latest.
    /// @return How many points its line has now.
    function setKey(
        State storage self,
        uint64 operatorId,
        uint32 points,
        uint64 fromEpoch,
        uint256[2] memory old,
        uint256[2] memory key
    ) internal returns (uint32) {
        Line storage line = self.operators[operatorId];
        uint256 last = line.last;
        uint256 weight = _weight(last);
        if (weight != 0) {
            Members memory set = _advance(self.set, fromEpoch);
            set.keyEpoch = fromEpoch;
            _commit(self, fromEpoch, Bn254.add(Bn254.add(self.aggregate, Bn254.negate(old)), key));
            self.set.last = _pack(set);
        }
        return _put(line, last, points, (uint256(fromEpoch) << 224) | (weight << 180) | _hash(key));
    }

    /// @notice The operator's last point, which may be for an epoch to come.
    function latest(State storage self, uint64 operatorId) internal view returns (uint256) {
        return self.operators[operatorId].last;
    }

    /// @notice The operator's point that holds in `epoch`, earlier than its last; 0 if its line begins later.
    /// @param points How many points its line has.
    function before(State storage self, uint64 operatorId, uint32 points, uint64 epoch)
        internal
        view
        returns (uint256)
    {
        return points == 0 ? 0 : _find(self.operators[operatorId].past, points - 1, epoch);
    }

    /// @notice The set's point that holds in `epoch`, and its key commitment; all zero if there is none so early.
    function setAt(State storage self, uint64 epoch) internal view returns (Members memory set, bytes32 keyHash) {
        uint256 point = self.set.last;
        if (epochOf(point) > epoch) point = _find(self.set.past, _unpack(point).earlier, epoch);
        set = _unpack(point);
        keyHash = self.keyHashes[set.keyEpoch];
    }

    function epochOf(uint256 point) internal pure returns (uint256) {
        return point >> 224;
    }

    /// @notice The weight in an operator's point, in wei.
    function weightOf(uint256 point) internal pure returns (uint128) {
        return uint128(_weight(point) * UNIT);
    }

    /// @notice Whether an operator's point has this key.
    function hasKey(uint256 point, uint256[2] memory key) internal pure returns (bool) {
        return point & HASH_MASK == _hash(key);
    }

    /// @notice `keccak256(x, y)`. Encoding an array copies it word by word, which each absentee would pay for.
    function commitment(uint256[2] memory key) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := keccak256(key, 0x40)
        }
    }

    /// @dev The set's last point made one of `fromEpoch`, its predecessor put into the past.
    function _advance(Line storage line, uint64 fromEpoch) private returns (Members memory set) {
        uint256 point = line.last;
        set = _unpack(point);
        if (set.fromEpoch == fromEpoch) return set;
        if (point != 0) line.past[set.earlier++] = point;
        set.fromEpoch = fromEpoch;
    }

    function _put(Line storage line, uint256 old, uint32 points, uint256 point) private returns (uint32) {
        line.last = point;
        // The point that a line begins with says nothing that its absence does not.
        if (epochOf(old) == epochOf(point) || epochOf(old) == 0) return points;
        line.past[points - 1] = old;
        return points + 1;
    }

    function _commit(State storage self, uint64 keyEpoch, uint256[2] memory aggregate) private {
        self.aggregate = aggregate;
        self.keyHashes[keyEpoch] = commitment(aggregate);
    }

    /// @dev The last of `length` points whose epoch is at most `epoch`, or 0. Gallops from the end, since what is
    /// asked for is nearly always recent, then bisects.
    function _find(mapping(uint256 => uint256) storage points, uint256 length, uint64 epoch)
        private
        view
        returns (uint256 found)
    {
        uint256 high = length; // all from here on are later than `epoch`
        uint256 low; // once found, not later than `epoch`
        for (uint256 step = 1; high != 0; step <<= 1) {
            low = high > step ? high - step : 0;
            uint256 point = points[low];
            if (epochOf(point) <= epoch) {
                found = point;
                break;
            }
            high = low;
        }
        while (high > low + 1) {
            uint256 middle = (low + high) / 2;
            uint256 point = points[middle];
            if (epochOf(point) <= epoch) (low, found) = (middle, point);
            else high = middle;
        }
    }

    function _weight(uint256 point) private pure returns (uint256) {
        return (point >> 180) & MAX_UNITS;
    }

    function _hash(uint256[2] memory key) private pure returns (uint256) {
        return uint256(commitment(key)) & HASH_MASK;
    }

    function _unpack(uint256 point) private pure returns (Members memory) {
        return Members({
            fromEpoch: point >> 224,
            keyEpoch: uint32(point >> 192),
            count: uint32(point >> 160),
            earlier: uint32(point >> 128),
            total: uint128(point)
        });
    }

    function _pack(Members memory set) private pure returns (uint256) {
        return (set.fromEpoch << 224) | (set.keyEpoch << 192) | (set.count << 160) | (set.earlier << 128) | set.total;
    }
}
