//! The control protocol: one request, one response, each length-delimited and bounded before it is read.

use super::driver::Command;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::request_response::{self, Codec, InboundFailure, OutboundFailure, ProtocolSupport};
use libp2p::{PeerId, StreamProtocol};
use std::io;
use std::time::Duration;
use tatum_protocol::wire::{CONTROL_PROTOCOL, MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, Request, Response};
use tokio::sync::mpsc;

/// How long a request may take, answer included.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Requests that one peer may have under way.
const CONCURRENT: usize = 16;
/// Memory is taken as bytes arrive, in steps of this size, never on the word of a length prefix.
const STEP: u64 = 64 << 10;

/// Why a control request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error("the network has stopped")]
    Stopped,
    #[error("control request to {peer}: {reason}")]
    Failed { peer: PeerId, reason: OutboundFailure },
}

/// A request of another peer, to be answered through its responder.
#[derive(Debug)]
pub struct ControlRequest {
    pub peer: PeerId,
    pub request: Request,
    pub responder: Responder,
}

/// Answers one request. Dropped without an answer, the other side learns that there will be none.
#[derive(Debug)]
pub struct Responder {
    pub(super) channel: request_response::ResponseChannel<Response>,
    pub(super) commands: mpsc::WeakSender<Command>,
}

impl Responder {
    pub async fn respond(self, response: Response) {
        // Gone means that the network has stopped: nobody is left to answer.
        if let Some(commands) = self.commands.upgrade() {
            let _ = commands.send(Command::Respond { channel: self.channel, response }).await;
        }
    }
}

pub(super) type Behaviour = request_response::Behaviour<ControlCodec>;
pub(super) type Event = request_response::Event<Request, Response>;

pub(super) fn behaviour(serve: bool) -> Behaviour {
    let support = if serve { ProtocolSupport::Full } else { ProtocolSupport::Outbound };
    let config = request_response::Config::default()
        .with_request_timeout(TIMEOUT)
        .with_max_concurrent_streams(CONCURRENT);
    Behaviour::with_codec(ControlCodec, [(StreamProtocol::new(CONTROL_PROTOCOL), support)], config)
}

/// Says at which level a failed answer is worth knowing.
pub(super) fn log_inbound_failure(peer: PeerId, error: &InboundFailure) {
    tracing::debug!(%peer, %error, "a control request was not answered");
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ControlCodec;

impl Codec for ControlCodec {
    type Protocol = StreamProtocol;
    type Request = Request;
    type Response = Response;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Request>
    where
        T: AsyncRead + Unpin + Send,
    {
        Request::decode(&read(io, MAX_REQUEST_BYTES).await?).map_err(invalid)
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Response>
    where
        T: AsyncRead + Unpin + Send,
    {
        Response::decode(&read(io, MAX_RESPONSE_BYTES).await?).map_err(invalid)
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, request: Request) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &request.encode().map_err(invalid)?).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        response: Response,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &response.encode().map_err(invalid)?).await
    }
}

async fn read<T: AsyncRead + Unpin>(io: &mut T, limit: usize) -> io::Result<Vec<u8>> {
    let mut prefix = [0; 4];
    io.read_exact(&mut prefix).await?;
    let length = u64::from(u32::from_be_bytes(prefix));
    if length > limit as u64 {
        return Err(invalid(format!("message of {length} bytes; at most {limit} are allowed")));
    }
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < length {
        let wanted = STEP.min(length - bytes.len() as u64);
        if io.take(wanted).read_to_end(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(bytes)
}

async fn write<T: AsyncWrite + Unpin>(io: &mut T, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(invalid)?;
    io.write_all(&length.to_be_bytes()).await?;
    io.write_all(bytes).await?;
    io.close().await
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::io::Cursor;

    #[tokio::test]
    async fn messages_round_trip() {
        let mut wire = Cursor::new(Vec::new());
        let request = Request::Bundle { epoch: 7 };
        let protocol = StreamProtocol::new(CONTROL_PROTOCOL);
        ControlCodec.write_request(&protocol, &mut wire, request.clone()).await.unwrap();
        wire.set_position(0);
        assert_eq!(ControlCodec.read_request(&protocol, &mut wire).await.unwrap(), request);
    }

    #[tokio::test]
    async fn a_length_beyond_the_bound_is_refused_before_it_is_read() {
        let mut wire = Cursor::new(u32::MAX.to_be_bytes().to_vec());
        let error = read(&mut wire, MAX_RESPONSE_BYTES).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let mut cut = Cursor::new([&5_u32.to_be_bytes()[..], b"abc"].concat());
        assert_eq!(read(&mut cut, 16).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
