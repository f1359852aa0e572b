//! Settlement: attestations to certificates to payouts on chain; the slashing watcher; the transaction sender.
//!
//! It is trusted with nothing but gas: what it posts, 2/3 of the stake signed; what it pushes, the posted root fixes; what it
//! proves, the offender signed. Killed at any point and started again, it makes the same payouts once.
//!
//! - [`pipeline`]: an epoch's way from proposal to final.
//! - [`certificate`]: attestations to a certificate.
//! - [`watcher`]: offences to slashes.
//! - [`sender`]: intents, broadcasts, replacements, receipts.
//! - [`chain`]: what the contracts say.
//!
//! Left out: computing epochs and collecting attestations, which the indexer does; both meet in the database.

pub mod certificate;
pub mod chain;
pub mod config;
pub mod crash;
pub mod database;
pub mod engine;
pub mod health;
mod http;
pub mod key;
mod numeric;
pub mod pipeline;
pub mod reverts;
pub mod sender;
pub mod watcher;

pub use config::{SenderConfig, SettlementConfig};
pub use crash::{Crash, CrashPoint};

use crate::chain::Chain;
use crate::database::{NonceOwner, stopped_within};
use crate::engine::Engine;
use crate::health::Health;
use crate::sender::Sender;
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use anyhow::Context;
use std::sync::Arc;
use std::time::Duration;
use tatum_contracts::{Deployment, DeploymentError, deployment};
use tokio_util::sync::CancellationToken;

/// Between looks when nothing moves, and when something does.
const POLL: Duration = Duration::from_millis(500);
const POLL_MOVING: Duration = Duration::from_millis(50);
/// A node that takes a request and never answers must not hold settlement up. Cutting a step short is as safe as a crash.
const STEP_TIMEOUT: Duration = Duration::from_secs(120);
/// Longest wait after failures in a row.
const MAX_BACKOFF: Duration = Duration::from_secs(15);

/// A provider for an HTTP URL that adds nothing to requests: nonces, fees and gas are the sender's.
pub fn provider(rpc_url: &str) -> anyhow::Result<DynProvider> {
    // Without the URL, which may carry an access key.
    let url = rpc_url.parse().context("rpc_url is not a URL")?;
    Ok(ProviderBuilder::default().connect_http(url).erased())
}

/// Runs until told to stop. Fails on a wrong configuration and when it can no longer be sure to own its nonces.
pub async fn run(config: SettlementConfig, shutdown: CancellationToken) -> anyhow::Result<()> {
    let signer = key::load(&config.key_file)?;
    let deployment = Deployment::load(&config.deployment)?;
    let provider = provider(&config.rpc_url)?;
    let health = Arc::new(Health::new(signer.address()));
    let server = match config.http {
        Some(address) => {
            let serving = http::serve(address, health.clone(), shutdown.clone());
            Some(
                serving
                    .await
                    .with_context(|| format!("cannot listen on {address}; set another `http` address"))?,
            )
        }
        None => None,
    };
    let url = &config.database_url;
    let Some(pool) = database::connect(url, &shutdown).await.context("database_url")? else { return Ok(()) };
    if !deployment_is_there(&provider, &deployment, &shutdown).await? {
        return Ok(());
    }
    let Some(mut owner) = NonceOwner::acquire(url, signer.address(), &shutdown).await? else { return Ok(()) };
    health.owns();
    tracing::info!(sender = %signer.address(), chain = deployment.chain_id, "settling");

    let crash = Crash::kill(config.crash_at);
    let sender = Arc::new(Sender::new(
        provider.clone(),
        pool.clone(),
        signer,
        deployment.chain_id,
        config.sender,
        reverts::decode,
        crash,
    ));
    let mut engine =
        Engine::new(pool.clone(), Chain::new(provider, deployment), sender, crash, health.clone());
    settle(&mut engine, &mut owner, &health, &shutdown).await?;

    owner.release().await?;
    pool.close().await;
    if let Some(server) = server {
        server.await??;
    }
    Ok(())
}

async fn settle(
    engine: &mut Engine,
    owner: &mut NonceOwner,
    health: &Health,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    let mut failures = 0_u32;
    loop {
        owner
            .check()
            .await
            .context("the connection that holds the nonce lock is gone, another settlement may go on")?;
        let stepped = tokio::select! {
            stepped = tokio::time::timeout(STEP_TIMEOUT, engine.step()) => stepped,
            () = shutdown.cancelled() => return Ok(()),
        };
        let wait = match stepped.map_err(anyhow::Error::new).and_then(|stepped| Ok(stepped?)) {
            Ok(moved) => {
                failures = 0;
                if moved { POLL_MOVING } else { POLL }
            }
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "step failed, trying again");
                health.failed(format!("{error:#}"));
                failures = failures.saturating_add(1);
                POLL.saturating_mul(1 << failures.min(8)).min(MAX_BACKOFF)
            }
        };
        if stopped_within(wait, shutdown).await {
            return Ok(());
        }
    }
}

/// Waits for the node, then checks that the contracts are those of the deployment. False if told to stop before.
async fn deployment_is_there(
    provider: &DynProvider,
    expected: &Deployment,
    shutdown: &CancellationToken,
) -> anyhow::Result<bool> {
    loop {
        match deployment::verify(provider, expected).await {
            Ok(()) => return Ok(true),
            Err(error @ (DeploymentError::Transport(_) | DeploymentError::Contract(_))) => {
                tracing::warn!(%error, "waiting for the node at the RPC URL");
            }
            Err(error) => return Err(error.into()),
        }
        if stopped_within(POLL, shutdown).await {
            return Ok(false);
        }
    }
}
