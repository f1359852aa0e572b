//! Who serves which stream part in an epoch: weighted rendezvous hashing, as in `docs/protocol.md` "Assignment".
//!
//! Every node computes the same answer from the epoch's seed alone, so the arithmetic is integers only. An operator's
//! chance of being first is its share of the stake, and one operator leaving moves only the parts it held.
//!
//! Left out: where the seed, the operator set and the redundancy come from (the chain), and what an assigned operator owes.

use alloy_primitives::{Address, B256, Keccak256, U256};
use std::cmp::{Ordering, Reverse};

/// Fractional bits of the fixed-point logarithm.
const FRACTION_BITS: u32 = 64;

/// log2 of 2^64, the greatest value of `h + 1`.
const HASH_BITS: u128 = 64;

/// Relayers of one receiver: two, so that neither is a single point of failure and each can be audited by the other.
const RELAYERS: usize = 2;

/// The operators assigned to `part`: at most `redundancy` of them, best score first.
///
/// `operators` are `(id, stake in wei)` with distinct ids, in any order; one without stake is never assigned.
pub fn rank(seed: &B256, part: &B256, operators: &[(u64, u128)], redundancy: usize) -> Vec<u64> {
    let mut scores: Vec<Score> = operators
        .iter()
        .filter(|(_, stake)| *stake > 0)
        .map(|&(operator, stake)| Score {
            operator,
            stake: U256::from(stake),
            distance: U256::from(distance(hash_word(seed, part, operator))),
        })
        .collect();
    scores.sort_unstable_by(Score::best_first);
    scores.truncate(redundancy);
    scores.into_iter().map(|score| score.operator).collect()
}

/// The operators that relay `part` to `receiver`: at most two of `assigned`, never the receiver's own operator.
pub fn relayers(
    seed: &B256,
    part: &B256,
    receiver: &Address,
    receiver_operator: Option<u64>,
    assigned: &[u64],
) -> Vec<u64> {
    let mut candidates: Vec<(Reverse<B256>, u64)> = assigned
        .iter()
        .filter(|operator| Some(**operator) != receiver_operator)
        .map(|&operator| {
            (Reverse(hash(seed, part, &[receiver.as_slice(), &operator.to_be_bytes()])), operator)
        })
        .collect();
    candidates.sort_unstable();
    candidates.into_iter().take(RELAYERS).map(|(_, operator)| operator).collect()
}

/// The node of an operator that serves `part`; `None` if the operator has registered no node.
pub fn broker_of(seed: &B256, part: &B256, nodes: &[Address]) -> Option<Address> {
    nodes.iter().copied().max_by_key(|node| hash(seed, part, &[node.as_slice()]))
}

/// An operator's score `stake / distance`, kept as a fraction so that comparing is exact.
struct Score {
    operator: u64,
    stake: U256,
    distance: U256,
}

impl Score {
    /// Greatest score first, ties by lower id. A distance of zero is an infinite score: the stake is positive, so its
    /// cross product beats every finite one and ties with another infinite one.
    fn best_first(&self, other: &Self) -> Ordering {
        // 128-bit stake x 71-bit distance: 199 bits, so neither product wraps.
        let ours = self.stake.wrapping_mul(other.distance);
        let theirs = other.stake.wrapping_mul(self.distance);
        theirs.cmp(&ours).then(self.operator.cmp(&other.operator))
    }
}

/// `h` of the specification: the first 8 bytes of the operator's hash.
fn hash_word(seed: &B256, part: &B256, operator: u64) -> u64 {
    let B256 { 0: [a, b, c, d, e, f, g, h, ..] } = hash(seed, part, &[&operator.to_be_bytes()]);
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

fn hash(seed: &B256, part: &B256, rest: &[&[u8]]) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(seed);
    hasher.update(part);
    for bytes in rest {
        hasher.update(bytes);
    }
    hasher.finalize()
}

/// `-log2((h + 1) / 2^64)` with 64 fractional bits: from 0 (h = 2^64 - 1) to 64 << 64 (h = 0).
fn distance(h: u64) -> u128 {
    // log2 of at most 2^64 is at most 64, so this never saturates.
    (HASH_BITS << FRACTION_BITS).saturating_sub(log2(u128::from(h).saturating_add(1)))
}

/// `log2(n)` with 64 fractional bits, rounded down, for `n` in 1..=2^64.
///
/// The classical method: normalise to a mantissa in [1, 2); each squaring doubles the logarithm, so whether the square
/// reached 2 is the next bit. The mantissa keeps 127 fractional bits, cut after each squaring: this is what nodes agree on.
fn log2(n: u128) -> u128 {
    let Some(exponent) = n.checked_ilog2() else { return 0 };
    let mut mantissa = n << n.leading_zeros();
    let mut result = u128::from(exponent);
    for _ in 0..FRACTION_BITS {
        let (low, high) = mantissa.carrying_mul(mantissa, 0);
        let reached_two = high >> 127;
        mantissa = if reached_two == 1 { high } else { (high << 1) | (low >> 127) };
        result = (result << 1) | reached_two;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;
    use proptest::prelude::*;

    const WEI: u128 = 10u128.pow(18);

    fn seed() -> B256 {
        keccak256("seed")
    }

    fn part(index: u64) -> B256 {
        keccak256(index.to_be_bytes())
    }

    fn node(byte: u8) -> Address {
        Address::repeat_byte(byte)
    }

    /// The golden values of this module come from a second implementation: rational scores, logarithms to 400 bits.
    #[test]
    fn golden_ranks() {
        let stakes =
            [(1, 100 * WEI), (2, 200 * WEI), (3, 300 * WEI), (4, 0), (5, 50 * WEI), (u64::MAX, 250 * WEI)];
        let expected: [[u64; 5]; 4] =
            [[u64::MAX, 2, 3, 1, 5], [1, 2, u64::MAX, 5, 3], [u64::MAX, 2, 3, 5, 1], [2, 3, u64::MAX, 5, 1]];
        for (index, expected) in (0..).zip(expected) {
            assert_eq!(rank(&seed(), &part(index), &stakes, 6), expected);
            assert_eq!(rank(&seed(), &part(index), &stakes, 2), expected[..2]);
        }
        assert!(rank(&seed(), &part(0), &stakes, 0).is_empty());
        assert!(rank(&seed(), &part(0), &[], 3).is_empty());
    }

    #[test]
    fn golden_relayers_and_brokers() {
        let (receiver, assigned) = (node(0x11), [1, 2, 3, 5]);
        let nodes = [node(0x0a), node(0x0b), node(0x0c)];
        let expected: [([u64; 2], [u64; 2], u8); 4] =
            [([3, 2], [2, 5], 0x0a), ([3, 1], [1, 5], 0x0b), ([3, 5], [5, 1], 0x0a), ([5, 3], [5, 2], 0x0b)];
        for (index, (stranger, of_operator_3, broker)) in (0..).zip(expected) {
            let part = part(index);
            assert_eq!(relayers(&seed(), &part, &receiver, None, &assigned), stranger);
            assert_eq!(relayers(&seed(), &part, &receiver, Some(3), &assigned), of_operator_3);
            assert_eq!(broker_of(&seed(), &part, &nodes), Some(node(broker)));
        }
        assert_eq!(relayers(&seed(), &part(0), &receiver, Some(1), &[1, 2]), [2]);
        assert!(relayers(&seed(), &part(0), &receiver, Some(1), &[1]).is_empty());
        assert_eq!(broker_of(&seed(), &part(0), &[]), None);
    }

    #[test]
    fn golden_logarithms() {
        for (n, expected) in [
            (1, 0),
            (2, 1 << 64),
            (3, 0x1_95c0_1a39_fbd6_879f),
            (10, 0x3_5269_e12f_346e_2bf9),
            ((1 << 32) + 1, 0x20_0000_0001_7154_7651),
            (0xdead_beef_cafe_babe, 0x3f_cc7f_7302_cad4_54d6),
            (u128::from(u64::MAX), 0x3f_ffff_ffff_ffff_fffe),
            (1 << 64, 64 << 64),
        ] {
            assert_eq!(log2(n), expected, "n = {n}");
        }
        let sum = (0..2000).fold(0u128, |sum, index| {
            let word = u64::from_be_bytes(part(index)[..8].try_into().unwrap());
            sum + log2(u128::from(word) + 1)
        });
        assert_eq!(sum, 0x1_e8ed_4204_22b8_aae4_35a2);
        assert_eq!((distance(0), distance(u64::MAX), distance(u64::MAX - 1)), (64 << 64, 0, 2));
    }

    fn score(operator: u64, stake: u128, distance: u128) -> Score {
        Score { operator, stake: U256::from(stake), distance: U256::from(distance) }
    }

    #[test]
    fn scores_compare_exactly() {
        let before = |a: &Score, b: &Score| {
            assert_eq!(a.best_first(b), Ordering::Less);
            assert_eq!(b.best_first(a), Ordering::Greater);
        };
        before(&score(9, 3, 2), &score(1, 1, 1));
        before(&score(1, 2, 4), &score(2, 1, 2));
        before(&score(9, 1, 0), &score(1, u128::MAX, 1));
        before(&score(1, 1, 0), &score(2, u128::MAX, 0));
        before(&score(9, u128::MAX, 64 << 64), &score(1, u128::MAX - 1, 64 << 64));
    }

    /// The chance of being first is the share of the stake: over many parts each count is within 4 standard deviations.
    #[test]
    fn first_places_follow_stake() {
        const PARTS: u64 = 5_000;
        let operators = [(1, WEI), (2, 2 * WEI), (3, 3 * WEI), (4, 4 * WEI), (5, 10 * WEI)];
        let mut first = [0u64; 6];
        for index in 0..PARTS {
            first[usize::try_from(rank(&seed(), &part(index), &operators, 1)[0]).unwrap()] += 1;
        }
        for (operator, stake) in operators {
            let share = (stake / WEI) as f64 / 20.0;
            let (mean, deviation) = (PARTS as f64 * share, (PARTS as f64 * share * (1.0 - share)).sqrt());
            let found = first[usize::try_from(operator).unwrap()] as f64;
            assert!((found - mean).abs() < 4.0 * deviation, "operator {operator}: {found}, expected {mean}");
        }
    }

    fn operators() -> impl Strategy<Value = Vec<(u64, u128)>> {
        proptest::collection::btree_map(any::<u64>(), any::<u128>(), 1..20)
            .prop_map(|operators| operators.into_iter().collect())
    }

    proptest! {
        #[test]
        fn order_of_input_is_irrelevant(operators in operators(), part: [u8; 32], redundancy in 0usize..25) {
            let ranked = rank(&seed(), &part.into(), &operators, redundancy);
            let reversed: Vec<_> = operators.iter().rev().copied().collect();
            prop_assert_eq!(&ranked, &rank(&seed(), &part.into(), &reversed, redundancy));
            let staked = operators.iter().filter(|(_, stake)| *stake > 0).count();
            prop_assert_eq!(ranked.len(), redundancy.min(staked));
        }

        #[test]
        fn a_leaver_moves_nobody_else(operators in operators(), part: [u8; 32], leaver: prop::sample::Index) {
            let (leaver, _) = operators[leaver.index(operators.len())];
            let mut expected = rank(&seed(), &part.into(), &operators, operators.len());
            expected.retain(|operator| *operator != leaver);
            let rest: Vec<_> = operators.into_iter().filter(|(operator, _)| *operator != leaver).collect();
            prop_assert_eq!(rank(&seed(), &part.into(), &rest, rest.len()), expected);
        }

        #[test]
        fn more_stake_never_lowers_a_rank(operators in operators(), part: [u8; 32], more: u128) {
            let place = |operators: &[(u64, u128)], who| {
                rank(&seed(), &part.into(), operators, operators.len()).iter().position(|found| *found == who)
            };
            let (who, stake) = operators[0];
            let mut raised = operators.clone();
            raised[0].1 = stake.saturating_add(more);
            if let Some(before) = place(&operators, who) {
                prop_assert!(place(&raised, who).unwrap() <= before);
            }
        }

        #[test]
        fn relayers_are_assigned_others(assigned in operators(), receiver: [u8; 20], own: u64) {
            let assigned: Vec<u64> = assigned.into_iter().map(|(operator, _)| operator).chain([own]).collect();
            let found = relayers(&seed(), &part(0), &receiver.into(), Some(own), &assigned);
            let others = assigned.iter().filter(|operator| **operator != own).count();
            prop_assert_eq!(found.len(), others.min(2));
            prop_assert!(found.iter().all(|operator| *operator != own && assigned.contains(operator)));
        }

        #[test]
        fn logarithm_never_decreases(n in 1u128..=1 << 64) {
            prop_assert!(log2(n) <= log2(n + 1));
        }
    }
}
