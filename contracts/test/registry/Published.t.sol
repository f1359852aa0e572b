// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStreamRegistry} from "../../src/interfaces/IStreamRegistry.sol";
import {vm} from "../util/Vm.sol";
import {RegistryFixture} from "./RegistryFixture.sol";

/// @dev What was written for Streamr's registry works with this one: the deployed artifact is called with the function
/// signatures that Streamr publishes (StreamRegistryV5_1 of streamr-dev/network-contracts), spelled out rather than
/// taken from our interface. All of its functions are here but those of ENS, roles, the forwarder and upgrades.
contract PublishedTest is RegistryFixture {
    function call(address sender, bytes memory data) private returns (bytes memory answer) {
        bool success;
        vm.prank(sender);
        (success, answer) = address(registry).call(data);
        vm.assertTrue(success);
    }

    function read(bytes memory data) private view returns (bytes memory answer) {
        bool success;
        (success, answer) = address(registry).staticcall(data);
        vm.assertTrue(success);
    }

    function yes(bytes memory data) private view {
        vm.assertTrue(abi.decode(read(data), (bool)));
    }

    function no(bytes memory data) private view {
        vm.assertFalse(abi.decode(read(data), (bool)));
    }

    function reads(bytes memory data, bool edit, bool del, uint256 publish, uint256 subscribe, bool grant)
        private
        view
    {
        bytes memory answer = read(data);
        vm.assertEq(answer.length, 160);
        vm.assertEq(keccak256(answer), keccak256(abi.encode(edit, del, publish, subscribe, grant)));
    }

    function addressRead(address user) private pure returns (bytes memory) {
        return abi.encodeWithSignature("getPermissionsForUser(string,address)", ID, user);
    }

    function idRead(bytes memory user) private pure returns (bytes memory) {
        return abi.encodeWithSignature("getPermissionsForUserId(string,bytes)", ID, user);
    }

    function test_streams() public {
        call(BOB, abi.encodeWithSignature("createStream(string,string)", "/pump", METADATA));
        string memory pump = "0x0000000000000000000000000000000000000b0b/pump";
        yes(abi.encodeWithSignature("exists(string)", pump));
        no(abi.encodeWithSignature("exists(string)", "0x0000000000000000000000000000000000000b0b/other"));
        call(BOB, abi.encodeWithSignature("updateStreamMetadata(string,string)", pump, "{}"));
        bytes memory metadata = read(abi.encodeWithSignature("getStreamMetadata(string)", pump));
        vm.assertEq(abi.decode(metadata, (string)), "{}");
        metadata = read(abi.encodeWithSignature("streamIdToMetadata(string)", pump));
        vm.assertEq(abi.decode(metadata, (string)), "{}");
        bytes memory owner = read(abi.encodeWithSignature("addressToString(address)", BOB));
        vm.assertEq(string.concat(abi.decode(owner, (string)), "/pump"), pump);
        call(BOB, abi.encodeWithSignature("deleteStream(string)", pump));
        no(abi.encodeWithSignature("exists(string)", pump));
        call(BOB, abi.encodeWithSignature("createStream(string,string)", "/pump", METADATA));
        bytes memory version = read(abi.encodeWithSignature("streamIdToVersion(string)", pump));
        vm.assertEq(abi.decode(version, (uint32)), 2);
    }

    function test_permissions_of_addresses() public {
        for (uint8 p = 0; p < 5; ++p) {
            yes(abi.encodeWithSignature("hasPermission(string,address,uint8)", ID, ALICE, p));
            no(abi.encodeWithSignature("hasPermission(string,address,uint8)", ID, BOB, p));
        }
        call(ALICE, abi.encodeWithSignature("grantPermission(string,address,uint8)", ID, BOB, uint8(0)));
        reads(addressRead(BOB), true, false, 0, 0, false);
        call(ALICE, abi.encodeWithSignature("grantPermission(string,address,uint8)", ID, BOB, uint8(2)));
        reads(addressRead(BOB), true, false, FOREVER, 0, false);
        call(ALICE, abi.encodeWithSignature("revokePermission(string,address,uint8)", ID, BOB, uint8(0)));
        reads(addressRead(BOB), false, false, FOREVER, 0, false);
        call(ALICE, abi.encodeWithSignature("setExpirationTime(string,address,uint8,uint256)", ID, BOB, 3, NOW + 9));
        reads(addressRead(BOB), false, false, FOREVER, NOW + 9, false);
        string memory set = "setPermissionsForUser(string,address,bool,bool,uint256,uint256,bool)";
        call(ALICE, abi.encodeWithSignature(set, ID, BOB, false, true, NOW, NOW + 1, true));
        reads(addressRead(BOB), false, true, NOW, NOW + 1, true);
        call(BOB, abi.encodeWithSignature("revokeAllPermissionsForUser(string,address)", ID, ALICE));
        reads(addressRead(ALICE), false, false, 0, 0, false);
    }

    function test_permissions_of_the_public() public {
        bytes memory direct = abi.encodeWithSignature("getDirectPermissionsForUser(string,address)", ID, BOB);
        call(ALICE, abi.encodeWithSignature("grantPublicPermission(string,uint8)", ID, uint8(3)));
        yes(abi.encodeWithSignature("hasPublicPermission(string,uint8)", ID, uint8(3)));
        yes(abi.encodeWithSignature("hasPermission(string,address,uint8)", ID, BOB, uint8(3)));
        no(abi.encodeWithSignature("hasDirectPermission(string,address,uint8)", ID, BOB, uint8(3)));
        reads(addressRead(BOB), false, false, 0, FOREVER, false);
        reads(direct, false, false, 0, 0, false);
        call(ALICE, abi.encodeWithSignature("setPublicPermission(string,uint256,uint256)", ID, NOW, FOREVER));
        reads(addressRead(BOB), false, false, NOW, FOREVER, false);
        call(ALICE, abi.encodeWithSignature("revokePublicPermission(string,uint8)", ID, uint8(3)));
        reads(addressRead(BOB), false, false, NOW, 0, false);
    }

    function test_permissions_of_user_ids() public {
        call(ALICE, abi.encodeWithSignature("grantPermissionForUserId(string,bytes,uint8)", ID, KEY, uint8(2)));
        reads(idRead(KEY), false, false, FOREVER, 0, false);
        string memory expire = "setExpirationTimeForUserId(string,bytes,uint8,uint256)";
        call(ALICE, abi.encodeWithSignature(expire, ID, KEY, uint8(3), NOW + 9));
        reads(idRead(KEY), false, false, FOREVER, NOW + 9, false);
        call(ALICE, abi.encodeWithSignature("revokePermissionForUserId(string,bytes,uint8)", ID, KEY, uint8(2)));
        reads(idRead(KEY), false, false, 0, NOW + 9, false);
        bytes memory direct = abi.encodeWithSignature("getDirectPermissionsForUserId(string,bytes)", ID, KEY);
        reads(direct, false, false, 0, NOW + 9, false);
        call(ALICE, abi.encodeWithSignature("revokeAllPermissionsForUserId(string,bytes)", ID, KEY));
        reads(idRead(KEY), false, false, 0, 0, false);
    }

    function test_batches() public {
        IStreamRegistry.Permission[] memory what = permissions(publisher(), everything());
        string memory s = "setPermissions(string,address[],(bool,bool,uint256,uint256,bool)[])";
        call(ALICE, abi.encodeWithSignature(s, ID, users(PUBLIC, BOB), what));
        reads(addressRead(BOB), true, true, FOREVER, FOREVER, true);
        s = "setPermissionsForUserIds(string,bytes[],(bool,bool,uint256,uint256,bool)[])";
        call(ALICE, abi.encodeWithSignature(s, ID, ids("c", KEY), what));
        reads(idRead(KEY), true, true, FOREVER, FOREVER, true);

        string[] memory streams = new string[](1);
        streams[0] = ID;
        IStreamRegistry.Permission[][] memory whats = new IStreamRegistry.Permission[][](1);
        whats[0] = permissions(publisher(), none());
        address[][] memory who = new address[][](1);
        who[0] = users(PUBLIC, BOB);
        bytes[][] memory whoIds = new bytes[][](1);
        whoIds[0] = ids("c", KEY);
        s = "setPermissionsMultipleStreams(string[],address[][],(bool,bool,uint256,uint256,bool)[][])";
        call(ALICE, abi.encodeWithSignature(s, streams, who, whats));
        reads(addressRead(BOB), false, false, FOREVER, 0, false);
        s = "setMultipleStreamPermissionsForUserIds(string[],bytes[][],(bool,bool,uint256,uint256,bool)[][])";
        call(ALICE, abi.encodeWithSignature(s, streams, whoIds, whats));
        reads(idRead(KEY), false, false, FOREVER, 0, false);

        s = "createStreamWithPermissions(string,string,address[],(bool,bool,uint256,uint256,bool)[])";
        call(ALICE, abi.encodeWithSignature(s, "/pump", METADATA, who[0], what));
        string memory pump = "0x00000000000000000000000000000000000a11ce/pump";
        yes(abi.encodeWithSignature("hasPermission(string,address,uint8)", pump, BOB, uint8(4)));
        streams[0] = "/lathe";
        s = "createMultipleStreamsWithPermissions"
            "(string[],string[],address[][],(bool,bool,uint256,uint256,bool)[][])";
        call(ALICE, abi.encodeWithSignature(s, streams, new string[](1), who, whats));
        string memory lathe = "0x00000000000000000000000000000000000a11ce/lathe";
        yes(abi.encodeWithSignature("hasPublicPermission(string,uint8)", lathe, uint8(2)));
    }

    /// @dev The formulas are Streamr's too, so that keys computed off chain are right.
    function test_keys() public {
        call(ALICE, abi.encodeWithSignature("setPublicPermission(string,uint256,uint256)", ID, NOW, FOREVER));
        bytes32 key = abi.decode(read(abi.encodeWithSignature("getAddressKey(string,address)", ID, ALICE)), (bytes32));
        vm.assertEq(key, keccak256(abi.encode(uint256(1), ALICE)));
        bytes memory permissionsOf = abi.encodeWithSignature("streamIdToPermissions(string,bytes32)", ID, key);
        reads(permissionsOf, true, true, FOREVER, FOREVER, true);
        key = abi.decode(
            read(abi.encodeWithSignature("streamIdToPublicPermissionUserKey(string)", ID)), (bytes32)
        );
        permissionsOf = abi.encodeWithSignature("streamIdToPermissions(string,bytes32)", ID, key);
        reads(permissionsOf, false, false, NOW, FOREVER, false);
        key = abi.decode(read(abi.encodeWithSignature("getUserKeyForUserId(string,bytes)", ID, KEY)), (bytes32));
        vm.assertEq(key, keccak256(abi.encodePacked(uint256(1), bytes12(0), KEY)));
        vm.assertEq(abi.decode(read(abi.encodeWithSignature("MAX_INT()")), (uint256)), FOREVER);
    }

    /// @dev As in Streamr's: no stream, no permission, but no error either.
    function test_has_is_false_without_the_stream() public view {
        no(abi.encodeWithSignature("hasPermission(string,address,uint8)", "none", ALICE, uint8(2)));
        no(abi.encodeWithSignature("hasDirectPermission(string,address,uint8)", "none", ALICE, uint8(2)));
        no(abi.encodeWithSignature("hasPublicPermission(string,uint8)", "none", uint8(3)));
    }

    function test_the_events_are_streamrs() public pure {
        vm.assertEq(IStreamRegistry.StreamCreated.selector, keccak256("StreamCreated(string,string)"));
        vm.assertEq(IStreamRegistry.StreamUpdated.selector, keccak256("StreamUpdated(string,string)"));
        vm.assertEq(IStreamRegistry.StreamDeleted.selector, keccak256("StreamDeleted(string)"));
        vm.assertEq(
            IStreamRegistry.PermissionUpdated.selector,
            keccak256("PermissionUpdated(string,address,bool,bool,uint256,uint256,bool)")
        );
        vm.assertEq(
            IStreamRegistry.PermissionUpdatedForUserId.selector,
            keccak256("PermissionUpdatedForUserId(string,bytes,bool,bool,uint256,uint256,bool)")
        );
    }
}
