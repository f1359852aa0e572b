//! The broker's part in publishing: from a client's message to a frame on its way.

use super::publisher::{Batch, Signing};
use super::{Ack, Broker, Output, Refusal, Ticket};
use std::collections::BTreeSet;
use std::sync::Arc;
use tatum_protocol::Address;
use tatum_protocol::id::{PartKey, StreamPart};
use tatum_protocol::message::{Frame, MAX_PAYLOAD_BYTES, Message};
use tatum_protocol::plan::PlannedPart;

/// Stream parts that gateway clients published to, remembered so that their brokers stay linked.
const MAX_PUBLISHING: usize = 4096;

impl Broker {
    /// Whether a message of a gateway client can be published now. The gateway asks before it queues.
    fn may_publish(&self, now_ms: u64, part: &StreamPart) -> Result<(), Refusal> {
        let epoch = self.chain.clock.epoch_at_ms(now_ms).ok_or(Refusal::Epoch)?;
        let plan = self.chain.plan(epoch).ok_or(Refusal::NoPlan)?;
        if !self.chain.permissions.may_publish(&part.stream, self.me, now_ms / 1000) {
            return Err(Refusal::PublishPermission);
        }
        let planned = plan.parts.get(&part.key()).ok_or(Refusal::NotSponsored)?;
        // A broker that is cut off from the others assigned with it must not acknowledge what only it has.
        let alone = planned.assigned.iter().all(|a| a.broker == self.me);
        if alone && !planned.assigned.is_empty() || !self.linked_brokers(planned).is_empty() {
            Ok(())
        } else {
            Err(Refusal::NoBroker)
        }
    }

    /// Other brokers of the part that are linked.
    fn linked_brokers(&self, planned: &PlannedPart) -> BTreeSet<Address> {
        let brokers = planned.assigned.iter().map(|assigned| assigned.broker);
        brokers.filter(|broker| *broker != self.me && self.relay.linked().contains(broker)).collect()
    }

    pub(super) fn on_publish(
        &mut self,
        now_ms: u64,
        part: StreamPart,
        message: Message,
        ticket: Ticket,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let key = part.key();
        if self.publishing.len() < MAX_PUBLISHING {
            self.publishing.insert(key);
        }
        let allowed = match message.payload.len() {
            0..=MAX_PAYLOAD_BYTES => self.may_publish(now_ms, &part),
            _ => Err(Refusal::TooLarge),
        };
        if let Err(refusal) = allowed {
            out.push(Output::Published { tickets: vec![ticket], outcome: Err(refusal) });
            return Err(refusal);
        }
        let chain = self.chain.clone();
        let signing = Signing { domain: &chain.domain, clock: &chain.clock, signer: &self.signer };
        let batches = self.publisher.publish(now_ms, &signing, key, message, ticket);
        self.publish_batches(now_ms, batches, out);
        Ok(())
    }

    pub(super) fn publish_batches(&mut self, now_ms: u64, batches: Vec<Batch>, out: &mut Vec<Output>) {
        for Batch { part, frame, tickets } in batches {
            let outcome = match frame {
                Ok(frame) => self.publish_frame(now_ms, part, frame, tickets.clone(), out),
                Err(error) => {
                    tracing::warn!(%error, "cannot make a frame of published messages");
                    Err(Refusal::TooLarge)
                }
            };
            if let Err(refusal) = outcome {
                self.counters.refuse(refusal);
                out.push(Output::Published { tickets, outcome: Err(refusal) });
            }
        }
    }

    fn publish_frame(
        &mut self,
        now_ms: u64,
        part: PartKey,
        frame: Frame,
        tickets: Vec<Ticket>,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let chain = self.chain.clone();
        let admitted = self.admission.check(now_ms, &chain, &frame)?;
        let planned = admitted.plan.parts.get(&part).ok_or(Refusal::NotSponsored)?;
        self.admission.spend(now_ms, &frame)?;
        let hash = frame.hash(&chain.domain);
        let count = frame.messages().len() as u64;
        self.dedup.insert(now_ms, frame.chain(), frame.first_sequence(), count, hash);
        self.counters.published += count;
        let among = self.linked_brokers(planned);
        let required = planned.assigned.iter().any(|a| a.broker != self.me);
        let ack = Ack { tickets, among, required };
        self.accept(now_ms, planned, admitted.epoch, None, hash, Arc::new(frame), Some(ack), out);
        Ok(())
    }
}
