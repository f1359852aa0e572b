//! Whether every wei is where the contracts say it is.
//!
//! Read from the chain at one block, so that nothing moves between the questions:
//!
//! - Staking's balance is the sum of the operators' stake and unbonding.
//! - Settlement's balance is what was posted and not pushed; its total is what was scheduled through the last posted
//!   epoch, and operators' earnings plus sponsorships' refunds are what was pushed.
//! - Sponsorships' balance is what was funded and not settled, plus what was refunded and not reclaimed.
//! - These and the known holders' balances are the whole supply: nobody else has any.

use std::collections::BTreeMap;

use alloy::eips::BlockId;
use alloy::primitives::{Address, U256};
use alloy::providers::{DynProvider, Provider};
use serde::Serialize;
use tatum_contracts::abi::{DataToken, Settlement, Sponsorships, Staking};
use tatum_contracts::deployment::Deployment;

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
    /// Cumulative since genesis, wei.
    pub scheduled: U256,
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
        let sponsorships = sponsorships(client, deployment, at).await?;
        let settlement = Settlement::new(deployment.settlement, client);
        let posted = settlement.posted().block(at).call().await?;
        let last_epoch = settlement.lastEpoch().block(at).call().await?;
        let total = settlement.total().block(at).call().await?;
        let paid = settlement.paid().block(at).call().await?;
        let in_flight = settlement.inFlight().block(at).call().await?;
        let contract = Sponsorships::new(deployment.sponsorships, client);
        let settled = contract.settled().block(at).call().await?;
        let scheduled =
            if posted { contract.scheduledThrough(last_epoch).block(at).call().await? } else { U256::ZERO };

        let in_contracts = [
            balance(deployment.staking).await?,
            balance(deployment.sponsorships).await?,
            balance(deployment.settlement).await?,
        ];
        let mut everywhere: U256 = in_contracts.iter().sum();
        for holder in holders {
            everywhere += balance(*holder).await?;
        }
        let supply = token.totalSupply().block(at).call().await?;
        let unsettled = sponsorships.funded.saturating_sub(settled);
        let reclaimable = sponsorships.refunded.saturating_sub(sponsorships.reclaimed);
        let checks = vec![
            Check {
                equation: "Staking holds stake + unbonding",
                left: in_contracts[0],
                right: operators.held,
            },
            Check {
                equation: "Sponsorships holds unsettled + refunded - reclaimed",
                left: in_contracts[1],
                right: unsettled + reclaimable,
            },
            Check {
                equation: "Settlement holds what is posted and not pushed",
                left: in_contracts[2],
                right: in_flight,
            },
            Check {
                equation: "posted total == scheduled through the last epoch",
                left: total,
                right: scheduled,
            },
            Check { equation: "posted total == settled by Sponsorships", left: total, right: settled },
            Check { equation: "pushed + in flight == posted total", left: paid + in_flight, right: total },
            Check {
                equation: "earned + refunded == pushed",
                left: operators.earned + sponsorships.refunded,
                right: paid,
            },
            Check { equation: "contracts + holders == total supply", left: everywhere, right: supply },
        ];
        Ok(Self {
            block,
            last_epoch: posted.then_some(last_epoch),
            scheduled,
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
        let operator = staking.operators(id).block(at).call().await?;
        sums.held += U256::from(operator.stake) + U256::from(operator.unbonding);
        sums.earned += U256::from(operator.paid);
        sums.each.insert(id, operator.paid);
    }
    Ok(sums)
}

struct SponsorshipSums {
    funded: U256,
    refunded: U256,
    reclaimed: U256,
}

async fn sponsorships(
    client: &DynProvider,
    deployment: &Deployment,
    at: BlockId,
) -> anyhow::Result<SponsorshipSums> {
    let contract = Sponsorships::new(deployment.sponsorships, client);
    let mut sums = SponsorshipSums { funded: U256::ZERO, refunded: U256::ZERO, reclaimed: U256::ZERO };
    for id in 1..=contract.sponsorshipCount().block(at).call().await? {
        let sponsorship = contract.sponsorships(id).block(at).call().await?;
        sums.funded += U256::from(sponsorship.ratePerEpoch) * U256::from(sponsorship.epochs);
        sums.refunded += U256::from(sponsorship.refunded);
        sums.reclaimed += U256::from(sponsorship.reclaimed);
    }
    Ok(sums)
}
