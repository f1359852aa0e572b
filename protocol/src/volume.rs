//! Volumes: what assigned operators attest of a stream part in an epoch, and when that is certified.
//!
//! Statements of all who received the same set are identical, so one aggregate signature stands for them. Attesting reveals the set digest,
//! which is why it happens only after the receipt deadline.

use crate::bls::{self, BlsError, PublicKey, Signature};
use crate::eip712::{Domain, types};
use crate::id::{OperatorId, PartKey};
use crate::plan::{EpochPlan, PlannedPart, more_than_two_thirds};
use alloy_primitives::B256;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What reached the attester of one stream part in one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Volume {
    pub epoch: u64,
    pub checkpoint: u64,
    pub part: PartKey,
    pub set_digest: B256,
    pub messages: u64,
    pub bytes: u64,
}

impl Volume {
    pub fn digest(&self, domain: &Domain) -> B256 {
        domain.digest(&types::Volume {
            epoch: self.epoch,
            checkpoint: self.checkpoint,
            streamPart: self.part,
            setDigest: self.set_digest,
            messages: self.messages,
            bytes: self.bytes,
        })
    }
}

/// One operator's word for a volume.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VolumeAttestation {
    pub volume: Volume,
    pub operator: OperatorId,
    pub signature: Signature,
}

/// A volume with the signature of everybody who attested exactly this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VolumeCertificate {
    pub volume: Volume,
    /// Ascending.
    pub signers: Vec<OperatorId>,
    pub signature: Signature,
}

/// Why an attested or certified volume is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VolumeError {
    #[error("volume is of epoch {found}, not {expected}")]
    Epoch { expected: u64, found: u64 },
    #[error("volume names checkpoint {found}; epoch uses {expected}")]
    Checkpoint { expected: u64, found: u64 },
    #[error("stream part {0} is not sponsored in this epoch")]
    UnknownPart(PartKey),
    #[error("operator {operator} is not assigned to stream part {part}")]
    NotAssigned { operator: OperatorId, part: PartKey },
    #[error("signers are not in ascending order or one is named twice")]
    SignerOrder,
    #[error("signers hold {signed} of {total} assigned stake; more than two thirds is needed")]
    Quorum { signed: u128, total: u128 },
    #[error(transparent)]
    Signature(#[from] BlsError),
}

fn planned<'a>(plan: &'a EpochPlan, volume: &Volume) -> Result<&'a PlannedPart, VolumeError> {
    if volume.epoch != plan.epoch {
        return Err(VolumeError::Epoch { expected: plan.epoch, found: volume.epoch });
    }
    if volume.checkpoint != plan.checkpoint {
        return Err(VolumeError::Checkpoint { expected: plan.checkpoint, found: volume.checkpoint });
    }
    plan.parts.get(&volume.part).ok_or(VolumeError::UnknownPart(volume.part))
}

fn key_of<'a>(
    plan: &'a EpochPlan,
    part: &PlannedPart,
    operator: OperatorId,
) -> Result<&'a PublicKey, VolumeError> {
    match (part.broker(operator), plan.operators.get(&operator)) {
        (Some(_), Some(found)) => Ok(&found.key),
        _ => Err(VolumeError::NotAssigned { operator, part: part.key }),
    }
}

impl VolumeAttestation {
    pub fn check(&self, plan: &EpochPlan, domain: &Domain) -> Result<(), VolumeError> {
        let key = key_of(plan, planned(plan, &self.volume)?, self.operator)?;
        Ok(key.verify(&self.volume.digest(domain), &self.signature)?)
    }
}

impl VolumeCertificate {
    pub fn check(&self, plan: &EpochPlan, domain: &Domain) -> Result<(), VolumeError> {
        let part = planned(plan, &self.volume)?;
        if !self.signers.iter().zip(self.signers.iter().skip(1)).all(|(a, b)| a < b) {
            return Err(VolumeError::SignerOrder);
        }
        let keys = self.signers.iter().map(|id| key_of(plan, part, *id)).collect::<Result<Vec<_>, _>>()?;
        check_quorum(plan, part, &self.signers)?;
        bls::aggregate_keys(keys)?.verify(&self.volume.digest(domain), &self.signature)?;
        Ok(())
    }
}

fn check_quorum(plan: &EpochPlan, part: &PlannedPart, signers: &[OperatorId]) -> Result<(), VolumeError> {
    let total = plan.weight_of(part.assigned.iter().map(|a| a.operator));
    let signed = plan.weight_of(signers.iter().copied());
    if more_than_two_thirds(signed, total) { Ok(()) } else { Err(VolumeError::Quorum { signed, total }) }
}

/// Certificates of all stream parts of which more than two thirds of the assigned stake attested the same volume. The attestations must have
/// passed [`VolumeAttestation::check`]; of an operator that attested two volumes of one part neither counts.
pub fn certify(
    plan: &EpochPlan,
    attestations: &[VolumeAttestation],
) -> Result<Vec<VolumeCertificate>, BlsError> {
    let mut said = BTreeMap::<(PartKey, OperatorId), BTreeSet<Volume>>::new();
    for attestation in attestations {
        said.entry((attestation.volume.part, attestation.operator)).or_default().insert(attestation.volume);
    }
    let mut agreed = BTreeMap::<Volume, BTreeMap<OperatorId, &Signature>>::new();
    for attestation in attestations {
        let key = (attestation.volume.part, attestation.operator);
        if said.get(&key).is_some_and(|volumes| volumes.len() == 1) {
            agreed
                .entry(attestation.volume)
                .or_default()
                .insert(attestation.operator, &attestation.signature);
        }
    }
    let mut certificates = Vec::new();
    for (volume, signatures) in agreed {
        let signers: Vec<OperatorId> = signatures.keys().copied().collect();
        let certified = planned(plan, &volume).and_then(|part| check_quorum(plan, part, &signers));
        if certified.is_ok() {
            let signature = bls::aggregate_signatures(signatures.into_values())?;
            certificates.push(VolumeCertificate { volume, signers, signature });
        }
    }
    Ok(certificates)
}
