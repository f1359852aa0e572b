//! The devnet's chain: an anvil process that keeps its state in a file.
//!
//! It makes a block every second, and saves state, blocks and logs when it stops and every few seconds: killed, it loses
//! the blocks since. It has no accounts of its own, because their keys would be public; devnet keys are random and get
//! their gas from [`Anvil::fund_gas`].

use std::path::Path;
use std::time::{Duration, Instant};

use alloy::primitives::{Address, U256};
use alloy::providers::{Provider, ProviderBuilder};
use anyhow::{Context, bail};

use crate::exec_child::DeathSignal;
use crate::ports::{Ports, Protocols};
use crate::supervise::{ChildSpec, Supervisor};
use crate::tools::Tools;

/// The child's name.
pub const NAME: &str = "anvil";
/// The chain id that development chains use.
pub const CHAIN_ID: u64 = 31_337;
const DEFAULT_PORT: u16 = 8545;
const SAVE_INTERVAL_SECONDS: u32 = 5;
const READY_DEADLINE: Duration = Duration::from_secs(30);

/// A running anvil.
#[derive(Clone, Debug)]
pub struct Anvil {
    port: u16,
}

impl Anvil {
    /// Starts anvil with its state in `folder`, from the saved state if there is one.
    pub async fn start(
        supervisor: &Supervisor,
        tools: &Tools,
        ports: &Ports,
        folder: &Path,
        requested_port: Option<u16>,
    ) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let folder = folder.canonicalize()?;
        let program = tools.anvil().await?;
        let port = ports.claim("anvil", requested_port, DEFAULT_PORT, Protocols::Tcp)?;
        let spec = ChildSpec {
            // It saves its state on this one.
            death_signal: DeathSignal::Term,
            ..ChildSpec::new(NAME, program)
        }
        .args(["--host", "127.0.0.1", "--port", &port.to_string()])
        .args(["--chain-id", &CHAIN_ID.to_string(), "--block-time", "1", "--accounts", "0"])
        // `finalized` is two slots behind the head: seconds instead of a minute.
        .args(["--slots-in-an-epoch", "1"])
        .args(["--state-interval", &SAVE_INTERVAL_SECONDS.to_string(), "--state"])
        .args([folder.join("state.json")])
        .args(["--cache-path".into(), folder.join("cache").into_os_string()]);
        supervisor.start(spec).await?;
        let anvil = Self { port };
        anvil.wait_ready(supervisor).await?;
        Ok(anvil)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The JSON-RPC endpoint.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Whether a state was saved in `folder` by an earlier run.
    pub fn has_state(folder: &Path) -> bool {
        folder.join("state.json").is_file()
    }

    /// Sets an account's balance of the chain's currency to `wei`, as only a development chain can.
    pub async fn fund_gas(&self, account: Address, wei: U256) -> anyhow::Result<()> {
        let provider = ProviderBuilder::new().connect_http(self.url().parse()?);
        provider
            .raw_request::<_, ()>("anvil_setBalance".into(), (account, wei))
            .await
            .with_context(|| format!("cannot give {account} gas"))
    }

    async fn wait_ready(&self, supervisor: &Supervisor) -> anyhow::Result<()> {
        let provider = ProviderBuilder::new().connect_http(self.url().parse()?);
        let started = Instant::now();
        let mut last = String::new();
        while started.elapsed() < READY_DEADLINE {
            if !supervisor.is_running(NAME) {
                bail!("anvil ended while starting:\n{}", supervisor.log_tail(NAME, 10));
            }
            match provider.get_chain_id().await {
                Ok(CHAIN_ID) => return Ok(()),
                Ok(other) => bail!("port {} answers for chain {other}, expected {CHAIN_ID}", self.port),
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("anvil did not answer within {} s: {last}", READY_DEADLINE.as_secs())
    }
}
