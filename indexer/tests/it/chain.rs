//! Following a real chain: into the database, out of it again after a restart, and back from a reorganisation.

use alloy::network::EthereumWallet;
use alloy::providers::ext::AnvilApi;
use alloy::providers::{Provider, ProviderBuilder};
use alloy::signers::local::PrivateKeySigner;
use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;
use tatum_contracts::abi::StreamRegistry;
use tatum_contracts::deployment::{Deployment, Terms};
use tatum_indexer::chain::{Chain, FollowedChain, Following, follow, restore};
use tatum_indexer::counters::Counters;
use tatum_indexer::db;
use tatum_indexer::progress::Progress;
use tatum_indexer::time::Time;
use tatum_protocol::Address;
use tatum_testkit::{Anvil, Postgres, anvil};
use tokio_util::sync::CancellationToken;

/// A follower in a task, as `run` starts it.
struct Running {
    chain: Arc<FollowedChain>,
    counters: Arc<Counters>,
    shutdown: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn start(pool: &PgPool, url: &str, deployment: &Deployment) -> Self {
        let chain = Arc::new(FollowedChain::new(deployment));
        restore(pool, &chain).await.unwrap();
        let (counters, shutdown) = (Arc::new(Counters::default()), CancellationToken::new());
        let following = Following {
            pool: pool.clone(),
            chain: chain.clone(),
            provider: ProviderBuilder::new().connect_http(url.parse().unwrap()),
            deployment: deployment.clone(),
            counters: counters.clone(),
            progress: Arc::new(Progress::default()),
            time: Time::System,
        };
        let task = tokio::spawn(follow(following, shutdown.clone()));
        Self { chain, counters, shutdown, task }
    }

    async fn streams(&self, expected: &[&str]) {
        let seen = || self.chain.streams().into_iter().map(|stream| stream.id).collect::<Vec<_>>();
        let wait = async {
            while seen().len() != expected.len()
                || !seen().iter().zip(expected).all(|(id, end)| id.ends_with(end))
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let done = tokio::time::timeout(Duration::from_secs(30), wait).await;
        assert!(done.is_ok(), "expected {expected:?}, found {:?}", seen());
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_view_survives_a_restart_and_a_reorganisation() {
    let (anvil, database) = (Anvil::start().unwrap(), Postgres::start().await.unwrap());
    let pool = db::open(database.url()).await.unwrap();
    let signer: PrivateKeySigner = anvil::KEYS[0].parse().unwrap();
    let provider = ProviderBuilder::new()
        .wallet(EthereumWallet::from(signer))
        .connect_http(anvil.url().parse().unwrap());
    let registry = StreamRegistry::deploy(&provider).await.unwrap();
    let deployment = Deployment {
        chain_id: anvil::CHAIN_ID,
        token: Address::repeat_byte(1),
        token_is_ours: false,
        staking: Address::repeat_byte(2),
        sponsorships: Address::repeat_byte(3),
        settlement: Address::repeat_byte(4),
        slashing: Address::repeat_byte(5),
        stream_registry: *registry.address(),
        stream_registry_is_ours: true,
        genesis: 1_000,
        deploy_block: 0,
        terms: Terms::devnet(10),
    };
    let create = async |path: &str| {
        let sent =
            registry.createStream(path.to_owned(), r#"{"partitions":3}"#.to_owned()).send().await.unwrap();
        sent.get_receipt().await.unwrap();
    };
    create("/one").await;
    let first = Running::start(&pool, anvil.url(), &deployment).await;
    first.streams(&["/one"]).await;
    assert_eq!(first.chain.streams()[0].partitions, 3);
    first.stop().await;

    // What came while it was away is caught up; what was there is not asked for again.
    let snapshot = provider.anvil_snapshot().await.unwrap();
    create("/two").await;
    let second = Running::start(&pool, anvil.url(), &deployment).await;
    second.streams(&["/one", "/two"]).await;
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM chain_events").fetch_one(&pool).await.unwrap();
    let of_registry = provider
        .get_logs(&alloy::rpc::types::Filter::new().address(*registry.address()).from_block(0))
        .await
        .unwrap();
    assert_eq!(usize::try_from(rows).unwrap(), of_registry.len());

    // The chain takes the second stream back and has another in its place.
    provider.anvil_revert(snapshot).await.unwrap();
    let other: PrivateKeySigner = anvil::KEYS[1].parse().unwrap();
    let other =
        ProviderBuilder::new().wallet(EthereumWallet::from(other)).connect_http(anvil.url().parse().unwrap());
    let sent = StreamRegistry::new(*registry.address(), &other)
        .createStream("/three".to_owned(), "{}".to_owned())
        .send()
        .await;
    sent.unwrap().get_receipt().await.unwrap();
    second.streams(&["/three", "/one"]).await;
    assert!(second.counters.reorganisations() > 0);
    second.stop().await;
}
