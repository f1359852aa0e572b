//! `tatum deploy`: the contracts of a network of one's own. Running it again changes nothing.

use std::path::PathBuf;

use alloy::primitives::Address;
use alloy::signers::local::PrivateKeySigner;
use anyhow::Context;
use clap::Args;
use tatum_contracts::deployment::{Parameters, Token};

use crate::deploying::{Outcome, ensure_deployed};
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
    /// Where to write the addresses and parameters; if it is there already, the chain is checked against it
    #[arg(long, value_name = "FILE", default_value = "deployment.json")]
    out: PathBuf,
}

pub(super) async fn run(arguments: DeployArgs) -> anyhow::Result<()> {
    let out = &arguments.out;
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
    let provider = client(&arguments.rpc_url, &signer)?;
    let (deployment, outcome) = ensure_deployed(&provider, deployer, &parameters, out).await?;
    println!("{}", serde_json::to_string_pretty(&deployment)?);
    let out = out.display();
    match outcome {
        Outcome::Verified => {
            tracing::info!("deployed before; code, references and parameters on chain are those of {out}");
        }
        Outcome::Resumed => {
            tracing::info!("an unfinished deployment was finished and verified; written to {out}")
        }
        Outcome::Deployed => tracing::info!("deployed and verified; written to {out}"),
    }
    Ok(())
}
