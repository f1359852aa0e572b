// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISettlement} from "../../src/interfaces/ISettlement.sol";
import {ISponsorships} from "../../src/interfaces/ISponsorships.sol";
import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {Certificate} from "../../src/libraries/Types.sol";
import {Fixture} from "../util/Fixture.sol";
import {vm} from "../util/Vm.sol";

contract PostTest is Fixture {
    bytes32 private constant ROOT = keccak256("root");
    uint128 private constant RATE = 100 * DATA;

    function payout(uint64 epoch, uint256 total) private pure returns (bytes32) {
        return Eip712.payout(epoch, 2, ROOT, total);
    }

    /// @dev Four operators, everything in force from epoch 2; the present is epoch 3.
    function prepare() private {
        operators(4);
        sponsor(RATE, 100);
        enter(3);
    }

    function post(uint64 epoch, uint256 total) private {
        settlement.post(epoch, ROOT, total, certify(4, 4, payout(epoch, total)));
    }

    function test_reverts_while_the_epoch_is_open() public {
        prepare();
        Certificate memory c = certify(4, 4, payout(3, 2 * RATE));
        vm.expectRevert(abi.encodeWithSelector(ISettlement.EpochNotClosed.selector, 3, 3));
        settlement.post(3, ROOT, 2 * RATE, c);
    }

    function test_reverts_if_not_newer() public {
        prepare();
        Certificate memory c = certify(4, 4, payout(2, RATE));
        settlement.post(2, ROOT, RATE, c);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.EpochNotNewer.selector, 2, 2));
        settlement.post(2, ROOT, RATE, c);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.EpochNotNewer.selector, 1, 2));
        settlement.post(1, ROOT, RATE, c);
    }

    function test_reverts_before_the_first_checkpoint() public {
        prepare();
        Certificate memory c = certify(4, 4, payout(1, 0));
        vm.expectRevert(abi.encodeWithSelector(IStaking.NoCheckpoint.selector, 1));
        settlement.post(1, ROOT, 0, c);
    }

    function test_reverts_without_the_quorum() public {
        for (uint256 i = 1; i <= 4; ++i) {
            stake(register(i), i == 4 ? 15 * MIN_STAKE : 10 * MIN_STAKE);
        }
        enter(3);
        Certificate memory c = certify(3, 4, payout(2, 0));
        vm.expectRevert(abi.encodeWithSelector(ISettlement.QuorumMissed.selector, 30 * MIN_STAKE, 45 * MIN_STAKE));
        settlement.post(2, ROOT, 0, c);
    }

    /// @dev Each of the four parts of the statement is signed.
    function test_reverts_for_another_statement() public {
        prepare();
        enter(4);
        refuse(keccak256("other"), RATE, payout(2, RATE));
        refuse(ROOT, RATE, payout(3, RATE));
        refuse(ROOT, RATE, payout(2, RATE + 1));
        refuse(ROOT, RATE, Eip712.payout(2, 3, ROOT, RATE));
    }

    function refuse(bytes32 root, uint256 total, bytes32 signedInstead) private {
        Certificate memory c = certify(4, 4, signedInstead);
        vm.expectRevert(ISettlement.InvalidCertificate.selector);
        settlement.post(2, root, total, c);
    }

    function test_reverts_if_the_total_is_not_what_is_payable() public {
        prepare();
        uint256[4] memory wrong = [RATE + 1, RATE - 1, 0, RATE + (uint256(1) << 128)];
        for (uint256 i = 0; i < 4; ++i) {
            Certificate memory c = certify(4, 4, payout(2, wrong[i]));
            vm.expectRevert(abi.encodeWithSelector(ISettlement.TotalMismatch.selector, wrong[i], RATE));
            settlement.post(2, ROOT, wrong[i], c);
        }
    }

    function test_reverts_once_the_epoch_lapsed() public {
        prepare();
        enter(3 + LAPSE);
        Certificate memory c = certify(4, 4, payout(2, RATE));
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.EpochLapsed.selector, 2, 3 + LAPSE));
        settlement.post(2, ROOT, RATE, c);
    }

    function test_posts_and_moves_no_tokens() public {
        prepare();
        uint256 held = token.balanceOf(address(sponsorships));
        Certificate memory c = certify(3, 4, payout(2, RATE));
        vm.expectEmit(address(settlement));
        emit ISettlement.Posted(2, ROOT, RATE, c.absentees, address(this));
        settlement.post(2, ROOT, RATE, c);
        vm.assertTrue(settlement.posted());
        vm.assertEq(settlement.lastEpoch(), 2);
        vm.assertEq(settlement.root(), ROOT);
        vm.assertEq(settlement.total(), RATE);
        vm.assertEq(settlement.inFlight(), RATE);
        vm.assertEq(settlement.paid(), 0);
        vm.assertEq(token.balanceOf(address(settlement)), 0);
        vm.assertEq(token.balanceOf(address(sponsorships)), held);
    }

    function test_catches_up_missed_epochs() public {
        prepare();
        enter(8);
        post(2, RATE);
        post(7, 6 * RATE);
        vm.assertEq(settlement.total(), 6 * RATE);
        vm.assertEq(settlement.inFlight(), 6 * RATE);
    }

    function test_pays_for_no_epoch_that_lapsed() public {
        prepare();
        post(2, RATE);
        enter(41);
        vm.assertEq(sponsorships.payableThrough(40), (1 + LAPSE) * RATE);
        post(40, (1 + LAPSE) * RATE);
        vm.assertEq(sponsorships.lapsed(), (38 - LAPSE) * RATE);
    }

    function test_lapsing_first_changes_no_statement() public {
        prepare();
        enter(41);
        uint256 payable_ = sponsorships.payableThrough(40);
        sponsorships.lapse();
        post(40, payable_);
    }

    function test_an_epoch_without_sponsors_posts_nothing() public {
        operators(4);
        enter(3);
        post(2, 0);
        vm.assertEq(settlement.inFlight(), 0);
        vm.assertTrue(settlement.posted());
    }

    function gasOf(uint256 signers, uint256 count, string memory name) private {
        operators(count);
        sponsor(RATE, 10);
        enter(3);
        settlement.post(2, ROOT, RATE, certify(signers, count, payout(2, RATE)));
        enter(4);
        Certificate memory c = certify(signers, count, payout(3, 2 * RATE));
        settlement.post(3, ROOT, 2 * RATE, c);
        vm.snapshotGasLastCall("settlement", name);
    }

    function test_gas_4_operators() public {
        gasOf(4, 4, "post, 4 operators");
    }

    function test_gas_4_operators_1_absent() public {
        gasOf(3, 4, "post, 4 operators, 1 absent");
    }

    function test_gas_16_operators() public {
        gasOf(16, 16, "post, 16 operators");
    }

    function test_gas_16_operators_5_absent() public {
        gasOf(11, 16, "post, 16 operators, 5 absent");
    }

    function test_gas_64_operators() public {
        gasOf(64, 64, "post, 64 operators");
    }

    function test_gas_64_operators_9_absent() public {
        gasOf(55, 64, "post, 64 operators, 9 absent");
    }

    function test_gas_64_operators_21_absent() public {
        gasOf(43, 64, "post, 64 operators, 21 absent");
    }
}
