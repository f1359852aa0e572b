//! The contracts' events as plain data, so that what is computed from them needs no ABI and no provider.
//!
//! The token's events are left out: nothing is decided by them.

use alloy::{
    primitives::{Address, B256, Log, U256},
    sol_types::{self, SolEventInterface},
};
use serde::{Deserialize, Serialize};

use crate::{
    abi::{
        settlement::Settlement::SettlementEvents, slashing::Slashing::SlashingEvents,
        sponsorships::Sponsorships::SponsorshipsEvents, staking::Staking::StakingEvents,
        stream_registry::StreamRegistry::StreamRegistryEvents,
    },
    deployment::Deployment,
};

/// One event and where it stands in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainEvent {
    pub block: u64,
    /// Of the block, seconds of Unix time.
    pub timestamp: u64,
    /// Position among all logs of the block.
    pub log_index: u64,
    pub transaction: B256,
    pub event: Event,
}

/// Amounts are wei of DATA; expirations are seconds of Unix time, `u64::MAX` for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    OperatorRegistered { operator: u64, owner: Address, g1: [U256; 2], g2: [U256; 4] },
    OwnershipOffered { operator: u64, candidate: Address },
    OwnershipTransferred { operator: u64, from: Address, to: Address },
    NodeAdded { operator: u64, node: Address, effective_epoch: u64 },
    NodeRemoved { operator: u64, node: Address, effective_epoch: u64 },
    WeightChanged { operator: u64, effective_epoch: u64, weight: u128 },
    Staked { operator: u64, from: Address, amount: u128 },
    UnstakeRequested { operator: u64, amount: u128, release_epoch: u64 },
    Withdrawn { operator: u64, to: Address, amount: u128 },
    Paid { operator: u64, amount: u128, cumulative: u128 },
    Slashed { operator: u64, amount: u128, bounty: u128, reporter: Address },
    SponsorshipCreated(SponsorshipCreated),
    Settled { epoch: u64, amount: U256, cumulative: U256 },
    Refunded { sponsorship: u64, amount: u128, cumulative: u128 },
    Reclaimed { sponsorship: u64, sponsor: Address, amount: u128 },
    Posted { epoch: u64, root: B256, total: U256, absentees: Vec<u64>, poster: Address },
    Pushed { root: B256, leaf: B256, amount: U256 },
    OffenceProven { slot: B256, operator: u64, reporter: Address, kind: u8, amount: u128 },
    StreamCreated { stream: String, metadata: String },
    StreamUpdated { stream: String, metadata: String },
    StreamDeleted { stream: String },
    PermissionUpdated(PermissionUpdated),
}

/// A sponsorship as it was created; nothing of it changes afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SponsorshipCreated {
    pub sponsorship: u64,
    pub sponsor: Address,
    pub stream: String,
    pub partitions: u32,
    pub rate_per_epoch: u128,
    pub start_epoch: u64,
    pub epochs: u64,
    pub redundancy: u8,
    pub subscriber_share_bps: u16,
}

/// Everything `user` may do from now on; the public is address zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionUpdated {
    pub stream: String,
    pub user: Address,
    pub can_edit: bool,
    pub can_delete: bool,
    pub publish_expiration: u64,
    pub subscribe_expiration: u64,
    pub can_grant: bool,
}

impl Event {
    /// Decodes a log of one of the deployment's contracts; `None` for any other address.
    ///
    /// # Errors
    /// If a contract of ours emitted what its ABI does not have, that is, if the address is not what it should be.
    pub fn decode(deployment: &Deployment, log: &Log) -> Result<Option<Self>, sol_types::Error> {
        let (topics, data) = (log.data.topics(), &log.data.data);
        let address = log.address;
        let event = if address == deployment.staking {
            StakingEvents::decode_raw_log(topics, data)?.into()
        } else if address == deployment.sponsorships {
            SponsorshipsEvents::decode_raw_log(topics, data)?.into()
        } else if address == deployment.settlement {
            SettlementEvents::decode_raw_log(topics, data)?.into()
        } else if address == deployment.slashing {
            SlashingEvents::decode_raw_log(topics, data)?.into()
        } else if address == deployment.stream_registry {
            // Streamr's own registry, where a deployment points at it, emits more than we need.
            match StreamRegistryEvents::decode_raw_log(topics, data) {
                Ok(event) => event.into(),
                Err(_) => return Ok(None),
            }
        } else {
            return Ok(None);
        };
        Ok(Some(event))
    }
}

impl From<StakingEvents> for Event {
    fn from(event: StakingEvents) -> Self {
        use StakingEvents as E;
        match event {
            E::OperatorRegistered(e) => {
                Self::OperatorRegistered { operator: e.operatorId, owner: e.owner, g1: e.g1, g2: e.g2 }
            }
            E::OwnershipOffered(e) => {
                Self::OwnershipOffered { operator: e.operatorId, candidate: e.candidate }
            }
            E::OwnershipTransferred(e) => {
                Self::OwnershipTransferred { operator: e.operatorId, from: e.from, to: e.to }
            }
            E::NodeAdded(e) => {
                Self::NodeAdded { operator: e.operatorId, node: e.node, effective_epoch: e.effectiveEpoch }
            }
            E::NodeRemoved(e) => {
                Self::NodeRemoved { operator: e.operatorId, node: e.node, effective_epoch: e.effectiveEpoch }
            }
            E::WeightChanged(e) => Self::WeightChanged {
                operator: e.operatorId,
                effective_epoch: e.effectiveEpoch,
                weight: e.weight,
            },
            E::Staked(e) => Self::Staked { operator: e.operatorId, from: e.from, amount: e.amount },
            E::UnstakeRequested(e) => Self::UnstakeRequested {
                operator: e.operatorId,
                amount: e.amount,
                release_epoch: e.releaseEpoch,
            },
            E::Withdrawn(e) => Self::Withdrawn { operator: e.operatorId, to: e.to, amount: e.amount },
            E::Paid(e) => Self::Paid { operator: e.operatorId, amount: e.amount, cumulative: e.cumulative },
            E::Slashed(e) => Self::Slashed {
                operator: e.operatorId,
                amount: e.amount,
                bounty: e.bounty,
                reporter: e.reporter,
            },
        }
    }
}

impl From<SponsorshipsEvents> for Event {
    fn from(event: SponsorshipsEvents) -> Self {
        use SponsorshipsEvents as E;
        match event {
            E::SponsorshipCreated(e) => Self::SponsorshipCreated(SponsorshipCreated {
                sponsorship: e.sponsorshipId,
                sponsor: e.sponsor,
                stream: e.streamId,
                partitions: e.partitions,
                rate_per_epoch: e.ratePerEpoch,
                start_epoch: e.startEpoch,
                epochs: e.epochs,
                redundancy: e.redundancy,
                subscriber_share_bps: e.subscriberShareBps,
            }),
            E::Settled(e) => Self::Settled { epoch: e.epoch, amount: e.amount, cumulative: e.cumulative },
            E::Refunded(e) => {
                Self::Refunded { sponsorship: e.sponsorshipId, amount: e.amount, cumulative: e.cumulative }
            }
            E::Reclaimed(e) => {
                Self::Reclaimed { sponsorship: e.sponsorshipId, sponsor: e.sponsor, amount: e.amount }
            }
        }
    }
}

impl From<SettlementEvents> for Event {
    fn from(event: SettlementEvents) -> Self {
        match event {
            SettlementEvents::Posted(e) => Self::Posted {
                epoch: e.epoch,
                root: e.root,
                total: e.total,
                absentees: e.absentees,
                poster: e.poster,
            },
            SettlementEvents::Pushed(e) => Self::Pushed { root: e.root, leaf: e.leaf, amount: e.amount },
        }
    }
}

impl From<SlashingEvents> for Event {
    fn from(event: SlashingEvents) -> Self {
        let SlashingEvents::OffenceProven(e) = event;
        Self::OffenceProven {
            slot: e.slot,
            operator: e.operatorId,
            reporter: e.reporter,
            kind: e.kind,
            amount: e.amount,
        }
    }
}

impl From<StreamRegistryEvents> for Event {
    fn from(event: StreamRegistryEvents) -> Self {
        use StreamRegistryEvents as E;
        match event {
            E::StreamCreated(e) => Self::StreamCreated { stream: e.id, metadata: e.metadata },
            E::StreamUpdated(e) => Self::StreamUpdated { stream: e.id, metadata: e.metadata },
            E::StreamDeleted(e) => Self::StreamDeleted { stream: e.id },
            E::PermissionUpdated(e) => Self::PermissionUpdated(PermissionUpdated {
                stream: e.streamId,
                user: e.user,
                can_edit: e.canEdit,
                can_delete: e.canDelete,
                publish_expiration: e.publishExpiration.saturating_to(),
                subscribe_expiration: e.subscribeExpiration.saturating_to(),
                can_grant: e.canGrant,
            }),
        }
    }
}
