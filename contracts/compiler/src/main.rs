//! Compiles `contracts/src` and writes what the Rust bindings need of it, `{abi, bytecode, deployedBytecode,
//! immutableReferences}` per contract, to `contracts/artifacts`, and the same of `contracts/test/harness` to
//! `contracts/artifacts/harness`; or, with `--check`, fails if the committed artifacts are not what the sources compile
//! to. It leaves other tests alone: forge compiles those.
//!
//! The compiler is `$SOLC` if set (a native solc 0.8.37), else the npm build of it behind `solc.cjs`.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use foundry_compilers::{
    ProjectBuilder, ProjectPathsConfig,
    artifacts::{
        BytecodeHash, EvmVersion, Settings, SettingsMetadata, output_selection::OutputSelection,
        remappings::Remapping,
    },
    solc::{Solc, SolcCompiler, SolcLanguage, SolcSettings},
};
use serde_json::{Value, json};

/// The one version that artifacts are made with: another would change the bytecode.
const SOLC_VERSION: (u64, u64, u64) = (0, 8, 37);
/// Contracts are called far more often than deployed.
const OPTIMIZER_RUNS: usize = 1000;
/// Folders of contracts, one per file of the same name, and where their artifacts go.
const FOLDERS: [(&str, &str); 2] = [("src", "artifacts"), ("test/harness", "artifacts/harness")];

fn main() -> Result<()> {
    let check = match env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => bail!("expected no argument or --check, found {other:?}"),
    };
    let contracts = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the manifest has no parent")?;
    for (sources, artifacts) in FOLDERS {
        let compiled = compile(contracts, Path::new(sources))?;
        if check {
            compare(contracts, artifacts, &compiled)?
        } else {
            write(contracts, artifacts, &compiled)?
        }
    }
    Ok(())
}

/// The text of each artifact by contract name.
fn compile(contracts: &Path, sources: &Path) -> Result<BTreeMap<String, String>> {
    let solc = find_solc(contracts)?;
    let mut settings = Settings::new(OutputSelection::default_output_selection());
    settings.optimizer.enabled = Some(true);
    settings.optimizer.runs = Some(OPTIMIZER_RUNS);
    settings.via_ir = Some(true);
    settings.evm_version = Some(EvmVersion::Prague);
    // Without metadata the bytecode depends on the code alone, not on comments or paths.
    settings.metadata = Some(SettingsMetadata {
        use_literal_content: None,
        bytecode_hash: Some(BytecodeHash::None),
        cbor_metadata: Some(false),
    });

    let modules = contracts.join("node_modules");
    let paths = ProjectPathsConfig::builder()
        .root(contracts)
        .sources(contracts.join(sources))
        // Or everything under test and script would be compiled too.
        .tests(contracts.join(sources))
        .scripts(contracts.join(sources))
        .artifacts(contracts.join("out/compiler"))
        .cache(contracts.join("cache/compiler.json"))
        .remapping(Remapping {
            context: None,
            name: "@openzeppelin/".into(),
            path: format!("{}/", modules.join("@openzeppelin").display()),
        })
        .build_with_root::<SolcLanguage>(contracts);
    let project = ProjectBuilder::<SolcCompiler>::default()
        .paths(paths)
        .settings(SolcSettings { settings, ..Default::default() })
        .ephemeral()
        .no_artifacts()
        .build(SolcCompiler::Specific(solc))?;
    let output = project.compile().context("running the Solidity compiler")?;
    if output.has_compiler_errors() || output.has_compiler_warnings() {
        bail!("the contracts must compile without errors and warnings:\n{output}");
    }

    let mut artifacts = BTreeMap::new();
    for (path, name, contract) in output.output().contracts.contracts_with_files() {
        // One contract per file of the same name, directly in the folder; the rest are its parts.
        let own = path.parent() == Some(sources) || path.parent() == Some(&contracts.join(sources));
        if !own || path.file_stem().and_then(|stem| stem.to_str()) != Some(name) {
            continue;
        }
        let value = serde_json::to_value(contract)?;
        let code = |kind: &str| {
            value.pointer(&format!("/evm/{kind}/object")).and_then(Value::as_str).map(hex_prefixed)
        };
        let (Some(bytecode), Some(deployed)) = (code("bytecode"), code("deployedBytecode")) else { continue };
        if bytecode == "0x" {
            continue; // an abstract contract
        }
        let abi = value.get("abi").with_context(|| format!("{name} was compiled without an ABI"))?;
        // Where the constructor writes into the deployed code, by the id of the variable; nothing if it does not.
        let immutables = value.pointer("/evm/deployedBytecode/immutableReferences");
        let artifact = json!({
            "abi": abi,
            "bytecode": bytecode,
            "deployedBytecode": deployed,
            "immutableReferences": positions(immutables.unwrap_or(&Value::Null))?,
        });
        artifacts.insert(name.clone(), serde_json::to_string_pretty(&artifact)? + "\n");
    }
    ensure!(!artifacts.is_empty(), "no contracts found in {}", contracts.join(sources).display());
    Ok(artifacts)
}

/// The `[start, length]` of all immutables in the deployed code, ascending. The compiler lists them by the variables'
/// syntax-tree ids, which change with any edit.
fn positions(references: &Value) -> Result<Vec<[u64; 2]>> {
    let mut positions = Vec::new();
    for place in references
        .as_object()
        .into_iter()
        .flat_map(|by_id| by_id.values())
        .filter_map(Value::as_array)
        .flatten()
    {
        let number = |key: &str| place.get(key).and_then(Value::as_u64);
        let (start, length) =
            number("start").zip(number("length")).context("an immutable without its position")?;
        positions.push([start, length]);
    }
    positions.sort_unstable();
    Ok(positions)
}

fn hex_prefixed(code: &str) -> String {
    if code.starts_with("0x") { code.to_owned() } else { format!("0x{code}") }
}

fn find_solc(contracts: &Path) -> Result<Solc> {
    let path = match env::var_os("SOLC") {
        Some(path) => PathBuf::from(path),
        None => {
            ensure!(
                contracts.join("node_modules/solc").is_dir(),
                "solc not found: run `npm ci --ignore-scripts` in contracts/, or set SOLC to a native solc"
            );
            contracts.join("compiler/solc.cjs")
        }
    };
    let solc = Solc::new(&path).with_context(|| format!("asking {} for its version", path.display()))?;
    let found = (solc.version.major, solc.version.minor, solc.version.patch);
    ensure!(
        found == SOLC_VERSION,
        "expected solc {SOLC_VERSION:?}, found {found:?} at {}: artifacts are made with one version only",
        path.display()
    );
    Ok(solc)
}

fn write(contracts: &Path, artifacts: &str, compiled: &BTreeMap<String, String>) -> Result<()> {
    let folder = &contracts.join(artifacts);
    fs::create_dir_all(folder)?;
    for name in committed(folder)?.difference(&compiled.keys().cloned().collect()) {
        fs::remove_file(folder.join(format!("{name}.json")))?;
    }
    for (name, text) in compiled {
        fs::write(folder.join(format!("{name}.json")), text)?;
        println!("{artifacts}/{name}.json");
    }
    Ok(())
}

fn compare(contracts: &Path, artifacts: &str, compiled: &BTreeMap<String, String>) -> Result<()> {
    let folder = &contracts.join(artifacts);
    let mut stale = Vec::new();
    for name in committed(folder)?.union(&compiled.keys().cloned().collect()) {
        let on_disk = fs::read_to_string(folder.join(format!("{name}.json"))).ok();
        if on_disk.as_ref() != compiled.get(name) {
            stale.push(format!("{artifacts}/{name}.json"));
        }
    }
    ensure!(
        stale.is_empty(),
        "stale, expected what the sources compile to: {}; run the compiler without --check and commit",
        stale.join(", ")
    );
    println!("{artifacts}: {} up to date", compiled.len());
    Ok(())
}

/// Names of the artifacts that are there.
fn committed(folder: &Path) -> Result<BTreeSet<String>> {
    if !folder.is_dir() {
        return Ok(BTreeSet::new());
    }
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json")
            && let Some(name) = path.file_stem().and_then(|stem| stem.to_str())
        {
            names.insert(name.to_owned());
        }
    }
    Ok(names)
}
