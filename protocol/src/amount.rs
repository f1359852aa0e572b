//! Wei of DATA. Integer arithmetic only; every division says which way it rounds.

use alloy_primitives::U256;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Basis points in a whole.
pub const BPS: u128 = 10_000;

/// An amount in wei. 128 bits hold 3.4e20 DATA, far past its supply; sums are checked all the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Wei(pub u128);

impl Wei {
    pub const ZERO: Self = Self(0);

    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// `floor(self * numerator / denominator)`, computed in 256 bits; `None` if the denominator is zero or the
    /// result does not fit, which cannot happen while `numerator <= denominator`.
    pub fn mul_div_down(self, numerator: u128, denominator: u128) -> Option<Self> {
        U256::from(self.0)
            .checked_mul(U256::from(numerator))?
            .checked_div(U256::from(denominator))
            .and_then(|q| u128::try_from(q).ok())
            .map(Self)
    }

    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }
}

/// DATA with all 18 decimals trimmed of trailing zeros, for people.
impl fmt::Display for Wei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ONE: u128 = 1_000_000_000_000_000_000;
        let (whole, part) = (self.0.checked_div(ONE), self.0.checked_rem(ONE));
        let digits = format!("{:018}", part.unwrap_or_default());
        let text = match digits.trim_end_matches('0') {
            "" => whole.unwrap_or_default().to_string(),
            decimals => format!("{}.{decimals}", whole.unwrap_or_default()),
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_down_and_never_overflows_below_one() {
        assert_eq!(Wei(10).mul_div_down(1, 3), Some(Wei(3)));
        assert_eq!(Wei(u128::MAX).mul_div_down(u128::MAX, u128::MAX), Some(Wei(u128::MAX)));
        assert_eq!(Wei(2).mul_div_down(u128::MAX, 1), None);
        assert_eq!(Wei(1).mul_div_down(1, 0), None);
    }

    #[test]
    fn shows_data() {
        assert_eq!(Wei(1_500_000_000_000_000_000).to_string(), "1.5");
        assert_eq!(Wei(1).to_string(), "0.000000000000000001");
        assert_eq!(Wei(0).to_string(), "0");
    }
}
