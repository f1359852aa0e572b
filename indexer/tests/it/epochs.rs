//! The pipeline: what is proposed is what the formula says, once, whatever happens in between.

use crate::world::{BYTES, FIRST, LAPSE, RATE, World, node};
use tatum_indexer::chain::Chain;
use tatum_indexer::epochs::EpochError;
use tatum_protocol::B256;
use tatum_protocol::epoch::Deadline;
use tatum_protocol::evidence::{Bundle, PayoutStatement};
use tatum_protocol::id::Account;
use tatum_protocol::payout::Cumulative;
use tatum_protocol::wire::{Evidence, Request, Response};

/// The one proposal, asked for as a node would.
pub(crate) async fn proposal(world: &World) -> PayoutStatement {
    world.pipeline().step().await.unwrap();
    match world.ingest.handle("peer", Request::Proposal).await {
        Response::Proposal(Some(statement)) => statement,
        other => panic!("{other:?}"),
    }
}

async fn bundle(world: &World, epoch: u64) -> Bundle {
    match world.ingest.handle("peer", Request::Bundle { epoch }).await {
        Response::Bundle(Some(bundle)) => bundle,
        other => panic!("{other:?}"),
    }
}

/// Recomputes as an attester does.
async fn verified(world: &World, statement: PayoutStatement, base_root: B256) -> Cumulative {
    let bundle = bundle(world, statement.epoch).await;
    assert_eq!(bundle.statement, statement);
    let plans: Vec<_> = bundle.epochs.iter().map(|e| world.plan(e.epoch).as_ref().clone()).collect();
    bundle.verify(&plans, base_root, world.chain.domain()).unwrap()
}

async fn status(world: &World, epoch: u64) -> String {
    sqlx::query_scalar("SELECT status FROM epochs WHERE epoch = $1")
        .bind(i64::try_from(epoch).unwrap())
        .fetch_one(&world.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn statuses_follow_the_clock_and_the_chain() {
    let world = World::new().await;
    let pipeline = world.pipeline();
    pipeline.step().await.unwrap();
    assert_eq!(status(&world, FIRST).await, "open");
    world.after(FIRST, Deadline::Close);
    pipeline.step().await.unwrap();
    assert_eq!(status(&world, FIRST).await, "closing");
    // The deadline has passed, but the chain was not followed to the end of the epoch: attesters are not known.
    world.after(FIRST, Deadline::Volumes);
    let head = world
        .chain
        .head()
        .map(|head| tatum_indexer::chain::Head { timestamp: world.chain.clock().end(FIRST) - 1, ..head });
    world.chain.state.lock().unwrap().head = head;
    pipeline.step().await.unwrap();
    assert_eq!(status(&world, FIRST).await, "closing");
    world.after(FIRST, Deadline::Volumes);
    pipeline.step().await.unwrap();
    assert_eq!(status(&world, FIRST).await, "proposed");
}

#[tokio::test]
async fn the_proposal_is_what_is_computed_by_hand() {
    let world = World::new().await;
    world.honest_epoch(FIRST).await;
    let statement = proposal(&world).await;
    // 1_000_000: 5 % for attesters, of which there are none yet; half of 950_000 for availability, half for relaying.
    // 475_000 / 3 = 158_333 per broker present; a receiver's 158_333 / 2 = 79_166 per relayer, everybody relays for two.
    let cumulative = verified(&world, statement, B256::ZERO).await;
    for operator in 1..=3 {
        assert_eq!(cumulative.get(Account::Operator(operator)).0, 158_333 + 2 * 79_166);
    }
    assert_eq!(cumulative.get(Account::Sponsorship(1)).0, RATE - 3 * (158_333 + 2 * 79_166));
    assert_eq!(statement.total.to_string(), RATE.to_string());

    let (lines, refunds): (String, String) = sqlx::query_as(
        "SELECT (SELECT sum(amount)::text FROM payout_lines), (SELECT sum(amount)::text FROM refunds)",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap();
    assert_eq!((lines.as_str(), refunds.as_str()), ("949995", "50005"));
    let (messages, certified): (i64, i32) =
        sqlx::query_as("SELECT messages, certified_parts FROM epochs WHERE epoch = $1")
            .bind(i64::try_from(FIRST).unwrap())
            .fetch_one(&world.pool)
            .await
            .unwrap();
    assert_eq!((messages, certified), (10, 1));
}

#[tokio::test]
async fn a_proposal_builds_on_the_posted_root_and_spans_what_was_never_posted() {
    let world = World::new().await;
    world.honest_epoch(FIRST).await;
    let first = proposal(&world).await;
    let posted = world.post(FIRST).await;
    assert_eq!(
        world.ingest.handle("peer", Request::Proposal).await,
        Response::Proposal(None),
        "it is posted"
    );

    // The next epoch is proposed and not posted; the one after it spans both.
    world.honest_epoch(FIRST + 1).await;
    let second = proposal(&world).await;
    assert_eq!(bundle(&world, FIRST + 1).await.base_epoch, Some(FIRST));
    verified(&world, second, posted.root).await;
    world.honest_epoch(FIRST + 2).await;
    let third = proposal(&world).await;
    assert_eq!(third.epoch, FIRST + 2);
    assert_eq!(third.total.to_string(), (3 * RATE).to_string());
    let spanning = bundle(&world, FIRST + 2).await;
    assert_eq!(spanning.epochs.iter().map(|e| e.epoch).collect::<Vec<_>>(), [FIRST + 1, FIRST + 2]);
    let cumulative = verified(&world, third, posted.root).await;
    // Attesters of the posted certificate share 5 %: 50_000 / 3 each, in two epochs.
    assert_eq!(cumulative.get(Account::Operator(1)).0, 3 * 316_665 + 2 * 16_666);
    assert!(first.root != second.root && second.root != third.root);
}

#[tokio::test]
async fn a_proposal_reaches_back_as_far_as_lapses_allow() {
    let world = World::new().await;
    world.honest_epoch(FIRST).await;
    proposal(&world).await;
    let posted = world.post(FIRST).await;
    // Nothing is posted for longer than a post may reach back.
    let last = FIRST + LAPSE + 2;
    for epoch in FIRST + 1..=last {
        world.honest_epoch(epoch).await;
        world.pipeline().step().await.unwrap();
    }
    let statement = proposal(&world).await;
    let spanning = bundle(&world, last).await;
    let epochs: Vec<u64> = spanning.epochs.iter().map(|evidence| evidence.epoch).collect();
    assert_eq!(epochs, (last + 1 - LAPSE..=last).collect::<Vec<_>>(), "two epochs have lapsed");
    assert_eq!((statement.epoch, spanning.base_epoch), (last, Some(FIRST)));
    assert_eq!(statement.total.to_string(), (u128::from(1 + LAPSE) * RATE).to_string());
    verified(&world, statement, posted.root).await;
}

#[tokio::test]
async fn an_epoch_that_can_no_longer_be_posted_is_not_proposed() {
    let world = World::new().await;
    world.honest_epoch(FIRST).await;
    // The clock goes on, the chain view does not: this epoch stays the newest that can be computed.
    let start = |epoch| world.chain.clock().start(epoch) * 1000;
    world.time.set_ms(start(FIRST + LAPSE + 1));
    world.pipeline().step().await.unwrap();
    assert_eq!(status(&world, FIRST).await, "aggregated");
    world.time.set_ms(start(FIRST + LAPSE));
    world.pipeline().step().await.unwrap();
    assert_eq!(status(&world, FIRST).await, "proposed", "just in time");
}

#[tokio::test]
async fn an_epoch_without_evidence_is_refunded_whole() {
    let world = World::new().await;
    world.pipeline().step().await.unwrap();
    world.after(FIRST, Deadline::Volumes);
    let statement = proposal(&world).await;
    let cumulative = verified(&world, statement, B256::ZERO).await;
    assert_eq!(cumulative.iter().map(|(_, amount)| amount.0).collect::<Vec<_>>(), [RATE]);
    assert_eq!(world.count("payout_lines").await, 0);
}

#[tokio::test]
async fn epochs_without_money_get_no_proposal() {
    let world = World::new().await;
    world.at_ms(world.chain.clock().start(0) * 1000);
    world.pipeline().step().await.unwrap();
    world.after(1, Deadline::Close);
    world.pipeline().step().await.unwrap();
    world.after(0, Deadline::Volumes);
    world.pipeline().step().await.unwrap();
    assert_eq!(status(&world, 0).await, "aggregated");
    assert_eq!(world.ingest.handle("peer", Request::Proposal).await, Response::Proposal(None));
}

#[tokio::test]
async fn steps_are_done_once_and_a_restart_goes_on_from_any_of_them() {
    let world = World::new().await;
    world.honest_epoch(FIRST).await;
    let statement = proposal(&world).await;
    let snapshot = "SELECT md5(string_agg(t::text, '|')) FROM (SELECT * FROM epochs ORDER BY epoch) t";
    let before: String = sqlx::query_scalar(snapshot).fetch_one(&world.pool).await.unwrap();
    for _ in 0..3 {
        assert_eq!(proposal(&world).await, statement);
    }
    let after: String = sqlx::query_scalar(snapshot).fetch_one(&world.pool).await.unwrap();
    assert_eq!(before, after);

    // As if killed after aggregating: the same proposal comes out. As if killed before that: the same again.
    let undo_proposal = "DELETE FROM payout_chunks";
    let back = "UPDATE epochs SET root = NULL, total = NULL, bundle = NULL, status = 'aggregated' WHERE root IS NOT NULL";
    let undo_aggregate = [
        "DELETE FROM payout_lines",
        "DELETE FROM refunds",
        "DELETE FROM volumes",
        "UPDATE epochs SET status = 'closing' WHERE status = 'aggregated'",
    ];
    for sql in [undo_proposal, back] {
        sqlx::query(sql).execute(&world.pool).await.unwrap();
    }
    assert_eq!(proposal(&world).await, statement);
    for sql in [undo_proposal, back].into_iter().chain(undo_aggregate) {
        sqlx::query(sql).execute(&world.pool).await.unwrap();
    }
    assert_eq!(proposal(&world).await, statement);
    assert_eq!(world.count("payout_chunks").await, 1);
}

#[tokio::test]
async fn money_that_does_not_add_up_is_refused_loudly() {
    let world = World::new().await;
    world.honest_epoch(FIRST).await;
    world.pipeline().step().await.unwrap();
    let posted = world.post(FIRST).await;
    world.honest_epoch(FIRST + 1).await;
    // Sponsors scheduled more than the formula distributed.
    world.chain.state.lock().unwrap().skew = 1;
    assert!(matches!(world.pipeline().step().await, Err(EpochError::Unbalanced { .. })));
    world.chain.state.lock().unwrap().skew = 0;
    // A posted root that this database does not know, and one that it knows otherwise.
    world.chain.state.lock().unwrap().posted =
        Some(tatum_indexer::chain::Posted { root: B256::repeat_byte(9), ..posted });
    assert!(matches!(world.pipeline().step().await, Err(EpochError::DamagedBase { .. })));
    sqlx::query("DELETE FROM payout_chunks").execute(&world.pool).await.unwrap();
    assert!(matches!(world.pipeline().step().await, Err(EpochError::UnknownBase { .. })));
    assert_eq!(status(&world, FIRST + 1).await, "aggregated");
}

#[tokio::test]
async fn an_operator_that_was_not_there_earns_no_availability() {
    let world = World::new().await;
    world.after(FIRST, Deadline::Close);
    world
        .accept((1..=2).map(|id| Evidence::Delivery(world.delivery(FIRST, &node(id), BYTES))).collect())
        .await;
    world.after(FIRST, Deadline::Receipts);
    world.accept((1..=3).map(|id| Evidence::Volume(world.volume(FIRST, id, BYTES))).collect()).await;
    world.after(FIRST, Deadline::Volumes);
    let cumulative = verified(&world, proposal(&world).await, B256::ZERO).await;
    assert_eq!([1, 2, 3].map(|id| cumulative.get(Account::Operator(id)).0), [158_333, 158_333, 0]);
}
