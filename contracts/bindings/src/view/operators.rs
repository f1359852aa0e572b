//! Operators: identity, keys, nodes and weights by epoch, pools as of the last event.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, U256};

use super::pool::{Pool, Pools};
use crate::event::Event;

/// The operators that decide an epoch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OperatorSet {
    /// First epoch of the checkpoint in force, 0 if there is none yet; part of every statement.
    pub checkpoint: u64,
    pub total_stake: u128,
    /// Those with weight, ascending by id.
    pub members: Vec<Operator>,
}

/// An operator in a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    pub id: u64,
    /// Checkpointed stake, positive.
    pub weight: u128,
    /// As of the last event; an owner may change within an epoch.
    pub owner: Address,
    /// Nodes in force in the epoch, ascending.
    pub nodes: Vec<Address>,
    /// The key in force in the epoch.
    pub key: Key,
}

/// A BLS key in both groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    pub g1: [U256; 2],
    pub g2: [U256; 4],
}

#[derive(Debug, Clone)]
struct Record {
    owner: Address,
    commission_bps: u16,
    /// By first epoch in force.
    keys: BTreeMap<u64, Key>,
    /// By first epoch in force.
    weights: BTreeMap<u64, u128>,
    /// Per node, whether it is one of the operator's, by first epoch in force.
    nodes: BTreeMap<Address, BTreeMap<u64, bool>>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Operators {
    records: BTreeMap<u64, Record>,
    bindings: BTreeMap<Address, u64>,
    pools: Pools,
    /// First epochs of all checkpoints of the set.
    checkpoints: BTreeSet<u64>,
}

/// The value in force at `epoch`.
fn at<T: Copy>(history: &BTreeMap<u64, T>, epoch: u64) -> Option<T> {
    history.range(..=epoch).next_back().map(|(_, value)| *value)
}

impl Operators {
    pub(super) fn apply(&mut self, event: &Event) {
        match *event {
            Event::OperatorRegistered { operator, owner, g1, g2, commission_bps } => {
                let record = Record {
                    owner,
                    commission_bps,
                    keys: BTreeMap::from([(0, Key { g1, g2 })]),
                    weights: BTreeMap::new(),
                    nodes: BTreeMap::new(),
                };
                self.records.insert(operator, record);
                self.pools.open(operator);
            }
            Event::KeyRotated { operator, g1, g2, effective_epoch } => {
                let Some(record) = self.records.get_mut(&operator) else { return };
                record.keys.insert(effective_epoch, Key { g1, g2 });
                // The sum of the set's keys changes only if the operator is in it.
                if at(&record.weights, effective_epoch).is_some_and(|weight| weight > 0) {
                    self.checkpoints.insert(effective_epoch);
                }
            }
            Event::OwnershipTransferred { operator, to, .. } => self.change(operator, |r| r.owner = to),
            Event::CommissionChanged { operator, bps } => self.change(operator, |r| r.commission_bps = bps),
            Event::NodeAdded { operator, node, effective_epoch } => {
                self.bindings.insert(node, operator);
                self.change(operator, |r| {
                    r.nodes.entry(node).or_default().insert(effective_epoch, true);
                });
            }
            Event::NodeRemoved { operator, node, effective_epoch } => self.change(operator, |r| {
                r.nodes.entry(node).or_default().insert(effective_epoch, false);
            }),
            Event::WeightChanged { operator, effective_epoch, weight } => {
                self.checkpoints.insert(effective_epoch);
                self.change(operator, |r| {
                    r.weights.insert(effective_epoch, weight);
                });
            }
            _ => self.pools.apply(event),
        }
    }

    /// The contract emits nothing about an operator before its registration.
    fn change(&mut self, operator: u64, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self.records.get_mut(&operator) {
            change(record);
        }
    }

    pub(super) fn set_at(&self, epoch: u64) -> OperatorSet {
        let mut set = OperatorSet {
            checkpoint: self.checkpoints.range(..=epoch).next_back().copied().unwrap_or(0),
            ..OperatorSet::default()
        };
        for (&id, record) in &self.records {
            let Some(weight) = at(&record.weights, epoch).filter(|weight| *weight > 0) else { continue };
            let Some(key) = at(&record.keys, epoch) else { continue };
            set.total_stake = set.total_stake.saturating_add(weight);
            let active = |history| at(history, epoch) == Some(true);
            set.members.push(Operator {
                id,
                weight,
                owner: record.owner,
                nodes: record
                    .nodes
                    .iter()
                    .filter(|(_, history)| active(history))
                    .map(|(node, _)| *node)
                    .collect(),
                key,
            });
        }
        set
    }

    pub(super) fn of(&self, node: Address) -> Option<u64> {
        self.bindings.get(&node).copied()
    }

    pub(super) fn owner(&self, operator: u64) -> Option<Address> {
        self.records.get(&operator).map(|record| record.owner)
    }

    pub(super) fn commission_bps(&self, operator: u64) -> Option<u16> {
        self.records.get(&operator).map(|record| record.commission_bps)
    }

    pub(super) fn pool(&self, operator: u64) -> Option<&Pool> {
        self.pools.get(operator)
    }

    pub(super) fn pools(&self) -> impl Iterator<Item = (u64, &Pool)> + '_ {
        self.pools.iter()
    }
}
