//! The task that owns the swarm: turns commands into libp2p calls and libp2p events into state that others can watch.
//!
//! Nothing here waits for anybody but the swarm: results go out by `watch`, `oneshot` or `try_send`.

use super::behaviour::{Behaviour, BehaviourEvent, speaks_kademlia};
use super::control::{self, ControlError, ControlRequest, Responder};
use crate::backoff::Backoff;
use crate::keys::address_of_peer;
use futures::StreamExt;
use libp2p::kad::store::RecordStore;
use libp2p::kad::{self, GetProvidersOk, QueryId, QueryResult, RecordKey};
use libp2p::request_response::{Message, OutboundRequestId, ResponseChannel};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{SwarmEvent, dial_opts};
use libp2p::{Multiaddr, PeerId, Swarm, identify};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tatum_protocol::Address;
use tatum_protocol::id::PartKey;
use tatum_protocol::wire::{Request, Response};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// Lookups and control requests under way.
const QUERIES: usize = 256;
const REQUESTS: usize = 1024;
/// Addresses of one peer that are taken over from what it says of itself.
const PEER_ADDRESSES: usize = 16;
const TICK: Duration = Duration::from_millis(250);
const REDIAL_FIRST: Duration = Duration::from_millis(500);
const REDIAL_LONGEST: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) enum Command {
    Request { peer: PeerId, request: Request, answer: Answer },
    Respond { channel: ResponseChannel<Response>, response: Response },
    Provide(BTreeSet<PartKey>),
    Find { part: PartKey, wanted: BTreeSet<Address> },
    Disconnect(PeerId),
}

type Answer = oneshot::Sender<Result<Response, ControlError>>;

/// A peer that is dialled again whenever it is not connected.
#[derive(Debug)]
struct Kept {
    addresses: Vec<Multiaddr>,
    backoff: Backoff,
    next_dial: Instant,
}

pub(super) struct Driver {
    swarm: Swarm<Behaviour>,
    kept: BTreeMap<PeerId, Kept>,
    provided: BTreeSet<PartKey>,
    lookups: HashMap<QueryId, BTreeSet<Address>>,
    requests: HashMap<OutboundRequestId, Answer>,
    /// For responders; weak, so that the network ends when its handles are gone.
    commands: mpsc::WeakSender<Command>,
    control: mpsc::Sender<ControlRequest>,
    peers: watch::Sender<Arc<BTreeSet<PeerId>>>,
    addresses: watch::Sender<Vec<Multiaddr>>,
}

impl Driver {
    pub(super) fn new(
        swarm: Swarm<Behaviour>,
        keep: Vec<(PeerId, Multiaddr)>,
        commands: mpsc::WeakSender<Command>,
        control: mpsc::Sender<ControlRequest>,
        peers: watch::Sender<Arc<BTreeSet<PeerId>>>,
        addresses: watch::Sender<Vec<Multiaddr>>,
    ) -> Self {
        let mut kept = BTreeMap::new();
        for (peer, address) in keep.into_iter().filter(|(peer, _)| peer != swarm.local_peer_id()) {
            let entry = kept.entry(peer).or_insert_with(|| Kept {
                addresses: Vec::new(),
                backoff: Backoff::new(REDIAL_FIRST, REDIAL_LONGEST),
                next_dial: Instant::now(),
            });
            entry.addresses.push(address);
        }
        Self {
            swarm,
            kept,
            provided: BTreeSet::new(),
            lookups: HashMap::new(),
            requests: HashMap::new(),
            commands,
            control,
            peers,
            addresses,
        }
    }

    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>, shutdown: CancellationToken) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                event = self.swarm.select_next_some() => self.on_event(event),
                command = commands.recv() => match command {
                    Some(command) => self.on_command(command),
                    None => return,
                },
                _ = tick.tick() => self.redial(),
            }
        }
    }

    fn redial(&mut self) {
        let now = Instant::now();
        for (peer, kept) in &mut self.kept {
            if now < kept.next_dial || self.swarm.is_connected(peer) {
                continue;
            }
            kept.next_dial = now + kept.backoff.next();
            let options = DialOpts::peer_id(*peer)
                .addresses(kept.addresses.clone())
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .build();
            if let Err(error) = self.swarm.dial(options) {
                tracing::debug!(%peer, %error, "cannot dial");
            }
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Request { peer, request, answer } => self.request(peer, request, answer),
            Command::Respond { channel, response } => {
                if self.swarm.behaviour_mut().control.send_response(channel, response).is_err() {
                    tracing::debug!("the peer that asked is gone; its answer is dropped");
                }
            }
            Command::Provide(parts) => self.provide(parts),
            Command::Find { part, wanted } => {
                if self.lookups.len() < QUERIES {
                    let query = self.swarm.behaviour_mut().kademlia.get_providers(record_key(&part));
                    self.lookups.insert(query, wanted);
                }
            }
            Command::Disconnect(peer) => {
                // An error means that it is not connected: what was asked for.
                let _ = self.swarm.disconnect_peer_id(peer);
            }
        }
    }

    fn request(&mut self, peer: PeerId, request: Request, answer: Answer) {
        // Those who asked and gave up no longer count.
        self.requests.retain(|_, answer| !answer.is_closed());
        if self.requests.len() >= REQUESTS {
            let reason = libp2p::request_response::OutboundFailure::Io(std::io::Error::other(
                "too many control requests are under way",
            ));
            let _ = answer.send(Err(ControlError::Failed { peer, reason }));
            return;
        }
        let addresses = self.kept.get(&peer).map(|kept| kept.addresses.clone()).unwrap_or_default();
        let id = self.swarm.behaviour_mut().control.send_request_with_addresses(&peer, request, addresses);
        self.requests.insert(id, answer);
    }

    fn provide(&mut self, parts: BTreeSet<PartKey>) {
        let kademlia = &mut self.swarm.behaviour_mut().kademlia;
        for part in self.provided.difference(&parts) {
            kademlia.stop_providing(&record_key(part));
        }
        for part in parts.difference(&self.provided) {
            if let Err(error) = kademlia.start_providing(record_key(part)) {
                tracing::warn!(%part, %error, "cannot announce a stream part");
            }
        }
        self.provided = parts;
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::ConnectionEstablished { peer_id, .. } => {
                if let Some(kept) = self.kept.get_mut(&peer_id) {
                    kept.backoff.reset();
                }
                self.peers.send_if_modified(|peers| Arc::make_mut(peers).insert(peer_id));
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => {
                self.peers.send_if_modified(|peers| Arc::make_mut(peers).remove(&peer_id));
            }
            SwarmEvent::NewListenAddr { address, .. } => {
                tracing::info!(%address, "listening");
                // Provider records carry external addresses. What is listened on is announced; AutoNAT will say better.
                self.swarm.add_external_address(address.clone());
                self.addresses.send_modify(|addresses| addresses.push(address));
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.swarm.remove_external_address(&address);
                self.addresses.send_modify(|addresses| addresses.retain(|known| *known != address));
            }
            SwarmEvent::OutgoingConnectionError { peer_id, error, .. } => {
                tracing::debug!(?peer_id, %error, "dialling failed");
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                tracing::debug!(%send_back_addr, %error, "an incoming connection failed");
            }
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received {
                peer_id,
                info,
                ..
            })) => {
                self.identified(peer_id, &info);
            }
            SwarmEvent::Behaviour(BehaviourEvent::Kademlia(event)) => self.on_kademlia(event),
            SwarmEvent::Behaviour(BehaviourEvent::Control(event)) => self.on_control(event),
            _ => {}
        }
    }

    fn identified(&mut self, peer: PeerId, info: &identify::Info) {
        if speaks_kademlia(info) {
            for address in info.listen_addrs.iter().take(PEER_ADDRESSES) {
                self.swarm.behaviour_mut().kademlia.add_address(&peer, address.clone());
            }
        }
    }

    fn on_kademlia(&mut self, event: kad::Event) {
        match event {
            // Values are not stored for anybody; providers are, if their identity is one that can be a broker's.
            kad::Event::InboundRequest {
                request: kad::InboundRequest::AddProvider { record: Some(record) },
            } => {
                if address_of_peer(&record.provider).is_some()
                    && let Err(error) = self.swarm.behaviour_mut().kademlia.store_mut().add_provider(record)
                {
                    tracing::debug!(%error, "provider record not kept");
                }
            }
            kad::Event::OutboundQueryProgressed {
                id,
                result: QueryResult::GetProviders(result),
                step,
                ..
            } => {
                if let Ok(GetProvidersOk::FoundProviders { providers, .. }) = result {
                    self.dial_wanted(id, providers);
                }
                if step.last {
                    self.lookups.remove(&id);
                }
            }
            _ => {}
        }
    }

    fn dial_wanted(&mut self, query: QueryId, providers: impl IntoIterator<Item = PeerId>) {
        let Some(wanted) = self.lookups.get(&query) else { return };
        let local = *self.swarm.local_peer_id();
        let found: Vec<PeerId> = providers
            .into_iter()
            .filter(|peer| *peer != local && address_of_peer(peer).is_some_and(|a| wanted.contains(&a)))
            .collect();
        for peer in found {
            let options =
                DialOpts::peer_id(peer).condition(dial_opts::PeerCondition::DisconnectedAndNotDialing);
            if let Err(error) = self.swarm.dial(options.build()) {
                tracing::trace!(%peer, %error, "broker not dialled");
            }
        }
    }

    fn on_control(&mut self, event: control::Event) {
        match event {
            control::Event::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                let responder = Responder { channel, commands: self.commands.clone() };
                let refused = match self.control.try_send(ControlRequest { peer, request, responder }) {
                    Ok(()) => return,
                    Err(
                        mpsc::error::TrySendError::Full(refused) | mpsc::error::TrySendError::Closed(refused),
                    ) => refused,
                };
                let response = Response::Error("busy; send it again later".to_owned());
                let channel = refused.responder.channel;
                let _ = self.swarm.behaviour_mut().control.send_response(channel, response);
            }
            control::Event::Message { message: Message::Response { request_id, response }, .. } => {
                if let Some(answer) = self.requests.remove(&request_id) {
                    let _ = answer.send(Ok(response));
                }
            }
            control::Event::OutboundFailure { peer, request_id, error, .. } => {
                if let Some(answer) = self.requests.remove(&request_id) {
                    let _ = answer.send(Err(ControlError::Failed { peer, reason: error }));
                }
            }
            control::Event::InboundFailure { peer, error, .. } => control::log_inbound_failure(peer, &error),
            control::Event::ResponseSent { .. } => {}
        }
    }
}

fn record_key(part: &PartKey) -> RecordKey {
    RecordKey::new(part)
}
