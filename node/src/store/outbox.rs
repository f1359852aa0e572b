//! Evidence that waits for the indexers, one copy for each.

use super::tables::{OUTBOX, StoreError, decode};
use redb::{Database, ReadableDatabase};
use tatum_protocol::keccak256;
use tatum_protocol::wire::Evidence;

/// One item as it was read: what is settled later is exactly this, not a newer one in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Key among the entries of its indexer.
    pub key: Vec<u8>,
    pub evidence: Evidence,
    pub(super) stored: Vec<u8>,
}

impl Entry {
    /// Encoded bytes.
    pub fn size(&self) -> usize {
        self.stored.len()
    }
}

/// Items of one key replace each other: of a (relayer, receiver) pair only the last receipt matters. Two receipts that contradict each other
/// (same sequence) are two items.
pub fn evidence_key(evidence: &Evidence) -> Vec<u8> {
    let (kind, epoch, rest): (u8, u64, Vec<u8>) = match evidence {
        Evidence::Bandwidth(unchecked) => {
            let receipt = &unchecked.receipt;
            (0, receipt.epoch, [receipt.relayer.as_slice(), receipt.receiver.as_slice()].concat())
        }
        Evidence::Delivery(unchecked) => (1, unchecked.receipt.epoch, unchecked.receipt.receiver.to_vec()),
        Evidence::Volume(attestation) => {
            let operator = attestation.operator.to_be_bytes();
            (2, attestation.volume.epoch, [&operator, attestation.volume.part.as_slice()].concat())
        }
        Evidence::Payout(attestation) => {
            (3, attestation.statement.epoch, attestation.operator.to_be_bytes().to_vec())
        }
    };
    [&epoch.to_be_bytes()[..], &[kind], &rest].concat()
}

/// Key under which a contradiction waits beside what it contradicts.
pub(super) fn beside(key: &[u8], stored: &[u8]) -> Vec<u8> {
    [key, keccak256(stored).as_slice()].concat()
}

pub(super) fn prefix(indexer: &str) -> Vec<u8> {
    [indexer.as_bytes(), &[0]].concat()
}

pub(super) fn entries(
    database: &Database,
    indexer: &str,
    after: &[u8],
    most: usize,
) -> Result<Vec<Entry>, StoreError> {
    let prefix = prefix(indexer);
    let start = [prefix.as_slice(), after].concat();
    let read = database.begin_read()?;
    let table = read.open_table(OUTBOX)?;
    let mut found = Vec::new();
    for entry in table.range(start.as_slice()..)? {
        let (key, value) = entry?;
        let Some(key) = key.value().strip_prefix(prefix.as_slice()) else { break };
        if found.len() == most {
            break;
        }
        if key > after {
            let stored = value.value().to_vec();
            found.push(Entry { key: key.to_vec(), evidence: decode(&stored)?, stored });
        }
    }
    Ok(found)
}
