//! Which telemetry samples have been seen, per device, as intervals of sequence numbers. No IO.
//!
//! Memory grows with the number of devices and gaps, not of messages.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

/// What a sample says about itself.
#[derive(Debug, Deserialize)]
pub(super) struct Identity {
    pub(super) device: String,
    pub(super) sequence: u64,
}

impl Identity {
    /// `None` if the payload is not telemetry.
    pub(super) fn of(payload: &[u8]) -> Option<Self> {
        serde_json::from_slice(payload).ok()
    }
}

/// Sequence numbers that never came although later ones of the device did, both ends included.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Gap {
    pub device: String,
    pub first: u64,
    pub last: u64,
}

/// Intervals seen: first -> last, disjoint and not adjacent.
#[derive(Debug, Default)]
pub(super) struct Seen {
    devices: HashMap<String, BTreeMap<u64, u64>>,
}

impl Seen {
    /// Whether the sample is new.
    pub(super) fn insert(&mut self, identity: &Identity) -> bool {
        let sequence = identity.sequence;
        let Some(intervals) = self.devices.get_mut(&identity.device) else {
            self.devices.insert(identity.device.clone(), BTreeMap::from([(sequence, sequence)]));
            return true;
        };
        let before = intervals.range(..=sequence).next_back().map(|(first, last)| (*first, *last));
        if before.is_some_and(|(_, last)| last >= sequence) {
            return false;
        }
        let first = match before {
            Some((first, last)) if last + 1 == sequence => first,
            _ => sequence,
        };
        let after = sequence.checked_add(1).and_then(|next| intervals.remove(&next));
        intervals.insert(first, after.unwrap_or(sequence));
        true
    }

    /// Holes between the first and the last sample of each device.
    pub(super) fn gaps(&self) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for (device, intervals) in &self.devices {
            for ((_, last), (first, _)) in intervals.iter().zip(intervals.iter().skip(1)) {
                gaps.push(Gap { device: device.clone(), first: last + 1, last: first - 1 });
            }
        }
        gaps.sort_by(|a, b| (&a.device, a.first).cmp(&(&b.device, b.first)));
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(seen: &mut Seen, sequence: u64) -> bool {
        seen.insert(&Identity { device: "d".into(), sequence })
    }

    #[test]
    fn duplicates_are_told_from_late_ones_and_gaps_close() {
        let mut seen = Seen::default();
        assert!([5, 6, 9, 7, u64::MAX].iter().all(|n| insert(&mut seen, *n)));
        assert!([5, 6, 7, 9, u64::MAX].iter().all(|n| !insert(&mut seen, *n)));
        let gaps = seen.gaps();
        assert_eq!(gaps[0], Gap { device: "d".into(), first: 8, last: 8 });
        assert_eq!(gaps[1], Gap { device: "d".into(), first: 10, last: u64::MAX - 1 });
        assert!(insert(&mut seen, 8));
        assert_eq!(seen.gaps().len(), 1);
        assert!(insert(&mut seen, 4));
        assert_eq!(seen.devices["d"].len(), 2);
    }

    #[test]
    fn any_order_leaves_one_interval() {
        let mut seen = Seen::default();
        // 37 is coprime to 100: every number once.
        assert!((0..100).all(|n| insert(&mut seen, n * 37 % 100)));
        assert_eq!(seen.devices["d"], BTreeMap::from([(0, 99)]));
    }

    #[test]
    fn only_telemetry_has_an_identity() {
        assert_eq!(Identity::of(br#"{"device":"a/1","sequence":3,"x":0}"#).unwrap().sequence, 3);
        assert!(Identity::of(b"21.5").is_none());
        assert!(Identity::of(br#"{"device":"a"}"#).is_none());
    }
}
