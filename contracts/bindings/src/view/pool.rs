//! Operators' pools: where staked and delegated tokens are, and whose they are.
//!
//! Of each pool, to the wei what the contract has:
//!
//! `assets + unshared + unbonding_own + unbonding_delegated == deposits + payouts - withdrawals - slashes`
//!
//! Left out: how much of the earnings has vested, which changes with every second. So values here are at the full price; an
//! exit pays at most that, and the contract says how much.

use std::collections::BTreeMap;

use alloy::primitives::{Address, U256};
use tatum_protocol::shares;

use crate::event::{Event, Loss, Payment};

/// Amounts in wei.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pool {
    /// What the shares stand for.
    pub assets: u128,
    pub shares: u128,
    /// The operator's part of them.
    pub own_shares: u128,
    /// By delegator.
    delegations: BTreeMap<Address, u128>,
    /// Paid, and not yet shared out.
    pub unshared: u128,
    pub unbonding_own: u128,
    pub unbonding_delegated: u128,
    /// Cumulative.
    pub paid: u128,
    /// Cumulative, from whatever it was taken.
    pub slashed: u128,
}

impl Pool {
    /// What shares stand for at the full price, rounded down.
    pub fn value_down(&self, shares: u128) -> u128 {
        let pool = shares::Pool { assets: U256::from(self.assets), shares: U256::from(self.shares) };
        // At most the assets, as long as the shares are the pool's.
        pool.to_assets_down(U256::from(shares)).map_or(u128::MAX, |value| value.saturating_to())
    }

    /// The operator's own stake at the full price.
    pub fn own(&self) -> u128 {
        self.value_down(self.own_shares)
    }

    /// Who delegated, with their shares; nobody is listed with none.
    pub fn delegations(&self) -> impl Iterator<Item = (Address, u128)> + '_ {
        self.delegations.iter().map(|(delegator, shares)| (*delegator, *shares))
    }

    fn join(&mut self, holder: Option<Address>, amount: u128, shares: u128) {
        self.assets = self.assets.saturating_add(amount);
        self.shares = self.shares.saturating_add(shares);
        let held = match holder {
            None => &mut self.own_shares,
            Some(delegator) => self.delegations.entry(delegator).or_default(),
        };
        *held = held.saturating_add(shares);
    }

    fn leave(&mut self, holder: Option<Address>, amount: u128, shares: u128) {
        self.assets = self.assets.saturating_sub(amount);
        self.shares = self.shares.saturating_sub(shares);
        let Some(delegator) = holder else {
            self.own_shares = self.own_shares.saturating_sub(shares);
            self.unbonding_own = self.unbonding_own.saturating_add(amount);
            return;
        };
        self.unbonding_delegated = self.unbonding_delegated.saturating_add(amount);
        let left = self.delegations.get(&delegator).map_or(0, |held| held.saturating_sub(shares));
        if left == 0 {
            self.delegations.remove(&delegator);
        } else {
            self.delegations.insert(delegator, left);
        }
    }

    fn slash(&mut self, loss: &Loss) {
        let Loss { own, own_shares, own_unbonding, delegated, delegated_unbonding } = *loss;
        self.assets = self.assets.saturating_sub(own).saturating_sub(delegated);
        self.shares = self.shares.saturating_sub(own_shares);
        self.own_shares = self.own_shares.saturating_sub(own_shares);
        self.unbonding_own = self.unbonding_own.saturating_sub(own_unbonding);
        self.unbonding_delegated = self.unbonding_delegated.saturating_sub(delegated_unbonding);
        self.slashed = [own, own_unbonding, delegated, delegated_unbonding]
            .into_iter()
            .fold(self.slashed, u128::saturating_add);
    }
}

/// All pools, and the requests that wait to be withdrawn.
#[derive(Debug, Clone, Default)]
pub(super) struct Pools {
    pools: BTreeMap<u64, Pool>,
    /// Operator, and whether it is its own stake.
    requests: BTreeMap<u64, (u64, bool)>,
}

impl Pools {
    pub(super) fn open(&mut self, operator: u64) {
        self.pools.insert(operator, Pool::default());
    }

    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::Staked { operator, amount, shares, .. } => {
                self.change(*operator, |pool| pool.join(None, *amount, *shares));
            }
            Event::Delegated { operator, delegator, amount, shares } => {
                self.change(*operator, |pool| pool.join(Some(*delegator), *amount, *shares));
            }
            Event::UnbondingStarted { operator, holder, request, amount, shares, .. } => {
                let holder = Some(*holder).filter(|holder| !holder.is_zero());
                self.requests.insert(*request, (*operator, holder.is_none()));
                self.change(*operator, |pool| pool.leave(holder, *amount, *shares));
            }
            Event::Withdrawn { request, amount, .. } => {
                let Some((operator, own)) = self.requests.remove(request) else { return };
                self.change(operator, |pool| {
                    let waits = if own { &mut pool.unbonding_own } else { &mut pool.unbonding_delegated };
                    *waits = waits.saturating_sub(*amount);
                });
            }
            Event::Paid { payments } => {
                for Payment { operator, amount } in payments {
                    self.change(*operator, |pool| {
                        pool.paid = pool.paid.saturating_add(*amount);
                        pool.unshared = pool.unshared.saturating_add(*amount);
                    });
                }
            }
            Event::EarningsShared { operator, earnings, commission_shares, .. } => {
                self.change(*operator, |pool| {
                    pool.unshared = pool.unshared.saturating_sub(*earnings);
                    pool.join(None, *earnings, *commission_shares);
                });
            }
            Event::Slashed { operator, loss } => self.change(*operator, |pool| pool.slash(loss)),
            _ => {}
        }
    }

    fn change(&mut self, operator: u64, change: impl FnOnce(&mut Pool)) {
        if let Some(pool) = self.pools.get_mut(&operator) {
            change(pool);
        }
    }

    pub(super) fn get(&self, operator: u64) -> Option<&Pool> {
        self.pools.get(&operator)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Pool)> + '_ {
        self.pools.iter().map(|(id, pool)| (*id, pool))
    }
}
