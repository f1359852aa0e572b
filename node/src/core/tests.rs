//! Brokers in one process, joined by an in-memory network with seeded delays: what they must agree on.

mod network;

use super::*;
use network::{Network, PUBLISHER};
use tatum_protocol::B256;
use tatum_protocol::message::{ContentType, Encryption, Message};
use tatum_protocol::wire::Evidence;

fn message(n: u64) -> Message {
    Message {
        timestamp_ms: 0,
        content_type: ContentType::Binary,
        encryption: Encryption::None,
        payload: n.to_be_bytes().to_vec(),
    }
}

/// Publishes for most of epoch 3 at `at`, then runs past all deadlines.
fn epoch_of_traffic(network: &mut Network, at: usize, messages: u64) {
    network.run_until(30_200);
    for n in 0..messages {
        network.publish(at, message(n));
        network.run_until(30_200 + (n + 1) * 20);
    }
    network.run_until(36_500);
}

#[test]
fn every_broker_delivers_every_frame_once_and_all_volumes_agree() {
    for seed in 0..3 {
        let mut network = Network::new(seed, 5, 4);
        epoch_of_traffic(&mut network, 0, 200);
        network.run_until(45_000);
        let plan = network.plan(3);
        let part = plan.parts.values().next().unwrap().clone();
        let deliveries: Vec<_> = part.assigned.iter().map(|a| network.delivery(a.broker, 3)).collect();
        for delivery in &deliveries {
            assert_eq!(delivery.messages, 200, "seed {seed}");
        }
        let volumes: BTreeSet<B256> =
            part.assigned.iter().map(|a| network.volume(a.broker, 3).set_digest).collect();
        assert_eq!(volumes.len(), 1, "everybody has the same set, seed {seed}");
        // Both drawn relayers of every receiver hold a receipt for all of it: carried or offered.
        for receiver in &part.receivers {
            for relayer in &receiver.relayers {
                let credit = network.held(relayer.broker, receiver.address, 3);
                assert_eq!(credit.bytes, deliveries[0].bytes, "seed {seed}");
            }
        }
        assert_eq!(network.refusals(), BTreeMap::new(), "seed {seed}");
    }
}

#[test]
fn a_node_without_assignment_publishes_and_subscribes_through_brokers() {
    let mut network = Network::new(1, 6, 4);
    let part = network.plan(3).parts.values().next().unwrap().clone();
    let outside = network.nodes().position(|node| !part.is_assigned(&node)).unwrap();
    let listener = network.nodes().rposition(|node| !part.is_assigned(&node)).unwrap();
    network.subscribe(listener);
    epoch_of_traffic(&mut network, outside, 100);
    assert_eq!(network.delivered(listener), 100);
    network.run_until(45_000);
    assert_eq!(network.delivery(part.assigned[0].broker, 3).messages, 100);
    assert_eq!(network.published_ok(), 100);
}

#[test]
fn a_broker_that_dies_costs_a_subscriber_nothing() {
    let mut network = Network::new(2, 6, 4);
    let part = network.plan(3).parts.values().next().unwrap().clone();
    let listener = network.nodes().position(|node| !part.is_assigned(&node)).unwrap();
    let publisher = network.nodes().position(|node| node == part.assigned[0].broker).unwrap();
    let victim = network.nodes().position(|node| node == part.assigned[1].broker).unwrap();
    network.subscribe(listener);
    network.run_until(30_200);
    for n in 0..200 {
        if n == 100 {
            network.kill(victim);
        }
        network.publish(publisher, message(n));
        network.run_until(30_200 + (n + 1) * 20);
    }
    network.run_until(36_000);
    assert_eq!(network.delivered(listener), 200);
}

#[test]
fn a_restarted_broker_continues_its_receipts_and_signs_no_delivery_for_the_cut_epoch() {
    let mut network = Network::new(5, 4, 4);
    let big = |n| Message { payload: vec![1; 100_000], ..message(n) };
    network.run_until(30_200);
    for n in 0..55 {
        if n == 45 {
            network.restart(1);
        }
        network.publish(0, big(n));
        network.run_until(30_200 + (n + 1) * 20);
    }
    network.run_until(40_200);
    network.publish(0, message(1));
    network.run_until(59_000);
    // A sequence or total that went back would be refused by the relayers, and would cost stake.
    assert_eq!(network.refusals(), BTreeMap::new());
    assert!(!network.signed_delivery(1, 3) && network.signed_delivery(2, 3));
    assert!(network.signed_delivery(1, 4));
}

#[test]
fn forgeries_replays_and_strangers_are_refused_by_name() {
    let mut network = Network::new(3, 4, 4);
    network.run_until(30_200);
    let part = network.plan(3).parts.values().next().unwrap().clone();
    let from = part.assigned[1].broker;
    let frame = network.sign(PUBLISHER, 7, 0, 30_200);

    let mut forged = frame.encoded().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(network.inject(from, Frame::decode(&forged).unwrap()), Some(Refusal::Signature));
    assert_eq!(network.inject(from, frame.clone()), None);
    assert_eq!(network.inject(from, frame), None, "a copy is not refused, and not delivered again");
    let twin = network.sign_with(PUBLISHER, 7, 0, 30_200, b"another");
    assert_eq!(network.inject(from, twin), Some(Refusal::Equivocation));
    let stranger = network.sign([99; 32], 1, 0, 30_200);
    assert_eq!(network.inject(from, stranger), Some(Refusal::PublishPermission));
    let old = network.sign(PUBLISHER, 8, 0, 10_000);
    assert_eq!(network.inject(from, old), Some(Refusal::TooOld));
    let early = network.sign(PUBLISHER, 9, 0, 39_000);
    assert_eq!(network.inject(from, early), Some(Refusal::Future));
    assert_eq!(network.counted(0), 1);
}

#[test]
fn a_receipt_is_refused_from_a_stranger_and_when_it_exceeds_what_was_served() {
    let mut network = Network::new(4, 4, 4);
    epoch_of_traffic(&mut network, 0, 50);
    network.run_until(41_200);
    let held = network.any_held(3).unwrap();
    let (relayer, receiver) = (held.receipt().relayer, held.receipt().receiver);
    let unchecked = held.into_unchecked();
    assert_eq!(
        network.hand(relayer, PartialEq::ne, receiver, unchecked.clone()),
        Some(Refusal::ReceiptParties)
    );
    let mut forged = unchecked.clone();
    forged.receipt.credits[0].bytes += 1;
    assert_eq!(network.hand(relayer, PartialEq::eq, receiver, forged), Some(Refusal::ReceiptSignature));
    let mut more = unchecked.receipt.clone();
    more.sequence += 1;
    more.credits[0].bytes += 1;
    let more = network.sign_receipt(receiver, more);
    assert_eq!(network.hand(relayer, PartialEq::eq, receiver, more), Some(Refusal::ReceiptExcess));
    let evidence = Evidence::Bandwidth(unchecked);
    assert!(!crate::store::evidence_key(&evidence).is_empty());
}
