// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {vm} from "../util/Vm.sol";
import {StakingTest} from "./StakingTest.sol";

/// @dev What each call costs on Ethereum's schedule, as a transaction of its own; contracts/gas has Polygon's.
contract StakingGasTest is StakingTest {
    function setUp() public override {
        super.setUp();
        operators(3);
        fund(ownerOf(1), 100 * DATA);
        fund(ALICE, 100 * DATA);
        enter(5);
    }

    function snap(string memory name) private {
        vm.snapshotGasLastCall("staking", name);
    }

    function test_gas_of_registration() public {
        register(4);
        snap("register");
    }

    function test_gas_of_a_rotation() public {
        (uint256[2] memory g1, uint256[4] memory g2) = (g1Of(5), g2Of(5));
        uint256[2] memory proof = possession(ownerOf(1), 5);
        vm.prank(ownerOf(1));
        staking.rotateKey(1, g1, g2, proof);
        snap("rotate key");
    }

    function test_gas_of_own_stake() public {
        uint64 id = register(4);
        fund(ownerOf(4), 2 * MIN_STAKE);
        vm.prank(ownerOf(4));
        staking.stake(id, MIN_STAKE);
        snap("stake, first");
        enter(6);
        vm.prank(ownerOf(1));
        staking.stake(1, DATA);
        snap("stake");
        pay(1, DATA);
        enter(7);
        vm.prank(ownerOf(1));
        staking.stake(1, DATA);
        snap("stake, with pay to share out");
    }

    function test_gas_of_delegation() public {
        vm.prank(ALICE);
        staking.delegate(1, DATA);
        snap("delegate, first");
        vm.prank(ALICE);
        staking.delegate(1, DATA);
        snap("delegate");
        pay(1, DATA);
        vm.prank(ALICE);
        staking.delegate(1, DATA);
        snap("delegate, with pay to share out");
        enter(6);
        vm.prank(ALICE);
        uint64 request = staking.undelegate(1, DATA);
        snap("undelegate");
        enter(6 + UNBONDING);
        staking.withdraw(request);
        snap("withdraw");
    }

    function test_gas_of_unstaking_and_slashing() public {
        unstake(1, DATA);
        snap("unstake");
        enter(6);
        slash(1, 1000);
        snap("slash");
        pay(1, DATA);
        enter(7);
        staking.sync(1);
        snap("sync, with pay to share out");
    }

    /// @dev What a certificate pays for the set, and for each absentee.
    function test_gas_of_absentees() public {
        for (uint256 i = 4; i <= 16; ++i) {
            stake(register(i), MIN_STAKE);
        }
        enter(9);
        uint256[2] memory aggregate = aggregateOf(16);
        for (uint256 count = 0; count <= 10; count += 10) {
            uint64[] memory absentees = new uint64[](count);
            uint256[2][] memory absent = new uint256[2][](count);
            for (uint256 i = 0; i < count; ++i) {
                (absentees[i], absent[i]) = (uint64(i + 1), g1Of(i + 1));
            }
            staking.signersAt(9, absentees, absent, aggregate);
            snap(string.concat("signersAt, absent: ", vm.toString(count)));
        }
    }

    /// @dev A second push to each: what a running network pays.
    function test_gas_of_credit() public {
        uint256[3] memory sizes = [uint256(1), 32, 64];
        for (uint256 i = 4; i <= 64; ++i) {
            register(i);
        }
        for (uint256 round = 1; round <= 2; ++round) {
            for (uint256 k = 0; k < 3; ++k) {
                uint256[] memory entries = new uint256[](sizes[k]);
                for (uint256 i = 0; i < sizes[k]; ++i) {
                    entries[i] = pack(1, i + 1, (10 * round + k) * DATA + 12345 * i);
                }
                vm.prank(address(settlement));
                staking.credit(entries);
                if (round == 2) snap(string.concat("credit of ", vm.toString(sizes[k])));
            }
        }
    }
}
