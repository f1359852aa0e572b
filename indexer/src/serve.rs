//! Control requests from the P2P network, each answered in a task of its own, a bounded number at a time.

use crate::ingest::Ingest;
use std::sync::Arc;
use tatum_node::net::ControlRequest;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Requests in work. More wait in the network's bounded channel, and beyond that with their senders.
const IN_WORK: usize = 16;

/// Answers until told to stop; then lets what is in work finish.
pub(crate) async fn serve(
    ingest: Ingest,
    mut requests: mpsc::Receiver<ControlRequest>,
    shutdown: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(IN_WORK));
    let mut tasks = JoinSet::new();
    loop {
        // The semaphore is never closed.
        let Ok(place) = places.clone().acquire_owned().await else { break };
        let request = tokio::select! {
            () = shutdown.cancelled() => break,
            request = requests.recv() => request,
        };
        let Some(ControlRequest { peer, request, responder }) = request else { break };
        let ingest = ingest.clone();
        tasks.spawn(async move {
            let response = ingest.handle(&peer.to_string(), request).await;
            responder.respond(response).await;
            drop(place);
        });
        while tasks.try_join_next().is_some() {}
    }
    while tasks.join_next().await.is_some() {}
}
