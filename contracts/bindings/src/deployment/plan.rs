//! Where everything will be, decided before anything is created, so that a deployment that was interrupted can go on.

use std::path::Path;

use alloy::{eips::BlockNumberOrTag, primitives::Address, providers::Provider};
use serde::{Deserialize, Serialize};

use super::{Deployment, DeploymentError, Parameters, Token, load, save};

/// A deployment to be, and whose nonces it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub deployer: Address,
    /// Of the first contract; each further one takes the next, in [`Self::creations`]' order.
    pub first_nonce: u64,
    pub token: Token,
    pub deployment: Deployment,
}

impl Plan {
    /// What deploying from `deployer`, whose next nonce is the first, would make.
    ///
    /// # Errors
    /// If the node does not answer.
    pub async fn new<P: Provider>(
        provider: &P,
        deployer: Address,
        parameters: &Parameters,
    ) -> Result<Self, DeploymentError> {
        let latest =
            provider.get_block_by_number(BlockNumberOrTag::Latest).await?.ok_or(DeploymentError::NoBlock)?;
        let first_nonce = provider.get_transaction_count(deployer).await?;
        let mut nonces = first_nonce..;
        let mut next = || nonces.next().map_or(Address::ZERO, |nonce| deployer.create(nonce));
        let token = match parameters.token {
            Token::Existing(address) => address,
            Token::New { .. } => next(),
        };
        let deployment = Deployment {
            chain_id: provider.get_chain_id().await?,
            token,
            token_is_ours: matches!(parameters.token, Token::New { .. }),
            staking: next(),
            sponsorships: next(),
            settlement: next(),
            slashing: next(),
            stream_registry: parameters.stream_registry.unwrap_or_else(next),
            stream_registry_is_ours: parameters.stream_registry.is_none(),
            genesis: parameters.genesis.unwrap_or(latest.header.timestamp),
            deploy_block: latest.header.number,
            terms: parameters.terms.clone(),
        };
        Ok(Self { deployer, first_nonce, token: parameters.token, deployment })
    }

    /// Reads what [`Self::save`] wrote.
    ///
    /// # Errors
    /// If the file cannot be read or is not a plan.
    pub fn load(path: &Path) -> Result<Self, DeploymentError> {
        load(path)
    }

    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), DeploymentError> {
        save(path, self)
    }
}
