// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IEpochs} from "../interfaces/IEpochs.sol";

/// @title The clock: `epoch = floor((now - genesis) / length)`, fixed at deployment.
/// @dev A base contract rather than a library because the two numbers are immutables of each contract that keeps
/// time; deployment verifies that all of them were given the same.
abstract contract Epochs is IEpochs {
    /// @dev A change made during epoch `x` decides epoch `x + LEAD` at the earliest, so that every node knows what
    /// decides an epoch one whole epoch before it begins.
    uint64 internal constant LEAD = 2;

    /// @inheritdoc IEpochs
    uint64 public immutable genesis;
    /// @inheritdoc IEpochs
    uint64 public immutable epochLength;

    constructor(uint64 genesis_, uint64 epochLength_) {
        // Shorter than 4 s the deadlines after a close fall below a second; longer than 30 days stake is stuck.
        bool sane = genesis_ <= block.timestamp && epochLength_ >= 4 && epochLength_ <= 30 days;
        if (!sane) revert InvalidClock(genesis_, epochLength_);
        genesis = genesis_;
        epochLength = epochLength_;
    }

    /// @inheritdoc IEpochs
    function currentEpoch() public view returns (uint64) {
        return (uint64(block.timestamp) - genesis) / epochLength;
    }
}
