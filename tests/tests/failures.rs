//! What processes that die cost: no message, no double payment.

use alloy::primitives::U256;
use std::time::{Duration, Instant};
use tatum_cli::devnet::processes::{SETTLEMENT, broker};
use tatum_contracts::abi::Settlement;
use tatum_tests::harness::{EPOCH, Net};

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_broker_costs_no_message_and_a_dead_settlement_pays_once() {
    let net = Net::start(|_| {}).await.unwrap();
    net.settled(1, EPOCH * 12).await.unwrap();

    kill_settlement_between_post_and_push(&net).await;
    net.devnet.supervisor().restart(SETTLEMENT).await.unwrap();
    net.check_money().await.unwrap();

    // Broker 2 serves the subscriber; the publisher is at broker 1.
    let before = net.devnet.epochs(0).await.unwrap().last().unwrap().epoch;
    net.devnet.supervisor().kill(&broker(2)).await.unwrap();
    let killed_at = net.received().unwrap();
    let epoch = wait_for_epoch_without(&net, net.devnet.operators()[1], before).await;

    // Its availability went back to the sponsor; the others were paid theirs.
    let sql = "SELECT operator_id FROM payout_lines WHERE epoch = $1 AND kind = 'availability' ORDER BY 1";
    let number = i64::try_from(epoch).unwrap();
    let paid: Vec<i64> = sqlx::query_scalar(sql).bind(number).fetch_all(net.devnet.database()).await.unwrap();
    let mut alive: Vec<i64> = net.devnet.operators().iter().map(|id| i64::try_from(*id).unwrap()).collect();
    alive.remove(1);
    alive.sort_unstable();
    assert_eq!(paid, alive, "availability of epoch {epoch}");
    let sql = "SELECT coalesce(sum(amount), 0)::text FROM refunds WHERE epoch = $1";
    let refunded: String =
        sqlx::query_scalar(sql).bind(number).fetch_one(net.devnet.database()).await.unwrap();
    assert!(refunded.parse::<U256>().unwrap() > U256::ZERO, "nothing went back to the sponsor");
    net.check_money().await.unwrap();

    let received = net.received().unwrap();
    assert!(received.received > killed_at.received + 20, "{killed_at:?} then {received:?}");
    assert!(received.gaps.is_empty(), "the subscriber missed messages: {received:?}");
    net.stop().await;
}

/// Kills settlement when a root is on chain whose payouts are not, and checks that they stay unpaid.
async fn kill_settlement_between_post_and_push(net: &Net) {
    let client = net.devnet.client(&net.devnet.keys().sponsor).unwrap();
    let contract = Settlement::new(net.devnet.deployment().settlement, client);
    let began = Instant::now();
    while began.elapsed() < EPOCH * 8 {
        if contract.inFlight().call().await.unwrap().is_zero() {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        }
        net.devnet.supervisor().kill(SETTLEMENT).await.unwrap();
        // A push that was already handed to the chain would be mined within two blocks: that was too late, try again.
        tokio::time::sleep(Duration::from_secs(3)).await;
        if !contract.inFlight().call().await.unwrap().is_zero() {
            return;
        }
        net.devnet.supervisor().restart(SETTLEMENT).await.unwrap();
    }
    panic!("never caught settlement between post and push\n{}", net.logs());
}

/// The first paid epoch after `before` in which this operator earned no availability.
async fn wait_for_epoch_without(net: &Net, operator: u64, before: u64) -> u64 {
    let began = Instant::now();
    while began.elapsed() < EPOCH * 12 {
        for report in net.devnet.epochs(before + 1).await.unwrap() {
            let sql = "SELECT count(*) FROM payout_lines WHERE epoch = $1 AND operator_id = $2 AND kind = 'availability'";
            let lines: i64 = sqlx::query_scalar(sql)
                .bind(i64::try_from(report.epoch).unwrap())
                .bind(i64::try_from(operator).unwrap())
                .fetch_one(net.devnet.database())
                .await
                .unwrap();
            if report.is_settled() && report.messages > 0 && lines == 0 {
                return report.epoch;
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    panic!("no epoch was paid without operator {operator}\n{}", net.logs());
}
