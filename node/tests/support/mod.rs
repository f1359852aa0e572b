//! Real nodes in this process, over loopback, on a chain that is stated instead of followed; and an indexer that keeps what it gets.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tatum_node::attester::History;
use tatum_node::core::{ChainState, Limits, Permissions};
use tatum_node::gateway::credentials::{Authenticator, Credential, CredentialFile};
use tatum_node::keys::NodeKey;
use tatum_node::net::{NetConfig, Network, parse_peer};
use tatum_node::node::{NodeSetup, run};
use tatum_protocol::amount::Wei;
use tatum_protocol::bls::SecretKey;
use tatum_protocol::eip712::Domain;
use tatum_protocol::epoch::EpochClock;
use tatum_protocol::evidence::Bundle;
use tatum_protocol::id::{StreamId, StreamPart};
use tatum_protocol::plan::{EpochPlan, PlanInput, PlanOperator, PlanSponsorship, Shares};
use tatum_protocol::wire::{Evidence, Request, Response, Verdict};
use tatum_protocol::{Address, B256, U256};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(crate) const STREAM: &str = "0xab/sensor";
pub(crate) const RATE: u128 = 1_000_000;
/// The only epoch with money in it.
pub(crate) const EPOCH: u64 = 1;
pub(crate) const LENGTH: u64 = 6;

pub(crate) fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

pub(crate) fn key(n: u8) -> NodeKey {
    NodeKey::from_bytes([n; 32]).unwrap()
}

/// Everybody may do everything with the stream; nobody anything with others.
#[derive(Debug)]
struct OneStream;

impl Permissions for OneStream {
    fn may_publish(&self, stream: &StreamId, _: Address, _: u64) -> bool {
        stream.as_str() == STREAM
    }
    fn may_subscribe(&self, stream: &StreamId, _: Address, _: u64) -> bool {
        stream.as_str() == STREAM
    }
}

/// Three operators, one node each; one stream part that all of them serve.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: EpochClock,
    pub(crate) domain: Domain,
}

impl World {
    pub(crate) fn starting_now() -> Self {
        let clock = EpochClock { genesis: now_ms() / 1000, length: LENGTH };
        Self { clock, domain: Domain::new(31337, Address::repeat_byte(7)) }
    }

    pub(crate) fn part(&self) -> StreamPart {
        StreamPart::new(STREAM.parse().unwrap(), 0).unwrap()
    }

    pub(crate) fn plan(&self, epoch: u64, sponsored: bool) -> EpochPlan {
        let operators = (1..=3_u8).map(|n| PlanOperator {
            id: n.into(),
            weight: 100,
            nodes: vec![key(n).address()],
            key: SecretKey::from_seed(&[n; 32]).public_key(),
        });
        let sponsorship = PlanSponsorship {
            id: 1,
            stream: STREAM.parse().unwrap(),
            partitions: 1,
            rate: Wei(RATE),
            redundancy: 3,
            subscriber_share_bps: 0,
        };
        EpochPlan::new(PlanInput {
            epoch,
            checkpoint: 0,
            root_in_force: B256::ZERO,
            operators: operators.collect(),
            sponsorships: if sponsored { vec![sponsorship] } else { vec![] },
            unservable: vec![],
            subscribers: BTreeMap::new(),
            attesters: vec![],
            shares: Shares { attester_bps: 500, availability_bps: 5_000 },
        })
    }

    fn state(&self) -> ChainState {
        ChainState {
            domain: self.domain.clone(),
            clock: self.clock,
            plans: (0..50).map(|epoch| (epoch, Arc::new(self.plan(epoch, true)))).collect(),
            permissions: Arc::new(OneStream),
        }
    }

    /// Waits until this long after the start of an epoch.
    pub(crate) async fn wait_for(&self, epoch: u64, after_ms: u64) {
        let at = self.clock.start(epoch) * 1000 + after_ms;
        tokio::time::sleep(Duration::from_millis(at.saturating_sub(now_ms()))).await;
    }
}

/// Before the first post, and only [`EPOCH`] was sponsored.
#[derive(Debug)]
struct Past(Arc<World>);

impl History for Past {
    fn settled_plan(&self, epoch: u64) -> Option<EpochPlan> {
        (now_ms() >= self.0.clock.end(epoch) * 1000).then(|| self.0.plan(epoch, epoch == EPOCH))
    }
    fn posted_root(&self, _: u64) -> Option<B256> {
        None
    }
    fn payable_through(&self, _: u64) -> Option<U256> {
        Some(U256::from(RATE))
    }
    fn lapse_epochs(&self) -> u64 {
        50
    }
}

pub(crate) struct Node {
    pub(crate) network: Network,
    pub(crate) mqtt: SocketAddr,
    pub(crate) http: SocketAddr,
}

/// Starts node `n`, connected to `bootstrap` only.
pub(crate) async fn start_node(
    world: &Arc<World>,
    n: u8,
    dir: &Path,
    credential: &Credential,
    bootstrap: Option<String>,
    indexer: &str,
    stop: &CancellationToken,
) -> Node {
    let mut keep = vec![parse_peer(indexer).unwrap()];
    let indexers = vec![keep[0].0];
    keep.extend(bootstrap.map(|text| parse_peer(&text).unwrap()));
    let listen = ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"];
    let listen = listen.iter().map(|text| text.parse().unwrap()).collect();
    let config = NetConfig { listen, keep, serve_control: false };
    let (network, _) = Network::start(key(n).keypair(), config, stop.clone()).unwrap();
    let mqtt = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node =
        Node { network: network.clone(), mqtt: mqtt.local_addr().unwrap(), http: http.local_addr().unwrap() };
    let file = CredentialFile { credentials: vec![credential.clone()] };
    let (states, chain) = watch::channel(Arc::new(world.state()));
    let setup = NodeSetup {
        key: key(n),
        bls: Some(SecretKey::from_seed(&[n; 32])),
        network,
        indexers,
        store: dir.join(format!("{n}.redb")),
        mqtt: Some((mqtt, Authenticator::new(file).unwrap())),
        http: Some(http),
        subscriptions: BTreeSet::new(),
        limits: Limits::default(),
        equivocate: false,
        chain,
        history: Arc::new(Past(world.clone())),
    };
    let stop = stop.clone();
    tokio::spawn(async move {
        let _states = states;
        run(setup, stop).await.unwrap();
    });
    node
}

/// A peer's address over the transport whose multiaddress contains `transport`.
pub(crate) async fn address_of(network: &Network, transport: &str) -> String {
    let mut addresses = network.listen_addresses();
    let found = |known: &Vec<_>| {
        known.iter().any(|address: &libp2p::Multiaddr| address.to_string().contains(transport))
    };
    let known = addresses.wait_for(found).await.unwrap();
    let address = known.iter().find(|address| address.to_string().contains(transport)).unwrap().clone();
    format!("{address}/p2p/{}", network.local_peer())
}

/// Takes everything, keeps it, and proposes what it is told to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Indexer {
    pub(crate) evidence: Arc<Mutex<Vec<Evidence>>>,
    pub(crate) proposal: Arc<Mutex<Option<Bundle>>>,
}

impl Indexer {
    pub(crate) fn start(&self, stop: &CancellationToken) -> Network {
        let listen = vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()];
        let config = NetConfig { listen, keep: vec![], serve_control: true };
        let (network, mut requests) = Network::start(key(100).keypair(), config, stop.clone()).unwrap();
        let indexer = self.clone();
        tokio::spawn(async move {
            while let Some(request) = requests.recv().await {
                let response = indexer.answer(request.request);
                request.responder.respond(response).await;
            }
        });
        network
    }

    fn answer(&self, request: Request) -> Response {
        let proposal = self.proposal.lock().unwrap().clone();
        match request {
            Request::Submit(items) => {
                let verdicts = vec![Verdict::Accepted; items.len()];
                self.evidence.lock().unwrap().extend(items);
                Response::Submitted(verdicts)
            }
            Request::Proposal => Response::Proposal(proposal.map(|bundle| bundle.statement)),
            Request::Bundle { .. } => Response::Bundle(proposal),
        }
    }

    pub(crate) fn all(&self) -> Vec<Evidence> {
        self.evidence.lock().unwrap().clone()
    }
}
