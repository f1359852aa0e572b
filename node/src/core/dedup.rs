//! Which frames were seen: per chain an interval set of sequences, and the hashes of the latest frames.
//!
//! Sequences of a chain are gapless, so a healthy chain is one interval however long it runs. Idle chains are forgotten; the
//! clock window of [admission](super::admission) is shorter than that, so a forgotten frame cannot come back.

use std::collections::{BTreeMap, HashMap};
use tatum_protocol::B256;
use tatum_protocol::message::Chain;

/// Chains known at once.
pub const MAX_CHAINS: usize = 16_384;
/// Intervals of one chain; with more gaps than that the oldest gap is given up.
const MAX_INTERVALS: usize = 64;
/// Frames of one chain whose hash is kept, to tell copies from equivocations.
const RECENT: usize = 128;
/// A chain without frames for this long is forgotten.
pub const IDLE_MS: u64 = 120_000;

/// What a frame is to what was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    New,
    /// The same frame again.
    Copy,
    /// Another frame with a sequence that was taken: the publisher contradicts itself.
    Equivocation,
    /// Sequences that were taken by frames too old to compare with.
    Old,
    /// A new chain, and no room for one.
    Full,
}

#[derive(Debug, Default)]
struct ChainState {
    /// start -> end (exclusive), disjoint and not adjacent.
    seen: BTreeMap<u64, u64>,
    /// start -> (end, hash)
    recent: BTreeMap<u64, (u64, B256)>,
    last_ms: u64,
}

#[derive(Debug, Default)]
pub struct Dedup {
    chains: HashMap<Chain, ChainState>,
}

impl Dedup {
    /// Classifies a frame of sequences `first .. first + count`, without remembering it.
    pub fn look(&self, chain: &Chain, first: u64, count: u64, hash: &B256) -> Seen {
        let Some(state) = self.chains.get(chain) else {
            return if self.chains.len() < MAX_CHAINS { Seen::New } else { Seen::Full };
        };
        let end = first.saturating_add(count);
        if !overlaps(&state.seen, first, end) {
            return Seen::New;
        }
        let mut known = state.recent.range(..end).filter(|(_, (known_end, _))| *known_end > first);
        match known.next() {
            Some((start, (known_end, known_hash))) if known_hash == hash => {
                debug_assert_eq!((*start, *known_end), (first, end), "one hash names one range");
                Seen::Copy
            }
            Some(_) => Seen::Equivocation,
            None => Seen::Old,
        }
    }

    /// Remembers a frame that [`Self::look`] called new.
    pub fn insert(&mut self, now_ms: u64, chain: Chain, first: u64, count: u64, hash: B256) {
        let state = self.chains.entry(chain).or_default();
        let end = first.saturating_add(count);
        state.last_ms = state.last_ms.max(now_ms);
        state.recent.insert(first, (end, hash));
        if state.recent.len() > RECENT {
            state.recent.pop_first();
        }
        let (mut start, mut stop) = (first, end);
        if let Some((before, before_end)) = state.seen.range(..=first).next_back().map(|(s, e)| (*s, *e))
            && before_end >= first
        {
            start = before;
            stop = stop.max(before_end);
        }
        if let Some(after_end) = state.seen.remove(&end) {
            stop = stop.max(after_end);
        }
        state.seen.insert(start, stop);
        while state.seen.len() > MAX_INTERVALS {
            if let (Some((low, _)), Some((_, high))) = (state.seen.pop_first(), state.seen.pop_first()) {
                state.seen.insert(low, high);
            }
        }
    }

    /// Forgets idle chains.
    pub fn expire(&mut self, now_ms: u64) {
        self.chains.retain(|_, state| state.last_ms.saturating_add(IDLE_MS) > now_ms);
    }

    pub fn chains(&self) -> usize {
        self.chains.len()
    }
}

fn overlaps(seen: &BTreeMap<u64, u64>, first: u64, end: u64) -> bool {
    seen.range(..end).next_back().is_some_and(|(_, seen_end)| *seen_end > first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use tatum_protocol::Address;

    fn chain() -> Chain {
        Chain { part: B256::repeat_byte(1), publisher: Address::repeat_byte(2), chain: 3 }
    }

    #[test]
    fn copies_equivocations_and_news_are_told_apart() {
        let mut dedup = Dedup::default();
        let (a, b) = (B256::repeat_byte(1), B256::repeat_byte(2));
        assert_eq!(dedup.look(&chain(), 0, 2, &a), Seen::New);
        dedup.insert(1, chain(), 0, 2, a);
        assert_eq!(dedup.look(&chain(), 0, 2, &a), Seen::Copy);
        assert_eq!(dedup.look(&chain(), 0, 2, &b), Seen::Equivocation);
        assert_eq!(dedup.look(&chain(), 1, 1, &b), Seen::Equivocation);
        assert_eq!(dedup.look(&chain(), 2, 1, &b), Seen::New);
        dedup.expire(IDLE_MS);
        assert_eq!(dedup.chains(), 1);
        dedup.expire(IDLE_MS + 1);
        assert_eq!(dedup.chains(), 0);
    }

    #[test]
    fn frames_too_old_to_compare_are_old_and_a_long_chain_is_one_interval() {
        let mut dedup = Dedup::default();
        for first in 0..1000_u64 {
            dedup.insert(1, chain(), first, 1, B256::left_padding_from(&first.to_be_bytes()));
        }
        assert_eq!(dedup.look(&chain(), 0, 1, &B256::ZERO), Seen::Old);
        assert_eq!(dedup.chains[&chain()].seen.len(), 1);
        assert_eq!(dedup.chains[&chain()].recent.len(), RECENT);
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_set(frames in prop::collection::vec((0_u64..200, 1_u64..6), 1..200)) {
            let mut dedup = Dedup::default();
            let mut taken = BTreeSet::new();
            for (n, (first, count)) in frames.into_iter().enumerate() {
                let hash = B256::left_padding_from(&n.to_be_bytes());
                let free = (first..first + count).all(|s| !taken.contains(&s));
                let new = dedup.look(&chain(), first, count, &hash) == Seen::New;
                // With more gaps than are kept, a free sequence may count as seen; never the other way.
                let gaps = dedup.chains.get(&chain()).map_or(0, |s| s.seen.len()) >= MAX_INTERVALS;
                prop_assert!(new == free || (gaps && free));
                if new {
                    dedup.insert(1, chain(), first, count, hash);
                    taken.extend(first..first + count);
                }
            }
        }
    }
}
