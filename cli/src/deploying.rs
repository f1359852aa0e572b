//! Deploys once, however often it is asked to.
//!
//! What will be created is written to a plan beside the file of addresses before anything is created, so a run that was
//! interrupted goes on where it was. The file of addresses appears last, verified, and is never written over.

use std::path::{Path, PathBuf};

use alloy::primitives::Address;
use alloy::providers::Provider;
use anyhow::{Context, ensure};
use tatum_contracts::deployment::{Deployment, Parameters, Plan, Token, carry_out, verify};

/// What had to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was there already, and the chain agrees.
    Verified,
    /// What an earlier run had begun was finished.
    Resumed,
    Deployed,
}

/// The deployment of the file `out`; made from `deployer`, whose key the provider's wallet has, if there is none.
pub async fn ensure_deployed<P: Provider>(
    provider: &P,
    deployer: Address,
    parameters: &Parameters,
    out: &Path,
) -> anyhow::Result<(Deployment, Outcome)> {
    if out.exists() {
        let deployment = Deployment::load(out)?;
        same_parameters(&deployment, parameters)
            .with_context(|| format!("{} is of another deployment; name another file", out.display()))?;
        verify(provider, &deployment)
            .await
            .with_context(|| format!("{} does not match the chain; it was left as it is", out.display()))?;
        return Ok((deployment, Outcome::Verified));
    }
    let unfinished = plan_path(out);
    let (plan, outcome) = if unfinished.exists() {
        let plan = Plan::load(&unfinished)?;
        resumable(provider, &plan, deployer, parameters).await.with_context(|| {
            format!("{} cannot be gone on with; remove it to start anew", unfinished.display())
        })?;
        (plan, Outcome::Resumed)
    } else {
        let plan = Plan::new(provider, deployer, parameters).await?;
        plan.save(&unfinished)?;
        (plan, Outcome::Deployed)
    };
    carry_out(provider, &plan).await.with_context(|| {
        format!(
            "the contracts were not deployed; run the same again to go on, or remove {} to start anew",
            unfinished.display()
        )
    })?;
    plan.deployment.save(out)?;
    std::fs::remove_file(&unfinished)
        .with_context(|| format!("cannot remove {}, which is done with", unfinished.display()))?;
    Ok((plan.deployment, outcome))
}

/// Where an unfinished deployment is written down.
fn plan_path(out: &Path) -> PathBuf {
    let mut path = out.as_os_str().to_owned();
    path.push(".unfinished");
    path.into()
}

/// Whether a plan is what is asked for, on the chain that it was made for.
async fn resumable<P: Provider>(
    provider: &P,
    plan: &Plan,
    deployer: Address,
    parameters: &Parameters,
) -> anyhow::Result<()> {
    let (chain, block) = (provider.get_chain_id().await?, provider.get_block_number().await?);
    let planned = &plan.deployment;
    ensure!(planned.chain_id == chain, "it is for chain {}, the node is on {chain}", planned.chain_id);
    ensure!(
        planned.deploy_block <= block,
        "it was begun at block {}, the chain is at {block}: it was reset",
        planned.deploy_block
    );
    ensure!(plan.deployer == deployer, "it is by {}, the key is of {deployer}", plan.deployer);
    same_parameters(planned, parameters)
}

/// Whether a deployment is what would be made.
fn same_parameters(found: &Deployment, wanted: &Parameters) -> anyhow::Result<()> {
    ensure!(found.terms == wanted.terms, "it has {:?}, expected {:?}", found.terms, wanted.terms);
    match wanted.token {
        Token::Existing(token) => {
            ensure!(found.token == token, "its token is {}, expected {token}", found.token);
        }
        Token::New { .. } => {
            ensure!(found.token_is_ours, "its token {} was there before, expected a new one", found.token);
        }
    }
    let registry = found.stream_registry;
    match wanted.stream_registry {
        Some(wanted) => ensure!(registry == wanted, "its registry is {registry}, expected {wanted}"),
        None => ensure!(
            found.stream_registry_is_ours,
            "its registry {registry} was there before, expected a new one"
        ),
    }
    Ok(())
}
