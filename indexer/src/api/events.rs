//! `GET /events`: server-sent events, one `epoch` event per change of an epoch's status.
//!
//! Settlement is another process that writes to the same tables, so changes are found by looking, once a second.

use super::types::EpochChange;
use super::{ApiError, ApiState};
use crate::db::convert;
use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures::Stream;
use sqlx::PgPool;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast};
use tokio_util::sync::CancellationToken;

const LOOK: Duration = Duration::from_secs(1);
/// Epochs below the newest that are watched: settlement takes a few to finish one.
const WATCHED: i64 = 64;
const MAX_LISTENERS: usize = 64;
const BACKLOG: usize = 256;

/// Changes of epochs, for everyone who listens.
#[derive(Debug, Clone)]
pub struct Changes {
    sender: broadcast::Sender<EpochChange>,
    listeners: Arc<Semaphore>,
    /// Ends the streams, which otherwise would keep a stopping server alive.
    shutdown: CancellationToken,
}

impl Changes {
    pub fn new(shutdown: CancellationToken) -> Self {
        let (sender, _) = broadcast::channel(BACKLOG);
        Self { sender, listeners: Arc::new(Semaphore::new(MAX_LISTENERS)), shutdown }
    }

    /// Looks for changes until told to stop.
    pub async fn watch(self, pool: PgPool) {
        let mut seen = BTreeMap::new();
        while self.shutdown.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
            match statuses(&pool).await {
                Ok(now) => {
                    let first_look = seen.is_empty();
                    for (epoch, status) in &now {
                        if !first_look && seen.get(epoch) != Some(status) {
                            // No listener is no error.
                            let _ = self.sender.send(EpochChange { epoch: *epoch, status: status.clone() });
                        }
                    }
                    seen = now;
                }
                Err(error) => tracing::debug!(%error, "epoch changes are not seen for now"),
            }
        }
    }
}

async fn statuses(pool: &PgPool) -> Result<BTreeMap<u64, String>, crate::db::DbError> {
    let rows: Vec<(i64, String)> =
        sqlx::query_as("SELECT epoch, status FROM epochs ORDER BY epoch DESC LIMIT $1")
            .bind(WATCHED)
            .fetch_all(pool)
            .await?;
    rows.into_iter().map(|(epoch, status)| Ok((convert::uint("epoch", epoch)?, status))).collect()
}

pub(super) async fn events(
    State(state): State<ApiState>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let Changes { sender, listeners, shutdown } = state.changes;
    let place = listeners
        .try_acquire_owned()
        .map_err(|_| ApiError::Busy("too many listeners; poll /epochs instead or try again later"))?;
    let receiver = sender.subscribe();
    let stream =
        futures::stream::unfold((receiver, shutdown, place), async |(mut receiver, shutdown, place)| {
            let change = shutdown.run_until_cancelled(receiver.recv()).await?;
            let event = match change {
                Ok(change) => Event::default().event("epoch").json_data(&change).unwrap_or_default(),
                // Fell behind: the listener should load everything again.
                Err(broadcast::error::RecvError::Lagged(_)) => Event::default().event("reload").data(""),
                Err(broadcast::error::RecvError::Closed) => return None,
            };
            Some((Ok(event), (receiver, shutdown, place)))
        });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}
