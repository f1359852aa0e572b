//! The simulated network: real cores, a clock, links with random delays, and a record of everything they put out.

use super::super::ledger::Closed;
use super::super::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tatum_protocol::B256;
use tatum_protocol::amount::Wei;
use tatum_protocol::eip712::Domain;
use tatum_protocol::epoch::EpochClock;
use tatum_protocol::id::StreamId;
use tatum_protocol::message::{ContentType, Encryption, Message};
use tatum_protocol::plan::{EpochPlan, PlanInput, PlanOperator, PlanSponsorship, Shares};
use tatum_protocol::receipt::{Credit, Delivery, DeliveryReceipt, Receipt};
use tatum_protocol::secp::Signer;

/// Besides the nodes the only one that may publish.
pub(super) const PUBLISHER: [u8; 32] = [77; 32];
const TICK_MS: u64 = 50;

#[derive(Debug)]
struct AllBut(Address);

impl Permissions for AllBut {
    fn may_publish(&self, _: &StreamId, user: Address, _: u64) -> bool {
        user != self.0
    }
    fn may_subscribe(&self, _: &StreamId, _: Address, _: u64) -> bool {
        true
    }
}

pub(super) struct Network {
    rng: StdRng,
    now: u64,
    chain: Arc<ChainState>,
    signers: Vec<Signer>,
    brokers: Vec<Broker>,
    dead: BTreeSet<usize>,
    /// (when, tie breaker) -> (to, input)
    wire: BTreeMap<(u64, u64), (usize, Input)>,
    /// Links keep order: nothing overtakes.
    last: BTreeMap<(usize, usize), u64>,
    sent: u64,
    part: StreamPart,
    deliveries: BTreeMap<(Address, u64), DeliveryReceipt>,
    volumes: BTreeMap<(Address, u64), Closed>,
    held: BTreeMap<(Address, Address, u64), Checked<BandwidthReceipt>>,
    delivered: BTreeMap<usize, u64>,
    published_ok: u64,
    /// What each node has on disk: its last receipt of each (epoch, relayer).
    stored: BTreeMap<(usize, u64, Address), Checked<BandwidthReceipt>>,
}

impl Network {
    /// `count` nodes, each of its own operator, and one stream part served by `redundancy` of them.
    pub(super) fn new(seed: u64, count: u8, redundancy: u8) -> Self {
        let signers: Vec<Signer> = (1..=count).map(|n| Signer::from_bytes([n; 32]).unwrap()).collect();
        let stream: StreamId = "0xab/sensor".parse().unwrap();
        let chain = Arc::new(chain(&signers, &stream, redundancy));
        let new =
            |s: &Signer| Broker::new(0, s.clone(), chain.clone(), Limits::default(), 5, Restored::default());
        let brokers = signers.iter().map(new).collect();
        let part = StreamPart::new(stream, 0).unwrap();
        let mut network = Self {
            rng: StdRng::seed_from_u64(seed),
            now: 0,
            chain: chain.clone(),
            brokers,
            dead: BTreeSet::new(),
            wire: BTreeMap::new(),
            last: BTreeMap::new(),
            sent: 0,
            part,
            deliveries: BTreeMap::new(),
            volumes: BTreeMap::new(),
            held: BTreeMap::new(),
            delivered: BTreeMap::new(),
            published_ok: 0,
            stored: BTreeMap::new(),
            signers,
        };
        for a in 0..network.brokers.len() {
            for b in (0..network.brokers.len()).filter(|b| *b != a) {
                network.feed(a, Input::Up(network.signers[b].address()));
            }
        }
        network
    }

    pub(super) fn nodes(&self) -> impl DoubleEndedIterator<Item = Address> + ExactSizeIterator + '_ {
        self.signers.iter().map(Signer::address)
    }

    pub(super) fn plan(&self, epoch: u64) -> Arc<EpochPlan> {
        self.chain.plan(epoch).unwrap().clone()
    }

    pub(super) fn run_until(&mut self, until: u64) {
        while self.now < until {
            let tick = (self.now / TICK_MS + 1) * TICK_MS;
            let next = self.wire.first_key_value().map_or(u64::MAX, |((at, _), _)| *at);
            let due = self.brokers.iter().filter_map(Broker::next_due_ms).min().unwrap_or(u64::MAX);
            self.now = next.min(tick).min(due).clamp(self.now, until);
            while let Some(entry) = self.wire.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let (to, input) = entry.remove();
                self.feed(to, input);
            }
            if self.now == tick || self.now >= due {
                (0..self.brokers.len()).for_each(|n| self.feed(n, Input::Tick));
            }
        }
    }

    pub(super) fn publish(&mut self, at: usize, message: Message) {
        let part = self.part.clone();
        self.feed(at, Input::Publish { part, message, ticket: 0 });
    }

    pub(super) fn subscribe(&mut self, at: usize) {
        let part = self.part.clone();
        self.feed(at, Input::Interest(BTreeSet::from([part])));
    }

    pub(super) fn kill(&mut self, victim: usize) {
        self.dead.insert(victim);
        let address = self.signers[victim].address();
        (0..self.brokers.len()).for_each(|n| self.feed(n, Input::Down(address)));
    }

    /// Kill -9, and back at once: only what was stored is known.
    pub(super) fn restart(&mut self, node: usize) {
        let signed: Vec<_> = self
            .stored
            .iter()
            .filter(|((of, ..), _)| *of == node)
            .map(|(_, receipt)| receipt.clone())
            .collect();
        assert!(!signed.is_empty(), "the test wants a receipt before the crash");
        let restored = Restored { signed, ..Restored::default() };
        let signer = self.signers[node].clone();
        self.brokers[node] =
            Broker::new(self.now, signer, self.chain.clone(), Limits::default(), 6, restored);
        for other in (0..self.brokers.len()).filter(|other| *other != node) {
            self.feed(node, Input::Up(self.signers[other].address()));
            self.feed(other, Input::Up(self.signers[node].address()));
        }
    }

    pub(super) fn signed_delivery(&self, node: usize, epoch: u64) -> bool {
        self.deliveries.contains_key(&(self.signers[node].address(), epoch))
    }

    fn feed(&mut self, node: usize, input: Input) {
        if self.dead.contains(&node) {
            return;
        }
        let mut out = Vec::new();
        self.brokers[node].handle(self.now, input, &mut out);
        out.into_iter().for_each(|output| self.carry_out(node, output));
    }

    fn carry_out(&mut self, node: usize, output: Output) {
        let me = self.signers[node].address();
        match output {
            Output::Send { to, packet } => self.send(node, to, packet),
            Output::Frame { to, frame, ack } => {
                for to in &to {
                    self.send(node, *to, Packet::Frame(frame.encoded().to_vec()));
                }
                self.published_ok += ack.map_or(0, |ack| ack.tickets.len() as u64);
            }
            Output::Deliver { frame, .. } => {
                *self.delivered.entry(node).or_default() += frame.messages().len() as u64;
            }
            Output::Published { .. } => {}
            Output::Receipt(receipt) => {
                let to = receipt.receipt().relayer;
                self.stored.insert((node, receipt.receipt().epoch, to), receipt.clone());
                self.send(node, to, Packet::Receipt(receipt.into_unchecked()));
            }
            Output::Delivery { receipt, closed } => {
                let old = self.deliveries.insert((me, closed.epoch), receipt.receipt().clone());
                assert_eq!(old, None, "one delivery receipt per epoch");
            }
            Output::Volumes(closed) => drop(self.volumes.insert((me, closed.epoch), closed)),
            Output::Hold(receipt) => {
                let key = (me, receipt.receipt().receiver, receipt.receipt().epoch);
                self.held.insert(key, receipt);
            }
            Output::Disconnect { .. } => {}
        }
    }

    fn send(&mut self, from: usize, to: Address, packet: Packet) {
        let to = self.nodes().position(|node| node == to).unwrap();
        let from_address = self.signers[from].address();
        let input = match packet {
            Packet::Frame(bytes) => {
                Input::Frame { from: from_address, frame: Box::new(Frame::decode(&bytes).unwrap()) }
            }
            Packet::Offer(offer) => Input::Offer { from: from_address, offer },
            Packet::Attach(parts) => Input::Attach { from: from_address, parts },
            Packet::Receipt(receipt) => Input::Receipt { from: from_address, receipt: Box::new(receipt) },
        };
        let at = (self.now + self.rng.random_range(1..80)).max(*self.last.get(&(from, to)).unwrap_or(&0));
        self.last.insert((from, to), at);
        self.sent += 1;
        self.wire.insert((at, self.sent), (to, input));
    }

    pub(super) fn delivery(&self, node: Address, epoch: u64) -> Delivery {
        let receipt = &self.deliveries[&(node, epoch)];
        *receipt.deliveries.iter().find(|delivery| delivery.part == self.part.key()).unwrap()
    }

    pub(super) fn volume(&self, node: Address, epoch: u64) -> ledger::Total {
        self.volumes[&(node, epoch)].totals[0]
    }

    pub(super) fn held(&self, relayer: Address, receiver: Address, epoch: u64) -> Credit {
        self.held[&(relayer, receiver, epoch)].receipt().credits[0]
    }

    pub(super) fn any_held(&self, epoch: u64) -> Option<Checked<BandwidthReceipt>> {
        self.held.iter().find(|((_, _, of), _)| *of == epoch).map(|(_, receipt)| receipt.clone())
    }

    pub(super) fn delivered(&self, node: usize) -> u64 {
        self.delivered.get(&node).copied().unwrap_or_default()
    }

    pub(super) fn published_ok(&self) -> u64 {
        self.published_ok
    }

    pub(super) fn refusals(&self) -> BTreeMap<Refusal, u64> {
        self.brokers.iter().flat_map(|broker| broker.counters().refusals).collect()
    }

    /// Frames that the first broker let in.
    pub(super) fn counted(&self, node: usize) -> u64 {
        self.brokers[node].counters().messages
    }

    pub(super) fn sign(&self, key: [u8; 32], chain: u64, first: u64, timestamp_ms: u64) -> Frame {
        self.sign_with(key, chain, first, timestamp_ms, b"payload")
    }

    pub(super) fn sign_with(
        &self,
        key: [u8; 32],
        chain: u64,
        first: u64,
        timestamp_ms: u64,
        payload: &[u8],
    ) -> Frame {
        let signer = Signer::from_bytes(key).unwrap();
        let message = Message {
            timestamp_ms,
            content_type: ContentType::Binary,
            encryption: Encryption::None,
            payload: payload.to_vec(),
        };
        Frame::sign(&self.chain.domain, &signer, self.part.key(), chain, first, vec![message]).unwrap()
    }

    /// Gives a frame to the first broker and returns what it was refused for.
    pub(super) fn inject(&mut self, from: Address, frame: Frame) -> Option<Refusal> {
        self.refused_by(0, Input::Frame { from, frame: Box::new(frame) })
    }

    /// Hands a receipt to the relayer (`eq`) or to somebody else (`ne`).
    pub(super) fn hand(
        &mut self,
        relayer: Address,
        who: fn(&Address, &Address) -> bool,
        from: Address,
        receipt: Unchecked<BandwidthReceipt>,
    ) -> Option<Refusal> {
        let to = self.nodes().position(|node| who(&node, &relayer)).unwrap();
        self.refused_by(to, Input::Receipt { from, receipt: Box::new(receipt) })
    }

    pub(super) fn sign_receipt(
        &self,
        receiver: Address,
        receipt: BandwidthReceipt,
    ) -> Unchecked<BandwidthReceipt> {
        let signer = self.signers.iter().find(|signer| signer.address() == receiver).unwrap();
        receipt.sign(&self.chain.domain, signer).unwrap().into_unchecked()
    }

    fn refused_by(&mut self, node: usize, input: Input) -> Option<Refusal> {
        let before = self.brokers[node].counters().refusals;
        self.feed(node, input);
        let after = self.brokers[node].counters().refusals;
        after
            .into_iter()
            .find(|(refusal, count)| before.get(refusal) != Some(count))
            .map(|(refusal, _)| refusal)
    }
}

fn chain(signers: &[Signer], stream: &StreamId, redundancy: u8) -> ChainState {
    let operators: Vec<PlanOperator> = (1..)
        .zip(signers)
        .map(|(id, signer)| PlanOperator {
            id,
            weight: 1_000,
            nodes: vec![signer.address()],
            key: tatum_protocol::bls::SecretKey::from_seed(&[u8::try_from(id).unwrap(); 32]).public_key(),
        })
        .collect();
    let sponsorship = PlanSponsorship {
        id: 1,
        stream: stream.clone(),
        partitions: 1,
        rate: Wei(1_000),
        redundancy,
        subscriber_share_bps: 0,
    };
    let plan = |epoch| {
        Arc::new(EpochPlan::new(PlanInput {
            epoch,
            checkpoint: 0,
            // One seed for all: the same brokers throughout keeps the tests readable.
            root_in_force: B256::ZERO,
            operators: operators.clone(),
            sponsorships: vec![sponsorship.clone()],
            unservable: Vec::new(),
            subscribers: BTreeMap::new(),
            attesters: Vec::new(),
            shares: Shares { attester_bps: 500, availability_bps: 5_000 },
        }))
    };
    ChainState {
        domain: Domain::new(31337, Address::repeat_byte(7)),
        clock: EpochClock { genesis: 0, length: 10 },
        plans: (0..8).map(|epoch| (epoch, plan(epoch))).collect(),
        permissions: Arc::new(AllBut(Signer::from_bytes([99; 32]).unwrap().address())),
    }
}
