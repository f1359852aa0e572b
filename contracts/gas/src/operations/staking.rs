//! Operators, stake and delegation.

use alloy::{
    primitives::{Bytes, U256, keccak256},
    sol_types::{SolValue, eip712_domain},
};
use tatum_protocol::secp::Signer;

use super::{
    Bench, Target, at_most,
    settlement::{OPERATOR, SETTLED},
};
use tatum_contracts::abi::{DataToken, Staking};

use crate::{
    chain::BEGINNING,
    world::{COMMISSION_BPS, DATA, EPOCH, World, bls, node, owner, somebody},
};

const STAKE: Option<Target> = at_most(150_000);
const DELEGATE: Option<Target> = at_most(120_000);
const AMOUNT: u128 = 10_000 * DATA;
/// One that is registered here.
const NEWCOMER: u64 = 65;
/// Registered after it.
const NEXT: u64 = 66;
const UNBONDING: u64 = 14 * 24;

alloy::sol! {
    /// ERC-2612.
    struct Permit {
        address owner;
        address spender;
        uint256 value;
        uint256 nonce;
        uint256 deadline;
    }
}

/// A holder of tokens with a key.
fn holder(name: &str) -> anyhow::Result<Signer> {
    Ok(Signer::from_bytes(keccak256(name).0)?)
}

/// The deadline of a permit of `AMOUNT` for Staking, and the signature's parts.
async fn permit(world: &World, signer: &Signer) -> anyhow::Result<(U256, u8, U256, U256)> {
    use alloy::sol_types::SolStruct;
    let deadline = U256::from(BEGINNING + 365 * 24 * EPOCH);
    let domain = eip712_domain! {
        name: "DATA (development)",
        version: "1",
        chain_id: world.chain.chain_id().await?,
        verifying_contract: world.at.token,
    };
    let value = U256::from(AMOUNT);
    let owner = signer.address();
    let permit = Permit { owner, spender: world.at.staking, value, nonce: U256::ZERO, deadline };
    let signature = signer.sign(&permit.eip712_signing_hash(&domain));
    let (r, rest) = signature.as_bytes().split_at(32);
    let (s, v) = rest.split_at(32);
    let v = if v == [27] { 27 } else { 28 };
    Ok((deadline, v, U256::from_be_slice(r), U256::from_be_slice(s)))
}

fn delegate() -> Staking::delegateCall {
    Staking::delegateCall { operatorId: OPERATOR, amount: AMOUNT }
}

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let snapshot = bench.world.chain.snapshot().await?;
    // The first change of the set in its epoch: the dearer kind.
    bench.world.enter(SETTLED + 2).await?;
    identity(bench).await?;
    bench.world.chain.revert(snapshot).await?;
    let snapshot = bench.world.chain.snapshot().await?;
    bench.world.enter(SETTLED + 2).await?;
    delegations(bench).await?;
    bench.world.chain.revert(snapshot).await
}

async fn identity(bench: &mut Bench) -> anyhow::Result<()> {
    let to = bench.world.at.staking;
    let (new, signer) = (owner(NEWCOMER), node(NEWCOMER)?);
    let call = bench.world.registration(new, &bls(NEWCOMER, 0));
    bench.measure("register", None, new, to, call).await?;
    let call = bench.world.node_call(NEWCOMER, new, &signer);
    bench.measure("add node", None, new, to, call).await?;
    bench.world.approve(new, to, AMOUNT).await?;
    let call = Staking::stakeCall { operatorId: NEWCOMER, amount: AMOUNT };
    bench.measure("stake, first of an operator", STAKE, new, to, call).await?;
    bench.world.approve(new, to, AMOUNT).await?;
    let call = Staking::stakeCall { operatorId: NEWCOMER, amount: AMOUNT };
    bench.measure("stake, second in one epoch", STAKE, new, to, call).await?;

    bench.world.enter(SETTLED + 3).await?;
    let (old, id) = (owner(OPERATOR), OPERATOR);
    bench.world.approve(old, to, AMOUNT).await?;
    let call = Staking::stakeCall { operatorId: id, amount: AMOUNT };
    bench.measure("stake, with pay to share out", STAKE, old, to, call).await?;
    bench.world.enter(SETTLED + 4).await?;
    bench.world.approve(old, to, AMOUNT).await?;
    let call = Staking::stakeCall { operatorId: id, amount: AMOUNT };
    bench.measure("stake, later", STAKE, old, to, call).await?;

    let signer = holder("owner with a key")?;
    let call = bench.world.registration(signer.address(), &bls(NEXT, 0));
    bench.world.call(signer.address(), to, call).await?;
    bench.world.fund(signer.address(), 2 * AMOUNT).await?;
    let (deadline, v, r, s) = permit(&bench.world, &signer).await?;
    let call = Staking::stakeWithPermitCall {
        operatorId: NEXT,
        amount: AMOUNT,
        deadline,
        v,
        r: r.into(),
        s: s.into(),
    };
    bench.measure("stake by permit, first of an operator", STAKE, signer.address(), to, call).await?;

    bench.world.enter(SETTLED + 5).await?;
    let secret = bls(id, 1);
    let key = secret.public_key();
    let possession = bench.world.possession(old, &secret);
    let call = Staking::rotateKeyCall { operatorId: id, g1: key.g1_abi(), g2: key.g2_abi(), possession };
    bench.measure("rotate key", None, old, to, call).await?;
    let call = Staking::announceCommissionCall { operatorId: id, bps: COMMISSION_BPS / 2 };
    bench.measure("announce commission", None, old, to, call).await?;
    let call = Staking::transferOwnershipCall { operatorId: id, candidate: somebody("buyer") };
    bench.measure("offer ownership", None, old, to, call).await?;
    let call = Staking::acceptOwnershipCall { operatorId: id };
    bench.measure("accept ownership", None, somebody("buyer"), to, call).await?;
    let call = Staking::removeNodeCall { operatorId: id, node: node(id)?.address() };
    bench.measure("remove node", None, somebody("buyer"), to, call).await?;
    let buyer = somebody("buyer");
    let call = Staking::unstakeCall { operatorId: id, amount: AMOUNT };
    bench.measure("unstake", None, buyer, to, call).await?;

    bench.world.enter(SETTLED + 6 + UNBONDING).await?;
    bench
        .measure("apply commission", None, buyer, to, Staking::applyCommissionCall { operatorId: id })
        .await?;
    let request = bench.world.chain.read(to, Staking::requestCountCall {}).await?;
    bench.measure("withdraw own stake", None, buyer, to, Staking::withdrawCall { requestId: request }).await
}

async fn delegations(bench: &mut Bench) -> anyhow::Result<()> {
    let (to, token) = (bench.world.at.staking, bench.world.at.token);
    let (first, later, id) = (somebody("delegator 1"), somebody("delegator 2"), OPERATOR);
    let snapshot = bench.world.chain.snapshot().await?;
    bench.world.approve(first, to, AMOUNT).await?;
    let name = "delegate, first of a delegator, with pay to share out";
    bench.measure(name, DELEGATE, first, to, delegate()).await?;
    bench.world.approve(later, to, AMOUNT).await?;
    bench.measure("delegate, first of a delegator", DELEGATE, later, to, delegate()).await?;
    bench.world.approve(later, to, AMOUNT).await?;
    bench.measure("delegate, later", DELEGATE, later, to, delegate()).await?;

    let signer = holder("delegator with a key")?;
    bench.world.fund(signer.address(), 2 * AMOUNT).await?;
    let (deadline, v, r, s) = permit(&bench.world, &signer).await?;
    let call = Staking::delegateWithPermitCall {
        operatorId: id,
        amount: AMOUNT,
        deadline,
        v,
        r: r.into(),
        s: s.into(),
    };
    let name = "delegate by permit, first of a delegator";
    bench.measure(name, DELEGATE, signer.address(), to, call).await?;
    let sender = somebody("delegator 3");
    bench.world.fund(sender, 2 * AMOUNT).await?;
    const DELEGATION: u8 = 2;
    let data: Bytes = (U256::from(DELEGATION), U256::from(id)).abi_encode().into();
    let call = DataToken::transferAndCallCall { to, value: U256::from(AMOUNT), data };
    let name = "delegate by transferAndCall, first of a delegator";
    bench.measure(name, DELEGATE, sender, token, call).await?;

    bench.measure("sync", None, first, to, Staking::syncCall { operatorId: id }).await?;
    let call = Staking::undelegateCall { operatorId: id, amount: AMOUNT / 2 };
    bench.measure("undelegate a part", None, later, to, call).await?;
    let call = Staking::undelegateCall { operatorId: id, amount: u128::MAX };
    bench.measure("undelegate all", None, sender, to, call).await?;
    let request = bench.world.chain.read(to, Staking::requestCountCall {}).await?;
    bench.world.enter(SETTLED + 3 + UNBONDING).await?;
    let call = Staking::withdrawCall { requestId: request };
    bench.measure("withdraw a delegation", None, sender, to, call).await?;
    bench.world.chain.revert(snapshot).await?;
    bench.measure("sync, with pay to share out", None, first, to, Staking::syncCall { operatorId: id }).await
}
