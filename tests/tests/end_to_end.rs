//! The whole path on real components: from telemetry at a gateway to payouts that another implementation recomputes.

use alloy::primitives::U256;
use std::process::Stdio;
use std::time::Duration;
use tatum_cli::devnet::keys::MQTT_USER;
use tatum_tests::harness::{EPOCH, Net};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn three_epochs_are_paid_to_the_wei() {
    let net = Net::start(|options| options.light_subscriber = true).await.unwrap();

    let settled = net.settled(1, EPOCH * 12).await.unwrap();
    mosquitto_clients_meet_across_two_brokers(&net).await;
    gateways_refuse_without_credentials_and_without_permission(&net).await;
    let settled = net.settled(settled.len().max(3), EPOCH * 12).await.unwrap();

    for report in &settled {
        assert!(report.is_exact(), "earned + refunded != scheduled in epoch {}", report.epoch);
        assert_eq!(report.certified_parts, report.sponsored_parts, "epoch {}", report.epoch);
    }
    // From the second certificate on everybody is an attester too; all four earn in every epoch.
    let last = settled.last().unwrap();
    assert_eq!(last.earned.len(), 4, "{last:?}");
    net.check_money().await.unwrap();

    // The light node's receipts are money: its relayers earned for delivery.
    let sql = "SELECT coalesce(sum(amount), 0)::text FROM payout_lines WHERE kind = 'delivery'";
    let delivered: String = sqlx::query_scalar(sql).fetch_one(net.devnet.database()).await.unwrap();
    assert!(delivered.parse::<U256>().unwrap() > U256::ZERO, "nothing was earned for delivery");

    let received = net.received().unwrap();
    assert!(received.received > 50 && received.gaps.is_empty(), "{received:?}");
    net.stop().await;
}

/// `mosquitto_pub` at broker 3, `mosquitto_sub` at broker 4, both as the distribution ships them.
async fn mosquitto_clients_meet_across_two_brokers(net: &Net) {
    let gateways = net.devnet.mqtt();
    let password = net.devnet.mqtt_password().unwrap();
    let client = |program: &str, gateway: usize| {
        let mut command = Command::new(program);
        command
            .args(["-h", "127.0.0.1", "-p", &gateways[gateway].port().to_string(), "-q", "1"])
            .args(["-u", MQTT_USER, "-P", &password, "-t", net.devnet.stream()])
            .kill_on_drop(true);
        command
    };
    let mut subscriber = client("mosquitto_sub", 3)
        .stdout(Stdio::piped())
        .spawn()
        .expect("mosquitto_sub is needed: apt-get install mosquitto-clients");
    let mut lines = BufReader::new(subscriber.stdout.take().unwrap()).lines();
    // Telemetry arriving shows that the subscription stands.
    let first = tokio::time::timeout(EPOCH, lines.next_line()).await.expect("no telemetry").unwrap();
    assert!(first.unwrap().contains("sequence"), "the stream carries telemetry");

    let status = client("mosquitto_pub", 2).args(["-m", "hello from a sensor"]).status().await.unwrap();
    assert!(status.success(), "mosquitto_pub failed: {status}");
    let hello = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line == "hello from a sensor" {
                return;
            }
        }
        panic!("the subscription ended");
    };
    tokio::time::timeout(EPOCH, hello).await.expect("the message did not come through");
}

async fn gateways_refuse_without_credentials_and_without_permission(net: &Net) {
    let port = net.devnet.mqtt()[0].port().to_string();
    let password = net.devnet.mqtt_password().unwrap();
    let publish = async |login: &[&str], topic: &str| {
        let output = Command::new("mosquitto_pub")
            .args(["-h", "127.0.0.1", "-p", &port, "-q", "1", "-m", "x", "-t", topic])
            .args(login)
            .output();
        // A refused QoS 1 publish closes the connection; the client would try again for ever.
        tokio::time::timeout(Duration::from_secs(5), output).await.map(|output| output.unwrap())
    };
    let stream = net.devnet.stream();
    let anonymous = publish(&[], stream).await.expect("refused at once");
    assert!(!anonymous.status.success(), "an unauthenticated client was let in");
    let wrong = publish(&["-u", MQTT_USER, "-P", "wrong"], stream).await.expect("refused at once");
    assert!(!wrong.status.success(), "a wrong password was let in");
    let unpermitted =
        publish(&["-u", MQTT_USER, "-P", &password], "0x00000000000000000000000000000000000000aa/x").await;
    assert!(
        !unpermitted.is_ok_and(|output| output.status.success()),
        "a publish to a stream without permission was acknowledged"
    );
}
