// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStreamRegistry} from "../../src/interfaces/IStreamRegistry.sol";
import {Fixture} from "../util/Fixture.sol";
import {vm} from "../util/Vm.sol";

contract StreamRegistryTest is Fixture {
    address private constant ALICE = address(0xA11ce);
    address private constant BOB = address(0xB0b);
    string private constant ID = "0x00000000000000000000000000000000000a11ce/machine";
    IStreamRegistry.PermissionType private constant EDIT = IStreamRegistry.PermissionType.Edit;
    IStreamRegistry.PermissionType private constant DELETE = IStreamRegistry.PermissionType.Delete;
    IStreamRegistry.PermissionType private constant PUBLISH = IStreamRegistry.PermissionType.Publish;
    IStreamRegistry.PermissionType private constant SUBSCRIBE = IStreamRegistry.PermissionType.Subscribe;
    IStreamRegistry.PermissionType private constant GRANT = IStreamRegistry.PermissionType.Grant;

    function setUp() public override {
        super.setUp();
        vm.prank(ALICE);
        registry.createStream("/machine", "{}");
    }

    function notPermitted(address who, IStreamRegistry.PermissionType what) private {
        vm.expectRevert(abi.encodeWithSelector(IStreamRegistry.NotPermitted.selector, who, what));
    }

    function test_create_reverts_for_a_bad_path() public {
        vm.expectRevert(abi.encodeWithSelector(IStreamRegistry.InvalidPath.selector, "x"));
        registry.createStream("x", "");
        vm.expectRevert(abi.encodeWithSelector(IStreamRegistry.InvalidPath.selector, "/"));
        registry.createStream("/", "");
        vm.expectRevert(abi.encodeWithSelector(IStreamRegistry.InvalidPath.selector, "machine"));
        registry.createStream("machine", "");
    }

    function test_create_reverts_past_the_limits() public {
        bytes memory path = new bytes(215);
        path[0] = "/";
        vm.expectRevert(abi.encodeWithSelector(IStreamRegistry.TooLong.selector, 257, 256));
        registry.createStream(string(path), "");
        vm.expectRevert(abi.encodeWithSelector(IStreamRegistry.TooLong.selector, 4097, 4096));
        registry.createStream("/a", string(new bytes(4097)));
    }

    function test_create_reverts_if_it_exists() public {
        vm.expectRevert(abi.encodeWithSelector(IStreamRegistry.StreamExists.selector, ID));
        vm.prank(ALICE);
        registry.createStream("/machine", "");
    }

    function test_the_creator_may_everything() public view {
        vm.assertTrue(registry.exists(ID));
        vm.assertEq(registry.getStreamMetadata(ID), "{}");
        for (uint256 i = 0; i < 5; ++i) {
            vm.assertTrue(registry.hasPermission(ID, ALICE, IStreamRegistry.PermissionType(i)));
            vm.assertFalse(registry.hasPermission(ID, BOB, IStreamRegistry.PermissionType(i)));
        }
    }

    function test_reads_revert_without_the_stream() public {
        bytes memory reason = abi.encodeWithSelector(IStreamRegistry.NoSuchStream.selector, "none");
        vm.expectRevert(reason);
        registry.getStreamMetadata("none");
        vm.expectRevert(reason);
        registry.hasPermission("none", ALICE, PUBLISH);
        vm.expectRevert(reason);
        registry.getPermissionsForUser("none", ALICE);
        vm.assertFalse(registry.exists("none"));
    }

    function test_grant_and_revoke_need_the_grant_permission() public {
        vm.startPrank(BOB);
        notPermitted(BOB, GRANT);
        registry.grantPermission(ID, BOB, PUBLISH);
        notPermitted(BOB, GRANT);
        registry.revokePermission(ID, ALICE, PUBLISH);
        notPermitted(BOB, GRANT);
        registry.grantPublicPermission(ID, SUBSCRIBE);
        notPermitted(BOB, GRANT);
        registry.revokePublicPermission(ID, SUBSCRIBE);
        notPermitted(BOB, GRANT);
        registry.setPermissionsForUser(ID, BOB, true, true, 1, 1, true);
        notPermitted(BOB, GRANT);
        registry.setPermissions(ID, new address[](0), new IStreamRegistry.Permission[](0));
        vm.stopPrank();
    }

    function test_grants_and_revokes_each_permission() public {
        vm.startPrank(ALICE);
        for (uint256 i = 0; i < 5; ++i) {
            IStreamRegistry.PermissionType p = IStreamRegistry.PermissionType(i);
            registry.grantPermission(ID, BOB, p);
            vm.assertTrue(registry.hasDirectPermission(ID, BOB, p));
            registry.revokePermission(ID, BOB, p);
            vm.assertFalse(registry.hasDirectPermission(ID, BOB, p));
        }
        vm.stopPrank();
    }

    function test_anyone_may_give_up_a_permission_of_their_own() public {
        vm.prank(ALICE);
        registry.grantPermission(ID, BOB, PUBLISH);
        vm.prank(BOB);
        registry.revokePermission(ID, BOB, PUBLISH);
        vm.assertFalse(registry.hasPermission(ID, BOB, PUBLISH));
    }

    function test_address_zero_is_granted_only_as_the_public() public {
        vm.startPrank(ALICE);
        vm.expectRevert(IStreamRegistry.ZeroUser.selector);
        registry.grantPermission(ID, address(0), SUBSCRIBE);
        vm.expectRevert(IStreamRegistry.ZeroUser.selector);
        registry.revokePermission(ID, address(0), SUBSCRIBE);
        vm.stopPrank();
    }

    function test_the_public_only_publishes_and_subscribes() public {
        vm.startPrank(ALICE);
        vm.expectRevert(IStreamRegistry.OnlyPublishOrSubscribe.selector);
        registry.grantPublicPermission(ID, EDIT);
        vm.expectRevert(IStreamRegistry.OnlyPublishOrSubscribe.selector);
        registry.grantPublicPermission(ID, DELETE);
        vm.expectRevert(IStreamRegistry.OnlyPublishOrSubscribe.selector);
        registry.setPermissionsForUser(ID, address(0), false, false, 0, 0, true);
        registry.grantPublicPermission(ID, SUBSCRIBE);
        vm.stopPrank();
        vm.assertTrue(registry.hasPermission(ID, BOB, SUBSCRIBE));
        vm.assertFalse(registry.hasDirectPermission(ID, BOB, SUBSCRIBE));
        vm.assertEq(registry.getPermissionsForUser(ID, BOB).subscribeExpiration, type(uint256).max);
        vm.assertEq(registry.getDirectPermissionsForUser(ID, BOB).subscribeExpiration, 0);
        vm.prank(ALICE);
        registry.revokePublicPermission(ID, SUBSCRIBE);
        vm.assertFalse(registry.hasPermission(ID, BOB, SUBSCRIBE));
    }

    function test_permissions_expire() public {
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdated(ID, BOB, false, false, GENESIS + 10, GENESIS + 20, false);
        vm.prank(ALICE);
        registry.setPermissionsForUser(ID, BOB, false, false, GENESIS + 10, GENESIS + 20, false);
        vm.warp(GENESIS + 10);
        vm.assertTrue(registry.hasPermission(ID, BOB, PUBLISH));
        vm.warp(GENESIS + 11);
        vm.assertFalse(registry.hasPermission(ID, BOB, PUBLISH));
        vm.assertTrue(registry.hasPermission(ID, BOB, SUBSCRIBE));
    }

    function test_setPermissions_guards_each_user_as_the_single_function_does() public {
        address[] memory users = new address[](2);
        IStreamRegistry.Permission[] memory permissions = new IStreamRegistry.Permission[](2);
        users[0] = BOB;
        permissions[0] = IStreamRegistry.Permission(true, false, 0, type(uint256).max, false);
        permissions[1] = IStreamRegistry.Permission(true, false, 0, 0, false);
        vm.startPrank(ALICE);
        vm.expectRevert(IStreamRegistry.OnlyPublishOrSubscribe.selector);
        registry.setPermissions(ID, users, permissions);
        vm.expectRevert(abi.encodeWithSelector(IStreamRegistry.LengthMismatch.selector, 1, 2));
        registry.setPermissions(ID, new address[](1), permissions);
        users[1] = address(0xCa01);
        registry.setPermissions(ID, users, permissions);
        vm.stopPrank();
        vm.assertTrue(registry.hasPermission(ID, BOB, SUBSCRIBE));
        vm.assertTrue(registry.hasPermission(ID, users[1], EDIT));
    }

    function test_update_needs_edit_and_delete_needs_delete() public {
        notPermitted(BOB, EDIT);
        vm.prank(BOB);
        registry.updateStreamMetadata(ID, "{1}");
        notPermitted(BOB, DELETE);
        vm.prank(BOB);
        registry.deleteStream(ID);
        vm.startPrank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IStreamRegistry.TooLong.selector, 4097, 4096));
        registry.updateStreamMetadata(ID, string(new bytes(4097)));
        registry.updateStreamMetadata(ID, "{1}");
        vm.assertEq(registry.getStreamMetadata(ID), "{1}");
        vm.stopPrank();
    }

    function test_a_stream_created_anew_has_none_of_the_old_permissions() public {
        vm.startPrank(ALICE);
        registry.grantPermission(ID, BOB, PUBLISH);
        registry.deleteStream(ID);
        vm.assertFalse(registry.exists(ID));
        registry.createStream("/machine", "new");
        vm.stopPrank();
        vm.assertFalse(registry.hasPermission(ID, BOB, PUBLISH));
        vm.assertTrue(registry.hasPermission(ID, ALICE, GRANT));
    }
}
