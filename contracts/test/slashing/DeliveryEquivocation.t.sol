// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISlashing} from "../../src/interfaces/ISlashing.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {DeliveryReceipt} from "../../src/libraries/Types.sol";
import {vm} from "../util/Vm.sol";
import {Case} from "./Case.sol";

contract DeliveryEquivocationTest is Case {
    function receipt(bytes32 root) private view returns (DeliveryReceipt memory) {
        return DeliveryReceipt(EPOCH, node, root);
    }

    function sign(DeliveryReceipt memory d, uint256 key) private view returns (bytes memory) {
        return signed(key, Eip712.deliveryReceipt(d.epoch, d.receiver, d.deliveriesRoot));
    }

    function submit(DeliveryReceipt memory a, DeliveryReceipt memory b, bool thenExecute) private {
        (bytes memory sa, bytes memory sb) = (sign(a, KEY), sign(b, KEY));
        vm.prank(REPORTER);
        slashing.deliveryEquivocation(a, sa, b, sb, thenExecute);
    }

    function refused(DeliveryReceipt memory a, DeliveryReceipt memory b, bytes memory reason) private {
        (bytes memory sa, bytes memory sb) = (sign(a, KEY), sign(b, KEY));
        vm.expectRevert(reason);
        slashing.deliveryEquivocation(a, sa, b, sb, false);
    }

    function test_reverts_if_the_evidence_is_too_old() public {
        enter(EPOCH + EVIDENCE + 1);
        refused(receipt("a"), receipt("b"), tooOld());
    }

    function test_reverts_unless_the_receipts_conflict() public {
        refused(receipt("a"), receipt("a"), notAConflict());
        refused(receipt("a"), DeliveryReceipt(EPOCH + 1, node, "b"), notAConflict());
        refused(receipt("a"), DeliveryReceipt(EPOCH, STRANGER, "b"), notAConflict());
    }

    function test_reverts_if_another_signed() public {
        (DeliveryReceipt memory a, DeliveryReceipt memory b) = (receipt("a"), receipt("b"));
        (bytes memory honest, bytes memory forged) = (sign(a, KEY), sign(b, 0xf00));
        vm.expectRevert(notSignedBy(0xf00, node));
        slashing.deliveryEquivocation(a, honest, b, forged, false);
        vm.expectRevert(notSignedBy(0xf00, node));
        slashing.deliveryEquivocation(b, forged, a, honest, false);
    }

    function test_reverts_for_a_high_s_twin() public {
        (DeliveryReceipt memory a, DeliveryReceipt memory b) = (receipt("a"), receipt("b"));
        (bytes memory sa, bytes memory sb) = (sign(a, KEY), twin(sign(b, KEY)));
        vm.expectRevert(highS(sb));
        slashing.deliveryEquivocation(a, sa, b, sb, false);
    }

    /// @dev A bandwidth receipt is another type: its signature recovers somebody else.
    function test_reverts_for_a_receipt_of_another_kind() public {
        (DeliveryReceipt memory a, DeliveryReceipt memory b) = (receipt("a"), receipt("b"));
        bytes memory sa = sign(a, KEY);
        bytes memory sb = signed(KEY, bandwidth(EPOCH, RELAYER, node, "b"));
        vm.expectPartialRevert(ISlashing.NotSignedByReceiver.selector);
        slashing.deliveryEquivocation(a, sa, b, sb, false);
    }

    function test_reverts_if_the_receiver_is_no_operators_node() public {
        address other = vm.addr(0xf00);
        DeliveryReceipt memory a = DeliveryReceipt(EPOCH, other, "a");
        DeliveryReceipt memory b = DeliveryReceipt(EPOCH, other, "b");
        (bytes memory sa, bytes memory sb) = (sign(a, 0xf00), sign(b, 0xf00));
        vm.expectRevert(abi.encodeWithSelector(ISlashing.NotAnOperator.selector, other));
        slashing.deliveryEquivocation(a, sa, b, sb, false);
    }

    function test_reverts_the_second_time_with_whatever_receipts() public {
        submit(receipt("a"), receipt("b"), true);
        bytes memory reason = alreadyProven(slashing.deliverySlot(EPOCH, node));
        refused(receipt("a"), receipt("b"), reason);
        refused(receipt("b"), receipt("a"), reason);
        refused(receipt("b"), receipt("c"), reason);
    }

    function test_takes_the_penalty() public {
        bytes32 slot = slashing.deliverySlot(EPOCH, node);
        vm.expectEmit(address(slashing));
        emit ISlashing.OffenceProven(slot, 1, REPORTER, ISlashing.Kind.DeliveryEquivocation, 0);
        submit(receipt("a"), receipt("b"), true);
        vm.snapshotGasLastCall("slashing", "deliveryEquivocation, then execute");
        assertRecorded(slot, ISlashing.Kind.DeliveryEquivocation, true);
        assertTaken(PENALTY, BOUNTY, 0);
    }

    function test_is_an_offence_apart_from_the_receipts_for_relayers() public {
        offend(uint160(RELAYER), true);
        submit(receipt("a"), receipt("b"), true);
        vm.assertEq(staking.pools(1).assets, STAKE * 81 / 100);
    }
}
