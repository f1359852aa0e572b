// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISettlement} from "../../src/interfaces/ISettlement.sol";
import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {Certificate} from "../../src/libraries/Types.sol";
import {Fixture} from "../util/Fixture.sol";
import {vm} from "../util/Vm.sol";

/// @dev What a certificate has to be, asked of `verify`; `post` asks the same.
contract VerifyTest is Fixture {
    bytes32 private constant STATEMENT = keccak256("a statement");

    /// @dev Four operators of equal stake, in force from epoch 2.
    function certified(uint256 signers) private returns (Certificate memory) {
        operators(4);
        return certify(signers, 4, STATEMENT);
    }

    function refuse(Certificate memory c, bytes memory reason) private {
        vm.expectRevert(reason);
        settlement.verify(2, STATEMENT, c);
    }

    function invalid(Certificate memory c) private {
        refuse(c, abi.encodeWithSelector(ISettlement.InvalidCertificate.selector));
    }

    function test_accepts_all_and_more_than_two_thirds() public {
        settlement.verify(2, STATEMENT, certified(4));
        settlement.verify(2, STATEMENT, certify(3, 4, STATEMENT));
    }

    function test_reverts_before_the_first_checkpoint() public {
        Certificate memory c = certified(4);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NoCheckpoint.selector, 1));
        settlement.verify(1, STATEMENT, c);
    }

    function test_reverts_at_exactly_two_thirds() public {
        for (uint256 i = 1; i <= 4; ++i) {
            stake(register(i), i == 4 ? 15 * MIN_STAKE : 10 * MIN_STAKE);
        }
        refuse(
            certify(3, 4, STATEMENT),
            abi.encodeWithSelector(ISettlement.QuorumMissed.selector, 30 * MIN_STAKE, 45 * MIN_STAKE)
        );
    }

    function test_reverts_if_nobody_signed() public {
        Certificate memory c = certified(4);
        c.absentees = new uint64[](4);
        c.keys = new uint256[2][](4);
        for (uint64 i = 0; i < 4; ++i) {
            c.absentees[i] = i + 1;
            c.keys[i] = g1Of(i + 1);
        }
        refuse(c, abi.encodeWithSelector(ISettlement.QuorumMissed.selector, 0, 40 * MIN_STAKE));
    }

    function test_reverts_for_an_empty_set() public {
        Certificate memory c = certified(4);
        for (uint64 i = 1; i <= 4; ++i) {
            vm.prank(ownerOf(i));
            staking.unstake(i, type(uint128).max);
        }
        c.aggregate = [uint256(0), 0];
        refuse(c, abi.encodeWithSelector(ISettlement.QuorumMissed.selector, 0, 0));
    }

    function test_reverts_if_an_absentee_is_listed_twice() public {
        Certificate memory c = certified(3);
        c.absentees = new uint64[](2);
        c.keys = new uint256[2][](2);
        (c.absentees[0], c.absentees[1]) = (4, 4);
        (c.keys[0], c.keys[1]) = (g1Of(4), g1Of(4));
        refuse(c, abi.encodeWithSelector(IStaking.InvalidAbsentee.selector, 4));
    }

    function test_reverts_if_an_absentee_is_not_in_the_set() public {
        Certificate memory c = certified(3);
        c.absentees[0] = 5;
        refuse(c, abi.encodeWithSelector(IStaking.InvalidAbsentee.selector, 5));
    }

    function test_reverts_for_another_key_of_an_absentee() public {
        Certificate memory c = certified(3);
        c.keys[0] = g1Of(5);
        refuse(c, abi.encodeWithSelector(IStaking.WrongKey.selector, 4));
    }

    function test_reverts_for_another_aggregate() public {
        Certificate memory c = certified(3);
        c.aggregate = aggregateOf(3);
        refuse(c, abi.encodeWithSelector(IStaking.WrongAggregate.selector, 2));
    }

    function test_reverts_unless_every_absentee_has_a_key() public {
        Certificate memory c = certified(3);
        c.keys = new uint256[2][](0);
        refuse(c, abi.encodeWithSelector(IStaking.LengthMismatch.selector, 1, 0));
    }

    function test_reverts_for_another_statement() public {
        Certificate memory c = certified(4);
        vm.expectRevert(ISettlement.InvalidCertificate.selector);
        settlement.verify(2, keccak256("another"), c);
    }

    function test_reverts_on_another_chain() public {
        Certificate memory c = certified(4);
        vm.chainId(block.chainid + 1);
        invalid(c);
    }

    function test_reverts_if_a_listed_signer_did_not_sign() public {
        Certificate memory c = certified(3);
        c.absentees = new uint64[](0);
        c.keys = new uint256[2][](0);
        invalid(c);
    }

    function test_reverts_with_a_key_of_the_posters_own() public {
        Certificate memory c = certified(4);
        c.apk = g2Of(9);
        c.signature = Bn254.mul(c.signature, 3);
        invalid(c);
    }

    function test_reverts_for_no_signature_and_no_key() public {
        Certificate memory c = certified(4);
        uint256[2] memory signature = c.signature;
        c.signature = [uint256(0), 0];
        invalid(c);
        c.signature = signature;
        c.apk = [uint256(0), 0, 0, 0];
        invalid(c);
    }

    function test_reverts_for_points_off_the_curve() public {
        Certificate memory c = certified(4);
        c.signature[1] ^= 1;
        vm.expectRevert(Bn254.InvalidPoint.selector);
        settlement.verify{gas: 3_000_000}(2, STATEMENT, c);
        c = certify(4, 4, STATEMENT);
        c.apk[0] ^= 1;
        vm.expectRevert(Bn254.InvalidPoint.selector);
        settlement.verify{gas: 3_000_000}(2, STATEMENT, c);
    }

    /// @dev On the twist, where x = 1, and not a multiple of G2's generator.
    function test_reverts_for_a_key_outside_the_subgroup() public {
        Certificate memory c = certified(4);
        c.apk = [
            0,
            1,
            0x0d1271953ed9ea0836846e70a1934187998c7f790cb4d7511b7f8da82de048a4,
            0x2869111d5381f072f8e2728fdb825a51aadd70e52c9830e9ab4b871c0531f1bb
        ];
        vm.expectRevert(Bn254.InvalidPoint.selector);
        settlement.verify{gas: 3_000_000}(2, STATEMENT, c);
    }
}
