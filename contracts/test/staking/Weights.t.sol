// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {vm} from "../util/Vm.sol";
import {StakingTest} from "./StakingTest.sol";

/// @dev sync, weightAt and setAt.
contract WeightsTest is StakingTest {
    function latest(uint64 id) private view returns (uint128) {
        return staking.weightAt(id, type(uint32).max);
    }

    function hash(uint256[2] memory key) private pure returns (bytes32) {
        return keccak256(abi.encode(key));
    }

    function test_sync_reverts_for_an_unknown_operator() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.UnknownOperator.selector, 1));
        staking.sync(1);
    }

    // ---- the weight

    function test_is_capped_by_the_own_stake() public {
        uint64 id = pool(2 * MIN_STAKE, 18 * MIN_STAKE);
        staking.sync(id);
        vm.assertEq(latest(id), 20 * MIN_STAKE);
        unstake(id, MIN_STAKE);
        // 19 are there, and the own stake of 1 allows 10.
        vm.assertEq(latest(id), 10 * MIN_STAKE);
        unstake(id, 1);
        vm.assertEq(latest(id), 0);
        stake(id, 1);
        vm.assertEq(latest(id), 10 * MIN_STAKE);
    }

    function test_is_in_whole_units() public {
        uint64 id = pool(MIN_STAKE + 1e15 - 1, 0);
        vm.assertEq(latest(id), MIN_STAKE);
        stake(id, 1);
        vm.assertEq(latest(id), MIN_STAKE + 1e15);
    }

    function test_sync_announces_delegations_and_pay() public {
        uint64 id = pool(MIN_STAKE, MIN_STAKE);
        vm.assertEq(latest(id), MIN_STAKE);
        vm.expectEmit(address(staking));
        emit IStaking.WeightChanged(id, 2, 2 * MIN_STAKE);
        staking.sync(id);
        pay(id, DATA);
        staking.sync(id);
        vm.assertEq(latest(id), 2 * MIN_STAKE + DATA);
    }

    /// @dev What anyone may do to a pool, at any time: the announced weight is never more than the pool backs.
    function testFuzz_is_never_more_than_the_pool_backs(uint256 seed) public {
        uint64 id = pool(5 * MIN_STAKE, 5 * MIN_STAKE);
        for (uint256 i = 0; i < 16; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint128 amount = uint128(1 + (seed >> 8) % (2 * MIN_STAKE));
            uint256 act = seed % 8;
            wait((seed >> 200) % 20);
            IStaking.Pool memory p = staking.pools(id);
            if (act == 0) stake(id, amount);
            else if (act == 1 && uint256(p.ownShares) * 9 > p.shares) delegate(BOB, id, amount / 100 + 1);
            else if (act == 2) pay(id, amount);
            else if (act == 3 && valueOf(ALICE, id) >= amount) undelegate(ALICE, id, amount);
            else if (act == 4 && staking.ownValue(id) > amount) unstake(id, amount);
            else if (act == 5) slash(id, 1500);
            else if (act == 6 && valueOf(BOB, id) > 0) undelegate(BOB, id, ALL);
            else staking.sync(id);
            p = staking.pools(id);
            uint256 own = (uint256(p.ownShares) * (uint256(p.assets) + 1)) / (uint256(p.shares) + 1e6);
            vm.assertLe(latest(id), p.assets);
            vm.assertLe(latest(id), own * 10_000 / MIN_SELF_BPS);
            if (own < MIN_STAKE) vm.assertEq(latest(id), 0);
        }
    }

    /// @dev An operator with a wei of its own that was paid a lot. Alone it would be paid everything on leaving, but
    /// once somebody joins the virtual shares have their part: the weight must not stand on more than that.
    function test_a_delegation_never_leaves_the_weight_above_what_backs_it() public {
        uint64 id = pool(1, 0);
        pay(id, 15 * MIN_STAKE / 10);
        staking.sync(id);
        vm.assertEq(latest(id), 0);
        pay(id, MIN_STAKE);
        staking.sync(id);
        uint128 weight = latest(id);
        vm.assertGe(weight, MIN_STAKE);
        delegate(ALICE, id, DATA);
        staking.sync(id);
        vm.assertGe(latest(id), weight);
    }

    // ---- the set

    function test_changes_in_one_epoch_make_one_checkpoint() public {
        operators(3);
        stake(1, DATA);
        (uint64 from, uint128 total, bytes32 keyHash, uint32 count) = staking.setAt(2);
        vm.assertEq(from, 2);
        vm.assertEq(total, 30 * MIN_STAKE + DATA);
        vm.assertEq(count, 3);
        vm.assertEq(keyHash, hash(aggregateOf(3)));
        (from, total, keyHash, count) = staking.setAt(1);
        vm.assertEq(from, 0);
        vm.assertEq(total, 0);
        vm.assertEq(keyHash, bytes32(0));
        vm.assertEq(count, 0);
    }

    function test_a_weight_that_changes_leaves_the_keys_as_they_are() public {
        operators(3);
        enter(5);
        stake(2, DATA);
        (uint64 from,, bytes32 keyHash,) = staking.setAt(7);
        vm.assertEq(from, 7);
        vm.assertEq(keyHash, hash(aggregateOf(3)));
    }

    function test_who_leaves_takes_its_key_along() public {
        operators(3);
        enter(4);
        unstake(3, ALL);
        (,, bytes32 keyHash, uint32 count) = staking.setAt(5);
        vm.assertEq(keyHash, hash(aggregateOf(3)));
        vm.assertEq(count, 3);
        (,, keyHash, count) = staking.setAt(6);
        vm.assertEq(keyHash, hash(Bn254.add(g1Of(1), g1Of(2))));
        vm.assertEq(count, 2);
        unstake(1, ALL);
        unstake(2, ALL);
        uint128 total;
        (, total, keyHash, count) = staking.setAt(6);
        vm.assertEq(total, 0);
        vm.assertEq(count, 0);
        vm.assertEq(keyHash, hash([uint256(0), 0]));
    }

    function test_the_past_stays_as_it_was() public {
        operators(4);
        for (uint64 epoch = 1; epoch <= 40; ++epoch) {
            enter(epoch);
            stake(1, DATA);
        }
        for (uint64 epoch = 0; epoch <= 50; ++epoch) {
            uint128 added = epoch < 3 ? 0 : (epoch > 42 ? 40 : epoch - 2) * DATA;
            vm.assertEq(staking.weightAt(1, epoch), epoch < 2 ? 0 : 10 * MIN_STAKE + added);
            (uint64 from, uint128 total,,) = staking.setAt(epoch);
            vm.assertEq(from, epoch < 2 ? 0 : (epoch > 42 ? 42 : epoch));
            vm.assertEq(total, epoch < 2 ? 0 : 40 * MIN_STAKE + added);
        }
    }
}
