// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {vm} from "../util/Vm.sol";
import {StakingTest} from "./StakingTest.sol";

/// @dev signersAt: what a certificate is checked against.
contract SignersTest is StakingTest {
    uint64[] private absentees;
    uint256[2][] private keys_;

    function setUp() public override {
        super.setUp();
        operators(4);
        enter(3);
    }

    function absent(uint64 id, uint256 key) private {
        absentees.push(id);
        keys_.push(g1Of(key));
    }

    function refuse(bytes memory reason, uint64 epoch, uint256 members) private {
        uint256[2] memory aggregate = aggregateOf(members);
        vm.expectRevert(reason);
        staking.signersAt(epoch, absentees, keys_, aggregate);
    }

    function test_reverts_before_the_first_checkpoint() public {
        refuse(abi.encodeWithSelector(IStaking.NoCheckpoint.selector, 1), 1, 4);
    }

    function test_reverts_for_another_aggregate() public {
        refuse(abi.encodeWithSelector(IStaking.WrongAggregate.selector, 2), 2, 3);
    }

    function test_reverts_unless_each_absentee_has_a_key() public {
        absent(2, 2);
        absentees.push(3);
        refuse(abi.encodeWithSelector(IStaking.LengthMismatch.selector, 2, 1), 2, 4);
    }

    function test_reverts_for_an_absentee_twice_or_out_of_order() public {
        absent(2, 2);
        absent(2, 2);
        refuse(abi.encodeWithSelector(IStaking.InvalidAbsentee.selector, 2), 2, 4);
        absentees[1] = 1;
        keys_[1] = g1Of(1);
        refuse(abi.encodeWithSelector(IStaking.InvalidAbsentee.selector, 1), 2, 4);
    }

    function test_reverts_for_an_absentee_that_is_no_member() public {
        register(5);
        absent(5, 5);
        refuse(abi.encodeWithSelector(IStaking.InvalidAbsentee.selector, 5), 2, 4);
        absentees[0] = 6;
        refuse(abi.encodeWithSelector(IStaking.InvalidAbsentee.selector, 6), 2, 4);
        // Nor one that joins later, in an epoch before.
        stake(5, MIN_STAKE);
        absentees[0] = 5;
        refuse(abi.encodeWithSelector(IStaking.InvalidAbsentee.selector, 5), 4, 4);
    }

    function test_reverts_for_another_key() public {
        absent(2, 3);
        refuse(abi.encodeWithSelector(IStaking.WrongKey.selector, 2), 2, 4);
    }

    function test_the_whole_set_signs_without_absentees() public view {
        (uint64 from, uint128 total, uint128 signers, uint256[2] memory key) =
            staking.signersAt(3, absentees, keys_, aggregateOf(4));
        vm.assertEq(from, 2);
        vm.assertEq(total, 40 * MIN_STAKE);
        vm.assertEq(signers, total);
        vm.assertEq(key[0], aggregateOf(4)[0]);
        vm.assertEq(key[1], aggregateOf(4)[1]);
    }

    function test_absentees_are_taken_out_of_stake_and_key() public {
        stake(4, 5 * DATA);
        absent(3, 3);
        absent(4, 4);
        // In epoch 4 the fourth still has its first weight.
        for (uint64 epoch = 4; epoch <= 5; ++epoch) {
            (uint64 from, uint128 total, uint128 signers, uint256[2] memory key) =
                staking.signersAt(epoch, absentees, keys_, aggregateOf(4));
            vm.assertEq(from, epoch == 4 ? 2 : 5);
            vm.assertEq(total, 40 * MIN_STAKE + (epoch == 4 ? 0 : 5 * DATA));
            vm.assertEq(signers, 20 * MIN_STAKE);
            vm.assertEq(key[0], aggregateOf(2)[0]);
            vm.assertEq(key[1], aggregateOf(2)[1]);
        }
    }

    function test_with_everybody_absent_nothing_is_left() public {
        for (uint64 id = 1; id <= 4; ++id) {
            absent(id, id);
        }
        (,, uint128 signers, uint256[2] memory key) = staking.signersAt(2, absentees, keys_, aggregateOf(4));
        vm.assertEq(signers, 0);
        vm.assertEq(key[0] | key[1], 0);
    }

    /// @dev Once all have left, the set is a checkpoint like any other, with nobody to sign.
    function test_an_empty_set_has_no_stake() public {
        for (uint64 id = 1; id <= 4; ++id) {
            unstake(id, ALL);
        }
        (uint64 from, uint128 total, uint128 signers,) =
            staking.signersAt(5, absentees, keys_, [uint256(0), 0]);
        vm.assertEq(from, 5);
        vm.assertEq(total, 0);
        vm.assertEq(signers, 0);
    }
}
