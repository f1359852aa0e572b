//! How settlement is doing, for people and monitors: the last step, what is under way, what cannot move.

use crate::pipeline::Step;
use crate::sender::Progress;
use alloy::primitives::{Address, U256};
use serde::Serialize;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A step takes a second or two; a minute without one is a stall.
const MAX_STEP_AGE: Duration = Duration::from_secs(60);
/// A transaction that no fee within the cap gets into a block.
const MAX_PENDING_AGE: Duration = Duration::from_secs(600);

/// Shared by the loop that settles and the server that tells.
#[derive(Debug)]
pub struct Health {
    sender: Address,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Default)]
struct State {
    owner: bool,
    last_step: Option<Instant>,
    error: Option<String>,
    stalled: Vec<String>,
    progress: Progress,
    balance: Option<U256>,
    last_posted: Option<u64>,
    block: u64,
}

/// What `/healthz` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub healthy: bool,
    /// `owner`, or `standby` while another settlement sends with the same key.
    pub role: &'static str,
    pub sender: Address,
    pub seconds_since_step: Option<u64>,
    pub pending_transactions: usize,
    pub mined_transactions: usize,
    pub oldest_pending_seconds: u64,
    /// Wei of the chain's coin.
    pub balance: Option<U256>,
    pub last_posted_epoch: Option<u64>,
    pub block: u64,
    /// Why it is not healthy.
    pub reasons: Vec<String>,
}

impl Health {
    pub fn new(sender: Address) -> Self {
        Self { sender, started: Instant::now(), state: Mutex::default() }
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    pub(crate) fn owns(&self) {
        self.update(|state| state.owner = true);
    }

    pub(crate) fn stepped(&self, progress: Progress, step: Step, block: u64, last_posted: Option<u64>) {
        self.update(|state| {
            state.last_step = Some(Instant::now());
            state.error = None;
            state.stalled = step.stalled;
            state.progress = progress;
            state.block = block;
            state.last_posted = last_posted;
        });
    }

    pub(crate) fn failed(&self, error: String) {
        self.update(|state| state.error = Some(error));
    }

    pub(crate) fn has_balance(&self, balance: U256) {
        self.update(|state| state.balance = Some(balance));
    }

    pub fn report(&self) -> Report {
        let state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let mut reasons = Vec::new();
        let step_age = state.last_step.map(|at| at.elapsed());
        if state.owner && step_age.unwrap_or_else(|| self.started.elapsed()) > MAX_STEP_AGE {
            let why = state.error.as_deref().unwrap_or("no error was reported");
            reasons.push(format!("no step succeeded for over {} s: {why}", MAX_STEP_AGE.as_secs()));
        }
        if state.progress.oldest_pending > MAX_PENDING_AGE {
            let age = state.progress.oldest_pending.as_secs();
            reasons.push(format!("a transaction has not been mined for {age} s; is the fee cap too low?"));
        }
        if state.balance == Some(U256::ZERO) {
            reasons.push(format!("{} has nothing to pay gas with", self.sender));
        }
        reasons.extend(state.stalled);
        Report {
            healthy: reasons.is_empty(),
            role: if state.owner { "owner" } else { "standby" },
            sender: self.sender,
            seconds_since_step: step_age.map(|age| age.as_secs()),
            pending_transactions: state.progress.pending,
            mined_transactions: state.progress.mined,
            oldest_pending_seconds: state.progress.oldest_pending.as_secs(),
            balance: state.balance,
            last_posted_epoch: state.last_posted,
            block: state.block,
            reasons,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_make_it_unhealthy_and_waiting_does_not() {
        let health = Health::new(Address::ZERO);
        assert_eq!((health.report().healthy, health.report().role), (true, "standby"));
        health.owns();
        let stalled = Step { moved: false, stalled: vec!["epoch 3 cannot be posted".to_owned()] };
        health.stepped(Progress::default(), stalled, 9, Some(2));
        health.has_balance(U256::ZERO);
        let report = health.report();
        assert_eq!((report.healthy, report.role, report.reasons.len()), (false, "owner", 2));
        health.stepped(Progress::default(), Step::default(), 10, Some(3));
        health.has_balance(U256::from(1));
        assert!(health.report().healthy);
    }
}
