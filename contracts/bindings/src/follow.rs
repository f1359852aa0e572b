//! Reads the contracts' events from a node, in order, each once.
//!
//! A reorganisation is reported, not repaired: what has been handed out stands until the caller starts anew from an
//! earlier block. Waiting between polls is the caller's.

use std::collections::BTreeMap;

use alloy::{
    eips::BlockNumberOrTag,
    primitives::B256,
    providers::Provider,
    rpc::types::{Filter, Log},
    sol_types,
    transports::TransportError,
};

use crate::{
    deployment::Deployment,
    event::{ChainEvent, Event},
};

/// Blocks asked for at once; public nodes refuse much more.
const BATCH_BLOCKS: u64 = 1_000;

/// A block by which a batch is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub number: u64,
    /// Seconds of Unix time.
    pub timestamp: u64,
    pub hash: B256,
}

/// The events of consecutive blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub events: Vec<ChainEvent>,
    /// The last block of the batch.
    pub head: Head,
    /// Whether it is also the last that the node had.
    pub caught_up: bool,
}

/// Why no events could be had.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// Worth retrying.
    #[error("the node did not answer: {0}")]
    Transport(#[from] TransportError),
    #[error("block {number} was {expected}, the node has {found:?} now: start anew from an earlier block")]
    Reorged { number: u64, expected: B256, found: Option<B256> },
    #[error(
        "the node has no block {number}, which it told of before; it may be behind a load balancer: retry"
    )]
    MissingBlock { number: u64 },
    #[error("a log of block {block} misses its {field}: expected logs of mined blocks only")]
    Incomplete { block: u64, field: &'static str },
    #[error("log {log_index} of block {block} is not of our ABI, check the deployment's addresses: {source}")]
    Decode { block: u64, log_index: u64, source: sol_types::Error },
}

/// A position in the chain, moved on by [`Self::poll`].
#[derive(Debug)]
pub struct Follower<P> {
    provider: P,
    deployment: Deployment,
    confirmations: u64,
    next: u64,
    last: Option<Head>,
}

impl<P: Provider> Follower<P> {
    /// From the deployment on, up to `confirmations` blocks before the newest.
    pub fn new(provider: P, deployment: Deployment, confirmations: u64) -> Self {
        let next = deployment.deploy_block;
        Self { provider, deployment, confirmations, next, last: None }
    }

    /// From the block after `last`, which was the head of a batch handed out before.
    pub fn resume(provider: P, deployment: Deployment, confirmations: u64, last: Head) -> Self {
        Self { provider, deployment, confirmations, next: last.number.saturating_add(1), last: Some(last) }
    }

    /// The next batch, empty of events perhaps; `None` while the chain has no further block.
    ///
    /// # Errors
    /// See [`FollowError`]. The position stays, so after a transport error the same call can be repeated.
    pub async fn poll(&mut self) -> Result<Option<Batch>, FollowError> {
        if let Some(last) = self.last {
            let found = self.head(last.number.into()).await?.map(|head| head.hash);
            if found != Some(last.hash) {
                return Err(FollowError::Reorged { number: last.number, expected: last.hash, found });
            }
        }
        let newest = self.provider.get_block_number().await?;
        let Some(limit) = newest.checked_sub(self.confirmations).filter(|limit| *limit >= self.next) else {
            return Ok(None);
        };
        let to = limit.min(self.next.saturating_add(BATCH_BLOCKS - 1));
        let head = self.head(to.into()).await?.ok_or(FollowError::MissingBlock { number: to })?;

        let filter = Filter::new().address(self.deployment.emitters()).from_block(self.next).to_block(to);
        let mut logs = self.provider.get_logs(&filter).await?;
        logs.sort_by_key(|log| (log.block_number, log.log_index));
        let mut events = Vec::with_capacity(logs.len());
        let mut timestamps = BTreeMap::from([(head.number, head.timestamp)]);
        for log in logs {
            if log.block_number == Some(to) && log.block_hash != Some(head.hash) {
                return Err(FollowError::Reorged { number: to, expected: head.hash, found: log.block_hash });
            }
            if let Some(event) = self.decode(log, &mut timestamps).await? {
                events.push(event);
            }
        }
        self.next = to.saturating_add(1);
        self.last = Some(head);
        Ok(Some(Batch { events, head, caught_up: to == limit }))
    }

    async fn decode(
        &self,
        log: Log,
        timestamps: &mut BTreeMap<u64, u64>,
    ) -> Result<Option<ChainEvent>, FollowError> {
        let block = log.block_number.ok_or(FollowError::Incomplete { block: 0, field: "block number" })?;
        let missing = |field| FollowError::Incomplete { block, field };
        let log_index = log.log_index.ok_or_else(|| missing("index"))?;
        let transaction = log.transaction_hash.ok_or_else(|| missing("transaction hash"))?;
        let event = Event::decode(&self.deployment, &log.inner).map_err(|source| FollowError::Decode {
            block,
            log_index,
            source,
        })?;
        let Some(event) = event else { return Ok(None) };
        // Newer nodes put the block's time into the log; others are asked once per block.
        let timestamp = match log.block_timestamp.or_else(|| timestamps.get(&block).copied()) {
            Some(timestamp) => timestamp,
            None => {
                let head = self.head(block.into()).await?;
                head.ok_or(FollowError::MissingBlock { number: block })?.timestamp
            }
        };
        timestamps.insert(block, timestamp);
        Ok(Some(ChainEvent { block, timestamp, log_index, transaction, event }))
    }

    async fn head(&self, number: BlockNumberOrTag) -> Result<Option<Head>, TransportError> {
        let block = self.provider.get_block_by_number(number).await?;
        Ok(block.map(|block| Head {
            number: block.header.number,
            timestamp: block.header.timestamp,
            hash: block.header.hash,
        }))
    }
}
