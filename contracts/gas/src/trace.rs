//! A transaction as it was executed: what the pricing needs of anvil's three tracers.

use alloy::primitives::{Address, Bytes, U256};
use serde::Deserialize;
use std::collections::HashMap;

/// One opcode, as it was about to run.
#[derive(Debug, Clone, Deserialize)]
pub struct Step {
    pub pc: u64,
    pub op: String,
    /// Left before it ran.
    pub gas: u64,
    /// 1 in the called contract.
    pub depth: usize,
    /// The top comes last.
    pub stack: Vec<U256>,
}

/// A call with the calls it made, precompiles included.
#[derive(Debug, Clone, Deserialize)]
pub struct Call {
    pub to: Option<Address>,
    pub input: Bytes,
    pub error: Option<String>,
    #[serde(default)]
    pub calls: Vec<Call>,
}

#[derive(Debug, Clone)]
pub struct Executed {
    pub sender: Address,
    pub contract: Address,
    pub coinbase: Address,
    pub input: Bytes,
    pub gas_limit: u64,
    /// By the receipt.
    pub gas_used: u64,
    pub steps: Vec<Step>,
    pub call: Call,
    /// What the touched slots held before; missing ones held zero.
    pub before: HashMap<(Address, U256), U256>,
}
