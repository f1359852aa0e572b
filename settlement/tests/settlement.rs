//! Whole settlement against deployed contracts, a real anvil and a real PostgreSQL.

#![allow(clippy::cast_possible_wrap, clippy::cast_possible_truncation)]

mod support;

use alloy::primitives::{Address, B256, U256};
use alloy::providers::ext::AnvilApi;
use bigdecimal::BigDecimal;
use sqlx::Row;
use std::time::Duration;
use support::{OPERATORS, STAKE, World, client, decimal, node, step_until};
use tatum_contracts::abi::{DataToken, Settlement, Slashing, Sponsorships, Staking};
use tatum_protocol::epoch::Deadline;
use tatum_protocol::evidence::PayoutStatement;
use tatum_protocol::id::Account;
use tatum_protocol::receipt::{BandwidthReceipt, Checked, Credit, Receipt};
use tatum_settlement::{Crash, CrashPoint};

#[tokio::test]
async fn epochs_are_paid_exactly_and_once_across_a_crash() {
    let world = World::new().await;
    let clock = world.deployment.clock();
    let epoch = world.next_epoch();
    world.wait_until(clock.end(epoch)).await;
    let (statement, cumulative) = world.propose(epoch).await;
    for operator in 1..=OPERATORS {
        world.attest(operator, &statement, &statement).await;
    }

    let mut dying = world.engine(Crash::fail(CrashPoint::AfterPostMinedBeforePush));
    let crashed = loop {
        if let Err(error) = dying.step().await {
            break error;
        }
    };
    assert!(crashed.crashed().is_some(), "{crashed}");
    assert_eq!(world.on_chain().await, (statement.root, statement.total, U256::ZERO));
    assert_eq!(world.status(epoch).await, "posted");
    assert_eq!(world.purposes().await, [format!("post:{epoch}")]);

    let mut engine = world.engine(Crash::default());
    step_until(&mut engine, &world, epoch, "paid").await;
    for _ in 0..5 {
        engine.step().await.unwrap();
    }
    assert_eq!(world.on_chain().await, (statement.root, statement.total, statement.total));
    let expected = [format!("post:{epoch}"), format!("push:{epoch}:0"), format!("push:{epoch}:1")];
    assert_eq!(world.purposes().await, expected);
    let staking = Staking::new(world.deployment.staking, &world.provider);
    for id in 1..=u64::from(OPERATORS) {
        let pool = staking.pools(id).call().await.unwrap();
        assert_eq!(pool.paid, cumulative.get(Account::Operator(id)).0);
        assert_eq!(pool.assets + pool.unshared, STAKE + pool.paid);
    }
    let pushed = "SELECT count(*) FROM payout_chunks WHERE push_tx IS NOT NULL";
    assert_eq!(sqlx::query_scalar::<_, i64>(pushed).fetch_one(&world.pool).await.unwrap(), 2);

    world.provider.anvil_mine(Some(3), None).await.unwrap();
    step_until(&mut engine, &world, epoch, "final").await;
    a_late_settlement_finds_the_work_done(&world, &statement, &cumulative).await;
    absentees_are_waited_for_and_then_named(&world, &mut engine).await;
}

/// With its own database and nothing but the proposal.
async fn a_late_settlement_finds_the_work_done(
    world: &World,
    statement: &PayoutStatement,
    cumulative: &tatum_protocol::payout::Cumulative,
) {
    let (_database, pool) = World::database().await;
    let late = World {
        anvil: world.anvil.clone(),
        provider: world.provider.clone(),
        deployment: world.deployment.clone(),
        pool,
        _database,
    };
    late.store(statement, cumulative).await;
    step_until(&mut late.engine(Crash::default()), &late, statement.epoch, "final").await;
    assert!(late.purposes().await.is_empty());
    let row = sqlx::query("SELECT post_tx FROM epochs").fetch_one(&late.pool).await.unwrap();
    assert!(row.get::<Option<Vec<u8>>, _>("post_tx").is_some());
}

async fn absentees_are_waited_for_and_then_named(
    world: &World,
    engine: &mut tatum_settlement::engine::Engine,
) {
    let clock = world.deployment.clock();
    let epoch = world.next_epoch();
    world.wait_until(clock.end(epoch)).await;
    let (statement, _) = world.propose(epoch).await;
    let other = PayoutStatement { root: B256::repeat_byte(1), ..statement };
    world.attest(1, &statement, &statement).await;
    world.attest(2, &statement, &statement).await;
    // Counted, it would make a quorum and spoil the signature.
    world.attest(3, &statement, &other).await;
    world.wait_until(clock.deadline_ms(epoch, Deadline::Attestations) / 1000 + 1).await;
    for _ in 0..3 {
        engine.step().await.unwrap();
    }
    assert_eq!(world.status(epoch).await, "proposed");

    world.attest(4, &statement, &statement).await;
    step_until(engine, world, epoch, "paid").await;
    let contract = Settlement::new(world.deployment.settlement, &world.provider);
    assert_eq!(contract.lastEpoch().call().await.unwrap(), epoch);
    let mut chain = tatum_settlement::chain::Chain::new(world.provider.clone(), world.deployment.clone());
    chain.refresh().await.unwrap();
    assert_eq!(chain.post_of(epoch).unwrap().absentees, [3]);
}

/// A receipt of operator 4's node for one relayer, over one stream part.
fn receipt(
    world: &World,
    epoch: u64,
    relayer: Address,
    sequence: u32,
    bytes: u64,
) -> Checked<BandwidthReceipt> {
    let receiver = node(4);
    let credits = vec![Credit { part: B256::repeat_byte(5), messages: 1, bytes, served_bytes: 0 }];
    let receipt = BandwidthReceipt { epoch, relayer, receiver: receiver.address(), sequence, credits };
    receipt.sign(&world.deployment.domain(), &receiver).unwrap()
}

/// Two receipts that contradict each other, as the indexer stores an offence. Returns its slot.
async fn offend(world: &World, kind: &str, relayer: Address, sequences: [u32; 2], bytes: [u64; 2]) -> B256 {
    let receiver = node(4);
    let epoch = world.next_epoch() - 2;
    let slashing = Slashing::new(world.deployment.slashing, &world.provider);
    let slot = slashing.receiptSlot(epoch, relayer, receiver.address()).call().await.unwrap();
    let stored = |at: usize| {
        let signed = receipt(world, epoch, relayer, sequences[at], bytes[at]);
        postcard::to_stdvec(&signed.into_unchecked()).unwrap()
    };
    sqlx::query(
        "INSERT INTO offences (slot, kind, epoch, relayer, receiver, operator_id, first, second) \
         VALUES ($1, $2, $3, $4, $5, 4, $6, $7)",
    )
    .bind(slot.as_slice())
    .bind(kind)
    .bind(epoch as i64)
    .bind(relayer.as_slice())
    .bind(receiver.address().as_slice())
    .bind(stored(0))
    .bind(stored(1))
    .execute(&world.pool)
    .await
    .unwrap();
    slot
}

/// Status, reason and amount once it is settled.
async fn outcome(world: &World, slot: B256) -> (String, Option<String>, Option<BigDecimal>) {
    let mut engine = world.engine(Crash::default());
    for _ in 0..200 {
        engine.step().await.unwrap();
        let row = sqlx::query("SELECT status, reason, amount FROM offences WHERE slot = $1")
            .bind(slot.as_slice())
            .fetch_one(&world.pool)
            .await
            .unwrap();
        let status: String = row.get("status");
        if status != "found" && status != "submitted" {
            return (status, row.get("reason"), row.get("amount"));
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the offence was never settled");
}

#[tokio::test]
async fn contradictions_cost_stake_on_chain_and_nothing_else_does() {
    let world = World::new().await;
    let staking = Staking::new(world.deployment.staking, &world.provider);
    let penalty = STAKE / 10;
    let [first, second, third] = [1, 2, 3].map(|n| node(n).address());

    let slot = offend(&world, "receipt_equivocation", first, [7, 7], [10, 11]).await;
    let slashed = ("slashed".to_owned(), None, Some(decimal(U256::from(penalty))));
    assert_eq!(outcome(&world, slot).await, slashed);
    assert_eq!(staking.pools(4).call().await.unwrap().assets, STAKE - penalty);

    // Proven by somebody else, as far as this table knows: found punished, with no transaction.
    let forget = "UPDATE offences SET status = 'found', amount = NULL";
    sqlx::query(forget).execute(&world.pool).await.unwrap();
    sqlx::query("UPDATE transactions SET purpose = 'x'").execute(&world.pool).await.unwrap();
    assert_eq!(outcome(&world, slot).await, slashed);
    assert_eq!(world.purposes().await, ["x"]);

    let slot = offend(&world, "receipt_regression", second, [7, 8], [10, 9]).await;
    let again = (STAKE - penalty) / 10;
    assert_eq!(outcome(&world, slot).await, ("slashed".to_owned(), None, Some(decimal(U256::from(again)))));
    assert_eq!(staking.pools(4).call().await.unwrap().assets, STAKE - penalty - again);

    // Honest progress: refused without a transaction.
    let slot = offend(&world, "receipt_regression", third, [7, 8], [10, 10]).await;
    let (status, reason, _) = outcome(&world, slot).await;
    assert_eq!((status.as_str(), reason.unwrap().contains("do not contradict")), ("refused", true));
    assert_eq!(world.purposes().await.len(), 2);
}

#[tokio::test]
async fn what_others_proved_is_executed() {
    let world = World::new().await;
    let (reporter, reporter_address) = client(world.anvil.url(), 1);
    let slashing = Slashing::new(world.deployment.slashing, &reporter);
    let staking = Staking::new(world.deployment.staking, &world.provider);
    let epoch = world.next_epoch() - 2;
    let relayer = node(1).address();
    let [a, b] = [10, 11].map(|bytes| receipt(&world, epoch, relayer, 7, bytes));
    let signatures = [a.signature().compact(), b.signature().compact()];
    let proof = slashing.receiptEquivocation(
        epoch,
        relayer,
        node(4).address(),
        7,
        [a.receipt().tree().root(), b.receipt().tree().root()],
        signatures.map(|(r, _)| r),
        signatures.map(|(_, vs)| vs),
        false,
    );
    assert!(proof.send().await.unwrap().get_receipt().await.unwrap().status());
    assert_eq!(staking.pools(4).call().await.unwrap().assets, STAKE, "proven, not executed");

    let slot = slashing.receiptSlot(epoch, relayer, node(4).address()).call().await.unwrap();
    let mut engine = world.engine(Crash::default());
    for _ in 0..200 {
        engine.step().await.unwrap();
        if slashing.offences(slot).call().await.unwrap().executed {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(staking.pools(4).call().await.unwrap().assets, STAKE - STAKE / 10);
    let token = DataToken::new(world.deployment.token, &world.provider);
    let bounty = token.balanceOf(reporter_address).call().await.unwrap();
    assert_eq!(bounty, U256::from(STAKE / 100), "the bounty is the reporter's");
    for _ in 0..3 {
        engine.step().await.unwrap();
    }
    assert_eq!(world.purposes().await, [format!("execute:{slot}")]);
}

#[tokio::test]
async fn epochs_that_lapsed_are_marked_and_a_reorganisation_takes_it_back() {
    let world = World::new().await;
    let (anyone, _) = client(world.anvil.url(), 1);
    let terms = &world.deployment.terms;
    let epoch = world.next_epoch();
    let sql = "INSERT INTO epochs (epoch, status, checkpoint, scheduled) VALUES ($1, 'aggregated', 0, $2)";
    for (epoch, scheduled) in [(epoch, 1), (epoch + 1, 0), (epoch + 5 * terms.lapse_epochs, 1)] {
        let query = sqlx::query(sql).bind(epoch as i64).bind(decimal(U256::from(scheduled)));
        query.execute(&world.pool).await.unwrap();
    }
    let mut engine = world.engine(Crash::default());
    engine.step().await.unwrap();
    assert_eq!(world.status(epoch).await, "aggregated");

    let before = world.provider.anvil_snapshot().await.unwrap();
    let a_while = 3 * terms.lapse_epochs * terms.epoch_length_s;
    world.provider.anvil_increase_time(a_while).await.unwrap();
    let sponsorships = Sponsorships::new(world.deployment.sponsorships, &anyone);
    assert!(sponsorships.lapse().send().await.unwrap().get_receipt().await.unwrap().status());
    engine.step().await.unwrap();
    assert_eq!(world.status(epoch).await, "lapsed");
    assert_eq!(world.status(epoch + 1).await, "aggregated", "there was no money in it");
    assert_eq!(world.status(epoch + 5 * terms.lapse_epochs).await, "aggregated");

    world.provider.anvil_revert(before).await.unwrap();
    world.provider.anvil_mine(Some(3), None).await.unwrap();
    engine.step().await.unwrap();
    assert_eq!(world.status(epoch).await, "aggregated");
}
