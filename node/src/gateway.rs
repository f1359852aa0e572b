//! Gateways: how devices and clients without a key of their own publish and subscribe through this node.
//!
//! A gateway knows credentials, topics and sessions; what is published goes to the node through [`Router`] and what
//! arrives comes back through [`Subscriptions`], so that authorisation, metering and bounds are in one place for all gateways.

pub mod credentials;
pub mod mqtt;
mod router;
mod subscriptions;
mod topic;

pub(crate) use router::{Publication, Router};
pub(crate) use subscriptions::{Delivered, Subscriptions};
