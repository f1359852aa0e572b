// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStreamRegistry} from "../interfaces/IStreamRegistry.sol";
import {PermissionBook} from "./PermissionBook.sol";

/// @title Changing permissions: of addresses, of the public, and of user ids.
abstract contract StreamPermissions is PermissionBook {
    /// @inheritdoc IStreamRegistry
    function grantPermission(string calldata streamId, address user, PermissionType permissionType) external {
        _grant(streamId, _id(user), permissionType);
    }

    /// @inheritdoc IStreamRegistry
    function grantPermissionForUserId(string calldata streamId, bytes calldata user, PermissionType permissionType)
        external
    {
        _grant(streamId, user, permissionType);
    }

    /// @inheritdoc IStreamRegistry
    function grantPublicPermission(string calldata streamId, PermissionType permissionType)
        external
        needs(streamId, PermissionType.Grant)
    {
        _change(streamId, _public(), permissionType, MAX_INT);
    }

    /// @inheritdoc IStreamRegistry
    function revokePermission(string calldata streamId, address user, PermissionType permissionType) external {
        _revoke(streamId, _id(user), permissionType);
    }

    /// @inheritdoc IStreamRegistry
    function revokePermissionForUserId(string calldata streamId, bytes calldata user, PermissionType permissionType)
        external
    {
        _revoke(streamId, user, permissionType);
    }

    /// @inheritdoc IStreamRegistry
    function revokePublicPermission(string calldata streamId, PermissionType permissionType)
        external
        needs(streamId, PermissionType.Grant)
    {
        _change(streamId, _public(), permissionType, 0);
    }

    /// @inheritdoc IStreamRegistry
    function revokeAllPermissionsForUser(string calldata streamId, address user) external {
        _revokeAll(streamId, _id(user));
    }

    /// @inheritdoc IStreamRegistry
    function revokeAllPermissionsForUserId(string calldata streamId, bytes calldata user) external {
        _revokeAll(streamId, user);
    }

    /// @inheritdoc IStreamRegistry
    function setExpirationTime(
        string calldata streamId,
        address user,
        PermissionType permissionType,
        uint256 expirationTime
    ) external {
        _expire(streamId, _id(user), permissionType, expirationTime);
    }

    /// @inheritdoc IStreamRegistry
    function setExpirationTimeForUserId(
        string calldata streamId,
        bytes calldata user,
        PermissionType permissionType,
        uint256 expirationTime
    ) external {
        _expire(streamId, user, permissionType, expirationTime);
    }

    /// @inheritdoc IStreamRegistry
    function setPublicPermission(string calldata streamId, uint256 publishExpiration, uint256 subscribeExpiration)
        external
    {
        _assign(streamId, _public(), Permission(false, false, publishExpiration, subscribeExpiration, false));
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
    ) external {
        Permission memory all = Permission(canEdit, deletePerm, publishExpiration, subscribeExpiration, canGrant);
        _assign(streamId, _id(user), all);
    }

    /// @inheritdoc IStreamRegistry
    function setPermissions(string calldata streamId, address[] calldata users, Permission[] calldata permissions)
        external
    {
        _assignEach(streamId, users, permissions);
    }

    /// @inheritdoc IStreamRegistry
    function setPermissionsForUserIds(
        string calldata streamId,
        bytes[] calldata users,
        Permission[] calldata permissions
    ) external {
        _assignEachId(streamId, users, permissions);
    }

    /// @inheritdoc IStreamRegistry
    function setPermissionsMultipleStreams(
        string[] calldata streamIds,
        address[][] calldata users,
        Permission[][] calldata permissions
    ) external {
        _match(streamIds.length, users.length);
        _match(streamIds.length, permissions.length);
        for (uint256 i = 0; i < streamIds.length; ++i) {
            _assignEach(streamIds[i], users[i], permissions[i]);
        }
    }

    /// @inheritdoc IStreamRegistry
    function setMultipleStreamPermissionsForUserIds(
        string[] calldata streamIds,
        bytes[][] calldata users,
        Permission[][] calldata permissions
    ) external {
        _match(streamIds.length, users.length);
        _match(streamIds.length, permissions.length);
        for (uint256 i = 0; i < streamIds.length; ++i) {
            _assignEachId(streamIds[i], users[i], permissions[i]);
        }
    }

    /// @inheritdoc IStreamRegistry
    function transferPermissionToUser(string calldata streamId, address recipient, PermissionType permissionType)
        external
        needs(streamId, PermissionType.Grant)
    {
        if (!_holds(_of(streamId, _id(msg.sender)), permissionType)) revert NotPermitted(msg.sender, permissionType);
        Permission memory own = _read(_of(streamId, _id(msg.sender)));
        uint256 expiration = MAX_INT;
        if (permissionType == PermissionType.Publish) expiration = own.publishExpiration;
        if (permissionType == PermissionType.Subscribe) expiration = own.subscribeExpiration;
        Permission memory moved;
        _put(moved, permissionType, expiration);
        _change(streamId, _id(msg.sender), permissionType, 0);
        _add(streamId, recipient, moved);
    }

    /// @inheritdoc IStreamRegistry
    function transferAllPermissionsToUser(string calldata streamId, address recipient)
        external
        needs(streamId, PermissionType.Grant)
    {
        Permission memory moved = _read(_of(streamId, _id(msg.sender)));
        Permission memory none;
        _write(streamId, _id(msg.sender), none);
        _add(streamId, recipient, moved);
    }

    function _grant(string memory streamId, bytes memory user, PermissionType permissionType)
        private
        needs(streamId, PermissionType.Grant)
    {
        if (_isPublic(user)) revert ZeroUser();
        _change(streamId, user, permissionType, MAX_INT);
    }

    function _revoke(string memory streamId, bytes memory user, PermissionType permissionType) private {
        _authorizeFor(streamId, user);
        if (_isPublic(user)) revert ZeroUser();
        _change(streamId, user, permissionType, 0);
    }

    function _revokeAll(string memory streamId, bytes memory user) private {
        _authorizeFor(streamId, user);
        Permission memory none;
        _write(streamId, user, none);
    }

    function _expire(string memory streamId, bytes memory user, PermissionType permissionType, uint256 expiration)
        private
        needs(streamId, PermissionType.Grant)
    {
        bool expires = permissionType == PermissionType.Publish || permissionType == PermissionType.Subscribe;
        if (!expires) revert OnlyPublishOrSubscribe();
        _change(streamId, user, permissionType, expiration);
    }

    /// @dev The one guarded way to replace a user's permissions: the single functions and the items of every batch.
    function _assign(string memory streamId, bytes memory user, Permission memory p)
        private
        needs(streamId, PermissionType.Grant)
    {
        _write(streamId, user, p);
    }

    function _assignEach(string memory streamId, address[] calldata users, Permission[] calldata permissions)
        internal
    {
        _match(users.length, permissions.length);
        for (uint256 i = 0; i < users.length; ++i) {
            _assign(streamId, _id(users[i]), permissions[i]);
        }
    }

    function _assignEachId(string memory streamId, bytes[] calldata users, Permission[] calldata permissions) private {
        _match(users.length, permissions.length);
        for (uint256 i = 0; i < users.length; ++i) {
            _assign(streamId, users[i], permissions[i]);
        }
    }

    function _match(uint256 expected, uint256 found) internal pure {
        if (expected != found) revert LengthMismatch(expected, found);
    }

    function _change(string memory streamId, bytes memory user, PermissionType permissionType, uint256 expiration)
        private
    {
        Permission memory p = _read(_of(streamId, user));
        _put(p, permissionType, expiration);
        _write(streamId, user, p);
    }

    /// @dev Adds `moved` to what `recipient` has. The sender's was written before, so handing over to oneself is safe.
    function _add(string memory streamId, address recipient, Permission memory moved) private {
        if (recipient == address(0)) revert ZeroUser();
        Permission memory p = _read(_of(streamId, _id(recipient)));
        p.canEdit = p.canEdit || moved.canEdit;
        p.canDelete = p.canDelete || moved.canDelete;
        p.canGrant = p.canGrant || moved.canGrant;
        if (moved.publishExpiration > p.publishExpiration) p.publishExpiration = moved.publishExpiration;
        if (moved.subscribeExpiration > p.subscribeExpiration) p.subscribeExpiration = moved.subscribeExpiration;
        _write(streamId, _id(recipient), p);
    }

    /// @dev For the permissions that do not expire any expiration but zero is a grant.
    function _put(Permission memory p, PermissionType permissionType, uint256 expiration) private pure {
        if (permissionType == PermissionType.Edit) p.canEdit = expiration != 0;
        else if (permissionType == PermissionType.Delete) p.canDelete = expiration != 0;
        else if (permissionType == PermissionType.Grant) p.canGrant = expiration != 0;
        else if (permissionType == PermissionType.Publish) p.publishExpiration = expiration;
        else p.subscribeExpiration = expiration;
    }
}
