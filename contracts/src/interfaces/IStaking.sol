// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IEpochs} from "./IEpochs.sol";

/// @title Operators, their keys and nodes, and the stake that answers for them.
/// @notice Weights and the set's aggregate key are checkpointed per epoch: a change made during epoch `x` decides
/// epoch `x + 2`. Token assumptions: a plain ERC-20 that moves exactly the amount asked and calls nobody.
interface IStaking is IEpochs {
    event OperatorRegistered(uint64 indexed operatorId, address indexed owner, uint256[2] g1, uint256[4] g2);
    event OwnershipOffered(uint64 indexed operatorId, address indexed owner, address indexed candidate);
    event OwnershipTransferred(uint64 indexed operatorId, address indexed from, address indexed to);
    event NodeAdded(uint64 indexed operatorId, address indexed node, uint64 effectiveEpoch);
    event NodeRemoved(uint64 indexed operatorId, address indexed node, uint64 effectiveEpoch);
    /// @notice The operator's weight from `effectiveEpoch` on; replaces what was announced for that epoch before.
    event WeightChanged(uint64 indexed operatorId, uint64 indexed effectiveEpoch, uint128 weight);
    event Staked(uint64 indexed operatorId, address indexed from, uint128 amount);
    event UnstakeRequested(uint64 indexed operatorId, uint128 amount, uint64 releaseEpoch);
    event Withdrawn(uint64 indexed operatorId, address indexed to, uint128 amount);
    event Paid(uint64 indexed operatorId, uint128 amount, uint128 cumulative);
    /// @notice `amount` left the operator: `bounty` to the reporter, the rest burned.
    event Slashed(uint64 indexed operatorId, uint128 amount, uint128 bounty, address indexed reporter);

    error InvalidParameters();
    error NotOwner(uint64 operatorId, address caller);
    error NotCandidate(uint64 operatorId, address caller);
    error NotSettlement(address caller);
    error NotSlashing(address caller);
    error UnknownOperator(uint64 operatorId);
    error InvalidPossession();
    error KeyTaken();
    error InvalidConsent(address node, address signer);
    error NodeTaken(address node, uint64 operatorId);
    error NotActiveNode(address node);
    error TooManyNodes(uint64 operatorId);
    error ZeroAmount();
    error InsufficientStake(uint128 available, uint128 requested);
    error NothingUnbonding(uint64 operatorId);
    error StillUnbonding(uint64 releaseEpoch, uint64 epoch);
    error InvalidAbsentee(uint64 operatorId);
    error NoCheckpoint(uint64 epoch);

    struct Operator {
        address owner;
        address candidate;
        uint128 stake;
        uint128 paid;
        uint128 unbonding;
        uint64 releaseEpoch;
        uint32 nodes;
        uint256[2] g1;
    }

    /// @notice Registers the caller as the owner of a new operator without stake; ids count from 1.
    /// @param g1 The BLS key in G1. A key is used once, ever.
    /// @param g2 The same key in G2; that they are one key is checked.
    /// @param possession The key's signature of the digest of `BlsKey(owner, g1, g2)`.
    function register(uint256[2] calldata g1, uint256[4] calldata g2, uint256[2] calldata possession)
        external
        returns (uint64 operatorId);

    /// @notice Offers the operator to `candidate`, who has to accept; address zero withdraws the offer.
    function transferOwnership(uint64 operatorId, address candidate) external;

    function acceptOwnership(uint64 operatorId) external;

    /// @notice Binds `node` to the operator, for good, and makes it one of its nodes from epoch `now + 2` on.
    /// @param consent The node's signature of `NodeConsent(owner, node)`.
    function addNode(uint64 operatorId, address node, bytes calldata consent) external;

    /// @notice The node stops being one of the operator's from epoch `now + 2` on. It stays bound: what it signed
    /// can still be punished, and it can only be added to the same operator again.
    function removeNode(uint64 operatorId, address node) external;

    /// @notice Adds `amount` of the owner's tokens (approved before) to the operator's stake.
    function stake(uint64 operatorId, uint128 amount) external;

    /// @notice Moves `amount` from stake to unbonding for `unbondingEpochs`. It stays slashable until withdrawn. A
    /// further request restarts the wait of everything that is unbonding.
    function requestUnstake(uint64 operatorId, uint128 amount) external;

    /// @notice Pays everything that has finished unbonding to the owner.
    function withdraw(uint64 operatorId) external;

    /// @notice Announces the present stake, payouts included, as the operator's weight from epoch `now + 2` on.
    function sync(uint64 operatorId) external;

    /// @notice Adds to each operator what its cumulative payout exceeds what it was paid. Settlement only, which
    /// transfers the returned sum afterwards. Weights are left alone: see `sync`.
    /// @param entries Payout entries of kind 1 whose shape Settlement has checked.
    function credit(uint256[] calldata entries) external returns (uint256 due);

    /// @notice Takes up to `amount`, from stake first and then from unbonding. Slashing only.
    /// @return taken What was there to take.
    function slash(uint64 operatorId, uint128 amount, address reporter) external returns (uint128 taken);

    function operators(uint64 operatorId) external view returns (Operator memory);

    /// @notice The BLS key in G1.
    function keyOf(uint64 operatorId) external view returns (uint256[2] memory);

    /// @notice The operator a node is or was bound to; 0 if none.
    function operatorOf(address node) external view returns (uint64);

    function isActiveNode(address node) external view returns (bool);

    function operatorCount() external view returns (uint64);

    /// @notice The operator's weight in `epoch`: its stake as announced, 0 below `minStake`.
    function weightAt(uint64 operatorId, uint64 epoch) external view returns (uint128);

    /// @notice The operator set in force in `epoch`: sum of weights and of G1 keys of the operators with weight.
    /// @param epoch Any epoch; one further away than the next may still change.
    /// @return fromEpoch The first epoch of this checkpoint (0 with all else 0 if there is none yet).
    function setAt(uint64 epoch)
        external
        view
        returns (uint64 fromEpoch, uint128 totalStake, uint256[2] memory aggregate, uint32 count);

    /// @notice The part of the set in `epoch` that remains without `absentees`.
    /// @param absentees Members of the set, strictly ascending.
    function signersAt(uint64 epoch, uint64[] calldata absentees)
        external
        view
        returns (uint64 fromEpoch, uint128 totalStake, uint128 signerStake, uint256[2] memory key);

    function token() external view returns (address);
    function settlement() external view returns (address);
    function slashing() external view returns (address);
    function minStake() external view returns (uint128);
    function unbondingEpochs() external view returns (uint64);
    function bountyBps() external view returns (uint16);
}
