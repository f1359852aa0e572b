//! Signatures and their aggregation.

use super::BlsError;
use super::point::{self, G1Words};
use alloy_primitives::{B512, U256};
use ark_bn254::{G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Encoded length: `x ++ y`.
pub const SIGNATURE_BYTES: usize = 64;

const WHAT: &str = "signature";

/// A point of G1, not infinity. By one key or, aggregated, by several over one digest.
///
/// Serialised as 64 bytes, in JSON as a hex string.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "B512", into = "B512")]
pub struct Signature(G1Affine);

impl Signature {
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BlsError> {
        let array: [u8; SIGNATURE_BYTES] =
            bytes.try_into().map_err(|_| BlsError::SignatureLength(bytes.len()))?;
        let (x, y) = array.split_at(32);
        Self::from_abi(&[U256::from_be_slice(x), U256::from_be_slice(y)])
    }

    pub fn to_bytes(&self) -> [u8; SIGNATURE_BYTES] {
        let [x, y] = self.abi();
        let mut bytes = [0; SIGNATURE_BYTES];
        let (left, right) = bytes.split_at_mut(32);
        left.copy_from_slice(&x.to_be_bytes::<32>());
        right.copy_from_slice(&y.to_be_bytes::<32>());
        bytes
    }

    pub fn from_abi(words: &[U256; 2]) -> Result<Self, BlsError> {
        point::decode_g1(words, WHAT).map(Self)
    }

    /// `(x, y)`.
    pub fn abi(&self) -> G1Words {
        point::encode_g1(&self.0)
    }

    /// The caller has checked that the point is in G1 and not infinity.
    pub(super) fn from_point(point: G1Affine) -> Self {
        Self(point)
    }

    pub(super) fn point(&self) -> G1Affine {
        self.0
    }
}

impl TryFrom<B512> for Signature {
    type Error = BlsError;
    fn try_from(bytes: B512) -> Result<Self, BlsError> {
        Self::from_bytes(bytes.as_slice())
    }
}

impl From<Signature> for B512 {
    fn from(signature: Signature) -> Self {
        signature.to_bytes().into()
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", B512::from(*self))
    }
}

/// The sum of signatures over one digest: a signature by the sum of their keys.
///
/// Adding a signature twice counts its key twice; the caller takes each signer once.
pub fn aggregate_signatures<'a>(
    signatures: impl IntoIterator<Item = &'a Signature>,
) -> Result<Signature, BlsError> {
    let mut signatures = signatures.into_iter().peekable();
    if signatures.peek().is_none() {
        return Err(BlsError::Empty(WHAT));
    }
    let sum = signatures.fold(G1Projective::default(), |sum, signature| sum + signature.0).into_affine();
    if sum.is_zero() {
        return Err(BlsError::Infinity("aggregate signature"));
    }
    Ok(Signature(sum))
}
