//! What the long-running parts last achieved, for `/healthz`: liveness is progress, not an open port.

use std::sync::{Mutex, PoisonError};

/// The parts that can stand still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Chain,
    Epochs,
}

#[derive(Debug, Clone, Default)]
struct State {
    last_success_ms: Option<u64>,
    error: Option<String>,
}

#[derive(Debug, Default)]
pub struct Progress {
    chain: Mutex<State>,
    epochs: Mutex<State>,
}

impl Progress {
    fn state(&self, part: Part) -> std::sync::MutexGuard<'_, State> {
        let state = match part {
            Part::Chain => &self.chain,
            Part::Epochs => &self.epochs,
        };
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn succeeded(&self, part: Part, now_ms: u64) {
        *self.state(part) = State { last_success_ms: Some(now_ms), error: None };
    }

    pub fn failed(&self, part: Part, error: &impl ToString) {
        self.state(part).error = Some(error.to_string());
    }

    /// Unix milliseconds of the last success, and what went wrong since.
    pub fn of(&self, part: Part) -> (Option<u64>, Option<String>) {
        let state = self.state(part).clone();
        (state.last_success_ms, state.error)
    }
}
