//! How long to wait before the next attempt to connect.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// Doubles from 100 ms to 5 s, each wait a random half to whole of that, so that clients that lost the same broker
/// do not return together.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: FIRST }
    }
}

impl Backoff {
    /// The wait before the next attempt; `jitter` in 0..=1.
    pub(super) fn next(&mut self, jitter: f64) -> Duration {
        let wait = self.next.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0));
        self.next = (self.next * 2).min(LONGEST);
        wait
    }

    /// After a success.
    pub(super) fn reset(&mut self) {
        self.next = FIRST;
    }

    /// Waits.
    pub(super) async fn wait(&mut self) {
        let wait = self.next(rand::random());
        tokio::time::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_to_the_limit_and_starts_over() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.next(1.0), FIRST);
        assert_eq!(backoff.next(0.0), FIRST);
        for _ in 0..100 {
            assert!(backoff.next(1.0) <= LONGEST);
        }
        assert_eq!(backoff.next(1.0), LONGEST);
        backoff.reset();
        assert_eq!(backoff.next(1.0), FIRST);
    }
}
