//! Everything the database holds about an epoch, as it goes into a bundle.

use super::EpochError;
use crate::db::{DbError, convert};
use serde::de::DeserializeOwned;
use sqlx::PgPool;
use tatum_protocol::evidence::EpochEvidence;
use tatum_protocol::plan::EpochPlan;
use tatum_protocol::volume::{self, VolumeAttestation};

/// Loads the evidence of an epoch whose deadlines have passed. Rows were checked when they came; their order is that of the
/// primary keys, so that two loads make the same bytes.
pub(super) async fn load(pool: &PgPool, plan: &EpochPlan) -> Result<EpochEvidence, EpochError> {
    let epoch = convert::int("epoch", plan.epoch)?;
    let attestations: Vec<VolumeAttestation> = bodies(
        sqlx::query_scalar(
            "SELECT body FROM volume_attestations WHERE epoch = $1 ORDER BY part, operator_id, digest",
        )
        .bind(epoch)
        .fetch_all(pool)
        .await?,
    )?;
    let bandwidth = bodies(
        sqlx::query_scalar("SELECT body FROM bandwidth_receipts WHERE epoch = $1 ORDER BY relayer, receiver")
            .bind(epoch)
            .fetch_all(pool)
            .await?,
    )?;
    let deliveries = bodies(
        sqlx::query_scalar("SELECT body FROM delivery_receipts WHERE epoch = $1 ORDER BY receiver")
            .bind(epoch)
            .fetch_all(pool)
            .await?,
    )?;
    let volumes = volume::certify(plan, &attestations)?;
    Ok(EpochEvidence { epoch: plan.epoch, volumes, bandwidth, deliveries })
}

fn bodies<T: DeserializeOwned>(rows: Vec<Vec<u8>>) -> Result<Vec<T>, DbError> {
    rows.iter().map(|body| convert::from_body("evidence", body)).collect()
}
