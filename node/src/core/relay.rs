//! Where frames go: to co-assigned brokers, to attached subscribers, and as offers to receivers that drew this node.
//!
//! Eager flood: an assigned broker sends every new frame on, once, to all other assigned brokers and attached subscribers, except to where
//! it came from. Those get an offer instead if they drew this node as a relayer: the readiness is what they owe a credit for.

use super::chain::ChainState;
use std::collections::{BTreeMap, BTreeSet};
use tatum_protocol::Address;
use tatum_protocol::id::{PartKey, StreamPart};
use tatum_protocol::plan::PlannedPart;
use tatum_protocol::wire::MAX_ATTACH;

/// Brokers that a subscriber takes each stream part from: one may die, one may be slow.
const UPSTREAMS: usize = 3;

/// Where one frame goes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) frame: BTreeSet<Address>,
    pub(super) offer: BTreeSet<Address>,
}

#[derive(Debug)]
pub(super) struct Relay {
    me: Address,
    linked: BTreeSet<Address>,
    /// Who subscribed to what here.
    attached: BTreeMap<PartKey, BTreeSet<Address>>,
    /// What this node wants for its own account or its gateway's clients.
    interest: BTreeSet<StreamPart>,
    /// What each broker was last told to send.
    asked: BTreeMap<Address, BTreeSet<StreamPart>>,
}

impl Relay {
    pub(super) fn new(me: Address) -> Self {
        Self {
            me,
            linked: BTreeSet::new(),
            attached: BTreeMap::new(),
            interest: BTreeSet::new(),
            asked: BTreeMap::new(),
        }
    }

    pub(super) fn up(&mut self, node: Address) {
        self.linked.insert(node);
        // It may have restarted: tell it again.
        self.asked.remove(&node);
    }

    pub(super) fn down(&mut self, node: &Address) {
        self.linked.remove(node);
        self.asked.remove(node);
        self.attach(*node, Vec::new());
    }

    pub(super) fn linked(&self) -> &BTreeSet<Address> {
        &self.linked
    }

    pub(super) fn interest(&self) -> &BTreeSet<StreamPart> {
        &self.interest
    }

    pub(super) fn set_interest(&mut self, parts: BTreeSet<StreamPart>) {
        self.interest = parts;
    }

    /// Replaces what a node is attached to.
    pub(super) fn attach(&mut self, node: Address, parts: Vec<PartKey>) {
        self.attached.retain(|_, nodes| {
            nodes.remove(&node);
            !nodes.is_empty()
        });
        for part in parts {
            self.attached.entry(part).or_default().insert(node);
        }
    }

    /// The route of a new frame. `from` is the peer that sent it, none if it was published here.
    pub(super) fn route(&self, part: &PlannedPart, from: Option<Address>, publisher: Address) -> Route {
        let mut route = Route::default();
        let has_it = |node: &Address| Some(*node) == from || *node == publisher || *node == self.me;
        let brokers = part.assigned.iter().map(|assigned| assigned.broker);
        if !part.is_assigned(&self.me) {
            // A gateway for publishers: every assigned broker, so that none alone can lose the frame.
            if from.is_none() {
                route.frame.extend(brokers.filter(|broker| self.linked.contains(broker)));
            }
            return route;
        }
        let attached = self.attached.get(&part.key).into_iter().flatten().copied();
        route
            .frame
            .extend(brokers.chain(attached).filter(|node| self.linked.contains(node) && !has_it(node)));
        let drew = part.receivers_of(&self.me).map(|receiver| receiver.address);
        route.offer.extend(drew.filter(|receiver| {
            self.linked.contains(receiver) && *receiver != self.me && !route.frame.contains(receiver)
        }));
        route
    }

    /// What each broker should be told to send here, where that differs from what it was told.
    pub(super) fn attachments(&mut self, now_ms: u64, chain: &ChainState) -> Vec<(Address, Vec<StreamPart>)> {
        let mut wanted: BTreeMap<Address, BTreeSet<StreamPart>> =
            self.asked.keys().map(|broker| (*broker, BTreeSet::new())).collect();
        for plan in chain.current(now_ms) {
            let interest = self.interest.iter().filter_map(|part| plan.parts.get(&part.key()));
            for part in interest.filter(|part| !part.is_assigned(&self.me)) {
                for broker in self.upstreams(part) {
                    wanted.entry(broker).or_default().insert(part.part.clone());
                }
            }
        }
        let mut changed = Vec::new();
        for (broker, parts) in wanted {
            let known = self.asked.get(&broker);
            if known == Some(&parts) || (known.is_none() && parts.is_empty()) {
                continue;
            }
            changed.push((broker, parts.iter().take(MAX_ATTACH).cloned().collect()));
            self.asked.insert(broker, parts);
        }
        changed
    }

    /// The brokers to take a part from: drawn relayers first, since only their credit is money.
    fn upstreams(&self, part: &PlannedPart) -> Vec<Address> {
        let drawn = part.receivers.iter().filter(|r| r.address == self.me).flat_map(|r| &r.relayers);
        let mut chosen = Vec::new();
        for broker in drawn.chain(&part.assigned).map(|assigned| assigned.broker) {
            if self.linked.contains(&broker) && !chosen.contains(&broker) && chosen.len() < UPSTREAMS {
                chosen.push(broker);
            }
        }
        chosen
    }

    /// Brokers that should be linked and are not, by a part under which they can be looked up.
    pub(super) fn missing(
        &self,
        now_ms: u64,
        chain: &ChainState,
        publishing: &BTreeSet<PartKey>,
    ) -> BTreeMap<PartKey, BTreeSet<Address>> {
        let mut missing = BTreeMap::new();
        for plan in chain.current(now_ms) {
            for part in plan.parts.values() {
                let wanted = part.is_assigned(&self.me)
                    || publishing.contains(&part.key)
                    || self.interest.contains(&part.part);
                let absent: BTreeSet<Address> = part
                    .assigned
                    .iter()
                    .map(|assigned| assigned.broker)
                    .filter(|broker| wanted && *broker != self.me && !self.linked.contains(broker))
                    .collect();
                if !absent.is_empty() {
                    missing.entry(part.key).or_insert_with(BTreeSet::new).extend(absent);
                }
            }
        }
        missing
    }
}
