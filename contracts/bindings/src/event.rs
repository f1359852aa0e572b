//! The contracts' events as plain data, so that what is computed from them needs no ABI and no provider.
//!
//! The token's events are left out: nothing is decided by them. So are permissions of users that are no accounts: they
//! can neither publish nor sign a receipt.

mod decode;

use alloy::primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};

/// One event and where it stands in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainEvent {
    pub block: u64,
    /// Of the block, seconds of Unix time.
    pub timestamp: u64,
    /// Position among all logs of the block.
    pub log_index: u64,
    pub transaction: B256,
    pub event: Event,
}

/// Amounts are wei of DATA; expirations are seconds of Unix time, `u64::MAX` for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    OperatorRegistered {
        operator: u64,
        owner: Address,
        g1: [U256; 2],
        g2: [U256; 4],
        commission_bps: u16,
    },
    KeyRotated {
        operator: u64,
        g1: [U256; 2],
        g2: [U256; 4],
        effective_epoch: u64,
    },
    OwnershipOffered {
        operator: u64,
        candidate: Address,
    },
    OwnershipTransferred {
        operator: u64,
        from: Address,
        to: Address,
    },
    NodeAdded {
        operator: u64,
        node: Address,
        effective_epoch: u64,
    },
    NodeRemoved {
        operator: u64,
        node: Address,
        effective_epoch: u64,
    },
    CommissionAnnounced {
        operator: u64,
        bps: u16,
        earliest_epoch: u64,
    },
    CommissionChanged {
        operator: u64,
        bps: u16,
    },
    WeightChanged {
        operator: u64,
        effective_epoch: u64,
        weight: u128,
    },
    Staked {
        operator: u64,
        from: Address,
        amount: u128,
        shares: u128,
    },
    Delegated {
        operator: u64,
        delegator: Address,
        amount: u128,
        shares: u128,
    },
    /// Of the operator itself if the holder is address zero.
    UnbondingStarted {
        operator: u64,
        holder: Address,
        request: u64,
        amount: u128,
        shares: u128,
        release_epoch: u64,
    },
    Withdrawn {
        request: u64,
        to: Address,
        amount: u128,
    },
    Paid {
        payments: Vec<Payment>,
    },
    EarningsShared {
        operator: u64,
        earnings: u128,
        commission: u128,
        commission_shares: u128,
    },
    Slashed {
        operator: u64,
        loss: Loss,
    },
    SponsorshipCreated(SponsorshipCreated),
    Scheduled {
        sponsorship: u64,
        from_epoch: u64,
        to_epoch: u64,
        rate_per_epoch: u128,
    },
    ToppedUp {
        sponsorship: u64,
        from: Address,
        amount: u128,
    },
    Stopped {
        sponsorship: u64,
    },
    Settled {
        epoch: u64,
        amount: U256,
        cumulative: U256,
    },
    Lapsed {
        lapse: u64,
        from_epoch: u64,
        to_epoch: u64,
        amount: U256,
    },
    Refunded {
        sponsorship: u64,
        amount: u128,
        cumulative: u128,
    },
    Recovered {
        sponsorship: u64,
        lapse: u64,
        amount: u128,
    },
    Restored {
        sponsorship: u64,
        amount: u128,
    },
    Reclaimed {
        sponsorship: u64,
        sponsor: Address,
        amount: u128,
    },
    Released {
        to: Address,
        amount: U256,
    },
    Posted {
        epoch: u64,
        root: B256,
        total: U256,
        absentees: Vec<u64>,
        poster: Address,
    },
    Pushed {
        root: B256,
        leaf: B256,
        amount: U256,
    },
    OffenceProven {
        slot: B256,
        operator: u64,
        reporter: Address,
        kind: u8,
        sponsorship: u64,
    },
    OffenceExecuted {
        slot: B256,
        operator: u64,
        bounty: u128,
        returned: u128,
        burned: u128,
    },
    StreamCreated {
        stream: String,
        metadata: String,
    },
    StreamUpdated {
        stream: String,
        metadata: String,
    },
    StreamDeleted {
        stream: String,
    },
    PermissionUpdated(PermissionUpdated),
}

/// What a push brought one operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    pub operator: u64,
    pub amount: u128,
}

/// What a slash took, in wei but for the shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Loss {
    pub own: u128,
    /// Burned for `own`.
    pub own_shares: u128,
    pub own_unbonding: u128,
    pub delegated: u128,
    pub delegated_unbonding: u128,
}

/// A sponsorship as it was created; nothing of this changes afterwards. What it pays comes as `Scheduled`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SponsorshipCreated {
    pub sponsorship: u64,
    pub sponsor: Address,
    pub stream: String,
    pub partitions: u32,
    pub redundancy: u8,
    pub subscriber_share_bps: u16,
}

/// Everything `user` may do from now on; the public is address zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionUpdated {
    pub stream: String,
    pub user: Address,
    pub can_edit: bool,
    pub can_delete: bool,
    pub publish_expiration: u64,
    pub subscribe_expiration: u64,
    pub can_grant: bool,
}
