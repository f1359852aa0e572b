//! Operators: identity, nodes and weights by epoch, stake as of the last event.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, U256};

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
    pub g1: [U256; 2],
    pub g2: [U256; 4],
}

/// Where an operator's tokens are, and how they moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stake {
    pub stake: u128,
    pub unbonding: u128,
    /// From this epoch on what is unbonding can be withdrawn.
    pub release_epoch: u64,
    /// Cumulative payouts, which are part of the stake.
    pub paid: u128,
    /// Cumulative.
    pub slashed: u128,
}

#[derive(Debug, Clone)]
struct Record {
    owner: Address,
    g1: [U256; 2],
    g2: [U256; 4],
    stake: Stake,
    /// By first epoch in force.
    weights: BTreeMap<u64, u128>,
    /// Per node, whether it is one of the operator's, by first epoch in force.
    nodes: BTreeMap<Address, BTreeMap<u64, bool>>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Operators {
    records: BTreeMap<u64, Record>,
    bindings: BTreeMap<Address, u64>,
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
            Event::OperatorRegistered { operator, owner, g1, g2 } => {
                let record = Record {
                    owner,
                    g1,
                    g2,
                    stake: Stake::default(),
                    weights: BTreeMap::new(),
                    nodes: BTreeMap::new(),
                };
                self.records.insert(operator, record);
            }
            Event::OwnershipTransferred { operator, to, .. } => self.change(operator, |r| r.owner = to),
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
            Event::Staked { operator, amount, .. } => self.stake_change(operator, |s| {
                s.stake = s.stake.saturating_add(amount);
            }),
            Event::UnstakeRequested { operator, amount, release_epoch } => {
                self.stake_change(operator, |s| {
                    s.stake = s.stake.saturating_sub(amount);
                    s.unbonding = s.unbonding.saturating_add(amount);
                    s.release_epoch = release_epoch;
                });
            }
            Event::Withdrawn { operator, amount, .. } => self.stake_change(operator, |s| {
                s.unbonding = s.unbonding.saturating_sub(amount);
            }),
            Event::Paid { operator, amount, cumulative } => self.stake_change(operator, |s| {
                s.stake = s.stake.saturating_add(amount);
                s.paid = cumulative;
            }),
            Event::Slashed { operator, amount, .. } => self.stake_change(operator, |s| {
                // Stake first, as the contract does.
                let from_stake = amount.min(s.stake);
                s.stake = s.stake.saturating_sub(from_stake);
                s.unbonding = s.unbonding.saturating_sub(amount.saturating_sub(from_stake));
                s.slashed = s.slashed.saturating_add(amount);
            }),
            _ => {}
        }
    }

    /// The contract emits nothing about an operator before its registration.
    fn change(&mut self, operator: u64, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self.records.get_mut(&operator) {
            change(record);
        }
    }

    fn stake_change(&mut self, operator: u64, change: impl FnOnce(&mut Stake)) {
        self.change(operator, |record| change(&mut record.stake));
    }

    pub(super) fn set_at(&self, epoch: u64) -> OperatorSet {
        let mut set = OperatorSet {
            checkpoint: self.checkpoints.range(..=epoch).next_back().copied().unwrap_or(0),
            ..OperatorSet::default()
        };
        for (&id, record) in &self.records {
            let Some(weight) = at(&record.weights, epoch).filter(|weight| *weight > 0) else { continue };
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
                g1: record.g1,
                g2: record.g2,
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

    pub(super) fn stake(&self, operator: u64) -> Option<Stake> {
        self.records.get(&operator).map(|record| record.stake)
    }

    pub(super) fn stakes(&self) -> impl Iterator<Item = (u64, Stake)> + '_ {
        self.records.iter().map(|(id, record)| (*id, record.stake))
    }
}
