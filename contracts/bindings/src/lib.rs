//! The Tatum contracts from Rust: their ABIs, their deployment, and the chain as Tatum sees it.
//!
//! - [`abi`]: generated bindings of each contract.
//! - [`deployment`]: deploys them, and checks that a deployment is one whole.
//! - [`event`]: the contracts' events as plain data.
//! - [`view`]: a pure fold of those events into what decides an epoch.
//! - [`follow`]: reads the events from a node.
//!
//! Signing, sending and replacing transactions are the callers' business.

pub mod abi;
pub mod deployment;
pub mod event;
pub mod follow;
pub mod view;

pub use deployment::{Deployment, DeploymentError, Parameters};
pub use event::{ChainEvent, Event};
pub use follow::{Batch, FollowError, Follower, Head};
pub use view::ChainView;
