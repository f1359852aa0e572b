//! A deployment: the addresses and parameters that everything else is configured with.
//!
//! The contracts name each other in immutables, in a circle, so their addresses are computed from the deployer's
//! nonce before the first is created. Leaves out funding and registering: those are ordinary calls.

mod deploy;
mod verify;

use std::{fs, io, path::Path};

use alloy::{
    primitives::{Address, U256},
    providers::PendingTransactionError,
    transports::TransportError,
};
use serde::{Deserialize, Serialize};
use tatum_protocol::{eip712::Domain, epoch::EpochClock, plan::Shares};

pub use self::{deploy::deploy, verify::verify};

/// Where the contracts are and what they were given. Kept as a JSON file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    pub chain_id: u64,
    pub token: Address,
    pub staking: Address,
    pub sponsorships: Address,
    pub settlement: Address,
    pub slashing: Address,
    pub stream_registry: Address,
    /// Unix seconds of the start of epoch 0.
    pub genesis: u64,
    pub epoch_length_s: u64,
    /// No event of ours is older.
    pub deploy_block: u64,
    pub attester_bps: u16,
    pub availability_bps: u16,
}

impl Deployment {
    pub fn clock(&self) -> EpochClock {
        EpochClock { genesis: self.genesis, length: self.epoch_length_s }
    }

    /// The EIP-712 domain of everything that is signed.
    pub fn domain(&self) -> Domain {
        Domain::new(self.chain_id, self.slashing)
    }

    pub fn shares(&self) -> Shares {
        Shares { attester_bps: self.attester_bps, availability_bps: self.availability_bps }
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
        let text = fs::read_to_string(path)
            .map_err(|source| DeploymentError::File { path: path.display().to_string(), source })?;
        serde_json::from_str(&text)
            .map_err(|source| DeploymentError::Format { path: path.display().to_string(), source })
    }

    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), DeploymentError> {
        let format = |source| DeploymentError::Format { path: path.display().to_string(), source };
        let text = serde_json::to_string_pretty(self).map_err(format)? + "\n";
        fs::write(path, text)
            .map_err(|source| DeploymentError::File { path: path.display().to_string(), source })
    }
}

/// What a new deployment is given. Bounds are checked by the constructors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    pub token: Token,
    /// An existing registry, such as Streamr's; deploys one if `None`.
    pub stream_registry: Option<Address>,
    /// Unix seconds, not in the future; the latest block's if `None`.
    pub genesis: Option<u64>,
    pub epoch_length_s: u64,
    /// Wei of stake below which an operator is not in the set.
    pub min_stake: u128,
    /// How long unstaked tokens wait and stay slashable.
    pub unbonding_epochs: u64,
    /// Part of a slash that goes to the reporter.
    pub bounty_bps: u16,
    /// Part of an operator's stake that an offence costs.
    pub slash_bps: u16,
    /// How old evidence may be; at least two less than `unbonding_epochs`.
    pub evidence_epochs: u64,
    /// Part of a pot for the signers of the previous certificate.
    pub attester_bps: u16,
    /// Part of the rest for availability.
    pub availability_bps: u16,
}

/// The token that stake and sponsorships are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    Existing(Address),
    /// A development token, all of it minted to `holder`.
    New {
        holder: Address,
        supply: U256,
    },
}

impl Parameters {
    /// A development chain: short unbonding, a token of a thousand million DATA that `holder` owns.
    pub fn devnet(holder: Address, epoch_length_s: u64) -> Self {
        const DATA: u128 = 1_000_000_000_000_000_000;
        Self {
            token: Token::New { holder, supply: U256::from(1_000_000_000 * DATA) },
            stream_registry: None,
            genesis: None,
            epoch_length_s,
            min_stake: 1_000 * DATA,
            unbonding_epochs: 100,
            bounty_bps: 1_000,
            slash_bps: 1_000,
            evidence_epochs: 90,
            attester_bps: 500,
            availability_bps: 5_000,
        }
    }
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
    #[error("there is no code at {address}, expected {contract}: is this the right chain?")]
    NoCode { contract: &'static str, address: Address },
    #[error("{field} is {found} on chain, expected {expected}: not one deployment")]
    Mismatch { field: &'static str, expected: String, found: String },
    #[error("the node has no latest block")]
    NoBlock,
}
