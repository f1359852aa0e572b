//! Follows the chain into the database, a batch per transaction, and folds what was committed into the view.
//!
//! A reorganisation is noticed and told; the rows above the last head that still stands are deleted and the view is folded anew.
//! Epochs that were aggregated or proposed on the abandoned blocks are not taken back: they are seen by their health.

use super::{Chain, FollowedChain, Head};
use crate::counters::Counters;
use crate::db::{DbError, Lock, convert};
use crate::progress::{Part, Progress};
use crate::time::Time;
use alloy::providers::Provider;
use sqlx::PgPool;
use sqlx::types::Json;
use std::sync::Arc;
use std::time::Duration;
use tatum_contracts::deployment::Deployment;
use tatum_contracts::event::ChainEvent;
use tatum_contracts::follow::{Batch, FollowError, Follower};
use tokio_util::sync::CancellationToken;

/// Newest first, a head is asked for this often.
const POLL: Duration = Duration::from_millis(500);
const POLL_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait after repeated failures.
const MAX_BACKOFF: Duration = Duration::from_secs(30);
/// Blocks above the newest that are waited for. None: a reorganisation is handled, and the protocol itself looks two epochs back.
const CONFIRMATIONS: u64 = 0;
/// Heads kept to step back to.
const KEPT_HEADS: i64 = 1000;

/// Why the chain was not followed further.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Follow(#[from] FollowError),
    #[error("the chain's node did not answer within {POLL_TIMEOUT:?}; check rpc_url")]
    Timeout,
}

impl From<sqlx::Error> for ChainError {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}

/// Restores the view from the database. To be called once, before anything asks the view.
pub async fn restore(pool: &PgPool, chain: &FollowedChain) -> Result<(), DbError> {
    let head: Option<(i64, Vec<u8>, i64)> =
        sqlx::query_as("SELECT number, hash, timestamp FROM chain_blocks ORDER BY number DESC LIMIT 1")
            .fetch_optional(pool)
            .await?;
    let events: Vec<Json<ChainEvent>> =
        sqlx::query_scalar("SELECT event FROM chain_events ORDER BY block_number, log_index")
            .fetch_all(pool)
            .await?;
    let events: Vec<ChainEvent> = events.into_iter().map(|Json(event)| event).collect();
    let head = head
        .map(|(number, hash, timestamp)| {
            Ok::<_, DbError>(Head {
                number: convert::uint("block number", number)?,
                hash: convert::hash("block hash", &hash)?,
                timestamp: convert::uint("timestamp", timestamp)?,
            })
        })
        .transpose()?;
    tracing::info!(events = events.len(), head = head.map(|head| head.number), "chain view restored");
    chain.reset(&events, head);
    Ok(())
}

/// Everything that following needs.
pub struct Following<P> {
    pub pool: PgPool,
    pub chain: Arc<FollowedChain>,
    pub provider: P,
    pub deployment: Deployment,
    pub counters: Arc<Counters>,
    pub progress: Arc<Progress>,
    pub time: Time,
}

impl<P> std::fmt::Debug for Following<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Following").field("chain", &self.chain).finish_non_exhaustive()
    }
}

/// Follows until told to stop.
pub async fn follow<P: Provider + Clone>(this: Following<P>, shutdown: CancellationToken) {
    let mut follower = this.follower();
    let mut failures = 0_u32;
    loop {
        let wait = match this.advance(&mut follower).await {
            Ok(caught_up) => {
                failures = 0;
                this.progress.succeeded(Part::Chain, this.time.now_ms());
                if caught_up { POLL } else { Duration::ZERO }
            }
            Err(error) => {
                tracing::warn!(%error, "the chain is not followed further for now");
                this.progress.failed(Part::Chain, &error);
                // What was handed out and not committed has to be asked for again.
                follower = this.follower();
                failures = failures.saturating_add(1);
                POLL.saturating_mul(1 << failures.min(6)).min(MAX_BACKOFF)
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

impl<P: Provider + Clone> Following<P> {
    fn follower(&self) -> Follower<P> {
        let (provider, deployment) = (self.provider.clone(), self.deployment.clone());
        match self.chain.head() {
            Some(head) => Follower::resume(provider, deployment, CONFIRMATIONS, head),
            None => Follower::new(provider, deployment, CONFIRMATIONS),
        }
    }

    /// One batch; true if the node has no more now.
    async fn advance(&self, follower: &mut Follower<P>) -> Result<bool, ChainError> {
        let polled =
            tokio::time::timeout(POLL_TIMEOUT, follower.poll()).await.map_err(|_| ChainError::Timeout)?;
        match polled {
            Ok(Some(batch)) => {
                self.store(&batch).await?;
                self.chain.apply(&batch.events, batch.head);
                Ok(batch.caught_up)
            }
            Ok(None) => Ok(true),
            Err(FollowError::Reorged { number, expected, found }) => {
                tracing::error!(number, %expected, ?found, "the chain was reorganised; stepping back");
                self.counters.reorganisation();
                self.step_back().await?;
                *follower = self.follower();
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn store(&self, batch: &Batch) -> Result<(), DbError> {
        let mut transaction = self.pool.begin().await?;
        Lock::Chain.take(&mut transaction).await?;
        let number = convert::int("block number", batch.head.number)?;
        sqlx::query(
            "INSERT INTO chain_blocks (number, hash, timestamp) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(number)
        .bind(batch.head.hash.as_slice())
        .bind(convert::int("timestamp", batch.head.timestamp)?)
        .execute(&mut *transaction)
        .await?;
        for event in &batch.events {
            sqlx::query(
                "INSERT INTO chain_events (block_number, log_index, event) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            )
            .bind(convert::int("block number", event.block)?)
            .bind(convert::int("log index", event.log_index)?)
            .bind(Json(event))
            .execute(&mut *transaction)
            .await?;
        }
        sqlx::query(
            "DELETE FROM chain_blocks
             WHERE number < (SELECT number FROM chain_blocks ORDER BY number DESC OFFSET $1 LIMIT 1)",
        )
        .bind(KEPT_HEADS)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets the newest head and what came after the one before it. Repeated until a head still stands.
    async fn step_back(&self) -> Result<(), DbError> {
        let mut transaction = self.pool.begin().await?;
        Lock::Chain.take(&mut transaction).await?;
        sqlx::query("DELETE FROM chain_blocks WHERE number = (SELECT max(number) FROM chain_blocks)")
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "DELETE FROM chain_events
             WHERE block_number > (SELECT coalesce(max(number), -1) FROM chain_blocks)",
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        restore(&self.pool, &self.chain).await
    }
}
