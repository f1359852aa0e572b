//! The whole indexer, as the command runs it: it answers over P2P, says what ails it, and stops when told.

use std::net::TcpListener;
use std::time::Duration;
use tatum_contracts::deployment::{Deployment, Terms};
use tatum_indexer::{IndexerConfig, api};
use tatum_node::keys::{NodeKey, generate_node_key_file};
use tatum_node::net::{NetConfig, Network, parse_address};
use tatum_protocol::Address;
use tatum_protocol::wire::{Request, Response};
use tatum_testkit::Postgres;
use tokio_util::sync::CancellationToken;

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_serves_and_stops() {
    let database = Postgres::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let deployment = Deployment {
        chain_id: 31_337,
        token: Address::repeat_byte(1),
        token_is_ours: false,
        staking: Address::repeat_byte(2),
        sponsorships: Address::repeat_byte(3),
        settlement: Address::repeat_byte(4),
        slashing: Address::repeat_byte(5),
        stream_registry: Address::repeat_byte(6),
        stream_registry_is_ours: false,
        genesis: 1_000,
        deploy_block: 0,
        terms: Terms::devnet(3_600),
    };
    deployment.save(&folder.path().join("deployment.json")).unwrap();
    let key_file = folder.path().join("key");
    let peer = generate_node_key_file(&key_file).unwrap().peer_id();
    let (p2p, http) = (free_port(), free_port());
    let config = IndexerConfig {
        data_dir: folder.path().join("data"),
        // Nothing answers there.
        rpc_url: format!("http://127.0.0.1:{}", free_port()),
        deployment: folder.path().join("deployment.json"),
        node_key_file: key_file,
        database_url: database.url().to_owned(),
        listen: vec![format!("/ip4/127.0.0.1/tcp/{p2p}")],
        bootstrap: Vec::new(),
        http: ([127, 0, 0, 1], http).into(),
    };
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(tatum_indexer::run(config.clone(), shutdown.clone()));

    let client_key = NodeKey::from_bytes([9; 32]).unwrap();
    let net = NetConfig {
        keep: vec![(peer, parse_address(&format!("/ip4/127.0.0.1/tcp/{p2p}")).unwrap())],
        ..NetConfig::default()
    };
    let (client, _) = Network::start(client_key.keypair(), net, shutdown.clone()).unwrap();
    let answer = async {
        loop {
            if let Ok(response) = client.request(peer, Request::Proposal).await {
                return response;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let response = tokio::time::timeout(Duration::from_secs(60), answer).await.unwrap();
    assert_eq!(response, Response::Proposal(None));

    let health = reqwest::get(format!("http://127.0.0.1:{http}/healthz")).await.unwrap();
    assert_eq!(health.status(), 503);
    let health: api::Health = health.json().await.unwrap();
    assert!(health.reasons.iter().any(|reason| reason.contains("no block")), "{:?}", health.reasons);

    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(30), running).await.unwrap().unwrap().unwrap();
    let exposed = IndexerConfig { http: ([0, 0, 0, 0], http).into(), ..config };
    assert!(tatum_indexer::run(exposed, CancellationToken::new()).await.is_err());
}
