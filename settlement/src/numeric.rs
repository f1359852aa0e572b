//! Between the protocol's integers and the database's: NUMERIC for amounts, BIGINT for counters, BYTEA for hashes.

use alloy::primitives::{Address, B256, U256};
use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::Sign;

/// A stored value that cannot be what its column stands for: the database was changed by hand or by another version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column} holds {found}; {expected} is expected")]
pub struct Malformed {
    pub column: &'static str,
    pub expected: &'static str,
    pub found: String,
}

impl Malformed {
    fn new(column: &'static str, expected: &'static str, found: impl ToString) -> Self {
        Self { column, expected, found: found.to_string() }
    }
}

pub(crate) fn to_u256(column: &'static str, value: &BigDecimal) -> Result<U256, Malformed> {
    let malformed = || Malformed::new(column, "an integer below 2^256", value);
    if !value.is_integer() {
        return Err(malformed());
    }
    let (integer, _) = value.with_scale(0).into_bigint_and_exponent();
    match integer.to_bytes_be() {
        (Sign::Minus, _) => Err(malformed()),
        (_, bytes) => U256::try_from_be_slice(&bytes).ok_or_else(malformed),
    }
}

pub(crate) fn to_u128(column: &'static str, value: &BigDecimal) -> Result<u128, Malformed> {
    let wide = to_u256(column, value)?;
    u128::try_from(wide).map_err(|_| Malformed::new(column, "an integer below 2^128", value))
}

/// Epochs, nonces, block numbers and gas: real ones are far below 2^63, and an absurd one finds no row.
pub(crate) fn from_u64(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(crate) fn to_u64(column: &'static str, value: i64) -> Result<u64, Malformed> {
    u64::try_from(value).map_err(|_| Malformed::new(column, "a number from 0", value))
}

pub(crate) fn to_b256(column: &'static str, bytes: &[u8]) -> Result<B256, Malformed> {
    B256::try_from(bytes).map_err(|_| Malformed::new(column, "32 bytes", format!("{} bytes", bytes.len())))
}

pub(crate) fn to_address(column: &'static str, bytes: &[u8]) -> Result<Address, Malformed> {
    Address::try_from(bytes).map_err(|_| Malformed::new(column, "20 bytes", format!("{} bytes", bytes.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly_and_impossible_ones_are_refused() {
        for value in [U256::ZERO, U256::from(1_500_000_000_000_000_000_u64), U256::MAX] {
            assert_eq!(to_u256("total", &value.to_string().parse().unwrap()), Ok(value));
        }
        assert!(to_u256("total", &"-1".parse().unwrap()).is_err());
        assert!(to_u256("total", &"1.5".parse().unwrap()).is_err());
        assert_eq!(to_u256("total", &"1e3".parse().unwrap()), Ok(U256::from(1000)));
        assert!(to_u128("max_fee", &U256::MAX.to_string().parse().unwrap()).is_err());
    }
}
