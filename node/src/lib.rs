//! The broker node.
mod backoff;
pub mod core;
pub mod keys;
pub mod net;
