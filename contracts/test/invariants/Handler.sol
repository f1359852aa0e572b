// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISponsorships} from "../../src/interfaces/ISponsorships.sol";
import {IStaking} from "../../src/interfaces/IStaking.sol";
import {vm} from "../util/Vm.sol";
import {Checks} from "./Checks.sol";

/// @dev All actions together, and the end of the world.
contract Handler is Checks {
    function actions() external pure returns (bytes4[] memory list) {
        list = new bytes4[](22);
        list[0] = this.stake.selector;
        list[1] = this.delegate.selector;
        list[2] = this.unstake.selector;
        list[3] = this.undelegate.selector;
        list[4] = this.withdraw.selector;
        list[5] = this.sync.selector;
        list[6] = this.rotateKey.selector;
        list[7] = this.manage.selector;
        list[8] = this.createSponsorship.selector;
        list[9] = this.topUp.selector;
        list[10] = this.extend.selector;
        list[11] = this.setRate.selector;
        list[12] = this.stop.selector;
        list[13] = this.reclaim.selector;
        list[14] = this.recover.selector;
        list[15] = this.lapse.selector;
        list[16] = this.advance.selector;
        list[17] = this.post.selector;
        list[18] = this.push.selector;
        list[19] = this.contradict.selector;
        list[20] = this.blame.selector;
        list[21] = this.execute.selector;
    }

    /// @dev Every schedule ends, every lapse is recovered, everybody leaves and withdraws: Sponsorships ends with
    /// nothing, Staking with the dust of its queues.
    function windDown() external {
        pushAll();
        uint64 count = sponsorships.sponsorshipCount();
        for (uint64 i = 1; i <= count; ++i) {
            ISponsorships.Sponsorship memory s = sponsorships.sponsorships(i);
            if (s.stopped) continue;
            vm.prank(s.sponsor);
            sponsorships.stop(i);
        }
        enter(now_() + 2 * LAPSE + scheduleEnd);
        if (lapsable()) sponsorships.lapse();
        for (uint64 i = 1; i <= count; ++i) {
            for (uint64 lapseId = lapseOf(i); lapseId != 0; lapseId = lapseOf(i)) {
                recoverFrom(i, lapseId);
            }
            if (sponsorships.sponsorships(i).spare != 0) sponsorships.reclaim(i);
        }
        require(token.balanceOf(address(sponsorships)) == 0, "Sponsorships keeps something for ever");

        for (uint64 i = 1; i <= OPERATORS; ++i) {
            everybodyLeaves(i);
        }
        enter(now_() + UNBONDING);
        while (exits.length != 0) {
            close(0, staking.requests(exits[0].requestId));
        }
        checkStakingLedger();
        for (uint64 i = 1; i <= OPERATORS; ++i) {
            IStaking.Pool memory p = staking.pools(i);
            require(p.assets == 0 && p.shares == 0, "a pool keeps something for ever");
            checkRequests(i);
        }
    }

    function everybodyLeaves(uint64 id) private {
        for (uint256 j = 0; j < PEOPLE; ++j) {
            (uint128 held,) = staking.delegationOf(id, person(j));
            if (held == 0) continue;
            vm.prank(person(j));
            exits.push(Exit(staking.undelegate(id, type(uint128).max), id, now_(), false));
        }
        vm.prank(staking.operators(id).owner);
        exits.push(Exit(staking.unstake(id, type(uint128).max), id, now_(), true));
    }
}
