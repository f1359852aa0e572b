//! The sponsorship that pays for the devnet's stream, and its successor when it is nearly over.

use alloy::primitives::U256;
use alloy::providers::DynProvider;
use anyhow::Context;
use tatum_contracts::abi::{DataToken, Sponsorships};
use tatum_contracts::deployment::Deployment;
use tatum_protocol::epoch::LEAD;

use super::{DATA, confirm};
use tatum_node::clock::now_ms;

/// Per epoch, for the stream's one partition.
const RATE: u128 = 100 * DATA;
/// Length of one sponsorship: 10 hours of the default epochs.
const EPOCHS: u64 = 3_600;
/// Epochs left below which the next one is created.
const RENEW_BELOW: u64 = 360;

/// The sponsorship in force, or about to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sponsorship {
    pub id: u64,
    /// The first epoch it pays for.
    pub start: u64,
    /// The first epoch it does not pay for.
    pub end: u64,
}

/// The stream's latest sponsorship, if it lasts a while; else a new one that begins where it ends.
pub async fn ensure_sponsorship(
    client: &DynProvider,
    deployment: &Deployment,
    stream: &str,
    redundancy: u8,
    subscriber_share_bps: u16,
) -> anyhow::Result<Sponsorship> {
    let contract = Sponsorships::new(deployment.sponsorships, client);
    // After a pause the chain's newest block is old: the clock says in which epoch the next one will be.
    let epoch =
        contract.currentEpoch().call().await?.max(deployment.clock().epoch_at_ms(now_ms()).unwrap_or(0));
    let latest = contract.sponsorshipCount().call().await?;
    // One later than the earliest: operators that stake meanwhile count from then on, and an epoch without brokers would only be
    // refunded.
    let mut start = epoch.saturating_add(LEAD + 1);
    // The devnet has one stream, so the last sponsorship is the stream's.
    if latest != 0 {
        let found = contract.sponsorships(latest).call().await?;
        let end = found.startEpoch.saturating_add(found.epochs);
        let unchanged = found.redundancy == redundancy && found.subscriberShareBps == subscriber_share_bps;
        if unchanged && end > epoch.saturating_add(RENEW_BELOW) {
            return Ok(Sponsorship { id: latest, start: found.startEpoch, end });
        }
        // Seamless if the old one still runs; one with other terms pays beside it.
        if unchanged && end >= epoch.saturating_add(LEAD + 2) {
            start = end;
        }
    }
    let token = DataToken::new(deployment.token, client);
    let cost = U256::from(RATE).saturating_mul(U256::from(EPOCHS));
    confirm!(token.approve(deployment.sponsorships, cost), "approving the sponsorship");
    let created =
        contract.create(stream.to_owned(), 1, RATE, start, EPOCHS, redundancy, subscriber_share_bps);
    confirm!(created, "creating the sponsorship");
    let id = contract.sponsorshipCount().call().await?;
    let made = contract.sponsorships(id).call().await.context("the created sponsorship is not there")?;
    Ok(Sponsorship { id, start: made.startEpoch, end: made.startEpoch.saturating_add(made.epochs) })
}
