//! Key files and what follows from a key: the node's address, its libp2p identity, its operator's BLS key.
//!
//! A node has one secp256k1 key. Its Ethereum address and its peer id are two spellings of the same public key, so
//! knowing who is at the other end of a connection needs no handshake of our own.
//!
//! Files hold 32 bytes as hex and are readable by their owner only. Encrypted key stores are left out.

use libp2p::PeerId;
use libp2p::identity::{self, PublicKey, secp256k1};
use rand::TryRngCore;
use rand::rngs::OsRng;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tatum_protocol::bls::SecretKey;
use tatum_protocol::secp::{Signer, address_of_public_key};
use tatum_protocol::{Address, B256};

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("key file {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("key file {} exists already; it is never overwritten, move it away to make a new key", .0.display())]
    Exists(PathBuf),
    #[error("key file {} has mode {mode:o}; others can read it. Run: chmod 600 {}", path.display(), path.display())]
    Mode { path: PathBuf, mode: u32 },
    #[error("key file {}: expected 64 hexadecimal digits", .0.display())]
    Hex(PathBuf),
    #[error("key file {}: {reason}", path.display())]
    Key { path: PathBuf, reason: String },
    #[error("the system's random generator failed: {0}")]
    Random(String),
}

/// The key of a node. Its debug form shows the address only.
#[derive(Clone)]
pub struct NodeKey {
    signer: Signer,
    keypair: identity::Keypair,
}

impl NodeKey {
    /// From a secret scalar; the error says what is wrong with it.
    pub fn from_bytes(mut secret: [u8; 32]) -> Result<Self, String> {
        let signer = Signer::from_bytes(secret).map_err(|error| error.to_string())?;
        // `try_from_bytes` wipes what it is given.
        let key = secp256k1::SecretKey::try_from_bytes(&mut secret).map_err(|error| error.to_string())?;
        Ok(Self { signer, keypair: secp256k1::Keypair::from(key).into() })
    }

    /// Reads a key file.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        Self::from_bytes(read_secret(path)?).map_err(|reason| KeyError::Key { path: path.to_owned(), reason })
    }

    pub fn address(&self) -> Address {
        self.signer.address()
    }

    pub fn peer_id(&self) -> PeerId {
        self.keypair.public().to_peer_id()
    }

    pub fn keypair(&self) -> &identity::Keypair {
        &self.keypair
    }

    pub fn signer(&self) -> &Signer {
        &self.signer
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeKey({})", self.address())
    }
}

/// Makes a node key and writes it to a new file of mode 0600.
pub fn generate_node_key_file(path: &Path) -> Result<NodeKey, KeyError> {
    let (key, secret) = draw(|bytes| NodeKey::from_bytes(bytes).ok())?;
    write_secret(path, &secret)?;
    Ok(key)
}

/// Reads an operator's BLS key.
pub fn load_bls_key(path: &Path) -> Result<SecretKey, KeyError> {
    let secret = read_secret(path)?;
    SecretKey::from_bytes(&secret)
        .map_err(|error| KeyError::Key { path: path.to_owned(), reason: error.to_string() })
}

/// Makes an operator's BLS key and writes it to a new file of mode 0600.
pub fn generate_bls_key_file(path: &Path) -> Result<SecretKey, KeyError> {
    let (key, secret) = draw(|bytes| SecretKey::from_bytes(&bytes).ok())?;
    write_secret(path, &secret)?;
    Ok(key)
}

/// Address of a peer whose id carries a secp256k1 public key; `None` for every other kind of key.
pub fn address_of_peer(peer: &PeerId) -> Option<Address> {
    /// Multihash code of ids that are the public key itself.
    const IDENTITY: u64 = 0;
    let hash = peer.as_ref();
    if hash.code() != IDENTITY {
        return None;
    }
    let key = PublicKey::try_decode_protobuf(hash.digest()).ok()?.try_into_secp256k1().ok()?;
    address_of_public_key(&key.to_bytes()).ok()
}

/// 32 random bytes.
pub fn random_bytes() -> Result<[u8; 32], KeyError> {
    let mut bytes = [0; 32];
    OsRng.try_fill_bytes(&mut bytes).map_err(|error| KeyError::Random(error.to_string()))?;
    Ok(bytes)
}

/// Draws until the bytes are a key: not every 32 bytes are below a group order.
fn draw<K>(make: impl Fn([u8; 32]) -> Option<K>) -> Result<(K, [u8; 32]), KeyError> {
    loop {
        let secret = random_bytes()?;
        if let Some(key) = make(secret) {
            return Ok((key, secret));
        }
    }
}

fn read_secret(path: &Path) -> Result<[u8; 32], KeyError> {
    let io = |source| KeyError::Io { path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Mode { path: path.to_owned(), mode });
    }
    let text = fs::read_to_string(path).map_err(io)?;
    text.trim().parse::<B256>().map(|secret| secret.0).map_err(|_| KeyError::Hex(path.to_owned()))
}

fn write_secret(path: &Path, secret: &[u8; 32]) -> Result<(), KeyError> {
    let io = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Exists(path.to_owned()),
        _ => KeyError::Io { path: path.to_owned(), source },
    };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(io)?;
    writeln!(file, "{}", hex::encode(secret)).map_err(io)?;
    file.sync_all().map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_key_is_private_and_loads_as_the_same_identity() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.key");
        let key = generate_node_key_file(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let loaded = NodeKey::load(&path).unwrap();
        assert_eq!((loaded.address(), loaded.peer_id()), (key.address(), key.peer_id()));
        assert_eq!(address_of_peer(&key.peer_id()), Some(key.address()));
        assert!(matches!(generate_node_key_file(&path), Err(KeyError::Exists(_))));
    }

    #[test]
    fn unusable_files_are_refused_with_the_reason() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        assert!(matches!(NodeKey::load(&path), Err(KeyError::Io { .. })));
        fs::write(&path, "ab").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(NodeKey::load(&path), Err(KeyError::Mode { mode: 0o644, .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(NodeKey::load(&path), Err(KeyError::Hex(_))));
        fs::write(&path, "00".repeat(32)).unwrap();
        assert!(matches!(NodeKey::load(&path), Err(KeyError::Key { .. })));
    }

    #[test]
    fn other_kinds_of_peer_have_no_address() {
        let peer = identity::Keypair::generate_ed25519().public().to_peer_id();
        assert_eq!(address_of_peer(&peer), None);
    }

    #[test]
    fn a_bls_key_file_round_trips() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bls.key");
        let key = generate_bls_key_file(&path).unwrap();
        assert_eq!(load_bls_key(&path).unwrap().public_key(), key.public_key());
    }
}
