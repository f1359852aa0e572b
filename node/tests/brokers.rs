//! Three real brokers over TCP and QUIC, real MQTT clients, and an indexer: from a published message to signed evidence and an attested payout.

mod support;

use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, Packet, QoS,
    SubscribeReasonCode,
};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use support::{EPOCH, Indexer, Node, STREAM, World, address_of, start_node};
use tatum_node::gateway::credentials::generate;
use tatum_protocol::evidence::{Bundle, EpochEvidence, PayoutStatement};
use tatum_protocol::payout::{Cumulative, EpochPayout};
use tatum_protocol::receipt::{BandwidthReceipt, Unchecked};
use tatum_protocol::volume::certify;
use tatum_protocol::wire::Evidence;
use tatum_protocol::{Address, B256};
use tokio_util::sync::CancellationToken;

const MESSAGES: u64 = 100;

fn client(address: SocketAddr, id: &str, credentials: Option<(&str, &str)>) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new(id, address.ip().to_string(), address.port());
    options.set_keep_alive(Duration::from_secs(5));
    if let Some((name, password)) = credentials {
        options.set_credentials(name, password);
    }
    AsyncClient::new(options, 256)
}

async fn next(events: &mut EventLoop) -> Result<Packet, ConnectionError> {
    loop {
        if let Event::Incoming(packet) = events.poll().await? {
            return Ok(packet);
        }
    }
}

async fn connected(address: SocketAddr, id: &str, password: &str) -> (AsyncClient, EventLoop) {
    let (client, mut events) = client(address, id, Some(("device", password)));
    assert!(matches!(next(&mut events).await.unwrap(), Packet::ConnAck(_)));
    (client, events)
}

async fn status(node: &Node) -> String {
    reqwest::get(format!("http://{}/status", node.http)).await.unwrap().text().await.unwrap()
}

async fn clients_without_right_are_refused(address: SocketAddr, password: &str) {
    for (credentials, expected) in [
        (None, ConnectReturnCode::NotAuthorized),
        (Some(("device", "wrong")), ConnectReturnCode::BadUserNamePassword),
        (Some(("nobody", password)), ConnectReturnCode::BadUserNamePassword),
    ] {
        let (_client, mut events) = client(address, "refused", credentials);
        match next(&mut events).await {
            Err(ConnectionError::ConnectionRefused(code)) => assert_eq!(code, expected),
            other => panic!("{credentials:?} was answered {other:?}"),
        }
    }
    let (client, mut events) = connected(address, "refused", password).await;
    for topic in ["0xab/other", "0xab/#", "nonsense", &format!("{STREAM}?partition=1000")] {
        client.subscribe(topic, QoS::AtMostOnce).await.unwrap();
        match next(&mut events).await.unwrap() {
            Packet::SubAck(ack) => {
                assert_eq!(ack.return_codes, vec![SubscribeReasonCode::Failure], "{topic}")
            }
            other => panic!("{topic} was answered {other:?}"),
        }
    }
    client.publish("0xab/other", QoS::AtLeastOnce, false, "x").await.unwrap();
    assert!(next(&mut events).await.is_err(), "an unpermitted publication closes the connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_message_to_an_attested_payout() {
    let world = Arc::new(World::starting_now());
    let (dir, stop) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let _guard = stop.clone().drop_guard();
    let indexer = Indexer::default();
    let indexer_network = indexer.start(&stop);
    let at = address_of(&indexer_network, "/tcp/").await;
    let (credential, password) = generate("device").unwrap();

    // Two nodes know the first only, one over each transport; each other they find through Kademlia.
    let first = start_node(&world, 1, dir.path(), &credential, None, &at, &stop).await;
    let tcp = Some(address_of(&first.network, "/tcp/").await);
    let second = start_node(&world, 2, dir.path(), &credential, tcp, &at, &stop).await;
    let quic = Some(address_of(&first.network, "quic").await);
    let third = start_node(&world, 3, dir.path(), &credential, quic, &at, &stop).await;
    clients_without_right_are_refused(first.mqtt, &password).await;

    let (subscriber, mut received) = connected(third.mqtt, "subscriber", &password).await;
    subscriber.subscribe(STREAM, QoS::AtLeastOnce).await.unwrap();
    assert!(matches!(next(&mut received).await.unwrap(), Packet::SubAck(_)));
    let listening = tokio::spawn(async move {
        let mut payloads = Vec::new();
        while (payloads.len() as u64) < MESSAGES {
            if let Packet::Publish(publish) = next(&mut received).await.unwrap() {
                payloads.push(publish.payload.to_vec());
            }
        }
        payloads
    });

    world.wait_for(EPOCH, 300).await;
    let (publisher, mut acks) = connected(second.mqtt, "publisher", &password).await;
    let acknowledged = tokio::spawn(async move {
        let mut count = 0;
        while count < MESSAGES {
            count += u64::from(matches!(next(&mut acks).await.unwrap(), Packet::PubAck(_)));
        }
    });
    for n in 0..MESSAGES {
        publisher.publish(STREAM, QoS::AtLeastOnce, false, n.to_string()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    let limit = Duration::from_secs(15);
    let Ok(payloads) = tokio::time::timeout(limit, listening).await else {
        let all = [status(&first).await, status(&second).await, status(&third).await];
        panic!("the subscriber did not get every message: {all:#?}");
    };
    let payloads = payloads.unwrap();
    let expected: Vec<Vec<u8>> = (0..MESSAGES).map(|n| n.to_string().into_bytes()).collect();
    assert_eq!(payloads, expected, "in order, each once");
    tokio::time::timeout(limit, acknowledged).await.expect("every publication is acknowledged").unwrap();
    assert!(world.clock.epoch_at_ms(support::now_ms()) == Some(EPOCH), "the test was too slow for its epoch");

    // Receipts are in 3/10 after the close, volumes right after that.
    world.wait_for(EPOCH + 1, support::LENGTH * 450).await;
    let evidence = evidence_of(&indexer, &world);
    let delivered: BTreeSet<_> = evidence
        .deliveries
        .iter()
        .map(|d| (d.receipt.deliveries[0].messages, d.receipt.deliveries[0].bytes))
        .collect();
    assert_eq!(evidence.deliveries.len(), 3);
    assert_eq!(delivered.len(), 1, "all brokers delivered the same");
    let (messages, bytes) = *delivered.first().unwrap();
    assert_eq!(messages, MESSAGES);
    let plan = world.plan(EPOCH, true);
    let part = &plan.parts[&world.part().key()];
    for receiver in &part.receivers {
        for relayer in &receiver.relayers {
            let pair = (relayer.broker, receiver.address);
            let found = evidence.bandwidth.iter().find(|r| (r.receipt.relayer, r.receipt.receiver) == pair);
            assert_eq!(found.expect("a receipt of every pair").receipt.credits[0].bytes, bytes);
        }
    }
    assert_eq!(evidence.volumes.len(), 1);
    assert_eq!(evidence.volumes[0].signers, vec![1, 2, 3]);

    let bundle = propose(evidence, &world);
    let mut wrong = bundle.clone();
    wrong.statement.root = B256::repeat_byte(1);
    *indexer.proposal.lock().unwrap() = Some(wrong);
    for node in [&first, &second, &third] {
        while !status(node).await.contains("recomputed root") {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    assert_eq!(attested(&indexer), vec![], "nobody signs what it did not compute");
    *indexer.proposal.lock().unwrap() = Some(bundle.clone());
    let all = async {
        while attested(&indexer).len() < 3 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(limit, all).await.expect("everybody attests the right proposal");
    assert!(attested(&indexer).iter().all(|statement| *statement == bundle.statement));
    for (operator, key) in plan.operators.iter().map(|(id, operator)| (*id, &operator.key)) {
        let all = indexer.all();
        let mine = all.iter().find_map(|evidence| match evidence {
            Evidence::Payout(attestation) if attestation.operator == operator => Some(attestation),
            _ => None,
        });
        mine.unwrap().check(key, &world.domain).unwrap();
    }
    let metrics = reqwest::get(format!("http://{}/metrics", first.http)).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("tatum_node_payouts_attested 1"), "{metrics}");
}

fn attested(indexer: &Indexer) -> Vec<PayoutStatement> {
    let statement =
        |evidence| if let Evidence::Payout(payout) = evidence { Some(payout.statement) } else { None };
    indexer.all().into_iter().filter_map(statement).collect()
}

/// What the indexer got of the epoch, as a bundle carries it.
fn evidence_of(indexer: &Indexer, world: &World) -> EpochEvidence {
    let mut pairs = BTreeMap::<(Address, Address), Unchecked<BandwidthReceipt>>::new();
    let (mut deliveries, mut volumes) = (Vec::new(), Vec::new());
    for evidence in indexer.all() {
        match evidence {
            Evidence::Bandwidth(receipt) if receipt.receipt.epoch == EPOCH => {
                let pair = (receipt.receipt.relayer, receipt.receipt.receiver);
                let known = pairs.entry(pair).or_insert_with(|| receipt.clone());
                if known.receipt.sequence < receipt.receipt.sequence {
                    *known = receipt;
                }
            }
            Evidence::Delivery(receipt) if receipt.receipt.epoch == EPOCH => deliveries.push(receipt),
            Evidence::Volume(attestation) if attestation.volume.epoch == EPOCH => volumes.push(attestation),
            _ => {}
        }
    }
    let volumes = certify(&world.plan(EPOCH, true), &volumes).unwrap();
    EpochEvidence { epoch: EPOCH, volumes, bandwidth: pairs.into_values().collect(), deliveries }
}

fn propose(evidence: EpochEvidence, world: &World) -> Bundle {
    let plan = world.plan(EPOCH, true);
    let checked = evidence.check(&plan, &world.domain).unwrap();
    let payout = EpochPayout::compute(&plan, &checked).unwrap();
    let mut cumulative = Cumulative::from_entries(&[]).unwrap();
    cumulative.add(&payout).unwrap();
    let statement = PayoutStatement {
        epoch: EPOCH,
        checkpoint: plan.checkpoint,
        root: cumulative.tree().root(),
        total: cumulative.total(),
    };
    Bundle { statement, base_entries: vec![], base_epoch: None, epochs: vec![evidence] }
}
