//! One look at everything that is under way: sign, broadcast, find the receipt, replace, settle.

use super::fees::Fees;
use super::record::{self, Attempt, Outcome};
use super::refusal::{self, Broadcast};
use super::{Sender, SenderError, Status, Transaction};
use crate::crash::CrashPoint;
use alloy::consensus::{SignableTransaction, TxEip1559};
use alloy::eips::eip2718::Encodable2718;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::network::{TransactionBuilder, TxSignerSync};
use alloy::primitives::{TxKind, U256};
use alloy::providers::Provider;
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use std::time::{Duration, Instant};

/// Nodes forget: what hangs is sent again this often.
const REBROADCAST: Duration = Duration::from_secs(10);

/// What is under way after a look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Not in a block.
    pub pending: usize,
    /// In a block, not final.
    pub mined: usize,
    /// Age of the oldest signed transaction that is not in a block.
    pub oldest_pending: Duration,
    /// Whether a transaction moved: worth looking again soon.
    pub moved: bool,
}

impl Sender {
    /// Moves every transaction of ours as far as it goes now.
    pub async fn drive(&self) -> Result<Progress, SenderError> {
        let mut progress = Progress::default();
        let used = self.provider.get_transaction_count(self.address()).latest().await?;
        for transaction in record::pending(&self.pool, &self.address()).await? {
            let age = self.advance(&transaction, used).await?;
            match age {
                None => progress.moved = true,
                Some(age) => {
                    progress.pending += 1;
                    progress.oldest_pending = progress.oldest_pending.max(age);
                }
            }
        }
        progress.mined = self.settle().await?;
        Ok(progress)
    }

    /// `None` if it is in a block now, else how long ago it was first signed.
    async fn advance(&self, transaction: &Transaction, used: u64) -> Result<Option<Duration>, SenderError> {
        let attempts = record::attempts(&self.pool, transaction.id).await?;
        for attempt in &attempts {
            if let Some(receipt) = self.provider.get_transaction_receipt(attempt.hash).await? {
                self.record(transaction, &receipt).await?;
                return Ok(None);
            }
        }
        if used > transaction.nonce && self.nonce_is_lost(transaction).await? {
            return Ok(Some(Duration::ZERO));
        }
        let latest = match attempts.first() {
            None => {
                self.crash.reach(CrashPoint::AfterIntentBeforeBroadcast)?;
                self.sign(transaction, Fees::first(self.market().await?, &self.config)).await?
            }
            // Only the first in line can hang because of its fee; the others wait for it.
            Some(attempt) if attempt.age >= self.config.replace_after() && used == transaction.nonce => {
                match attempt.fees.replacement(self.market().await?, &self.config) {
                    Some(fees) => {
                        tracing::warn!(purpose = %transaction.purpose, max_fee = fees.max, "not mined in time: replaced");
                        self.sign(transaction, fees).await?
                    }
                    None => attempt.clone(),
                }
            }
            Some(attempt) => attempt.clone(),
        };
        self.broadcast(transaction, &latest).await?;
        Ok(Some(attempts.last().map_or(Duration::ZERO, |first| first.age)))
    }

    /// The chain is past this nonce and none of our attempts is there. Once that is final, a stranger with our key has used it.
    async fn nonce_is_lost(&self, transaction: &Transaction) -> Result<bool, SenderError> {
        let finalized = BlockId::Number(BlockNumberOrTag::Finalized);
        let used = self.provider.get_transaction_count(self.address()).block_id(finalized).await?;
        if used <= transaction.nonce {
            return Ok(false);
        }
        tracing::error!(
            purpose = %transaction.purpose,
            nonce = transaction.nonce,
            "the nonce was used by a transaction that is not ours; nothing else may send from this key. Taking the next nonce"
        );
        let chain_nonce = self.provider.get_transaction_count(self.address()).latest().await?;
        record::renumber(&self.pool, &self.address(), transaction.id, chain_nonce).await?;
        Ok(true)
    }

    async fn market(&self) -> Result<Fees, SenderError> {
        let market = self.provider.estimate_eip1559_fees().await?;
        Ok(Fees { max: market.max_fee_per_gas, priority: market.max_priority_fee_per_gas })
    }

    /// Signs and stores, before anything is sent.
    async fn sign(&self, transaction: &Transaction, fees: Fees) -> Result<Attempt, SenderError> {
        let mut unsigned = TxEip1559 {
            chain_id: self.chain_id,
            nonce: transaction.nonce,
            gas_limit: transaction.gas_limit,
            max_fee_per_gas: fees.max,
            max_priority_fee_per_gas: fees.priority,
            to: TxKind::Call(transaction.target),
            value: U256::ZERO,
            access_list: Default::default(),
            input: transaction.calldata.clone(),
        };
        let signature = self.signer.sign_transaction_sync(&mut unsigned).map_err(|error| {
            SenderError::Signing { purpose: transaction.purpose.clone(), reason: error.to_string() }
        })?;
        let signed = unsigned.into_signed(signature);
        let attempt = Attempt { hash: *signed.hash(), raw: signed.encoded_2718(), fees, age: Duration::ZERO };
        record::add_attempt(&self.pool, transaction.id, &attempt).await?;
        Ok(attempt)
    }

    async fn broadcast(&self, transaction: &Transaction, attempt: &Attempt) -> Result<(), SenderError> {
        let recently = |at: &Instant| at.elapsed() < REBROADCAST;
        if self.lock_broadcast_at().get(&attempt.hash).is_some_and(recently) {
            return Ok(());
        }
        let purpose = &transaction.purpose;
        match self.provider.send_raw_transaction(&attempt.raw).await {
            Ok(_) => {
                self.crash.reach(CrashPoint::AfterBroadcastBeforeRecord)?;
                tracing::info!(%purpose, hash = %attempt.hash, nonce = transaction.nonce, "broadcast");
            }
            Err(error) => match refusal::broadcast(&error) {
                Broadcast::Known => {}
                // The receipt, or the final count of nonces, will tell by whom.
                Broadcast::NonceUsed => return Ok(()),
                Broadcast::Underpriced => {
                    tracing::warn!(%purpose, %error, "the node keeps an earlier transaction of this nonce");
                }
                Broadcast::Refused => return Err(error.into()),
            },
        }
        self.lock_broadcast_at().insert(attempt.hash, Instant::now());
        if transaction.status == Status::Intended {
            record::set_broadcast(&self.pool, transaction.id).await?;
        }
        Ok(())
    }

    fn lock_broadcast_at(
        &self,
    ) -> std::sync::MutexGuard<'_, std::collections::HashMap<alloy::primitives::B256, Instant>> {
        // Nothing panics while holding it; and times of broadcasts are no state that could be broken.
        self.broadcast_at.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn record(
        &self,
        transaction: &Transaction,
        receipt: &TransactionReceipt,
    ) -> Result<(), SenderError> {
        // A receipt of the pending block has no number.
        let Some(block_number) = receipt.block_number else { return Ok(()) };
        let error =
            if receipt.status() { None } else { Some(self.revert_reason(transaction, block_number).await) };
        self.lock_broadcast_at().remove(&receipt.transaction_hash);
        match &error {
            None => {
                tracing::info!(purpose = %transaction.purpose, block_number, gas = receipt.gas_used, "mined")
            }
            Some(reason) => tracing::warn!(purpose = %transaction.purpose, block_number, reason, "reverted"),
        }
        let outcome = Outcome { block_number, gas_used: receipt.gas_used, error };
        record::set_outcome(&self.pool, transaction.id, &outcome).await
    }

    /// Replays it on the state before its block, then after. Best effort: the fact of the revert is the receipt's.
    async fn revert_reason(&self, transaction: &Transaction, block: u64) -> String {
        let request = TransactionRequest::default()
            .with_from(self.address())
            .with_to(transaction.target)
            .with_gas_limit(transaction.gas_limit)
            .with_input(transaction.calldata.clone());
        for number in [block.saturating_sub(1), block] {
            let replayed = self.provider.call(request.clone()).block(BlockId::number(number)).await;
            if let Some(reason) = replayed.err().and_then(|error| refusal::revert(&error, self.decode)) {
                return reason;
            }
        }
        "reverted; a replay does not show why (out of gas, or an earlier transaction of its block)".to_owned()
    }

    /// Looks again at what is in blocks that are not final: a reorganisation may have dropped it. Returns how much is left.
    async fn settle(&self) -> Result<usize, SenderError> {
        let block = self.provider.get_block_by_number(BlockNumberOrTag::Finalized).await?;
        let finalized = block.map_or(0, |block| block.header.number);
        let mut left = 0;
        for transaction in record::unsettled(&self.pool, &self.address(), finalized).await? {
            let mut receipt = None;
            for attempt in record::attempts(&self.pool, transaction.id).await? {
                receipt = receipt.or(self.provider.get_transaction_receipt(attempt.hash).await?);
            }
            match receipt.and_then(|receipt| receipt.block_number.map(|number| (number, receipt))) {
                Some((number, _)) if number <= finalized => {
                    record::set_final(&self.pool, transaction.id).await?
                }
                Some((number, _)) if Some(number) == transaction.block_number => left += 1,
                Some((_, receipt)) => {
                    left += 1;
                    self.record(&transaction, &receipt).await?;
                }
                None => {
                    left += 1;
                    tracing::warn!(purpose = %transaction.purpose, "dropped by a reorganisation: broadcast again");
                    record::set_broadcast(&self.pool, transaction.id).await?;
                }
            }
        }
        Ok(left)
    }
}
