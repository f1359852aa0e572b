//! `GET /healthz`: whether there is progress. An open port proves nothing.

use super::ApiState;
use super::types::Health;
use crate::db::{DbError, convert};
use crate::progress::Part;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use tatum_protocol::epoch::{Deadline, EpochClock};

pub(super) async fn healthz(State(state): State<ApiState>) -> (StatusCode, Json<Health>) {
    let health = assess(&state).await;
    let status = if health.healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health))
}

/// How far the followed head may lag, and how long past its deadline an epoch may be unproposed: half an epoch, at least 15 s.
fn patience_ms(clock: &EpochClock) -> u64 {
    (clock.length.saturating_mul(1000) / 2).max(15_000)
}

pub(super) async fn assess(state: &ApiState) -> Health {
    let now = state.time.now_ms();
    let clock = state.chain.clock();
    let patience = patience_ms(&clock);
    let mut reasons = Vec::new();

    let head_age_ms = state.chain.head().map(|head| now.saturating_sub(head.timestamp.saturating_mul(1000)));
    let (followed_at, chain_error) = state.progress.of(Part::Chain);
    match head_age_ms {
        None => reasons.push("no block was followed yet".to_owned()),
        Some(age) if age > patience => {
            reasons.push(format!("the followed head is {age} ms old; expected at most {patience} ms"))
        }
        Some(_) => {}
    }
    if let Some(error) = chain_error {
        let since = followed_at.map(|at| now.saturating_sub(at));
        reasons.push(format!("chain follower, last success {} ms ago: {error}", shown(since)));
    }
    if let (_, Some(error)) = state.progress.of(Part::Epochs) {
        reasons.push(format!("epochs: {error}"));
    }
    let oldest_due_epoch = match oldest_due(state, &clock, now, patience).await {
        Ok(Some(epoch)) => {
            let due = clock.deadline_ms(epoch, Deadline::Volumes);
            reasons
                .push(format!("epoch {epoch} should have been proposed {} ms ago", now.saturating_sub(due)));
            Some(epoch)
        }
        Ok(None) => None,
        Err(error) => {
            reasons.push(format!("database: {error}"));
            None
        }
    };
    Health {
        healthy: reasons.is_empty(),
        reasons,
        head_age_ms,
        oldest_due_epoch,
        last_receipt_age_ms: state.counters.last_accepted_ms().map(|at| now.saturating_sub(at)),
    }
}

fn shown(age: Option<u64>) -> String {
    age.map_or_else(|| "never".to_owned(), |age| age.to_string())
}

/// The oldest epoch with money in it that no proposal covers though it is long due. Epochs without a row yet count as due too.
async fn oldest_due(
    state: &ApiState,
    clock: &EpochClock,
    now: u64,
    patience: u64,
) -> Result<Option<u64>, DbError> {
    let (first_open, newest): (Option<i64>, Option<i64>) = sqlx::query_as(
        "SELECT min(epoch) FILTER (WHERE (sponsored_parts > 0 OR scheduled > 0)
                    AND epoch > (SELECT coalesce(max(epoch), -1) FROM epochs WHERE root IS NOT NULL)),
                max(epoch)
         FROM epochs",
    )
    .fetch_one(&state.pool)
    .await?;
    let overdue = |epoch: &u64| now > clock.deadline_ms(*epoch, Deadline::Volumes).saturating_add(patience);
    let posted = state.chain.last_posted().map(|posted| posted.epoch);
    let waiting = first_open.map(|epoch| convert::uint("epoch", epoch)).transpose()?;
    let missing =
        newest.map(|epoch| convert::uint("epoch", epoch)).transpose()?.map(|epoch| epoch.saturating_add(1));
    Ok(waiting
        .into_iter()
        .chain(missing)
        .filter(|epoch| posted.is_none_or(|posted| *epoch > posted))
        .find(overdue))
}
