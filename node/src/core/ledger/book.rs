//! One epoch of the ledger.

use super::Arrival;
use super::due::{Closed, Due, Total};
use std::collections::BTreeMap;
use tatum_protocol::Address;
use tatum_protocol::epoch::{Deadline, EpochClock};
use tatum_protocol::id::PartKey;
use tatum_protocol::receipt::{BandwidthReceipt, Credit, MAX_LEAVES};
use tatum_protocol::set_digest::SetDigest;

/// A receipt is due after this time, or this much unreceipted, whichever is first.
const EVERY_MS: u64 = 10_000;
const EVERY_MESSAGES: u64 = 8_192;
const EVERY_BYTES: u64 = 4 << 20;
/// And never sooner than this after the last one.
const AT_LEAST_MS: u64 = 1_000;

/// A frame that copies and offers may still be credited for.
#[derive(Debug)]
pub(super) struct FrameRecord {
    pub(super) epoch: u64,
    pub(super) part: PartKey,
    pub(super) first_ms: u64,
    messages: u64,
    bytes: u64,
    credited: Vec<Address>,
}

impl FrameRecord {
    pub(super) fn new(now_ms: u64, frame: &Arrival) -> Self {
        Self {
            epoch: frame.epoch,
            part: frame.part,
            first_ms: now_ms,
            messages: frame.messages,
            bytes: frame.bytes,
            credited: Vec::new(),
        }
    }
}

#[derive(Debug, Default)]
struct Delivered {
    messages: u64,
    bytes: u64,
    digest: SetDigest,
}

/// What one relayer is credited with.
#[derive(Debug, Default)]
struct Pair {
    sequence: u32,
    credits: BTreeMap<PartKey, Credit>,
    new_messages: u64,
    new_bytes: u64,
    /// When the oldest unreceipted frame came, and when the last receipt was made.
    waiting_since_ms: Option<u64>,
    last_ms: u64,
}

#[derive(Debug)]
pub(super) struct Book {
    complete: bool,
    parts: BTreeMap<PartKey, Delivered>,
    pairs: BTreeMap<Address, Pair>,
    closed: bool,
    /// From the close until the volumes are attested.
    totals: Option<Closed>,
}

impl Book {
    pub(super) fn new(complete: bool) -> Self {
        Self { complete, parts: BTreeMap::new(), pairs: BTreeMap::new(), closed: false, totals: None }
    }

    pub(super) fn restore(&mut self, receipt: &BandwidthReceipt) {
        let pair = self.pairs.entry(receipt.relayer).or_default();
        if receipt.sequence > pair.sequence {
            pair.sequence = receipt.sequence;
            pair.credits = receipt.credits.iter().map(|credit| (credit.part, *credit)).collect();
        }
    }

    pub(super) fn restore_closed(&mut self, totals: Closed) {
        self.closed = true;
        self.totals = Some(totals);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    pub(super) fn count(&mut self, part: PartKey) {
        // A receipt holds no more; the plan of one node is far from it.
        if !self.closed && self.parts.len() < MAX_LEAVES {
            self.parts.entry(part).or_default();
        }
    }

    /// Adds a new frame; `false` if its part is not counted here.
    pub(super) fn arrived(&mut self, frame: &Arrival) -> bool {
        let Some(delivered) = self.parts.get_mut(&frame.part) else { return false };
        delivered.messages = delivered.messages.saturating_add(frame.messages);
        delivered.bytes = delivered.bytes.saturating_add(frame.bytes);
        delivered.digest.insert(&frame.hash);
        true
    }

    /// Credits a relayer with a frame, unless it has been.
    pub(super) fn credit(&mut self, frame: &mut FrameRecord, relayer: Address, carried: bool) -> bool {
        if frame.credited.contains(&relayer) {
            return false;
        }
        frame.credited.push(relayer);
        let pair = self.pairs.entry(relayer).or_default();
        let none = Credit { part: frame.part, messages: 0, bytes: 0, served_bytes: 0 };
        let credit = pair.credits.entry(frame.part).or_insert(none);
        credit.messages = credit.messages.saturating_add(frame.messages);
        credit.bytes = credit.bytes.saturating_add(frame.bytes);
        if carried {
            credit.served_bytes = credit.served_bytes.saturating_add(frame.bytes);
        }
        pair.new_messages = pair.new_messages.saturating_add(frame.messages);
        pair.new_bytes = pair.new_bytes.saturating_add(frame.bytes);
        pair.waiting_since_ms.get_or_insert(frame.first_ms);
        true
    }

    pub(super) fn due(&mut self, now_ms: u64, clock: &EpochClock, epoch: u64, due: &mut Vec<Due>) {
        let closing = !self.closed && now_ms >= clock.deadline_ms(epoch, Deadline::Close);
        if !self.closed {
            for (relayer, pair) in &mut self.pairs {
                due.extend(pair.due(now_ms, closing, epoch, *relayer));
            }
        }
        if closing {
            self.close(epoch, due);
        }
        if now_ms >= clock.deadline_ms(epoch, Deadline::Receipts)
            && let Some(totals) = self.totals.take()
            // Volumes that come later than this are not read any more.
            && now_ms < clock.deadline_ms(epoch, Deadline::Volumes)
        {
            due.push(Due::Volumes(totals));
        }
    }

    fn close(&mut self, epoch: u64, due: &mut Vec<Due>) {
        self.closed = true;
        if self.parts.is_empty() {
            return;
        }
        if !self.complete {
            due.push(Due::Incomplete { epoch });
            return;
        }
        let totals = std::mem::take(&mut self.parts)
            .into_iter()
            .map(|(part, delivered)| Total {
                part,
                set_digest: delivered.digest.finish(),
                messages: delivered.messages,
                bytes: delivered.bytes,
            })
            .collect();
        let closed = Closed { epoch, totals };
        self.totals = Some(closed.clone());
        due.push(Due::Delivery(closed));
    }
}

impl Pair {
    fn due(&mut self, now_ms: u64, closing: bool, epoch: u64, relayer: Address) -> Option<Due> {
        let since = self.waiting_since_ms?;
        let enough = self.new_messages >= EVERY_MESSAGES
            || self.new_bytes >= EVERY_BYTES
            || now_ms >= since.saturating_add(EVERY_MS);
        let allowed = now_ms >= self.last_ms.saturating_add(AT_LEAST_MS);
        if !(closing || enough && allowed) {
            return None;
        }
        // 2^32 receipts at one a second are 136 years of one epoch.
        self.sequence = self.sequence.checked_add(1)?;
        (self.new_messages, self.new_bytes, self.waiting_since_ms) = (0, 0, None);
        self.last_ms = now_ms;
        let credits = self.credits.values().copied().collect();
        Some(Due::Bandwidth { epoch, relayer, sequence: self.sequence, credits })
    }
}
