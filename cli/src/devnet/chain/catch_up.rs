//! After a pause: the schedule of the epochs that went by, summed up in steps that fit a block.

use alloy::providers::DynProvider;
use anyhow::Context;
use tatum_contracts::abi::{Settlement, Sponsorships};
use tatum_contracts::deployment::Deployment;

use super::confirm;

/// One storage read per epoch: this many cost about 5 million gas, and a block holds 30 million.
const STEP: u64 = 2_000;

/// Moves the schedule's cursor to within one step of now, as anyone may: a post that had to walk all epochs of a week would not fit into a
/// block.
pub(in crate::devnet) async fn catch_up(client: &DynProvider, deployment: &Deployment) -> anyhow::Result<()> {
    let sponsorships = Sponsorships::new(deployment.sponsorships, client);
    let settlement = Settlement::new(deployment.settlement, client);
    let closed = sponsorships.currentEpoch().call().await?.saturating_sub(1);
    let mut next = settlement.lastEpoch().call().await?.saturating_add(STEP);
    while next < closed {
        tracing::info!("summing up the schedule through epoch {next} of {closed}");
        confirm!(sponsorships.advance(next), "advancing the schedule");
        next = next.saturating_add(STEP);
    }
    Ok(())
}
