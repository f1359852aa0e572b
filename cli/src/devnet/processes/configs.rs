//! Configuration files and command lines of the devnet's own processes.

use std::path::{Path, PathBuf};

use anyhow::Context;
use libp2p::PeerId;
use serde::Serialize;
use tatum_indexer::config::IndexerConfig;
use tatum_node::config::{MqttConfig, NodeConfig};

use super::{Addresses, INDEXER, LIGHT, NodePorts, PUBLISHER, SETTLEMENT, SUBSCRIBER, broker, local};
use crate::devnet::folder::Folder;
use crate::devnet::keys::{MQTT_USER, bls_key, node_key};
use crate::supervise::ChildSpec;

/// What the configuration files share.
#[derive(Clone)]
pub(in crate::devnet) struct Common {
    pub(in crate::devnet) tatum: PathBuf,
    pub(in crate::devnet) rpc_url: String,
    pub(in crate::devnet) deployment: PathBuf,
    pub(in crate::devnet) database_url: String,
    pub(in crate::devnet) indexer_peer: PeerId,
    /// In the order of the brokers.
    pub(in crate::devnet) broker_peers: Vec<PeerId>,
    pub(in crate::devnet) addresses: Addresses,
}

/// As `tatum_settlement` reads it.
#[derive(Serialize)]
struct Settlement {
    rpc_url: String,
    deployment: PathBuf,
    database_url: String,
    key_file: PathBuf,
    http: std::net::SocketAddr,
}

impl Common {
    pub(in crate::devnet) fn indexer(&self, folder: &Folder) -> anyhow::Result<ChildSpec> {
        let own = folder.process(INDEXER)?;
        let config = IndexerConfig {
            data_dir: own.clone(),
            rpc_url: self.rpc_url.clone(),
            deployment: self.deployment.clone(),
            node_key_file: folder.keys().join("indexer.key"),
            database_url: self.database_url.clone(),
            listen: listen(self.addresses.indexer_p2p),
            bootstrap: Vec::new(),
            http: local(self.addresses.indexer_http),
        };
        self.command(INDEXER, INDEXER, &own, &config)
    }

    pub(in crate::devnet) fn settlement(&self, folder: &Folder) -> anyhow::Result<ChildSpec> {
        let own = folder.process(SETTLEMENT)?;
        let config = Settlement {
            rpc_url: self.rpc_url.clone(),
            deployment: self.deployment.clone(),
            database_url: self.database_url.clone(),
            key_file: folder.keys().join("settlement.key"),
            http: local(self.addresses.settlement_http),
        };
        self.command(SETTLEMENT, SETTLEMENT, &own, &config)
    }

    /// `number` counts from 1.
    pub(in crate::devnet) fn broker(
        &self,
        folder: &Folder,
        number: u8,
        equivocate: bool,
    ) -> anyhow::Result<ChildSpec> {
        let name = broker(number);
        let index = usize::from(number).checked_sub(1);
        let ports = index.and_then(|index| self.addresses.brokers.get(index)).context("no such broker")?;
        let keys = folder.keys();
        let credentials_file = folder.mqtt_credentials();
        let config = NodeConfig {
            bls_key_file: Some(keys.join(bls_key(number))),
            mqtt: ports.mqtt.map(|port| MqttConfig { listen: local(port), credentials_file }),
            ..self.node_config(keys.join(node_key(number)), Some(number))
        };
        let spec = self.node(folder, &name, ports, config)?;
        Ok(if equivocate { spec.args(["--equivocate"]) } else { spec })
    }

    /// A node that works for no operator and receives `part` on its own account.
    pub(in crate::devnet) fn light(&self, folder: &Folder, part: String) -> anyhow::Result<ChildSpec> {
        let shared = self.node_config(folder.keys().join("light.key"), None);
        let config = NodeConfig { subscriptions: vec![part], ..shared };
        self.node(folder, LIGHT, &self.addresses.light, config)
    }

    /// What all nodes share; `number` is the broker's, which is not told to dial itself.
    fn node_config(&self, node_key_file: PathBuf, number: Option<u8>) -> NodeConfig {
        let indexer = dial(self.addresses.indexer_p2p, self.indexer_peer);
        let brokers = (1_u8..).zip(self.addresses.brokers.iter().zip(&self.broker_peers));
        let others = brokers.filter(|(other, _)| Some(*other) != number);
        let mut bootstrap: Vec<String> = others.map(|(_, (ports, peer))| dial(ports.p2p, *peer)).collect();
        bootstrap.push(indexer.clone());
        NodeConfig {
            data_dir: PathBuf::new(),
            rpc_url: self.rpc_url.clone(),
            deployment: self.deployment.clone(),
            node_key_file,
            bls_key_file: None,
            listen: Vec::new(),
            bootstrap,
            indexers: vec![indexer],
            mqtt: None,
            http: None,
            subscriptions: Vec::new(),
            equivocate: false,
        }
    }

    fn node(
        &self,
        folder: &Folder,
        name: &str,
        ports: &NodePorts,
        config: NodeConfig,
    ) -> anyhow::Result<ChildSpec> {
        let own = folder.process(name)?;
        let (listen, http) = (listen(ports.p2p), Some(local(ports.http)));
        self.command(name, "node", &own, &NodeConfig { data_dir: own.clone(), listen, http, ..config })
    }

    /// Writes the configuration into the process's folder. It may hold the database's password, so nobody else reads it.
    fn command<C: Serialize>(
        &self,
        name: &str,
        command: &str,
        own: &Path,
        config: &C,
    ) -> anyhow::Result<ChildSpec> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let path = own.join("config.toml");
        let text = toml::to_string_pretty(config).with_context(|| format!("configuration of {name}"))?;
        let write = || {
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&path)?;
            file.write_all(text.as_bytes())
        };
        write().with_context(|| format!("cannot write {}", path.display()))?;
        Ok(ChildSpec::new(name, &self.tatum).args([
            command.into(),
            std::ffi::OsString::from("--config"),
            path.into_os_string(),
        ]))
    }

    /// Telemetry through broker 1, failing over to the others.
    pub(in crate::devnet) fn publisher(&self, folder: &Folder, stream: &str, interval_ms: u64) -> ChildSpec {
        self.client(folder, PUBLISHER, "publish", stream, 0).args([
            "--telemetry",
            "--json",
            "--interval-ms",
            &interval_ms.to_string(),
        ])
    }

    /// Through brokers 2 and 3 where there are so many.
    pub(in crate::devnet) fn subscriber(&self, folder: &Folder, stream: &str) -> ChildSpec {
        self.client(folder, SUBSCRIBER, "subscribe", stream, 1).args(["--json", "--quiet"])
    }

    fn client(&self, folder: &Folder, name: &str, command: &str, stream: &str, first: usize) -> ChildSpec {
        let mut gateways = self.addresses.mqtt();
        let count = gateways.len().max(1);
        gateways.rotate_left(first % count);
        let brokers = gateways.into_iter().flat_map(|gateway| ["--broker".to_owned(), gateway.to_string()]);
        ChildSpec::new(name, &self.tatum)
            .args([command, "--stream", stream, "--user", MQTT_USER, "--password-file"])
            .args([folder.mqtt_password()])
            .args(brokers)
    }
}

fn listen(port: u16) -> Vec<String> {
    vec![format!("/ip4/127.0.0.1/tcp/{port}"), format!("/ip4/127.0.0.1/udp/{port}/quic-v1")]
}

fn dial(port: u16, peer: PeerId) -> String {
    format!("/ip4/127.0.0.1/tcp/{port}/p2p/{peer}")
}
