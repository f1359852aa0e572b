// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStreamRegistry} from "../../src/interfaces/IStreamRegistry.sol";
import {vm} from "../util/Vm.sol";
import {RegistryFixture} from "./RegistryFixture.sol";

/// @dev setPermissions, setPermissionsMultipleStreams and their twins for user ids: each item is guarded as the single
/// function is, and the first that is refused reverts everything.
contract BatchesTest is RegistryFixture {
    string private constant BOBS = "0x0000000000000000000000000000000000000b0b/pump";
    address private constant CAROL = address(0xCa01);

    function setUp() public override {
        super.setUp();
        vm.prank(BOB);
        registry.createStream("/pump", "");
    }

    function both(IStreamRegistry.Permission memory p)
        private
        pure
        returns (IStreamRegistry.Permission[][] memory all)
    {
        all = new IStreamRegistry.Permission[][](2);
        all[0] = all[1] = permissions(p, p);
    }

    function both(address a, address b) private pure returns (address[][] memory all) {
        all = new address[][](2);
        all[0] = all[1] = users(a, b);
    }

    function both(bytes memory a, bytes memory b) private pure returns (bytes[][] memory all) {
        all = new bytes[][](2);
        all[0] = all[1] = ids(a, b);
    }

    function test_reverts_if_the_lengths_differ() public {
        vm.startPrank(ALICE);
        expectMismatch(2, 1);
        registry.setPermissions(ID, users(BOB, CAROL), new IStreamRegistry.Permission[](1));
        expectMismatch(2, 3);
        registry.setPermissionsForUserIds(ID, ids("b", "c"), new IStreamRegistry.Permission[](3));
        expectMismatch(2, 1);
        registry.setPermissionsMultipleStreams(strings(ID, ID), new address[][](1), both(none()));
        expectMismatch(2, 3);
        registry.setPermissionsMultipleStreams(
            strings(ID, ID), both(BOB, CAROL), new IStreamRegistry.Permission[][](3)
        );
        expectMismatch(2, 0);
        registry.setPermissionsMultipleStreams(
            strings(ID, ID), both(BOB, CAROL), new IStreamRegistry.Permission[][](2)
        );
        expectMismatch(2, 1);
        registry.setMultipleStreamPermissionsForUserIds(strings(ID, ID), new bytes[][](1), both(none()));
        expectMismatch(2, 3);
        registry.setMultipleStreamPermissionsForUserIds(
            strings(ID, ID), both("b", "c"), new IStreamRegistry.Permission[][](3)
        );
        expectMismatch(2, 0);
        registry.setMultipleStreamPermissionsForUserIds(
            strings(ID, ID), both("b", "c"), new IStreamRegistry.Permission[][](2)
        );
        vm.stopPrank();
    }

    function test_reverts_without_the_grant_permission() public {
        vm.startPrank(BOB);
        expectNotPermitted(BOB, GRANT);
        registry.setPermissions(ID, users(BOB, CAROL), permissions(everything(), everything()));
        expectNotPermitted(BOB, GRANT);
        registry.setPermissionsForUserIds(ID, ids(id(BOB), "c"), permissions(everything(), everything()));
        vm.stopPrank();
    }

    /// @dev Streamr's registry lets anyone set permissions of any stream by setPermissionsMultipleStreams.
    function test_reverts_if_one_of_the_streams_is_anothers() public {
        vm.startPrank(BOB);
        expectNotPermitted(BOB, GRANT);
        registry.setPermissionsMultipleStreams(strings(BOBS, ID), both(BOB, CAROL), both(everything()));
        expectNotPermitted(BOB, GRANT);
        registry.setMultipleStreamPermissionsForUserIds(strings(BOBS, ID), both("b", "c"), both(everything()));
        vm.stopPrank();
        assertSame(registry.getPermissionsForUser(BOBS, CAROL), none());
        assertSame(registry.getPermissionsForUserId(BOBS, "c"), none());
    }

    function test_reverts_if_one_of_the_streams_is_not_there() public {
        vm.startPrank(BOB);
        expectNoSuchStream("none");
        registry.setPermissionsMultipleStreams(strings(BOBS, "none"), both(CAROL, CAROL), both(everything()));
        expectNoSuchStream("none");
        registry.setMultipleStreamPermissionsForUserIds(strings(BOBS, "none"), both("b", "c"), both(everything()));
        vm.stopPrank();
    }

    function test_reverts_if_one_item_is_refused() public {
        vm.startPrank(ALICE);
        vm.expectRevert(IStreamRegistry.OnlyPublishOrSubscribe.selector);
        registry.setPermissions(ID, users(BOB, PUBLIC), permissions(publisher(), everything()));
        vm.expectRevert(IStreamRegistry.OnlyPublishOrSubscribe.selector);
        registry.setPermissionsForUserIds(ID, ids(id(BOB), id(PUBLIC)), permissions(publisher(), everything()));
        vm.expectRevert(IStreamRegistry.EmptyUserId.selector);
        registry.setPermissionsForUserIds(ID, ids(id(BOB), ""), permissions(publisher(), none()));
        vm.stopPrank();
        assertSame(registry.getPermissionsForUser(ID, BOB), none());
    }

    /// @dev The items come one after the other: what one takes from the caller the next does not have.
    function test_reverts_after_the_caller_gave_up_the_grant_permission() public {
        vm.startPrank(ALICE);
        expectNotPermitted(ALICE, GRANT);
        registry.setPermissions(ID, users(ALICE, BOB), permissions(publisher(), publisher()));
        expectNotPermitted(ALICE, GRANT);
        registry.setPermissionsForUserIds(ID, ids(id(ALICE), KEY), permissions(publisher(), publisher()));
        registry.setPermissions(ID, users(BOB, ALICE), permissions(publisher(), publisher()));
        vm.stopPrank();
        assertSame(registry.getPermissionsForUser(ID, ALICE), publisher());
    }

    function test_an_empty_batch_changes_nothing() public {
        vm.prank(BOB);
        registry.setPermissions(ID, new address[](0), new IStreamRegistry.Permission[](0));
        assertSame(registry.getPermissionsForUser(ID, BOB), none());
    }

    function test_sets_each() public {
        vm.startPrank(ALICE);
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdated(ID, BOB, false, false, FOREVER, 0, false);
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdated(ID, CAROL, true, true, FOREVER, FOREVER, true);
        registry.setPermissions(ID, users(BOB, CAROL), permissions(publisher(), everything()));
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdatedForUserId(ID, KEY, false, false, FOREVER, 0, false);
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdated(ID, BOB, true, true, FOREVER, FOREVER, true);
        registry.setPermissionsForUserIds(ID, ids(KEY, id(BOB)), permissions(publisher(), everything()));
        vm.stopPrank();
        assertSame(registry.getPermissionsForUser(ID, BOB), everything());
        assertSame(registry.getPermissionsForUser(ID, CAROL), everything());
        assertSame(registry.getPermissionsForUserId(ID, KEY), publisher());
    }

    function test_sets_each_of_several_streams() public {
        vm.prank(ALICE);
        registry.grantPermission(ID, BOB, GRANT);
        vm.startPrank(BOB);
        registry.setPermissionsMultipleStreams(strings(ID, BOBS), both(CAROL, PUBLIC), both(publisher()));
        registry.setMultipleStreamPermissionsForUserIds(strings(ID, BOBS), both(KEY, "c"), both(everything()));
        vm.stopPrank();
        string[] memory streams = strings(ID, BOBS);
        for (uint256 i = 0; i < 2; ++i) {
            assertSame(registry.getDirectPermissionsForUser(streams[i], CAROL), publisher());
            assertSame(registry.getDirectPermissionsForUser(streams[i], PUBLIC), publisher());
            assertSame(registry.getDirectPermissionsForUserId(streams[i], KEY), everything());
            assertSame(registry.getDirectPermissionsForUserId(streams[i], "c"), everything());
        }
    }

    function test_gas_set_permissions() public {
        vm.startPrank(ALICE);
        registry.setPermissions(ID, users(BOB, CAROL), permissions(publisher(), everything()));
        vm.snapshotGasLastCall("registry", "setPermissions, 2 users");
        registry.setPermissionsForUserIds(ID, ids(KEY, "c"), permissions(publisher(), everything()));
        vm.snapshotGasLastCall("registry", "setPermissionsForUserIds, 2 users");
        vm.stopPrank();
    }
}
