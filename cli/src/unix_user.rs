//! The unprivileged user that PostgreSQL runs as when this process is root (it refuses to run as root itself), and
//! which folders that user can reach.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::exec_child::UserId;

/// Tried in this order.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];
const PASSWD: &str = "/etc/passwd";

/// The user to drop to: `None` if this process is not root.
pub fn unprivileged() -> anyhow::Result<Option<UserId>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let passwd = std::fs::read_to_string(PASSWD).with_context(|| format!("cannot read {PASSWD}"))?;
    match CANDIDATES.iter().find_map(|name| find(&passwd, name)) {
        Some(user) => Ok(Some(user)),
        None => bail!(
            "PostgreSQL does not run as root, and {PASSWD} has none of the users {}; run this as another user",
            CANDIDATES.join(", ")
        ),
    }
}

fn find(passwd: &str, name: &str) -> Option<UserId> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        (uid != 0).then_some(UserId { uid, gid })
    })
}

/// Whether the user may walk to `folder`: it needs the execute bit of every folder on the way.
pub fn can_reach(user: UserId, folder: &Path) -> bool {
    let Ok(folder) = folder.canonicalize() else { return false };
    folder.ancestors().all(|ancestor| {
        ancestor.metadata().is_ok_and(|data| {
            let bit = if data.uid() == user.uid {
                0o100
            } else if data.gid() == user.gid {
                0o010
            } else {
                0o001
            };
            data.mode() & bit != 0
        })
    })
}

/// Gives a file or folder to the user.
pub fn give(path: &Path, user: UserId) -> anyhow::Result<()> {
    chown(path, Some(user.uid), Some(user.gid))
        .with_context(|| format!("cannot give {} to user {}", path.display(), user.uid))
}

/// A folder below the system's temporary one that belongs to this process's user and that others can enter. Anyone
/// can create names there, so one that exists but belongs to somebody else is refused.
pub fn shared_folder(name: &str) -> anyhow::Result<PathBuf> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    let path = std::env::temp_dir().join(name);
    match std::fs::DirBuilder::new().mode(0o755).create(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).with_context(|| format!("cannot create {}", path.display())),
    }
    let data = std::fs::symlink_metadata(&path)?;
    let own = rustix::process::geteuid().as_raw();
    if !data.is_dir() || data.uid() != own {
        bail!("{} must be a folder of user {own} but is not; remove it or set TMPDIR", path.display());
    }
    // The umask may have narrowed it.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read_from_passwd_and_root_is_none_of_them() {
        let passwd = "root:x:0:0::/root:/bin/sh\npostgres:x:101:104:,,,:/var:/bin/sh\nnobody:x:0:0::/:/x\n";
        assert_eq!(find(passwd, "postgres"), Some(UserId { uid: 101, gid: 104 }));
        assert_eq!(find(passwd, "nobody"), None);
        assert_eq!(find(passwd, "post"), None);
    }

    #[test]
    fn a_closed_folder_on_the_way_is_noticed() {
        use std::os::unix::fs::PermissionsExt;
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let stranger = UserId { uid: 4_000_000, gid: 4_000_000 };
        let close = |mode| {
            std::fs::set_permissions(outer.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        close(0o700);
        assert!(!can_reach(stranger, &inner));
        close(0o711);
        // The rest of the way, to the temporary folder, is open to all wherever tests run.
        assert_eq!(can_reach(stranger, &inner), can_reach(stranger, &std::env::temp_dir()));
    }
}
