//! The one transaction sender: posts, pushes and proofs all leave through it.
//!
//! Every transaction is an intent row first (purpose, nonce, calldata), committed together with the step that wants it. [`Sender::drive`]
//! then signs it, stores the signed bytes as an attempt, broadcasts them, looks for the receipt, replaces them at the same nonce with a
//! higher fee if they hang, and watches what was mined until it is final. It starts from the rows alone, so a restart goes
//! on where the last process died, with the same bytes.
//!
//! Left out: what to send and when; and who owns the nonces, see [`crate::database::NonceOwner`].

mod drive;
mod fees;
mod record;
mod refusal;

use crate::config::SenderConfig;
use crate::crash::{Crash, Crashed};
use crate::numeric::Malformed;
use alloy::eips::BlockId;
use alloy::network::TransactionBuilder;
use alloy::primitives::{Address, B256, Bytes};
use alloy::providers::{DynProvider, Provider};
use alloy::rpc::types::TransactionRequest;
use alloy::signers::local::PrivateKeySigner;
use alloy::transports::TransportError;
use sqlx::{PgConnection, PgPool};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Instant;

pub use drive::Progress;
pub use record::{Status, Transaction};
pub use refusal::DecodeError;

/// What is to be sent, and the name of the step it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `post:7`, `push:7:0`, `slash:0x..`. A call that reverted may be made again; its purpose then ends in `/1`, `/2` ...
    pub purpose: String,
    pub target: Address,
    pub calldata: Bytes,
}

/// A call that would succeed now, with the gas it may use.
#[derive(Debug, Clone)]
pub struct Prepared {
    call: Call,
    gas_limit: u64,
    chain_nonce: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// Simulated and refused by the contract: not worth a transaction now.
    #[error("{purpose} would revert: {reason}")]
    WouldRevert { purpose: String, reason: String },
    #[error("the node at the RPC URL: {0}")]
    Rpc(#[from] TransportError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("cannot sign {purpose}: {reason}")]
    Signing { purpose: String, reason: String },
    #[error(transparent)]
    Crashed(#[from] Crashed),
}

#[derive(Debug)]
pub struct Sender {
    provider: DynProvider,
    pool: PgPool,
    signer: PrivateKeySigner,
    chain_id: u64,
    config: SenderConfig,
    decode: DecodeError,
    crash: Crash,
    /// When this process last broadcast an attempt; empty after a restart, so that everything pending is broadcast again.
    broadcast_at: Mutex<HashMap<B256, Instant>>,
}

impl Sender {
    pub fn new(
        provider: DynProvider,
        pool: PgPool,
        signer: PrivateKeySigner,
        chain_id: u64,
        config: SenderConfig,
        decode: DecodeError,
        crash: Crash,
    ) -> Self {
        Self { provider, pool, signer, chain_id, config, decode, crash, broadcast_at: Mutex::default() }
    }

    pub fn address(&self) -> Address {
        self.signer.address()
    }

    /// Simulates the call in the pending block and estimates its gas.
    pub async fn prepare(&self, call: Call) -> Result<Prepared, SenderError> {
        let request = TransactionRequest::default()
            .with_from(self.address())
            .with_to(call.target)
            .with_input(call.calldata.clone());
        let refused = |error: TransportError| match refusal::revert(&error, self.decode) {
            Some(reason) => SenderError::WouldRevert { purpose: call.purpose.clone(), reason },
            None => error.into(),
        };
        self.provider.call(request.clone()).block(BlockId::pending()).await.map_err(refused)?;
        let estimate =
            self.provider.estimate_gas(request).block(BlockId::pending()).await.map_err(refused)?;
        let margin = estimate.saturating_mul(self.config.gas_margin_percent) / 100;
        let chain_nonce = self.provider.get_transaction_count(self.address()).latest().await?;
        Ok(Prepared { call, gas_limit: estimate.saturating_add(margin), chain_nonce })
    }

    /// Writes the intent with the next nonce. Commit it together with what it belongs to; only then may it be driven.
    pub async fn intend(&self, db: &mut PgConnection, prepared: &Prepared) -> Result<(), SenderError> {
        let Prepared { call, gas_limit, chain_nonce } = prepared;
        let purpose = record::next_purpose(db, &call.purpose).await?;
        let nonce = record::insert(db, &self.address(), &purpose, call, *gas_limit, *chain_nonce).await?;
        tracing::info!(%purpose, nonce, gas_limit, "transaction intended");
        Ok(())
    }

    /// The last transaction for this purpose, if this sender made one.
    pub async fn find(&self, purpose: &str) -> Result<Option<Transaction>, SenderError> {
        record::latest(&self.pool, &self.address(), purpose).await
    }
}
