//! A deployed Tatum with four staked operators and funded streams, and a database that plays the indexer's part.

use alloy::eips::BlockNumberOrTag;
use alloy::network::EthereumWallet;
use alloy::primitives::{Address, B256, U256};
use alloy::providers::ext::AnvilApi;
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::signers::local::PrivateKeySigner;
use bigdecimal::BigDecimal;
use sqlx::PgPool;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tatum_contracts::abi::{DataToken, Settlement, Sponsorships, Staking};
use tatum_contracts::deployment::{Deployment, Parameters, deploy};
use tatum_protocol::bls::SecretKey;
use tatum_protocol::eip712::types::{BlsKey, NodeConsent};
use tatum_protocol::evidence::PayoutStatement;
use tatum_protocol::payout::Cumulative;
use tatum_protocol::secp::Signer;
use tatum_settlement::chain::Chain;
use tatum_settlement::engine::Engine;
use tatum_settlement::health::Health;
use tatum_settlement::sender::Sender;
use tatum_settlement::{Crash, SenderConfig, provider, reverts};
use tatum_testkit::{Anvil, Postgres, anvil};

pub(crate) const DATA: u128 = 1_000_000_000_000_000_000;
pub(crate) const STAKE: u128 = 10_000 * DATA;
const COMMISSION_BPS: u16 = 1_000;
pub(crate) const OPERATORS: u8 = 4;
/// With the operators more than one chunk of 64 accounts.
pub(crate) const SPONSORSHIPS: u64 = 62;
/// The least the contracts take.
const EPOCH_SECONDS: u64 = 4;

pub(crate) struct World {
    pub(crate) anvil: Arc<Anvil>,
    pub(crate) provider: DynProvider,
    pub(crate) deployment: Deployment,
    pub(crate) pool: PgPool,
    /// Held: it ends when it is dropped.
    pub(crate) _database: Postgres,
}

pub(crate) fn bls(operator: u8) -> SecretKey {
    SecretKey::from_seed(&[operator; 32])
}

/// The node of an operator.
pub(crate) fn node(operator: u8) -> Signer {
    Signer::from_bytes([0x40 + operator; 32]).unwrap()
}

pub(crate) fn client(url: &str, key: usize) -> (DynProvider, Address) {
    let signer: PrivateKeySigner = anvil::KEYS[key].parse().unwrap();
    let address = signer.address();
    let wallet = EthereumWallet::from(signer);
    let provider = ProviderBuilder::new()
        .with_cached_nonce_management()
        .wallet(wallet)
        .connect_http(url.parse().unwrap());
    (provider.erased(), address)
}

macro_rules! confirm {
    ($call:expr) => {
        assert!($call.send().await.unwrap().get_receipt().await.unwrap().status())
    };
}

impl World {
    /// Operator `n` is owned by account `n`; account 0 holds the tokens and sponsors.
    pub(crate) async fn new() -> Self {
        let anvil = Arc::new(Anvil::start().unwrap());
        let (holder, address) = client(anvil.url(), 0);
        let deployment = deploy(&holder, address, &Parameters::devnet(address, EPOCH_SECONDS)).await.unwrap();
        let token = DataToken::new(deployment.token, &holder);
        for n in 1..=OPERATORS {
            let (owner, address) = client(anvil.url(), usize::from(n));
            confirm!(token.transfer(address, U256::from(STAKE)));
            register(&owner, address, &deployment, n).await;
        }
        sponsor(&holder, &deployment).await;
        let (_database, pool) = Self::database().await;
        let provider = provider(anvil.url()).unwrap();
        Self { anvil, provider, deployment, pool, _database }
    }

    pub(crate) async fn database() -> (Postgres, PgPool) {
        let database = Postgres::migrated().await.unwrap();
        let pool = database.pool().await.unwrap();
        (database, pool)
    }

    /// As a new process would make it.
    pub(crate) fn engine(&self, crash: Crash) -> Engine {
        let signer: PrivateKeySigner = anvil::KEYS[5].parse().unwrap();
        let health = Arc::new(Health::new(signer.address()));
        let sender = Arc::new(Sender::new(
            self.provider.clone(),
            self.pool.clone(),
            signer,
            self.deployment.chain_id,
            SenderConfig::default(),
            reverts::decode,
            crash,
        ));
        let chain = Chain::new(self.provider.clone(), self.deployment.clone());
        Engine::new(self.pool.clone(), chain, sender, crash, health)
    }

    /// The next epoch in which everything so far is in force.
    pub(crate) fn next_epoch(&self) -> u64 {
        self.deployment.clock().epoch_at_ms(now_ms()).unwrap() + 2
    }

    pub(crate) async fn wait_until(&self, second: u64) {
        while now_ms() < second * 1000 + 100 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What an indexer would propose: a tenth of everything to each operator, the rest to the sponsorships.
    pub(crate) async fn propose(&self, epoch: u64) -> (PayoutStatement, Cumulative) {
        // The chain's clock is that of its newest block, and anvil's may be a second behind this machine's.
        let end = self.deployment.clock().end(epoch);
        loop {
            self.provider.anvil_mine(Some(1), None).await.unwrap();
            let newest = self.provider.get_block_by_number(BlockNumberOrTag::Latest).await.unwrap().unwrap();
            if newest.header.timestamp >= end {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let sponsorships = Sponsorships::new(self.deployment.sponsorships, &self.provider);
        let total = sponsorships.payableThrough(epoch).call().await.unwrap();
        let tenth = total.to::<u128>() / 10;
        let entry = |kind: u64, id: u64, amount: u128| {
            (U256::from(kind) << 248) | (U256::from(id) << 128) | U256::from(amount)
        };
        let rest = total.to::<u128>() - tenth * u128::from(OPERATORS) - u128::from(SPONSORSHIPS - 1);
        let operators = (1..=u64::from(OPERATORS)).map(|id| entry(1, id, tenth));
        let refunds = (1..=SPONSORSHIPS).map(|id| entry(2, id, if id == 1 { rest } else { 1 }));
        let entries: Vec<U256> = operators.chain(refunds).collect();
        let cumulative = Cumulative::from_entries(&entries).unwrap();
        assert_eq!(cumulative.total(), total);
        let staking = Staking::new(self.deployment.staking, &self.provider);
        let checkpoint = staking.setAt(epoch).call().await.unwrap().fromEpoch;
        let statement = PayoutStatement { epoch, checkpoint, root: cumulative.tree().root(), total };
        self.store(&statement, &cumulative).await;
        (statement, cumulative)
    }

    pub(crate) async fn store(&self, statement: &PayoutStatement, cumulative: &Cumulative) {
        sqlx::query(
            "INSERT INTO epochs (epoch, status, checkpoint, root, total, bundle) VALUES ($1, 'proposed', $2, $3, $4, '')",
        )
        .bind(statement.epoch as i64)
        .bind(statement.checkpoint as i64)
        .bind(statement.root.as_slice())
        .bind(decimal(statement.total))
        .execute(&self.pool)
        .await
        .unwrap();
        for ((entries, leaf, proof), number) in cumulative.tree().chunks().zip(0..) {
            sqlx::query(
                "INSERT INTO payout_chunks (epoch, chunk, entries, leaf, proof, changed) VALUES ($1, $2, $3, $4, $5, TRUE)",
            )
            .bind(statement.epoch as i64)
            .bind::<i32>(number)
            .bind(entries.iter().map(|entry| decimal(*entry)).collect::<Vec<_>>())
            .bind(leaf.as_slice())
            .bind(proof.iter().map(|hash| hash.to_vec()).collect::<Vec<_>>())
            .execute(&self.pool)
            .await
            .unwrap();
        }
    }

    /// `signs` is what the operator signs, `claims` what it says it signed.
    pub(crate) async fn attest(&self, operator: u8, claims: &PayoutStatement, signs: &PayoutStatement) {
        let domain = self.deployment.domain();
        let sql =
            "INSERT INTO payout_attestations (epoch, operator_id, digest, signature) VALUES ($1, $2, $3, $4)";
        sqlx::query(sql)
            .bind(claims.epoch as i64)
            .bind(i64::from(operator))
            .bind(claims.digest(&domain).as_slice())
            .bind(bls(operator).sign(&signs.digest(&domain)).to_bytes().as_slice())
            .execute(&self.pool)
            .await
            .unwrap();
    }

    pub(crate) async fn status(&self, epoch: u64) -> String {
        let sql = "SELECT status FROM epochs WHERE epoch = $1";
        sqlx::query_scalar(sql).bind(epoch as i64).fetch_one(&self.pool).await.unwrap()
    }

    pub(crate) async fn purposes(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT purpose FROM transactions ORDER BY nonce")
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }

    /// Root, total and paid on chain.
    pub(crate) async fn on_chain(&self) -> (B256, U256, U256) {
        let contract = Settlement::new(self.deployment.settlement, &self.provider);
        let root = contract.root().call().await.unwrap();
        (root, contract.total().call().await.unwrap(), contract.paid().call().await.unwrap())
    }
}

/// Steps until the condition holds.
pub(crate) async fn step_until(engine: &mut Engine, world: &World, epoch: u64, status: &str) {
    for _ in 0..400 {
        engine.step().await.unwrap();
        if world.status(epoch).await == status {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("epoch {epoch} never was {status}, it is {}", world.status(epoch).await);
}

async fn register(owner: &DynProvider, address: Address, deployment: &Deployment, n: u8) {
    let staking = Staking::new(deployment.staking, owner);
    let token = DataToken::new(deployment.token, owner);
    let domain = deployment.domain();
    let key = bls(n).public_key();
    let (g1, g2) = (key.g1_abi(), key.g2_abi());
    let possession = bls(n).prove_possession(&domain.digest(&BlsKey { owner: address, g1, g2 }));
    confirm!(staking.register(g1, g2, possession.abi(), COMMISSION_BPS));
    let consent = node(n).sign(&domain.digest(&NodeConsent { owner: address, node: node(n).address() }));
    confirm!(staking.addNode(n.into(), node(n).address(), consent.as_bytes().to_vec().into()));
    confirm!(token.approve(deployment.staking, U256::from(STAKE)));
    // An epoch that begins between estimate and block makes a checkpoint more.
    confirm!(staking.stake(n.into(), STAKE).gas(1_000_000));
}

async fn sponsor(holder: &DynProvider, deployment: &Deployment) {
    let token = DataToken::new(deployment.token, holder);
    let sponsorships = Sponsorships::new(deployment.sponsorships, holder);
    confirm!(token.approve(deployment.sponsorships, U256::MAX));
    let mut last = None;
    for id in 1..=SPONSORSHIPS {
        let stream = format!("0x{:040x}/stream", id);
        last = Some(sponsorships.create(stream, 1, DATA + 7, 0, 1000, 4, 0).send().await.unwrap());
    }
    assert!(last.unwrap().get_receipt().await.unwrap().status());
}

pub(crate) fn decimal(value: U256) -> BigDecimal {
    value.to_string().parse().unwrap()
}

pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64
}
