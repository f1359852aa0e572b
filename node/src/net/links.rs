//! The data plane: one outbound and one inbound stream per connected node, carrying length-delimited packets.
//!
//! Streams are simplex (a bidirectional one can deadlock in Yamux). Each outbound one has a queue bounded in bytes and a task that
//! writes what is queued in batches; each inbound one has a task that reads. So reading never waits for writing, and a slow peer loses
//! what does not fit in its own queue and delays nobody else: the frames that it misses it gets from another broker.
//!
//! A peer that sends what is not a packet is disconnected.

mod queue;
mod reader;
mod writer;

use super::Network;
use crate::keys::address_of_peer;
use futures::StreamExt;
use libp2p::{PeerId, StreamProtocol};
use queue::Queue;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tatum_protocol::Address;
use tatum_protocol::id::StreamPart;
use tatum_protocol::message::Frame;
use tatum_protocol::receipt::{BandwidthReceipt, Unchecked};
use tatum_protocol::wire::{Offer, PACKET_PROTOCOL, Packet, WireError};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const PROTOCOL: StreamProtocol = StreamProtocol::new(PACKET_PROTOCOL);
/// Packets and link changes that may wait for the node; readers wait when it is full.
const EVENTS: usize = 1024;

/// A packet as the node handles it: a frame is already decoded.
#[derive(Debug)]
pub enum Incoming {
    Frame(Box<Frame>),
    Offer(Offer),
    Attach(Vec<StreamPart>),
    Receipt(Box<Unchecked<BandwidthReceipt>>),
}

/// What happens on links.
#[derive(Debug)]
pub enum LinkEvent {
    /// Packets sent to this node from now on go out.
    Up(Address),
    Down(Address),
    Packet {
        from: Address,
        packet: Incoming,
    },
}

/// Whether a packet may be the first to be dropped when a peer is slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Frame,
    /// Receipts, offers, attachments: small, and worth more than a frame that others carry too.
    Control,
}

/// Totals since the start.
#[derive(Debug, Default)]
pub struct LinkCounters {
    pub packets_in: AtomicU64,
    pub bytes_in: AtomicU64,
    pub packets_out: AtomicU64,
    pub bytes_out: AtomicU64,
    /// Packets that did not fit in the queue of a slow peer.
    pub dropped: AtomicU64,
    pub protocol_errors: AtomicU64,
}

/// An encoded packet with its length prefix, shared by the queues of all who get it.
#[derive(Debug, Clone)]
pub struct Encoded(Arc<[u8]>);

impl Encoded {
    pub fn new(packet: &Packet) -> Result<Self, WireError> {
        Ok(Self::prefixed(&packet.encode()?))
    }

    /// The packet of a frame without copying the frame into a [`Packet`] first.
    pub fn frame(frame: &Frame) -> Self {
        Self::prefixed(&[&[0], frame.encoded()].concat())
    }

    fn prefixed(packet: &[u8]) -> Self {
        // Bounded by MAX_PACKET_BYTES, which is far below.
        let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
        Self([&length.to_be_bytes(), packet].concat().into())
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// Handle to all links. Sending never waits.
#[derive(Debug, Clone)]
pub struct Links(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    open: Mutex<BTreeMap<Address, Arc<Queue>>>,
    counters: LinkCounters,
}

impl Links {
    /// Opens a link to every connected node, for as long as it is connected.
    pub fn start(
        network: &Network,
        shutdown: CancellationToken,
    ) -> Result<(Self, mpsc::Receiver<LinkEvent>), libp2p_stream::AlreadyRegistered> {
        let incoming = network.streams().accept(PROTOCOL)?;
        let (events, received) = mpsc::channel(EVENTS);
        let links = Self(Arc::default());
        tokio::spawn(accept(links.clone(), incoming, network.clone(), events.clone(), shutdown.clone()));
        tokio::spawn(manage(links.clone(), network.clone(), events, shutdown));
        Ok((links, received))
    }

    /// Queues a packet; `false` if the node has no link or its queue is full.
    pub fn send(&self, to: &Address, packet: Encoded, class: Class) -> bool {
        let queue = self.open().get(to).cloned();
        let sent = queue.is_some_and(|queue| queue.push(packet, class));
        if !sent {
            self.0.counters.dropped.fetch_add(1, Ordering::Relaxed);
        }
        sent
    }

    /// Nodes that packets can be sent to.
    pub fn connected(&self) -> BTreeSet<Address> {
        self.open().keys().copied().collect()
    }

    pub fn counters(&self) -> &LinkCounters {
        &self.0.counters
    }

    /// Removes a link unless it was replaced.
    fn close(&self, node: &Address, queue: &Arc<Queue>) -> bool {
        let mut open = self.open();
        let ours = open.get(node).is_some_and(|current| Arc::ptr_eq(current, queue));
        if ours {
            open.remove(node);
        }
        ours
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<Address, Arc<Queue>>> {
        // The map is valid after every statement, whoever panicked.
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One reader per peer: a new stream of a peer replaces its old one.
async fn accept(
    links: Links,
    mut incoming: libp2p_stream::IncomingStreams,
    network: Network,
    events: mpsc::Sender<LinkEvent>,
    shutdown: CancellationToken,
) {
    let mut readers = BTreeMap::<PeerId, JoinHandle<()>>::new();
    loop {
        let next = tokio::select! {
            () = shutdown.cancelled() => None,
            next = incoming.next() => next,
        };
        let Some((peer, stream)) = next else { break };
        readers.retain(|_, reader| !reader.is_finished());
        let Some(from) = address_of_peer(&peer) else {
            network.disconnect(peer).await;
            continue;
        };
        let (links, network, events) = (links.clone(), network.clone(), events.clone());
        let reader = tokio::spawn(async move {
            if let Err(error) = reader::run(&links.0.counters, from, stream, events).await {
                links.0.counters.protocol_errors.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%peer, node = %from, %error, "disconnecting a node that breaks the protocol");
                network.disconnect(peer).await;
            }
        });
        if let Some(old) = readers.insert(peer, reader) {
            old.abort();
        }
    }
    readers.into_values().for_each(|reader| reader.abort());
}

/// One writer per connected peer that is a node.
async fn manage(
    links: Links,
    network: Network,
    events: mpsc::Sender<LinkEvent>,
    shutdown: CancellationToken,
) {
    let mut peers = network.peers();
    let mut writers = BTreeMap::<PeerId, CancellationToken>::new();
    loop {
        let connected = peers.borrow_and_update().clone();
        writers.retain(|peer, writer| {
            let keep = connected.contains(peer);
            if !keep {
                writer.cancel();
            }
            keep
        });
        for peer in connected.iter().filter(|peer| !writers.contains_key(peer)).copied().collect::<Vec<_>>() {
            let stop = shutdown.child_token();
            writers.insert(peer, stop.clone());
            if let Some(node) = address_of_peer(&peer) {
                tokio::spawn(writer::run(links.clone(), network.streams(), peer, node, events.clone(), stop));
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            changed = peers.changed() => if changed.is_err() { return },
        }
    }
}
