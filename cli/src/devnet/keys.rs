//! The devnet's keys: made on the first run, read on later ones.
//!
//! The sponsor deploys the contracts, holds all DATA, owns the stream and pays for it. Each operator has an owner account, a
//! node and a BLS key. All are random and worth nothing outside their chain.

use std::path::Path;

use alloy::primitives::Address;
use alloy::signers::local::PrivateKeySigner;
use anyhow::Context;
use tatum_node::gateway::credentials::{self, CredentialFile};
use tatum_node::keys::{NodeKey, generate_bls_key_file, generate_node_key_file, load_bls_key};
use tatum_protocol::bls::SecretKey;

use super::folder::Folder;
use crate::secret_file;

/// Name of the gateway credential.
pub const MQTT_USER: &str = "devnet";

/// Everything the devnet signs with.
#[derive(Debug)]
pub struct Keys {
    pub sponsor: PrivateKeySigner,
    /// Pays the settlement process's gas.
    pub settlement: PrivateKeySigner,
    pub operators: Vec<OperatorKeys>,
    pub indexer: NodeKey,
    pub light: NodeKey,
}

/// Keys of one operator.
#[derive(Debug)]
pub struct OperatorKeys {
    pub owner: PrivateKeySigner,
    pub node: NodeKey,
    pub bls: SecretKey,
}

impl OperatorKeys {
    /// The broker's address: what signs frames and receipts.
    pub fn node_address(&self) -> Address {
        self.node.address()
    }
}

impl Keys {
    pub(super) fn load_or_create(folder: &Folder, operators: u8) -> anyhow::Result<Self> {
        let keys = folder.keys();
        std::fs::create_dir_all(&keys).with_context(|| format!("cannot create {}", keys.display()))?;
        let operator = |number: u8| -> anyhow::Result<OperatorKeys> {
            Ok(OperatorKeys {
                owner: account(&keys.join(format!("operator-{number}.key")))?,
                node: node(&keys.join(node_key(number)))?,
                bls: bls(&keys.join(bls_key(number)))?,
            })
        };
        Ok(Self {
            sponsor: account(&keys.join("sponsor.key"))?,
            settlement: account(&keys.join("settlement.key"))?,
            operators: (1..=operators).map(operator).collect::<anyhow::Result<_>>()?,
            indexer: node(&keys.join("indexer.key"))?,
            light: node(&keys.join("light.key"))?,
        })
    }
}

/// File name of a broker's node key.
pub(super) fn node_key(number: u8) -> String {
    format!("broker-{number}.key")
}

/// File name of an operator's BLS key.
pub(super) fn bls_key(number: u8) -> String {
    format!("broker-{number}.bls")
}

/// The gateways' credential: hashed in one file that all brokers read, in the clear in one that clients read. Both are
/// made anew if one is missing: a run that was interrupted between them.
pub(super) fn mqtt_credential(folder: &Folder) -> anyhow::Result<()> {
    let (hashed, clear) = (folder.mqtt_credentials(), folder.mqtt_password());
    if hashed.is_file() && clear.is_file() {
        return Ok(());
    }
    for path in [&hashed, &clear] {
        if path.is_file() {
            std::fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    let (credential, password) = credentials::generate(MQTT_USER)?;
    secret_file::create(&clear, &password)?;
    CredentialFile { credentials: vec![credential] }.save(&hashed)?;
    Ok(())
}

fn account(path: &Path) -> anyhow::Result<PrivateKeySigner> {
    let secret = secret_file::load_or_create(path, secret_file::random_hex)?;
    secret.parse().with_context(|| format!("{} holds no secp256k1 secret in hex", path.display()))
}

fn node(path: &Path) -> anyhow::Result<NodeKey> {
    Ok(if path.exists() { NodeKey::load(path)? } else { generate_node_key_file(path)? })
}

fn bls(path: &Path) -> anyhow::Result<SecretKey> {
    Ok(if path.exists() { load_bls_key(path)? } else { generate_bls_key_file(path)? })
}
