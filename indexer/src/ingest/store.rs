//! One batch, one transaction. Verdicts exist only after the commit.

use super::bandwidth::Book;
use super::check::{Bandwidth, Judged, Refused};
use super::deadline::{Timing, timing};
use super::once::{self, PayoutFate};
use super::{Ingest, rejected};
use crate::counters::{EvidenceKind, Refusal};
use crate::db::{DbError, Lock};
use serde::Serialize;
use tatum_protocol::receipt::Receipt;
use tatum_protocol::wire::{Evidence, Verdict};

/// What is counted and answered once the batch is committed.
enum Outcome {
    Accepted(EvidenceKind),
    Refused(Refused),
    Retry(String),
}

impl Ingest {
    pub(super) async fn store(&self, peer: &str, judged: Vec<Judged>) -> Result<Vec<Verdict>, DbError> {
        let mut transaction = self.pool.begin().await?;
        Lock::Ingest.take(&mut transaction).await?;
        let bandwidth = judged.iter().filter_map(|item| match item {
            Judged::Bandwidth(item) => Some(item.as_ref()),
            _ => None,
        });
        let mut book = Book::load(&mut transaction, self.chain.domain(), bandwidth).await?;
        let mut outcomes = Vec::with_capacity(judged.len());
        for item in judged {
            outcomes.push(self.enter(&mut transaction, &mut book, item).await?);
        }
        let offences = book.write(&mut transaction).await?;
        let refused: Vec<Refused> = outcomes
            .iter()
            .filter_map(|outcome| match outcome {
                Outcome::Refused(refused) => Some(refused.clone()),
                _ => None,
            })
            .collect();
        rejected::keep(&mut transaction, peer, &refused).await?;
        transaction.commit().await?;
        self.counters.offences_found(offences);
        Ok(outcomes.into_iter().map(|outcome| self.verdict(outcome)).collect())
    }

    async fn enter(
        &self,
        connection: &mut sqlx::PgConnection,
        book: &mut Book,
        item: Judged,
    ) -> Result<Outcome, DbError> {
        // The deadline is looked at again under the lock: whoever takes the lock after it sees everything that was in time.
        let late = |kind, epoch| match timing(&self.chain.clock(), kind, epoch, self.time.now_ms()) {
            Timing::Late(reason) => Some(reason),
            _ => None,
        };
        let (kind, fate, exhibit) = match item {
            Judged::Refused(refused) => return Ok(Outcome::Refused(refused)),
            Judged::Retry { reason } => return Ok(Outcome::Retry(reason)),
            Judged::Bandwidth(item) => {
                let kind = EvidenceKind::Bandwidth;
                let late = late(kind, item.receipt.receipt().epoch());
                let exhibit = Evidence::Bandwidth(item.receipt.clone().into_unchecked());
                let item: Bandwidth = *item;
                (kind, book.enter(connection, item, late).await?, exhibit)
            }
            Judged::Delivery(receipt) => {
                let kind = EvidenceKind::Delivery;
                let exhibit = Evidence::Delivery(receipt.as_ref().clone().into_unchecked());
                let fate = match late(kind, receipt.receipt().epoch()) {
                    Some(reason) => Err((Refusal::Late, reason)),
                    None => once::delivery(connection, *receipt).await?,
                };
                (kind, fate, exhibit)
            }
            Judged::Volume { attestation, digest } => {
                let kind = EvidenceKind::Volume;
                let fate = match late(kind, attestation.volume.epoch) {
                    Some(reason) => Err((Refusal::Late, reason)),
                    None => once::volume(connection, &attestation, digest).await?,
                };
                (kind, fate, Evidence::Volume(*attestation))
            }
            Judged::Payout { attestation, digest } => {
                match once::payout(connection, &attestation, digest, self.chain.domain()).await? {
                    PayoutFate::Judged(fate) => (EvidenceKind::Payout, fate, Evidence::Payout(*attestation)),
                    PayoutFate::NoProposal => {
                        let epoch = attestation.statement.epoch;
                        return Ok(Outcome::Retry(format!("epoch {epoch} has no proposal yet")));
                    }
                }
            }
        };
        Ok(match fate {
            Ok(()) => Outcome::Accepted(kind),
            Err((refusal, reason)) => {
                Outcome::Refused(Refused { kind, refusal, reason, body: exhibit_bytes(&exhibit) })
            }
        })
    }

    fn verdict(&self, outcome: Outcome) -> Verdict {
        match outcome {
            Outcome::Accepted(kind) => {
                self.counters.accept(kind, self.time.now_ms());
                Verdict::Accepted
            }
            Outcome::Refused(refused) => {
                self.counters.reject(refused.kind, refused.refusal);
                Verdict::Rejected(refused.reason)
            }
            Outcome::Retry(reason) => {
                self.counters.retry(1);
                Verdict::Retry(reason)
            }
        }
    }
}

fn exhibit_bytes(item: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(item).unwrap_or_default()
}
