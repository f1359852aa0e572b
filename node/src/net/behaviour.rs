//! The libp2p protocols that a peer speaks, their bounds, and the transports under them.

use super::{NetError, control};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::kad::store::{MemoryStore, MemoryStoreConfig};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{StreamProtocol, Swarm, SwarmBuilder, identify, identity, kad, noise, ping, tcp, tls, yamux};
use std::time::Duration;

const KADEMLIA: StreamProtocol = StreamProtocol::new("/tatum/kad/1");
const IDENTIFY: &str = "/tatum/id/1";
/// A connection without streams or requests is closed after this; the default of 10 s would cut between epochs.
const IDLE: Duration = Duration::from_secs(600);
const PEERS: u32 = 1024;
const PENDING: u32 = 128;
/// Both sides may dial at once, over either transport.
const PER_PEER: u32 = 4;
/// Stream parts known with their providers, and stream parts provided.
const PROVIDED_PARTS: usize = 16_384;

#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    limits: connection_limits::Behaviour,
    pub(super) kademlia: kad::Behaviour<MemoryStore>,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    pub(super) control: control::Behaviour,
    pub(super) streams: libp2p_stream::Behaviour,
}

impl Behaviour {
    fn new(key: &identity::Keypair, serve_control: bool) -> Self {
        let peer = key.public().to_peer_id();
        let limits = ConnectionLimits::default()
            .with_max_pending_incoming(Some(PENDING))
            .with_max_pending_outgoing(Some(PENDING))
            .with_max_established(Some(PEERS))
            .with_max_established_per_peer(Some(PER_PEER));
        let store = MemoryStoreConfig {
            // Only provider records are used; the driver stores none of the others.
            max_records: 0,
            max_value_bytes: 0,
            max_provided_keys: PROVIDED_PARTS,
            ..MemoryStoreConfig::default()
        };
        let mut config = kad::Config::new(KADEMLIA);
        config
            .set_record_filtering(kad::StoreInserts::FilterBoth)
            .set_query_timeout(Duration::from_secs(20))
            .set_provider_record_ttl(Some(Duration::from_secs(3600)))
            .set_provider_publication_interval(Some(Duration::from_secs(1200)));
        let store = MemoryStore::with_config(peer, store);
        let mut kademlia = kad::Behaviour::with_config(peer, store, config);
        kademlia.set_mode(Some(kad::Mode::Server));
        let identify = identify::Config::new(IDENTIFY.to_owned(), key.public())
            .with_agent_version(concat!("tatum/", env!("CARGO_PKG_VERSION")).to_owned());
        Self {
            limits: connection_limits::Behaviour::new(limits),
            kademlia,
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::default(),
            control: control::behaviour(serve_control),
            streams: libp2p_stream::Behaviour::new(),
        }
    }
}

/// TCP with TLS or Noise under Yamux, and QUIC; DNS names in addresses.
pub(super) fn build(key: &identity::Keypair, serve_control: bool) -> Result<Swarm<Behaviour>, NetError> {
    let transport = |error: &dyn std::fmt::Display| NetError::Transport(error.to_string());
    let swarm = SwarmBuilder::with_existing_identity(key.clone())
        .with_tokio()
        .with_tcp(
            tcp::Config::default().nodelay(true),
            (tls::Config::new, noise::Config::new),
            yamux::Config::default,
        )
        .map_err(|error| transport(&error))?
        .with_quic()
        .with_dns()
        .map_err(|error| transport(&error))?
        .with_behaviour(|key| Behaviour::new(key, serve_control))
        .map_err(|error| transport(&error))?
        .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE))
        .build();
    Ok(swarm)
}

/// Whether a peer takes part in our Kademlia, and so belongs into the routing table.
pub(super) fn speaks_kademlia(info: &identify::Info) -> bool {
    info.protocols.contains(&KADEMLIA)
}
