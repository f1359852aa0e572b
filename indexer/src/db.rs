//! The database: connections with bounds on every wait, embedded migrations, partitions of the evidence tables.
//!
//! The settlement process shares the database and waits for the migrations that run here. What is stored and read is said next
//! to the SQL that does it.

pub mod convert;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use std::str::FromStr;
use std::time::Duration;

/// Epochs per partition of an evidence table: about half a year of one-hour epochs.
pub const PARTITION_EPOCHS: u64 = 4096;

const EVIDENCE_TABLES: [&str; 4] =
    ["bandwidth_receipts", "delivery_receipts", "volume_attestations", "payout_attestations"];

/// Writers that must not overlap take one of these with `pg_advisory_xact_lock`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lock {
    /// A batch of evidence is being judged and stored.
    Ingest = 0x7461_7401,
    /// A step of an epoch is being written.
    Epochs = 0x7461_7402,
    /// Chain events are being written.
    Chain = 0x7461_7403,
}

impl Lock {
    /// Waits for the lock and holds it until the transaction ends.
    pub(crate) async fn take(self, connection: &mut PgConnection) -> sqlx::Result<()> {
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(self as i64).execute(connection).await.map(drop)
    }
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    #[error("database_url is not a PostgreSQL URL: {0}")]
    Url(#[source] sqlx::Error),
    #[error("PostgreSQL does not answer: {0}; check that it runs and that database_url is right")]
    Connect(#[source] sqlx::Error),
    #[error("migrations failed: {0}; the database may belong to another version")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("database: {0}")]
    Query(#[from] sqlx::Error),
    #[error("stored {what} is damaged: {detail}")]
    Damaged { what: &'static str, detail: String },
    #[error("{what} {value} does not fit in the database")]
    Range { what: &'static str, value: u64 },
}

/// Connects, runs the embedded migrations, and returns the pool.
pub async fn open(url: &str) -> Result<PgPool, DbError> {
    let options = PgConnectOptions::from_str(url).map_err(DbError::Url)?.application_name("tatum-indexer");
    let mut connection = PgConnection::connect_with(&options).await.map_err(DbError::Connect)?;
    // `run` says the same, but the compiler cannot see that a future holding its future is `Send`.
    sqlx::migrate!("../migrations").run_direct(None, &mut connection, false).await?;
    connection.close().await?;
    // A wait without a bound would turn a stuck database into a stuck indexer; with one it turns into `Retry`.
    let bounded = options.options([
        ("statement_timeout", "15s"),
        ("lock_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "30s"),
    ]);
    PgPoolOptions::new()
        .max_connections(10)
        .acquire_timeout(Duration::from_secs(5))
        .connect_with(bounded)
        .await
        .map_err(DbError::Connect)
}

/// Makes the partitions that hold this epoch. What has none lands in the default partition, so a failure here loses nothing;
/// it fails for good once such rows are there.
pub async fn ensure_partitions(pool: &PgPool, epoch: u64) -> Result<(), DbError> {
    let from = epoch - epoch % PARTITION_EPOCHS;
    let (low, high) =
        (convert::int("epoch", from)?, convert::int("epoch", from.saturating_add(PARTITION_EPOCHS))?);
    for table in EVIDENCE_TABLES {
        let name = format!("{table}_from_{from}");
        let exists: bool =
            sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(&name).fetch_one(pool).await?;
        if !exists {
            // Names and bounds are our own numbers; DDL takes no parameters.
            let ddl = format!("CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ({low}) TO ({high})");
            sqlx::raw_sql(AssertSqlSafe(ddl)).execute(pool).await?;
        }
    }
    Ok(())
}
