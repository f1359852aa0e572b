// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISettlement} from "../../src/interfaces/ISettlement.sol";
import {ISlashing} from "../../src/interfaces/ISlashing.sol";
import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {Certificate} from "../../src/libraries/Types.sol";
import {vm} from "../util/Vm.sol";
import {Case} from "./Case.sol";

contract FaultTest is Case {
    /// @dev FAULT_BPS of STAKE.
    uint128 private constant LITTLE = STAKE / 100;

    function statement(uint64 operatorId) private pure returns (bytes32) {
        return Eip712.fault(EPOCH, CHECKPOINT, part(), operatorId);
    }

    /// @dev Without the operator itself, which is absent from no vector: operator 4 is the accused here.
    function votes(uint64 operatorId) private view returns (Certificate memory) {
        return certify(3, 4, statement(operatorId));
    }

    function submit(uint64 operatorId, Certificate memory c, ISlashing.Harm memory harm, bool thenExecute) private {
        vm.prank(REPORTER);
        slashing.fault(EPOCH, part(), operatorId, c, harm, thenExecute);
    }

    function refused(uint64 operatorId, Certificate memory c, bytes memory reason) private {
        vm.expectRevert(reason);
        submit(operatorId, c, nobody(), false);
    }

    function test_reverts_if_the_evidence_is_too_old() public {
        enter(EPOCH + EVIDENCE + 1);
        refused(4, votes(4), tooOld());
    }

    function test_reverts_for_an_operator_that_does_not_exist() public {
        refused(5, votes(5), abi.encodeWithSelector(ISlashing.UnknownOperator.selector, 5));
        refused(0, votes(0), abi.encodeWithSelector(ISlashing.UnknownOperator.selector, 0));
    }

    function test_reverts_before_the_first_checkpoint() public {
        Certificate memory c = certify(3, 4, Eip712.fault(1, 0, part(), 4));
        vm.expectRevert(abi.encodeWithSelector(IStaking.NoCheckpoint.selector, 1));
        slashing.fault(1, part(), 4, c, nobody(), false);
    }

    function test_reverts_without_two_thirds_of_the_stake() public {
        stake(4, STAKE / 2);
        enter(EPOCH + 2);
        bytes32 hash = Eip712.fault(EPOCH + 2, EPOCH + 2, part(), 4);
        Certificate memory c = certify(3, 4, hash);
        vm.expectRevert(
            abi.encodeWithSelector(ISettlement.QuorumMissed.selector, 3 * STAKE, 4 * STAKE + STAKE / 2)
        );
        slashing.fault(EPOCH + 2, part(), 4, c, nobody(), false);
    }

    function test_reverts_for_votes_on_something_else() public {
        bytes memory reason = abi.encodeWithSelector(ISettlement.InvalidCertificate.selector);
        refused(4, votes(3), reason);
        refused(4, certify(3, 4, Eip712.fault(EPOCH, CHECKPOINT, "other", 4)), reason);
        refused(4, certify(3, 4, Eip712.fault(EPOCH + 1, CHECKPOINT, part(), 4)), reason);
        refused(4, certify(3, 4, Eip712.fault(EPOCH, CHECKPOINT + 1, part(), 4)), reason);
        refused(4, certify(3, 4, Eip712.payout(EPOCH, CHECKPOINT, part(), 4)), reason);
    }

    function test_reverts_the_second_time() public {
        submit(4, votes(4), nobody(), true);
        refused(4, votes(4), alreadyProven(slashing.faultSlot(EPOCH, part(), 4)));
    }

    function test_takes_the_small_penalty() public {
        bytes32 slot = slashing.faultSlot(EPOCH, part(), 4);
        vm.expectEmit(address(slashing));
        emit ISlashing.OffenceProven(slot, 4, REPORTER, ISlashing.Kind.Fault, 0);
        vm.expectEmit(address(slashing));
        emit ISlashing.OffenceExecuted(slot, 4, LITTLE / 10, 0, LITTLE - LITTLE / 10);
        submit(4, votes(4), nobody(), true);
        vm.snapshotGasLastCall("slashing", "fault of 4, then execute");
        vm.assertEq(staking.pools(4).assets, STAKE - LITTLE);
        vm.assertEq(token.balanceOf(REPORTER), LITTLE / 10);
    }

    function test_returns_a_part_to_the_harmed_sponsorship() public {
        submit(4, votes(4), harmed(), true);
        vm.assertEq(spare(), LITTLE * 3 / 10);
        vm.assertEq(token.balanceOf(BURNED), LITTLE * 6 / 10);
    }

    function test_the_accused_may_vote() public {
        submit(4, certify(4, 4, statement(4)), nobody(), true);
        vm.assertEq(staking.pools(4).assets, STAKE - LITTLE);
    }

    function test_a_fault_and_a_contradiction_are_two_offences() public {
        bytes32 slot = slashing.faultSlot(EPOCH, part(), 4);
        vm.assertTrue(slot != slashing.volumeSlot(EPOCH, part(), 4));
        submit(1, votes(1), nobody(), true);
        offend(1, true);
        vm.assertEq(staking.pools(1).assets, (STAKE - LITTLE) * 9 / 10);
    }
}
