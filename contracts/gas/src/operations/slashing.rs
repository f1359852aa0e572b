//! Proofs of offences, and their execution.

use alloy::{
    primitives::{Address, B256, U256, keccak256},
    sol_types::SolStruct,
};
use anyhow::Context;
use tatum_protocol::{
    eip712::types::{BandwidthReceipt, DeliveryReceipt, Fault, Payout, Volume},
    merkle::MerkleTree,
    receipt,
    secp::Signature,
};

use super::{
    Bench, Target, at_most,
    settlement::{FULL, SETTLED, every},
    sponsorships::stream,
};
use tatum_contracts::abi::{Slashing, slashing::ISlashing::Harm};

use crate::world::{Certified, World, bls, node, somebody};

const PROOF: Option<Target> = at_most(80_000);
const EPOCH: u64 = SETTLED;
/// Who breaks the protocol, and whom it deals with.
const OPERATOR: u64 = 3;
const PEER: u64 = 5;
/// The sponsorship that is harmed, and its partition.
const SPONSORSHIP: u64 = 1;
const PARTITION: u32 = 2;
/// Stream parts in a receipt.
const LEAVES: u8 = 16;

/// The key of the harmed stream part.
fn harmed_part() -> B256 {
    keccak256(format!("{}#{PARTITION}", stream(SPONSORSHIP)))
}

fn harm() -> Harm {
    Harm { sponsorshipId: SPONSORSHIP, streamId: stream(SPONSORSHIP), partition: PARTITION }
}

/// Totals of the harmed stream part.
#[derive(Clone, Copy)]
struct Totals {
    messages: u64,
    bytes: u64,
}

const TOTALS: Totals = Totals { messages: 12_345, bytes: 2_469_000 };
const MORE: Totals = Totals { messages: 12_346, bytes: 2_469_200 };

impl Totals {
    fn credit(self) -> receipt::Credit {
        let part = harmed_part();
        receipt::Credit { part, messages: self.messages, bytes: self.bytes, served_bytes: self.bytes }
    }

    fn delivery(self) -> receipt::Delivery {
        let custody = keccak256("custody");
        receipt::Delivery { part: harmed_part(), messages: self.messages, bytes: self.bytes, custody }
    }
}

/// A list with this leaf and others: its root and the leaf's proof.
fn opened(leaf: B256) -> anyhow::Result<(B256, Vec<B256>)> {
    let others = (1..LEAVES).map(|n| keccak256([n]));
    let tree = MerkleTree::new(others.chain([leaf]).collect());
    Ok((tree.root(), tree.proof(&leaf).context("the leaf is in the tree")?))
}

/// The offender's node's signature.
fn sign(world: &World, statement: &impl SolStruct) -> anyhow::Result<Signature> {
    Ok(node(OPERATOR)?.sign(&world.domain.digest(statement)))
}

/// As `r` and `vs` (EIP-2098).
fn compact(signature: &Signature) -> (B256, B256) {
    let (r, rest) = signature.as_bytes().split_at(32);
    let (s, v) = rest.split_at(32);
    let odd = if v == [28] { U256::ONE << 255 } else { U256::ZERO };
    (B256::from_slice(r), (U256::from_be_slice(s) | odd).into())
}

fn bytes(signature: &Signature) -> alloy::primitives::Bytes {
    signature.as_bytes().to_vec().into()
}

fn bandwidth(sequence: u32, credits_root: B256) -> anyhow::Result<BandwidthReceipt> {
    Ok(BandwidthReceipt {
        epoch: EPOCH,
        relayer: node(PEER)?.address(),
        receiver: node(OPERATOR)?.address(),
        sequence,
        creditsRoot: credits_root,
    })
}

fn delivery(deliveries_root: B256) -> anyhow::Result<DeliveryReceipt> {
    Ok(DeliveryReceipt { epoch: EPOCH, receiver: node(OPERATOR)?.address(), deliveriesRoot: deliveries_root })
}

fn bandwidth_abi(r: BandwidthReceipt) -> Slashing::BandwidthReceipt {
    let BandwidthReceipt { epoch, relayer, receiver, sequence, creditsRoot } = r;
    Slashing::BandwidthReceipt { epoch, relayer, receiver, sequence, creditsRoot }
}

fn delivery_abi(r: DeliveryReceipt) -> Slashing::DeliveryReceipt {
    let DeliveryReceipt { epoch, receiver, deliveriesRoot } = r;
    Slashing::DeliveryReceipt { epoch, receiver, deliveriesRoot }
}

fn credit_abi(c: receipt::Credit) -> Slashing::Credit {
    Slashing::Credit {
        streamPart: c.part,
        messages: c.messages,
        bytes_: c.bytes,
        servedBytes: c.served_bytes,
    }
}

fn delivered_abi(d: receipt::Delivery) -> Slashing::Delivery {
    Slashing::Delivery { streamPart: d.part, messages: d.messages, bytes_: d.bytes, custody: d.custody }
}

impl From<Certified> for Slashing::Certificate {
    fn from(c: Certified) -> Self {
        let Certified { absentees, keys, aggregate, apk, signature } = c;
        Self { absentees, keys, aggregate, apk, signature }
    }
}

fn equivocation(world: &World, execute: bool) -> anyhow::Result<Slashing::receiptEquivocationCall> {
    let roots = [keccak256("one list of credits"), keccak256("another")];
    let [a, b] = roots.map(|root| bandwidth(7, root).and_then(|receipt| sign(world, &receipt)));
    let (a, b) = (compact(&a?), compact(&b?));
    Ok(Slashing::receiptEquivocationCall {
        epoch: EPOCH,
        relayer: node(PEER)?.address(),
        receiver: node(OPERATOR)?.address(),
        sequence: 7,
        creditsRoots: roots,
        r: [a.0, b.0],
        vs: [a.1, b.1],
        thenExecute: execute,
    })
}

fn regression(world: &World, execute: bool) -> anyhow::Result<Slashing::receiptRegressionCall> {
    let (credit_a, credit_b) = (MORE.credit(), TOTALS.credit());
    let (root_a, proof_a) = opened(credit_a.leaf())?;
    let (root_b, proof_b) = opened(credit_b.leaf())?;
    let (earlier, later) = (bandwidth(7, root_a)?, bandwidth(8, root_b)?);
    Ok(Slashing::receiptRegressionCall {
        signatureA: bytes(&sign(world, &earlier)?),
        signatureB: bytes(&sign(world, &later)?),
        earlier: bandwidth_abi(earlier),
        creditA: credit_abi(credit_a),
        proofA: proof_a,
        later: bandwidth_abi(later),
        creditB: credit_abi(credit_b),
        proofB: proof_b,
        harm: harm(),
        thenExecute: execute,
    })
}

fn delivery_equivocation(world: &World, execute: bool) -> anyhow::Result<Slashing::deliveryEquivocationCall> {
    let (a, b) = (delivery(keccak256("one list of deliveries"))?, delivery(keccak256("another"))?);
    Ok(Slashing::deliveryEquivocationCall {
        signatureA: bytes(&sign(world, &a)?),
        signatureB: bytes(&sign(world, &b)?),
        a: delivery_abi(a),
        b: delivery_abi(b),
        thenExecute: execute,
    })
}

fn over_credit(world: &World, execute: bool) -> anyhow::Result<Slashing::overCreditCall> {
    let (credit, delivered) = (MORE.credit(), TOTALS.delivery());
    let (credits_root, proof_a) = opened(credit.leaf())?;
    let (deliveries_root, proof_b) = opened(delivered.leaf())?;
    let (receipt, delivery) = (bandwidth(7, credits_root)?, delivery(deliveries_root)?);
    Ok(Slashing::overCreditCall {
        signatureA: bytes(&sign(world, &receipt)?),
        signatureB: bytes(&sign(world, &delivery)?),
        receipt: bandwidth_abi(receipt),
        credit: credit_abi(credit),
        proofA: proof_a,
        delivery: delivery_abi(delivery),
        delivered: delivered_abi(delivered),
        proofB: proof_b,
        harm: harm(),
        thenExecute: execute,
    })
}

/// The offender's BLS signatures of two statements.
fn attested(world: &World, a: &impl SolStruct, b: &impl SolStruct) -> (Slashing::Attestation, [U256; 2]) {
    let secret = bls(OPERATOR, 0);
    let key = secret.public_key();
    let [a, b] = [world.domain.digest(a), world.domain.digest(b)].map(|digest| secret.sign(&digest).abi());
    (Slashing::Attestation { g1: key.g1_abi(), g2: key.g2_abi(), signature: a }, b)
}

fn volume_equivocation(world: &World, checkpoint: u64, execute: bool) -> Slashing::volumeEquivocationCall {
    let [a, b] = [TOTALS, MORE].map(|totals| Volume {
        epoch: EPOCH,
        checkpoint,
        streamPart: harmed_part(),
        setDigest: keccak256(totals.messages.to_be_bytes()),
        messages: totals.messages,
        bytes: totals.bytes,
    });
    let (attestation, signature_b) = attested(world, &a, &b);
    let [volume_a, volume_b] = [a, b].map(|v| Slashing::Volume {
        epoch: v.epoch,
        checkpoint: v.checkpoint,
        streamPart: v.streamPart,
        setDigest: v.setDigest,
        messages: v.messages,
        bytes_: v.bytes,
    });
    Slashing::volumeEquivocationCall {
        volumeA: volume_a,
        volumeB: volume_b,
        a: attestation,
        signatureB: signature_b,
        harm: harm(),
        thenExecute: execute,
    }
}

fn payout_equivocation(world: &World, checkpoint: u64, execute: bool) -> Slashing::payoutEquivocationCall {
    let [a, b] = ["one root", "another"].map(|root| Payout {
        epoch: EPOCH,
        checkpoint,
        root: keccak256(root),
        total: U256::from_be_bytes(keccak256("a total").0) >> 160,
    });
    let (attestation, signature_b) = attested(world, &a, &b);
    let [payout_a, payout_b] = [a, b].map(|p| Slashing::Payout {
        epoch: p.epoch,
        checkpoint: p.checkpoint,
        root: p.root,
        total: p.total,
    });
    Slashing::payoutEquivocationCall {
        payoutA: payout_a,
        payoutB: payout_b,
        a: attestation,
        signatureB: signature_b,
        thenExecute: execute,
    }
}

fn fault(
    world: &World,
    checkpoint: u64,
    absentees: &[u64],
    execute: bool,
) -> anyhow::Result<Slashing::faultCall> {
    let statement = Fault { epoch: EPOCH, checkpoint, streamPart: harmed_part(), operatorId: OPERATOR };
    Ok(Slashing::faultCall {
        epoch: EPOCH,
        streamPart: harmed_part(),
        operatorId: OPERATOR,
        certificate: world.certify(FULL, absentees, world.domain.digest(&statement))?.into(),
        harm: harm(),
        thenExecute: execute,
    })
}

fn reporter() -> Address {
    somebody("reporter")
}

/// Measures a proof without and with its execution.
macro_rules! both {
    ($bench:ident, $name:literal, $target:expr, |$execute:ident| $call:expr) => {
        let to = $bench.world.at.slashing;
        for ($execute, target, suffix) in [(false, $target, ""), (true, None, ", with execution")] {
            let snapshot = $bench.world.chain.snapshot().await?;
            let call = $call;
            $bench.measure(format!("{}{suffix}", $name), target, reporter(), to, call).await?;
            $bench.world.chain.revert(snapshot).await?;
        }
    };
}

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let start = bench.world.chain.snapshot().await?;
    bench.world.enter(EPOCH + 2).await?;
    let checkpoint = bench.world.checkpoint(EPOCH).await?;
    both!(bench, "receipt equivocation", PROOF, |execute| equivocation(&bench.world, execute)?);
    both!(bench, "receipt regression", None, |execute| regression(&bench.world, execute)?);
    both!(bench, "delivery equivocation", None, |execute| delivery_equivocation(&bench.world, execute)?);
    both!(bench, "over-credit", None, |execute| over_credit(&bench.world, execute)?);
    both!(bench, "volume equivocation", None, |execute| volume_equivocation(
        &bench.world,
        checkpoint,
        execute
    ));
    both!(bench, "payout equivocation", None, |execute| payout_equivocation(
        &bench.world,
        checkpoint,
        execute
    ));
    let absentees = every(7);
    both!(bench, "fault, 9 of 64 absent", None, |execute| fault(
        &bench.world,
        checkpoint,
        &absentees,
        execute
    )?);

    let proof = equivocation(&bench.world, false)?;
    let (relayer, receiver) = (proof.relayer, proof.receiver);
    bench.world.call(reporter(), bench.world.at.slashing, proof).await?;
    let slot = Slashing::receiptSlotCall { epoch: EPOCH, relayer, receiver };
    let slot = bench.world.chain.read(bench.world.at.slashing, slot).await?;
    let to = bench.world.at.slashing;
    bench.measure("execute", None, somebody("executor"), to, Slashing::executeCall { slot }).await?;
    bench.world.chain.revert(start).await
}
