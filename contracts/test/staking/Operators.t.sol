// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {Fixture} from "../util/Fixture.sol";
import {vm} from "../util/Vm.sol";

/// @dev Registration, nodes and ownership.
contract OperatorsTest is Fixture {
    function refuse(bytes memory reason, address sender, uint256 g1, uint256 g2, uint256[2] memory proof) private {
        (uint256[2] memory k1, uint256[4] memory k2) = (g1Of(g1), g2Of(g2));
        vm.expectRevert(reason);
        vm.prank(sender);
        staking.register(k1, k2, proof);
    }

    function test_register_reverts_for_a_key_in_use() public {
        register(1);
        uint256[2] memory proof = possession(ownerOf(2), 1);
        refuse(abi.encodeWithSelector(IStaking.KeyTaken.selector), ownerOf(2), 1, 1, proof);
    }

    function test_register_reverts_without_the_secret() public {
        bytes memory reason = abi.encodeWithSelector(IStaking.InvalidPossession.selector);
        refuse(reason, ownerOf(1), 1, 1, possession(ownerOf(1), 2));
        // Another owner's proof, copied from the mempool.
        refuse(reason, ownerOf(2), 1, 1, possession(ownerOf(1), 1));
        refuse(reason, ownerOf(1), 2, 1, possession(ownerOf(1), 1));
        refuse(reason, ownerOf(1), 1, 2, possession(ownerOf(1), 1));
        refuse(reason, ownerOf(1), 1, 1, [uint256(0), 0]);
    }

    function test_register_reverts_for_a_point_off_the_curve() public {
        uint256[2] memory proof = possession(ownerOf(1), 1);
        (uint256[2] memory k1, uint256[4] memory k2) = (g1Of(1), g2Of(1));
        k2[3] ^= 1;
        vm.expectRevert(Bn254.InvalidPoint.selector);
        vm.prank(ownerOf(1));
        staking.register{gas: 2_000_000}(k1, k2, proof);
    }

    function test_register_counts_from_one_and_has_no_weight() public {
        vm.expectEmit(address(staking));
        emit IStaking.OperatorRegistered(1, ownerOf(1), g1Of(1), g2Of(1));
        vm.assertEq(register(1), 1);
        vm.assertEq(register(2), 2);
        vm.assertEq(staking.operatorCount(), 2);
        vm.assertEq(staking.operators(1).owner, ownerOf(1));
        vm.assertEq(staking.keyOf(2)[0], g1Of(2)[0]);
        vm.assertEq(staking.weightAt(1, 10), 0);
    }

    function test_gas_register() public {
        register(1);
        register(2);
        vm.snapshotGasLastCall("staking", "register");
    }

    // ---- nodes

    function test_addNode_reverts_unless_owner() public {
        register(1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotOwner.selector, 1, address(this)));
        staking.addNode(1, vm.addr(7), "");
    }

    function test_addNode_reverts_without_the_nodes_consent() public {
        register(1);
        address node = vm.addr(nodeKey(1));
        bytes memory consent = signed(nodeKey(2), Eip712.nodeConsent(ownerOf(1), node));
        vm.expectRevert(abi.encodeWithSelector(IStaking.InvalidConsent.selector, node, vm.addr(nodeKey(2))));
        vm.prank(ownerOf(1));
        staking.addNode(1, node, consent);
    }

    function test_addNode_reverts_for_a_high_s_twin() public {
        register(1);
        address node = vm.addr(nodeKey(1));
        bytes memory consent = twin(signed(nodeKey(1), Eip712.nodeConsent(ownerOf(1), node)));
        bytes32 s;
        assembly {
            s := mload(add(consent, 0x40))
        }
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, s));
        vm.prank(ownerOf(1));
        staking.addNode(1, node, consent);
    }

    function test_addNode_reverts_for_a_node_of_another() public {
        register(1);
        register(2);
        address node = addNode(1, nodeKey(1));
        bytes memory consent = signed(nodeKey(1), Eip712.nodeConsent(ownerOf(2), node));
        vm.expectRevert(abi.encodeWithSelector(IStaking.NodeTaken.selector, node, 1));
        vm.prank(ownerOf(2));
        staking.addNode(2, node, consent);
        // Not even after it was removed.
        vm.prank(ownerOf(1));
        staking.removeNode(1, node);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NodeTaken.selector, node, 1));
        vm.prank(ownerOf(2));
        staking.addNode(2, node, consent);
    }

    function test_addNode_reverts_twice_and_past_the_limit() public {
        register(1);
        address node = addNode(1, nodeKey(1));
        bytes memory consent = signed(nodeKey(1), Eip712.nodeConsent(ownerOf(1), node));
        vm.expectRevert(abi.encodeWithSelector(IStaking.NodeTaken.selector, node, 1));
        vm.prank(ownerOf(1));
        staking.addNode(1, node, consent);
        for (uint256 i = 2; i <= 64; ++i) {
            addNode(1, nodeKey(i));
        }
        consent = signed(nodeKey(65), Eip712.nodeConsent(ownerOf(1), vm.addr(nodeKey(65))));
        vm.expectRevert(abi.encodeWithSelector(IStaking.TooManyNodes.selector, 1));
        vm.prank(ownerOf(1));
        staking.addNode(1, vm.addr(nodeKey(65)), consent);
    }

    function test_a_removed_node_stays_bound_and_can_return() public {
        register(1);
        enter(5);
        address node = vm.addr(nodeKey(1));
        vm.expectEmit(address(staking));
        emit IStaking.NodeAdded(1, node, 7);
        addNode(1, nodeKey(1));
        vm.assertTrue(staking.isActiveNode(node));
        vm.expectEmit(address(staking));
        emit IStaking.NodeRemoved(1, node, 7);
        vm.prank(ownerOf(1));
        staking.removeNode(1, node);
        vm.assertEq(staking.operatorOf(node), 1);
        vm.assertFalse(staking.isActiveNode(node));
        vm.assertEq(staking.operators(1).nodes, 0);
        addNode(1, nodeKey(1));
        vm.assertTrue(staking.isActiveNode(node));
    }

    function test_removeNode_reverts_unless_owner_of_an_active_node() public {
        register(1);
        register(2);
        address node = addNode(1, nodeKey(1));
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotOwner.selector, 1, ownerOf(2)));
        vm.prank(ownerOf(2));
        staking.removeNode(1, node);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotActiveNode.selector, node));
        vm.prank(ownerOf(2));
        staking.removeNode(2, node);
        vm.startPrank(ownerOf(1));
        staking.removeNode(1, node);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotActiveNode.selector, node));
        staking.removeNode(1, node);
        vm.stopPrank();
    }

    // ---- ownership

    function test_transferOwnership_reverts_unless_owner() public {
        register(1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotOwner.selector, 1, address(this)));
        staking.transferOwnership(1, address(this));
    }

    function test_acceptOwnership_reverts_unless_offered() public {
        register(1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotCandidate.selector, 1, address(this)));
        staking.acceptOwnership(1);
    }

    function test_ownership_changes_in_two_steps() public {
        register(1);
        vm.prank(ownerOf(1));
        staking.transferOwnership(1, address(this));
        vm.assertEq(staking.operators(1).owner, ownerOf(1));
        vm.expectEmit(address(staking));
        emit IStaking.OwnershipTransferred(1, ownerOf(1), address(this));
        staking.acceptOwnership(1);
        vm.assertEq(staking.operators(1).owner, address(this));
        vm.assertEq(staking.operators(1).candidate, address(0));
    }
}
