use alloy::primitives::{Address, B256, U256};
use tatum_protocol::epoch::EpochClock;

use super::ChainView;
use crate::event::{ChainEvent, Event, PermissionUpdated, SponsorshipCreated};

const CLOCK: EpochClock = EpochClock { genesis: 1_000, length: 10 };
const STREAM: &str = "0x00000000000000000000000000000000000000aa/machine";

fn address(byte: u8) -> Address {
    Address::repeat_byte(byte)
}

/// A view after events given as (timestamp, event), one block each.
fn view(events: impl IntoIterator<Item = (u64, Event)>) -> ChainView {
    let mut view = ChainView::new(CLOCK);
    for (block, (timestamp, event)) in (1..).zip(events) {
        view.apply(&ChainEvent { block, timestamp, log_index: 0, transaction: B256::ZERO, event });
    }
    view
}

fn registered(operator: u64) -> (u64, Event) {
    let owner = address(u8::try_from(operator).unwrap());
    (1_000, Event::OperatorRegistered { operator, owner, g1: [U256::from(operator); 2], g2: [U256::ZERO; 4] })
}

fn weight(operator: u64, effective_epoch: u64, weight: u128) -> (u64, Event) {
    (1_000, Event::WeightChanged { operator, effective_epoch, weight })
}

fn sponsored(sponsorship: u64, rate_per_epoch: u128, start_epoch: u64, epochs: u64) -> (u64, Event) {
    let created = SponsorshipCreated {
        sponsorship,
        sponsor: address(9),
        stream: STREAM.into(),
        partitions: 1,
        rate_per_epoch,
        start_epoch,
        epochs,
        redundancy: 3,
        subscriber_share_bps: 5_000,
    };
    (1_000, Event::SponsorshipCreated(created))
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
    assert_eq!(view.operator_set(2).members[0].g1, [U256::from(1); 2]);
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
fn stake_follows_every_movement() {
    let at = |event| (1_000, event);
    let view = view([
        registered(1),
        at(Event::Staked { operator: 1, from: address(1), amount: 1_000 }),
        at(Event::UnstakeRequested { operator: 1, amount: 300, release_epoch: 20 }),
        at(Event::Paid { operator: 1, amount: 50, cumulative: 50 }),
        at(Event::Slashed { operator: 1, amount: 800, bounty: 80, reporter: address(2) }),
        at(Event::Withdrawn { operator: 1, to: address(1), amount: 150 }),
        at(Event::OwnershipTransferred { operator: 1, from: address(1), to: address(7) }),
    ]);
    let stake = view.stake(1).unwrap();
    assert_eq!((stake.stake, stake.unbonding), (0, 100), "750 from stake, 50 from unbonding, 150 withdrawn");
    assert_eq!((stake.paid, stake.slashed, stake.release_epoch), (50, 800, 20));
    assert_eq!(view.owner_of(1), Some(address(7)));
}

#[test]
fn a_sponsorship_pays_from_its_start_for_its_epochs() {
    let view = view([
        sponsored(1, 100, 2, 3),
        sponsored(2, 7, 3, 10),
        (1_000, Event::Refunded { sponsorship: 1, amount: 5, cumulative: 5 }),
        (1_000, Event::Refunded { sponsorship: 1, amount: 4, cumulative: 9 }),
        (1_000, Event::Reclaimed { sponsorship: 1, sponsor: address(9), amount: 6 }),
    ]);
    let active = |epoch| view.sponsorships_active(epoch).iter().map(|s| s.sponsorship).collect::<Vec<_>>();
    assert_eq!(active(1), Vec::<u64>::new());
    assert_eq!(active(2), vec![1]);
    assert_eq!(active(4), vec![1, 2]);
    assert_eq!(active(5), vec![2]);
    // The same numbers as in contracts/test/sponsorships.
    for (epoch, sum) in [(1, 0), (2, 100), (3, 207), (4, 314), (5, 321), (100, 370)] {
        assert_eq!(view.scheduled_through(epoch), U256::from(sum), "through {epoch}");
    }
    let funds = view.funds(1).unwrap();
    assert_eq!((funds.refunded, funds.reclaimed), (9, 6));
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
        event: Event::Staked { operator: 1, from: address(1), amount: 10 },
    };
    let mut view = view([registered(1)]);
    for log_index in [0, 1, 0, 1] {
        view.apply(&staked(log_index));
    }
    assert_eq!(view.stake(1).unwrap().stake, 20);
    assert_eq!(view.position(), Some((2, 1)));
}

#[test]
fn events_survive_a_round_trip_through_json() {
    let event = ChainEvent {
        block: 1,
        timestamp: 2,
        log_index: 3,
        transaction: B256::repeat_byte(4),
        event: Event::Paid { operator: 1, amount: u128::MAX, cumulative: u128::MAX },
    };
    let text = serde_json::to_string(&event).unwrap();
    assert_eq!(serde_json::from_str::<ChainEvent>(&text).unwrap(), event);
}
