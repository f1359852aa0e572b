//! An anvil on which everything is fixed: hard fork, genesis, time of every block, senders without keys or fees.

use alloy::{
    consensus::BlockHeader,
    eips::BlockId,
    network::TransactionBuilder,
    primitives::{Address, B256, Bytes, U256},
    providers::{DynProvider, Provider, ProviderBuilder, ext::AnvilApi},
    rpc::types::{TransactionReceipt, TransactionRequest},
    sol_types::SolCall,
};
use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde_json::json;
use std::{collections::HashMap, time::Duration};
use tatum_testkit::Anvil;

use crate::trace::{Call, Executed, Step};

/// Unix seconds of the first block.
pub const BEGINNING: u64 = 1_800_000_000;
/// Of every transaction; enough for the largest, and below the 16.7M that Ethereum allows one (EIP-7825).
const GAS_LIMIT: u64 = 16_000_000;
/// Whose rules anvil runs. Its modexp costs what Polygon's does.
const HARD_FORK: &str = "osaka";

#[derive(Debug)]
pub struct Chain {
    provider: DynProvider,
    /// Ends with us.
    _anvil: Anvil,
}

impl Chain {
    pub async fn start() -> anyhow::Result<Self> {
        let beginning = BEGINNING.to_string();
        let anvil = Anvil::start_with(&[
            "--hardfork",
            HARD_FORK,
            "--steps-tracing",
            "--auto-impersonate",
            "--timestamp",
            &beginning,
            "--base-fee",
            "0",
            "--disable-min-priority-fee",
        ])?;
        let provider = ProviderBuilder::new()
            .disable_recommended_fillers()
            .with_gas_estimation()
            .connect_http(anvil.url().parse().context("anvil's address")?)
            .erased();
        // Otherwise blocks take the time of day.
        provider.anvil_set_block_timestamp_interval(1).await?;
        Ok(Self { provider, _anvil: anvil })
    }

    /// The next block is at `time`, the ones after it a second apart.
    pub async fn enter(&self, time: u64) -> anyhow::Result<()> {
        self.provider.anvil_set_next_block_timestamp(time).await?;
        self.provider.anvil_mine(Some(1), None).await?;
        Ok(())
    }

    pub fn provider(&self) -> &DynProvider {
        &self.provider
    }

    pub async fn chain_id(&self) -> anyhow::Result<u64> {
        Ok(self.provider.get_chain_id().await?)
    }

    /// Sends a transaction in a block of its own and expects it to succeed.
    pub async fn send(
        &self,
        from: Address,
        to: Option<Address>,
        input: Bytes,
    ) -> anyhow::Result<TransactionReceipt> {
        let mut request =
            TransactionRequest::default().with_from(from).with_gas_limit(GAS_LIMIT).with_input(input);
        request.set_gas_price(0);
        match to {
            Some(to) => request.set_to(to),
            None => request.set_create(),
        }
        let hash = *self.provider.send_transaction(request.clone()).await?.tx_hash();
        let receipt = self.receipt(hash).await?;
        if !receipt.status() {
            let reason = self.provider.call(request).await;
            bail!("transaction from {from} to {to:?} reverted: {reason:?}");
        }
        Ok(receipt)
    }

    /// anvil mines at once, but not before it answers.
    async fn receipt(&self, hash: B256) -> anyhow::Result<TransactionReceipt> {
        for _ in 0..10_000 {
            if let Some(receipt) = self.provider.get_transaction_receipt(hash).await? {
                return Ok(receipt);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        bail!("anvil did not mine {hash} within 10 s")
    }

    pub async fn read<C: SolCall>(&self, to: Address, call: C) -> anyhow::Result<C::Return> {
        let request = TransactionRequest::default().with_to(to).with_input(call.abi_encode());
        let answer = self.provider.call(request).await?;
        Ok(C::abi_decode_returns(&answer)?)
    }

    /// Remembers the state; [`Self::revert`] goes back to it once.
    pub async fn snapshot(&self) -> anyhow::Result<U256> {
        Ok(self.provider.anvil_snapshot().await?)
    }

    pub async fn revert(&self, snapshot: U256) -> anyhow::Result<()> {
        ensure!(self.provider.anvil_revert(snapshot).await?, "anvil has no snapshot {snapshot}");
        Ok(())
    }

    /// The transaction of a receipt, as it was executed.
    pub async fn trace(&self, receipt: &TransactionReceipt, input: Bytes) -> anyhow::Result<Executed> {
        let hash = receipt.transaction_hash;
        let block = receipt.block_number.context("a mined transaction has a block")?;
        let block = self.provider.get_block(BlockId::number(block)).await?.context("the block is known")?;
        let options = json!({ "disableStorage": true, "enableMemory": false, "enableReturnData": false });
        let steps: Steps = self.debug(hash, options).await?;
        let call: Call = self.debug(hash, json!({ "tracer": "callTracer" })).await?;
        let before: HashMap<Address, Before> =
            self.debug(hash, json!({ "tracer": "prestateTracer" })).await?;
        let before = before.into_iter().flat_map(|(account, before)| {
            before.storage.into_iter().map(move |(slot, value)| ((account, slot.into()), value.into()))
        });
        Ok(Executed {
            sender: receipt.from,
            contract: receipt.to.context("only calls are traced")?,
            coinbase: block.header.beneficiary(),
            input,
            gas_limit: GAS_LIMIT,
            gas_used: receipt.gas_used,
            steps: steps.struct_logs,
            call,
            before: before.collect(),
        })
    }

    async fn debug<T>(&self, hash: B256, options: serde_json::Value) -> anyhow::Result<T>
    where
        T: serde::de::DeserializeOwned + std::fmt::Debug + Send + Sync + Unpin + 'static,
    {
        Ok(self.provider.client().request("debug_traceTransaction", (hash, options)).await?)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Steps {
    struct_logs: Vec<Step>,
}

/// An account before the transaction.
#[derive(Debug, Deserialize)]
struct Before {
    #[serde(default)]
    storage: HashMap<B256, B256>,
}
