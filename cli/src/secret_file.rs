//! Files that only their owner may read.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;

/// Creates the file with mode 0600; one that exists is an error, because a secret is never overwritten.
pub fn create(path: &Path, content: &str) -> anyhow::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot create {}", path.display()))?;
    file.write_all(content.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}

/// The file's content without surrounding white space, made by `generate` if the file does not exist.
pub fn load_or_create(path: &Path, generate: impl FnOnce() -> String) -> anyhow::Result<String> {
    match std::fs::read_to_string(path) {
        Ok(content) => Ok(content.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let content = generate();
            create(path, &content)?;
            Ok(content)
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// 32 random bytes as hex: a password, or a secret key (the chance that it is not a valid one is 2^-128).
pub fn random_hex() -> String {
    hex::encode(rand::random::<[u8; 32]>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn created_once_read_afterwards_and_closed_to_others() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let first = load_or_create(&path, random_hex).unwrap();
        assert_eq!(load_or_create(&path, || panic!("exists")).unwrap(), first);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(create(&path, "other").is_err());
    }
}
