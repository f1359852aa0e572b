//! `/epochs/{n}/payouts` and `/epochs/{n}/receipts`: what was paid, and what it was paid for.

use super::epochs::{count, one};
use super::extract::Path;
use super::page::epoch_column;
use super::types::{
    BandwidthReceipt, Chunk, DeliveryReceipt, Line, PayoutAttestation, Payouts, Receipts, Refund,
    VolumeAttestation,
};
use super::{ApiError, ApiState, MAX_LINES};
use crate::db::{DbError, convert};
use axum::Json;
use axum::extract::State;
use sqlx::PgPool;

pub(super) async fn payouts(
    State(state): State<ApiState>,
    Path(epoch): Path<u64>,
) -> Result<Json<Payouts>, ApiError> {
    let head = one(&state, epoch).await?;
    let column = epoch_column(epoch)?;
    let mut lines = lines(&state.pool, column).await?;
    let lines_cut = lines.len() > MAX_LINES;
    lines.truncate(MAX_LINES);
    let refunds: Vec<(i64, String)> = sqlx::query_as(
        "SELECT sponsorship_id, amount::text FROM refunds WHERE epoch = $1 ORDER BY sponsorship_id LIMIT $2",
    )
    .bind(column)
    .bind(limit())
    .fetch_all(&state.pool)
    .await?;
    let refunds = refunds
        .into_iter()
        .map(|(id, amount)| Ok(Refund { sponsorship: convert::uint("sponsorship id", id)?, amount }))
        .collect::<Result<_, DbError>>()?;
    Ok(Json(Payouts {
        epoch,
        status: head.status,
        root: head.root,
        total: head.total,
        lines,
        lines_cut,
        refunds,
        chunks: chunks(&state.pool, column).await?,
    }))
}

fn limit() -> i64 {
    i64::try_from(MAX_LINES).unwrap_or(i64::MAX)
}

/// One more than are shown, to know whether some were left out.
async fn lines(pool: &PgPool, epoch: i64) -> Result<Vec<Line>, DbError> {
    let rows: Vec<(i64, Vec<u8>, i64, String, String)> = sqlx::query_as(
        "SELECT sponsorship_id, part, operator_id, kind, amount::text FROM payout_lines
         WHERE epoch = $1 ORDER BY operator_id, sponsorship_id, part, kind LIMIT $2",
    )
    .bind(epoch)
    .bind(limit().saturating_add(1))
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(sponsorship, part, operator, kind, amount)| {
            Ok(Line {
                sponsorship: convert::uint("sponsorship id", sponsorship)?,
                part: convert::hash("part", &part)?,
                operator: convert::uint("operator id", operator)?,
                kind,
                amount,
            })
        })
        .collect()
}

type ChunkRow = (i32, Vec<String>, Vec<u8>, Vec<Vec<u8>>, bool, Option<Vec<u8>>);

async fn chunks(pool: &PgPool, epoch: i64) -> Result<Vec<Chunk>, DbError> {
    let rows: Vec<ChunkRow> = sqlx::query_as(
        "SELECT chunk, entries::text[], leaf, proof, changed, push_tx FROM payout_chunks
         WHERE epoch = $1 ORDER BY chunk LIMIT $2",
    )
    .bind(epoch)
    .bind(limit())
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(chunk, entries, leaf, proof, changed, push_tx)| {
            Ok(Chunk {
                chunk: count(chunk.into()),
                entries,
                leaf: convert::hash("leaf", &leaf)?,
                proof: proof.iter().map(|hash| convert::hash("proof", hash)).collect::<Result<_, _>>()?,
                changed,
                push_tx: push_tx.map(|hash| convert::hash("transaction hash", &hash)).transpose()?,
            })
        })
        .collect()
}

pub(super) async fn receipts(
    State(state): State<ApiState>,
    Path(epoch): Path<u64>,
) -> Result<Json<Receipts>, ApiError> {
    one(&state, epoch).await?;
    let column = epoch_column(epoch)?;
    Ok(Json(Receipts {
        epoch,
        bandwidth: bandwidth(&state.pool, column).await?,
        deliveries: deliveries(&state.pool, column).await?,
        volumes: volumes(&state.pool, column).await?,
        payouts: attestations(&state.pool, column).await?,
    }))
}

fn received(at: i64) -> u64 {
    u64::try_from(at).unwrap_or_default()
}

type BandwidthRow = (Vec<u8>, Vec<u8>, i64, Vec<u8>, i64);

async fn bandwidth(pool: &PgPool, epoch: i64) -> Result<Vec<BandwidthReceipt>, DbError> {
    let rows: Vec<BandwidthRow> = sqlx::query_as(
        "SELECT relayer, receiver, sequence, digest, (extract(epoch FROM received_at) * 1000)::bigint
         FROM bandwidth_receipts WHERE epoch = $1 ORDER BY relayer, receiver LIMIT $2",
    )
    .bind(epoch)
    .bind(limit())
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(relayer, receiver, sequence, digest, at)| {
            Ok(BandwidthReceipt {
                relayer: convert::address("relayer", &relayer)?,
                receiver: convert::address("receiver", &receiver)?,
                sequence: convert::uint("sequence", sequence)?,
                digest: convert::hash("digest", &digest)?,
                received_at: received(at),
            })
        })
        .collect()
}

async fn deliveries(pool: &PgPool, epoch: i64) -> Result<Vec<DeliveryReceipt>, DbError> {
    let rows: Vec<(Vec<u8>, Vec<u8>, i64)> = sqlx::query_as(
        "SELECT receiver, digest, (extract(epoch FROM received_at) * 1000)::bigint
         FROM delivery_receipts WHERE epoch = $1 ORDER BY receiver LIMIT $2",
    )
    .bind(epoch)
    .bind(limit())
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(receiver, digest, at)| {
            Ok(DeliveryReceipt {
                receiver: convert::address("receiver", &receiver)?,
                digest: convert::hash("digest", &digest)?,
                received_at: received(at),
            })
        })
        .collect()
}

async fn volumes(pool: &PgPool, epoch: i64) -> Result<Vec<VolumeAttestation>, DbError> {
    let rows: Vec<(Vec<u8>, i64, Vec<u8>, i64)> = sqlx::query_as(
        "SELECT part, operator_id, digest, (extract(epoch FROM received_at) * 1000)::bigint
         FROM volume_attestations WHERE epoch = $1 ORDER BY part, operator_id, digest LIMIT $2",
    )
    .bind(epoch)
    .bind(limit())
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(part, operator, digest, at)| {
            Ok(VolumeAttestation {
                part: convert::hash("part", &part)?,
                operator: convert::uint("operator id", operator)?,
                digest: convert::hash("digest", &digest)?,
                received_at: received(at),
            })
        })
        .collect()
}

async fn attestations(pool: &PgPool, epoch: i64) -> Result<Vec<PayoutAttestation>, DbError> {
    let rows: Vec<(i64, Vec<u8>, i64)> = sqlx::query_as(
        "SELECT operator_id, digest, (extract(epoch FROM received_at) * 1000)::bigint
         FROM payout_attestations WHERE epoch = $1 ORDER BY operator_id, digest LIMIT $2",
    )
    .bind(epoch)
    .bind(limit())
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(operator, digest, at)| {
            Ok(PayoutAttestation {
                operator: convert::uint("operator id", operator)?,
                digest: convert::hash("digest", &digest)?,
                received_at: received(at),
            })
        })
        .collect()
}
