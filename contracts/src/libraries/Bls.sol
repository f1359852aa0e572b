// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Bn254} from "./Bn254.sol";
import {HashToCurve} from "./HashToCurve.sol";

/// @title BLS signatures over BN254: signatures in G1, keys in both groups.
library Bls {
    /// @dev Tag of statements (volumes, payouts, faults).
    string internal constant STATEMENT_TAG = "BLS_SIG_BN254G1_XMD:KECCAK-256_SVDW_RO_POP_";
    /// @dev Tag of proofs of possession. Different tags make the two unusable in each other's place.
    string internal constant POSSESSION_TAG = "BLS_POP_BN254G1_XMD:KECCAK-256_SVDW_RO_POP_";

    /// @notice Whether `signature` signs `digest` under the key that is `key1` in G1 and `key2` in G2, and whether
    /// those two are one key.
    /// @dev One two-pair check of the random combination `e(S + rK1, -G2) * e(H + rG1, K2) == 1`. With `r` drawn from
    /// the whole input after it is fixed, it holds only if both `e(S, G2) == e(H, K2)` and `e(K1, G2) == e(G1, K2)`.
    /// The point at infinity is never a key or a signature.
    function verify(
        bytes32 digest,
        string memory tag,
        uint256[2] memory key1,
        uint256[4] memory key2,
        uint256[2] memory signature
    ) internal view returns (bool) {
        if (Bn254.isInfinity(key1) || Bn254.isInfinity(key2) || Bn254.isInfinity(signature)) return false;
        uint256[2] memory h = HashToCurve.hash(digest, tag);
        uint256 r = uint256(keccak256(abi.encodePacked(h, key1, key2, signature))) % Bn254.Q;
        return Bn254.pairsWithGenerator(
            Bn254.add(signature, Bn254.mul(key1, r)), Bn254.add(h, Bn254.mul(Bn254.generator(), r)), key2
        );
    }

    /// @notice Whether `signatureA` and `signatureB` sign the two digests under the one key that is `key1` in G1 and
    /// `key2` in G2.
    /// @dev The same check of three equations at once, `e(A + r(B + rK1), -G2) * e(H_A + r(H_B + rG1), K2) == 1`: the
    /// discrete logarithm of the difference is a quadratic in `r` that has at most two roots unless all three hold.
    function verifyBoth(
        bytes32[2] memory digests,
        string memory tag,
        uint256[2] memory key1,
        uint256[4] memory key2,
        uint256[2] memory signatureA,
        uint256[2] memory signatureB
    ) internal view returns (bool) {
        if (Bn254.isInfinity(key1) || Bn254.isInfinity(key2)) return false;
        if (Bn254.isInfinity(signatureA) || Bn254.isInfinity(signatureB)) return false;
        uint256[2] memory hashA = HashToCurve.hash(digests[0], tag);
        uint256[2] memory hashB = HashToCurve.hash(digests[1], tag);
        uint256 r = uint256(keccak256(abi.encodePacked(hashA, hashB, key1, key2, signatureA, signatureB))) % Bn254.Q;
        return Bn254.pairsWithGenerator(
            _combine(signatureA, signatureB, key1, r), _combine(hashA, hashB, Bn254.generator(), r), key2
        );
    }

    /// @dev `a + r(b + rc)`
    function _combine(uint256[2] memory a, uint256[2] memory b, uint256[2] memory c, uint256 r)
        private
        view
        returns (uint256[2] memory)
    {
        return Bn254.add(a, Bn254.mul(Bn254.add(b, Bn254.mul(c, r)), r));
    }
}
