//! Tracing for all commands: compact lines or JSON on stderr, filtered by `RUST_LOG`.
//!
//! stdout stays free for what a command prints as its result.

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

/// Filter without `RUST_LOG`: our own progress, and of libraries only what went wrong.
const DEFAULT_FILTER: &str = "warn,tatum=info,tatum_cli=info,tatum_node=info,tatum_indexer=info,tatum_settlement=info,tatum_contracts=info";

/// Installs the subscriber for the whole process; called once, by `main`.
pub fn init(json: bool) -> anyhow::Result<()> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(directives) if !directives.is_empty() => EnvFilter::try_new(&directives).with_context(|| {
            format!("RUST_LOG is `{directives}`; expected directives such as `info,tatum_node=debug`")
        })?,
        _ => EnvFilter::new(DEFAULT_FILTER),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let installed = if json {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.compact().with_target(false).with_ansi(std::io::stderr().is_terminal()).try_init()
    };
    installed.map_err(|error| anyhow::anyhow!("cannot start logging: {error}"))
}
