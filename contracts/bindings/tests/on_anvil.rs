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
    primitives::{Address, U256},
    providers::{DynProvider, Provider, ProviderBuilder, ext::AnvilApi},
    signers::local::PrivateKeySigner,
};
use tatum_contracts::{
    ChainView, Deployment, DeploymentError, FollowError, Follower, Parameters,
    abi::{DataToken, Sponsorships, Staking, StreamRegistry},
    deployment,
};
use tatum_protocol::{
    bls::SecretKey,
    eip712::types::{BlsKey, NodeConsent},
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

/// Registers an operator with one node and stakes.
async fn operator(anvil: &Anvil, d: &Deployment, seed: u8) -> Address {
    let staking = Staking::new(d.staking, &anvil.provider);
    let secret = SecretKey::from_seed(&[seed; 32]);
    let key = secret.public_key();
    let claim = BlsKey { owner: anvil.account, g1: key.g1_abi(), g2: key.g2_abi() };
    let proof = secret.prove_possession(&d.domain().digest(&claim)).abi();
    let id = staking.operatorCount().call().await.unwrap() + 1;
    macro_rules! send {
        ($call:expr) => {
            assert!($call.send().await.unwrap().get_receipt().await.unwrap().status())
        };
    }
    send!(staking.register(key.g1_abi(), key.g2_abi(), proof, 1_000));
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
