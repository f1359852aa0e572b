//! Collects signatures under proposals and posts the newest root that has a quorum.

use super::{Next, Pipeline, PipelineError, Step, next};
use crate::certificate::{Certificate, OperatorSet};
use crate::chain::{Chain, Facts};
use crate::numeric::{from_u64, to_b256, to_u64, to_u256};
use crate::sender::{Call, SenderError};
use alloy::primitives::Bytes;
use alloy::sol_types::SolCall;
use bigdecimal::BigDecimal;
use sqlx::{PgPool, Row};
use tatum_contracts::abi::settlement::Settlement;
use tatum_protocol::epoch::{Deadline, EpochClock};
use tatum_protocol::evidence::PayoutStatement;

/// Newest proposals looked at; older ones are carried by any of these.
const MAX_PROPOSALS: i64 = 8;

impl Pipeline {
    pub(super) async fn post(
        &mut self,
        chain: &Chain,
        facts: &Facts,
        now_ms: u64,
        step: &mut Step,
    ) -> Result<(), PipelineError> {
        let domain = chain.deployment().domain();
        let clock = chain.deployment().clock();
        let proposals = proposals(&self.pool, facts).await?;
        let digests: Vec<_> = proposals.iter().map(|proposal| proposal.digest(&domain)).collect();
        self.collector.retain(&digests);
        for (proposal, digest) in proposals.iter().zip(digests) {
            let epoch = proposal.epoch;
            match next(self.sender.find(&purpose(epoch)).await?) {
                Next::Make => {}
                // Older epochs travel with it.
                Next::Wait => return Ok(()),
                Next::GiveUp(reason) => {
                    step.stalled.push(reason);
                    continue;
                }
            }
            let set = chain.operator_set(epoch)?;
            if set.checkpoint != proposal.checkpoint {
                step.stalled.push(format!(
                    "epoch {epoch} was proposed for checkpoint {}; the chain says {}",
                    proposal.checkpoint, set.checkpoint
                ));
                continue;
            }
            let signatures = self.collector.collect(&self.pool, epoch, digest, &set).await?;
            if !is_due(&set, signatures.keys().copied(), &clock, epoch, now_ms, step) {
                continue;
            }
            let certificate = match set.certify(&digest, &signatures) {
                Ok(certificate) => certificate,
                Err(error) => {
                    step.stalled.push(format!("epoch {epoch}: certificate refused before posting: {error}"));
                    continue;
                }
            };
            let call = Call {
                purpose: purpose(epoch),
                target: chain.deployment().settlement,
                calldata: calldata(proposal, certificate),
            };
            let prepared = match self.sender.prepare(call).await {
                Ok(prepared) => prepared,
                Err(SenderError::WouldRevert { reason, .. }) => {
                    step.stalled.push(format!("epoch {epoch} cannot be posted: {reason}"));
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let mut db = self.pool.begin().await?;
            self.sender.intend(&mut db, &prepared).await?;
            sqlx::query("UPDATE epochs SET status = 'attested', attested_at = now() WHERE epoch = $1")
                .bind(from_u64(epoch))
                .execute(&mut *db)
                .await?;
            db.commit().await?;
            tracing::info!(epoch, signers = signatures.len(), operators = set.members.len(), "attested");
            step.moved = true;
            return Ok(());
        }
        Ok(())
    }
}

fn purpose(epoch: u64) -> String {
    format!("post:{epoch}")
}

/// Epochs above the latest root on chain, newest first.
async fn proposals(pool: &PgPool, facts: &Facts) -> Result<Vec<PayoutStatement>, PipelineError> {
    let rows = sqlx::query(
        "SELECT epoch, checkpoint, root, total FROM epochs \
         WHERE status IN ('proposed', 'attested') AND epoch > $1 ORDER BY epoch DESC LIMIT $2",
    )
    .bind(facts.posted.map_or(-1, |posted| from_u64(posted.epoch)))
    .bind(MAX_PROPOSALS)
    .fetch_all(pool)
    .await?;
    let statement = |row: &sqlx::postgres::PgRow| {
        let total: BigDecimal = row.try_get("total")?;
        Ok(PayoutStatement {
            epoch: to_u64("epochs.epoch", row.try_get("epoch")?)?,
            checkpoint: to_u64("epochs.checkpoint", row.try_get("checkpoint")?)?,
            root: to_b256("epochs.root", row.try_get("root")?)?,
            total: to_u256("epochs.total", &total)?,
        })
    };
    rows.iter().map(statement).collect()
}

/// Everybody signed, or there is a quorum and the others had their time: who is absent earns nothing as an attester.
/// Without a quorum an epoch after the deadline the epoch is stalled.
fn is_due(
    set: &OperatorSet,
    signers: impl Iterator<Item = u64>,
    clock: &EpochClock,
    epoch: u64,
    now_ms: u64,
    step: &mut Step,
) -> bool {
    let tally = set.tally(signers);
    let deadline = clock.deadline_ms(epoch, Deadline::Attestations);
    if tally.has_quorum() {
        return tally.is_complete() || now_ms >= deadline;
    }
    if now_ms >= deadline.saturating_add(clock.length.saturating_mul(1000)) {
        step.stalled.push(format!(
            "epoch {epoch} has {} of {} operators' signatures with {} of {} stake; more than two thirds is needed",
            tally.signers, tally.members, tally.signed, tally.total
        ));
    }
    false
}

fn calldata(statement: &PayoutStatement, certificate: Certificate) -> Bytes {
    let Certificate { absentees, keys, aggregate, apk, signature } = certificate;
    let call = Settlement::postCall {
        epoch: statement.epoch,
        root_: statement.root,
        total_: statement.total,
        certificate: Settlement::Certificate { absentees, keys, aggregate, apk, signature },
    };
    call.abi_encode().into()
}
