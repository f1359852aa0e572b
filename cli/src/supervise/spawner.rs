//! The one thread that starts children.
//!
//! The kernel sends the parent-death signal when the thread that started a child ends, and the threads of an async
//! runtime may end any time they are idle. This one ends when the supervisor is dropped, or with the process.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc::{SyncSender, sync_channel};

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::child::ChildSpec;
use crate::exec_child;

struct Request {
    command: Command,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<Child>>,
}

/// Handle of the thread.
#[derive(Debug)]
pub(super) struct Spawner {
    tatum: PathBuf,
    requests: SyncSender<Request>,
}

impl Spawner {
    pub(super) fn start(tatum: PathBuf) -> io::Result<Self> {
        let (requests, receiver) = sync_channel::<Request>(16);
        std::thread::Builder::new().name("spawner".to_owned()).spawn(move || {
            for mut request in receiver {
                let _runtime = request.runtime.enter();
                let _ = request.reply.send(request.command.spawn());
            }
        })?;
        Ok(Self { tatum, requests })
    }

    /// Starts the child with both outputs in `output` and no input.
    pub(super) async fn spawn(&self, spec: &ChildSpec, output: File) -> io::Result<Child> {
        let mut command = Command::new(&self.tatum);
        command
            .args(exec_child::wrap(&spec.program, &spec.arguments, spec.user, spec.death_signal))
            .envs(spec.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::from(output.try_clone()?))
            .stderr(Stdio::from(output))
            // Out of the terminal's foreground group: Ctrl-C reaches this process, which stops them in order.
            .process_group(0)
            // Where the kernel has no parent-death signal, dropping the supervisor must do it.
            .kill_on_drop(!cfg!(target_os = "linux"));
        let (reply, answer) = oneshot::channel();
        let request = Request { command, runtime: Handle::current(), reply };
        // Waits only while 16 others are being started, each a matter of a millisecond.
        self.requests.send(request).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn gone() -> io::Error {
    io::Error::other("the thread that starts children is gone")
}
