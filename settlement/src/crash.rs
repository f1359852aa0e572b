//! The crash switch of the tests: one place where settlement dies as by SIGKILL, chosen by a hidden flag.

use std::fmt;
use std::str::FromStr;

/// Where to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashPoint {
    /// An intent is committed, nothing has been signed or sent.
    AfterIntentBeforeBroadcast,
    /// The transaction was handed to the chain, our database does not know.
    AfterBroadcastBeforeRecord,
    /// A root is on chain, no payout has been pushed.
    AfterPostMinedBeforePush,
}

const NAMES: [(CrashPoint, &str); 3] = [
    (CrashPoint::AfterIntentBeforeBroadcast, "after-intent-before-broadcast"),
    (CrashPoint::AfterBroadcastBeforeRecord, "after-broadcast-before-record"),
    (CrashPoint::AfterPostMinedBeforePush, "after-post-mined-before-push"),
];

impl fmt::Display for CrashPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(point, _)| point == self).map_or("", |(_, name)| name);
        f.pad(name)
    }
}

impl FromStr for CrashPoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        NAMES.iter().find(|(_, name)| *name == text).map(|(point, _)| *point).ok_or_else(|| {
            let known: Vec<_> = NAMES.iter().map(|(_, name)| *name).collect();
            format!("unknown crash point {text:?}; one of {} is expected", known.join(", "))
        })
    }
}

/// Whoever reaches the chosen point stops there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Crash {
    at: Option<CrashPoint>,
    /// Fail with [`Crashed`] instead of ending the process: for tests that run in it.
    fails: bool,
}

/// The chosen point was reached in a test that wants to live on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("crash switch: {0}")]
pub struct Crashed(pub CrashPoint);

impl Crash {
    /// Ends the process at this point, without destructors, as SIGKILL would.
    pub fn kill(at: Option<CrashPoint>) -> Self {
        Self { at, fails: false }
    }

    /// Fails at this point.
    pub fn fail(at: CrashPoint) -> Self {
        Self { at: Some(at), fails: true }
    }

    pub(crate) fn reach(&self, point: CrashPoint) -> Result<(), Crashed> {
        if self.at != Some(point) {
            return Ok(());
        }
        if self.fails {
            return Err(Crashed(point));
        }
        tracing::error!(%point, "crash switch: ending the process");
        // The status a shell reports for SIGKILL.
        std::process::exit(137)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for (point, name) in NAMES {
            assert_eq!(name.parse(), Ok(point));
            assert_eq!(point.to_string(), name);
        }
        assert!("soon".parse::<CrashPoint>().is_err());
    }
}
