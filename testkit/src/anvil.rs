//! An anvil of one's own: automine unless told otherwise, any free port, killed on drop.

use anyhow::{Context, bail};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Chain id of every anvil here.
pub const CHAIN_ID: u64 = 31337;

/// Secret keys of the first funded accounts, from anvil's well-known mnemonic.
pub const KEYS: [&str; 6] = [
    "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
    "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
    "8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
];

#[derive(Debug)]
pub struct Anvil {
    child: Child,
    url: String,
}

impl Anvil {
    /// Starts with a finality of two blocks: anvil calls final what is two of its "epochs" behind.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(&[])
    }

    /// Starts with further arguments, for example `["--no-mining"]` or `["--block-time", "1"]`.
    pub fn start_with(arguments: &[&str]) -> anyhow::Result<Self> {
        let binary = find()?;
        let mut child = Command::new(&binary)
            .args(["--port", "0", "--slots-in-an-epoch", "1", "--chain-id", &CHAIN_ID.to_string()])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let stdout = child.stdout.take().context("anvil's output is piped")?;
        let mut anvil = Self { child, url: String::new() };
        let mut lines = BufReader::new(stdout).lines();
        for line in lines.by_ref() {
            if let Some(address) = line?.trim().strip_prefix("Listening on ") {
                anvil.url = format!("http://{address}");
                break;
            }
        }
        if anvil.url.is_empty() {
            bail!("{} ended before it listened; run it by hand to see why", binary.display());
        }
        // A full pipe would stop it. Ends with the child.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(anvil)
    }

    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `TATUM_ANVIL`, PATH, then the pinned npm package.
fn find() -> anyhow::Result<PathBuf> {
    let packaged = crate::workspace().join("contracts/node_modules/@foundry-rs");
    let platform = format!(
        "anvil-{}-{}/bin/anvil",
        if cfg!(target_os = "macos") { "darwin" } else { "linux" },
        if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" },
    );
    std::env::var_os("TATUM_ANVIL")
        .map(PathBuf::from)
        .or_else(|| crate::on_path("anvil"))
        .or_else(|| Some(packaged.join(platform)).filter(|file| file.is_file()))
        .context("no anvil: none in TATUM_ANVIL, on PATH or in contracts/node_modules; install the pinned one with `npm ci --prefix contracts`")
}
