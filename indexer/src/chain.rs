//! What the indexer knows of the chain: a view kept by following events, behind a trait so that tests state it directly.
//!
//! Left out: sending anything. The indexer never writes to the chain.

mod follow;
mod followed;

pub use follow::{ChainError, Following, follow, restore};
pub use followed::FollowedChain;

use alloy::primitives::{Address, B256, U256};
use std::fmt::Debug;
use std::sync::Arc;
use tatum_protocol::eip712::Domain;
use tatum_protocol::epoch::{EpochClock, LEAD};
use tatum_protocol::id::{OperatorId, SponsorshipId};
use tatum_protocol::plan::EpochPlan;

pub use tatum_contracts::follow::Head;

/// A payout root on chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posted {
    pub epoch: u64,
    pub root: B256,
    pub total: U256,
}

/// An operator as the API shows it; amounts in wei.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorFacts {
    pub id: OperatorId,
    pub owner: Address,
    pub nodes: Vec<Address>,
    /// Stake that votes and earns now.
    pub weight: u128,
    /// Everything that its shares stand for, and its own part of it; what is not its own is delegated.
    pub pool: u128,
    pub own: u128,
    pub delegators: u64,
    /// Waits to be withdrawn, own and delegated.
    pub unbonding: u128,
    pub commission_bps: u16,
    /// Pushed by Settlement so far.
    pub paid: u128,
    pub slashed: u128,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SponsorshipFacts {
    pub id: SponsorshipId,
    pub sponsor: Address,
    pub stream: String,
    pub partitions: u32,
    /// Wei per epoch, now or when it pays next; of the last epoch once it is over.
    pub rate: u128,
    pub redundancy: u8,
    pub subscriber_share_bps: u16,
    /// First epoch it pays for, and the first it no longer does.
    pub start: u64,
    pub end: u64,
    /// What it pays now.
    pub paying: u128,
    pub stopped: bool,
    /// Pushed back by Settlement so far.
    pub refunded: u128,
    /// What lies in it beyond what is scheduled.
    pub spare: U256,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamFacts {
    pub id: String,
    pub partitions: u32,
}

/// The chain as far as it was followed.
pub trait Chain: Debug + Send + Sync + 'static {
    fn domain(&self) -> &Domain;
    fn clock(&self) -> EpochClock;
    fn head(&self) -> Option<Head>;
    /// The plan as the view has it now; `None` if the chain's answers make none. See [`known_plan`] and [`settled_plan`] for
    /// when it may be believed.
    fn plan(&self, epoch: u64) -> Option<Arc<EpochPlan>>;
    /// Greatest posted epoch.
    fn last_posted(&self) -> Option<Posted>;
    /// Everything that sponsors scheduled up to and with this epoch, in wei, lapsed epochs included.
    fn scheduled_through(&self, epoch: u64) -> U256;
    /// What the payouts of a post for this epoch must sum to; `None` if a later post covers it.
    fn payable_through(&self, epoch: u64) -> Option<U256>;
    /// How many epochs a post may reach back, and how late it may come.
    fn lapse_epochs(&self) -> u64;
    fn operators(&self) -> Vec<OperatorFacts>;
    fn sponsorships(&self) -> Vec<SponsorshipFacts>;
    fn streams(&self) -> Vec<StreamFacts>;
}

/// The plan of an epoch, once no later block can change who serves and who receives: the view has reached the epoch `LEAD - 1`
/// before it.
pub fn known_plan(chain: &dyn Chain, epoch: u64) -> Option<Arc<EpochPlan>> {
    let decided = chain.clock().start(epoch.saturating_sub(LEAD - 1));
    reached(chain, if epoch < LEAD { 0 } else { decided }).then(|| chain.plan(epoch)).flatten()
}

/// The plan with its attesters, which are known only when the epoch is over on chain.
pub fn settled_plan(chain: &dyn Chain, epoch: u64) -> Option<Arc<EpochPlan>> {
    reached(chain, chain.clock().end(epoch)).then(|| chain.plan(epoch)).flatten()
}

fn reached(chain: &dyn Chain, moment: u64) -> bool {
    chain.head().is_some_and(|head| head.timestamp >= moment)
}
