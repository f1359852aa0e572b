// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {Bn254} from "./libraries/Bn254.sol";
import {Epochs} from "./libraries/Epochs.sol";
import {Merkle} from "./libraries/Merkle.sol";
import {StakeHistory} from "./libraries/StakeHistory.sol";
import {Operators} from "./Operators.sol";

/// @title Stake of operators: staking, unbonding, payouts, slashing, and weights by epoch.
/// @notice Holds exactly the sum of every operator's stake and unbonding, or more if tokens were sent by mistake.
contract Staking is Operators {
    using SafeERC20 for IERC20;
    using StakeHistory for StakeHistory.State;

    /// @dev Where slashed tokens go: DATA cannot be burned by others, and address zero refuses transfers.
    address private constant BURNED = 0x000000000000000000000000000000000000dEaD;
    uint256 private constant BPS = 10_000;

    /// @dev One slot: a push writes both.
    struct Pool {
        uint128 stake;
        uint128 paid;
    }

    struct Unbonding {
        uint128 amount;
        uint64 releaseEpoch;
    }

    /// @notice Constructor arguments.
    struct Parameters {
        address token;
        address settlement;
        address slashing;
        uint64 genesis;
        uint64 epochLength;
        uint128 minStake;
        uint64 unbondingEpochs;
        uint16 bountyBps;
    }

    address public immutable token;
    address public immutable settlement;
    uint128 public immutable minStake;
    uint64 public immutable unbondingEpochs;
    uint16 public immutable bountyBps;

    mapping(uint64 operatorId => Pool) private _pools;
    mapping(uint64 operatorId => Unbonding) private _unbondings;
    StakeHistory.State private _history;

    constructor(Parameters memory p) Epochs(p.genesis, p.epochLength) Operators(p.slashing) {
        // A bounty of half or more would pay whoever slashes itself.
        bool sane = p.token != address(0) && p.settlement != address(0) && p.minStake != 0 && p.unbondingEpochs > LEAD
            && p.unbondingEpochs <= 1_000_000 && p.bountyBps < BPS / 2;
        if (!sane) revert InvalidParameters();
        token = p.token;
        settlement = p.settlement;
        minStake = p.minStake;
        unbondingEpochs = p.unbondingEpochs;
        bountyBps = p.bountyBps;
    }

    /// @inheritdoc IStaking
    function stake(uint64 operatorId, uint128 amount) external onlyOwner(operatorId) {
        if (amount == 0) revert ZeroAmount();
        _pools[operatorId].stake += amount;
        emit Staked(operatorId, msg.sender, amount);
        _announce(operatorId);
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @inheritdoc IStaking
    function requestUnstake(uint64 operatorId, uint128 amount) external onlyOwner(operatorId) {
        if (amount == 0) revert ZeroAmount();
        uint128 available = _pools[operatorId].stake;
        if (amount > available) revert InsufficientStake(available, amount);
        uint64 releaseEpoch = currentEpoch() + unbondingEpochs;

        _pools[operatorId].stake = available - amount;
        _unbondings[operatorId].amount += amount;
        _unbondings[operatorId].releaseEpoch = releaseEpoch;

        emit UnstakeRequested(operatorId, amount, releaseEpoch);
        _announce(operatorId);
    }

    /// @inheritdoc IStaking
    function withdraw(uint64 operatorId) external onlyOwner(operatorId) {
        Unbonding memory unbonding = _unbondings[operatorId];
        if (unbonding.amount == 0) revert NothingUnbonding(operatorId);
        uint64 epoch = currentEpoch();
        if (epoch < unbonding.releaseEpoch) revert StillUnbonding(unbonding.releaseEpoch, epoch);

        delete _unbondings[operatorId];

        emit Withdrawn(operatorId, msg.sender, unbonding.amount);
        IERC20(token).safeTransfer(msg.sender, unbonding.amount);
    }

    /// @inheritdoc IStaking
    function sync(uint64 operatorId) external {
        if (_identities[operatorId].owner == address(0)) revert UnknownOperator(operatorId);
        _announce(operatorId);
    }

    /// @inheritdoc IStaking
    function credit(uint256[] calldata entries) external returns (uint256 due) {
        if (msg.sender != settlement) revert NotSettlement(msg.sender);
        uint64 last = operatorCount;
        for (uint256 i = 0; i < entries.length; ++i) {
            (, uint64 operatorId, uint128 cumulative) = Merkle.unpack(entries[i]);
            if (operatorId == 0 || operatorId > last) revert UnknownOperator(operatorId);
            Pool memory pool = _pools[operatorId];
            if (cumulative <= pool.paid) continue;
            uint128 amount = cumulative - pool.paid;
            due += amount;
            _pools[operatorId] = Pool({stake: pool.stake + amount, paid: cumulative});
            emit Paid(operatorId, amount, cumulative);
        }
    }

    /// @inheritdoc IStaking
    function slash(uint64 operatorId, uint128 amount, address reporter) external returns (uint128 taken) {
        if (msg.sender != slashing) revert NotSlashing(msg.sender);
        uint128 staked = _pools[operatorId].stake;
        uint128 unbonding = _unbondings[operatorId].amount;
        uint128 fromStake = amount < staked ? amount : staked;
        uint128 rest = amount - fromStake;
        uint128 fromUnbonding = rest < unbonding ? rest : unbonding;
        taken = fromStake + fromUnbonding;
        uint128 bounty = _bountyDown(taken);

        _pools[operatorId].stake = staked - fromStake;
        _unbondings[operatorId].amount = unbonding - fromUnbonding;

        emit Slashed(operatorId, taken, bounty, reporter);
        _announce(operatorId);
        IERC20(token).safeTransfer(reporter, bounty);
        IERC20(token).safeTransfer(BURNED, taken - bounty);
    }

    /// @inheritdoc IStaking
    function operators(uint64 operatorId) external view returns (Operator memory) {
        Identity memory identity = _identities[operatorId];
        Pool memory pool = _pools[operatorId];
        Unbonding memory unbonding = _unbondings[operatorId];
        return Operator({
            owner: identity.owner,
            candidate: identity.candidate,
            stake: pool.stake,
            paid: pool.paid,
            unbonding: unbonding.amount,
            releaseEpoch: unbonding.releaseEpoch,
            nodes: identity.nodes,
            g1: identity.g1
        });
    }

    /// @inheritdoc IStaking
    function weightAt(uint64 operatorId, uint64 epoch) external view returns (uint128) {
        return _history.weightAt(operatorId, epoch);
    }

    /// @inheritdoc IStaking
    function setAt(uint64 epoch)
        external
        view
        returns (uint64 fromEpoch, uint128 totalStake, uint256[2] memory aggregate, uint32 count)
    {
        return _history.setAt(epoch);
    }

    /// @inheritdoc IStaking
    function signersAt(uint64 epoch, uint64[] calldata absentees)
        external
        view
        returns (uint64 fromEpoch, uint128 totalStake, uint128 signerStake, uint256[2] memory key)
    {
        (fromEpoch, totalStake, key,) = _history.setAt(epoch);
        if (fromEpoch == 0) revert NoCheckpoint(epoch);
        signerStake = totalStake;
        uint64 previous;
        for (uint256 i = 0; i < absentees.length; ++i) {
            uint64 operatorId = absentees[i];
            uint128 weight = _history.weightAt(operatorId, epoch);
            if (operatorId <= previous || weight == 0) revert InvalidAbsentee(operatorId);
            signerStake -= weight;
            key = Bn254.add(key, Bn254.negate(_identities[operatorId].g1));
            previous = operatorId;
        }
    }

    /// @dev Checkpoints the present stake as the weight from the first epoch it may still decide.
    function _announce(uint64 operatorId) private {
        uint128 staked = _pools[operatorId].stake;
        uint128 weight = staked < minStake ? 0 : staked;
        uint64 fromEpoch = currentEpoch() + LEAD;
        if (_history.setWeight(operatorId, _identities[operatorId].g1, fromEpoch, weight)) {
            emit WeightChanged(operatorId, fromEpoch, weight);
        }
    }

    function _bountyDown(uint128 amount) private view returns (uint128) {
        // At most half of a uint128.
        return uint128(uint256(amount) * bountyBps / BPS);
    }
}
