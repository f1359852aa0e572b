//! `npm ci` of a lockfile that is part of this binary.

use std::path::{Path, PathBuf};
use std::process::Stdio;

/// A pinned set of packages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packages {
    /// Its folder below the tools folder.
    pub(super) name: &'static str,
    manifest: &'static str,
    lockfile: &'static str,
}

pub(super) const ANVIL: Packages = Packages {
    name: "anvil",
    manifest: include_str!("../../tools-npm/anvil/package.json"),
    lockfile: include_str!("../../tools-npm/anvil/package-lock.json"),
};

pub(super) const POSTGRES: Packages = Packages {
    name: "postgres",
    manifest: include_str!("../../tools-npm/postgres/package.json"),
    lockfile: include_str!("../../tools-npm/postgres/package-lock.json"),
};

impl Packages {
    /// The folder that `install` fills.
    pub(super) fn folder(self, tools: &Path) -> PathBuf {
        tools.join(self.name)
    }

    /// Where a package's files are after the installation.
    pub(super) fn package(self, tools: &Path, package: &str) -> PathBuf {
        self.folder(tools).join("node_modules").join(package)
    }

    /// Whether the folder holds a finished installation of exactly these versions.
    pub(super) fn is_installed(self, tools: &Path) -> bool {
        std::fs::read_to_string(self.marker(tools)).is_ok_and(|lockfile| lockfile == self.lockfile)
    }

    /// Installs the packages unless another process just did. No install scripts run: what they would do, the
    /// caller does.
    pub(super) async fn install(self, tools: &Path) -> Result<(), String> {
        let folder = self.folder(tools);
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
        let _lock = lock(folder.join(".lock")).await?;
        if self.is_installed(tools) {
            return Ok(());
        }
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
        };
        write("package.json", self.manifest)?;
        write("package-lock.json", self.lockfile)?;
        tracing::info!("installing {} with npm into {}", self.name, folder.display());
        let output = tokio::process::Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(&folder)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| format!("npm does not run ({error})"))?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Err(format!(
                "`npm ci` in {} failed ({}): {}",
                folder.display(),
                output.status,
                stderr.trim()
            ));
        }
        // Last, so that an interrupted installation is not taken for a finished one.
        std::fs::write(self.marker(tools), self.lockfile).map_err(|error| error.to_string())
    }

    fn marker(self, tools: &Path) -> PathBuf {
        self.folder(tools).join(".installed")
    }

    /// The lockfile, for the tests.
    #[cfg(test)]
    pub(super) fn lockfile(self) -> serde_json::Value {
        serde_json::from_str(self.lockfile).unwrap()
    }
}

/// Waits for the lock, which is given back when the file is dropped: `npm ci` begins by deleting what is there.
async fn lock(path: PathBuf) -> Result<std::fs::File, String> {
    let locked = tokio::task::spawn_blocking(move || {
        let file = std::fs::File::create(path)?;
        file.lock()?;
        Ok::<_, std::io::Error>(file)
    });
    match locked.await {
        Ok(file) => file.map_err(|error| format!("cannot lock the tools folder: {error}")),
        Err(error) => Err(error.to_string()),
    }
}
