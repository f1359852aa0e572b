//! The epoch ledger: turns what arrives into receipts, delivery receipts and volumes.
//!
//! Rules, all of them here:
//! - A frame counts for the epoch of its timestamp, once, if it arrives before that epoch's [close](Deadline::Close).
//! - A relayer is credited with a frame at most once: for the copy it carried (`served_bytes` too), or for an offer of it, within
//!   [`OFFER_MS`] of its first reception. So **no credit exceeds the delivery of its stream part**.
//! - Bandwidth receipts are due when enough is unreceipted, at most once a second per relayer, and at the close if anything changed.
//! - At the close the delivery of every counted stream part is due, once, zeros included; volumes are due when receipts no longer count.
//!
//! **After a crash** the totals of receipts continue from the last stored one. Which frames were counted before is not known any more, so
//! of an epoch that began before this process did, frames stamped before the start are not credited again, and neither its delivery nor its
//! volume is signed: a wrong one would be worse than none. Epochs that were closed before the crash are restored with their volumes.
//!
//! No IO, no keys, no clock: the caller signs and stores what is due before it sends it.

mod book;
mod due;

use book::{Book, FrameRecord};
pub use due::{Closed, Counted, Due, Total};

use std::collections::{BTreeMap, HashMap, VecDeque};
use tatum_protocol::epoch::{Deadline, EpochClock};
use tatum_protocol::id::PartKey;
use tatum_protocol::receipt::BandwidthReceipt;
use tatum_protocol::{Address, B256};

/// How long after the first copy of a frame its other copies and offers still count.
pub const OFFER_MS: u64 = 2_000;
/// Frames that may be open for copies and offers at once, and offers that may wait for their frame.
const MAX_OPEN: usize = 1 << 18;
const MAX_EARLY: usize = 1 << 14;

/// A frame that passed admission for the first time.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    pub epoch: u64,
    pub part: PartKey,
    pub hash: B256,
    pub messages: u64,
    pub bytes: u64,
    pub timestamp_ms: u64,
}

#[derive(Debug)]
pub struct Ledger {
    clock: EpochClock,
    started_ms: u64,
    books: BTreeMap<u64, Book>,
    /// Frames that copies and offers may still be credited for.
    open: HashMap<B256, FrameRecord>,
    opened: VecDeque<(u64, B256)>,
    /// Offers that came before their frame: who, and when.
    early: HashMap<B256, Vec<(Address, u64)>>,
    early_order: VecDeque<(u64, B256)>,
}

impl Ledger {
    /// An empty ledger of a process that starts now.
    pub fn new(clock: EpochClock, now_ms: u64) -> Self {
        Self {
            clock,
            started_ms: now_ms,
            books: BTreeMap::new(),
            open: HashMap::new(),
            opened: VecDeque::new(),
            early: HashMap::new(),
            early_order: VecDeque::new(),
        }
    }

    /// Continues after a restart: last stored receipt of each (epoch, relayer), and epochs that were closed.
    pub fn restore(&mut self, receipts: Vec<BandwidthReceipt>, closed: Vec<Closed>) {
        for receipt in receipts {
            self.book(receipt.epoch).restore(&receipt);
        }
        for epoch in closed {
            self.book(epoch.epoch).restore_closed(epoch);
        }
    }

    /// From now on the deliveries of this stream part count in this epoch. Called again for the same is harmless; called after the
    /// close it does nothing, so that a closed epoch never opens again.
    pub fn count(&mut self, now_ms: u64, epoch: u64, part: PartKey) {
        if now_ms < self.clock.deadline_ms(epoch, Deadline::Close) {
            self.book(epoch).count(part);
        }
    }

    /// A new frame. `relayer` is who carried it here, if it is one whose credit can count.
    pub fn arrived(&mut self, now_ms: u64, frame: Arrival, relayer: Option<Address>) -> Counted {
        let started_ms = self.started_ms;
        let early = self.early.remove(&frame.hash).unwrap_or_default();
        if now_ms >= self.clock.deadline_ms(frame.epoch, Deadline::Close) {
            return Counted::Late;
        }
        // Without a book no stream part is counted in that epoch.
        let Some(book) = self.books.get_mut(&frame.epoch) else { return Counted::NotOurs };
        if book.is_closed() {
            return Counted::Late;
        }
        if !book.arrived(&frame) {
            return Counted::NotOurs;
        }
        if !book.is_complete() && frame.timestamp_ms < started_ms {
            return Counted::Uncredited;
        }
        let mut record = FrameRecord::new(now_ms, &frame);
        if let Some(relayer) = relayer {
            book.credit(&mut record, relayer, true);
        }
        for (offerer, at_ms) in early {
            if at_ms.saturating_add(OFFER_MS) >= now_ms {
                book.credit(&mut record, offerer, false);
            }
        }
        self.opened.push_back((now_ms, frame.hash));
        self.open.insert(frame.hash, record);
        while self.open.len() > MAX_OPEN
            && let Some((_, oldest)) = self.opened.pop_front()
        {
            self.open.remove(&oldest);
        }
        Counted::Yes
    }

    /// Another copy of a frame that arrived before.
    pub fn copied(&mut self, now_ms: u64, hash: B256, relayer: Address) -> bool {
        self.credit(now_ms, &hash, relayer, true)
    }

    /// A relayer says that it has a frame for us. Kept for a moment if the frame itself is not here yet.
    pub fn offered(&mut self, now_ms: u64, part: PartKey, hash: B256, relayer: Address) -> bool {
        match self.open.get(&hash) {
            Some(record) if record.part != part => false,
            Some(_) => self.credit(now_ms, &hash, relayer, false),
            None => {
                self.keep_early(now_ms, hash, relayer);
                false
            }
        }
    }

    fn credit(&mut self, now_ms: u64, hash: &B256, relayer: Address, carried: bool) -> bool {
        let Some(record) = self.open.get_mut(hash) else { return false };
        let closed = now_ms >= self.clock.deadline_ms(record.epoch, Deadline::Close);
        match self.books.get_mut(&record.epoch) {
            Some(book) if !closed && now_ms <= record.first_ms.saturating_add(OFFER_MS) => {
                book.credit(record, relayer, carried)
            }
            _ => false,
        }
    }

    fn keep_early(&mut self, now_ms: u64, hash: B256, relayer: Address) {
        if self.early_order.len() >= MAX_EARLY
            && let Some((_, oldest)) = self.early_order.pop_front()
        {
            self.early.remove(&oldest);
        }
        let offers = self.early.entry(hash).or_default();
        if offers.iter().all(|(known, _)| *known != relayer) {
            offers.push((relayer, now_ms));
            self.early_order.push_back((now_ms, hash));
        }
    }

    /// What is due now, in the order in which it is to be signed. What is returned counts as signed.
    pub fn tick(&mut self, now_ms: u64) -> Vec<Due> {
        self.expire(now_ms);
        // Epochs are known by then because stream parts are counted from the plan on, traffic or not.
        let clock = self.clock;
        let mut due = Vec::new();
        for (epoch, book) in &mut self.books {
            book.due(now_ms, &clock, *epoch, &mut due);
        }
        // Receipts of an epoch may be handed over again until they stop counting; after that nothing is left to do.
        self.books.retain(|epoch, _| now_ms < clock.deadline_ms(*epoch, Deadline::Attestations));
        due
    }

    fn expire(&mut self, now_ms: u64) {
        let expired = |at: u64| at.saturating_add(OFFER_MS) < now_ms;
        while let Some((at, hash)) = self.opened.front()
            && expired(*at)
        {
            self.open.remove(hash);
            self.opened.pop_front();
        }
        while let Some((at, hash)) = self.early_order.front()
            && expired(*at)
        {
            self.early.remove(hash);
            self.early_order.pop_front();
        }
    }

    fn book(&mut self, epoch: u64) -> &mut Book {
        let complete = self.started_ms <= self.clock.start(epoch).saturating_mul(1000);
        self.books.entry(epoch).or_insert_with(|| Book::new(complete))
    }
}

#[cfg(test)]
mod tests;
