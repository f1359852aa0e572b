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
    /// @dev (P + 1) / 4
    uint256 private constant ROOT_EXPONENT = 0xc19139cb84c680a6e14116da060561765e05aa45a1c72a34f082305b61f3f52;

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

    /// @notice A point of the curve for a field element, not uniformly distributed.
    /// @dev RFC 9380, section 6.6.1: of `x1`, `x2 = -Z - x1` and `x3` the first that is on the curve.
    function mapToCurve(uint256 u) internal view returns (uint256[2] memory) {
        uint256 square = mulmod(mulmod(u, u, P), C1, P);
        uint256 plus = addmod(1, square, P);
        uint256 minus = addmod(1, P - square, P);
        uint256 d = mulmod(plus, minus, P);
        uint256 shift = mulmod(mulmod(u, minus, P), C3, P);
        uint256 x = addmod(mulmod(C2, d, P), P - shift, P); // x1 = x / d, and g(x1) = (x^3 + 3d^3) / d^3
        (bool found, uint256 y, uint256 inverse) =
            _rootAndInverse(addmod(_cube(x), mulmod(B, _cube(d), P), P), d);
        if (found) return _signed(u, mulmod(x, inverse, P), y);

        x = addmod(C2, mulmod(shift, inverse, P), P);
        (found, y) = _root(x);
        if (!found) {
            x = mulmod(mulmod(plus, plus, P), inverse, P);
            x = addmod(mulmod(mulmod(x, x, P), C4, P), Z, P);
            (, y) = _root(x);
        }
        return _signed(u, x, y);
    }

    /// @dev Whether `n / d^3` is a square, its root then, and `1 / d`, by one exponentiation: they are most of the cost
    /// of a hash. Let `a = nd` and `t = a^((P - 3) / 4)`. `at^2` is 1 if `a`, and so `n / d^3`, is a square, and -1
    /// otherwise; `1 / a = (at^2)t^2`; and `at` is the root of `a` if it has one. `n` is not 0 where `d` is not, for no
    /// point has y = 0. If `d` is 0, so is the inverse, as the RFC has it, and no root is found: `x1` is `x2` then.
    function _rootAndInverse(uint256 n, uint256 d)
        private
        view
        returns (bool square, uint256 root, uint256 inverse)
    {
        uint256 a = mulmod(n, d, P);
        uint256 t = _power(a, ROOT_EXPONENT - 1);
        root = mulmod(a, t, P);
        uint256 sign = mulmod(root, t, P);
        inverse = mulmod(mulmod(n, sign, P), mulmod(t, t, P), P);
        square = sign == 1;
        root = mulmod(root, mulmod(inverse, inverse, P), P);
    }

    /// @dev The one of the points (x, y) and (x, -y) whose y has the parity of `u`. No point has y = 0.
    function _signed(uint256 u, uint256 x, uint256 y) private pure returns (uint256[2] memory) {
        return [x, (u ^ y) & 1 == 0 ? y : P - y];
    }

    function _cube(uint256 x) private pure returns (uint256) {
        return mulmod(mulmod(x, x, P), x, P);
    }

    /// @dev A 48-byte integer, `high * 2^256 + low`, mod P.
    function _reduce(uint256 high, uint256 low) private pure returns (uint256) {
        return addmod(mulmod(high, TWO_256_MOD_P, P), low, P);
    }

    /// @dev Whether x^3 + 3 is a square, and its root. P = 3 mod 4, so a power of (P + 1) / 4 is the candidate.
    function _root(uint256 x) private view returns (bool square, uint256 y) {
        uint256 gx = addmod(_cube(x), B, P);
        y = _power(gx, ROOT_EXPONENT);
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
