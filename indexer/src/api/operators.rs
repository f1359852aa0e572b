//! `/operators`, `/operators/{id}/epochs` and `/earnings`.

use super::extract::{Path, Query};
use super::page::{Page, epoch_column, next_before};
use super::types::{
    ByKind, Earnings, EarningsRow, Operator, OperatorEarning, OperatorEpoch, OperatorEpochs, Operators,
};
use super::{ApiError, ApiState};
use crate::db::{DbError, convert};
use alloy::primitives::U256;
use axum::Json;
use axum::extract::State;
use sqlx::PgPool;
use std::collections::{BTreeMap, BTreeSet};

/// Sums of lines by kind.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    attester: U256,
    availability: U256,
    relay: U256,
    delivery: U256,
}

impl Sums {
    fn set(&mut self, kind: &str, amount: U256) {
        match kind {
            "attester" => self.attester = amount,
            "availability" => self.availability = amount,
            "relay" => self.relay = amount,
            // The column's constraint knows these four.
            _ => self.delivery = amount,
        }
    }

    fn total(&self) -> U256 {
        [self.availability, self.relay, self.delivery].into_iter().fold(self.attester, U256::saturating_add)
    }

    fn by_kind(&self) -> ByKind {
        ByKind {
            attester: self.attester.to_string(),
            availability: self.availability.to_string(),
            relay: self.relay.to_string(),
            delivery: self.delivery.to_string(),
        }
    }
}

/// Gathers rows of (key, kind, amount).
fn gather(rows: Vec<(i64, String, String)>) -> Result<BTreeMap<u64, Sums>, DbError> {
    let mut sums = BTreeMap::<u64, Sums>::new();
    for (key, kind, amount) in rows {
        sums.entry(convert::uint("id", key)?).or_default().set(&kind, convert::amount("amount", &amount)?);
    }
    Ok(sums)
}

pub(super) async fn list(State(state): State<ApiState>) -> Result<Json<Operators>, ApiError> {
    let rows = sqlx::query_as(
        "SELECT operator_id, kind, sum(amount)::text FROM payout_lines
         WHERE epoch NOT IN (SELECT epoch FROM epochs WHERE status = 'lapsed') GROUP BY operator_id, kind",
    )
    .fetch_all(&state.pool)
    .await?;
    let sums = gather(rows)?;
    let operators = state
        .chain
        .operators()
        .into_iter()
        .map(|facts| {
            let earned = sums.get(&facts.id).copied().unwrap_or_default();
            let paid = U256::from(facts.paid);
            Operator {
                id: facts.id,
                owner: facts.owner,
                nodes: facts.nodes,
                weight: facts.weight.to_string(),
                pool: facts.pool.to_string(),
                own: facts.own.to_string(),
                delegated: facts.pool.saturating_sub(facts.own).to_string(),
                delegators: facts.delegators,
                unbonding: facts.unbonding.to_string(),
                commission_bps: facts.commission_bps,
                earned: earned.total().to_string(),
                earned_by_kind: earned.by_kind(),
                paid: paid.to_string(),
                pending: earned.total().saturating_sub(paid).to_string(),
                slashed: facts.slashed.to_string(),
            }
        })
        .collect();
    Ok(Json(Operators { operators }))
}

pub(super) async fn epochs(
    State(state): State<ApiState>,
    Path(operator): Path<u64>,
    Query(page): Query<Page>,
) -> Result<Json<OperatorEpochs>, ApiError> {
    let unknown =
        || ApiError::NotFound(format!("operator {operator} is not registered; /operators lists all"));
    let id = i64::try_from(operator).map_err(|_| unknown())?;
    if state.chain.operators().iter().all(|facts| facts.id != operator) {
        return Err(unknown());
    }
    let limit = page.limit()?;
    let statuses: Vec<(i64, String)> = sqlx::query_as(
        "SELECT epoch, status FROM epochs WHERE epoch < $1 AND status NOT IN ('open', 'closing')
         ORDER BY epoch DESC LIMIT $2",
    )
    .bind(page.before())
    .bind(limit)
    .fetch_all(&state.pool)
    .await?;
    let numbers: Vec<i64> = statuses.iter().map(|(epoch, _)| *epoch).collect();
    let rows = sqlx::query_as(
        "SELECT epoch, kind, sum(amount)::text FROM payout_lines
         WHERE epoch = ANY($1) AND operator_id = $2 GROUP BY epoch, kind",
    )
    .bind(numbers)
    .bind(id)
    .fetch_all(&state.pool)
    .await?;
    let sums = gather(rows)?;
    let mut epochs = Vec::with_capacity(statuses.len());
    for (epoch, status) in statuses {
        let epoch = convert::uint("epoch", epoch)?;
        let earned = sums.get(&epoch).copied().unwrap_or_default();
        epochs.push(OperatorEpoch {
            epoch,
            status,
            earned: earned.total().to_string(),
            earned_by_kind: earned.by_kind(),
        });
    }
    let next_before = next_before(limit, epochs.iter().map(|epoch| epoch.epoch));
    Ok(Json(OperatorEpochs { operator, epochs, next_before }))
}

/// What each operator earned in one epoch.
pub(super) async fn earned_in(pool: &PgPool, epoch: u64) -> Result<Vec<OperatorEarning>, ApiError> {
    let rows = sqlx::query_as(
        "SELECT operator_id, kind, sum(amount)::text FROM payout_lines WHERE epoch = $1 GROUP BY operator_id, kind",
    )
    .bind(epoch_column(epoch)?)
    .fetch_all(pool)
    .await?;
    let earning = |(operator, sums): (u64, Sums)| OperatorEarning {
        operator,
        earned: sums.total().to_string(),
        earned_by_kind: sums.by_kind(),
    };
    Ok(gather(rows)?.into_iter().map(earning).collect())
}

pub(super) async fn earnings(
    State(state): State<ApiState>,
    Query(page): Query<Page>,
) -> Result<Json<Earnings>, ApiError> {
    let mut numbers: Vec<i64> = sqlx::query_scalar(
        "SELECT epoch FROM epochs WHERE epoch < $1 AND sponsored_parts > 0 AND status NOT IN ('open', 'closing', 'lapsed')
         ORDER BY epoch DESC LIMIT $2",
    )
    .bind(page.before())
    .bind(page.limit()?)
    .fetch_all(&state.pool)
    .await?;
    numbers.reverse();
    let rows: Vec<(i64, i64, String)> = sqlx::query_as(
        "SELECT operator_id, epoch, sum(amount)::text FROM payout_lines WHERE epoch = ANY($1) GROUP BY operator_id, epoch",
    )
    .bind(&numbers)
    .fetch_all(&state.pool)
    .await?;
    let mut amounts = BTreeMap::<(u64, i64), String>::new();
    let mut operators: BTreeSet<u64> = state.chain.operators().into_iter().map(|facts| facts.id).collect();
    for (operator, epoch, amount) in rows {
        let operator = convert::uint("operator id", operator)?;
        operators.insert(operator);
        amounts.insert((operator, epoch), amount);
    }
    let row = |operator: u64| EarningsRow {
        operator,
        amounts: numbers
            .iter()
            .map(|epoch| amounts.get(&(operator, *epoch)).cloned().unwrap_or_else(|| "0".to_owned()))
            .collect(),
    };
    let operators = operators.into_iter().map(row).collect();
    let epochs = numbers.iter().map(|epoch| convert::uint("epoch", *epoch)).collect::<Result<_, _>>()?;
    Ok(Json(Earnings { epochs, operators }))
}
