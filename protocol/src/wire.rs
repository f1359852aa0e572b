//! What nodes say to each other: packets between brokers, and the control protocol with indexers.
//!
//! Packets travel length-delimited over a long-lived stream; control messages are one request and one response. Both
//! decoders refuse what exceeds their bound before they read it.

use crate::evidence::{Bundle, PayoutAttestation, PayoutStatement};
use crate::id::{PartKey, StreamPart};
use crate::message::MAX_FRAME_BYTES;
use crate::receipt::{BandwidthReceipt, DeliveryReceipt, Unchecked};
use crate::volume::VolumeAttestation;
use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

/// libp2p protocol names.
pub const PACKET_PROTOCOL: &str = "/tatum/packets/1";
pub const CONTROL_PROTOCOL: &str = "/tatum/control/1";

/// Largest packet: a frame and its tag.
pub const MAX_PACKET_BYTES: usize = MAX_FRAME_BYTES + 1;
/// Largest control request, in bytes.
pub const MAX_REQUEST_BYTES: usize = 4 << 20;
/// Largest control response: an evidence bundle.
pub const MAX_RESPONSE_BYTES: usize = 64 << 20;
/// Most evidence items in one request.
pub const MAX_ITEMS: usize = 256;
/// Most stream parts in one attach packet.
pub const MAX_ATTACH: usize = 1024;

/// Why bytes are not a packet or control message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    #[error("empty packet")]
    Empty,
    #[error("unknown packet tag {0}")]
    Tag(u8),
    #[error("{found} bytes; at most {limit} are allowed")]
    TooLarge { found: usize, limit: usize },
    #[error("{found} items; at most {limit} are allowed")]
    TooMany { found: usize, limit: usize },
    #[error("malformed: {0}")]
    Malformed(#[from] postcard::Error),
    #[error("{0} bytes follow the end of the value")]
    Trailing(usize),
}

/// Between nodes that share stream parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// An encoded frame, see [`crate::message::Frame`]. Kept as bytes: it is relayed as it came.
    Frame(Vec<u8>),
    /// "I have this frame for you": counts as served when it comes in time.
    Offer(Offer),
    /// "Send me the frames of these parts." Replaces what was attached before.
    Attach(Vec<StreamPart>),
    /// The receiver's latest receipt for this relayer.
    Receipt(Unchecked<BandwidthReceipt>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub part: PartKey,
    pub frame_hash: B256,
}

impl Packet {
    pub fn encode(&self) -> Result<Vec<u8>, WireError> {
        let bytes = match self {
            Self::Frame(frame) => [&[0], frame.as_slice()].concat(),
            Self::Offer(offer) => postcard::to_extend(offer, vec![1])?,
            Self::Attach(parts) => postcard::to_extend(parts, vec![2])?,
            Self::Receipt(receipt) => postcard::to_extend(receipt, vec![3])?,
        };
        within(bytes.len(), MAX_PACKET_BYTES)?;
        Ok(bytes)
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        within(bytes.len(), MAX_PACKET_BYTES)?;
        let (tag, rest) = bytes.split_first().ok_or(WireError::Empty)?;
        Ok(match tag {
            0 => Self::Frame(rest.to_vec()),
            1 => Self::Offer(exact(rest)?),
            2 => {
                let parts: Vec<StreamPart> = exact(rest)?;
                at_most(parts.len(), MAX_ATTACH)?;
                Self::Attach(parts)
            }
            3 => Self::Receipt(exact(rest)?),
            tag => return Err(WireError::Tag(*tag)),
        })
    }
}

/// Something signed, on its way to an indexer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Evidence {
    Bandwidth(Unchecked<BandwidthReceipt>),
    Delivery(Unchecked<DeliveryReceipt>),
    Volume(VolumeAttestation),
    Payout(PayoutAttestation),
}

/// What became of an item. Only `Accepted` and `Rejected` are final and may be forgotten by the sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Committed to the database.
    Accepted,
    /// Refused and kept with this reason.
    Rejected(String),
    /// Not judged (storage away, chain view behind): send it again later.
    Retry(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// At most [`MAX_ITEMS`]; verdicts come in the same order.
    Submit(Vec<Evidence>),
    /// The latest payout proposal.
    Proposal,
    /// The evidence of the proposal for this epoch.
    Bundle { epoch: u64 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Response {
    Submitted(Vec<Verdict>),
    Proposal(Option<PayoutStatement>),
    Bundle(Option<Bundle>),
    /// The request was not understood or not allowed.
    Error(String),
}

impl Request {
    pub fn encode(&self) -> Result<Vec<u8>, WireError> {
        encode(self, MAX_REQUEST_BYTES)
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        within(bytes.len(), MAX_REQUEST_BYTES)?;
        let request = exact(bytes)?;
        if let Self::Submit(items) = &request {
            at_most(items.len(), MAX_ITEMS)?;
        }
        Ok(request)
    }
}

impl Response {
    pub fn encode(&self) -> Result<Vec<u8>, WireError> {
        encode(self, MAX_RESPONSE_BYTES)
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        within(bytes.len(), MAX_RESPONSE_BYTES)?;
        exact(bytes)
    }
}

fn encode<T: Serialize>(value: &T, limit: usize) -> Result<Vec<u8>, WireError> {
    let bytes = postcard::to_stdvec(value)?;
    within(bytes.len(), limit)?;
    Ok(bytes)
}

fn exact<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, WireError> {
    match postcard::take_from_bytes(bytes)? {
        (value, []) => Ok(value),
        (_, rest) => Err(WireError::Trailing(rest.len())),
    }
}

fn within(found: usize, limit: usize) -> Result<(), WireError> {
    if found <= limit { Ok(()) } else { Err(WireError::TooLarge { found, limit }) }
}

fn at_most(found: usize, limit: usize) -> Result<(), WireError> {
    if found <= limit { Ok(()) } else { Err(WireError::TooMany { found, limit }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn packets_round_trip() {
        let offer = Offer { part: PartKey::repeat_byte(1), frame_hash: B256::repeat_byte(2) };
        for packet in [
            Packet::Frame(vec![1, 2, 3]),
            Packet::Offer(offer),
            Packet::Attach(vec!["a/b#3".parse().unwrap()]),
        ] {
            assert_eq!(Packet::decode(&packet.encode().unwrap()), Ok(packet));
        }
    }

    #[test]
    fn bounds_hold() {
        assert_eq!(Packet::decode(&[]), Err(WireError::Empty));
        assert_eq!(Packet::decode(&[9]), Err(WireError::Tag(9)));
        assert!(matches!(Packet::decode(&vec![0; MAX_PACKET_BYTES + 1]), Err(WireError::TooLarge { .. })));
        let part: StreamPart = "a/b".parse().unwrap();
        let attach = Packet::Attach(vec![part; MAX_ATTACH + 1]).encode().unwrap();
        assert!(matches!(Packet::decode(&attach), Err(WireError::TooMany { .. })));
        assert!(matches!(Request::decode(&[1, 0]), Err(WireError::Trailing(1))));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = Packet::decode(&bytes);
            let _ = Request::decode(&bytes);
            let _ = Response::decode(&bytes);
        }
    }
}
