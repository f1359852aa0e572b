//! `tatum exec-child`: the last step before a child's program runs.
//!
//! A process started through it (1) drops to an unprivileged user if told to, (2) asks the kernel for a signal
//! when its parent dies, (3) makes sure the parent had not died before that, and (4) becomes the program. So a
//! devnet killed with SIGKILL, which can clean up nothing, leaves nothing behind.
//!
//! Two facts of Linux shape it. A change of credentials clears the parent-death signal, so the user is changed
//! first, in a step of its own: this program runs itself again as the new user. And the signal fires when the
//! *thread* that started the child ends, which is why [`crate::supervise`] starts all children from one thread
//! that lives as long as the supervisor.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

/// Arguments of the hidden command; [`wrap`] writes them.
#[derive(Debug, Args)]
pub struct ExecChildArgs {
    /// Process that must still be the parent
    #[arg(long)]
    parent: u32,
    /// User to become, by number
    #[arg(long, requires = "gid")]
    uid: Option<u32>,
    /// Group to become, by number
    #[arg(long, requires = "uid")]
    gid: Option<u32>,
    /// Signal to receive when the parent dies
    #[arg(long, value_enum, default_value_t = DeathSignal::Kill)]
    death_signal: DeathSignal,
    /// Program to become, and its arguments
    #[arg(last = true, required = true, num_args = 1..)]
    command: Vec<OsString>,
}

/// What a child receives when its parent dies. A program that saves its state on a gentler signal gets that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DeathSignal {
    /// SIGKILL: ends whatever the program does
    Kill,
    /// SIGTERM
    Term,
    /// SIGINT: PostgreSQL's fast shutdown
    Int,
}

impl DeathSignal {
    fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Term => "term",
            Self::Int => "int",
        }
    }
}

/// A user and its primary group, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserId {
    pub uid: u32,
    pub gid: u32,
}

/// The arguments with which `tatum` becomes `program`, as a child of the calling process.
pub fn wrap(
    program: &std::path::Path,
    arguments: &[OsString],
    user: Option<UserId>,
    death_signal: DeathSignal,
) -> Vec<OsString> {
    let mut wrapped: Vec<OsString> =
        vec!["exec-child".into(), "--parent".into(), std::process::id().to_string().into()];
    if let Some(user) = user {
        wrapped.extend(["--uid".into(), user.uid.to_string().into()]);
        wrapped.extend(["--gid".into(), user.gid.to_string().into()]);
    }
    wrapped.extend(["--death-signal".into(), death_signal.name().into(), "--".into(), program.into()]);
    wrapped.extend(arguments.iter().cloned());
    wrapped
}

/// Becomes the program; returns only with an error.
pub fn run(arguments: ExecChildArgs) -> anyhow::Result<Infallible> {
    let [program, rest @ ..] = arguments.command.as_slice() else {
        bail!("exec-child needs a program after `--`");
    };
    if let (Some(uid), Some(gid)) = (arguments.uid, arguments.gid) {
        // Through /proc, because the new user may not be able to walk to this file (a checkout under /root).
        let itself = if cfg!(target_os = "linux") {
            PathBuf::from("/proc/self/exe")
        } else {
            std::env::current_exe()?
        };
        let error = Command::new(itself)
            .arg0("tatum")
            .args(["exec-child", "--parent"])
            .arg(arguments.parent.to_string())
            .args(["--death-signal", arguments.death_signal.name(), "--"])
            .args(&arguments.command)
            .gid(gid)
            .uid(uid)
            // The folder this was started in may be closed to the new user, and some programs then refuse to run.
            .current_dir("/")
            .exec();
        return Err(error).with_context(|| format!("cannot become user {uid}, group {gid}"));
    }
    die_with_parent(arguments.death_signal)?;
    // Asked for after the signal: a parent that died in between is noticed here, one that dies later sends it.
    let parent = std::os::unix::process::parent_id();
    if parent != arguments.parent {
        bail!("process {} started this child but is gone (the parent is now {parent})", arguments.parent);
    }
    let error = Command::new(program).args(rest).exec();
    Err(error).with_context(|| format!("cannot run {}", program.display()))
}

#[cfg(target_os = "linux")]
fn die_with_parent(signal: DeathSignal) -> anyhow::Result<()> {
    use rustix::process::{Signal, set_parent_process_death_signal};
    let signal = match signal {
        DeathSignal::Kill => Signal::KILL,
        DeathSignal::Term => Signal::TERM,
        DeathSignal::Int => Signal::INT,
    };
    set_parent_process_death_signal(Some(signal)).context("cannot set the parent-death signal")
}

/// Other systems have no such signal; there, the supervisor kills its children when it is dropped.
#[cfg(not(target_os = "linux"))]
fn die_with_parent(_signal: DeathSignal) -> anyhow::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: ExecChildArgs,
    }

    #[test]
    fn wrapped_arguments_parse_back() {
        let user = UserId { uid: 65_534, gid: 65_533 };
        let wrapped = wrap("/bin/echo".as_ref(), &["--uid".into(), "x".into()], Some(user), DeathSignal::Int);
        let parsed = Line::try_parse_from(wrapped).unwrap().arguments;
        assert_eq!(parsed.parent, std::process::id());
        assert_eq!((parsed.uid, parsed.gid), (Some(65_534), Some(65_533)));
        assert_eq!(parsed.death_signal, DeathSignal::Int);
        // What looks like a flag of ours behind `--` belongs to the program.
        assert_eq!(parsed.command, ["/bin/echo", "--uid", "x"]);
    }

    #[test]
    fn a_user_without_a_group_is_refused() {
        let line = ["exec-child", "--parent", "1", "--uid", "5", "--", "true"];
        assert!(Line::try_parse_from(line).is_err());
    }
}
