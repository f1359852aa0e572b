//! What the indexer is told at start.

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The TOML file of `tatum indexer --config`. Relative paths are relative to the file's folder.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexerConfig {
    pub data_dir: PathBuf,
    /// HTTP JSON-RPC of the chain.
    pub rpc_url: String,
    /// Deployment file: chain id and contract addresses.
    pub deployment: PathBuf,
    /// Secp256k1 secret of the P2P identity, hex, mode 0600.
    pub node_key_file: PathBuf,
    pub database_url: String,
    /// Multiaddrs to accept nodes on.
    #[serde(default)]
    pub listen: Vec<String>,
    /// Multiaddrs of known nodes, ending in `/p2p/<peer id>`.
    #[serde(default)]
    pub bootstrap: Vec<String>,
    /// API and dashboard. They are open to everyone who reaches them, so keep this on loopback.
    pub http: SocketAddr,
}

/// Why a configuration file is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read {path}: {source}; name an existing indexer configuration")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path} is not an indexer configuration: {source}")]
    Parse { path: PathBuf, source: Box<toml::de::Error> },
    #[error(
        "API address {0} is not on loopback; the API has no authentication, so put a reverse proxy before it"
    )]
    Exposed(SocketAddr),
}

impl IndexerConfig {
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let mut config: Self = toml::from_str(&text)
            .map_err(|source| ConfigError::Parse { path: path.to_owned(), source: Box::new(source) })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for file in [&mut config.data_dir, &mut config.deployment, &mut config.node_key_file] {
            *file = folder.join(&*file);
        }
        Ok(config)
    }

    /// Refuses what must not be started.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.http.ip().is_loopback() { Ok(()) } else { Err(ConfigError::Exposed(self.http)) }
    }
}

/// The database URL may hold a password and the RPC URL an access key: neither is shown.
impl std::fmt::Debug for IndexerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IndexerConfig")
            .field("data_dir", &self.data_dir)
            .field("deployment", &self.deployment)
            .field("node_key_file", &self.node_key_file)
            .field("listen", &self.listen)
            .field("bootstrap", &self.bootstrap)
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(http: &str) -> IndexerConfig {
        toml::from_str(&format!(
            "data_dir = 'd'\nrpc_url = 'http://key@rpc'\ndeployment = 'c.json'\nnode_key_file = 'k'\n\
             database_url = 'postgres://u:secret@h/d'\nhttp = '{http}'\n"
        ))
        .unwrap()
    }

    #[test]
    fn only_loopback_is_served_and_secrets_are_not_shown() {
        assert!(config("127.0.0.1:8700").check().is_ok());
        assert!(matches!(config("0.0.0.0:8700").check(), Err(ConfigError::Exposed(_))));
        let shown = format!("{:?}", config("127.0.0.1:8700"));
        assert!(!shown.contains("secret") && !shown.contains("key@"), "{shown}");
    }

    #[test]
    fn an_unknown_field_is_refused() {
        assert!(toml::from_str::<IndexerConfig>("data_dir = 'd'\nextra = 1").is_err());
    }
}
