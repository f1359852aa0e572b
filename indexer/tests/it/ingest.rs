//! Evidence in: what is accepted is stored, what is refused is kept with its reason, what contradicts is found.

use crate::world::{BYTES, FIRST, World, node, subscriber};
use std::time::Duration;
use tatum_indexer::counters::{EvidenceKind, Refusal};
use tatum_indexer::ingest::slot;
use tatum_protocol::epoch::Deadline;
use tatum_protocol::evidence::PayoutStatement;
use tatum_protocol::receipt::{BandwidthReceipt, Unchecked};
use tatum_protocol::wire::{Evidence, Verdict};
use tatum_protocol::{B256, U256};

fn rejected(verdict: &Verdict, containing: &str) {
    match verdict {
        Verdict::Rejected(reason) if reason.contains(containing) => {}
        other => panic!("expected a rejection with {containing:?}, found {other:?}"),
    }
}

#[tokio::test]
async fn the_highest_sequence_stays_and_replays_change_nothing() {
    let world = World::new().await;
    let receipt = |sequence, bytes| {
        Evidence::Bandwidth(world.bandwidth(FIRST, 1, &node(2), sequence, bytes).into_unchecked())
    };
    world.accept(vec![receipt(1, 10), receipt(3, 30)]).await;
    for _ in 0..2 {
        world.accept(vec![receipt(3, 30), receipt(1, 10), receipt(2, 20)]).await;
    }
    let rows: Vec<(i64,)> =
        sqlx::query_as("SELECT sequence FROM bandwidth_receipts").fetch_all(&world.pool).await.unwrap();
    assert_eq!(rows, [(3,)]);
    assert_eq!(world.count("offences").await, 0);

    world.after(FIRST, Deadline::Close);
    let delivery = world.delivery(FIRST, &node(1), BYTES);
    world.accept(vec![Evidence::Delivery(delivery.clone()), Evidence::Delivery(delivery.clone())]).await;
    rejected(
        &world.submit(vec![Evidence::Delivery(world.delivery(FIRST, &node(1), 1))]).await[0],
        "another delivery",
    );
    assert_eq!(world.count("delivery_receipts").await, 1);
}

#[tokio::test]
async fn what_is_wrong_is_refused_and_kept_with_the_reason() {
    let world = World::new().await;
    let honest = || world.bandwidth(FIRST, 1, &node(2), 1, 10).into_unchecked();
    let mut forged = honest();
    forged.receipt.credits[0].bytes = 11;
    let mut stranger = honest();
    stranger.receipt.receiver = node(3).address();
    let unplanned = world.bandwidth(FIRST, 1, &node(77), 1, 10).into_unchecked();
    let early = world.bandwidth(FIRST + 5, 1, &node(2), 1, 10).into_unchecked();
    let soon = world.bandwidth(FIRST + 1, 1, &node(2), 1, 10).into_unchecked();
    let items = [forged, stranger, unplanned, early, soon].map(Evidence::Bandwidth).to_vec();
    let verdicts = world.submit(items).await;
    rejected(&verdicts[0], "signature was made by");
    rejected(&verdicts[1], "signature was made by");
    rejected(&verdicts[2], "as a receiver");
    rejected(&verdicts[3], "early");
    assert!(matches!(&verdicts[4], Verdict::Retry(_)));

    world.after(FIRST, Deadline::Close);
    rejected(
        &world.submit(vec![Evidence::Delivery(world.delivery(FIRST, &node(77), 1))]).await[0],
        "as a receiver",
    );
    let volume = || Evidence::Volume(world.volume(FIRST, 1, BYTES));
    assert!(matches!(&world.submit(vec![volume()]).await[0], Verdict::Retry(_)), "volumes reveal the digest");
    world.after(FIRST, Deadline::Receipts);
    rejected(&world.submit(vec![Evidence::Bandwidth(honest())]).await[0], "was due");
    rejected(&world.submit(vec![Evidence::Delivery(world.delivery(FIRST, &node(1), 1))]).await[0], "was due");
    let mut wrong_key = world.volume(FIRST, 1, BYTES);
    wrong_key.signature = world.volume(FIRST, 2, BYTES).signature;
    let verdicts = world.submit(vec![volume(), Evidence::Volume(wrong_key)]).await;
    assert_eq!(verdicts[0], Verdict::Accepted);
    assert!(matches!(&verdicts[1], Verdict::Rejected(_)));
    world.after(FIRST, Deadline::Volumes);
    rejected(&world.submit(vec![Evidence::Volume(world.volume(FIRST, 2, BYTES))]).await[0], "was due");

    let reasons: Vec<(String, String)> =
        sqlx::query_as("SELECT kind, reason FROM rejected_evidence ORDER BY id")
            .fetch_all(&world.pool)
            .await
            .unwrap();
    assert_eq!(reasons.len(), 9);
    assert!(reasons[0].0 == "bandwidth" && reasons[0].1.contains("signature was made by"));
    assert_eq!(world.counters.rejected()[&(EvidenceKind::Bandwidth, Refusal::Invalid)], 2);
    assert_eq!(world.count("bandwidth_receipts").await, 0);
}

#[tokio::test]
async fn an_operator_with_two_volumes_has_both_kept_and_no_third() {
    let world = World::new().await;
    world.after(FIRST, Deadline::Receipts);
    let verdicts =
        world.submit([1, 2, 3].map(|bytes| Evidence::Volume(world.volume(FIRST, 1, bytes))).to_vec()).await;
    assert_eq!(verdicts[0], Verdict::Accepted);
    rejected(&verdicts[1], "another volume");
    rejected(&verdicts[2], "another volume");
    assert_eq!(world.count("volume_attestations").await, 2);
}

#[tokio::test]
async fn contradictions_are_kept_once_with_both_receipts_and_the_first_still_counts() {
    let world = World::new().await;
    let bandwidth = |sequence, bytes| world.bandwidth(FIRST, 1, &node(2), sequence, bytes);
    let send = |sequence, bytes| Evidence::Bandwidth(bandwidth(sequence, bytes).into_unchecked());
    // In one batch: the second contradicts the first before either is stored.
    let verdicts = world.submit(vec![send(5, 50), send(5, 51)]).await;
    assert_eq!(verdicts[0], Verdict::Accepted);
    rejected(&verdicts[1], "receipt_equivocation");
    rejected(&world.submit(vec![send(6, 49)]).await[0], "receipt_regression");
    rejected(&world.submit(vec![send(4, 60)]).await[0], "receipt_regression");

    let (kind, key, operator, first, second): (String, Vec<u8>, Option<i64>, Vec<u8>, Vec<u8>) =
        sqlx::query_as("SELECT kind, slot, operator_id, first, second FROM offences")
            .fetch_one(&world.pool)
            .await
            .unwrap();
    assert_eq!((kind.as_str(), operator), ("receipt_equivocation", Some(2)));
    assert_eq!(B256::from_slice(&key), slot(FIRST, node(1).address(), node(2).address()));
    let read = |bytes: &[u8]| postcard::from_bytes::<Unchecked<BandwidthReceipt>>(bytes).unwrap();
    assert_eq!(read(&first), bandwidth(5, 50).into_unchecked());
    assert_eq!(read(&second), bandwidth(5, 51).into_unchecked());

    // The relayer is not punished for its peer: the first receipt stands, and an honest continuation counts.
    let body: Vec<u8> =
        sqlx::query_scalar("SELECT body FROM bandwidth_receipts").fetch_one(&world.pool).await.unwrap();
    assert_eq!(read(&body), bandwidth(5, 50).into_unchecked());
    world.accept(vec![send(7, 70)]).await;

    // Too late to count, not too late to convict; a subscriber works for no operator.
    world.chain.state.lock().unwrap().subscriber_share_bps = 5_000;
    let late = |sequence, bytes| {
        Evidence::Bandwidth(world.bandwidth(FIRST, 1, &subscriber(), sequence, bytes).into_unchecked())
    };
    world.accept(vec![late(1, 10)]).await;
    world.after(FIRST, Deadline::Volumes);
    rejected(&world.submit(vec![late(1, 11)]).await[0], "receipt_equivocation");
    assert_eq!(world.count("offences WHERE operator_id IS NULL").await, 1);
}

#[tokio::test]
async fn only_the_proposed_statement_is_attested() {
    let world = World::new().await;
    world.honest_epoch(FIRST).await;
    let guess = PayoutStatement { epoch: FIRST, checkpoint: 1, root: B256::ZERO, total: U256::ZERO };
    assert!(
        matches!(&world.submit(vec![world.attest(guess, 1)]).await[0], Verdict::Retry(_)),
        "no proposal yet"
    );
    let statement = crate::epochs::proposal(&world).await;
    rejected(&world.submit(vec![world.attest(guess, 1)]).await[0], "the proposal has");
    world
        .accept(vec![world.attest(statement, 1), world.attest(statement, 1), world.attest(statement, 2)])
        .await;
    assert!(matches!(&world.submit(vec![world.attest(statement, 9)]).await[0], Verdict::Rejected(_)));
    assert_eq!(world.count("payout_attestations").await, 2);
}

/// Connections are cut all the time while batches come in; whatever was acknowledged must be there in the end.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_missing_when_the_database_dies() {
    let world = World::new().await;
    let killer = {
        let url = world.database.url().to_owned();
        tokio::spawn(async move {
            use sqlx::Connection;
            let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
            loop {
                let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tatum-indexer'";
                sqlx::query(kill).fetch_all(&mut connection).await.unwrap();
                tokio::time::sleep(Duration::from_millis(7)).await;
            }
        })
    };
    let (mut acknowledged, mut retried) = (0, 0);
    for sequence in 1..=150 {
        let item = Evidence::Bandwidth(
            world.bandwidth(FIRST, 1, &node(2), sequence, sequence.into()).into_unchecked(),
        );
        match &world.submit(vec![item]).await[0] {
            Verdict::Accepted => acknowledged = sequence,
            Verdict::Retry(_) => retried += 1,
            Verdict::Rejected(reason) => panic!("{reason}"),
        }
    }
    killer.abort();
    let _ = killer.await;
    assert!(acknowledged > 0, "nothing came through");
    assert!(retried > 0, "the database was never away");
    let pool = world.database.pool().await.unwrap();
    let kept: i64 =
        sqlx::query_scalar("SELECT sequence FROM bandwidth_receipts").fetch_one(&pool).await.unwrap();
    assert!(kept >= i64::from(acknowledged), "sequence {acknowledged} was acknowledged, {kept} is stored");

    // The server itself goes away.
    let World { database, ingest, .. } = world;
    if std::env::var_os("DATABASE_URL").is_none() {
        drop(database);
        let response = ingest.handle("peer", tatum_protocol::wire::Request::Proposal).await;
        assert!(matches!(response, tatum_protocol::wire::Response::Error(_)));
    }
}
