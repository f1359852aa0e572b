// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {IStreamRegistry} from "./interfaces/IStreamRegistry.sol";

/// @title Streams and their permissions. Only those with a stream's grant permission change who may do what.
contract StreamRegistry is IStreamRegistry {
    uint256 private constant ID_LIMIT = 256;
    uint256 private constant METADATA_LIMIT = 4096;
    address private constant PUBLIC = address(0);

    /// @dev `version` counts deletions: permissions are keyed by it, so a stream created anew has none of the old.
    struct Stream {
        bool exists;
        uint64 version;
        string metadata;
    }

    mapping(bytes32 idHash => Stream) private _streams;
    mapping(bytes32 key => Permission) private _permissions;

    modifier needs(string calldata streamId, PermissionType permission) {
        if (!hasPermission(streamId, msg.sender, permission)) revert NotPermitted(msg.sender, permission);
        _;
    }

    /// @inheritdoc IStreamRegistry
    function createStream(string calldata streamIdPath, string calldata metadataJsonString) external {
        bytes calldata path = bytes(streamIdPath);
        if (path.length < 2 || path[0] != "/") revert InvalidPath(streamIdPath);
        string memory streamId = string.concat(Strings.toHexString(msg.sender), streamIdPath);
        _bound(bytes(streamId).length, ID_LIMIT);
        _bound(bytes(metadataJsonString).length, METADATA_LIMIT);
        Stream storage stream = _streams[keccak256(bytes(streamId))];
        if (stream.exists) revert StreamExists(streamId);

        stream.exists = true;
        stream.metadata = metadataJsonString;

        emit StreamCreated(streamId, metadataJsonString);
        _set(streamId, msg.sender, Permission(true, true, type(uint256).max, type(uint256).max, true));
    }

    /// @inheritdoc IStreamRegistry
    function updateStreamMetadata(string calldata streamId, string calldata metadata)
        external
        needs(streamId, PermissionType.Edit)
    {
        _bound(bytes(metadata).length, METADATA_LIMIT);
        _stream(streamId).metadata = metadata;
        emit StreamUpdated(streamId, metadata);
    }

    /// @inheritdoc IStreamRegistry
    function deleteStream(string calldata streamId) external needs(streamId, PermissionType.Delete) {
        Stream storage stream = _stream(streamId);
        stream.exists = false;
        stream.version += 1;
        delete stream.metadata;
        emit StreamDeleted(streamId);
    }

    /// @inheritdoc IStreamRegistry
    function grantPermission(string calldata streamId, address user, PermissionType permissionType)
        external
        needs(streamId, PermissionType.Grant)
    {
        if (user == PUBLIC) revert ZeroUser();
        _change(streamId, user, permissionType, true);
    }

    /// @inheritdoc IStreamRegistry
    function revokePermission(string calldata streamId, address user, PermissionType permissionType) external {
        bool may = msg.sender == user || hasPermission(streamId, msg.sender, PermissionType.Grant);
        if (!may) revert NotPermitted(msg.sender, PermissionType.Grant);
        if (user == PUBLIC) revert ZeroUser();
        _change(streamId, user, permissionType, false);
    }

    /// @inheritdoc IStreamRegistry
    function grantPublicPermission(string calldata streamId, PermissionType permissionType)
        external
        needs(streamId, PermissionType.Grant)
    {
        _change(streamId, PUBLIC, permissionType, true);
    }

    /// @inheritdoc IStreamRegistry
    function revokePublicPermission(string calldata streamId, PermissionType permissionType)
        external
        needs(streamId, PermissionType.Grant)
    {
        _change(streamId, PUBLIC, permissionType, false);
    }

    /// @inheritdoc IStreamRegistry
    function setPermissionsForUser(
        string calldata streamId,
        address user,
        bool canEdit,
        bool deletePerm,
        uint256 publishExpiration,
        uint256 subscribeExpiration,
        bool canGrant
    ) external needs(streamId, PermissionType.Grant) {
        _set(streamId, user, Permission(canEdit, deletePerm, publishExpiration, subscribeExpiration, canGrant));
    }

    /// @inheritdoc IStreamRegistry
    function setPermissions(string calldata streamId, address[] calldata users, Permission[] calldata permissions)
        external
        needs(streamId, PermissionType.Grant)
    {
        if (users.length != permissions.length) revert LengthMismatch(users.length, permissions.length);
        for (uint256 i = 0; i < users.length; ++i) {
            _set(streamId, users[i], permissions[i]);
        }
    }

    /// @inheritdoc IStreamRegistry
    function exists(string calldata streamId) external view returns (bool) {
        return _streams[keccak256(bytes(streamId))].exists;
    }

    /// @inheritdoc IStreamRegistry
    function getStreamMetadata(string calldata streamId) external view returns (string memory) {
        return _stream(streamId).metadata;
    }

    /// @inheritdoc IStreamRegistry
    function hasPermission(string calldata streamId, address user, PermissionType permissionType)
        public
        view
        returns (bool)
    {
        return hasDirectPermission(streamId, user, permissionType) || hasPublicPermission(streamId, permissionType);
    }

    /// @inheritdoc IStreamRegistry
    function hasDirectPermission(string calldata streamId, address user, PermissionType permissionType)
        public
        view
        returns (bool)
    {
        _stream(streamId);
        Permission storage p = _permissions[_key(streamId, user)];
        if (permissionType == PermissionType.Edit) return p.canEdit;
        if (permissionType == PermissionType.Delete) return p.canDelete;
        if (permissionType == PermissionType.Grant) return p.canGrant;
        if (permissionType == PermissionType.Publish) return _holds(p.publishExpiration);
        return _holds(p.subscribeExpiration);
    }

    /// @inheritdoc IStreamRegistry
    function hasPublicPermission(string calldata streamId, PermissionType permissionType) public view returns (bool) {
        return hasDirectPermission(streamId, PUBLIC, permissionType);
    }

    /// @inheritdoc IStreamRegistry
    function getPermissionsForUser(string calldata streamId, address user)
        external
        view
        returns (Permission memory permission)
    {
        _stream(streamId);
        permission = _permissions[_key(streamId, user)];
        Permission storage open = _permissions[_key(streamId, PUBLIC)];
        if (open.publishExpiration > permission.publishExpiration) {
            permission.publishExpiration = open.publishExpiration;
        }
        if (open.subscribeExpiration > permission.subscribeExpiration) {
            permission.subscribeExpiration = open.subscribeExpiration;
        }
    }

    /// @inheritdoc IStreamRegistry
    function getDirectPermissionsForUser(string calldata streamId, address user)
        external
        view
        returns (Permission memory)
    {
        _stream(streamId);
        return _permissions[_key(streamId, user)];
    }

    function _stream(string calldata streamId) private view returns (Stream storage stream) {
        stream = _streams[keccak256(bytes(streamId))];
        if (!stream.exists) revert NoSuchStream(streamId);
    }

    function _key(string memory streamId, address user) private view returns (bytes32) {
        bytes32 idHash = keccak256(bytes(streamId));
        return keccak256(abi.encode(idHash, _streams[idHash].version, user));
    }

    function _holds(uint256 expiration) private view returns (bool) {
        return expiration != 0 && expiration >= block.timestamp;
    }

    function _change(string calldata streamId, address user, PermissionType permissionType, bool granted) private {
        _stream(streamId);
        uint256 expiration = granted ? type(uint256).max : 0;
        Permission memory p = _permissions[_key(streamId, user)];
        if (permissionType == PermissionType.Edit) p.canEdit = granted;
        else if (permissionType == PermissionType.Delete) p.canDelete = granted;
        else if (permissionType == PermissionType.Grant) p.canGrant = granted;
        else if (permissionType == PermissionType.Publish) p.publishExpiration = expiration;
        else p.subscribeExpiration = expiration;
        _set(streamId, user, p);
    }

    /// @dev The one place that writes permissions, so the one that guards what the public may be given.
    function _set(string memory streamId, address user, Permission memory p) private {
        if (user == PUBLIC && (p.canEdit || p.canDelete || p.canGrant)) revert OnlyPublishOrSubscribe();
        _permissions[_key(streamId, user)] = p;
        emit PermissionUpdated(
            streamId, user, p.canEdit, p.canDelete, p.publishExpiration, p.subscribeExpiration, p.canGrant
        );
    }

    function _bound(uint256 length, uint256 limit) private pure {
        if (length > limit) revert TooLong(length, limit);
    }
}
