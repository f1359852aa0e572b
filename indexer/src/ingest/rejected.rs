//! Refused evidence, kept with its reason: an operator whose receipts are refused can see why. The oldest leave first.

use super::check::Refused;
use crate::db::DbError;
use sqlx::PgConnection;

/// Rows that `rejected_evidence` holds at most.
pub const KEPT_REJECTIONS: i64 = 10_000;
/// Bytes of each exhibit that are kept; the reason is always whole.
const KEPT_BYTES: usize = 32 << 10;

pub(super) async fn keep(
    connection: &mut PgConnection,
    peer: &str,
    refused: &[Refused],
) -> Result<(), DbError> {
    if refused.is_empty() {
        return Ok(());
    }
    let kinds: Vec<&str> = refused.iter().map(|r| r.kind.name()).collect();
    let reasons: Vec<&str> = refused.iter().map(|r| r.reason.as_str()).collect();
    let bodies: Vec<&[u8]> = refused.iter().map(|r| r.body.get(..KEPT_BYTES).unwrap_or(&r.body)).collect();
    let last: i64 = sqlx::query_scalar(
        "WITH added AS (
             INSERT INTO rejected_evidence (peer, kind, reason, body)
             SELECT $1, kind, reason, body FROM unnest($2::text[], $3::text[], $4::bytea[]) AS r (kind, reason, body)
             RETURNING id)
         SELECT max(id) FROM added",
    )
    .bind(peer)
    .bind(kinds)
    .bind(reasons)
    .bind(bodies)
    .fetch_one(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM rejected_evidence WHERE id <= $1")
        .bind(last - KEPT_REJECTIONS)
        .execute(connection)
        .await?;
    Ok(())
}
