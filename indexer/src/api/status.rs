//! `GET /status`: counters of this process and totals of the network.

use super::types::{Head, Status, Totals};
use super::{ApiError, ApiState};
use crate::db::{DbError, convert};
use alloy::primitives::U256;
use axum::Json;
use axum::extract::State;
use std::collections::BTreeMap;

pub(super) async fn status(State(state): State<ApiState>) -> Result<Json<Status>, ApiError> {
    let now = state.time.now_ms();
    let clock = state.chain.clock();
    let mut rejected = BTreeMap::<String, BTreeMap<String, u64>>::new();
    for ((kind, refusal), count) in state.counters.rejected() {
        rejected.entry(kind.name().to_owned()).or_default().insert(refusal.name().to_owned(), count);
    }
    Ok(Json(Status {
        now,
        genesis_seconds: clock.genesis,
        epoch_seconds: clock.length,
        current_epoch: clock.epoch_at_ms(now),
        head: state.chain.head().map(|head| Head {
            number: head.number,
            hash: head.hash,
            timestamp_seconds: head.timestamp,
        }),
        accepted: state
            .counters
            .accepted()
            .into_iter()
            .map(|(kind, n)| (kind.name().to_owned(), n))
            .collect(),
        rejected,
        retried: state.counters.retried(),
        reorganisations: state.counters.reorganisations(),
        totals: totals(&state).await?,
    }))
}

async fn totals(state: &ApiState) -> Result<Totals, DbError> {
    let (epochs, messages, bytes, scheduled): (i64, String, String, String) = sqlx::query_as(
        "SELECT count(*), coalesce(sum(messages), 0)::text, coalesce(sum(bytes), 0)::text,
                coalesce(sum(scheduled), 0)::text
         FROM epochs WHERE status NOT IN ('open', 'closing', 'lapsed')",
    )
    .fetch_one(&state.pool)
    .await?;
    let (refunded, offences): (String, i64) = sqlx::query_as(
        "SELECT (SELECT coalesce(sum(amount), 0)::text FROM refunds
                 WHERE epoch NOT IN (SELECT epoch FROM epochs WHERE status = 'lapsed')),
                (SELECT count(*) FROM offences)",
    )
    .fetch_one(&state.pool)
    .await?;
    let operators = state.chain.operators();
    let paid = operators.iter().fold(U256::ZERO, |sum, facts| sum.saturating_add(U256::from(facts.paid)));
    // Every aggregated epoch was written balanced, so the lines, of which there are many more, need not be summed.
    let earned =
        convert::amount("scheduled", &scheduled)?.saturating_sub(convert::amount("refunded", &refunded)?);
    let number = |text: &str| text.parse().unwrap_or(u64::MAX);
    Ok(Totals {
        operators: operators.len().try_into().unwrap_or(u64::MAX),
        streams: state.chain.streams().len().try_into().unwrap_or(u64::MAX),
        epochs: convert::uint("count", epochs)?,
        messages: number(&messages),
        bytes: number(&bytes),
        scheduled,
        earned: earned.to_string(),
        refunded,
        paid: paid.to_string(),
        offences: convert::uint("count", offences)?,
    })
}
