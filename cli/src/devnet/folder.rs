//! The devnet's data folder: what is where, and that only one devnet uses it at a time.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Paths below the data folder; the folder is locked until this is dropped.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    /// The kernel gives the lock back when the process ends, however it ends.
    _lock: File,
}

impl Folder {
    pub(super) fn open(root: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(root).with_context(|| format!("cannot create {}", root.display()))?;
        let root = root.canonicalize()?;
        let path = root.join("lock");
        let lock = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root, _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                bail!("another devnet runs in {}; stop it or use another --data-dir", root.display())
            }
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    pub fn deployment(&self) -> PathBuf {
        self.root.join("deployment.json")
    }

    pub fn mqtt_password(&self) -> PathBuf {
        self.keys().join("mqtt-password")
    }

    pub(super) fn mqtt_credentials(&self) -> PathBuf {
        self.keys().join("mqtt-credentials.toml")
    }

    pub(super) fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    pub(super) fn anvil(&self) -> PathBuf {
        self.root.join("anvil")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.root.join("postgres")
    }

    /// A process's own folder, made if it is not there.
    pub(super) fn process(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.root.join(name);
        std::fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_devnet_per_folder() {
        let root = tempfile::tempdir().unwrap();
        let first = Folder::open(root.path()).unwrap();
        assert!(Folder::open(root.path()).unwrap_err().to_string().contains("another devnet"));
        drop(first);
        Folder::open(root.path()).unwrap();
    }
}
