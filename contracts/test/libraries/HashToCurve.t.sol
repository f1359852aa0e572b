// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Bls} from "../../src/libraries/Bls.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {HashToCurve} from "../../src/libraries/HashToCurve.sol";
import {vm} from "../util/Vm.sol";

/// @dev The map against RFC 9380, section 6.6.1, written down step by step with its own arithmetic.
contract HashToCurveTest {
    uint256 private constant P = Bn254.P;

    function power(uint256 base, uint256 exponent) private pure returns (uint256 result) {
        result = 1;
        for (; exponent != 0; exponent >>= 1) {
            if (exponent & 1 == 1) result = mulmod(result, base, P);
            base = mulmod(base, base, P);
        }
    }

    function minus(uint256 x) private pure returns (uint256) {
        return x == 0 ? 0 : P - x;
    }

    function g(uint256 x) private pure returns (uint256) {
        return addmod(mulmod(mulmod(x, x, P), x, P), 3, P);
    }

    function isSquare(uint256 x) private pure returns (bool) {
        return power(x, (P - 1) / 2) <= 1;
    }

    /// @dev Z is 1, so g(Z) is 4, and 3Z^2 + 4A is 3.
    function reference_(uint256 u) private pure returns (uint256 x, uint256 y) {
        uint256 tv1 = mulmod(mulmod(u, u, P), 4, P);
        uint256 tv2 = addmod(1, tv1, P);
        tv1 = addmod(1, minus(tv1), P);
        uint256 tv3 = power(mulmod(tv1, tv2, P), P - 2);
        uint256 tv4 = power(minus(12), (P + 1) / 4);
        if (tv4 & 1 == 1) tv4 = P - tv4;
        uint256 tv5 = mulmod(mulmod(mulmod(u, tv1, P), tv3, P), tv4, P);
        uint256 tv6 = mulmod(minus(16), power(3, P - 2), P);
        uint256 half = minus(power(2, P - 2));
        x = addmod(half, minus(tv5), P);
        if (!isSquare(g(x))) x = addmod(half, tv5, P);
        if (!isSquare(g(x))) {
            x = mulmod(mulmod(tv2, tv2, P), tv3, P);
            x = addmod(1, mulmod(tv6, mulmod(x, x, P), P), P);
        }
        y = power(g(x), (P + 1) / 4);
        if ((u ^ y) & 1 == 1) y = P - y;
    }

    function agree(uint256 u) private view {
        uint256[2] memory point = HashToCurve.mapToCurve(u);
        (uint256 x, uint256 y) = reference_(u);
        vm.assertEq(point[0], x);
        vm.assertEq(point[1], y);
        vm.assertEq(mulmod(y, y, P), g(x));
    }

    function testFuzz_the_map_is_that_of_the_RFC(uint256 u) public view {
        agree(u % P);
    }

    function test_the_map_at_its_exceptions() public view {
        agree(0);
        agree(1);
        agree(P - 1);
        // 1 - 4u^2 = 0; there is no u with 1 + 4u^2 = 0, since -1 is not a square.
        agree((P + 1) / 2);
        agree((P - 1) / 2);
        vm.assertFalse(isSquare(P - 1));
    }

    function testFuzz_every_hash_is_on_the_curve(bytes32 message) public view {
        uint256[2] memory point = HashToCurve.hash(message, Bls.STATEMENT_TAG);
        vm.assertEq(mulmod(point[1], point[1], P), g(point[0]));
        vm.assertFalse(Bn254.isInfinity(point));
    }

    function testFuzz_messages_and_tags_matter(bytes32 a, bytes32 b) public view {
        vm.assume(a != b);
        uint256[2] memory point = HashToCurve.hash(a, Bls.STATEMENT_TAG);
        vm.assertTrue(point[0] != HashToCurve.hash(b, Bls.STATEMENT_TAG)[0]);
        vm.assertTrue(point[0] != HashToCurve.hash(a, Bls.POSSESSION_TAG)[0]);
    }
}
