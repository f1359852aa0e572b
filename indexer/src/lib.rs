//! The indexer: signed evidence comes in over P2P and goes to Postgres, the chain is followed, epochs are closed and proposed.
//!
//! - [`ingest`]: checks evidence, stores it, acknowledges after the commit; finds contradictions.
//! - [`chain`]: what the chain says, followed into the database.
//! - [`epochs`]: open -> closing -> aggregated -> proposed.
//! - [`api`]: the same for people and programs, with a dashboard on top of it.
//!
//! Left out: attesting a proposal (nodes), posting it and punishing offences (the settlement process).

pub mod api;
pub mod chain;
pub mod config;
pub mod counters;
mod dashboard;
pub mod db;
pub mod epochs;
pub mod ingest;
pub mod progress;
mod serve;
pub mod time;

pub use config::IndexerConfig;

use crate::api::{ApiState, Changes};
use crate::chain::{Chain, FollowedChain, Following};
use crate::counters::Counters;
use crate::epochs::Pipeline;
use crate::ingest::Ingest;
use crate::progress::Progress;
use crate::time::Time;
use alloy::providers::ProviderBuilder;
use anyhow::Context;
use std::sync::Arc;
use tatum_contracts::deployment::Deployment;
use tatum_node::keys::NodeKey;
use tatum_node::net::{NetConfig, Network, parse_address, parse_peer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Runs until the token is cancelled; returns after everything in work is finished.
pub async fn run(config: IndexerConfig, shutdown: CancellationToken) -> anyhow::Result<()> {
    config.check()?;
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("cannot make the data folder {}", config.data_dir.display()))?;
    let deployment = Deployment::load(&config.deployment)?;
    let key = NodeKey::load(&config.node_key_file)?;
    let rpc = config.rpc_url.parse().context("rpc_url is not a URL")?;
    let listen = config.listen.iter().map(|text| parse_address(text)).collect::<Result<_, _>>()?;
    let keep = config.bootstrap.iter().map(|text| parse_peer(text)).collect::<Result<_, _>>()?;
    let listener = TcpListener::bind(config.http).await.with_context(|| {
        format!("cannot serve the API on {}; is another process using the port?", config.http)
    })?;

    let pool = db::open(&config.database_url).await?;
    let followed = Arc::new(FollowedChain::new(&deployment));
    chain::restore(&pool, &followed).await?;
    let chain: Arc<dyn Chain> = followed.clone();
    let (counters, progress) = (Arc::new(Counters::default()), Arc::new(Progress::default()));

    let net = NetConfig { listen, keep, serve_control: true };
    let (network, requests) = Network::start(key.keypair(), net, shutdown.clone())?;
    tracing::info!(peer = %network.local_peer(), http = %config.http, "indexer started");

    let mut tasks = JoinSet::new();
    tasks.spawn(chain::follow(
        Following {
            pool: pool.clone(),
            chain: followed,
            provider: ProviderBuilder::new().connect_http(rpc),
            deployment,
            counters: counters.clone(),
            progress: progress.clone(),
            time: Time::System,
        },
        shutdown.clone(),
    ));
    let pipeline = Pipeline::new(pool.clone(), chain.clone(), Time::System);
    tasks.spawn(pipeline.run(progress.clone(), shutdown.clone()));
    let ingest = Ingest::new(pool.clone(), chain.clone(), counters.clone(), Time::System);
    tasks.spawn(serve::serve(ingest, requests, shutdown.clone()));
    let changes = Changes::new(shutdown.clone());
    tasks.spawn(changes.clone().watch(pool.clone()));
    let state = ApiState { pool: pool.clone(), chain, counters, progress, changes, time: Time::System };
    let stop = shutdown.clone();
    tasks.spawn(async move {
        let server = axum::serve(listener, api::router(state));
        if let Err(error) = server.with_graceful_shutdown(async move { stop.cancelled().await }).await {
            tracing::error!(%error, "the API stopped");
        }
    });

    // Every part runs until it is told to stop: one that ends before is a fault, and half an indexer is worse than none.
    let mut fault = None;
    while let Some(ended) = tasks.join_next().await {
        if !shutdown.is_cancelled() {
            fault = Some(ended.err().map_or_else(|| "it returned".to_owned(), |error| error.to_string()));
            shutdown.cancel();
        }
    }
    drop(network);
    pool.close().await;
    match fault {
        Some(reason) => anyhow::bail!("a part of the indexer stopped by itself: {reason}"),
        None => Ok(()),
    }
}
