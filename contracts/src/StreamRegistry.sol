// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStreamRegistry} from "./interfaces/IStreamRegistry.sol";
import {Hex} from "./libraries/Hex.sol";
import {StreamPermissions} from "./registry/StreamPermissions.sol";

/// @title Streams and their permissions. Only those with a stream's grant permission change who may do what.
/// @dev Streams and reads here; changes of permissions, and what is stored, in the contracts this one inherits.
contract StreamRegistry is StreamPermissions {
    uint256 private constant ID_LIMIT = 256;
    /// @dev Of an address as it begins an id.
    uint256 private constant OWNER_LENGTH = 42;
    uint256 private constant METADATA_LIMIT = 4096;
    /// @dev One bit per character: `-` to `9` (with `.`, `/` and the digits), `A-Z`, `_`, `a-z`.
    uint256 private constant PATH_CHARACTERS =
        (0x1fff << 0x2d) | (0x3ffffff << 0x41) | (1 << 0x5f) | (0x3ffffff << 0x61);

    /// @inheritdoc IStreamRegistry
    function createStream(string calldata streamIdPath, string calldata metadataJsonString) external {
        _create(streamIdPath, metadataJsonString);
    }

    /// @inheritdoc IStreamRegistry
    function createStreamWithPermissions(
        string calldata streamIdPath,
        string calldata metadataJsonString,
        address[] calldata users,
        Permission[] calldata permissions
    ) external {
        _assignEach(_create(streamIdPath, metadataJsonString), users, permissions);
    }

    /// @inheritdoc IStreamRegistry
    function createMultipleStreamsWithPermissions(
        string[] calldata streamIdPaths,
        string[] calldata metadataJsonStrings,
        address[][] calldata users,
        Permission[][] calldata permissions
    ) external {
        _match(streamIdPaths.length, metadataJsonStrings.length);
        _match(streamIdPaths.length, users.length);
        _match(streamIdPaths.length, permissions.length);
        for (uint256 i = 0; i < streamIdPaths.length; ++i) {
            _assignEach(_create(streamIdPaths[i], metadataJsonStrings[i]), users[i], permissions[i]);
        }
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
        delete stream.metadata;
        emit StreamDeleted(streamId);
    }

    /// @inheritdoc IStreamRegistry
    function exists(string calldata streamId) public view returns (bool) {
        return _streams[keccak256(bytes(streamId))].exists;
    }

    /// @inheritdoc IStreamRegistry
    function getStreamMetadata(string calldata streamId) external view returns (string memory) {
        return _stream(streamId).metadata;
    }

    /// @inheritdoc IStreamRegistry
    function streamIdToMetadata(string calldata streamId) external view returns (string memory) {
        return _streams[keccak256(bytes(streamId))].metadata;
    }

    /// @inheritdoc IStreamRegistry
    function streamIdToVersion(string calldata streamId) public view returns (uint32) {
        return _streams[keccak256(bytes(streamId))].version;
    }

    /// @inheritdoc IStreamRegistry
    function hasPermission(string calldata streamId, address user, PermissionType permissionType)
        external
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
        return exists(streamId) && _holds(_of(streamId, _id(user)), permissionType);
    }

    /// @inheritdoc IStreamRegistry
    function hasPublicPermission(string calldata streamId, PermissionType permissionType) public view returns (bool) {
        return hasDirectPermission(streamId, address(0), permissionType);
    }

    /// @inheritdoc IStreamRegistry
    function getPermissionsForUser(string calldata streamId, address user) external view returns (Permission memory) {
        return _withPublic(streamId, _id(user));
    }

    /// @inheritdoc IStreamRegistry
    function getPermissionsForUserId(string calldata streamId, bytes calldata user)
        external
        view
        returns (Permission memory)
    {
        return _withPublic(streamId, user);
    }

    /// @inheritdoc IStreamRegistry
    function getDirectPermissionsForUser(string calldata streamId, address user)
        external
        view
        returns (Permission memory)
    {
        return _direct(streamId, _id(user));
    }

    /// @inheritdoc IStreamRegistry
    function getDirectPermissionsForUserId(string calldata streamId, bytes calldata user)
        external
        view
        returns (Permission memory)
    {
        return _direct(streamId, user);
    }

    /// @inheritdoc IStreamRegistry
    function streamIdToPermissions(string calldata streamId, bytes32 userKey)
        external
        view
        returns (
            bool canEdit,
            bool canDelete,
            uint256 publishExpiration,
            uint256 subscribeExpiration,
            bool canGrant
        )
    {
        Permission memory p = _read(_held[keccak256(bytes(streamId))][userKey]);
        return (p.canEdit, p.canDelete, p.publishExpiration, p.subscribeExpiration, p.canGrant);
    }

    /// @inheritdoc IStreamRegistry
    function streamIdToPublicPermissionUserKey(string calldata streamId) external view returns (bytes32) {
        return _key(streamIdToVersion(streamId), _public());
    }

    /// @inheritdoc IStreamRegistry
    function getAddressKey(string calldata streamId, address user) external view returns (bytes32) {
        return _key(streamIdToVersion(streamId), _id(user));
    }

    /// @inheritdoc IStreamRegistry
    function getUserKeyForUserId(string calldata streamId, bytes calldata user) external view returns (bytes32) {
        return _key(streamIdToVersion(streamId), user);
    }

    /// @inheritdoc IStreamRegistry
    function addressToString(address user) public pure returns (string memory) {
        return Hex.toString(user);
    }

    function _create(string calldata path, string calldata metadata) private returns (string memory streamId) {
        _bound(OWNER_LENGTH + bytes(path).length, ID_LIMIT);
        _bound(bytes(metadata).length, METADATA_LIMIT);
        _requirePath(path);
        streamId = string.concat(addressToString(msg.sender), path);
        Stream storage stream = _streams[keccak256(bytes(streamId))];
        if (stream.exists) revert StreamExists(streamId);

        stream.exists = true;
        stream.version += 1;
        stream.metadata = metadata;

        emit StreamCreated(streamId, metadata);
        _write(streamId, _id(msg.sender), Permission(true, true, MAX_INT, MAX_INT, true));
    }

    function _requirePath(string calldata path) private pure {
        bytes calldata characters = bytes(path);
        bool valid = characters.length > 1 && characters[0] == "/";
        for (uint256 i = 1; i < characters.length && valid; ++i) {
            valid = (PATH_CHARACTERS >> uint8(characters[i])) & 1 == 1;
        }
        if (!valid) revert InvalidPath(path);
    }

    function _direct(string memory streamId, bytes memory user) private view returns (Permission memory) {
        _stream(streamId);
        return _read(_of(streamId, user));
    }

    /// @dev The longer of the two expirations; the public has nothing else to add.
    function _withPublic(string memory streamId, bytes memory user) private view returns (Permission memory p) {
        p = _direct(streamId, user);
        Permission memory open = _direct(streamId, _public());
        if (open.publishExpiration > p.publishExpiration) p.publishExpiration = open.publishExpiration;
        if (open.subscribeExpiration > p.subscribeExpiration) p.subscribeExpiration = open.subscribeExpiration;
    }
}
