//! What the ledger asks for, and what of it is stored.

use serde::{Deserialize, Serialize};
use tatum_protocol::id::PartKey;
use tatum_protocol::receipt::Credit;
use tatum_protocol::{Address, B256};

/// What became of a new frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    Yes,
    /// Counted as delivered; whether its relayers were credited before a crash is not known, so they are not now.
    Uncredited,
    /// After the close: delivered to subscribers, not counted.
    Late,
    /// This node is neither assigned nor subscribed in that epoch.
    NotOurs,
}

/// Totals of one stream part in a closed epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    pub part: PartKey,
    pub set_digest: B256,
    pub messages: u64,
    pub bytes: u64,
}

/// A closed epoch, stored with its delivery receipt so that volumes can be attested after a crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    pub epoch: u64,
    /// Sorted by part.
    pub totals: Vec<Total>,
}

/// To be signed, stored, and only then sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    Bandwidth {
        epoch: u64,
        relayer: Address,
        sequence: u32,
        credits: Vec<Credit>,
    },
    Delivery(Closed),
    /// Volumes of every counted part; only those that this node is assigned to are attested.
    Volumes(Closed),
    /// The epoch closed and this process did not see all of it: nothing is signed.
    Incomplete {
        epoch: u64,
    },
}
