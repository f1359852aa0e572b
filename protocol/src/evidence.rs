//! Signed evidence of an epoch, and recomputing a payout proposal from it. Whoever attests a payout root does this first.
//!
//! Nothing in a bundle is believed: every signature is checked, the base must be a posted root, and the result must be the proposed one.

use crate::bls::{PublicKey, Signature};
use crate::eip712::{Domain, types};
use crate::id::OperatorId;
use crate::payout::{Cumulative, EpochPayout, Evidence, Overflow, TreeError};
use crate::plan::EpochPlan;
use crate::receipt::{BandwidthReceipt, DeliveryReceipt, Failed, Unchecked};
use crate::volume::{VolumeCertificate, VolumeError};
use alloy_primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};

/// Most epochs that one bundle may span: later posts catch up on epochs that never got one.
pub const MAX_BUNDLE_EPOCHS: usize = 256;

/// The statement that operators sign to settle an epoch. `total` is cumulative since genesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutStatement {
    pub epoch: u64,
    pub checkpoint: u64,
    pub root: B256,
    pub total: U256,
}

impl PayoutStatement {
    pub fn digest(&self, domain: &Domain) -> B256 {
        domain.digest(&types::Payout {
            epoch: self.epoch,
            checkpoint: self.checkpoint,
            root: self.root,
            total: self.total,
        })
    }
}

/// One operator's signature under a payout statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PayoutAttestation {
    pub statement: PayoutStatement,
    pub operator: OperatorId,
    pub signature: Signature,
}

impl PayoutAttestation {
    pub fn check(&self, key: &PublicKey, domain: &Domain) -> Result<(), crate::bls::BlsError> {
        key.verify(&self.statement.digest(domain), &self.signature)
    }
}

/// Evidence of one epoch as it travels: the last bandwidth receipt of each pair, each delivery receipt, certified volumes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochEvidence {
    pub epoch: u64,
    pub volumes: Vec<VolumeCertificate>,
    pub bandwidth: Vec<Unchecked<BandwidthReceipt>>,
    pub deliveries: Vec<Unchecked<DeliveryReceipt>>,
}

/// Everything needed to recompute a proposal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bundle {
    pub statement: PayoutStatement,
    /// Entries under the posted root that this proposal builds on; empty before the first post.
    pub base_entries: Vec<U256>,
    /// Epoch of that post.
    pub base_epoch: Option<u64>,
    /// Every epoch with sponsored parts after the base, up to the statement's, ascending.
    pub epochs: Vec<EpochEvidence>,
}

/// Why evidence does not support a proposal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    #[error("evidence is of epoch {found}; {expected} is expected")]
    Epoch { expected: u64, found: u64 },
    #[error("bundle spans {found} epochs; at most {MAX_BUNDLE_EPOCHS} are allowed")]
    TooManyEpochs { found: usize },
    #[error("bundle has the evidence of {found} epochs; {expected} are due since its base")]
    Span { expected: usize, found: usize },
    #[error("a volume of stream part {0} is given twice")]
    DuplicateVolume(B256),
    #[error("two bandwidth receipts from {receiver} for {relayer}")]
    DuplicateBandwidth { relayer: Address, receiver: Address },
    #[error("two delivery receipts from {0}")]
    DuplicateDelivery(Address),
    #[error("bandwidth receipt: {0}")]
    Bandwidth(#[from] Box<Failed<BandwidthReceipt>>),
    #[error("delivery receipt: {0}")]
    Delivery(#[from] Box<Failed<DeliveryReceipt>>),
    #[error("volume: {0}")]
    Volume(#[from] VolumeError),
    #[error("base entries: {0}")]
    Tree(#[from] TreeError),
    #[error("base entries have root {found}; the root posted for epoch {epoch:?} is {expected}")]
    Base { epoch: Option<u64>, expected: B256, found: B256 },
    #[error("recomputed root is {computed}, proposed is {proposed}")]
    Root { computed: B256, proposed: B256 },
    #[error("recomputed total is {computed}, proposed is {proposed}")]
    Total { computed: U256, proposed: U256 },
    #[error("statement names checkpoint {found}; the epoch uses {expected}")]
    Checkpoint { expected: u64, found: u64 },
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

impl EpochEvidence {
    /// Checks every signature and turns the evidence into what the formula takes.
    pub fn check(&self, plan: &EpochPlan, domain: &Domain) -> Result<Evidence, EvidenceError> {
        if self.epoch != plan.epoch {
            return Err(EvidenceError::Epoch { expected: plan.epoch, found: self.epoch });
        }
        let mut evidence = Evidence::default();
        for certificate in &self.volumes {
            certificate.check(plan, domain)?;
            let part = certificate.volume.part;
            if evidence.volumes.insert(part, certificate.volume).is_some() {
                return Err(EvidenceError::DuplicateVolume(part));
            }
        }
        let mut pairs = std::collections::BTreeSet::new();
        for unchecked in &self.bandwidth {
            let receipt = unchecked.clone().check(domain)?;
            let BandwidthReceipt { epoch, relayer, receiver, .. } = *receipt.receipt();
            self.require_epoch(epoch)?;
            if !pairs.insert((relayer, receiver)) {
                return Err(EvidenceError::DuplicateBandwidth { relayer, receiver });
            }
            for credit in &receipt.receipt().credits {
                evidence.credits.insert((credit.part, relayer, receiver), *credit);
            }
        }
        let mut receivers = std::collections::BTreeSet::new();
        for unchecked in &self.deliveries {
            let receipt = unchecked.clone().check(domain)?;
            let receiver = receipt.receipt().receiver;
            self.require_epoch(receipt.receipt().epoch)?;
            if !receivers.insert(receiver) {
                return Err(EvidenceError::DuplicateDelivery(receiver));
            }
            for delivery in &receipt.receipt().deliveries {
                evidence.deliveries.insert((delivery.part, receiver), *delivery);
            }
        }
        Ok(evidence)
    }

    fn require_epoch(&self, found: u64) -> Result<(), EvidenceError> {
        if found == self.epoch { Ok(()) } else { Err(EvidenceError::Epoch { expected: self.epoch, found }) }
    }
}

impl Bundle {
    /// Recomputes the proposal from `plans` (one per epoch of the bundle, in order, from the caller's own view of the chain) and the posted
    /// root it builds on (zero before the first post), and compares. Returns the new cumulative payouts.
    pub fn verify(
        &self,
        plans: &[EpochPlan],
        base_root: B256,
        domain: &Domain,
    ) -> Result<Cumulative, EvidenceError> {
        let found = self.epochs.len();
        if found > MAX_BUNDLE_EPOCHS {
            return Err(EvidenceError::TooManyEpochs { found });
        }
        if found != plans.len() {
            return Err(EvidenceError::Span { expected: plans.len(), found });
        }
        let mut cumulative = Cumulative::from_entries(&self.base_entries)?;
        let found = cumulative.tree().root();
        if found != base_root {
            return Err(EvidenceError::Base { epoch: self.base_epoch, expected: base_root, found });
        }
        for (evidence, plan) in self.epochs.iter().zip(plans) {
            let checked = evidence.check(plan, domain)?;
            cumulative.add(&EpochPayout::compute(plan, &checked)?)?;
        }
        let computed = cumulative.tree().root();
        let PayoutStatement { epoch, checkpoint, root, total } = self.statement;
        if computed != root {
            return Err(EvidenceError::Root { computed, proposed: root });
        }
        if cumulative.total() != total {
            return Err(EvidenceError::Total { computed: cumulative.total(), proposed: total });
        }
        match plans.last() {
            Some(last) if last.epoch == epoch && last.checkpoint == checkpoint => Ok(cumulative),
            Some(last) if last.epoch == epoch => {
                Err(EvidenceError::Checkpoint { expected: last.checkpoint, found: checkpoint })
            }
            last => Err(EvidenceError::Epoch { expected: epoch, found: last.map_or(0, |plan| plan.epoch) }),
        }
    }
}
