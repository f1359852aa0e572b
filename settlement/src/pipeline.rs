//! An epoch's way from proposal to final payout: `proposed -> attested -> posted -> paid -> final`.
//!
//! `attested` is ours: the certificate is made and the intent to post it is committed in the same database transaction. Everything after is
//! the chain's word, whoever posted or pushed: [`Pipeline::reconcile`] only writes down what the contract says, back steps after a
//! reorganisation included. So there is nothing to lose in a crash, and a second settlement's work is simply found done.
//!
//! Payouts are cumulative: a later root carries the epochs before it, which advance with it.

mod post;
mod push;
mod reconcile;

use crate::certificate::{CollectError, Collector};
use crate::chain::{Chain, ChainError, Facts};
use crate::crash::{Crash, Crashed};
use crate::numeric::Malformed;
use crate::sender::{Sender, SenderError, Status, Transaction};
use sqlx::PgPool;
use std::collections::BTreeSet;
use std::sync::Arc;
use tatum_protocol::bls::BlsError;
use tatum_protocol::payout::TreeError;

#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Sender(#[from] SenderError),
    #[error("attestations: {0}")]
    Collect(#[from] CollectError),
    #[error("an operator's key on chain: {0}")]
    Key(#[from] BlsError),
    #[error("payout entries in the database: {0}")]
    Entries(#[from] TreeError),
    #[error(transparent)]
    Crashed(#[from] Crashed),
}

/// What a step did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// Something moved: worth looking again soon.
    pub moved: bool,
    /// What cannot move and why, for the operator of this process.
    pub stalled: Vec<String>,
}

#[derive(Debug)]
pub struct Pipeline {
    pool: PgPool,
    sender: Arc<Sender>,
    collector: Collector,
    crash: Crash,
    /// Chunks (epoch, number) found paid without a push of ours.
    settled: BTreeSet<(u64, i32)>,
}

impl Pipeline {
    pub fn new(pool: PgPool, sender: Arc<Sender>, crash: Crash) -> Self {
        Self { pool, sender, collector: Collector::default(), crash, settled: BTreeSet::new() }
    }

    /// One look at all epochs, with the chain at `facts` and the clock at `now_ms`.
    pub async fn step(&mut self, chain: &Chain, facts: &Facts, now_ms: u64) -> Result<Step, PipelineError> {
        let mut step = Step { moved: self.reconcile(chain, facts).await?, stalled: vec![] };
        self.push(chain, facts, &mut step).await?;
        self.post(chain, facts, now_ms, &mut step).await?;
        Ok(step)
    }

    /// Only writes down what the chain says. True if anything changed.
    pub async fn reconcile(&self, chain: &Chain, facts: &Facts) -> Result<bool, PipelineError> {
        reconcile::reconcile(&self.pool, chain, facts).await
    }
}

/// A call that keeps reverting although its simulation succeeds is not paid for forever.
const MAX_REPETITIONS: u32 = 5;

/// What is to be done about a step that may have a transaction already.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// None yet, or it reverted: make one.
    Make,
    /// Under way, or mined and to be seen in the chain's facts soon.
    Wait,
    /// Reverted too often.
    GiveUp(String),
}

fn next(transaction: Option<Transaction>) -> Next {
    match transaction {
        None => Next::Make,
        Some(Transaction { status: Status::Reverted, purpose, error, .. }) => {
            let repetitions =
                purpose.split_once('/').and_then(|(_, n)| n.parse::<u32>().ok()).unwrap_or_default();
            if repetitions < MAX_REPETITIONS {
                return Next::Make;
            }
            let reason = error.unwrap_or_default();
            Next::GiveUp(format!(
                "{purpose} reverted again ({reason}); not sent any more until its cause is found"
            ))
        }
        Some(_) => Next::Wait,
    }
}
