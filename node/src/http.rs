//! `/healthz`, `/metrics` and `/status`: what the operator and its monitoring look at. Read-only, loopback only.

use crate::clock::now_ms;
use crate::core::Counters;
use crate::metrics::{self, Metrics};
use crate::net::Network;
use crate::net::links::Links;
use crate::store::Store;
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use tatum_protocol::Address;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A node whose loop did not turn for this long is not healthy, whatever its sockets say.
const STALLED_MS: u64 = 10_000;

/// What the node's loop says of itself, several times a second.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    pub(crate) at_ms: u64,
    pub(crate) epoch: Option<u64>,
    /// The last epoch whose plan is known.
    pub(crate) planned: Option<u64>,
    pub(crate) assigned: Vec<String>,
    pub(crate) wanted: Vec<String>,
    pub(crate) links: Vec<Address>,
    pub(crate) core: Counters,
}

#[derive(Debug, Clone)]
pub(crate) struct Status {
    pub(crate) address: Address,
    pub(crate) network: Network,
    pub(crate) links: Links,
    pub(crate) store: Store,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) snapshot: watch::Receiver<Snapshot>,
    pub(crate) last_refusal: Arc<Mutex<Option<String>>>,
}

pub(crate) async fn serve(listener: TcpListener, status: Status, shutdown: CancellationToken) {
    let router = Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics))
        .route("/status", get(show))
        .with_state(status);
    let stop = async move { shutdown.cancelled().await };
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop).await {
        tracing::error!(%error, "the status page stopped");
    }
}

async fn healthz(State(status): State<Status>) -> (StatusCode, &'static str) {
    let age = now_ms().saturating_sub(status.snapshot.borrow().at_ms);
    if age < STALLED_MS { (StatusCode::OK, "ok\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "stalled\n") }
}

async fn metrics(State(status): State<Status>) -> String {
    metrics::render(&status.metrics, &status.snapshot.borrow().core, status.links.counters())
}

async fn show(State(status): State<Status>) -> Json<Value> {
    let snapshot = status.snapshot.borrow().clone();
    let store = status.store.clone();
    let outbox = tokio::task::spawn_blocking(move || store.outbox_len()).await.ok().and_then(Result::ok);
    let totals: serde_json::Map<String, Value> =
        metrics::totals(&status.metrics, &snapshot.core, status.links.counters())
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
    let refusals: serde_json::Map<String, Value> = snapshot
        .core
        .refusals
        .iter()
        .map(|(refusal, count)| (refusal.to_string(), (*count).into()))
        .collect();
    let last_refusal = status.last_refusal.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let texts = |addresses: &[libp2p::Multiaddr]| -> Vec<String> {
        addresses.iter().map(ToString::to_string).collect()
    };
    Json(json!({
        "peer_id": status.network.local_peer().to_string(),
        "address": status.address,
        "listen": texts(&status.network.listen_addresses().borrow()),
        "peers": status.network.peers().borrow().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "links": snapshot.links,
        "epoch": snapshot.epoch,
        "planned": snapshot.planned,
        "assigned": snapshot.assigned,
        "subscribed": snapshot.wanted,
        "outbox": outbox,
        "totals": totals,
        "refusals": refusals,
        "last_payout_refusal": last_refusal,
    }))
}
