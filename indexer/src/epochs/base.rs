//! The posted root that a proposal builds on.

use super::EpochError;
use crate::chain::Posted;
use crate::db::convert;
use alloy::primitives::U256;
use sqlx::PgPool;
use tatum_protocol::payout::Cumulative;

/// Cumulative payouts under the last posted root.
#[derive(Debug, Clone, Default)]
pub(super) struct Base {
    pub(super) epoch: Option<u64>,
    pub(super) cumulative: Cumulative,
}

/// Reads the entries of the posted epoch back and holds them against the posted root.
pub(super) async fn load(pool: &PgPool, posted: Option<Posted>) -> Result<Base, EpochError> {
    let Some(posted) = posted else { return Ok(Base::default()) };
    let chunks: Vec<Vec<String>> =
        sqlx::query_scalar("SELECT entries::text[] FROM payout_chunks WHERE epoch = $1 ORDER BY chunk")
            .bind(convert::int("epoch", posted.epoch)?)
            .fetch_all(pool)
            .await?;
    if chunks.is_empty() {
        return Err(EpochError::UnknownBase { epoch: posted.epoch, root: posted.root });
    }
    let entries: Vec<U256> = chunks
        .iter()
        .flatten()
        .map(|entry| convert::amount("payout entry", entry))
        .collect::<Result<_, _>>()?;
    let cumulative = Cumulative::from_entries(&entries)?;
    match cumulative.tree().root() {
        root if root == posted.root => Ok(Base { epoch: Some(posted.epoch), cumulative }),
        found => Err(EpochError::DamagedBase { epoch: posted.epoch, expected: posted.root, found }),
    }
}
