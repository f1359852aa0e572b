// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IEpochs} from "../../src/interfaces/IEpochs.sol";
import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {Fixture} from "../util/Fixture.sol";
import {vm} from "../util/Vm.sol";

/// @dev Stake, unbonding, slashing and weights by epoch.
contract StakeTest is Fixture {
    function unstake(uint64 id, uint128 amount) private {
        vm.prank(ownerOf(id));
        staking.requestUnstake(id, amount);
    }

    function set(uint64 epoch) private view returns (uint64 from, uint128 total, uint256[2] memory sum, uint32 count) {
        return staking.setAt(epoch);
    }

    // ---- constructor

    function refuse(StakingParameters memory p, bytes memory reason) private {
        vm.expectRevert(reason);
        this.make(p);
    }

    function make(StakingParameters calldata p) external {
        create("Staking", abi.encode(p));
    }

    function test_constructor_checks_its_parameters() public {
        bytes memory invalid = abi.encodeWithSelector(IStaking.InvalidParameters.selector);
        StakingParameters memory good = stakingParameters(address(1), address(2), address(3));
        this.make(good);
        StakingParameters memory p = stakingParameters(address(0), address(2), address(3));
        refuse(p, invalid);
        refuse(stakingParameters(address(1), address(0), address(3)), invalid);
        refuse(stakingParameters(address(1), address(2), address(0)), invalid);
        p = stakingParameters(address(1), address(2), address(3));
        p.minStake = 0;
        refuse(p, invalid);
        p.minStake = 1;
        p.unbondingEpochs = 2;
        refuse(p, invalid);
        p.unbondingEpochs = 3;
        p.bountyBps = 5000;
        refuse(p, invalid);
        p.bountyBps = 4999;
        p.epochLength = 3;
        refuse(p, abi.encodeWithSelector(IEpochs.InvalidClock.selector, GENESIS, 3));
        p.epochLength = 4;
        p.genesis = GENESIS + 1;
        refuse(p, abi.encodeWithSelector(IEpochs.InvalidClock.selector, GENESIS + 1, 4));
    }

    // ---- stake

    function test_stake_reverts_unless_owner() public {
        register(1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotOwner.selector, 1, address(this)));
        staking.stake(1, 1);
    }

    function test_stake_reverts_for_zero() public {
        register(1);
        vm.expectRevert(IStaking.ZeroAmount.selector);
        vm.prank(ownerOf(1));
        staking.stake(1, 0);
    }

    function test_stake_counts_two_epochs_later() public {
        uint64 id = register(1);
        enter(5);
        token.transfer(ownerOf(1), MIN_STAKE);
        vm.startPrank(ownerOf(1));
        token.approve(address(staking), MIN_STAKE);
        vm.expectEmit(address(staking));
        emit IStaking.Staked(1, ownerOf(1), MIN_STAKE);
        vm.expectEmit(address(staking));
        emit IStaking.WeightChanged(1, 7, MIN_STAKE);
        staking.stake(id, MIN_STAKE);
        vm.stopPrank();
        vm.assertEq(staking.weightAt(1, 6), 0);
        vm.assertEq(staking.weightAt(1, 7), MIN_STAKE);
        (uint64 from, uint128 total, uint256[2] memory sum, uint32 count) = set(6);
        vm.assertEq(from, 0);
        vm.assertEq(total, 0);
        (from, total, sum, count) = set(9);
        vm.assertEq(from, 7);
        vm.assertEq(total, MIN_STAKE);
        vm.assertEq(count, 1);
        vm.assertEq(sum[0], g1Of(1)[0]);
        vm.assertEq(sum[1], g1Of(1)[1]);
        vm.assertEq(token.balanceOf(address(staking)), MIN_STAKE);
    }

    function test_stake_below_the_minimum_has_no_weight() public {
        uint64 id = register(1);
        stake(id, MIN_STAKE - 1);
        vm.assertEq(staking.weightAt(1, 9), 0);
        stake(id, 1);
        vm.assertEq(staking.weightAt(1, 9), MIN_STAKE);
    }

    function test_changes_in_one_epoch_make_one_checkpoint() public {
        operators(3);
        stake(1, DATA);
        (uint64 from, uint128 total, uint256[2] memory sum, uint32 count) = set(2);
        vm.assertEq(from, 2);
        vm.assertEq(total, 30 * MIN_STAKE + DATA);
        vm.assertEq(count, 3);
        uint256[2] memory expected = pair(vm.parseJsonUintArray(keys, ".aggregates[1].g1"));
        vm.assertEq(sum[0], expected[0]);
        vm.assertEq(sum[1], expected[1]);
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
            (uint64 from, uint128 total,,) = set(epoch);
            vm.assertEq(from, epoch < 2 ? 0 : (epoch > 42 ? 42 : epoch));
            vm.assertEq(total, epoch < 2 ? 0 : 40 * MIN_STAKE + added);
        }
    }

    function test_gas_stake() public {
        operators(3);
        enter(5);
        stake(2, DATA);
        enter(6);
        token.transfer(ownerOf(1), DATA);
        vm.startPrank(ownerOf(1));
        token.approve(address(staking), DATA);
        staking.stake(1, DATA);
        vm.stopPrank();
        vm.snapshotGasLastCall("staking", "stake");
    }

    // ---- unstake and withdraw

    function test_requestUnstake_reverts_unless_owner_with_enough() public {
        operators(1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotOwner.selector, 1, address(this)));
        staking.requestUnstake(1, 1);
        vm.startPrank(ownerOf(1));
        vm.expectRevert(IStaking.ZeroAmount.selector);
        staking.requestUnstake(1, 0);
        uint128 held = 10 * MIN_STAKE;
        vm.expectRevert(abi.encodeWithSelector(IStaking.InsufficientStake.selector, held, held + 1));
        staking.requestUnstake(1, held + 1);
        vm.stopPrank();
    }

    function test_unstaking_everything_leaves_the_set() public {
        operators(3);
        enter(4);
        unstake(3, 10 * MIN_STAKE);
        vm.assertEq(staking.weightAt(3, 5), 10 * MIN_STAKE);
        vm.assertEq(staking.weightAt(3, 6), 0);
        (,, uint256[2] memory sum, uint32 count) = set(6);
        vm.assertEq(count, 2);
        uint256[2] memory expected = Bn254.add(g1Of(1), g1Of(2));
        vm.assertEq(sum[0], expected[0]);
        unstake(1, 10 * MIN_STAKE);
        unstake(2, 10 * MIN_STAKE);
        uint128 total;
        (, total, sum, count) = set(6);
        vm.assertEq(total, 0);
        vm.assertEq(count, 0);
        vm.assertEq(sum[0] | sum[1], 0);
    }

    function test_withdraw_waits_and_a_new_request_restarts_the_wait() public {
        operators(1);
        vm.startPrank(ownerOf(1));
        vm.expectRevert(abi.encodeWithSelector(IStaking.NothingUnbonding.selector, 1));
        staking.withdraw(1);
        staking.requestUnstake(1, MIN_STAKE);
        enter(UNBONDING - 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.StillUnbonding.selector, UNBONDING, UNBONDING - 1));
        staking.withdraw(1);
        staking.requestUnstake(1, MIN_STAKE);
        enter(UNBONDING);
        vm.expectRevert(abi.encodeWithSelector(IStaking.StillUnbonding.selector, 2 * UNBONDING - 1, UNBONDING));
        staking.withdraw(1);
        enter(2 * UNBONDING - 1);
        staking.withdraw(1);
        vm.stopPrank();
        vm.assertEq(token.balanceOf(ownerOf(1)), 2 * MIN_STAKE);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotOwner.selector, 1, address(this)));
        staking.withdraw(1);
    }

    // ---- sync, credit, slash

    function test_sync_reverts_for_an_unknown_operator() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.UnknownOperator.selector, 1));
        staking.sync(1);
    }

    function test_credit_is_settlements_alone() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotSettlement.selector, address(this)));
        staking.credit(new uint256[](0));
    }

    function test_slash_is_slashings_alone() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotSlashing.selector, address(this)));
        staking.slash(1, 1, address(this));
    }

    function test_slash_takes_stake_first_and_never_more_than_there_is() public {
        operators(1);
        unstake(1, 4 * MIN_STAKE);
        vm.prank(address(slashing));
        vm.assertEq(staking.slash(1, 7 * MIN_STAKE, address(9)), 7 * MIN_STAKE);
        vm.assertEq(staking.operators(1).stake, 0);
        vm.assertEq(staking.operators(1).unbonding, 3 * MIN_STAKE);
        vm.prank(address(slashing));
        vm.assertEq(staking.slash(1, 100 * MIN_STAKE, address(9)), 3 * MIN_STAKE);
        vm.assertEq(token.balanceOf(address(9)), MIN_STAKE);
        vm.assertEq(token.balanceOf(BURNED), 9 * MIN_STAKE);
        vm.assertEq(token.balanceOf(address(staking)), 0);
        vm.assertEq(staking.weightAt(1, 2), 0);
    }

    /// @dev Whatever the amounts, the contract holds what the operators own.
    function testFuzz_tokens_equal_stake_and_unbonding(uint96 staked, uint96 out, uint96 cut) public {
        vm.assume(staked > 0 && staked < 1e9 * DATA);
        uint64 id = register(1);
        stake(id, staked);
        if (out > 0 && out <= staked) unstake(id, out);
        vm.prank(address(slashing));
        staking.slash(id, cut, address(9));
        IStaking.Operator memory o = staking.operators(id);
        vm.assertEq(token.balanceOf(address(staking)), uint256(o.stake) + o.unbonding);
        vm.assertEq(staking.weightAt(id, 2), o.stake < MIN_STAKE ? 0 : o.stake);
    }
}
