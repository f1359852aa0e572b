//! From logs to events.

use alloy::{
    primitives::{Log, U256},
    sol_types::{self, SolEventInterface},
};

use super::{Event, Loss, Payment, PermissionUpdated, SponsorshipCreated};
use crate::{
    abi::{
        settlement::Settlement::SettlementEvents, slashing::Slashing::SlashingEvents,
        sponsorships::Sponsorships::SponsorshipsEvents, staking::Staking::StakingEvents,
        stream_registry::StreamRegistry::StreamRegistryEvents,
    },
    deployment::Deployment,
};

impl Event {
    /// Decodes a log of one of the deployment's contracts; `None` for any other address, and for what is left out.
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
            return Ok(StreamRegistryEvents::decode_raw_log(topics, data).ok().and_then(of_registry));
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
            E::OperatorRegistered(e) => Self::OperatorRegistered {
                operator: e.operatorId,
                owner: e.owner,
                g1: e.g1,
                g2: e.g2,
                commission_bps: e.commissionBps,
            },
            E::KeyRotated(e) => Self::KeyRotated {
                operator: e.operatorId,
                g1: e.g1,
                g2: e.g2,
                effective_epoch: e.effectiveEpoch,
            },
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
            E::CommissionAnnounced(e) => Self::CommissionAnnounced {
                operator: e.operatorId,
                bps: e.bps,
                earliest_epoch: e.earliestEpoch,
            },
            E::CommissionChanged(e) => Self::CommissionChanged { operator: e.operatorId, bps: e.bps },
            E::WeightChanged(e) => Self::WeightChanged {
                operator: e.operatorId,
                effective_epoch: e.effectiveEpoch,
                weight: e.weight,
            },
            E::Staked(e) => {
                Self::Staked { operator: e.operatorId, from: e.from, amount: e.amount, shares: e.shares }
            }
            E::Delegated(e) => Self::Delegated {
                operator: e.operatorId,
                delegator: e.delegator,
                amount: e.amount,
                shares: e.shares,
            },
            E::UnbondingStarted(e) => Self::UnbondingStarted {
                operator: e.operatorId,
                holder: e.holder,
                request: e.requestId,
                amount: e.amount,
                shares: e.shares,
                release_epoch: e.releaseEpoch,
            },
            E::Withdrawn(e) => Self::Withdrawn { request: e.requestId, to: e.to, amount: e.amount },
            E::Paid(e) => Self::Paid { payments: e.payments.into_iter().map(Payment::unpack).collect() },
            E::EarningsShared(e) => Self::EarningsShared {
                operator: e.operatorId,
                earnings: e.earnings,
                commission: e.commission,
                commission_shares: e.commissionShares,
            },
            E::Slashed(e) => Self::Slashed {
                operator: e.operatorId,
                loss: Loss {
                    own: e.loss.own,
                    own_shares: e.loss.ownShares,
                    own_unbonding: e.loss.ownUnbonding,
                    delegated: e.loss.delegated,
                    delegated_unbonding: e.loss.delegatedUnbonding,
                },
            },
        }
    }
}

impl Payment {
    /// From `operator << 128 | amount`.
    fn unpack(packed: U256) -> Self {
        let operator = packed.wrapping_shr(128).saturating_to();
        Self { operator, amount: packed.wrapping_to() }
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
                redundancy: e.redundancy,
                subscriber_share_bps: e.subscriberShareBps,
            }),
            E::Scheduled(e) => Self::Scheduled {
                sponsorship: e.sponsorshipId,
                from_epoch: e.fromEpoch,
                to_epoch: e.toEpoch,
                rate_per_epoch: e.ratePerEpoch,
            },
            E::ToppedUp(e) => Self::ToppedUp { sponsorship: e.sponsorshipId, from: e.from, amount: e.amount },
            E::Stopped(e) => Self::Stopped { sponsorship: e.sponsorshipId },
            E::Settled(e) => Self::Settled { epoch: e.epoch, amount: e.amount, cumulative: e.cumulative },
            E::Lapsed(e) => Self::Lapsed {
                lapse: e.lapseId,
                from_epoch: e.fromEpoch,
                to_epoch: e.toEpoch,
                amount: e.amount,
            },
            E::Refunded(e) => {
                Self::Refunded { sponsorship: e.sponsorshipId, amount: e.amount, cumulative: e.cumulative }
            }
            E::Recovered(e) => {
                Self::Recovered { sponsorship: e.sponsorshipId, lapse: e.lapseId, amount: e.amount }
            }
            E::Restored(e) => Self::Restored { sponsorship: e.sponsorshipId, amount: e.amount },
            E::Reclaimed(e) => {
                Self::Reclaimed { sponsorship: e.sponsorshipId, sponsor: e.sponsor, amount: e.amount }
            }
            E::Released(e) => Self::Released { to: e.to, amount: e.amount },
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
        match event {
            SlashingEvents::OffenceProven(e) => Self::OffenceProven {
                slot: e.slot,
                operator: e.operatorId,
                reporter: e.reporter,
                kind: e.kind,
                sponsorship: e.sponsorshipId,
            },
            SlashingEvents::OffenceExecuted(e) => Self::OffenceExecuted {
                slot: e.slot,
                operator: e.operatorId,
                bounty: e.bounty,
                returned: e.returned,
                burned: e.burned,
            },
        }
    }
}

fn of_registry(event: StreamRegistryEvents) -> Option<Event> {
    use StreamRegistryEvents as E;
    Some(match event {
        E::StreamCreated(e) => Event::StreamCreated { stream: e.id, metadata: e.metadata },
        E::StreamUpdated(e) => Event::StreamUpdated { stream: e.id, metadata: e.metadata },
        E::StreamDeleted(e) => Event::StreamDeleted { stream: e.id },
        E::PermissionUpdated(e) => Event::PermissionUpdated(PermissionUpdated {
            stream: e.streamId,
            user: e.user,
            can_edit: e.canEdit,
            can_delete: e.canDelete,
            publish_expiration: e.publishExpiration.saturating_to(),
            subscribe_expiration: e.subscribeExpiration.saturating_to(),
            can_grant: e.canGrant,
        }),
        E::PermissionUpdatedForUserId(_) => return None,
    })
}
