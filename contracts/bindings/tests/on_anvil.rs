//! Deploys on a real anvil, and reads back through the follower and the view what was done on chain. Needs anvil on
//! PATH or from `npm ci --ignore-scripts` in contracts/.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use alloy::{
    network::EthereumWallet,
    primitives::{Address, B256, U256},
    providers::{DynProvider, Provider, ProviderBuilder, ext::AnvilApi},
    signers::local::PrivateKeySigner,
};
use tatum_contracts::{
    ChainView, Deployment, DeploymentError, FollowError, Follower, Parameters,
    abi::{DataToken, Settlement, Slashing, Sponsorships, Staking, StreamRegistry},
    deployment,
};
use tatum_protocol::{
    bls::SecretKey,
    eip712::types::{BlsKey, NodeConsent},
    evidence::PayoutStatement,
    payout::Cumulative,
    receipt::{BandwidthReceipt, Credit, Receipt},
    secp::Signer,
};

const DATA: u128 = 1_000_000_000_000_000_000;

struct Anvil {
    process: Child,
    provider: DynProvider,
    account: Address,
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn executable() -> PathBuf {
    let modules = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../node_modules/@foundry-rs");
    let native =
        modules.read_dir().into_iter().flatten().flatten().map(|entry| entry.path().join("bin/anvil"));
    native.into_iter().find(|path| path.is_file()).unwrap_or_else(|| "anvil".into())
}

async fn anvil() -> Anvil {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let process = Command::new(executable())
        .args(["--silent", "--port", &port.to_string()])
        .stdout(Stdio::null())
        .spawn()
        .expect("anvil: run `npm ci --ignore-scripts` in contracts/, or put anvil on PATH");
    // anvil's first development account.
    let signer: PrivateKeySigner =
        "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80".parse().unwrap();
    let account = signer.address();
    let provider = ProviderBuilder::new()
        .wallet(EthereumWallet::from(signer))
        .connect_http(format!("http://127.0.0.1:{port}").parse().unwrap())
        .erased();
    let anvil = Anvil { process, provider, account };
    for _ in 0..100 {
        if anvil.provider.get_chain_id().await.is_ok() {
            return anvil;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("anvil did not answer within 10 s");
}

/// With gas for whatever epoch the block turns out to be in.
macro_rules! send {
    ($call:expr) => {
        assert!($call.gas(3_000_000).send().await.unwrap().get_receipt().await.unwrap().status())
    };
}

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

/// A key of anvil's account and the proof that it has it.
fn possession(anvil: &Anvil, d: &Deployment, seed: u8) -> ([U256; 2], [U256; 4], [U256; 2]) {
    let key = secret(seed).public_key();
    let (g1, g2) = (key.g1_abi(), key.g2_abi());
    let claim = BlsKey { owner: anvil.account, g1, g2 };
    (g1, g2, secret(seed).prove_possession(&d.domain().digest(&claim)).abi())
}

/// The view of everything so far.
async fn view(anvil: &Anvil, d: &Deployment) -> ChainView {
    let mut follower = Follower::new(&anvil.provider, d.clone(), 0);
    let mut view = ChainView::new(d.clock(), d.terms.lapse_epochs);
    while let Some(batch) = follower.poll().await.unwrap() {
        batch.events.iter().for_each(|event| view.apply(event));
    }
    view
}

/// Registers an operator with one node and stakes.
async fn operator(anvil: &Anvil, d: &Deployment, seed: u8) -> Address {
    let staking = Staking::new(d.staking, &anvil.provider);
    let (g1, g2, proof) = possession(anvil, d, seed);
    let id = staking.operatorCount().call().await.unwrap() + 1;
    send!(staking.register(g1, g2, proof, 1_000));
    let node = Signer::from_bytes([seed; 32]).unwrap();
    let consent = NodeConsent { owner: anvil.account, node: node.address() };
    let consent = node.sign(&d.domain().digest(&consent));
    send!(staking.addNode(id, node.address(), consent.as_bytes().to_vec().into()));
    send!(DataToken::new(d.token, &anvil.provider).approve(d.staking, U256::MAX));
    send!(staking.stake(id, 5_000 * DATA));
    node.address()
}

#[tokio::test]
async fn the_view_agrees_with_the_chain() {
    let anvil = anvil().await;
    let parameters = Parameters::devnet(anvil.account, 10);
    let d = deployment::deploy(&anvil.provider, anvil.account, &parameters).await.unwrap();
    let node = operator(&anvil, &d, 1).await;
    operator(&anvil, &d, 2).await;
    let registry = StreamRegistry::new(d.stream_registry, &anvil.provider);
    registry.createStream("/machine".into(), "{}".into()).send().await.unwrap().get_receipt().await.unwrap();
    let stream = format!("{:#x}/machine", anvil.account);
    let sponsorships = Sponsorships::new(d.sponsorships, &anvil.provider);
    let token = DataToken::new(d.token, &anvil.provider);
    token.approve(d.sponsorships, U256::MAX).send().await.unwrap().get_receipt().await.unwrap();
    let create = sponsorships.create(stream.clone(), 4, 100 * DATA, 0, 6, 3, 5_000);
    create.send().await.unwrap().get_receipt().await.unwrap();

    let mut follower = Follower::new(&anvil.provider, d.clone(), 0);
    let mut view = ChainView::new(d.clock(), d.terms.lapse_epochs);
    let head = loop {
        let batch = follower.poll().await.unwrap().expect("the chain has blocks");
        batch.events.iter().for_each(|event| view.apply(event));
        if batch.caught_up {
            break batch.head;
        }
    };
    assert_eq!(follower.poll().await.unwrap(), None, "nothing new");

    let staking = Staking::new(d.staking, &anvil.provider);
    for epoch in 0..12 {
        let set = view.operator_set(epoch);
        let chain = staking.setAt(epoch).call().await.unwrap();
        assert_eq!((set.checkpoint, set.total_stake), (chain.fromEpoch, chain.totalStake), "epoch {epoch}");
        assert_eq!(set.members.len(), usize::try_from(chain.count).unwrap());
        for member in &set.members {
            assert_eq!(member.weight, staking.weightAt(member.id, epoch).call().await.unwrap());
            assert_eq!(member.key.g1, staking.keyOf(member.id).call().await.unwrap());
        }
        let scheduled = sponsorships.scheduledThrough(epoch).call().await.unwrap();
        assert_eq!(view.scheduled_through(epoch), scheduled, "epoch {epoch}");
    }
    assert_eq!(view.operator_of(node), Some(1));
    assert_eq!(view.operator_set(9).members[0].nodes, vec![node]);
    assert!(view.may_publish(&stream, anvil.account, head.timestamp));
    assert_eq!(view.sponsorships_active(7).len(), 1);
    let resumed = Follower::resume(&anvil.provider, d, 0, head).poll().await.unwrap();
    assert_eq!(resumed, None);
}

/// Pools and sponsorships as the contracts have them.
async fn agree(anvil: &Anvil, d: &Deployment, after: &str) {
    let view = view(anvil, d).await;
    let staking = Staking::new(d.staking, &anvil.provider);
    for (id, pool) in view.pools() {
        let chain = staking.pools(id).call().await.unwrap();
        assert_eq!(
            (pool.assets, pool.shares, pool.own_shares),
            (chain.assets, chain.shares, chain.ownShares),
            "{after}"
        );
        let unbonding = (chain.unbondingOwn, chain.unbondingDelegated);
        assert_eq!((pool.unbonding_own, pool.unbonding_delegated), unbonding, "{after}");
        assert_eq!((pool.paid, pool.unshared), (chain.paid, chain.unshared), "{after}");
        let delegated: u128 = pool.delegations().map(|(_, shares)| shares).sum();
        assert_eq!(pool.own_shares + delegated, pool.shares, "{after}: all shares are somebody's");
        assert_eq!(view.commission_bps(id), Some(staking.operators(id).call().await.unwrap().commissionBps));
    }
    let held: u128 = view
        .pools()
        .map(|(_, pool)| pool.assets + pool.unshared + pool.unbonding_own + pool.unbonding_delegated)
        .sum();
    let token = DataToken::new(d.token, &anvil.provider);
    assert_eq!(U256::from(held), token.balanceOf(d.staking).call().await.unwrap(), "{after}");

    let sponsorships = Sponsorships::new(d.sponsorships, &anvil.provider);
    let now = sponsorships.currentEpoch().call().await.unwrap();
    for created in view.sponsorships() {
        let id = created.sponsorship;
        let chain = sponsorships.sponsorships(id).call().await.unwrap();
        assert_eq!(view.spare(id), Some(U256::from(chain.spare)), "{after}");
        assert_eq!(view.funds(id).unwrap().refunded, chain.refunded, "{after}");
        assert_eq!(view.is_stopped(id), chain.stopped, "{after}");
    }
    for epoch in 0..now + 20 {
        let active = view.sponsorships_active(epoch);
        let rate: u128 = active.iter().map(|active| active.rate_per_epoch).sum();
        assert_eq!(
            U256::from(rate),
            sponsorships.scheduled(epoch).call().await.unwrap(),
            "{after}: epoch {epoch}"
        );
        let set = staking.setAt(epoch).call().await.unwrap();
        let found = view.operator_set(epoch);
        assert_eq!(
            (found.checkpoint, found.total_stake),
            (set.fromEpoch, set.totalStake),
            "{after}: epoch {epoch}"
        );
    }
    for epoch in now.saturating_sub(d.terms.lapse_epochs)..now {
        let payable = sponsorships.payableThrough(epoch).call().await.ok();
        // Of a posted epoch the view knows what was posted, which the contract does not say.
        let posted = view.posted().iter().any(|posted| posted.epoch == epoch);
        assert!(posted || view.payable_through(epoch) == payable, "{after}: epoch {epoch}");
    }
}

#[tokio::test]
async fn the_view_follows_every_kind_of_change() {
    let anvil = anvil().await;
    let d = deployment::deploy(&anvil.provider, anvil.account, &Parameters::devnet(anvil.account, 10))
        .await
        .unwrap();
    let node = Signer::from_bytes([1; 32]).unwrap();
    operator(&anvil, &d, 1).await;
    let staking = Staking::new(d.staking, &anvil.provider);
    let sponsorships = Sponsorships::new(d.sponsorships, &anvil.provider);
    let token = DataToken::new(d.token, &anvil.provider);
    let wait = async |epochs: u64| {
        anvil.provider.anvil_increase_time(epochs * 10).await.unwrap();
        anvil.provider.anvil_mine(Some(1), None).await.unwrap();
    };
    send!(token.approve(d.sponsorships, U256::MAX));
    send!(sponsorships.create("a/b".into(), 1, DATA + 3, 0, 5, 1, 0));
    send!(sponsorships.create("c/d".into(), 2, 7 * DATA, 0, 40, 1, 0));
    send!(staking.delegate(1, 1_234 * DATA + 5));
    agree(&anvil, &d, "deposits").await;

    send!(sponsorships.topUp(1, 3 * DATA));
    wait(3).await;
    send!(sponsorships.setRate(2, 11 * DATA));
    let (g1, g2, proof) = possession(&anvil, &d, 9);
    send!(staking.rotateKey(1, g1, g2, proof));
    send!(staking.sync(1));
    agree(&anvil, &d, "a rotation, other rates").await;

    wait(4).await;
    let epoch = sponsorships.currentEpoch().call().await.unwrap() - 1;
    let total = sponsorships.payableThrough(epoch).call().await.unwrap();
    let refund = total / U256::from(3);
    let entries = vec![
        (U256::from(1) << 248) | (U256::from(1) << 128) | (total - refund),
        (U256::from(2) << 248) | (U256::from(2) << 128) | refund,
    ];
    let tree = Cumulative::from_entries(&entries).unwrap().tree();
    let checkpoint = staking.setAt(epoch).call().await.unwrap().fromEpoch;
    let statement = PayoutStatement { epoch, checkpoint, root: tree.root(), total };
    let key = secret(9).public_key();
    let certificate = Settlement::Certificate {
        absentees: vec![],
        keys: vec![],
        aggregate: key.g1_abi(),
        apk: key.g2_abi(),
        signature: secret(9).sign(&statement.digest(&d.domain())).abi(),
    };
    let settlement = Settlement::new(d.settlement, &anvil.provider);
    send!(settlement.post(epoch, tree.root(), total, certificate));
    agree(&anvil, &d, "a post").await;
    send!(settlement.push(entries, vec![]));
    agree(&anvil, &d, "a push").await;
    send!(sponsorships.extend(2));
    send!(staking.undelegate(1, 200 * DATA));
    send!(staking.unstake(1, 300 * DATA));
    agree(&anvil, &d, "exits").await;

    let receipt = |bytes| {
        let credits = vec![Credit { part: B256::ZERO, messages: 1, bytes, served_bytes: 0 }];
        let relayer = Address::repeat_byte(1);
        let receipt = BandwidthReceipt { epoch, relayer, receiver: node.address(), sequence: 1, credits };
        receipt.sign(&d.domain(), &node).unwrap()
    };
    let (a, b) = (receipt(1), receipt(2));
    let (first, second) = (a.signature().compact(), b.signature().compact());
    let slashing = Slashing::new(d.slashing, &anvil.provider);
    let roots = [a.receipt().tree().root(), b.receipt().tree().root()];
    let relayer = Address::repeat_byte(1);
    let (r, vs) = ([first.0, second.0], [first.1, second.1]);
    send!(slashing.receiptEquivocation(epoch, relayer, node.address(), 1, roots, r, vs, true));
    agree(&anvil, &d, "a slash").await;

    wait(d.terms.unbonding_epochs + 1).await;
    send!(staking.withdraw(1));
    send!(staking.withdraw(2));
    send!(sponsorships.lapse());
    agree(&anvil, &d, "withdrawals, a lapse").await;
    send!(sponsorships.recover(2));
    send!(sponsorships.stop(2));
    agree(&anvil, &d, "a recovery, a stop").await;
    assert!(view(&anvil, &d).await.lapses().iter().any(|lapse| lapse.from_epoch == epoch + 1));
}

#[tokio::test]
async fn a_reorganisation_is_reported() {
    let anvil = anvil().await;
    let parameters = Parameters::devnet(anvil.account, 10);
    let d = deployment::deploy(&anvil.provider, anvil.account, &parameters).await.unwrap();
    let mut follower = Follower::new(&anvil.provider, d, 0);
    let snapshot = anvil.provider.anvil_snapshot().await.unwrap();
    anvil.provider.anvil_mine(Some(3), None).await.unwrap();
    let head = follower.poll().await.unwrap().unwrap().head;
    anvil.provider.anvil_revert(snapshot).await.unwrap();
    anvil.provider.anvil_mine(Some(5), Some(2)).await.unwrap();
    match follower.poll().await {
        Err(FollowError::Reorged { number, expected, .. }) => {
            assert_eq!((number, expected), (head.number, head.hash));
        }
        other => panic!("expected a reorganisation, found {other:?}"),
    }
}

#[tokio::test]
async fn a_foreign_deployment_is_refused() {
    let anvil = anvil().await;
    let parameters = Parameters::devnet(anvil.account, 10);
    let a = deployment::deploy(&anvil.provider, anvil.account, &parameters).await.unwrap();
    let b = deployment::deploy(&anvil.provider, anvil.account, &parameters).await.unwrap();
    let mixed = Deployment { slashing: b.slashing, ..a.clone() };
    let error = deployment::verify(&anvil.provider, &mixed).await.unwrap_err();
    assert!(matches!(error, DeploymentError::Mismatch { field: "Staking.slashing", .. }), "{error}");
    let nowhere = Deployment { token: Address::repeat_byte(9), ..a };
    let error = deployment::verify(&anvil.provider, &nowhere).await.unwrap_err();
    assert!(matches!(error, DeploymentError::NoCode { contract: "DataToken", .. }), "{error}");
}
