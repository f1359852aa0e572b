// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStreamRegistry} from "../../src/interfaces/IStreamRegistry.sol";
import {vm} from "../util/Vm.sol";
import {RegistryFixture} from "./RegistryFixture.sol";

/// @dev transferPermissionToUser and transferAllPermissionsToUser.
contract TransferTest is RegistryFixture {
    function give(address user, uint256 publish, uint256 subscribe, bool grant) private {
        vm.prank(ALICE);
        registry.setPermissionsForUser(ID, user, false, false, publish, subscribe, grant);
    }

    function test_reverts_without_the_stream() public {
        expectNoSuchStream("none");
        registry.transferPermissionToUser("none", BOB, PUBLISH);
        expectNoSuchStream("none");
        registry.transferAllPermissionsToUser("none", BOB);
    }

    /// @dev Else a user about to lose a permission would pass it on to another account.
    function test_reverts_without_the_grant_permission() public {
        give(BOB, FOREVER, FOREVER, false);
        vm.startPrank(BOB);
        expectNotPermitted(BOB, GRANT);
        registry.transferPermissionToUser(ID, address(1), PUBLISH);
        expectNotPermitted(BOB, GRANT);
        registry.transferAllPermissionsToUser(ID, address(1));
        vm.stopPrank();
    }

    function test_reverts_for_address_zero() public {
        vm.startPrank(ALICE);
        vm.expectRevert(IStreamRegistry.ZeroUser.selector);
        registry.transferPermissionToUser(ID, PUBLIC, SUBSCRIBE);
        vm.expectRevert(IStreamRegistry.ZeroUser.selector);
        registry.transferAllPermissionsToUser(ID, PUBLIC);
        vm.stopPrank();
    }

    function test_one_reverts_if_the_caller_does_not_have_it() public {
        give(BOB, 0, NOW - 1, true);
        vm.startPrank(BOB);
        expectNotPermitted(BOB, EDIT);
        registry.transferPermissionToUser(ID, address(1), EDIT);
        expectNotPermitted(BOB, SUBSCRIBE);
        registry.transferPermissionToUser(ID, address(1), SUBSCRIBE);
        vm.stopPrank();
    }

    function test_one_moves_it_and_nothing_else() public {
        for (uint256 i = 0; i < 5; ++i) {
            IStreamRegistry.PermissionType what = IStreamRegistry.PermissionType(i);
            address recipient = address(uint160(100 + i));
            vm.prank(ALICE);
            registry.setPermissionsForUser(ID, BOB, true, true, NOW + 5, NOW + 6, true);
            vm.prank(BOB);
            registry.transferPermissionToUser(ID, recipient, what);
            for (uint256 j = 0; j < 5; ++j) {
                vm.assertEq(registry.hasPermission(ID, recipient, IStreamRegistry.PermissionType(j)), i == j);
                vm.assertEq(registry.hasPermission(ID, BOB, IStreamRegistry.PermissionType(j)), i != j);
            }
        }
        vm.assertEq(registry.getPermissionsForUser(ID, address(102)).publishExpiration, NOW + 5);
        vm.assertEq(registry.getPermissionsForUser(ID, address(103)).subscribeExpiration, NOW + 6);
    }

    function test_the_recipient_keeps_the_later_expiration() public {
        give(BOB, NOW + 5, FOREVER, true);
        give(address(1), NOW + 7, NOW + 7, false);
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdated(ID, BOB, false, false, 0, 0, false);
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdated(ID, address(1), false, false, NOW + 7, FOREVER, true);
        vm.prank(BOB);
        registry.transferAllPermissionsToUser(ID, address(1));
    }

    function test_all_hands_a_stream_over() public {
        vm.prank(ALICE);
        registry.transferAllPermissionsToUser(ID, BOB);
        assertSame(registry.getPermissionsForUser(ID, ALICE), none());
        assertSame(registry.getPermissionsForUser(ID, BOB), everything());
        vm.prank(BOB);
        registry.deleteStream(ID);
        vm.assertFalse(registry.exists(ID));
    }

    function test_to_oneself_changes_nothing() public {
        vm.startPrank(ALICE);
        registry.transferAllPermissionsToUser(ID, ALICE);
        registry.transferPermissionToUser(ID, ALICE, GRANT);
        vm.stopPrank();
        assertSame(registry.getPermissionsForUser(ID, ALICE), everything());
    }

    function test_gas_transfer_all() public {
        vm.prank(ALICE);
        registry.transferAllPermissionsToUser(ID, BOB);
        vm.snapshotGasLastCall("registry", "transferAllPermissionsToUser");
    }
}
