//! The epoch plan that follows from the view.

use std::collections::BTreeMap;

use tatum_protocol::{
    amount::Wei,
    bls::{BlsError, PublicKey},
    id::{OperatorId, StreamId},
    plan::{EpochPlan, PlanInput, PlanOperator, PlanSponsorship, Shares},
};

use super::ChainView;

/// A registered key is not a key: the contract checked it, so whoever answered for the chain lied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("operator {operator} has an invalid BLS key ({source}); the RPC endpoint cannot be trusted")]
pub struct PlanError {
    pub operator: OperatorId,
    pub source: BlsError,
}

impl ChainView {
    /// The plan of `epoch`. Before the epoch is over its `attesters` are provisional, everything else is final once the
    /// view has reached [`ChainView::cutoff`].
    pub fn plan(&self, epoch: u64, shares: Shares) -> Result<EpochPlan, PlanError> {
        let set = self.operator_set(epoch);
        let operators = set
            .members
            .into_iter()
            .map(|member| {
                let key = PublicKey::from_abi_trusted(member.key.g1, member.key.g2)
                    .map_err(|source| PlanError { operator: member.id, source })?;
                Ok(PlanOperator { id: member.id, weight: member.weight, nodes: member.nodes, key })
            })
            .collect::<Result<Vec<_>, PlanError>>()?;

        let mut sponsorships = Vec::new();
        let mut unservable = Vec::new();
        let mut subscribers = BTreeMap::new();
        for active in self.sponsorships_active(epoch) {
            let (sponsorship, rate) = (active.created, Wei(active.rate_per_epoch));
            // The contract takes any text for a stream id; money for one that no publisher can name goes back.
            let Ok(stream) = sponsorship.stream.parse::<StreamId>() else {
                unservable.push((sponsorship.sponsorship, rate));
                continue;
            };
            subscribers
                .entry(stream.clone())
                .or_insert_with(|| self.granted_subscribers(stream.as_str(), epoch).into_iter().collect());
            sponsorships.push(PlanSponsorship {
                id: sponsorship.sponsorship,
                stream,
                partitions: sponsorship.partitions,
                rate,
                redundancy: sponsorship.redundancy,
                subscriber_share_bps: sponsorship.subscriber_share_bps,
            });
        }
        Ok(EpochPlan::new(PlanInput {
            epoch,
            checkpoint: set.checkpoint,
            root_in_force: self.payout_root_in_force(epoch),
            operators,
            sponsorships,
            unservable,
            subscribers,
            attesters: self.attesters(epoch),
            shares,
        }))
    }

    fn attesters(&self, epoch: u64) -> Vec<(OperatorId, u128)> {
        let Some(certificate) = self.last_certificate_before_end(epoch) else { return Vec::new() };
        self.operator_set(certificate.epoch)
            .members
            .into_iter()
            .filter(|member| !certificate.absentees.contains(&member.id))
            .map(|member| (member.id, member.weight))
            .collect()
    }
}
