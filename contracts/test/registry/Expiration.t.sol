// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStreamRegistry} from "../../src/interfaces/IStreamRegistry.sol";
import {vm} from "../util/Vm.sol";
import {RegistryFixture} from "./RegistryFixture.sol";

/// @dev setPermissionsForUser, setExpirationTime, and when an expiration ends a permission.
contract ExpirationTest is RegistryFixture {
    function set(uint256 publish, uint256 subscribe) private {
        vm.prank(ALICE);
        registry.setPermissionsForUser(ID, BOB, false, false, publish, subscribe, false);
    }

    function setTime(IStreamRegistry.PermissionType what, uint256 expiration) private {
        vm.prank(ALICE);
        registry.setExpirationTime(ID, BOB, what, expiration);
    }

    function test_set_reverts_without_the_stream() public {
        expectNoSuchStream("none");
        registry.setPermissionsForUser("none", BOB, true, true, 1, 1, true);
        expectNoSuchStream("none");
        registry.setExpirationTime("none", BOB, PUBLISH, 1);
    }

    function test_set_reverts_without_the_grant_permission() public {
        vm.startPrank(BOB);
        expectNotPermitted(BOB, GRANT);
        registry.setPermissionsForUser(ID, BOB, true, true, 1, 1, true);
        expectNotPermitted(BOB, GRANT);
        registry.setExpirationTime(ID, BOB, PUBLISH, FOREVER);
        vm.stopPrank();
    }

    function test_set_reverts_if_the_public_gets_too_much() public {
        vm.startPrank(ALICE);
        vm.expectRevert(IStreamRegistry.OnlyPublishOrSubscribe.selector);
        registry.setPermissionsForUser(ID, PUBLIC, true, false, 0, 0, false);
        vm.expectRevert(IStreamRegistry.OnlyPublishOrSubscribe.selector);
        registry.setPermissionsForUser(ID, PUBLIC, false, true, 0, 0, false);
        vm.expectRevert(IStreamRegistry.OnlyPublishOrSubscribe.selector);
        registry.setPermissionsForUser(ID, PUBLIC, false, false, 0, 0, true);
        vm.stopPrank();
    }

    function test_time_reverts_for_what_does_not_expire() public {
        IStreamRegistry.PermissionType[3] memory lasting = [EDIT, DELETE, GRANT];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(IStreamRegistry.OnlyPublishOrSubscribe.selector);
            setTime(lasting[i], FOREVER);
        }
    }

    function test_set_replaces_everything() public {
        vm.prank(ALICE);
        registry.setPermissionsForUser(ID, BOB, true, true, FOREVER, FOREVER, true);
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdated(ID, BOB, false, false, NOW + 10, 0, false);
        set(NOW + 10, 0);
        assertSame(
            registry.getPermissionsForUser(ID, BOB), IStreamRegistry.Permission(false, false, NOW + 10, 0, false)
        );
    }

    function test_time_changes_one_permission() public {
        set(FOREVER, 0);
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdated(ID, BOB, false, false, FOREVER, NOW + 5, false);
        setTime(SUBSCRIBE, NOW + 5);
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdated(ID, BOB, false, false, NOW + 7, NOW + 5, false);
        setTime(PUBLISH, NOW + 7);
        vm.assertTrue(registry.hasPermission(ID, BOB, PUBLISH));
        vm.prank(ALICE);
        registry.setExpirationTime(ID, PUBLIC, SUBSCRIBE, NOW + 9);
        vm.assertEq(registry.getPermissionsForUser(ID, address(1)).subscribeExpiration, NOW + 9);
    }

    function test_the_second_of_expiration_is_the_last() public {
        set(NOW, NOW - 1);
        vm.assertTrue(registry.hasPermission(ID, BOB, PUBLISH));
        vm.assertFalse(registry.hasPermission(ID, BOB, SUBSCRIBE));
        vm.warp(NOW + 1);
        vm.assertFalse(registry.hasPermission(ID, BOB, PUBLISH));
        // What has expired can still be read, and can be prolonged.
        vm.assertEq(registry.getPermissionsForUser(ID, BOB).publishExpiration, NOW);
        setTime(PUBLISH, NOW + 1);
        vm.assertTrue(registry.hasPermission(ID, BOB, PUBLISH));
    }

    function test_expirations_past_64_bits_are_for_good() public {
        uint256 last = type(uint64).max;
        set(last - 1, last);
        IStreamRegistry.Permission memory p = registry.getPermissionsForUser(ID, BOB);
        vm.assertEq(p.publishExpiration, last - 1);
        vm.assertEq(p.subscribeExpiration, FOREVER);
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdated(ID, BOB, false, false, FOREVER, FOREVER, false);
        set(last + 1, FOREVER - 1);
        // Not the low 64 bits of it, which are 0.
        vm.assertTrue(registry.hasPermission(ID, BOB, PUBLISH));
    }

    function testFuzz_holds_up_to_its_second(uint64 expiration, uint64 time) public {
        set(expiration, 0);
        vm.warp(time);
        vm.assertEq(registry.hasPermission(ID, BOB, PUBLISH), time <= expiration);
    }

    function test_gas_set() public {
        set(NOW, NOW);
        vm.snapshotGasLastCall("registry", "setPermissionsForUser");
    }
}
