//! closing -> aggregated: certify volumes, compute what the epoch pays, write it down line by line.

use super::{EpochError, Pipeline, evidence};
use crate::chain::settled_plan;
use crate::db::{DbError, Lock, convert};
use crate::ingest;
use alloy::primitives::U256;
use sqlx::PgConnection;
use std::sync::Arc;
use tatum_protocol::evidence::EpochEvidence;
use tatum_protocol::payout::{EpochPayout, Kind};
use tatum_protocol::plan::EpochPlan;
use tatum_protocol::volume::VolumeCertificate;

/// The name of a kind in `payout_lines.kind`.
pub(super) const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Attester => "attester",
        Kind::Availability => "availability",
        Kind::Relay => "relay",
        Kind::Delivery => "delivery",
    }
}

impl Pipeline {
    /// Aggregates the epoch; false if the chain view has not reached its end.
    pub(super) async fn aggregate(&self, epoch: u64) -> Result<bool, EpochError> {
        let Some(plan) = settled_plan(self.chain.as_ref(), epoch) else { return Ok(false) };
        ingest::settle(&self.pool).await?;
        let evidence = evidence::load(&self.pool, &plan).await?;
        let volumes = evidence.volumes.clone();
        let payout = self.compute(plan.clone(), evidence).await?;
        let before = epoch.checked_sub(1).map_or(U256::ZERO, |before| self.chain.scheduled_through(before));
        let scheduled = self.chain.scheduled_through(epoch).saturating_sub(before);
        let computed = U256::from(payout.scheduled.0);
        if scheduled != computed {
            return Err(EpochError::Unbalanced { epoch, payable: scheduled, computed });
        }
        let mut transaction = self.pool.begin().await?;
        Lock::Epochs.take(&mut transaction).await?;
        let done = sqlx::query(
            "UPDATE epochs SET status = 'aggregated', checkpoint = $2, scheduled = $3::numeric, messages = $4, bytes = $5,
                 certified_parts = $6, sponsored_parts = $7
             WHERE epoch = $1 AND status = 'closing'",
        )
        .bind(convert::int("epoch", epoch)?)
        .bind(convert::int("checkpoint", plan.checkpoint)?)
        .bind(computed.to_string())
        .bind(total(volumes.iter().map(|v| v.volume.messages)))
        .bind(total(volumes.iter().map(|v| v.volume.bytes)))
        .bind(i32::try_from(volumes.len()).unwrap_or(i32::MAX))
        .bind(i32::try_from(plan.parts.len()).unwrap_or(i32::MAX))
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 1 {
            write_volumes(&mut transaction, &plan, &volumes).await?;
            write_payout(&mut transaction, epoch, &payout).await?;
        }
        transaction.commit().await?;
        tracing::info!(epoch, parts = plan.parts.len(), certified = volumes.len(), scheduled = %payout.scheduled, "epoch aggregated");
        Ok(true)
    }

    /// Checks every signature again and computes, away from the threads that serve the network.
    pub(super) async fn compute(
        &self,
        plan: Arc<EpochPlan>,
        evidence: EpochEvidence,
    ) -> Result<EpochPayout, EpochError> {
        let chain = self.chain.clone();
        let computed = tokio::task::spawn_blocking(move || {
            let checked = evidence
                .check(&plan, chain.domain())
                .map_err(|source| EpochError::Evidence { epoch: plan.epoch, source })?;
            Ok(EpochPayout::compute(&plan, &checked)?)
        });
        computed.await.map_err(|_| EpochError::Interrupted)?
    }
}

/// Counts of one epoch: each fits, as ingestion checked; their sum would have to wrap past 9e18 to saturate.
fn total(values: impl Iterator<Item = u64>) -> i64 {
    i64::try_from(values.fold(0, u64::saturating_add)).unwrap_or(i64::MAX)
}

async fn write_volumes(
    connection: &mut PgConnection,
    plan: &EpochPlan,
    certificates: &[VolumeCertificate],
) -> Result<(), DbError> {
    for VolumeCertificate { volume, signers, .. } in certificates {
        let Some(planned) = plan.parts.get(&volume.part) else { continue };
        let signers =
            signers.iter().map(|id| convert::int("operator id", *id)).collect::<Result<Vec<_>, _>>()?;
        sqlx::query(
            "INSERT INTO volumes (epoch, part, stream, partition, messages, bytes, set_digest, signers)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(convert::int("epoch", volume.epoch)?)
        .bind(volume.part.as_slice())
        .bind(planned.part.stream.as_str())
        .bind(i32::try_from(planned.part.partition).unwrap_or(i32::MAX))
        .bind(convert::int("messages", volume.messages)?)
        .bind(convert::int("bytes", volume.bytes)?)
        .bind(volume.set_digest.as_slice())
        .bind(signers)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn write_payout(
    connection: &mut PgConnection,
    epoch: u64,
    payout: &EpochPayout,
) -> Result<(), DbError> {
    let epoch = convert::int("epoch", epoch)?;
    let int = |what, id: u64| convert::int(what, id);
    let lines = &payout.lines;
    sqlx::query(
        "INSERT INTO payout_lines (epoch, sponsorship_id, part, operator_id, kind, amount)
         SELECT $1, sponsorship, part, operator, kind, amount::numeric
         FROM unnest($2::bigint[], $3::bytea[], $4::bigint[], $5::text[], $6::text[])
             AS line (sponsorship, part, operator, kind, amount)",
    )
    .bind(epoch)
    .bind(lines.iter().map(|l| int("sponsorship id", l.sponsorship)).collect::<Result<Vec<_>, _>>()?)
    .bind(lines.iter().map(|l| l.part.to_vec()).collect::<Vec<_>>())
    .bind(lines.iter().map(|l| int("operator id", l.operator)).collect::<Result<Vec<_>, _>>()?)
    .bind(lines.iter().map(|l| kind_name(l.kind)).collect::<Vec<_>>())
    .bind(lines.iter().map(|l| l.amount.0.to_string()).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    let refunds: Vec<_> = payout.refunds.iter().filter(|(_, amount)| amount.0 > 0).collect();
    sqlx::query(
        "INSERT INTO refunds (epoch, sponsorship_id, amount)
         SELECT $1, sponsorship, amount::numeric FROM unnest($2::bigint[], $3::text[]) AS refund (sponsorship, amount)",
    )
    .bind(epoch)
    .bind(refunds.iter().map(|(id, _)| int("sponsorship id", **id)).collect::<Result<Vec<_>, _>>()?)
    .bind(refunds.iter().map(|(_, amount)| amount.0.to_string()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
