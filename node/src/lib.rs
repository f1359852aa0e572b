//! The broker node.
mod backoff;
pub mod keys;
pub mod net;
