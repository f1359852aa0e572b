//! What the two chains charge where they differ, and the rules around those numbers.
//!
//! Polygon's numbers are those of PIP-88 (final; active since the Chicago fork of May 2026):
//! <https://github.com/0xPolygon/Polygon-Improvement-Proposals/blob/main/PIPs/PIP-88.md>. Everything else is common to both
//! chains: storage by EIP-2200, 2929 and 3529, modexp by EIP-7883 (Osaka, Madhugiri), calldata floor by EIP-7623.
//!
//! Left out: the other precompiles that PIP-88 reprices (blake2F, BLS12-381). Nothing here calls them, and a trace that does
//! is refused rather than priced wrongly.

use alloy::primitives::{Address, U256};
use serde::{Deserialize, Serialize};

/// Of a slot or account that the transaction has touched before.
pub const WARM: u64 = 100;
/// Of an account that it has not.
pub const COLD_ACCOUNT: u64 = 2_600;

const SSTORE_SET: u64 = 20_000;
const SSTORE_RESET: u64 = 5_000;
const ACCESS_LIST_KEY: u64 = 1_900;

/// A refund is at most this part of the gas used (EIP-3529).
pub const REFUND_QUOTIENT: u64 = 5;
const TRANSACTION: u64 = 21_000;
/// Gas of a zero byte of calldata; any other counts as four (EIP-2028).
const CALLDATA_TOKEN: u64 = 4;
/// The least that a token of calldata costs in the end (EIP-7623).
const CALLDATA_FLOOR_TOKEN: u64 = 10;

/// The numbers that differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// First SLOAD of a slot.
    pub cold_sload: u64,
    /// Added to an SSTORE that is the first access of its slot.
    pub cold_sstore: u64,
    pub ec_add: u64,
    pub ec_mul: u64,
    pub pairing: u64,
    pub pairing_pair: u64,
}

pub const ETHEREUM: Schedule = Schedule {
    cold_sload: 2_100,
    cold_sstore: 2_100,
    ec_add: 150,
    ec_mul: 6_000,
    pairing: 45_000,
    pairing_pair: 34_000,
};

pub const POLYGON: Schedule = Schedule {
    cold_sload: 5_460,
    cold_sstore: 2_940,
    ec_add: 540,
    ec_mul: 12_600,
    pairing: 67_500,
    pairing_pair: 51_000,
};

/// What a slot held before the transaction, what it holds, and what is stored.
#[derive(Debug, Clone, Copy)]
pub struct Write {
    pub original: U256,
    pub current: U256,
    pub new: U256,
}

/// Gas of an SSTORE, and what it changes in the refund counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreCost {
    pub gas: u64,
    pub refund: i64,
}

impl Schedule {
    pub fn sload(&self, cold: bool) -> u64 {
        if cold { self.cold_sload } else { WARM }
    }

    pub fn sstore(&self, cold: bool, write: Write) -> StoreCost {
        let Write { original, current, new } = write;
        // What changing a slot that holds something costs without the surcharge, so that both together are always 5000.
        let reset = SSTORE_RESET - self.cold_sstore;
        let clears = reset + ACCESS_LIST_KEY;
        let surcharge = if cold { self.cold_sstore } else { 0 };
        let gas = surcharge
            + match (current == new, original == current) {
                (true, _) | (false, false) => WARM,
                (false, true) if original.is_zero() => SSTORE_SET,
                (false, true) => reset,
            };
        let mut refund = 0;
        if current != new {
            if !original.is_zero() {
                refund += signed(clears) * (i64::from(new.is_zero()) - i64::from(current.is_zero()));
            }
            if original == new && original != current {
                refund += signed(if original.is_zero() { SSTORE_SET } else { reset } - WARM);
            }
        }
        StoreCost { gas, refund }
    }

    /// Gas of a precompile; `None` if it is one that is not modelled.
    pub fn precompile(&self, address: Address, input: &[u8]) -> Option<u64> {
        let words = words(input.len());
        Some(match precompile_number(address)? {
            1 => 3_000,
            2 => 60 + 12 * words,
            3 => 600 + 120 * words,
            4 => 15 + 3 * words,
            5 => crate::modexp::gas(input)?,
            6 => self.ec_add,
            7 => self.ec_mul,
            8 => self.pairing + self.pairing_pair * count(input.len() / 192),
            _ => return None,
        })
    }
}

/// The number of a precompile, if the address is one.
pub fn precompile_number(address: Address) -> Option<u16> {
    const P256_VERIFY: u16 = 0x100;
    const LAST: u16 = 0x11;
    let number = u16::try_from(U256::from_be_slice(address.as_slice())).ok()?;
    (matches!(number, 1..=LAST) || number == P256_VERIFY).then_some(number)
}

/// Gas of a transaction before its first step, and the least that it pays in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intrinsic {
    pub base: u64,
    pub calldata: u64,
    pub floor: u64,
}

pub fn intrinsic(input: &[u8]) -> Intrinsic {
    let tokens: u64 = input.iter().map(|byte| if *byte == 0 { 1 } else { 4 }).sum();
    Intrinsic {
        base: TRANSACTION,
        calldata: tokens * CALLDATA_TOKEN,
        floor: TRANSACTION + tokens * CALLDATA_FLOOR_TOKEN,
    }
}

/// How many words of 32 bytes hold so many bytes.
pub fn words(bytes: usize) -> u64 {
    count(bytes.div_ceil(32))
}

/// Sizes come from memory that exists.
fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// Of constants far below the limit.
fn signed(gas: u64) -> i64 {
    i64::try_from(gas).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(schedule: &Schedule, cold: bool, [original, current, new]: [u64; 3]) -> (u64, i64) {
        let write =
            Write { original: U256::from(original), current: U256::from(current), new: U256::from(new) };
        let cost = schedule.sstore(cold, write);
        (cost.gas, cost.refund)
    }

    #[test]
    fn ethereum_stores_by_the_table_of_eip_3529() {
        // Warm, as in the table: original, current and new value, gas, refund of this write.
        for (values, gas, refund) in [
            ([0, 0, 0], 100, 0),
            ([0, 0, 1], 20_000, 0),
            ([0, 1, 0], 100, 19_900),
            ([0, 1, 2], 100, 0),
            ([0, 1, 1], 100, 0),
            ([1, 1, 1], 100, 0),
            ([1, 1, 2], 2_900, 0),
            ([1, 1, 0], 2_900, 4_800),
            ([1, 2, 3], 100, 0),
            ([1, 2, 1], 100, 2_800),
            ([1, 2, 0], 100, 4_800),
            ([1, 0, 2], 100, -4_800),
            ([1, 0, 1], 100, 2_800 - 4_800),
        ] {
            assert_eq!(store(&ETHEREUM, false, values), (gas, refund), "{values:?}");
            assert_eq!(store(&ETHEREUM, true, values), (gas + 2_100, refund), "{values:?}, cold");
        }
    }

    #[test]
    fn polygon_stores_by_pip_88() {
        for (cold, values, gas, refund) in [
            // A slot not read before: the surcharge and the rest are 5000, as on Ethereum.
            (true, [1, 1, 2], 5_000, 0),
            (true, [0, 0, 1], 22_940, 0),
            (true, [1, 1, 1], 3_040, 0),
            (false, [1, 1, 2], 2_060, 0),
            (false, [0, 0, 1], 20_000, 0),
            (false, [1, 1, 0], 2_060, 3_960),
            (false, [1, 2, 1], 100, 1_960),
            (false, [0, 1, 0], 100, 19_900),
            (false, [1, 0, 2], 100, -3_960),
            (false, [1, 0, 1], 100, 1_960 - 3_960),
        ] {
            assert_eq!(store(&POLYGON, cold, values), (gas, refund), "{values:?}, cold: {cold}");
        }
        assert_eq!((POLYGON.sload(true), POLYGON.sload(false)), (5_460, 100));
    }

    #[test]
    fn precompiles_by_input() {
        let at = |n: u8, length: usize| {
            let address = Address::with_last_byte(n);
            [ETHEREUM, POLYGON].map(|s| s.precompile(address, &vec![0; length]))
        };
        assert_eq!(at(1, 128), [Some(3_000); 2]);
        assert_eq!(at(2, 33), [Some(84); 2]);
        assert_eq!(at(3, 32), [Some(720); 2]);
        assert_eq!(at(4, 65), [Some(24); 2]);
        assert_eq!(at(6, 128), [Some(150), Some(540)]);
        assert_eq!(at(7, 96), [Some(6_000), Some(12_600)]);
        assert_eq!(at(8, 384), [Some(113_000), Some(169_500)]);
        assert_eq!(at(8, 0), [Some(45_000), Some(67_500)]);
        assert_eq!(at(9, 213), [None; 2], "repriced by PIP-88, not modelled");
        assert_eq!(at(0x0b, 256), [None; 2], "likewise");
    }

    #[test]
    fn precompile_addresses() {
        assert_eq!(precompile_number(Address::ZERO), None);
        assert_eq!(precompile_number(Address::with_last_byte(0x11)), Some(0x11));
        assert_eq!(precompile_number(Address::with_last_byte(0x12)), None);
        assert_eq!(precompile_number(Address::repeat_byte(1)), None);
    }

    #[test]
    fn calldata_counts_zeroes_apart() {
        let cost = intrinsic(&[0, 0, 7]);
        assert_eq!(cost, Intrinsic { base: 21_000, calldata: 2 * 4 + 16, floor: 21_000 + 60 });
    }
}
