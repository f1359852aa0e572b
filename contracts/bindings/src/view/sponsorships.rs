//! Sponsorships: what is scheduled for which epoch, and what came back.

use std::collections::BTreeMap;

use alloy::primitives::U256;

use crate::event::{Event, SponsorshipCreated};

/// What came back to a sponsorship. Both are cumulative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Funds {
    pub refunded: u128,
    /// Part of `refunded` that the sponsor has taken.
    pub reclaimed: u128,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Sponsorships {
    records: BTreeMap<u64, (SponsorshipCreated, Funds)>,
}

impl Sponsorships {
    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::SponsorshipCreated(created) => {
                self.records.insert(created.sponsorship, (created.clone(), Funds::default()));
            }
            Event::Refunded { sponsorship, cumulative, .. } => {
                if let Some((_, funds)) = self.records.get_mut(sponsorship) {
                    funds.refunded = *cumulative;
                }
            }
            Event::Reclaimed { sponsorship, amount, .. } => {
                if let Some((_, funds)) = self.records.get_mut(sponsorship) {
                    funds.reclaimed = funds.reclaimed.saturating_add(*amount);
                }
            }
            _ => {}
        }
    }

    pub(super) fn active(&self, epoch: u64) -> Vec<&SponsorshipCreated> {
        let pays =
            |s: &SponsorshipCreated| epoch.checked_sub(s.start_epoch).is_some_and(|since| since < s.epochs);
        self.records.values().map(|(created, _)| created).filter(|created| pays(created)).collect()
    }

    pub(super) fn get(&self, sponsorship: u64) -> Option<&SponsorshipCreated> {
        self.records.get(&sponsorship).map(|(created, _)| created)
    }

    pub(super) fn funds(&self, sponsorship: u64) -> Option<Funds> {
        self.records.get(&sponsorship).map(|(_, funds)| *funds)
    }

    pub(super) fn scheduled_through(&self, epoch: u64) -> U256 {
        let epochs_paid = |s: &SponsorshipCreated| {
            epoch.checked_sub(s.start_epoch).map_or(0, |since| since.saturating_add(1).min(s.epochs))
        };
        self.records.values().fold(U256::ZERO, |sum, (created, _)| {
            // At most 2^128 * 2^64 each: no sum of 64-bit many overflows.
            sum.wrapping_add(
                U256::from(created.rate_per_epoch).wrapping_mul(U256::from(epochs_paid(created))),
            )
        })
    }
}
