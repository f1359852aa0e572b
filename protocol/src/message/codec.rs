//! The canonical bytes of a frame.

use super::{
    Chain, ContentType, Encryption, Frame, MAX_FRAME_BYTES, MAX_MESSAGES, MAX_PAYLOAD_BYTES, Message,
};
use crate::secp::{SIGNATURE_BYTES, Signature, SignatureError};
use alloy_primitives::{Address, B256, keccak256};

/// Bytes before the body.
pub const HEADER_BYTES: usize = 32 + 20 + 8 + 8 + 4 + SIGNATURE_BYTES + 4;

/// Why bytes or messages are not a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("frame ends {missing} bytes early")]
    Truncated { missing: usize },
    #[error("{0} bytes follow the end of the frame")]
    Trailing(usize),
    #[error("frame of {found} bytes; at most {MAX_FRAME_BYTES} are allowed")]
    TooLarge { found: usize },
    #[error("frame of {found} messages; 1 to {MAX_MESSAGES} are allowed")]
    Count { found: usize },
    #[error("payload of {found} bytes; at most {MAX_PAYLOAD_BYTES} are allowed")]
    PayloadTooLarge { found: usize },
    #[error("unknown content type {0}")]
    ContentType(u8),
    #[error("unknown encryption {0}")]
    Encryption(u8),
    #[error("timestamp {next} follows the later {previous} in one frame")]
    TimestampOrder { previous: u64, next: u64 },
    #[error("sequence {first_sequence} + {count} messages does not fit in 64 bits")]
    SequenceOverflow { first_sequence: u64, count: usize },
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

pub(super) fn count(messages: &[Message]) -> Result<u32, FrameError> {
    let found = messages.len();
    u32::try_from(found)
        .ok()
        .filter(|_| (1..=MAX_MESSAGES).contains(&found))
        .ok_or(FrameError::Count { found })
}

/// Checks the rules that hold between messages and encodes them.
pub(super) fn encode_body(first_sequence: u64, messages: &[Message]) -> Result<Vec<u8>, FrameError> {
    check(first_sequence, messages)?;
    let mut body = Vec::new();
    for message in messages {
        let found = message.payload.len();
        let length = u32::try_from(found)
            .ok()
            .filter(|_| found <= MAX_PAYLOAD_BYTES)
            .ok_or(FrameError::PayloadTooLarge { found })?;
        body.extend(message.timestamp_ms.to_be_bytes());
        body.push(match message.content_type {
            ContentType::Binary => 0,
            ContentType::Json => 1,
            ContentType::Text => 2,
        });
        match &message.encryption {
            Encryption::None => body.push(0),
            Encryption::Aes256Gcm { key_id, nonce } => {
                body.push(1);
                body.extend(key_id);
                body.extend(nonce);
            }
        }
        body.extend(length.to_be_bytes());
        body.extend(&message.payload);
    }
    Ok(body)
}

fn check(first_sequence: u64, messages: &[Message]) -> Result<(), FrameError> {
    let count = u64::from(count(messages)?);
    if first_sequence.checked_add(count).is_none() {
        return Err(FrameError::SequenceOverflow { first_sequence, count: messages.len() });
    }
    for (previous, next) in messages.iter().zip(messages.iter().skip(1)) {
        if next.timestamp_ms < previous.timestamp_ms {
            return Err(FrameError::TimestampOrder {
                previous: previous.timestamp_ms,
                next: next.timestamp_ms,
            });
        }
    }
    Ok(())
}

pub(super) fn encode(
    chain: &Chain,
    first_sequence: u64,
    messages: &[Message],
    signature: &Signature,
    body: &[u8],
) -> Result<Vec<u8>, FrameError> {
    let found = HEADER_BYTES.saturating_add(body.len());
    let length = u32::try_from(body.len())
        .ok()
        .filter(|_| found <= MAX_FRAME_BYTES)
        .ok_or(FrameError::TooLarge { found })?;
    let mut bytes = Vec::with_capacity(found);
    bytes.extend(chain.part);
    bytes.extend(chain.publisher);
    bytes.extend(chain.chain.to_be_bytes());
    bytes.extend(first_sequence.to_be_bytes());
    bytes.extend(count(messages)?.to_be_bytes());
    bytes.extend(signature.as_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend(body);
    Ok(bytes)
}

pub(super) fn decode(bytes: &[u8]) -> Result<Frame, FrameError> {
    if bytes.len() > MAX_FRAME_BYTES {
        return Err(FrameError::TooLarge { found: bytes.len() });
    }
    let mut header = Reader(bytes);
    let chain = Chain {
        part: B256::new(header.array()?),
        publisher: Address::new(header.array()?),
        chain: header.u64()?,
    };
    let first_sequence = header.u64()?;
    let count = usize::try_from(header.u32()?).unwrap_or(usize::MAX);
    if !(1..=MAX_MESSAGES).contains(&count) {
        return Err(FrameError::Count { found: count });
    }
    let signature = Signature::from_bytes(header.take(SIGNATURE_BYTES)?)?;
    let body_bytes = header.u32()?;
    let body = header.take(usize::try_from(body_bytes).unwrap_or(usize::MAX))?;
    header.finish()?;

    let mut reader = Reader(body);
    let messages = (0..count).map(|_| reader.message()).collect::<Result<Vec<_>, _>>()?;
    reader.finish()?;
    check(first_sequence, &messages)?;
    Ok(Frame {
        chain,
        first_sequence,
        messages,
        content_hash: keccak256(body),
        signature,
        encoded: bytes.to_vec(),
    })
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], FrameError> {
        let (taken, rest) = self
            .0
            .split_at_checked(n)
            .ok_or(FrameError::Truncated { missing: n.saturating_sub(self.0.len()) })?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        self.take(N)?.try_into().map_err(|_| FrameError::Truncated { missing: N })
    }

    fn u64(&mut self) -> Result<u64, FrameError> {
        self.array().map(u64::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, FrameError> {
        self.array().map(u32::from_be_bytes)
    }

    fn u8(&mut self) -> Result<u8, FrameError> {
        self.array().map(|[byte]| byte)
    }

    fn message(&mut self) -> Result<Message, FrameError> {
        let timestamp_ms = self.u64()?;
        let content_type = match self.u8()? {
            0 => ContentType::Binary,
            1 => ContentType::Json,
            2 => ContentType::Text,
            other => return Err(FrameError::ContentType(other)),
        };
        let encryption = match self.u8()? {
            0 => Encryption::None,
            1 => Encryption::Aes256Gcm { key_id: self.array()?, nonce: self.array()? },
            other => return Err(FrameError::Encryption(other)),
        };
        let length = usize::try_from(self.u32()?).unwrap_or(usize::MAX);
        if length > MAX_PAYLOAD_BYTES {
            return Err(FrameError::PayloadTooLarge { found: length });
        }
        Ok(Message { timestamp_ms, content_type, encryption, payload: self.take(length)?.to_vec() })
    }

    fn finish(self) -> Result<(), FrameError> {
        if self.0.is_empty() { Ok(()) } else { Err(FrameError::Trailing(self.0.len())) }
    }
}
