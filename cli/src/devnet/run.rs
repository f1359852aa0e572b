//! `tatum devnet`: the devnet, its progress on the terminal, and the check of every payout at the end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{Audit, Devnet, DevnetOptions, EpochReport, keys, summary};
use tatum_node::clock;

const POLL: Duration = Duration::from_millis(500);
const RENEW: Duration = Duration::from_secs(60);
/// Epochs before the first settled one (two until a change takes effect, one that is cut short, one to settle), and slack.
const PATIENCE_EPOCHS: u64 = 12;
const PATIENCE: Duration = Duration::from_secs(90);
/// For the pushes of the last posted epoch.
const PUSH_PATIENCE: Duration = Duration::from_secs(60);

/// Arguments of `tatum devnet`.
#[derive(Clone, Debug, Args)]
pub struct DevnetArgs {
    #[command(flatten)]
    pub options: DevnetOptions,
    /// Print progress and the summary as lines of JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs until the wanted epochs are settled and checked, a process fails, or `shutdown`.
pub async fn run(arguments: DevnetArgs, shutdown: CancellationToken) -> anyhow::Result<()> {
    let options = arguments.options.clone();
    let devnet = tokio::select! {
        devnet = Devnet::start(options) => devnet?,
        // Dropping the half-started devnet ends its processes.
        () = shutdown.cancelled() => return Ok(()),
    };
    let result = Watch::new(&devnet, &arguments).run(&shutdown).await;
    tracing::info!("stopping");
    devnet.stop().await;
    result
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    Started {
        dashboard: String,
        rpc_url: String,
        stream: &'a str,
        mqtt: Vec<String>,
        mqtt_user: &'a str,
        mqtt_password_file: String,
        data_dir: String,
    },
    Epoch(&'a EpochReport),
    Summary {
        exact: bool,
        epochs: &'a [EpochReport],
        audit: &'a Audit,
    },
}

/// Follows the epochs of one run.
struct Watch<'a> {
    devnet: &'a Devnet,
    json: bool,
    wanted: Option<u64>,
    deadline: Option<Instant>,
    /// The epoch in which this run began: earlier ones are another run's.
    first: u64,
    shown: BTreeMap<u64, String>,
}

impl<'a> Watch<'a> {
    fn new(devnet: &'a Devnet, arguments: &DevnetArgs) -> Self {
        let wanted = arguments.options.epochs;
        let length = Duration::from_secs(devnet.deployment().terms.epoch_length_s);
        let patience = |epochs: u64| {
            let epochs = u32::try_from(epochs.saturating_add(PATIENCE_EPOCHS)).unwrap_or(u32::MAX);
            Instant::now().checked_add(length.saturating_mul(epochs).saturating_add(PATIENCE))
        };
        Self {
            devnet,
            json: arguments.json,
            wanted,
            deadline: wanted.and_then(patience),
            first: devnet.deployment().clock().epoch_at_ms(clock::now_ms()).unwrap_or(0),
            shown: BTreeMap::new(),
        }
    }

    async fn run(mut self, shutdown: &CancellationToken) -> anyhow::Result<()> {
        self.print_started()?;
        let mut polls = tokio::time::interval(POLL);
        let mut renewals = tokio::time::interval(RENEW);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return self.interrupted().await,
                exit = self.devnet.supervisor().unexpected_exit() => return Err(exit.into()),
                _ = renewals.tick() => {
                    self.devnet.renew_sponsorship().await.context("cannot renew the sponsorship")?;
                }
                _ = polls.tick() => {
                    let reports = self.devnet.epochs(self.first).await.context("cannot read the epochs")?;
                    self.show(&reports)?;
                    let settled: Vec<_> =
                        reports.into_iter().filter(|report| report.is_settled() && report.messages > 0).collect();
                    if self.wanted.is_some_and(|wanted| count(&settled) >= wanted) {
                        return self.finish(&settled).await;
                    }
                    if self.deadline.is_some_and(|deadline| deadline < Instant::now()) {
                        return self.too_late(&settled);
                    }
                }
            }
        }
    }

    /// Each epoch is shown when it is computed, posted and paid.
    fn show(&mut self, reports: &[EpochReport]) -> anyhow::Result<()> {
        for report in reports {
            let news = matches!(report.status.as_str(), "proposed" | "posted" | "paid");
            let idle = report.messages == 0 && report.sponsored_parts == 0;
            if news && !idle && self.shown.get(&report.epoch) != Some(&report.status) {
                self.shown.insert(report.epoch, report.status.clone());
                self.print(&Line::Epoch(report), || summary::line(report))?;
            }
        }
        Ok(())
    }

    /// After Ctrl-C there is nothing to prove, but what was settled is shown.
    async fn interrupted(&self) -> anyhow::Result<()> {
        if self.wanted.is_some() {
            bail!("interrupted before the wanted epochs were settled");
        }
        let reports = self.devnet.epochs(self.first).await.unwrap_or_default();
        let settled: Vec<_> = reports.into_iter().filter(EpochReport::is_settled).collect();
        if !self.json && !settled.is_empty() {
            print_text(&summary::table(&settled))?;
        }
        Ok(())
    }

    async fn finish(&self, settled: &[EpochReport]) -> anyhow::Result<()> {
        let audit = self.paid_audit().await?;
        let paid = self.compare_with_database(&audit).await;
        let inexact: Vec<u64> =
            settled.iter().filter(|report| !report.is_exact()).map(|report| report.epoch).collect();
        let exact = audit.exact() && audit.in_flight.is_zero() && inexact.is_empty() && paid.is_ok();
        self.print(&Line::Summary { exact, epochs: settled, audit: &audit }, || {
            format!("\n{}\n{}", summary::table(settled), summary::audit(&audit))
        })?;
        paid?;
        if !audit.in_flight.is_zero() {
            bail!("{} wei are posted and not paid after {} s", audit.in_flight, PUSH_PATIENCE.as_secs());
        }
        if !inexact.is_empty() {
            bail!("paid + refunded differs from what was scheduled in epochs {inexact:?}");
        }
        if !audit.exact() {
            bail!("the money does not add up; see the equations marked WRONG");
        }
        tracing::info!("every payout is on chain and every wei is accounted for");
        Ok(())
    }

    /// The money once nothing is in flight. An equation that fails fails for good, so that is not waited for.
    async fn paid_audit(&self) -> anyhow::Result<Audit> {
        let started = Instant::now();
        loop {
            let audit = self.devnet.audit().await.context("cannot read the contracts")?;
            if !audit.exact() || audit.in_flight.is_zero() || started.elapsed() > PUSH_PATIENCE {
                return Ok(audit);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// What the chain paid each operator and refunded is what the database says of all epochs through the last posted that did not
    /// lapse.
    async fn compare_with_database(&self, audit: &Audit) -> anyhow::Result<()> {
        let Some(last) = audit.last_epoch else { bail!("nothing was posted") };
        let reports = self.devnet.epochs(0).await?;
        let mut expected: BTreeMap<u64, u128> = BTreeMap::new();
        for report in reports.iter().filter(|report| report.epoch <= last && !report.is_lapsed()) {
            for (operator, amount) in &report.earned {
                let sum = expected.entry(*operator).or_default();
                *sum = sum.checked_add(amount.0).context("earnings exceed 128 bits")?;
            }
        }
        for (operator, paid) in &audit.earned_by_operator {
            let wanted = expected.get(operator).copied().unwrap_or_default();
            if *paid != wanted {
                bail!("operator {operator} was paid {paid} wei through epoch {last}, earned {wanted}");
            }
        }
        Ok(())
    }

    fn too_late(&self, settled: &[EpochReport]) -> anyhow::Result<()> {
        let tails = ["indexer", "settlement", "publisher"]
            .map(|name| format!("--- {name}\n{}", self.devnet.supervisor().log_tail(name, 8)));
        bail!(
            "only {} of {} epochs with traffic were settled in time; the logs in {} end with\n{}",
            settled.len(),
            self.wanted.unwrap_or_default(),
            self.devnet.supervisor().logs().display(),
            tails.join("\n")
        )
    }

    fn print_started(&self) -> anyhow::Result<()> {
        let devnet = self.devnet;
        let mqtt: Vec<String> = devnet.mqtt().iter().map(ToString::to_string).collect();
        let started = Line::Started {
            dashboard: devnet.dashboard_url(),
            rpc_url: devnet.rpc_url(),
            stream: devnet.stream(),
            mqtt: mqtt.clone(),
            mqtt_user: keys::MQTT_USER,
            mqtt_password_file: devnet.folder().mqtt_password().display().to_string(),
            data_dir: devnet.folder().root().display().to_string(),
        };
        self.print(&started, || {
            format!(
                "\ndashboard  {}\nchain      {}\nstream     {}\nMQTT       {}\n           user {}, password in {}\nlogs       {}\n",
                devnet.dashboard_url(),
                devnet.rpc_url(),
                devnet.stream(),
                mqtt.join(" "),
                keys::MQTT_USER,
                devnet.folder().mqtt_password().display(),
                devnet.supervisor().logs().display(),
            )
        })
    }

    fn print(&self, line: &Line<'_>, text: impl FnOnce() -> String) -> anyhow::Result<()> {
        if self.json { print_text(&serde_json::to_string(line)?) } else { print_text(&text()) }
    }
}

fn count(reports: &[EpochReport]) -> u64 {
    u64::try_from(reports.len()).unwrap_or(u64::MAX)
}

/// Flushed at once, for scripts that read along; a closed pipe is an error, not a panic.
fn print_text(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).context("cannot write to stdout")
}
