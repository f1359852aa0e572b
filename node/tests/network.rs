//! Two peers over loopback, TCP and QUIC: control requests are answered, refused and bounded.

use std::time::Duration;
use tatum_node::keys::NodeKey;
use tatum_node::net::{NetConfig, Network, parse_peer};
use tatum_protocol::wire::{Request, Response};
use tokio_util::sync::CancellationToken;

async fn answers_over(listen: &str) {
    let stop = CancellationToken::new();
    let _guard = stop.clone().drop_guard();
    let (server_key, client_key) =
        (NodeKey::from_bytes([1; 32]).unwrap(), NodeKey::from_bytes([2; 32]).unwrap());
    let config =
        NetConfig { listen: vec![listen.parse().unwrap()], serve_control: true, ..NetConfig::default() };
    let (server, mut requests) = Network::start(server_key.keypair(), config, stop.clone()).unwrap();
    tokio::spawn(async move {
        while let Some(request) = requests.recv().await {
            assert_eq!(request.peer, NodeKey::from_bytes([2; 32]).unwrap().peer_id());
            request.responder.respond(Response::Proposal(None)).await;
        }
    });
    let mut addresses = server.listen_addresses();
    let address = addresses.wait_for(|known| !known.is_empty()).await.unwrap()[0].clone();
    let keep = vec![parse_peer(&format!("{address}/p2p/{}", server.local_peer())).unwrap()];
    let config = NetConfig { keep, ..NetConfig::default() };
    let (client, _) = Network::start(client_key.keypair(), config, stop.clone()).unwrap();
    let response = client.request(server.local_peer(), Request::Proposal).await.unwrap();
    assert_eq!(response, Response::Proposal(None));
    // The other direction: a node does not serve control requests.
    let mut peers = server.peers();
    peers.wait_for(|peers| peers.contains(&client.local_peer())).await.unwrap();
    assert!(server.request(client.local_peer(), Request::Proposal).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn control_requests_are_answered_over_tcp_and_quic() {
    for listen in ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"] {
        tokio::time::timeout(Duration::from_secs(20), answers_over(listen)).await.unwrap();
    }
}

#[tokio::test]
async fn a_taken_port_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("/ip4/127.0.0.1/tcp/{}", taken.local_addr().unwrap().port());
    let config = NetConfig { listen: vec![listen.parse().unwrap()], ..NetConfig::default() };
    let key = NodeKey::from_bytes([3; 32]).unwrap();
    let error = Network::start(key.keypair(), config, CancellationToken::new()).unwrap_err();
    assert!(error.to_string().contains(&listen), "{error}");
}
