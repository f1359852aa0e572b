//! The packets that wait for one peer, bounded in bytes.

use super::{Class, Encoded};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Bytes of frames that may wait for one peer.
const FRAME_BYTES: usize = 16 << 20;
/// Control packets have this much more.
const CONTROL_BYTES: usize = 2 << 20;

#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    packets: VecDeque<Encoded>,
    bytes: usize,
}

impl Queue {
    /// `false` if it does not fit.
    pub(super) fn push(&self, packet: Encoded, class: Class) -> bool {
        let limit = match class {
            Class::Frame => FRAME_BYTES,
            Class::Control => FRAME_BYTES + CONTROL_BYTES,
        };
        let mut waiting = self.waiting();
        let bytes = waiting.bytes.saturating_add(packet.len());
        if bytes > limit {
            return false;
        }
        waiting.bytes = bytes;
        waiting.packets.push_back(packet);
        drop(waiting);
        self.filled.notify_one();
        true
    }

    /// Waits for packets and takes them, joined, up to about `most` bytes.
    pub(super) async fn take(&self, most: usize, batch: &mut Vec<u8>) -> u64 {
        loop {
            let packets = self.take_now(most, batch);
            if packets > 0 {
                return packets;
            }
            self.filled.notified().await;
        }
    }

    fn take_now(&self, most: usize, batch: &mut Vec<u8>) -> u64 {
        let mut packets = 0;
        let mut waiting = self.waiting();
        while batch.len() < most
            && let Some(packet) = waiting.packets.pop_front()
        {
            waiting.bytes = waiting.bytes.saturating_sub(packet.len());
            batch.extend_from_slice(&packet.0);
            packets += 1;
        }
        packets
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_order_and_drops_what_does_not_fit() {
        let queue = Queue::default();
        let big = Encoded(vec![1; FRAME_BYTES - 1].into());
        assert!(queue.push(big, Class::Frame));
        assert!(!queue.push(Encoded(vec![2; 2].into()), Class::Frame));
        assert!(queue.push(Encoded(vec![3; 2].into()), Class::Control));
        let mut batch = Vec::new();
        assert_eq!(queue.take(usize::MAX, &mut batch).await, 2);
        assert_eq!(batch.len(), FRAME_BYTES + 1);
        assert_eq!(batch.last(), Some(&3));
        assert!(queue.push(Encoded(vec![4; 2].into()), Class::Frame), "room again after the batch was taken");
    }
}
