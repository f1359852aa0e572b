//! `tatum init`: a node's keys, its gateway credential and a configuration to start from.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use tatum_node::gateway::credentials::{self, CredentialFile};
use tatum_node::keys::{generate_bls_key_file, generate_node_key_file};

use crate::secret_file;

/// Arguments of `tatum init`.
#[derive(Clone, Debug, Args)]
pub(super) struct InitArgs {
    /// Folder to fill; it may exist but hold no node yet
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// JSON-RPC of the chain
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8545")]
    rpc_url: String,
    /// Deployment file that `tatum deploy` wrote, relative to the folder
    #[arg(long, value_name = "FILE", default_value = "deployment.json")]
    deployment: PathBuf,
    /// Name of the gateway's credential
    #[arg(long, value_name = "NAME", default_value = "tatum")]
    user: String,
    /// No BLS key: the node works for no operator and attests nothing
    #[arg(long)]
    light: bool,
}

const CONFIG: &str = "node.toml";
const NODE_KEY: &str = "node.key";
const BLS_KEY: &str = "bls.key";
const CREDENTIALS: &str = "mqtt-credentials.toml";

/// Makes the files; nothing that exists is overwritten.
pub(super) fn run(arguments: &InitArgs) -> anyhow::Result<()> {
    let dir = &arguments.dir;
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    for name in [CONFIG, NODE_KEY, BLS_KEY, CREDENTIALS] {
        if dir.join(name).exists() {
            bail!("{} exists; move it away or use another --dir", dir.join(name).display());
        }
    }
    let node = generate_node_key_file(&dir.join(NODE_KEY))?;
    if !arguments.light {
        generate_bls_key_file(&dir.join(BLS_KEY))?;
    }
    let (credential, password) = credentials::generate(&arguments.user)?;
    CredentialFile { credentials: vec![credential] }.save(&dir.join(CREDENTIALS))?;
    secret_file::create(&dir.join(CONFIG), &config(arguments))?;
    println!("node address   {}", node.address());
    println!("peer id        {}", node.peer_id());
    println!("MQTT user      {}", arguments.user);
    println!("MQTT password  {password}");
    println!(
        "\nThe password is stored hashed only: note it now. Keys are in {}, readable by you only.",
        dir.display()
    );
    println!("Next: tatum node --config {}", Path::new(dir).join(CONFIG).display());
    Ok(())
}

/// Text, not a serialized structure, for its comments. Strings are quoted as TOML wants them.
fn config(arguments: &InitArgs) -> String {
    let text = |value: &str| toml::Value::String(value.to_owned()).to_string();
    let bls = if arguments.light {
        "# A light node: it has no bls_key_file, works for no operator and attests nothing.\n".to_owned()
    } else {
        format!(
            "# The key that the operator registers; it signs what the node attests.\nbls_key_file = \"{BLS_KEY}\"\n"
        )
    };
    format!(
        "# Paths are relative to this file's folder.\n\
         data_dir = \"data\"\n\
         rpc_url = {}\n\
         # What `tatum deploy` wrote, or the file of the network to join.\n\
         deployment = {}\n\
         node_key_file = \"{NODE_KEY}\"\n\
         {bls}\
         # A broker that earns is reachable by all: open this port for TCP and UDP.\n\
         listen = [\"/ip4/0.0.0.0/tcp/4100\", \"/ip4/0.0.0.0/udp/4100/quic-v1\"]\n\
         # Known nodes, as multiaddresses that end in /p2p/<peer id>.\n\
         bootstrap = []\n\
         # Indexers, likewise: each is sent all receipts.\n\
         indexers = []\n\
         # Health, metrics and status.\n\
         http = \"127.0.0.1:7180\"\n\
         # Stream parts to receive on this node's own account, as \"<stream id>#<partition>\".\n\
         subscriptions = []\n\
         \n\
         [mqtt]\n\
         # Loopback: devices elsewhere need a tunnel until the gateway speaks TLS.\n\
         listen = \"127.0.0.1:1883\"\n\
         credentials_file = \"{CREDENTIALS}\"\n",
        text(&arguments.rpc_url),
        text(&arguments.deployment.to_string_lossy()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use tatum_node::config::NodeConfig;

    fn arguments(dir: &Path, light: bool) -> InitArgs {
        InitArgs {
            dir: dir.to_path_buf(),
            rpc_url: "http://localhost/a\"b".into(),
            deployment: "d.json".into(),
            user: "me".into(),
            light,
        }
    }

    #[test]
    fn what_init_makes_a_node_can_read_and_a_second_init_does_not_overwrite() {
        let folder = tempfile::tempdir().unwrap();
        let arguments = arguments(folder.path(), false);
        run(&arguments).unwrap();
        let config = NodeConfig::load(&folder.path().join(CONFIG)).unwrap();
        assert_eq!(config.rpc_url, "http://localhost/a\"b");
        assert!(config.bls_key_file.is_some_and(|path| path.is_file()));
        assert!(config.mqtt.is_some_and(|mqtt| mqtt.credentials_file.is_file()));
        let error = run(&arguments).unwrap_err();
        assert!(error.to_string().contains("exists"), "{error}");
    }

    #[test]
    fn a_light_node_has_no_bls_key() {
        let folder = tempfile::tempdir().unwrap();
        run(&arguments(folder.path(), true)).unwrap();
        assert!(NodeConfig::load(&folder.path().join(CONFIG)).unwrap().bls_key_file.is_none());
        assert!(!folder.path().join(BLS_KEY).exists());
    }
}
