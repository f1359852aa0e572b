//! The command line: one file per command that does more than call another crate.

mod deploy;
mod init;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use tatum_indexer::config::IndexerConfig;
use tatum_node::config::NodeConfig;
use tatum_settlement::{CrashPoint, SettlementConfig};

use crate::devnet::run::DevnetArgs;
use crate::exec_child::ExecChildArgs;
use crate::mqtt::publish::PublishArgs;
use crate::mqtt::subscribe::SubscribeArgs;
use crate::{devnet, exec_child, logging, mqtt, shutdown};

/// Decentralized publish/subscribe whose brokers are paid for the delivery they can prove.
///
/// `tatum devnet` runs the whole path on this machine, from a sensor's message to a paid broker. Logs go to stderr, filtered
/// by RUST_LOG (such as `info,tatum_node=debug`); results go to stdout.
#[derive(Debug, Parser)]
#[command(name = "tatum", version, propagate_version = true)]
pub struct Cli {
    /// Log as lines of JSON
    #[arg(long, global = true)]
    log_json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a node's keys, its gateway credential and a configuration
    ///
    /// The gateway's password is shown once and stored hashed. Nothing that exists is overwritten.
    Init(init::InitArgs),
    /// Run a whole network on this machine: chain, database, brokers, indexer, settlement, live telemetry
    ///
    /// What is missing (anvil, PostgreSQL) is installed into --tools-dir. Each part is a process of its own, with its log
    /// in <DATA_DIR>/logs. Ctrl-C stops all; the next run on the same folder goes on. With --epochs, ends with a table
    /// and exits 0 only if every payout is on chain and every wei is accounted for.
    Devnet(Box<DevnetArgs>),
    /// Deploy the contracts and write their addresses to a file
    Deploy(deploy::DeployArgs),
    /// Run a broker, or a light node if its configuration names no BLS key
    Node(NodeArgs),
    /// Run an indexer: receipts into PostgreSQL, epochs computed and proposed, API and dashboard
    Indexer(ConfigArgs),
    /// Run settlement: certificates from attestations, payout roots posted, payouts pushed, offences reported
    Settlement(SettlementArgs),
    /// Publish this machine's telemetry, or lines from stdin, to a stream through a broker
    ///
    /// Messages are kept until a broker acknowledges them. When one dies, the rest goes through the next `--broker`.
    Publish(PublishArgs),
    /// Print a stream's messages as they arrive, each once
    ///
    /// Attached to two of the given brokers at once, so that the death of one loses no message.
    Subscribe(SubscribeArgs),
    #[command(name = "exec-child", hide = true)]
    ExecChild(ExecChildArgs),
}

/// Of commands that are told everything by a file.
#[derive(Debug, Args)]
struct ConfigArgs {
    /// TOML file; paths in it are relative to its folder
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

#[derive(Debug, Args)]
struct NodeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Sign two conflicting receipts, to see the stake slashed
    #[arg(long, hide = true)]
    equivocate: bool,
}

#[derive(Debug, Args)]
struct SettlementArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Die at this point as by SIGKILL, to see the next start resume
    #[arg(long, hide = true)]
    crash_at: Option<CrashPoint>,
}

impl Cli {
    /// Runs the command to its end.
    pub fn run(self) -> anyhow::Result<()> {
        // Before any thread exists: it becomes another program.
        let command = match self.command {
            Command::ExecChild(arguments) => match exec_child::run(arguments)? {},
            command => command,
        };
        logging::init(self.log_json)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("cannot start the async runtime")?;
        runtime.block_on(command.run())
    }
}

impl Command {
    async fn run(self) -> anyhow::Result<()> {
        let shutdown = shutdown::on_signal()?;
        match self {
            Self::Init(arguments) => init::run(&arguments),
            Self::Devnet(arguments) => devnet::run::run(*arguments, shutdown).await,
            Self::Deploy(arguments) => deploy::run(arguments).await,
            Self::Node(arguments) => {
                let mut config = NodeConfig::load(&arguments.config.config)?;
                config.equivocate = arguments.equivocate;
                tatum_node::run(config, shutdown).await
            }
            Self::Indexer(arguments) => {
                tatum_indexer::run(IndexerConfig::load(&arguments.config)?, shutdown).await
            }
            Self::Settlement(arguments) => {
                let mut config = SettlementConfig::load(&arguments.config.config)?;
                config.crash_at = arguments.crash_at;
                tatum_settlement::run(config, shutdown).await
            }
            Self::Publish(arguments) => mqtt::publish::run(arguments, shutdown).await,
            Self::Subscribe(arguments) => mqtt::subscribe::run(arguments, shutdown).await,
            Self::ExecChild(_) => Ok(()),
        }
    }
}
