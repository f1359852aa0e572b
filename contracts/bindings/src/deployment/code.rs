//! Whether the code on chain is what this version was compiled to.
//!
//! Deployed code differs from the artifact where the constructor wrote its immutables, and the compiler says where that is.
//! Those bytes are left out; their values are compared as what the contracts answer.

use alloy::{
    primitives::{Bytes, hex},
    providers::Provider,
};
use serde::Deserialize;

use super::{Deployment, DeploymentError};

/// Of an artifact, what is compared.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    deployed_bytecode: Bytes,
    /// Start and length of each.
    immutable_references: Vec<[usize; 2]>,
}

macro_rules! artifact {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../artifacts/", $name, ".json")))
    };
}

/// Compares every contract that the deployment brought along.
pub(super) async fn verify<P: Provider>(provider: &P, d: &Deployment) -> Result<(), DeploymentError> {
    for ((contract, artifact), address, ours) in [
        (artifact!("DataToken"), d.token, d.token_is_ours),
        (artifact!("Staking"), d.staking, true),
        (artifact!("Sponsorships"), d.sponsorships, true),
        (artifact!("Settlement"), d.settlement, true),
        (artifact!("Slashing"), d.slashing, true),
        (artifact!("StreamRegistry"), d.stream_registry, d.stream_registry_is_ours),
    ] {
        let code = provider.get_code_at(address).await?;
        if code.is_empty() {
            return Err(DeploymentError::NoCode { contract, address });
        }
        if !ours {
            continue;
        }
        let artifact: Artifact = serde_json::from_str(artifact).map_err(|source| {
            DeploymentError::Format { path: format!("artifacts/{contract}.json"), source }
        })?;
        if let Some(difference) = artifact.difference(&code) {
            return Err(DeploymentError::OtherCode { contract, address, difference });
        }
    }
    Ok(())
}

impl Artifact {
    /// What is wrong with `code`, if anything.
    fn difference(&self, code: &[u8]) -> Option<String> {
        let expected = &self.deployed_bytecode;
        if code.len() != expected.len() {
            return Some(format!("it has {} bytes, expected {}", code.len(), expected.len()));
        }
        let mut masked = code.to_vec();
        for [start, length] in &self.immutable_references {
            let Some(place) = masked.get_mut(*start..start.saturating_add(*length)) else {
                return Some(format!("the artifact has an immutable at byte {start}, beyond its code"));
            };
            place.fill(0);
        }
        let at = masked.iter().zip(expected.iter()).position(|(found, expected)| found != expected)?;
        let byte = |code: &[u8]| hex::encode(code.get(at..at.saturating_add(1)).unwrap_or_default());
        Some(format!("byte {at} is 0x{}, expected 0x{}", byte(&masked), byte(expected)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact() -> Artifact {
        Artifact { deployed_bytecode: vec![1, 0, 0, 4].into(), immutable_references: vec![[1, 2]] }
    }

    #[test]
    fn only_immutables_may_differ() {
        assert_eq!(artifact().difference(&[1, 7, 8, 4]), None);
        let other = artifact().difference(&[1, 7, 8, 5]).unwrap();
        assert_eq!(other, "byte 3 is 0x05, expected 0x04");
        let longer = artifact().difference(&[1, 7, 8, 4, 0]).unwrap();
        assert_eq!(longer, "it has 5 bytes, expected 4");
    }

    #[test]
    fn an_immutable_outside_the_code_is_refused() {
        let broken = Artifact { immutable_references: vec![[3, 2]], ..artifact() };
        assert!(broken.difference(&[1, 0, 0, 4]).is_some());
    }
}
