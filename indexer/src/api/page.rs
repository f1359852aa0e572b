//! Pages of lists: `?before=<epoch>&limit=<n>`, and paths that name an epoch.

use super::ApiError;
use crate::db::convert;
use serde::Deserialize;

const DEFAULT_LIMIT: u32 = 20;
const MAX_LIMIT: u32 = 200;

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// Only epochs below this one.
    before: Option<u64>,
    limit: Option<u32>,
}

impl Page {
    /// Exclusive upper bound, as a column compares it.
    pub(super) fn before(self) -> i64 {
        self.before.and_then(|epoch| i64::try_from(epoch).ok()).unwrap_or(i64::MAX)
    }

    pub(super) fn limit(self) -> Result<i64, ApiError> {
        match self.limit.unwrap_or(DEFAULT_LIMIT) {
            limit @ 1..=MAX_LIMIT => Ok(limit.into()),
            limit => Err(ApiError::BadRequest(format!("limit is {limit}; 1 to {MAX_LIMIT} are allowed"))),
        }
    }
}

/// A full page may be followed by another; a short one is the last.
pub(super) fn next_before(limit: i64, epochs: impl ExactSizeIterator<Item = u64>) -> Option<u64> {
    let full = i64::try_from(epochs.len()).is_ok_and(|count| count == limit);
    epochs.last().filter(|last| full && *last > 0)
}

/// An epoch of a path as a column holds it. One that does not fit cannot exist.
pub(super) fn epoch_column(epoch: u64) -> Result<i64, ApiError> {
    convert::int("epoch", epoch).map_err(|_| unknown_epoch(epoch))
}

pub(super) fn unknown_epoch(epoch: u64) -> ApiError {
    ApiError::NotFound(format!("epoch {epoch} is not known here; /epochs lists those that are"))
}
