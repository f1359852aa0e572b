//! The chain as settlement sees it: events folded into a view, and the contracts' state at one block.
//!
//! It follows the chain itself instead of reading the indexer's tables: settlement goes on when the indexer is behind, and
//! a wrong table cannot make it pay wrongly. What it decides from is read at one block hash, so that no two answers contradict each other.

use crate::certificate::OperatorSet;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::primitives::{B256, U256};
use alloy::providers::{DynProvider, Provider};
use std::collections::BTreeMap;
use tatum_contracts::abi::Settlement;
use tatum_contracts::{ChainEvent, ChainView, Deployment, Event, FollowError, Follower, view};
use tatum_protocol::bls::BlsError;
use tatum_protocol::id::{Account, PartKey, StreamId, StreamPart};
use tatum_protocol::payout::{Cumulative, TreeError};

/// Why the chain could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    #[error("the node at the RPC URL: {0}")]
    Rpc(#[from] alloy::transports::TransportError),
    #[error("calling a contract: {0}")]
    Contract(#[from] alloy::contract::Error),
    #[error(transparent)]
    Follow(#[from] FollowError),
}

/// Settlement contract at one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    pub block: u64,
    /// The latest root.
    pub posted: Option<Posted>,
    /// Cumulative amount of all pushes.
    pub paid: U256,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posted {
    pub epoch: u64,
    pub root: B256,
    pub total: U256,
}

/// A sponsorship that paid for a stream part, as the contract wants it named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Harmed {
    pub sponsorship: u64,
    pub stream: String,
    pub partition: u32,
}

impl Facts {
    /// Whether an epoch is under the latest root or an older one.
    pub fn covers(&self, epoch: u64) -> bool {
        self.posted.is_some_and(|posted| posted.epoch >= epoch)
    }

    /// Whether everything posted is pushed.
    pub fn all_paid(&self) -> bool {
        self.posted.is_some_and(|posted| posted.total == self.paid)
    }
}

#[derive(Debug)]
pub struct Chain {
    provider: DynProvider,
    deployment: Deployment,
    follower: Follower<DynProvider>,
    view: ChainView,
    head: Option<(u64, B256)>,
    /// Of the head, once they were read.
    facts: Option<(B256, Facts)>,
    pushes: BTreeMap<B256, B256>,
    /// What each proven offence cost, by slot; `None` until it is executed.
    offences: BTreeMap<B256, Option<u128>>,
}

/// Events are wanted at once; what a reorganisation takes back is read again.
const CONFIRMATIONS: u64 = 0;

impl Chain {
    pub fn new(provider: DynProvider, deployment: Deployment) -> Self {
        let follower = Follower::new(provider.clone(), deployment.clone(), CONFIRMATIONS);
        let view = ChainView::new(deployment.clock(), deployment.terms.lapse_epochs);
        Self {
            provider,
            deployment,
            follower,
            view,
            head: None,
            facts: None,
            pushes: BTreeMap::new(),
            offences: BTreeMap::new(),
        }
    }

    pub fn provider(&self) -> &DynProvider {
        &self.provider
    }

    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// The post of this epoch, or the first of a later one.
    pub fn post_of(&self, epoch: u64) -> Option<&view::Posted> {
        let posts = self.view.posted();
        posts.get(posts.partition_point(|post| post.epoch < epoch))
    }

    /// Epochs that were given up.
    pub fn lapses(&self) -> &[view::Lapse] {
        self.view.lapses()
    }

    /// Transactions that pushed chunks under the latest root, by leaf.
    pub fn pushes(&self) -> &BTreeMap<B256, B256> {
        &self.pushes
    }

    /// Whether anyone proved the offence in this slot.
    pub fn is_proven(&self, slot: &B256) -> bool {
        self.offences.contains_key(slot)
    }

    /// What the offence in this slot cost, if it was proven and executed by anyone.
    pub fn penalty(&self, slot: &B256) -> Option<u128> {
        self.offences.get(slot).copied().flatten()
    }

    /// Slots of offences that were proven and not executed.
    pub fn unexecuted(&self) -> impl Iterator<Item = B256> + '_ {
        self.offences.iter().filter(|(_, penalty)| penalty.is_none()).map(|(slot, _)| *slot)
    }

    /// The sponsorship that paid the most for a stream part in an epoch, if any did: who an offence there harmed.
    pub fn harmed(&self, part: PartKey, epoch: u64) -> Option<Harmed> {
        let paying = self.view.sponsorships_active(epoch).into_iter().filter_map(|active| {
            let created = active.created;
            let stream: StreamId = created.stream.parse().ok()?;
            let is_it =
                |partition: &u32| StreamPart { stream: stream.clone(), partition: *partition }.key() == part;
            let partition = (0..created.partitions).find(is_it)?;
            let rate = active.rate_per_epoch.checked_div(created.partitions.into())?;
            let stream = created.stream.clone();
            Some((rate, Harmed { sponsorship: created.sponsorship, stream, partition }))
        });
        paying.max_by_key(|(rate, _)| *rate).map(|(_, harmed)| harmed)
    }

    /// Who signs for this epoch.
    pub fn operator_set(&self, epoch: u64) -> Result<OperatorSet, BlsError> {
        OperatorSet::new(&self.view.operator_set(epoch))
    }

    /// Follows events to the newest block and reads the contract there. `None` while there is no block since the deployment.
    pub async fn refresh(&mut self) -> Result<Option<Facts>, ChainError> {
        loop {
            match self.follower.poll().await {
                Ok(Some(batch)) => {
                    for event in &batch.events {
                        self.note(event);
                        self.view.apply(event);
                    }
                    self.head = Some((batch.head.number, batch.head.hash));
                    if batch.caught_up {
                        break;
                    }
                }
                Ok(None) => break,
                Err(FollowError::Reorged { number, .. }) => {
                    tracing::warn!(number, "the chain was reorganised: reading it again from the deployment");
                    *self = Self::new(self.provider.clone(), self.deployment.clone());
                }
                Err(error) => return Err(error.into()),
            }
        }
        let Some((number, hash)) = self.head else { return Ok(None) };
        if self.facts.is_none_or(|(at, _)| at != hash) {
            self.facts = Some((hash, self.facts(number, BlockId::hash(hash)).await?));
        }
        Ok(self.facts.map(|(_, facts)| facts))
    }

    fn note(&mut self, event: &ChainEvent) {
        match &event.event {
            Event::Posted { .. } => self.pushes.clear(),
            Event::Pushed { leaf, .. } => {
                self.pushes.insert(*leaf, event.transaction);
            }
            Event::OffenceProven { slot, .. } => {
                self.offences.insert(*slot, None);
            }
            Event::OffenceExecuted { slot, bounty, returned, burned, .. } => {
                let penalty = bounty.saturating_add(*returned).saturating_add(*burned);
                self.offences.insert(*slot, Some(penalty));
            }
            _ => {}
        }
    }

    pub async fn finalized_number(&self) -> Result<u64, ChainError> {
        let block = self.provider.get_block_by_number(BlockNumberOrTag::Finalized).await?;
        Ok(block.map_or(0, |block| block.header.number))
    }

    /// The contract's state at a block at or after its deployment.
    pub async fn facts(&self, number: u64, block: BlockId) -> Result<Facts, ChainError> {
        let contract = Settlement::new(self.deployment.settlement, &self.provider);
        let paid = contract.paid().block(block).call().await?;
        let posted = match contract.posted().block(block).call().await? {
            false => None,
            true => Some(Posted {
                epoch: contract.lastEpoch().block(block).call().await?,
                root: contract.root().block(block).call().await?,
                total: contract.total().block(block).call().await?,
            }),
        };
        Ok(Facts { block: number, posted, paid })
    }

    /// Whether any account of these entries has been paid less than its cumulative amount.
    pub fn is_unpaid(&self, entries: &[U256]) -> Result<bool, TreeError> {
        let paid = |account| match account {
            Account::Operator(id) => self.view.pool(id).map(|pool| pool.paid),
            Account::Sponsorship(id) => self.view.funds(id).map(|funds| funds.refunded),
        };
        let cumulative = Cumulative::from_entries(entries)?;
        let owed = cumulative.iter().any(|(account, amount)| paid(account).unwrap_or_default() < amount.0);
        Ok(owed)
    }
}
