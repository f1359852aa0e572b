//! Who wants which stream part here, and the bounded queue of each session.
//!
//! A session that is too slow loses messages it takes at most once (they are counted), and is closed if it was promised
//! at least once: it reconnects and knows that it has a gap, instead of not knowing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tatum_protocol::id::StreamPart;
use tatum_protocol::message::Frame;
use tokio::sync::{mpsc, watch};

/// Bytes and frames that may wait for one session.
const QUEUE_BYTES: usize = 8 << 20;
const QUEUE_FRAMES: usize = 1024;

pub(crate) type SessionId = u64;

#[derive(Debug)]
pub(crate) struct Delivered {
    pub(crate) part: StreamPart,
    pub(crate) frame: Arc<Frame>,
    waiting: Arc<AtomicUsize>,
}

impl Drop for Delivered {
    fn drop(&mut self) {
        self.waiting.fetch_sub(self.frame.encoded().len(), Ordering::Relaxed);
    }
}

/// The sending end of a session's queue.
#[derive(Debug, Clone)]
pub(crate) struct Sink {
    queue: mpsc::Sender<Delivered>,
    waiting: Arc<AtomicUsize>,
}

impl Sink {
    fn push(&self, part: &StreamPart, frame: &Arc<Frame>) -> bool {
        let bytes = frame.encoded().len();
        if self.waiting.load(Ordering::Relaxed).saturating_add(bytes) > QUEUE_BYTES {
            return false;
        }
        self.waiting.fetch_add(bytes, Ordering::Relaxed);
        let delivered = Delivered { part: part.clone(), frame: frame.clone(), waiting: self.waiting.clone() };
        // A refused one is dropped, and takes its bytes out again.
        self.queue.try_send(delivered).is_ok()
    }
}

#[derive(Debug, Clone)]
struct Subscriber {
    sink: Sink,
    /// At least once was promised.
    lossless: bool,
}

#[derive(Debug)]
pub(crate) struct Subscriptions {
    /// Wanted on the node's own account, whatever clients want.
    own: BTreeSet<StreamPart>,
    parts: Mutex<BTreeMap<StreamPart, BTreeMap<SessionId, Subscriber>>>,
    interest: watch::Sender<BTreeSet<StreamPart>>,
}

impl Subscriptions {
    pub(crate) fn new(own: BTreeSet<StreamPart>) -> Self {
        let (interest, _) = watch::channel(own.clone());
        Self { own, parts: Mutex::default(), interest }
    }

    /// All wanted stream parts, whenever they change.
    pub(crate) fn interest(&self) -> watch::Receiver<BTreeSet<StreamPart>> {
        self.interest.subscribe()
    }

    pub(crate) fn queue() -> (Sink, mpsc::Receiver<Delivered>) {
        let (queue, delivered) = mpsc::channel(QUEUE_FRAMES);
        (Sink { queue, waiting: Arc::default() }, delivered)
    }

    pub(crate) fn subscribe(&self, session: SessionId, part: StreamPart, sink: Sink, lossless: bool) {
        let mut parts = self.parts();
        parts.entry(part).or_default().insert(session, Subscriber { sink, lossless });
        self.publish_interest(&parts);
    }

    /// The sink of a session that is subscribed to something.
    pub(crate) fn sink(&self, session: SessionId) -> Option<Sink> {
        self.parts().values().find_map(|sessions| sessions.get(&session)).map(|known| known.sink.clone())
    }

    pub(crate) fn unsubscribe(&self, session: SessionId, part: &StreamPart) {
        let mut parts = self.parts();
        if let Some(sessions) = parts.get_mut(part) {
            sessions.remove(&session);
        }
        self.drop_empty(&mut parts);
    }

    /// Forgets a session.
    pub(crate) fn close(&self, session: SessionId) {
        let mut parts = self.parts();
        for sessions in parts.values_mut() {
            sessions.remove(&session);
        }
        self.drop_empty(&mut parts);
    }

    /// Queues a frame for everybody who wants it; returns how many messages found no room.
    pub(crate) fn deliver(&self, part: &StreamPart, frame: &Arc<Frame>) -> u64 {
        let mut parts = self.parts();
        let Some(sessions) = parts.get_mut(part) else { return 0 };
        let (mut dropped, mut closing) = (0_u64, Vec::new());
        for (session, subscriber) in sessions.iter() {
            if !subscriber.sink.push(part, frame) {
                dropped += frame.messages().len() as u64;
                if subscriber.lossless {
                    closing.push(*session);
                }
            }
        }
        // Without its sinks a session sees the end of its queue, and closes.
        for session in closing {
            parts.values_mut().for_each(|sessions| drop(sessions.remove(&session)));
        }
        dropped
    }

    fn drop_empty(&self, parts: &mut BTreeMap<StreamPart, BTreeMap<SessionId, Subscriber>>) {
        parts.retain(|_, sessions| !sessions.is_empty());
        self.publish_interest(parts);
    }

    fn publish_interest(&self, parts: &BTreeMap<StreamPart, BTreeMap<SessionId, Subscriber>>) {
        let wanted: BTreeSet<StreamPart> = self.own.iter().chain(parts.keys()).cloned().collect();
        self.interest.send_if_modified(|known| {
            let changed = *known != wanted;
            if changed {
                *known = wanted;
            }
            changed
        });
    }

    fn parts(&self) -> MutexGuard<'_, BTreeMap<StreamPart, BTreeMap<SessionId, Subscriber>>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
