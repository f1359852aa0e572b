//! The sponsorship that pays for the devnet's stream, topped up when it is nearly over.

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
/// Paid for at a time: 10 hours of the default epochs.
const EPOCHS: u64 = 3_600;
/// Epochs left below which it is topped up.
const RENEW_BELOW: u64 = 360;
/// A call may be mined in a later epoch than it was estimated in, where it makes a segment more.
const TOP_UP_GAS: u64 = 400_000;

/// The sponsorship in force, or about to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sponsorship {
    pub id: u64,
    /// The first epoch it pays for without a gap.
    pub start: u64,
    /// The first epoch it does not pay for.
    pub end: u64,
}

/// The stream's sponsorship, made to last a while.
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
    // The devnet has one stream, so the last sponsorship is the stream's.
    let mut id = contract.sponsorshipCount().call().await?;
    let unchanged =
        id != 0 && terms_of(&contract, deployment, id).await? == Some((redundancy, subscriber_share_bps));
    if unchanged && contract.sponsorships(id).call().await?.toEpoch > epoch.saturating_add(RENEW_BELOW) {
        return read(&contract, id).await;
    }
    let token = DataToken::new(deployment.token, client);
    let cost = RATE.saturating_mul(EPOCHS.into());
    confirm!(token.approve(deployment.sponsorships, U256::from(cost)), "approving the sponsorship");
    if unchanged {
        confirm!(contract.topUp(id, cost).gas(TOP_UP_GAS), "topping up the sponsorship");
    } else {
        // One later than the earliest: operators that stake meanwhile count from then on, and an epoch without brokers would only be
        // refunded. One with other terms pays beside those before it.
        let start = epoch.saturating_add(LEAD + 1);
        let created =
            contract.create(stream.to_owned(), 1, RATE, start, EPOCHS, redundancy, subscriber_share_bps);
        confirm!(created, "creating the sponsorship");
        id = contract.sponsorshipCount().call().await?;
    }
    read(&contract, id).await
}

async fn read(
    contract: &Sponsorships::SponsorshipsInstance<&DynProvider>,
    id: u64,
) -> anyhow::Result<Sponsorship> {
    let found = contract.sponsorships(id).call().await.context("the sponsorship is not there")?;
    Ok(Sponsorship { id, start: found.fromEpoch, end: found.toEpoch })
}

/// Redundancy and subscriber share of a sponsorship, which the contract keeps in its event only.
async fn terms_of(
    contract: &Sponsorships::SponsorshipsInstance<&DynProvider>,
    deployment: &Deployment,
    id: u64,
) -> anyhow::Result<Option<(u8, u16)>> {
    let created = contract.SponsorshipCreated_filter().topic1(U256::from(id));
    let found = created.from_block(deployment.deploy_block).query().await?;
    Ok(found.first().map(|(created, _)| (created.redundancy, created.subscriberShareBps)))
}
