// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStreamRegistry} from "../../src/interfaces/IStreamRegistry.sol";
import {vm} from "../util/Vm.sol";
import {RegistryFixture} from "./RegistryFixture.sol";

/// @dev grantPermission, revokePermission, revokeAllPermissionsForUser, and the public's three.
contract GrantTest is RegistryFixture {
    /// @dev Has every permission but grant.
    address private constant CAROL = address(0xCa01);

    function setUp() public override {
        super.setUp();
        vm.prank(ALICE);
        registry.setPermissionsForUser(ID, CAROL, true, true, FOREVER, FOREVER, false);
    }

    function test_reverts_without_the_stream() public {
        expectNoSuchStream("none");
        registry.grantPermission("none", BOB, PUBLISH);
        expectNoSuchStream("none");
        registry.revokePermission("none", BOB, PUBLISH);
        expectNoSuchStream("none");
        registry.revokePermission("none", address(this), PUBLISH);
        expectNoSuchStream("none");
        registry.revokeAllPermissionsForUser("none", BOB);
        expectNoSuchStream("none");
        registry.grantPublicPermission("none", PUBLISH);
        expectNoSuchStream("none");
        registry.revokePublicPermission("none", PUBLISH);
        expectNoSuchStream("none");
        registry.setPublicPermission("none", 1, 1);
    }

    function test_reverts_without_the_grant_permission() public {
        vm.startPrank(CAROL);
        expectNotPermitted(CAROL, GRANT);
        registry.grantPermission(ID, CAROL, PUBLISH);
        expectNotPermitted(CAROL, GRANT);
        registry.revokePermission(ID, ALICE, PUBLISH);
        expectNotPermitted(CAROL, GRANT);
        registry.revokeAllPermissionsForUser(ID, ALICE);
        expectNotPermitted(CAROL, GRANT);
        registry.revokeAllPermissionsForUser(ID, PUBLIC);
        expectNotPermitted(CAROL, GRANT);
        registry.grantPublicPermission(ID, SUBSCRIBE);
        expectNotPermitted(CAROL, GRANT);
        registry.revokePublicPermission(ID, SUBSCRIBE);
        expectNotPermitted(CAROL, GRANT);
        registry.setPublicPermission(ID, 0, FOREVER);
        vm.stopPrank();
    }

    function test_grant_and_revoke_revert_for_address_zero() public {
        vm.startPrank(ALICE);
        vm.expectRevert(IStreamRegistry.ZeroUser.selector);
        registry.grantPermission(ID, PUBLIC, SUBSCRIBE);
        vm.expectRevert(IStreamRegistry.ZeroUser.selector);
        registry.revokePermission(ID, PUBLIC, SUBSCRIBE);
        vm.stopPrank();
    }

    function test_the_public_reverts_for_more_than_publish_and_subscribe() public {
        vm.startPrank(ALICE);
        vm.expectRevert(IStreamRegistry.OnlyPublishOrSubscribe.selector);
        registry.grantPublicPermission(ID, EDIT);
        vm.expectRevert(IStreamRegistry.OnlyPublishOrSubscribe.selector);
        registry.grantPublicPermission(ID, DELETE);
        vm.expectRevert(IStreamRegistry.OnlyPublishOrSubscribe.selector);
        registry.grantPublicPermission(ID, GRANT);
        vm.stopPrank();
    }

    function test_grants_and_revokes_each_permission_alone() public {
        vm.startPrank(ALICE);
        for (uint256 i = 0; i < 5; ++i) {
            registry.grantPermission(ID, BOB, IStreamRegistry.PermissionType(i));
            for (uint256 j = 0; j < 5; ++j) {
                vm.assertEq(registry.hasPermission(ID, BOB, IStreamRegistry.PermissionType(j)), i == j);
            }
            registry.revokePermission(ID, BOB, IStreamRegistry.PermissionType(i));
            assertSame(registry.getPermissionsForUser(ID, BOB), none());
        }
        vm.stopPrank();
    }

    function test_events_tell_everything_the_user_may_do() public {
        vm.startPrank(ALICE);
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdated(ID, CAROL, true, true, FOREVER, FOREVER, true);
        registry.grantPermission(ID, CAROL, GRANT);
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdated(ID, CAROL, true, true, 0, FOREVER, true);
        registry.revokePermission(ID, CAROL, PUBLISH);
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdated(ID, CAROL, false, false, 0, 0, false);
        registry.revokeAllPermissionsForUser(ID, CAROL);
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdated(ID, PUBLIC, false, false, 0, FOREVER, false);
        registry.grantPublicPermission(ID, SUBSCRIBE);
        vm.stopPrank();
    }

    function test_a_grantee_grants_and_takes_even_from_the_creator() public {
        vm.prank(ALICE);
        registry.grantPermission(ID, CAROL, GRANT);
        vm.startPrank(CAROL);
        registry.grantPermission(ID, BOB, PUBLISH);
        registry.revokeAllPermissionsForUser(ID, ALICE);
        vm.stopPrank();
        vm.assertTrue(registry.hasPermission(ID, BOB, PUBLISH));
        expectNotPermitted(ALICE, GRANT);
        vm.prank(ALICE);
        registry.grantPermission(ID, ALICE, GRANT);
    }

    function test_anyone_may_give_up_what_is_their_own() public {
        vm.startPrank(CAROL);
        registry.revokePermission(ID, CAROL, PUBLISH);
        vm.assertFalse(registry.hasPermission(ID, CAROL, PUBLISH));
        vm.assertTrue(registry.hasPermission(ID, CAROL, SUBSCRIBE));
        registry.revokeAllPermissionsForUser(ID, CAROL);
        vm.stopPrank();
        assertSame(registry.getPermissionsForUser(ID, CAROL), none());
    }

    function test_everybody_has_what_the_public_has() public {
        vm.startPrank(ALICE);
        registry.grantPublicPermission(ID, SUBSCRIBE);
        vm.assertTrue(registry.hasPermission(ID, BOB, SUBSCRIBE));
        vm.assertTrue(registry.hasPublicPermission(ID, SUBSCRIBE));
        vm.assertFalse(registry.hasDirectPermission(ID, BOB, SUBSCRIBE));
        vm.assertFalse(registry.hasPermission(ID, BOB, PUBLISH));
        vm.assertEq(registry.getPermissionsForUser(ID, BOB).subscribeExpiration, FOREVER);
        assertSame(registry.getDirectPermissionsForUser(ID, BOB), none());
        registry.revokePublicPermission(ID, SUBSCRIBE);
        vm.assertFalse(registry.hasPermission(ID, BOB, SUBSCRIBE));
        registry.setPublicPermission(ID, NOW + 1, NOW + 2);
        registry.revokeAllPermissionsForUser(ID, PUBLIC);
        vm.stopPrank();
        assertSame(registry.getPermissionsForUser(ID, BOB), none());
    }

    function test_the_longer_of_direct_and_public_counts() public {
        vm.startPrank(ALICE);
        registry.setPermissionsForUser(ID, BOB, true, false, NOW + 10, NOW + 40, false);
        registry.setPublicPermission(ID, NOW + 30, NOW + 20);
        vm.stopPrank();
        IStreamRegistry.Permission memory both =
            IStreamRegistry.Permission(true, false, NOW + 30, NOW + 40, false);
        assertSame(registry.getPermissionsForUser(ID, BOB), both);
        vm.warp(NOW + 30);
        vm.assertTrue(registry.hasPermission(ID, BOB, PUBLISH));
        vm.assertTrue(registry.hasPermission(ID, BOB, SUBSCRIBE));
        vm.assertFalse(registry.hasPublicPermission(ID, SUBSCRIBE));
    }

    function test_permissions_of_one_stream_say_nothing_of_another() public {
        vm.prank(BOB);
        registry.createStream("/machine", "");
        expectNotPermitted(BOB, GRANT);
        vm.prank(BOB);
        registry.grantPermission(ID, BOB, PUBLISH);
    }

    function test_gas_grant_and_revoke() public {
        vm.startPrank(ALICE);
        registry.grantPermission(ID, BOB, PUBLISH);
        vm.snapshotGasLastCall("registry", "grantPermission, first");
        registry.grantPermission(ID, BOB, SUBSCRIBE);
        vm.snapshotGasLastCall("registry", "grantPermission, further");
        registry.revokeAllPermissionsForUser(ID, BOB);
        vm.snapshotGasLastCall("registry", "revokeAllPermissionsForUser");
        vm.stopPrank();
    }
}
