//! Funding of streams.

use alloy::{
    primitives::{Address, Bytes, U256},
    sol_types::SolValue,
};

use super::{Bench, Target, at_most, settlement::SETTLED};
use crate::{
    abi::{DataToken, Sponsorships},
    world::{DATA, World, somebody},
};

const SPONSOR: Option<Target> = at_most(120_000);
pub(super) const PARTITIONS: u32 = 4;
const RATE: u128 = 10 * DATA;
const YEAR: u64 = 365 * 24;
const YEARS_COST: u128 = RATE * 8_760;

fn sponsor_of(n: u64) -> Address {
    somebody(&format!("sponsor {n}"))
}

/// The stream of sponsorship `n`.
pub(super) fn stream(n: u64) -> String {
    format!("{:#x}/machines/press-{n}", sponsor_of(n))
}

fn create(n: u64) -> Sponsorships::createCall {
    Sponsorships::createCall {
        streamId: stream(n),
        partitions: PARTITIONS,
        ratePerEpoch: RATE,
        startEpoch: 0,
        epochs: YEAR,
        redundancy: 3,
        subscriberShareBps: 5_000,
    }
}

/// Creates sponsorship `n`, for a year.
pub(super) async fn sponsor(world: &World, n: u64) -> anyhow::Result<()> {
    world.approve(sponsor_of(n), world.at.sponsorships, YEARS_COST).await?;
    world.call(sponsor_of(n), world.at.sponsorships, create(n)).await?;
    Ok(())
}

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let snapshot = bench.world.chain.snapshot().await?;
    let (to, token) = (bench.world.at.sponsorships, bench.world.at.token);
    let (sponsor, n) = (sponsor_of(1), 1);
    bench.world.enter(SETTLED + 2).await?;

    bench.world.approve(sponsor_of(100), to, YEARS_COST).await?;
    bench.measure("sponsor: create", SPONSOR, sponsor_of(100), to, create(100)).await?;
    bench.world.approve(somebody("friend"), to, 100 * RATE).await?;
    let top_up = Sponsorships::topUpCall { sponsorshipId: n, amount: 100 * RATE };
    bench.measure("sponsor: top up", SPONSOR, somebody("friend"), to, top_up).await?;
    let data: Bytes = 2u64.abi_encode().into();
    let value = U256::from(100 * RATE);
    bench.world.fund(somebody("friend"), 100 * RATE).await?;
    let top_up = DataToken::transferAndCallCall { to, value, data };
    let name = "sponsor: top up by transferAndCall";
    bench.measure(name, SPONSOR, somebody("friend"), token, top_up).await?;

    let set_rate = Sponsorships::setRateCall { sponsorshipId: n, ratePerEpoch: 2 * RATE };
    bench.measure("set rate", None, sponsor, to, set_rate).await?;
    bench.world.approve(somebody("friend"), to, RATE).await?;
    bench.measure("stop", None, sponsor, to, Sponsorships::stopCall { sponsorshipId: n }).await?;
    bench.world.chain.revert(snapshot).await
}
