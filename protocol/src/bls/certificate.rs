//! The certificate check of the contract, so that settlement knows before posting what the contract will say.
//!
//! Left out: stake and quorum.

use super::hash_to_curve::{Tag, hash_to_curve};
use super::point::{self, G1Words, G2Words};
use super::{BlsError, PublicKey, Signature};
use alloy_primitives::{B256, Keccak256, U256};
use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::PrimeField;

/// `A` of the specification: the checkpoint's stored sum of G1 keys minus those of the absentees, each named once.
pub fn signers_sum<'a>(
    stored_g1_sum: &[U256; 2],
    absentees: impl IntoIterator<Item = &'a PublicKey>,
) -> Result<[U256; 2], BlsError> {
    let stored = G1Projective::from(point::decode_g1(stored_g1_sum, "stored key sum")?);
    let signers = absentees.into_iter().fold(stored, |sum, key| sum - key.g1()).into_affine();
    if signers.is_zero() {
        return Err(BlsError::Empty("signer"));
    }
    Ok(point::encode_g1(&signers))
}

/// Checks a certificate as the contract does: one pairing binds the aggregate key to the signers' G1 keys and the signature
/// to both.
///
/// `e(signature + r A, -G2) * e(H + r G1, apk) = 1` is, `r` being unpredictable, both `e(signature, -G2) * e(H, apk) = 1`
/// (the signature) and `e(A, -G2) * e(G1, apk) = 1` (the key). `signers_g1_sum` is `A`, from [`signers_sum`].
pub fn verify_certificate(
    apk_g2: &[U256; 4],
    signers_g1_sum: &[U256; 2],
    signature: &Signature,
    digest: &B256,
) -> Result<(), BlsError> {
    let apk = point::decode_g2(apk_g2, "aggregate G2 key")?;
    let signers = point::decode_g1(signers_g1_sum, "signers' key sum")?;
    let hashed = hash_to_curve(Tag::Statement, digest);
    let r = combiner(&point::encode_g1(&hashed), signers_g1_sum, apk_g2, &signature.abi());

    let signed = (signers * r + signature.point()).into_affine();
    let expected = (G1Affine::generator() * r + hashed).into_affine();
    if point::pairing_holds(signed, expected, apk) { Ok(()) } else { Err(BlsError::WrongCertificate) }
}

/// `r = keccak(H, A, apk, signature)` modulo the group order, over the ten words in ABI order.
fn combiner(hashed: &G1Words, signers: &G1Words, apk: &G2Words, signature: &G1Words) -> Fr {
    let mut hasher = Keccak256::new();
    for word in hashed.iter().chain(signers).chain(apk).chain(signature) {
        hasher.update(word.to_be_bytes::<32>());
    }
    Fr::from_be_bytes_mod_order(hasher.finalize().as_slice())
}
