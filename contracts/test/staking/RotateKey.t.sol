// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {vm} from "../util/Vm.sol";
import {StakingTest} from "./StakingTest.sol";

contract RotateKeyTest is StakingTest {
    /// @dev Operator `id` rotates to key `i` of the vectors.
    function rotate(uint64 id, uint256 i) private {
        address owner = ownerOf(id);
        (uint256[2] memory g1, uint256[4] memory g2) = (g1Of(i), g2Of(i));
        uint256[2] memory proof = possession(owner, i);
        vm.prank(owner);
        staking.rotateKey(id, g1, g2, proof);
    }

    function hashAt(uint64 epoch) private view returns (bytes32 hash) {
        (,, hash,) = staking.setAt(epoch);
    }

    function sum(uint256 a, uint256 b, uint256 c) private view returns (uint256[2] memory) {
        return Bn254.add(Bn254.add(g1Of(a), g1Of(b)), g1Of(c));
    }

    function hashOf(uint256 a, uint256 b, uint256 c) private view returns (bytes32) {
        return keccak256(abi.encode(sum(a, b, c)));
    }

    function test_reverts_unless_owner() public {
        register(1);
        (uint256[2] memory g1, uint256[4] memory g2) = (g1Of(2), g2Of(2));
        uint256[2] memory proof = possession(address(this), 2);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotOwner.selector, 1, address(this)));
        staking.rotateKey(1, g1, g2, proof);
    }

    function test_reverts_if_the_key_was_ever_used() public {
        register(1);
        register(2);
        rotate(1, 3);
        uint256[3] memory used = [uint256(1), 2, 3];
        for (uint256 i = 0; i < 3; ++i) {
            (uint256[2] memory g1, uint256[4] memory g2) = (g1Of(used[i]), g2Of(used[i]));
            uint256[2] memory proof = possession(ownerOf(1), used[i]);
            vm.expectRevert(IStaking.KeyTaken.selector);
            vm.prank(ownerOf(1));
            staking.rotateKey(1, g1, g2, proof);
        }
    }

    function test_reverts_without_the_secret() public {
        register(1);
        (uint256[2] memory g1, uint256[4] memory g2) = (g1Of(2), g2Of(2));
        uint256[2] memory proof = possession(ownerOf(1), 3);
        vm.expectRevert(IStaking.InvalidPossession.selector);
        vm.prank(ownerOf(1));
        staking.rotateKey(1, g1, g2, proof);
    }

    function test_takes_effect_two_epochs_later_with_the_same_weight() public {
        operators(3);
        enter(5);
        vm.expectEmit(address(staking));
        emit IStaking.KeyRotated(1, g1Of(4), g2Of(4), 7);
        rotate(1, 4);
        vm.assertEq(hashAt(6), hashOf(1, 2, 3));
        vm.assertEq(hashAt(7), hashOf(4, 2, 3));
        vm.assertEq(staking.weightAt(1, 6), 10 * MIN_STAKE);
        vm.assertEq(staking.weightAt(1, 7), 10 * MIN_STAKE);
        (uint64 from, uint128 total,, uint32 count) = staking.setAt(8);
        vm.assertEq(from, 7);
        vm.assertEq(total, 30 * MIN_STAKE);
        vm.assertEq(count, 3);
        vm.assertEq(staking.keyOf(1)[0], g1Of(4)[0]);
    }

    /// @dev Proofs look the operator up by the key they are under, at any time.
    function test_the_old_key_stays_the_operators() public {
        operators(1);
        rotate(1, 4);
        rotate(1, 5);
        vm.assertEq(staking.operatorOfKey(g1Of(1)[0]), 1);
        vm.assertEq(staking.operatorOfKey(g1Of(4)[0]), 1);
        vm.assertEq(staking.operatorOfKey(g1Of(5)[0]), 1);
    }

    function test_each_epoch_has_its_absentees_key() public {
        operators(3);
        enter(5);
        rotate(3, 4);
        assertAbsent(6, 3, sum(1, 2, 3), 4);
        assertAbsent(7, 4, sum(1, 2, 4), 3);
    }

    function assertAbsent(uint64 epoch, uint256 key, uint256[2] memory aggregate, uint256 other) private {
        uint64[] memory absentees = new uint64[](1);
        uint256[2][] memory keys_ = new uint256[2][](1);
        (absentees[0], keys_[0]) = (3, g1Of(key));
        (,, uint128 signers, uint256[2] memory rest) = staking.signersAt(epoch, absentees, keys_, aggregate);
        vm.assertEq(signers, 20 * MIN_STAKE);
        vm.assertEq(rest[0], Bn254.add(g1Of(1), g1Of(2))[0]);
        keys_[0] = g1Of(other);
        vm.expectRevert(abi.encodeWithSelector(IStaking.WrongKey.selector, 3));
        staking.signersAt(epoch, absentees, keys_, aggregate);
    }

    // ---- races

    function test_two_rotations_in_one_epoch_leave_the_last_key() public {
        operators(3);
        enter(5);
        rotate(1, 4);
        rotate(1, 5);
        vm.assertEq(hashAt(6), hashOf(1, 2, 3));
        vm.assertEq(hashAt(7), hashOf(5, 2, 3));
    }

    function test_rotating_and_leaving_in_one_epoch_takes_the_right_key_out() public {
        operators(3);
        enter(5);
        rotate(1, 4);
        unstake(1, ALL);
        vm.assertEq(hashAt(6), hashOf(1, 2, 3));
        vm.assertEq(hashAt(7), keccak256(abi.encode(Bn254.add(g1Of(2), g1Of(3)))));
    }

    function test_leaving_rotating_and_returning_brings_the_new_key() public {
        operators(3);
        enter(5);
        unstake(1, ALL);
        rotate(1, 4);
        vm.assertEq(hashAt(7), keccak256(abi.encode(Bn254.add(g1Of(2), g1Of(3)))));
        stake(1, MIN_STAKE);
        vm.assertEq(hashAt(6), hashOf(1, 2, 3));
        vm.assertEq(hashAt(7), hashOf(4, 2, 3));
        vm.assertEq(staking.weightAt(1, 7), MIN_STAKE);
    }

    function test_an_operator_without_weight_leaves_the_set_as_it_is() public {
        operators(2);
        register(3);
        (uint64 from,,,) = staking.setAt(9);
        enter(5);
        rotate(3, 4);
        (uint64 later,,,) = staking.setAt(9);
        vm.assertEq(later, from);
        stake(3, MIN_STAKE);
        vm.assertEq(hashAt(7), hashOf(1, 2, 4));
    }
}
