//! Creates the contracts, in order of nonce.

use alloy::{
    contract::CallBuilder, eips::BlockNumberOrTag, network::Ethereum, primitives::Address,
    providers::Provider,
};

use super::{Deployment, DeploymentError, Parameters, Token, verify};
use crate::abi::{DataToken, Settlement, Slashing, Sponsorships, Staking, StreamRegistry, staking};

/// Deploys from `deployer`, whose key the provider's wallet has and who sends nothing else meanwhile, and verifies
/// the result.
///
/// # Errors
/// If the node does not answer, a constructor refuses its parameters, or the result is not one deployment.
pub async fn deploy<P: Provider>(
    provider: &P,
    deployer: Address,
    parameters: &Parameters,
) -> Result<Deployment, DeploymentError> {
    let p = parameters;
    let latest =
        provider.get_block_by_number(BlockNumberOrTag::Latest).await?.ok_or(DeploymentError::NoBlock)?;
    let chain_id = provider.get_chain_id().await?;
    let mut nonce = provider.get_transaction_count(deployer).await?;
    let mut next = || {
        let place = (nonce, deployer.create(nonce));
        nonce += 1;
        place
    };

    let (token_nonce, token) = match p.token {
        Token::Existing(address) => (None, address),
        Token::New { .. } => {
            let (nonce, address) = next();
            (Some(nonce), address)
        }
    };
    let (staking_nonce, staking) = next();
    let (sponsorships_nonce, sponsorships) = next();
    let (settlement_nonce, settlement) = next();
    let (slashing_nonce, slashing) = next();
    let (registry_nonce, stream_registry) = match p.stream_registry {
        Some(address) => (None, address),
        None => {
            let (nonce, address) = next();
            (Some(nonce), address)
        }
    };
    let deployment = Deployment {
        chain_id,
        token,
        staking,
        sponsorships,
        settlement,
        slashing,
        stream_registry,
        genesis: p.genesis.unwrap_or(latest.header.timestamp),
        epoch_length_s: p.epoch_length_s,
        deploy_block: latest.header.number,
        attester_bps: p.attester_bps,
        availability_bps: p.availability_bps,
    };
    let (genesis, length) = (deployment.genesis, deployment.epoch_length_s);
    let at = |nonce, expected| Place { deployer, nonce, expected };

    if let (Some(nonce), Token::New { holder, supply }) = (token_nonce, p.token) {
        create("DataToken", DataToken::deploy_builder(provider, holder, supply), at(nonce, token)).await?;
    }
    let staking_parameters = staking::Staking::Parameters {
        token,
        settlement,
        slashing,
        genesis,
        epochLength: length,
        minStake: p.min_stake,
        unbondingEpochs: p.unbonding_epochs,
        bountyBps: p.bounty_bps,
    };
    let builder = Staking::deploy_builder(provider, staking_parameters);
    create("Staking", builder, at(staking_nonce, staking)).await?;
    let builder = Sponsorships::deploy_builder(provider, token, settlement, genesis, length);
    create("Sponsorships", builder, at(sponsorships_nonce, sponsorships)).await?;
    let builder = Settlement::deploy_builder(
        provider,
        token,
        staking,
        sponsorships,
        slashing,
        genesis,
        length,
        p.attester_bps,
        p.availability_bps,
    );
    create("Settlement", builder, at(settlement_nonce, settlement)).await?;
    let builder =
        Slashing::deploy_builder(provider, staking, genesis, length, p.slash_bps, p.evidence_epochs);
    create("Slashing", builder, at(slashing_nonce, slashing)).await?;
    if let Some(nonce) = registry_nonce {
        let builder = StreamRegistry::deploy_builder(provider);
        create("StreamRegistry", builder, at(nonce, stream_registry)).await?;
    }

    verify(provider, &deployment).await?;
    Ok(deployment)
}

/// Who creates a contract with which nonce, and where that puts it.
struct Place {
    deployer: Address,
    nonce: u64,
    expected: Address,
}

/// One at a time: a constructor may call a contract created before it, which gas estimation has to see.
async fn create<P: Provider>(
    contract: &'static str,
    builder: CallBuilder<&P, RawCall, Ethereum>,
    place: Place,
) -> Result<(), DeploymentError> {
    let receipt = builder.from(place.deployer).nonce(place.nonce).send().await?.get_receipt().await?;
    if !receipt.status() {
        return Err(DeploymentError::Reverted { contract });
    }
    if receipt.contract_address != Some(place.expected) {
        let found = receipt.contract_address;
        return Err(DeploymentError::Misplaced { contract, expected: place.expected, found });
    }
    tracing::info!(contract, address = %place.expected, "deployed");
    Ok(())
}

/// The decoder of a call without a result.
type RawCall = ();
