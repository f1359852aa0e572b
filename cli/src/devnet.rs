//! A whole Tatum network on this machine: `tatum devnet`, and what end-to-end tests drive.
//!
//! A private PostgreSQL and an anvil chain; contracts, operators with stake, a sponsored stream; and, each as a process of
//! its own, brokers, indexer, settlement, a publisher of this machine's telemetry and a subscriber. Everything is kept in
//! one folder and continues from there the next time.
//!
//! [`Devnet`] starts, kills, restarts and stops; [`run`] is the command around it.

mod audit;
pub mod chain;
mod folder;
pub mod keys;
mod options;
pub mod processes;
mod progress;
mod ready;
pub mod run;
mod summary;

use std::net::SocketAddr;

use alloy::primitives::{Address, U256, address};
use alloy::providers::DynProvider;
use alloy::signers::local::PrivateKeySigner;
use anyhow::Context;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tatum_contracts::deployment::Deployment;

use crate::anvil::Anvil;
use crate::binary;
use crate::ports::Ports;
use crate::postgres::Postgres;
use crate::supervise::Supervisor;
use crate::tools::Tools;
pub use audit::{Audit, Check};
use chain::Sponsorship;
pub use folder::Folder;
use keys::Keys;
pub use options::DevnetOptions;
use processes::{Addresses, Common, INDEXER, LIGHT, SETTLEMENT};
pub use progress::EpochReport;

/// Where Staking sends what slashing destroys.
const BURNED: Address = address!("000000000000000000000000000000000000dEaD");
/// Of the budget for work, with an explicitly granted subscriber; without one there is nobody to confirm it.
const SUBSCRIBER_SHARE_BPS: u16 = 5_000;

/// A running devnet. Dropped without [`Devnet::stop`], its processes get their death signals from the kernel.
#[derive(Debug)]
pub struct Devnet {
    // Before the folder, so that the lock is the last thing given back.
    supervisor: Supervisor,
    parts: Parts,
    folder: Folder,
}

/// A devnet without what must outlive a failed start.
#[derive(Debug)]
struct Parts {
    options: DevnetOptions,
    anvil: Anvil,
    postgres: Postgres,
    database: PgPool,
    deployment: Deployment,
    keys: Keys,
    operators: Vec<u64>,
    stream: String,
    addresses: Addresses,
}

impl Devnet {
    /// Starts everything, or resumes what an earlier run left in the data folder.
    pub async fn start(options: DevnetOptions) -> anyhow::Result<Self> {
        let folder = Folder::open(&options.data_dir)?;
        let supervisor = Supervisor::new(binary::locate()?, folder.logs())?;
        match Self::bring_up(options, &folder, &supervisor).await {
            Ok(parts) => Ok(Self { supervisor, parts, folder }),
            Err(error) => {
                supervisor.stop_all().await;
                Err(error)
            }
        }
    }

    /// Stops all processes in reverse order; the chain and the database save their state.
    pub async fn stop(self) {
        self.parts.database.close().await;
        self.supervisor.stop_all().await;
    }

    /// The processes, by the names in [`processes`]: to kill, restart or look at.
    pub fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// The dashboard and API.
    pub fn dashboard_url(&self) -> String {
        self.parts.addresses.dashboard()
    }

    /// The chain's JSON-RPC.
    pub fn rpc_url(&self) -> String {
        self.parts.anvil.url()
    }

    /// The database's URL, with its password.
    pub fn database_url(&self) -> String {
        self.parts.postgres.url()
    }

    /// A pool of connections to the database.
    pub fn database(&self) -> &PgPool {
        &self.parts.database
    }

    pub fn anvil(&self) -> &Anvil {
        &self.parts.anvil
    }

    pub fn deployment(&self) -> &Deployment {
        &self.parts.deployment
    }

    pub fn keys(&self) -> &Keys {
        &self.parts.keys
    }

    /// Operator ids, in the order of the brokers.
    pub fn operators(&self) -> &[u64] {
        &self.parts.operators
    }

    /// Id of the sponsored stream.
    pub fn stream(&self) -> &str {
        &self.parts.stream
    }

    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The brokers' MQTT gateways, in order.
    pub fn mqtt(&self) -> Vec<SocketAddr> {
        self.parts.addresses.mqtt()
    }

    /// Base URLs of the brokers' status pages, in order.
    pub fn broker_http(&self) -> Vec<String> {
        self.parts.addresses.broker_http()
    }

    /// Password of the gateways' user [`keys::MQTT_USER`].
    pub fn mqtt_password(&self) -> anyhow::Result<String> {
        let path = self.folder.mqtt_password();
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(text.trim().to_owned())
    }

    /// A client of the chain that signs with `signer`.
    pub fn client(&self, signer: &PrivateKeySigner) -> anyhow::Result<DynProvider> {
        chain::client(&self.rpc_url(), signer)
    }

    /// What became of the epochs from `first` on.
    pub async fn epochs(&self, first: u64) -> anyhow::Result<Vec<EpochReport>> {
        progress::epochs(&self.parts.database, first).await
    }

    /// Where the money is, at the latest block.
    pub async fn audit(&self) -> anyhow::Result<Audit> {
        let client = self.client(&self.parts.keys.sponsor)?;
        let mut holders: Vec<Address> =
            self.parts.keys.operators.iter().map(|keys| keys.owner.address()).collect();
        holders.extend([self.parts.keys.sponsor.address(), self.parts.keys.settlement.address(), BURNED]);
        Audit::read(&client, &self.parts.deployment, &holders).await
    }

    /// Makes sure that the stream is paid for in the epochs to come.
    pub async fn renew_sponsorship(&self) -> anyhow::Result<Sponsorship> {
        let client = self.client(&self.parts.keys.sponsor)?;
        sponsor(&client, &self.parts.deployment, &self.parts.stream, &self.parts.options).await
    }

    async fn bring_up(
        options: DevnetOptions,
        folder: &Folder,
        supervisor: &Supervisor,
    ) -> anyhow::Result<Parts> {
        let tools = Tools::new(options.tools_dir.clone(), options.postgres_bin.clone());
        let ports = Ports::default();
        tracing::info!("starting PostgreSQL and anvil");
        let (postgres_dir, anvil_dir) = (folder.postgres(), folder.anvil());
        let (postgres, anvil) = tokio::try_join!(
            Postgres::start(supervisor, &tools, &ports, &postgres_dir, options.postgres_port),
            Anvil::start(supervisor, &tools, &ports, &anvil_dir, options.chain_port),
        )?;
        let keys = Keys::load_or_create(folder, options.brokers)?;
        keys::mqtt_credential(folder)?;
        tracing::info!("setting up contracts, operators and the stream");
        let url = anvil.url();
        let client = chain::client(&url, &keys.sponsor)?;
        let deployment = chain::deployment(&anvil, &client, folder, &keys, options.epoch_seconds).await?;
        chain::catch_up(&client, &deployment).await?;
        let subscribers = if options.light_subscriber { vec![keys.light.address()] } else { Vec::new() };
        let stream = chain::stream_id(&keys);
        let (operators, (), sponsorship) = tokio::try_join!(
            chain::operators(&url, &client, &deployment, &keys),
            chain::stream(&client, &deployment, &keys, &subscribers),
            sponsor(&client, &deployment, &stream, &options),
        )?;
        tracing::info!(
            "sponsorship {} pays for {stream} from epoch {} to {}",
            sponsorship.id,
            sponsorship.start,
            sponsorship.end
        );
        let addresses = Addresses::claim(&ports, options.brokers, options.http_port, options.mqtt_port)?;
        let common = Common {
            tatum: binary::locate()?,
            rpc_url: anvil.url(),
            deployment: folder.deployment(),
            database_url: postgres.url(),
            indexer_peer: keys.indexer.peer_id(),
            broker_peers: keys.operators.iter().map(|operator| operator.node.peer_id()).collect(),
            addresses,
        };
        start_processes(&options, folder, supervisor, &common, &stream).await?;
        let first_paid = deployment.clock().start(sponsorship.start);
        tracing::info!(
            "waiting for epoch {}, the first that is paid, and for the brokers' links",
            sponsorship.start
        );
        ready::wait_until(first_paid).await;
        let assigned = usize::from(options.redundancy().min(options.brokers));
        ready::wait_linked(supervisor, &common.addresses.broker_http(), assigned).await?;
        if !options.without_clients {
            supervisor.start(common.subscriber(folder, &stream)).await?;
            supervisor.start(common.publisher(folder, &stream, options.interval_ms)).await?;
        }
        let database = PgPoolOptions::new()
            .max_connections(4)
            .connect(&postgres.url())
            .await
            .context("cannot connect to the database")?;
        let addresses = common.addresses;
        Ok(Parts { options, anvil, postgres, database, deployment, keys, operators, stream, addresses })
    }
}

/// Indexer first: it makes the tables and is the brokers' first contact.
async fn start_processes(
    options: &DevnetOptions,
    folder: &Folder,
    supervisor: &Supervisor,
    common: &Common,
    stream: &str,
) -> anyhow::Result<()> {
    tracing::info!("starting the indexer, {} brokers and settlement", options.brokers);
    supervisor.start(common.indexer(folder)?).await?;
    ready::wait(supervisor, INDEXER, &common.addresses.dashboard()).await?;
    for number in 1..=options.brokers {
        let equivocate = options.equivocate == Some(number);
        supervisor.start(common.broker(folder, number, equivocate)?).await?;
    }
    if options.light_subscriber {
        supervisor.start(common.light(folder, format!("{stream}#0"))?).await?;
    }
    supervisor.start(common.settlement(folder)?).await?;
    for (number, url) in (1..).zip(common.addresses.broker_http()) {
        ready::wait(supervisor, &processes::broker(number), &url).await?;
    }
    if options.light_subscriber {
        ready::wait(supervisor, LIGHT, &common.addresses.light_http()).await?;
    }
    ready::wait(supervisor, SETTLEMENT, &common.addresses.settlement()).await
}

async fn sponsor(
    client: &DynProvider,
    deployment: &Deployment,
    stream: &str,
    options: &DevnetOptions,
) -> anyhow::Result<Sponsorship> {
    let share = if options.light_subscriber { SUBSCRIBER_SHARE_BPS } else { 0 };
    chain::ensure_sponsorship(client, deployment, stream, options.redundancy(), share).await
}

/// Total of amounts that the chain gives as 256 bits and that never exceed the token's supply.
fn shown(amount: U256) -> String {
    u128::try_from(amount)
        .map_or_else(|_| amount.to_string(), |wei| tatum_protocol::amount::Wei(wei).to_string())
}
