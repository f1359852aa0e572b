//! Checks on chain that a deployment is one whole: this version's code everywhere, one clock, and every reference and
//! parameter as the file says.

use std::fmt::Display;

use alloy::{contract::Error, providers::Provider};

use super::{Deployment, DeploymentError, code};
use crate::abi::{Settlement, Slashing, Sponsorships, Staking};

/// Whether the chain agrees with `deployment`.
///
/// # Errors
/// If the node does not answer or anything differs.
pub async fn verify<P: Provider>(provider: &P, deployment: &Deployment) -> Result<(), DeploymentError> {
    same("chain id", deployment.chain_id, Ok(provider.get_chain_id().await?))?;
    code::verify(provider, deployment).await?;
    staking(provider, deployment).await?;
    sponsorships(provider, deployment).await?;
    settlement(provider, deployment).await?;
    slashing(provider, deployment).await
}

async fn staking<P: Provider>(provider: &P, d: &Deployment) -> Result<(), DeploymentError> {
    let c = Staking::new(d.staking, provider);
    same("Staking.token", d.token, c.token().call().await)?;
    same("Staking.settlement", d.settlement, c.settlement().call().await)?;
    same("Staking.slashing", d.slashing, c.slashing().call().await)?;
    same("Staking.genesis", d.genesis, c.genesis().call().await)?;
    same("Staking.epochLength", d.terms.epoch_length_s, c.epochLength().call().await)?;
    same("Staking.minStake", d.terms.min_stake, c.minStake().call().await)?;
    same("Staking.minSelfBps", d.terms.min_self_bps, c.minSelfBps().call().await)?;
    same("Staking.unbondingEpochs", d.terms.unbonding_epochs, c.unbondingEpochs().call().await)?;
    same("Staking.vestingPeriod", d.terms.vesting_period_s, c.vestingPeriod().call().await)
}

async fn sponsorships<P: Provider>(provider: &P, d: &Deployment) -> Result<(), DeploymentError> {
    let c = Sponsorships::new(d.sponsorships, provider);
    same("Sponsorships.token", d.token, c.token().call().await)?;
    same("Sponsorships.settlement", d.settlement, c.settlement().call().await)?;
    same("Sponsorships.slashing", d.slashing, c.slashing().call().await)?;
    same("Sponsorships.genesis", d.genesis, c.genesis().call().await)?;
    same("Sponsorships.epochLength", d.terms.epoch_length_s, c.epochLength().call().await)?;
    same("Sponsorships.lapseEpochs", d.terms.lapse_epochs, c.lapseEpochs().call().await)
}

async fn settlement<P: Provider>(provider: &P, d: &Deployment) -> Result<(), DeploymentError> {
    let c = Settlement::new(d.settlement, provider);
    same("Settlement.staking", d.staking, c.staking().call().await)?;
    same("Settlement.sponsorships", d.sponsorships, c.sponsorships().call().await)?;
    same("Settlement.slashing", d.slashing, c.slashing().call().await)?;
    same("Settlement.genesis", d.genesis, c.genesis().call().await)?;
    same("Settlement.epochLength", d.terms.epoch_length_s, c.epochLength().call().await)?;
    same("Settlement.attesterBps", d.terms.attester_bps, c.attesterBps().call().await)?;
    same("Settlement.availabilityBps", d.terms.availability_bps, c.availabilityBps().call().await)
}

async fn slashing<P: Provider>(provider: &P, d: &Deployment) -> Result<(), DeploymentError> {
    let c = Slashing::new(d.slashing, provider);
    same("Slashing.token", d.token, c.token().call().await)?;
    same("Slashing.staking", d.staking, c.staking().call().await)?;
    same("Slashing.sponsorships", d.sponsorships, c.sponsorships().call().await)?;
    same("Slashing.settlement", d.settlement, c.settlement().call().await)?;
    same("Slashing.genesis", d.genesis, c.genesis().call().await)?;
    same("Slashing.epochLength", d.terms.epoch_length_s, c.epochLength().call().await)?;
    same("Slashing.slashBps", d.terms.slash_bps, c.slashBps().call().await)?;
    same("Slashing.faultBps", d.terms.fault_bps, c.faultBps().call().await)?;
    same("Slashing.bountyBps", d.terms.bounty_bps, c.bountyBps().call().await)?;
    same("Slashing.returnBps", d.terms.return_bps, c.returnBps().call().await)?;
    same("Slashing.evidenceEpochs", d.terms.evidence_epochs, c.evidenceEpochs().call().await)?;
    same("Slashing.domainSeparator", d.domain().separator(), c.domainSeparator().call().await)
}

fn same<T: PartialEq + Display>(
    field: &'static str,
    expected: T,
    found: Result<T, Error>,
) -> Result<(), DeploymentError> {
    let found = found?;
    if expected == found {
        return Ok(());
    }
    Err(DeploymentError::Mismatch { field, expected: expected.to_string(), found: found.to_string() })
}
