//! Pushes the chunks of the latest posted root that somebody is still owed money by.

use super::{Next, Pipeline, PipelineError, Step, next};
use crate::chain::{Chain, Facts, Posted};
use crate::crash::CrashPoint;
use crate::numeric::{Malformed, from_u64, to_b256, to_u256};
use crate::sender::{Call, Prepared, SenderError};
use alloy::sol_types::SolCall;
use bigdecimal::BigDecimal;
use sqlx::{PgPool, Row};
use tatum_contracts::abi::settlement::Settlement::pushCall;
use tatum_protocol::{B256, U256};

/// Pushes made in one step: they wait for each other's nonces.
const MAX_PUSHES: usize = 16;

struct Chunk {
    number: i32,
    entries: Vec<U256>,
    proof: Vec<B256>,
}

impl Pipeline {
    pub(super) async fn push(
        &mut self,
        chain: &Chain,
        facts: &Facts,
        step: &mut Step,
    ) -> Result<(), PipelineError> {
        let Some(posted) = facts.posted else { return Ok(()) };
        if facts.all_paid() || !self.has_root(&posted, step).await? {
            return Ok(());
        }
        self.crash.reach(CrashPoint::AfterPostMinedBeforePush)?;
        self.settled.retain(|(epoch, _)| *epoch == posted.epoch);
        let mut prepared = Vec::new();
        for chunk in chunks(&self.pool, posted.epoch).await? {
            if prepared.len() == MAX_PUSHES {
                break;
            }
            prepared.extend(self.prepare_push(chain, &posted, chunk, step).await?);
        }
        if prepared.is_empty() {
            return Ok(());
        }
        let mut db = self.pool.begin().await?;
        for push in &prepared {
            self.sender.intend(&mut db, push).await?;
        }
        db.commit().await?;
        step.moved = true;
        Ok(())
    }

    /// `None` if this chunk needs no push now.
    async fn prepare_push(
        &mut self,
        chain: &Chain,
        posted: &Posted,
        chunk: Chunk,
        step: &mut Step,
    ) -> Result<Option<Prepared>, PipelineError> {
        if self.settled.contains(&(posted.epoch, chunk.number)) {
            return Ok(None);
        }
        let purpose = format!("push:{}:{}", posted.epoch, chunk.number);
        match next(self.sender.find(&purpose).await?) {
            Next::Make => {}
            Next::Wait => return Ok(None),
            Next::GiveUp(reason) => {
                step.stalled.push(reason);
                return Ok(None);
            }
        }
        if !chain.is_unpaid(&chunk.entries)? {
            self.settled.insert((posted.epoch, chunk.number));
            return Ok(None);
        }
        let calldata = pushCall { entries: chunk.entries, proof: chunk.proof }.abi_encode().into();
        let call = Call { purpose, target: chain.deployment().settlement, calldata };
        match self.sender.prepare(call).await {
            Ok(prepared) => Ok(Some(prepared)),
            Err(SenderError::WouldRevert { purpose, reason }) => {
                step.stalled.push(format!("{purpose} would revert: {reason}"));
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether our database has the chunks of the root that is on chain. Another indexer's root may differ from ours; then its
    /// settlement has the chunks, and our next root will build on it.
    async fn has_root(&self, posted: &Posted, step: &mut Step) -> Result<bool, PipelineError> {
        let ours: Option<Option<Vec<u8>>> = sqlx::query_scalar("SELECT root FROM epochs WHERE epoch = $1")
            .bind(from_u64(posted.epoch))
            .fetch_optional(&self.pool)
            .await?;
        match ours.flatten() {
            Some(root) if root == posted.root.as_slice() => Ok(true),
            Some(_) => {
                let Posted { epoch, root, .. } = posted;
                step.stalled
                    .push(format!("root {root} was posted for epoch {epoch}, the indexer computed another"));
                Ok(false)
            }
            // Not computed here yet.
            None => Ok(false),
        }
    }
}

async fn chunks(pool: &PgPool, epoch: u64) -> Result<Vec<Chunk>, PipelineError> {
    let sql = "SELECT chunk, entries, proof FROM payout_chunks WHERE epoch = $1 ORDER BY chunk";
    let rows = sqlx::query(sql).bind(from_u64(epoch)).fetch_all(pool).await?;
    rows.iter()
        .map(|row| {
            let entries: Vec<BigDecimal> = row.try_get("entries")?;
            let proof: Vec<Vec<u8>> = row.try_get("proof")?;
            Ok(Chunk {
                number: row.try_get("chunk")?,
                entries: entries
                    .iter()
                    .map(|entry| to_u256("payout_chunks.entries", entry))
                    .collect::<Result<_, Malformed>>()?,
                proof: proof
                    .iter()
                    .map(|hash| to_b256("payout_chunks.proof", hash))
                    .collect::<Result<_, Malformed>>()?,
            })
        })
        .collect()
}
