//! The payout formula, exact. For a pot `P` of one sponsorship and stream part in one epoch, all divisions rounding down:
//!
//! ```text
//! attesters    = P * attesterBps                         to the previous certificate's signers, by stake
//! availability = (P - attesters) * availabilityBps       equally among assigned operators whose delivery proves the volume
//! work         = P - attesters - availability
//!   delivery   = work * subscriberShareBps               equally among subscribers whose delivery proves the volume
//!   relay      = work - delivery                         equally among assigned brokers
//! ```
//!
//! A receiver's budget is split equally among its relayers (two, or one where there is one candidate); each earns its part
//! `* confirmed bytes / certified bytes`. Delivery without granted subscribers joins relay; relay with fewer than two assigned
//! brokers joins availability. Without a certified volume the whole pot is refunded; a certified volume of zero earns no work.
//!
//! **Conservation**: payouts + refunds == scheduled, to the wei. The refund of a pot is what is left of it, so the equation holds by
//! construction; that nothing is paid beyond the pot is checked arithmetic and property-tested.

mod formula;
mod tree;

use crate::amount::Wei;
use crate::id::{OperatorId, PartKey, SponsorshipId};
use crate::plan::EpochPlan;
use crate::receipt::{Credit, Delivery};
use crate::volume::Volume;
use alloy_primitives::Address;
use std::collections::BTreeMap;

pub use tree::{CHUNK_ENTRIES, Cumulative, PayoutTree, TreeError};

/// Evidence of one epoch after every signature was checked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    pub volumes: BTreeMap<PartKey, Volume>,
    /// Last credit of (part, relayer, receiver).
    pub credits: BTreeMap<(PartKey, Address, Address), Credit>,
    /// Delivery of (part, receiver).
    pub deliveries: BTreeMap<(PartKey, Address), Delivery>,
}

/// What a line of the payout is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Attester,
    Availability,
    Relay,
    Delivery,
}

/// One earning: the drill-down from a payout to the pot it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub sponsorship: SponsorshipId,
    pub part: PartKey,
    pub operator: OperatorId,
    pub kind: Kind,
    pub amount: Wei,
}

/// The result of one epoch. `scheduled == sum(lines) + sum(refunds)`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EpochPayout {
    pub scheduled: Wei,
    pub lines: Vec<Line>,
    pub refunds: BTreeMap<SponsorshipId, Wei>,
}

/// An amount did not fit in 128 bits, or a pot was overdrawn: both impossible with real supplies and this formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("payout arithmetic of epoch {epoch} overflowed")]
pub struct Overflow {
    pub epoch: u64,
}

impl EpochPayout {
    /// Computes the epoch. Deterministic in its arguments; a zero amount makes no line.
    pub fn compute(plan: &EpochPlan, evidence: &Evidence) -> Result<Self, Overflow> {
        formula::compute(plan, evidence).ok_or(Overflow { epoch: plan.epoch })
    }
}

#[cfg(test)]
mod tests;
