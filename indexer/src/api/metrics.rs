//! `GET /metrics` in the Prometheus text format. Counters are of this process, gauges of the moment.

use super::{ApiState, health};
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use std::fmt::Display;

/// Text in the making. Every metric is one family: help, type, samples.
#[derive(Default)]
struct Exposition(String);

impl Exposition {
    fn family(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        samples: impl IntoIterator<Item = (String, String)>,
    ) {
        let samples: String =
            samples.into_iter().map(|(labels, value)| format!("{name}{labels} {value}\n")).collect();
        self.0 += &format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{samples}");
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: Option<impl Display>) {
        self.family(name, kind, help, value.map(|value| (String::new(), value.to_string())));
    }
}

pub(super) async fn metrics(State(state): State<ApiState>) -> impl IntoResponse {
    let health = health::assess(&state).await;
    let counters = &state.counters;
    let mut text = Exposition::default();
    text.family(
        "tatum_indexer_evidence_accepted_total",
        "counter",
        "Evidence committed to the database.",
        counters
            .accepted()
            .into_iter()
            .map(|(kind, n)| (format!("{{kind=\"{}\"}}", kind.name()), n.to_string())),
    );
    text.family(
        "tatum_indexer_evidence_rejected_total",
        "counter",
        "Evidence refused.",
        counters.rejected().into_iter().map(|((kind, refusal), n)| {
            (format!("{{kind=\"{}\",reason=\"{}\"}}", kind.name(), refusal.name()), n.to_string())
        }),
    );
    text.single(
        "tatum_indexer_evidence_retried_total",
        "counter",
        "Evidence sent back to be sent again.",
        Some(counters.retried()),
    );
    text.single(
        "tatum_indexer_offences_total",
        "counter",
        "Contradictions found.",
        Some(counters.offences()),
    );
    text.single(
        "tatum_indexer_reorganisations_total",
        "counter",
        "Times the chain was found reorganised.",
        Some(counters.reorganisations()),
    );
    text.single(
        "tatum_indexer_healthy",
        "gauge",
        "1 if /healthz answers 200.",
        Some(u8::from(health.healthy)),
    );
    text.single(
        "tatum_indexer_head_age_milliseconds",
        "gauge",
        "Age of the last block that was followed.",
        health.head_age_ms,
    );
    text.single(
        "tatum_indexer_last_receipt_age_milliseconds",
        "gauge",
        "Time since evidence was last accepted.",
        health.last_receipt_age_ms,
    );
    text.single(
        "tatum_indexer_head_block",
        "gauge",
        "Number of the last block that was followed.",
        state.chain.head().map(|head| head.number),
    );
    text.single(
        "tatum_indexer_current_epoch",
        "gauge",
        "The epoch of now.",
        state.chain.clock().epoch_at_ms(state.time.now_ms()),
    );
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text.0)
}
