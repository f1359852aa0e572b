//! Points to ABI words and back. Decoding checks everything, so no unchecked point exists behind this module.

use super::BlsError;
use alloy_primitives::U256;
use ark_bn254::{Bn254, Fq, Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ec::pairing::Pairing;
use ark_ff::{BigInt, PrimeField, Zero};

/// `(x, y)`.
pub(super) type G1Words = [U256; 2];
/// `(x.c1, x.c0, y.c1, y.c0)`: the order of the pairing precompile.
pub(super) type G2Words = [U256; 4];

pub(super) fn decode_g1(words: &G1Words, what: &'static str) -> Result<G1Affine, BlsError> {
    let [x, y] = *words;
    let point = G1Affine::new_unchecked(coordinate(x)?, coordinate(y)?);
    // (0, 0), which the precompiles read as infinity, is ark's infinity too; G1 has no other subgroup.
    if point.is_zero() {
        return Err(BlsError::Infinity(what));
    }
    if !point.is_on_curve() {
        return Err(BlsError::NotOnCurve(what));
    }
    Ok(point)
}

pub(super) fn decode_g2(words: &G2Words, what: &'static str) -> Result<G2Affine, BlsError> {
    let [x1, x0, y1, y0] = *words;
    let x = Fq2::new(coordinate(x0)?, coordinate(x1)?);
    let y = Fq2::new(coordinate(y0)?, coordinate(y1)?);
    let point = G2Affine::new_unchecked(x, y);
    if point.is_zero() {
        return Err(BlsError::Infinity(what));
    }
    if !point.is_on_curve() {
        return Err(BlsError::NotOnCurve(what));
    }
    if !point.is_in_correct_subgroup_assuming_on_curve() {
        return Err(BlsError::NotInSubgroup(what));
    }
    Ok(point)
}

pub(super) fn encode_g1(point: &G1Affine) -> G1Words {
    [word(point.x), word(point.y)]
}

pub(super) fn encode_g2(point: &G2Affine) -> G2Words {
    [word(point.x.c1), word(point.x.c0), word(point.y.c1), word(point.y.c0)]
}

/// Whether `e(signed, -G2) * e(hashed, key) = 1`, that is: `signed` is `hashed` times the secret of `key`.
pub(super) fn pairing_holds(signed: G1Affine, hashed: G1Affine, key: G2Affine) -> bool {
    // Negating in G1 is the same product and cheaper.
    Bn254::multi_pairing([-signed, hashed], [G2Affine::generator(), key]).is_zero()
}

fn coordinate(word: U256) -> Result<Fq, BlsError> {
    Fq::from_bigint(BigInt::new(word.into_limbs())).ok_or(BlsError::Coordinate(word))
}

fn word(coordinate: Fq) -> U256 {
    U256::from_limbs(coordinate.into_bigint().0)
}
