//! Creates the contracts, in order of nonce. What is there already is left: going on is the same as starting.

use alloy::{contract::CallBuilder, network::Ethereum, primitives::Address, providers::Provider};

use super::{Deployment, DeploymentError, Parameters, Plan, Token, verify};
use crate::abi::{DataToken, Settlement, Slashing, Sponsorships, Staking, StreamRegistry, slashing, staking};

/// Plans and carries out.
///
/// # Errors
/// See [`carry_out`].
pub async fn deploy<P: Provider>(
    provider: &P,
    deployer: Address,
    parameters: &Parameters,
) -> Result<Deployment, DeploymentError> {
    let plan = Plan::new(provider, deployer, parameters).await?;
    carry_out(provider, &plan).await?;
    Ok(plan.deployment)
}

/// Creates what of the plan is not there yet, from the plan's deployer, whose key the provider's wallet has and who
/// sends nothing else meanwhile; and verifies the whole.
///
/// # Errors
/// If the node does not answer, a constructor refuses its parameters, the deployer's nonce has gone past what is
/// missing, or the result is not one deployment.
pub async fn carry_out<P: Provider>(provider: &P, plan: &Plan) -> Result<(), DeploymentError> {
    let d = &plan.deployment;
    let terms = &d.terms;
    let (genesis, length) = (d.genesis, terms.epoch_length_s);
    let mut creator = Creator { provider, deployer: plan.deployer, nonce: plan.first_nonce };

    if let Token::New { holder, supply } = plan.token {
        creator.create("DataToken", d.token, DataToken::deploy_builder(provider, holder, supply)).await?;
    }
    let parameters = staking::Staking::Parameters {
        token: d.token,
        settlement: d.settlement,
        slashing: d.slashing,
        genesis,
        epochLength: length,
        minStake: terms.min_stake,
        minSelfBps: terms.min_self_bps,
        unbondingEpochs: terms.unbonding_epochs,
        vestingPeriod: terms.vesting_period_s,
    };
    creator.create("Staking", d.staking, Staking::deploy_builder(provider, parameters)).await?;
    let builder = Sponsorships::deploy_builder(
        provider,
        d.token,
        d.settlement,
        d.slashing,
        genesis,
        length,
        terms.lapse_epochs,
    );
    creator.create("Sponsorships", d.sponsorships, builder).await?;
    let builder = Settlement::deploy_builder(
        provider,
        d.staking,
        d.sponsorships,
        d.slashing,
        genesis,
        length,
        terms.attester_bps,
        terms.availability_bps,
    );
    creator.create("Settlement", d.settlement, builder).await?;
    let parameters = slashing::ISlashing::Parameters {
        token: d.token,
        staking: d.staking,
        sponsorships: d.sponsorships,
        settlement: d.settlement,
        genesis,
        epochLength: length,
        slashBps: terms.slash_bps,
        faultBps: terms.fault_bps,
        bountyBps: terms.bounty_bps,
        returnBps: terms.return_bps,
        evidenceEpochs: terms.evidence_epochs,
    };
    creator.create("Slashing", d.slashing, Slashing::deploy_builder(provider, parameters)).await?;
    if d.stream_registry_is_ours {
        let builder = StreamRegistry::deploy_builder(provider);
        creator.create("StreamRegistry", d.stream_registry, builder).await?;
    }
    verify(provider, d).await
}

/// Takes one nonce per contract.
struct Creator<'a, P> {
    provider: &'a P,
    deployer: Address,
    nonce: u64,
}

impl<P: Provider> Creator<'_, P> {
    /// One at a time: a constructor may call a contract created before it, which gas estimation has to see.
    async fn create(
        &mut self,
        contract: &'static str,
        expected: Address,
        builder: CallBuilder<&P, RawCall, Ethereum>,
    ) -> Result<(), DeploymentError> {
        let nonce = self.nonce;
        self.nonce = nonce.saturating_add(1);
        if !self.provider.get_code_at(expected).await?.is_empty() {
            tracing::info!(contract, address = %expected, "was deployed before");
            return Ok(());
        }
        let found = self.provider.get_transaction_count(self.deployer).await?;
        if found > nonce {
            return Err(DeploymentError::NoncePassed { contract, expected: nonce, found });
        }
        let receipt = builder.from(self.deployer).nonce(nonce).send().await?.get_receipt().await?;
        if !receipt.status() {
            return Err(DeploymentError::Reverted { contract });
        }
        if receipt.contract_address != Some(expected) {
            let found = receipt.contract_address;
            return Err(DeploymentError::Misplaced { contract, expected, found });
        }
        tracing::info!(contract, address = %expected, "deployed");
        Ok(())
    }
}

/// The decoder of a call without a result.
type RawCall = ();
