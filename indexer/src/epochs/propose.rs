//! aggregated -> proposed: cumulative payouts since genesis, their tree in chunks, and the bundle that lets anyone recompute them.

use super::base::{self, Base};
use super::{EpochError, Pipeline, evidence};
use crate::chain::settled_plan;
use crate::db::{DbError, Lock, convert};
use alloy::primitives::U256;
use std::collections::BTreeSet;
use tatum_protocol::epoch::first_paid;
use tatum_protocol::evidence::{Bundle, MAX_BUNDLE_EPOCHS, PayoutStatement};
use tatum_protocol::payout::{Cumulative, PayoutTree};
use tatum_protocol::wire::MAX_RESPONSE_BYTES;

/// What one proposal writes.
struct Proposal {
    bundle: Bundle,
    bytes: Vec<u8>,
    tree: PayoutTree,
}

/// Room for the response's own tags around a bundle.
const ENVELOPE_BYTES: usize = 64;

impl Pipeline {
    /// Proposes the newest aggregated epoch that one bundle reaches, unless that is done already or too late.
    pub(super) async fn propose(&self) -> Result<(), EpochError> {
        let posted = self.chain.last_posted();
        let next = posted.map_or(0, |posted| posted.epoch.saturating_add(1));
        let Some((newest, _)) = self.with_money(next, u64::MAX).await?.pop() else { return Ok(()) };
        let (mut epoch, mut base) = (newest, None);
        loop {
            let first = first_paid(next, epoch, self.chain.lapse_epochs());
            let span = self.with_money(first, epoch).await?;
            // Nobody may post what is too old: it lapses, and what can still be paid is under a newer epoch.
            if span.last().is_none_or(|(_, proposed)| *proposed) || self.is_too_late(epoch) {
                return Ok(());
            }
            let epochs: Vec<u64> = span.iter().map(|(epoch, _)| *epoch).collect();
            if epochs.len() <= MAX_BUNDLE_EPOCHS {
                let base = match &mut base {
                    Some(base) => base,
                    none => none.insert(base::load(&self.pool, posted).await?),
                };
                let Some(proposal) = self.build(base, &epochs).await? else { return Ok(()) };
                if proposal.bytes.len() + ENVELOPE_BYTES <= MAX_RESPONSE_BYTES {
                    return self.write_proposal(base, proposal).await;
                }
                if epochs.len() == 1 {
                    return Err(EpochError::BundleTooLarge { epoch, bytes: proposal.bytes.len() });
                }
            }
            // Settle the older half first.
            let Some(middle) = epochs.len().checked_div(2).and_then(|half| epochs.get(half.checked_sub(1)?))
            else {
                return Ok(());
            };
            epoch = *middle;
        }
    }

    /// Aggregated epochs of this range (both ends included) with money in them, ascending, and whether they were proposed.
    async fn with_money(&self, first: u64, last: u64) -> Result<Vec<(u64, bool)>, EpochError> {
        let rows: Vec<(i64, bool)> = sqlx::query_as(
            "SELECT epoch, root IS NOT NULL FROM epochs
             WHERE epoch BETWEEN $1 AND $2 AND (sponsored_parts > 0 OR scheduled > 0) AND status NOT IN ('open', 'closing')
             ORDER BY epoch",
        )
        .bind(convert::int("epoch", first)?)
        .bind(i64::try_from(last).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(epoch, proposed)| Ok((convert::uint("epoch", epoch)?, proposed)))
            .collect::<Result<_, DbError>>()?)
    }

    fn is_too_late(&self, epoch: u64) -> bool {
        let now = self.chain.clock().epoch_at_ms(self.time.now_ms());
        now.is_some_and(|now| now.saturating_sub(epoch) > self.chain.lapse_epochs())
    }

    /// `None` if the chain view stepped back behind the end of an epoch, or went on past it.
    async fn build(&self, base: &Base, epochs: &[u64]) -> Result<Option<Proposal>, EpochError> {
        let mut cumulative = base.cumulative.clone();
        let mut evidences = Vec::with_capacity(epochs.len());
        let mut last = None;
        for epoch in epochs {
            let Some(plan) = settled_plan(self.chain.as_ref(), *epoch) else { return Ok(None) };
            let evidence = evidence::load(&self.pool, &plan).await?;
            cumulative.add(&self.compute(plan.clone(), evidence.clone()).await?)?;
            evidences.push(evidence);
            last = Some(plan);
        }
        let Some(plan) = last else { return Ok(None) };
        // A post that came meanwhile covers it.
        let Some(payable) = self.chain.payable_through(plan.epoch) else { return Ok(None) };
        let computed = cumulative.total();
        if payable != computed {
            return Err(EpochError::Unbalanced { epoch: plan.epoch, payable, computed });
        }
        let tree = cumulative.tree();
        let statement = PayoutStatement {
            epoch: plan.epoch,
            checkpoint: plan.checkpoint,
            root: tree.root(),
            total: cumulative.total(),
        };
        let bundle = Bundle {
            statement,
            base_entries: base.cumulative.entries(),
            base_epoch: base.epoch,
            epochs: evidences,
        };
        let bytes = convert::body("bundle", &bundle)?;
        Ok(Some(Proposal { bundle, bytes, tree }))
    }

    async fn write_proposal(&self, base: &Base, proposal: Proposal) -> Result<(), EpochError> {
        let PayoutStatement { epoch, checkpoint, root, total } = proposal.bundle.statement;
        let mut transaction = self.pool.begin().await?;
        Lock::Epochs.take(&mut transaction).await?;
        let done = sqlx::query(
            "UPDATE epochs SET status = 'proposed', checkpoint = $2, root = $3, total = $4::numeric, bundle = $5,
                 proposed_at = now()
             WHERE epoch = $1 AND status = 'aggregated'",
        )
        .bind(convert::int("epoch", epoch)?)
        .bind(convert::int("checkpoint", checkpoint)?)
        .bind(root.as_slice())
        .bind(total.to_string())
        .bind(proposal.bytes.as_slice())
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 1 {
            let paid = entry_set(&base.cumulative);
            for (chunk, (entries, leaf, proof)) in proposal.tree.chunks().enumerate() {
                sqlx::query(
                    "INSERT INTO payout_chunks (epoch, chunk, entries, leaf, proof, changed)
                     VALUES ($1, $2, $3::text[]::numeric[], $4, $5, $6)",
                )
                .bind(convert::int("epoch", epoch)?)
                .bind(i32::try_from(chunk).unwrap_or(i32::MAX))
                .bind(entries.iter().map(U256::to_string).collect::<Vec<_>>())
                .bind(leaf.as_slice())
                .bind(proof.iter().map(|hash| hash.to_vec()).collect::<Vec<_>>())
                .bind(entries.iter().any(|entry| !paid.contains(entry)))
                .execute(&mut *transaction)
                .await?;
            }
        }
        transaction.commit().await?;
        tracing::info!(epoch, %root, %total, spans = proposal.bundle.epochs.len(), "payout proposed");
        Ok(())
    }
}

fn entry_set(cumulative: &Cumulative) -> BTreeSet<U256> {
    cumulative.entries().into_iter().collect()
}
