//! The API as programs see it.

use crate::world::{FIRST, RATE, World, node};
use std::net::SocketAddr;
use std::sync::Arc;
use tatum_indexer::api::{self, ApiState, Changes};
use tatum_indexer::chain::Chain;
use tatum_indexer::progress::Progress;
use tatum_protocol::epoch::Deadline;
use tatum_protocol::wire::Evidence;
use tokio_util::sync::CancellationToken;

struct Server {
    address: SocketAddr,
    progress: Arc<Progress>,
    shutdown: CancellationToken,
}

impl Server {
    async fn start(world: &World) -> Self {
        let (progress, shutdown) = (Arc::new(Progress::default()), CancellationToken::new());
        let changes = Changes::new(shutdown.clone());
        tokio::spawn(changes.clone().watch(world.pool.clone()));
        let state = ApiState {
            pool: world.pool.clone(),
            chain: world.chain.clone(),
            counters: world.counters.clone(),
            progress: progress.clone(),
            changes,
            time: world.time.clone(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, api::router(state)).await });
        Self { address, progress, shutdown }
    }

    async fn response(&self, path: &str) -> reqwest::Response {
        reqwest::get(format!("http://{}{path}", self.address)).await.unwrap()
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> T {
        let response = self.response(path).await;
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }
}

#[tokio::test]
async fn every_resource_has_its_shape() {
    let world = World::new().await;
    world.honest_epoch(FIRST).await;
    let statement = crate::epochs::proposal(&world).await;
    let server = Server::start(&world).await;

    let operators: api::Operators = server.get("/operators").await;
    assert_eq!(operators.operators.len(), 3);
    assert_eq!(operators.operators[0].earned, "316665");
    assert_eq!(operators.operators[0].pending, "316665");
    assert_eq!(operators.operators[0].earned_by_kind.availability, "158333");
    let epochs: api::Epochs = server.get("/epochs?limit=1").await;
    assert_eq!((epochs.epochs[0].epoch, epochs.next_before), (FIRST + 1, Some(FIRST + 1)));
    let epochs: api::Epochs = server.get(&format!("/epochs?limit=5&before={}", FIRST + 1)).await;
    let epoch = &epochs.epochs[0];
    assert_eq!((epoch.epoch, epoch.status.as_str(), epoch.root), (FIRST, "proposed", Some(statement.root)));
    assert_eq!(
        (epoch.scheduled.as_str(), epoch.earned.as_str(), epoch.refunded.as_str()),
        ("1000000", "949995", "50005")
    );
    assert_eq!(epoch.settled_by, None);
    let detail: api::EpochDetail = server.get("/epochs/2").await;
    assert_eq!((detail.volumes.len(), detail.operators.len()), (1, 3));
    assert_eq!(detail.volumes[0].signers, [1, 2, 3]);
    let payouts: api::Payouts = server.get("/epochs/2/payouts").await;
    assert_eq!(payouts.total, Some(RATE.to_string()));
    let sum: u128 = payouts.lines.iter().map(|line| line.amount.parse::<u128>().unwrap()).sum();
    assert_eq!(sum, 949_995);
    assert_eq!((payouts.refunds.len(), payouts.chunks.len(), payouts.lines_cut), (1, 1, false));
    assert!(payouts.chunks[0].changed && payouts.chunks[0].entries.len() == 4);
    let receipts: api::Receipts = server.get("/epochs/2/receipts").await;
    assert_eq!((receipts.bandwidth.len(), receipts.deliveries.len(), receipts.volumes.len()), (6, 3, 3));
    let own: api::OperatorEpochs = server.get("/operators/1/epochs").await;
    assert_eq!((own.epochs.len(), own.epochs[0].earned.as_str()), (1, "316665"));
    let earnings: api::Earnings = server.get("/earnings").await;
    assert_eq!(
        (earnings.epochs.as_slice(), earnings.operators[2].amounts.as_slice()),
        ([FIRST].as_slice(), ["316665".to_owned()].as_slice())
    );
    let sponsorships: api::Sponsorships = server.get("/sponsorships").await;
    assert!(sponsorships.sponsorships[0].active);
    let streams: api::Streams = server.get("/streams").await;
    assert_eq!(streams.streams[0].rate_per_epoch, RATE.to_string());
    let offences: api::Offences = server.get("/offences").await;
    assert!(offences.offences.is_empty());
    let status: api::Status = server.get("/status").await;
    assert_eq!((status.accepted["bandwidth"], status.accepted["volume"]), (6, 3));
    assert_eq!((status.totals.earned.as_str(), status.totals.messages), ("949995", 10));
    let metrics = server.response("/metrics").await.text().await.unwrap();
    assert!(metrics.contains("tatum_indexer_evidence_accepted_total{kind=\"delivery\"} 3\n"), "{metrics}");
}

#[tokio::test]
async fn an_epoch_that_lapsed_is_shown_and_left_out_of_every_sum() {
    let world = World::new().await;
    world.honest_epoch(FIRST).await;
    crate::epochs::proposal(&world).await;
    world.honest_epoch(FIRST + 1).await;
    crate::epochs::proposal(&world).await;
    // As settlement writes down what the chain says.
    for (epoch, status) in [(FIRST, "lapsed"), (FIRST + 1, "posted")] {
        sqlx::query("UPDATE epochs SET status = $2 WHERE epoch = $1")
            .bind(i64::try_from(epoch).unwrap())
            .bind(status)
            .execute(&world.pool)
            .await
            .unwrap();
    }
    let server = Server::start(&world).await;
    let epochs: api::Epochs = server.get(&format!("/epochs?limit=1&before={}", FIRST + 1)).await;
    let epoch = &epochs.epochs[0];
    assert_eq!((epoch.status.as_str(), epoch.settled_by, epoch.earned.as_str()), ("lapsed", None, "949995"));
    let operators: api::Operators = server.get("/operators").await;
    let operator = &operators.operators[0];
    assert_eq!((operator.earned.as_str(), operator.pending.as_str()), ("316665", "316665"));
    assert_eq!(
        (operator.pool.as_str(), operator.own.as_str(), operator.delegated.as_str()),
        ("300", "100", "200")
    );
    let earnings: api::Earnings = server.get("/earnings").await;
    assert_eq!(earnings.epochs, [FIRST + 1]);
    let status: api::Status = server.get("/status").await;
    assert_eq!((status.totals.scheduled, status.totals.earned.as_str()), (RATE.to_string(), "949995"));
}

#[tokio::test]
async fn offences_are_shown() {
    let world = World::new().await;
    let send = |bytes| Evidence::Bandwidth(world.bandwidth(FIRST, 1, &node(2), 1, bytes).into_unchecked());
    world.submit(vec![send(1), send(2)]).await;
    let server = Server::start(&world).await;
    let shown: api::Offences = server.get("/offences").await;
    let offence = &shown.offences[0];
    assert_eq!(
        (offence.operator, offence.receiver, offence.status.as_str()),
        (Some(2), node(2).address(), "found")
    );
}

#[tokio::test]
async fn errors_are_problem_documents_and_lists_are_bounded() {
    let world = World::new().await;
    let server = Server::start(&world).await;
    for (path, code, says) in [
        ("/epochs/99", 404, "epoch 99 is not known"),
        ("/epochs/18446744073709551615/payouts", 404, "not known"),
        ("/operators/9/epochs", 404, "operator 9 is not registered"),
        ("/epochs?limit=100000", 400, "1 to 200"),
        ("/epochs?limit=x", 400, "limit"),
        ("/epochs?surprise=1", 400, "surprise"),
        ("/epochs/x", 400, "x"),
        ("/nowhere", 404, "nothing at /nowhere"),
    ] {
        let response = server.response(path).await;
        assert_eq!(response.status(), code, "{path}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let problem: api::Problem = response.json().await.unwrap();
        assert!(problem.status == code && problem.detail.contains(says), "{problem:?}");
    }
}

#[tokio::test]
async fn health_is_progress() {
    let world = World::new().await;
    let server = Server::start(&world).await;
    world.pipeline().step().await.unwrap();
    let health: api::Health = server.get("/healthz").await;
    assert!(health.healthy && health.reasons.is_empty());

    // The chain goes on and nobody proposes.
    world.after(FIRST, Deadline::Volumes);
    let _: api::Health = server.get("/healthz").await;
    world.at_ms(world.chain.clock().end(FIRST + 3) * 1000);
    let stalled = server.response("/healthz").await;
    assert_eq!(stalled.status(), 503);
    let stalled: api::Health = stalled.json().await.unwrap();
    assert_eq!(stalled.oldest_due_epoch, Some(FIRST));
    assert!(stalled.reasons[0].contains("epoch 2 should have been proposed"), "{:?}", stalled.reasons);
    world.pipeline().step().await.unwrap();
    let _: api::Health = server.get("/healthz").await;

    // The chain's head stays behind; a part reports an error.
    world.time.set_ms(world.time.now_ms() + 60_000);
    server.progress.failed(tatum_indexer::progress::Part::Chain, &"no answer");
    let sick: api::Health = server.response("/healthz").await.json().await.unwrap();
    assert!(sick.reasons.iter().any(|reason| reason.contains("head is")), "{:?}", sick.reasons);
    assert!(sick.reasons.iter().any(|reason| reason.contains("no answer")), "{:?}", sick.reasons);
}

#[tokio::test]
async fn a_change_of_an_epoch_is_an_event() {
    let world = World::new().await;
    let server = Server::start(&world).await;
    world.pipeline().step().await.unwrap();
    let mut events = server.response("/events").await;
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    // Let the watcher see the epoch open first.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    world.after(FIRST, Deadline::Close);
    world.pipeline().step().await.unwrap();
    let mut text = String::new();
    while !text.contains("closing") {
        let wait = tokio::time::timeout(std::time::Duration::from_secs(20), events.chunk());
        text += std::str::from_utf8(&wait.await.unwrap().unwrap().unwrap()).unwrap();
    }
    assert!(text.contains("event: epoch\ndata: {\"epoch\":2,\"status\":\"closing\"}"), "{text}");
    server.shutdown.cancel();
    let end = tokio::time::timeout(std::time::Duration::from_secs(20), events.text()).await;
    assert!(end.is_ok(), "the stream ends with the server");
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let world = World::new().await;
    let server = Server::start(&world).await;
    for (path, kind) in [("/", "text/html"), ("/app.js", "text/javascript"), ("/style.css", "text/css")] {
        let response = server.response(path).await;
        assert_eq!(response.status(), 200);
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with(kind));
        assert!(
            response.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'")
        );
        let text = response.text().await.unwrap();
        assert!(!text.contains("https://") && !text.contains("innerHTML"), "{path}");
    }
}
