// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStreamRegistry} from "../../src/interfaces/IStreamRegistry.sol";
import {vm} from "../util/Vm.sol";
import {RegistryFixture} from "./RegistryFixture.sol";

/// @dev Random calls by a few users on one stream, each predicted by a model that keeps a plain list of permissions
/// without packing, keys or versions. Whether the call is refused, and every permission afterwards, must agree.
contract ModelTest is RegistryFixture {
    struct Model {
        bool edit;
        bool del;
        uint256 publish;
        uint256 subscribe;
        bool grant;
    }

    uint256 private constant USERS = 5;
    Model[USERS] private model;
    bool private alive;

    /// @dev The public, three addresses, and bytes that are none.
    function user(uint256 i) private pure returns (bytes memory) {
        if (i == 0) return id(PUBLIC);
        if (i == 1) return id(ALICE);
        return i == 4 ? KEY : id(address(uint160(i)));
    }

    function caller(uint256 seed) private pure returns (uint256) {
        return 1 + seed % 3;
    }

    function setUp() public override {
        super.setUp();
        model[1] = Model(true, true, FOREVER, FOREVER, true);
        alive = true;
    }

    function testFuzz_the_registry_does_what_a_plain_list_would(uint256[24] calldata seeds) public {
        for (uint256 i = 0; i < seeds.length; ++i) {
            step(seeds[i]);
            compare();
        }
    }

    function step(uint256 seed) private {
        (uint256 kind, uint256 from, uint256 to) = (seed % 8, caller(seed >> 8), (seed >> 16) % USERS);
        IStreamRegistry.PermissionType what = IStreamRegistry.PermissionType((seed >> 24) % 5);
        uint256 time = expiration(seed >> 32);
        bool granted = alive && model[from].grant;
        bool done;
        if (kind == 0) {
            done = attempt(from, abi.encodeCall(registry.grantPermissionForUserId, (ID, user(to), what)));
            vm.assertEq(done, granted && to != 0);
            if (done) put(to, what, FOREVER);
        } else if (kind == 1) {
            done = attempt(from, abi.encodeCall(registry.revokePermissionForUserId, (ID, user(to), what)));
            vm.assertEq(done, (granted || (alive && from == to)) && to != 0);
            if (done) put(to, what, 0);
        } else if (kind == 2) {
            done = attempt(from, abi.encodeCall(registry.revokeAllPermissionsForUserId, (ID, user(to))));
            vm.assertEq(done, granted || (alive && from == to));
            if (done) delete model[to];
        } else if (kind == 3) {
            done = attempt(from, abi.encodeCall(registry.setExpirationTimeForUserId, (ID, user(to), what, time)));
            vm.assertEq(done, granted && (what == PUBLISH || what == SUBSCRIBE));
            if (done) put(to, what, time);
        } else if (kind == 4) {
            done = attempt(from, abi.encodeCall(registry.grantPublicPermission, (ID, what)));
            vm.assertEq(done, granted && (what == PUBLISH || what == SUBSCRIBE));
            if (done) put(0, what, FOREVER);
        } else if (kind == 5) {
            batch(seed, from, to, granted);
        } else if (kind == 6) {
            recreate(seed, from);
        } else {
            vm.warp(block.timestamp + (seed >> 40) % 20);
        }
    }

    /// @dev Two items in a row, so that the second is judged by what the first left.
    function batch(uint256 seed, uint256 from, uint256 to, bool granted) private {
        uint256 next = (to + 1) % USERS;
        Model memory first =
            Model(seed >> 50 & 1 == 1, seed >> 51 & 1 == 1, expiration(seed >> 52), 0, seed >> 53 & 1 == 1);
        Model memory second = Model(false, false, 0, expiration(seed >> 60), seed >> 61 & 1 == 1);
        bytes memory data = abi.encodeCall(
            registry.setPermissionsForUserIds,
            (ID, ids(user(to), user(next)), permissions(permission(first), permission(second)))
        );
        bool done = attempt(from, data);
        bool stillGranted = to == from ? first.grant : true;
        bool publicFits = (to != 0 || !(first.edit || first.del || first.grant)) && (next != 0 || !second.grant);
        vm.assertEq(done, granted && stillGranted && publicFits);
        if (done) (model[to], model[next]) = (first, second);
    }

    /// @dev Everything is forgotten but what the creator has anew.
    function recreate(uint256 seed, uint256 from) private {
        if (alive) {
            bool done = attempt(from, abi.encodeCall(registry.deleteStream, (ID)));
            vm.assertEq(done, model[from].del);
            if (!done) return;
            delete model;
            alive = false;
        }
        if (seed >> 70 & 1 == 1) return;
        vm.prank(ALICE);
        registry.createStream("/machine", METADATA);
        model[1] = Model(true, true, FOREVER, FOREVER, true);
        alive = true;
    }

    function attempt(uint256 from, bytes memory data) private returns (bool success) {
        vm.prank(address(bytes20(user(from))));
        (success,) = address(registry).call(data);
    }

    /// @dev Around now, never, for good.
    function expiration(uint256 seed) private view returns (uint256) {
        uint256 choice = seed % 4;
        if (choice == 0) return 0;
        if (choice == 1) return FOREVER;
        return block.timestamp + (seed >> 2) % 16 - 8;
    }

    function permission(Model memory m) private pure returns (IStreamRegistry.Permission memory) {
        return IStreamRegistry.Permission(m.edit, m.del, m.publish, m.subscribe, m.grant);
    }

    function put(uint256 who, IStreamRegistry.PermissionType what, uint256 time) private {
        if (what == EDIT) model[who].edit = time > 0;
        if (what == DELETE) model[who].del = time > 0;
        if (what == PUBLISH) model[who].publish = time;
        if (what == SUBSCRIBE) model[who].subscribe = time;
        if (what == GRANT) model[who].grant = time > 0;
    }

    function compare() private view {
        vm.assertEq(registry.exists(ID), alive);
        if (!alive) return;
        for (uint256 i = 0; i < USERS; ++i) {
            assertSame(registry.getDirectPermissionsForUserId(ID, user(i)), permission(model[i]));
            if (i == 4) continue;
            address account = address(bytes20(user(i)));
            bool publishes = model[i].publish >= block.timestamp || model[0].publish >= block.timestamp;
            vm.assertEq(registry.hasPermission(ID, account, PUBLISH), publishes);
            bool subscribes = model[i].subscribe >= block.timestamp || model[0].subscribe >= block.timestamp;
            vm.assertEq(registry.hasPermission(ID, account, SUBSCRIBE), subscribes);
            vm.assertEq(registry.hasPermission(ID, account, GRANT), model[i].grant);
        }
    }
}
