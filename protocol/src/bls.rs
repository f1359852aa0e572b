//! BLS over BN254: statements that operators attest together, checked on chain by one pairing whatever their number.
//!
//! Signatures are in G1; a key has a half in each group, so that the contract can add and subtract keys cheaply (G1) and
//! pair with them (G2). Bytes and formulas: `docs/protocol.md`, "BLS over BN254".
//!
//! Every point that comes from outside is checked once, when its type is made: canonical coordinates, on the curve, in the
//! subgroup, not infinity. Aggregation is only safe over keys whose possession was proved ([`PublicKey::verify_possession`]);
//! the staking contract demands that proof, and callers with keys from elsewhere must.
//!
//! Left out: who may sign and how much stake makes a quorum. Scalar multiplication is that of `ark`, which does not run in
//! constant time: sign on machines whose timing is not measured by strangers.

// Field and curve operators compute modulo a prime: they cannot overflow.
#![allow(clippy::arithmetic_side_effects)]

mod certificate;
mod hash_to_curve;
mod key;
mod point;
mod secret;
mod signature;
#[cfg(test)]
mod tests;

pub use certificate::{signers_sum, verify_certificate};
pub use hash_to_curve::{Tag, hash_to_curve, map_to_curve};
pub use key::{AggregateKey, PublicKey, aggregate_keys};
pub use secret::SecretKey;
pub use signature::{SIGNATURE_BYTES, Signature, aggregate_signatures};

use alloy_primitives::U256;

/// Why a key, signature or certificate is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlsError {
    #[error("coordinate {0} is not below the field modulus; coordinates are expected in canonical form")]
    Coordinate(U256),
    #[error("{0} is the point at infinity; it is never a valid key or signature")]
    Infinity(&'static str),
    #[error("{0} is not on its curve; a point of BN254 is expected")]
    NotOnCurve(&'static str),
    #[error("{0} is on the curve but not in the prime-order subgroup")]
    NotInSubgroup(&'static str),
    #[error("the G1 and G2 halves belong to different secret keys; both of one key are expected")]
    KeyMismatch,
    #[error("secret key is zero or not below the group order; 32 big-endian bytes in between are expected")]
    SecretKey,
    #[error("signature has {0} bytes; 64 are expected (x, y)")]
    SignatureLength(usize),
    #[error("nothing to aggregate; at least one {0} is expected")]
    Empty(&'static str),
    #[error("signature over the statement was not made by the expected key")]
    WrongSignature,
    #[error("proof of possession was not made by the expected key")]
    WrongPossession,
    #[error(
        "certificate does not hold: its signature or aggregate key does not match the signers and the statement"
    )]
    WrongCertificate,
}
