//! `/offences`, `/sponsorships` and `/streams`.

use super::types::{Offence, Offences, Sponsorship, Sponsorships, Stream, Streams};
use super::{ApiError, ApiState, MAX_LINES};
use crate::db::{DbError, convert};
use alloy::primitives::U256;
use axum::Json;
use axum::extract::State;
use sqlx::FromRow;

/// Offences shown; more than a handful is a network in ruins.
const MAX_OFFENCES: i64 = 500;

#[derive(FromRow)]
struct Row {
    slot: Vec<u8>,
    kind: String,
    epoch: i64,
    relayer: Vec<u8>,
    receiver: Vec<u8>,
    operator_id: Option<i64>,
    status: String,
    amount: Option<String>,
    reason: Option<String>,
    found_at: i64,
}

pub(super) async fn offences(State(state): State<ApiState>) -> Result<Json<Offences>, ApiError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT slot, kind, epoch, relayer, receiver, operator_id, status, amount::text, reason,
                (extract(epoch FROM found_at) * 1000)::bigint AS found_at
         FROM offences ORDER BY offences.found_at DESC LIMIT $1",
    )
    .bind(MAX_OFFENCES)
    .fetch_all(&state.pool)
    .await?;
    let offences = rows
        .into_iter()
        .map(|row| {
            Ok(Offence {
                slot: convert::hash("slot", &row.slot)?,
                kind: row.kind,
                epoch: convert::uint("epoch", row.epoch)?,
                relayer: convert::address("relayer", &row.relayer)?,
                receiver: convert::address("receiver", &row.receiver)?,
                operator: row.operator_id.map(|id| convert::uint("operator id", id)).transpose()?,
                status: row.status,
                amount: row.amount,
                reason: row.reason,
                found_at: u64::try_from(row.found_at).unwrap_or_default(),
            })
        })
        .collect::<Result<_, DbError>>()?;
    Ok(Json(Offences { offences }))
}

pub(super) async fn sponsorships(State(state): State<ApiState>) -> Json<Sponsorships> {
    let sponsorships = state
        .chain
        .sponsorships()
        .into_iter()
        .take(MAX_LINES)
        .map(|facts| Sponsorship {
            id: facts.id,
            sponsor: facts.sponsor,
            stream: facts.stream,
            partitions: facts.partitions,
            rate_per_epoch: facts.rate.to_string(),
            redundancy: facts.redundancy,
            subscriber_share_bps: facts.subscriber_share_bps,
            start_epoch: facts.start,
            end_epoch: facts.end,
            refunded: facts.refunded.to_string(),
            spare: facts.spare.to_string(),
            stopped: facts.stopped,
            active: facts.paying > 0,
        })
        .collect();
    Json(Sponsorships { sponsorships })
}

pub(super) async fn streams(State(state): State<ApiState>) -> Json<Streams> {
    let mut rates = std::collections::BTreeMap::<String, U256>::new();
    for facts in state.chain.sponsorships() {
        let rate = rates.entry(facts.stream).or_default();
        *rate = rate.saturating_add(U256::from(facts.paying));
    }
    let streams = state
        .chain
        .streams()
        .into_iter()
        .take(MAX_LINES)
        .map(|facts| Stream {
            rate_per_epoch: rates.get(&facts.id).copied().unwrap_or_default().to_string(),
            id: facts.id,
            partitions: facts.partitions,
        })
        .collect();
    Json(Streams { streams })
}
