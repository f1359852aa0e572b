//! Attests for the operator: volumes of closed epochs, and payouts after recomputing them.
//!
//! A payout proposal is signed only if this node, from its own view of the chain and from evidence whose every signature it checks, computes the
//! same root and total; and only one statement is ever signed per epoch: **the slot is on disk before the signature leaves**, since
//! two statements for one slot cost the operator's stake.

use crate::metrics::Metrics;
use crate::net::Network;
use crate::outbox::Filled;
use crate::store::{Store, StoreError, Write};
use libp2p::PeerId;
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tatum_protocol::bls::SecretKey;
use tatum_protocol::eip712::Domain;
use tatum_protocol::epoch::first_paid;
use tatum_protocol::evidence::{Bundle, EvidenceError, PayoutAttestation, PayoutStatement};
use tatum_protocol::id::OperatorId;
use tatum_protocol::plan::EpochPlan;
use tatum_protocol::volume::{Volume, VolumeAttestation};
use tatum_protocol::wire::{Evidence, Request, Response};
use tatum_protocol::{Address, B256, U256};
use tokio_util::sync::CancellationToken;

use crate::core::ledger::Closed;

/// What attesting needs to know of the chain's past, by this node's own view of it.
pub trait History: Debug + Send + Sync {
    /// The plan with its attesters; `None` until the epoch is over on chain.
    fn settled_plan(&self, epoch: u64) -> Option<EpochPlan>;
    /// The root posted for an epoch.
    fn posted_root(&self, epoch: u64) -> Option<B256>;
    /// What a proposal for this epoch must distribute or give back, in all; `None` if a later post covers the epoch.
    fn payable_through(&self, epoch: u64) -> Option<U256>;
    /// How many epochs a post may reach back.
    fn lapse_epochs(&self) -> u64;
}

/// Why a proposal is not signed.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("another statement was signed for epoch {0}")]
    SlotTaken(u64),
    #[error("the indexer has no evidence for its proposal of epoch {0}")]
    NoBundle(u64),
    #[error("the evidence is for another statement than the proposal")]
    OtherStatement,
    #[error("epoch {0} is accounted for by a later post")]
    Accounted(u64),
    #[error("proposal pays {total} in all through epoch {epoch}; payable is {payable}")]
    Unbalanced { epoch: u64, total: U256, payable: U256 },
    #[error("the evidence does not support it: {0}")]
    Evidence(#[from] EvidenceError),
    #[error("this node is of no operator in epoch {0}")]
    NotMember(u64),
    #[error("operator {operator} has another BLS key in epoch {epoch}; check bls_key_file")]
    OtherKey { operator: OperatorId, epoch: u64 },
}

/// Refused for good, or only not to be judged yet.
#[derive(Debug, thiserror::Error)]
enum Verdict {
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The view of the chain is behind the proposal.
    #[error("the chain view has not reached the proposal yet")]
    NotYet,
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug)]
pub(crate) struct Attester {
    pub(crate) network: Network,
    pub(crate) store: Store,
    pub(crate) filled: Filled,
    pub(crate) indexers: Vec<PeerId>,
    pub(crate) node: Address,
    pub(crate) key: Arc<SecretKey>,
    pub(crate) domain: Domain,
    pub(crate) history: Arc<dyn History>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) poll: Duration,
    /// For `/status`.
    pub(crate) last_refusal: Arc<Mutex<Option<String>>>,
}

impl Attester {
    pub(crate) async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        // What each indexer last proposed and what we have dealt with, signed or refused.
        let mut dealt = HashMap::<PeerId, PayoutStatement>::new();
        loop {
            for indexer in &self.indexers {
                let asked = tokio::select! {
                    () = shutdown.cancelled() => return,
                    asked = self.network.request(*indexer, Request::Proposal) => asked,
                };
                let Ok(Response::Proposal(Some(statement))) = asked else { continue };
                if dealt.get(indexer) == Some(&statement) {
                    continue;
                }
                match self.judge(*indexer, statement).await {
                    Ok(()) => {}
                    Err(Verdict::NotYet) => continue,
                    Err(Verdict::Refused(reason)) => self.refuse(*indexer, &statement, &reason),
                    // The writing thread has reported it and stops the node.
                    Err(Verdict::Store(error)) => {
                        tracing::error!(%error, "attester stopped");
                        return;
                    }
                }
                dealt.insert(*indexer, statement);
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(self.poll) => {}
            }
        }
    }

    fn refuse(&self, indexer: PeerId, statement: &PayoutStatement, reason: &Refused) {
        self.metrics.payouts_refused.add(1);
        tracing::warn!(%indexer, epoch = statement.epoch, %reason, "payout proposal refused");
        let text = format!("epoch {}: {reason}", statement.epoch);
        *self.last_refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }

    /// Signs and submits if the proposal is right.
    async fn judge(&self, indexer: PeerId, statement: PayoutStatement) -> Result<(), Verdict> {
        let epoch = statement.epoch;
        match self.store.payout_slot(epoch)? {
            // Signed before; the outbox sees to the rest.
            Some(signed) if signed == statement => return Ok(()),
            Some(_) => return Err(Refused::SlotTaken(epoch).into()),
            None => {}
        }
        let plan = self.history.settled_plan(epoch).ok_or(Verdict::NotYet)?;
        let operator = self.operator(&plan)?;
        let bundle = match self.network.request(indexer, Request::Bundle { epoch }).await {
            Ok(Response::Bundle(Some(bundle))) => bundle,
            Ok(Response::Bundle(None)) => return Err(Refused::NoBundle(epoch).into()),
            Ok(_) | Err(_) => return Err(Verdict::NotYet),
        };
        let (history, domain) = (self.history.clone(), self.domain.clone());
        // Recomputing checks hundreds of signatures.
        tokio::task::spawn_blocking(move || recompute(history.as_ref(), &domain, &statement, &bundle))
            .await
            .map_err(|_| Verdict::NotYet)??;
        let (key, digest) = (self.key.clone(), statement.digest(&self.domain));
        self.store.write_through(vec![Write::Payout(statement)]).await?;
        let signature =
            tokio::task::spawn_blocking(move || key.sign(&digest)).await.map_err(|_| Verdict::NotYet)?;
        let attestation = PayoutAttestation { statement, operator, signature };
        self.submit(vec![Evidence::Payout(attestation)], Vec::new()).await?;
        self.metrics.payouts_attested.add(1);
        tracing::info!(epoch, root = %statement.root, "payout attested");
        Ok(())
    }

    /// The operator of this node, if its key is ours.
    fn operator(&self, plan: &EpochPlan) -> Result<OperatorId, Refused> {
        let operator = plan.operator_of(&self.node).ok_or(Refused::NotMember(plan.epoch))?;
        let known = plan.operators.get(&operator).is_some_and(|found| found.key == self.key.public_key());
        if known { Ok(operator) } else { Err(Refused::OtherKey { operator, epoch: plan.epoch }) }
    }

    /// Attests what this node delivered of the stream parts that it was assigned to, and lets go of the closed epoch.
    pub(crate) async fn attest_volumes(
        &self,
        closed: Closed,
        plan: Arc<EpochPlan>,
    ) -> Result<(), StoreError> {
        let done = vec![Write::Attested { epoch: closed.epoch }];
        let operator = match self.operator(&plan) {
            Ok(operator) => operator,
            Err(reason) => {
                tracing::debug!(epoch = closed.epoch, %reason, "no volumes to attest");
                return self.submit(Vec::new(), done).await;
            }
        };
        let (key, domain, node) = (self.key.clone(), self.domain.clone(), self.node);
        let signed =
            tokio::task::spawn_blocking(move || volumes(&closed, &plan, node, operator, &key, &domain));
        let signed = signed.await.map_err(|_| StoreError::Stopped)?;
        self.metrics.volumes_attested.add(signed.len() as u64);
        self.submit(signed.into_iter().map(Evidence::Volume).collect(), done).await
    }

    async fn submit(&self, evidence: Vec<Evidence>, mut writes: Vec<Write>) -> Result<(), StoreError> {
        let indexers: Vec<String> = self.indexers.iter().map(PeerId::to_string).collect();
        let submit = |evidence| Write::Submit { indexers: indexers.clone(), evidence: Box::new(evidence) };
        writes.extend(evidence.into_iter().map(submit));
        self.store.write_through(writes).await?;
        self.filled.tell();
        Ok(())
    }
}

fn volumes(
    closed: &Closed,
    plan: &EpochPlan,
    node: Address,
    operator: OperatorId,
    key: &SecretKey,
    domain: &Domain,
) -> Vec<VolumeAttestation> {
    let assigned = |part| plan.parts.get(part).is_some_and(|part| part.is_assigned(&node));
    let totals = closed.totals.iter().filter(|total| assigned(&total.part));
    let attest =
        |volume: Volume| VolumeAttestation { volume, operator, signature: key.sign(&volume.digest(domain)) };
    totals
        .map(|total| Volume {
            epoch: closed.epoch,
            checkpoint: plan.checkpoint,
            part: total.part,
            set_digest: total.set_digest,
            messages: total.messages,
            bytes: total.bytes,
        })
        .map(attest)
        .collect()
}

/// Computes the proposal anew.
fn recompute(
    history: &dyn History,
    domain: &Domain,
    statement: &PayoutStatement,
    bundle: &Bundle,
) -> Result<(), Verdict> {
    if bundle.statement != *statement {
        return Err(Refused::OtherStatement.into());
    }
    // Any posted root will do: amounts are cumulative, so a post that lands between proposing and attesting changes nothing. Unless
    // epochs lapse under one of the two only; then the total is not what is payable.
    let (next, base_root) = match bundle.base_epoch {
        Some(base) => (base.saturating_add(1), history.posted_root(base).ok_or(Verdict::NotYet)?),
        None => (0, B256::ZERO),
    };
    // Every epoch with money in it that has not lapsed, by our own view: none may be left out.
    let mut plans = Vec::new();
    for epoch in first_paid(next, statement.epoch, history.lapse_epochs())..=statement.epoch {
        // One too many says enough; an old base would have us plan years of epochs.
        if plans.len() > bundle.epochs.len() {
            break;
        }
        let plan = history.settled_plan(epoch).ok_or(Verdict::NotYet)?;
        if !plan.parts.is_empty() || !plan.unallocated.is_empty() {
            plans.push(plan);
        }
    }
    bundle.verify(&plans, base_root, domain).map_err(Refused::from)?;
    let PayoutStatement { epoch, total, .. } = *statement;
    let payable = history.payable_through(epoch).ok_or(Refused::Accounted(epoch))?;
    if payable != total {
        return Err(Refused::Unbalanced { epoch, total, payable }.into());
    }
    Ok(())
}
