//! The cluster's files: where they are, made by `initdb` once, checked on later starts.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rustix::process::{Pid, test_kill_process};

use crate::exec_child::UserId;
use crate::tools::PostgresBinaries;
use crate::{secret_file, unix_user};

/// The cluster's only role.
pub(super) const USER: &str = "tatum";
/// In the data folder: the path of the cluster, where it is not in the data folder itself.
const LOCATION: &str = "location";
const PASSWORD: &str = "password";

/// A cluster ready to be served.
pub(super) struct Cluster {
    pub(super) data: PathBuf,
    pub(super) password: String,
}

impl Cluster {
    /// `folder` belongs to this process's user and keeps the password; the cluster is in it or, as root and out of the
    /// unprivileged user's reach, in the temporary folder.
    pub(super) async fn open_or_create(
        folder: &Path,
        binaries: &PostgresBinaries,
        user: Option<UserId>,
    ) -> anyhow::Result<Self> {
        let data = locate(folder, user)?;
        let version_file = data.join("PG_VERSION");
        match std::fs::read_to_string(&version_file) {
            Ok(version) if version.trim() == binaries.major.to_string() => {
                let password = folder.join(PASSWORD);
                let password = std::fs::read_to_string(&password).with_context(|| {
                    format!("{} exists but its password {} does not", data.display(), password.display())
                })?;
                Ok(Self { data, password: password.trim().to_owned() })
            }
            Ok(version) => bail!(
                "{} was made by PostgreSQL {}, but {} is version {}; name the matching one with --postgres-bin or use \
                 another --data-dir",
                data.display(),
                version.trim(),
                binaries.postgres.display(),
                binaries.major
            ),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let password = secret_file::load_or_create(&folder.join(PASSWORD), secret_file::random_hex)?;
                create(&data, &password, binaries, user).await?;
                Ok(Self { data, password })
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", version_file.display())),
        }
    }
}

fn locate(folder: &Path, user: Option<UserId>) -> anyhow::Result<PathBuf> {
    let location = folder.join(LOCATION);
    match std::fs::read_to_string(&location) {
        Ok(path) => return Ok(PathBuf::from(path.trim())),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot read {}", location.display()));
        }
        Err(_) => {}
    }
    match user {
        Some(user) if !unix_user::can_reach(user, folder) => {
            let full = folder.canonicalize()?;
            let key = hex::encode(&alloy::primitives::keccak256(full.as_os_str().as_encoded_bytes())[..8]);
            let path = unix_user::shared_folder(&format!("tatum-postgres-{key}"))?.join("cluster");
            tracing::info!(
                "{} is closed to user {}: the database is in {}",
                folder.display(),
                user.uid,
                path.display()
            );
            std::fs::write(&location, path.as_os_str().as_encoded_bytes())?;
            Ok(path)
        }
        _ => Ok(folder.canonicalize()?.join("cluster")),
    }
}

/// Runs `initdb` in a folder that becomes the cluster only once it is complete, so that an interrupted one is not
/// taken for a cluster.
async fn create(
    data: &Path,
    password: &str,
    binaries: &PostgresBinaries,
    user: Option<UserId>,
) -> anyhow::Result<()> {
    let unfinished = data.with_extension("unfinished");
    let password_file = data.with_extension("password");
    remove_leftover(&unfinished, |path| std::fs::remove_dir_all(path))?;
    remove_leftover(&password_file, |path| std::fs::remove_file(path))?;
    std::fs::create_dir(&unfinished).with_context(|| format!("cannot create {}", unfinished.display()))?;
    secret_file::create(&password_file, password)?;
    if let Some(user) = user {
        unix_user::give(&unfinished, user)?;
        unix_user::give(&password_file, user)?;
    }
    let mut command = tokio::process::Command::new(&binaries.initdb);
    command
        .arg("-D")
        .arg(&unfinished)
        .arg(format!("--username={USER}"))
        .arg("--pwfile")
        .arg(&password_file)
        .args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"])
        .current_dir("/")
        .kill_on_drop(true);
    if let Some(user) = user {
        command.gid(user.gid).uid(user.uid);
    }
    let output =
        command.output().await.with_context(|| format!("cannot run {}", binaries.initdb.display()))?;
    std::fs::remove_file(&password_file)
        .with_context(|| format!("cannot remove {}", password_file.display()))?;
    if !output.status.success() {
        bail!(
            "{} failed ({}): {}",
            binaries.initdb.display(),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    std::fs::rename(&unfinished, data).with_context(|| format!("cannot create {}", data.display()))
}

/// Of an interrupted `create`, if there was one.
fn remove_leftover(path: &Path, remove: impl FnOnce(&Path) -> std::io::Result<()>) -> anyhow::Result<()> {
    match remove(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Removes the `postmaster.pid` of a server that was killed. PostgreSQL does so itself unless the number now belongs
/// to another process of its user, which is common right after a machine or container starts.
pub(super) fn clear_stale_pid(data: &Path) -> anyhow::Result<()> {
    let file = data.join("postmaster.pid");
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
    };
    let pid = text.lines().next().and_then(|line| line.trim().parse::<i32>().ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid
        && test_kill_process(pid).is_ok()
        && serves(pid, data)
    {
        bail!(
            "process {} already serves {}; stop the devnet it belongs to, or use another --data-dir",
            pid.as_raw_nonzero(),
            data.display()
        );
    }
    std::fs::remove_file(&file).with_context(|| format!("cannot remove the stale {}", file.display()))
}

/// Whether the process was started with this cluster. Where there is no /proc to tell, PostgreSQL's own check decides.
fn serves(pid: Pid, data: &Path) -> bool {
    std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).is_ok_and(|line| {
        line.split(|byte| *byte == 0).any(|argument| argument == data.as_os_str().as_encoded_bytes())
    })
}
