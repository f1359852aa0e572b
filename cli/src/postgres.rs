//! A private PostgreSQL cluster: made on the first start, opened again on later ones.
//!
//! It listens on 127.0.0.1 only, on a port of its own, has no Unix socket, and lets nobody in without the random password
//! kept in the data folder. PostgreSQL refuses to run as root, so as root the cluster belongs to an unprivileged user and,
//! where that user cannot reach the data folder, lives in the system's temporary folder.

mod cluster;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use sqlx::{Connection, Executor, PgConnection};

use crate::exec_child::DeathSignal;
use crate::ports::{Ports, Protocols};
use crate::supervise::{ChildSpec, StopSignal, Supervisor};
use crate::tools::Tools;
use crate::unix_user;
use cluster::Cluster;

/// The child's name.
pub const NAME: &str = "postgres";
const DEFAULT_PORT: u16 = 5432;
const DATABASE: &str = "tatum";
/// Crash recovery of a large cluster takes longest.
const READY_DEADLINE: Duration = Duration::from_secs(60);
/// The memory of a killed server is released once its last process has noticed: a start before that fails.
const START_ATTEMPTS: u32 = 5;

/// A running server.
#[derive(Clone)]
pub struct Postgres {
    port: u16,
    password: String,
}

/// Without the password.
impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").field("port", &self.port).finish_non_exhaustive()
    }
}

impl Postgres {
    /// Starts the server with its cluster in `folder`.
    pub async fn start(
        supervisor: &Supervisor,
        tools: &Tools,
        ports: &Ports,
        folder: &Path,
        requested_port: Option<u16>,
    ) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let user = unix_user::unprivileged()?;
        let fallback = match user {
            Some(user) if !unix_user::can_reach(user, folder) => {
                Some(unix_user::shared_folder("tatum-tools")?)
            }
            _ => None,
        };
        let binaries = tools.postgres(fallback).await?;
        let cluster = Cluster::open_or_create(folder, &binaries, user).await?;
        let port = ports.claim("PostgreSQL", requested_port, DEFAULT_PORT, Protocols::Tcp)?;
        let spec = ChildSpec {
            user,
            // SIGINT is the fast shutdown: sessions end, the data is checkpointed.
            stop_signal: StopSignal::Int,
            death_signal: DeathSignal::Int,
            ..ChildSpec::new(NAME, &binaries.postgres)
        }
        .args(["-D".into(), cluster.data.clone().into_os_string()])
        .args(["-p", &port.to_string()])
        .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        start_ready(supervisor, spec, &cluster.data).await?;
        let server = Self { port, password: cluster.password };
        server.create_database().await?;
        Ok(server)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Connection URL of the database, password included: for configuration files, not for logs.
    pub fn url(&self) -> String {
        self.url_of(DATABASE)
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://{}:{}@127.0.0.1:{}/{database}", cluster::USER, self.password, self.port)
    }

    async fn create_database(&self) -> anyhow::Result<()> {
        let mut connection =
            PgConnection::connect(&self.url_of("postgres")).await.context("cannot log in to PostgreSQL")?;
        let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(DATABASE)
            .fetch_one(&mut connection)
            .await?;
        if !exists {
            connection.execute("CREATE DATABASE tatum").await.context("cannot create the database")?;
        }
        connection.close().await?;
        Ok(())
    }
}

/// Starts the server and waits until it takes connections.
async fn start_ready(supervisor: &Supervisor, spec: ChildSpec, data: &Path) -> anyhow::Result<()> {
    let mut attempt = 1;
    loop {
        cluster::clear_stale_pid(data)?;
        let pid = supervisor.start(spec.clone()).await?;
        match wait_ready(supervisor, pid, data).await {
            Ok(()) => return Ok(()),
            Err(error) => {
                supervisor.stop(NAME).await?;
                let log = supervisor.log_tail(NAME, 5);
                if attempt == START_ATTEMPTS || !log.contains("shared memory") {
                    return Err(error);
                }
                attempt += 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// `postmaster.pid` tells: the server's process id is its first line, its state the eighth.
async fn wait_ready(supervisor: &Supervisor, pid: u32, data: &Path) -> anyhow::Result<()> {
    let file: PathBuf = data.join("postmaster.pid");
    let pid = pid.to_string();
    let started = Instant::now();
    while started.elapsed() < READY_DEADLINE {
        if !supervisor.is_running(NAME) {
            bail!("PostgreSQL ended while starting:\n{}", supervisor.log_tail(NAME, 10));
        }
        // Compared, because the file may still be that of a server that was killed.
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let mut lines = text.lines();
        if lines.next() == Some(pid.as_str()) && lines.nth(6).is_some_and(|state| state.trim() == "ready") {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("PostgreSQL was not ready after {} s:\n{}", READY_DEADLINE.as_secs(), supervisor.log_tail(NAME, 10))
}
