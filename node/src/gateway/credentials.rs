//! Credentials of gateway clients: generated here, stored as argon2id hashes, checked off the async threads.
//!
//! Comparing is argon2's, in constant time. An unknown name costs as much as a wrong password, so names cannot be guessed by the clock; and
//! an address that keeps failing is put off before any hashing.

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

use crate::keys::{KeyError, random_bytes};

/// Failures that an address has free, and how long one of them counts.
const FAILURES: usize = 10;
const FAILURE_AGE: Duration = Duration::from_secs(60);
/// Addresses whose failures are remembered.
const ADDRESSES: usize = 10_000;
/// Checks at once: each takes 19 MiB and tens of milliseconds.
const CHECKS: usize = 4;

/// A client's name and the hash of its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    pub name: String,
    /// argon2id in PHC format.
    pub hash: String,
}

/// The credentials file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialFile {
    #[serde(default, rename = "credential")]
    pub credentials: Vec<Credential>,
}

#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    #[error("credentials file {}: {reason}", path.display())]
    File { path: PathBuf, reason: String },
    #[error("credential {name:?} has a hash that is not argon2id in PHC format: {reason}")]
    Hash { name: String, reason: String },
    #[error(transparent)]
    Random(#[from] KeyError),
}

/// Draws a password for `name`. The plain password is returned once and stored nowhere.
pub fn generate(name: &str) -> Result<(Credential, String), CredentialError> {
    let password = hex::encode(&random_bytes()?[..16]);
    let bad = |error: argon2::password_hash::Error| CredentialError::Hash {
        name: name.to_owned(),
        reason: error.to_string(),
    };
    let salt = SaltString::encode_b64(&random_bytes()?[..16]).map_err(bad)?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt).map_err(bad)?.to_string();
    Ok((Credential { name: name.to_owned(), hash }, password))
}

impl CredentialFile {
    pub fn load(path: &Path) -> Result<Self, CredentialError> {
        let bad = |reason: String| CredentialError::File { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
        let file: Self = toml::from_str(&text).map_err(|error| bad(error.to_string()))?;
        for Credential { name, hash } in &file.credentials {
            let hash = PasswordHash::new(hash)
                .map_err(|error| CredentialError::Hash { name: name.clone(), reason: error.to_string() })?;
            if hash.algorithm != argon2::ARGON2ID_IDENT {
                let reason = format!("algorithm is {}", hash.algorithm);
                return Err(CredentialError::Hash { name: name.clone(), reason });
            }
        }
        Ok(file)
    }

    /// Writes the file whole, mode 0600.
    pub fn save(&self, path: &Path) -> Result<(), CredentialError> {
        let bad = |reason: String| CredentialError::File { path: path.to_owned(), reason };
        let text = toml::to_string(self).map_err(|error| bad(error.to_string()))?;
        let partial = path.with_extension("partial");
        let write = || -> std::io::Result<()> {
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&partial, path)
        };
        write().map_err(|error| bad(error.to_string()))
    }
}

/// Why a client was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    #[error("no credentials were given; a user name and a password are required")]
    Missing,
    #[error("user name or password is wrong")]
    Wrong,
    #[error("too many failed attempts from this address; try again in a minute")]
    TooMany,
}

/// Checks clients against a credentials file.
#[derive(Debug)]
pub struct Authenticator {
    hashes: HashMap<String, String>,
    /// Checked in place of an unknown name's.
    decoy: String,
    failures: Mutex<HashMap<IpAddr, Vec<Instant>>>,
    checks: Semaphore,
}

impl Authenticator {
    pub fn new(file: CredentialFile) -> Result<Self, CredentialError> {
        let hashes = file.credentials.into_iter().map(|c| (c.name, c.hash)).collect();
        let decoy = generate("decoy")?.0.hash;
        Ok(Self { hashes, decoy, failures: Mutex::default(), checks: Semaphore::new(CHECKS) })
    }

    pub async fn check(
        self: &Arc<Self>,
        from: IpAddr,
        name: Option<&str>,
        password: Option<&[u8]>,
    ) -> Result<(), AuthError> {
        let (Some(name), Some(password)) = (name, password) else { return Err(AuthError::Missing) };
        if self.is_put_off(from) {
            return Err(AuthError::TooMany);
        }
        let known = self.hashes.get(name);
        let hash = known.unwrap_or(&self.decoy).clone();
        let password = password.to_vec();
        // The semaphore is never closed.
        let _permit = self.checks.acquire().await.map_err(|_| AuthError::TooMany)?;
        let matches = tokio::task::spawn_blocking(move || {
            PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(&password, &hash).is_ok())
        });
        if matches.await.unwrap_or(false) && known.is_some() {
            return Ok(());
        }
        self.failed(from);
        Err(AuthError::Wrong)
    }

    fn is_put_off(&self, from: IpAddr) -> bool {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(times) = failures.get_mut(&from) else { return false };
        times.retain(|time| time.elapsed() < FAILURE_AGE);
        times.len() >= FAILURES
    }

    fn failed(&self, from: IpAddr) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= ADDRESSES {
            failures.retain(|_, times| times.iter().any(|time| time.elapsed() < FAILURE_AGE));
        }
        if failures.len() < ADDRESSES || failures.contains_key(&from) {
            failures.entry(from).or_default().push(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_a_known_name_passes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("credentials.toml");
        let (credential, password) = generate("device").unwrap();
        let file = CredentialFile { credentials: vec![credential] };
        file.save(&path).unwrap();
        let loaded = CredentialFile::load(&path).unwrap();
        assert_eq!(loaded, file);
        assert!(!std::fs::read_to_string(&path).unwrap().contains(&password));

        let auth = Arc::new(Authenticator::new(loaded).unwrap());
        let from = IpAddr::from([127, 0, 0, 1]);
        let word = password.as_bytes();
        assert_eq!(auth.check(from, Some("device"), Some(word)).await, Ok(()));
        assert_eq!(auth.check(from, Some("device"), None).await, Err(AuthError::Missing));
        for _ in 0..FAILURES {
            assert_eq!(auth.check(from, Some("other"), Some(word)).await, Err(AuthError::Wrong));
        }
        assert_eq!(auth.check(from, Some("device"), Some(word)).await, Err(AuthError::TooMany));
        let elsewhere = IpAddr::from([127, 0, 0, 2]);
        assert_eq!(auth.check(elsewhere, Some("device"), Some(word)).await, Ok(()));
    }

    #[test]
    fn hashes_of_another_kind_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("credentials.toml");
        std::fs::write(&path, "[[credential]]\nname = \"a\"\nhash = \"plain\"\n").unwrap();
        assert!(matches!(CredentialFile::load(&path), Err(CredentialError::Hash { .. })));
        std::fs::write(&path, "unknown = 1\n").unwrap();
        assert!(matches!(CredentialFile::load(&path), Err(CredentialError::File { .. })));
    }
}
