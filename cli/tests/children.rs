//! Children of a supervisor: started, watched, killed, restarted, and gone with their parent.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tatum_cli::supervise::{ChildSpec, Supervisor};

fn supervisor(logs: &Path) -> Supervisor {
    Supervisor::new(PathBuf::from(env!("CARGO_BIN_EXE_tatum")), logs.to_path_buf()).unwrap()
}

fn shell(name: &str, script: &str) -> ChildSpec {
    ChildSpec::new(name, "/bin/sh").args(["-c", script])
}

/// A reaped process is gone; one that waits for its parent to ask is dead all the same.
fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')))
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(10), "waited 10 s for: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn an_unexpected_exit_is_reported_with_the_end_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let supervisor = supervisor(folder.path());
    supervisor.start(shell("failing", "echo the reason >&2; exit 3")).await.unwrap();
    let exit = supervisor.unexpected_exit().await;
    assert_eq!(exit.name, "failing");
    assert!(exit.status.contains('3'), "{}", exit.status);
    assert!(exit.to_string().contains("the reason"), "{exit}");
    assert!(!supervisor.is_running("failing"));
}

#[tokio::test]
async fn a_program_that_does_not_exist_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let supervisor = supervisor(folder.path());
    supervisor.start(ChildSpec::new("absent", "/no/such/program")).await.unwrap();
    let exit = supervisor.unexpected_exit().await;
    assert!(exit.log_tail.contains("/no/such/program"), "{exit}");
}

#[tokio::test]
async fn kill_and_restart_are_expected_and_keep_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let supervisor = supervisor(folder.path());
    let first = supervisor.start(shell("child", "echo began; exec sleep 100")).await.unwrap();
    assert!(supervisor.start(shell("child", "true")).await.is_err(), "two of one name");
    wait_until("the first line", || supervisor.log_tail("child", 9) == "began");
    supervisor.kill("child").await.unwrap();
    assert!(!is_alive(first) && !supervisor.is_running("child"));
    let second = supervisor.restart("child").await.unwrap();
    assert_ne!(first, second);
    wait_until("the second line", || supervisor.log_tail("child", 9) == "began\nbegan");
    supervisor.stop_all().await;
    assert!(!is_alive(second));
    let unexpected = tokio::time::timeout(Duration::from_millis(50), supervisor.unexpected_exit()).await;
    assert!(unexpected.is_err(), "{unexpected:?}");
    assert!(supervisor.kill("nobody").await.unwrap_err().to_string().contains("child"));
}

#[tokio::test]
async fn children_stop_in_reverse_order() {
    let folder = tempfile::tempdir().unwrap();
    let order = folder.path().join("order");
    let supervisor = supervisor(folder.path());
    for name in ["first", "second", "third"] {
        let script = format!(
            "trap 'echo {name} >> {}; exit 0' TERM; echo up; while :; do sleep 0.05; done",
            order.display()
        );
        supervisor.start(shell(name, &script)).await.unwrap();
        wait_until(name, || supervisor.log_tail(name, 1) == "up");
    }
    supervisor.stop_all().await;
    assert_eq!(std::fs::read_to_string(order).unwrap(), "third\nsecond\nfirst\n");
}

#[tokio::test]
async fn dropping_the_supervisor_ends_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let supervisor = supervisor(folder.path());
    let pid = supervisor.start(shell("child", "echo up; exec sleep 100")).await.unwrap();
    wait_until("the child", || supervisor.log_tail("child", 1) == "up");
    drop(supervisor);
    wait_until("the end of the child", || !is_alive(pid));
}

/// A parent killed with SIGKILL can do nothing for its children; the kernel does.
#[test]
fn a_killed_parent_leaves_no_child() {
    let script = r#""$0" exec-child --parent $$ -- sleep 100 & echo $!; wait"#;
    let mut parent = Command::new("/bin/sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_tatum")])
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(parent.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let child: u32 = line.trim().parse().unwrap();
    let name = move || std::fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default();
    wait_until("the child to become its program", || name().trim() == "sleep");
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_until("the end of the child", || !is_alive(child));
}

#[test]
fn a_child_of_somebody_else_does_not_start() {
    let output = Command::new(env!("CARGO_BIN_EXE_tatum"))
        .args(["exec-child", "--parent", "1", "--", "echo", "started"])
        .output()
        .unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("is gone"));
}

/// Only root can become somebody else; elsewhere there is nothing to see.
#[test]
fn root_drops_to_the_user_and_the_child_still_dies_with_its_parent() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let output = Command::new(env!("CARGO_BIN_EXE_tatum"))
        .args(["exec-child", "--parent", &std::process::id().to_string(), "--uid", "65534", "--gid", "65534"])
        .args(["--", "/bin/sh", "-c", "id -u; id -G; ls /root"])
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(stdout.lines().collect::<Vec<_>>(), ["65534", "65534"], "no groups of root's are left");
    let script = r#""$0" exec-child --parent $$ --uid 65534 --gid 65534 -- sleep 100 & echo $!; wait"#;
    let mut parent = Command::new("/bin/sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_tatum")])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(parent.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let child: u32 = line.trim().parse().unwrap();
    wait_until("the child to become its program", || {
        std::fs::read_to_string(format!("/proc/{child}/comm")).is_ok_and(|name| name.trim() == "sleep")
    });
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_until("the end of the child", || !is_alive(child));
}
