// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStreamRegistry} from "../../src/interfaces/IStreamRegistry.sol";
import {vm} from "../util/Vm.sol";

/// @dev The registry stands alone, so its tests deploy it alone. ALICE has created one stream.
abstract contract RegistryFixture {
    uint256 internal constant NOW = 1_000_000;
    uint256 internal constant FOREVER = type(uint256).max;
    address internal constant ALICE = address(0xA11ce);
    address internal constant BOB = address(0xB0b);
    address internal constant PUBLIC = address(0);
    string internal constant ID = "0x00000000000000000000000000000000000a11ce/machine";
    string internal constant METADATA = '{"partitions":3}';
    /// @dev A user of another key type: 33 bytes.
    bytes internal constant KEY = hex"02a1633cafcc01ebfb6d78e39f687a1f0995c62fc95f51ead10a02ee0be551b5dc";
    IStreamRegistry.PermissionType internal constant EDIT = IStreamRegistry.PermissionType.Edit;
    IStreamRegistry.PermissionType internal constant DELETE = IStreamRegistry.PermissionType.Delete;
    IStreamRegistry.PermissionType internal constant PUBLISH = IStreamRegistry.PermissionType.Publish;
    IStreamRegistry.PermissionType internal constant SUBSCRIBE = IStreamRegistry.PermissionType.Subscribe;
    IStreamRegistry.PermissionType internal constant GRANT = IStreamRegistry.PermissionType.Grant;

    IStreamRegistry internal registry;

    function setUp() public virtual {
        vm.warp(NOW);
        bytes memory code = vm.parseJsonBytes(vm.readFile("artifacts/StreamRegistry.json"), ".bytecode");
        address created;
        assembly {
            created := create(0, add(code, 0x20), mload(code))
        }
        registry = IStreamRegistry(created);
        vm.prank(ALICE);
        registry.createStream("/machine", METADATA);
    }

    function expectNotPermitted(address who, IStreamRegistry.PermissionType what) internal {
        vm.expectRevert(abi.encodeWithSelector(IStreamRegistry.NotPermitted.selector, who, what));
    }

    function expectNoSuchStream(string memory streamId) internal {
        vm.expectRevert(abi.encodeWithSelector(IStreamRegistry.NoSuchStream.selector, streamId));
    }

    function expectTooLong(uint256 length, uint256 limit) internal {
        vm.expectRevert(abi.encodeWithSelector(IStreamRegistry.TooLong.selector, length, limit));
    }

    function expectMismatch(uint256 expected, uint256 found) internal {
        vm.expectRevert(abi.encodeWithSelector(IStreamRegistry.LengthMismatch.selector, expected, found));
    }

    /// @dev An address as a user id.
    function id(address user) internal pure returns (bytes memory) {
        return abi.encodePacked(user);
    }

    function none() internal pure returns (IStreamRegistry.Permission memory p) {}

    function everything() internal pure returns (IStreamRegistry.Permission memory) {
        return IStreamRegistry.Permission(true, true, FOREVER, FOREVER, true);
    }

    function publisher() internal pure returns (IStreamRegistry.Permission memory) {
        return IStreamRegistry.Permission(false, false, FOREVER, 0, false);
    }

    function assertSame(IStreamRegistry.Permission memory a, IStreamRegistry.Permission memory b) internal pure {
        vm.assertEq(a.canEdit, b.canEdit);
        vm.assertEq(a.canDelete, b.canDelete);
        vm.assertEq(a.publishExpiration, b.publishExpiration);
        vm.assertEq(a.subscribeExpiration, b.subscribeExpiration);
        vm.assertEq(a.canGrant, b.canGrant);
    }

    // ---- batches of two

    function users(address a, address b) internal pure returns (address[] memory both) {
        both = new address[](2);
        (both[0], both[1]) = (a, b);
    }

    function ids(bytes memory a, bytes memory b) internal pure returns (bytes[] memory both) {
        both = new bytes[](2);
        (both[0], both[1]) = (a, b);
    }

    function strings(string memory a, string memory b) internal pure returns (string[] memory both) {
        both = new string[](2);
        (both[0], both[1]) = (a, b);
    }

    function permissions(IStreamRegistry.Permission memory a, IStreamRegistry.Permission memory b)
        internal
        pure
        returns (IStreamRegistry.Permission[] memory both)
    {
        both = new IStreamRegistry.Permission[](2);
        (both[0], both[1]) = (a, b);
    }
}
