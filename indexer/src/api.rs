//! The HTTP API: read-only, JSON, every list bounded. See [`types`] for the shapes and units.
//!
//! It has no authentication and is bound to loopback; everything it shows is public.

mod epochs;
mod error;
mod events;
mod extract;
mod health;
mod metrics;
mod network;
mod operators;
mod page;
mod payouts;
mod status;
pub mod types;

pub use error::ApiError;
pub use events::Changes;
pub use types::*;

use crate::chain::Chain;
use crate::counters::Counters;
use crate::dashboard;
use crate::progress::Progress;
use crate::time::Time;
use axum::Router;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use sqlx::PgPool;
use std::sync::Arc;

/// Most rows of one kind in a drill-down.
pub const MAX_LINES: usize = 10_000;

/// What the handlers read from.
#[derive(Debug, Clone)]
pub struct ApiState {
    pub pool: PgPool,
    pub chain: Arc<dyn Chain>,
    pub counters: Arc<Counters>,
    pub progress: Arc<Progress>,
    pub changes: Changes,
    pub time: Time,
}

/// All routes, the dashboard's included.
pub fn router(state: ApiState) -> Router {
    Router::new()
        .route("/operators", get(operators::list))
        .route("/operators/{id}/epochs", get(operators::epochs))
        .route("/earnings", get(operators::earnings))
        .route("/epochs", get(epochs::list))
        .route("/epochs/{epoch}", get(epochs::detail))
        .route("/epochs/{epoch}/payouts", get(payouts::payouts))
        .route("/epochs/{epoch}/receipts", get(payouts::receipts))
        .route("/offences", get(network::offences))
        .route("/sponsorships", get(network::sponsorships))
        .route("/streams", get(network::streams))
        .route("/healthz", get(health::healthz))
        .route("/metrics", get(metrics::metrics))
        .route("/status", get(status::status))
        .route("/events", get(events::events))
        .merge(dashboard::router())
        .fallback(async |uri: axum::http::Uri| {
            ApiError::NotFound(format!("there is nothing at {}; see / for the dashboard", uri.path()))
        })
        .layer(middleware::from_fn(headers))
        .with_state(state)
}

/// Nothing here may be framed, sniffed, or load anything from elsewhere.
async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in [
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
