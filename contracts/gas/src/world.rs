//! A deployment with fixed parameters and actors on a chain of its own.
//!
//! Everybody is an address made from a name; only node keys and BLS keys sign.

use alloy::{
    primitives::{Address, B256, Bytes, U256, keccak256},
    rpc::types::TransactionReceipt,
    sol_types::{SolCall, SolConstructor},
};
use std::collections::BTreeSet;
use tatum_protocol::{
    bls::{PublicKey, SecretKey, Signature, aggregate_keys, aggregate_signatures},
    eip712::{
        Domain,
        types::{BlsKey, NodeConsent},
    },
    secp::Signer,
};

use crate::{
    abi::{DataToken, Settlement, Slashing, Sponsorships, Staking, StreamRegistry, slashing::ISlashing},
    chain::{BEGINNING, Chain},
};

pub const DATA: u128 = 1_000_000_000_000_000_000;
/// Seconds of an epoch, as planned for Polygon.
pub const EPOCH: u64 = 3_600;
/// Part of what a pool earns that its operator takes.
pub const COMMISSION_BPS: u16 = 1_000;
/// Own stake of the operators set up here.
pub const STAKE: u128 = 100_000 * DATA;

/// Where the contracts are.
#[derive(Debug, Clone, Copy)]
pub struct Contracts {
    pub token: Address,
    pub staking: Address,
    pub sponsorships: Address,
    pub settlement: Address,
    pub slashing: Address,
    pub registry: Address,
}

#[derive(Debug)]
pub struct World {
    pub chain: Chain,
    pub at: Contracts,
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
        let deployer = somebody("deployer");
        let [token, staking, sponsorships, settlement, slashing, registry] =
            [0, 1, 2, 3, 4, 5].map(|nonce| deployer.create(nonce));
        let at = Contracts { token, staking, sponsorships, settlement, slashing, registry };
        let domain = Domain::new(chain.chain_id().await?, slashing);
        for code in creations(&at) {
            chain.send(deployer, None, code).await?;
        }
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

/// Init code with arguments, in the order of the deployer's nonces.
fn creations(at: &Contracts) -> [Bytes; 6] {
    let supply = U256::from(1_000_000_000 * DATA);
    let staking = Staking::Parameters {
        token: at.token,
        settlement: at.settlement,
        slashing: at.slashing,
        genesis: BEGINNING,
        epochLength: EPOCH,
        minStake: 10_000 * DATA,
        minSelfBps: 1_000,
        unbondingEpochs: 14 * 24,
        vestingPeriod: 24 * EPOCH,
    };
    let slashing = ISlashing::Parameters {
        token: at.token,
        staking: at.staking,
        sponsorships: at.sponsorships,
        settlement: at.settlement,
        genesis: BEGINNING,
        epochLength: EPOCH,
        slashBps: 1_000,
        faultBps: 100,
        bountyBps: 1_000,
        returnBps: 3_000,
        evidenceEpochs: 12 * 24,
    };
    let sponsorships = Sponsorships::constructorCall {
        token_: at.token,
        settlement_: at.settlement,
        slashing_: at.slashing,
        genesis_: BEGINNING,
        epochLength_: EPOCH,
        lapseEpochs_: 7 * 24,
    };
    let settlement = Settlement::constructorCall {
        staking_: at.staking,
        sponsorships_: at.sponsorships,
        slashing_: at.slashing,
        genesis_: BEGINNING,
        epochLength_: EPOCH,
        attesterBps_: 500,
        availabilityBps_: 5_000,
    };
    [
        with(&DataToken::BYTECODE, DataToken::constructorCall { holder: treasury(), supply }),
        with(&Staking::BYTECODE, Staking::constructorCall { p: staking }),
        with(&Sponsorships::BYTECODE, sponsorships),
        with(&Settlement::BYTECODE, settlement),
        with(&Slashing::BYTECODE, Slashing::constructorCall { p: slashing }),
        StreamRegistry::BYTECODE.clone(),
    ]
}

fn with(code: &Bytes, arguments: impl SolConstructor) -> Bytes {
    [code.as_ref(), &arguments.abi_encode()].concat().into()
}
