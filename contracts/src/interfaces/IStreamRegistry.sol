// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title Streams and who may do what with them, on the ABI of Streamr's deployed registry.
/// @notice The public is address zero. An expiration is the second of Unix time up to which, inclusive, the
/// permission holds; the greatest number means for good.
interface IStreamRegistry {
    event StreamCreated(string id, string metadata);
    event StreamUpdated(string id, string metadata);
    event StreamDeleted(string id);
    event PermissionUpdated(
        string streamId,
        address user,
        bool canEdit,
        bool canDelete,
        uint256 publishExpiration,
        uint256 subscribeExpiration,
        bool canGrant
    );

    error StreamExists(string streamId);
    error NoSuchStream(string streamId);
    error InvalidPath(string path);
    error TooLong(uint256 length, uint256 limit);
    error NotPermitted(address caller, PermissionType permission);
    error OnlyPublishOrSubscribe();
    error ZeroUser();
    error LengthMismatch(uint256 users, uint256 permissions);

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

    /// @notice Creates `<caller, lower-case hex><path>` and gives the caller every permission.
    /// @param streamIdPath Starts with a slash; the id is at most 256 bytes.
    /// @param metadataJsonString At most 4096 bytes.
    function createStream(string calldata streamIdPath, string calldata metadataJsonString) external;

    function updateStreamMetadata(string calldata streamId, string calldata metadata) external;

    /// @notice Deletes the stream with all its permissions. Its creator can create it anew.
    function deleteStream(string calldata streamId) external;

    /// @notice Grants for good. Needs the grant permission.
    function grantPermission(string calldata streamId, address user, PermissionType permissionType) external;

    /// @notice Needs the grant permission, or to be one's own.
    function revokePermission(string calldata streamId, address user, PermissionType permissionType) external;

    function grantPublicPermission(string calldata streamId, PermissionType permissionType) external;

    function revokePublicPermission(string calldata streamId, PermissionType permissionType) external;

    /// @notice Replaces everything `user` may do.
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

    function exists(string calldata streamId) external view returns (bool);

    function getStreamMetadata(string calldata streamId) external view returns (string memory);

    /// @notice Directly or as one of the public.
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

    /// @notice What `user` may do, the public's permissions included.
    function getPermissionsForUser(string calldata streamId, address user) external view returns (Permission memory);

    function getDirectPermissionsForUser(string calldata streamId, address user)
        external
        view
        returns (Permission memory);
}
