//! Identifiers: streams, stream parts, operators, sponsorships, payout accounts.

use alloy_primitives::{B256, keccak256};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Longest stream id, in bytes of UTF-8. The contracts enforce the same bound.
pub const MAX_STREAM_ID_BYTES: usize = 256;
/// Most partitions a stream can have.
pub const MAX_PARTITIONS: u32 = 100;

/// Why a text is not a stream id or stream part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    #[error("stream id is {0} bytes long; at most {MAX_STREAM_ID_BYTES} are allowed")]
    TooLong(usize),
    #[error("stream id {0:?} is not `<address or ENS name>/<path>`")]
    NoPath(String),
    #[error("stream id {0:?} contains '#', '?', a space or a control character")]
    ForbiddenCharacter(String),
    #[error("partition {0:?} is not a number from 0 to 99")]
    Partition(String),
}

/// `<0x address or ENS name>/<path>`. An address prefix is kept in lower case, so one stream has one id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamId(String);

impl StreamId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StreamId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() > MAX_STREAM_ID_BYTES {
            return Err(IdError::TooLong(text.len()));
        }
        // '#' and '?' separate the partition in stream parts and gateway topics.
        if text.chars().any(|c| c.is_control() || matches!(c, '#' | '?' | ' ')) {
            return Err(IdError::ForbiddenCharacter(text.to_owned()));
        }
        match text.split_once('/') {
            Some((owner, path)) if !owner.is_empty() && !path.is_empty() => {
                Ok(Self(format!("{}/{path}", owner.to_lowercase())))
            }
            _ => Err(IdError::NoPath(text.to_owned())),
        }
    }
}

impl TryFrom<String> for StreamId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<StreamId> for String {
    fn from(id: StreamId) -> Self {
        id.0
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One partition of a stream, `streamId#partition`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamPart {
    pub stream: StreamId,
    pub partition: u32,
}

impl StreamPart {
    pub fn new(stream: StreamId, partition: u32) -> Result<Self, IdError> {
        if partition >= MAX_PARTITIONS {
            return Err(IdError::Partition(partition.to_string()));
        }
        Ok(Self { stream, partition })
    }

    /// `keccak256(utf8("streamId#partition"))`, the name of the part in everything that is signed.
    pub fn key(&self) -> PartKey {
        keccak256(self.to_string())
    }
}

impl fmt::Display for StreamPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.stream, self.partition)
    }
}

impl FromStr for StreamPart {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (stream, partition) = text.rsplit_once('#').unwrap_or((text, "0"));
        let number = partition.parse().map_err(|_| IdError::Partition(partition.to_owned()))?;
        Self::new(stream.parse()?, number)
    }
}

impl TryFrom<String> for StreamPart {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<StreamPart> for String {
    fn from(part: StreamPart) -> Self {
        part.to_string()
    }
}

/// Key of a stream part, see [`StreamPart::key`].
pub type PartKey = B256;
/// On-chain id of an operator, from 1.
pub type OperatorId = u64;
/// On-chain id of a sponsorship, from 1.
pub type SponsorshipId = u64;

/// Who is paid by a payout entry. The order is the order of entries in the payout tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Account {
    Operator(OperatorId),
    /// What was scheduled and not earned goes back here.
    Sponsorship(SponsorshipId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_prefix_is_lower_cased_and_path_kept() {
        let id: StreamId = "0xAbC/Weather/Helsinki".parse().unwrap();
        assert_eq!(id.as_str(), "0xabc/Weather/Helsinki");
    }

    #[test]
    fn malformed_ids_are_refused() {
        for bad in ["", "/path", "owner/", "nopath", "a/b#1", "a/b c", "a/b?x", "a/\u{7}"] {
            assert!(bad.parse::<StreamId>().is_err(), "{bad:?} must be refused");
        }
        assert!(format!("a/{}", "x".repeat(300)).parse::<StreamId>().is_err());
    }

    #[test]
    fn parts_round_trip_and_bound_the_partition() {
        let part: StreamPart = "a/b#7".parse().unwrap();
        assert_eq!((part.partition, part.to_string().as_str()), (7, "a/b#7"));
        assert_eq!("a/b".parse::<StreamPart>().unwrap().partition, 0);
        assert!("a/b#100".parse::<StreamPart>().is_err());
        assert!("a/b#-1".parse::<StreamPart>().is_err());
    }
}
