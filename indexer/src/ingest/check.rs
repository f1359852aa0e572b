//! Judging one item by itself: time, plan of its epoch, form, signature, standing. No IO.

use super::deadline::{Timing, timing};
use crate::chain::{Chain, known_plan};
use crate::counters::{EvidenceKind, Refusal};
use alloy::primitives::B256;
use tatum_protocol::evidence::PayoutAttestation;
use tatum_protocol::id::OperatorId;
use tatum_protocol::plan::{EpochPlan, PlannedPart};
use tatum_protocol::receipt::{BandwidthReceipt, Checked, DeliveryReceipt};
use tatum_protocol::volume::VolumeAttestation;
use tatum_protocol::wire::Evidence;

/// An item that passed everything that can be said without the database, or did not.
#[derive(Debug, Clone)]
pub enum Judged {
    Bandwidth(Box<Bandwidth>),
    Delivery(Box<Checked<DeliveryReceipt>>),
    Volume { attestation: Box<VolumeAttestation>, digest: B256 },
    Payout { attestation: Box<PayoutAttestation>, digest: B256 },
    Refused(Refused),
    Retry { reason: String },
}

#[derive(Debug, Clone)]
pub struct Bandwidth {
    pub receipt: Checked<BandwidthReceipt>,
    /// Operator that the receiver works for: who answers for a contradiction.
    pub operator: Option<OperatorId>,
}

/// Kept in `rejected_evidence`.
#[derive(Debug, Clone)]
pub struct Refused {
    pub kind: EvidenceKind,
    pub refusal: Refusal,
    pub reason: String,
    /// Postcard of the item.
    pub body: Vec<u8>,
}

type Reason = (Refusal, String);

impl Refused {
    fn new(item: &Evidence, (refusal, reason): Reason) -> Self {
        // What came off the wire as postcard goes back to it; an empty body would only lose the exhibit, not the reason.
        Self { kind: kind(item), refusal, reason, body: postcard::to_stdvec(item).unwrap_or_default() }
    }
}

pub(crate) fn kind(item: &Evidence) -> EvidenceKind {
    match item {
        Evidence::Bandwidth(_) => EvidenceKind::Bandwidth,
        Evidence::Delivery(_) => EvidenceKind::Delivery,
        Evidence::Volume(_) => EvidenceKind::Volume,
        Evidence::Payout(_) => EvidenceKind::Payout,
    }
}

fn epoch(item: &Evidence) -> u64 {
    match item {
        Evidence::Bandwidth(unchecked) => unchecked.receipt.epoch,
        Evidence::Delivery(unchecked) => unchecked.receipt.epoch,
        Evidence::Volume(attestation) => attestation.volume.epoch,
        Evidence::Payout(attestation) => attestation.statement.epoch,
    }
}

/// Judges an item. A late bandwidth receipt still passes: it cannot be counted any more, but it can convict.
pub fn judge(chain: &dyn Chain, now_ms: u64, item: Evidence) -> Judged {
    let (kind, epoch) = (kind(&item), epoch(&item));
    match timing(&chain.clock(), kind, epoch, now_ms) {
        Timing::Soon(reason) => return Judged::Retry { reason },
        Timing::Early(reason) => return Judged::Refused(Refused::new(&item, (Refusal::Early, reason))),
        Timing::Late(reason) if kind != EvidenceKind::Bandwidth => {
            return Judged::Refused(Refused::new(&item, (Refusal::Late, reason)));
        }
        Timing::Late(_) | Timing::InTime => {}
    }
    let Some(plan) = known_plan(chain, epoch) else {
        return Judged::Retry {
            reason: format!("the plan of epoch {epoch} is not known yet; the chain view is behind"),
        };
    };
    let checked = match item.clone() {
        Evidence::Bandwidth(unchecked) => {
            unchecked.check(chain.domain()).map_err(|failed| invalid(&failed.reason)).and_then(|receipt| {
                bandwidth_standing(&plan, receipt.receipt())?;
                let operator = plan.operator_of(&receipt.receipt().receiver);
                Ok(Judged::Bandwidth(Box::new(Bandwidth { receipt, operator })))
            })
        }
        Evidence::Delivery(unchecked) => {
            unchecked.check(chain.domain()).map_err(|failed| invalid(&failed.reason)).and_then(|receipt| {
                delivery_standing(&plan, receipt.receipt())?;
                Ok(Judged::Delivery(Box::new(receipt)))
            })
        }
        Evidence::Volume(attestation) => volume(chain, &plan, attestation),
        Evidence::Payout(attestation) => payout(chain, &plan, attestation),
    };
    checked.unwrap_or_else(|reason| Judged::Refused(Refused::new(&item, reason)))
}

fn invalid(reason: &impl ToString) -> Reason {
    (Refusal::Invalid, reason.to_string())
}

/// Some listed part must have the relayer assigned and the receiver among its receivers. That the relayer was drawn for it is not
/// asked: a fallback's credit earns nothing, yet binds who signed it.
fn bandwidth_standing(plan: &EpochPlan, receipt: &BandwidthReceipt) -> Result<(), Reason> {
    let planned = |part: &PlannedPart| {
        part.is_assigned(&receipt.relayer) && part.receivers.iter().any(|r| r.address == receipt.receiver)
    };
    if receipt.credits.iter().filter_map(|credit| plan.parts.get(&credit.part)).any(planned) {
        return Ok(());
    }
    Err((
        Refusal::Unplanned,
        format!(
            "in epoch {} no listed stream part has {} assigned and {} as a receiver",
            receipt.epoch, receipt.relayer, receipt.receiver
        ),
    ))
}

fn delivery_standing(plan: &EpochPlan, receipt: &DeliveryReceipt) -> Result<(), Reason> {
    let planned = |part: &PlannedPart| part.receivers.iter().any(|r| r.address == receipt.receiver);
    if receipt.deliveries.iter().filter_map(|delivery| plan.parts.get(&delivery.part)).any(planned) {
        return Ok(());
    }
    Err((
        Refusal::Unplanned,
        format!("in epoch {} no listed stream part has {} as a receiver", receipt.epoch, receipt.receiver),
    ))
}

fn volume(chain: &dyn Chain, plan: &EpochPlan, attestation: VolumeAttestation) -> Result<Judged, Reason> {
    use tatum_protocol::volume::VolumeError;
    let volume = &attestation.volume;
    for (what, value) in [("messages", volume.messages), ("bytes", volume.bytes)] {
        if i64::try_from(value).is_err() {
            return Err((Refusal::Invalid, format!("{value} {what} cannot be true")));
        }
    }
    attestation.check(plan, chain.domain()).map_err(|error| match error {
        VolumeError::Signature(_) => invalid(&error),
        _ => (Refusal::Unplanned, error.to_string()),
    })?;
    let digest = volume.digest(chain.domain());
    Ok(Judged::Volume { attestation: Box::new(attestation), digest })
}

fn payout(chain: &dyn Chain, plan: &EpochPlan, attestation: PayoutAttestation) -> Result<Judged, Reason> {
    let statement = &attestation.statement;
    if statement.checkpoint != plan.checkpoint {
        let reason = format!(
            "statement names checkpoint {}; the epoch uses {}",
            statement.checkpoint, plan.checkpoint
        );
        return Err((Refusal::Unplanned, reason));
    }
    let operator = plan.operators.get(&attestation.operator).ok_or_else(|| {
        (
            Refusal::Unplanned,
            format!("operator {} has no stake in epoch {}", attestation.operator, statement.epoch),
        )
    })?;
    attestation.check(&operator.key, chain.domain()).map_err(|error| invalid(&error))?;
    let digest = statement.digest(chain.domain());
    Ok(Judged::Payout { attestation: Box::new(attestation), digest })
}
