//! `tatum devnet` as a script runs it: an exit code, lines of JSON, and a second run that goes on where the first ended.

use serde_json::Value;
use std::path::Path;
use std::process::Command;

#[test]
fn a_second_run_on_the_same_folder_goes_on() {
    let folder = tempfile::Builder::new().prefix("tatum-e2e-").tempdir().unwrap();
    let first = run(folder.path());
    let second = run(folder.path());

    assert_eq!(first["started"]["stream"], second["started"]["stream"]);
    let settled = |run: &Value| run["summary"]["audit"]["last_epoch"].as_u64().unwrap();
    assert!(settled(&second) > settled(&first), "the second run settled nothing new");
    for outcome in [&first, &second] {
        assert_eq!(outcome["summary"]["exact"], true, "{outcome}");
        assert_eq!(outcome["summary"]["epochs"].as_array().unwrap().len(), 1);
    }
    // Cumulative since genesis: the second run's money contains the first one's.
    let scheduled = |run: &Value| run["summary"]["audit"]["scheduled"].as_str().unwrap().to_owned();
    assert_ne!(scheduled(&first), scheduled(&second));
}

/// Its `started` and `summary` lines.
fn run(folder: &Path) -> Value {
    let output = Command::new(tatum_cli::binary::locate().unwrap())
        .args(["devnet", "--epochs", "1", "--json", "--brokers", "4"])
        .arg("--data-dir")
        .arg(folder.join("devnet"))
        .arg("--tools-dir")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tatum/tools"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
    let mut lines = serde_json::Map::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let value: Value = serde_json::from_str(line).expect("every line is JSON");
        lines.insert(value["event"].as_str().unwrap().to_owned(), value);
    }
    Value::Object(lines)
}
