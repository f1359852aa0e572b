//! The outside programs a devnet needs, anvil and PostgreSQL: found on this machine, else installed by npm.
//!
//! Installed means: `npm ci` of a pinned lockfile that is part of this binary, into the tools folder, with no install
//! scripts run. Nothing is installed outside that folder, and nothing at all if the machine has the program.

mod anvil;
mod npm;
mod postgres;

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub use postgres::PostgresBinaries;

/// Why a program could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    #[error(
        "{program} was not found and could not be installed.\n  looked for it: {looked}\n  installing: {reason}\n  to do: {advice}"
    )]
    Missing { program: &'static str, looked: String, reason: String, advice: String },
    #[error("{} holds no usable {program}: {reason}", folder.display())]
    Explicit { program: &'static str, folder: PathBuf, reason: String },
}

/// Where to look, and where to install.
#[derive(Clone, Debug)]
pub struct Tools {
    folder: PathBuf,
    postgres_bin: Option<PathBuf>,
    search_path: Vec<PathBuf>,
}

impl Tools {
    /// Tools installed in (and into) `folder`; `postgres_bin` is PostgreSQL's `bin` folder if the user named one.
    pub fn new(folder: PathBuf, postgres_bin: Option<PathBuf>) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        Self { folder, postgres_bin, search_path: std::env::split_paths(&path).collect() }
    }

    /// The native anvil binary.
    pub async fn anvil(&self) -> Result<PathBuf, ToolError> {
        anvil::find_or_install(self).await
    }

    /// PostgreSQL's server and `initdb`. `fallback` is where to install them if the tools folder cannot be reached
    /// by the user that PostgreSQL will run as.
    pub async fn postgres(&self, fallback: Option<PathBuf>) -> Result<PostgresBinaries, ToolError> {
        postgres::find_or_install(self, fallback).await
    }

    /// Folders of `PATH` that hold an executable `name`.
    fn on_path(&self, name: &str) -> impl Iterator<Item = PathBuf> {
        self.search_path.iter().map(move |folder| folder.join(name)).filter(|path| is_executable(path))
    }
}

/// A file with an execute bit; whose, the attempt to run it will tell.
fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// The first line that `program --version` prints, or why there is none.
async fn version(program: &Path) -> Result<String, String> {
    let output = tokio::process::Command::new(program).arg(OsStr::new("--version")).output().await;
    let output = output.map_err(|error| format!("{} does not run: {error}", program.display()))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{} --version` failed: {}", program.display(), stderr.trim()));
    }
    let stdout = String::from_utf8_lossy(&output.stdout);
    Ok(stdout.lines().next().unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests;
