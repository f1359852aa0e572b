//! The one binary, `tatum`, as a library: its commands, and the devnet that end-to-end tests drive.
//!
//! [`run`] is the whole program. What the commands run (node, indexer, settlement) is in the crates of those names.

pub mod anvil;
pub mod binary;
pub mod commands;
pub mod deploying;
pub mod devnet;
pub mod exec_child;
pub mod logging;
pub mod mqtt;
pub mod ports;
pub mod postgres;
pub mod secret_file;
pub mod shutdown;
pub mod supervise;
pub mod telemetry;
pub mod tools;
pub mod unix_user;

use clap::Parser;

/// Parses the command line and runs the command.
pub fn run() -> anyhow::Result<()> {
    commands::Cli::parse().run()
}
