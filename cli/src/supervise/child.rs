//! One child and the task that owns it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::{mpsc, watch};

use super::spawner::Spawner;
use super::{SuperviseError, log};
use crate::exec_child::{DeathSignal, UserId};

/// What to start, complete enough to start it again.
#[derive(Clone, Debug)]
pub struct ChildSpec {
    /// Unique among the supervisor's children; names the log file.
    pub name: String,
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    /// Added to the environment of this process.
    pub environment: Vec<(OsString, OsString)>,
    /// The user to run as, if not this process's.
    pub user: Option<UserId>,
    pub stop_signal: StopSignal,
    pub death_signal: DeathSignal,
}

impl ChildSpec {
    /// A child that stops on SIGTERM and is killed when its parent dies.
    pub fn new(name: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            user: None,
            stop_signal: StopSignal::Term,
            death_signal: DeathSignal::Kill,
        }
    }

    /// Appends arguments.
    #[must_use]
    pub fn args<T: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Adds a variable to the child's environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }
}

/// How a child is asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopSignal {
    Term,
    Int,
}

/// A child that ended without being told to.
#[derive(Clone, Debug)]
pub struct Exit {
    pub name: String,
    pub status: String,
    /// The last lines of its log.
    pub log_tail: String,
    pub log: PathBuf,
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{} ended unexpectedly ({}); the end of {}:",
            self.name,
            self.status,
            self.log.display()
        )?;
        write!(f, "{}", self.log_tail)
    }
}

impl std::error::Error for Exit {}

/// Lines of the log shown with an unexpected exit.
const TAIL_LINES: usize = 20;

/// A started child. It may have ended since.
#[derive(Debug)]
pub(super) struct Child {
    spec: ChildSpec,
    pid: u32,
    signals: mpsc::Sender<Signal>,
    ended: watch::Receiver<bool>,
}

impl Child {
    pub(super) async fn start(
        spec: ChildSpec,
        logs: &Path,
        spawner: &Spawner,
        exits: mpsc::Sender<Exit>,
    ) -> Result<Arc<Self>, SuperviseError> {
        let log = log::path(logs, &spec.name);
        let output = log::open(&log).map_err(|source| SuperviseError::Log {
            name: spec.name.clone(),
            path: log.clone(),
            source,
        })?;
        let process = spawner.spawn(&spec, output).await.map_err(|source| SuperviseError::Start {
            name: spec.name.clone(),
            program: spec.program.clone(),
            source,
        })?;
        // Known until the process is reaped, which only the task below does.
        let pid = process.id().unwrap_or_default();
        let (signals, signal_receiver) = mpsc::channel(4);
        let (ended_sender, ended) = watch::channel(false);
        let child = Arc::new(Self { spec, pid, signals, ended });
        let name = child.spec.name.clone();
        tokio::spawn(async move {
            let (status, asked) = own(process, signal_receiver).await;
            if !asked {
                let log_tail = log::tail(&log, TAIL_LINES);
                // Full only if nobody reads them; then the first ones tell the story.
                let _ = exits.try_send(Exit { name, status, log_tail, log });
            }
            let _ = ended_sender.send(true);
        });
        Ok(child)
    }

    pub(super) fn name(&self) -> &str {
        &self.spec.name
    }

    pub(super) fn spec(&self) -> &ChildSpec {
        &self.spec
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    pub(super) fn is_running(&self) -> bool {
        !*self.ended.borrow()
    }

    pub(super) fn stop_signal(&self) -> Signal {
        match self.spec.stop_signal {
            StopSignal::Term => Signal::TERM,
            StopSignal::Int => Signal::INT,
        }
    }

    /// Sends `signal`, waits for the end, and past the deadline kills.
    pub(super) async fn end(&self, signal: Signal, deadline: Duration) {
        let mut ended = self.ended.clone();
        // An error means that the task, and so the child, has ended.
        let _ = self.signals.send(signal).await;
        if tokio::time::timeout(deadline, ended.wait_for(|ended| *ended)).await.is_err() {
            tracing::warn!("{} did not stop within {} s, killing it", self.name(), deadline.as_secs());
            let _ = self.signals.send(Signal::KILL).await;
            let _ = ended.wait_for(|ended| *ended).await;
        }
    }
}

/// Waits for the end of the process and passes signals on until then. Returns how it ended and whether any signal
/// had been sent.
async fn own(mut process: tokio::process::Child, mut signals: mpsc::Receiver<Signal>) -> (String, bool) {
    let mut asked = false;
    loop {
        tokio::select! {
            status = process.wait() => return (describe(status), asked),
            Some(signal) = signals.recv() => {
                asked = true;
                let pid = process.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
                if let Some(pid) = pid
                    && let Err(error) = kill_process(pid, signal)
                {
                    tracing::warn!("cannot send {signal:?} to process {}: {error}", pid.as_raw_nonzero());
                }
            }
        }
    }
}

fn describe(status: std::io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => status.to_string(),
        Err(error) => format!("its status is unknown: {error}"),
    }
}
