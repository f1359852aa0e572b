// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title The clock that the contracts share: `epoch = floor((now - genesis) / epochLength)`.
interface IEpochs {
    error InvalidClock(uint64 genesis, uint64 epochLength);

    /// @notice Start of epoch 0, seconds of Unix time.
    function genesis() external view returns (uint64);
    /// @notice Seconds of one epoch.
    function epochLength() external view returns (uint64);
    /// @notice The epoch of this block.
    function currentEpoch() external view returns (uint64);
}
