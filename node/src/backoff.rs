//! Exponential backoff with jitter, so that nodes that failed together do not retry together.

use rand::Rng;
use std::time::Duration;

/// Doubles from `first` to `longest`; what is waited lies between half and all of that.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after one more failure.
    pub(crate) fn next(&mut self) -> Duration {
        let factor = 2_u32.saturating_pow(self.failures);
        self.failures = self.failures.saturating_add(1);
        let whole = self.first.saturating_mul(factor).min(self.longest);
        whole.mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_its_bound_and_never_wraps() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        assert!(backoff.next() <= Duration::from_millis(100));
        for _ in 0..100 {
            assert!(backoff.next() <= Duration::from_secs(5));
        }
        assert!(backoff.next() >= Duration::from_millis(2500));
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(100));
    }
}
