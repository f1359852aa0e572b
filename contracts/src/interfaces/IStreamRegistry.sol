// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title Streams and who may do what with them, on the ABI of Streamr's deployed registry.
/// @notice A user is an address or, in the functions ending in UserId, 1 to 256 bytes, for users of other key types.
/// Twenty bytes are the address: the same permissions, and the same event. The public is address zero; its permissions
/// are everybody's, and are publish and subscribe only.
/// An expiration is the second of Unix time up to which, inclusive, the permission holds. Zero means never held;
/// type(uint64).max and above mean for good, and are read back as type(uint256).max.
/// Only users of the stream's grant permission change permissions, except that anyone gives up their own. The batch
/// functions guard each item exactly as the single function does, in order: the first item that is refused reverts
/// everything with its own error, and an empty batch changes nothing.
/// @dev Left out of Streamr's ABI: streams under ENS names, because this deployment has no ENS; and the trusted role,
/// the trusted forwarder and upgrades, because nobody is trusted here. Where Streamr's reads of a deleted stream answer
/// with its last permissions, these answer that nobody has any.
interface IStreamRegistry {
    event StreamCreated(string id, string metadata);
    event StreamUpdated(string id, string metadata);
    /// @notice Everybody's permissions ended with it.
    event StreamDeleted(string id);
    /// @notice Everything that `user` may do from now on. Expirations are as the functions read them back.
    event PermissionUpdated(
        string streamId,
        address user,
        bool canEdit,
        bool canDelete,
        uint256 publishExpiration,
        uint256 subscribeExpiration,
        bool canGrant
    );
    /// @notice The same for a user id that is not of 20 bytes.
    event PermissionUpdatedForUserId(
        string streamId,
        bytes user,
        bool canEdit,
        bool canDelete,
        uint256 publishExpiration,
        uint256 subscribeExpiration,
        bool canGrant
    );

    error StreamExists(string streamId);
    error NoSuchStream(string streamId);
    /// @dev A path is a slash and at least one of `A-Z a-z 0-9 - . / _` (Streamr's rule).
    error InvalidPath(string path);
    error TooLong(uint256 length, uint256 limit);
    error NotPermitted(address caller, PermissionType permission);
    /// @dev Nothing else expires, and nothing else is given to the public.
    error OnlyPublishOrSubscribe();
    error ZeroUser();
    error EmptyUserId();
    error LengthMismatch(uint256 expected, uint256 found);

    enum PermissionType {
        Edit,
        Delete,
        Publish,
        Subscribe,
        Grant
    }

    struct Permission {
        bool canEdit;
        bool canDelete;
        uint256 publishExpiration;
        uint256 subscribeExpiration;
        bool canGrant;
    }

    // ---- streams

    /// @notice Creates `<caller, lower-case hex><path>` and gives the caller every permission.
    /// @param streamIdPath Starts with a slash; the id is at most 256 bytes.
    /// @param metadataJsonString At most 4096 bytes.
    function createStream(string calldata streamIdPath, string calldata metadataJsonString) external;

    /// @notice createStream, then setPermissions. The caller's own permissions may be among those set.
    function createStreamWithPermissions(
        string calldata streamIdPath,
        string calldata metadataJsonString,
        address[] calldata users,
        Permission[] calldata permissions
    ) external;

    /// @notice createStreamWithPermissions for each.
    function createMultipleStreamsWithPermissions(
        string[] calldata streamIdPaths,
        string[] calldata metadataJsonStrings,
        address[][] calldata users,
        Permission[][] calldata permissions
    ) external;

    /// @notice Needs the edit permission.
    function updateStreamMetadata(string calldata streamId, string calldata metadata) external;

    /// @notice Deletes the stream with all its permissions. Its creator can create it anew: without any of them, as
    /// permissions belong to a version of the stream. Needs the delete permission.
    function deleteStream(string calldata streamId) external;

    function exists(string calldata streamId) external view returns (bool);

    /// @notice Reverts without the stream.
    function getStreamMetadata(string calldata streamId) external view returns (string memory);

    /// @notice The same, but empty without the stream.
    function streamIdToMetadata(string calldata streamId) external view returns (string memory);

    /// @notice How many times the stream has been created.
    function streamIdToVersion(string calldata streamId) external view returns (uint32);

    // ---- permissions of addresses

    /// @notice Grants for good. Address zero is refused: a mistake more often than the public.
    function grantPermission(string calldata streamId, address user, PermissionType permissionType) external;

    /// @notice Needs the grant permission, or to be one's own.
    function revokePermission(string calldata streamId, address user, PermissionType permissionType) external;

    /// @notice Needs the grant permission, or to be one's own. Address zero closes the stream to the public.
    function revokeAllPermissionsForUser(string calldata streamId, address user) external;

    /// @notice Of the publish or the subscribe permission; address zero is the public here.
    function setExpirationTime(
        string calldata streamId,
        address user,
        PermissionType permissionType,
        uint256 expirationTime
    ) external;

    /// @notice Replaces everything `user` may do; address zero is the public here.
    function setPermissionsForUser(
        string calldata streamId,
        address user,
        bool canEdit,
        bool deletePerm,
        uint256 publishExpiration,
        uint256 subscribeExpiration,
        bool canGrant
    ) external;

    function setPermissions(string calldata streamId, address[] calldata users, Permission[] calldata permissions)
        external;

    function setPermissionsMultipleStreams(
        string[] calldata streamIds,
        address[][] calldata users,
        Permission[][] calldata permissions
    ) external;

    /// @notice Moves one permission of the caller to `recipient`, who keeps the later expiration of the two.
    /// @dev From Streamr's V4. Needs the grant permission: else whoever is about to lose a permission could pass it on.
    function transferPermissionToUser(string calldata streamId, address recipient, PermissionType permissionType)
        external;

    /// @notice Moves all permissions of the caller, the grant permission included. For handing a stream over.
    function transferAllPermissionsToUser(string calldata streamId, address recipient) external;

    // ---- permissions of the public

    function grantPublicPermission(string calldata streamId, PermissionType permissionType) external;

    function revokePublicPermission(string calldata streamId, PermissionType permissionType) external;

    function setPublicPermission(string calldata streamId, uint256 publishExpiration, uint256 subscribeExpiration)
        external;

    // ---- permissions of user ids: as for addresses

    function grantPermissionForUserId(string calldata streamId, bytes calldata user, PermissionType permissionType)
        external;

    function revokePermissionForUserId(string calldata streamId, bytes calldata user, PermissionType permissionType)
        external;

    function revokeAllPermissionsForUserId(string calldata streamId, bytes calldata user) external;

    function setExpirationTimeForUserId(
        string calldata streamId,
        bytes calldata user,
        PermissionType permissionType,
        uint256 expirationTime
    ) external;

    function setPermissionsForUserIds(
        string calldata streamId,
        bytes[] calldata users,
        Permission[] calldata permissions
    ) external;

    function setMultipleStreamPermissionsForUserIds(
        string[] calldata streamIds,
        bytes[][] calldata users,
        Permission[][] calldata permissions
    ) external;

    // ---- reading permissions

    /// @notice Directly or as one of the public. False without the stream.
    function hasPermission(string calldata streamId, address user, PermissionType permissionType)
        external
        view
        returns (bool);

    function hasDirectPermission(string calldata streamId, address user, PermissionType permissionType)
        external
        view
        returns (bool);

    function hasPublicPermission(string calldata streamId, PermissionType permissionType)
        external
        view
        returns (bool);

    /// @notice What `user` may do, the public's permissions included. Reverts without the stream, as do the next three.
    function getPermissionsForUser(string calldata streamId, address user) external view returns (Permission memory);

    function getDirectPermissionsForUser(string calldata streamId, address user)
        external
        view
        returns (Permission memory);

    function getPermissionsForUserId(string calldata streamId, bytes calldata user)
        external
        view
        returns (Permission memory);

    function getDirectPermissionsForUserId(string calldata streamId, bytes calldata user)
        external
        view
        returns (Permission memory);

    /// @notice Direct permissions by key, for contracts that keep the key. Of a deleted stream they are the last ones,
    /// without effect, as its next version has other keys.
    function streamIdToPermissions(string calldata streamId, bytes32 userKey)
        external
        view
        returns (
            bool canEdit,
            bool canDelete,
            uint256 publishExpiration,
            uint256 subscribeExpiration,
            bool canGrant
        );

    /// @notice Key of the public's permissions.
    function streamIdToPublicPermissionUserKey(string calldata streamId) external view returns (bytes32);

    /// @notice keccak256 of the stream's version and the user, each padded to 32 bytes.
    function getAddressKey(string calldata streamId, address user) external view returns (bytes32);

    /// @notice keccak256 of the stream's version in 32 bytes, 12 zero bytes and the user id.
    function getUserKeyForUserId(string calldata streamId, bytes calldata user) external view returns (bytes32);

    /// @notice As it stands in stream ids: `0x` and lower-case hex.
    function addressToString(address user) external pure returns (string memory);

    /// @notice The expiration of what holds for good.
    function MAX_INT() external view returns (uint256);
}
