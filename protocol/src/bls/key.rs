//! Public keys, each with a half in G1 and in G2, and their aggregation.

use super::hash_to_curve::{Tag, hash_to_curve};
use super::point::{self, G1Words, G2Words};
use super::{BlsError, Signature};
use alloy_primitives::{B256, U256};
use ark_bn254::{G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{AffineRepr, CurveGroup};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One operator's key: `g1` and `g2` are the generators times one secret. Neither is infinity.
///
/// Serialised as its ABI words; deserialising checks all of it, the pairing included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Words", into = "Words")]
pub struct PublicKey {
    g1: G1Affine,
    g2: G2Affine,
}

impl PublicKey {
    /// From ABI words by a stranger: both points are checked, and that they are one key (one pairing, about a millisecond).
    pub fn from_abi(g1: [U256; 2], g2: [U256; 4]) -> Result<Self, BlsError> {
        let key = Self::from_abi_trusted(g1, g2)?;
        if !point::pairing_holds(key.g1, G1Affine::generator(), key.g2) {
            return Err(BlsError::KeyMismatch);
        }
        Ok(key)
    }

    /// From ABI words that the staking contract holds: it has proved that they are one key, so only the points are checked.
    pub fn from_abi_trusted(g1: [U256; 2], g2: [U256; 4]) -> Result<Self, BlsError> {
        Ok(Self { g1: point::decode_g1(&g1, "G1 key")?, g2: point::decode_g2(&g2, "G2 key")? })
    }

    /// `(x, y)`.
    pub fn g1_abi(&self) -> G1Words {
        point::encode_g1(&self.g1)
    }

    /// `(x.c1, x.c0, y.c1, y.c0)`.
    pub fn g2_abi(&self) -> G2Words {
        point::encode_g2(&self.g2)
    }

    /// Checks that this key signed the statement with `digest`.
    pub fn verify(&self, digest: &B256, signature: &Signature) -> Result<(), BlsError> {
        verify_statement(self.g2, digest, signature)
    }

    /// Checks a proof of possession over the digest of `BlsKey`.
    pub fn verify_possession(&self, digest: &B256, proof: &Signature) -> Result<(), BlsError> {
        if point::pairing_holds(proof.point(), hash_to_curve(Tag::Possession, digest), self.g2) {
            Ok(())
        } else {
            Err(BlsError::WrongPossession)
        }
    }

    /// Both points are the generators times one secret that is not zero.
    pub(super) fn from_points(g1: G1Affine, g2: G2Affine) -> Self {
        Self { g1, g2 }
    }

    pub(super) fn g1(&self) -> G1Affine {
        self.g1
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [x, y] = self.g1_abi();
        write!(f, "PublicKey({x:#x}, {y:#x})")
    }
}

/// A public key as the contracts spell it.
#[derive(Serialize, Deserialize)]
struct Words {
    g1: G1Words,
    g2: G2Words,
}

impl TryFrom<Words> for PublicKey {
    type Error = BlsError;
    fn try_from(words: Words) -> Result<Self, BlsError> {
        Self::from_abi(words.g1, words.g2)
    }
}

impl From<PublicKey> for Words {
    fn from(key: PublicKey) -> Self {
        Self { g1: key.g1_abi(), g2: key.g2_abi() }
    }
}

/// The sum of keys, against which the sum of their signatures over one statement is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AggregateKey(PublicKey);

impl AggregateKey {
    pub fn g1_abi(&self) -> G1Words {
        self.0.g1_abi()
    }

    pub fn g2_abi(&self) -> G2Words {
        self.0.g2_abi()
    }

    /// Checks that every key of the sum signed the statement with `digest`. Sound only if possession of each was proved.
    pub fn verify(&self, digest: &B256, signature: &Signature) -> Result<(), BlsError> {
        self.0.verify(digest, signature)
    }
}

/// Adds keys up. The caller takes each signer once.
pub fn aggregate_keys<'a>(keys: impl IntoIterator<Item = &'a PublicKey>) -> Result<AggregateKey, BlsError> {
    let mut keys = keys.into_iter().peekable();
    if keys.peek().is_none() {
        return Err(BlsError::Empty("key"));
    }
    let zero = (G1Projective::default(), G2Projective::default());
    let (g1, g2) = keys.fold(zero, |(g1, g2), key| (g1 + key.g1, g2 + key.g2));
    let (g1, g2) = (g1.into_affine(), g2.into_affine());
    // Keys loaded with `from_abi_trusted` might cancel out in one group only.
    if g1.is_zero() || g2.is_zero() {
        return Err(BlsError::Infinity("aggregate key"));
    }
    Ok(AggregateKey(PublicKey { g1, g2 }))
}

fn verify_statement(key: G2Affine, digest: &B256, signature: &Signature) -> Result<(), BlsError> {
    if point::pairing_holds(signature.point(), hash_to_curve(Tag::Statement, digest), key) {
        Ok(())
    } else {
        Err(BlsError::WrongSignature)
    }
}
