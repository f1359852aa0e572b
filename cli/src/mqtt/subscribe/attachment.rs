//! One subscription that is moved from broker to broker as they fail.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use rumqttc::{Event, Packet, QoS, SubscribeReasonCode};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::mqtt::backoff::Backoff;
use crate::mqtt::session::{Session, is_refused_login};
use crate::mqtt::{BrokerAddress, Login};

/// What attachments tell the receiver.
#[derive(Debug)]
pub(super) enum Received {
    Up {
        attachment: usize,
        broker: BrokerAddress,
    },
    Down {
        attachment: usize,
        broker: BrokerAddress,
        reason: String,
    },
    /// Trying again would not help.
    Refused {
        broker: BrokerAddress,
        reason: String,
    },
    Message {
        attachment: usize,
        payload: Vec<u8>,
    },
}

#[derive(Debug)]
pub(super) struct Attachment {
    pub(super) index: usize,
    pub(super) brokers: Vec<BrokerAddress>,
    pub(super) topic: String,
    pub(super) login: Login,
    /// Indices of brokers that an attachment uses now: two never share one.
    pub(super) in_use: Arc<Mutex<HashSet<usize>>>,
    pub(super) output: mpsc::Sender<Received>,
}

impl Attachment {
    pub(super) async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.follow() => {}
        }
    }

    async fn follow(&self) {
        let mut backoff = Backoff::default();
        let mut next = self.index;
        loop {
            let chosen = self.choose(next);
            let broker = self.brokers[chosen].clone();
            let reason = self.serve(&broker, &mut backoff).await;
            self.in_use.lock().unwrap_or_else(PoisonError::into_inner).remove(&chosen);
            let Some(reason) = reason else { return };
            let down = Received::Down { attachment: self.index, broker, reason };
            if self.output.send(down).await.is_err() {
                return;
            }
            next = chosen + 1;
            backoff.wait().await;
        }
    }

    /// The first broker from `from` on that no other attachment uses. There are at least as many as attachments.
    fn choose(&self, from: usize) -> usize {
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        let count = self.brokers.len();
        let chosen = (from..from + count)
            .map(|index| index % count)
            .find(|index| !in_use.contains(index))
            .unwrap_or(0);
        in_use.insert(chosen);
        chosen
    }

    /// Returns why the connection ended, or `None` if nobody listens any more or it is pointless to go on.
    async fn serve(&self, broker: &BrokerAddress, backoff: &mut Backoff) -> Option<String> {
        let mut session = Session::open(broker, &self.login);
        loop {
            let event = match session.events.recv().await {
                Some(Ok(event)) => event,
                Some(Err(error)) if is_refused_login(&error) => {
                    let reason = format!(
                        "the login of `{}` was refused: check --user and the password",
                        self.login.user
                    );
                    let _ = self.output.send(Received::Refused { broker: broker.clone(), reason }).await;
                    return None;
                }
                Some(Err(error)) => return Some(error.to_string()),
                None => return Some("the connection ended".to_owned()),
            };
            let received = match event {
                Event::Incoming(Packet::ConnAck(_)) => {
                    if let Err(error) = session.client.try_subscribe(&self.topic, QoS::AtLeastOnce) {
                        return Some(error.to_string());
                    }
                    continue;
                }
                Event::Incoming(Packet::SubAck(ack)) => {
                    if ack.return_codes.contains(&SubscribeReasonCode::Failure) {
                        return Some(format!("the broker refused the subscription to {}", self.topic));
                    }
                    backoff.reset();
                    Received::Up { attachment: self.index, broker: broker.clone() }
                }
                Event::Incoming(Packet::Publish(publish)) => {
                    Received::Message { attachment: self.index, payload: publish.payload.to_vec() }
                }
                _ => continue,
            };
            self.output.send(received).await.ok()?;
        }
    }
}
