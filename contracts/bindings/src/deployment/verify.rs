//! Checks on chain that a deployment is one whole: code everywhere, one clock, and every reference as configured.

use std::fmt::Display;

use alloy::providers::Provider;

use super::{Deployment, DeploymentError};
use crate::abi::{Settlement, Slashing, Sponsorships, Staking};

/// Whether the chain agrees with `deployment`. Does not compare code: immutables make it differ per deployment.
///
/// # Errors
/// If the node does not answer or anything differs.
pub async fn verify<P: Provider>(provider: &P, deployment: &Deployment) -> Result<(), DeploymentError> {
    let d = deployment;
    same("chain id", d.chain_id, provider.get_chain_id().await?)?;
    for (contract, address) in [
        ("DataToken", d.token),
        ("Staking", d.staking),
        ("Sponsorships", d.sponsorships),
        ("Settlement", d.settlement),
        ("Slashing", d.slashing),
        ("StreamRegistry", d.stream_registry),
    ] {
        if provider.get_code_at(address).await?.is_empty() {
            return Err(DeploymentError::NoCode { contract, address });
        }
    }

    let staking = Staking::new(d.staking, provider);
    same("Staking.token", d.token, staking.token().call().await?)?;
    same("Staking.settlement", d.settlement, staking.settlement().call().await?)?;
    same("Staking.slashing", d.slashing, staking.slashing().call().await?)?;
    same("Staking.genesis", d.genesis, staking.genesis().call().await?)?;
    same("Staking.epochLength", d.epoch_length_s, staking.epochLength().call().await?)?;

    let sponsorships = Sponsorships::new(d.sponsorships, provider);
    same("Sponsorships.token", d.token, sponsorships.token().call().await?)?;
    same("Sponsorships.settlement", d.settlement, sponsorships.settlement().call().await?)?;
    same("Sponsorships.genesis", d.genesis, sponsorships.genesis().call().await?)?;
    same("Sponsorships.epochLength", d.epoch_length_s, sponsorships.epochLength().call().await?)?;

    let settlement = Settlement::new(d.settlement, provider);
    same("Settlement.token", d.token, settlement.token().call().await?)?;
    same("Settlement.staking", d.staking, settlement.staking().call().await?)?;
    same("Settlement.sponsorships", d.sponsorships, settlement.sponsorships().call().await?)?;
    same("Settlement.slashing", d.slashing, settlement.slashing().call().await?)?;
    same("Settlement.genesis", d.genesis, settlement.genesis().call().await?)?;
    same("Settlement.epochLength", d.epoch_length_s, settlement.epochLength().call().await?)?;
    same("Settlement.attesterBps", d.attester_bps, settlement.attesterBps().call().await?)?;
    same("Settlement.availabilityBps", d.availability_bps, settlement.availabilityBps().call().await?)?;

    let slashing = Slashing::new(d.slashing, provider);
    same("Slashing.staking", d.staking, slashing.staking().call().await?)?;
    same("Slashing.genesis", d.genesis, slashing.genesis().call().await?)?;
    same("Slashing.epochLength", d.epoch_length_s, slashing.epochLength().call().await?)?;
    same("Slashing.domainSeparator", d.domain().separator(), slashing.domainSeparator().call().await?)
}

fn same<T: PartialEq + Display>(field: &'static str, expected: T, found: T) -> Result<(), DeploymentError> {
    if expected == found {
        return Ok(());
    }
    Err(DeploymentError::Mismatch { field, expected: expected.to_string(), found: found.to_string() })
}
