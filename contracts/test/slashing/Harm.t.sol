// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISlashing} from "../../src/interfaces/ISlashing.sol";
import {ISponsorships} from "../../src/interfaces/ISponsorships.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {Attestation, Volume} from "../../src/libraries/Types.sol";
import {vm} from "../util/Vm.sol";
import {Case} from "./Case.sol";

/// @dev Who may be named as harmed, and how much it gets. The offence is a contradiction about a volume.
contract HarmTest is Case {
    string private constant OTHER = "0x00000000000000000000000000000000000000aa/other";

    function submit(uint64 epoch, bytes32 streamPart, ISlashing.Harm memory harm, bytes memory reason) private {
        Volume memory a = Volume(epoch, CHECKPOINT, streamPart, "digest", 10, 100);
        Volume memory b = Volume(epoch, CHECKPOINT, streamPart, "digest", 11, 100);
        Attestation memory first = Attestation(g1Of(1), g2Of(1), sign(a));
        uint256[2] memory second = sign(b);
        if (reason.length != 0) vm.expectRevert(reason);
        vm.prank(REPORTER);
        slashing.volumeEquivocation(a, b, first, second, harm, true);
    }

    function sign(Volume memory v) private view returns (uint256[2] memory) {
        bytes32 hash = Eip712.volume(v.epoch, v.checkpoint, v.streamPart, v.setDigest, v.messages, v.bytes_);
        return attest(secretOf(1), hash);
    }

    function wrongStream() private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISlashing.WrongStream.selector);
    }

    function create(string memory stream, uint32 partitions, uint128 rate) private returns (uint64 id) {
        token.transfer(SPONSOR, uint256(rate) * 10);
        vm.startPrank(SPONSOR);
        token.approve(address(sponsorships), uint256(rate) * 10);
        id = sponsorships.create(stream, partitions, rate, 0, 10, 3, 5000);
        vm.stopPrank();
    }

    function test_reverts_if_the_stream_part_is_another() public {
        submit(EPOCH, "other", harmed(), wrongStream());
        submit(EPOCH, part(), ISlashing.Harm(sponsorshipId, STREAM, 1), wrongStream());
        submit(EPOCH, part(), ISlashing.Harm(sponsorshipId, OTHER, 0), wrongStream());
    }

    function test_reverts_if_the_sponsorship_is_of_another_stream() public {
        uint64 id = create(OTHER, 1, RATE);
        bytes memory reason = abi.encodeWithSelector(ISponsorships.WrongStream.selector, id);
        submit(EPOCH, part(), ISlashing.Harm(id, STREAM, 0), reason);
    }

    /// @dev "stream#1" may end in "#1" of its own: the name of a part has the partition after the last "#".
    function test_reverts_if_the_partition_is_not_one_of_the_streams() public {
        bytes32 beyond = keccak256(bytes(string.concat(STREAM, "#1")));
        submit(EPOCH, beyond, ISlashing.Harm(sponsorshipId, STREAM, 1), wrongStream());
        submit(EPOCH, keccak256(bytes(STREAM)), ISlashing.Harm(sponsorshipId, "", 0), wrongStream());
    }

    function test_reverts_for_a_sponsorship_that_does_not_exist() public {
        bytes memory reason = abi.encodeWithSelector(ISponsorships.UnknownSponsorship.selector, 99);
        submit(EPOCH, part(), ISlashing.Harm(99, STREAM, 0), reason);
    }

    function test_naming_nobody_burns_that_part() public {
        submit(EPOCH, part(), nobody(), "");
        assertTaken(PENALTY, BOUNTY, 0);
    }

    function test_returns_at_most_what_was_paid_for_the_part_in_the_epoch() public {
        submit(EPOCH, part(), harmed(), "");
        assertTaken(PENALTY, BOUNTY, RATE);
    }

    function test_returns_at_most_its_part_of_the_penalty() public {
        sponsorshipId = create(STREAM, 1, 100 * RATE);
        enter(EPOCH + 2);
        submit(EPOCH + 2, part(), harmed(), "");
        assertTaken(PENALTY, BOUNTY, PENALTY * RETURN_BPS / 10_000);
    }

    function test_counts_one_partition_of_several() public {
        sponsorshipId = create(STREAM, 8, RATE);
        enter(EPOCH + 2);
        bytes32 seventh = keccak256(bytes(string.concat(STREAM, "#7")));
        submit(EPOCH + 2, seventh, ISlashing.Harm(sponsorshipId, STREAM, 7), "");
        assertTaken(PENALTY, BOUNTY, RATE / 8);
    }

    function test_names_partitions_in_decimals() public {
        sponsorshipId = create(STREAM, 100, RATE);
        enter(EPOCH + 2);
        bytes32 last = keccak256(bytes(string.concat(STREAM, "#99")));
        submit(EPOCH + 2, last, ISlashing.Harm(sponsorshipId, STREAM, 99), "");
        assertTaken(PENALTY, BOUNTY, RATE / 100);
    }

    /// @dev Dust that is sponsored to be the harmed one is paid for nothing but the epochs it pays for.
    function test_returns_nothing_for_an_epoch_that_was_not_paid_for() public {
        sponsorshipId = create(STREAM, 1, 100 * RATE);
        submit(EPOCH, part(), harmed(), "");
        assertTaken(PENALTY, BOUNTY, 0);
    }

    function test_a_sponsorship_that_stopped_since_is_still_paid() public {
        vm.prank(SPONSOR);
        sponsorships.stop(sponsorshipId);
        submit(EPOCH, part(), harmed(), "");
        assertTaken(PENALTY, BOUNTY, RATE);
        sponsorships.reclaim(sponsorshipId);
        vm.assertEq(spare(), 0);
    }
}
