// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {vm} from "../util/Vm.sol";
import {StakingTest} from "./StakingTest.sol";

/// @dev addNode and removeNode.
contract NodesTest is StakingTest {
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
        vm.assertEq(staking.operators(1).nodes, 1);
    }

    /// @dev An operator with as many nodes as it may have is slashed like any other: nothing walks them.
    function test_a_full_list_of_nodes_costs_nobody_anything() public {
        uint64 id = pool(MIN_STAKE, 0);
        for (uint256 i = 1; i <= 64; ++i) {
            addNode(id, nodeKey(i));
        }
        vm.prank(address(slashing));
        vm.assertEq(staking.slash{gas: 250_000}(id, 1000), MIN_STAKE / 10);
    }
}
