//! The MQTT gateway: 3.1.1, and what of 5 needs nothing more. Topic = stream id, `?partition=N`.
//!
//! - A user name and password are required, always.
//! - PUBLISH with QoS 0 or 1. **PUBACK is sent when the message's frame was accepted here and is in the queue of the link to at least one other
//!   assigned broker**; where this broker is the only one assigned or connected, when it was accepted here. A publication that is refused
//!   closes a 3.1.1 connection, which has no other way to be told; under 5 it gets its reason code.
//! - SUBSCRIBE grants QoS 0 or 1, and answers 0x80 where there is no permission, or the topic is none.
//! - Retained messages, wills, persistent sessions and QoS 2 are left out: there is history for the first, and frames are never duplicated.

mod reply;
mod session;

use super::{Router, Subscriptions};
use crate::gateway::credentials::Authenticator;
use crate::metrics::Metrics;
use session::Session;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections of all clients, and of one address.
const CONNECTIONS: usize = 4096;
const CONNECTIONS_PER_ADDRESS: usize = 1024;

/// What all sessions share.
#[derive(Debug, Clone)]
pub(crate) struct Gateway {
    pub(crate) router: Router,
    pub(crate) subscriptions: Arc<Subscriptions>,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Gateway {
    /// Serves clients until the node stops.
    pub(crate) async fn run(self, listener: TcpListener, shutdown: CancellationToken) {
        let sessions = TaskTracker::new();
        let places = Places::default();
        let mut next_id = 0;
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            let (socket, from) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, most likely: wait for some to come back.
                    tracing::warn!(%error, "cannot accept an MQTT connection");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    continue;
                }
            };
            let Some(place) = places.take(from) else {
                self.metrics.mqtt_refused.add(1);
                tracing::debug!(%from, "MQTT connection refused: too many are open");
                continue;
            };
            next_id += 1;
            let session = Session::new(self.clone(), next_id, from);
            let stop = shutdown.clone();
            sessions.spawn(async move {
                session.run(socket, stop).await;
                drop(place);
            });
        }
        sessions.close();
        sessions.wait().await;
    }
}

/// How many connections are open, in all and by address.
#[derive(Debug, Clone, Default)]
struct Places(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One open connection; gives its place back when it is dropped.
struct Place {
    places: Places,
    address: IpAddr,
}

impl Places {
    fn take(&self, from: SocketAddr) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let count = open.entry(from.ip()).or_default();
        if all >= CONNECTIONS || *count >= CONNECTIONS_PER_ADDRESS {
            return None;
        }
        *count += 1;
        Some(Place { places: self.clone(), address: from.ip() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}
