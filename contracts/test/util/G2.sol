// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Bn254} from "../../src/libraries/Bn254.sol";

/// @dev Sums of keys in G2, which no precompile computes: affine addition over Fp2, for tests that choose their
/// signers freely. Points as in Bn254: `(x.c1, x.c0, y.c1, y.c0)`.
library G2 {
    uint256 private constant P = Bn254.P;

    /// @dev `re + im * i` with `i * i = -1`.
    struct Fp2 {
        uint256 im;
        uint256 re;
    }

    function add(uint256[4] memory a, uint256[4] memory b) internal view returns (uint256[4] memory) {
        if (Bn254.isInfinity(a)) return b;
        if (Bn254.isInfinity(b)) return a;
        (Fp2 memory xa, Fp2 memory ya) = (Fp2(a[0], a[1]), Fp2(a[2], a[3]));
        (Fp2 memory xb, Fp2 memory yb) = (Fp2(b[0], b[1]), Fp2(b[2], b[3]));
        Fp2 memory slope;
        if (xa.im != xb.im || xa.re != xb.re) {
            slope = times(minus(yb, ya), inverse(minus(xb, xa)));
        } else {
            // The vectors' keys are no negations of each other, so equal x means one point twice.
            Fp2 memory square = times(xa, xa);
            slope = times(plus(plus(square, square), square), inverse(plus(ya, ya)));
        }
        Fp2 memory x = minus(minus(times(slope, slope), xa), xb);
        Fp2 memory y = minus(times(slope, minus(xa, x)), ya);
        return [x.im, x.re, y.im, y.re];
    }

    function plus(Fp2 memory a, Fp2 memory b) private pure returns (Fp2 memory) {
        return Fp2(addmod(a.im, b.im, P), addmod(a.re, b.re, P));
    }

    function minus(Fp2 memory a, Fp2 memory b) private pure returns (Fp2 memory) {
        return Fp2(addmod(a.im, P - b.im, P), addmod(a.re, P - b.re, P));
    }

    function times(Fp2 memory a, Fp2 memory b) private pure returns (Fp2 memory) {
        uint256 im = addmod(mulmod(a.im, b.re, P), mulmod(a.re, b.im, P), P);
        return Fp2(im, addmod(mulmod(a.re, b.re, P), P - mulmod(a.im, b.im, P), P));
    }

    function inverse(Fp2 memory a) private view returns (Fp2 memory) {
        uint256 norm = power(addmod(mulmod(a.re, a.re, P), mulmod(a.im, a.im, P), P), P - 2);
        return Fp2(mulmod(P - a.im, norm, P), mulmod(a.re, norm, P));
    }

    function power(uint256 base, uint256 exponent) private view returns (uint256) {
        (bool ok, bytes memory result) = address(5).staticcall(abi.encode(32, 32, 32, base, exponent, P));
        require(ok);
        return abi.decode(result, (uint256));
    }
}
