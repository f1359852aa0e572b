//! The broker node.
mod backoff;
mod clock;
pub mod core;
pub mod gateway;
pub mod keys;
pub mod metrics;
pub mod net;
mod outbox;
pub mod store;
