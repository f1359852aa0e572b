//! The epoch clock: which epoch a moment belongs to, and when each step of a closed epoch is due.

use alloy_primitives::{B256, keccak256};
use serde::{Deserialize, Serialize};

/// A change made on chain during epoch `x` takes effect in epoch `x + LEAD`, so that every node knows an
/// epoch's inputs one whole epoch before it begins (ADR 1).
pub const LEAD: u64 = 2;

/// First epoch that a post for `epoch` pays, where everything before `next_epoch` is accounted for. What lies between the two
/// lapses: it pays nobody (ADR 11). The rule of `Sponsorships.settle`, and so of every proposal.
pub fn first_paid(next_epoch: u64, epoch: u64, lapse_epochs: u64) -> u64 {
    next_epoch.max(epoch.saturating_add(1).saturating_sub(lapse_epochs))
}

/// Both values are immutables of the Settlement contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochClock {
    /// Unix seconds of the start of epoch 0.
    pub genesis: u64,
    /// Seconds; never zero on a deployed contract.
    pub length: u64,
}

/// Steps after the close of an epoch, see `docs/protocol.md`, Time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deadline {
    /// Receivers stop counting and sign.
    Close,
    /// Indexers stop taking receipts; volumes are attested from here on.
    Receipts,
    /// Volumes are in; the epoch is computed and proposed.
    Volumes,
    /// Attestations are due; settlement may post from when the quorum is there.
    Attestations,
}

impl Deadline {
    /// Tenths of the epoch length after the close.
    const fn tenths(self) -> u64 {
        match self {
            Self::Close => 1,
            Self::Receipts => 3,
            Self::Volumes => 5,
            Self::Attestations => 6,
        }
    }
}

impl EpochClock {
    /// Epoch of a moment in Unix milliseconds; `None` before genesis.
    pub fn epoch_at_ms(&self, now_ms: u64) -> Option<u64> {
        let since = now_ms.checked_sub(self.genesis.checked_mul(1000)?)?;
        since.checked_div(self.length.checked_mul(1000)?)
    }

    /// First second of the epoch; saturates far beyond any real epoch.
    pub fn start(&self, epoch: u64) -> u64 {
        self.genesis.saturating_add(epoch.saturating_mul(self.length))
    }

    /// First second after the epoch.
    pub fn end(&self, epoch: u64) -> u64 {
        self.start(epoch.saturating_add(1))
    }

    /// Moment, in Unix milliseconds, at which a step of this epoch is due.
    pub fn deadline_ms(&self, epoch: u64, deadline: Deadline) -> u64 {
        let offset = self.length.saturating_mul(100).saturating_mul(deadline.tenths());
        self.end(epoch).saturating_mul(1000).saturating_add(offset)
    }
}

/// `keccak256(root ++ uint64 epoch)`: seed of the epoch's assignment. `root` is the payout root in force, see
/// `docs/protocol.md`, Assignment.
pub fn seed(root_in_force: B256, epoch: u64) -> B256 {
    keccak256([root_in_force.as_slice(), &epoch.to_be_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: EpochClock = EpochClock { genesis: 1_000, length: 10 };

    #[test]
    fn boundaries_belong_to_the_later_epoch() {
        assert_eq!(CLOCK.epoch_at_ms(999_999), None);
        assert_eq!(CLOCK.epoch_at_ms(1_000_000), Some(0));
        assert_eq!(CLOCK.epoch_at_ms(1_009_999), Some(0));
        assert_eq!(CLOCK.epoch_at_ms(1_010_000), Some(1));
        assert_eq!(CLOCK.end(0), CLOCK.start(1));
    }

    #[test]
    fn a_post_reaches_back_as_far_as_lapses_allow() {
        assert_eq!(first_paid(0, 3, 5), 0);
        assert_eq!(first_paid(2, 3, 5), 2);
        assert_eq!(first_paid(2, 7, 5), 3, "epochs 3 to 7 are five; epoch 2 lapses");
        assert_eq!(first_paid(9, 7, 5), 9, "accounted for already");
    }

    #[test]
    fn deadlines_are_ordered_and_within_the_next_epoch() {
        let all = [Deadline::Close, Deadline::Receipts, Deadline::Volumes, Deadline::Attestations];
        let at: Vec<u64> = all.iter().map(|d| CLOCK.deadline_ms(3, *d)).collect();
        assert!(at.is_sorted());
        assert_eq!(at[0], 1_041_000);
        assert!(at[3] < CLOCK.end(4) * 1000);
    }
}
