//! The payout, computed a second time by other code: from the rows of the database and the plan, in exact fractions.
//!
//! `tatum_protocol::payout` divides step by step and rounds down at each. This module follows `docs/accounting.md` line by line
//! instead of that code, so that a slip in either shows as a difference of wei. It shares the assignment (who drew whom) and the receipts'
//! encoding, and nothing of the arithmetic.

use alloy::primitives::{Address, B256, U256, keccak256};
use anyhow::Context;
use sqlx::{PgPool, Row};
use std::collections::BTreeMap;
use tatum_protocol::id::Account;
use tatum_protocol::plan::{EpochPlan, PlannedPart, Receiver};
use tatum_protocol::receipt::{BandwidthReceipt, DeliveryReceipt, Unchecked};

type Amounts = BTreeMap<Account, U256>;

struct Volume {
    messages: u64,
    bytes: u64,
    set_digest: Vec<u8>,
}

struct Rows {
    volumes: BTreeMap<B256, Volume>,
    bandwidth: Vec<BandwidthReceipt>,
    deliveries: Vec<DeliveryReceipt>,
}

/// What one epoch pays and refunds, from the database's rows.
pub async fn epoch(pool: &PgPool, plan: &EpochPlan) -> anyhow::Result<Amounts> {
    let rows = load(pool, plan.epoch).await?;
    let mut amounts = Amounts::new();
    for (sponsorship, wei) in &plan.unallocated {
        *amounts.entry(Account::Sponsorship(*sponsorship)).or_default() += U256::from(wei.0);
    }
    for part in plan.parts.values() {
        for pot in &part.pots {
            let pot_wei = U256::from(pot.amount.0);
            let mut left = pot_wei;
            if let Some(volume) = rows.volumes.get(&part.key) {
                for (operator, wei) in earnings(plan, part, pot_wei, pot.subscriber_share_bps, volume, &rows)
                {
                    left -= wei;
                    *amounts.entry(Account::Operator(operator)).or_default() += wei;
                }
            }
            *amounts.entry(Account::Sponsorship(pot.sponsorship)).or_default() += left;
        }
    }
    amounts.retain(|_, wei| !wei.is_zero());
    Ok(amounts)
}

fn earnings(
    plan: &EpochPlan,
    part: &PlannedPart,
    pot: U256,
    subscriber_share_bps: u16,
    volume: &Volume,
    rows: &Rows,
) -> Vec<(u64, U256)> {
    let bps = |wei: U256, share: u16| wei * U256::from(share) / U256::from(10_000);
    let attesters = bps(pot, plan.shares.attester_bps);
    let after = pot - attesters;
    let mut availability = bps(after, plan.shares.availability_bps);
    let work = after - availability;
    let mut delivery = bps(work, subscriber_share_bps);
    let mut relay = work - delivery;
    let subscribers: Vec<&Receiver> = part.receivers.iter().filter(|r| r.broker_of.is_none()).collect();
    if subscribers.is_empty() {
        relay += delivery;
        delivery = U256::ZERO;
    }
    if part.assigned.len() < 2 {
        availability += relay;
        relay = U256::ZERO;
    }

    let mut earned = Vec::new();
    let stake: U256 = plan.attesters.iter().map(|(_, weight)| U256::from(*weight)).sum();
    for (operator, weight) in &plan.attesters {
        earned.push((*operator, attesters * U256::from(*weight) / stake));
    }
    let brokers: Vec<&Receiver> = part.receivers.iter().filter(|r| r.broker_of.is_some()).collect();
    for broker in brokers.iter().filter(|broker| matches(rows, part, volume, &broker.address)) {
        earned.push((broker.broker_of.unwrap_or_default(), availability / U256::from(part.assigned.len())));
    }
    let proven: Vec<&Receiver> =
        subscribers.into_iter().filter(|s| matches(rows, part, volume, &s.address)).collect();
    for (budget, receivers) in [(relay, brokers), (delivery, proven)] {
        for receiver in &receivers {
            for relayer in &receiver.relayers {
                if volume.bytes == 0 {
                    continue;
                }
                let share = budget / U256::from(receivers.len()) / U256::from(receiver.relayers.len());
                let confirmed = confirmed(rows, part, volume, &relayer.broker, &receiver.address);
                earned.push((relayer.operator, share * U256::from(confirmed) / U256::from(volume.bytes)));
            }
        }
    }
    earned
}

fn matches(rows: &Rows, part: &PlannedPart, volume: &Volume, receiver: &Address) -> bool {
    let custody = keccak256([volume.set_digest.as_slice(), receiver.as_slice()].concat());
    rows.deliveries
        .iter()
        .filter(|receipt| receipt.receiver == *receiver)
        .flat_map(|receipt| &receipt.deliveries)
        .any(|d| {
            d.part == part.key && (d.messages, d.bytes, d.custody) == (volume.messages, volume.bytes, custody)
        })
}

fn confirmed(rows: &Rows, part: &PlannedPart, volume: &Volume, relayer: &Address, receiver: &Address) -> u64 {
    let credited = rows
        .bandwidth
        .iter()
        .filter(|receipt| receipt.relayer == *relayer && receipt.receiver == *receiver)
        .flat_map(|receipt| &receipt.credits)
        .find(|credit| credit.part == part.key)
        .map_or(0, |credit| credit.bytes);
    let own = rows
        .deliveries
        .iter()
        .filter(|receipt| receipt.receiver == *receiver)
        .flat_map(|receipt| &receipt.deliveries)
        .find(|delivery| delivery.part == part.key)
        .map_or(u64::MAX, |delivery| delivery.bytes);
    credited.min(own).min(volume.bytes)
}

async fn load(pool: &PgPool, epoch: u64) -> anyhow::Result<Rows> {
    let epoch = i64::try_from(epoch)?;
    let mut volumes = BTreeMap::new();
    let sql = "SELECT part, messages, bytes, set_digest FROM volumes WHERE epoch = $1";
    for row in sqlx::query(sql).bind(epoch).fetch_all(pool).await? {
        let part = B256::try_from(row.try_get::<Vec<u8>, _>(0)?.as_slice())?;
        let volume = Volume {
            messages: u64::try_from(row.try_get::<i64, _>(1)?)?,
            bytes: u64::try_from(row.try_get::<i64, _>(2)?)?,
            set_digest: row.try_get(3)?,
        };
        volumes.insert(part, volume);
    }
    let bodies = |table: &'static str| async move {
        let sql = format!("SELECT body FROM {table} WHERE epoch = $1");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(epoch).fetch_all(pool).await?;
        rows.iter().map(|row| Ok(row.try_get::<Vec<u8>, _>(0)?)).collect::<anyhow::Result<Vec<_>>>()
    };
    let mut bandwidth = Vec::new();
    for body in bodies("bandwidth_receipts").await? {
        let receipt: Unchecked<BandwidthReceipt> =
            postcard::from_bytes(&body).context("a stored bandwidth receipt cannot be read")?;
        bandwidth.push(receipt.receipt);
    }
    let mut deliveries = Vec::new();
    for body in bodies("delivery_receipts").await? {
        let receipt: Unchecked<DeliveryReceipt> =
            postcard::from_bytes(&body).context("a stored delivery receipt cannot be read")?;
        deliveries.push(receipt.receipt);
    }
    Ok(Rows { volumes, bandwidth, deliveries })
}
