// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStreamRegistry} from "../../src/interfaces/IStreamRegistry.sol";
import {vm} from "../util/Vm.sol";
import {RegistryFixture} from "./RegistryFixture.sol";

/// @dev createStream, createStreamWithPermissions, createMultipleStreamsWithPermissions.
contract CreateTest is RegistryFixture {
    string private constant PUMP = "0x00000000000000000000000000000000000a11ce/pump";
    string private constant LATHE = "0x00000000000000000000000000000000000a11ce/lathe";

    function expectInvalid(string memory path) private {
        vm.expectRevert(abi.encodeWithSelector(IStreamRegistry.InvalidPath.selector, path));
    }

    function test_reverts_if_the_path_is_empty_or_only_a_slash() public {
        expectInvalid("");
        registry.createStream("", "");
        expectInvalid("/");
        registry.createStream("/", "");
    }

    function test_reverts_if_the_path_does_not_begin_with_a_slash() public {
        expectInvalid("machine");
        registry.createStream("machine", "");
    }

    /// @dev Against Streamr's rule, written out here character by character.
    function test_reverts_if_and_only_if_a_character_is_not_of_streamrs() public {
        for (uint256 c = 0; c < 256; ++c) {
            bool valid = (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a)
                || c == 0x2d || c == 0x2e || c == 0x2f || c == 0x5f;
            string memory path = string(bytes.concat("/a", bytes1(uint8(c)), "b"));
            if (!valid) expectInvalid(path);
            registry.createStream(path, "");
        }
    }

    function test_reverts_if_the_id_is_too_long() public {
        bytes memory path = new bytes(215);
        for (uint256 i = 0; i < 215; ++i) {
            path[i] = "/";
        }
        expectTooLong(257, 256);
        registry.createStream(string(path), "");
        assembly {
            mstore(path, 214)
        }
        registry.createStream(string(path), "");
        vm.assertTrue(registry.exists(string.concat(registry.addressToString(address(this)), string(path))));
    }

    function test_reverts_if_the_metadata_is_too_long() public {
        expectTooLong(4097, 4096);
        registry.createStream("/a", string(new bytes(4097)));
        registry.createStream("/a", string(new bytes(4096)));
    }

    function test_reverts_if_the_stream_exists() public {
        vm.expectRevert(abi.encodeWithSelector(IStreamRegistry.StreamExists.selector, ID));
        vm.prank(ALICE);
        registry.createStream("/machine", "");
    }

    function test_the_creator_may_everything_and_nobody_else_anything() public {
        vm.expectEmit(address(registry));
        emit IStreamRegistry.StreamCreated(PUMP, METADATA);
        vm.expectEmit(address(registry));
        emit IStreamRegistry.PermissionUpdated(PUMP, ALICE, true, true, FOREVER, FOREVER, true);
        vm.prank(ALICE);
        registry.createStream("/pump", METADATA);
        vm.assertTrue(registry.exists(PUMP));
        vm.assertEq(registry.getStreamMetadata(PUMP), METADATA);
        vm.assertEq(registry.streamIdToVersion(PUMP), 1);
        assertSame(registry.getPermissionsForUser(PUMP, ALICE), everything());
        assertSame(registry.getPermissionsForUser(PUMP, BOB), none());
    }

    function test_a_stream_may_have_no_metadata() public {
        vm.prank(ALICE);
        registry.createStream("/pump", "");
        vm.assertTrue(registry.exists(PUMP));
        vm.assertEq(registry.getStreamMetadata(PUMP), "");
    }

    function test_addresses_are_lower_case_hex() public view {
        address user = 0x00Abcdef0123456789abcDef0123456789ABcDef;
        vm.assertEq(registry.addressToString(user), "0x00abcdef0123456789abcdef0123456789abcdef");
    }

    function test_with_permissions_reverts_if_the_lengths_differ() public {
        expectMismatch(2, 1);
        registry.createStreamWithPermissions(
            "/pump", "", users(BOB, PUBLIC), new IStreamRegistry.Permission[](1)
        );
    }

    function test_with_permissions_reverts_if_the_public_gets_too_much() public {
        vm.expectRevert(IStreamRegistry.OnlyPublishOrSubscribe.selector);
        registry.createStreamWithPermissions("/pump", "", users(BOB, PUBLIC), permissions(publisher(), everything()));
    }

    function test_with_permissions_sets_them() public {
        vm.prank(ALICE);
        registry.createStreamWithPermissions(
            "/pump", METADATA, users(BOB, PUBLIC), permissions(everything(), publisher())
        );
        assertSame(registry.getDirectPermissionsForUser(PUMP, ALICE), everything());
        assertSame(registry.getDirectPermissionsForUser(PUMP, BOB), everything());
        assertSame(registry.getDirectPermissionsForUser(PUMP, PUBLIC), publisher());
    }

    /// @dev As with setPermissions: whoever gives up the grant permission can give nothing after it.
    function test_with_permissions_the_creators_own_come_into_force_at_once() public {
        expectNotPermitted(ALICE, GRANT);
        vm.prank(ALICE);
        registry.createStreamWithPermissions(
            "/pump", "", users(ALICE, BOB), permissions(publisher(), publisher())
        );
        vm.prank(ALICE);
        registry.createStreamWithPermissions(
            "/pump", "", users(BOB, ALICE), permissions(publisher(), publisher())
        );
        assertSame(registry.getPermissionsForUser(PUMP, ALICE), publisher());
    }

    function several() private pure returns (address[][] memory who, IStreamRegistry.Permission[][] memory what) {
        (who, what) = (new address[][](2), new IStreamRegistry.Permission[][](2));
        who[0] = users(BOB, PUBLIC);
        what[0] = permissions(everything(), publisher());
    }

    function test_multiple_reverts_if_the_lengths_differ() public {
        (address[][] memory who, IStreamRegistry.Permission[][] memory what) = several();
        string[] memory two = strings("/pump", "/lathe");
        expectMismatch(2, 1);
        registry.createMultipleStreamsWithPermissions(two, new string[](1), who, what);
        expectMismatch(2, 3);
        registry.createMultipleStreamsWithPermissions(two, two, new address[][](3), what);
        expectMismatch(2, 0);
        registry.createMultipleStreamsWithPermissions(two, two, who, new IStreamRegistry.Permission[][](0));
    }

    function test_multiple_reverts_with_the_error_of_the_one_that_fails() public {
        (address[][] memory who, IStreamRegistry.Permission[][] memory what) = several();
        vm.expectRevert(abi.encodeWithSelector(IStreamRegistry.StreamExists.selector, ID));
        vm.prank(ALICE);
        registry.createMultipleStreamsWithPermissions(strings("/pump", "/machine"), strings("", ""), who, what);
        vm.assertFalse(registry.exists(PUMP));
        expectInvalid("lathe");
        registry.createMultipleStreamsWithPermissions(strings("/pump", "lathe"), strings("", ""), who, what);
        (who[1], what[1]) = (users(PUBLIC, BOB), what[0]);
        vm.expectRevert(IStreamRegistry.OnlyPublishOrSubscribe.selector);
        registry.createMultipleStreamsWithPermissions(strings("/pump", "/lathe"), strings("", ""), who, what);
    }

    function test_multiple_creates_each() public {
        (address[][] memory who, IStreamRegistry.Permission[][] memory what) = several();
        vm.prank(ALICE);
        registry.createMultipleStreamsWithPermissions(strings("/pump", "/lathe"), strings("p", "l"), who, what);
        vm.assertEq(registry.getStreamMetadata(PUMP), "p");
        vm.assertEq(registry.getStreamMetadata(LATHE), "l");
        assertSame(registry.getDirectPermissionsForUser(PUMP, BOB), everything());
        assertSame(registry.getDirectPermissionsForUser(PUMP, PUBLIC), publisher());
        assertSame(registry.getDirectPermissionsForUser(LATHE, BOB), none());
        assertSame(registry.getDirectPermissionsForUser(LATHE, ALICE), everything());
    }

    function test_gas_create() public {
        vm.prank(ALICE);
        registry.createStream("/pump", METADATA);
        vm.snapshotGasLastCall("registry", "createStream");
    }

    function test_gas_create_with_permissions() public {
        vm.prank(ALICE);
        registry.createStreamWithPermissions(
            "/pump", METADATA, users(BOB, PUBLIC), permissions(everything(), publisher())
        );
        vm.snapshotGasLastCall("registry", "createStreamWithPermissions, 2 users");
    }
}
