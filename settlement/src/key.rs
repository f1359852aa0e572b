//! The key that pays gas.

use alloy::signers::local::PrivateKeySigner;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("key file {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("key file {path} has mode {mode:03o}; nobody but its owner may read it (chmod 600)")]
    Exposed { path: PathBuf, mode: u32 },
    // Without the cause, which may quote the key.
    #[error("key file {path} is not a hex secp256k1 secret of 32 bytes")]
    Format { path: PathBuf },
}

/// Reads a hex secret, with or without `0x`.
pub fn load(path: &Path) -> Result<PrivateKeySigner, KeyError> {
    let read = |source| KeyError::Read { path: path.to_owned(), source };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let mode = std::fs::metadata(path).map_err(read)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed { path: path.to_owned(), mode });
        }
    }
    let text = std::fs::read_to_string(path).map_err(read)?;
    text.trim().parse().map_err(|_| KeyError::Format { path: path.to_owned() })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("0x{}\n", "11".repeat(32))).unwrap();
        let mode =
            |mode| std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        mode(0o644);
        assert!(matches!(load(file.path()), Err(KeyError::Exposed { mode: 0o644, .. })));
        mode(0o600);
        assert!(load(file.path()).is_ok());
        std::fs::write(file.path(), "0xhunter2").unwrap();
        let error = load(file.path()).unwrap_err();
        assert!(matches!(error, KeyError::Format { .. }) && !error.to_string().contains("hunter2"));
    }
}
