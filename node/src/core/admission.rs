//! What is let in: every check of a new frame that is not about its signature or about copies of it.
//!
//! Every refusal has a name, and is counted under it.

use super::chain::ChainState;
use std::collections::HashMap;
use std::sync::Arc;
use tatum_protocol::Address;
use tatum_protocol::id::StreamPart;
use tatum_protocol::message::{Chain, Frame};
use tatum_protocol::plan::EpochPlan;

/// Publishers whose rate is watched at once; those at rest are forgotten.
const MAX_PUBLISHERS: usize = 65_536;

/// Bounds of admission.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How old a frame may be. Whether a late one still counts is the ledger's question; this bounds replays, and is well below
    /// [`super::dedup::IDLE_MS`].
    pub past_ms: u64,
    /// How far ahead a publisher's clock may be.
    pub future_ms: u64,
    /// Of one publisher, with a burst of one second.
    pub messages_per_s: u64,
    pub bytes_per_s: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { past_ms: 15_000, future_ms: 1_000, messages_per_s: 200_000, bytes_per_s: 128 << 20 }
    }
}

/// Why a frame, message, subscription or receipt was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refusal {
    #[error("the signature is not the publisher's")]
    Signature,
    #[error("messages of one frame belong to different epochs, or to none")]
    Epoch,
    #[error("timestamp is too far in the past")]
    TooOld,
    #[error("timestamp is in the future")]
    Future,
    #[error("the chain view does not have this epoch yet")]
    NoPlan,
    #[error("the stream part is not sponsored in this epoch: no broker is assigned to it")]
    NotSponsored,
    #[error("this node neither serves nor subscribes to the stream part")]
    NotServed,
    #[error("the publisher has no publish permission on the stream")]
    PublishPermission,
    #[error("the subscriber has no subscribe permission on the stream")]
    SubscribePermission,
    #[error("the publisher exceeds its rate")]
    Rate,
    #[error("another frame with this id came first")]
    Equivocation,
    #[error("the frame was seen before")]
    Duplicate,
    #[error("more chains are active than are kept")]
    Chains,
    #[error("the message is too large")]
    TooLarge,
    #[error("no assigned broker can be reached")]
    NoBroker,
    #[error("the queue of the node is full")]
    Busy,
    #[error("receipt is malformed or not signed by its receiver")]
    ReceiptSignature,
    #[error("receipt is not for this relayer or not from the peer that sent it")]
    ReceiptParties,
    #[error("receipt is of an epoch whose receipts do not count now")]
    ReceiptEpoch,
    #[error("receipt does not continue the last one of its receiver")]
    ReceiptOrder,
    #[error("receipt confirms more than was served")]
    ReceiptExcess,
}

/// The outcome for a frame that may be looked at further.
#[derive(Debug, Clone)]
pub(super) struct Admitted {
    pub(super) epoch: u64,
    pub(super) plan: Arc<EpochPlan>,
    pub(super) part: StreamPart,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    messages: u64,
    bytes: u64,
    filled_ms: u64,
}

#[derive(Debug)]
pub(super) struct Admission {
    limits: Limits,
    buckets: HashMap<Address, Bucket>,
}

impl Admission {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, buckets: HashMap::new() }
    }

    /// Checks that need neither a signature nor the past: time, plan, permission.
    pub(super) fn check(&self, now_ms: u64, chain: &ChainState, frame: &Frame) -> Result<Admitted, Refusal> {
        let epoch = frame.epoch(&chain.clock).ok_or(Refusal::Epoch)?;
        let (first, last) =
            (frame.timestamp_ms(), frame.messages().last().map_or(0, |message| message.timestamp_ms));
        if first.saturating_add(self.limits.past_ms) < now_ms {
            return Err(Refusal::TooOld);
        }
        if last > now_ms.saturating_add(self.limits.future_ms) {
            return Err(Refusal::Future);
        }
        let plan = chain.plan(epoch).ok_or(Refusal::NoPlan)?;
        let Chain { part, publisher, .. } = frame.chain();
        let part = plan.parts.get(&part).ok_or(Refusal::NotSponsored)?.part.clone();
        if !chain.permissions.may_publish(&part.stream, publisher, now_ms / 1000) {
            return Err(Refusal::PublishPermission);
        }
        Ok(Admitted { epoch, plan: plan.clone(), part })
    }

    /// Takes a frame out of its publisher's allowance.
    pub(super) fn spend(&mut self, now_ms: u64, frame: &Frame) -> Result<(), Refusal> {
        let (messages, bytes) = (frame.messages().len() as u64, frame.encoded().len() as u64);
        let Limits { messages_per_s, bytes_per_s, .. } = self.limits;
        let publisher = frame.chain().publisher;
        if self.buckets.len() >= MAX_PUBLISHERS && !self.buckets.contains_key(&publisher) {
            self.buckets.retain(|_, bucket| bucket.filled_ms.saturating_add(1000) > now_ms);
            if self.buckets.len() >= MAX_PUBLISHERS {
                return Err(Refusal::Rate);
            }
        }
        let full = Bucket { messages: messages_per_s, bytes: bytes_per_s, filled_ms: now_ms };
        let bucket = self.buckets.entry(publisher).or_insert(full);
        let elapsed = now_ms.saturating_sub(bucket.filled_ms);
        let fill =
            |level: u64, rate: u64| level.saturating_add(elapsed.saturating_mul(rate) / 1000).min(rate);
        bucket.messages = fill(bucket.messages, messages_per_s);
        bucket.bytes = fill(bucket.bytes, bytes_per_s);
        bucket.filled_ms = now_ms;
        let (Some(messages), Some(bytes)) =
            (bucket.messages.checked_sub(messages), bucket.bytes.checked_sub(bytes))
        else {
            return Err(Refusal::Rate);
        };
        (bucket.messages, bucket.bytes) = (messages, bytes);
        Ok(())
    }
}
