// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {Bls} from "./libraries/Bls.sol";
import {Eip712} from "./libraries/Eip712.sol";
import {Epochs} from "./libraries/Epochs.sol";

/// @title Who an operator is: its owner, its key, its nodes. The half of Staking that moves no money.
abstract contract Operators is IStaking, Epochs {
    /// @dev More nodes than anyone runs; keeps the sets that every node rebuilds from events small.
    uint32 private constant NODE_LIMIT = 64;

    struct Identity {
        address owner;
        uint32 nodes;
        address candidate;
        uint256[2] g1;
    }

    /// @dev A node's operator stays; `active` says whether it is one of its nodes at present.
    struct Binding {
        uint64 operatorId;
        bool active;
    }

    /// @inheritdoc IStaking
    address public immutable slashing;
    /// @inheritdoc IStaking
    uint64 public operatorCount;

    mapping(uint64 operatorId => Identity) internal _identities;
    mapping(address node => Binding) private _bindings;
    mapping(uint256 g1x => bool) private _keyUsed;

    constructor(address slashing_) {
        if (slashing_ == address(0)) revert InvalidParameters();
        slashing = slashing_;
    }

    modifier onlyOwner(uint64 operatorId) {
        if (_identities[operatorId].owner != msg.sender) revert NotOwner(operatorId, msg.sender);
        _;
    }

    /// @inheritdoc IStaking
    function register(uint256[2] calldata g1, uint256[4] calldata g2, uint256[2] calldata possession)
        external
        returns (uint64 operatorId)
    {
        // By x alone: the key and its negation are one secret.
        if (_keyUsed[g1[0]]) revert KeyTaken();
        bytes32 digest = Eip712.digest(slashing, Eip712.blsKey(msg.sender, g1, g2));
        if (!Bls.verify(digest, Bls.POSSESSION_TAG, g1, g2, possession)) revert InvalidPossession();

        operatorId = ++operatorCount;
        _keyUsed[g1[0]] = true;
        _identities[operatorId] = Identity({owner: msg.sender, nodes: 0, candidate: address(0), g1: g1});

        emit OperatorRegistered(operatorId, msg.sender, g1, g2);
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

        emit NodeAdded(operatorId, node, currentEpoch() + LEAD);
    }

    /// @inheritdoc IStaking
    function removeNode(uint64 operatorId, address node) external onlyOwner(operatorId) {
        Binding storage binding = _bindings[node];
        if (binding.operatorId != operatorId || !binding.active) revert NotActiveNode(node);

        _identities[operatorId].nodes -= 1;
        binding.active = false;

        emit NodeRemoved(operatorId, node, currentEpoch() + LEAD);
    }

    /// @inheritdoc IStaking
    function keyOf(uint64 operatorId) external view returns (uint256[2] memory) {
        return _identities[operatorId].g1;
    }

    /// @inheritdoc IStaking
    function operatorOf(address node) external view returns (uint64) {
        return _bindings[node].operatorId;
    }

    /// @inheritdoc IStaking
    function isActiveNode(address node) external view returns (bool) {
        return _bindings[node].active;
    }
}
