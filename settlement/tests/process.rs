//! `run` as the command line runs it: two settlements with one key, one of which waits for the other.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use alloy::network::EthereumWallet;
use alloy::providers::ProviderBuilder;
use alloy::signers::local::PrivateKeySigner;
use serde_json::Value;
use tatum_contracts::deployment::{Parameters, deploy};
use tatum_settlement::{SenderConfig, SettlementConfig, run};
use tatum_testkit::{Anvil, Postgres, anvil};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// Status and body of a GET.
async fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// Waits for a health report that satisfies `wanted`.
async fn health(address: SocketAddr, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut last = None;
    for _ in 0..300 {
        if let Some((status, body)) = get(address, "/healthz").await {
            let report: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(status == 200, report["healthy"].as_bool().unwrap());
            if wanted(&report) {
                return report;
            }
            last = Some(report);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never as wanted: {last:?}");
}

async fn deployed(anvil: &Anvil, path: &Path) {
    let signer: PrivateKeySigner = anvil::KEYS[0].parse().unwrap();
    let address = signer.address();
    let provider = ProviderBuilder::new()
        .wallet(EthereumWallet::from(signer))
        .connect_http(anvil.url().parse().unwrap());
    deploy(&provider, address, &Parameters::devnet(address, 10)).await.unwrap().save(path).unwrap();
}

fn config(anvil: &Anvil, postgres: &Postgres, folder: &Path) -> (SettlementConfig, SocketAddr) {
    let http = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = SettlementConfig {
        rpc_url: anvil.url().to_owned(),
        deployment: folder.join("deployment.json"),
        database_url: postgres.url().to_owned(),
        key_file: folder.join("settlement.key"),
        http: Some(http),
        sender: SenderConfig::default(),
        crash_at: None,
    };
    (config, http)
}

#[tokio::test]
async fn the_second_of_two_settlements_takes_over_when_the_first_ends() {
    let anvil = Anvil::start().unwrap();
    let postgres = Postgres::migrated().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    deployed(&anvil, &folder.path().join("deployment.json")).await;
    let key = folder.path().join("settlement.key");
    std::fs::write(&key, anvil::KEYS[5]).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();

    let (config_a, at_a) = config(&anvil, &postgres, folder.path());
    let (stop_a, stop_b) = (CancellationToken::new(), CancellationToken::new());
    let first = tokio::spawn(run(config_a, stop_a.clone()));
    let report =
        health(at_a, |report| report["role"] == "owner" && !report["seconds_since_step"].is_null()).await;
    assert_eq!((report["healthy"].as_bool(), report["pending_transactions"].as_u64()), (Some(true), Some(0)));

    let (config_b, at_b) = config(&anvil, &postgres, folder.path());
    let second = tokio::spawn(run(config_b, stop_b.clone()));
    health(at_b, |report| report["role"] == "standby").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    health(at_b, |report| report["role"] == "standby").await;

    stop_a.cancel();
    first.await.unwrap().unwrap();
    health(at_b, |report| report["role"] == "owner" && !report["seconds_since_step"].is_null()).await;
    let (status, metrics) = get(at_b, "/metrics").await.unwrap();
    assert_eq!(status, 200);
    assert!(
        metrics.contains("tatum_settlement_owner 1") && metrics.contains("tatum_settlement_balance_wei 1")
    );
    stop_b.cancel();
    second.await.unwrap().unwrap();
}

#[tokio::test]
async fn it_waits_for_the_tables_and_stops_when_told() {
    let anvil = Anvil::start().unwrap();
    let postgres = Postgres::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    deployed(&anvil, &folder.path().join("deployment.json")).await;
    let key = folder.path().join("settlement.key");
    std::fs::write(&key, anvil::KEYS[5]).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();

    let (config, at) = config(&anvil, &postgres, folder.path());
    let stop = CancellationToken::new();
    let waiting = tokio::spawn(run(config, stop.clone()));
    health(at, |report| report["role"] == "standby").await;
    assert!(!waiting.is_finished());
    stop.cancel();
    waiting.await.unwrap().unwrap();
}
