//! The formula of [`super`], part by part. `None` means an amount overflowed.

use super::{EpochPayout, Evidence, Kind, Line};
use crate::amount::{BPS, Wei};
use crate::plan::{EpochPlan, PlannedPart, Pot, Receiver};
use crate::set_digest::custody;
use crate::volume::Volume;

pub(super) fn compute(plan: &EpochPlan, evidence: &Evidence) -> Option<EpochPayout> {
    let mut payout = EpochPayout::default();
    for (sponsorship, amount) in &plan.unallocated {
        payout.scheduled = payout.scheduled.checked_add(*amount)?;
        payout.refund(*sponsorship, *amount)?;
    }
    for part in plan.parts.values() {
        for pot in &part.pots {
            payout.scheduled = payout.scheduled.checked_add(pot.amount)?;
            let lines = match evidence.volumes.get(&part.key) {
                Some(volume) => PotSplit { plan, part, pot, volume, evidence }.lines()?,
                None => Vec::new(),
            };
            let earned = Wei::checked_sum(lines.iter().map(|line| line.amount))?;
            payout.refund(pot.sponsorship, pot.amount.checked_sub(earned)?)?;
            payout.lines.extend(lines.into_iter().filter(|line| line.amount != Wei::ZERO));
        }
    }
    Some(payout)
}

impl EpochPayout {
    fn refund(&mut self, sponsorship: u64, amount: Wei) -> Option<()> {
        let sum = self.refunds.entry(sponsorship).or_default();
        *sum = sum.checked_add(amount)?;
        Some(())
    }
}

struct PotSplit<'a> {
    plan: &'a EpochPlan,
    part: &'a PlannedPart,
    pot: &'a Pot,
    volume: &'a Volume,
    evidence: &'a Evidence,
}

impl PotSplit<'_> {
    fn lines(&self) -> Option<Vec<Line>> {
        let shares = self.plan.shares;
        let attesters = self.pot.amount.mul_div_down(shares.attester_bps.into(), BPS)?;
        let rest = self.pot.amount.checked_sub(attesters)?;
        let mut availability = rest.mul_div_down(shares.availability_bps.into(), BPS)?;
        let work = rest.checked_sub(availability)?;
        let mut delivery = work.mul_div_down(self.pot.subscriber_share_bps.into(), BPS)?;
        let mut relay = work.checked_sub(delivery)?;
        if !self.part.receivers.iter().any(|r| r.broker_of.is_none()) {
            relay = relay.checked_add(delivery)?;
            delivery = Wei::ZERO;
        }
        if self.part.assigned.len() < 2 {
            availability = availability.checked_add(relay)?;
            relay = Wei::ZERO;
        }

        let mut lines = Vec::new();
        self.attesters(attesters, &mut lines)?;
        self.availability(availability, &mut lines)?;
        let (brokers, subscribers): (Vec<_>, Vec<_>) =
            self.part.receivers.iter().partition(|r| r.broker_of.is_some());
        self.work(Kind::Relay, relay, &brokers, &mut lines)?;
        let proven: Vec<_> = subscribers.into_iter().filter(|r| self.proves_volume(r)).collect();
        self.work(Kind::Delivery, delivery, &proven, &mut lines)?;
        Some(lines)
    }

    fn line(&self, operator: u64, kind: Kind, amount: Wei) -> Line {
        Line { sponsorship: self.pot.sponsorship, part: self.part.key, operator, kind, amount }
    }

    fn attesters(&self, amount: Wei, lines: &mut Vec<Line>) -> Option<()> {
        let stake =
            self.plan.attesters.iter().try_fold(0_u128, |sum, (_, weight)| sum.checked_add(*weight))?;
        for (operator, weight) in self.plan.attesters.iter().filter(|_| stake > 0) {
            lines.push(self.line(*operator, Kind::Attester, amount.mul_div_down(*weight, stake)?));
        }
        Some(())
    }

    fn availability(&self, amount: Wei, lines: &mut Vec<Line>) -> Option<()> {
        let assigned = u128::try_from(self.part.assigned.len()).ok()?;
        for receiver in self.part.receivers.iter().filter(|r| self.proves_volume(r)) {
            if let Some(operator) = receiver.broker_of {
                lines.push(self.line(operator, Kind::Availability, amount.mul_div_down(1, assigned)?));
            }
        }
        Some(())
    }

    fn work(&self, kind: Kind, amount: Wei, receivers: &[&Receiver], lines: &mut Vec<Line>) -> Option<()> {
        let count = u128::try_from(receivers.len()).ok()?;
        if self.volume.bytes == 0 || count == 0 {
            return Some(());
        }
        let budget = amount.mul_div_down(1, count)?;
        for receiver in receivers {
            let drawn = u128::try_from(receiver.relayers.len()).ok()?;
            for relayer in &receiver.relayers {
                let confirmed = self.confirmed_bytes(receiver, &relayer.broker);
                let share = budget.mul_div_down(1, drawn)?;
                let earned = share.mul_div_down(confirmed.into(), self.volume.bytes.into())?;
                lines.push(self.line(relayer.operator, kind, earned));
            }
        }
        Some(())
    }

    /// A credit counts up to the certified volume, and up to the receiver's own delivery where it signed one.
    fn confirmed_bytes(&self, receiver: &Receiver, relayer: &alloy_primitives::Address) -> u64 {
        let credit = self.evidence.credits.get(&(self.part.key, *relayer, receiver.address));
        let own = self.evidence.deliveries.get(&(self.part.key, receiver.address));
        let credited = credit.map_or(0, |c| c.bytes).min(self.volume.bytes);
        own.map_or(credited, |d| d.bytes.min(credited))
    }

    fn proves_volume(&self, receiver: &Receiver) -> bool {
        self.evidence.deliveries.get(&(self.part.key, receiver.address)).is_some_and(|delivery| {
            delivery.messages == self.volume.messages
                && delivery.bytes == self.volume.bytes
                && delivery.custody == custody(&self.volume.set_digest, &receiver.address)
        })
    }
}
