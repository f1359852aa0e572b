//! The broker node: relays frames, turns deliveries into receipts, serves MQTT, attests payouts.
//!
//! [`core`] decides everything and does nothing: a state machine without IO. Around it are shells named for what they touch:
//! [`net`] (libp2p), [`gateway`] (clients), [`store`] (disk), `chain` (RPC), `outbox` and [`attester`] (indexers), `http` (the operator).
//! [`node`] is the loop that connects them.

pub mod attester;
mod backoff;
mod chain;
pub mod clock;
pub mod config;
pub mod core;
mod equivocate;
pub mod gateway;
mod http;
pub mod keys;
pub mod metrics;
pub mod net;
pub mod node;
mod outbox;
mod peering;
pub mod store;

pub use config::NodeConfig;

use crate::core::{ChainState, Limits};
use anyhow::Context;
use chain::FollowedChain;
use gateway::credentials::{Authenticator, CredentialFile};
use keys::NodeKey;
use net::{NetConfig, Network, parse_address, parse_peer};
use node::NodeSetup;
use std::sync::Arc;
use tatum_contracts::Deployment;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Runs a node until `shutdown` is cancelled; returns after it has stopped cleanly, or with the reason for which it could not go on.
pub async fn run(config: NodeConfig, shutdown: CancellationToken) -> anyhow::Result<()> {
    config.check()?;
    let deployment = Deployment::load(&config.deployment)?;
    let key = NodeKey::load(&config.node_key_file)?;
    let bls = config.bls_key_file.as_deref().map(keys::load_bls_key).transpose()?;
    // The URL may hold an access key: it is not repeated.
    let rpc = config.rpc_url.parse().ok().context("rpc_url is not a URL")?;
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("cannot make the data folder {}", config.data_dir.display()))?;
    let subscriptions = config
        .subscriptions
        .iter()
        .map(|text| text.parse().with_context(|| format!("subscriptions: {text:?}")))
        .collect::<Result<_, _>>()?;
    let mqtt = match &config.mqtt {
        Some(mqtt) => {
            let authenticator = Authenticator::new(CredentialFile::load(&mqtt.credentials_file)?)?;
            Some((bind(mqtt.listen, "MQTT").await?, authenticator))
        }
        None => None,
    };
    let http = match config.http {
        Some(address) => Some(bind(address, "the status page").await?),
        None => None,
    };

    let listen = config.listen.iter().map(|text| parse_address(text)).collect::<Result<_, _>>()?;
    let parse = |texts: &[String]| texts.iter().map(|text| parse_peer(text)).collect::<Result<Vec<_>, _>>();
    let (mut keep, indexers) = (parse(&config.bootstrap)?, parse(&config.indexers)?);
    keep.extend(indexers.iter().cloned());
    let mut indexer_peers: Vec<_> = indexers.into_iter().map(|(peer, _)| peer).collect();
    indexer_peers.sort_unstable();
    indexer_peers.dedup();

    let stop = shutdown.child_token();
    let _guard = stop.clone().drop_guard();
    let (network, _) =
        Network::start(key.keypair(), NetConfig { listen, keep, serve_control: false }, stop.clone())?;
    tracing::info!(peer = %network.local_peer(), address = %key.address(), light = bls.is_none(), "node started");

    let history = Arc::new(FollowedChain::new(deployment));
    let (states, mut followed) = watch::channel(None);
    tokio::spawn(history.clone().follow(rpc, states, stop.clone()));
    let Some(first) = first_state(&mut followed, &stop).await else { return Ok(()) };
    let (chain_in, chain) = watch::channel(first);
    tokio::spawn(async move {
        while followed.changed().await.is_ok() {
            if let Some(state) = followed.borrow_and_update().clone() {
                chain_in.send_replace(state);
            }
        }
    });

    let setup = NodeSetup {
        key,
        bls,
        network,
        indexers: indexer_peers,
        store: config.data_dir.join("node.redb"),
        mqtt,
        http,
        subscriptions,
        limits: Limits::default(),
        equivocate: config.equivocate,
        chain,
        history,
    };
    node::run(setup, shutdown).await
}

/// Waits until the chain was followed to its end once; `None` if the node is told to stop before.
async fn first_state(
    followed: &mut watch::Receiver<Option<Arc<ChainState>>>,
    stop: &CancellationToken,
) -> Option<Arc<ChainState>> {
    tokio::select! {
        () = stop.cancelled() => None,
        state = followed.wait_for(Option::is_some) => state.ok().and_then(|state| state.clone()),
    }
}

async fn bind(address: std::net::SocketAddr, what: &str) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("cannot serve {what} on {address}; is another process using the port?"))
}
