//! Tables and their encodings: keys are big-endian so that they sort by epoch, values are postcard.

use redb::{Database, TableDefinition};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

pub(super) type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// epoch, relayer -> the last bandwidth receipt signed here
pub(super) const BANDWIDTH: Table = TableDefinition::new("bandwidth_signed");
/// epoch, receiver -> the last bandwidth receipt signed for us
pub(super) const HELD: Table = TableDefinition::new("bandwidth_held");
/// epoch -> totals of a closed epoch until its volumes are attested
pub(super) const CLOSED: Table = TableDefinition::new("closed");
/// epoch -> the delivery receipt signed for it: never two
pub(super) const DELIVERIES: Table = TableDefinition::new("deliveries");
/// epoch -> the payout statement signed for it: never two
pub(super) const PAYOUT_SLOTS: Table = TableDefinition::new("payout_slots");
/// indexer, 0, evidence key -> evidence
pub(super) const OUTBOX: Table = TableDefinition::new("outbox");

pub(super) const ALL: [Table; 6] = [BANDWIDTH, HELD, CLOSED, DELIVERIES, PAYOUT_SLOTS, OUTBOX];

/// Why the store cannot be used. None of them is worth retrying.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot open the store {}: {reason}. Is another node using this data folder?", path.display())]
    Open { path: PathBuf, reason: String },
    #[error("store: {0}")]
    Database(Box<redb::Error>),
    #[error("store: a value cannot be read: {0}")]
    Value(#[from] postcard::Error),
    #[error("store: cannot start its thread: {0}")]
    Thread(String),
    #[error("store: another delivery receipt was signed for epoch {0} before; refusing to sign a second one")]
    SecondDelivery(u64),
    #[error("store: another payout statement was signed for epoch {0} before; refusing to sign a second one")]
    SecondPayout(u64),
    #[error("the store has stopped")]
    Stopped,
}

impl StoreError {
    pub(super) fn open(path: &Path, reason: &impl ToString) -> Self {
        Self::Open { path: path.to_owned(), reason: reason.to_string() }
    }
}

macro_rules! from_redb {
    ($($error:ty),*) => {$(
        impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self::Database(Box::new(error.into()))
            }
        }
    )*};
}
from_redb!(redb::TransactionError, redb::TableError, redb::StorageError, redb::CommitError);

/// Makes every table, so that reading never finds one missing.
pub(super) fn create(database: &Database) -> Result<(), StoreError> {
    let transaction = database.begin_write()?;
    for table in ALL {
        transaction.open_table(table)?;
    }
    Ok(transaction.commit()?)
}

pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    Ok(postcard::to_stdvec(value)?)
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    Ok(postcard::from_bytes(bytes)?)
}
