//! Reaching the database, waiting for its tables, and owning the nonces of a sender.

use alloy::primitives::{Address, keccak256};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection, PgPool};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The tables this version works with. The indexer makes them; settlement only waits.
static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// Between looks at something that is not ready.
const RETRY: Duration = Duration::from_millis(500);
const POOL_SIZE: u32 = 4;
/// Longest wait for a connection: a step fails then, and is tried again.
const ACQUIRE: Duration = Duration::from_secs(5);

/// Connects and waits until every migration known here is there. `None` if told to stop before.
pub async fn connect(url: &str, shutdown: &CancellationToken) -> Result<Option<PgPool>, sqlx::Error> {
    let options: sqlx::postgres::PgConnectOptions = url.parse()?;
    let pool =
        PgPoolOptions::new().max_connections(POOL_SIZE).acquire_timeout(ACQUIRE).connect_lazy_with(options);
    let mut said = None;
    loop {
        let waiting_for = match missing(&pool).await {
            Ok(missing) if missing.is_empty() => return Ok(Some(pool)),
            Ok(missing) => format!("the indexer to run migrations {missing:?}"),
            Err(error) => format!("the database ({error})"),
        };
        if said.as_ref() != Some(&waiting_for) {
            tracing::info!("waiting for {waiting_for}");
            said = Some(waiting_for);
        }
        if stopped_within(RETRY, shutdown).await {
            return Ok(None);
        }
    }
}

/// Versions that the database does not have.
async fn missing(pool: &PgPool) -> Result<BTreeSet<i64>, sqlx::Error> {
    let mut missing: BTreeSet<i64> = MIGRATIONS.iter().map(|migration| migration.version).collect();
    let table: bool =
        sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL").fetch_one(pool).await?;
    if table {
        let sql = "SELECT version FROM _sqlx_migrations WHERE success";
        for version in sqlx::query_scalar::<_, i64>(sql).fetch_all(pool).await? {
            missing.remove(&version);
        }
    }
    Ok(missing)
}

/// Sleeps; true if told to stop meanwhile.
pub(crate) async fn stopped_within(time: Duration, shutdown: &CancellationToken) -> bool {
    tokio::time::timeout(time, shutdown.cancelled()).await.is_ok()
}

/// The right to use the nonces of one sender: an advisory lock on a connection of its own. It ends with the connection, so a killed
/// owner leaves nothing behind.
#[derive(Debug)]
pub struct NonceOwner {
    connection: PgConnection,
}

impl NonceOwner {
    /// Waits until no other settlement owns them, and says so. `None` if told to stop before.
    pub async fn acquire(
        url: &str,
        sender: Address,
        shutdown: &CancellationToken,
    ) -> Result<Option<Self>, sqlx::Error> {
        let mut connection = PgConnection::connect(url).await?;
        let mut said = false;
        loop {
            let sql = "SELECT pg_try_advisory_lock($1)";
            if sqlx::query_scalar(sql).bind(lock_key(&sender)).fetch_one(&mut connection).await? {
                return Ok(Some(Self { connection }));
            }
            if !std::mem::replace(&mut said, true) {
                tracing::warn!(%sender, "another settlement sends with this key; waiting for it to end");
            }
            if stopped_within(RETRY, shutdown).await {
                return Ok(None);
            }
        }
    }

    /// Fails if the connection, and the lock with it, is gone.
    pub async fn check(&mut self) -> Result<(), sqlx::Error> {
        self.connection.ping().await
    }

    /// Lets the next one in.
    pub async fn release(self) -> Result<(), sqlx::Error> {
        self.connection.close().await
    }
}

fn lock_key(sender: &Address) -> i64 {
    let hash = keccak256([b"tatum settlement nonces".as_slice(), sender.as_slice()].concat());
    let [a, b, c, d, e, f, g, h, ..] = hash.0;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}
