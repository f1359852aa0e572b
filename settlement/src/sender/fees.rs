//! What a transaction offers per gas, and what its replacement does. Pure.

use crate::config::SenderConfig;

const GWEI: u128 = 1_000_000_000;

/// EIP-1559 fees per gas, in wei.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fees {
    pub max: u128,
    pub priority: u128,
}

impl Fees {
    /// The market's estimate, within the cap.
    pub(crate) fn first(market: Self, config: &SenderConfig) -> Self {
        market.capped(config)
    }

    /// The least that replaces these fees, or the market's where that is higher; `None` at the cap, where waiting is all that is left.
    pub(crate) fn replacement(self, market: Self, config: &SenderConfig) -> Option<Self> {
        let raised = |fee: u128| {
            let more = fee.saturating_mul(config.escalation_percent.max(MIN_ESCALATION).into()).div_ceil(100);
            fee.saturating_add(more.max(1))
        };
        let least = |fee: u128| fee.saturating_add(fee.saturating_mul(MIN_ESCALATION.into()).div_ceil(100));
        let next = Self {
            max: raised(self.max).max(market.max),
            priority: raised(self.priority).max(market.priority),
        }
        .capped(config);
        // Nodes want both fees raised.
        (next.max >= least(self.max) && next.priority >= least(self.priority) && next != self).then_some(next)
    }

    fn capped(self, config: &SenderConfig) -> Self {
        let max = self.max.min(u128::from(config.max_fee_gwei).saturating_mul(GWEI));
        Self { max, priority: self.priority.min(max) }
    }
}

/// Percent that nodes demand of a replacement.
const MIN_ESCALATION: u64 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: SenderConfig = SenderConfig {
        gas_margin_percent: 30,
        replace_after_seconds: 30,
        escalation_percent: 25,
        max_fee_gwei: 100,
    };

    fn fees(max: u128, priority: u128) -> Fees {
        Fees { max: max * GWEI, priority: priority * GWEI }
    }

    #[test]
    fn replacements_rise_to_the_cap_and_stop_there() {
        let market = fees(40, 2);
        let mut offered = Fees::first(market, &CONFIG);
        assert_eq!(offered, market);
        let mut steps = 0;
        while let Some(next) = offered.replacement(market, &CONFIG) {
            assert!(next.max * 10 >= offered.max * 11 && next.priority * 10 >= offered.priority * 11);
            assert!(next.max <= fees(100, 0).max && next.priority <= next.max);
            offered = next;
            steps += 1;
        }
        assert_eq!(steps, 4);
    }

    #[test]
    fn a_risen_market_is_followed_and_the_cap_holds() {
        assert_eq!(fees(10, 1).replacement(fees(80, 3), &CONFIG), Some(fees(80, 3)));
        assert_eq!(Fees::first(fees(500, 200), &CONFIG), fees(100, 100));
        assert_eq!(fees(100, 1).replacement(fees(500, 200), &CONFIG), None);
    }

    #[test]
    fn tiny_fees_still_rise() {
        let tiny = Fees { max: 1, priority: 1 };
        assert_eq!(tiny.replacement(tiny, &CONFIG), Some(Fees { max: 2, priority: 2 }));
        let free = Fees { max: 1, priority: 0 };
        assert_eq!(free.replacement(free, &CONFIG), Some(Fees { max: 2, priority: 1 }));
    }
}
