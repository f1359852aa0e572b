// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Bn254} from "../../src/libraries/Bn254.sol";
import {StakeHistory} from "../../src/libraries/StakeHistory.sol";
import {vm} from "../util/Vm.sol";

/// @dev Against a model that writes out every epoch. The key with secret `s` is `s` times the generator, so the model
/// adds secrets where the library adds points.
contract StakeHistoryTest {
    using StakeHistory for StakeHistory.State;

    uint64 private constant EPOCHS = 48;
    uint64 private constant OPERATORS = 4;

    StakeHistory.State private history;
    uint32[OPERATORS + 1] private points;
    uint256[2][OPERATORS + 1] private keys;

    // The model, by operator and epoch.
    uint256[EPOCHS][OPERATORS + 1] private units;
    uint256[EPOCHS][OPERATORS + 1] private secrets;
    uint256[OPERATORS + 1] private secret;
    uint64 private firstChange;

    function keyOf(uint256 s) private view returns (uint256[2] memory) {
        return Bn254.mul(Bn254.generator(), s);
    }

    function pointAt(uint64 id, uint64 epoch) private view returns (uint256 point) {
        point = history.latest(id);
        if (StakeHistory.epochOf(point) > epoch) point = history.before(id, points[id], epoch);
    }

    function begin(uint64 id) private {
        secret[id] = 100 * id;
        keys[id] = keyOf(secret[id]);
        points[id] = 1;
        history.begin(id, keys[id]);
        for (uint64 epoch = 0; epoch < EPOCHS; ++epoch) {
            secrets[id][epoch] = secret[id];
        }
    }

    function setWeight(uint64 id, uint64 epoch, uint256 weight) private {
        if (firstChange == 0) firstChange = epoch;
        points[id] = history.setWeight(id, points[id], epoch, weight, keys[id]);
        for (uint64 e = epoch; e < EPOCHS; ++e) {
            units[id][e] = weight;
        }
    }

    function setKey(uint64 id, uint64 epoch) private {
        secret[id] += 1;
        uint256[2] memory key = keyOf(secret[id]);
        points[id] = history.setKey(id, points[id], epoch, keys[id], key);
        keys[id] = key;
        for (uint64 e = epoch; e < EPOCHS; ++e) {
            secrets[id][e] = secret[id];
        }
    }

    function compare() private view {
        for (uint64 epoch = 0; epoch < EPOCHS; ++epoch) {
            (uint256 total, uint256 count, uint256 sum) = (0, 0, 0);
            for (uint64 id = 1; id <= OPERATORS; ++id) {
                uint256 point = pointAt(id, epoch);
                uint256 weight = units[id][epoch];
                vm.assertEq(StakeHistory.weightOf(point), weight * StakeHistory.UNIT);
                if (weight == 0) continue;
                vm.assertTrue(StakeHistory.hasKey(point, keyOf(secrets[id][epoch])));
                vm.assertFalse(StakeHistory.hasKey(point, keyOf(secrets[id][epoch] + 1)));
                total += weight * StakeHistory.UNIT;
                count += 1;
                sum += secrets[id][epoch];
            }
            (StakeHistory.Members memory set, bytes32 keyHash) = history.setAt(epoch);
            vm.assertEq(set.total, total);
            vm.assertEq(set.count, count);
            vm.assertLe(set.fromEpoch, epoch);
            bool any = firstChange != 0 && epoch >= firstChange;
            vm.assertEq(keyHash, any ? keccak256(abi.encode(keyOf(sum))) : bytes32(0));
        }
    }

    function testFuzz_every_epoch_reads_as_a_model_does(uint256 seed) public {
        for (uint64 id = 1; id <= OPERATORS; ++id) {
            begin(id);
        }
        uint64 epoch = 2;
        for (uint256 step = 0; step < 30; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint64 id = uint64(seed % OPERATORS) + 1;
            epoch += uint64((seed >> 16) % 4 == 0 ? (seed >> 24) % 3 : 0);
            uint256 weight = (seed >> 32) % 3 == 0 ? 0 : (seed >> 40) % StakeHistory.MAX_UNITS;
            if ((seed >> 96) % 5 == 0) setKey(id, epoch);
            else if (weight != units[id][EPOCHS - 1]) setWeight(id, epoch, weight);
        }
        compare();
    }

    /// @dev A long line is searched, not walked: the read of an old epoch costs tens of slots, not hundreds.
    function test_an_old_epoch_is_found_in_a_long_line() public {
        begin(1);
        for (uint64 epoch = 2; epoch < 600; ++epoch) {
            points[1] = history.setWeight(1, points[1], epoch, epoch, keys[1]);
        }
        vm.assertEq(points[1], 598);
        for (uint64 epoch = 2; epoch < 600; epoch += 13) {
            uint256 before = gasleft();
            uint256 point = pointAt(1, epoch);
            vm.assertLe(before - gasleft(), 60_000);
            vm.assertEq(StakeHistory.weightOf(point), epoch * StakeHistory.UNIT);
            (StakeHistory.Members memory set,) = history.setAt(epoch);
            vm.assertEq(set.total, epoch * StakeHistory.UNIT);
            vm.assertEq(set.fromEpoch, epoch);
        }
    }

    function test_the_greatest_weights_fit() public {
        begin(1);
        begin(2);
        setWeight(1, 2, StakeHistory.MAX_UNITS);
        setWeight(2, 2, StakeHistory.MAX_UNITS);
        setWeight(2, 3, StakeHistory.MAX_UNITS - 1);
        compareTwo();
    }

    function compareTwo() private view {
        uint256 most = StakeHistory.MAX_UNITS * StakeHistory.UNIT;
        vm.assertEq(StakeHistory.weightOf(pointAt(2, 2)), most);
        vm.assertEq(StakeHistory.weightOf(pointAt(2, 3)), most - StakeHistory.UNIT);
        (StakeHistory.Members memory set,) = history.setAt(2);
        vm.assertEq(set.total, 2 * most);
        // The whole supply that the constructor allows has room.
        vm.assertGe(most, 1 << 93);
    }
}
