// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStreamRegistry} from "../interfaces/IStreamRegistry.sol";

/// @title What is stored of streams and permissions, who may change it, and the one place that writes permissions.
/// @dev A user is bytes all through: an address is the 20-byte case, so that both kinds of entry point end here.
abstract contract PermissionBook is IStreamRegistry {
    /// @inheritdoc IStreamRegistry
    uint256 public constant MAX_INT = type(uint256).max;
    uint256 private constant USER_ID_LIMIT = 256;

    /// @dev `version` counts creations and is part of every user key: a stream created anew has none of the old
    /// permissions.
    struct Stream {
        uint32 version;
        bool exists;
        string metadata;
    }

    /// @dev A Permission in one slot. The greatest expiration stands for MAX_INT.
    struct Held {
        uint64 publishExpiration;
        uint64 subscribeExpiration;
        bool canEdit;
        bool canDelete;
        bool canGrant;
    }

    mapping(bytes32 idHash => Stream) internal _streams;
    mapping(bytes32 idHash => mapping(bytes32 userKey => Held)) internal _held;

    modifier needs(string memory streamId, PermissionType permission) {
        _authorize(streamId, permission);
        _;
    }

    function _stream(string memory streamId) internal view returns (Stream storage stream) {
        stream = _streams[keccak256(bytes(streamId))];
        if (!stream.exists) revert NoSuchStream(streamId);
    }

    function _authorize(string memory streamId, PermissionType permission) internal view {
        _stream(streamId);
        if (!_holds(_of(streamId, _id(msg.sender)), permission)) revert NotPermitted(msg.sender, permission);
    }

    /// @dev The guard of revocations: everybody may give up what is their own.
    function _authorizeFor(string memory streamId, bytes memory user) internal view {
        if (keccak256(user) == keccak256(_id(msg.sender))) _stream(streamId);
        else _authorize(streamId, PermissionType.Grant);
    }

    function _id(address user) internal pure returns (bytes memory) {
        return abi.encodePacked(user);
    }

    /// @dev Of the public, as a user.
    function _public() internal pure returns (bytes memory) {
        return _id(address(0));
    }

    function _isPublic(bytes memory user) internal pure returns (bool) {
        return user.length == 20 && bytes20(user) == 0;
    }

    /// @dev Streamr's formula. The padding makes 20 bytes and an address the same user.
    function _key(uint32 version, bytes memory user) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint256(version), bytes12(0), user));
    }

    function _of(string memory streamId, bytes memory user) internal view returns (Held storage) {
        bytes32 idHash = keccak256(bytes(streamId));
        return _held[idHash][_key(_streams[idHash].version, user)];
    }

    function _holds(Held storage held, PermissionType permission) internal view returns (bool) {
        if (permission == PermissionType.Edit) return held.canEdit;
        if (permission == PermissionType.Delete) return held.canDelete;
        if (permission == PermissionType.Grant) return held.canGrant;
        if (permission == PermissionType.Publish) return held.publishExpiration >= block.timestamp;
        return held.subscribeExpiration >= block.timestamp;
    }

    function _read(Held storage held) internal view returns (Permission memory) {
        return Permission(
            held.canEdit,
            held.canDelete,
            _unpack(held.publishExpiration),
            _unpack(held.subscribeExpiration),
            held.canGrant
        );
    }

    /// @dev Does not ask who calls. What it emits is what reads will answer.
    function _write(string memory streamId, bytes memory user, Permission memory p) internal {
        if (user.length == 0) revert EmptyUserId();
        _bound(user.length, USER_ID_LIMIT);
        if (_isPublic(user) && (p.canEdit || p.canDelete || p.canGrant)) revert OnlyPublishOrSubscribe();

        Held memory held =
            Held(_pack(p.publishExpiration), _pack(p.subscribeExpiration), p.canEdit, p.canDelete, p.canGrant);
        Held storage slot = _of(streamId, user);
        (slot.publishExpiration, slot.subscribeExpiration) = (held.publishExpiration, held.subscribeExpiration);
        (slot.canEdit, slot.canDelete, slot.canGrant) = (held.canEdit, held.canDelete, held.canGrant);

        (uint256 publish, uint256 subscribe) = (_unpack(held.publishExpiration), _unpack(held.subscribeExpiration));
        if (user.length == 20) {
            address account = address(bytes20(user));
            emit PermissionUpdated(streamId, account, p.canEdit, p.canDelete, publish, subscribe, p.canGrant);
        } else {
            emit PermissionUpdatedForUserId(streamId, user, p.canEdit, p.canDelete, publish, subscribe, p.canGrant);
        }
    }

    function _bound(uint256 length, uint256 limit) internal pure {
        if (length > limit) revert TooLong(length, limit);
    }

    function _pack(uint256 expiration) private pure returns (uint64) {
        return expiration < type(uint64).max ? uint64(expiration) : type(uint64).max;
    }

    function _unpack(uint64 expiration) private pure returns (uint256) {
        return expiration < type(uint64).max ? expiration : MAX_INT;
    }
}
