//! Payout roots and what was pushed of them.

use std::collections::BTreeSet;

use alloy::primitives::{B256, U256};

use crate::event::{ChainEvent, Event};

/// A payout root with its certificate's absentees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The epoch it settles.
    pub epoch: u64,
    pub root: B256,
    /// Cumulative.
    pub total: U256,
    /// Members of the epoch's operator set that did not sign, ascending.
    pub absentees: Vec<u64>,
    pub block: u64,
    /// Of the block, seconds of Unix time.
    pub timestamp: u64,
    pub transaction: B256,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Payouts {
    posted: Vec<Posted>,
    chunks: BTreeSet<(B256, B256)>,
    pushed: U256,
}

impl Payouts {
    pub(super) fn apply(&mut self, event: &ChainEvent) {
        match &event.event {
            Event::Posted { epoch, root, total, absentees, .. } => self.posted.push(Posted {
                epoch: *epoch,
                root: *root,
                total: *total,
                absentees: absentees.clone(),
                block: event.block,
                timestamp: event.timestamp,
                transaction: event.transaction,
            }),
            Event::Pushed { root, leaf, amount } => {
                self.chunks.insert((*root, *leaf));
                self.pushed = self.pushed.saturating_add(*amount);
            }
            _ => {}
        }
    }

    pub(super) fn posted(&self) -> &[Posted] {
        &self.posted
    }

    pub(super) fn pushed(&self) -> U256 {
        self.pushed
    }

    pub(super) fn is_pushed(&self, root: B256, leaf: B256) -> bool {
        self.chunks.contains(&(root, leaf))
    }

    /// The last one posted in a block older than `time`.
    pub(super) fn last_before(&self, time: u64) -> Option<&Posted> {
        self.posted.iter().rev().find(|posted| posted.timestamp < time)
    }
}
