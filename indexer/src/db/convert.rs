//! Between protocol types and columns. Amounts travel as decimal text (`$1::numeric`, `amount::text`): exact, and without a
//! second big-number library.

use super::DbError;
use alloy::primitives::{Address, B256, U256};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// For a BIGINT column.
pub fn int(what: &'static str, value: u64) -> Result<i64, DbError> {
    i64::try_from(value).map_err(|_| DbError::Range { what, value })
}

/// From a BIGINT column that is never negative.
pub fn uint(what: &'static str, value: i64) -> Result<u64, DbError> {
    u64::try_from(value).map_err(|_| damaged(what, value))
}

pub fn amount(what: &'static str, text: &str) -> Result<U256, DbError> {
    text.parse().map_err(|_| damaged(what, text))
}

pub fn hash(what: &'static str, bytes: &[u8]) -> Result<B256, DbError> {
    B256::try_from(bytes).map_err(|_| damaged(what, format!("{} bytes instead of 32", bytes.len())))
}

pub fn address(what: &'static str, bytes: &[u8]) -> Result<Address, DbError> {
    Address::try_from(bytes).map_err(|_| damaged(what, format!("{} bytes instead of 20", bytes.len())))
}

/// Bodies are kept as they travel.
pub fn body<T: Serialize>(what: &'static str, value: &T) -> Result<Vec<u8>, DbError> {
    postcard::to_stdvec(value).map_err(|error| damaged(what, error))
}

pub fn from_body<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, DbError> {
    postcard::from_bytes(bytes).map_err(|error| damaged(what, error))
}

pub fn damaged(what: &'static str, detail: impl ToString) -> DbError {
    DbError::Damaged { what, detail: detail.to_string() }
}
