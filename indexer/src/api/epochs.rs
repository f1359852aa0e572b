//! `/epochs` and `/epochs/{n}`.

use super::extract::{Path, Query};
use super::page::{Page, epoch_column, next_before, unknown_epoch};
use super::types::{Epoch, EpochDetail, Epochs, Volume};
use super::{ApiError, ApiState, operators};
use crate::db::{DbError, convert};
use axum::Json;
use axum::extract::State;
use sqlx::{FromRow, PgPool};
use tatum_protocol::epoch::EpochClock;

#[derive(FromRow)]
struct Row {
    epoch: i64,
    status: String,
    checkpoint: i64,
    scheduled: String,
    messages: i64,
    bytes: i64,
    certified_parts: i32,
    sponsored_parts: i32,
    root: Option<Vec<u8>>,
    total: Option<String>,
    post_tx: Option<Vec<u8>>,
    proposed_at: Option<i64>,
    attested_at: Option<i64>,
    posted_at: Option<i64>,
    paid_at: Option<i64>,
    final_at: Option<i64>,
    earned: String,
    refunded: String,
    attestations: i64,
    settled_by: Option<i64>,
}

async fn load(pool: &PgPool, clock: EpochClock, below: i64, limit: i64) -> Result<Vec<Epoch>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT epoch, status, checkpoint, scheduled::text, messages, bytes, certified_parts, sponsored_parts,
                root, total::text, post_tx,
                (extract(epoch FROM proposed_at) * 1000)::bigint AS proposed_at,
                (extract(epoch FROM attested_at) * 1000)::bigint AS attested_at,
                (extract(epoch FROM posted_at) * 1000)::bigint AS posted_at,
                (extract(epoch FROM paid_at) * 1000)::bigint AS paid_at,
                (extract(epoch FROM final_at) * 1000)::bigint AS final_at,
                (SELECT coalesce(sum(amount), 0)::text FROM payout_lines l WHERE l.epoch = e.epoch) AS earned,
                (SELECT coalesce(sum(amount), 0)::text FROM refunds r WHERE r.epoch = e.epoch) AS refunded,
                (SELECT count(DISTINCT operator_id) FROM payout_attestations a WHERE a.epoch = e.epoch) AS attestations,
                CASE WHEN e.status <> 'lapsed' THEN (SELECT min(p.epoch) FROM epochs p
                 WHERE p.epoch >= e.epoch AND p.status IN ('posted', 'paid', 'final')) END AS settled_by
         FROM epochs e WHERE epoch < $1 ORDER BY epoch DESC LIMIT $2",
    )
    .bind(below)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(|row| row.into_epoch(&clock)).collect()
}

impl Row {
    fn into_epoch(self, clock: &EpochClock) -> Result<Epoch, DbError> {
        let epoch = convert::uint("epoch", self.epoch)?;
        let hash = |what, bytes: Option<Vec<u8>>| bytes.map(|b| convert::hash(what, &b)).transpose();
        let time = |at: Option<i64>| at.and_then(|at| u64::try_from(at).ok());
        Ok(Epoch {
            epoch,
            status: self.status,
            start_seconds: clock.start(epoch),
            end_seconds: clock.end(epoch),
            checkpoint: convert::uint("checkpoint", self.checkpoint)?,
            messages: convert::uint("messages", self.messages)?,
            bytes: convert::uint("bytes", self.bytes)?,
            sponsored_parts: count(self.sponsored_parts.into()),
            certified_parts: count(self.certified_parts.into()),
            scheduled: self.scheduled,
            earned: self.earned,
            refunded: self.refunded,
            root: hash("root", self.root)?,
            total: self.total,
            attestations: count(self.attestations),
            settled_by: self.settled_by.map(|epoch| convert::uint("epoch", epoch)).transpose()?,
            post_tx: hash("transaction hash", self.post_tx)?,
            proposed_at: time(self.proposed_at),
            attested_at: time(self.attested_at),
            posted_at: time(self.posted_at),
            paid_at: time(self.paid_at),
            final_at: time(self.final_at),
        })
    }
}

/// A count of rows; one that does not fit is shown as the most that does.
pub(super) fn count(value: i64) -> u32 {
    u32::try_from(value.max(0)).unwrap_or(u32::MAX)
}

pub(super) async fn list(
    State(state): State<ApiState>,
    Query(page): Query<Page>,
) -> Result<Json<Epochs>, ApiError> {
    let limit = page.limit()?;
    let epochs = load(&state.pool, state.chain.clock(), page.before(), limit).await?;
    let next_before = next_before(limit, epochs.iter().map(|epoch| epoch.epoch));
    Ok(Json(Epochs { epochs, next_before }))
}

/// One epoch without its parts.
pub(super) async fn one(state: &ApiState, epoch: u64) -> Result<Epoch, ApiError> {
    let column = epoch_column(epoch)?;
    let rows = load(&state.pool, state.chain.clock(), column.saturating_add(1), 1).await?;
    rows.into_iter().find(|row| row.epoch == epoch).ok_or_else(|| unknown_epoch(epoch))
}

#[derive(FromRow)]
struct VolumeRow {
    part: Vec<u8>,
    stream: String,
    partition: i32,
    messages: i64,
    bytes: i64,
    set_digest: Vec<u8>,
    signers: Vec<i64>,
}

pub(super) async fn detail(
    State(state): State<ApiState>,
    Path(epoch): Path<u64>,
) -> Result<Json<EpochDetail>, ApiError> {
    let head = one(&state, epoch).await?;
    let rows: Vec<VolumeRow> = sqlx::query_as(
        "SELECT part, stream, partition, messages, bytes, set_digest, signers
         FROM volumes WHERE epoch = $1 ORDER BY stream, partition LIMIT $2",
    )
    .bind(epoch_column(epoch)?)
    .bind(i64::try_from(super::MAX_LINES).unwrap_or(i64::MAX))
    .fetch_all(&state.pool)
    .await?;
    let volumes = rows
        .into_iter()
        .map(|row| {
            let signers = row.signers.into_iter().map(|id| convert::uint("operator id", id));
            Ok(Volume {
                part: convert::hash("part", &row.part)?,
                stream: row.stream,
                partition: count(row.partition.into()),
                messages: convert::uint("messages", row.messages)?,
                bytes: convert::uint("bytes", row.bytes)?,
                set_digest: convert::hash("set digest", &row.set_digest)?,
                signers: signers.collect::<Result<_, _>>()?,
            })
        })
        .collect::<Result<_, DbError>>()?;
    let operators = operators::earned_in(&state.pool, epoch).await?;
    Ok(Json(EpochDetail { epoch: head, volumes, operators }))
}
