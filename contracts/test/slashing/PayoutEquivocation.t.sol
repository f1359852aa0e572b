// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISlashing} from "../../src/interfaces/ISlashing.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {Attestation, Payout} from "../../src/libraries/Types.sol";
import {vm} from "../util/Vm.sol";
import {Case} from "./Case.sol";

contract PayoutEquivocationTest is Case {
    function payout(bytes32 root) private pure returns (Payout memory) {
        return Payout(EPOCH, CHECKPOINT, root, RATE);
    }

    function hashOf(Payout memory p) private pure returns (bytes32) {
        return Eip712.payout(p.epoch, p.checkpoint, p.root, p.total);
    }

    function submit(Payout memory a, Payout memory b, bool thenExecute, bytes memory reason) private {
        Attestation memory first = Attestation(g1Of(1), g2Of(1), attest(secretOf(1), hashOf(a)));
        uint256[2] memory second = attest(secretOf(1), hashOf(b));
        if (reason.length != 0) vm.expectRevert(reason);
        vm.prank(REPORTER);
        slashing.payoutEquivocation(a, b, first, second, thenExecute);
    }

    function test_reverts_if_the_evidence_is_too_old() public {
        enter(EPOCH + EVIDENCE + 1);
        submit(payout("a"), payout("b"), false, tooOld());
    }

    function test_reverts_unless_the_payouts_share_the_epoch() public {
        Payout memory b = payout("b");
        b.epoch += 1;
        submit(payout("a"), b, false, notAConflict());
    }

    function test_reverts_for_one_statement_signed_twice() public {
        submit(payout("a"), payout("a"), false, notAConflict());
    }

    /// @dev A volume and a payout are two types of one key: no contradiction can be made of them.
    function test_reverts_for_a_signature_of_another_kind() public {
        (Payout memory a, Payout memory b) = (payout("a"), payout("b"));
        Attestation memory first = Attestation(g1Of(1), g2Of(1), attest(secretOf(1), hashOf(a)));
        bytes32 volume = Eip712.volume(EPOCH, CHECKPOINT, part(), "digest", 10, 100);
        uint256[2] memory second = attest(secretOf(1), volume);
        vm.expectRevert(ISlashing.InvalidAttestations.selector);
        slashing.payoutEquivocation(a, b, first, second, false);
    }

    function test_reverts_for_a_key_that_nobody_registered() public {
        (Payout memory a, Payout memory b) = (payout("a"), payout("b"));
        Attestation memory first = Attestation(g1Of(9), g2Of(9), attest(secretOf(9), hashOf(a)));
        uint256[2] memory second = attest(secretOf(9), hashOf(b));
        vm.expectRevert(abi.encodeWithSelector(ISlashing.UnknownKey.selector, first.g1[0]));
        slashing.payoutEquivocation(a, b, first, second, false);
    }

    function test_reverts_the_second_time_with_whatever_payouts() public {
        submit(payout("a"), payout("b"), true, "");
        bytes memory reason = alreadyProven(slashing.payoutSlot(EPOCH, 1));
        submit(payout("a"), payout("b"), true, reason);
        submit(payout("c"), payout("d"), true, reason);
    }

    function test_takes_the_penalty() public {
        bytes32 slot = slashing.payoutSlot(EPOCH, 1);
        vm.expectEmit(address(slashing));
        emit ISlashing.OffenceProven(slot, 1, REPORTER, ISlashing.Kind.PayoutEquivocation, 0);
        submit(payout("a"), payout("b"), true, "");
        vm.snapshotGasLastCall("slashing", "payoutEquivocation, then execute");
        assertRecorded(slot, ISlashing.Kind.PayoutEquivocation, true);
        assertTaken(PENALTY, BOUNTY, 0);
    }

    function test_a_different_total_alone_is_a_conflict() public {
        Payout memory b = payout("a");
        b.total += 1;
        submit(payout("a"), b, true, "");
        assertTaken(PENALTY, BOUNTY, 0);
    }
}
