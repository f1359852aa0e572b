//! `tatum subscribe`: prints a stream's messages, received through up to two brokers at once.
//!
//! With two, the death of one costs nothing: the other's copy is there. Copies are recognised by the telemetry's own
//! `device` and `sequence`; messages without them are printed from one connection only, the first that is up, and
//! some may be missed or come twice when that one changes.

mod attachment;

use std::collections::HashSet;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Args;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::seen::{Gap, Identity, Seen};
use super::{ConnectionArgs, Login};
use attachment::{Attachment, Received};

const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);
const QUEUE: usize = 1024;

/// Arguments of `tatum subscribe`.
#[derive(Clone, Debug, Args)]
pub struct SubscribeArgs {
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// How many of the brokers to be attached to at once
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub attach: u8,
    /// Stop after this many messages
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// Print messages and progress as lines of JSON
    #[arg(long)]
    pub json: bool,
    /// Print no messages, only (with --json) progress
    #[arg(long)]
    pub quiet: bool,
}

/// What was received, at the end and every second.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Totals {
    pub received: u64,
    pub duplicates: u64,
    pub gaps: Vec<Gap>,
}

/// Runs until the count is reached or `shutdown`.
pub async fn run(arguments: SubscribeArgs, shutdown: CancellationToken) -> anyhow::Result<()> {
    let password = arguments.connection.password()?;
    let login = Login { user: arguments.connection.user.clone(), password };
    let brokers = arguments.connection.brokers.clone();
    let attachments = usize::from(arguments.attach).min(brokers.len());
    let in_use = Arc::new(Mutex::new(HashSet::new()));
    let (sender, mut received) = mpsc::channel(QUEUE);
    let stop = shutdown.child_token();
    // Ends the attachments however this function returns.
    let _stop_on_return = stop.clone().drop_guard();
    for index in 0..attachments {
        let attachment = Attachment {
            index,
            brokers: brokers.clone(),
            topic: arguments.connection.stream.clone(),
            login: login.clone(),
            in_use: in_use.clone(),
            output: sender.clone(),
        };
        tokio::spawn(attachment.run(stop.clone()));
    }
    drop(sender);

    let mut receiver = Receiver::new(&arguments, attachments);
    let mut progress = tokio::time::interval(PROGRESS_INTERVAL);
    let limit = arguments.count.unwrap_or(u64::MAX);
    while receiver.totals.received < limit {
        tokio::select! {
            () = shutdown.cancelled() => break,
            event = received.recv() => match event {
                Some(event) => receiver.take(event)?,
                None => break,
            },
            _ = progress.tick() => receiver.report("progress")?,
        }
    }
    receiver.finish()
}

struct Receiver {
    json: bool,
    quiet: bool,
    /// Which attachments are subscribed now.
    up: Vec<bool>,
    seen: Seen,
    totals: Totals,
    refused: Option<String>,
}

impl Receiver {
    fn new(arguments: &SubscribeArgs, attachments: usize) -> Self {
        Self {
            json: arguments.json,
            quiet: arguments.quiet,
            up: vec![false; attachments],
            seen: Seen::default(),
            totals: Totals::default(),
            refused: None,
        }
    }

    fn take(&mut self, event: Received) -> anyhow::Result<()> {
        match event {
            Received::Up { attachment, broker } => {
                self.up[attachment] = true;
                tracing::info!("subscribed through {broker}");
                self.print_event(&serde_json::json!({"event": "connected", "broker": broker.to_string()}))
            }
            Received::Down { attachment, broker, reason } => {
                self.up[attachment] = false;
                tracing::warn!("{broker}: {reason}");
                self.print_event(&serde_json::json!({
                    "event": "disconnected", "broker": broker.to_string(), "reason": reason
                }))
            }
            Received::Refused { broker, reason } => {
                self.refused = Some(format!("{broker}: {reason}"));
                anyhow::bail!("{broker}: {reason}")
            }
            Received::Message { attachment, payload } => self.message(attachment, &payload),
        }
    }

    fn message(&mut self, attachment: usize, payload: &[u8]) -> anyhow::Result<()> {
        let identity = Identity::of(payload);
        let new = match &identity {
            Some(identity) => self.seen.insert(identity),
            None => self.up.iter().position(|up| *up) == Some(attachment),
        };
        if !new {
            self.totals.duplicates += 1;
            return Ok(());
        }
        self.totals.received += 1;
        if self.quiet {
            return Ok(());
        }
        if self.json {
            let text = String::from_utf8_lossy(payload);
            let payload =
                serde_json::from_str(&text).unwrap_or_else(|_| serde_json::Value::String(text.into_owned()));
            return self.print_event(&serde_json::json!({"event": "message", "payload": payload}));
        }
        print_line(payload)
    }

    fn report(&mut self, event: &str) -> anyhow::Result<()> {
        self.totals.gaps = self.seen.gaps();
        let mut line = serde_json::to_value(&self.totals)?;
        line["event"] = event.into();
        self.print_event(&line)
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.report("finished")?;
        for gap in &self.totals.gaps {
            tracing::warn!("never received: {} {}..={}", gap.device, gap.first, gap.last);
        }
        tracing::info!(
            "{} messages received, {} second copies, {} gaps",
            self.totals.received,
            self.totals.duplicates,
            self.totals.gaps.len()
        );
        Ok(())
    }

    fn print_event(&self, event: &serde_json::Value) -> anyhow::Result<()> {
        if self.json { print_line(event.to_string().as_bytes()) } else { Ok(()) }
    }
}

fn print_line(line: &[u8]) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(line)?;
    stdout.write_all(b"\n")?;
    stdout.flush()?;
    Ok(())
}
