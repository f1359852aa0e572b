//! After a pause: the epochs that nobody can be paid for any more are given up, in steps that fit a block.

use alloy::providers::DynProvider;
use anyhow::Context;
use tatum_contracts::abi::Sponsorships;
use tatum_contracts::deployment::Deployment;
use tatum_node::clock::now_ms;

use super::confirm;

/// Gives up, as anyone may, what no post reaches: a post that had to walk all epochs of a week would not fit into a block.
pub(in crate::devnet) async fn catch_up(client: &DynProvider, deployment: &Deployment) -> anyhow::Result<()> {
    let sponsorships = Sponsorships::new(deployment.sponsorships, client);
    let reach = deployment.terms.lapse_epochs.saturating_mul(2);
    // The chain's newest block is as old as the pause; the next one is of now.
    let now = deployment.clock().epoch_at_ms(now_ms()).unwrap_or(0);
    loop {
        let next = sponsorships.nextEpoch().call().await?;
        if next.saturating_add(reach) > now {
            return Ok(());
        }
        tracing::info!("epochs from {next} on were not certified in time, now it is {now}: they lapse");
        confirm!(sponsorships.lapse().gas(LAPSE_GAS), "giving up epochs");
    }
}

/// One storage read per epoch, about two thousand in a call. The estimate would be made for the old block's time.
const LAPSE_GAS: u64 = 12_000_000;
