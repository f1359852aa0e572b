//! Writes down what the chain says about epochs.

use super::PipelineError;
use crate::chain::{Chain, Facts, Posted};
use crate::numeric::from_u64;
use alloy::eips::BlockId;
use sqlx::{PgConnection, PgPool};

/// Brings the status of every proposed epoch in line with the contract at `facts`. True if anything changed.
pub(super) async fn reconcile(pool: &PgPool, chain: &Chain, facts: &Facts) -> Result<bool, PipelineError> {
    let mut changed = take_back(pool, facts).await?;
    changed |= mark_lapsed(pool, chain).await?;
    if let Some(posted) = facts.posted {
        changed |= mark_posted(pool, chain, &posted).await?;
        if facts.all_paid() {
            changed |= mark_paid(pool, chain, &posted).await?;
        }
        changed |= mark_final(pool, chain).await?;
    }
    Ok(changed)
}

/// A reorganisation took a post or a push back. What is final stays.
async fn take_back(pool: &PgPool, facts: &Facts) -> Result<bool, PipelineError> {
    let last = facts.posted.map_or(-1, |posted| from_u64(posted.epoch));
    let unposted = sqlx::query(
        "UPDATE epochs SET status = 'attested', post_tx = NULL, posted_at = NULL, paid_at = NULL \
         WHERE status IN ('posted', 'paid') AND epoch > $1",
    )
    .bind(last)
    .execute(pool)
    .await?;
    let mut changed = unposted.rows_affected();
    if !facts.all_paid() {
        let unpaid =
            "UPDATE epochs SET status = 'posted', paid_at = NULL WHERE status = 'paid' AND epoch = $1";
        changed += sqlx::query(unpaid).bind(last).execute(pool).await?.rows_affected();
    }
    if changed > 0 {
        tracing::warn!(epochs = changed, last_posted = last, "a reorganisation took posts or pushes back");
    }
    Ok(changed > 0)
}

/// Epochs with money that the chain has given up, and those that a reorganisation gave another chance. First, so that a post does
/// not count for what lapsed under it.
async fn mark_lapsed(pool: &PgPool, chain: &Chain) -> Result<bool, PipelineError> {
    let (first, next): (Vec<i64>, Vec<i64>) =
        chain.lapses().iter().map(|lapse| (from_u64(lapse.from_epoch), from_u64(lapse.to_epoch))).unzip();
    let taken_back = sqlx::query(
        "UPDATE epochs SET status = CASE WHEN root IS NULL THEN 'aggregated' ELSE 'proposed' END \
         WHERE status = 'lapsed' AND NOT EXISTS \
             (SELECT FROM unnest($1::bigint[], $2::bigint[]) AS lapse (first, next) WHERE epoch >= first AND epoch < next)",
    )
    .bind(&first)
    .bind(&next)
    .execute(pool)
    .await?
    .rows_affected();
    let lapsed = sqlx::query(
        "UPDATE epochs SET status = 'lapsed' FROM unnest($1::bigint[], $2::bigint[]) AS lapse (first, next) \
         WHERE epoch >= first AND epoch < next AND scheduled > 0 AND status IN ('aggregated', 'proposed', 'attested')",
    )
    .bind(&first)
    .bind(&next)
    .execute(pool)
    .await?
    .rows_affected();
    if lapsed > 0 {
        tracing::warn!(epochs = lapsed, "lapsed: not certified in time, nobody is paid for them");
    }
    Ok(taken_back + lapsed > 0)
}

async fn mark_posted(pool: &PgPool, chain: &Chain, posted: &Posted) -> Result<bool, PipelineError> {
    let epochs: Vec<i64> = sqlx::query_scalar(
        "SELECT epoch FROM epochs WHERE status IN ('proposed', 'attested') AND epoch <= $1 ORDER BY epoch",
    )
    .bind(from_u64(posted.epoch))
    .fetch_all(pool)
    .await?;
    for epoch in &epochs {
        let post = u64::try_from(*epoch).ok().and_then(|epoch| chain.post_of(epoch));
        sqlx::query("UPDATE epochs SET status = 'posted', posted_at = now(), post_tx = $2 WHERE epoch = $1")
            .bind(epoch)
            .bind(post.map(|post| post.transaction.to_vec()))
            .execute(pool)
            .await?;
        tracing::info!(epoch, under = posted.epoch, root = %posted.root, "posted");
    }
    Ok(!epochs.is_empty())
}

async fn mark_paid(pool: &PgPool, chain: &Chain, posted: &Posted) -> Result<bool, PipelineError> {
    let mut db = pool.begin().await?;
    let paid = sqlx::query(
        "UPDATE epochs SET status = 'paid', paid_at = now() WHERE status = 'posted' AND epoch <= $1",
    )
    .bind(from_u64(posted.epoch))
    .execute(&mut *db)
    .await?
    .rows_affected();
    if paid == 0 {
        return Ok(false);
    }
    for (leaf, transaction) in chain.pushes() {
        note_push(&mut db, posted.epoch, leaf.as_slice(), transaction.as_slice()).await?;
    }
    db.commit().await?;
    tracing::info!(epoch = posted.epoch, epochs = paid, total = %posted.total, "paid");
    Ok(true)
}

async fn note_push(
    db: &mut PgConnection,
    epoch: u64,
    leaf: &[u8],
    transaction: &[u8],
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE payout_chunks SET push_tx = $3 WHERE epoch = $1 AND leaf = $2")
        .bind(from_u64(epoch))
        .bind(leaf)
        .bind(transaction)
        .execute(db)
        .await?;
    Ok(())
}

/// An epoch is final when at the finalized block everything posted was paid, under its root or a later one. Pushes of later roots
/// may be under way at one finalized block; a later one shows them done.
async fn mark_final(pool: &PgPool, chain: &Chain) -> Result<bool, PipelineError> {
    let oldest: Option<i64> =
        sqlx::query_scalar("SELECT MIN(epoch) FROM epochs WHERE status = 'paid'").fetch_one(pool).await?;
    let post = oldest.and_then(|epoch| u64::try_from(epoch).ok()).and_then(|epoch| chain.post_of(epoch));
    let Some(post) = post else { return Ok(false) };
    let finalized = chain.finalized_number().await?;
    if finalized < post.block {
        return Ok(false);
    }
    let facts = chain.facts(finalized, BlockId::number(finalized)).await?;
    let Some(posted) = facts.posted.filter(|_| facts.all_paid()) else { return Ok(false) };
    let finals = sqlx::query(
        "UPDATE epochs SET status = 'final', final_at = now() WHERE status = 'paid' AND epoch <= $1",
    )
    .bind(from_u64(posted.epoch))
    .execute(pool)
    .await?
    .rows_affected();
    if finals > 0 {
        tracing::info!(epoch = posted.epoch, block = finalized, "final");
    }
    Ok(finals > 0)
}
