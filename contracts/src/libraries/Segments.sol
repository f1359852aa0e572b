// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title What one sponsorship pays, epoch by epoch: its rate in consecutive segments of time.
/// @notice Only the latest segment can still change; the others are closed, ascending and apart or adjoining.
library Segments {
    /// @dev How many segments one sum looks at, so that many changes of the rate cannot make a sum impossible.
    uint256 internal constant SUM_LIMIT = 256;

    /// @dev `rate` is paid from epoch `from` to before `to`.
    struct Segment {
        uint40 from;
        uint40 to;
        uint128 rate;
    }

    /// @dev The latest segment, in one slot with what every change of it has to know.
    struct Latest {
        uint40 from;
        uint40 to;
        uint128 rate;
        uint32 closed;
        bool stopped;
    }

    struct State {
        Latest latest;
        mapping(uint256 index => Segment) closed;
    }

    /// @notice Closes the latest segment before `epoch`; the caller begins the next one there. `latest` is in memory.
    function close(State storage self, Latest memory latest, uint64 epoch) internal {
        uint40 to = epoch < latest.to ? uint40(epoch) : latest.to;
        self.closed[latest.closed] = Segment(latest.from, to, latest.rate);
        latest.closed += 1;
    }

    function first(State storage self) internal view returns (uint64 epoch) {
        Latest memory latest = self.latest;
        return latest.closed == 0 ? latest.from : self.closed[0].from;
    }

    function rateAt(State storage self, uint64 epoch) internal view returns (uint128) {
        Latest memory latest = self.latest;
        Segment memory segment = _at(self, latest, _endingAfter(self, latest, epoch));
        return segment.from <= epoch && epoch < segment.to ? segment.rate : 0;
    }

    /// @notice The sum of the epochs from `from` to before `to`, or only to before `reached` if the limit was.
    function sum(State storage self, uint64 from, uint64 to) internal view returns (uint128 amount, uint64 reached) {
        Latest memory latest = self.latest;
        uint256 begin = _endingAfter(self, latest, from);
        for (uint256 i = begin; i <= latest.closed; ++i) {
            Segment memory segment = _at(self, latest, i);
            if (segment.from >= to) break;
            if (i - begin == SUM_LIMIT) return (amount, segment.from);
            uint64 start = segment.from > from ? segment.from : from;
            uint64 end = segment.to < to ? segment.to : to;
            if (end > start) amount += segment.rate * (end - start);
        }
        return (amount, to);
    }

    /// @dev Bisects to the first segment that ends after `epoch`; the latest if none does.
    function _endingAfter(State storage self, Latest memory latest, uint64 epoch) private view returns (uint256) {
        uint256 high = latest.closed;
        if (latest.from <= epoch) return high;
        uint256 low;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (self.closed[middle].to > epoch) high = middle;
            else low = middle + 1;
        }
        return high;
    }

    function _at(State storage self, Latest memory latest, uint256 index) private view returns (Segment memory) {
        if (index != latest.closed) return self.closed[index];
        return Segment(latest.from, latest.to, latest.rate);
    }
}
