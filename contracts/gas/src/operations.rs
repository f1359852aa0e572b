//! What is measured, by contract.
//!
//! Each operation starts from a state that it meets in use: the set is full, pools have been paid before, other sponsorships
//! run. Allowances are exact, so a deposit also pays for using one up.

mod registry;
mod settlement;
mod slashing;
mod sponsorships;
mod staking;

use alloy::{primitives::Address, sol_types::SolCall};
use anyhow::Context;

use crate::{bill::Bill, machine, world::World};

/// At most so much gas on Polygon, for `count` of something together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    pub gas: u64,
    pub count: u64,
}

/// For the whole transaction.
pub const fn at_most(gas: u64) -> Option<Target> {
    Some(Target { gas, count: 1 })
}

#[derive(Debug, Clone)]
pub struct Operation {
    pub name: String,
    pub ethereum: Bill,
    pub polygon: Bill,
    pub target: Option<Target>,
}

/// A world, and what was measured in it.
#[derive(Debug)]
pub struct Bench {
    pub world: World,
    pub measured: Vec<Operation>,
}

impl Bench {
    /// Sends a transaction and prices it. It stays in the chain's state.
    async fn measure<C: SolCall>(
        &mut self,
        name: impl Into<String>,
        target: Option<Target>,
        from: Address,
        to: Address,
        call: C,
    ) -> anyhow::Result<()> {
        let name = name.into();
        let price = async {
            let input: alloy::primitives::Bytes = call.abi_encode().into();
            let receipt = self.world.chain.send(from, Some(to), input.clone()).await?;
            let executed = self.world.chain.trace(&receipt, input).await?;
            anyhow::Ok((machine::ethereum(&executed)?, machine::polygon(&executed)?))
        };
        let (ethereum, polygon) = price.await.with_context(|| format!("measuring \"{name}\""))?;
        self.measured.push(Operation { name, ethereum, polygon, target });
        Ok(())
    }
}

/// Runs everything.
pub async fn measure() -> anyhow::Result<Vec<Operation>> {
    let mut bench = Bench { world: World::new().await?, measured: Vec::new() };
    settlement::measure(&mut bench).await?;
    staking::measure(&mut bench).await?;
    sponsorships::measure(&mut bench).await?;
    slashing::measure(&mut bench).await?;
    registry::measure(&mut bench).await?;
    Ok(bench.measured)
}
