//! Waiting for a process to answer on its health endpoint.

use std::time::{Duration, Instant};

use anyhow::bail;

use crate::supervise::Supervisor;

const DEADLINE: Duration = Duration::from_secs(60);

/// Waits until `<url>/healthz` is answered at all: whether a process makes progress is for later, that it serves is
/// enough to go on.
pub(super) async fn wait(supervisor: &Supervisor, name: &str, url: &str) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).build()?;
    let started = Instant::now();
    let mut last = String::new();
    while started.elapsed() < DEADLINE {
        if !supervisor.is_running(name) {
            bail!("{name} ended while starting; the end of its log:\n{}", supervisor.log_tail(name, 20));
        }
        match client.get(format!("{url}/healthz")).send().await {
            Ok(_) => return Ok(()),
            Err(error) => last = error.to_string(),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!(
        "{name} did not answer within {} s ({last}); the end of its log:\n{}",
        DEADLINE.as_secs(),
        supervisor.log_tail(name, 20)
    )
}
