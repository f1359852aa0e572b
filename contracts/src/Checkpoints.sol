// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStaking} from "./interfaces/IStaking.sol";
import {Bn254} from "./libraries/Bn254.sol";
import {Epochs} from "./libraries/Epochs.sol";
import {Pools} from "./libraries/Pools.sol";
import {StakeHistory} from "./libraries/StakeHistory.sol";

/// @title Weights and keys by epoch. The part of Staking that certificates are checked against.
abstract contract Checkpoints is IStaking, Epochs {
    using StakeHistory for StakeHistory.State;

    mapping(uint64 operatorId => Pools.Pool) internal _pools;
    /// @dev The latest key of each operator, in G1.
    mapping(uint64 operatorId => uint256[2]) internal _keys;
    StakeHistory.State private _history;

    /// @inheritdoc IStaking
    function weightAt(uint64 operatorId, uint64 epoch) external view returns (uint128) {
        return StakeHistory.weightOf(_pointAt(operatorId, epoch));
    }

    /// @inheritdoc IStaking
    function setAt(uint64 epoch)
        external
        view
        returns (uint64 fromEpoch, uint128 totalStake, bytes32 aggregateHash, uint32 count)
    {
        (StakeHistory.Members memory set, bytes32 keyHash) = _history.setAt(epoch);
        return (uint64(set.fromEpoch), uint128(set.total), keyHash, uint32(set.count));
    }

    /// @inheritdoc IStaking
    function signersAt(
        uint64 epoch,
        uint64[] calldata absentees,
        uint256[2][] calldata keys,
        uint256[2] calldata aggregate
    ) external view returns (uint64 fromEpoch, uint128 totalStake, uint128 signerStake, uint256[2] memory key) {
        (StakeHistory.Members memory set, bytes32 keyHash) = _history.setAt(epoch);
        if (set.fromEpoch == 0) revert NoCheckpoint(epoch);
        (fromEpoch, totalStake) = (uint64(set.fromEpoch), uint128(set.total));
        if (StakeHistory.commitment(aggregate) != keyHash) revert WrongAggregate(fromEpoch);
        if (absentees.length != keys.length) revert LengthMismatch(absentees.length, keys.length);
        signerStake = totalStake;
        key = aggregate;
        uint64 previous;
        for (uint256 i = 0; i < absentees.length; ++i) {
            uint64 operatorId = absentees[i];
            uint256 point = _pointAt(operatorId, epoch);
            uint128 weight = StakeHistory.weightOf(point);
            if (operatorId <= previous || weight == 0) revert InvalidAbsentee(operatorId);
            if (!StakeHistory.hasKey(point, keys[i])) revert WrongKey(operatorId);
            signerStake -= weight;
            Bn254.subtract(key, keys[i]);
            previous = operatorId;
        }
    }

    /// @inheritdoc IStaking
    function keyOf(uint64 operatorId) external view returns (uint256[2] memory) {
        return _keys[operatorId];
    }

    /// @dev The first epoch that a change made now may decide.
    function _effectiveEpoch() internal view returns (uint64) {
        return currentEpoch() + LEAD;
    }

    function _firstKey(uint64 operatorId, uint256[2] calldata key) internal {
        _keys[operatorId] = key;
        _pools[operatorId].points = 1;
        _history.begin(operatorId, key);
    }

    function _nextKey(uint64 operatorId, uint256[2] calldata key) internal {
        Pools.Pool storage pool = _pools[operatorId];
        pool.points = _history.setKey(operatorId, pool.points, _effectiveEpoch(), _keys[operatorId], key);
        _keys[operatorId] = key;
    }

    /// @dev Checkpoints a weight, given in StakeHistory's units, unless it is the operator's latest already.
    function _setWeight(uint64 operatorId, uint256 units) internal {
        uint128 weight = uint128(units * StakeHistory.UNIT);
        if (weight == StakeHistory.weightOf(_history.latest(operatorId))) return;
        Pools.Pool storage pool = _pools[operatorId];
        uint64 fromEpoch = _effectiveEpoch();
        pool.points = _history.setWeight(operatorId, pool.points, fromEpoch, units, _keys[operatorId]);
        emit WeightChanged(operatorId, fromEpoch, weight);
    }

    function _pointAt(uint64 operatorId, uint64 epoch) private view returns (uint256 point) {
        point = _history.latest(operatorId);
        // The length of the line costs another cold slot, so it is read only where needed.
        if (StakeHistory.epochOf(point) > epoch) point = _history.before(operatorId, _pools[operatorId].points, epoch);
    }
}
