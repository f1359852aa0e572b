//! `/healthz` and `/metrics`. They tell no secrets, and take no orders.

use crate::health::Health;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Binds, so that a taken port is an error at start, and serves until told to stop.
pub(crate) async fn serve(
    address: SocketAddr,
    health: Arc<Health>,
    shutdown: CancellationToken,
) -> Result<tokio::task::JoinHandle<std::io::Result<()>>, std::io::Error> {
    let listener = TcpListener::bind(address).await?;
    let router =
        Router::new().route("/healthz", get(healthz)).route("/metrics", get(metrics)).with_state(health);
    tracing::info!(%address, "serving /healthz and /metrics");
    Ok(tokio::spawn(async move {
        axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned()).await
    }))
}

async fn healthz(State(health): State<Arc<Health>>) -> (StatusCode, Json<crate::health::Report>) {
    let report = health.report();
    let status = if report.healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report))
}

async fn metrics(State(health): State<Arc<Health>>) -> String {
    let report = health.report();
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "# HELP tatum_settlement_{name} {help}\n# TYPE tatum_settlement_{name} gauge\ntatum_settlement_{name} {value}"
        );
    };
    gauge("healthy", "1 if nothing is stalled.", u8::from(report.healthy).to_string());
    gauge(
        "owner",
        "1 if this process owns the sender's nonces.",
        u8::from(report.role == "owner").to_string(),
    );
    gauge("stalled", "Reasons why something cannot move.", report.reasons.len().to_string());
    gauge("pending_transactions", "Sent and in no block.", report.pending_transactions.to_string());
    gauge("mined_transactions", "In a block that is not final.", report.mined_transactions.to_string());
    gauge("oldest_pending_seconds", "Age of the oldest of them.", report.oldest_pending_seconds.to_string());
    gauge("block", "Newest block looked at.", report.block.to_string());
    if let Some(seconds) = report.seconds_since_step {
        gauge("seconds_since_step", "Age of the last step that succeeded.", seconds.to_string());
    }
    if let Some(epoch) = report.last_posted_epoch {
        gauge("last_posted_epoch", "Epoch of the latest root on chain.", epoch.to_string());
    }
    if let Some(balance) = report.balance {
        gauge("balance_wei", "What the sender has to pay gas with.", balance.to_string());
    }
    text
}
