//! The set digest: what arrived in an epoch, in any order, in constant memory.
//!
//! An LtHash (lattice multiset hash: 1024 x u16, BLAKE3 XOF per element) over frame hashes. Two brokers that received the same
//! set have the same digest; finding another set with that digest is as hard as a short-vector problem. It is revealed
//! only after the receipt deadline; until then [`custody`] commits to it, bound to the receiver so that nobody can copy it.

use alloy_primitives::{Address, B256, keccak256};

/// Parameters of LtHash16 (Bellare and Micciancio; Lewi et al., "Securing Update Propagation with Homomorphic Hashing"): 1024
/// elements modulo 2^16.
const ELEMENTS: usize = 1024;
const STATE_BYTES: usize = 2 * ELEMENTS;

/// Accumulates frame hashes. Each frame must be added once: duplicates change the digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetDigest(Box<[u16; ELEMENTS]>);

impl Default for SetDigest {
    fn default() -> Self {
        Self(Box::new([0; ELEMENTS]))
    }
}

impl SetDigest {
    pub fn insert(&mut self, frame_hash: &B256) {
        let mut expanded = [0_u8; STATE_BYTES];
        blake3::Hasher::new().update(frame_hash.as_slice()).finalize_xof().fill(&mut expanded);
        for (element, bytes) in self.0.iter_mut().zip(expanded.as_chunks::<2>().0) {
            *element = element.wrapping_add(u16::from_le_bytes(*bytes));
        }
    }

    /// `keccak256` of the little-endian state.
    pub fn finish(&self) -> B256 {
        keccak256(self.to_bytes())
    }

    /// The state, to be stored and continued after a restart.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// `None` unless there are exactly 2048 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != STATE_BYTES {
            return None;
        }
        let mut state = Self::default();
        for (element, pair) in state.0.iter_mut().zip(bytes.as_chunks::<2>().0) {
            *element = u16::from_le_bytes(*pair);
        }
        Some(state)
    }
}

/// `keccak256(setDigest ++ receiver)`: proof of having the set, worthless to anybody else.
pub fn custody(set_digest: &B256, receiver: &Address) -> B256 {
    keccak256([set_digest.as_slice(), receiver.as_slice()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn digest_of(hashes: &[[u8; 32]]) -> SetDigest {
        let mut digest = SetDigest::default();
        for hash in hashes {
            digest.insert(&B256::from(*hash));
        }
        digest
    }

    #[test]
    fn custody_depends_on_both() {
        let (a, b) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let digest = digest_of(&[[1; 32]]).finish();
        assert_ne!(custody(&digest, &a), custody(&digest, &b));
        assert_ne!(custody(&digest, &a), custody(&digest_of(&[[2; 32]]).finish(), &a));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn order_free_and_sensitive_to_every_element(mut hashes: Vec<[u8; 32]>, extra: [u8; 32]) {
            let forward = digest_of(&hashes);
            hashes.reverse();
            prop_assert_eq!(digest_of(&hashes).finish(), forward.finish());
            prop_assert_eq!(SetDigest::from_bytes(&forward.to_bytes()), Some(forward.clone()));
            hashes.push(extra);
            prop_assert_ne!(digest_of(&hashes).finish(), forward.finish());
        }
    }
}
