//! Configuration of a settlement process.

use crate::crash::CrashPoint;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Read from TOML; relative paths are against the file's folder.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettlementConfig {
    pub rpc_url: String,
    /// JSON of `tatum_contracts::deployment::Deployment`.
    pub deployment: PathBuf,
    pub database_url: String,
    /// Hex secp256k1 secret of the account that pays gas. Nothing else may send from it.
    pub key_file: PathBuf,
    /// Where `/healthz` and `/metrics` are served; nowhere if absent.
    #[serde(default)]
    pub http: Option<SocketAddr>,
    #[serde(default)]
    pub sender: SenderConfig,
    /// For tests: where to die as by SIGKILL.
    #[serde(skip)]
    pub crash_at: Option<CrashPoint>,
}

/// How transactions are priced and chased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SenderConfig {
    /// Added to every gas estimate. Precompile prices differ between chains, so limits are never fixed numbers.
    pub gas_margin_percent: u64,
    /// A transaction not mined for so long is replaced by one with a higher fee.
    pub replace_after_seconds: u64,
    /// What a replacement adds to the fee. Nodes refuse less than 10.
    pub escalation_percent: u64,
    /// Fees per gas never go above this, whatever the market.
    pub max_fee_gwei: u64,
}

impl Default for SenderConfig {
    fn default() -> Self {
        // Polygon's blocks come every 2 s: after 30 s the fee is the reason. 5000 gwei is far above its spikes.
        Self {
            gas_margin_percent: 30,
            replace_after_seconds: 30,
            escalation_percent: 25,
            max_fee_gwei: 5_000,
        }
    }
}

/// Why a configuration file is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read {path}: {source}; name an existing settlement configuration")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path} is not a settlement configuration: {source}")]
    Parse { path: PathBuf, source: Box<toml::de::Error> },
}

impl SettlementConfig {
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let mut config: Self = toml::from_str(&text)
            .map_err(|source| ConfigError::Parse { path: path.to_owned(), source: Box::new(source) })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for file in [&mut config.deployment, &mut config.key_file] {
            *file = folder.join(&*file);
        }
        Ok(config)
    }
}

impl SenderConfig {
    pub(crate) fn replace_after(&self) -> Duration {
        Duration::from_secs(self.replace_after_seconds)
    }
}

/// Without the URLs: they may carry passwords and access keys.
impl std::fmt::Debug for SettlementConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SettlementConfig")
            .field("deployment", &self.deployment)
            .field("key_file", &self.key_file)
            .field("http", &self.http)
            .field("sender", &self.sender)
            .field("crash_at", &self.crash_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_with_paths_from_its_folder_and_typos_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settlement.toml");
        let text = "rpc_url = 'http://127.0.0.1:8545'\ndeployment = 'deployment.json'\n\
                    database_url = 'postgres://user:secret@localhost/tatum'\nkey_file = '/keys/settlement.key'\n";
        std::fs::write(&path, text).unwrap();
        let config = SettlementConfig::load(&path).unwrap();
        assert_eq!(config.deployment, folder.path().join("deployment.json"));
        assert_eq!(config.key_file, Path::new("/keys/settlement.key"));
        assert_eq!((config.http, config.sender), (None, SenderConfig::default()));
        assert!(!format!("{config:?}").contains("secret"));

        std::fs::write(&path, format!("{text}htpp = '127.0.0.1:1'\n")).unwrap();
        assert!(matches!(SettlementConfig::load(&path), Err(ConfigError::Parse { .. })));
    }
}
