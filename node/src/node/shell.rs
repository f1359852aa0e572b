//! Carries out what the core says.

use crate::attester::Attester;
use crate::clock::now_ms;
use crate::core::{Ack, Broker, Input, Output, Refusal, Ticket};
use crate::equivocate::contradict;
use crate::gateway::{Publication, Subscriptions};
use crate::http::Snapshot;
use crate::keys::address_of_peer;
use crate::metrics::Metrics;
use crate::net::Network;
use crate::net::links::{Class, Encoded, Links};
use crate::outbox::Filled;
use crate::store::{After, Store, StoreError, Write};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use tatum_protocol::Address;
use tatum_protocol::message::Frame;
use tatum_protocol::receipt::{BandwidthReceipt, Checked};
use tatum_protocol::secp::Signer;
use tatum_protocol::wire::{Evidence, Packet};
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use crate::core::ledger::Closed;

pub(super) struct Shell {
    pub(super) broker: Broker,
    pub(super) signer: Signer,
    pub(super) links: Links,
    pub(super) network: Network,
    pub(super) store: Store,
    pub(super) metrics: Arc<Metrics>,
    pub(super) subscriptions: Arc<Subscriptions>,
    pub(super) indexers: Vec<String>,
    pub(super) filled: Filled,
    pub(super) equivocate: bool,
    pub(super) attester: Option<Arc<Attester>>,
    pub(super) tickets: HashMap<Ticket, oneshot::Sender<Result<(), Refusal>>>,
    pub(super) next_ticket: Ticket,
    /// Kept for its allocation.
    pub(super) outputs: Vec<Output>,
    pub(super) volumes: TaskTracker,
}

impl Shell {
    pub(super) async fn handle(&mut self, input: Input) -> Result<(), StoreError> {
        let mut outputs = std::mem::take(&mut self.outputs);
        self.broker.handle(now_ms(), input, &mut outputs);
        for output in outputs.drain(..) {
            self.carry_out(output).await?;
        }
        self.outputs = outputs;
        Ok(())
    }

    pub(super) async fn publish(&mut self, publication: Publication) -> Result<(), StoreError> {
        let Publication { part, message, outcome } = publication;
        self.next_ticket = self.next_ticket.wrapping_add(1);
        let ticket = self.next_ticket;
        self.tickets.insert(ticket, outcome);
        self.handle(Input::Publish { part, message, ticket }).await
    }

    async fn carry_out(&mut self, output: Output) -> Result<(), StoreError> {
        match output {
            Output::Send { to, packet } => self.send(&to, &packet),
            Output::Frame { to, frame, ack } => self.relay(&to, &frame, ack),
            Output::Deliver { part, frame } => {
                self.metrics.mqtt_dropped.add(self.subscriptions.deliver(&part, &frame));
            }
            Output::Published { tickets, outcome } => self.resolve(tickets, outcome),
            Output::Receipt(receipt) => self.keep_and_hand_over(receipt).await?,
            Output::Delivery { receipt, closed } => {
                let receipt = receipt.into_unchecked();
                let submit = self.submit(Evidence::Delivery(receipt.clone()));
                let writes = vec![Write::Delivery { receipt, closed }, submit];
                self.store.write(writes, self.then_tell()).await?;
            }
            Output::Volumes(closed) => self.attest(closed).await?,
            Output::Hold(receipt) => {
                let receipt = receipt.into_unchecked();
                let submit = self.submit(Evidence::Bandwidth(receipt.clone()));
                self.store.write(vec![Write::Held(receipt), submit], self.then_tell()).await?;
            }
            Output::Disconnect { node, reason } => self.disconnect(node, reason).await,
        }
        Ok(())
    }

    fn send(&self, to: &Address, packet: &Packet) {
        match Encoded::new(packet) {
            Ok(encoded) => drop(self.links.send(to, encoded, Class::Control)),
            Err(error) => tracing::error!(%error, "cannot encode a packet"),
        }
    }

    fn relay(&mut self, to: &BTreeSet<Address>, frame: &Frame, ack: Option<Ack>) {
        let encoded = Encoded::frame(frame);
        let reached: Vec<&Address> =
            to.iter().filter(|node| self.links.send(node, encoded.clone(), Class::Frame)).collect();
        if let Some(Ack { tickets, among, required }) = ack {
            let accepted = !required || reached.into_iter().any(|node| among.contains(node));
            self.resolve(tickets, if accepted { Ok(()) } else { Err(Refusal::NoBroker) });
        }
    }

    fn resolve(&mut self, tickets: Vec<Ticket>, outcome: Result<(), Refusal>) {
        for ticket in tickets {
            if let Some(waiting) = self.tickets.remove(&ticket) {
                // A client that is gone does not need to know.
                let _ = waiting.send(outcome);
            }
        }
    }

    /// On disk first, then to the relayer.
    async fn keep_and_hand_over(&mut self, receipt: Checked<BandwidthReceipt>) -> Result<(), StoreError> {
        let relayer = receipt.receipt().relayer;
        let second = self
            .equivocate
            .then(|| contradict(&receipt, &self.broker.chain().domain, &self.signer))
            .flatten();
        let receipt = receipt.into_unchecked();
        let mut writes = vec![Write::Signed(receipt.clone())];
        let mut packets = vec![Packet::Receipt(receipt.clone())];
        if let Some(second) = second.map(Checked::into_unchecked) {
            writes.push(self.submit(Evidence::Bandwidth(receipt)));
            let evidence = Box::new(Evidence::Bandwidth(second.clone()));
            writes.push(Write::SubmitBeside { indexers: self.indexers.clone(), evidence });
            packets.push(Packet::Receipt(second));
        }
        let (links, filled, equivocates) = (self.links.clone(), self.filled.clone(), self.equivocate);
        let hand_over = move || {
            for encoded in packets.iter().filter_map(|packet| Encoded::new(packet).ok()) {
                links.send(&relayer, encoded, Class::Control);
            }
            if equivocates {
                filled.tell();
            }
        };
        self.store.write(writes, Some(Box::new(hand_over))).await
    }

    async fn attest(&mut self, closed: Closed) -> Result<(), StoreError> {
        let epoch = closed.epoch;
        let plan = self.broker.chain().plan(epoch).cloned();
        let (Some(attester), Some(plan)) = (self.attester.clone(), plan) else {
            return self.store.write(vec![Write::Attested { epoch }], None).await;
        };
        self.volumes.spawn(async move {
            if let Err(error) = attester.attest_volumes(closed, plan).await {
                tracing::error!(%error, epoch, "volumes not attested");
            }
        });
        Ok(())
    }

    fn submit(&self, evidence: Evidence) -> Write {
        Write::Submit { indexers: self.indexers.clone(), evidence: Box::new(evidence) }
    }

    /// Wakes the outboxes once it is on disk.
    fn then_tell(&self) -> After {
        let filled = self.filled.clone();
        Some(Box::new(move || filled.tell()))
    }

    async fn disconnect(&self, node: Address, reason: Refusal) {
        let peer = self.network.peers().borrow().iter().find(|p| address_of_peer(p) == Some(node)).copied();
        if let Some(peer) = peer {
            tracing::warn!(%peer, %node, %reason, "disconnecting a node");
            self.network.disconnect(peer).await;
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let now = now_ms();
        let chain = self.broker.chain();
        Snapshot {
            at_ms: now,
            epoch: chain.clock.epoch_at_ms(now),
            planned: chain.plans.last_key_value().map(|(epoch, _)| *epoch),
            assigned: self.broker.assigned(now).values().map(ToString::to_string).collect(),
            wanted: self.subscriptions.interest().borrow().iter().map(ToString::to_string).collect(),
            links: self.broker.linked().iter().copied().collect(),
            core: self.broker.counters(),
        }
    }

    /// Waits until what is under way is on disk.
    pub(super) async fn finish(self) {
        self.volumes.close();
        self.volumes.wait().await;
        // An error was reported where it happened.
        let _ = self.store.write_through(Vec::new()).await;
    }
}
