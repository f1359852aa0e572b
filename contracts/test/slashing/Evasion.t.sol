// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {Merkle} from "../../src/libraries/Merkle.sol";
import {Certificate} from "../../src/libraries/Types.sol";
import {vm} from "../util/Vm.sol";
import {Case} from "./Case.sol";

/// @dev Ways to be gone when the penalty comes.
contract EvasionTest is Case {
    address private constant DELEGATOR = address(0xde1e);

    function unstakeAll(uint64 operatorId) private returns (uint64) {
        vm.prank(ownerOf(operatorId));
        return staking.unstake(operatorId, type(uint128).max);
    }

    function test_unstaking_in_front_of_the_proof() public {
        unstakeAll(1);
        offend(1, true);
        assertTaken(PENALTY, BOUNTY, 0);
        // What waits is valued down.
        vm.assertEq(staking.requests(1).amount, STAKE - PENALTY - 1);
    }

    function test_unstaking_between_proof_and_execution() public {
        bytes32 slot = offend(1, false);
        unstakeAll(1);
        slashing.execute(slot);
        assertTaken(PENALTY, BOUNTY, 0);
    }

    function test_undelegating_in_front_of_the_execution() public {
        delegate(DELEGATOR, 1, STAKE);
        for (uint256 i = 1; i <= 6; ++i) {
            offend(i, true);
        }
        bytes32 slot = offend(7, false);
        vm.prank(DELEGATOR);
        uint64 request = staking.undelegate(1, type(uint128).max);
        uint128 before = staking.requests(request).amount;
        slashing.execute(slot);
        vm.assertTrue(staking.requests(request).amount < before);
    }

    /// @dev What signed in the last epoch before it left the set, is proven at the very end of the window and executed
    /// at the end of the grace period: still there. The constructor's bound makes that so in every deployment.
    function test_stake_outlasts_the_latest_execution() public {
        unstakeAll(1);
        uint64 last = EPOCH + 1;
        vm.assertEq(staking.weightAt(1, last), STAKE);
        vm.assertEq(staking.weightAt(1, last + 1), 0);
        enter(last + EVIDENCE);
        bytes32 slot = offendIn(last, 1, false);
        uint64 execution = last + EVIDENCE + 8;
        enter(execution);
        uint64 release = staking.requests(1).releaseEpoch;
        vm.assertTrue(release >= execution + (UNBONDING - EVIDENCE - 10) + 1);
        vm.expectRevert(abi.encodeWithSelector(IStaking.TooEarly.selector, release, execution));
        staking.withdraw(1);
        slashing.execute(slot);
        assertTaken(PENALTY, BOUNTY, 0);
    }

    function test_handing_the_operator_over() public {
        vm.prank(ownerOf(1));
        staking.transferOwnership(1, STRANGER);
        vm.prank(STRANGER);
        staking.acceptOwnership(1);
        offend(1, true);
        assertTaken(PENALTY, BOUNTY, 0);
    }

    function test_withdrawing_when_the_penalty_has_come_pays_what_is_left() public {
        uint64 request = unstakeAll(1);
        offend(1, true);
        enter(EPOCH + UNBONDING);
        staking.withdraw(request);
        vm.assertEq(token.balanceOf(ownerOf(1)), STAKE - PENALTY - 1);
    }

    /// @dev Proving one's own offence first, with a bounty for oneself, uses up the slot but not the loss.
    function test_reporting_oneself_first_costs_nine_tenths_of_the_penalty() public {
        offend(1, true);
        vm.assertEq(token.balanceOf(BURNED), PENALTY * 9 / 10);
    }

    function test_stake_that_arrives_late_is_not_spared() public {
        bytes32 slot = offend(1, false);
        stake(1, STAKE);
        slashing.execute(slot);
        vm.assertEq(staking.pools(1).assets, 2 * STAKE - 2 * PENALTY);
    }

    /// @dev A pool of one share that was paid a lot: its price leaves half of it to the virtual shares. It can be
    /// slashed like any other, and what waits with it.
    function test_keeping_a_single_wei_staked_while_pay_comes() public {
        enter(EPOCH + 9);
        vm.prank(ownerOf(1));
        staking.unstake(1, STAKE - 1);
        enter(EPOCH + 11);
        uint128 pay = 12 * RATE;
        uint256[] memory entries = new uint256[](1);
        entries[0] = pack(Merkle.KIND_OPERATOR, 1, pay);
        bytes32 root = Merkle.payoutLeaf(entries);
        Certificate memory c = certify(4, 4, Eip712.payout(EPOCH + 10, CHECKPOINT, root, pay));
        settlement.post(EPOCH + 10, root, pay, c);
        settlement.push(entries, none());
        uint128 taken = (STAKE + pay) / 10;
        vm.assertTrue(taken < pay && taken > pay / 2);
        offend(1, true);
        IStaking.Pool memory pool = staking.pools(1);
        vm.assertEq(pool.assets, 1 + pay - taken);
        vm.assertEq(pool.unbondingOwn, STAKE - 1);
        vm.assertTrue(pool.shares != 0 && pool.shares == pool.ownShares);
    }
}
