//! What became of each epoch, read from the indexer's database.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Serialize;
use sqlx::PgPool;
use tatum_protocol::amount::Wei;

/// One epoch's way from messages to payouts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EpochReport {
    pub epoch: u64,
    /// `open` .. `final`, see `migrations/0003_epochs.sql`.
    pub status: String,
    /// Certified.
    pub messages: u64,
    pub bytes: u64,
    /// Bandwidth and delivery receipts accepted.
    pub receipts: u64,
    /// Stream parts with a certified volume, of those sponsored.
    pub certified_parts: u32,
    pub sponsored_parts: u32,
    pub root: Option<String>,
    #[serde(serialize_with = "wei")]
    pub scheduled: Wei,
    /// By operator id.
    #[serde(serialize_with = "wei_by_id")]
    pub earned: BTreeMap<u64, Wei>,
    #[serde(serialize_with = "wei")]
    pub refunded: Wei,
}

impl EpochReport {
    /// Whether its payouts are on chain.
    pub fn is_settled(&self) -> bool {
        matches!(self.status.as_str(), "paid" | "final")
    }

    /// Whether it was not certified in time: what was computed for it is never paid.
    pub fn is_lapsed(&self) -> bool {
        self.status == "lapsed"
    }

    /// Whether `paid + refunded == scheduled`.
    pub fn is_exact(&self) -> bool {
        let earned = Wei::checked_sum(self.earned.values().copied());
        earned.and_then(|earned| earned.checked_add(self.refunded)) == Some(self.scheduled)
    }
}

/// Amounts leave as decimal strings: JSON's numbers would round them.
fn wei<S: serde::Serializer>(amount: &Wei, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&amount.0)
}

fn wei_by_id<S: serde::Serializer>(amounts: &BTreeMap<u64, Wei>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(amounts.iter().map(|(id, amount)| (id.to_string(), amount.0.to_string())))
}

#[derive(sqlx::FromRow)]
struct EpochRow {
    epoch: i64,
    status: String,
    messages: i64,
    bytes: i64,
    receipts: i64,
    certified_parts: i32,
    sponsored_parts: i32,
    root: Option<Vec<u8>>,
    // As text: exact, and an amount is digits only.
    scheduled: String,
    refunded: String,
}

const EPOCHS: &str =
    "SELECT epoch, status, messages, bytes, certified_parts, sponsored_parts, root, scheduled::text,
    (SELECT count(*) FROM bandwidth_receipts r WHERE r.epoch = e.epoch)
        + (SELECT count(*) FROM delivery_receipts r WHERE r.epoch = e.epoch) AS receipts,
    (SELECT coalesce(sum(amount), 0)::text FROM refunds r WHERE r.epoch = e.epoch) AS refunded
    FROM epochs e WHERE epoch >= $1 ORDER BY epoch";

const EARNED: &str = "SELECT epoch, operator_id, sum(amount)::text AS amount
    FROM payout_lines WHERE epoch >= $1 GROUP BY epoch, operator_id";

/// Epochs from `first` on, oldest first.
pub(super) async fn epochs(database: &PgPool, first: u64) -> anyhow::Result<Vec<EpochReport>> {
    let first = i64::try_from(first)?;
    let rows: Vec<EpochRow> = sqlx::query_as(EPOCHS).bind(first).fetch_all(database).await?;
    let lines: Vec<(i64, i64, String)> = sqlx::query_as(EARNED).bind(first).fetch_all(database).await?;
    let mut earned: BTreeMap<i64, BTreeMap<u64, Wei>> = BTreeMap::new();
    for (epoch, operator, amount) in lines {
        earned.entry(epoch).or_default().insert(u64::try_from(operator)?, amount_of(&amount)?);
    }
    rows.into_iter()
        .map(|row| {
            Ok(EpochReport {
                epoch: u64::try_from(row.epoch)?,
                status: row.status,
                messages: u64::try_from(row.messages)?,
                bytes: u64::try_from(row.bytes)?,
                receipts: u64::try_from(row.receipts)?,
                certified_parts: u32::try_from(row.certified_parts)?,
                sponsored_parts: u32::try_from(row.sponsored_parts)?,
                root: row.root.map(|root| format!("0x{}", hex::encode(root))),
                scheduled: amount_of(&row.scheduled)?,
                earned: earned.remove(&row.epoch).unwrap_or_default(),
                refunded: amount_of(&row.refunded)?,
            })
        })
        .collect()
}

fn amount_of(digits: &str) -> anyhow::Result<Wei> {
    digits.parse().map(Wei).with_context(|| format!("`{digits}` is not a whole number of wei"))
}
