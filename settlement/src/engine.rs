//! The parts put together: one step looks at the chain, the epochs, the offences and the transactions under way.

use crate::chain::{Chain, ChainError};
use crate::crash::{Crash, Crashed};
use crate::health::Health;
use crate::pipeline::{Pipeline, PipelineError, Step};
use crate::sender::{Sender, SenderError};
use crate::watcher::{Watcher, WatcherError};
use alloy::providers::Provider;
use alloy::transports::TransportError;
use sqlx::PgPool;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// The balance changes slowly.
const BALANCE_EVERY: Duration = Duration::from_secs(15);

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error("settling: {0}")]
    Pipeline(#[from] PipelineError),
    #[error("slashing: {0}")]
    Watcher(#[from] WatcherError),
    #[error("sending: {0}")]
    Sender(#[from] SenderError),
    #[error("the node at the RPC URL: {0}")]
    Rpc(#[from] TransportError),
}

impl EngineError {
    /// The crash switch of a test in this process.
    pub fn crashed(&self) -> Option<Crashed> {
        match self {
            Self::Pipeline(PipelineError::Crashed(crashed))
            | Self::Sender(SenderError::Crashed(crashed))
            | Self::Pipeline(PipelineError::Sender(SenderError::Crashed(crashed))) => Some(*crashed),
            _ => None,
        }
    }
}

/// Needs to own the sender's nonces: see [`crate::database::NonceOwner`].
#[derive(Debug)]
pub struct Engine {
    chain: Chain,
    sender: Arc<Sender>,
    pipeline: Pipeline,
    watcher: Watcher,
    health: Arc<Health>,
    balance_at: Option<Instant>,
}

impl Engine {
    pub fn new(pool: PgPool, chain: Chain, sender: Arc<Sender>, crash: Crash, health: Arc<Health>) -> Self {
        let pipeline = Pipeline::new(pool.clone(), sender.clone(), crash);
        let watcher = Watcher::new(pool, sender.clone());
        Self { chain, sender, pipeline, watcher, health, balance_at: None }
    }

    /// Looks at everything once. True if something moved, so that the next look should come soon.
    pub async fn step(&mut self) -> Result<bool, EngineError> {
        self.look_at_balance().await?;
        // What is under way goes first: it depends on nothing below.
        let driven = self.sender.drive().await;
        let facts = self.chain.refresh().await?;
        let before = match (driven, &facts) {
            (Ok(progress), _) => progress,
            // Nothing new is begun while what is under way cannot be sent; what others do is still noted.
            (Err(error), Some(facts)) => {
                self.pipeline.reconcile(&self.chain, facts).await?;
                return Err(error.into());
            }
            (Err(error), None) => return Err(error.into()),
        };
        let Some(facts) = facts else {
            self.health.stepped(before, Step::default(), 0, None);
            return Ok(before.moved);
        };
        let step = self.pipeline.step(&self.chain, &facts, now_ms()).await?;
        let slashing = self.watcher.step(&self.chain).await?;
        let mut progress = before;
        if step.moved || slashing {
            progress = self.sender.drive().await?;
        }
        let moved = step.moved || slashing || before.moved || progress.moved;
        self.health.stepped(progress, step, facts.block, facts.posted.map(|posted| posted.epoch));
        Ok(moved)
    }

    async fn look_at_balance(&mut self) -> Result<(), TransportError> {
        if self.balance_at.is_none_or(|at| at.elapsed() >= BALANCE_EVERY) {
            self.health.has_balance(self.chain.provider().get_balance(self.sender.address()).await?);
            self.balance_at = Some(Instant::now());
        }
        Ok(())
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
