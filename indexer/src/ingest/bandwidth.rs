//! Bandwidth receipts: of each pair the highest sequence stays, contradictions go to `offences`.
//!
//! A contradicting receipt never replaces the one that came first, so nobody improves its position by signing twice.

use super::check::Bandwidth;
use super::offence;
use crate::counters::Refusal;
use crate::db::{DbError, convert};
use alloy::primitives::Address;
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};
use tatum_protocol::eip712::Domain;
use tatum_protocol::receipt::{BandwidthReceipt, Checked, Unchecked};

type Pair = (u64, Address, Address);

/// What became of one item, before the commit.
pub(super) type Fate = Result<(), (Refusal, String)>;

/// The receipts in force of the pairs of a batch.
#[derive(Debug, Default)]
pub(super) struct Book {
    latest: BTreeMap<Pair, Checked<BandwidthReceipt>>,
    changed: BTreeSet<Pair>,
    /// New offences.
    offences: u64,
}

fn pair(receipt: &BandwidthReceipt) -> Pair {
    (receipt.epoch, receipt.relayer, receipt.receiver)
}

impl Book {
    pub(super) async fn load<'a>(
        connection: &mut PgConnection,
        domain: &Domain,
        items: impl Iterator<Item = &'a Bandwidth>,
    ) -> Result<Self, DbError> {
        let pairs: BTreeSet<Pair> = items.map(|item| pair(item.receipt.receipt())).collect();
        if pairs.is_empty() {
            return Ok(Self::default());
        }
        let mut columns = (Vec::new(), Vec::new(), Vec::new());
        for (epoch, relayer, receiver) in &pairs {
            columns.0.push(convert::int("epoch", *epoch)?);
            columns.1.push(relayer.to_vec());
            columns.2.push(receiver.to_vec());
        }
        let bodies: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT body FROM bandwidth_receipts
             JOIN unnest($1::bigint[], $2::bytea[], $3::bytea[]) AS pair (epoch, relayer, receiver)
             USING (epoch, relayer, receiver)",
        )
        .bind(columns.0)
        .bind(columns.1)
        .bind(columns.2)
        .fetch_all(connection)
        .await?;
        let mut latest = BTreeMap::new();
        for body in bodies {
            let unchecked: Unchecked<BandwidthReceipt> = convert::from_body("bandwidth receipt", &body)?;
            let checked =
                unchecked.check(domain).map_err(|failed| convert::damaged("bandwidth receipt", failed))?;
            latest.insert(pair(checked.receipt()), checked);
        }
        Ok(Self { latest, ..Self::default() })
    }

    /// Judges one receipt against the one in force. `late` says why it cannot be counted any more, if so.
    pub(super) async fn enter(
        &mut self,
        connection: &mut PgConnection,
        item: Bandwidth,
        late: Option<String>,
    ) -> Result<Fate, DbError> {
        let key = pair(item.receipt.receipt());
        if let Some(kept) = self.latest.get(&key) {
            if let Some(offence) = offence::find(kept, &item.receipt, item.operator) {
                let reason = format!(
                    "{}: contradicts sequence {} of the same pair; both are kept as an offence",
                    offence.kind.name(),
                    kept.receipt().sequence
                );
                if offence::keep(connection, offence).await? {
                    self.offences += 1;
                }
                return Ok(Err((Refusal::Contradiction, reason)));
            }
            if item.receipt.receipt().sequence <= kept.receipt().sequence {
                return Ok(Ok(()));
            }
        }
        if let Some(reason) = late {
            return Ok(Err((Refusal::Late, reason)));
        }
        self.latest.insert(key, item.receipt);
        self.changed.insert(key);
        Ok(Ok(()))
    }

    /// Writes what changed; the number of new offences.
    pub(super) async fn write(mut self, connection: &mut PgConnection) -> Result<u64, DbError> {
        if self.changed.is_empty() {
            return Ok(self.offences);
        }
        let (mut epochs, mut sequences) = (Vec::new(), Vec::new());
        let (mut relayers, mut receivers, mut digests, mut bodies) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for key in &self.changed {
            let Some(checked) = self.latest.remove(key) else { continue };
            epochs.push(convert::int("epoch", key.0)?);
            relayers.push(key.1.to_vec());
            receivers.push(key.2.to_vec());
            sequences.push(i64::from(checked.receipt().sequence));
            digests.push(checked.digest().to_vec());
            bodies.push(convert::body("bandwidth receipt", &checked.into_unchecked())?);
        }
        sqlx::query(
            "INSERT INTO bandwidth_receipts (epoch, relayer, receiver, sequence, digest, body)
             SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bytea[], $6::bytea[])
             ON CONFLICT (epoch, relayer, receiver) DO UPDATE
             SET sequence = excluded.sequence, digest = excluded.digest, body = excluded.body, received_at = now()
             WHERE bandwidth_receipts.sequence < excluded.sequence",
        )
        .bind(epochs)
        .bind(relayers)
        .bind(receivers)
        .bind(sequences)
        .bind(digests)
        .bind(bodies)
        .execute(connection)
        .await?;
        Ok(self.offences)
    }
}
