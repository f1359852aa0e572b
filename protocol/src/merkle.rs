//! The one Merkle tree of the protocol: credits, deliveries and payout chunks.
//!
//! Layout of OpenZeppelin's `StandardMerkleTree`, so its libraries can make and check our proofs: leaves are double-hashed
//! (no inner node can pass as a leaf) and sorted, inner nodes hash their children in sorted order (a proof is a plain list).
//!
//! Which list a root belongs to is said by the signed structure that carries it, never by the tree.

use alloy_primitives::{B256, keccak256};

/// Hash of a leaf from its ABI-encoded fields.
pub fn leaf_hash(abi_encoded: &[u8]) -> B256 {
    keccak256(keccak256(abi_encoded))
}

fn node_hash(a: B256, b: B256) -> B256 {
    let (low, high) = if a <= b { (a, b) } else { (b, a) };
    keccak256([low.0, high.0].concat())
}

/// All nodes of a tree. Node `i` has the children `2i + 1` and `2i + 2`; the root is node 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerkleTree {
    nodes: Vec<B256>,
}

impl MerkleTree {
    /// Builds the tree over leaf hashes in any order. Duplicates are kept.
    pub fn new(mut leaves: Vec<B256>) -> Self {
        leaves.sort_unstable();
        let inner = leaves.len().saturating_sub(1);
        let mut nodes = vec![B256::ZERO; inner];
        nodes.extend(leaves.into_iter().rev());
        for i in (0..inner).rev() {
            let child =
                |n: usize| nodes.get(i.saturating_mul(2).saturating_add(n)).copied().unwrap_or_default();
            let hash = node_hash(child(1), child(2));
            if let Some(node) = nodes.get_mut(i) {
                *node = hash;
            }
        }
        Self { nodes }
    }

    /// Zero for an empty tree.
    pub fn root(&self) -> B256 {
        self.nodes.first().copied().unwrap_or_default()
    }

    /// Siblings from the leaf up; `None` if no such leaf is in the tree.
    pub fn proof(&self, leaf: &B256) -> Option<Vec<B256>> {
        let inner = self.nodes.len().checked_div(2)?;
        let offset = self.nodes.get(inner..)?.iter().position(|node| node == leaf)?;
        let mut index = inner.checked_add(offset)?;
        let mut proof = Vec::new();
        while index > 0 {
            let sibling =
                if index.is_multiple_of(2) { index.checked_sub(1)? } else { index.checked_add(1)? };
            proof.push(self.nodes.get(sibling).copied()?);
            index = index.checked_sub(1)?.checked_div(2)?;
        }
        Some(proof)
    }
}

/// Whether `leaf` is in the tree of `root`.
pub fn verify(root: &B256, leaf: &B256, proof: &[B256]) -> bool {
    proof.iter().fold(*leaf, |hash, sibling| node_hash(hash, *sibling)) == *root
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn empty_and_single() {
        assert_eq!(MerkleTree::new(vec![]).root(), B256::ZERO);
        assert_eq!(MerkleTree::new(vec![]).proof(&B256::ZERO), None);
        let leaf = leaf_hash(b"x");
        let tree = MerkleTree::new(vec![leaf]);
        assert_eq!(tree.root(), leaf);
        assert_eq!(tree.proof(&leaf), Some(vec![]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn every_leaf_proves_and_no_other_does(seeds in prop::collection::btree_set(any::<u64>(), 1..80), other: u64) {
            let leaves: Vec<B256> = seeds.iter().map(|s| leaf_hash(&s.to_be_bytes())).collect();
            let tree = MerkleTree::new(leaves.clone());
            for leaf in &leaves {
                let proof = tree.proof(leaf).unwrap();
                prop_assert!(verify(&tree.root(), leaf, &proof));
                prop_assert!(seeds.contains(&other) || !verify(&tree.root(), &leaf_hash(&other.to_be_bytes()), &proof));
            }
            let mut reversed = leaves;
            reversed.reverse();
            prop_assert_eq!(MerkleTree::new(reversed), tree);
        }
    }
}
