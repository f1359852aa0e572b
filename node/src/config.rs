//! What a node is told at start.

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The TOML file of `tatum node --config`. Relative paths are relative to the file's folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    pub data_dir: PathBuf,
    /// HTTP JSON-RPC of the chain.
    pub rpc_url: String,
    /// Deployment file: chain id and contract addresses.
    pub deployment: PathBuf,
    /// Secp256k1 secret of the node, hex, mode 0600.
    pub node_key_file: PathBuf,
    /// BLS secret of the operator, hex, mode 0600. Without it this is a light node: it receives, relays and signs receipts, and attests nothing.
    #[serde(default)]
    pub bls_key_file: Option<PathBuf>,
    /// Multiaddrs to accept nodes on, for TCP and for QUIC.
    #[serde(default)]
    pub listen: Vec<String>,
    /// Multiaddrs of known nodes, ending in `/p2p/<peer id>`.
    #[serde(default)]
    pub bootstrap: Vec<String>,
    /// Multiaddrs of indexers, ending in `/p2p/<peer id>`; every one of them gets all evidence.
    #[serde(default)]
    pub indexers: Vec<String>,
    #[serde(default)]
    pub mqtt: Option<MqttConfig>,
    /// `/healthz`, `/metrics` and `/status`. No authentication: loopback only.
    #[serde(default)]
    pub http: Option<SocketAddr>,
    /// Stream parts (`id#partition`) received on this node's own account.
    #[serde(default)]
    pub subscriptions: Vec<String>,
    /// Fault injection for tests and demonstrations: sign contradicting receipts, and lose stake for it.
    #[serde(skip)]
    pub equivocate: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MqttConfig {
    /// Plain TCP: loopback only, TLS is to be terminated before it.
    pub listen: SocketAddr,
    pub credentials_file: PathBuf,
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read {}: {source}; name an existing node configuration", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{} is not a node configuration: {source}", path.display())]
    Parse { path: PathBuf, source: Box<toml::de::Error> },
    #[error(
        "{what} is to listen on {address}, which is not loopback; it has no TLS, so put a proxy with TLS before it"
    )]
    Exposed { what: &'static str, address: SocketAddr },
}

impl NodeConfig {
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let mut config: Self = toml::from_str(&text)
            .map_err(|source| ConfigError::Parse { path: path.to_owned(), source: Box::new(source) })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let files = [&mut config.data_dir, &mut config.deployment, &mut config.node_key_file];
        let credentials = config.mqtt.as_mut().map(|mqtt| &mut mqtt.credentials_file);
        for file in files.into_iter().chain(config.bls_key_file.as_mut()).chain(credentials) {
            *file = folder.join(&*file);
        }
        Ok(config)
    }

    /// Refuses what must not be started.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mqtt = self.mqtt.as_ref().map(|mqtt| ("the MQTT gateway", mqtt.listen));
        let exposed = mqtt.into_iter().chain(self.http.map(|http| ("the status page", http)));
        match exposed.into_iter().find(|(_, address)| !address.ip().is_loopback()) {
            Some((what, address)) => Err(ConfigError::Exposed { what, address }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_file_and_exposure_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.toml");
        let text = "data_dir = \"data\"\nrpc_url = \"http://127.0.0.1:1\"\ndeployment = \"d.json\"\n\
                    node_key_file = \"/keys/node\"\n[mqtt]\nlisten = \"0.0.0.0:1883\"\ncredentials_file = \"c.toml\"\n";
        std::fs::write(&path, text).unwrap();
        let config = NodeConfig::load(&path).unwrap();
        assert_eq!(config.data_dir, dir.path().join("data"));
        assert_eq!(config.node_key_file, Path::new("/keys/node"));
        assert_eq!(config.mqtt.as_ref().unwrap().credentials_file, dir.path().join("c.toml"));
        assert!(matches!(config.check(), Err(ConfigError::Exposed { .. })));
        std::fs::write(&path, format!("equivocate = true\n{text}")).unwrap();
        assert!(
            matches!(NodeConfig::load(&path), Err(ConfigError::Parse { .. })),
            "the flag is for the command line"
        );
    }
}
