// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStreamRegistry} from "../../src/interfaces/IStreamRegistry.sol";
import {vm} from "../util/Vm.sol";
import {RegistryFixture} from "./RegistryFixture.sol";

/// @dev updateStreamMetadata, deleteStream, and what a stream created anew has of the old one: nothing.
contract StreamsTest is RegistryFixture {
    function test_update_reverts_without_the_stream() public {
        expectNoSuchStream("none");
        registry.updateStreamMetadata("none", "");
    }

    function test_update_reverts_without_the_edit_permission() public {
        vm.prank(ALICE);
        registry.setPermissionsForUser(ID, BOB, false, true, FOREVER, FOREVER, true);
        expectNotPermitted(BOB, EDIT);
        vm.prank(BOB);
        registry.updateStreamMetadata(ID, "");
    }

    function test_update_reverts_if_the_metadata_is_too_long() public {
        expectTooLong(4097, 4096);
        vm.prank(ALICE);
        registry.updateStreamMetadata(ID, string(new bytes(4097)));
    }

    function test_update_replaces_the_metadata() public {
        vm.prank(ALICE);
        registry.grantPermission(ID, BOB, EDIT);
        string memory longer = string(new bytes(4096));
        vm.expectEmit(address(registry));
        emit IStreamRegistry.StreamUpdated(ID, longer);
        vm.prank(BOB);
        registry.updateStreamMetadata(ID, longer);
        vm.assertEq(registry.getStreamMetadata(ID), longer);
        vm.prank(BOB);
        registry.updateStreamMetadata(ID, "");
        vm.assertEq(registry.getStreamMetadata(ID), "");
        vm.assertEq(registry.streamIdToVersion(ID), 1);
    }

    function test_delete_reverts_without_the_stream() public {
        expectNoSuchStream("none");
        registry.deleteStream("none");
    }

    function test_delete_reverts_without_the_delete_permission() public {
        vm.prank(ALICE);
        registry.setPermissionsForUser(ID, BOB, true, false, FOREVER, FOREVER, true);
        expectNotPermitted(BOB, DELETE);
        vm.prank(BOB);
        registry.deleteStream(ID);
    }

    function test_delete_ends_everything() public {
        vm.startPrank(ALICE);
        registry.grantPermission(ID, BOB, DELETE);
        registry.grantPublicPermission(ID, SUBSCRIBE);
        vm.stopPrank();
        vm.expectEmit(address(registry));
        emit IStreamRegistry.StreamDeleted(ID);
        vm.prank(BOB);
        registry.deleteStream(ID);
        vm.assertFalse(registry.exists(ID));
        vm.assertEq(registry.streamIdToMetadata(ID), "");
        for (uint256 i = 0; i < 5; ++i) {
            IStreamRegistry.PermissionType p = IStreamRegistry.PermissionType(i);
            vm.assertFalse(registry.hasPermission(ID, ALICE, p));
            vm.assertFalse(registry.hasDirectPermission(ID, ALICE, p));
            vm.assertFalse(registry.hasPublicPermission(ID, p));
        }
        expectNoSuchStream(ID);
        vm.prank(ALICE);
        registry.grantPermission(ID, BOB, PUBLISH);
    }

    function test_reads_of_permissions_revert_without_the_stream() public {
        expectNoSuchStream("none");
        registry.getStreamMetadata("none");
        expectNoSuchStream("none");
        registry.getPermissionsForUser("none", ALICE);
        expectNoSuchStream("none");
        registry.getDirectPermissionsForUser("none", ALICE);
        expectNoSuchStream("none");
        registry.getPermissionsForUserId("none", KEY);
        expectNoSuchStream("none");
        registry.getDirectPermissionsForUserId("none", KEY);
    }

    function test_a_stream_created_anew_has_none_of_the_old_permissions() public {
        vm.startPrank(ALICE);
        registry.setPermissionsForUser(ID, BOB, true, true, FOREVER, FOREVER, true);
        registry.setPublicPermission(ID, FOREVER, FOREVER);
        registry.setPermissionsForUserIds(ID, ids(KEY, "key"), permissions(everything(), everything()));
        registry.setPermissionsForUser(ID, ALICE, false, true, 0, 0, false);
        bytes32 oldKey = registry.getAddressKey(ID, BOB);
        registry.deleteStream(ID);
        registry.createStream("/machine", "new");
        vm.stopPrank();
        vm.assertEq(registry.streamIdToVersion(ID), 2);
        vm.assertEq(registry.getStreamMetadata(ID), "new");
        assertSame(registry.getPermissionsForUser(ID, BOB), none());
        assertSame(registry.getPermissionsForUserId(ID, KEY), none());
        assertSame(registry.getDirectPermissionsForUser(ID, PUBLIC), none());
        assertSame(registry.getDirectPermissionsForUser(ID, ALICE), everything());
        vm.assertFalse(registry.getAddressKey(ID, BOB) == oldKey);
        for (uint256 i = 0; i < 5; ++i) {
            vm.assertFalse(registry.hasPermission(ID, BOB, IStreamRegistry.PermissionType(i)));
        }
    }

    /// @dev Whoever could grant before has no say over the stream's next version.
    function test_the_old_grantees_cannot_get_in_again() public {
        vm.startPrank(ALICE);
        registry.grantPermission(ID, BOB, GRANT);
        registry.deleteStream(ID);
        registry.createStream("/machine", "");
        vm.stopPrank();
        expectNotPermitted(BOB, GRANT);
        vm.prank(BOB);
        registry.grantPermission(ID, BOB, PUBLISH);
    }

    function test_gas_update_and_delete() public {
        vm.startPrank(ALICE);
        registry.updateStreamMetadata(ID, '{"partitions":4}');
        vm.snapshotGasLastCall("registry", "updateStreamMetadata");
        registry.deleteStream(ID);
        vm.snapshotGasLastCall("registry", "deleteStream");
        registry.createStream("/machine", METADATA);
        vm.snapshotGasLastCall("registry", "createStream, anew");
        vm.stopPrank();
    }
}
