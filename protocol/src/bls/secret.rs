//! The secret key: derivation, storage form, signing.

use super::hash_to_curve::{Tag, hash_to_curve};
use super::{BlsError, PublicKey, Signature};
use alloy_primitives::{B256, Keccak256};
use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{BigInteger, Field, PrimeField, Zero};
use std::fmt;

/// A secret scalar in 1..r. Wiped when dropped; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(Fr);

impl SecretKey {
    /// The key of a 32-byte seed, which must have been drawn at random.
    ///
    /// `keccak("tatum bls key" ++ i ++ seed)` for two counters `i`, as 64 big-endian bytes modulo the group order: 256 bits
    /// more than the order has, so the bias is negligible.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let half = |counter: u8| -> B256 {
            let mut hasher = Keccak256::new();
            hasher.update(b"tatum bls key");
            hasher.update([counter]);
            hasher.update(seed);
            hasher.finalize()
        };
        let mut counter = 0u8;
        loop {
            let scalar = Fr::from_be_bytes_mod_order(
                half(counter).concat_const::<32, 64>(half(counter.wrapping_add(1))).as_slice(),
            );
            // Zero is as likely as guessing a key, yet it would sign anything with infinity.
            if !scalar.is_zero() {
                return Self(scalar);
            }
            counter = counter.wrapping_add(2);
        }
    }

    /// From the 32 big-endian bytes of [`Self::to_bytes`].
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, BlsError> {
        let scalar = Fr::from_be_bytes_mod_order(bytes);
        let key = Self(scalar);
        // Reduction changed the bytes: they were not below the order.
        if scalar.is_zero() || key.to_bytes() != *bytes {
            return Err(BlsError::SecretKey);
        }
        Ok(key)
    }

    pub fn to_bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (out, byte) in bytes.iter_mut().zip(self.0.into_bigint().to_bytes_be()) {
            *out = byte;
        }
        bytes
    }

    pub fn public_key(&self) -> PublicKey {
        PublicKey::from_points(
            (G1Affine::generator() * self.0).into_affine(),
            (G2Affine::generator() * self.0).into_affine(),
        )
    }

    /// Signs the EIP-712 digest of a statement.
    pub fn sign(&self, digest: &B256) -> Signature {
        self.sign_as(Tag::Statement, digest)
    }

    /// Signs the EIP-712 digest of `BlsKey`, under a tag no statement is signed with.
    pub fn prove_possession(&self, digest: &B256) -> Signature {
        self.sign_as(Tag::Possession, digest)
    }

    fn sign_as(&self, tag: Tag, digest: &B256) -> Signature {
        Signature::from_point((hash_to_curve(tag, digest) * self.0).into_affine())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(redacted)")
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Overwrites a scalar in a way the compiler may not drop: `ark` fields are `Zeroize`.
fn wipe<F: Field>(scalar: &mut F) {
    scalar.zeroize();
}
