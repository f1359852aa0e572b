// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {ISlashing} from "../../src/interfaces/ISlashing.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {Merkle} from "../../src/libraries/Merkle.sol";
import {BandwidthReceipt, Credit} from "../../src/libraries/Types.sol";
import {Fixture} from "../util/Fixture.sol";
import {vm} from "../util/Vm.sol";

/// @dev Both offences that two receipts can prove. Operator 1's node is the receiver.
contract ReceiptsTest is Fixture {
    address private constant RELAYER = address(0x7e1a);
    address private constant REPORTER = address(0x9e90);
    uint256 private constant KEY = 0xbeef01;
    uint128 private constant STAKE = 10 * MIN_STAKE;
    bytes32[] private none;

    function setUp() public override {
        super.setUp();
        operators(2);
        addNode(1, KEY);
        enter(3);
    }

    function receipt(uint32 sequence, bytes32 root) private pure returns (BandwidthReceipt memory) {
        return BandwidthReceipt(3, RELAYER, vm.addr(KEY), sequence, root);
    }

    function sign(BandwidthReceipt memory r) private view returns (bytes memory) {
        return signed(KEY, Eip712.bandwidthReceipt(r));
    }

    function equivocate(BandwidthReceipt memory a, BandwidthReceipt memory b, bytes memory expected) private {
        (bytes memory sa, bytes memory sb) = (sign(a), sign(b));
        if (expected.length != 0) vm.expectRevert(expected);
        vm.prank(REPORTER);
        slashing.receiptEquivocation(a, sa, b, sb);
    }

    function notAConflict() private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISlashing.NotAConflict.selector);
    }

    function test_equivocation_reverts_unless_the_receipts_conflict() public {
        BandwidthReceipt memory a = receipt(1, "a");
        equivocate(a, a, notAConflict());
        equivocate(a, receipt(2, "b"), notAConflict());
        BandwidthReceipt memory b = receipt(1, "b");
        b.epoch = 2;
        equivocate(a, b, notAConflict());
        b = receipt(1, "b");
        b.relayer = address(1);
        equivocate(a, b, notAConflict());
        b = receipt(1, "b");
        b.receiver = address(1);
        equivocate(a, b, notAConflict());
    }

    function test_equivocation_reverts_if_another_signed() public {
        (BandwidthReceipt memory a, BandwidthReceipt memory b) = (receipt(1, "a"), receipt(1, "b"));
        bytes memory sa = sign(a);
        bytes memory forged = signed(0xf00, Eip712.bandwidthReceipt(b));
        vm.expectRevert(
            abi.encodeWithSelector(ISlashing.NotSignedByReceiver.selector, vm.addr(0xf00), vm.addr(KEY))
        );
        slashing.receiptEquivocation(a, sa, b, forged);
    }

    function test_equivocation_reverts_for_a_high_s_twin() public {
        (BandwidthReceipt memory a, BandwidthReceipt memory b) = (receipt(1, "a"), receipt(1, "b"));
        (bytes memory sa, bytes memory sb) = (sign(a), twin(sign(b)));
        bytes32 s;
        assembly {
            s := mload(add(sb, 0x40))
        }
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, s));
        slashing.receiptEquivocation(a, sa, b, sb);
    }

    function test_equivocation_reverts_if_the_receiver_is_no_operators_node() public {
        BandwidthReceipt memory a = BandwidthReceipt(3, RELAYER, vm.addr(0xf00), 1, "a");
        BandwidthReceipt memory b = BandwidthReceipt(3, RELAYER, vm.addr(0xf00), 1, "b");
        bytes memory sa = signed(0xf00, Eip712.bandwidthReceipt(a));
        bytes memory sb = signed(0xf00, Eip712.bandwidthReceipt(b));
        vm.expectRevert(abi.encodeWithSelector(ISlashing.NotAnOperator.selector, vm.addr(0xf00)));
        slashing.receiptEquivocation(a, sa, b, sb);
    }

    function test_equivocation_reverts_when_the_evidence_is_too_old() public {
        enter(3 + EVIDENCE + 1);
        bytes memory reason = abi.encodeWithSelector(ISlashing.EvidenceTooOld.selector, 3, 3 + EVIDENCE + 1);
        equivocate(receipt(1, "a"), receipt(1, "b"), reason);
    }

    function test_equivocation_reverts_the_second_time_with_whatever_receipts() public {
        equivocate(receipt(1, "a"), receipt(1, "b"), "");
        bytes32 slot = slashing.slotOf(3, RELAYER, vm.addr(KEY));
        bytes memory reason = abi.encodeWithSelector(ISlashing.AlreadyPunished.selector, slot);
        equivocate(receipt(1, "a"), receipt(1, "b"), reason);
        equivocate(receipt(1, "b"), receipt(1, "a"), reason);
        equivocate(receipt(2, "a"), receipt(2, "b"), reason);
    }

    function test_equivocation_cuts_the_stake_and_pays_the_bounty() public {
        uint256 held = token.balanceOf(address(staking));
        bytes32 slot = slashing.slotOf(3, RELAYER, vm.addr(KEY));
        vm.expectEmit(address(slashing));
        emit ISlashing.OffenceProven(slot, 1, REPORTER, 1, STAKE / 10);
        equivocate(receipt(1, "a"), receipt(1, "b"), "");
        vm.assertEq(staking.operators(1).stake, STAKE * 9 / 10);
        vm.assertEq(token.balanceOf(REPORTER), STAKE / 100);
        vm.assertEq(token.balanceOf(BURNED), STAKE / 10 - STAKE / 100);
        vm.assertEq(held - token.balanceOf(address(staking)), STAKE / 10);
        vm.assertEq(staking.weightAt(1, 4), STAKE);
        vm.assertEq(staking.weightAt(1, 5), STAKE * 9 / 10);
        vm.assertTrue(slashing.punished(slot));
    }

    function test_equivocation_reaches_what_is_unbonding() public {
        vm.prank(ownerOf(1));
        staking.requestUnstake(1, STAKE);
        enter(3 + EVIDENCE);
        equivocate(receipt(1, "a"), receipt(1, "b"), "");
        vm.assertEq(staking.operators(1).unbonding, STAKE * 9 / 10);
    }

    function test_equivocation_reaches_a_removed_node() public {
        vm.prank(ownerOf(1));
        staking.removeNode(1, vm.addr(KEY));
        equivocate(receipt(1, "a"), receipt(1, "b"), "");
        vm.assertEq(staking.operators(1).stake, STAKE * 9 / 10);
    }

    function test_gas_equivocation() public {
        (BandwidthReceipt memory a, BandwidthReceipt memory b) = (receipt(1, "a"), receipt(1, "b"));
        (bytes memory sa, bytes memory sb) = (sign(a), sign(b));
        slashing.receiptEquivocation(a, sa, b, sb);
        vm.snapshotGasLastCall("slashing", "receiptEquivocation");
    }

    // ---- regression

    function regress(Credit memory a, Credit memory b, uint32 sequence, bytes memory expected) private {
        BandwidthReceipt memory earlier = receipt(1, Merkle.creditLeaf(a));
        BandwidthReceipt memory later = receipt(sequence, Merkle.creditLeaf(b));
        (bytes memory sa, bytes memory sb) = (sign(earlier), sign(later));
        if (expected.length != 0) vm.expectRevert(expected);
        slashing.receiptRegression(earlier, sa, a, none, later, sb, b, none);
    }

    function test_regression_reverts_if_totals_did_not_go_down() public {
        regress(Credit("p", 10, 100, 50), Credit("p", 10, 100, 50), 2, notAConflict());
        regress(Credit("p", 10, 100, 50), Credit("p", 11, 120, 60), 2, notAConflict());
    }

    function test_regression_reverts_unless_the_sequence_went_up() public {
        regress(Credit("p", 10, 100, 50), Credit("p", 9, 100, 50), 1, notAConflict());
        regress(Credit("p", 10, 100, 50), Credit("p", 9, 100, 50), 0, notAConflict());
    }

    function test_regression_reverts_across_stream_parts() public {
        regress(Credit("p", 10, 100, 50), Credit("q", 9, 100, 50), 2, notAConflict());
    }

    function test_regression_reverts_if_a_leaf_is_not_in_its_receipt() public {
        Credit memory a = Credit("p", 10, 100, 50);
        Credit memory b = Credit("p", 9, 100, 50);
        BandwidthReceipt memory earlier = receipt(1, Merkle.creditLeaf(a));
        BandwidthReceipt memory later = receipt(2, "something else");
        (bytes memory sa, bytes memory sb) = (sign(earlier), sign(later));
        vm.expectRevert(ISlashing.InvalidOpening.selector);
        slashing.receiptRegression(earlier, sa, a, none, later, sb, b, none);
        vm.expectRevert(ISlashing.InvalidOpening.selector);
        slashing.receiptRegression(earlier, sa, Credit("p", 11, 100, 50), none, later, sb, b, none);
    }

    function test_regression_of_each_total_is_punished() public {
        regress(Credit("p", 10, 100, 50), Credit("p", 9, 100, 50), 2, "");
        vm.snapshotGasLastCall("slashing", "receiptRegression");
        vm.assertEq(staking.operators(1).stake, STAKE * 9 / 10);
    }

    function test_regression_of_bytes() public {
        regress(Credit("p", 10, 100, 50), Credit("p", 12, 99, 50), 7, "");
        vm.assertEq(staking.operators(1).stake, STAKE * 9 / 10);
    }

    function test_regression_of_served_bytes() public {
        regress(Credit("p", 10, 100, 50), Credit("p", 12, 120, 49), 7, "");
        vm.assertEq(staking.operators(1).stake, STAKE * 9 / 10);
    }
}
