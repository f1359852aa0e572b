//! Brings stored evidence to every configured indexer, until each has judged it.
//!
//! An indexer answers only after it has committed, so an entry is forgotten only when it is safe elsewhere or refused for good. Everything else
//! (no connection, no answer, "not now") is tried again, with growing pauses; a restart goes on where it stopped.

use crate::backoff::Backoff;
use crate::metrics::Metrics;
use crate::net::Network;
use crate::store::{Entry, Store, StoreError, Write};
use libp2p::PeerId;
use std::sync::Arc;
use std::time::Duration;
use tatum_protocol::wire::{Evidence, MAX_ITEMS, MAX_REQUEST_BYTES, Request, Response, Verdict};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How long an idle outbox sleeps unless it is woken.
const IDLE: Duration = Duration::from_secs(5);
/// Short, because what comes after the deadline for receipts is worth nothing.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// Bytes of one request: half of what is allowed, so that encoding never exceeds it.
const REQUEST_BYTES: usize = MAX_REQUEST_BYTES / 2;

/// One task for each indexer.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    pub(crate) network: Network,
    pub(crate) store: Store,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) filled: watch::Receiver<u64>,
}

/// Tells every outbox that something was put in; nothing told is lost while an outbox is busy.
#[derive(Debug, Clone)]
pub(crate) struct Filled(Arc<watch::Sender<u64>>);

impl Default for Filled {
    fn default() -> Self {
        Self(Arc::new(watch::channel(0).0))
    }
}

impl Filled {
    pub(crate) fn tell(&self) {
        self.0.send_modify(|times| *times = times.wrapping_add(1));
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

/// What one round came to.
enum Round {
    /// Everything was sent and judged.
    Empty,
    /// Some was judged, there may be more.
    Progress,
    /// Nothing could be done now.
    Stuck,
}

impl Outbox {
    pub(crate) async fn run(mut self, indexer: PeerId, shutdown: CancellationToken) {
        let name = indexer.to_string();
        let mut backoff = Backoff::new(Duration::from_millis(250), LONGEST_PAUSE);
        loop {
            self.filled.mark_unchanged();
            let round = tokio::select! {
                () = shutdown.cancelled() => return,
                round = self.round(indexer, &name) => round,
            };
            let pause = match &round {
                Ok(Round::Progress) => {
                    backoff.reset();
                    continue;
                }
                Ok(Round::Empty) => {
                    backoff.reset();
                    IDLE
                }
                Ok(Round::Stuck) => backoff.next(),
                // The writing thread has reported it and stops the node.
                Err(error) => {
                    tracing::error!(%error, "outbox stopped");
                    return;
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
                // The sender is gone when the node stops.
                Ok(()) = self.filled.changed(), if matches!(round, Ok(Round::Empty)) => {}
            }
        }
    }

    /// Sends all that waits, once.
    async fn round(&self, indexer: PeerId, name: &str) -> Result<Round, StoreError> {
        let (mut after, mut judged, mut kept) = (Vec::new(), 0_usize, 0_usize);
        loop {
            let batch = fitting(self.read(name, after.clone()).await?);
            let Some(last) = batch.last() else { break };
            after.clone_from(&last.key);
            let items = batch.iter().map(|entry| entry.evidence.clone()).collect();
            match self.network.request(indexer, Request::Submit(items)).await {
                Ok(Response::Submitted(verdicts)) if verdicts.len() == batch.len() => {
                    let settled = self.judge(name, batch, verdicts);
                    judged += settled.len();
                    kept += usize::from(settled.is_empty());
                    self.store.write_through(settled).await?;
                }
                Ok(other) => {
                    tracing::debug!(indexer = name, response = ?other, "indexer did not take the evidence");
                    return Ok(Round::Stuck);
                }
                Err(error) => {
                    tracing::debug!(indexer = name, %error, "indexer not reached");
                    return Ok(Round::Stuck);
                }
            }
        }
        Ok(match (judged, kept) {
            (0, 0) => Round::Empty,
            (0, _) => Round::Stuck,
            _ => Round::Progress,
        })
    }

    fn judge(&self, indexer: &str, batch: Vec<Entry>, verdicts: Vec<Verdict>) -> Vec<Write> {
        let mut settled = Vec::new();
        for (entry, verdict) in batch.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Accepted => self.metrics.evidence_accepted.add(1),
                Verdict::Rejected(reason) => {
                    self.metrics.evidence_rejected.add(1);
                    tracing::warn!(indexer, kind = kind(&entry.evidence), %reason, "evidence rejected");
                }
                Verdict::Retry(reason) => {
                    tracing::debug!(indexer, kind = kind(&entry.evidence), %reason, "evidence to be sent again");
                    continue;
                }
            }
            settled.push(Write::Settled { indexer: indexer.to_owned(), entry });
        }
        settled
    }

    async fn read(&self, indexer: &str, after: Vec<u8>) -> Result<Vec<Entry>, StoreError> {
        let (store, indexer) = (self.store.clone(), indexer.to_owned());
        tokio::task::spawn_blocking(move || store.outbox(&indexer, &after, MAX_ITEMS))
            .await
            .map_err(|_| StoreError::Stopped)?
    }
}

/// As many entries from the front as one request may carry, at least one.
fn fitting(mut entries: Vec<Entry>) -> Vec<Entry> {
    let mut bytes = 0;
    let count = entries.iter().take_while(|entry| {
        bytes += entry.size();
        bytes <= REQUEST_BYTES
    });
    let count = count.count().max(1);
    entries.truncate(count);
    entries
}

fn kind(evidence: &Evidence) -> &'static str {
    match evidence {
        Evidence::Bandwidth(_) => "bandwidth receipt",
        Evidence::Delivery(_) => "delivery receipt",
        Evidence::Volume(_) => "volume",
        Evidence::Payout(_) => "payout attestation",
    }
}
