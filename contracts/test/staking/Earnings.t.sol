// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {vm} from "../util/Vm.sol";
import {StakingTest} from "./StakingTest.sol";

/// @dev How pay is shared out and vests, and that joining for a push gains nothing.
contract EarningsTest is StakingTest {
    /// @dev The figures of docs/accounting.md.
    function test_a_push_reaches_delegators_as_it_vests() public {
        uint64 id = pool(100 * DATA, 100 * DATA, 1000);
        pay(id, 20 * DATA);
        vm.assertEq(valueOf(ALICE, id), 100 * DATA);
        staking.sync(id);
        vm.assertEq(valueOf(ALICE, id), 100 * DATA);
        wait(VESTING / 2);
        vm.assertApproxEqAbs(valueOf(ALICE, id), 104.5e18, 0.01e18);
        wait(VESTING / 2);
        vm.assertApproxEqAbs(valueOf(ALICE, id), 109 * DATA, 1);
        vm.assertApproxEqAbs(staking.ownValue(id), 111 * DATA, 1);
        assertBooked();
    }

    function test_sharing_out_says_who_got_what() public {
        uint64 id = pool(100 * DATA, 100 * DATA, 1000);
        pay(id, 20 * DATA);
        // 2 of 20 at a price of 218 for 200.
        uint128 bought = uint128(uint256(2 * DATA) * (200 * DATA * 1e6 + 1e6) / (218 * DATA + 1));
        vm.expectEmit(address(staking));
        emit IStaking.EarningsShared(id, 20 * DATA, 2 * DATA, bought);
        staking.sync(id);
        IStaking.Pool memory p = staking.pools(id);
        vm.assertEq(p.unshared, 0);
        vm.assertEq(p.assets, 220 * DATA);
        vm.assertEq(p.ownShares, 100 * DATA * 1e6 + bought);
    }

    function test_nothing_to_share_out_changes_nothing() public {
        uint64 id = pool(100 * DATA, 100 * DATA);
        pay(id, 20 * DATA);
        staking.sync(id);
        wait(VESTING / 4);
        uint128 before = locked(id);
        staking.sync(id);
        vm.assertEq(locked(id), before);
        wait(VESTING / 4);
        staking.sync(id);
        vm.assertApproxEqAbs(locked(id), before * 2 / 3, 1);
    }

    function test_what_is_locked_is_rounded_up() public {
        uint64 id = pool(100 * DATA, 100 * DATA, 0);
        pay(id, 7);
        staking.sync(id);
        wait(1);
        vm.assertEq(locked(id), 7);
        wait(VESTING - 2);
        vm.assertEq(locked(id), 1);
        wait(1);
        vm.assertEq(locked(id), 0);
    }

    function test_an_empty_pools_pay_is_its_operators() public {
        uint64 id = register(1);
        pay(id, 20 * DATA);
        staking.sync(id);
        vm.assertEq(staking.ownValue(id), 20 * DATA);
        vm.assertEq(locked(id), 0);
        vm.assertEq(staking.pools(id).ownShares, 20 * DATA * 1e6);
        assertBooked();
    }

    /// @dev A commission too small for a share is everybody's.
    function test_a_commission_of_no_share_stays_in_the_pool() public {
        uint64 id = pool(1, 0, 1);
        pay(id, 10_000_000_000);
        staking.sync(id);
        uint128 own = staking.pools(id).ownShares;
        pay(id, 10_000);
        vm.expectEmit(address(staking));
        emit IStaking.EarningsShared(id, 10_000, 0, 0);
        staking.sync(id);
        vm.assertEq(staking.pools(id).ownShares, own);
        assertBooked();
    }

    // ---- joining for a push

    function test_joining_before_a_push_and_leaving_after_it_pays_nothing() public {
        uint64 id = pool(100 * DATA, 100 * DATA, 1000);
        delegate(BOB, id, 200 * DATA);
        pay(id, 20 * DATA);
        undelegate(BOB, id, ALL);
        vm.assertEq(staking.requests(1).amount, 200 * DATA);
        // What Bob did not take is there for the others, as if he had never come.
        wait(VESTING);
        vm.assertApproxEqAbs(valueOf(ALICE, id), 109 * DATA, 0.1e18);
    }

    /// @dev For any pool, pay, commission and earlier pay that still vests.
    function testFuzz_joining_for_a_push_gains_nothing(
        uint72 own,
        uint72 others,
        uint72 joining,
        uint72 earlier,
        uint72 push,
        uint16 commissionBps,
        uint8 time
    ) public {
        vm.assume(own > 1e6 && others > 0 && joining > 0);
        vm.assume(uint256(others) + joining <= 8 * uint256(own));
        uint64 id = pool(own, others, commissionBps % 10_001);
        pay(id, earlier);
        staking.sync(id);
        wait(time % VESTING);
        fund(BOB, joining);
        vm.prank(BOB);
        try staking.delegate(id, joining) {}
        catch {
            // Less than a share.
            return;
        }
        vm.assertLe(valueOf(BOB, id), joining);
        pay(id, push);
        vm.assertLe(valueOf(BOB, id), joining);
        uint128 alice = valueOf(ALICE, id);
        undelegate(BOB, id, ALL);
        vm.assertLe(staking.requests(1).amount, joining);
        vm.assertGe(valueOf(ALICE, id), alice);
        assertBooked();
    }

    function test_staying_for_half_of_the_vesting_pays_half_of_the_share() public {
        uint64 id = pool(100 * DATA, 100 * DATA, 0);
        delegate(BOB, id, 200 * DATA);
        pay(id, 20 * DATA);
        staking.sync(id);
        wait(VESTING / 2);
        undelegate(BOB, id, ALL);
        vm.assertApproxEqAbs(staking.requests(1).amount, 205 * DATA, 1);
        // The rest of it went to those who stayed.
        wait(VESTING / 2);
        vm.assertApproxEqAbs(valueOf(ALICE, id), 107.5e18, 1);
        vm.assertApproxEqAbs(staking.ownValue(id), 107.5e18, 1);
    }

    function test_staying_for_all_of_it_pays_like_anybody() public {
        uint64 id = pool(100 * DATA, 100 * DATA, 0);
        delegate(BOB, id, 200 * DATA);
        pay(id, 20 * DATA);
        staking.sync(id);
        wait(VESTING);
        vm.assertApproxEqAbs(valueOf(BOB, id), 210 * DATA, 1);
        vm.assertApproxEqAbs(valueOf(ALICE, id), 105 * DATA, 1);
    }

    function test_joining_after_a_push_costs_the_others_nothing() public {
        uint64 id = pool(100 * DATA, 100 * DATA, 1000);
        pay(id, 20 * DATA);
        staking.sync(id);
        wait(VESTING / 2);
        uint128 alice = valueOf(ALICE, id);
        uint128 own = staking.ownValue(id);
        delegate(BOB, id, 200 * DATA);
        vm.assertGe(valueOf(ALICE, id), alice);
        vm.assertGe(staking.ownValue(id), own);
        // Bob paid for what has not vested, so leaving now costs him.
        vm.assertLe(valueOf(BOB, id), 200 * DATA);
        wait(VESTING / 2);
        vm.assertApproxEqAbs(valueOf(BOB, id), 200 * DATA, 2);
        // And Alice's part of the push is what it was.
        vm.assertApproxEqAbs(valueOf(ALICE, id), 109 * DATA, 2);
    }

    // ---- merging lots

    function test_a_small_push_does_not_hold_a_big_one_back() public {
        uint64 id = pool(100 * DATA, 100 * DATA, 0);
        pay(id, 99 * DATA);
        staking.sync(id);
        wait(VESTING / 2);
        pay(id, 0.5e18);
        staking.sync(id);
        // 49.5 with 50 s left, 0.5 with 100 s: 50.5 s on average, rounded up.
        wait(50);
        vm.assertLe(locked(id), 1 * DATA);
        wait(1);
        vm.assertEq(locked(id), 0);
    }

    function test_a_big_push_does_not_rush_with_a_small_one() public {
        uint64 id = pool(100 * DATA, 100 * DATA, 0);
        pay(id, 1 * DATA);
        staking.sync(id);
        wait(VESTING - 1);
        pay(id, 99 * DATA);
        staking.sync(id);
        wait(VESTING / 2);
        vm.assertGe(locked(id), 49 * DATA);
        wait(VESTING / 2);
        vm.assertEq(locked(id), 0);
    }

    /// @dev The two together lose no more per second than both would on their own.
    function testFuzz_merging_unlocks_no_faster_than_the_sum(uint64 a, uint64 b, uint8 gap, uint8 step) public {
        vm.assume(a > 0 && b > 0);
        (uint256 gap_, uint256 step_) = (uint256(gap) % VESTING, uint256(step) % 10);
        uint64 id = pool(100 * DATA, 100 * DATA, 0);
        pay(id, a);
        staking.sync(id);
        wait(gap_);
        uint256 first = locked(id);
        pay(id, b);
        staking.sync(id);
        uint256 sum = first + b;
        vm.assertEq(locked(id), sum);
        wait(step_);
        // Speeds of the two lots, in what they lose per second.
        uint256 lost = first * step_ / (VESTING - gap_) + uint256(b) * step_ / VESTING + 2;
        vm.assertLe(sum - locked(id), lost);
    }

    // ---- prices

    /// @dev Through any of what a pool can go through but a slash, neither price falls.
    function testFuzz_prices_only_rise(uint256 seed) public {
        uint64 id = pool(100 * DATA, 50 * DATA, uint16(seed % 10_001));
        (uint256 entry, uint256 exit) = prices(id);
        for (uint256 i = 0; i < 12; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint128 amount = uint128(1 + (seed >> 8) % (20 * DATA));
            uint256 act = seed % 6;
            if (act == 0) stake(id, amount);
            else if (act == 1) delegate(BOB, id, amount);
            else if (act == 2) pay(id, amount);
            else if (act == 3) wait(amount % VESTING);
            else if (act == 4 && valueOf(ALICE, id) >= amount) undelegate(ALICE, id, amount);
            else staking.sync(id);
            (uint256 entryNow, uint256 exitNow) = prices(id);
            vm.assertGe(entryNow, entry);
            vm.assertGe(exitNow, exit);
            (entry, exit) = (entryNow, exitNow);
            assertBooked();
        }
    }

    /// @dev Wei per 2^120 shares.
    function prices(uint64 id) private view returns (uint256 entry, uint256 exit) {
        IStaking.Pool memory p = staking.pools(id);
        entry = ((uint256(p.assets) + 1) << 120) / (uint256(p.shares) + 1e6);
        exit = ((uint256(p.assets) - p.locked + 1) << 120) / (uint256(p.shares) + 1e6);
    }
}
