// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {vm} from "../util/Vm.sol";
import {StakingTest} from "./StakingTest.sol";

contract SlashTest is StakingTest {
    function test_reverts_for_all_but_slashing() public {
        pool(MIN_STAKE, 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotSlashing.selector, address(this)));
        staking.slash(1, 1);
    }

    // ---- the order

    function test_own_stake_goes_first_and_nobody_elses_value_falls() public {
        uint64 id = pool(10 * MIN_STAKE, 10 * MIN_STAKE);
        staking.sync(id);
        IStaking.Loss memory loss;
        (loss.own, loss.ownShares) = (2 * MIN_STAKE, 2 * MIN_STAKE * 1e6);
        vm.expectEmit(address(staking));
        emit IStaking.Slashed(id, loss);
        vm.assertEq(slash(id, 1000), 2 * MIN_STAKE);
        vm.assertEq(token.balanceOf(address(slashing)), 2 * MIN_STAKE);
        vm.assertEq(staking.ownValue(id), 8 * MIN_STAKE);
        vm.assertEq(valueOf(ALICE, id), 10 * MIN_STAKE);
        vm.assertEq(staking.weightAt(id, 2), 18 * MIN_STAKE);
        assertBooked();
    }

    function test_own_unbonding_goes_second() public {
        uint64 id = pool(10 * MIN_STAKE, 10 * MIN_STAKE);
        uint64 request = unstake(id, 9 * MIN_STAKE);
        // A tenth of 20: the one that is staked, and one of the nine that wait.
        vm.assertEq(slash(id, 1000), 2 * MIN_STAKE);
        vm.assertEq(staking.ownValue(id), 0);
        vm.assertEq(staking.pools(id).ownShares, 0);
        // What losses leave of a request is rounded down.
        vm.assertApproxEqAbs(staking.requests(request).amount, 8 * MIN_STAKE, 1);
        vm.assertEq(valueOf(ALICE, id), 10 * MIN_STAKE);
        vm.assertEq(staking.weightAt(id, 2), 0);
        assertBooked();
    }

    function test_delegators_go_last_staked_and_unbonding_alike() public {
        uint64 id = pool(MIN_STAKE, 8 * MIN_STAKE);
        uint64 own = unstake(id, MIN_STAKE / 2);
        uint64 request = undelegate(ALICE, id, 2 * MIN_STAKE);
        // Half of 9: all of the operator's, then 3.5 of the delegators' 8.
        IStaking.Loss memory loss = IStaking.Loss({
            own: MIN_STAKE / 2,
            ownShares: MIN_STAKE / 2 * 1e6,
            ownUnbonding: MIN_STAKE / 2,
            delegated: 2.625e21,
            delegatedUnbonding: 0.875e21
        });
        vm.expectEmit(address(staking));
        emit IStaking.Slashed(id, loss);
        vm.assertEq(slash(id, 5000), 4.5e21);
        vm.assertEq(staking.requests(own).amount, 0);
        vm.assertEq(staking.requests(request).amount, 1.125e21);
        vm.assertEq(valueOf(ALICE, id), 3.375e21);
        assertBooked();
        enter(UNBONDING);
        vm.expectEmit(address(staking));
        emit IStaking.Withdrawn(own, ownerOf(1), 0);
        staking.withdraw(own);
        staking.withdraw(request);
        vm.assertEq(token.balanceOf(ALICE), 1.125e21);
        assertBooked();
    }

    /// @dev Leaving before the penalty is executed saves nothing: what waits pays in its turn.
    function test_leaving_ahead_of_a_slash_saves_nothing() public {
        uint64 id = pool(10 * MIN_STAKE, 10 * MIN_STAKE);
        unstake(id, ALL);
        undelegate(ALICE, id, ALL);
        vm.assertEq(slash(id, 1000), 2 * MIN_STAKE);
        vm.assertApproxEqAbs(staking.requests(1).amount, 8 * MIN_STAKE, 1);
        vm.assertEq(staking.requests(2).amount, 10 * MIN_STAKE);
    }

    function test_a_delegation_after_a_slash_pays_for_nothing_of_it() public {
        uint64 id = pool(MIN_STAKE, 9 * MIN_STAKE);
        slash(id, 5000);
        stake(id, MIN_STAKE);
        delegate(BOB, id, MIN_STAKE);
        vm.assertApproxEqAbs(valueOf(BOB, id), MIN_STAKE, 1);
        vm.assertApproxEqAbs(valueOf(ALICE, id), 5 * MIN_STAKE, 1);
    }

    // ---- with pay

    function test_pay_that_waits_is_shared_out_before_the_slash() public {
        uint64 id = pool(100 * DATA, 100 * DATA, 0);
        pay(id, 20 * DATA);
        vm.assertEq(slash(id, 1000), 22 * DATA);
        assertBooked();
        wait(VESTING);
        vm.assertApproxEqAbs(valueOf(ALICE, id), 110 * DATA, 1);
        vm.assertApproxEqAbs(staking.ownValue(id), 88 * DATA, 1);
    }

    function test_while_own_stake_lasts_no_price_falls_even_with_unvested_pay() public {
        uint64 id = pool(100 * DATA, 100 * DATA, 1000);
        pay(id, 60 * DATA);
        staking.sync(id);
        wait(VESTING / 3);
        for (uint256 i = 0; i < 4; ++i) {
            uint128 alice = valueOf(ALICE, id);
            slash(id, 1000);
            vm.assertGe(valueOf(ALICE, id), alice);
        }
        wait(VESTING);
        vm.assertGe(valueOf(ALICE, id), 126 * DATA);
        assertBooked();
    }

    // ---- extremes

    function test_a_slash_of_everything_leaves_nothing_and_exits_pay_nothing() public {
        uint64 id = pool(MIN_STAKE, 8 * MIN_STAKE);
        delegate(BOB, id, 0.5e18);
        uint64 request = undelegate(BOB, id, 0.25e18);
        pay(id, 20 * DATA);
        uint256 held = booked();
        vm.assertEq(slash(id, 10_000), held);
        vm.assertEq(booked(), 0);
        vm.assertEq(token.balanceOf(address(staking)), 0);
        vm.assertEq(valueOf(ALICE, id), 0);
        undelegate(ALICE, id, ALL);
        undelegate(BOB, id, ALL);
        vm.assertEq(staking.pools(id).shares, 0);
        enter(UNBONDING);
        staking.withdraw(request);
        staking.withdraw(2);
        staking.withdraw(3);
        vm.assertEq(token.balanceOf(ALICE) + token.balanceOf(BOB), 0);
        // With nobody left, the pool is as good as new.
        stake(id, MIN_STAKE);
        vm.assertEq(staking.weightAt(id, UNBONDING + 2), MIN_STAKE);
    }

    function test_pay_for_a_pool_without_assets_stops_nobody() public {
        uint64 id = pool(MIN_STAKE, 9 * MIN_STAKE, 10_000);
        slash(id, 10_000);
        pay(id, 20 * DATA);
        staking.sync(id);
        // All of it would be commission, but the shares it buys have no room; so it is the delegators'.
        vm.assertEq(staking.pools(id).ownShares, 0);
        wait(VESTING);
        undelegate(ALICE, id, ALL);
        vm.assertEq(staking.requests(1).amount, 20 * DATA);
        assertBooked();
    }

    function test_an_operator_without_anything_can_be_slashed() public {
        register(1);
        vm.assertEq(slash(1, 1000), 0);
    }

    function test_a_wei_is_taken_rounded_up() public {
        uint64 id = pool(1, 0);
        vm.assertEq(slash(id, 1), 1);
        vm.assertEq(staking.pools(id).shares, 0);
        assertBooked();
    }

    function test_after_hundreds_of_slashes_everybody_can_leave() public {
        uint64 id = pool(MIN_STAKE, 9 * MIN_STAKE);
        undelegate(ALICE, id, MIN_STAKE);
        unstake(id, MIN_STAKE / 2);
        for (uint256 i = 0; i < 300; ++i) {
            slash(id, 5000);
            if (i % 50 == 0) pay(id, DATA);
        }
        assertBooked();
        undelegate(ALICE, id, ALL);
        enter(UNBONDING);
        for (uint64 request = 1; request <= 3; ++request) {
            staking.withdraw(request);
        }
        vm.assertEq(staking.pools(id).shares, staking.pools(id).ownShares);
        assertBooked();
    }

    /// @dev However few shares there are: a price that counts the virtual ones would ask for more than that.
    function testFuzz_an_operator_alone_loses_its_part(uint32 own, uint72 earned, uint16 bps) public {
        vm.assume(own > 0);
        uint64 id = pool(own, 0);
        pay(id, earned);
        uint256 total = uint256(own) + earned;
        uint256 amount = (total * (bps % 10_001) + 9999) / 10_000;
        vm.assertEq(slash(id, bps % 10_001), amount);
        vm.assertEq(staking.ownValue(id), total - amount);
        vm.assertEq(staking.pools(id).shares == 0, total == amount);
        vm.assertLe(staking.pools(id).locked, staking.pools(id).assets);
        unstake(id, ALL);
        vm.assertEq(staking.requests(1).amount, total - amount);
        assertBooked();
    }

    // ---- any pool

    function testFuzz_takes_its_part_and_delegators_only_after_the_operator(
        uint72 own,
        uint72 others,
        uint72 earned,
        uint64 ownOut,
        uint64 othersOut,
        uint16 bps,
        uint8 time
    ) public {
        vm.assume(own > 1e6 && others > 0 && uint256(others) <= 9 * uint256(own));
        uint64 id = pool(own, others);
        pay(id, earned);
        staking.sync(id);
        wait(time % (2 * VESTING));
        if (ownOut > 0 && ownOut <= staking.ownValue(id)) unstake(id, ownOut);
        if (othersOut > 0 && othersOut <= valueOf(ALICE, id)) undelegate(ALICE, id, othersOut);
        IStaking.Pool memory before = staking.pools(id);
        uint128 alice = valueOf(ALICE, id);
        uint256 total = uint256(before.assets) + before.unbondingOwn + before.unbondingDelegated;

        uint128 taken = slash(id, bps % 10_001);

        vm.assertEq(taken, (total * (bps % 10_001) + 9999) / 10_000);
        IStaking.Pool memory p = staking.pools(id);
        assertBooked();
        vm.assertLe(p.locked, p.assets);
        vm.assertLe(staking.weightAt(id, now_() + 2), p.assets);
        // The delegators lost nothing unless the operator has nothing left.
        bool spared = valueOf(ALICE, id) >= alice && p.unbondingDelegated == before.unbondingDelegated;
        vm.assertTrue(spared || (p.ownShares == 0 && p.unbondingOwn == 0));
    }
}
