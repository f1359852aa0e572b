//! What goes into the broker and what comes out.

use super::admission::Refusal;
use super::chain::ChainState;
use super::ledger::Closed;
use super::publisher::Ticket;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tatum_protocol::Address;
use tatum_protocol::id::StreamPart;
use tatum_protocol::message::{Frame, Message};
use tatum_protocol::receipt::{BandwidthReceipt, Checked, DeliveryReceipt, Unchecked};
use tatum_protocol::wire::{Offer, Packet};

#[derive(Debug)]
pub enum Input {
    Frame {
        from: Address,
        frame: Box<Frame>,
    },
    Offer {
        from: Address,
        offer: Offer,
    },
    Attach {
        from: Address,
        parts: Vec<StreamPart>,
    },
    Receipt {
        from: Address,
        receipt: Box<Unchecked<BandwidthReceipt>>,
    },
    /// A message of a gateway client, to be published under the node's key. Its timestamp is set here.
    Publish {
        part: StreamPart,
        message: Message,
        ticket: Ticket,
    },
    /// Packets can be sent to this node from now on.
    Up(Address),
    Down(Address),
    /// All stream parts wanted here, by gateway clients or for the node's own account.
    Interest(BTreeSet<StreamPart>),
    Chain(Arc<ChainState>),
    Tick,
}

#[derive(Debug)]
pub enum Output {
    Send {
        to: Address,
        packet: Packet,
    },
    Frame {
        to: BTreeSet<Address>,
        frame: Arc<Frame>,
        ack: Option<Ack>,
    },
    /// To clients that subscribed here.
    Deliver {
        part: StreamPart,
        frame: Arc<Frame>,
    },
    /// Outcome of published messages that did not become a frame.
    Published {
        tickets: Vec<Ticket>,
        outcome: Result<(), Refusal>,
    },
    /// Our receipt: to be stored, then sent to its relayer.
    Receipt(Checked<BandwidthReceipt>),
    /// Our delivery, once per epoch: to be stored with the totals, then submitted.
    Delivery {
        receipt: Checked<DeliveryReceipt>,
        closed: Closed,
    },
    /// Receipts no longer count: volumes may be revealed.
    Volumes(Closed),
    /// Somebody's receipt for us: to be stored, then submitted.
    Hold(Checked<BandwidthReceipt>),
    Disconnect {
        node: Address,
        reason: Refusal,
    },
}

/// When the messages of a published frame count as accepted: when the frame is in the queue of a link to one of these brokers,
/// or at once if that is not required because this broker is assigned and alone.
#[derive(Debug)]
pub struct Ack {
    pub tickets: Vec<Ticket>,
    pub among: BTreeSet<Address>,
    pub required: bool,
}

/// What a restarted broker knows from its store.
#[derive(Debug, Default)]
pub struct Restored {
    /// Last receipt signed for each (epoch, relayer).
    pub signed: Vec<Checked<BandwidthReceipt>>,
    /// Closed epochs whose volumes are not attested.
    pub closed: Vec<Closed>,
    /// Last receipt held of each (epoch, receiver).
    pub held: Vec<BandwidthReceipt>,
}

/// Totals since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    pub frames_in: u64,
    /// New frames: their messages and encoded bytes.
    pub messages: u64,
    pub bytes: u64,
    /// Messages published by clients of this node.
    pub published: u64,
    pub copies: u64,
    pub offers_in: u64,
    /// Frames after the close of their epoch.
    pub late: u64,
    pub receipts_signed: u64,
    pub receipts_held: u64,
    pub incomplete_epochs: u64,
    pub chains: u64,
    pub refusals: BTreeMap<Refusal, u64>,
}

impl Counters {
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        tracing::debug!(%refusal, "refused");
        *self.refusals.entry(refusal).or_default() += 1;
    }
}
