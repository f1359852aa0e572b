// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title The BN254 curve through its precompiles.
/// @notice Points use the precompiles' order: G1 is `(x, y)`, G2 is `(x.c1, x.c0, y.c1, y.c0)`.
/// @dev The precompiles check that a point is on the curve, and for G2 in the subgroup; a bad point makes them
/// fail, which reverts here. None of the functions caps the gas of a precompile: chains price them differently.
library Bn254 {
    /// @notice A precompile refused its input: a point is not on the curve or not in the subgroup.
    error InvalidPoint();

    /// @dev The base field.
    uint256 internal constant P = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;
    /// @dev The order of both groups.
    uint256 internal constant Q = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;

    // The generator of G2, negated.
    uint256 private constant NEG_G2_X1 = 0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2;
    uint256 private constant NEG_G2_X0 = 0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed;
    uint256 private constant NEG_G2_Y1 = 0x275dc4a288d1afb3cbb1ac09187524c7db36395df7be3b99e673b13a075a65ec;
    uint256 private constant NEG_G2_Y0 = 0x1d9befcd05a5323e6da4d435f3b617cdb3af83285c2df711ef39c01571827f9d;

    function generator() internal pure returns (uint256[2] memory) {
        return [uint256(1), 2];
    }

    function isInfinity(uint256[2] memory p) internal pure returns (bool) {
        return p[0] | p[1] == 0;
    }

    function isInfinity(uint256[4] memory p) internal pure returns (bool) {
        return p[0] | p[1] | p[2] | p[3] == 0;
    }

    function negate(uint256[2] memory p) internal pure returns (uint256[2] memory) {
        return isInfinity(p) ? p : [p[0], P - p[1]];
    }

    function add(uint256[2] memory a, uint256[2] memory b) internal view returns (uint256[2] memory sum) {
        uint256[4] memory input = [a[0], a[1], b[0], b[1]];
        bool ok;
        assembly ("memory-safe") {
            ok := staticcall(gas(), 0x06, input, 0x80, sum, 0x40)
        }
        if (!ok) revert InvalidPoint();
    }

    /// @notice Subtracts `p` from `sum`, in place: what certificates do once for each absentee.
    function subtract(uint256[2] memory sum, uint256[2] calldata p) internal view {
        uint256 y = p[1];
        if (y >= P) revert InvalidPoint();
        bool ok;
        assembly ("memory-safe") {
            let input := mload(0x40)
            mcopy(input, sum, 0x40)
            mstore(add(input, 0x40), calldataload(p))
            // Of infinity, (0, 0), the negation is itself.
            mstore(add(input, 0x60), mul(iszero(iszero(y)), sub(P, y)))
            ok := staticcall(gas(), 0x06, input, 0x80, sum, 0x40)
        }
        if (!ok) revert InvalidPoint();
    }

    function mul(uint256[2] memory p, uint256 scalar) internal view returns (uint256[2] memory product) {
        uint256[3] memory input = [p[0], p[1], scalar];
        bool ok;
        assembly ("memory-safe") {
            ok := staticcall(gas(), 0x07, input, 0x60, product, 0x40)
        }
        if (!ok) revert InvalidPoint();
    }

    /// @notice Whether `e(a, -G2) * e(b, c) == 1`.
    function pairsWithGenerator(uint256[2] memory a, uint256[2] memory b, uint256[4] memory c)
        internal
        view
        returns (bool)
    {
        uint256[12] memory input = [
            a[0],
            a[1],
            NEG_G2_X1,
            NEG_G2_X0,
            NEG_G2_Y1,
            NEG_G2_Y0,
            b[0],
            b[1],
            c[0],
            c[1],
            c[2],
            c[3]
        ];
        uint256[1] memory result;
        bool ok;
        assembly ("memory-safe") {
            ok := staticcall(gas(), 0x08, input, 0x180, result, 0x20)
        }
        if (!ok) revert InvalidPoint();
        return result[0] == 1;
    }
}
