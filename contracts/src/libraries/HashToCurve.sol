// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Bn254} from "./Bn254.sol";

/// @title RFC 9380 hash to BN254 G1, suite BN254G1_XMD:KECCAK-256_SVDW_RO_, of 32-byte messages.
/// @dev `expand_message_xmd` over Keccak-256 (block of 136 bytes, L = 48), Shallue-van de Woestijne with Z = 1.
/// Every input is public, so nothing here needs to run in constant time.
library HashToCurve {
    uint256 private constant P = Bn254.P;
    // Constants of the map (RFC 9380, section 6.6.1) for y^2 = x^3 + 3 and Z = 1.
    uint256 private constant C1 = 4; // g(Z)
    uint256 private constant C2 = 0x183227397098d014dc2822db40c0ac2ecbc0b548b438e5469e10460b6c3e7ea3; // -Z / 2
    uint256 private constant C3 = 0x16789af3a83522eb353c98fc6b36d713d5d8d1cc5dffffffa; // sqrt(-g(Z) * 3Z^2), even
    uint256 private constant C4 = 0x10216f7ba065e00de81ac1e7808072c9dd2b2385cd7b438469602eb24829a9bd; // -4g(Z) / 3Z^2
    uint256 private constant B = 3;
    uint256 private constant Z = 1;

    uint256 private constant TWO_256_MOD_P = 0xe0a77c19a07df2f666ea36f7879462c0a78eb28f5c70b3dd35d438dc58f0d9d;
    uint256 private constant SQRT_EXPONENT = 0xc19139cb84c680a6e14116da060561765e05aa45a1c72a34f082305b61f3f52;

    /// @notice The point of `message` under the domain separation tag `tag` (at most 255 bytes).
    function hash(bytes32 message, string memory tag) internal view returns (uint256[2] memory) {
        (uint256 u0, uint256 u1) = hashToField(message, tag);
        return Bn254.add(mapToCurve(u0), mapToCurve(u1));
    }

    function hashToField(bytes32 message, string memory tag) internal pure returns (uint256 u0, uint256 u1) {
        bytes memory suffix = abi.encodePacked(tag, uint8(bytes(tag).length));
        // 136 zero bytes, then the message, the output length 96, and a zero byte.
        bytes32 b0 = keccak256(abi.encodePacked(new bytes(136), message, uint16(96), uint8(0), suffix));
        bytes32 b1 = keccak256(abi.encodePacked(b0, uint8(1), suffix));
        bytes32 b2 = keccak256(abi.encodePacked(b0 ^ b1, uint8(2), suffix));
        bytes32 b3 = keccak256(abi.encodePacked(b0 ^ b2, uint8(3), suffix));
        u0 = _reduce(uint256(b1) >> 128, (uint256(b1) << 128) | (uint256(b2) >> 128));
        u1 = _reduce(uint128(uint256(b2)), uint256(b3));
    }

    function mapToCurve(uint256 u) internal view returns (uint256[2] memory) {
        uint256 tv1 = mulmod(mulmod(u, u, P), C1, P);
        uint256 tv2 = addmod(1, tv1, P);
        tv1 = addmod(1, P - tv1, P);
        uint256 tv3 = _power(mulmod(tv1, tv2, P), P - 2);
        uint256 tv4 = mulmod(mulmod(mulmod(u, tv1, P), tv3, P), C3, P);

        uint256 x = addmod(C2, P - tv4, P);
        (bool square, uint256 y) = _root(x);
        if (!square) {
            x = addmod(C2, tv4, P);
            (square, y) = _root(x);
        }
        if (!square) {
            x = mulmod(mulmod(tv2, tv2, P), tv3, P);
            x = addmod(mulmod(mulmod(x, x, P), C4, P), Z, P);
            (, y) = _root(x);
        }
        return [x, (u ^ y) & 1 == 0 ? y : P - y];
    }

    /// @dev A 48-byte integer, `high * 2^256 + low`, mod P.
    function _reduce(uint256 high, uint256 low) private pure returns (uint256) {
        return addmod(mulmod(high, TWO_256_MOD_P, P), low, P);
    }

    /// @dev Whether x^3 + 3 is a square, and its root. P = 3 mod 4, so a power of (P + 1) / 4 is the candidate.
    function _root(uint256 x) private view returns (bool square, uint256 y) {
        uint256 gx = addmod(mulmod(mulmod(x, x, P), x, P), B, P);
        y = _power(gx, SQRT_EXPONENT);
        square = mulmod(y, y, P) == gx;
    }

    function _power(uint256 base, uint256 exponent) private view returns (uint256) {
        uint256[6] memory input = [uint256(32), 32, 32, base, exponent, P];
        uint256[1] memory result;
        bool ok;
        assembly ("memory-safe") {
            ok := staticcall(gas(), 0x05, input, 0xc0, result, 0x20)
        }
        // The modexp precompile accepts every input of this shape; only running out of gas fails it.
        if (!ok) revert Bn254.InvalidPoint();
        return result[0];
    }
}
