// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {vm} from "../util/Vm.sol";
import {StakingTest} from "./StakingTest.sol";

contract RegisterTest is StakingTest {
    function refuse(bytes memory reason, address sender, uint256 g1, uint256 g2, uint256[2] memory proof) private {
        (uint256[2] memory k1, uint256[4] memory k2) = (g1Of(g1), g2Of(g2));
        vm.expectRevert(reason);
        vm.prank(sender);
        staking.register(k1, k2, proof, COMMISSION_BPS);
    }

    function test_reverts_if_the_key_is_in_use() public {
        register(1);
        uint256[2] memory proof = possession(ownerOf(2), 1);
        refuse(abi.encodeWithSelector(IStaking.KeyTaken.selector), ownerOf(2), 1, 1, proof);
    }

    /// @dev Who knows a secret knows its negation, so that is the same key.
    function test_reverts_if_the_negated_key_is_in_use() public {
        register(1);
        uint256[2] memory negated = Bn254.negate(g1Of(1));
        uint256[4] memory k2 = g2Of(1);
        uint256[2] memory proof = possession(ownerOf(2), 1);
        vm.expectRevert(IStaking.KeyTaken.selector);
        vm.prank(ownerOf(2));
        staking.register(negated, k2, proof, COMMISSION_BPS);
    }

    function test_reverts_without_the_secret() public {
        bytes memory reason = abi.encodeWithSelector(IStaking.InvalidPossession.selector);
        refuse(reason, ownerOf(1), 1, 1, possession(ownerOf(1), 2));
        // Another owner's proof, copied from the mempool.
        refuse(reason, ownerOf(2), 1, 1, possession(ownerOf(1), 1));
        // The two halves of the key are not one.
        refuse(reason, ownerOf(1), 2, 1, possession(ownerOf(1), 1));
        refuse(reason, ownerOf(1), 1, 2, possession(ownerOf(1), 1));
        refuse(reason, ownerOf(1), 1, 1, [uint256(0), 0]);
    }

    /// @dev A rogue key cancels the others' keys in a sum; it takes their secrets to prove possession of it.
    function test_reverts_for_a_rogue_key() public {
        register(1);
        uint256[2] memory rogue = Bn254.add(g1Of(2), Bn254.negate(g1Of(1)));
        uint256[4] memory k2 = g2Of(2);
        uint256[2] memory proof = possession(ownerOf(2), 2);
        vm.expectRevert(IStaking.InvalidPossession.selector);
        vm.prank(ownerOf(2));
        staking.register(rogue, k2, proof, COMMISSION_BPS);
    }

    function test_reverts_for_points_off_the_curve() public {
        uint256[2] memory proof = possession(ownerOf(1), 1);
        (uint256[2] memory k1, uint256[4] memory k2) = (g1Of(1), g2Of(1));
        k2[3] ^= 1;
        vm.expectRevert(Bn254.InvalidPoint.selector);
        vm.prank(ownerOf(1));
        staking.register{gas: 2_000_000}(k1, k2, proof, COMMISSION_BPS);
        (k1[1], k2[3]) = (k1[1] ^ 1, k2[3] ^ 1);
        vm.expectRevert(Bn254.InvalidPoint.selector);
        vm.prank(ownerOf(1));
        staking.register{gas: 2_000_000}(k1, k2, proof, COMMISSION_BPS);
    }

    function test_reverts_if_the_commission_is_more_than_all() public {
        (uint256[2] memory k1, uint256[4] memory k2) = (g1Of(1), g2Of(1));
        uint256[2] memory proof = possession(ownerOf(1), 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InvalidCommission.selector, 10_001));
        vm.prank(ownerOf(1));
        staking.register(k1, k2, proof, 10_001);
    }

    function test_counts_from_one_and_has_no_weight() public {
        vm.expectEmit(address(staking));
        emit IStaking.OperatorRegistered(1, ownerOf(1), g1Of(1), g2Of(1), COMMISSION_BPS);
        vm.assertEq(register(1), 1);
        vm.assertEq(register(2), 2);
        vm.assertEq(staking.operatorCount(), 2);
        IStaking.Operator memory operator = staking.operators(1);
        vm.assertEq(operator.owner, ownerOf(1));
        vm.assertEq(operator.candidate, address(0));
        vm.assertEq(operator.commissionBps, COMMISSION_BPS);
        vm.assertEq(operator.g1[0], g1Of(1)[0]);
        vm.assertEq(staking.keyOf(2)[1], g1Of(2)[1]);
        vm.assertEq(staking.operatorOfKey(g1Of(2)[0]), 2);
        vm.assertEq(staking.operatorOfKey(g1Of(3)[0]), 0);
        vm.assertEq(staking.weightAt(1, 10), 0);
        (uint64 from,, bytes32 hash,) = staking.setAt(10);
        vm.assertEq(from, 0);
        vm.assertEq(hash, bytes32(0));
    }
}
