//! Reads one inbound stream. A length is checked before anything is allocated for it.

use super::{Incoming, LinkCounters, LinkEvent};
use futures::AsyncReadExt;
use futures::io::BufReader;
use libp2p::Stream;
use std::sync::atomic::Ordering;
use tatum_protocol::Address;
use tatum_protocol::message::{Frame, FrameError};
use tatum_protocol::wire::{MAX_PACKET_BYTES, Packet, WireError};
use tokio::sync::mpsc;

const BUFFER: usize = 64 << 10;

/// What a well-behaved node never sends.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("packet of {found} bytes; at most {MAX_PACKET_BYTES} are allowed")]
    Length { found: u32 },
    #[error(transparent)]
    Packet(#[from] WireError),
    #[error("frame: {0}")]
    Frame(#[from] FrameError),
}

/// Until the stream ends, which is not an error, or breaks the protocol.
pub(super) async fn run(
    counters: &LinkCounters,
    from: Address,
    stream: Stream,
    events: mpsc::Sender<LinkEvent>,
) -> Result<(), ReadError> {
    let mut stream = BufReader::with_capacity(BUFFER, stream);
    let mut prefix = [0; 4];
    while stream.read_exact(&mut prefix).await.is_ok() {
        let found = u32::from_be_bytes(prefix);
        let length = usize::try_from(found).map_err(|_| ReadError::Length { found })?;
        if length > MAX_PACKET_BYTES {
            return Err(ReadError::Length { found });
        }
        let mut bytes = vec![0; length];
        if stream.read_exact(&mut bytes).await.is_err() {
            return Ok(());
        }
        counters.packets_in.fetch_add(1, Ordering::Relaxed);
        counters.bytes_in.fetch_add(u64::from(found), Ordering::Relaxed);
        let packet = match Packet::decode(&bytes)? {
            Packet::Frame(frame) => Incoming::Frame(Box::new(Frame::decode(&frame)?)),
            Packet::Offer(offer) => Incoming::Offer(offer),
            Packet::Attach(parts) => Incoming::Attach(parts),
            Packet::Receipt(receipt) => Incoming::Receipt(Box::new(receipt)),
        };
        if events.send(LinkEvent::Packet { from, packet }).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}
