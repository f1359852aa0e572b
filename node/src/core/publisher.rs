//! Turns messages of gateway clients into frames under the node's key.
//!
//! An idle chain sends at once; under load messages wait at most [`LINGER_MS`] to share a frame. One chain per stream part and process, so
//! nothing has to be remembered over a restart.

use std::collections::BTreeMap;
use tatum_protocol::eip712::Domain;
use tatum_protocol::epoch::EpochClock;
use tatum_protocol::id::PartKey;
use tatum_protocol::message::{Frame, FrameError, MAX_MESSAGES, MAX_PAYLOAD_BYTES, Message};
use tatum_protocol::secp::Signer;

/// Longest wait for company.
pub const LINGER_MS: u64 = 2;
/// Payload bytes after which a frame is sent as it is.
const FRAME_PAYLOAD: usize = 256 << 10;
/// Header bytes of a message, at most.
const MESSAGE_HEADER: usize = 8 + 1 + 1 + 28 + 4;

/// Identifies a published message until its outcome is known.
pub type Ticket = u64;

#[derive(Debug)]
struct Pending {
    chain: u64,
    next_sequence: u64,
    last_timestamp_ms: u64,
    last_sent_ms: u64,
    due_ms: u64,
    messages: Vec<Message>,
    tickets: Vec<Ticket>,
    bytes: usize,
}

/// A frame with the messages it answers for.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) part: PartKey,
    pub(super) frame: Result<Frame, FrameError>,
    pub(super) tickets: Vec<Ticket>,
}

#[derive(Debug)]
pub(super) struct Publisher {
    /// Chain ids are this plus the number of the chain: random for each process, never twice in it.
    seed: u64,
    chains: BTreeMap<PartKey, Pending>,
}

impl Publisher {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, chains: BTreeMap::new() }
    }

    /// Queues a message, stamped now. Whole frames come back at once.
    pub(super) fn publish(
        &mut self,
        now_ms: u64,
        sign: &Signing<'_>,
        part: PartKey,
        mut message: Message,
        ticket: Ticket,
    ) -> Vec<Batch> {
        let next = self.seed.wrapping_add(self.chains.len() as u64);
        let pending = self.chains.entry(part).or_insert_with(|| Pending::new(next));
        // Timestamps of a chain do not decrease even where the clock does.
        message.timestamp_ms = now_ms.max(pending.last_timestamp_ms);
        let mut batches = Vec::new();
        let bytes = message.payload.len().saturating_add(MESSAGE_HEADER);
        if !pending.fits(sign.clock, message.timestamp_ms, bytes) {
            batches.push(pending.flush(now_ms, sign, part));
        }
        if pending.messages.is_empty() {
            pending.due_ms = pending.last_sent_ms.saturating_add(LINGER_MS).max(now_ms);
        }
        pending.last_timestamp_ms = message.timestamp_ms;
        pending.bytes = pending.bytes.saturating_add(bytes);
        pending.messages.push(message);
        pending.tickets.push(ticket);
        if pending.due_ms <= now_ms || pending.messages.len() == MAX_MESSAGES {
            batches.push(pending.flush(now_ms, sign, part));
        }
        batches
    }

    /// Frames whose time has come.
    pub(super) fn due(&mut self, now_ms: u64, sign: &Signing<'_>) -> Vec<Batch> {
        let ready = |pending: &Pending| !pending.messages.is_empty() && pending.due_ms <= now_ms;
        self.chains
            .iter_mut()
            .filter(|(_, pending)| ready(pending))
            .map(|(part, pending)| pending.flush(now_ms, sign, *part))
            .collect()
    }

    /// When [`Self::due`] has something next.
    pub(super) fn next_due_ms(&self) -> Option<u64> {
        self.chains.values().filter(|p| !p.messages.is_empty()).map(|p| p.due_ms).min()
    }
}

/// What signing a frame takes.
pub(super) struct Signing<'a> {
    pub(super) domain: &'a Domain,
    pub(super) clock: &'a EpochClock,
    pub(super) signer: &'a Signer,
}

impl Pending {
    fn new(chain: u64) -> Self {
        Self {
            chain,
            next_sequence: 0,
            last_timestamp_ms: 0,
            last_sent_ms: 0,
            due_ms: 0,
            messages: Vec::new(),
            tickets: Vec::new(),
            bytes: 0,
        }
    }

    /// Whether a message can join those that wait: same epoch, and the frame stays small.
    fn fits(&self, clock: &EpochClock, timestamp_ms: u64, bytes: usize) -> bool {
        let Some(first) = self.messages.first() else { return true };
        let total = self.bytes.saturating_add(bytes);
        clock.epoch_at_ms(first.timestamp_ms) == clock.epoch_at_ms(timestamp_ms)
            && total <= FRAME_PAYLOAD.min(MAX_PAYLOAD_BYTES)
    }

    fn flush(&mut self, now_ms: u64, sign: &Signing<'_>, part: PartKey) -> Batch {
        let messages = std::mem::take(&mut self.messages);
        let tickets = std::mem::take(&mut self.tickets);
        self.bytes = 0;
        self.last_sent_ms = now_ms;
        let count = messages.len() as u64;
        let frame = Frame::sign(sign.domain, sign.signer, part, self.chain, self.next_sequence, messages);
        if frame.is_ok() {
            self.next_sequence = self.next_sequence.saturating_add(count);
        }
        Batch { part, frame, tickets }
    }
}
