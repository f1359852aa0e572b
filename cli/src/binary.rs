//! Where the `tatum` binary is: children are started through it, also from tests, which are other programs.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Overrides the search.
pub const VARIABLE: &str = "TATUM_BIN";

/// The binary of this process if it is `tatum`, else the one cargo built beside it (`target/debug/deps/e2e-1a2b` ->
/// `target/debug/tatum`).
pub fn locate() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os(VARIABLE) {
        let path = PathBuf::from(path);
        if path.is_file() {
            return Ok(path);
        }
        bail!("{VARIABLE} is {}, which is not a file; expected the path of the tatum binary", path.display());
    }
    let current = std::env::current_exe().context("cannot tell which program this is")?;
    if is_tatum(&current) {
        return Ok(current);
    }
    let beside = current.parent().into_iter().flat_map(|folder| [Some(folder), folder.parent()]).flatten();
    let candidates: Vec<PathBuf> = beside.map(|folder| folder.join("tatum")).collect();
    match candidates.iter().find(|candidate| candidate.is_file()) {
        Some(found) => Ok(found.clone()),
        None => bail!(
            "no tatum binary found; looked for {}. Run `cargo build -p tatum-cli` or set {VARIABLE}",
            candidates.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" and ")
        ),
    }
}

fn is_tatum(path: &Path) -> bool {
    path.file_stem().is_some_and(|name| name == "tatum")
}
