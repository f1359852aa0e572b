//! The plan of an epoch: everything that the chain decides before the epoch begins.
//!
//! A pure function of on-chain facts (see `docs/protocol.md`, Time and Assignment): who is assigned to which stream part, whose credit
//! counts for whom, and what pot is at stake. Every node derives the same plan.

use crate::amount::Wei;
use crate::assignment;
use crate::bls::PublicKey;
use crate::epoch::seed;
use crate::id::{MAX_PARTITIONS, OperatorId, PartKey, SponsorshipId, StreamId, StreamPart};
use alloy_primitives::{Address, B256};
use std::collections::{BTreeMap, BTreeSet};

/// An operator as the checkpoint in force has it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanOperator {
    pub id: OperatorId,
    /// Checkpointed stake in wei; positive.
    pub weight: u128,
    pub nodes: Vec<Address>,
    pub key: PublicKey,
}

/// A sponsorship active in the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanSponsorship {
    pub id: SponsorshipId,
    pub stream: StreamId,
    pub partitions: u32,
    pub rate: Wei,
    pub redundancy: u8,
    pub subscriber_share_bps: u16,
}

/// Deployment parameters of the payout formula, in basis points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    /// Of a pot, to the signers of the previous certificate.
    pub attester_bps: u16,
    /// Of the rest, to brokers that were there.
    pub availability_bps: u16,
}

/// What the chain says about an epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanInput {
    pub epoch: u64,
    /// First epoch of the operator-set checkpoint in force.
    pub checkpoint: u64,
    pub root_in_force: B256,
    pub operators: Vec<PlanOperator>,
    pub sponsorships: Vec<PlanSponsorship>,
    /// Sponsorships of something that is not a stream, with their rate: refunded whole.
    pub unservable: Vec<(SponsorshipId, Wei)>,
    /// Explicitly granted subscribers whose delivery carries a budget.
    pub subscribers: BTreeMap<StreamId, BTreeSet<Address>>,
    /// Signers of the last certificate posted before the epoch ended, with their weight then. The one input that is known only
    /// after the epoch; a plan made earlier leaves it empty.
    pub attesters: Vec<(OperatorId, u128)>,
    pub shares: Shares,
}

/// An operator assigned to a stream part, and the node that serves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assigned {
    pub operator: OperatorId,
    pub broker: Address,
}

/// Somebody whose receipts for a part count for money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    pub address: Address,
    /// `None` for a subscriber.
    pub broker_of: Option<OperatorId>,
    /// Brokers drawn to serve it: at most two, none of its own operator.
    pub relayers: Vec<Assigned>,
}

/// A sponsorship's money for one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pot {
    pub sponsorship: SponsorshipId,
    pub amount: Wei,
    pub subscriber_share_bps: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedPart {
    pub part: StreamPart,
    pub key: PartKey,
    /// Highest rank first.
    pub assigned: Vec<Assigned>,
    pub receivers: Vec<Receiver>,
    pub pots: Vec<Pot>,
}

impl PlannedPart {
    pub fn broker(&self, operator: OperatorId) -> Option<Address> {
        self.assigned.iter().find(|a| a.operator == operator).map(|a| a.broker)
    }

    pub fn is_assigned(&self, node: &Address) -> bool {
        self.assigned.iter().any(|a| a.broker == *node)
    }

    /// Receivers that drew this broker as a relayer.
    pub fn receivers_of<'a>(&'a self, broker: &'a Address) -> impl Iterator<Item = &'a Receiver> {
        self.receivers.iter().filter(move |r| r.relayers.iter().any(|a| a.broker == *broker))
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct EpochPlan {
    pub epoch: u64,
    pub checkpoint: u64,
    pub seed: B256,
    pub operators: BTreeMap<OperatorId, PlanOperator>,
    pub parts: BTreeMap<PartKey, PlannedPart>,
    /// `rate - partitions * (rate / partitions)` of each sponsorship, and the whole rate of unservable ones: never in a pot,
    /// always refunded.
    pub unallocated: Vec<(SponsorshipId, Wei)>,
    pub attesters: Vec<(OperatorId, u128)>,
    pub shares: Shares,
}

impl EpochPlan {
    pub fn new(input: PlanInput) -> Self {
        let seed = seed(input.root_in_force, input.epoch);
        let mut redundancy = BTreeMap::<StreamPart, usize>::new();
        let mut pots = BTreeMap::<StreamPart, Vec<Pot>>::new();
        let mut unallocated = input.unservable;
        for sponsorship in &input.sponsorships {
            let partitions = sponsorship.partitions.clamp(1, MAX_PARTITIONS);
            let amount = sponsorship.rate.mul_div_down(1, partitions.into()).unwrap_or_default();
            let mut left = sponsorship.rate;
            for partition in 0..partitions {
                let part = StreamPart { stream: sponsorship.stream.clone(), partition };
                let needed = redundancy.entry(part.clone()).or_default();
                *needed = (*needed).max(sponsorship.redundancy.into());
                left = left.checked_sub(amount).unwrap_or_default();
                pots.entry(part).or_default().push(Pot {
                    sponsorship: sponsorship.id,
                    amount,
                    subscriber_share_bps: sponsorship.subscriber_share_bps,
                });
            }
            unallocated.push((sponsorship.id, left));
        }
        // An operator without a node cannot serve; it keeps its vote and is not assigned.
        let stakes: Vec<_> =
            input.operators.iter().filter(|o| !o.nodes.is_empty()).map(|o| (o.id, o.weight)).collect();
        let operators: BTreeMap<_, _> = input.operators.into_iter().map(|o| (o.id, o)).collect();
        let parts = pots
            .into_iter()
            .map(|(part, pots)| {
                let key = part.key();
                let assigned: Vec<Assigned> = assignment::rank(
                    &seed,
                    &key,
                    &stakes,
                    redundancy.get(&part).copied().unwrap_or_default(),
                )
                .into_iter()
                .filter_map(|operator| {
                    let nodes = &operators.get(&operator)?.nodes;
                    Some(Assigned { operator, broker: assignment::broker_of(&seed, &key, nodes)? })
                })
                .collect();
                let subscribers = input.subscribers.get(&part.stream);
                let receivers = receivers(&seed, &key, &assigned, &operators, subscribers);
                (key, PlannedPart { part, key, assigned, receivers, pots })
            })
            .collect();
        Self {
            epoch: input.epoch,
            checkpoint: input.checkpoint,
            seed,
            operators,
            parts,
            unallocated,
            attesters: input.attesters,
            shares: input.shares,
        }
    }

    pub fn weight_of(&self, operators: impl IntoIterator<Item = OperatorId>) -> u128 {
        let distinct: BTreeSet<_> = operators.into_iter().collect();
        distinct
            .iter()
            .filter_map(|id| self.operators.get(id))
            .map(|o| o.weight)
            .fold(0, u128::saturating_add)
    }

    /// The operator a node works for.
    pub fn operator_of(&self, node: &Address) -> Option<OperatorId> {
        self.operators.values().find(|o| o.nodes.contains(node)).map(|o| o.id)
    }
}

/// Whether `part` of `total` is more than two thirds: the quorum of volumes and certificates. Exact.
pub fn more_than_two_thirds(part: u128, total: u128) -> bool {
    use alloy_primitives::U256;
    U256::from(part).saturating_mul(U256::from(3)) > U256::from(total).saturating_mul(U256::from(2))
}

fn receivers(
    seed: &B256,
    key: &PartKey,
    assigned: &[Assigned],
    operators: &BTreeMap<OperatorId, PlanOperator>,
    subscribers: Option<&BTreeSet<Address>>,
) -> Vec<Receiver> {
    let ids: Vec<OperatorId> = assigned.iter().map(|a| a.operator).collect();
    let draw = |address: Address, own: Option<OperatorId>| -> Vec<Assigned> {
        let drawn = assignment::relayers(seed, key, &address, own, &ids);
        drawn.iter().filter_map(|id| assigned.iter().find(|a| a.operator == *id).copied()).collect()
    };
    let brokers = assigned.iter().map(|a| Receiver {
        address: a.broker,
        broker_of: Some(a.operator),
        relayers: draw(a.broker, Some(a.operator)),
    });
    // A node of an assigned operator that was also granted is a receiver once, as the broker.
    let granted =
        subscribers.into_iter().flatten().filter(|s| assigned.iter().all(|a| a.broker != **s)).map(|s| {
            let own = operators.values().find(|o| o.nodes.contains(s)).map(|o| o.id);
            Receiver { address: *s, broker_of: None, relayers: draw(*s, own) }
        });
    brokers.chain(granted).collect()
}
