//! The child processes of a devnet: started, watched, stopped in reverse order.
//!
//! Each child has a name, a log file `<logs>/<name>.log`, and a task that owns it: only that task signals or reaps
//! it, so a signal can never reach a process that was given the same number later. A child that ends without
//! being told to is reported with the last lines of its log.
//!
//! Children are started through `tatum exec-child` (see [`crate::exec_child`]) and all from one thread, which ends
//! when the supervisor is dropped: the kernel then sends every child that is left its death signal.

mod child;
mod log;
mod spawner;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::mpsc;

use child::Child;
pub use child::{ChildSpec, Exit, StopSignal};
use spawner::Spawner;

/// How long a child may take to stop before it is killed.
pub const STOP_DEADLINE: Duration = Duration::from_secs(10);
/// Unexpected exits waiting to be read; more than any devnet has children.
const EXITS: usize = 256;

/// What can go wrong with a child.
#[derive(Debug, thiserror::Error)]
pub enum SuperviseError {
    #[error("there is no child named {name}; the children are: {known}")]
    Unknown { name: String, known: String },
    #[error("{name} is already running; stop it before starting it again")]
    Running { name: String },
    #[error("{name}: cannot start {}: {source}", program.display())]
    Start { name: String, program: PathBuf, source: std::io::Error },
    #[error("{name}: cannot write the log {}: {source}", path.display())]
    Log { name: String, path: PathBuf, source: std::io::Error },
    #[error("cannot start the thread that starts children: {0}")]
    Thread(std::io::Error),
}

/// Starts and watches children; see the module.
#[derive(Debug)]
pub struct Supervisor {
    logs: PathBuf,
    spawner: Spawner,
    children: Mutex<Vec<Arc<Child>>>,
    exit_sender: mpsc::Sender<Exit>,
    exits: tokio::sync::Mutex<mpsc::Receiver<Exit>>,
}

impl Supervisor {
    /// `tatum` is the binary whose `exec-child` starts the children.
    pub fn new(tatum: PathBuf, logs: PathBuf) -> Result<Self, SuperviseError> {
        std::fs::create_dir_all(&logs).map_err(|source| SuperviseError::Log {
            name: "supervisor".to_owned(),
            path: logs.clone(),
            source,
        })?;
        let (exit_sender, exits) = mpsc::channel(EXITS);
        Ok(Self {
            logs,
            spawner: Spawner::start(tatum).map_err(SuperviseError::Thread)?,
            children: Mutex::new(Vec::new()),
            exit_sender,
            exits: tokio::sync::Mutex::new(exits),
        })
    }

    /// Starts a child and returns its process id. A stopped child of the same name is replaced.
    pub async fn start(&self, spec: ChildSpec) -> Result<u32, SuperviseError> {
        if let Ok(existing) = self.child(&spec.name)
            && existing.is_running()
        {
            return Err(SuperviseError::Running { name: spec.name });
        }
        let child = Child::start(spec, &self.logs, &self.spawner, self.exit_sender.clone()).await?;
        let pid = child.pid();
        tracing::debug!("{} started as process {pid}", child.name());
        let mut children = self.lock();
        // In place, so that the order of stopping stays the order of the first starts.
        match children.iter_mut().find(|other| other.name() == child.name()) {
            Some(slot) => *slot = child,
            None => children.push(child),
        }
        Ok(pid)
    }

    /// Kills a child with SIGKILL, as a crash would, and waits until it is gone. Not reported as unexpected.
    pub async fn kill(&self, name: &str) -> Result<(), SuperviseError> {
        self.child(name)?.end(Signal::KILL, STOP_DEADLINE).await;
        Ok(())
    }

    /// Asks a child to stop and waits; past the deadline it is killed.
    pub async fn stop(&self, name: &str) -> Result<(), SuperviseError> {
        let child = self.child(name)?;
        child.end(child.stop_signal(), STOP_DEADLINE).await;
        Ok(())
    }

    /// Stops a child if it runs, and starts it again as it was.
    pub async fn restart(&self, name: &str) -> Result<u32, SuperviseError> {
        let child = self.child(name)?;
        child.end(child.stop_signal(), STOP_DEADLINE).await;
        self.start(child.spec().clone()).await
    }

    /// Stops all children, the last started first, each with its own deadline.
    pub async fn stop_all(&self) {
        let children: Vec<_> = self.lock().iter().rev().cloned().collect();
        for child in children {
            child.end(child.stop_signal(), STOP_DEADLINE).await;
        }
    }

    /// Waits for the next child that ends without being told to.
    pub async fn unexpected_exit(&self) -> Exit {
        let mut exits = self.exits.lock().await;
        match exits.recv().await {
            Some(exit) => exit,
            // `self` holds a sender, so the channel cannot close.
            None => std::future::pending().await,
        }
    }

    /// Whether the child is there and running.
    pub fn is_running(&self, name: &str) -> bool {
        self.child(name).is_ok_and(|child| child.is_running())
    }

    /// The process id of a running child.
    pub fn pid(&self, name: &str) -> Option<u32> {
        self.child(name).ok().filter(|child| child.is_running()).map(|child| child.pid())
    }

    /// Where the child's output goes.
    pub fn log_path(&self, name: &str) -> PathBuf {
        log::path(&self.logs, name)
    }

    /// The folder of all logs.
    pub fn logs(&self) -> &Path {
        &self.logs
    }

    /// The last lines a child wrote.
    pub fn log_tail(&self, name: &str, lines: usize) -> String {
        log::tail(&self.log_path(name), lines)
    }

    fn child(&self, name: &str) -> Result<Arc<Child>, SuperviseError> {
        let children = self.lock();
        children.iter().find(|child| child.name() == name).cloned().ok_or_else(|| SuperviseError::Unknown {
            name: name.to_owned(),
            known: children.iter().map(|child| child.name()).collect::<Vec<_>>().join(", "),
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Child>>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
