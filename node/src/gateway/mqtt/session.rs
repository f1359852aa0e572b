//! One client's connection.

use super::Gateway;
use super::reply::{self, Reply, SubscribeError};
use crate::clock::now_ms;
use crate::core::Refusal;
use crate::gateway::Delivered;
use crate::gateway::subscriptions::{SessionId, Sink, Subscriptions};
use crate::gateway::topic;
use futures::StreamExt;
use futures::stream::FuturesOrdered;
use mqtt_protocol_core::mqtt::common::Cursor;
use mqtt_protocol_core::mqtt::connection::{ConnectionOptions, Event, TimerKind};
use mqtt_protocol_core::mqtt::packet::{GenericPacketTrait, Packet, Qos, SubEntry};
use mqtt_protocol_core::mqtt::result_code::MqttError;
use mqtt_protocol_core::mqtt::{Connection, Version, role};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use tatum_protocol::id::StreamPart;
use tatum_protocol::message::{ContentType, Encryption, MAX_PAYLOAD_BYTES, Message};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Bounds of a connection.
const MAX_PACKET_BYTES: u32 = (1 << 20) + 1024;
const _: () = assert!(MAX_PACKET_BYTES as usize == MAX_PAYLOAD_BYTES + 1024);
const MAX_SUBSCRIPTIONS: usize = 256;
/// Publications whose outcome is open; the client is not read while there are more.
const PUBLISHING: usize = 256;
/// Messages sent at least once that the client has not acknowledged.
const IN_FLIGHT: usize = 512;
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// A client that takes nothing for this long is gone.
const WRITE_WITHIN: Duration = Duration::from_secs(30);
const READ_BUFFER: usize = 16 << 10;

/// Why a connection ends, other than by the client.
#[derive(Debug, thiserror::Error)]
enum Close {
    #[error("the client disconnected")]
    Client,
    #[error("the node is stopping")]
    Shutdown,
    #[error("no CONNECT within {} s", CONNECT_WITHIN.as_secs())]
    NoConnect,
    #[error("nothing heard within one and a half times the keep-alive")]
    KeepAlive,
    #[error("the client is too slow for a subscription with QoS 1")]
    Slow,
    #[error("not authorised: {0}")]
    Auth(#[from] crate::gateway::credentials::AuthError),
    #[error("publication refused: {0}")]
    Publish(Refusal),
    #[error("publication to {topic:?} refused: {reason}")]
    Topic { topic: String, reason: String },
    #[error("QoS 2 is not supported")]
    Qos2,
    #[error("protocol: {0:?}")]
    Protocol(MqttError),
    #[error("unexpected packet")]
    Unexpected,
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl From<MqttError> for Close {
    fn from(error: MqttError) -> Self {
        Self::Protocol(error)
    }
}

/// Outcome of a publication with what is to be acknowledged.
type Outcome = (Option<u16>, Result<(), Refusal>);
type Publishing = FuturesOrdered<futures::future::BoxFuture<'static, Outcome>>;

struct Granted {
    /// As the client wrote it.
    topic: String,
    qos: Qos,
}

pub(super) struct Session {
    gateway: Gateway,
    id: SessionId,
    from: SocketAddr,
    mqtt: Connection<role::Server>,
    connected: bool,
    granted: BTreeMap<StreamPart, Granted>,
    sink: Option<Sink>,
    queue: mpsc::Receiver<Delivered>,
    publishing: Publishing,
    in_flight: usize,
    connect_by: Instant,
    /// Set by the library where the client asked for a keep-alive.
    heard_by: Option<Instant>,
    out: Vec<u8>,
}

impl Session {
    pub(super) fn new(gateway: Gateway, id: SessionId, from: SocketAddr) -> Self {
        let options = ConnectionOptions::new().maximum_packet_size_recv(MAX_PACKET_BYTES);
        let mut mqtt = Connection::with_options(Version::Undetermined, options);
        mqtt.set_auto_ping_response(true);
        let (sink, queue) = Subscriptions::queue();
        Self {
            gateway,
            id,
            from,
            mqtt,
            connected: false,
            granted: BTreeMap::new(),
            sink: Some(sink),
            queue,
            publishing: FuturesOrdered::new(),
            in_flight: 0,
            connect_by: Instant::now() + CONNECT_WITHIN,
            heard_by: None,
            out: Vec::new(),
        }
    }

    pub(super) async fn run(mut self, mut socket: TcpStream, stop: CancellationToken) {
        // Losing this would cost latency, nothing else.
        let _ = socket.set_nodelay(true);
        let close = match self.serve(&mut socket, stop).await {
            Ok(never) => match never {},
            Err(close) => close,
        };
        self.gateway.subscriptions.close(self.id);
        // What explains the end, a CONNACK for example, is still sent.
        let _ = self.write(&mut socket).await;
        let _ = socket.shutdown().await;
        match close {
            Close::Client | Close::Shutdown | Close::Io(_) => {
                tracing::debug!(from = %self.from, reason = %close, "MQTT connection ended");
            }
            _ => {
                self.gateway.metrics.mqtt_refused.add(1);
                tracing::info!(from = %self.from, reason = %close, "MQTT connection closed");
            }
        }
    }

    async fn serve(
        &mut self,
        socket: &mut TcpStream,
        stop: CancellationToken,
    ) -> Result<std::convert::Infallible, Close> {
        let mut buffer = vec![0; READ_BUFFER];
        loop {
            self.write(socket).await?;
            let deadline = if self.connected { self.heard_by } else { Some(self.connect_by) };
            let timeout = async move {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return Err(Close::Shutdown),
                () = timeout => return Err(if self.connected { Close::KeepAlive } else { Close::NoConnect }),
                Some((id, outcome)) = self.publishing.next() => self.published(id, outcome)?,
                delivered = self.queue.recv(), if self.in_flight < IN_FLIGHT => match delivered {
                    Some(delivered) => self.deliver(&delivered)?,
                    None => return Err(Close::Slow),
                },
                read = socket.read(&mut buffer), if self.publishing.len() < PUBLISHING => match read? {
                    0 => return Err(Close::Client),
                    count => self.received(&buffer[..count]).await?,
                },
            }
        }
    }

    async fn write(&mut self, socket: &mut TcpStream) -> Result<(), Close> {
        if !self.out.is_empty() {
            let written = tokio::time::timeout(WRITE_WITHIN, socket.write_all(&self.out)).await;
            self.out.clear();
            written.map_err(|_| Close::Slow)??;
        }
        Ok(())
    }

    async fn received(&mut self, bytes: &[u8]) -> Result<(), Close> {
        let mut cursor = Cursor::new(bytes);
        while usize::try_from(cursor.position()).is_ok_and(|at| at < bytes.len()) {
            for event in self.mqtt.recv(&mut cursor) {
                self.on_event(event).await?;
            }
        }
        Ok(())
    }

    async fn on_event(&mut self, event: Event) -> Result<(), Close> {
        match event {
            Event::NotifyPacketReceived(packet) => self.on_packet(packet).await,
            event => self.carry_out(event),
        }
    }

    /// What the protocol library asks for that is not a packet for us.
    fn carry_out(&mut self, event: Event) -> Result<(), Close> {
        match event {
            Event::RequestSendPacket { packet, .. } => self.out.extend(packet.to_continuous_buffer()),
            Event::RequestTimerReset { kind: TimerKind::PingreqRecv, duration_ms } => {
                self.heard_by = Some(Instant::now() + Duration::from_millis(duration_ms));
            }
            Event::RequestTimerCancel(TimerKind::PingreqRecv) => self.heard_by = None,
            Event::NotifyPacketIdReleased(_) => self.in_flight = self.in_flight.saturating_sub(1),
            Event::NotifyError(error) => return Err(Close::Protocol(error)),
            Event::RequestClose => return Err(Close::Client),
            _ => {}
        }
        Ok(())
    }

    fn send(&mut self, packet: Reply) -> Result<(), Close> {
        self.mqtt.send(packet?).into_iter().try_for_each(|event| self.carry_out(event))
    }

    async fn on_packet(&mut self, packet: Packet) -> Result<(), Close> {
        match packet {
            Packet::V3_1_1Connect(connect) => self.connect(connect.user_name(), connect.password()).await,
            Packet::V5_0Connect(connect) => self.connect(connect.user_name(), connect.password()).await,
            _ if !self.connected => Err(Close::Unexpected),
            Packet::V3_1_1Publish(publish) => {
                let (topic, payload) = (publish.topic_name(), publish.payload().as_slice());
                self.publish(topic, payload, publish.qos(), publish.packet_id()).await
            }
            Packet::V5_0Publish(publish) => {
                let (topic, payload) = (publish.topic_name(), publish.payload().as_slice());
                self.publish(topic, payload, publish.qos(), publish.packet_id()).await
            }
            Packet::V3_1_1Subscribe(subscribe) => self.subscribe(subscribe.packet_id(), subscribe.entries()),
            Packet::V5_0Subscribe(subscribe) => self.subscribe(subscribe.packet_id(), subscribe.entries()),
            Packet::V3_1_1Unsubscribe(packet) => {
                let topics: Vec<&str> = packet.entries().iter().map(|entry| entry.as_str()).collect();
                self.unsubscribe(packet.packet_id(), &topics)
            }
            Packet::V5_0Unsubscribe(packet) => {
                let topics: Vec<&str> = packet.entries().iter().map(|entry| entry.as_str()).collect();
                self.unsubscribe(packet.packet_id(), &topics)
            }
            Packet::V3_1_1Disconnect(_) | Packet::V5_0Disconnect(_) => Err(Close::Client),
            // Acknowledgements and pings are the library's.
            _ => Ok(()),
        }
    }

    fn version(&self) -> Version {
        self.mqtt.get_protocol_version()
    }

    async fn connect(&mut self, name: Option<&str>, password: Option<&[u8]>) -> Result<(), Close> {
        let outcome = self.gateway.authenticator.check(self.from.ip(), name, password).await;
        let reply = reply::connack(self.version(), outcome);
        if outcome.is_err() {
            // Closing is what the library asks for after a refusal; the reason is ours.
            let _ = self.send(reply);
            return Ok(outcome?);
        }
        self.connected = true;
        self.gateway.metrics.mqtt_connections.add(1);
        self.send(reply)
    }

    async fn publish(&mut self, topic: &str, payload: &[u8], qos: Qos, id: Option<u16>) -> Result<(), Close> {
        if qos == Qos::ExactlyOnce {
            return Err(Close::Qos2);
        }
        let part = topic::parse(topic)
            .map_err(|error| Close::Topic { topic: topic.to_owned(), reason: error.to_string() })?;
        let message = Message {
            timestamp_ms: 0,
            content_type: ContentType::Binary,
            encryption: Encryption::None,
            payload: payload.to_vec(),
        };
        let outcome: oneshot::Receiver<Result<(), Refusal>> =
            self.gateway.router.publish(part, message).await;
        // A node that stops takes no more.
        let outcome = async move { (id, outcome.await.unwrap_or(Err(Refusal::Busy))) };
        self.publishing.push_back(Box::pin(outcome));
        Ok(())
    }

    fn published(&mut self, id: Option<u16>, outcome: Result<(), Refusal>) -> Result<(), Close> {
        if outcome.is_ok() {
            self.gateway.metrics.mqtt_published.add(1);
        }
        let refused = || outcome.map_err(Close::Publish);
        let Some(id) = id else {
            // Nothing can be said about a message that expects no answer, except by closing; version 5 need not.
            return if self.version() == Version::V5_0 { Ok(()) } else { refused() };
        };
        match reply::puback(self.version(), id, outcome) {
            Some(reply) => self.send(reply),
            None => refused(),
        }
    }

    fn subscribe(&mut self, id: u16, entries: &[SubEntry]) -> Result<(), Close> {
        let outcomes: Vec<_> =
            entries.iter().map(|entry| self.grant(entry.topic_filter(), entry.sub_opts().qos())).collect();
        for (entry, error) in entries.iter().zip(&outcomes).filter_map(|(e, o)| Some((e, o.as_ref().err()?)))
        {
            tracing::info!(from = %self.from, topic = entry.topic_filter(), reason = %error, "subscription refused");
        }
        self.send(reply::suback(self.version(), id, &outcomes))
    }

    fn grant(&mut self, topic: &str, asked: Qos) -> Result<Qos, SubscribeError> {
        let part = topic::parse(topic)?;
        if !self.gateway.router.may_subscribe(&part, now_ms() / 1000) {
            return Err(SubscribeError::Permission);
        }
        if self.granted.len() >= MAX_SUBSCRIPTIONS && !self.granted.contains_key(&part) {
            return Err(SubscribeError::TooMany);
        }
        let qos = if asked == Qos::AtMostOnce { asked } else { Qos::AtLeastOnce };
        // From the first subscription on only the registry holds the sink: when it lets go, the queue ends.
        let sink = match self.sink.take() {
            Some(sink) => sink,
            None => self.gateway.subscriptions.sink(self.id).ok_or(SubscribeError::TooMany)?,
        };
        self.gateway.subscriptions.subscribe(self.id, part.clone(), sink, qos == Qos::AtLeastOnce);
        self.granted.insert(part, Granted { topic: topic.to_owned(), qos });
        Ok(qos)
    }

    fn unsubscribe(&mut self, id: u16, topics: &[&str]) -> Result<(), Close> {
        for part in topics.iter().filter_map(|topic| topic::parse(topic).ok()) {
            if self.sink.is_none() {
                // Kept here while nothing is subscribed, so that the queue does not end.
                self.sink = self.gateway.subscriptions.sink(self.id);
            }
            self.granted.remove(&part);
            self.gateway.subscriptions.unsubscribe(self.id, &part);
            if !self.granted.is_empty() {
                self.sink = None;
            }
        }
        self.send(reply::unsuback(self.version(), id, topics.len()))
    }

    fn deliver(&mut self, delivered: &Delivered) -> Result<(), Close> {
        let Some(Granted { topic, qos }) = self.granted.get(&delivered.part) else { return Ok(()) };
        let (topic, qos) = (topic.clone(), *qos);
        for message in delivered.frame.messages() {
            let id = match qos {
                Qos::AtMostOnce => None,
                _ => Some(self.mqtt.acquire_packet_id().map_err(|_| Close::Slow)?),
            };
            self.in_flight += usize::from(id.is_some());
            self.send(reply::publish(self.version(), &topic, &message.payload, id))?;
            self.gateway.metrics.mqtt_delivered.add(1);
        }
        Ok(())
    }
}
