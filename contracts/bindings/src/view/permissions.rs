//! Streams and permissions, with the past of permissions: an epoch is decided by those that stood at its cutoff.

use std::collections::BTreeMap;

use alloy::primitives::Address;

use crate::event::{ChainEvent, Event, PermissionUpdated};

#[derive(Debug, Clone, Default)]
pub(super) struct Permissions {
    streams: BTreeMap<String, Stream>,
}

#[derive(Debug, Clone, Default)]
struct Stream {
    /// `None` once deleted.
    metadata: Option<String>,
    /// Per user every change, oldest first; the public is address zero.
    users: BTreeMap<Address, Vec<Change>>,
}

/// Expirations are inclusive seconds; 0 is never.
#[derive(Debug, Clone, Copy)]
struct Change {
    /// Of the block.
    timestamp: u64,
    publish: u64,
    subscribe: u64,
}

impl Permissions {
    pub(super) fn apply(&mut self, event: &ChainEvent) {
        match &event.event {
            Event::StreamCreated { stream, metadata } | Event::StreamUpdated { stream, metadata } => {
                self.streams.entry(stream.clone()).or_default().metadata = Some(metadata.clone());
            }
            Event::StreamDeleted { stream } => {
                if let Some(stream) = self.streams.get_mut(stream) {
                    stream.metadata = None;
                    let nothing = Change { timestamp: event.timestamp, publish: 0, subscribe: 0 };
                    stream.users.values_mut().for_each(|changes| changes.push(nothing));
                }
            }
            Event::PermissionUpdated(updated) => self.update(event.timestamp, updated),
            _ => {}
        }
    }

    fn update(&mut self, timestamp: u64, updated: &PermissionUpdated) {
        let change = Change {
            timestamp,
            publish: updated.publish_expiration,
            subscribe: updated.subscribe_expiration,
        };
        let stream = self.streams.entry(updated.stream.clone()).or_default();
        stream.users.entry(updated.user).or_default().push(change);
    }

    pub(super) fn exists(&self, stream: &str) -> bool {
        self.metadata(stream).is_some()
    }

    pub(super) fn metadata(&self, stream: &str) -> Option<&str> {
        self.streams.get(stream)?.metadata.as_deref()
    }

    pub(super) fn may_publish(&self, stream: &str, user: Address, now_s: u64) -> bool {
        self.holds(stream, user, |change| change.publish >= now_s && change.publish > 0)
    }

    pub(super) fn may_subscribe(&self, stream: &str, user: Address, now_s: u64) -> bool {
        self.holds(stream, user, |change| change.subscribe >= now_s && change.subscribe > 0)
    }

    /// Whether the latest change of the user, or of the public, gives what is asked.
    fn holds(&self, stream: &str, user: Address, gives: impl Fn(&Change) -> bool) -> bool {
        let Some(stream) = self.streams.get(stream) else { return false };
        [user, Address::ZERO]
            .iter()
            .any(|user| stream.users.get(user).and_then(|changes| changes.last()).is_some_and(&gives))
    }

    /// By what stood before `cutoff`: later grants come too late, and later revocations do not take back what is
    /// planned already.
    pub(super) fn granted_subscribers(&self, stream: &str, cutoff: u64, until: u64) -> Vec<Address> {
        let Some(stream) = self.streams.get(stream) else { return Vec::new() };
        let granted = |changes: &[Change]| {
            let standing = changes.iter().rev().find(|change| change.timestamp < cutoff);
            standing.is_some_and(|change| change.subscribe >= until)
        };
        stream
            .users
            .iter()
            .filter(|(user, changes)| **user != Address::ZERO && granted(changes))
            .map(|(user, _)| *user)
            .collect()
    }
}
