// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {Bls} from "./libraries/Bls.sol";
import {Eip712} from "./libraries/Eip712.sol";
import {Pools} from "./libraries/Pools.sol";
import {Checkpoints} from "./Checkpoints.sol";

/// @title Who an operator is: its owner, its keys, its nodes, its terms. The part of Staking that moves no money.
abstract contract Operators is Checkpoints {
    /// @dev More nodes than anyone runs; keeps the sets that every node rebuilds from events small.
    uint32 private constant NODE_LIMIT = 64;

    struct Identity {
        address owner;
        uint32 nodes;
        address candidate;
    }

    /// @dev A node's operator stays; `active` says whether it is one of its nodes at present.
    struct Binding {
        uint64 operatorId;
        bool active;
    }

    /// @inheritdoc IStaking
    address public immutable slashing;
    /// @inheritdoc IStaking
    uint64 public immutable unbondingEpochs;
    /// @inheritdoc IStaking
    uint64 public operatorCount;

    mapping(uint64 operatorId => Identity) private _identities;
    mapping(address node => Binding) private _bindings;
    /// @inheritdoc IStaking
    mapping(uint256 g1x => uint64) public operatorOfKey;

    constructor(address slashing_, uint64 unbondingEpochs_) {
        bool sane = slashing_ != address(0) && unbondingEpochs_ > LEAD && unbondingEpochs_ <= 1_000_000;
        if (!sane) revert InvalidParameters();
        slashing = slashing_;
        unbondingEpochs = unbondingEpochs_;
    }

    modifier onlyOwner(uint64 operatorId) {
        _requireOwner(operatorId, msg.sender);
        _;
    }

    /// @inheritdoc IStaking
    function register(
        uint256[2] calldata g1,
        uint256[4] calldata g2,
        uint256[2] calldata possession,
        uint16 commissionBps
    ) external returns (uint64 operatorId) {
        if (commissionBps > Pools.BPS) revert InvalidCommission(commissionBps);
        operatorId = ++operatorCount;
        _claimKey(operatorId, g1, g2, possession);

        _identities[operatorId].owner = msg.sender;
        _pools[operatorId].commissionBps = commissionBps;
        _firstKey(operatorId, g1);

        emit OperatorRegistered(operatorId, msg.sender, g1, g2, commissionBps);
    }

    /// @inheritdoc IStaking
    function rotateKey(
        uint64 operatorId,
        uint256[2] calldata g1,
        uint256[4] calldata g2,
        uint256[2] calldata possession
    ) external onlyOwner(operatorId) {
        _claimKey(operatorId, g1, g2, possession);

        _nextKey(operatorId, g1);

        emit KeyRotated(operatorId, g1, g2, _effectiveEpoch());
    }

    /// @inheritdoc IStaking
    function transferOwnership(uint64 operatorId, address candidate) external onlyOwner(operatorId) {
        _identities[operatorId].candidate = candidate;
        emit OwnershipOffered(operatorId, msg.sender, candidate);
    }

    /// @inheritdoc IStaking
    function acceptOwnership(uint64 operatorId) external {
        Identity storage identity = _identities[operatorId];
        // The candidate of nobody is address zero, which calls nothing.
        if (identity.candidate != msg.sender) revert NotCandidate(operatorId, msg.sender);
        address from = identity.owner;
        identity.owner = msg.sender;
        identity.candidate = address(0);
        emit OwnershipTransferred(operatorId, from, msg.sender);
    }

    /// @inheritdoc IStaking
    function addNode(uint64 operatorId, address node, bytes calldata consent) external onlyOwner(operatorId) {
        Binding memory binding = _bindings[node];
        bool free = binding.operatorId == 0 || (binding.operatorId == operatorId && !binding.active);
        if (!free) revert NodeTaken(node, binding.operatorId);
        Identity storage identity = _identities[operatorId];
        if (identity.nodes == NODE_LIMIT) revert TooManyNodes(operatorId);
        address signer = ECDSA.recover(Eip712.digest(slashing, Eip712.nodeConsent(msg.sender, node)), consent);
        if (signer != node) revert InvalidConsent(node, signer);

        identity.nodes += 1;
        _bindings[node] = Binding({operatorId: operatorId, active: true});

        emit NodeAdded(operatorId, node, _effectiveEpoch());
    }

    /// @inheritdoc IStaking
    function removeNode(uint64 operatorId, address node) external onlyOwner(operatorId) {
        Binding storage binding = _bindings[node];
        if (binding.operatorId != operatorId || !binding.active) revert NotActiveNode(node);

        _identities[operatorId].nodes -= 1;
        binding.active = false;

        emit NodeRemoved(operatorId, node, _effectiveEpoch());
    }

    /// @inheritdoc IStaking
    function announceCommission(uint64 operatorId, uint16 bps) external onlyOwner(operatorId) {
        if (bps > Pools.BPS) revert InvalidCommission(bps);
        // Whoever does not agree can be out by then.
        uint64 earliestEpoch = currentEpoch() + unbondingEpochs;

        _pools[operatorId].announcedBps = bps;
        _pools[operatorId].announcedEpoch = uint32(earliestEpoch);

        emit CommissionAnnounced(operatorId, bps, earliestEpoch);
    }

    /// @inheritdoc IStaking
    function operators(uint64 operatorId) external view returns (Operator memory) {
        Identity memory identity = _identities[operatorId];
        Pools.Pool storage pool = _pools[operatorId];
        return Operator({
            owner: identity.owner,
            candidate: identity.candidate,
            nodes: identity.nodes,
            commissionBps: pool.commissionBps,
            announcedBps: pool.announcedBps,
            announcedEpoch: pool.announcedEpoch,
            g1: _keys[operatorId]
        });
    }

    /// @inheritdoc IStaking
    function operatorOf(address node) external view returns (uint64) {
        return _bindings[node].operatorId;
    }

    /// @inheritdoc IStaking
    function isActiveNode(address node) external view returns (bool) {
        return _bindings[node].active;
    }

    function _requireOwner(uint64 operatorId, address caller) internal view {
        if (_identities[operatorId].owner != caller) revert NotOwner(operatorId, caller);
    }

    /// @dev Zero for an id that was not given out.
    function _ownerOf(uint64 operatorId) internal view returns (address) {
        return _identities[operatorId].owner;
    }

    /// @dev Binds a key that the sender has the secret of, and nobody used before, to the operator for ever.
    function _claimKey(
        uint64 operatorId,
        uint256[2] calldata g1,
        uint256[4] calldata g2,
        uint256[2] calldata possession
    ) private {
        // By x alone: the key and its negation are one secret.
        if (operatorOfKey[g1[0]] != 0) revert KeyTaken();
        bytes32 digest = Eip712.digest(slashing, Eip712.blsKey(msg.sender, g1, g2));
        if (!Bls.verify(digest, Bls.POSSESSION_TAG, g1, g2, possession)) revert InvalidPossession();
        operatorOfKey[g1[0]] = operatorId;
    }
}
