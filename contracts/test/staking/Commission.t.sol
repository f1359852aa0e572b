// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {vm} from "../util/Vm.sol";
import {StakingTest} from "./StakingTest.sol";

/// @dev announceCommission and applyCommission.
contract CommissionTest is StakingTest {
    function test_announce_reverts_unless_owner() public {
        pool(MIN_STAKE, 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotOwner.selector, 1, address(this)));
        staking.announceCommission(1, 0);
    }

    function test_announce_reverts_for_more_than_all() public {
        pool(MIN_STAKE, 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InvalidCommission.selector, 10_001));
        vm.prank(ownerOf(1));
        staking.announceCommission(1, 10_001);
    }

    function test_apply_reverts_if_nothing_was_announced() public {
        uint64 id = pool(MIN_STAKE, 0);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NoCommissionAnnounced.selector, id));
        staking.applyCommission(id);
        commission(id, 2000);
        enter(UNBONDING);
        staking.applyCommission(id);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NoCommissionAnnounced.selector, id));
        staking.applyCommission(id);
    }

    function test_apply_reverts_before_its_epoch() public {
        uint64 id = pool(MIN_STAKE, 0);
        enter(2);
        commission(id, 2000);
        enter(1 + UNBONDING);
        vm.expectRevert(abi.encodeWithSelector(IStaking.TooEarly.selector, 2 + UNBONDING, 1 + UNBONDING));
        staking.applyCommission(id);
    }

    /// @dev A new announcement replaces the old one, and its wait begins anew.
    function test_announcing_again_restarts_the_wait() public {
        uint64 id = pool(MIN_STAKE, 0);
        commission(id, 2000);
        enter(UNBONDING);
        commission(id, 3000);
        vm.expectRevert(abi.encodeWithSelector(IStaking.TooEarly.selector, 2 * UNBONDING, UNBONDING));
        staking.applyCommission(id);
    }

    function test_anyone_applies_what_was_announced() public {
        uint64 id = pool(MIN_STAKE, 0);
        vm.expectEmit(address(staking));
        emit IStaking.CommissionAnnounced(id, 2500, UNBONDING);
        commission(id, 2500);
        vm.assertEq(staking.operators(id).commissionBps, COMMISSION_BPS);
        vm.assertEq(staking.operators(id).announcedBps, 2500);
        vm.assertEq(staking.operators(id).announcedEpoch, UNBONDING);
        enter(UNBONDING);
        vm.expectEmit(address(staking));
        emit IStaking.CommissionChanged(id, 2500);
        staking.applyCommission(id);
        vm.assertEq(staking.operators(id).commissionBps, 2500);
        vm.assertEq(staking.operators(id).announcedEpoch, 0);
    }

    function test_what_was_paid_before_pays_the_old_commission() public {
        uint64 id = pool(100 * DATA, 100 * DATA, 1000);
        commission(id, 10_000);
        enter(UNBONDING);
        pay(id, 20 * DATA);
        staking.applyCommission(id);
        wait(VESTING);
        vm.assertApproxEqAbs(valueOf(ALICE, id), 109 * DATA, 2);
        pay(id, 20 * DATA);
        wait(VESTING);
        vm.assertApproxEqAbs(valueOf(ALICE, id), 109 * DATA, 2);
    }
}
