//! Sponsorships: what is scheduled for which epoch, what of it is payable, and what came back.
//!
//! Of each sponsorship, to the wei what the contract has:
//!
//! `spare == created + topped up + refunded + recovered + restored - reclaimed - scheduled`

use std::collections::BTreeMap;

use alloy::primitives::U256;
use tatum_protocol::epoch::first_paid;

use crate::event::{Event, SponsorshipCreated};

/// A sponsorship and what it pays in an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Active<'a> {
    pub created: &'a SponsorshipCreated,
    pub rate_per_epoch: u128,
}

/// The epochs of a range without gaps, at one rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    pub from_epoch: u64,
    /// The first one that it does not pay for.
    pub to_epoch: u64,
    pub rate_per_epoch: u128,
}

impl Segment {
    fn pays(&self, epoch: u64) -> bool {
        (self.from_epoch..self.to_epoch).contains(&epoch)
    }

    /// Wei for its epochs up to and with this one.
    fn through(&self, epoch: u64) -> U256 {
        let epochs = self.to_epoch.min(epoch.saturating_add(1)).saturating_sub(self.from_epoch);
        // At most 2^128 * 2^64.
        U256::from(self.rate_per_epoch).wrapping_mul(U256::from(epochs))
    }
}

/// What came in and back since the sponsorship was created. All are cumulative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Funds {
    /// By the sponsor and others, the first deposit included.
    pub added: U256,
    pub refunded: u128,
    /// Of lapsed epochs.
    pub recovered: u128,
    /// Of penalties.
    pub restored: u128,
    /// What the sponsor has taken out.
    pub reclaimed: u128,
}

/// Epochs that were not certified in time, the last one excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lapse {
    pub from_epoch: u64,
    pub to_epoch: u64,
}

#[derive(Debug, Clone)]
struct Record {
    created: SponsorshipCreated,
    /// Ascending, without overlaps.
    schedule: Vec<Segment>,
    funds: Funds,
    stopped: bool,
}

impl Record {
    /// From `segment` on everything is as it says.
    fn schedule(&mut self, segment: Segment) {
        for earlier in &mut self.schedule {
            earlier.to_epoch = earlier.to_epoch.min(segment.from_epoch);
        }
        self.schedule.push(segment);
        self.schedule.retain(|segment| segment.from_epoch < segment.to_epoch);
    }

    fn scheduled_through(&self, epoch: u64) -> U256 {
        self.schedule.iter().map(|segment| segment.through(epoch)).fold(U256::ZERO, U256::saturating_add)
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Sponsorships {
    records: BTreeMap<u64, Record>,
    lapses: Vec<Lapse>,
    /// The first epoch neither settled nor lapsed.
    next_epoch: u64,
    settled: U256,
}

impl Sponsorships {
    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::SponsorshipCreated(created) => {
                let record = Record {
                    created: created.clone(),
                    schedule: Vec::new(),
                    funds: Funds::default(),
                    stopped: false,
                };
                self.records.insert(created.sponsorship, record);
            }
            Event::Scheduled { sponsorship, from_epoch, to_epoch, rate_per_epoch } => {
                let segment =
                    Segment { from_epoch: *from_epoch, to_epoch: *to_epoch, rate_per_epoch: *rate_per_epoch };
                self.change(*sponsorship, |record| {
                    // Creating funds exactly what it schedules, and nothing else comes before it.
                    if record.funds == Funds::default() {
                        record.funds.added = segment.through(u64::MAX);
                    }
                    record.schedule(segment);
                });
            }
            Event::ToppedUp { sponsorship, amount, .. } => self.funds_change(*sponsorship, |funds| {
                funds.added = funds.added.saturating_add(U256::from(*amount));
            }),
            Event::Stopped { sponsorship } => self.change(*sponsorship, |record| record.stopped = true),
            Event::Refunded { sponsorship, cumulative, .. } => {
                self.funds_change(*sponsorship, |funds| funds.refunded = *cumulative);
            }
            Event::Recovered { sponsorship, amount, .. } => self.funds_change(*sponsorship, |funds| {
                funds.recovered = funds.recovered.saturating_add(*amount);
            }),
            Event::Restored { sponsorship, amount } => self.funds_change(*sponsorship, |funds| {
                funds.restored = funds.restored.saturating_add(*amount);
            }),
            Event::Reclaimed { sponsorship, amount, .. } => self.funds_change(*sponsorship, |funds| {
                funds.reclaimed = funds.reclaimed.saturating_add(*amount);
            }),
            Event::Settled { epoch, cumulative, .. } => {
                self.next_epoch = self.next_epoch.max(epoch.saturating_add(1));
                self.settled = *cumulative;
            }
            Event::Lapsed { from_epoch, to_epoch, .. } => {
                self.next_epoch = self.next_epoch.max(*to_epoch);
                self.lapses.push(Lapse { from_epoch: *from_epoch, to_epoch: *to_epoch });
            }
            _ => {}
        }
    }

    fn change(&mut self, sponsorship: u64, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self.records.get_mut(&sponsorship) {
            change(record);
        }
    }

    fn funds_change(&mut self, sponsorship: u64, change: impl FnOnce(&mut Funds)) {
        self.change(sponsorship, |record| change(&mut record.funds));
    }

    pub(super) fn active(&self, epoch: u64) -> Vec<Active<'_>> {
        let active = |record: &'_ Record| record.schedule.iter().find(|segment| segment.pays(epoch)).copied();
        self.records
            .values()
            .filter_map(|record| {
                let rate_per_epoch = active(record)?.rate_per_epoch;
                Some(Active { created: &record.created, rate_per_epoch })
            })
            .collect()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &SponsorshipCreated> + '_ {
        self.records.values().map(|record| &record.created)
    }

    pub(super) fn schedule(&self, sponsorship: u64) -> Option<&[Segment]> {
        self.records.get(&sponsorship).map(|record| record.schedule.as_slice())
    }

    pub(super) fn is_stopped(&self, sponsorship: u64) -> bool {
        self.records.get(&sponsorship).is_some_and(|record| record.stopped)
    }

    pub(super) fn funds(&self, sponsorship: u64) -> Option<Funds> {
        self.records.get(&sponsorship).map(|record| record.funds)
    }

    /// What is neither scheduled nor taken out.
    pub(super) fn spare(&self, sponsorship: u64) -> Option<U256> {
        let record = self.records.get(&sponsorship)?;
        let Funds { added, refunded, recovered, restored, reclaimed } = record.funds;
        let came =
            [refunded, recovered, restored].map(U256::from).into_iter().fold(added, U256::saturating_add);
        Some(came.saturating_sub(U256::from(reclaimed)).saturating_sub(record.scheduled_through(u64::MAX)))
    }

    pub(super) fn scheduled_through(&self, epoch: u64) -> U256 {
        let each = self.records.values().map(|record| record.scheduled_through(epoch));
        each.fold(U256::ZERO, U256::saturating_add)
    }

    pub(super) fn lapses(&self) -> &[Lapse] {
        &self.lapses
    }

    pub(super) fn payable_through(&self, epoch: u64, lapse_epochs: u64) -> Option<U256> {
        if epoch < self.next_epoch {
            return None;
        }
        let first = first_paid(self.next_epoch, epoch, lapse_epochs);
        let before = first.checked_sub(1).map_or(U256::ZERO, |before| self.scheduled_through(before));
        Some(self.settled.saturating_add(self.scheduled_through(epoch).saturating_sub(before)))
    }
}
