//! Funding of streams.

use alloy::{
    primitives::{Address, Bytes, U256},
    sol_types::SolValue,
};

use super::{Bench, Target, at_most, settlement::SETTLED};
use tatum_contracts::abi::{DataToken, Sponsorships};

use crate::world::{DATA, World, somebody};

const SPONSOR: Option<Target> = at_most(120_000);
pub(super) const PARTITIONS: u32 = 4;
/// Less than each has been refunded, so that there is something to extend with.
const RATE: u128 = 2 * DATA;
const YEAR: u64 = 365 * 24;
const YEARS_COST: u128 = RATE * 8_760;
const LAPSE: u64 = 7 * 24;

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
    bench.world.enter(SETTLED + 2).await?;
    funding(bench).await?;
    lapses(bench).await?;
    bench.world.chain.revert(snapshot).await
}

async fn funding(bench: &mut Bench) -> anyhow::Result<()> {
    let (to, token) = (bench.world.at.sponsorships, bench.world.at.token);
    let (sponsor, friend) = (sponsor_of(1), somebody("friend"));
    bench.world.approve(sponsor_of(100), to, YEARS_COST).await?;
    bench.measure("sponsor: create", SPONSOR, sponsor_of(100), to, create(100)).await?;
    bench.world.approve(friend, to, 100 * RATE).await?;
    let top_up = Sponsorships::topUpCall { sponsorshipId: 1, amount: 100 * RATE };
    bench.measure("sponsor: top up", SPONSOR, friend, to, top_up).await?;
    bench.world.fund(friend, 100 * RATE).await?;
    let data: Bytes = 2u64.abi_encode().into();
    let top_up = DataToken::transferAndCallCall { to, value: U256::from(100 * RATE), data };
    bench.measure("sponsor: top up by transferAndCall", SPONSOR, friend, token, top_up).await?;
    let extend = Sponsorships::extendCall { sponsorshipId: 3 };
    bench.measure("extend by what was refunded", None, friend, to, extend).await?;
    let set_rate = Sponsorships::setRateCall { sponsorshipId: 1, ratePerEpoch: 2 * RATE };
    bench.measure("set rate", None, sponsor, to, set_rate).await?;
    bench.measure("stop", None, sponsor, to, Sponsorships::stopCall { sponsorshipId: 1 }).await
}

/// Nothing is posted for so long that a day is given up.
async fn lapses(bench: &mut Bench) -> anyhow::Result<()> {
    let (to, anyone) = (bench.world.at.sponsorships, somebody("friend"));
    bench.world.enter(SETTLED + 2 * LAPSE + 24).await?;
    bench.measure("lapse, 24 epochs", None, anyone, to, Sponsorships::lapseCall {}).await?;
    bench.measure("recover", None, anyone, to, Sponsorships::recoverCall { sponsorshipId: 2 }).await?;
    bench.world.call(anyone, to, Sponsorships::recoverCall { sponsorshipId: 1 }).await?;
    bench.measure("reclaim", None, anyone, to, Sponsorships::reclaimCall { sponsorshipId: 1 }).await
}
