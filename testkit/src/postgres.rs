//! A PostgreSQL database of one's own: on the server of `DATABASE_URL` where that is set, else in a private cluster.
//!
//! The cluster lives in a temporary folder, listens on a socket in it only, and is stopped and removed on drop. As root it runs
//! under the user `postgres`, because the server refuses root. It does not sync: what is tested is our crash, not the machine's.

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection, PgPool};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a server may take to be ready, on a machine busy with other tests.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Databases made by this process on a shared server.
static COUNT: AtomicU32 = AtomicU32::new(0);

#[derive(Debug)]
pub struct Postgres {
    url: String,
    server: Server,
}

#[derive(Debug)]
enum Server {
    /// The database on a server that is not ours, and how to reach that to drop it.
    Shared { admin: String, name: String },
    /// Dropped in this order: the server first, then its folder.
    Private { child: Child, _folder: TempDir },
}

impl Postgres {
    /// An empty database.
    pub async fn start() -> anyhow::Result<Self> {
        match std::env::var("DATABASE_URL") {
            Ok(admin) => Self::on_server(admin).await,
            Err(_) => Self::private().await,
        }
    }

    /// A database with the tables of `migrations/`.
    pub async fn migrated() -> anyhow::Result<Self> {
        let database = Self::start().await?;
        let mut connection = PgConnection::connect(&database.url).await?;
        sqlx::migrate!("../migrations").run(&mut connection).await?;
        Ok(database)
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub async fn pool(&self) -> anyhow::Result<PgPool> {
        Ok(PgPoolOptions::new().max_connections(8).connect(&self.url).await?)
    }

    async fn on_server(admin: String) -> anyhow::Result<Self> {
        let name = format!("tatum_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&admin).await.context("cannot connect to DATABASE_URL")?;
        create_database(&mut connection, &name).await?;
        let (head, query) = admin.split_once('?').map_or((admin.as_str(), None), |(h, q)| (h, Some(q)));
        let scheme_end = head.find("://").map_or(0, |at| at + 3);
        let authority_end = head[scheme_end..].find('/').map_or(head.len(), |at| scheme_end + at);
        let query = query.map(|q| format!("?{q}")).unwrap_or_default();
        let url = format!("{}/{name}{query}", &head[..authority_end]);
        Ok(Self { url, server: Server::Shared { admin, name } })
    }

    async fn private() -> anyhow::Result<Self> {
        let bin = find()?;
        let account = if geteuid().is_root() { Some(account_of("postgres")?) } else { None };
        let folder = TempDir::with_prefix("tatum-postgres-")?;
        if let Some((uid, gid)) = account {
            std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid))?;
        }
        let data = folder.path().join("data");
        let command = |name: &str| {
            let mut command = Command::new(bin.join(name));
            command.current_dir(folder.path()).env_clear().env("LC_ALL", "C").env("TZ", "UTC");
            command.stdin(Stdio::null()).stdout(Stdio::null());
            if let Some((uid, gid)) = account {
                command.uid(uid).gid(gid);
            }
            command
        };
        let made = command("initdb")
            .args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--pgdata"])
            .arg(&data)
            .output()?;
        if !made.status.success() {
            bail!("initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        }
        let log = std::fs::File::create(folder.path().join("log"))?;
        let child = command("postgres")
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=50"])
            .stderr(log)
            .spawn()?;
        let base =
            |name: &str| format!("postgres://postgres@localhost/{name}?host={}", folder.path().display());
        let (admin, url) = (base("postgres"), base("tatum"));
        let log_file = folder.path().join("log");
        let mut database = Self { url, server: Server::Private { child, _folder: folder } };
        let mut connection = database.connect_when_ready(&admin, &log_file).await?;
        create_database(&mut connection, "tatum").await?;
        Ok(database)
    }

    async fn connect_when_ready(&mut self, url: &str, log: &Path) -> anyhow::Result<PgConnection> {
        let started = Instant::now();
        loop {
            let error = match PgConnection::connect(url).await {
                Ok(connection) => return Ok(connection),
                Err(error) => error,
            };
            let ended = match &mut self.server {
                Server::Private { child, .. } => child.try_wait()?,
                Server::Shared { .. } => None,
            };
            if ended.is_some() || started.elapsed() > READY_WITHIN {
                let log = std::fs::read_to_string(log).unwrap_or_default();
                bail!("postgres did not become ready ({error}); its log:\n{log}");
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        match &mut self.server {
            Server::Private { child, .. } => {
                // SIGQUIT: immediate shutdown, the workers included.
                let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
                let _ = pid.map(|pid| kill_process(pid, Signal::QUIT));
                let _ = child.wait();
            }
            Server::Shared { admin, name } => {
                let (admin, name) = (admin.clone(), name.clone());
                // A runtime of its own: drop may run on a thread of the test's. What fails leaves a database behind, no more.
                let _ = std::thread::spawn(move || drop_database(&admin, &name)).join();
            }
        }
    }
}

async fn create_database(connection: &mut PgConnection, name: &str) -> anyhow::Result<()> {
    // The name is ours; identifiers cannot be bound.
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(connection).await?;
    Ok(())
}

fn drop_database(admin: &str, name: &str) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut connection = PgConnection::connect(admin).await?;
        let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await?;
        Ok(())
    })
}

/// Folder with `initdb` and `postgres`: `TATUM_POSTGRES_BIN`, the distribution's, then PATH.
fn find() -> anyhow::Result<PathBuf> {
    let complete = |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    let explicit = std::env::var_os("TATUM_POSTGRES_BIN").map(PathBuf::from);
    let mut packaged: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    packaged.sort();
    let on_path = crate::on_path("initdb").and_then(|file| file.parent().map(Path::to_path_buf));
    explicit.into_iter().chain(packaged.into_iter().rev()).chain(on_path).find(complete).context(
        "no PostgreSQL: set DATABASE_URL to a server where databases may be created, or install the package `postgresql`",
    )
}

/// User and group id of a system account.
fn account_of(name: &str) -> anyhow::Result<(u32, u32)> {
    let accounts = std::fs::read_to_string("/etc/passwd")?;
    let fields = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    for field in fields {
        if let [user, _, uid, gid, ..] = field.as_slice()
            && *user == name
        {
            return Ok((uid.parse()?, gid.parse()?));
        }
    }
    bail!(
        "PostgreSQL refuses to run as root and there is no user `{name}` to run it as; create one or set DATABASE_URL"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_migrated_database_has_the_tables() {
        let database = Postgres::migrated().await.unwrap();
        let pool = database.pool().await.unwrap();
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM epochs").fetch_one(&pool).await.unwrap();
        assert_eq!(rows, 0);
    }
}
