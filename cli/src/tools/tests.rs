use super::*;

fn executable(folder: &Path, name: &str, script: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn tools(search_path: &Path, folder: &Path) -> Tools {
    Tools { folder: folder.to_path_buf(), postgres_bin: None, search_path: vec![search_path.to_path_buf()] }
}

#[tokio::test]
async fn an_explicit_postgres_folder_is_used_or_refused_but_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let mut tools = tools(folder.path(), folder.path());
    tools.postgres_bin = Some(folder.path().to_path_buf());
    let error = tools.postgres(None).await.unwrap_err();
    assert!(error.to_string().contains("postgres is missing"), "{error}");

    executable(folder.path(), "postgres", "#!/bin/sh\necho 'postgres (PostgreSQL) 16.1'\n");
    executable(folder.path(), "initdb", "#!/bin/sh\n");
    let found = tools.postgres(None).await.unwrap();
    assert_eq!(found.major, 16);
    assert_eq!(found.initdb, folder.path().join("initdb"));
}

#[tokio::test]
async fn a_link_on_the_path_leads_to_the_folder_with_initdb() {
    let real = tempfile::tempdir().unwrap();
    let links = tempfile::tempdir().unwrap();
    let postgres = executable(real.path(), "postgres", "#!/bin/sh\necho 'postgres (PostgreSQL) 17.2'\n");
    executable(real.path(), "initdb", "#!/bin/sh\n");
    std::os::unix::fs::symlink(&postgres, links.path().join("postgres")).unwrap();
    let found = tools(links.path(), links.path()).postgres(None).await.unwrap();
    assert_eq!(found.initdb, real.path().canonicalize().unwrap().join("initdb"));
}

#[test]
fn lockfiles_pin_integrity_and_name_no_host() {
    for packages in [npm::ANVIL, npm::POSTGRES] {
        let lockfile = packages.lockfile();
        let entries = lockfile["packages"].as_object().unwrap();
        assert!(entries.len() > 1, "{} pins nothing", packages.name);
        for (name, entry) in entries.iter().filter(|(name, _)| !name.is_empty()) {
            assert!(entry["integrity"].is_string(), "{name} has no integrity");
            assert!(entry.get("resolved").is_none(), "{name} names the host it was fetched from");
        }
    }
}
