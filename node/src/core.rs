//! The broker as a state machine: takes packets, messages and the time, and returns what is to be sent, stored and delivered.
//!
//! No sockets, files, clocks or randomness: `now_ms` and seeds are arguments, so that simulations and tests drive exactly what runs in
//! production. [`Broker::handle`] is the only way in; outputs are to be carried out in the order in which they come.
//!
//! - [`admission`]: what is let in, and why the rest is not
//! - [`dedup`]: every frame once
//! - [`relay`]: where it goes
//! - [`ledger`]: what it counts for
//! - [`held`]: receipts that others signed for this node
//! - [`publisher`]: frames for the messages of gateway clients

pub mod admission;
pub mod chain;
pub mod dedup;
mod held;
mod input;
pub mod ledger;
mod publish;
mod publisher;
mod relay;
mod sign;

pub use admission::{Limits, Refusal};
pub use chain::{ChainState, Permissions};
pub use input::{Ack, Counters, Input, Output, Restored};
pub use publisher::{LINGER_MS, Ticket};

use admission::Admission;
use dedup::{Dedup, Seen};
use held::Held;
use ledger::{Arrival, Counted, Ledger};
use publisher::{Publisher, Signing};
use relay::Relay;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tatum_protocol::Address;
use tatum_protocol::epoch::Deadline;
use tatum_protocol::id::{PartKey, StreamPart};
use tatum_protocol::message::Frame;
use tatum_protocol::plan::PlannedPart;
use tatum_protocol::receipt::{BandwidthReceipt, Checked, Unchecked};
use tatum_protocol::secp::Signer;
use tatum_protocol::wire::{Offer, Packet};

#[derive(Debug)]
pub struct Broker {
    me: Address,
    signer: Signer,
    chain: Arc<ChainState>,
    admission: Admission,
    dedup: Dedup,
    ledger: Ledger,
    held: Held,
    relay: Relay,
    publisher: Publisher,
    publishing: BTreeSet<PartKey>,
    /// The latest receipt of each (epoch, relayer), handed over again when a link comes back.
    signed: BTreeMap<(u64, Address), Checked<BandwidthReceipt>>,
    /// Epoch for which counted parts and attachments are up to date; none if anything changed.
    settled_for: Option<u64>,
    counters: Counters,
}

impl Broker {
    /// `seed` is random for each process: chains of published messages start from it.
    pub fn new(
        now_ms: u64,
        signer: Signer,
        chain: Arc<ChainState>,
        limits: Limits,
        seed: u64,
        restored: Restored,
    ) -> Self {
        let me = signer.address();
        let mut ledger = Ledger::new(chain.clock, now_ms);
        ledger.restore(restored.signed.iter().map(|r| r.receipt().clone()).collect(), restored.closed);
        let mut held = Held::new(me, chain.clock, now_ms);
        held.restore(restored.held);
        let key = |receipt: &BandwidthReceipt| (receipt.epoch, receipt.relayer);
        Self {
            me,
            signer,
            admission: Admission::new(limits),
            dedup: Dedup::default(),
            ledger,
            held,
            relay: Relay::new(me),
            publisher: Publisher::new(seed),
            publishing: BTreeSet::new(),
            signed: restored.signed.into_iter().map(|r| (key(r.receipt()), r)).collect(),
            settled_for: None,
            counters: Counters::default(),
            chain,
        }
    }

    /// Takes one input; what comes of it is appended to `out`.
    pub fn handle(&mut self, now_ms: u64, input: Input, out: &mut Vec<Output>) {
        let outcome = match input {
            Input::Frame { from, frame } => self.on_frame(now_ms, from, frame, out),
            Input::Offer { from, offer } => self.on_offer(now_ms, from, &offer),
            Input::Attach { from, parts } => self.on_attach(now_ms, from, parts),
            Input::Receipt { from, receipt } => self.on_receipt(now_ms, from, *receipt, out),
            Input::Publish { part, message, ticket } => self.on_publish(now_ms, part, message, ticket, out),
            Input::Up(node) => self.on_up(now_ms, node, out),
            Input::Down(node) => {
                self.relay.down(&node);
                self.settled_for = None;
                Ok(())
            }
            Input::Interest(parts) => {
                self.relay.set_interest(parts);
                self.settle(now_ms, out);
                Ok(())
            }
            Input::Chain(chain) => {
                self.chain = chain;
                self.settled_for = None;
                Ok(())
            }
            Input::Tick => {
                self.on_tick(now_ms, out);
                Ok(())
            }
        };
        if let Err(refusal) = outcome {
            self.counters.refuse(refusal);
        }
    }

    /// When the next tick is needed at the latest because messages wait for company.
    pub fn next_due_ms(&self) -> Option<u64> {
        self.publisher.next_due_ms()
    }

    pub fn counters(&self) -> Counters {
        Counters {
            receipts_held: self.held.len() as u64,
            chains: self.dedup.chains() as u64,
            ..self.counters.clone()
        }
    }

    pub fn chain(&self) -> &Arc<ChainState> {
        &self.chain
    }

    /// Stream parts that this node is assigned to now or in the next epoch.
    pub fn assigned(&self, now_ms: u64) -> BTreeMap<PartKey, StreamPart> {
        let parts = self.chain.current(now_ms).flat_map(|plan| plan.parts.values());
        parts.filter(|part| part.is_assigned(&self.me)).map(|part| (part.key, part.part.clone())).collect()
    }

    /// Brokers that should be linked and are not, by a stream part that they provide.
    pub fn missing(&self, now_ms: u64) -> BTreeMap<PartKey, BTreeSet<Address>> {
        self.relay.missing(now_ms, &self.chain, &self.publishing)
    }

    pub fn linked(&self) -> &BTreeSet<Address> {
        self.relay.linked()
    }

    fn on_frame(
        &mut self,
        now_ms: u64,
        from: Address,
        frame: Box<Frame>,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        self.counters.frames_in += 1;
        let chain = self.chain.clone();
        let (id, first, count) = (frame.chain(), frame.first_sequence(), frame.messages().len() as u64);
        let hash = frame.hash(&chain.domain);
        match self.dedup.look(&id, first, count, &hash) {
            Seen::New => {}
            Seen::Copy => {
                self.counters.copies += 1;
                let plan = frame.epoch(&chain.clock).and_then(|epoch| chain.plan(epoch));
                if plan.and_then(|plan| plan.parts.get(&id.part)).is_some_and(|part| part.is_assigned(&from))
                {
                    self.ledger.copied(now_ms, hash, from);
                }
                return Ok(());
            }
            Seen::Old => return Err(Refusal::Duplicate),
            Seen::Full => return Err(Refusal::Chains),
            Seen::Equivocation => {
                self.verify(from, &frame, out)?;
                tracing::warn!(publisher = %id.publisher, part = %id.part, "publisher signed two frames with one id");
                return Err(Refusal::Equivocation);
            }
        }
        let admitted = self.admission.check(now_ms, &chain, &frame)?;
        let planned = admitted.plan.parts.get(&id.part).ok_or(Refusal::NotSponsored)?;
        if !planned.is_assigned(&self.me) && !self.relay.interest().contains(&admitted.part) {
            return Err(Refusal::NotServed);
        }
        self.verify(from, &frame, out)?;
        self.admission.spend(now_ms, &frame)?;
        self.dedup.insert(now_ms, id, first, count, hash);
        self.accept(now_ms, planned, admitted.epoch, Some(from), hash, Arc::new(*frame), None, out);
        Ok(())
    }

    /// A node that relays an unverified frame breaks the protocol: brokers verify before they relay.
    fn verify(&self, from: Address, frame: &Frame, out: &mut Vec<Output>) -> Result<(), Refusal> {
        frame.verify(&self.chain.domain).map(drop).map_err(|error| {
            tracing::debug!(%from, %error, "forged frame");
            out.push(Output::Disconnect { node: from, reason: Refusal::Signature });
            Refusal::Signature
        })
    }

    /// Counts, relays and delivers a frame that is new and checked.
    #[allow(clippy::too_many_arguments)]
    fn accept(
        &mut self,
        now_ms: u64,
        part: &PlannedPart,
        epoch: u64,
        from: Option<Address>,
        hash: tatum_protocol::B256,
        frame: Arc<Frame>,
        ack: Option<Ack>,
        out: &mut Vec<Output>,
    ) {
        let (messages, bytes) = (frame.messages().len() as u64, frame.encoded().len() as u64);
        self.counters.messages += messages;
        self.counters.bytes += bytes;
        let arrival =
            Arrival { epoch, part: part.key, hash, messages, bytes, timestamp_ms: frame.timestamp_ms() };
        let relayer = from.filter(|from| part.is_assigned(from));
        if self.ledger.arrived(now_ms, arrival, relayer) == Counted::Late {
            self.counters.late += 1;
        }
        let route = self.relay.route(part, from, frame.chain().publisher);
        let assigned_here = part.is_assigned(&self.me);
        for to in route.frame.iter().filter(|_| assigned_here) {
            self.held.gave(epoch, *to, part.key, messages, bytes, true);
        }
        if self.relay.interest().contains(&part.part) {
            out.push(Output::Deliver { part: part.part.clone(), frame: frame.clone() });
        }
        if !route.frame.is_empty() || ack.is_some() {
            out.push(Output::Frame { to: route.frame, frame, ack });
        }
        for to in route.offer {
            self.held.gave(epoch, to, part.key, messages, bytes, false);
            let packet = Packet::Offer(Offer { part: part.key, frame_hash: hash });
            out.push(Output::Send { to, packet });
        }
    }

    fn on_offer(&mut self, now_ms: u64, from: Address, offer: &Offer) -> Result<(), Refusal> {
        let mut plans = self.chain.current(now_ms);
        if !plans.any(|plan| plan.parts.get(&offer.part).is_some_and(|part| part.is_assigned(&from))) {
            return Err(Refusal::NotServed);
        }
        self.counters.offers_in += 1;
        self.ledger.offered(now_ms, offer.part, offer.frame_hash, from);
        Ok(())
    }

    fn on_attach(&mut self, now_ms: u64, from: Address, parts: Vec<StreamPart>) -> Result<(), Refusal> {
        let asked = parts.len();
        let may = |part: &StreamPart| self.chain.permissions.may_subscribe(&part.stream, from, now_ms / 1000);
        let allowed: Vec<PartKey> = parts.iter().filter(|part| may(part)).map(StreamPart::key).collect();
        let refused = allowed.len() < asked;
        self.relay.attach(from, allowed);
        if refused { Err(Refusal::SubscribePermission) } else { Ok(()) }
    }

    fn on_receipt(
        &mut self,
        now_ms: u64,
        from: Address,
        receipt: Unchecked<BandwidthReceipt>,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let checked = receipt.check(&self.chain.domain).map_err(|failed| {
            tracing::debug!(%from, reason = %failed.reason, "receipt refused");
            Refusal::ReceiptSignature
        })?;
        match self.held.accept(now_ms, from, checked.receipt()) {
            Ok(()) => out.push(Output::Hold(checked)),
            Err(Refusal::Duplicate) => {}
            Err(refusal) => {
                tracing::debug!(%from, %refusal, "receipt refused");
                return Err(refusal);
            }
        }
        Ok(())
    }

    fn on_up(&mut self, now_ms: u64, node: Address, out: &mut Vec<Output>) -> Result<(), Refusal> {
        self.relay.up(node);
        self.settle(now_ms, out);
        for receipt in self.signed.values().filter(|receipt| receipt.receipt().relayer == node) {
            let packet = Packet::Receipt(receipt.clone().into_unchecked());
            out.push(Output::Send { to: node, packet });
        }
        Ok(())
    }

    fn on_tick(&mut self, now_ms: u64, out: &mut Vec<Output>) {
        let chain = self.chain.clone();
        let signing = Signing { domain: &chain.domain, clock: &chain.clock, signer: &self.signer };
        let batches = self.publisher.due(now_ms, &signing);
        self.publish_batches(now_ms, batches, out);
        if self.settled_for != chain.clock.epoch_at_ms(now_ms) || self.settled_for.is_none() {
            self.dedup.expire(now_ms);
            self.settle(now_ms, out);
        }
        for due in self.ledger.tick(now_ms) {
            self.sign(due, out);
        }
        self.held.expire(now_ms);
        self.signed.retain(|(epoch, _), _| now_ms < chain.clock.deadline_ms(*epoch, Deadline::Receipts));
    }

    /// Brings counted parts and attachments up to date with plan, interest and links.
    fn settle(&mut self, now_ms: u64, out: &mut Vec<Output>) {
        let chain = self.chain.clone();
        for plan in chain.current(now_ms) {
            for part in plan.parts.values() {
                if part.is_assigned(&self.me) || self.relay.interest().contains(&part.part) {
                    self.ledger.count(now_ms, plan.epoch, part.key);
                }
            }
        }
        for (to, parts) in self.relay.attachments(now_ms, &chain) {
            out.push(Output::Send { to, packet: Packet::Attach(parts) });
        }
        self.settled_for = chain.clock.epoch_at_ms(now_ms);
    }
}

#[cfg(test)]
mod tests;
