//! Prices a trace on either schedule.
//!
//! The whole transaction is priced again, opcode by opcode: which slots and accounts are cold, what each slot held before the
//! transaction and holds now, the refund counter, memory, precompiles; a call that fails undoes what it touched. On Ethereum's
//! schedule the result is compared with what anvil charged, at every step and in the end, to the unit. Polygon's column comes
//! out of the same code with the other numbers.
//!
//! Left out, and refused: creating contracts, sending value, precompiles that fail, access lists.

use alloy::primitives::{Address, U256};
use std::collections::{HashMap, HashSet};

use crate::{
    bill::Bill,
    opcode::{self, Operands},
    schedule::{self, COLD_ACCOUNT, ETHEREUM, POLYGON, Schedule, WARM, Write},
    trace::{Call, Executed, Step},
};

/// Why a trace has no price.
#[derive(Debug, thiserror::Error)]
pub enum PriceError {
    #[error("step {step} ({op} at {pc}): {what}")]
    At { step: usize, pc: u64, op: String, what: Refusal },
    #[error("the model charges {modelled} on Ethereum, the receipt says {charged}")]
    Total { modelled: u64, charged: u64 },
    #[error("the trace has no steps; is anvil running with --steps-tracing?")]
    Empty,
    #[error("the refund counter ends at {0}, below zero")]
    Refund(i64),
}

#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("opcode is not modelled")]
    Opcode,
    #[error("this call used {modelled} so far by the model, {charged} by the trace")]
    Mismatch { modelled: u64, charged: u64 },
    #[error("sends value, which is not modelled")]
    Value,
    #[error("precompile {0} is not modelled for this input")]
    Precompile(Address),
    #[error("precompile {0} fails, which is not modelled")]
    FailedPrecompile(Address),
    #[error(
        "the call may use {allowed} and needs {needed}: a gas limit around a call breaks on another schedule"
    )]
    Capped { allowed: u64, needed: u64 },
    #[error("the trace of calls has no such call to {0}")]
    NoCall(Address),
    #[error("depth jumps from {0} to {1}")]
    Depth(usize, usize),
}

/// What the transaction costs on Ethereum, which the trace and the receipt confirm.
///
/// # Errors
/// If they do not, or the transaction does what is not modelled.
pub fn ethereum(tx: &Executed) -> Result<Bill, PriceError> {
    let bill = Machine::new(tx, &ETHEREUM, true).run()?;
    if bill.total() != tx.gas_used {
        return Err(PriceError::Total { modelled: bill.total(), charged: tx.gas_used });
    }
    Ok(bill)
}

/// What it costs on Polygon.
///
/// # Errors
/// If the transaction does what is not modelled, or limits the gas of a call by a number too small for Polygon.
pub fn polygon(tx: &Executed) -> Result<Bill, PriceError> {
    Machine::new(tx, &POLYGON, false).run()
}

/// A call in progress.
#[derive(Debug)]
struct Frame<'a> {
    /// Whose storage it uses.
    contract: Address,
    call: &'a Call,
    /// How many of the calls it makes were begun.
    begun: usize,
    /// Words of memory.
    memory: u64,
    gas_at_start: u64,
    /// By it and the calls it made.
    used: u64,
    /// Gas that the caller asked to pass on.
    allowed: U256,
    /// For if it fails.
    before: State,
}

/// What a failing call undoes.
#[derive(Debug, Clone, Default)]
struct State {
    accounts: HashSet<Address>,
    slots: HashSet<(Address, U256)>,
    values: HashMap<(Address, U256), U256>,
    refund: i64,
}

/// A call about to be entered.
struct Entry<'a> {
    contract: Address,
    call: &'a Call,
    allowed: U256,
}

struct Machine<'a> {
    tx: &'a Executed,
    schedule: &'a Schedule,
    /// Whether the trace was charged by this schedule.
    compare: bool,
    state: State,
    frames: Vec<Frame<'a>>,
    bill: Bill,
}

impl<'a> Machine<'a> {
    fn new(tx: &'a Executed, schedule: &'a Schedule, compare: bool) -> Self {
        let mut state = State::default();
        state.accounts.extend([tx.sender, tx.contract, tx.coinbase]);
        let cost = schedule::intrinsic(&tx.input);
        let bill = Bill { base: cost.base, calldata: cost.calldata, floor: cost.floor, ..Bill::default() };
        Self { tx, schedule, compare, state, frames: Vec::new(), bill }
    }

    fn run(mut self) -> Result<Bill, PriceError> {
        let tx = self.tx;
        let intrinsic = self.bill.base + self.bill.calldata;
        let gas = tx.gas_limit.checked_sub(intrinsic).ok_or(PriceError::Empty)?;
        if tx.steps.is_empty() {
            return Err(PriceError::Empty);
        }
        let mut entry = Some(Entry { contract: tx.contract, call: &tx.call, allowed: U256::from(gas) });
        for (i, step) in tx.steps.iter().enumerate() {
            let next_depth = tx.steps.get(i + 1).map_or(0, |next| next.depth);
            entry = self.step(step, entry, next_depth).map_err(|what| PriceError::At {
                step: i,
                pc: step.pc,
                op: step.op.clone(),
                what,
            })?;
            if i == 0 && self.compare && step.gas != gas {
                let what = Refusal::Mismatch { modelled: intrinsic, charged: tx.gas_limit - step.gas };
                return Err(PriceError::At { step: i, pc: step.pc, op: step.op.clone(), what });
            }
        }
        self.bill.refund =
            u64::try_from(self.state.refund).map_err(|_| PriceError::Refund(self.state.refund))?;
        Ok(self.bill)
    }

    /// Prices a step; returns the call that it enters.
    fn step(
        &mut self,
        step: &Step,
        entry: Option<Entry<'a>>,
        next_depth: usize,
    ) -> Result<Option<Entry<'a>>, Refusal> {
        match entry {
            Some(entry) => self.enter(entry, step.gas),
            None => self.leave_to(step.depth)?,
        }
        if self.frames.len() != step.depth {
            return Err(Refusal::Depth(self.frames.len(), step.depth));
        }
        let frame = self.frames.last().ok_or(Refusal::Depth(0, step.depth))?;
        let charged = frame.gas_at_start.saturating_sub(step.gas);
        if self.compare && charged != frame.used {
            return Err(Refusal::Mismatch { modelled: frame.used, charged });
        }
        let entered = self.price(step, next_depth > step.depth)?;
        if next_depth == 0 {
            self.leave_to(0)?;
        }
        Ok(entered)
    }

    fn enter(&mut self, entry: Entry<'a>, gas: u64) {
        self.frames.push(Frame {
            contract: entry.contract,
            call: entry.call,
            begun: 0,
            memory: 0,
            gas_at_start: gas,
            used: 0,
            allowed: entry.allowed,
            before: self.state.clone(),
        });
    }

    /// Ends the calls that are deeper.
    fn leave_to(&mut self, depth: usize) -> Result<(), Refusal> {
        while self.frames.len() > depth {
            let Some(frame) = self.frames.pop() else { break };
            if frame.allowed < U256::from(frame.used) {
                let allowed = frame.allowed.saturating_to();
                return Err(Refusal::Capped { allowed, needed: frame.used });
            }
            if frame.call.error.is_some() {
                self.state = frame.before;
            }
            if let Some(caller) = self.frames.last_mut() {
                caller.used += frame.used;
            }
        }
        Ok(())
    }

    fn price(&mut self, step: &Step, enters: bool) -> Result<Option<Entry<'a>>, Refusal> {
        let operands = Operands(&step.stack);
        let contract = self.frames.last().map(|frame| frame.contract).unwrap_or_default();
        let mut part = Bill { rest: self.expand(opcode::memory(&step.op, operands)), ..Bill::default() };
        let mut entry = None;
        match step.op.as_str() {
            "SLOAD" => {
                let cold = self.state.slots.insert((contract, operands.at(0)));
                let gas = self.schedule.sload(cold);
                *(if cold { &mut part.cold_reads } else { &mut part.rest }) += gas;
            }
            "SSTORE" => self.store((contract, operands.at(0)), operands.at(1), &mut part),
            "BALANCE" | "EXTCODESIZE" | "EXTCODEHASH" => self.touch(account(operands.at(0)), &mut part),
            "EXTCODECOPY" => {
                self.touch(account(operands.at(0)), &mut part);
                part.rest += 3 * opcode::reach((U256::ZERO, operands.at(3)));
            }
            "CALL" | "STATICCALL" | "DELEGATECALL" => {
                entry = self.call(&step.op, operands, contract, enters, &mut part)?;
            }
            op if op.starts_with("LOG") => part.logs += opcode::gas(op, operands).ok_or(Refusal::Opcode)?,
            op => part.rest += opcode::gas(op, operands).ok_or(Refusal::Opcode)?,
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.used += part.parts().into_iter().map(|(_, gas)| gas).sum::<u64>();
        }
        self.bill += part;
        Ok(entry)
    }

    /// Grows the memory of the call in progress.
    fn expand(&mut self, ranges: Vec<opcode::Range>) -> u64 {
        let Some(frame) = self.frames.last_mut() else { return 0 };
        let needed = ranges.into_iter().map(opcode::reach).max().unwrap_or(0);
        let grown = frame.memory.max(needed);
        let gas = opcode::memory_gas(grown) - opcode::memory_gas(frame.memory);
        frame.memory = grown;
        gas
    }

    fn store(&mut self, slot: (Address, U256), new: U256, part: &mut Bill) {
        let original = self.tx.before.get(&slot).copied().unwrap_or_default();
        let current = self.state.values.insert(slot, new).unwrap_or(original);
        let cold = self.state.slots.insert(slot);
        let cost = self.schedule.sstore(cold, Write { original, current, new });
        self.state.refund += cost.refund;
        let changes = original == current && current != new;
        *(match (changes, original.is_zero()) {
            (true, true) => &mut part.new_slots,
            (true, false) => &mut part.changed_slots,
            (false, _) => &mut part.rest,
        }) += cost.gas;
    }

    fn touch(&mut self, account: Address, part: &mut Bill) {
        // Precompiles are warm from the start.
        let precompile = schedule::precompile_number(account).is_some();
        if !precompile && self.state.accounts.insert(account) {
            part.cold_accounts += COLD_ACCOUNT;
        } else {
            part.rest += WARM;
        }
    }

    fn call(
        &mut self,
        op: &str,
        operands: Operands<'_>,
        caller: Address,
        enters: bool,
        part: &mut Bill,
    ) -> Result<Option<Entry<'a>>, Refusal> {
        let (allowed, to) = (operands.at(0), account(operands.at(1)));
        if op == "CALL" && !operands.at(2).is_zero() {
            return Err(Refusal::Value);
        }
        self.touch(to, part);
        let frame = self.frames.last_mut().ok_or(Refusal::NoCall(to))?;
        let calls: &'a [Call] = &frame.call.calls;
        let call = calls.get(frame.begun).filter(|call| call.to == Some(to)).ok_or(Refusal::NoCall(to))?;
        frame.begun += 1;
        if enters {
            let contract = if op == "DELEGATECALL" { caller } else { to };
            return Ok(Some(Entry { contract, call, allowed }));
        }
        if schedule::precompile_number(to).is_some() {
            if call.error.is_some() {
                return Err(Refusal::FailedPrecompile(to));
            }
            let gas = self.schedule.precompile(to, &call.input).ok_or(Refusal::Precompile(to))?;
            if allowed < U256::from(gas) {
                return Err(Refusal::Capped { allowed: allowed.saturating_to(), needed: gas });
            }
            part.precompiles += gas;
        }
        Ok(None)
    }
}

/// The address in a word of the stack.
fn account(word: U256) -> Address {
    Address::from_word(word.into())
}
