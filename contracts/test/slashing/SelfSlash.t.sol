// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISlashing} from "../../src/interfaces/ISlashing.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {Attestation, Volume} from "../../src/libraries/Types.sol";
import {vm} from "../util/Vm.sol";
import {Case} from "./Case.sol";

/// @dev Whoever slashes itself loses more than half of the penalty, whichever of the roles it plays besides the
/// operator's: reporter, sponsor of the harmed stream (with a rate beyond any cap), delegator.
contract SelfSlashTest is Case {
    address private self;

    function setUp() public override {
        super.setUp();
        self = ownerOf(1);
    }

    /// @dev All of it that is or becomes `self`'s: tokens, stake, unbonding, delegation, spare.
    function wealth(uint64 ownSponsorship) private view returns (uint256 sum) {
        sum = token.balanceOf(self) + staking.ownValue(1) + staking.pools(1).unbondingOwn;
        (, uint128 delegated) = staking.delegationOf(1, self);
        sum += delegated + staking.pools(1).unbondingDelegated;
        if (ownSponsorship != 0) sum += sponsorships.sponsorships(ownSponsorship).spare;
    }

    function contradict(uint64 epoch, address reporter, ISlashing.Harm memory harm) private {
        Volume memory a = Volume(epoch, CHECKPOINT, part(), "digest", 10, 100);
        Volume memory b = Volume(epoch, CHECKPOINT, part(), "digest", 11, 100);
        Attestation memory first = Attestation(g1Of(1), g2Of(1), sign(a));
        uint256[2] memory second = sign(b);
        vm.prank(reporter);
        slashing.volumeEquivocation(a, b, first, second, harm, true);
    }

    function sign(Volume memory v) private view returns (uint256[2] memory) {
        bytes32 hash = Eip712.volume(v.epoch, v.checkpoint, v.streamPart, v.setDigest, v.messages, v.bytes_);
        return attest(secretOf(1), hash);
    }

    function sponsorOwn() private returns (uint64 id) {
        uint128 rate = 10 * STAKE;
        token.transfer(self, uint256(rate) * 10);
        vm.startPrank(self);
        token.approve(address(sponsorships), uint256(rate) * 10);
        id = sponsorships.create(STREAM, 1, rate, 0, 10, 3, 5000);
        vm.stopPrank();
        enter(EPOCH + 2);
    }

    function loses(bool reports, bool sponsors, bool delegates, bool unstakes) private {
        uint64 own = sponsors ? sponsorOwn() : 0;
        if (delegates) delegate(self, 1, STAKE);
        if (unstakes) {
            vm.prank(self);
            staking.unstake(1, type(uint128).max);
        }
        uint256 before = wealth(own);
        uint256 held = token.balanceOf(address(staking));
        ISlashing.Harm memory harm = sponsors ? ISlashing.Harm(own, STREAM, 0) : nobody();
        contradict(now_(), reports ? self : REPORTER, harm);
        uint256 taken = held - token.balanceOf(address(staking));
        uint256 lost = before - wealth(own);
        uint256 kept = (reports ? taken * BOUNTY_BPS / 10_000 : 0) + (sponsors ? taken * RETURN_BPS / 10_000 : 0);
        vm.assertTrue(taken >= PENALTY);
        // Rounding of a share's value may cost a wei more.
        vm.assertTrue(lost >= taken - kept && lost <= taken - kept + 2);
        vm.assertTrue(2 * lost > taken);
    }

    function test_as_operator_only() public {
        loses(false, false, false, false);
    }

    function test_as_reporter() public {
        loses(true, false, false, false);
    }

    function test_as_sponsor() public {
        loses(false, true, false, false);
    }

    function test_as_delegator() public {
        loses(false, false, true, false);
    }

    function test_as_reporter_and_sponsor() public {
        loses(true, true, false, false);
    }

    function test_as_reporter_and_delegator() public {
        loses(true, false, true, false);
    }

    function test_as_sponsor_and_delegator() public {
        loses(false, true, true, false);
    }

    function test_in_every_role_at_once() public {
        loses(true, true, true, false);
    }

    function test_in_every_role_at_once_and_on_the_way_out() public {
        loses(true, true, true, true);
    }
}
