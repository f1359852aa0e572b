//! Opens the outbound stream to one peer and writes its queue, in batches, for as long as the peer is connected.

use super::{LinkEvent, Links, PROTOCOL, Queue};
use crate::backoff::Backoff;
use futures::AsyncWriteExt;
use libp2p::{PeerId, Stream};
use libp2p_stream::{Control, OpenStreamError};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tatum_protocol::Address;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Bytes that are joined into one write.
const BATCH: usize = 256 << 10;

pub(super) async fn run(
    links: Links,
    mut control: Control,
    peer: PeerId,
    node: Address,
    events: mpsc::Sender<LinkEvent>,
    stop: CancellationToken,
) {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
    loop {
        let opened = tokio::select! {
            () = stop.cancelled() => return,
            opened = control.open_stream(peer, PROTOCOL) => opened,
        };
        match opened {
            Ok(stream) => {
                backoff.reset();
                let queue = Arc::new(Queue::default());
                links.open().insert(node, queue.clone());
                // The node must know of the link before it can matter that the link is gone again.
                let _ = events.send(LinkEvent::Up(node)).await;
                tokio::select! {
                    () = stop.cancelled() => {}
                    error = write(&links, stream, &queue) => tracing::debug!(%node, %error, "link broke"),
                }
                // A reconnected peer may have its next link already; that one stays.
                let ours = links.close(&node, &queue);
                if ours {
                    let _ = events.send(LinkEvent::Down(node)).await;
                }
            }
            // An indexer, or a node that is still starting: it listens before it has followed the chain.
            Err(OpenStreamError::UnsupportedProtocol(_)) => {}
            Err(error) => tracing::debug!(%node, %error, "cannot open a link"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(backoff.next()) => {}
        }
    }
}

async fn write(links: &Links, mut stream: Stream, queue: &Queue) -> std::io::Error {
    let counters = links.counters();
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        batch.clear();
        let packets = queue.take(BATCH, &mut batch).await;
        if let Err(error) = stream.write_all(&batch).await {
            return error;
        }
        if let Err(error) = stream.flush().await {
            return error;
        }
        counters.packets_out.fetch_add(packets, Ordering::Relaxed);
        counters.bytes_out.fetch_add(batch.len() as u64, Ordering::Relaxed);
    }
}
