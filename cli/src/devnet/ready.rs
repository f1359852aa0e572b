//! Waiting for processes: until one answers on its health endpoint, until the brokers are linked, until there is something to do.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use serde::Deserialize;

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

/// What of a broker's `/status` tells who it is linked to.
#[derive(Deserialize)]
struct Status {
    address: String,
    assigned: Vec<String>,
    links: BTreeSet<String>,
}

/// Waits until `wanted` brokers are assigned to the stream and each is linked to all others of them. `urls` are the status pages of
/// all brokers.
pub(super) async fn wait_linked(
    supervisor: &Supervisor,
    urls: &[String],
    wanted: usize,
) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).build()?;
    let started = Instant::now();
    loop {
        let mut brokers = Vec::new();
        for url in urls {
            let status: Status = client
                .get(format!("{url}/status"))
                .send()
                .await
                .and_then(reqwest::Response::error_for_status)
                .with_context(|| format!("{url}/status does not answer"))?
                .json()
                .await
                .with_context(|| format!("{url}/status is not what a node says"))?;
            brokers.push(status);
        }
        brokers.retain(|broker| !broker.assigned.is_empty());
        let all: BTreeSet<&String> = brokers.iter().map(|broker| &broker.address).collect();
        let lonely = brokers.iter().find(|broker| {
            all.iter().any(|other| **other != broker.address && !broker.links.contains(*other))
        });
        if lonely.is_none() && brokers.len() == wanted {
            return Ok(());
        }
        if started.elapsed() > DEADLINE {
            bail!(
                "after {} s {} brokers are assigned, expected {wanted}, and {}; see the logs in {}",
                DEADLINE.as_secs(),
                brokers.len(),
                lonely.map_or_else(
                    || "all of them are linked".to_owned(),
                    |broker| format!("{} is linked to {:?} only", broker.address, broker.links)
                ),
                supervisor.logs().display()
            );
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Sleeps until a moment in seconds of Unix time; not at all if it has passed.
pub(super) async fn wait_until(moment_s: u64) {
    let moment = UNIX_EPOCH + Duration::from_secs(moment_s);
    if let Ok(left) = moment.duration_since(SystemTime::now()) {
        tokio::time::sleep(left).await;
    }
}
