//! Epochs on their way: open -> closing -> aggregated -> proposed. Settlement takes them further.
//!
//! - `open`: running. `closing`: over, evidence still comes in. Both are only marks of time.
//! - `aggregated`: volumes certified, the epoch's lines and refunds computed and written. An epoch without sponsored parts ends here.
//! - `proposed`: a root over the cumulative payouts, its chunks and the bundle that proves it are written.
//!
//! Every step is one transaction that does nothing when it was done before, so a killed indexer goes on where it was. A
//! proposal builds on the last *posted* root and spans every epoch since that has not lapsed: an epoch that never got posted is caught
//! up by the next. That an epoch lapsed is the chain's word, which settlement writes down.

mod aggregate;
mod base;
mod evidence;
mod propose;

use crate::chain::{Chain, known_plan};
use crate::db::{self, DbError, convert};
use crate::progress::{Part, Progress};
use crate::time::Time;
use alloy::primitives::{B256, U256};
use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;
use tatum_protocol::bls::BlsError;
use tatum_protocol::epoch::Deadline;
use tatum_protocol::evidence::EvidenceError;
use tatum_protocol::payout::{Overflow, TreeError};
use tokio_util::sync::CancellationToken;

/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(250);

/// Why an epoch does not go on. All but the database's errors mean that something is wrong that no retry mends.
#[derive(Debug, thiserror::Error)]
pub enum EpochError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("stored evidence of epoch {epoch}: {source}")]
    Evidence { epoch: u64, source: EvidenceError },
    #[error(transparent)]
    Overflow(#[from] Overflow),
    #[error("payout tree: {0}")]
    Tree(#[from] TreeError),
    #[error("certificate: {0}")]
    Certificate(#[from] BlsError),
    #[error(
        "REFUSED to go on with epoch {epoch}: {payable} wei are payable, payouts and refunds make {computed}; \
         the chain view and the formula disagree"
    )]
    Unbalanced { epoch: u64, payable: U256, computed: U256 },
    #[error(
        "root {root} is posted for epoch {epoch}, and this database does not hold its entries; \
         restore the database that proposed it"
    )]
    UnknownBase { epoch: u64, root: B256 },
    #[error("entries of epoch {epoch} have root {found}; posted is {expected}")]
    DamagedBase { epoch: u64, expected: B256, found: B256 },
    #[error(
        "the evidence of epoch {epoch} alone makes a bundle of {bytes} bytes, more than a response may hold"
    )]
    BundleTooLarge { epoch: u64, bytes: usize },
    #[error("a computation was interrupted")]
    Interrupted,
}

impl From<sqlx::Error> for EpochError {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}

/// Drives all epochs of one database.
#[derive(Debug, Clone)]
pub struct Pipeline {
    pool: PgPool,
    chain: Arc<dyn Chain>,
    time: Time,
}

impl Pipeline {
    pub fn new(pool: PgPool, chain: Arc<dyn Chain>, time: Time) -> Self {
        Self { pool, chain, time }
    }

    /// Steps until told to stop. An error is told and tried again: the database may come back, and what is refused stays refused.
    pub async fn run(self, progress: Arc<Progress>, shutdown: CancellationToken) {
        let mut last_error = String::new();
        loop {
            match self.step().await {
                Ok(()) => {
                    last_error.clear();
                    progress.succeeded(Part::Epochs, self.time.now_ms());
                }
                Err(error) => {
                    let text = error.to_string();
                    if text != last_error {
                        tracing::error!(error = text, "epochs do not go on");
                    }
                    progress.failed(Part::Epochs, &error);
                    last_error = text;
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Does everything that is due.
    pub async fn step(&self) -> Result<(), EpochError> {
        let now_ms = self.time.now_ms();
        let clock = self.chain.clock();
        let Some(current) = clock.epoch_at_ms(now_ms) else { return Ok(()) };
        self.open(current).await?;
        sqlx::query("UPDATE epochs SET status = 'closing' WHERE status = 'open' AND epoch < $1")
            .bind(convert::int("epoch", current)?)
            .execute(&self.pool)
            .await?;
        let unfinished: Vec<i64> =
            sqlx::query_scalar("SELECT epoch FROM epochs WHERE status = 'closing' ORDER BY epoch")
                .fetch_all(&self.pool)
                .await?;
        for epoch in unfinished {
            let epoch = convert::uint("epoch", epoch)?;
            let due = now_ms >= clock.deadline_ms(epoch, Deadline::Volumes);
            if !due || !self.aggregate(epoch).await? {
                break;
            }
        }
        self.propose().await
    }

    /// Makes the rows up to the current epoch.
    async fn open(&self, current: u64) -> Result<(), EpochError> {
        let last: Option<i64> =
            sqlx::query_scalar("SELECT max(epoch) FROM epochs").fetch_one(&self.pool).await?;
        let next = match last {
            Some(last) => convert::uint("epoch", last)?.saturating_add(1),
            None => self.first_epoch(current),
        };
        for epoch in next..=current {
            // The view is still behind: the rest is opened when it has come.
            let Some(plan) = known_plan(self.chain.as_ref(), epoch) else { break };
            if epoch == next || epoch % db::PARTITION_EPOCHS == 0 {
                self.make_partitions(epoch).await;
            }
            sqlx::query(
                "INSERT INTO epochs (epoch, status, checkpoint, sponsored_parts) VALUES ($1, 'open', $2, $3)
                 ON CONFLICT (epoch) DO NOTHING",
            )
            .bind(convert::int("epoch", epoch)?)
            .bind(convert::int("checkpoint", plan.checkpoint)?)
            .bind(i32::try_from(plan.parts.len()).unwrap_or(i32::MAX))
            .execute(&self.pool)
            .await?;
        }
        Ok(())
    }

    async fn make_partitions(&self, epoch: u64) {
        for epoch in [epoch, epoch.saturating_add(db::PARTITION_EPOCHS)] {
            if let Err(error) = db::ensure_partitions(&self.pool, epoch).await {
                tracing::warn!(%error, epoch, "no partition for this epoch's evidence; it goes to the default one");
            }
        }
    }

    /// Where an empty database begins: the first epoch with money in it, or now. The schedule never goes down, so it is found by halving.
    fn first_epoch(&self, current: u64) -> u64 {
        if self.chain.scheduled_through(current) == U256::ZERO {
            return current;
        }
        let (mut low, mut high) = (0, current);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.chain.scheduled_through(middle) == U256::ZERO { low = middle + 1 } else { high = middle }
        }
        low
    }
}
