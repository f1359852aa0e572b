//! The JSON of the API. Amounts are wei of DATA as decimal strings, hashes and addresses `0x` hex, times Unix milliseconds
//! unless a name says seconds.

use alloy::primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Wei of DATA, decimal.
pub type Amount = String;

/// Earnings by what they are for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByKind {
    pub attester: Amount,
    pub availability: Amount,
    pub relay: Amount,
    pub delivery: Amount,
}

/// `GET /operators`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operators {
    pub operators: Vec<Operator>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    pub id: u64,
    pub owner: Address,
    pub nodes: Vec<Address>,
    /// Stake that votes and earns now.
    pub weight: Amount,
    /// Everything staked and delegated with it, payouts included: `own` + `delegated`.
    pub pool: Amount,
    pub own: Amount,
    pub delegated: Amount,
    pub delegators: u64,
    /// Waits to be withdrawn, not part of the pool.
    pub unbonding: Amount,
    /// The operator's cut of what its pool earns.
    pub commission_bps: u16,
    /// In all aggregated epochs that did not lapse.
    pub earned: Amount,
    pub earned_by_kind: ByKind,
    /// Pushed on chain.
    pub paid: Amount,
    /// Earned and not yet pushed.
    pub pending: Amount,
    pub slashed: Amount,
}

/// `GET /operators/{id}/epochs?before=&limit=`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorEpochs {
    pub operator: u64,
    /// Newest first; an epoch without earnings is listed with zeros.
    pub epochs: Vec<OperatorEpoch>,
    /// Pass as `before` for the next page.
    pub next_before: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorEpoch {
    pub epoch: u64,
    pub status: String,
    pub earned: Amount,
    pub earned_by_kind: ByKind,
}

/// `GET /epochs?before=&limit=`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epochs {
    /// Newest first.
    pub epochs: Vec<Epoch>,
    pub next_before: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epoch {
    pub epoch: u64,
    /// open, closing, aggregated, proposed, attested, posted, paid, final or lapsed.
    pub status: String,
    pub start_seconds: u64,
    pub end_seconds: u64,
    pub checkpoint: u64,
    /// Certified, all stream parts.
    pub messages: u64,
    pub bytes: u64,
    pub sponsored_parts: u32,
    pub certified_parts: u32,
    /// Of this epoch alone: `scheduled == earned + refunded` from `aggregated` on.
    pub scheduled: Amount,
    pub earned: Amount,
    pub refunded: Amount,
    /// The proposal; `total` is cumulative since genesis.
    pub root: Option<B256>,
    pub total: Option<Amount>,
    pub attestations: u32,
    /// The posted epoch whose root pays this one: itself, or a later one where this was never posted.
    pub settled_by: Option<u64>,
    pub post_tx: Option<B256>,
    pub proposed_at: Option<u64>,
    pub attested_at: Option<u64>,
    pub posted_at: Option<u64>,
    pub paid_at: Option<u64>,
    pub final_at: Option<u64>,
}

/// `GET /epochs/{n}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochDetail {
    #[serde(flatten)]
    pub epoch: Epoch,
    pub volumes: Vec<Volume>,
    pub operators: Vec<OperatorEarning>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    pub part: B256,
    pub stream: String,
    pub partition: u32,
    pub messages: u64,
    pub bytes: u64,
    pub set_digest: B256,
    pub signers: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorEarning {
    pub operator: u64,
    pub earned: Amount,
    pub earned_by_kind: ByKind,
}

/// `GET /epochs/{n}/payouts`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payouts {
    pub epoch: u64,
    pub status: String,
    pub root: Option<B256>,
    pub total: Option<Amount>,
    /// At most [`crate::api::MAX_LINES`].
    pub lines: Vec<Line>,
    /// Whether lines were left out.
    pub lines_cut: bool,
    pub refunds: Vec<Refund>,
    pub chunks: Vec<Chunk>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub sponsorship: u64,
    pub part: B256,
    pub operator: u64,
    /// attester, availability, relay or delivery.
    pub kind: String,
    pub amount: Amount,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    pub sponsorship: u64,
    pub amount: Amount,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    pub chunk: u32,
    /// Packed `kind << 248 | id << 128 | cumulative`, decimal.
    pub entries: Vec<String>,
    pub leaf: B256,
    pub proof: Vec<B256>,
    pub changed: bool,
    pub push_tx: Option<B256>,
}

/// `GET /epochs/{n}/receipts`: evidence that counts, at most [`crate::api::MAX_LINES`] of each kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipts {
    pub epoch: u64,
    pub bandwidth: Vec<BandwidthReceipt>,
    pub deliveries: Vec<DeliveryReceipt>,
    pub volumes: Vec<VolumeAttestation>,
    pub payouts: Vec<PayoutAttestation>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BandwidthReceipt {
    pub relayer: Address,
    pub receiver: Address,
    pub sequence: u64,
    pub digest: B256,
    pub received_at: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryReceipt {
    pub receiver: Address,
    pub digest: B256,
    pub received_at: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeAttestation {
    pub part: B256,
    pub operator: u64,
    pub digest: B256,
    pub received_at: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutAttestation {
    pub operator: u64,
    pub digest: B256,
    pub received_at: u64,
}

/// `GET /earnings?limit=`: operators by epochs, for a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earnings {
    /// Aggregated epochs, oldest first.
    pub epochs: Vec<u64>,
    pub operators: Vec<EarningsRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarningsRow {
    pub operator: u64,
    /// One per epoch of the table.
    pub amounts: Vec<Amount>,
}

/// `GET /offences`, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offences {
    pub offences: Vec<Offence>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offence {
    pub slot: B256,
    /// receipt_equivocation or receipt_regression.
    pub kind: String,
    pub epoch: u64,
    pub relayer: Address,
    /// Who signed both.
    pub receiver: Address,
    /// The operator it works for, if any.
    pub operator: Option<u64>,
    /// found, submitted, slashed or refused.
    pub status: String,
    pub amount: Option<Amount>,
    pub reason: Option<String>,
    pub found_at: u64,
}

/// `GET /sponsorships`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sponsorships {
    pub sponsorships: Vec<Sponsorship>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sponsorship {
    pub id: u64,
    pub sponsor: Address,
    pub stream: String,
    pub partitions: u32,
    /// Now, or when it pays next; of its last epoch once it is over.
    pub rate_per_epoch: Amount,
    pub redundancy: u8,
    pub subscriber_share_bps: u16,
    /// First epoch it pays for, and the first it no longer does.
    pub start_epoch: u64,
    pub end_epoch: u64,
    /// Pushed back on chain.
    pub refunded: Amount,
    /// What lies in it beyond what is scheduled: refunds and remainders.
    pub spare: Amount,
    /// Ended by its sponsor.
    pub stopped: bool,
    pub active: bool,
}

/// `GET /streams`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streams {
    pub streams: Vec<Stream>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    pub id: String,
    pub partitions: u32,
    /// Sum over the sponsorships that pay now.
    pub rate_per_epoch: Amount,
}

/// `GET /healthz`: 200 when healthy, else 503.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    pub healthy: bool,
    /// Why not, one sentence each.
    pub reasons: Vec<String>,
    pub head_age_ms: Option<u64>,
    /// The oldest epoch that should have been proposed by now.
    pub oldest_due_epoch: Option<u64>,
    /// Information only: a quiet network is not a sick one.
    pub last_receipt_age_ms: Option<u64>,
}

/// `GET /status`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub now: u64,
    pub genesis_seconds: u64,
    pub epoch_seconds: u64,
    pub current_epoch: Option<u64>,
    pub head: Option<Head>,
    /// Since this process started, by kind of evidence.
    pub accepted: BTreeMap<String, u64>,
    /// Since this process started, by kind and class of reason.
    pub rejected: BTreeMap<String, BTreeMap<String, u64>>,
    pub retried: u64,
    pub reorganisations: u64,
    pub totals: Totals,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub number: u64,
    pub hash: B256,
    pub timestamp_seconds: u64,
}

/// Of the whole network since genesis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub operators: u64,
    pub streams: u64,
    pub epochs: u64,
    pub messages: u64,
    pub bytes: u64,
    pub scheduled: Amount,
    pub earned: Amount,
    pub refunded: Amount,
    /// Pushed to operators on chain.
    pub paid: Amount,
    pub offences: u64,
}

/// Data of an `epoch` event of `GET /events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochChange {
    pub epoch: u64,
    pub status: String,
}

/// What every error looks like (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub title: String,
    pub status: u16,
    pub detail: String,
}
