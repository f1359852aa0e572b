//! `tatum deploy` on a real anvil: once, again, after an interruption, and on a chain that is another.

use std::fs;
use std::path::{Path, PathBuf};

use alloy::primitives::Address;
use alloy::providers::ext::AnvilApi;
use alloy::providers::{DynProvider, Provider};
use alloy::rpc::types::TransactionRequest;
use alloy::signers::local::PrivateKeySigner;
use tatum_cli::deploying::{Outcome, ensure_deployed};
use tatum_cli::devnet::chain::client;
use tatum_contracts::Deployment;
use tatum_contracts::deployment::{Parameters, Plan};
use tatum_testkit::{Anvil, anvil};
use tempfile::TempDir;

struct World {
    provider: DynProvider,
    deployer: Address,
    parameters: Parameters,
    folder: TempDir,
    anvil: Anvil,
}

impl World {
    fn new() -> Self {
        let anvil = Anvil::start().unwrap();
        let signer: PrivateKeySigner = anvil::KEYS[0].parse().unwrap();
        let deployer = signer.address();
        let provider = client(anvil.url(), &signer).unwrap();
        let parameters = Parameters::devnet(deployer, 10);
        Self { provider, deployer, parameters, folder: tempfile::tempdir().unwrap(), anvil }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("deployment.json")
    }

    async fn run(&self, parameters: &Parameters) -> anyhow::Result<(Deployment, Outcome)> {
        ensure_deployed(&self.provider, self.deployer, parameters, &self.out()).await
    }

    async fn nonce(&self) -> u64 {
        self.provider.get_transaction_count(self.deployer).await.unwrap()
    }

    /// Something else from the deployer.
    async fn spend_a_nonce(&self) {
        let request = TransactionRequest::default().from(self.deployer).to(Address::repeat_byte(7));
        // Past the client's own count of nonces, which only knows what it sent itself.
        let sent = self.provider.send_transaction(request.nonce(self.nonce().await)).await.unwrap();
        assert!(sent.get_receipt().await.unwrap().status());
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_second_run_verifies_and_changes_nothing() {
    let world = World::new();
    let (deployment, outcome) = world.run(&world.parameters).await.unwrap();
    assert_eq!(outcome, Outcome::Deployed);
    assert_eq!(names(world.folder.path()), ["deployment.json"]);
    let (text, nonce) = (fs::read(world.out()).unwrap(), world.nonce().await);

    assert_eq!(world.run(&world.parameters).await.unwrap(), (deployment.clone(), Outcome::Verified));
    assert_eq!((fs::read(world.out()).unwrap(), world.nonce().await), (text, nonce));

    let other = Parameters::devnet(world.deployer, 20);
    let error = format!("{:#}", world.run(&other).await.unwrap_err());
    assert!(error.contains("epoch_length_s: 10") && error.contains("epoch_length_s: 20"), "{error}");

    let wrong = Deployment { settlement: deployment.staking, ..deployment };
    wrong.save(&world.out()).unwrap();
    let error = format!("{:#}", world.run(&world.parameters).await.unwrap_err());
    assert!(error.contains("not this version's Settlement"), "{error}");
    assert_eq!(Deployment::load(&world.out()).unwrap(), wrong, "a file that does not match is left alone");
}

#[tokio::test]
async fn changed_parameters_on_chain_are_told_apart() {
    let world = World::new();
    let (deployment, _) = world.run(&world.parameters).await.unwrap();
    let mut wanted = world.parameters.clone();
    wanted.terms.slash_bps = 2_000;
    let claimed = Deployment { terms: wanted.terms.clone(), ..deployment };
    claimed.save(&world.out()).unwrap();
    let error = format!("{:#}", world.run(&wanted).await.unwrap_err());
    assert!(error.contains("Slashing.slashBps is 1000 on chain, expected 2000"), "{error}");
}

#[tokio::test]
async fn an_interrupted_deployment_goes_on_where_it_was() {
    let world = World::new();
    // As if killed after the third contract: the state of then, and the plan.
    let plan = Plan::new(&world.provider, world.deployer, &world.parameters).await.unwrap();
    let unfinished = world.folder.path().join("deployment.json.unfinished");
    let (whole, _) = world.run(&world.parameters).await.unwrap();
    assert_eq!(whole, plan.deployment);
    for address in [whole.settlement, whole.slashing, whole.stream_registry] {
        world.provider.anvil_set_code(address, Vec::new().into()).await.unwrap();
        world.provider.anvil_set_nonce(address, 0).await.unwrap();
    }
    world.provider.anvil_set_nonce(world.deployer, plan.first_nonce + 3).await.unwrap();
    fs::remove_file(world.out()).unwrap();
    plan.save(&unfinished).unwrap();

    let fresh = World { provider: renewed(&world), ..world };
    let (resumed, outcome) = fresh.run(&fresh.parameters).await.unwrap();
    assert_eq!((resumed, outcome), (whole, Outcome::Resumed));
    assert_eq!(names(fresh.folder.path()), ["deployment.json"]);
    assert_eq!(fresh.nonce().await, plan.first_nonce + 6);
}

#[tokio::test]
async fn a_plan_whose_nonces_are_gone_is_not_gone_on_with() {
    let world = World::new();
    let plan = Plan::new(&world.provider, world.deployer, &world.parameters).await.unwrap();
    let unfinished = world.folder.path().join("deployment.json.unfinished");
    plan.save(&unfinished).unwrap();
    world.spend_a_nonce().await;
    let error = format!("{:#}", world.run(&world.parameters).await.unwrap_err());
    assert!(error.contains("belongs at the deployer's nonce 0, which is at 1 now"), "{error}");
    assert!(error.contains("remove"), "it says what to do: {error}");

    let other = Parameters::devnet(world.deployer, 20);
    let error = format!("{:#}", world.run(&other).await.unwrap_err());
    assert!(error.contains("cannot be gone on with"), "{error}");
    assert!(!world.out().exists());

    fs::remove_file(&unfinished).unwrap();
    let fresh = World { provider: renewed(&world), ..world };
    assert_eq!(fresh.run(&fresh.parameters).await.unwrap().1, Outcome::Deployed);
}

/// A client as a new process has it: without remembered nonces.
fn renewed(world: &World) -> DynProvider {
    let signer: PrivateKeySigner = anvil::KEYS[0].parse().unwrap();
    client(world.anvil.url(), &signer).unwrap()
}
