use alloy::primitives::{Address, B256, U256};
use tatum_protocol::epoch::EpochClock;

use super::{ChainView, Lapse, Segment};
use crate::event::{ChainEvent, Event, Loss, Payment, PermissionUpdated, SponsorshipCreated};

const CLOCK: EpochClock = EpochClock { genesis: 1_000, length: 10 };
const LAPSE: u64 = 4;
const STREAM: &str = "0x00000000000000000000000000000000000000aa/machine";

fn address(byte: u8) -> Address {
    Address::repeat_byte(byte)
}

/// A view after events given as (timestamp, event), one block each.
fn view(events: impl IntoIterator<Item = (u64, Event)>) -> ChainView {
    let mut view = ChainView::new(CLOCK, LAPSE);
    for (block, (timestamp, event)) in (1..).zip(events) {
        view.apply(&ChainEvent { block, timestamp, log_index: 0, transaction: B256::ZERO, event });
    }
    view
}

fn registered(operator: u64) -> (u64, Event) {
    let owner = address(u8::try_from(operator).unwrap());
    let (g1, g2) = ([U256::from(operator); 2], [U256::ZERO; 4]);
    (1_000, Event::OperatorRegistered { operator, owner, g1, g2, commission_bps: 1_000 })
}

fn weight(operator: u64, effective_epoch: u64, weight: u128) -> (u64, Event) {
    (1_000, Event::WeightChanged { operator, effective_epoch, weight })
}

fn sponsored(sponsorship: u64) -> (u64, Event) {
    let created = SponsorshipCreated {
        sponsorship,
        sponsor: address(9),
        stream: STREAM.into(),
        partitions: 1,
        redundancy: 3,
        subscriber_share_bps: 5_000,
    };
    (1_000, Event::SponsorshipCreated(created))
}

/// `rate_per_epoch` from `from_epoch` to before `to_epoch`.
fn scheduled(sponsorship: u64, from_epoch: u64, to_epoch: u64, rate_per_epoch: u128) -> (u64, Event) {
    (1_000, Event::Scheduled { sponsorship, from_epoch, to_epoch, rate_per_epoch })
}

fn settled(epoch: u64, cumulative: u64) -> (u64, Event) {
    (1_000, Event::Settled { epoch, amount: U256::ZERO, cumulative: U256::from(cumulative) })
}

fn lapsed(lapse: u64, from_epoch: u64, to_epoch: u64) -> (u64, Event) {
    (1_000, Event::Lapsed { lapse, from_epoch, to_epoch, amount: U256::ZERO })
}

fn posted(timestamp: u64, epoch: u64, root: u8) -> (u64, Event) {
    let event = Event::Posted {
        epoch,
        root: B256::repeat_byte(root),
        total: U256::from(epoch),
        absentees: vec![epoch],
        poster: address(8),
    };
    (timestamp, event)
}

fn granted(timestamp: u64, user: Address, publish: u64, subscribe: u64) -> (u64, Event) {
    let updated = PermissionUpdated {
        stream: STREAM.into(),
        user,
        can_edit: false,
        can_delete: false,
        publish_expiration: publish,
        subscribe_expiration: subscribe,
        can_grant: false,
    };
    (timestamp, Event::PermissionUpdated(updated))
}

#[test]
fn a_weight_is_in_force_from_its_epoch_until_the_next() {
    let view = view([
        registered(1),
        registered(2),
        registered(3),
        weight(1, 2, 100),
        weight(2, 2, 50),
        weight(1, 2, 120), // replaces the first: the same epoch
        weight(2, 5, 0),
        weight(1, 7, 130),
    ]);
    assert_eq!(view.operator_set(1), super::OperatorSet::default());
    let members = |epoch| {
        let set = view.operator_set(epoch);
        (set.checkpoint, set.total_stake, set.members.iter().map(|m| (m.id, m.weight)).collect::<Vec<_>>())
    };
    assert_eq!(members(2), (2, 170, vec![(1, 120), (2, 50)]));
    assert_eq!(members(4), (2, 170, vec![(1, 120), (2, 50)]));
    assert_eq!(members(6), (5, 120, vec![(1, 120)]));
    assert_eq!(members(99), (7, 130, vec![(1, 130)]));
    assert_eq!(view.operator_set(2).members[0].key.g1, [U256::from(1); 2]);
}

#[test]
fn a_rotated_key_is_in_force_from_its_epoch_and_makes_a_checkpoint_of_a_member() {
    let rotated = |operator, epoch, x: u64| {
        let (g1, g2) = ([U256::from(x); 2], [U256::ZERO; 4]);
        (1_000, Event::KeyRotated { operator, g1, g2, effective_epoch: epoch })
    };
    let view = view([
        registered(1),
        registered(2),
        weight(1, 2, 100),
        rotated(1, 5, 71),
        rotated(1, 5, 72), // replaces the one before: the same epoch
        rotated(2, 7, 73), // not in the set
    ]);
    let key = |epoch| view.operator_set(epoch).members[0].key.g1[0];
    assert_eq!((key(4), key(5), key(9)), (U256::from(1), U256::from(72), U256::from(72)));
    let checkpoint = |epoch| view.operator_set(epoch).checkpoint;
    assert_eq!((checkpoint(4), checkpoint(5), checkpoint(9)), (2, 5, 5));
}

#[test]
fn nodes_come_and_go_by_epoch_and_stay_bound() {
    let (a, b) = (address(0xa), address(0xb));
    let added = |node, effective_epoch| (1_000, Event::NodeAdded { operator: 1, node, effective_epoch });
    let removed = |node, effective_epoch| (1_000, Event::NodeRemoved { operator: 1, node, effective_epoch });
    let view = view([
        registered(1),
        weight(1, 2, 100),
        added(b, 2),
        added(a, 3),
        removed(b, 5),
        removed(a, 6),
        added(a, 6), // back within the same epoch
    ]);
    let nodes = |epoch| view.operator_set(epoch).members[0].nodes.clone();
    assert_eq!(nodes(2), vec![b]);
    assert_eq!(nodes(4), vec![a, b]);
    assert_eq!(nodes(5), vec![a]);
    assert_eq!(nodes(6), vec![a]);
    assert_eq!(view.operator_of(b), Some(1));
    assert_eq!(view.operator_of(address(0xc)), None);
}

#[test]
fn a_pool_follows_every_movement() {
    let at = |event| (1_000, event);
    let (owner, delegator) = (address(1), address(3));
    let unbonding = |holder, request, amount, shares| {
        at(Event::UnbondingStarted { operator: 1, holder, request, amount, shares, release_epoch: 20 })
    };
    let payment = |operator, amount| Payment { operator, amount };
    let loss = Loss { own: 90, own_shares: 900, own_unbonding: 50, delegated: 0, delegated_unbonding: 0 };
    let mut view = view([
        registered(1),
        registered(2),
        at(Event::Staked { operator: 1, from: owner, amount: 1_000, shares: 10_000 }),
        at(Event::Delegated { operator: 1, delegator, amount: 500, shares: 5_000 }),
        at(Event::Delegated { operator: 1, delegator: address(4), amount: 100, shares: 1_000 }),
        unbonding(Address::ZERO, 1, 300, 3_000),
        unbonding(delegator, 2, 200, 2_000),
        unbonding(address(4), 3, 100, 1_000),
        at(Event::Paid { payments: vec![payment(1, 70), payment(2, 5)] }),
        at(Event::EarningsShared { operator: 1, earnings: 60, commission: 6, commission_shares: 50 }),
        at(Event::Slashed { operator: 1, loss }),
        at(Event::Withdrawn { request: 2, to: delegator, amount: 200 }),
        at(Event::OwnershipTransferred { operator: 1, from: owner, to: address(7) }),
        at(Event::CommissionChanged { operator: 1, bps: 700 }),
    ]);
    let pool = view.pool(1).unwrap();
    assert_eq!(pool.assets, 1_600 - 600 + 60 - 90);
    assert_eq!((pool.shares, pool.own_shares), (16_000 - 6_000 + 50 - 900, 10_000 - 3_000 + 50 - 900));
    assert_eq!(pool.delegations().collect::<Vec<_>>(), vec![(delegator, 3_000)], "the other has left");
    assert_eq!((pool.unbonding_own, pool.unbonding_delegated), (300 - 50, 100));
    assert_eq!((pool.paid, pool.unshared, pool.slashed), (70, 10, 140));
    assert_eq!(view.pool(2).unwrap().unshared, 5);
    assert_eq!((view.owner_of(1), view.commission_bps(1)), (Some(address(7)), Some(700)));

    // Deposits and payouts less withdrawals and slashes.
    let held = |view: &ChainView| {
        let pool = view.pool(1).unwrap();
        pool.assets + pool.unshared + pool.unbonding_own + pool.unbonding_delegated
    };
    assert_eq!(held(&view), 1_600 + 70 - 200 - 140);
    let again = Event::Withdrawn { request: 2, to: delegator, amount: 200 };
    view.apply(&ChainEvent {
        block: 99,
        timestamp: 1_000,
        log_index: 0,
        transaction: B256::ZERO,
        event: again,
    });
    assert_eq!(held(&view), 1_330, "a request is over once");
}

#[test]
fn shares_are_worth_their_part_of_the_pool() {
    let view = view([
        registered(1),
        (1_000, Event::Staked { operator: 1, from: address(1), amount: 300, shares: 300_000_000 }),
        (1_000, Event::Delegated { operator: 1, delegator: address(3), amount: 100, shares: 100_000_000 }),
        (1_000, Event::Paid { payments: vec![Payment { operator: 1, amount: 40 }] }),
        (1_000, Event::EarningsShared { operator: 1, earnings: 40, commission: 0, commission_shares: 0 }),
    ]);
    let pool = view.pool(1).unwrap();
    // 441 wei and 401 million shares, the virtual ones included.
    assert_eq!((pool.own(), pool.value_down(100_000_000)), (329, 109));
    assert_eq!(pool.value_down(0), 0);
}

#[test]
fn a_sponsorship_pays_what_was_scheduled_last() {
    let view = view([
        sponsored(1),
        scheduled(1, 2, 5, 100),
        sponsored(2),
        scheduled(2, 3, 13, 7),
        scheduled(1, 5, 7, 100), // topped up
        scheduled(1, 6, 16, 10), // the rate of epoch 6 and on, replacing one epoch
        scheduled(2, 8, 8, 0),   // stopped
        (1_000, Event::Stopped { sponsorship: 2 }),
    ]);
    let active = |epoch| {
        let active = view.sponsorships_active(epoch);
        active.iter().map(|s| (s.created.sponsorship, s.rate_per_epoch)).collect::<Vec<_>>()
    };
    assert_eq!(active(1), vec![]);
    assert_eq!(active(2), vec![(1, 100)]);
    assert_eq!(active(5), vec![(1, 100), (2, 7)]);
    assert_eq!(active(7), vec![(1, 10), (2, 7)]);
    assert_eq!(active(8), vec![(1, 10)]);
    assert_eq!(active(16), vec![]);
    for (epoch, sum) in [(1, 0), (2, 100), (3, 207), (4, 314), (5, 421), (6, 438), (8, 465), (99, 535)] {
        assert_eq!(view.scheduled_through(epoch), U256::from(sum), "through {epoch}");
    }
    let segment = |from_epoch, to_epoch, rate_per_epoch| Segment { from_epoch, to_epoch, rate_per_epoch };
    assert_eq!(view.schedule(2).unwrap(), [segment(3, 8, 7)]);
    assert!(view.is_stopped(2) && !view.is_stopped(1));
}

#[test]
fn spare_is_what_came_and_is_not_scheduled() {
    let at = |event| (1_000, event);
    let view = view([
        sponsored(1),
        scheduled(1, 2, 5, 100),
        at(Event::ToppedUp { sponsorship: 1, from: address(8), amount: 250 }),
        scheduled(1, 5, 7, 100),
        at(Event::Refunded { sponsorship: 1, amount: 5, cumulative: 5 }),
        at(Event::Refunded { sponsorship: 1, amount: 4, cumulative: 9 }),
        at(Event::Recovered { sponsorship: 1, lapse: 1, amount: 30 }),
        at(Event::Restored { sponsorship: 1, amount: 2 }),
        at(Event::Reclaimed { sponsorship: 1, sponsor: address(9), amount: 6 }),
    ]);
    assert_eq!(view.spare(1), Some(U256::from(50 + 9 + 30 + 2 - 6)));
    let funds = view.funds(1).unwrap();
    assert_eq!((funds.added, funds.refunded, funds.reclaimed), (U256::from(550), 9, 6));
}

#[test]
fn payable_is_what_has_not_lapsed() {
    // 10 per epoch from epoch 2 on; a post reaches back 4 epochs.
    let base = [sponsored(1), scheduled(1, 2, 1_000, 10)];
    let payable = |view: &ChainView, epoch| view.payable_through(epoch).map(|wei| wei.to::<u64>());
    let fresh = view(base.clone());
    assert_eq!([1, 2, 5, 6].map(|epoch| payable(&fresh, epoch)), [Some(0), Some(10), Some(40), Some(40)]);

    let mut late = posted(1_100, 3, 0x33);
    if let Event::Posted { total, .. } = &mut late.1 {
        *total = U256::from(20);
    }
    let view = view(base.into_iter().chain([settled(3, 20), late, lapsed(1, 4, 6), settled(9, 60)]));
    assert_eq!(payable(&view, 3), Some(20), "it was posted");
    assert_eq!(payable(&view, 8), None, "a later post covers it");
    assert_eq!(payable(&view, 10), Some(70));
    assert_eq!(payable(&view, 15), Some(60 + 40), "12 to 15; 10 and 11 would lapse");
    assert_eq!(view.lapses(), [Lapse { from_epoch: 4, to_epoch: 6 }]);
    assert_eq!([3, 4, 5, 6].map(|epoch| view.is_lapsed(epoch)), [false, true, true, false]);
}

#[test]
fn epochs_given_up_without_a_post_are_accounted_for() {
    let view = view([sponsored(1), scheduled(1, 2, 1_000, 10), lapsed(1, 0, 7)]);
    assert_eq!(view.payable_through(6), None);
    assert_eq!(view.payable_through(8), Some(U256::from(20)));
}

#[test]
fn the_root_in_force_is_older_than_the_epoch_before() {
    // Epoch 4 starts at 1040, epoch 5 at 1050.
    let view = view([posted(1_025, 1, 0x11), posted(1_039, 2, 0x22), posted(1_040, 3, 0x33)]);
    assert_eq!(view.payout_root_in_force(0), B256::ZERO);
    assert_eq!(view.payout_root_in_force(3), B256::ZERO);
    assert_eq!(view.payout_root_in_force(4), B256::repeat_byte(0x11));
    assert_eq!(view.payout_root_in_force(5), B256::repeat_byte(0x22), "1040 is not older than 1040");
    assert_eq!(view.payout_root_in_force(6), B256::repeat_byte(0x33));
}

#[test]
fn the_certificate_that_an_epoch_pays_is_the_last_before_its_end() {
    let view = view([posted(1_025, 1, 0x11), posted(1_039, 2, 0x22), posted(1_040, 3, 0x33)]);
    let epoch = |of| view.last_certificate_before_end(of).map(|posted| posted.epoch);
    assert_eq!(epoch(1), None);
    assert_eq!(epoch(2), Some(1));
    assert_eq!(epoch(3), Some(2), "1040 is after epoch 3");
    assert_eq!(epoch(4), Some(3));
    assert_eq!(view.last_certificate_before_end(4).unwrap().absentees, vec![3]);
}

#[test]
fn permissions_hold_until_they_expire_or_are_replaced() {
    let user = address(1);
    let view = view([
        granted(1_000, user, 1_010, u64::MAX),
        granted(1_000, address(2), 0, 0),
        granted(1_000, Address::ZERO, 0, 1_020),
    ]);
    assert!(view.may_publish(STREAM, user, 1_010));
    assert!(!view.may_publish(STREAM, user, 1_011));
    assert!(!view.may_publish(STREAM, address(2), 0), "0 is never");
    assert!(view.may_subscribe(STREAM, address(3), 1_020), "as one of the public");
    assert!(!view.may_subscribe(STREAM, address(3), 1_021));
    assert!(view.is_public_subscribe(STREAM, 1_020));
    assert!(!view.is_public_subscribe(STREAM, 1_021));
    assert!(!view.may_publish("unknown", user, 1_000));
}

#[test]
fn subscribers_are_those_granted_before_the_cutoff_and_beyond_the_end() {
    // Of epoch 5: cutoff 1040, end 1060.
    let forever = u64::MAX;
    let view = view([
        granted(1_039, address(1), 0, forever),
        granted(1_039, address(2), 0, 1_060),
        granted(1_039, address(3), 0, 1_059),
        granted(1_039, address(4), 0, 0),
        granted(1_039, Address::ZERO, 0, forever),
        granted(1_040, address(5), 0, forever), // too late
        granted(1_041, address(1), 0, 0),       // too late to take back
    ]);
    assert_eq!(view.granted_subscribers(STREAM, 5), vec![address(1), address(2)]);
    assert_eq!(view.granted_subscribers(STREAM, 7), vec![address(5)], "revoked and expired by then");
}

#[test]
fn deleting_a_stream_ends_its_permissions() {
    let created =
        |timestamp| (timestamp, Event::StreamCreated { stream: STREAM.into(), metadata: "{}".into() });
    let view = view([
        created(1_000),
        granted(1_000, address(1), u64::MAX, u64::MAX),
        (1_001, Event::StreamDeleted { stream: STREAM.into() }),
    ]);
    assert!(!view.stream_exists(STREAM));
    assert!(!view.may_publish(STREAM, address(1), 1_002));
    assert!(view.granted_subscribers(STREAM, 9).is_empty());
}

#[test]
fn an_event_applied_twice_counts_once() {
    let staked = |log_index| ChainEvent {
        block: 2,
        timestamp: 1_000,
        log_index,
        transaction: B256::ZERO,
        event: Event::Staked { operator: 1, from: address(1), amount: 10, shares: 100 },
    };
    let mut view = view([registered(1)]);
    for log_index in [0, 1, 0, 1] {
        view.apply(&staked(log_index));
    }
    assert_eq!(view.pool(1).unwrap().assets, 20);
    assert_eq!(view.position(), Some((2, 1)));
}

#[test]
fn events_survive_a_round_trip_through_json() {
    let event = ChainEvent {
        block: 1,
        timestamp: 2,
        log_index: 3,
        transaction: B256::repeat_byte(4),
        event: Event::Paid { payments: vec![Payment { operator: 1, amount: u128::MAX }] },
    };
    let text = serde_json::to_string(&event).unwrap();
    assert_eq!(serde_json::from_str::<ChainEvent>(&text).unwrap(), event);
}
