//! `tatum deploy`: the contracts of a network of one's own.

use std::path::PathBuf;

use alloy::primitives::Address;
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context, bail};
use clap::Args;
use tatum_contracts::deployment::{Parameters, Token, deploy};

use crate::devnet::chain::client;

/// Arguments of `tatum deploy`.
#[derive(Clone, Debug, Args)]
pub(super) struct DeployArgs {
    /// JSON-RPC of the chain
    #[arg(long, value_name = "URL")]
    rpc_url: String,
    /// File with the deployer's secret key in hex; it pays the gas
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// The DATA token of this chain; without it, a development token is deployed that the deployer holds all of
    #[arg(long, value_name = "ADDRESS")]
    token: Option<Address>,
    /// An existing stream registry, such as Streamr's; without it, one is deployed
    #[arg(long, value_name = "ADDRESS")]
    registry: Option<Address>,
    /// Length of an epoch; fixed for good
    #[arg(long, value_name = "S", default_value_t = 3_600, value_parser = clap::value_parser!(u64).range(2..=86_400))]
    epoch_seconds: u64,
    /// Where to write the addresses and parameters
    #[arg(long, value_name = "FILE", default_value = "deployment.json")]
    out: PathBuf,
}

pub(super) async fn run(arguments: DeployArgs) -> anyhow::Result<()> {
    let out = &arguments.out;
    if out.exists() {
        bail!("{} exists; move it away or name another --out", out.display());
    }
    let path = &arguments.key_file;
    let secret = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let signer: PrivateKeySigner = secret
        .trim()
        .parse()
        .map_err(|_| anyhow::anyhow!("{} holds no secp256k1 secret in hex", path.display()))?;
    let deployer = signer.address();
    let mut parameters = Parameters::devnet(deployer, arguments.epoch_seconds);
    parameters.stream_registry = arguments.registry;
    if let Some(token) = arguments.token {
        parameters.token = Token::Existing(token);
    }
    let deployment = deploy(&client(&arguments.rpc_url, &signer)?, deployer, &parameters)
        .await
        .context("the contracts were not deployed")?;
    deployment.save(out)?;
    println!("{}", serde_json::to_string_pretty(&deployment)?);
    tracing::info!("written to {}", out.display());
    Ok(())
}
