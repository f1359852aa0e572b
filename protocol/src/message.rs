//! Messages and frames. A frame is the unit of signing, relaying and storing: 1 to 256 consecutive messages of one
//! chain under one publisher signature; it travels intact.
//!
//! The wire form is canonical: one frame has exactly one encoding, and every field is covered by the signature. The layout is
//! in `docs/protocol.md`, Streams and frames. Permission, clock and rate checks belong to the node, not here.

mod codec;

use crate::eip712::{Domain, types};
use crate::epoch::EpochClock;
use crate::id::PartKey;
use crate::secp::{Signature, SignatureError, Signer};
use alloy_primitives::{Address, B256, keccak256};
use serde::{Deserialize, Serialize};

pub use codec::{FrameError, HEADER_BYTES};

/// Most messages in a frame.
pub const MAX_MESSAGES: usize = 256;
/// Largest payload of a message, in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 1 << 20;
/// Largest encoded frame: one message of the largest size with room for its headers.
pub const MAX_FRAME_BYTES: usize = MAX_PAYLOAD_BYTES + (64 << 10);

/// How a payload is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ContentType {
    Binary,
    Json,
    Text,
}

/// How a payload is encrypted. The header itself is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Encryption {
    None,
    Aes256Gcm { key_id: [u8; 16], nonce: [u8; 12] },
}

/// One message as a publisher made it. Its id is (stream part, publisher, chain, sequence), given by its frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Unix milliseconds by the publisher's clock.
    pub timestamp_ms: u64,
    pub content_type: ContentType,
    pub encryption: Encryption,
    pub payload: Vec<u8>,
}

/// A publisher session on a stream part. Sequences are gapless from 0 within it; a restarted device draws a new chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Chain {
    pub part: PartKey,
    pub publisher: Address,
    pub chain: u64,
}

/// A signed frame, well-formed by construction: its signature is [checked](Frame::verify) separately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    chain: Chain,
    first_sequence: u64,
    messages: Vec<Message>,
    content_hash: B256,
    signature: Signature,
    encoded: Vec<u8>,
}

impl Frame {
    /// Signs messages as the next frame of a chain.
    pub fn sign(
        domain: &Domain,
        signer: &Signer,
        part: PartKey,
        chain: u64,
        first_sequence: u64,
        messages: Vec<Message>,
    ) -> Result<Self, FrameError> {
        let chain = Chain { part, publisher: signer.address(), chain };
        let body = codec::encode_body(first_sequence, &messages)?;
        let content_hash = keccak256(&body);
        let digest = digest(domain, &chain, first_sequence, codec::count(&messages)?, content_hash);
        let signature = signer.sign(&digest);
        let encoded = codec::encode(&chain, first_sequence, &messages, &signature, &body)?;
        Ok(Self { chain, first_sequence, messages, content_hash, signature, encoded })
    }

    /// Reads a frame from exactly these bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        codec::decode(bytes)
    }

    /// The canonical encoding; its length is what volumes count.
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    pub fn chain(&self) -> Chain {
        self.chain
    }

    pub fn first_sequence(&self) -> u64 {
        self.first_sequence
    }

    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Timestamp of the first message; it decides the epoch.
    pub fn timestamp_ms(&self) -> u64 {
        self.messages.first().map_or(0, |message| message.timestamp_ms)
    }

    /// The EIP-712 digest that the publisher signed: the frame's name in the set digest and in offers.
    pub fn hash(&self, domain: &Domain) -> B256 {
        let count = codec::count(&self.messages).unwrap_or_default();
        digest(domain, &self.chain, self.first_sequence, count, self.content_hash)
    }

    /// Checks the publisher's signature and returns the frame hash.
    pub fn verify(&self, domain: &Domain) -> Result<B256, SignatureError> {
        let hash = self.hash(domain);
        self.signature.verify(&hash, self.chain.publisher)?;
        Ok(hash)
    }

    /// The one epoch of all messages, or `None` before genesis or if they straddle a boundary (such a frame is invalid).
    pub fn epoch(&self, clock: &EpochClock) -> Option<u64> {
        let first = clock.epoch_at_ms(self.timestamp_ms())?;
        let last = clock.epoch_at_ms(self.messages.last()?.timestamp_ms)?;
        (first == last).then_some(first)
    }
}

fn digest(domain: &Domain, chain: &Chain, first_sequence: u64, count: u32, content_hash: B256) -> B256 {
    domain.digest(&types::Frame {
        streamPart: chain.part,
        publisher: chain.publisher,
        chain: chain.chain,
        firstSequence: first_sequence,
        count,
        contentHash: content_hash,
    })
}

#[cfg(test)]
mod tests;
