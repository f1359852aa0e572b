//! Whether evidence comes in time. Late delivery receipts and volumes could copy what others revealed, so the deadlines are hard.

use crate::counters::EvidenceKind;
use tatum_protocol::epoch::{Deadline, EpochClock};

/// When an item of an epoch came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Timing {
    InTime,
    /// It may be right a moment from now: clocks differ.
    Soon(String),
    Early(String),
    Late(String),
}

pub(crate) fn timing(clock: &EpochClock, kind: EvidenceKind, epoch: u64, now_ms: u64) -> Timing {
    let start_ms = clock.start(epoch).saturating_mul(1000);
    let length_ms = clock.length.saturating_mul(1000);
    let (opens, closes) = match kind {
        EvidenceKind::Bandwidth => (start_ms, clock.deadline_ms(epoch, Deadline::Receipts)),
        EvidenceKind::Delivery => {
            (clock.end(epoch).saturating_mul(1000), clock.deadline_ms(epoch, Deadline::Receipts))
        }
        // Before the receipt deadline a volume would tell others what their custody has to be.
        EvidenceKind::Volume => {
            (clock.deadline_ms(epoch, Deadline::Receipts), clock.deadline_ms(epoch, Deadline::Volumes))
        }
        // Settlement decides how long it waits.
        EvidenceKind::Payout => (clock.end(epoch).saturating_mul(1000), u64::MAX),
    };
    let name = kind.name();
    if now_ms >= closes {
        return Timing::Late(format!(
            "{name} evidence of epoch {epoch} was due {} ms ago",
            now_ms.saturating_sub(closes)
        ));
    }
    match opens.saturating_sub(now_ms) {
        0 => Timing::InTime,
        wait if wait <= length_ms => {
            Timing::Soon(format!("{name} evidence of epoch {epoch} is taken in {wait} ms"))
        }
        wait => {
            Timing::Early(format!("{name} evidence of epoch {epoch} is {wait} ms early; check the clock"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: EpochClock = EpochClock { genesis: 1_000, length: 10 };

    fn at(kind: EvidenceKind, now_ms: u64) -> Timing {
        timing(&CLOCK, kind, 3, now_ms)
    }

    // Epoch 3 is 1030..1040 s; receipts are due at 1043, volumes at 1045.
    #[test]
    fn each_kind_has_its_window() {
        assert!(matches!(at(EvidenceKind::Bandwidth, 1_019_999), Timing::Early(_)));
        assert!(matches!(at(EvidenceKind::Bandwidth, 1_029_999), Timing::Soon(_)));
        assert_eq!(at(EvidenceKind::Bandwidth, 1_030_000), Timing::InTime);
        assert_eq!(at(EvidenceKind::Bandwidth, 1_042_999), Timing::InTime);
        assert!(matches!(at(EvidenceKind::Bandwidth, 1_043_000), Timing::Late(_)));
        assert!(matches!(at(EvidenceKind::Delivery, 1_039_999), Timing::Soon(_)));
        assert_eq!(at(EvidenceKind::Delivery, 1_040_000), Timing::InTime);
        assert!(matches!(at(EvidenceKind::Volume, 1_042_999), Timing::Soon(_)));
        assert_eq!(at(EvidenceKind::Volume, 1_043_000), Timing::InTime);
        assert!(matches!(at(EvidenceKind::Volume, 1_045_000), Timing::Late(_)));
        assert_eq!(at(EvidenceKind::Payout, 9_999_999), Timing::InTime);
    }
}
