//! Three operators, one sponsored stream, one subscriber, and a chain that says what the test wants.

use sqlx::PgPool;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tatum_indexer::chain::{Chain, Head, OperatorFacts, Posted, SponsorshipFacts, StreamFacts};
use tatum_indexer::counters::Counters;
use tatum_indexer::db;
use tatum_indexer::epochs::Pipeline;
use tatum_indexer::ingest::Ingest;
use tatum_indexer::time::Time;
use tatum_protocol::amount::Wei;
use tatum_protocol::bls::SecretKey;
use tatum_protocol::eip712::Domain;
use tatum_protocol::epoch::{Deadline, EpochClock};
use tatum_protocol::evidence::{PayoutAttestation, PayoutStatement};
use tatum_protocol::id::{OperatorId, PartKey};
use tatum_protocol::plan::{EpochPlan, PlanInput, PlanOperator, PlanSponsorship, PlannedPart, Shares};
use tatum_protocol::receipt::{
    BandwidthReceipt, Checked, Credit, Delivery, DeliveryReceipt, Receipt, Unchecked,
};
use tatum_protocol::secp::Signer;
use tatum_protocol::set_digest::custody;
use tatum_protocol::volume::{Volume, VolumeAttestation};
use tatum_protocol::wire::{Evidence, Request, Response, Verdict};
use tatum_protocol::{Address, B256, U256};
use tatum_testkit::Postgres;

pub(crate) const RATE: u128 = 1_000_000;
pub(crate) const FIRST: u64 = 2;
/// Epochs that a post may reach back.
pub(crate) const LAPSE: u64 = 6;
pub(crate) const BYTES: u64 = 1_000;
const WEIGHT: u128 = 100;
const SUBSCRIBER: u8 = 90;

/// A chain that says what it is told.
#[derive(Debug)]
pub(crate) struct StatedChain {
    domain: Domain,
    clock: EpochClock,
    pub(crate) state: Mutex<Stated>,
}

#[derive(Debug, Default)]
pub(crate) struct Stated {
    pub(crate) head: Option<Head>,
    pub(crate) posted: Option<Posted>,
    /// Epochs for which certificates were posted, with who signed.
    pub(crate) attesters: BTreeMap<u64, Vec<(OperatorId, u128)>>,
    pub(crate) subscriber_share_bps: u16,
    /// Added to the schedule: a chain that disagrees with the formula.
    pub(crate) skew: u64,
}

pub(crate) fn node(operator: OperatorId) -> Signer {
    Signer::from_bytes([u8::try_from(operator).unwrap(); 32]).unwrap()
}

pub(crate) fn subscriber() -> Signer {
    Signer::from_bytes([SUBSCRIBER; 32]).unwrap()
}

pub(crate) fn bls(operator: OperatorId) -> SecretKey {
    SecretKey::from_seed(&[u8::try_from(operator).unwrap(); 32])
}

impl Chain for StatedChain {
    fn domain(&self) -> &Domain {
        &self.domain
    }

    fn clock(&self) -> EpochClock {
        self.clock
    }

    fn head(&self) -> Option<Head> {
        self.state.lock().unwrap().head
    }

    fn plan(&self, epoch: u64) -> Option<Arc<EpochPlan>> {
        let state = self.state.lock().unwrap();
        let stream: tatum_protocol::id::StreamId = "owner/path".parse().unwrap();
        let operators = (1..=3)
            .map(|id| PlanOperator {
                id,
                weight: WEIGHT,
                nodes: vec![node(id).address()],
                key: bls(id).public_key(),
            })
            .collect();
        let sponsorship = PlanSponsorship {
            id: 1,
            stream: stream.clone(),
            partitions: 1,
            rate: Wei(RATE),
            redundancy: 3,
            subscriber_share_bps: state.subscriber_share_bps,
        };
        let subscribers = if state.subscriber_share_bps > 0 {
            BTreeMap::from([(stream, [subscriber().address()].into())])
        } else {
            BTreeMap::new()
        };
        Some(Arc::new(EpochPlan::new(PlanInput {
            epoch,
            checkpoint: 1,
            root_in_force: B256::ZERO,
            operators,
            sponsorships: if epoch >= FIRST { vec![sponsorship] } else { Vec::new() },
            unservable: Vec::new(),
            subscribers,
            attesters: state.attesters.get(&epoch).cloned().unwrap_or_default(),
            shares: Shares { attester_bps: 500, availability_bps: 5_000 },
        })))
    }

    fn last_posted(&self) -> Option<Posted> {
        self.state.lock().unwrap().posted
    }

    fn scheduled_through(&self, epoch: u64) -> U256 {
        let epochs = (epoch + 1).saturating_sub(FIRST);
        U256::from(RATE) * U256::from(epochs) + U256::from(self.state.lock().unwrap().skew)
    }

    fn payable_through(&self, epoch: u64) -> Option<U256> {
        let posted = self.state.lock().unwrap().posted;
        let next = posted.map_or(FIRST, |posted| posted.epoch + 1);
        let epochs = (epoch + 1).checked_sub(next)?.min(LAPSE);
        let skew = self.state.lock().unwrap().skew;
        let before = posted.map_or(U256::ZERO, |posted| posted.total);
        Some(before + U256::from(RATE) * U256::from(epochs) + U256::from(skew))
    }

    fn lapse_epochs(&self) -> u64 {
        LAPSE
    }

    fn operators(&self) -> Vec<OperatorFacts> {
        let facts = |id| OperatorFacts {
            id,
            owner: Address::repeat_byte(u8::try_from(id).unwrap()),
            nodes: vec![node(id).address()],
            weight: WEIGHT,
            pool: 3 * WEIGHT,
            own: WEIGHT,
            delegators: 2,
            unbonding: 0,
            commission_bps: 1_000,
            paid: 0,
            slashed: 0,
        };
        (1..=3).map(facts).collect()
    }

    fn sponsorships(&self) -> Vec<SponsorshipFacts> {
        vec![SponsorshipFacts {
            id: 1,
            sponsor: Address::repeat_byte(0x51),
            stream: "owner/path".to_owned(),
            partitions: 1,
            rate: RATE,
            redundancy: 3,
            subscriber_share_bps: 0,
            start: FIRST,
            end: 1_000,
            paying: RATE,
            stopped: false,
            refunded: 0,
            spare: U256::ZERO,
        }]
    }

    fn streams(&self) -> Vec<StreamFacts> {
        vec![StreamFacts { id: "owner/path".to_owned(), partitions: 1 }]
    }
}

/// A database, a chain, a clock.
pub(crate) struct World {
    pub(crate) database: Postgres,
    pub(crate) pool: PgPool,
    pub(crate) chain: Arc<StatedChain>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) time: Time,
    pub(crate) ingest: Ingest,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = Postgres::start().await.unwrap();
        let pool = db::open(database.url()).await.unwrap();
        let chain = Arc::new(StatedChain {
            domain: Domain::new(31_337, Address::repeat_byte(7)),
            clock: EpochClock { genesis: 1_000, length: 10 },
            state: Mutex::default(),
        });
        let (counters, time) = (Arc::new(Counters::default()), Time::manual(0));
        let ingest = Ingest::new(pool.clone(), chain.clone(), counters.clone(), time.clone());
        let world = Self { database, pool, chain, counters, time, ingest };
        world.at_ms(world.chain.clock.start(FIRST) * 1000);
        world
    }

    /// Moves the clock, and the chain's head with it.
    pub(crate) fn at_ms(&self, now_ms: u64) {
        self.time.set_ms(now_ms);
        let head = Head { number: now_ms, hash: B256::repeat_byte(1), timestamp: now_ms / 1000 };
        self.chain.state.lock().unwrap().head = Some(head);
    }

    pub(crate) fn after(&self, epoch: u64, deadline: Deadline) {
        self.at_ms(self.chain.clock.deadline_ms(epoch, deadline));
    }

    pub(crate) fn plan(&self, epoch: u64) -> Arc<EpochPlan> {
        self.chain.plan(epoch).unwrap()
    }

    pub(crate) fn pipeline(&self) -> Pipeline {
        Pipeline::new(self.pool.clone(), self.chain.clone(), self.time.clone())
    }

    pub(crate) async fn submit(&self, items: Vec<Evidence>) -> Vec<Verdict> {
        match self.ingest.handle("peer", Request::Submit(items)).await {
            Response::Submitted(verdicts) => verdicts,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn accept(&self, items: Vec<Evidence>) {
        let verdicts = self.submit(items).await;
        assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Accepted), "{verdicts:?}");
    }

    pub(crate) async fn count(&self, table: &'static str) -> i64 {
        let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }

    pub(crate) fn bandwidth(
        &self,
        epoch: u64,
        relayer: OperatorId,
        receiver: &Signer,
        sequence: u32,
        bytes: u64,
    ) -> Checked<BandwidthReceipt> {
        let part = *self.plan(epoch).parts.keys().next().unwrap();
        BandwidthReceipt {
            epoch,
            relayer: node(relayer).address(),
            receiver: receiver.address(),
            sequence,
            credits: vec![Credit { part, messages: 10, bytes, served_bytes: 0 }],
        }
        .sign(&self.chain.domain, receiver)
        .unwrap()
    }

    pub(crate) fn delivery(&self, epoch: u64, receiver: &Signer, bytes: u64) -> Unchecked<DeliveryReceipt> {
        let part = *self.plan(epoch).parts.keys().next().unwrap();
        let custody = custody(&set_digest(epoch), &receiver.address());
        let deliveries = vec![Delivery { part, messages: 10, bytes, custody }];
        DeliveryReceipt { epoch, receiver: receiver.address(), deliveries }
            .sign(&self.chain.domain, receiver)
            .unwrap()
            .into_unchecked()
    }

    pub(crate) fn volume(&self, epoch: u64, operator: OperatorId, bytes: u64) -> VolumeAttestation {
        let part: PartKey = *self.plan(epoch).parts.keys().next().unwrap();
        let volume =
            Volume { epoch, checkpoint: 1, part, set_digest: set_digest(epoch), messages: 10, bytes };
        let signature = bls(operator).sign(&volume.digest(&self.chain.domain));
        VolumeAttestation { volume, operator, signature }
    }

    pub(crate) fn attest(&self, statement: PayoutStatement, operator: OperatorId) -> Evidence {
        let signature = bls(operator).sign(&statement.digest(&self.chain.domain));
        Evidence::Payout(PayoutAttestation { statement, operator, signature })
    }

    /// Everybody receives everything and says so; returns with the clock at the volume deadline.
    pub(crate) async fn honest_epoch(&self, epoch: u64) {
        self.after(epoch, Deadline::Close);
        let plan = self.plan(epoch);
        let part: &PlannedPart = plan.parts.values().next().unwrap();
        let mut receipts = Vec::new();
        for receiver in &part.receivers {
            let signer = receiver.broker_of.map_or_else(subscriber, node);
            receipts.push(Evidence::Delivery(self.delivery(epoch, &signer, BYTES)));
            for relayer in &receiver.relayers {
                let receipt = self.bandwidth(epoch, relayer.operator, &signer, 1, BYTES);
                receipts.push(Evidence::Bandwidth(receipt.into_unchecked()));
            }
        }
        self.accept(receipts).await;
        self.after(epoch, Deadline::Receipts);
        self.accept((1..=3).map(|id| Evidence::Volume(self.volume(epoch, id, BYTES))).collect()).await;
        self.after(epoch, Deadline::Volumes);
    }

    /// The root of the epoch lands on chain, signed by all.
    pub(crate) async fn post(&self, epoch: u64) -> Posted {
        let (root, total): (Vec<u8>, String) =
            sqlx::query_as("SELECT root, total::text FROM epochs WHERE epoch = $1")
                .bind(i64::try_from(epoch).unwrap())
                .fetch_one(&self.pool)
                .await
                .unwrap();
        let posted = Posted { epoch, root: B256::from_slice(&root), total: total.parse().unwrap() };
        let mut state = self.chain.state.lock().unwrap();
        state.posted = Some(posted);
        for later in epoch + 1..epoch + 10 {
            state.attesters.insert(later, (1..=3).map(|id| (id, WEIGHT)).collect());
        }
        posted
    }
}

fn set_digest(epoch: u64) -> B256 {
    B256::repeat_byte(u8::try_from(epoch).unwrap())
}
