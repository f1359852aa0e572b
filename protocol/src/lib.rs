//! The Tatum protocol, pure: what is signed, how volumes are counted, how money is computed.
//!
//! One pipeline, one noun per step: message -> receipt -> volume -> epoch -> payout root -> payout | slash.
//! Bytes, hashes and formulas are written down in `docs/protocol.md` and `docs/accounting.md`.
//!
//! Left out on purpose: IO, clocks, randomness, storage. Callers pass in time, keys and bytes.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![deny(clippy::arithmetic_side_effects, clippy::as_conversions)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::as_conversions
    )
)]

pub mod amount;
pub mod assignment;
pub mod bls;
pub mod eip712;
pub mod epoch;
pub mod evidence;
pub mod id;
pub mod merkle;
pub mod message;
pub mod payout;
pub mod plan;
pub mod receipt;
pub mod secp;
pub mod set_digest;
pub mod shares;
pub mod volume;
pub mod wire;

pub use alloy_primitives::{Address, B256, U256, keccak256};
