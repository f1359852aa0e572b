//! The ledger's rules one by one, and its conservation under random traffic.

use super::*;
use proptest::prelude::*;
use tatum_protocol::receipt::Credit;

const CLOCK: EpochClock = EpochClock { genesis: 0, length: 10 };
const PART: PartKey = PartKey::repeat_byte(1);
const A: Address = Address::repeat_byte(0xa);
const B: Address = Address::repeat_byte(0xb);
/// Within epoch 1: it lasts from 10 s to 20 s, closes at 21 s, receipts count until 23 s.
const NOW: u64 = 12_000;

fn hash(n: u64) -> B256 {
    B256::left_padding_from(&n.to_be_bytes())
}

fn frame(n: u64) -> Arrival {
    Arrival { epoch: 1, part: PART, hash: hash(n), messages: 2, bytes: 100, timestamp_ms: NOW }
}

fn ledger() -> Ledger {
    let mut ledger = Ledger::new(CLOCK, 0);
    ledger.count(1_000, 1, PART);
    ledger
}

fn bandwidth(due: &[Due], relayer: Address) -> Option<(u32, Vec<Credit>)> {
    due.iter().find_map(|due| match due {
        Due::Bandwidth { relayer: to, sequence, credits, .. } if *to == relayer => {
            Some((*sequence, credits.clone()))
        }
        _ => None,
    })
}

fn delivery(due: &[Due]) -> Option<&Closed> {
    due.iter().find_map(|due| if let Due::Delivery(closed) = due { Some(closed) } else { None })
}

#[test]
fn a_relayer_is_credited_once_and_only_carried_bytes_are_served() {
    let mut ledger = ledger();
    assert_eq!(ledger.arrived(NOW, frame(1), Some(A)), Counted::Yes);
    assert!(!ledger.copied(NOW, hash(1), A), "the first copy was credited already");
    assert!(ledger.offered(NOW, PART, hash(1), B));
    assert!(!ledger.copied(NOW, hash(1), B), "an offer was credited already");
    assert!(!ledger.offered(NOW, PartKey::ZERO, hash(1), B), "the offer names another part");
    let due = ledger.tick(21_000);
    let (_, of_a) = bandwidth(&due, A).unwrap();
    let (_, of_b) = bandwidth(&due, B).unwrap();
    assert_eq!(of_a, vec![Credit { part: PART, messages: 2, bytes: 100, served_bytes: 100 }]);
    assert_eq!(of_b, vec![Credit { part: PART, messages: 2, bytes: 100, served_bytes: 0 }]);
}

#[test]
fn offers_count_within_their_deadline_also_ahead_of_the_frame() {
    let mut ledger = ledger();
    ledger.offered(NOW, PART, hash(1), B);
    ledger.offered(NOW, PART, hash(2), B);
    ledger.arrived(NOW + 100, frame(1), Some(A));
    ledger.arrived(NOW + OFFER_MS + 1, frame(2), Some(A));
    ledger.arrived(NOW, frame(3), Some(A));
    assert!(!ledger.offered(NOW + OFFER_MS + 1, PART, hash(3), B), "too late");
    let (_, of_b) = bandwidth(&ledger.tick(21_000), B).unwrap();
    assert_eq!(of_b[0].bytes, 100, "only frame 1 was offered in time");
}

#[test]
fn receipts_are_due_by_time_and_by_volume_but_not_more_than_once_a_second() {
    let mut ledger = ledger();
    ledger.arrived(NOW, frame(1), Some(A));
    assert_eq!(bandwidth(&ledger.tick(NOW + 100), A), None);
    let big = Arrival { messages: 1, bytes: 4 << 20, ..frame(2) };
    ledger.arrived(NOW + 200, big, Some(A));
    assert_eq!(bandwidth(&ledger.tick(NOW + 200), A).unwrap().0, 1);
    ledger.arrived(NOW + 300, Arrival { hash: hash(3), ..big }, Some(A));
    assert_eq!(bandwidth(&ledger.tick(NOW + 300), A), None);
    assert_eq!(bandwidth(&ledger.tick(NOW + 1200), A).unwrap().0, 2);
    assert_eq!(bandwidth(&ledger.tick(21_000), A), None, "nothing changed since");
}

#[test]
fn the_close_comes_once_with_zeros_and_late_frames_do_not_count() {
    let mut ledger = ledger();
    ledger.count(NOW, 1, PartKey::repeat_byte(9));
    ledger.arrived(NOW, frame(1), Some(A));
    let due = ledger.tick(21_000);
    let totals = &delivery(&due).unwrap().totals;
    assert_eq!(
        totals.iter().map(|t| (t.part, t.messages)).collect::<Vec<_>>(),
        vec![(PART, 2), (PartKey::repeat_byte(9), 0)]
    );
    assert_eq!(ledger.arrived(21_001, frame(2), Some(A)), Counted::Late);
    ledger.count(21_001, 1, PartKey::repeat_byte(8));
    assert_eq!(ledger.tick(22_000), vec![]);
    assert_eq!(ledger.tick(23_000), vec![Due::Volumes(delivery(&due).unwrap().clone())]);
    assert_eq!(ledger.tick(23_001), vec![]);
    assert_eq!(ledger.tick(60_000), vec![]);
    assert!(ledger.books.is_empty());
}

#[test]
fn after_a_restart_totals_continue_and_the_epoch_is_not_attested() {
    let mut ledger = Ledger::new(CLOCK, NOW);
    let credits = vec![Credit { part: PART, messages: 10, bytes: 500, served_bytes: 500 }];
    ledger
        .restore(vec![BandwidthReceipt { epoch: 1, relayer: A, receiver: B, sequence: 4, credits }], vec![]);
    ledger.count(NOW, 1, PART);
    let before = Arrival { timestamp_ms: NOW - 1, ..frame(1) };
    assert_eq!(ledger.arrived(NOW, before, Some(A)), Counted::Uncredited);
    assert_eq!(ledger.arrived(NOW, frame(2), Some(A)), Counted::Yes);
    let due = ledger.tick(21_000);
    let (sequence, credits) = bandwidth(&due, A).unwrap();
    assert_eq!((sequence, credits[0].bytes), (5, 600));
    assert_eq!(due.last(), Some(&Due::Incomplete { epoch: 1 }));
    assert_eq!(ledger.tick(23_000), vec![]);
}

#[test]
fn an_epoch_closed_before_a_crash_is_attested_and_not_delivered_again() {
    let closed = Closed { epoch: 1, totals: vec![] };
    let mut ledger = Ledger::new(CLOCK, 22_000);
    ledger.restore(vec![], vec![closed.clone()]);
    assert_eq!(ledger.tick(22_000), vec![]);
    assert_eq!(ledger.tick(23_500), vec![Due::Volumes(closed)]);
}

proptest! {
    /// Sequences count up by one, totals never go down, no credit exceeds the delivery, and the last receipt holds every credit.
    #[test]
    fn credits_never_exceed_the_delivery(
        steps in prop::collection::vec((0_u64..40, 0_u8..3, 0_u8..3, 1_u64..400), 1..300),
    ) {
        let relayers = [A, B, Address::repeat_byte(0xc)];
        let mut ledger = ledger();
        let mut seen = std::collections::BTreeSet::new();
        let mut last = BTreeMap::<Address, (u32, u64, u64, u64)>::new();
        let mut now = 10_000;
        let mut check = |due: &[Due]| {
            for due in due {
                let Due::Bandwidth { relayer, sequence, credits, .. } = due else { continue };
                let before = last.entry(*relayer).or_insert((0, 0, 0, 0));
                let c = &credits[0];
                assert_eq!(*sequence, before.0 + 1);
                assert!(c.messages >= before.1 && c.bytes >= before.2 && c.served_bytes >= before.3);
                *before = (*sequence, c.messages, c.bytes, c.served_bytes);
            }
        };
        for (n, kind, who, wait) in steps {
            now = (now + wait).min(20_900);
            let relayer = relayers[usize::from(who)];
            match kind {
                0 if seen.insert(n) => { ledger.arrived(now, frame(n), Some(relayer)); }
                1 => { ledger.copied(now, hash(n), relayer); }
                _ => { ledger.offered(now, PART, hash(n), relayer); }
            }
            check(&ledger.tick(now));
        }
        let due = ledger.tick(21_000);
        check(&due);
        let total = delivery(&due).unwrap().totals[0];
        prop_assert_eq!(total.messages, 2 * seen.len() as u64);
        for (_, messages, bytes, served) in last.into_values() {
            prop_assert!(messages <= total.messages && bytes <= total.bytes && served <= bytes);
        }
    }
}
