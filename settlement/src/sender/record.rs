//! Rows of `transactions` and `transaction_attempts`.

use super::fees::Fees;
use super::{Call, SenderError};
use crate::numeric::{Malformed, from_u64, to_address, to_b256, to_u64, to_u128};
use alloy::primitives::{Address, B256, Bytes};
use bigdecimal::BigDecimal;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row};
use std::time::Duration;

/// How far a transaction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Committed to the database, perhaps signed, not known to have been sent.
    Intended,
    /// A node took it.
    Broadcast,
    /// Succeeded in a block.
    Mined,
    /// Succeeded in a finalized block.
    Final,
    /// Failed in a block. Its nonce is used up.
    Reverted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    pub id: i64,
    pub purpose: String,
    pub nonce: u64,
    pub target: Address,
    pub calldata: Bytes,
    pub gas_limit: u64,
    pub status: Status,
    pub block_number: Option<u64>,
    pub error: Option<String>,
    /// Hash of the attempt that was mined, or of the latest.
    pub hash: Option<B256>,
}

/// One signed form.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub hash: B256,
    pub raw: Vec<u8>,
    pub fees: Fees,
    pub age: Duration,
}

/// A receipt, as far as it is kept.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub block_number: u64,
    pub gas_used: u64,
    /// Why it reverted; `None` if it did not.
    pub error: Option<String>,
}

impl Status {
    fn parse(text: &str) -> Result<Self, Malformed> {
        Ok(match text {
            "intended" => Self::Intended,
            "broadcast" => Self::Broadcast,
            "mined" => Self::Mined,
            "final" => Self::Final,
            "reverted" => Self::Reverted,
            _ => {
                let (column, expected) = ("transactions.status", "a status this version knows");
                return Err(Malformed { column, expected, found: text.to_owned() });
            }
        })
    }
}

const COLUMNS: &str = "SELECT id, purpose, nonce, target, calldata, gas_limit, status, block_number, error, \
     (SELECT hash FROM transaction_attempts WHERE transaction_id = id ORDER BY max_fee DESC LIMIT 1) AS hash FROM transactions ";

fn transaction(row: &PgRow) -> Result<Transaction, SenderError> {
    let block: Option<i64> = row.try_get("block_number")?;
    let hash: Option<Vec<u8>> = row.try_get("hash")?;
    Ok(Transaction {
        id: row.try_get("id")?,
        purpose: row.try_get("purpose")?,
        nonce: to_u64("transactions.nonce", row.try_get("nonce")?)?,
        target: to_address("transactions.target", row.try_get("target")?)?,
        calldata: row.try_get::<Vec<u8>, _>("calldata")?.into(),
        gas_limit: to_u64("transactions.gas_limit", row.try_get("gas_limit")?)?,
        status: Status::parse(row.try_get("status")?)?,
        block_number: block.map(|number| to_u64("transactions.block_number", number)).transpose()?,
        error: row.try_get("error")?,
        hash: hash.map(|hash| to_b256("transaction_attempts.hash", &hash)).transpose()?,
    })
}

/// Rows of a purpose: itself and its repetitions after reverts.
const OF_PURPOSE: &str = "(purpose = $1 OR purpose LIKE $1 || '/%')";

/// `purpose` the first time, then `purpose/1`, `purpose/2` ...
pub(super) async fn next_purpose(db: &mut PgConnection, purpose: &str) -> Result<String, SenderError> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM transactions WHERE {OF_PURPOSE}"));
    let made: i64 = sqlx::query_scalar(sql).bind(purpose).fetch_one(db).await?;
    Ok(if made == 0 { purpose.to_owned() } else { format!("{purpose}/{made}") })
}

pub(super) async fn latest(
    pool: &PgPool,
    sender: &Address,
    purpose: &str,
) -> Result<Option<Transaction>, SenderError> {
    let sql =
        sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE {OF_PURPOSE} AND sender = $2 ORDER BY id DESC LIMIT 1"));
    let row = sqlx::query(sql).bind(purpose).bind(sender.as_slice()).fetch_optional(pool).await?;
    row.as_ref().map(transaction).transpose()
}

/// Inserts an intent with the nonce after the last of ours and of the chain's. Returns the nonce.
pub(super) async fn insert(
    db: &mut PgConnection,
    sender: &Address,
    purpose: &str,
    call: &Call,
    gas_limit: u64,
    chain_nonce: u64,
) -> Result<i64, SenderError> {
    let nonce = sqlx::query_scalar(
        "INSERT INTO transactions (purpose, sender, nonce, target, calldata, gas_limit, status) \
         SELECT $1, $2, GREATEST($3, COALESCE(MAX(nonce) + 1, 0)), $4, $5, $6, 'intended' \
         FROM transactions WHERE sender = $2 RETURNING nonce",
    )
    .bind(purpose)
    .bind(sender.as_slice())
    .bind(from_u64(chain_nonce))
    .bind(call.target.as_slice())
    .bind(call.calldata.as_ref())
    .bind(from_u64(gas_limit))
    .fetch_one(db)
    .await?;
    Ok(nonce)
}

/// Not mined yet, in nonce order.
pub(super) async fn pending(pool: &PgPool, sender: &Address) -> Result<Vec<Transaction>, SenderError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE sender = $1 AND status IN ('intended', 'broadcast') ORDER BY nonce LIMIT 256"
    ));
    let rows = sqlx::query(sql).bind(sender.as_slice()).fetch_all(pool).await?;
    rows.iter().map(transaction).collect()
}

/// In a block that was not final when last looked at: successes, and failures above the finalized block (they hold a nonce too).
pub(super) async fn unsettled(
    pool: &PgPool,
    sender: &Address,
    finalized: u64,
) -> Result<Vec<Transaction>, SenderError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE sender = $1 AND (status = 'mined' OR status = 'reverted' AND block_number > $2) \
         ORDER BY nonce LIMIT 256"
    ));
    let rows = sqlx::query(sql).bind(sender.as_slice()).bind(from_u64(finalized)).fetch_all(pool).await?;
    rows.iter().map(transaction).collect()
}

/// Latest (highest fee) first.
pub(super) async fn attempts(pool: &PgPool, id: i64) -> Result<Vec<Attempt>, SenderError> {
    let rows = sqlx::query(
        "SELECT hash, raw, max_fee, priority_fee, EXTRACT(EPOCH FROM now() - created_at)::FLOAT8 AS age \
         FROM transaction_attempts WHERE transaction_id = $1 ORDER BY max_fee DESC",
    )
    .bind(id)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let max: BigDecimal = row.try_get("max_fee")?;
            let priority: BigDecimal = row.try_get("priority_fee")?;
            let age: f64 = row.try_get("age")?;
            Ok(Attempt {
                hash: to_b256("transaction_attempts.hash", row.try_get("hash")?)?,
                raw: row.try_get("raw")?,
                fees: Fees {
                    max: to_u128("transaction_attempts.max_fee", &max)?,
                    priority: to_u128("transaction_attempts.priority_fee", &priority)?,
                },
                // A database clock that went back makes it negative.
                age: Duration::try_from_secs_f64(age).unwrap_or_default(),
            })
        })
        .collect()
}

pub(super) async fn add_attempt(pool: &PgPool, id: i64, attempt: &Attempt) -> Result<(), SenderError> {
    sqlx::query(
        "INSERT INTO transaction_attempts (transaction_id, hash, raw, max_fee, priority_fee) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id)
    .bind(attempt.hash.as_slice())
    .bind(&attempt.raw)
    .bind(BigDecimal::from(attempt.fees.max))
    .bind(BigDecimal::from(attempt.fees.priority))
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn set_broadcast(pool: &PgPool, id: i64) -> Result<(), SenderError> {
    sqlx::query(
        "UPDATE transactions SET status = 'broadcast', block_number = NULL, gas_used = NULL, error = NULL, updated_at = now() \
         WHERE id = $1",
    )
    .bind(id)
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn set_outcome(pool: &PgPool, id: i64, outcome: &Outcome) -> Result<(), SenderError> {
    sqlx::query(
        "UPDATE transactions SET status = $2, block_number = $3, gas_used = $4, error = $5, updated_at = now() WHERE id = $1",
    )
    .bind(id)
    .bind(if outcome.error.is_some() { "reverted" } else { "mined" })
    .bind(from_u64(outcome.block_number))
    .bind(from_u64(outcome.gas_used))
    .bind(&outcome.error)
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn set_final(pool: &PgPool, id: i64) -> Result<(), SenderError> {
    let sql =
        "UPDATE transactions SET status = 'final', updated_at = now() WHERE id = $1 AND status = 'mined'";
    sqlx::query(sql).bind(id).execute(pool).await?;
    Ok(())
}

/// Gives an intent whose nonce a stranger used a new one. Its attempts can never be mined: they go.
pub(super) async fn renumber(
    pool: &PgPool,
    sender: &Address,
    id: i64,
    chain_nonce: u64,
) -> Result<(), SenderError> {
    let mut db = pool.begin().await?;
    sqlx::query("DELETE FROM transaction_attempts WHERE transaction_id = $1")
        .bind(id)
        .execute(&mut *db)
        .await?;
    sqlx::query(
        "UPDATE transactions SET status = 'intended', updated_at = now(), nonce = GREATEST($3, \
         (SELECT MAX(nonce) + 1 FROM transactions WHERE sender = $2)) WHERE id = $1",
    )
    .bind(id)
    .bind(sender.as_slice())
    .bind(from_u64(chain_nonce))
    .execute(&mut *db)
    .await?;
    db.commit().await?;
    Ok(())
}
