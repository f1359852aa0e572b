//! The command line as its user meets it: help of every command, and errors that say what to do.

use std::process::{Command, Output};

fn tatum(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tatum"))
        .args(arguments)
        .env_remove("TATUM_MQTT_PASSWORD")
        .env_remove("RUST_LOG")
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The commands that `tatum --help` lists.
fn commands() -> Vec<String> {
    let help = stdout(&tatum(&["--help"]));
    let list = help.split_once("Commands:\n").unwrap().1.split_once("\n\n").unwrap().0.to_owned();
    list.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn every_command_has_a_help_that_names_its_flags() {
    let commands = commands();
    for expected in
        ["init", "devnet", "deploy", "node", "indexer", "settlement", "publish", "subscribe", "help"]
    {
        assert!(commands.iter().any(|command| command == expected), "no {expected} in {commands:?}");
    }
    for command in commands.iter().filter(|command| *command != "help") {
        let output = tatum(&[command, "--help"]);
        assert!(output.status.success(), "{command}: {}", stderr(&output));
        let help = stdout(&output);
        assert!(help.contains(&format!("Usage: tatum {command}")), "{help}");
        // Every flag says what it is for.
        for line in help.lines().filter(|line| line.trim_start().starts_with("--")) {
            assert!(
                line.split_whitespace().count() > 1 || help.contains(&format!("{line}\n  ")),
                "{command}: {line}"
            );
        }
    }
}

#[test]
fn machinery_is_not_listed() {
    assert!(!stdout(&tatum(&["--help"])).contains("exec-child"));
}

#[test]
fn a_wrong_flag_is_an_error_that_points_at_the_help() {
    for command in commands().iter().filter(|command| *command != "help") {
        let output = tatum(&[command, "--no-such-flag"]);
        assert_eq!(output.status.code(), Some(2), "{command}");
        let message = stderr(&output);
        assert!(message.contains("--no-such-flag") && message.contains("--help"), "{message}");
    }
}

#[test]
fn a_missing_password_is_asked_for_by_its_variable() {
    let output = tatum(&["publish", "--broker", "127.0.0.1:1", "--stream", "0xab/c"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("TATUM_MQTT_PASSWORD"), "{}", stderr(&output));
}

#[test]
fn a_password_is_not_taken_as_an_argument() {
    let output = tatum(&["publish", "--broker", "127.0.0.1:1", "--stream", "0xab/c", "--password", "x"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_bad_log_filter_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_tatum"))
        .args(["publish", "--broker", "127.0.0.1:1", "--stream", "0xab/c"])
        .env("RUST_LOG", "tatum=loud")
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(stderr(&output).contains("RUST_LOG"), "{}", stderr(&output));
}
