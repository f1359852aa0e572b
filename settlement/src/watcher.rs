//! Brings offences that the indexer found before the contract: `found -> submitted -> slashed | refused`. Every proof is executed
//! at once; what others proved and left is executed too, before the stake it costs can leave.
//!
//! Slots are the contract's, so an offence that somebody else proved is found punished. A proof is checked here first: what is in the table must prove itself, and only then costs gas. Offences of receivers that work
//! for no operator stay `found`: there is nothing to slash.

mod proof;

use crate::chain::Chain;
use crate::numeric::{Malformed, to_b256};
use crate::sender::{Call, Sender, SenderError, Status, Transaction};
use alloy::primitives::{B256, Bytes};
use alloy::sol_types::SolCall;
use bigdecimal::BigDecimal;
use sqlx::{PgPool, Row};
use std::collections::BTreeSet;
use std::sync::Arc;
use tatum_contracts::abi::slashing::Slashing::executeCall;

/// Offences taken up in one step.
const MAX_OFFENCES: i64 = 16;

#[derive(Debug, thiserror::Error)]
pub enum WatcherError {
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error(transparent)]
    Sender(#[from] SenderError),
}

#[derive(Debug)]
pub struct Watcher {
    pool: PgPool,
    sender: Arc<Sender>,
    /// Slots whose execution would revert: no use in asking again.
    inexecutable: BTreeSet<B256>,
}

struct Offence {
    slot: B256,
    kind: String,
    first: Vec<u8>,
    second: Vec<u8>,
}

impl Watcher {
    pub fn new(pool: PgPool, sender: Arc<Sender>) -> Self {
        Self { pool, sender, inexecutable: BTreeSet::new() }
    }

    /// Submits what was found and notes what became of it, by whomever. True if anything moved.
    pub async fn step(&mut self, chain: &Chain) -> Result<bool, WatcherError> {
        let mut moved = self.execute(chain).await?;
        for status in ["found", "submitted"] {
            for offence in self.offences(status).await? {
                moved |= match (chain.penalty(&offence.slot), self.sender.find(&purpose(offence.slot)).await?)
                {
                    (Some(amount), _) => self.slashed(offence.slot, amount).await?,
                    // Proven by somebody else, and about to be executed.
                    (None, _) if chain.is_proven(&offence.slot) => false,
                    (None, None) => self.submit(chain, offence).await?,
                    (None, Some(Transaction { status: Status::Reverted, error, .. })) => {
                        self.refuse(offence.slot, error.as_deref().unwrap_or("reverted")).await?
                    }
                    // Under way, or mined and to be seen among the chain's events soon.
                    (None, Some(_)) => false,
                };
            }
        }
        Ok(moved)
    }

    /// Executes what is proven and not executed.
    async fn execute(&mut self, chain: &Chain) -> Result<bool, WatcherError> {
        let mut moved = false;
        for slot in chain.unexecuted() {
            let purpose = format!("execute:{slot}");
            if self.inexecutable.contains(&slot) || self.sender.find(&purpose).await?.is_some() {
                continue;
            }
            let calldata = executeCall { slot }.abi_encode().into();
            let call = Call { purpose, target: chain.deployment().slashing, calldata };
            match self.sender.prepare(call).await {
                Ok(prepared) => {
                    let mut db = self.pool.begin().await?;
                    self.sender.intend(&mut db, &prepared).await?;
                    db.commit().await?;
                    moved = true;
                }
                Err(SenderError::WouldRevert { reason, .. }) => {
                    tracing::warn!(%slot, reason, "a proven offence cannot be executed");
                    self.inexecutable.insert(slot);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(moved)
    }

    async fn offences(&self, status: &str) -> Result<Vec<Offence>, WatcherError> {
        let rows = sqlx::query(
            "SELECT slot, kind, first, second FROM offences \
             WHERE status = $1 AND operator_id IS NOT NULL ORDER BY found_at LIMIT $2",
        )
        .bind(status)
        .bind(MAX_OFFENCES)
        .fetch_all(&self.pool)
        .await?;
        let offence = |row: &sqlx::postgres::PgRow| {
            Ok(Offence {
                slot: to_b256("offences.slot", row.try_get("slot")?)?,
                kind: row.try_get("kind")?,
                first: row.try_get("first")?,
                second: row.try_get("second")?,
            })
        };
        rows.iter().map(offence).collect()
    }

    async fn submit(&self, chain: &Chain, offence: Offence) -> Result<bool, WatcherError> {
        let deployment = chain.deployment();
        let slot = offence.slot;
        let harmed = |part, epoch| chain.harmed(part, epoch);
        let calldata: Bytes = match proof::calldata(
            &offence.kind,
            &offence.first,
            &offence.second,
            &deployment.domain(),
            harmed,
        ) {
            Ok(calldata) => calldata,
            Err(error) => return self.refuse(slot, &error.to_string()).await,
        };
        let call = Call { purpose: purpose(slot), target: deployment.slashing, calldata };
        let prepared = match self.sender.prepare(call).await {
            Ok(prepared) => prepared,
            Err(SenderError::WouldRevert { reason, .. }) => return self.refuse(slot, &reason).await,
            Err(error) => return Err(error.into()),
        };
        let mut db = self.pool.begin().await?;
        self.sender.intend(&mut db, &prepared).await?;
        let sql = "UPDATE offences SET status = 'submitted' WHERE slot = $1";
        sqlx::query(sql).bind(slot.as_slice()).execute(&mut *db).await?;
        db.commit().await?;
        Ok(true)
    }

    async fn slashed(&self, slot: B256, amount: u128) -> Result<bool, WatcherError> {
        tracing::warn!(%slot, amount, "stake slashed");
        sqlx::query("UPDATE offences SET status = 'slashed', amount = $2 WHERE slot = $1")
            .bind(slot.as_slice())
            .bind(BigDecimal::from(amount))
            .execute(&self.pool)
            .await?;
        Ok(true)
    }

    async fn refuse(&self, slot: B256, reason: &str) -> Result<bool, WatcherError> {
        tracing::warn!(%slot, reason, "offence refused");
        sqlx::query("UPDATE offences SET status = 'refused', reason = $2 WHERE slot = $1")
            .bind(slot.as_slice())
            .bind(reason)
            .execute(&self.pool)
            .await?;
        Ok(true)
    }
}

fn purpose(slot: B256) -> String {
    format!("slash:{slot}")
}
