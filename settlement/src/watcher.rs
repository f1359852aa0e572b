//! Brings offences that the indexer found before the contract: `found -> submitted -> slashed | refused`.
//!
//! A proof is checked here first: what is in the table must prove itself, and only then costs gas. Offences of receivers that work
//! for no operator stay `found`: there is nothing to slash.

mod proof;

use crate::chain::Chain;
use crate::numeric::{Malformed, from_u256, to_b256};
use crate::sender::{Call, Sender, SenderError, Status};
use alloy::primitives::{B256, Bytes, U256};
use alloy::providers::Provider;
use sqlx::{PgPool, Row};
use std::sync::Arc;
use tatum_contracts::Event;

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
    #[error("the node at the RPC URL: {0}")]
    Rpc(#[from] alloy::transports::TransportError),
}

#[derive(Debug)]
pub struct Watcher {
    pool: PgPool,
    sender: Arc<Sender>,
}

struct Offence {
    slot: B256,
    kind: String,
    first: Vec<u8>,
    second: Vec<u8>,
}

impl Watcher {
    pub fn new(pool: PgPool, sender: Arc<Sender>) -> Self {
        Self { pool, sender }
    }

    /// Submits what was found and notes what became of what was submitted. True if anything moved.
    pub async fn step(&self, chain: &Chain) -> Result<bool, WatcherError> {
        let mut moved = false;
        for offence in self.offences("found").await? {
            self.submit(chain, offence).await?;
            moved = true;
        }
        for offence in self.offences("submitted").await? {
            moved |= self.conclude(chain, offence.slot).await?;
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

    async fn submit(&self, chain: &Chain, offence: Offence) -> Result<(), WatcherError> {
        let deployment = chain.deployment();
        let slot = offence.slot;
        let calldata: Bytes =
            match proof::calldata(&offence.kind, &offence.first, &offence.second, &deployment.domain()) {
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
        Ok(())
    }

    async fn conclude(&self, chain: &Chain, slot: B256) -> Result<bool, WatcherError> {
        let Some(transaction) = self.sender.find(&purpose(slot)).await? else {
            // Submitted with another key: that sender's transaction decides. The contract refuses a second proof.
            return Ok(false);
        };
        match (transaction.status, transaction.hash) {
            (Status::Reverted, _) => {
                self.refuse(slot, transaction.error.as_deref().unwrap_or("reverted")).await?;
                Ok(true)
            }
            (Status::Mined | Status::Final, Some(hash)) => {
                let Some(amount) = self.slashed_amount(chain, hash).await? else { return Ok(false) };
                sqlx::query("UPDATE offences SET status = 'slashed', amount = $2 WHERE slot = $1")
                    .bind(slot.as_slice())
                    .bind(from_u256(U256::from(amount)))
                    .execute(&self.pool)
                    .await?;
                tracing::warn!(%slot, amount, "stake slashed");
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// From the transaction's own events; `None` if a reorganisation has just taken it back.
    async fn slashed_amount(&self, chain: &Chain, hash: B256) -> Result<Option<u128>, WatcherError> {
        let Some(receipt) = chain.provider().get_transaction_receipt(hash).await? else { return Ok(None) };
        Ok(receipt.logs().iter().find_map(|log| match Event::decode(chain.deployment(), &log.inner) {
            Ok(Some(Event::OffenceProven { amount, .. })) => Some(amount),
            _ => None,
        }))
    }

    async fn refuse(&self, slot: B256, reason: &str) -> Result<(), WatcherError> {
        tracing::warn!(%slot, reason, "offence refused");
        sqlx::query("UPDATE offences SET status = 'refused', reason = $2 WHERE slot = $1")
            .bind(slot.as_slice())
            .bind(reason)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

fn purpose(slot: B256) -> String {
    format!("slash:{slot}")
}
