//! The relayer's side of receipts: what was served and offered to whom, and which receipt of each receiver is held for it.

use super::admission::Refusal;
use std::collections::{BTreeMap, HashMap};
use tatum_protocol::Address;
use tatum_protocol::epoch::{Deadline, EpochClock};
use tatum_protocol::id::PartKey;
use tatum_protocol::receipt::{BandwidthReceipt, Credit};

/// Cumulative in the epoch, of one stream part to one receiver.
#[derive(Debug, Default, Clone, Copy)]
struct Given {
    messages: u64,
    bytes: u64,
    served_bytes: u64,
}

#[derive(Debug)]
struct EpochBook {
    /// Whether all that was given in this epoch is known: not so after a restart within it.
    complete: bool,
    given: HashMap<(Address, PartKey), Given>,
    last: BTreeMap<Address, BandwidthReceipt>,
}

#[derive(Debug)]
pub(super) struct Held {
    me: Address,
    clock: EpochClock,
    started_ms: u64,
    epochs: BTreeMap<u64, EpochBook>,
}

impl Held {
    pub(super) fn new(me: Address, clock: EpochClock, now_ms: u64) -> Self {
        Self { me, clock, started_ms: now_ms, epochs: BTreeMap::new() }
    }

    /// Receipts that were held before a restart.
    pub(super) fn restore(&mut self, receipts: Vec<BandwidthReceipt>) {
        for receipt in receipts {
            self.epoch(receipt.epoch).last.insert(receipt.receiver, receipt);
        }
    }

    /// A frame was handed to the receiver's link, or only offered.
    pub(super) fn gave(
        &mut self,
        epoch: u64,
        to: Address,
        part: PartKey,
        messages: u64,
        bytes: u64,
        carried: bool,
    ) {
        let given = self.epoch(epoch).given.entry((to, part)).or_default();
        given.messages = given.messages.saturating_add(messages);
        given.bytes = given.bytes.saturating_add(bytes);
        if carried {
            given.served_bytes = given.served_bytes.saturating_add(bytes);
        }
    }

    /// Checks a receipt whose signature was checked before, and holds it in place of the last one.
    pub(super) fn accept(
        &mut self,
        now_ms: u64,
        from: Address,
        receipt: &BandwidthReceipt,
    ) -> Result<(), Refusal> {
        if receipt.relayer != self.me || receipt.receiver != from {
            return Err(Refusal::ReceiptParties);
        }
        let begun = self.clock.start(receipt.epoch).saturating_mul(1000) <= now_ms.saturating_add(1_000);
        if !begun || now_ms >= self.clock.deadline_ms(receipt.epoch, Deadline::Receipts) {
            return Err(Refusal::ReceiptEpoch);
        }
        let book = self.epoch(receipt.epoch);
        if let Some(last) = book.last.get(&from) {
            if receipt == last {
                // Handed over again after a reconnect.
                return Err(Refusal::Duplicate);
            }
            if receipt.sequence <= last.sequence
                || !last.credits.iter().all(|before| continues(before, receipt))
            {
                return Err(Refusal::ReceiptOrder);
            }
        }
        let exceeds = |credit: &Credit| {
            let given = book.given.get(&(from, credit.part)).copied().unwrap_or_default();
            credit.messages > given.messages
                || credit.bytes > given.bytes
                || credit.served_bytes > given.served_bytes
        };
        if book.complete && receipt.credits.iter().any(exceeds) {
            return Err(Refusal::ReceiptExcess);
        }
        book.last.insert(from, receipt.clone());
        Ok(())
    }

    /// How many receipts are held.
    pub(super) fn len(&self) -> usize {
        self.epochs.values().map(|book| book.last.len()).sum()
    }

    pub(super) fn expire(&mut self, now_ms: u64) {
        let clock = self.clock;
        self.epochs.retain(|epoch, _| now_ms < clock.deadline_ms(*epoch, Deadline::Receipts));
    }

    fn epoch(&mut self, epoch: u64) -> &mut EpochBook {
        let complete = self.started_ms <= self.clock.start(epoch).saturating_mul(1000);
        let new = || EpochBook { complete, given: HashMap::new(), last: BTreeMap::new() };
        self.epochs.entry(epoch).or_insert_with(new)
    }
}

/// Whether the total of a stream part is still there and did not go down.
fn continues(before: &Credit, receipt: &BandwidthReceipt) -> bool {
    receipt.credits.iter().any(|after| {
        after.part == before.part
            && after.messages >= before.messages
            && after.bytes >= before.bytes
            && after.served_bytes >= before.served_bytes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: EpochClock = EpochClock { genesis: 0, length: 10 };
    const ME: Address = Address::repeat_byte(1);
    const PEER: Address = Address::repeat_byte(2);
    const PART: PartKey = PartKey::repeat_byte(3);

    fn receipt(sequence: u32, bytes: u64) -> BandwidthReceipt {
        let credit = Credit { part: PART, messages: 1, bytes, served_bytes: bytes };
        BandwidthReceipt { epoch: 1, relayer: ME, receiver: PEER, sequence, credits: vec![credit] }
    }

    #[test]
    fn only_progress_within_what_was_served_is_held() {
        let mut held = Held::new(ME, CLOCK, 0);
        held.gave(1, PEER, PART, 1, 100, true);
        let now = 15_000;
        assert_eq!(held.accept(now, ME, &receipt(1, 50)), Err(Refusal::ReceiptParties));
        assert_eq!(held.accept(now, PEER, &receipt(1, 101)), Err(Refusal::ReceiptExcess));
        assert_eq!(held.accept(now, PEER, &receipt(2, 50)), Ok(()));
        assert_eq!(held.accept(now, PEER, &receipt(2, 50)), Err(Refusal::Duplicate));
        assert_eq!(held.accept(now, PEER, &receipt(2, 60)), Err(Refusal::ReceiptOrder));
        assert_eq!(held.accept(now, PEER, &receipt(3, 40)), Err(Refusal::ReceiptOrder));
        assert_eq!(held.accept(now, PEER, &receipt(3, 60)), Ok(()));
        assert_eq!(held.accept(23_000, PEER, &receipt(4, 60)), Err(Refusal::ReceiptEpoch));
        assert_eq!(held.accept(5_000, PEER, &receipt(4, 60)), Err(Refusal::ReceiptEpoch));
    }

    #[test]
    fn after_a_restart_the_order_is_kept_and_the_excess_unknown() {
        let mut held = Held::new(ME, CLOCK, 15_000);
        held.restore(vec![receipt(2, 50)]);
        assert_eq!(held.accept(16_000, PEER, &receipt(2, 60)), Err(Refusal::ReceiptOrder));
        assert_eq!(held.accept(16_000, PEER, &receipt(3, 60)), Ok(()));
    }
}
