//! A deployment: the addresses and parameters that everything else is configured with.
//!
//! The contracts name each other in immutables, in a circle, so their addresses are computed from the deployer's
//! nonce before the first is created. Leaves out funding and registering: those are ordinary calls.

mod code;
mod deploy;
mod parameters;
mod plan;
mod verify;

use std::{fs, io, path::Path};

use alloy::{primitives::Address, providers::PendingTransactionError, transports::TransportError};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tatum_protocol::{eip712::Domain, epoch::EpochClock, plan::Shares};

pub use self::{
    deploy::{carry_out, deploy},
    parameters::{Parameters, Terms, Token},
    plan::Plan,
    verify::verify,
};

/// Where the contracts are and what they were given. Kept as a JSON file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    pub chain_id: u64,
    pub token: Address,
    /// Whether the token was deployed with the rest, or was there before.
    pub token_is_ours: bool,
    pub staking: Address,
    pub sponsorships: Address,
    pub settlement: Address,
    pub slashing: Address,
    pub stream_registry: Address,
    /// Whether the registry was deployed with the rest, or was there before.
    pub stream_registry_is_ours: bool,
    /// Unix seconds of the start of epoch 0.
    pub genesis: u64,
    /// No event of ours is older.
    pub deploy_block: u64,
    pub terms: Terms,
}

impl Deployment {
    pub fn clock(&self) -> EpochClock {
        EpochClock { genesis: self.genesis, length: self.terms.epoch_length_s }
    }

    /// The EIP-712 domain of everything that is signed.
    pub fn domain(&self) -> Domain {
        Domain::new(self.chain_id, self.slashing)
    }

    pub fn shares(&self) -> Shares {
        Shares { attester_bps: self.terms.attester_bps, availability_bps: self.terms.availability_bps }
    }

    /// The contracts whose events are followed.
    pub fn emitters(&self) -> Vec<Address> {
        vec![self.staking, self.sponsorships, self.settlement, self.slashing, self.stream_registry]
    }

    /// Reads the JSON file that [`Self::save`] wrote.
    ///
    /// # Errors
    /// If the file cannot be read or is not a deployment.
    pub fn load(path: &Path) -> Result<Self, DeploymentError> {
        load(path)
    }

    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), DeploymentError> {
        save(path, self)
    }
}

fn load<T: DeserializeOwned>(path: &Path) -> Result<T, DeploymentError> {
    let text = fs::read_to_string(path)
        .map_err(|source| DeploymentError::File { path: path.display().to_string(), source })?;
    serde_json::from_str(&text)
        .map_err(|source| DeploymentError::Format { path: path.display().to_string(), source })
}

/// Whole or not at all: a file of this kind is what the next run believes.
fn save<T: Serialize>(path: &Path, value: &T) -> Result<(), DeploymentError> {
    let format = |source| DeploymentError::Format { path: path.display().to_string(), source };
    let text = serde_json::to_string_pretty(value).map_err(format)? + "\n";
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    fs::write(&unfinished, text)
        .and_then(|()| fs::rename(&unfinished, path))
        .map_err(|source| DeploymentError::File { path: path.display().to_string(), source })
}

/// Why a deployment could not be made, read or trusted.
#[derive(Debug, thiserror::Error)]
pub enum DeploymentError {
    #[error("deployment file {path}: {source}")]
    File { path: String, source: io::Error },
    #[error("deployment file {path} is not a deployment: {source}")]
    Format { path: String, source: serde_json::Error },
    #[error("the node did not answer: {0}")]
    Transport(#[from] TransportError),
    #[error("calling a contract: {0}")]
    Contract(#[from] alloy::contract::Error),
    #[error("waiting for a deployment transaction: {0}")]
    Pending(#[from] PendingTransactionError),
    #[error("deploying {contract} reverted; are the parameters within its bounds?")]
    Reverted { contract: &'static str },
    #[error(
        "{contract} was deployed at {found:?}, expected {expected}: did the deployer send something else meanwhile?"
    )]
    Misplaced { contract: &'static str, expected: Address, found: Option<Address> },
    #[error(
        "{contract} belongs at the deployer's nonce {expected}, which is at {found} now: it sent something else \
         meanwhile, so this deployment cannot be finished; start a new one"
    )]
    NoncePassed { contract: &'static str, expected: u64, found: u64 },
    #[error("there is no code at {address}, expected {contract}: is this the right chain?")]
    NoCode { contract: &'static str, address: Address },
    #[error("the code at {address} is not this version's {contract}: {difference}")]
    OtherCode { contract: &'static str, address: Address, difference: String },
    #[error("{field} is {found} on chain, expected {expected}: not one deployment")]
    Mismatch { field: &'static str, expected: String, found: String },
    #[error("the node has no latest block")]
    NoBlock,
}
