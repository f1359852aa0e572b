//! What opcodes cost whatever the state: their constant part, and how their operands add to it.
//!
//! Left out: opcodes whose cost depends on what was touched before (storage, accounts, calls): see [`crate::machine`].

use alloy::primitives::U256;

use crate::schedule;

/// A range of memory: offset and length.
pub type Range = (U256, U256);

/// Operands from the top of the stack.
#[derive(Debug, Clone, Copy)]
pub struct Operands<'a>(pub &'a [U256]);

impl Operands<'_> {
    /// The `n`-th from the top; an opcode that ran had all of its operands.
    pub fn at(&self, n: usize) -> U256 {
        self.0.len().checked_sub(n + 1).and_then(|i| self.0.get(i)).copied().unwrap_or_default()
    }

    fn range(&self, offset: usize, length: usize) -> Range {
        (self.at(offset), self.at(length))
    }
}

/// Gas without memory expansion; `None` for an opcode that is priced elsewhere or not at all.
pub fn gas(op: &str, operands: Operands<'_>) -> Option<u64> {
    let copied = |n: usize| 3 + 3 * words(operands.at(n));
    Some(match op {
        "STOP" | "RETURN" | "REVERT" => 0,
        "JUMPDEST" => 1,
        "ADDRESS" | "ORIGIN" | "CALLER" | "CALLVALUE" | "CALLDATASIZE" | "CODESIZE" | "GASPRICE"
        | "COINBASE" | "TIMESTAMP" | "NUMBER" | "DIFFICULTY" | "PREVRANDAO" | "GASLIMIT" | "POP" | "PC"
        | "MSIZE" | "GAS" | "CHAINID" | "RETURNDATASIZE" | "BASEFEE" | "PUSH0" => 2,
        "ADD" | "SUB" | "NOT" | "LT" | "GT" | "SLT" | "SGT" | "EQ" | "ISZERO" | "AND" | "OR" | "XOR"
        | "BYTE" | "SHL" | "SHR" | "SAR" | "CALLDATALOAD" | "MLOAD" | "MSTORE" | "MSTORE8" => 3,
        "MUL" | "DIV" | "SDIV" | "MOD" | "SMOD" | "SIGNEXTEND" | "SELFBALANCE" | "CLZ" => 5,
        "ADDMOD" | "MULMOD" | "JUMP" => 8,
        "JUMPI" => 10,
        "TLOAD" | "TSTORE" => schedule::WARM,
        "EXP" => 10 + 50 * bytes(operands.at(1)),
        "KECCAK256" | "SHA3" => 30 + 6 * words(operands.at(1)),
        "CALLDATACOPY" | "CODECOPY" | "RETURNDATACOPY" | "MCOPY" => copied(2),
        _ if op.starts_with("PUSH") || op.starts_with("DUP") || op.starts_with("SWAP") => 3,
        _ => {
            let topics: u64 = op.strip_prefix("LOG")?.parse().ok()?;
            375 + 375 * topics + 8 * u64::try_from(operands.at(1)).ok()?
        }
    })
}

/// The ranges of memory that an opcode touches.
pub fn memory(op: &str, operands: Operands<'_>) -> Vec<Range> {
    let at = |offset| (operands.at(offset), U256::from(32));
    match op {
        "MLOAD" | "MSTORE" => vec![at(0)],
        "MSTORE8" => vec![(operands.at(0), U256::ONE)],
        "KECCAK256" | "SHA3" | "RETURN" | "REVERT" => vec![operands.range(0, 1)],
        "CALLDATACOPY" | "CODECOPY" | "RETURNDATACOPY" => vec![operands.range(0, 2)],
        "EXTCODECOPY" => vec![operands.range(1, 3)],
        "MCOPY" => vec![operands.range(0, 2), operands.range(1, 2)],
        "CALL" => vec![operands.range(3, 4), operands.range(5, 6)],
        "STATICCALL" | "DELEGATECALL" => vec![operands.range(2, 3), operands.range(4, 5)],
        _ if op.starts_with("LOG") => vec![operands.range(0, 1)],
        _ => Vec::new(),
    }
}

/// Words of memory that reach to the end of a range; 0 for an empty one.
pub fn reach((offset, length): Range) -> u64 {
    if length.is_zero() { 0 } else { words(offset.saturating_add(length)) }
}

/// What so many words of memory cost together.
pub fn memory_gas(words: u64) -> u64 {
    3 * words + words * words / 512
}

/// Lengths of a transaction that succeeded are far below 2^32; what is not saturates there and cannot match the trace.
fn words(length: U256) -> u64 {
    u64::from(u32::try_from(length).unwrap_or(u32::MAX)).div_ceil(32)
}

fn bytes(value: U256) -> u64 {
    u64::try_from(value.byte_len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(op: &str, stack: &[u64]) -> Option<u64> {
        let stack: Vec<U256> = stack.iter().rev().map(|word| U256::from(*word)).collect();
        gas(op, Operands(&stack))
    }

    #[test]
    fn operands_count_from_the_top() {
        assert_eq!(price("EXP", &[2, 0]), Some(10));
        assert_eq!(price("EXP", &[2, 256]), Some(10 + 100));
        assert_eq!(price("KECCAK256", &[0, 65]), Some(30 + 18));
        assert_eq!(price("MCOPY", &[0, 0, 64]), Some(3 + 6));
        assert_eq!(price("LOG3", &[0, 10]), Some(375 * 4 + 80));
        assert_eq!(price("PUSH32", &[]), Some(3));
        assert_eq!(price("PUSH0", &[]), Some(2));
        assert_eq!(price("CREATE2", &[]), None);
        assert_eq!(price("SSTORE", &[1, 1]), None);
    }

    #[test]
    fn memory_grows_quadratically() {
        assert_eq!(reach((U256::from(1), U256::from(32))), 2);
        assert_eq!(reach((U256::MAX, U256::ZERO)), 0);
        assert_eq!((memory_gas(1), memory_gas(32), memory_gas(1024)), (3, 98, 5_120));
    }
}
