// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {vm} from "../util/Vm.sol";
import {Handler} from "./Handler.sol";

/// @dev Invariants prove nothing about actions that never act: in a fixed random sequence, each of them does.
contract CoverageTest {
    /// forge-config: default.isolate = false
    function test_every_action_acts() external {
        Handler handler = new Handler();
        handler.setUp();
        bytes4[] memory actions = handler.actions();
        for (uint256 i = 0; i < 1500; ++i) {
            bytes4 action = actions[draw(i, 0) % actions.length];
            bytes memory seeds = abi.encode(draw(i, 1), draw(i, 2), draw(i, 3), draw(i, 4), draw(i, 5));
            (bool ok,) = address(handler).call(bytes.concat(action, seeds));
            vm.assertTrue(ok);
        }
        string[27] memory names = [
            "stake",
            "delegate",
            "unstake",
            "undelegate",
            "withdraw",
            "sync",
            "announceCommission",
            "applyCommission",
            "rotateKey",
            "handOver",
            "toggleNode",
            "createSponsorship",
            "topUp",
            "extend",
            "setRate",
            "stop",
            "reclaim",
            "recover",
            "lapse",
            "advance",
            "post",
            "push",
            "contradictReceipts",
            "contradictDeliveries",
            "contradictVolumes",
            "blame",
            "execute"
        ];
        for (uint256 i = 0; i < names.length; ++i) {
            vm.assertTrue(handler.done(bytes32(bytes(names[i]))) >= 3, names[i]);
        }
        handler.windDown();
    }

    function draw(uint256 i, uint256 j) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(i, j)));
    }
}
