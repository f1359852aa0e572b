//! What a transaction costs, by what it pays for.

use std::ops::AddAssign;

use crate::schedule::REFUND_QUOTIENT;

/// Gas by class. The sum of the classes less the refund, but at least `floor`, is what is paid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bill {
    /// 21000 of every transaction.
    pub base: u64,
    pub calldata: u64,
    pub precompiles: u64,
    /// First reads of slots.
    pub cold_reads: u64,
    /// Writes to slots that held nothing.
    pub new_slots: u64,
    /// Writes to slots that held something, their surcharge included.
    pub changed_slots: u64,
    /// First calls of contracts.
    pub cold_accounts: u64,
    pub logs: u64,
    /// Computation, memory, and whatever is warm.
    pub rest: u64,
    /// Earned, before its bound.
    pub refund: u64,
    pub floor: u64,
}

impl Bill {
    fn spent(&self) -> u64 {
        self.parts().into_iter().map(|(_, gas)| gas).sum()
    }

    /// What the refund comes to.
    pub fn refunded(&self) -> u64 {
        self.refund.min(self.spent() / REFUND_QUOTIENT)
    }

    /// What is paid.
    pub fn total(&self) -> u64 {
        (self.spent() - self.refunded()).max(self.floor)
    }

    /// Every class with its name.
    pub fn parts(&self) -> [(&'static str, u64); 9] {
        [
            ("base", self.base),
            ("calldata", self.calldata),
            ("precompiles", self.precompiles),
            ("cold reads", self.cold_reads),
            ("new slots", self.new_slots),
            ("changed slots", self.changed_slots),
            ("cold accounts", self.cold_accounts),
            ("logs", self.logs),
            ("rest", self.rest),
        ]
    }
}

/// The classes; refund and floor belong to the whole transaction.
impl AddAssign for Bill {
    fn add_assign(&mut self, other: Self) {
        self.base += other.base;
        self.calldata += other.calldata;
        self.precompiles += other.precompiles;
        self.cold_reads += other.cold_reads;
        self.new_slots += other.new_slots;
        self.changed_slots += other.changed_slots;
        self.cold_accounts += other.cold_accounts;
        self.logs += other.logs;
        self.rest += other.rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refund_is_bounded_and_the_floor_comes_last() {
        let bill = Bill { base: 21_000, rest: 4_000, refund: 4_000, ..Bill::default() };
        assert_eq!(bill.total(), 21_000);
        assert_eq!(Bill { refund: 90_000, ..bill }.total(), 20_000);
        assert_eq!(Bill { floor: 22_000, ..bill }.total(), 22_000);
    }
}
