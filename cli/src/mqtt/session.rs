//! One connection to one broker, polled by a task of its own.
//!
//! The client library's event loop must be polled all the time and must not be cancelled halfway, so it gets a
//! task; events reach the owner through a bounded channel that ends with the first error.

use std::time::Duration;

use rumqttc::{AsyncClient, ConnectReturnCode, ConnectionError, Event, MqttOptions};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::{BrokerAddress, Login};

/// A dead connection is noticed within twice this.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT_SECONDS: u64 = 5;
/// Above the largest message (1 MiB) with its topic.
const MAX_PACKET: usize = 2 * 1024 * 1024;
/// Requests handed to the event loop at most; also the publisher's window.
pub(super) const REQUESTS: u16 = 64;
const EVENTS: usize = 256;

/// An attempt to connect, then a connection. Dropping it closes it.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: AsyncClient,
    pub(super) events: mpsc::Receiver<Result<Event, ConnectionError>>,
    task: AbortHandle,
}

impl Session {
    pub(super) fn open(broker: &BrokerAddress, login: &Login) -> Self {
        let id = format!("tatum-{:016x}", rand::random::<u64>());
        let mut options = MqttOptions::new(id, &broker.host, broker.port);
        options
            .set_keep_alive(KEEP_ALIVE)
            .set_credentials(&login.user, &login.password)
            .set_max_packet_size(MAX_PACKET, MAX_PACKET)
            .set_inflight(REQUESTS)
            .set_clean_session(true);
        let (client, mut event_loop) = AsyncClient::new(options, usize::from(REQUESTS) * 2);
        event_loop.network_options.set_connection_timeout(CONNECT_TIMEOUT_SECONDS);
        event_loop.network_options.set_tcp_nodelay(true);
        let (sender, events) = mpsc::channel(EVENTS);
        let task = tokio::spawn(async move {
            loop {
                let event = event_loop.poll().await;
                let last = event.is_err();
                if sender.send(event).await.is_err() || last {
                    break;
                }
            }
        });
        Self { client, events, task: task.abort_handle() }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whether the broker refused the login: trying again would not help.
pub(super) fn is_refused_login(error: &ConnectionError) -> bool {
    matches!(
        error,
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized
        )
    )
}
