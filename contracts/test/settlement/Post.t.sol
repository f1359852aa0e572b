// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISettlement} from "../../src/interfaces/ISettlement.sol";
import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
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
        sponsor(RATE, 10);
        enter(3);
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
    }

    function test_reverts_before_the_first_checkpoint() public {
        prepare();
        Certificate memory c = certify(4, 4, payout(1, 0));
        vm.expectRevert(abi.encodeWithSelector(IStaking.NoCheckpoint.selector, 1));
        settlement.post(1, ROOT, 0, c);
    }

    function test_reverts_at_exactly_two_thirds() public {
        for (uint256 i = 1; i <= 4; ++i) {
            stake(register(i), i == 4 ? 15 * MIN_STAKE : 10 * MIN_STAKE);
        }
        sponsor(RATE, 10);
        enter(3);
        Certificate memory c = certify(3, 4, payout(2, RATE));
        vm.expectRevert(
            abi.encodeWithSelector(ISettlement.QuorumMissed.selector, 30 * MIN_STAKE, 45 * MIN_STAKE)
        );
        settlement.post(2, ROOT, RATE, c);
    }

    function test_reverts_if_nobody_signed() public {
        prepare();
        Certificate memory c = certify(4, 4, payout(2, RATE));
        c.absentees = new uint64[](4);
        for (uint64 i = 0; i < 4; ++i) {
            c.absentees[i] = i + 1;
        }
        vm.expectRevert(abi.encodeWithSelector(ISettlement.QuorumMissed.selector, 0, 40 * MIN_STAKE));
        settlement.post(2, ROOT, RATE, c);
    }

    function test_reverts_if_an_absentee_is_listed_twice() public {
        prepare();
        Certificate memory c = certify(3, 4, payout(2, RATE));
        c.absentees = new uint64[](2);
        (c.absentees[0], c.absentees[1]) = (4, 4);
        vm.expectRevert(abi.encodeWithSelector(IStaking.InvalidAbsentee.selector, 4));
        settlement.post(2, ROOT, RATE, c);
    }

    function test_reverts_if_an_absentee_is_not_in_the_set() public {
        prepare();
        Certificate memory c = certify(3, 4, payout(2, RATE));
        c.absentees[0] = 5;
        vm.expectRevert(abi.encodeWithSelector(IStaking.InvalidAbsentee.selector, 5));
        settlement.post(2, ROOT, RATE, c);
    }

    function test_reverts_for_another_statement() public {
        prepare();
        Certificate memory c = certify(4, 4, payout(2, RATE));
        vm.expectRevert(ISettlement.InvalidCertificate.selector);
        settlement.post(2, keccak256("other"), RATE, c);
    }

    function test_reverts_if_a_listed_signer_did_not_sign() public {
        prepare();
        Certificate memory c = certify(3, 4, payout(2, RATE));
        c.absentees = new uint64[](0);
        vm.expectRevert(ISettlement.InvalidCertificate.selector);
        settlement.post(2, ROOT, RATE, c);
    }

    function test_reverts_with_a_key_of_the_posters_own() public {
        prepare();
        Certificate memory c = certify(4, 4, payout(2, RATE));
        c.apk = g2Of(9);
        c.signature = Bn254.mul(c.signature, 3);
        vm.expectRevert(ISettlement.InvalidCertificate.selector);
        settlement.post(2, ROOT, RATE, c);
    }

    function test_reverts_for_a_point_off_the_curve() public {
        prepare();
        Certificate memory c = certify(4, 4, payout(2, RATE));
        c.signature[1] ^= 1;
        vm.expectRevert(Bn254.InvalidPoint.selector);
        settlement.post{gas: 3_000_000}(2, ROOT, RATE, c);
    }

    function test_reverts_if_the_total_is_not_what_was_scheduled() public {
        prepare();
        Certificate memory c = certify(4, 4, payout(2, RATE + 1));
        vm.expectRevert(abi.encodeWithSelector(ISettlement.TotalMismatch.selector, RATE + 1, RATE));
        settlement.post(2, ROOT, RATE + 1, c);
    }

    function test_posts_and_takes_the_funds_in() public {
        prepare();
        Certificate memory c = certify(3, 4, payout(2, RATE));
        vm.expectEmit(address(settlement));
        emit ISettlement.Posted(2, ROOT, RATE, c.absentees, address(this));
        settlement.post(2, ROOT, RATE, c);
        vm.assertTrue(settlement.posted());
        vm.assertEq(settlement.lastEpoch(), 2);
        vm.assertEq(settlement.root(), ROOT);
        vm.assertEq(settlement.inFlight(), RATE);
        vm.assertEq(token.balanceOf(address(settlement)), RATE);
    }

    function test_catches_up_missed_epochs() public {
        prepare();
        enter(8);
        settlement.post(2, ROOT, RATE, certify(4, 4, payout(2, RATE)));
        settlement.post(7, ROOT, 6 * RATE, certify(4, 4, payout(7, 6 * RATE)));
        vm.assertEq(settlement.total(), 6 * RATE);
    }

    function test_advancing_by_others_does_not_block_an_older_epoch() public {
        prepare();
        enter(8);
        sponsorships.advance(7);
        settlement.post(3, ROOT, 2 * RATE, certify(4, 4, payout(3, 2 * RATE)));
        vm.assertEq(token.balanceOf(address(settlement)), 2 * RATE);
    }

    function test_an_epoch_without_sponsors_posts_nothing() public {
        operators(4);
        enter(3);
        settlement.post(2, ROOT, 0, certify(4, 4, payout(2, 0)));
        vm.assertEq(settlement.inFlight(), 0);
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

    function test_gas_64_operators_21_absent() public {
        gasOf(43, 64, "post, 64 operators, 21 absent");
    }
}
