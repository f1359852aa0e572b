//! Finding anvil.

use std::path::{Path, PathBuf};

use super::{ToolError, Tools, is_executable, npm, version};

const PROGRAM: &str = "anvil";
/// The only platform whose native package is on npm in the pinned version for certain.
const PACKAGE: &str = "@foundry-rs/anvil-linux-amd64";

pub(super) async fn find_or_install(tools: &Tools) -> Result<PathBuf, ToolError> {
    let mut looked = Vec::new();
    for path in tools.on_path(PROGRAM) {
        match usable(&path).await {
            Ok(version) => {
                tracing::debug!("anvil: {} ({version})", path.display());
                return Ok(path);
            }
            Err(reason) => looked.push(format!("{}: {reason}", path.display())),
        }
    }
    if looked.is_empty() {
        looked.push("no anvil on PATH".to_owned());
    }
    let installed = npm::ANVIL.package(&tools.folder, PACKAGE).join("bin").join(PROGRAM);
    if npm::ANVIL.is_installed(&tools.folder) && is_executable(&installed) {
        return Ok(installed);
    }
    looked.push(format!("not installed in {}", npm::ANVIL.folder(&tools.folder).display()));
    match install(tools, &installed).await {
        Ok(()) => Ok(installed),
        Err(reason) => Err(ToolError::Missing {
            program: PROGRAM,
            looked: looked.join("; "),
            reason,
            advice: "put Foundry's anvil (1.7 or newer) on PATH, or Node.js with npm to have it installed"
                .to_owned(),
        }),
    }
}

async fn install(tools: &Tools, installed: &Path) -> Result<(), String> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err("the pinned npm package has no binary for this platform".to_owned());
    }
    npm::ANVIL.install(&tools.folder).await?;
    version(installed).await.map(|_| ())
}

/// Its version, if it is the native binary. npm's wrapper is a script that leaves anvil running when it is stopped.
async fn usable(path: &Path) -> Result<String, String> {
    let mut start = [0; 2];
    let read = std::fs::File::open(path).and_then(|mut file| std::io::Read::read(&mut file, &mut start));
    match read {
        Ok(_) if &start == b"#!" => Err("a script, not anvil itself".to_owned()),
        // Unreadable but executable is fine; running it is the test.
        _ => version(path).await,
    }
}
