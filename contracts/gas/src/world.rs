//! A deployment with fixed parameters and actors on a chain of its own.
//!
//! Everybody is an address made from a name; only node keys and BLS keys sign.

use alloy::{
    primitives::{Address, B256, U256, keccak256},
    providers::ext::AnvilApi,
    rpc::types::TransactionReceipt,
    sol_types::SolCall,
};
use std::collections::BTreeSet;
use tatum_contracts::{
    Deployment, Parameters,
    abi::{DataToken, Staking},
    deployment::{self, Terms, Token},
};
use tatum_protocol::{
    bls::{PublicKey, SecretKey, Signature, aggregate_keys, aggregate_signatures},
    eip712::{
        Domain,
        types::{BlsKey, NodeConsent},
    },
    secp::Signer,
};

use crate::chain::{BEGINNING, Chain};

pub const DATA: u128 = 1_000_000_000_000_000_000;
/// Seconds of an epoch, as planned for Polygon.
pub const EPOCH: u64 = 3_600;
/// Part of what a pool earns that its operator takes.
pub const COMMISSION_BPS: u16 = 1_000;
/// Own stake of the operators set up here.
pub const STAKE: u128 = 100_000 * DATA;

#[derive(Debug)]
pub struct World {
    pub chain: Chain,
    pub at: Deployment,
    pub domain: Domain,
}

/// A certificate's parts, in the words of the ABI.
#[derive(Debug)]
pub struct Certified {
    pub absentees: Vec<u64>,
    pub keys: Vec<[U256; 2]>,
    pub aggregate: [U256; 2],
    pub apk: [U256; 4],
    pub signature: [U256; 2],
}

/// The address of somebody by name.
pub fn somebody(name: &str) -> Address {
    Address::from_word(keccak256(name))
}

pub fn owner(operator: u64) -> Address {
    somebody(&format!("owner of operator {operator}"))
}

/// The node of an operator.
pub fn node(operator: u64) -> anyhow::Result<Signer> {
    Ok(Signer::from_bytes(keccak256(format!("node of operator {operator}")).0)?)
}

/// Holds every token at first.
fn treasury() -> Address {
    somebody("treasury")
}

/// The key that an operator registers with; `generation` counts its rotations.
pub fn bls(operator: u64, generation: u64) -> SecretKey {
    SecretKey::from_seed(&keccak256(format!("key {generation} of operator {operator}")).0)
}

impl World {
    pub async fn new() -> anyhow::Result<Self> {
        let chain = Chain::start().await?;
        let parameters = Parameters {
            token: Token::New { holder: treasury(), supply: U256::from(1_000_000_000 * DATA) },
            stream_registry: None,
            genesis: Some(BEGINNING),
            terms: terms(),
        };
        let deployer = somebody("deployer");
        // What we send costs nothing; what this sends has a fee.
        chain.provider().anvil_set_balance(deployer, U256::from(DATA)).await?;
        let at = deployment::deploy(chain.provider(), deployer, &parameters).await?;
        let domain = at.domain();
        Ok(Self { chain, at, domain })
    }

    /// Goes to the start of an epoch.
    pub async fn enter(&self, epoch: u64) -> anyhow::Result<()> {
        self.chain.enter(BEGINNING + epoch * EPOCH).await
    }

    pub async fn call<C: SolCall>(
        &self,
        from: Address,
        to: Address,
        call: C,
    ) -> anyhow::Result<TransactionReceipt> {
        self.chain.send(from, Some(to), call.abi_encode().into()).await
    }

    /// Gives `to` so many wei of tokens.
    pub async fn fund(&self, to: Address, amount: u128) -> anyhow::Result<()> {
        let call = DataToken::transferCall { to, value: U256::from(amount) };
        self.call(treasury(), self.at.token, call).await?;
        Ok(())
    }

    /// Gives `from` more than `amount` wei of tokens, and `spender` the right to take exactly `amount`.
    pub async fn approve(&self, from: Address, spender: Address, amount: u128) -> anyhow::Result<()> {
        self.fund(from, amount + DATA).await?;
        let call = DataToken::approveCall { spender, value: U256::from(amount) };
        self.call(from, self.at.token, call).await?;
        Ok(())
    }

    /// The signature by which `owner` shows that it holds a key.
    pub fn possession(&self, owner: Address, secret: &SecretKey) -> [U256; 2] {
        let key = secret.public_key();
        let claim = BlsKey { owner, g1: key.g1_abi(), g2: key.g2_abi() };
        secret.prove_possession(&self.domain.digest(&claim)).abi()
    }

    /// Operators from the first id to the last, each with a node and stake.
    pub async fn operators(&self, first: u64, last: u64) -> anyhow::Result<()> {
        for id in first..=last {
            let (owner, node) = (owner(id), node(id)?);
            self.call(owner, self.at.staking, self.registration(owner, &bls(id, 0))).await?;
            self.call(owner, self.at.staking, self.node_call(id, owner, &node)).await?;
            self.approve(owner, self.at.staking, STAKE).await?;
            self.call(owner, self.at.staking, Staking::stakeCall { operatorId: id, amount: STAKE }).await?;
        }
        Ok(())
    }

    pub fn registration(&self, owner: Address, secret: &SecretKey) -> Staking::registerCall {
        let key = secret.public_key();
        Staking::registerCall {
            g1: key.g1_abi(),
            g2: key.g2_abi(),
            possession: self.possession(owner, secret),
            commissionBps: COMMISSION_BPS,
        }
    }

    pub fn node_call(&self, operator: u64, owner: Address, node: &Signer) -> Staking::addNodeCall {
        let digest = self.domain.digest(&NodeConsent { owner, node: node.address() });
        Staking::addNodeCall {
            operatorId: operator,
            node: node.address(),
            consent: node.sign(&digest).as_bytes().to_vec().into(),
        }
    }

    /// The checkpoint in force in an epoch.
    pub async fn checkpoint(&self, epoch: u64) -> anyhow::Result<u64> {
        Ok(self.chain.read(self.at.staking, Staking::setAtCall { epoch }).await?.fromEpoch)
    }

    /// A certificate of operators `1..=count` but the absentees, whose keys are their first.
    pub fn certify(&self, count: u64, absentees: &[u64], digest: B256) -> anyhow::Result<Certified> {
        let away: BTreeSet<u64> = absentees.iter().copied().collect();
        let keys: Vec<PublicKey> = (1..=count).map(|id| bls(id, 0).public_key()).collect();
        let signers: Vec<SecretKey> =
            (1..=count).filter(|id| !away.contains(id)).map(|id| bls(id, 0)).collect();
        let signed: Vec<PublicKey> = signers.iter().map(SecretKey::public_key).collect();
        let signatures: Vec<Signature> = signers.iter().map(|secret| secret.sign(&digest)).collect();
        Ok(Certified {
            absentees: absentees.to_vec(),
            keys: absentees.iter().map(|id| bls(*id, 0).public_key().g1_abi()).collect(),
            aggregate: aggregate_keys(&keys)?.g1_abi(),
            apk: aggregate_keys(&signed)?.g2_abi(),
            signature: aggregate_signatures(&signatures)?.abi(),
        })
    }
}

/// As planned for Polygon: windows of one and two weeks.
fn terms() -> Terms {
    Terms {
        epoch_length_s: EPOCH,
        min_stake: 10_000 * DATA,
        min_self_bps: 1_000,
        unbonding_epochs: 14 * 24,
        vesting_period_s: 24 * EPOCH,
        lapse_epochs: 7 * 24,
        slash_bps: 1_000,
        fault_bps: 100,
        bounty_bps: 1_000,
        return_bps: 3_000,
        evidence_epochs: 12 * 24,
        attester_bps: 500,
        availability_bps: 5_000,
    }
}
