//! A broker that signs two conflicting receipts loses stake on chain; nobody else does.

use std::time::{Duration, Instant};
use tatum_contracts::abi::{DataToken, Staking};
use tatum_tests::harness::{EPOCH, Net};

#[tokio::test(flavor = "multi_thread")]
async fn an_equivocating_broker_is_found_and_slashed() {
    let net = Net::start(|options| options.equivocate = Some(2)).await.unwrap();
    let cheat = net.devnet.operators()[1];

    let client = net.devnet.client(&net.devnet.keys().sponsor).unwrap();
    let staking = Staking::new(net.devnet.deployment().staking, &client);
    let token = DataToken::new(net.devnet.deployment().token, &client);
    let bounty_to = net.devnet.keys().settlement.address();
    let poor = token.balanceOf(bounty_to).call().await.unwrap();
    let began = Instant::now();
    let slashed = loop {
        let view = net.view().await.unwrap();
        let slashed = view.pool(cheat).unwrap().slashed;
        if slashed > 0 {
            for honest in net.devnet.operators().iter().filter(|id| **id != cheat) {
                assert_eq!(view.pool(*honest).unwrap().slashed, 0, "operator {honest} did nothing wrong");
            }
            break slashed;
        }
        assert!(began.elapsed() < EPOCH * 12, "operator {cheat} was not slashed\n{}", net.logs());
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    let pool = staking.pools(cheat).call().await.unwrap();
    assert!(slashed > 0 && pool.assets > 0, "{slashed} of the stake, {} left", pool.assets);
    assert!(token.balanceOf(bounty_to).call().await.unwrap() > poor, "the watcher earned no bounty");

    let sql = "SELECT count(*) FROM offences WHERE status = 'slashed' AND operator_id = $1";
    let began = Instant::now();
    loop {
        let id = i64::try_from(cheat).unwrap();
        let found: i64 = sqlx::query_scalar(sql).bind(id).fetch_one(net.devnet.database()).await.unwrap();
        if found > 0 {
            break;
        }
        assert!(began.elapsed() < EPOCH * 3, "the offence was not recorded as slashed");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    // Whatever was paid before and after: a slash changes stakes, not payouts.
    net.settled(1, EPOCH * 12).await.unwrap();
    net.check_money().await.unwrap();
    net.stop().await;
}
