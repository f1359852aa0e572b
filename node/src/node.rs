//! The running node: one loop that feeds the core and carries out what it says, and the tasks around it.
//!
//! The loop never waits for a peer: sending is queueing, storing is queueing. It waits for the store when the disk is behind, which is
//! right: nothing may be signed faster than it can be kept.

mod inputs;
mod shell;

use crate::attester::{Attester, History};
use crate::clock::now_ms;
use crate::core::{Broker, ChainState, Limits, Restored};
use crate::gateway::credentials::Authenticator;
use crate::gateway::mqtt::Gateway;
use crate::gateway::{Router, Subscriptions};
use crate::http::{self, Snapshot, Status};
use crate::keys::NodeKey;
use crate::metrics::Metrics;
use crate::net::Network;
use crate::net::links::Links;
use crate::outbox::{Filled, Outbox};
use crate::peering::Peering;
use crate::store::Store;
use inputs::Inputs;
use libp2p::PeerId;
use rand::Rng;
use shell::Shell;
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tatum_protocol::bls::SecretKey;
use tatum_protocol::id::StreamPart;
use tatum_protocol::receipt::{BandwidthReceipt, Unchecked};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Publications of all gateways that may wait for the loop.
const PUBLICATIONS: usize = 4096;

/// Everything a node is made of. The chain comes as a stream of states, so that a test can state it directly.
#[derive(Debug)]
pub struct NodeSetup {
    pub key: NodeKey,
    /// Present: this node attests for its operator.
    pub bls: Option<SecretKey>,
    pub network: Network,
    pub indexers: Vec<PeerId>,
    pub store: PathBuf,
    pub mqtt: Option<(TcpListener, Authenticator)>,
    pub http: Option<TcpListener>,
    pub subscriptions: BTreeSet<StreamPart>,
    pub limits: Limits,
    pub equivocate: bool,
    pub chain: watch::Receiver<Arc<ChainState>>,
    pub history: Arc<dyn History>,
}

/// Runs a node until it is told to stop or something of it fails.
pub async fn run(setup: NodeSetup, shutdown: CancellationToken) -> anyhow::Result<()> {
    // Everything of this node stops together, whatever ends first.
    let stop = shutdown.child_token();
    let _guard = stop.clone().drop_guard();
    let failure = Arc::new(Mutex::new(None));
    let store = {
        let (failure, stop) = (failure.clone(), stop.clone());
        Store::open(&setup.store, move |error| {
            tracing::error!(%error, "the store failed; the node stops");
            *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            stop.cancel();
        })?
    };
    let chain = setup.chain.borrow().clone();
    let restored = restore(&store, &chain)?;
    let (links, link_events) = Links::start(&setup.network, stop.clone())
        .map_err(|_| anyhow::anyhow!("the packet protocol is already in use on this network"))?;
    let metrics = Arc::new(Metrics::default());
    let filled = Filled::default();
    let last_refusal = Arc::new(Mutex::new(None));
    let subscriptions = Arc::new(Subscriptions::new(setup.subscriptions));
    let (publications_in, publications) = mpsc::channel(PUBLICATIONS);
    let (snapshots, snapshot) = watch::channel(Snapshot { at_ms: now_ms(), ..Snapshot::default() });
    let mut tasks = JoinSet::new();

    for indexer in &setup.indexers {
        let outbox = Outbox {
            network: setup.network.clone(),
            store: store.clone(),
            metrics: metrics.clone(),
            filled: filled.subscribe(),
        };
        tasks.spawn(outbox.run(*indexer, stop.clone()));
    }
    let attester = setup.bls.map(|key| {
        Arc::new(Attester {
            network: setup.network.clone(),
            store: store.clone(),
            filled: filled.clone(),
            indexers: setup.indexers.clone(),
            node: setup.key.address(),
            key: Arc::new(key),
            domain: chain.domain.clone(),
            history: setup.history,
            metrics: metrics.clone(),
            poll: Duration::from_millis(chain.clock.length.saturating_mul(20).clamp(100, 10_000)),
            last_refusal: last_refusal.clone(),
        })
    });
    if let Some(attester) = attester.clone() {
        tasks.spawn(attester.run(stop.clone()));
    }
    if let Some((listener, authenticator)) = setup.mqtt {
        let router = Router {
            node: setup.key.address(),
            publications: publications_in.clone(),
            chain: setup.chain.clone(),
        };
        let gateway = Gateway {
            router,
            subscriptions: subscriptions.clone(),
            authenticator: Arc::new(authenticator),
            metrics: metrics.clone(),
        };
        tasks.spawn(gateway.run(listener, stop.clone()));
    }
    if let Some(listener) = setup.http {
        let status = Status {
            address: setup.key.address(),
            network: setup.network.clone(),
            links: links.clone(),
            store: store.clone(),
            metrics: metrics.clone(),
            snapshot,
            last_refusal,
        };
        tasks.spawn(http::serve(listener, status, stop.clone()));
    }
    if setup.equivocate {
        tracing::warn!("--equivocate: this node contradicts itself on purpose and will lose stake");
    }
    let seed = rand::rng().random();
    let broker = Broker::new(now_ms(), setup.key.signer().clone(), chain, setup.limits, seed, restored);
    let shell = Shell {
        broker,
        signer: setup.key.signer().clone(),
        links,
        network: setup.network.clone(),
        store,
        metrics,
        indexers: setup.indexers.iter().map(PeerId::to_string).collect(),
        filled,
        equivocate: setup.equivocate,
        attester,
        tickets: HashMap::new(),
        next_ticket: 0,
        outputs: Vec::new(),
        volumes: TaskTracker::new(),
        subscriptions,
    };
    let inputs = Inputs {
        links: link_events,
        publications,
        // Kept open even without a gateway.
        _publications_in: publications_in,
        chain: setup.chain,
        snapshots,
        peering: Peering::new(setup.network),
    };
    tasks.spawn(async move {
        if let Err(error) = inputs.feed(shell, stop.clone()).await {
            tracing::error!(%error, "the node's loop ended");
        }
    });
    let outcome = supervise(tasks, &shutdown).await;
    let failed = failure.lock().unwrap_or_else(PoisonError::into_inner).take();
    failed.map_or(outcome, |error| Err(error.into()))
}

/// Every part runs until it is told to stop: one that ends before is a fault, and half a node is worse than none.
async fn supervise(mut tasks: JoinSet<()>, shutdown: &CancellationToken) -> anyhow::Result<()> {
    let ended = tasks.join_next().await;
    if shutdown.is_cancelled() {
        // Let the others finish what they have under way, but not for ever.
        let rest = async { while tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(Duration::from_secs(5), rest).await;
        return Ok(());
    }
    match ended {
        Some(Err(error)) => anyhow::bail!("a part of the node failed: {error}"),
        _ => anyhow::bail!("a part of the node stopped by itself; its last log line says why"),
    }
}

fn restore(store: &Store, chain: &ChainState) -> anyhow::Result<Restored> {
    let check = |receipt: Unchecked<BandwidthReceipt>| {
        receipt.check(&chain.domain).map_err(|failed| {
            anyhow::anyhow!(
                "the store holds a receipt that is not of this deployment ({failed}); use a fresh data folder"
            )
        })
    };
    let signed = store.signed()?.into_iter().map(check).collect::<Result<_, _>>()?;
    let held = store.held()?.into_iter().map(|unchecked| unchecked.receipt).collect();
    Ok(Restored { signed, closed: store.closed()?, held })
}
