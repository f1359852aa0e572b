//! For tests only: the real servers they run against, each started for one test and gone with it.
//!
//! Left out: the devnet's long-lived cluster and chain, which the `tatum devnet` command owns.

pub mod anvil;
pub mod postgres;

pub use anvil::Anvil;
pub use postgres::Postgres;

use std::path::{Path, PathBuf};

/// The folder of the workspace.
pub fn workspace() -> &'static Path {
    // The folder of this crate is one below it.
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// `name` in the folders of PATH.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
