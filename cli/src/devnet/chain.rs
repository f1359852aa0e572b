//! The devnet's part on the chain: contracts, operators, stream, money.
//!
//! Every step first asks the chain whether it is done, so that an interrupted or repeated set-up goes on where it is.

mod catch_up;
mod sponsor;

use alloy::network::EthereumWallet;
use alloy::primitives::{Address, U256};
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::signers::local::PrivateKeySigner;
use anyhow::{Context, bail, ensure};
use futures::future::try_join_all;
use tatum_contracts::abi::{DataToken, Staking, StreamRegistry};
use tatum_contracts::deployment::{Deployment, Parameters};
use tatum_protocol::eip712::types::{BlsKey, NodeConsent};

use super::folder::Folder;
use super::keys::{Keys, OperatorKeys};
use crate::anvil::Anvil;
use crate::deploying::ensure_deployed;
pub(super) use catch_up::catch_up;
pub use sponsor::{Sponsorship, ensure_sponsorship};

/// 10^18 wei.
pub const DATA: u128 = 1_000_000_000_000_000_000;
/// Of the chain's currency, for gas: more than any devnet burns.
const GAS: u128 = 10_000 * DATA;
const STAKE: u128 = 100_000 * DATA;
/// The operators' cut of what their pools earn.
const COMMISSION_BPS: u16 = 1_000;
/// Enough for a stake in any state of the pool: an epoch that begins between estimate and block makes a checkpoint more.
const STAKE_GAS: u64 = 1_000_000;
/// The stream is named for its owner, the sponsor.
const STREAM_PATH: &str = "/devnet/telemetry";

/// `PermissionType` of the stream registry, whose ABI knows it as a number.
const PUBLISH: u8 = 2;
const SUBSCRIBE: u8 = 3;

/// A client of the chain that signs with one account. Several transactions may be on their way at a time.
pub fn client(url: &str, signer: &PrivateKeySigner) -> anyhow::Result<DynProvider> {
    let wallet = EthereumWallet::from(signer.clone());
    let provider = ProviderBuilder::new()
        .with_cached_nonce_management()
        .wallet(wallet)
        .connect_http(url.parse().with_context(|| format!("{url} is not a URL"))?);
    Ok(provider.erased())
}

/// Waits for a transaction and fails if it reverted.
macro_rules! confirm {
    ($call:expr, $what:expr) => {{
        let what = $what;
        let sent = $call.send().await.with_context(|| format!("{what}: refused"))?;
        let receipt = sent.get_receipt().await.with_context(|| format!("{what}: not mined"))?;
        anyhow::ensure!(receipt.status(), "{what}: transaction {} reverted", receipt.transaction_hash);
        receipt
    }};
}
use confirm;

/// The id of the devnet's stream.
pub(super) fn stream_id(keys: &Keys) -> String {
    format!("{:#x}{STREAM_PATH}", keys.sponsor.address())
}

/// The deployment in the data folder, made if there is none.
pub(super) async fn deployment(
    anvil: &Anvil,
    sponsor: &DynProvider,
    folder: &Folder,
    keys: &Keys,
    epoch_seconds: u64,
) -> anyhow::Result<Deployment> {
    let path = folder.deployment();
    if path.is_file() {
        let length = Deployment::load(&path)?.terms.epoch_length_s;
        ensure!(
            length == epoch_seconds,
            "this devnet has epochs of {length} s, which cannot change; expected --epoch-seconds {length} or another --data-dir",
        );
    } else {
        let owners = keys.operators.iter().map(|operator| operator.owner.address());
        let accounts: Vec<Address> =
            owners.chain([keys.sponsor.address(), keys.settlement.address()]).collect();
        try_join_all(accounts.iter().map(|account| anvil.fund_gas(*account, U256::from(GAS)))).await?;
    }
    let holder = keys.sponsor.address();
    let (deployment, _) = ensure_deployed(sponsor, holder, &Parameters::devnet(holder, epoch_seconds), &path)
        .await
        .with_context(|| {
            format!("the chain and {} do not agree; remove {}", path.display(), folder.root().display())
        })?;
    Ok(deployment)
}

/// Registers each operator with its BLS key, node and stake. Returns their ids, in the order of the keys.
pub(super) async fn operators(
    url: &str,
    sponsor: &DynProvider,
    deployment: &Deployment,
    keys: &Keys,
) -> anyhow::Result<Vec<u64>> {
    // The sponsor's transfers in one go: they are of one account, so their order is that of sending.
    let token = DataToken::new(deployment.token, sponsor);
    let staking = Staking::new(deployment.staking, sponsor);
    let mut transfers = Vec::new();
    for operator in &keys.operators {
        let owner = operator.owner.address();
        let registered = staking.operatorOf(operator.node_address()).call().await? != 0;
        if !registered && token.balanceOf(owner).call().await? < U256::from(STAKE) {
            let sent = token.transfer(owner, U256::from(STAKE)).send().await;
            transfers.push(sent.context("cannot give an operator its DATA")?);
        }
    }
    for transfer in transfers {
        ensure!(transfer.get_receipt().await?.status(), "giving an operator its DATA reverted");
    }
    try_join_all(keys.operators.iter().map(|operator| register(url, deployment, operator))).await
}

/// One operator: registered, then stake and node.
async fn register(url: &str, deployment: &Deployment, operator: &OperatorKeys) -> anyhow::Result<u64> {
    let owner = operator.owner.address();
    let client = client(url, &operator.owner)?;
    let staking = Staking::new(deployment.staking, &client);
    let token = DataToken::new(deployment.token, &client);
    let domain = deployment.domain();
    let node = operator.node_address();
    // Steps that do not need each other's result share a block.
    let id = match owned(&staking, owner).await? {
        Some(id) => id,
        None => {
            let key = operator.bls.public_key();
            let (g1, g2) = (key.g1_abi(), key.g2_abi());
            let possession = operator.bls.prove_possession(&domain.digest(&BlsKey { owner, g1, g2 }));
            confirm!(staking.register(g1, g2, possession.abi(), COMMISSION_BPS), "registering an operator");
            owned(&staking, owner).await?.context("the registered operator is not there")?
        }
    };
    let add_node = async {
        if staking.operatorOf(node).call().await? == 0 {
            let consent = operator.node.signer().sign(&domain.digest(&NodeConsent { owner, node }));
            confirm!(staking.addNode(id, node, consent.as_bytes().to_vec().into()), "adding a node");
        }
        Ok(())
    };
    let stake = async {
        let pool = staking.pools(id).call().await?;
        if pool.assets == 0 && pool.unbondingOwn == 0 && pool.paid == 0 {
            confirm!(token.approve(deployment.staking, U256::from(STAKE)), "approving the stake");
            confirm!(staking.stake(id, STAKE).gas(STAKE_GAS), "staking");
        }
        anyhow::Ok(())
    };
    tokio::try_join!(add_node, stake)?;
    Ok(id)
}

/// The operator that `owner` registered.
async fn owned(
    staking: &Staking::StakingInstance<&DynProvider>,
    owner: Address,
) -> anyhow::Result<Option<u64>> {
    for id in 1..=staking.operatorCount().call().await? {
        if staking.operators(id).call().await?.owner == owner {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// The sponsor's stream: the brokers may publish (their gateways sign for the devices behind them), all may subscribe, and
/// `subscribers` hold grants of their own, which makes their receipts count.
pub(super) async fn stream(
    sponsor: &DynProvider,
    deployment: &Deployment,
    keys: &Keys,
    subscribers: &[Address],
) -> anyhow::Result<()> {
    let registry = StreamRegistry::new(deployment.stream_registry, sponsor);
    let id = stream_id(keys);
    if !registry.exists(id.clone()).call().await? {
        let metadata = r#"{"description":"Telemetry of the machine that runs this devnet","partitions":1}"#;
        confirm!(registry.createStream(STREAM_PATH.to_owned(), metadata.to_owned()), "creating the stream");
    }
    let publishers = keys.operators.iter().map(|operator| (operator.node_address(), PUBLISH));
    let wanted: Vec<_> = publishers.chain(subscribers.iter().map(|user| (*user, SUBSCRIBE))).collect();
    let mut sent = Vec::new();
    for (user, permission) in wanted {
        if !registry.hasDirectPermission(id.clone(), user, permission).call().await? {
            sent.push(registry.grantPermission(id.clone(), user, permission).send().await?);
        }
    }
    if !registry.hasPublicPermission(id.clone(), SUBSCRIBE).call().await? {
        sent.push(registry.grantPublicPermission(id.clone(), SUBSCRIBE).send().await?);
    }
    for grant in sent {
        if !grant.get_receipt().await?.status() {
            bail!("granting a permission on {id} reverted");
        }
    }
    Ok(())
}
