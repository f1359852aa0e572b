//! Whether every wei is where the contracts say it is.
//!
//! Read from the chain at one block, so that nothing moves between the questions:
//!
//! - Staking's balance is the sum of the operators' pools: assets, pay not shared out yet, and unbonding.
//! - Sponsorships' balance is the sum of what is spare, what is scheduled and neither settled nor lapsed, what lapsed and was not
//!   recovered, and what was settled and neither refunded nor released.
//! - Settlement and Slashing hold nothing. The posted total is what was settled: with what lapsed, all that was scheduled up to
//!   the next epoch. Operators' earnings plus sponsorships' refunds are what was pushed, and earnings are what was released.
//! - The contracts' and the known holders' balances are the whole supply: nobody else has any.

use std::collections::BTreeMap;

use alloy::eips::BlockId;
use alloy::primitives::{Address, U256};
use alloy::providers::{DynProvider, Provider};
use anyhow::bail;
use serde::Serialize;
use tatum_contracts::abi::{DataToken, Settlement, Sponsorships, Staking};
use tatum_contracts::{ChainView, Deployment, Event, Follower};

/// One equation.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    pub equation: &'static str,
    pub left: U256,
    pub right: U256,
}

impl Check {
    /// Whether it holds, to the wei.
    pub fn holds(&self) -> bool {
        self.left == self.right
    }
}

/// The money of the devnet at one block.
#[derive(Clone, Debug, Serialize)]
pub struct Audit {
    pub block: u64,
    /// `None` if nothing was posted yet.
    pub last_epoch: Option<u64>,
    /// Cumulative since genesis, wei: what was scheduled for all epochs that are settled or lapsed.
    pub scheduled: U256,
    /// Part of it that pays nobody.
    pub lapsed: U256,
    pub earned: U256,
    /// Wei, by operator id.
    pub earned_by_operator: BTreeMap<u64, u128>,
    pub refunded: U256,
    /// Posted and not yet pushed.
    pub in_flight: U256,
    pub checks: Vec<Check>,
}

impl Audit {
    /// Whether every equation holds.
    pub fn exact(&self) -> bool {
        self.checks.iter().all(Check::holds)
    }

    /// Reads the money at the latest block. `holders` are the accounts outside the contracts that may hold DATA.
    pub async fn read(
        client: &DynProvider,
        deployment: &Deployment,
        holders: &[Address],
    ) -> anyhow::Result<Self> {
        let block = client.get_block_number().await?;
        let at = BlockId::number(block);
        let token = DataToken::new(deployment.token, client);
        let balance = async |account: Address| token.balanceOf(account).block(at).call().await;

        let operators = operators(client, deployment, at).await?;
        let sponsorships = sponsorships(client, deployment, block).await?;
        let settlement = Settlement::new(deployment.settlement, client);
        let posted = settlement.posted().block(at).call().await?;
        let last_epoch = settlement.lastEpoch().block(at).call().await?;
        let total = settlement.total().block(at).call().await?;
        let paid = settlement.paid().block(at).call().await?;
        let in_flight = settlement.inFlight().block(at).call().await?;

        let contracts =
            [deployment.staking, deployment.sponsorships, deployment.settlement, deployment.slashing];
        let mut balances = Vec::with_capacity(contracts.len());
        for contract in contracts {
            balances.push(balance(contract).await?);
        }
        let [in_staking, in_sponsorships, in_settlement, in_slashing] = balances[..] else {
            bail!("expected a balance of each contract");
        };
        let mut everywhere: U256 = balances.iter().sum();
        for holder in holders {
            everywhere += balance(*holder).await?;
        }
        let supply = token.totalSupply().block(at).call().await?;
        let check = |equation, left, right| Check { equation, left, right };
        let s = &sponsorships;
        let in_sponsorships_due = [s.spare, s.to_come, s.lapsed, s.settled]
            .iter()
            .sum::<U256>()
            .saturating_sub(s.recovered + s.refunded + s.released);
        let checks = vec![
            check("Staking holds the pools, pay to share out and unbonding", in_staking, operators.held),
            check(
                "Sponsorships holds spare + to come + lapsed - recovered + settled - refunded - released",
                in_sponsorships,
                in_sponsorships_due,
            ),
            check("Settlement and Slashing hold nothing", in_settlement + in_slashing, U256::ZERO),
            check("posted total == settled by Sponsorships", total, s.settled),
            check("settled + lapsed == scheduled before the next epoch", s.settled + s.lapsed, s.past),
            check("pushed + in flight == posted total", paid + in_flight, total),
            check("earned + refunded == pushed", operators.earned + s.refunded, paid),
            check("released by Sponsorships == earned", s.released, operators.earned),
            check("contracts + holders == total supply", everywhere, supply),
        ];
        Ok(Self {
            block,
            last_epoch: posted.then_some(last_epoch),
            scheduled: s.past,
            lapsed: s.lapsed,
            earned: operators.earned,
            earned_by_operator: operators.each,
            refunded: sponsorships.refunded,
            in_flight,
            checks,
        })
    }
}

struct OperatorSums {
    held: U256,
    earned: U256,
    each: BTreeMap<u64, u128>,
}

async fn operators(
    client: &DynProvider,
    deployment: &Deployment,
    at: BlockId,
) -> anyhow::Result<OperatorSums> {
    let staking = Staking::new(deployment.staking, client);
    let mut sums = OperatorSums { held: U256::ZERO, earned: U256::ZERO, each: BTreeMap::new() };
    for id in 1..=staking.operatorCount().block(at).call().await? {
        let pool = staking.pools(id).block(at).call().await?;
        let parts = [pool.assets, pool.unshared, pool.unbondingOwn, pool.unbondingDelegated];
        sums.held += parts.map(U256::from).iter().sum::<U256>();
        sums.earned += U256::from(pool.paid);
        sums.each.insert(id, pool.paid);
    }
    Ok(sums)
}

struct SponsorshipSums {
    spare: U256,
    /// Scheduled before the next epoch to account for, and from then on.
    past: U256,
    to_come: U256,
    settled: U256,
    lapsed: U256,
    recovered: U256,
    refunded: U256,
    released: U256,
}

async fn sponsorships(
    client: &DynProvider,
    deployment: &Deployment,
    block: u64,
) -> anyhow::Result<SponsorshipSums> {
    let at = BlockId::number(block);
    let contract = Sponsorships::new(deployment.sponsorships, client);
    let (mut spare, mut refunded, mut end) = (U256::ZERO, U256::ZERO, 0);
    for id in 1..=contract.sponsorshipCount().block(at).call().await? {
        let sponsorship = contract.sponsorships(id).block(at).call().await?;
        spare += U256::from(sponsorship.spare);
        refunded += U256::from(sponsorship.refunded);
        end = sponsorship.toEpoch.max(end);
    }
    // What is scheduled is summed from the events, not by the contract that is audited.
    let mut view = ChainView::new(deployment.clock(), deployment.terms.lapse_epochs);
    let mut follower = Follower::new(client, deployment.clone(), 0);
    let (mut recovered, mut released) = (U256::ZERO, U256::ZERO);
    while let Some(batch) = follower.poll().await? {
        for event in batch.events.iter().filter(|event| event.block <= block) {
            match event.event {
                Event::Recovered { amount, .. } => recovered += U256::from(amount),
                Event::Released { amount, .. } => released += amount,
                _ => {}
            }
            view.apply(event);
        }
    }
    let next = contract.nextEpoch().block(at).call().await?;
    let past = next.checked_sub(1).map_or(U256::ZERO, |last| view.scheduled_through(last));
    Ok(SponsorshipSums {
        spare,
        past,
        to_come: view.scheduled_through(end.max(next)).saturating_sub(past),
        settled: contract.settled().block(at).call().await?,
        lapsed: contract.lapsed().block(at).call().await?,
        recovered,
        refunded,
        released,
    })
}
