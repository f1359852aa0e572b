//! What a devnet is asked to be.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `tatum devnet`; [`DevnetOptions::new`] gives their defaults to tests.
#[derive(Clone, Debug, Args)]
pub struct DevnetOptions {
    /// Keys, chain, database and logs; a later run on the same folder resumes
    #[arg(long, value_name = "DIR", default_value = ".tatum/devnet")]
    pub data_dir: PathBuf,
    /// Where programs that this machine lacks (anvil, PostgreSQL) are installed
    #[arg(long, value_name = "DIR", default_value = ".tatum/tools")]
    pub tools_dir: PathBuf,
    /// Folder of PostgreSQL's `postgres` and `initdb`
    #[arg(long, value_name = "DIR")]
    pub postgres_bin: Option<PathBuf>,
    /// Operators, with one broker each
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub brokers: u8,
    /// How many operators carry the stream [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=32))]
    pub redundancy: Option<u8>,
    /// Length of an epoch
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u64).range(2..=86_400))]
    pub epoch_seconds: u64,
    /// Stop after this many settled epochs that had traffic, and check every payout
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub epochs: Option<u64>,
    /// Time between the publisher's samples
    #[arg(long, value_name = "MS", default_value_t = 250, value_parser = clap::value_parser!(u64).range(1..))]
    pub interval_ms: u64,
    /// A light node with an explicit subscribe grant: its receipts decide half of the budget for work
    #[arg(long)]
    pub light_subscriber: bool,
    /// Port of the dashboard and API [default: 8700, or a free one]
    #[arg(long, value_name = "PORT")]
    pub http_port: Option<u16>,
    /// Port of the first broker's MQTT gateway [default: 1883, or a free one]
    #[arg(long, value_name = "PORT")]
    pub mqtt_port: Option<u16>,
    /// Port of the chain's JSON-RPC [default: 8545, or a free one]
    #[arg(long, value_name = "PORT")]
    pub chain_port: Option<u16>,
    /// Port of PostgreSQL [default: 5432, or a free one]
    #[arg(long, value_name = "PORT")]
    pub postgres_port: Option<u16>,
    /// This broker signs two conflicting receipts, for which its operator must be slashed
    #[arg(long, value_name = "N", hide = true)]
    pub equivocate: Option<u8>,
    /// Leaves out the publisher and the subscriber, for tests that bring their own
    #[arg(skip)]
    pub without_clients: bool,
}

impl DevnetOptions {
    /// Defaults, in `data_dir`, with tools installed in `tools_dir`.
    pub fn new(data_dir: impl Into<PathBuf>, tools_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            tools_dir: tools_dir.into(),
            postgres_bin: None,
            brokers: 4,
            redundancy: None,
            epoch_seconds: 10,
            epochs: None,
            interval_ms: 250,
            light_subscriber: false,
            http_port: None,
            mqtt_port: None,
            chain_port: None,
            postgres_port: None,
            equivocate: None,
            without_clients: false,
        }
    }

    pub(super) fn redundancy(&self) -> u8 {
        self.redundancy.unwrap_or(self.brokers)
    }
}
