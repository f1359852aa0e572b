//! The chain as Tatum sees it: a pure fold of the contracts' events into what decides an epoch.
//!
//! Everything that decides epoch `e` is fixed before epoch `e - 1` begins (`LEAD`), so as soon as the events up to
//! then are applied, the answers for `e` never change. The one exception is said where it is:
//! [`ChainView::last_certificate_before_end`]. Amounts are wei of DATA. Nothing here talks to a node.

mod operators;
mod payouts;
mod permissions;
mod plan;
mod pool;
mod sponsorships;

#[cfg(test)]
mod tests;

use alloy::primitives::{Address, B256, U256};
use tatum_protocol::epoch::{EpochClock, LEAD};

use self::{operators::Operators, payouts::Payouts, permissions::Permissions, sponsorships::Sponsorships};
pub use self::{
    operators::{Key, Operator, OperatorSet},
    payouts::Posted,
    plan::PlanError,
    pool::Pool,
    sponsorships::{Active, Funds, Lapse, Segment},
};
use crate::event::{ChainEvent, Event, SponsorshipCreated};

/// The state after the events applied so far.
#[derive(Debug, Clone)]
pub struct ChainView {
    clock: EpochClock,
    /// How many epochs a post may reach back.
    lapse_epochs: u64,
    /// Block and log index of the last event applied.
    position: Option<(u64, u64)>,
    operators: Operators,
    sponsorships: Sponsorships,
    payouts: Payouts,
    permissions: Permissions,
}

impl ChainView {
    pub fn new(clock: EpochClock, lapse_epochs: u64) -> Self {
        Self {
            clock,
            lapse_epochs,
            position: None,
            operators: Operators::default(),
            sponsorships: Sponsorships::default(),
            payouts: Payouts::default(),
            permissions: Permissions::default(),
        }
    }

    /// Applies the next event of the chain. One at or before the last position was applied already and is ignored,
    /// so overlapping batches do no harm.
    pub fn apply(&mut self, event: &ChainEvent) {
        let position = (event.block, event.log_index);
        if self.position.is_some_and(|last| position <= last) {
            return;
        }
        self.position = Some(position);
        match &event.event {
            Event::OperatorRegistered { .. }
            | Event::KeyRotated { .. }
            | Event::OwnershipOffered { .. }
            | Event::OwnershipTransferred { .. }
            | Event::NodeAdded { .. }
            | Event::NodeRemoved { .. }
            | Event::CommissionAnnounced { .. }
            | Event::CommissionChanged { .. }
            | Event::WeightChanged { .. }
            | Event::Staked { .. }
            | Event::Delegated { .. }
            | Event::UnbondingStarted { .. }
            | Event::Withdrawn { .. }
            | Event::Paid { .. }
            | Event::EarningsShared { .. }
            | Event::Slashed { .. } => self.operators.apply(&event.event),
            Event::SponsorshipCreated(_)
            | Event::Scheduled { .. }
            | Event::ToppedUp { .. }
            | Event::Stopped { .. }
            | Event::Settled { .. }
            | Event::Lapsed { .. }
            | Event::Refunded { .. }
            | Event::Recovered { .. }
            | Event::Restored { .. }
            | Event::Reclaimed { .. } => self.sponsorships.apply(&event.event),
            Event::Posted { .. } | Event::Pushed { .. } => self.payouts.apply(event),
            Event::StreamCreated { .. }
            | Event::StreamUpdated { .. }
            | Event::StreamDeleted { .. }
            | Event::PermissionUpdated(_) => self.permissions.apply(event),
            // The stake an offence costs comes as Slashed, what is released as Paid.
            Event::OffenceProven { .. } | Event::OffenceExecuted { .. } | Event::Released { .. } => {}
        }
    }

    pub fn clock(&self) -> EpochClock {
        self.clock
    }

    /// Block and log index of the last event applied.
    pub fn position(&self) -> Option<(u64, u64)> {
        self.position
    }

    /// First second too late to decide `epoch`: the start of the epoch before it.
    pub fn cutoff(&self, epoch: u64) -> u64 {
        self.clock.start(epoch.saturating_sub(LEAD - 1))
    }

    /// The operators with weight in `epoch`, and their nodes then; by id.
    pub fn operator_set(&self, epoch: u64) -> OperatorSet {
        self.operators.set_at(epoch)
    }

    /// The operator that `node` is or was bound to. A binding is for good, whether or not the node is active.
    pub fn operator_of(&self, node: Address) -> Option<u64> {
        self.operators.of(node)
    }

    /// The operator's pool as of the last event.
    pub fn pool(&self, operator: u64) -> Option<&Pool> {
        self.operators.pool(operator)
    }

    /// Every operator that ever registered, with its pool.
    pub fn pools(&self) -> impl Iterator<Item = (u64, &Pool)> + '_ {
        self.operators.pools()
    }

    /// The operator's cut of what its pool earns, as of the last event.
    pub fn commission_bps(&self, operator: u64) -> Option<u16> {
        self.operators.commission_bps(operator)
    }

    /// The owner of an operator as of the last event.
    pub fn owner_of(&self, operator: u64) -> Option<Address> {
        self.operators.owner(operator)
    }

    /// Sponsorships that pay for `epoch`, by id, whether or not it lapses.
    pub fn sponsorships_active(&self, epoch: u64) -> Vec<Active<'_>> {
        self.sponsorships.active(epoch)
    }

    /// Every sponsorship, by id.
    pub fn sponsorships(&self) -> impl Iterator<Item = &SponsorshipCreated> + '_ {
        self.sponsorships.all()
    }

    /// What the sponsorship pays and paid, as of the last event; ascending.
    pub fn schedule(&self, sponsorship: u64) -> Option<&[Segment]> {
        self.sponsorships.schedule(sponsorship)
    }

    /// Whether the sponsor ended it.
    pub fn is_stopped(&self, sponsorship: u64) -> bool {
        self.sponsorships.is_stopped(sponsorship)
    }

    /// What came in and back so far.
    pub fn funds(&self, sponsorship: u64) -> Option<Funds> {
        self.sponsorships.funds(sponsorship)
    }

    /// What the sponsorship has beyond what is scheduled.
    pub fn spare(&self, sponsorship: u64) -> Option<U256> {
        self.sponsorships.spare(sponsorship)
    }

    /// Sum of all sponsorships' rates since genesis through `epoch`, lapsed epochs included.
    pub fn scheduled_through(&self, epoch: u64) -> U256 {
        self.sponsorships.scheduled_through(epoch)
    }

    /// What the payouts of a post for `epoch` must sum to, since genesis, by the events so far: the rule of
    /// `Sponsorships.settle`. Of an epoch that was posted, what was posted. `None` if a later post covers it.
    pub fn payable_through(&self, epoch: u64) -> Option<U256> {
        let posted =
            || self.posted().iter().rev().find(|posted| posted.epoch == epoch).map(|posted| posted.total);
        self.sponsorships.payable_through(epoch, self.lapse_epochs).or_else(posted)
    }

    /// How many epochs a post may reach back.
    pub fn lapse_epochs(&self) -> u64 {
        self.lapse_epochs
    }

    /// Epochs that were given up, oldest first.
    pub fn lapses(&self) -> &[Lapse] {
        self.sponsorships.lapses()
    }

    /// Whether nothing is paid for the epoch because it was not certified in time.
    pub fn is_lapsed(&self, epoch: u64) -> bool {
        self.lapses().iter().any(|lapse| (lapse.from_epoch..lapse.to_epoch).contains(&epoch))
    }

    /// Every payout root posted, oldest first.
    pub fn posted(&self) -> &[Posted] {
        self.payouts.posted()
    }

    /// Sum of all pushes.
    pub fn pushed(&self) -> U256 {
        self.payouts.pushed()
    }

    /// Whether a chunk was pushed under a root.
    pub fn is_pushed(&self, root: B256, leaf: B256) -> bool {
        self.payouts.is_pushed(root, leaf)
    }

    /// The root that seeds the assignment of `epoch`: the last posted in a block older than the start of the epoch
    /// before it; zero if none.
    pub fn payout_root_in_force(&self, epoch: u64) -> B256 {
        // Before epoch 1 there is no cutoff that anything could precede.
        if epoch < LEAD - 1 {
            return B256::ZERO;
        }
        self.payouts.last_before(self.cutoff(epoch)).map_or(B256::ZERO, |posted| posted.root)
    }

    /// The last certificate posted in a block older than the end of `epoch`: its signers are the attesters that
    /// `epoch` pays. Known only once `epoch` is over.
    pub fn last_certificate_before_end(&self, epoch: u64) -> Option<&Posted> {
        self.payouts.last_before(self.clock.end(epoch))
    }

    /// Whether the stream exists as of the last event.
    pub fn stream_exists(&self, stream: &str) -> bool {
        self.permissions.exists(stream)
    }

    /// Metadata of the stream as of the last event.
    pub fn stream_metadata(&self, stream: &str) -> Option<&str> {
        self.permissions.metadata(stream)
    }

    /// Whether `user`, directly or as one of the public, may publish at `now_s`.
    pub fn may_publish(&self, stream: &str, user: Address, now_s: u64) -> bool {
        self.permissions.may_publish(stream, user, now_s)
    }

    /// Whether `user`, directly or as one of the public, may subscribe at `now_s`.
    pub fn may_subscribe(&self, stream: &str, user: Address, now_s: u64) -> bool {
        self.permissions.may_subscribe(stream, user, now_s)
    }

    /// Whether anyone may subscribe at `now_s`. Such a stream is not encrypted.
    pub fn is_public_subscribe(&self, stream: &str, now_s: u64) -> bool {
        self.permissions.may_subscribe(stream, Address::ZERO, now_s)
    }

    /// Users with an explicit subscribe grant that stood when `epoch` was decided and outlasts it; ascending.
    /// Operators' nodes are not filtered out.
    pub fn granted_subscribers(&self, stream: &str, epoch: u64) -> Vec<Address> {
        self.permissions.granted_subscribers(stream, self.cutoff(epoch), self.clock.end(epoch))
    }
}
