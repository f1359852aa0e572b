//! Posting payout roots and pushing payouts.

use alloy::primitives::{B256, U256, keccak256};
use anyhow::Context;
use tatum_protocol::{
    eip712::types::Payout,
    merkle::{MerkleTree, leaf_hash},
};

use super::{Bench, Target, at_most, sponsorships::sponsor};
use tatum_contracts::abi::{Settlement, Sponsorships, Staking};

use crate::world::{Certified, DATA, somebody};

/// Operators in the set from here on, and sponsorships that run; each fills a chunk.
pub(super) const FULL: u64 = 64;
/// The last epoch that is settled here; the next one is under way.
pub(super) const SETTLED: u64 = 11;
/// An operator that has shared pay out before, and was paid again since.
pub(super) const OPERATOR: u64 = 1;
const POST: Option<Target> = at_most(290_000);
const PUSH: Option<Target> = Some(Target { gas: 10_000, count: FULL });
/// A tree for about a thousand accounts.
const CHUNKS: usize = 16;

/// Kinds of entries.
const PAYOUT: u64 = 1;
const REFUND: u64 = 2;

/// Chunks of payouts, filled up with others that are not pushed.
struct Tree {
    chunks: Vec<Vec<U256>>,
    tree: MerkleTree,
}

impl Tree {
    fn new(chunks: Vec<Vec<U256>>) -> Self {
        let others = chunks.len()..CHUNKS;
        let leaves = chunks.iter().map(|chunk| leaf(chunk));
        let leaves = leaves.chain(others.map(|n| keccak256(format!("chunk {n}")))).collect();
        Self { tree: MerkleTree::new(leaves), chunks }
    }

    fn push(&self, n: usize) -> anyhow::Result<Settlement::pushCall> {
        let entries = self.chunks.get(n).context("no such chunk")?.clone();
        let proof = self.tree.proof(&leaf(&entries)).context("the chunk is in the tree")?;
        Ok(Settlement::pushCall { entries, proof })
    }
}

fn leaf(chunk: &[U256]) -> B256 {
    use alloy::sol_types::SolValue;
    leaf_hash(&chunk.to_vec().abi_encode())
}

/// Entries of the first `count` accounts of a kind after so many epochs of pay, with all their digits.
fn entries(kind: u64, count: u64, epochs: u128) -> Vec<U256> {
    let entry = |id: u64| {
        let digits = U256::from_be_bytes(keccak256(format!("amount {kind} {id}")).0) % U256::from(DATA);
        (U256::from(kind) << 248) | (U256::from(id) << 128) | (U256::from(epochs * DATA) + digits)
    };
    (1..=count).map(entry).collect()
}

/// Every `n`-th operator.
pub(super) fn every(n: u64) -> Vec<u64> {
    (1..=FULL).filter(|id| id % n == 0).collect()
}

impl From<Certified> for Settlement::Certificate {
    fn from(c: Certified) -> Self {
        let Certified { absentees, keys, aggregate, apk, signature } = c;
        Self { absentees, keys, aggregate, apk, signature }
    }
}

/// The post of an epoch's root, signed by operators `1..=count` but the absentees.
async fn post(
    bench: &Bench,
    epoch: u64,
    root: B256,
    count: u64,
    absentees: &[u64],
) -> anyhow::Result<Settlement::postCall> {
    let world = &bench.world;
    let checkpoint = world.checkpoint(epoch).await?;
    let total = world.chain.read(world.at.sponsorships, Sponsorships::payableThroughCall { epoch }).await?;
    let digest = world.domain.digest(&Payout { epoch, checkpoint, root, total });
    let certificate = world.certify(count, absentees, digest)?.into();
    Ok(Settlement::postCall { epoch, root_: root, total_: total, certificate })
}

impl Bench {
    async fn post(&self, epoch: u64, root: B256, count: u64) -> anyhow::Result<()> {
        let call = post(self, epoch, root, count, &[]).await?;
        self.world.call(somebody("settlement"), self.world.at.settlement, call).await?;
        Ok(())
    }

    async fn measure_post(
        &mut self,
        name: &str,
        target: Option<Target>,
        epoch: u64,
        count: u64,
        absentees: &[u64],
    ) -> anyhow::Result<()> {
        let snapshot = self.world.chain.snapshot().await?;
        let call = post(self, epoch, keccak256(name), count, absentees).await?;
        self.measure(name, target, somebody("settlement"), self.world.at.settlement, call).await?;
        self.world.chain.revert(snapshot).await
    }

    async fn measure_push(
        &mut self,
        name: &str,
        target: Option<Target>,
        tree: &Tree,
        chunk: usize,
    ) -> anyhow::Result<()> {
        let snapshot = self.world.chain.snapshot().await?;
        let (from, to) = (somebody("settlement"), self.world.at.settlement);
        self.measure(name, target, from, to, tree.push(chunk)?).await?;
        self.world.chain.revert(snapshot).await
    }

    async fn push(&self, tree: &Tree, chunk: usize) -> anyhow::Result<()> {
        self.world.call(somebody("settlement"), self.world.at.settlement, tree.push(chunk)?).await?;
        Ok(())
    }
}

/// Leaves the set full, and everybody paid through [`SETTLED`].
pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    posts(bench).await?;
    pushes(bench).await
}

async fn posts(bench: &mut Bench) -> anyhow::Result<()> {
    bench.world.operators(1, 4).await?;
    for n in 1..=FULL {
        sponsor(&bench.world, n).await?;
    }
    bench.world.enter(4).await?;
    // A root is never zero in use: posting replaces one.
    let before = keccak256("the root before");
    bench.post(2, before, 4).await?;
    bench.measure_post("post, 4 operators", None, 3, 4, &[]).await?;
    bench.world.operators(5, 16).await?;
    bench.world.enter(7).await?;
    bench.post(5, before, 4).await?;
    bench.measure_post("post, 16 operators", None, 6, 16, &[]).await?;
    bench.world.operators(17, FULL).await?;
    bench.world.enter(11).await?;
    bench.post(9, before, FULL).await?;
    bench.measure_post("post, 64 operators", POST, 10, FULL, &[]).await?;
    bench.measure_post("post, 64 operators, 9 absent", POST, 10, FULL, &every(7)).await?;
    bench.measure_post("post, 64 operators, 21 absent", None, 10, FULL, &every(3)).await?;
    let snapshot = bench.world.chain.snapshot().await?;
    bench.world.enter(34).await?;
    bench.measure_post("post, 64 operators, 24 epochs at once", None, 33, FULL, &[]).await?;
    bench.world.chain.revert(snapshot).await
}

async fn pushes(bench: &mut Bench) -> anyhow::Result<()> {
    let first = Tree::new(vec![entries(PAYOUT, FULL, 2), entries(REFUND, FULL, 2)]);
    bench.post(10, first.tree.root(), FULL).await?;
    bench.measure_push("push, 64 operators for the first time", PUSH, &first, 0).await?;
    bench.push(&first, 0).await?;
    bench.push(&first, 1).await?;
    let share = Staking::syncCall { operatorId: OPERATOR };
    bench.world.call(somebody("settlement"), bench.world.at.staking, share).await?;

    bench.world.enter(SETTLED + 1).await?;
    let half: Vec<U256> = [entries(PAYOUT, FULL / 2, 3), entries(REFUND, FULL / 2, 3)].concat();
    let next = Tree::new(vec![
        entries(PAYOUT, FULL, 3),
        entries(PAYOUT, 16, 3),
        entries(PAYOUT, 1, 3),
        half,
        entries(REFUND, FULL, 3),
    ]);
    bench.post(SETTLED, next.tree.root(), FULL).await?;
    bench.measure_push("push, 64 operators", PUSH, &next, 0).await?;
    bench.measure_push("push, 16 operators", None, &next, 1).await?;
    bench.measure_push("push, 1 operator", None, &next, 2).await?;
    bench.measure_push("push, 32 operators and 32 refunds", None, &next, 3).await?;
    bench.measure_push("push, 64 refunds", None, &next, 4).await?;
    bench.push(&next, 0).await
}
