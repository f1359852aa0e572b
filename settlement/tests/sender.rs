//! The transaction sender against a real anvil and a real PostgreSQL: crashes, replacements, reverts, one owner of the nonces.

use alloy::network::TransactionBuilder;
use alloy::primitives::{Address, Bytes, U256, bytes};
use alloy::providers::ext::AnvilApi;
use alloy::providers::{DynProvider, Provider};
use alloy::rpc::types::TransactionRequest;
use alloy::signers::local::PrivateKeySigner;
use sqlx::{PgPool, Row};
use std::time::Duration;
use tatum_settlement::crash::{Crash, CrashPoint};
use tatum_settlement::database::NonceOwner;
use tatum_settlement::sender::{Call, Sender, SenderError, Status, Transaction};
use tatum_settlement::{SenderConfig, provider};
use tatum_testkit::{Anvil, Postgres, anvil};
use tokio_util::sync::CancellationToken;

const TARGET: Address = Address::repeat_byte(0x77);
/// Reverts with the four bytes 0x01020304.
const REVERTING: Bytes = bytes!("630102030460e01b60005260046000fd");

struct Bench {
    anvil: Anvil,
    postgres: Postgres,
    pool: PgPool,
    provider: DynProvider,
}

impl Bench {
    async fn new(arguments: &[&str]) -> Self {
        let anvil = Anvil::start_with(arguments).unwrap();
        let postgres = Postgres::migrated().await.unwrap();
        let pool = postgres.pool().await.unwrap();
        let provider = provider(anvil.url()).unwrap();
        Self { anvil, postgres, pool, provider }
    }

    fn signer() -> PrivateKeySigner {
        anvil::KEYS[0].parse().unwrap()
    }

    fn sender(&self, crash: Crash) -> Sender {
        self.sender_with(crash, SenderConfig::default())
    }

    /// As a new process would make it.
    fn sender_with(&self, crash: Crash, config: SenderConfig) -> Sender {
        let decode = |data: &[u8]| (data == [1, 2, 3, 4]).then(|| "Custom()".to_owned());
        let provider = provider(self.anvil.url()).unwrap();
        Sender::new(provider, self.pool.clone(), Self::signer(), anvil::CHAIN_ID, config, decode, crash)
    }

    async fn nonce(&self) -> u64 {
        self.provider.get_transaction_count(Self::signer().address()).await.unwrap()
    }

    async fn count(&self, table: &'static str) -> i64 {
        let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }
}

fn call(purpose: &str) -> Call {
    Call { purpose: purpose.to_owned(), target: TARGET, calldata: bytes!("abcd") }
}

async fn intend(sender: &Sender, pool: &PgPool, purpose: &str) {
    let prepared = sender.prepare(call(purpose)).await.unwrap();
    let mut db = pool.begin().await.unwrap();
    sender.intend(&mut db, &prepared).await.unwrap();
    db.commit().await.unwrap();
}

async fn find(sender: &Sender, purpose: &str) -> Transaction {
    sender.find(purpose).await.unwrap().unwrap()
}

/// Drives until the transaction has this status.
async fn drive_to(sender: &Sender, purpose: &str, status: Status) -> Transaction {
    for _ in 0..200 {
        sender.drive().await.unwrap();
        let transaction = find(sender, purpose).await;
        if transaction.status == status {
            return transaction;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{purpose} never was {status:?}: {:?}", find(sender, purpose).await);
}

#[tokio::test]
async fn a_crash_after_the_intent_leads_to_one_transaction() {
    let bench = Bench::new(&[]).await;
    let dying = bench.sender(Crash::fail(CrashPoint::AfterIntentBeforeBroadcast));
    intend(&dying, &bench.pool, "post:1").await;
    assert!(matches!(dying.drive().await, Err(SenderError::Crashed(_))));
    assert_eq!(bench.nonce().await, 0);

    let restarted = bench.sender(Crash::default());
    let mined = drive_to(&restarted, "post:1", Status::Mined).await;
    assert_eq!((bench.nonce().await, mined.nonce, mined.error), (1, 0, None));

    bench.provider.anvil_mine(Some(3), None).await.unwrap();
    drive_to(&restarted, "post:1", Status::Final).await;
    assert_eq!((bench.nonce().await, bench.count("transactions").await), (1, 1));
}

#[tokio::test]
async fn a_crash_after_the_broadcast_leads_to_one_transaction() {
    let bench = Bench::new(&["--no-mining"]).await;
    let dying = bench.sender(Crash::fail(CrashPoint::AfterBroadcastBeforeRecord));
    intend(&dying, &bench.pool, "post:1").await;
    assert!(matches!(dying.drive().await, Err(SenderError::Crashed(_))));
    assert_eq!(find(&dying, "post:1").await.status, Status::Intended);

    // The same bytes again: the node knows them already.
    let restarted = bench.sender(Crash::default());
    let sent = drive_to(&restarted, "post:1", Status::Broadcast).await;
    bench.provider.anvil_mine(Some(1), None).await.unwrap();
    let mined = drive_to(&restarted, "post:1", Status::Mined).await;
    assert_eq!(mined.hash, sent.hash);
    assert_eq!((bench.nonce().await, bench.count("transaction_attempts").await), (1, 1));
}

#[tokio::test]
async fn what_hangs_is_replaced_at_the_same_nonce_with_a_higher_fee() {
    let bench = Bench::new(&["--no-mining"]).await;
    let config = SenderConfig { replace_after_seconds: 1, ..SenderConfig::default() };
    let sender = bench.sender_with(Crash::default(), config);
    intend(&sender, &bench.pool, "post:1").await;
    intend(&sender, &bench.pool, "push:1:0").await;
    sender.drive().await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    sender.drive().await.unwrap();

    let rows = sqlx::query(
        "SELECT hash, max_fee::TEXT AS fee FROM transaction_attempts \
         JOIN transactions ON id = transaction_id WHERE purpose = 'post:1' ORDER BY max_fee",
    )
    .fetch_all(&bench.pool)
    .await
    .unwrap();
    let fees: Vec<u128> = rows.iter().map(|row| row.get::<String, _>("fee").parse().unwrap()).collect();
    assert_eq!(fees.len(), 2);
    assert!(fees[1] >= fees[0] + fees[0] / 4);
    // The one behind it waits: its fee is not what holds it up.
    assert_eq!(bench.count("transaction_attempts").await, 3);

    bench.provider.anvil_mine(Some(1), None).await.unwrap();
    let mined = drive_to(&sender, "post:1", Status::Mined).await;
    assert_eq!(mined.hash.unwrap().as_slice(), rows[1].get::<Vec<u8>, _>("hash"));
    drive_to(&sender, "push:1:0", Status::Mined).await;
    assert_eq!(bench.nonce().await, 2);
}

#[tokio::test]
async fn what_would_revert_is_not_sent_and_what_does_is_recorded_with_its_error() {
    let bench = Bench::new(&[]).await;
    let sender = bench.sender(Crash::default());
    // It would succeed when it is prepared, and reverts when it is mined.
    intend(&sender, &bench.pool, "post:1").await;
    bench.provider.anvil_set_code(TARGET, REVERTING).await.unwrap();
    let reverted = drive_to(&sender, "post:1", Status::Reverted).await;
    assert_eq!(reverted.error.as_deref(), Some("Custom()"));

    let refused = sender.prepare(call("post:2")).await;
    assert!(matches!(refused, Err(SenderError::WouldRevert { reason, .. }) if reason == "Custom()"));

    // Made again, the purpose says so; it is found under its own name.
    bench.provider.anvil_set_code(TARGET, Bytes::new()).await.unwrap();
    intend(&sender, &bench.pool, "post:1").await;
    let again = drive_to(&sender, "post:1", Status::Mined).await;
    assert_eq!((again.purpose.as_str(), again.nonce), ("post:1/1", 1));
}

#[tokio::test]
async fn a_nonce_that_a_stranger_used_is_replaced_by_the_next() {
    let bench = Bench::new(&[]).await;
    let sender = bench.sender(Crash::default());
    intend(&sender, &bench.pool, "post:1").await;
    // anvil signs for its own accounts.
    let stranger = TransactionRequest::default()
        .with_from(Bench::signer().address())
        .with_to(Address::repeat_byte(1))
        .with_value(U256::from(1));
    bench.provider.send_transaction(stranger).await.unwrap().get_receipt().await.unwrap();
    bench.provider.anvil_mine(Some(3), None).await.unwrap();
    let mined = drive_to(&sender, "post:1", Status::Mined).await;
    assert_eq!((mined.nonce, bench.nonce().await), (1, 2));
}

#[tokio::test]
async fn a_second_settlement_waits_for_the_first() {
    let postgres = Postgres::migrated().await.unwrap();
    let shutdown = CancellationToken::new();
    let sender = Bench::signer().address();
    let acquire = || NonceOwner::acquire(postgres.url(), sender, &shutdown);
    let mut first = acquire().await.unwrap().unwrap();
    let waited = tokio::time::timeout(Duration::from_millis(1_200), acquire()).await;
    assert!(waited.is_err(), "the second must wait");
    // Another key is another owner.
    let other = NonceOwner::acquire(postgres.url(), Address::ZERO, &shutdown).await.unwrap();
    assert!(other.is_some());

    first.check().await.unwrap();
    let second = tokio::time::timeout(Duration::from_secs(10), async {
        let (second, released) = tokio::join!(acquire(), first.release());
        released.unwrap();
        second.unwrap()
    });
    assert!(second.await.unwrap().is_some());
    shutdown.cancel();
}

#[tokio::test]
async fn the_loss_of_the_lock_is_noticed() {
    let bench = Bench::new(&[]).await;
    let shutdown = CancellationToken::new();
    let sender = Bench::signer().address();
    let mut owner = NonceOwner::acquire(bench.postgres.url(), sender, &shutdown).await.unwrap().unwrap();
    sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        .execute(&bench.pool)
        .await
        .unwrap();
    assert!(owner.check().await.is_err());
}
