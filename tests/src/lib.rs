//! Shared by the end-to-end tests: a devnet of real processes, and the independent recomputation of payouts.

pub mod harness;
pub mod recompute;
