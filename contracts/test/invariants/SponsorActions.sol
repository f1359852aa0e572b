// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISponsorships} from "../../src/interfaces/ISponsorships.sol";
import {vm} from "../util/Vm.sol";
import {ICallable, StakingActions} from "./StakingActions.sol";

/// @dev Sponsors, and lapses. Schedules are kept within `EPOCHS` ahead: the checks walk all of it every time.
abstract contract SponsorActions is StakingActions {
    uint64 internal constant SPONSORSHIPS = 12;
    uint64 private constant EPOCHS = 100;

    /// @dev No epoch from here on is scheduled.
    uint64 internal scheduleEnd;
    /// @dev Sum of what was recovered from lapses.
    uint256 internal recovered;
    /// @dev Per sponsorship: its first epoch, and the epoch up to which it has recovered.
    mapping(uint64 sponsorshipId => uint64) internal firstEpoch;
    mapping(uint64 sponsorshipId => uint64) internal recoveredTo;

    function some(uint256 seed) internal view returns (uint64 id, ISponsorships.Sponsorship memory s) {
        uint64 count = sponsorships.sponsorshipCount();
        if (count == 0) return (0, s);
        id = uint64(1 + seed % count);
        s = sponsorships.sponsorships(id);
    }

    function noteEnd(uint64 id) private {
        uint64 to = sponsorships.sponsorships(id).toEpoch;
        if (to > scheduleEnd) scheduleEnd = to;
    }

    function createSponsorship(uint256 who, uint256 size, uint256 start, uint256 length, uint256 partitions)
        external
        action
    {
        if (sponsorships.sponsorshipCount() == SPONSORSHIPS) return;
        address from = person(who);
        uint64 epochs = uint64(pick(length, 1, 40));
        uint128 rate = uint128(size % 4 == 0 ? pickSize(size / 4, 1, 1000 * DATA) : pick(size / 4, DATA, 1000 * DATA));
        uint64 startEpoch = start % 4 == 0 ? 0 : now_() + LEAD + uint64(start % 10);
        grant(from, address(sponsorships), uint256(rate) * epochs);
        vm.prank(from);
        uint64 id =
            sponsorships.create(STREAM, uint32(1 + partitions % 3), rate, startEpoch, epochs, 3, 5000);
        firstEpoch[id] = sponsorships.sponsorships(id).fromEpoch;
        noteEnd(id);
        did("createSponsorship");
    }

    /// @dev How many epochs are scheduled already or would be; the rest of what is due is spare.
    function room(ISponsorships.Sponsorship memory s) private view returns (uint256) {
        uint64 from = s.toEpoch > now_() ? s.toEpoch : now_();
        return from < now_() + EPOCHS ? now_() + EPOCHS - from : 0;
    }

    function topUp(uint256 which, uint256 who, uint256 size, uint256 how) external action {
        (uint64 id, ISponsorships.Sponsorship memory s) = some(which);
        if (id == 0 || s.stopped) return;
        uint256 most = room(s) * s.ratePerEpoch;
        if (most <= s.spare) return;
        most -= s.spare;
        uint256 purse = token.balanceOf(address(this)) / 1000;
        uint128 amount = uint128(pickSize(size, 1, most < purse ? most : purse));
        address from = person(who);
        grant(from, address(sponsorships), amount);
        vm.prank(from);
        if (how % 2 == 0) ICallable(address(token)).transferAndCall(address(sponsorships), amount, abi.encode(id));
        else sponsorships.topUp(id, amount);
        noteEnd(id);
        did("topUp");
    }

    function extend(uint256 which) external action {
        (uint64 id, ISponsorships.Sponsorship memory s) = some(which);
        if (id == 0 || s.stopped || s.spare < s.ratePerEpoch || s.spare / s.ratePerEpoch > room(s)) return;
        sponsorships.extend(id);
        noteEnd(id);
        did("extend");
    }

    function setRate(uint256 which, uint256 size) external action {
        (uint64 id, ISponsorships.Sponsorship memory s) = some(which);
        if (id == 0 || s.stopped) return;
        uint64 from = now_() + LEAD > s.fromEpoch ? now_() + LEAD : s.fromEpoch;
        uint256 funds = s.spare + (s.toEpoch > from ? uint256(s.ratePerEpoch) * (s.toEpoch - from) : 0);
        // Many epochs at a rate of almost nothing would take the checks too long to walk.
        uint256 least = funds / EPOCHS + 1;
        if (funds < least || from > now_() + EPOCHS) return;
        vm.prank(s.sponsor);
        sponsorships.setRate(id, uint128(pick(size, least, funds)));
        noteEnd(id);
        did("setRate");
    }

    function stop(uint256 which, uint256 chance) external action {
        (uint64 id, ISponsorships.Sponsorship memory s) = some(which);
        // Stopped ones stay so; most should run.
        if (id == 0 || s.stopped || chance % 8 != 0) return;
        uint256 before = token.balanceOf(s.sponsor);
        vm.prank(s.sponsor);
        uint128 amount = sponsorships.stop(id);
        require(token.balanceOf(s.sponsor) == before + amount, "stop paid something else");
        did("stop");
    }

    function reclaim(uint256 which) external action {
        (uint64 id, ISponsorships.Sponsorship memory s) = some(which);
        if (id == 0 || !s.stopped || s.spare == 0) return;
        uint256 before = token.balanceOf(s.sponsor);
        sponsorships.reclaim(id);
        require(token.balanceOf(s.sponsor) == before + s.spare, "reclaim paid something else");
        did("reclaim");
    }

    /// @dev The next lapse that the sponsorship has not recovered, if there is one.
    function lapseOf(uint64 id) internal view returns (uint64) {
        uint64 from = recoveredTo[id] > firstEpoch[id] ? recoveredTo[id] : firstEpoch[id];
        uint64 count = sponsorships.lapseCount();
        for (uint64 i = 1; i <= count; ++i) {
            if (sponsorships.lapses(i).toEpoch > from) return i;
        }
        return 0;
    }

    function recover(uint256 which) external action {
        (uint64 id,) = some(which);
        if (id == 0) return;
        uint64 lapseId = lapseOf(id);
        if (lapseId == 0) return;
        recoverFrom(id, lapseId);
        did("recover");
    }

    function recoverFrom(uint64 id, uint64 lapseId) internal {
        recovered += sponsorships.recover(id);
        recoveredTo[id] = sponsorships.lapses(lapseId).toEpoch;
    }

    /// @dev Epochs that no post can reach any more: one for `now - LAPSE` pays back to `now + 1 - 2 * LAPSE`.
    function lapsable() internal view returns (bool) {
        return now_() + 1 > 2 * LAPSE && now_() + 1 - 2 * LAPSE > sponsorships.nextEpoch();
    }

    function lapse() external action {
        if (!lapsable()) return;
        sponsorships.lapse();
        did("lapse");
    }
}
