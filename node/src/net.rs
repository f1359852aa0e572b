//! The network: a libp2p swarm behind a handle, used alike by nodes and by the indexer.
//!
//! One task owns the swarm ([`driver`]); everybody else holds a [`Network`] and talks to it through a bounded channel. What
//! crosses is: whom to keep connected, which stream parts this node provides, control requests and their answers. Frames and
//! receipts between nodes travel on their own streams, see [`links`].
//!
//! Left out here: what the packets mean (`core`), which brokers are wanted (`peering`).

mod behaviour;
mod control;
mod driver;
pub mod links;

pub use control::{ControlError, ControlRequest, Responder};

use driver::{Command, Driver};
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId, identity};
use std::collections::BTreeSet;
use std::sync::Arc;
use tatum_protocol::Address;
use tatum_protocol::id::PartKey;
use tatum_protocol::wire::{Request, Response};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// Commands and control requests that may wait for the swarm.
const COMMANDS: usize = 256;
/// Control requests of other peers that may wait to be answered; more are told to come back.
const CONTROL_REQUESTS: usize = 64;

/// What a peer of the network is started with.
#[derive(Debug, Clone, Default)]
pub struct NetConfig {
    pub listen: Vec<Multiaddr>,
    /// Peers to stay connected to: bootstrap nodes and indexers.
    pub keep: Vec<(PeerId, Multiaddr)>,
    /// Whether control requests of others are answered (an indexer) or refused (a node).
    pub serve_control: bool,
}

/// Why the network could not start.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    #[error("cannot listen on {address}: {reason}. Is another process using the port?")]
    Listen { address: Multiaddr, reason: String },
    #[error("cannot set up the transports: {0}")]
    Transport(String),
    #[error("{text:?} is not a peer's address; expected something like /ip4/1.2.3.4/tcp/4001/p2p/16Uiu2...")]
    PeerAddress { text: String },
    #[error("{text:?} is not a multiaddress: {reason}")]
    Address { text: String, reason: String },
}

/// A handle to the running network. Cheap to clone; the network ends with its cancellation token.
#[derive(Debug, Clone)]
pub struct Network {
    local: PeerId,
    commands: mpsc::Sender<Command>,
    peers: watch::Receiver<Arc<BTreeSet<PeerId>>>,
    addresses: watch::Receiver<Vec<Multiaddr>>,
    streams: libp2p_stream_control::Control,
}

/// `libp2p_stream::Control` has no `Debug`; the handle should.
mod libp2p_stream_control {
    #[derive(Clone)]
    pub(super) struct Control(pub(super) libp2p_stream::Control);

    impl std::fmt::Debug for Control {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Control")
        }
    }
}

impl Network {
    /// Listens, starts the swarm's task and returns the handle with the control requests that others make. A node that does not
    /// serve them gets a channel that stays empty.
    pub fn start(
        keypair: &identity::Keypair,
        config: NetConfig,
        shutdown: CancellationToken,
    ) -> Result<(Self, mpsc::Receiver<ControlRequest>), NetError> {
        let mut swarm = behaviour::build(keypair, config.serve_control)?;
        for address in &config.listen {
            swarm
                .listen_on(address.clone())
                .map_err(|error| NetError::Listen { address: address.clone(), reason: error.to_string() })?;
        }
        let (commands, commands_in) = mpsc::channel(COMMANDS);
        let (requests_out, requests) = mpsc::channel(CONTROL_REQUESTS);
        let (peers_out, peers) = watch::channel(Arc::default());
        let (addresses_out, addresses) = watch::channel(Vec::new());
        let network = Self {
            local: *swarm.local_peer_id(),
            commands: commands.clone(),
            peers,
            addresses,
            streams: libp2p_stream_control::Control(swarm.behaviour().streams.new_control()),
        };
        let driver =
            Driver::new(swarm, config.keep, commands.downgrade(), requests_out, peers_out, addresses_out);
        tokio::spawn(driver.run(commands_in, shutdown));
        Ok((network, requests))
    }

    pub fn local_peer(&self) -> PeerId {
        self.local
    }

    /// Who is connected now; changes can be awaited.
    pub fn peers(&self) -> watch::Receiver<Arc<BTreeSet<PeerId>>> {
        self.peers.clone()
    }

    /// Where this peer listens, with the real ports.
    pub fn listen_addresses(&self) -> watch::Receiver<Vec<Multiaddr>> {
        self.addresses.clone()
    }

    /// Asks a peer something and waits for the answer (at most 30 s).
    pub async fn request(&self, peer: PeerId, request: Request) -> Result<Response, ControlError> {
        let (answer, response) = oneshot::channel();
        let command = Command::Request { peer, request, answer };
        self.commands.send(command).await.map_err(|_| ControlError::Stopped)?;
        response.await.map_err(|_| ControlError::Stopped)?
    }

    /// Announces exactly these stream parts as served here.
    pub async fn provide(&self, parts: BTreeSet<PartKey>) {
        // Fails only while stopping.
        let _ = self.commands.send(Command::Provide(parts)).await;
    }

    /// Looks up who provides a stream part and connects to those of them that are `wanted`.
    pub async fn find(&self, part: PartKey, wanted: BTreeSet<Address>) {
        let _ = self.commands.send(Command::Find { part, wanted }).await;
    }

    /// Ends all connections with a peer.
    pub async fn disconnect(&self, peer: PeerId) {
        let _ = self.commands.send(Command::Disconnect(peer)).await;
    }

    pub(crate) fn streams(&self) -> libp2p_stream::Control {
        self.streams.0.clone()
    }
}

/// Reads a multiaddress.
pub fn parse_address(text: &str) -> Result<Multiaddr, NetError> {
    text.parse().map_err(|error: libp2p::multiaddr::Error| NetError::Address {
        text: text.to_owned(),
        reason: error.to_string(),
    })
}

/// Reads a multiaddress that ends in `/p2p/<peer id>` and takes it apart.
pub fn parse_peer(text: &str) -> Result<(PeerId, Multiaddr), NetError> {
    let mut address = parse_address(text)?;
    match address.pop() {
        Some(Protocol::P2p(peer)) if !address.is_empty() => Ok((peer, address)),
        _ => Err(NetError::PeerAddress { text: text.to_owned() }),
    }
}
