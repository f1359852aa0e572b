use super::*;
use crate::amount::BPS;
use crate::bls::SecretKey;
use crate::id::{StreamId, StreamPart};
use crate::plan::{EpochPlan, PlanInput, PlanOperator, PlanSponsorship, PlannedPart, Shares};
use crate::set_digest::custody;
use alloy_primitives::{B256, U256};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn node(operator: u64) -> Address {
    Address::left_padding_from(&operator.to_be_bytes())
}

fn subscriber(n: u64) -> Address {
    Address::left_padding_from(&(1_000_000 + n).to_be_bytes())
}

#[derive(Debug)]
struct Scene {
    weights: Vec<u128>,
    rates: Vec<u128>,
    partitions: u32,
    redundancy: u8,
    share_bps: u16,
    subscribers: u64,
    attesters: Vec<(u64, u128)>,
    shares: Shares,
    unservable: u128,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            weights: vec![100; 4],
            rates: vec![1_000_000],
            partitions: 1,
            redundancy: 4,
            share_bps: 0,
            subscribers: 0,
            attesters: vec![],
            shares: Shares { attester_bps: 500, availability_bps: 5000 },
            unservable: 0,
        }
    }
}

impl Scene {
    fn plan(&self) -> EpochPlan {
        let key = SecretKey::from_seed(&[1; 32]).public_key();
        let stream: StreamId = "0xabc/test".parse().unwrap();
        let operator =
            |(id, weight): (u64, &u128)| PlanOperator { id, weight: *weight, nodes: vec![node(id)], key };
        let sponsorship = |(id, rate): (u64, &u128)| PlanSponsorship {
            id,
            stream: stream.clone(),
            partitions: self.partitions,
            rate: Wei(*rate),
            redundancy: self.redundancy,
            subscriber_share_bps: self.share_bps,
        };
        let subscribers: BTreeSet<_> = (0..self.subscribers).map(subscriber).collect();
        EpochPlan::new(PlanInput {
            epoch: 9,
            checkpoint: 3,
            root_in_force: B256::ZERO,
            operators: (1..).zip(&self.weights).map(operator).collect(),
            sponsorships: (1..).zip(&self.rates).map(sponsorship).collect(),
            unservable: vec![(99, Wei(self.unservable))],
            subscribers: [(stream.clone(), subscribers)].into(),
            attesters: self.attesters.clone(),
            shares: self.shares,
        })
    }
}

fn volume(part: &PlannedPart, messages: u64, bytes: u64) -> Volume {
    let set_digest = B256::repeat_byte(7);
    Volume { epoch: 9, checkpoint: 3, part: part.key, set_digest, messages, bytes }
}

/// Everybody received and confirmed everything.
fn perfect(plan: &EpochPlan, bytes: u64) -> Evidence {
    let mut evidence = Evidence::default();
    for part in plan.parts.values() {
        let volume = volume(part, bytes / 10, bytes);
        evidence.volumes.insert(part.key, volume);
        for receiver in &part.receivers {
            let custody = custody(&volume.set_digest, &receiver.address);
            let delivery = Delivery { part: part.key, messages: volume.messages, bytes, custody };
            evidence.deliveries.insert((part.key, receiver.address), delivery);
            for relayer in &receiver.relayers {
                let credit = Credit { part: part.key, messages: volume.messages, bytes, served_bytes: 0 };
                evidence.credits.insert((part.key, relayer.broker, receiver.address), credit);
            }
        }
    }
    evidence
}

fn sum(payout: &EpochPayout, kind: Kind) -> u128 {
    payout.lines.iter().filter(|line| line.kind == kind).map(|line| line.amount.0).sum()
}

fn earned(payout: &EpochPayout, operator: u64) -> u128 {
    payout.lines.iter().filter(|line| line.operator == operator).map(|line| line.amount.0).sum()
}

#[test]
fn a_perfect_epoch_pays_the_shares_of_the_formula() {
    let scene = Scene { attesters: vec![(1, 300), (2, 100)], ..Scene::default() };
    let plan = scene.plan();
    let payout = EpochPayout::compute(&plan, &perfect(&plan, 1000)).unwrap();
    assert_eq!(payout.scheduled, Wei(1_000_000));
    assert_eq!(sum(&payout, Kind::Attester), 50_000);
    assert_eq!(sum(&payout, Kind::Availability), 475_000 / 4 * 4);
    // 475,000 / 4 receivers / 2 relayers = 59,375 each way.
    assert_eq!(sum(&payout, Kind::Relay), 475_000);
    assert_eq!(sum(&payout, Kind::Delivery), 0);
    let of = |kind, operator| {
        payout.lines.iter().find(|l| l.kind == kind && l.operator == operator).unwrap().amount.0
    };
    assert_eq!((of(Kind::Attester, 1), of(Kind::Attester, 2)), (37_500, 12_500));
    assert_eq!(payout.refunds[&1], Wei(0));
}

#[test]
fn without_a_certificate_the_whole_pot_goes_back() {
    let plan = Scene { attesters: vec![(1, 1)], ..Scene::default() }.plan();
    let payout = EpochPayout::compute(&plan, &Evidence::default()).unwrap();
    assert_eq!((payout.lines.len(), payout.refunds[&1]), (0, Wei(1_000_000)));
}

#[test]
fn a_dead_broker_loses_availability_and_it_returns_to_the_sponsor() {
    let plan = Scene::default().plan();
    let mut evidence = perfect(&plan, 1000);
    let part = plan.parts.values().next().unwrap();
    evidence.deliveries.remove(&(part.key, node(2)));
    evidence.credits.retain(|(_, relayer, receiver), _| *relayer != node(2) && *receiver != node(2));
    let payout = EpochPayout::compute(&plan, &evidence).unwrap();
    assert_eq!(earned(&payout, 2), 0);
    // 950,000 available, halves; three of four availability shares are paid.
    assert_eq!(sum(&payout, Kind::Availability), 475_000 / 4 * 3);
    assert_eq!(payout.refunds[&1].0 + payout.lines.iter().map(|l| l.amount.0).sum::<u128>(), 1_000_000);
}

#[test]
fn copied_custody_earns_nothing() {
    let plan = Scene::default().plan();
    let part = plan.parts.values().next().unwrap();
    let mut evidence = perfect(&plan, 1000);
    let stolen = evidence.deliveries[&(part.key, node(1))];
    evidence.deliveries.insert((part.key, node(2)), stolen);
    let payout = EpochPayout::compute(&plan, &evidence).unwrap();
    assert!(!payout.lines.iter().any(|l| l.operator == 2 && l.kind == Kind::Availability));
}

#[test]
fn over_credit_counts_no_more_than_the_certified_and_the_delivered() {
    let plan = Scene::default().plan();
    let honest = EpochPayout::compute(&plan, &perfect(&plan, 1000)).unwrap();
    let mut greedy = perfect(&plan, 1000);
    for credit in greedy.credits.values_mut() {
        credit.bytes = u64::MAX;
    }
    assert_eq!(EpochPayout::compute(&plan, &greedy).unwrap(), honest);
    for delivery in greedy.deliveries.values_mut() {
        delivery.bytes = 500;
    }
    assert_eq!(sum(&EpochPayout::compute(&plan, &greedy).unwrap(), Kind::Relay), 59_375 / 2 * 8);
}

#[test]
fn parts_without_receivers_join_the_next_one_up() {
    let compute = |scene: Scene| {
        let plan = scene.plan();
        EpochPayout::compute(&plan, &perfect(&plan, 1000)).unwrap()
    };
    let no_subscribers = compute(Scene { share_bps: 5000, ..Scene::default() });
    assert_eq!((sum(&no_subscribers, Kind::Delivery), sum(&no_subscribers, Kind::Relay)), (0, 475_000));
    let with_subscribers = compute(Scene { share_bps: 5000, subscribers: 5, ..Scene::default() });
    assert_eq!(sum(&with_subscribers, Kind::Delivery), 237_500);
    let alone = compute(Scene { weights: vec![5], ..Scene::default() });
    assert_eq!((sum(&alone, Kind::Relay), sum(&alone, Kind::Availability)), (0, 950_000));
}

#[test]
fn zero_volume_pays_availability_and_no_work() {
    let plan = Scene::default().plan();
    let payout = EpochPayout::compute(&plan, &perfect(&plan, 0)).unwrap();
    assert_eq!((sum(&payout, Kind::Relay), sum(&payout, Kind::Availability)), (0, 475_000));
}

#[test]
fn entries_are_packed_sorted_and_read_back() {
    let plan = Scene { rates: vec![1_000_003, 77], partitions: 3, ..Scene::default() }.plan();
    let mut cumulative = Cumulative::default();
    cumulative.add(&EpochPayout::compute(&plan, &perfect(&plan, 1000)).unwrap()).unwrap();
    let entries = cumulative.entries();
    assert!(entries.is_sorted());
    assert_eq!(Cumulative::from_entries(&entries), Ok(cumulative.clone()));
    assert_eq!(cumulative.total(), U256::from(1_000_080_u64));
    let mut swapped = entries.clone();
    swapped.swap(0, 1);
    assert!(matches!(Cumulative::from_entries(&swapped), Err(TreeError::Order(_))));
    for bad in [U256::from(1), U256::from(3) << 248, (U256::from(1) << 248) | (U256::from(1) << 200)] {
        assert_eq!(Cumulative::from_entries(&[bad]), Err(TreeError::Entry(bad)));
    }
}

#[test]
fn large_trees_are_cut_in_chunks_that_prove() {
    let entries: Vec<U256> =
        (1..=200_u64).map(|id| (U256::from(1) << 248) | (U256::from(id) << 128) | U256::from(5)).collect();
    let tree = Cumulative::from_entries(&entries).unwrap().tree();
    let chunks: Vec<_> = tree.chunks().collect();
    assert_eq!(chunks.iter().map(|(c, ..)| c.len()).collect::<Vec<_>>(), [64, 64, 64, 8]);
    for (_, leaf, proof) in chunks {
        assert!(crate::merkle::verify(&tree.root(), &leaf, &proof));
    }
}

#[test]
fn two_partitions_of_a_stream_are_separate_parts() {
    let plan = Scene { partitions: 2, ..Scene::default() }.plan();
    let keys: Vec<_> =
        (0..2).map(|p| StreamPart::new("0xabc/test".parse().unwrap(), p).unwrap().key()).collect();
    assert!(keys.iter().all(|key| plan.parts.contains_key(key)));
}

prop_compose! {
    fn any_scene()(
        weights in prop::collection::vec(1_u128..1_000_000_000_000, 0..7),
        rates in prop::collection::vec(0_u128..u128::MAX / 16, 1..4),
        partitions in 1_u32..5,
        redundancy in 1_u8..6,
        share_bps in 0_u16..=10_000,
        subscribers in 0_u64..4,
        attesters in prop::collection::vec((1_u64..8, 0_u128..1_000_000), 0..5),
        attester_bps in 0_u16..=2_000,
        availability_bps in 0_u16..=10_000,
        unservable in 0_u128..1_000,
    ) -> Scene {
        let shares = Shares { attester_bps, availability_bps };
        Scene { weights, rates, partitions, redundancy, share_bps, subscribers, attesters, shares, unservable }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// The conservation equation, for any evidence whatever.
    #[test]
    fn payouts_plus_refunds_equal_scheduled(
        scene in any_scene(),
        certified in 0_u64..5_000,
        noise in prop::collection::vec((any::<prop::sample::Index>(), 0_u64..10_000, any::<bool>()), 0..20),
    ) {
        let plan = scene.plan();
        let mut evidence = perfect(&plan, certified);
        for (index, bytes, drop) in noise {
            if evidence.credits.is_empty() || evidence.deliveries.is_empty() {
                break;
            }
            let credit = *evidence.credits.keys().nth(index.index(evidence.credits.len())).unwrap();
            let delivery = *evidence.deliveries.keys().nth(index.index(evidence.deliveries.len())).unwrap();
            if drop {
                evidence.credits.remove(&credit);
                evidence.deliveries.remove(&delivery);
            } else {
                evidence.credits.get_mut(&credit).unwrap().bytes = bytes;
                evidence.deliveries.get_mut(&delivery).unwrap().bytes = bytes;
            }
        }
        let payout = EpochPayout::compute(&plan, &evidence).unwrap();
        let scheduled = scene.rates.iter().sum::<u128>() + scene.unservable;
        let paid: u128 = payout.lines.iter().map(|line| line.amount.0).sum();
        let refunded: u128 = payout.refunds.values().map(|wei| wei.0).sum();
        prop_assert_eq!(payout.scheduled, Wei(scheduled));
        prop_assert_eq!(paid + refunded, scheduled);
        let mut cumulative = Cumulative::default();
        cumulative.add(&payout).unwrap();
        prop_assert_eq!(cumulative.total(), U256::from(scheduled));
    }

    /// Serving less never earns a relayer more.
    #[test]
    fn earnings_grow_with_confirmed_bytes(scene in any_scene(), certified in 1_u64..5_000, less in 0_u64..5_000) {
        let plan = scene.plan();
        let full = EpochPayout::compute(&plan, &perfect(&plan, certified)).unwrap();
        let mut evidence = perfect(&plan, certified);
        for ((_, relayer, _), credit) in &mut evidence.credits {
            if *relayer == node(1) {
                credit.bytes = less.min(certified);
            }
        }
        let lazy = EpochPayout::compute(&plan, &evidence).unwrap();
        prop_assert!(earned(&lazy, 1) <= earned(&full, 1));
        prop_assert!(BPS >= u128::from(scene.share_bps));
    }
}
