//! Counts since start, for `/status` and `/metrics`.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Kinds of evidence, as labels and in `rejected_evidence.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvidenceKind {
    Bandwidth,
    Delivery,
    Volume,
    Payout,
}

impl EvidenceKind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bandwidth => "bandwidth",
            Self::Delivery => "delivery",
            Self::Volume => "volume",
            Self::Payout => "payout",
        }
    }
}

/// Classes of refusal, as labels. The full reason is in `rejected_evidence.reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// Malformed or not signed by whom it names.
    Invalid,
    /// An epoch that has not begun.
    Early,
    /// Past the deadline of its kind.
    Late,
    /// The plan of the epoch gives the signer no say in it.
    Unplanned,
    /// Contradicts something signed before.
    Contradiction,
    /// Attests a payout that is not the proposed one.
    OtherStatement,
}

impl Refusal {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Early => "early",
            Self::Late => "late",
            Self::Unplanned => "unplanned",
            Self::Contradiction => "contradiction",
            Self::OtherStatement => "other_statement",
        }
    }
}

#[derive(Debug, Default)]
pub struct Counters {
    accepted: Mutex<BTreeMap<EvidenceKind, u64>>,
    rejected: Mutex<BTreeMap<(EvidenceKind, Refusal), u64>>,
    retried: AtomicU64,
    offences: AtomicU64,
    reorganisations: AtomicU64,
    last_accepted_ms: AtomicU64,
}

impl Counters {
    pub fn accept(&self, kind: EvidenceKind, now_ms: u64) {
        self.last_accepted_ms.fetch_max(now_ms, Ordering::Relaxed);
        add(&self.accepted, kind);
    }

    pub fn reject(&self, kind: EvidenceKind, refusal: Refusal) {
        add(&self.rejected, (kind, refusal));
    }

    pub fn retry(&self, items: usize) {
        self.retried.fetch_add(items.try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub fn offences_found(&self, number: u64) {
        self.offences.fetch_add(number, Ordering::Relaxed);
    }

    pub fn reorganisation(&self) {
        self.reorganisations.fetch_add(1, Ordering::Relaxed);
    }

    pub fn accepted(&self) -> BTreeMap<EvidenceKind, u64> {
        copy(&self.accepted)
    }

    pub fn rejected(&self) -> BTreeMap<(EvidenceKind, Refusal), u64> {
        copy(&self.rejected)
    }

    pub fn retried(&self) -> u64 {
        self.retried.load(Ordering::Relaxed)
    }

    pub fn offences(&self) -> u64 {
        self.offences.load(Ordering::Relaxed)
    }

    pub fn reorganisations(&self) -> u64 {
        self.reorganisations.load(Ordering::Relaxed)
    }

    /// Unix milliseconds; `None` before the first.
    pub fn last_accepted_ms(&self) -> Option<u64> {
        Some(self.last_accepted_ms.load(Ordering::Relaxed)).filter(|at| *at > 0)
    }
}

fn add<K: Ord>(counts: &Mutex<BTreeMap<K, u64>>, key: K) {
    // A count is whole at every instant, so a poisoned lock still holds a good map.
    let mut counts = counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    *counts.entry(key).or_default() += 1;
}

fn copy<K: Ord + Clone>(counts: &Mutex<BTreeMap<K, u64>>) -> BTreeMap<K, u64> {
    counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
}
