//! The command line: one file per command that does more than call another crate.

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::exec_child::ExecChildArgs;
use crate::mqtt::publish::PublishArgs;
use crate::mqtt::subscribe::SubscribeArgs;
use crate::{exec_child, logging, mqtt, shutdown};

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
            Self::Publish(arguments) => mqtt::publish::run(arguments, shutdown).await,
            Self::Subscribe(arguments) => mqtt::subscribe::run(arguments, shutdown).await,
            Self::ExecChild(_) => Ok(()),
        }
    }
}
