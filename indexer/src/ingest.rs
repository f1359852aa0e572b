//! Evidence comes in: check, store in one transaction, answer only after the commit.
//!
//! [`check`] judges an item by itself and against the plan of its epoch. [`store`] judges it against what is already in the
//! database, under a lock, and writes. Nothing is said to the sender before the commit: a sender forgets what was accepted.

mod bandwidth;
pub mod check;
mod deadline;
mod offence;
mod once;
mod rejected;
mod store;

pub use offence::{OffenceKind, slot};
pub use rejected::KEPT_REJECTIONS;

use crate::chain::Chain;
use crate::counters::Counters;
use crate::db::{Lock, convert};
use crate::time::Time;
use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;
use tatum_protocol::evidence::{Bundle, PayoutStatement};
use tatum_protocol::wire::{Evidence, MAX_ITEMS, Request, Response, Verdict};
use tokio::sync::Mutex;

/// Longest that a sender waits for a batch before it is told to come again.
const STORE_TIMEOUT: Duration = Duration::from_secs(20);

/// Answers control requests.
#[derive(Debug, Clone)]
pub struct Ingest {
    pool: PgPool,
    chain: Arc<dyn Chain>,
    counters: Arc<Counters>,
    time: Time,
    /// Batches are stored one at a time; waiting here costs no database connection.
    writer: Arc<Mutex<()>>,
}

impl Ingest {
    pub fn new(pool: PgPool, chain: Arc<dyn Chain>, counters: Arc<Counters>, time: Time) -> Self {
        Self { pool, chain, counters, time, writer: Arc::default() }
    }

    /// Answers one request of the named peer. Never fails: what cannot be answered is said in the response.
    pub async fn handle(&self, peer: &str, request: Request) -> Response {
        match request {
            Request::Submit(items) if items.len() > MAX_ITEMS => {
                Response::Error(format!("{} items; at most {MAX_ITEMS} are allowed", items.len()))
            }
            Request::Submit(items) => Response::Submitted(self.submit(peer, items).await),
            Request::Proposal => match self.proposal().await {
                Ok(statement) => Response::Proposal(statement),
                Err(error) => unavailable(&error),
            },
            Request::Bundle { epoch } => match self.bundle(epoch).await {
                Ok(bundle) => Response::Bundle(bundle),
                Err(error) => unavailable(&error),
            },
        }
    }

    async fn submit(&self, peer: &str, items: Vec<Evidence>) -> Vec<Verdict> {
        let count = items.len();
        let (chain, time) = (self.chain.clone(), self.time.clone());
        // Signatures cost 30 us to 2 ms each: not on the threads that serve the network.
        let judged = tokio::task::spawn_blocking(move || {
            items
                .into_iter()
                .map(|item| check::judge(chain.as_ref(), time.now_ms(), item))
                .collect::<Vec<_>>()
        });
        let Ok(judged) = judged.await else {
            return self.all_retry(count, "the check was interrupted");
        };
        let _turn = self.writer.lock().await;
        match tokio::time::timeout(STORE_TIMEOUT, self.store(peer, judged)).await {
            Ok(Ok(verdicts)) => verdicts,
            Ok(Err(error)) => {
                tracing::warn!(%error, peer, items = count, "evidence not stored; the sender is told to retry");
                self.all_retry(count, "the database is away")
            }
            Err(_) => {
                tracing::warn!(
                    peer,
                    items = count,
                    "evidence not stored in time; the sender is told to retry"
                );
                self.all_retry(count, "the database is slow")
            }
        }
    }

    fn all_retry(&self, count: usize, reason: &str) -> Vec<Verdict> {
        self.counters.retry(count);
        vec![Verdict::Retry(reason.to_owned()); count]
    }

    /// The proposal of the latest epoch, if it was not posted yet.
    async fn proposal(&self) -> Result<Option<PayoutStatement>, crate::db::DbError> {
        let row: Option<(i64, i64, Vec<u8>, String)> = sqlx::query_as(
            "SELECT epoch, checkpoint, root, total::text FROM epochs
             WHERE root IS NOT NULL AND status IN ('proposed', 'attested') ORDER BY epoch DESC LIMIT 1",
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some((epoch, checkpoint, root, total)) = row else { return Ok(None) };
        let epoch = convert::uint("epoch", epoch)?;
        if self.chain.last_posted().is_some_and(|posted| posted.epoch >= epoch) {
            return Ok(None);
        }
        Ok(Some(PayoutStatement {
            epoch,
            checkpoint: convert::uint("checkpoint", checkpoint)?,
            root: convert::hash("root", &root)?,
            total: convert::amount("total", &total)?,
        }))
    }

    async fn bundle(&self, epoch: u64) -> Result<Option<Bundle>, crate::db::DbError> {
        let Ok(epoch) = convert::int("epoch", epoch) else { return Ok(None) };
        let bytes: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT bundle FROM epochs WHERE epoch = $1 AND bundle IS NOT NULL")
                .bind(epoch)
                .fetch_optional(&self.pool)
                .await?;
        bytes.map(|bytes| convert::from_body("bundle", &bytes)).transpose()
    }
}

/// Waits until every batch that was judged before now is committed or gone: what is read afterwards is complete.
pub(crate) async fn settle(pool: &PgPool) -> sqlx::Result<()> {
    let mut transaction = pool.begin().await?;
    Lock::Ingest.take(&mut transaction).await?;
    transaction.commit().await
}

fn unavailable(error: &crate::db::DbError) -> Response {
    tracing::warn!(%error, "a request could not be answered");
    Response::Error("the database is away; ask again later".to_owned())
}
