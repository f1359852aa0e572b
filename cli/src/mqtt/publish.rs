//! `tatum publish`: telemetry of this machine, or lines from stdin, to a stream through a broker's MQTT gateway.
//!
//! Every message is sent with QoS 1 and kept until a broker acknowledges it; when a broker dies, the rest goes
//! through the next one on the list. What stops reading input is a full outbox: nothing is dropped.

use std::io::BufRead;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;
use rumqttc::{ConnectionError, Event, Outgoing, Packet, QoS};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::outbox::Outbox;
use super::session::{REQUESTS, Session, is_refused_login};
use super::{BrokerAddress, ConnectionArgs, Login};
use crate::telemetry::Sampler;

/// Unacknowledged messages kept; beyond that no input is read.
const OUTBOX: usize = 4096;
/// A broker that holds messages this long without acknowledging any is as good as dead.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(10);
/// After the end of the input, or a signal, for the last acknowledgements.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(30);
const FLUSH_TIMEOUT_SIGNAL: Duration = Duration::from_secs(3);
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// Arguments of `tatum publish`.
#[derive(Clone, Debug, Args)]
pub struct PublishArgs {
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// Send samples of this machine (CPU, memory, network, disk, temperatures) instead of lines from stdin
    #[arg(long)]
    pub telemetry: bool,
    /// Time between samples
    #[arg(long, value_name = "MS", default_value_t = 250, requires = "telemetry",
          value_parser = clap::value_parser!(u64).range(1..))]
    pub interval_ms: u64,
    /// Stop after this many messages
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// Print progress as lines of JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs until the input ends, the count is reached, or `shutdown`; an error if messages are left unacknowledged.
pub async fn run(arguments: PublishArgs, shutdown: CancellationToken) -> anyhow::Result<()> {
    let login = Login { user: arguments.connection.user.clone(), password: arguments.connection.password()? };
    let source =
        if arguments.telemetry { telemetry(Duration::from_millis(arguments.interval_ms)) } else { lines()? };
    let publisher = Publisher {
        topic: arguments.connection.stream,
        brokers: arguments.connection.brokers,
        login,
        count: arguments.count.unwrap_or(u64::MAX),
        json: arguments.json,
        outbox: Outbox::new(OUTBOX, usize::from(REQUESTS)),
        source: Some(source),
        flush_by: None,
        shutdown,
    };
    publisher.run().await
}

struct Publisher {
    topic: String,
    brokers: Vec<BrokerAddress>,
    login: Login,
    count: u64,
    json: bool,
    outbox: Outbox,
    /// `None` once no more input is wanted or there is none.
    source: Option<mpsc::Receiver<Vec<u8>>>,
    flush_by: Option<Instant>,
    shutdown: CancellationToken,
}

/// Why a connection was left.
enum Left {
    Done,
    Lost(String),
}

impl Publisher {
    async fn run(mut self) -> anyhow::Result<()> {
        let mut backoff = Backoff::default();
        let mut current = 0;
        loop {
            let broker = self.brokers[current % self.brokers.len()].clone();
            match self.serve(&broker, &mut backoff).await? {
                Left::Done => break,
                Left::Lost(reason) => {
                    self.outbox.disconnect();
                    tracing::warn!("{broker}: {reason}; {} messages to send again", self.outbox.len());
                    self.report("disconnected", Some(&broker));
                }
            }
            if self.flush_by.is_some_and(|deadline| deadline <= Instant::now()) {
                break;
            }
            current += 1;
            // At once to another broker; only a whole round without success is worth waiting for.
            if current % self.brokers.len() == 0 || self.brokers.len() == 1 {
                let patience = self.flush_by.unwrap_or_else(|| Instant::now() + FLUSH_TIMEOUT);
                tokio::select! {
                    () = backoff.wait() => {}
                    () = tokio::time::sleep_until(patience.into()) => {}
                    () = self.shutdown.cancelled(), if self.source.is_some() => {}
                }
            }
        }
        self.report("finished", None);
        if !self.outbox.is_empty() {
            bail!(
                "{} of {} messages were not acknowledged by any broker",
                self.outbox.len(),
                self.outbox.accepted()
            );
        }
        tracing::info!("{} messages acknowledged", self.outbox.acknowledged);
        Ok(())
    }

    async fn serve(&mut self, broker: &BrokerAddress, backoff: &mut Backoff) -> anyhow::Result<Left> {
        let mut session = Session::open(broker, &self.login);
        let mut connected = false;
        let mut progress = tokio::time::interval(PROGRESS_INTERVAL);
        let mut last_acknowledged = Instant::now();
        loop {
            self.end_input_at_count();
            if self.source.is_none() && self.outbox.is_empty() {
                let _ = session.client.try_disconnect();
                return Ok(Left::Done);
            }
            if connected {
                while let Some(payload) = self.outbox.take() {
                    // The window is half the queue, so there is room: it is refused if the connection just ended.
                    let sent = session.client.try_publish(&self.topic, QoS::AtLeastOnce, false, payload);
                    if sent.is_err() {
                        return Ok(Left::Lost("the connection ended".to_owned()));
                    }
                }
            }
            let accepts = self.outbox.has_room();
            let shutdown = self.shutdown.clone();
            tokio::select! {
                event = session.events.recv() => match event {
                    Some(Ok(Event::Incoming(Packet::ConnAck(_)))) => {
                        connected = true;
                        last_acknowledged = Instant::now();
                        tracing::info!("publishing to {} through {broker}", self.topic);
                        self.report("connected", Some(broker));
                    }
                    Some(Ok(Event::Outgoing(Outgoing::Publish(number)))) => self.outbox.numbered(number),
                    Some(Ok(Event::Incoming(Packet::PubAck(ack)))) => {
                        self.outbox.acknowledge(ack.pkid);
                        last_acknowledged = Instant::now();
                        backoff.reset();
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) if is_refused_login(&error) => {
                        bail!("{broker} refused the login of `{}`: check --user and the password", self.login.user)
                    }
                    Some(Err(error)) => return Ok(Left::Lost(describe(&error))),
                    None => return Ok(Left::Lost("the connection ended".to_owned())),
                },
                payload = next(&mut self.source), if accepts => match payload {
                    Some(payload) => self.outbox.push(payload),
                    None => self.end_input(FLUSH_TIMEOUT),
                },
                () = shutdown.cancelled(), if self.source.is_some() => self.end_input(FLUSH_TIMEOUT_SIGNAL),
                _ = progress.tick() => {
                    self.report("progress", Some(broker));
                    if self.outbox.is_empty() {
                        last_acknowledged = Instant::now();
                    } else if connected && last_acknowledged.elapsed() > ACKNOWLEDGE_TIMEOUT {
                        return Ok(Left::Lost(format!("no acknowledgement for {} s", ACKNOWLEDGE_TIMEOUT.as_secs())));
                    }
                    if self.flush_by.is_some_and(|deadline| deadline <= Instant::now()) {
                        return Ok(Left::Lost("out of time".to_owned()));
                    }
                }
            }
        }
    }

    fn end_input_at_count(&mut self) {
        if self.source.is_some() && self.outbox.accepted() >= self.count {
            self.end_input(FLUSH_TIMEOUT);
        }
    }

    fn end_input(&mut self, patience: Duration) {
        self.source = None;
        self.flush_by = Some(Instant::now() + patience);
    }

    fn report(&self, event: &str, broker: Option<&BrokerAddress>) {
        if self.json {
            let line = serde_json::json!({
                "event": event,
                "broker": broker.map(ToString::to_string),
                "sent": self.outbox.accepted(),
                "acknowledged": self.outbox.acknowledged,
                "resent": self.outbox.resent,
            });
            println!("{line}");
        }
    }
}

fn describe(error: &ConnectionError) -> String {
    match error {
        ConnectionError::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

/// The next input, or never once there is none.
async fn next(source: &mut Option<mpsc::Receiver<Vec<u8>>>) -> Option<Vec<u8>> {
    match source {
        Some(source) => source.recv().await,
        None => std::future::pending().await,
    }
}

/// Samples at the interval; one that cannot be taken in is not made, so that sequences have no gaps.
fn telemetry(interval: Duration) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut sampler = Sampler::new(rand::random());
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            let Ok(permit) = sender.reserve().await else { break };
            match serde_json::to_vec(&sampler.sample()) {
                Ok(payload) => permit.send(payload),
                Err(error) => {
                    tracing::error!("a sample does not serialize: {error}");
                    break;
                }
            }
        }
    });
    receiver
}

/// Lines of stdin, read by a thread because there is no other way to read a terminal.
fn lines() -> anyhow::Result<mpsc::Receiver<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel(256);
    let read = move || {
        for line in std::io::stdin().lock().lines() {
            match line {
                Ok(line) => {
                    if sender.blocking_send(line.into_bytes()).is_err() {
                        break;
                    }
                }
                Err(error) => {
                    tracing::error!("cannot read stdin: {error}");
                    break;
                }
            }
        }
    };
    std::thread::Builder::new().name("stdin".to_owned()).spawn(read).context("cannot read stdin")?;
    Ok(receiver)
}
