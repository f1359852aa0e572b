// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISponsorships} from "../../src/interfaces/ISponsorships.sol";
import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {SlashingActions} from "./SlashingActions.sol";

/// @dev What has to hold after every action. The checks that read most look at one operator, or one epoch, after each
/// action, in turn: what they look for does not heal.
abstract contract Checks is SlashingActions {
    /// @dev What rounding may leave in an unbonding queue, which belongs to nobody then.
    uint256 private constant DUST = 1e6;

    /// @dev Staking holds its pools and nothing else.
    function checkStakingLedger() public view {
        uint256 sum;
        for (uint64 i = 1; i <= OPERATORS; ++i) {
            IStaking.Pool memory p = staking.pools(i);
            sum += uint256(p.assets) + p.unshared + p.unbondingOwn + p.unbondingDelegated;
            require(p.locked <= p.assets, "more is locked than there is");
            require(p.shares != 0 || p.assets == 0, "assets are nobody's");
        }
        require(token.balanceOf(address(staking)) == sum, "Staking's balance is not the sum of its pools");
    }

    /// @dev Sponsorships holds spares, what is scheduled and not settled, what lapsed and is not recovered, and what
    /// was settled and not pushed. The running sum counts the settled, the lapsed and what is to come.
    function checkSponsorshipsLedger() public view {
        uint256 spares;
        uint256 refunded;
        uint64 count = sponsorships.sponsorshipCount();
        for (uint64 i = 1; i <= count; ++i) {
            ISponsorships.Sponsorship memory s = sponsorships.sponsorships(i);
            spares += s.spare;
            refunded += s.refunded;
        }
        uint256 released;
        for (uint64 i = 1; i <= OPERATORS; ++i) {
            released += staking.pools(i).paid;
        }
        uint256 ledger = spares + sponsorships.scheduledThrough(scheduleEnd) - recovered - refunded - released;
        require(token.balanceOf(address(sponsorships)) == ledger, "Sponsorships' balance is not its ledger");
        require(recovered <= sponsorships.lapsed(), "more was recovered than lapsed");
        require(settlement.paid() == refunded + released, "payouts and refunds are not what was pushed");
        require(settlement.total() == sponsorships.settled(), "what is owed is not what was made payable");
        require(settlement.paid() <= settlement.total(), "more was pushed than posted");
    }

    /// @dev The other two keep nothing; and penalties went where the ghosts saw them go.
    function checkTheRestHoldsNothing() public view {
        require(token.balanceOf(address(settlement)) == 0, "Settlement holds tokens");
        require(token.balanceOf(address(slashing)) == 0, "Slashing holds tokens");
        require(token.balanceOf(BURNED) == burned, "something else was burned");
    }

    /// @dev Everybody's shares are all shares.
    function checkShares(uint64 id) public view {
        IStaking.Pool memory p = staking.pools(id);
        uint256 sum = p.ownShares;
        for (uint256 j = 0; j < PEOPLE; ++j) {
            (uint128 shares,) = staking.delegationOf(id, person(j));
            sum += shares;
        }
        require(sum == p.shares, "the shares do not add up");
    }

    /// @dev Requests are covered, and what is over is dust.
    function checkRequests(uint64 id) public view {
        uint256 own;
        uint256 delegated;
        for (uint256 i = 0; i < exits.length; ++i) {
            if (exits[i].operatorId != id) continue;
            uint128 amount = staking.requests(exits[i].requestId).amount;
            if (exits[i].own) own += amount;
            else delegated += amount;
        }
        IStaking.Pool memory p = staking.pools(id);
        require(own <= p.unbondingOwn && delegated <= p.unbondingDelegated, "a request is not covered");
        require(p.unbondingOwn - own <= DUST, "own stake waits for nobody");
        require(p.unbondingDelegated - delegated <= DUST, "delegated stake waits for nobody");
    }

    /// @dev Stake that has weight in an epoch is still there to be slashed until evidence of that epoch has expired and
    /// what was proven can be executed: in the pool or waiting, unless slashed since. What left before does not count.
    function checkNoExitEscapesEvidence(uint64 id) public view {
        uint64 current = now_();
        uint64 earliest = current > EVIDENCE + GRACE ? current - EVIDENCE - GRACE : 0;
        uint256[] memory waiting = waitingSince(id, earliest, current);
        IStaking.Pool memory p = staking.pools(id);
        uint256 backing = uint256(p.assets) + p.unshared;
        // Going back, an exit or slash in `e - 1` is the latest that the weight in `e` could not know of.
        for (uint64 e = current + LEAD; e > earliest; --e) {
            if (e <= current + 1) backing += slashedIn[id][e - 1] + waiting[e - 1 - earliest];
            require(staking.weightAt(id, e) <= backing, "weight without stake");
        }
    }

    /// @dev What was asked for in each epoch from `earliest` on, with what rounding may have taken.
    function waitingSince(uint64 id, uint64 earliest, uint64 current) private view returns (uint256[] memory waiting) {
        waiting = new uint256[](current + 1 - earliest);
        for (uint256 i = 0; i < exits.length; ++i) {
            if (exits[i].operatorId != id || exits[i].epoch < earliest) continue;
            waiting[exits[i].epoch - earliest] += staking.requests(exits[i].requestId).amount + DUST;
        }
    }

    /// @dev No weight is announced that the pool does not have, or that its own stake does not allow.
    function checkWeights() public view {
        uint64 last = now_() + LEAD;
        for (uint64 i = 1; i <= OPERATORS; ++i) {
            IStaking.Pool memory p = staking.pools(i);
            uint256 own = uint256(p.ownShares) * (uint256(p.assets) + 1) / (uint256(p.shares) + 1e6);
            uint256 most = own < MIN_STAKE ? 0 : own * 10_000 / MIN_SELF_BPS;
            uint256 weight = staking.weightAt(i, last);
            require(weight <= most && weight <= p.assets, "a weight that the pool does not have");
        }
    }

    /// @dev The set is its members: their number, their weights, their keys.
    function checkSet(uint64 epoch) public view {
        (, uint128 total, bytes32 aggregateHash, uint32 count) = staking.setAt(epoch);
        uint256[2] memory aggregate;
        for (uint64 i = 1; i <= OPERATORS; ++i) {
            uint128 weight = staking.weightAt(i, epoch);
            if (weight == 0) continue;
            (total, count) = (total - weight, count - 1);
            aggregate = Bn254.add(aggregate, keyAt(i, epoch).g1);
        }
        require(total == 0 && count == 0, "the set's stake is not its members'");
        // Before the first checkpoint there is no key, which is another thing than a sum of no keys.
        bool same = aggregateHash == keccak256(abi.encode(aggregate)) || aggregateHash == 0;
        require(same && (count == 0 || aggregateHash != 0), "the set's key is not its members'");
    }

    function checkEverything() external view {
        checkStakingLedger();
        checkSponsorshipsLedger();
        checkTheRestHoldsNothing();
        checkWeights();
        uint64 turn = uint64(actionCount % OPERATORS);
        checkShares(turn + 1);
        checkRequests(turn + 1);
        checkNoExitEscapesEvidence(turn + 1);
        checkSet(now_() + turn > LEAD ? now_() + turn - LEAD : 0);
    }
}
