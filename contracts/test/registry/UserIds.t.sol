// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStreamRegistry} from "../../src/interfaces/IStreamRegistry.sol";
import {vm} from "../util/Vm.sol";
import {RegistryFixture} from "./RegistryFixture.sol";

/// @dev The functions ending in ForUserId.
contract UserIdsTest is RegistryFixture {
    function one(bytes memory user) private pure returns (bytes[] memory list) {
        list = new bytes[](1);
        list[0] = user;
    }

    function one(IStreamRegistry.Permission memory p) private pure returns (IStreamRegistry.Permission[] memory list) {
        list = new IStreamRegistry.Permission[](1);
        list[0] = p;
    }

    function test_reverts_without_the_stream() public {
        expectNoSuchStream("none");
        registry.grantPermissionForUserId("none", KEY, PUBLISH);
        expectNoSuchStream("none");
        registry.revokePermissionForUserId("none", KEY, PUBLISH);
        expectNoSuchStream("none");
        registry.revokeAllPermissionsForUserId("none", KEY);
        expectNoSuchStream("none");
        registry.setExpirationTimeForUserId("none", KEY, PUBLISH, 1);
        expectNoSuchStream("none");
        registry.setPermissionsForUserIds("none", one(KEY), one(none()));
    }

    function test_reverts_without_the_grant_permission() public {
        vm.startPrank(BOB);
        expectNotPermitted(BOB, GRANT);
        registry.grantPermissionForUserId(ID, id(BOB), PUBLISH);
        expectNotPermitted(BOB, GRANT);
        registry.revokePermissionForUserId(ID, KEY, PUBLISH);
        expectNotPermitted(BOB, GRANT);
        registry.revokeAllPermissionsForUserId(ID, KEY);
        expectNotPermitted(BOB, GRANT);
        registry.setExpirationTimeForUserId(ID, KEY, PUBLISH, 1);
        expectNotPermitted(BOB, GRANT);
        registry.setPermissionsForUserIds(ID, one(KEY), one(none()));
        vm.stopPrank();
    }

    function test_reverts_for_an_empty_id() public {
        vm.startPrank(ALICE);
        vm.expectRevert(IStreamRegistry.EmptyUserId.selector);
        registry.grantPermissionForUserId(ID, "", PUBLISH);
        vm.expectRevert(IStreamRegistry.EmptyUserId.selector);
        registry.setPermissionsForUserIds(ID, one(""), one(publisher()));
        vm.stopPrank();
    }

    function test_reverts_for_an_id_that_is_too_long() public {
        vm.startPrank(ALICE);
        expectTooLong(257, 256);
        registry.grantPermissionForUserId(ID, new bytes(257), PUBLISH);
        registry.grantPermissionForUserId(ID, new bytes(256), PUBLISH);
        vm.stopPrank();
        vm.assertEq(registry.getPermissionsForUserId(ID, new bytes(256)).publishExpiration, FOREVER);
    }

    function test_twenty_zero_bytes_are_the_public() public {
        vm.startPrank(ALICE);
        vm.expectRevert(IStreamRegistry.ZeroUser.selector);
        registry.grantPermissionForUserId(ID, id(PUBLIC), SUBSCRIBE);
        vm.expectRevert(IStreamRegistry.ZeroUser.selector);
        registry.revokePermissionForUserId(ID, id(PUBLIC), SUBSCRIBE);
        vm.expectRevert(IStreamRegistry.OnlyPublishOrSubscribe.selector);
        registry.setPermissionsForUserIds(ID, one(id(PUBLIC)), one(everything()));
        registry.setPermissionsForUserIds(ID, one(id(PUBLIC)), one(publisher()));
        vm.stopPrank();
        vm.assertTrue(registry.hasPublicPermission(ID, PUBLISH));
        vm.assertEq(registry.getPermissionsForUserId(ID, KEY).publishExpiration, FOREVER);
        assertSame(registry.getDirectPermissionsForUserId(ID, KEY), none());
    }

    function test_time_reverts_for_what_does_not_expire() public {
        vm.expectRevert(IStreamRegistry.OnlyPublishOrSubscribe.selector);
        vm.prank(ALICE);
        registry.setExpirationTimeForUserId(ID, KEY, EDIT, 1);
    }

    function test_each_function_changes_the_users_permissions() public {
        vm.startPrank(ALICE);
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdatedForUserId(ID, KEY, false, false, FOREVER, 0, false);
        registry.grantPermissionForUserId(ID, KEY, PUBLISH);
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdatedForUserId(ID, KEY, false, false, FOREVER, NOW + 5, false);
        registry.setExpirationTimeForUserId(ID, KEY, SUBSCRIBE, NOW + 5);
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdatedForUserId(ID, KEY, false, false, 0, NOW + 5, false);
        registry.revokePermissionForUserId(ID, KEY, PUBLISH);
        IStreamRegistry.Permission memory left = IStreamRegistry.Permission(false, false, 0, NOW + 5, false);
        assertSame(registry.getPermissionsForUserId(ID, KEY), left);
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdatedForUserId(ID, KEY, false, false, 0, 0, false);
        registry.revokeAllPermissionsForUserId(ID, KEY);
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdatedForUserId(ID, KEY, true, true, FOREVER, FOREVER, true);
        registry.setPermissionsForUserIds(ID, one(KEY), one(everything()));
        vm.stopPrank();
        assertSame(registry.getDirectPermissionsForUserId(ID, KEY), everything());
    }

    function test_twenty_bytes_are_the_address_with_the_same_event() public {
        vm.startPrank(ALICE);
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdated(ID, BOB, false, false, FOREVER, 0, false);
        registry.grantPermissionForUserId(ID, id(BOB), PUBLISH);
        vm.assertTrue(registry.hasPermission(ID, BOB, PUBLISH));
        assertSame(registry.getPermissionsForUserId(ID, id(BOB)), publisher());
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdated(ID, BOB, false, false, 0, 0, false);
        registry.revokeAllPermissionsForUserId(ID, id(BOB));
        vm.assertFalse(registry.hasPermission(ID, BOB, PUBLISH));
        vm.stopPrank();
    }

    function test_an_address_gives_up_its_own_as_bytes_too() public {
        vm.prank(ALICE);
        registry.setPermissionsForUser(ID, BOB, false, false, FOREVER, FOREVER, false);
        vm.startPrank(BOB);
        registry.revokePermissionForUserId(ID, id(BOB), PUBLISH);
        vm.assertFalse(registry.hasPermission(ID, BOB, PUBLISH));
        registry.revokeAllPermissionsForUserId(ID, id(BOB));
        vm.stopPrank();
        vm.assertFalse(registry.hasPermission(ID, BOB, SUBSCRIBE));
    }

    /// @dev Padding must not make two users one: neither zeros in front nor zeros behind.
    function test_ids_that_differ_in_zeros_are_different_users() public {
        vm.prank(ALICE);
        registry.grantPermissionForUserId(ID, id(BOB), PUBLISH);
        bytes[4] memory others =
            [abi.encode(BOB), abi.encodePacked(BOB, bytes1(0)), abi.encodePacked(bytes1(0), BOB), hex"0b0b"];
        for (uint256 i = 0; i < 4; ++i) {
            assertSame(registry.getPermissionsForUserId(ID, others[i]), none());
        }
    }

    function testFuzz_two_ids_share_permissions_only_if_equal(bytes calldata a, bytes calldata b) public {
        vm.assume(a.length > 0 && a.length <= 256 && keccak256(a) != keccak256(id(PUBLIC)));
        vm.prank(ALICE);
        registry.grantPermissionForUserId(ID, a, PUBLISH);
        uint256 found = registry.getPermissionsForUserId(ID, b).publishExpiration;
        vm.assertEq(found, keccak256(a) == keccak256(b) ? FOREVER : 0);
        vm.assertEq(registry.getPermissionsForUserId(ID, a).publishExpiration, FOREVER);
    }

    function test_gas_grant_for_user_id() public {
        vm.prank(ALICE);
        registry.grantPermissionForUserId(ID, KEY, PUBLISH);
        vm.snapshotGasLastCall("registry", "grantPermissionForUserId, 33 bytes");
    }
}
