//! Every EIP-712 type of the protocol, once. Digests computed here are what is signed, by secp256k1 or by BLS.
//!
//! The golden vectors in `tests/vectors/` hold these digests as an outside wallet library computes them.

use alloy_primitives::{Address, B256, ChainId};
use alloy_sol_types::{Eip712Domain, SolStruct, eip712_domain};

/// The typed structures under the names and field orders that the signatures commit to.
pub mod types {
    #![allow(missing_docs, clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::as_conversions)]
    alloy_sol_types::sol! {
        #[derive(Debug)]
        struct Frame {
            bytes32 streamPart;
            address publisher;
            uint64 chain;
            uint64 firstSequence;
            uint32 count;
            bytes32 contentHash;
        }

        #[derive(Debug)]
        struct BandwidthReceipt {
            uint64 epoch;
            address relayer;
            address receiver;
            uint32 sequence;
            bytes32 creditsRoot;
        }

        #[derive(Debug)]
        struct DeliveryReceipt {
            uint64 epoch;
            address receiver;
            bytes32 deliveriesRoot;
        }

        #[derive(Debug)]
        struct Volume {
            uint64 epoch;
            uint64 checkpoint;
            bytes32 streamPart;
            bytes32 setDigest;
            uint64 messages;
            uint64 bytes;
        }

        #[derive(Debug)]
        struct Payout {
            uint64 epoch;
            uint64 checkpoint;
            bytes32 root;
            uint256 total;
        }

        #[derive(Debug)]
        struct Fault {
            uint64 epoch;
            uint64 checkpoint;
            bytes32 streamPart;
            uint64 operatorId;
        }

        #[derive(Debug)]
        struct BlsKey {
            address owner;
            uint256[2] g1;
            uint256[4] g2;
        }

        #[derive(Debug)]
        struct NodeConsent {
            address owner;
            address node;
        }
    }
}

/// The one domain of the protocol: chain and Slashing contract. Signatures for one deployment mean nothing to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    domain: Eip712Domain,
    separator: B256,
}

impl Domain {
    pub fn new(chain_id: ChainId, slashing: Address) -> Self {
        let domain = eip712_domain! {
            name: "Tatum",
            version: "1",
            chain_id: chain_id,
            verifying_contract: slashing,
        };
        let separator = domain.separator();
        Self { domain, separator }
    }

    /// The EIP-712 domain separator.
    pub fn separator(&self) -> B256 {
        self.separator
    }

    /// `keccak256(0x1901 ++ separator ++ hashStruct(value))`.
    pub fn digest<T: SolStruct>(&self, value: &T) -> B256 {
        let mut bytes = [0_u8; 66];
        let (prefix, rest) = bytes.split_at_mut(2);
        let (separator, hash) = rest.split_at_mut(32);
        prefix.copy_from_slice(&[0x19, 0x01]);
        separator.copy_from_slice(self.separator.as_slice());
        hash.copy_from_slice(value.eip712_hash_struct().as_slice());
        alloy_primitives::keccak256(bytes)
    }

    /// What a wallet needs to show and sign the same value.
    pub fn eip712(&self) -> &Eip712Domain {
        &self.domain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_equals_the_library_signing_hash_and_binds_the_domain() {
        let value = types::NodeConsent { owner: Address::repeat_byte(1), node: Address::repeat_byte(2) };
        let domain = Domain::new(31337, Address::repeat_byte(9));
        assert_eq!(domain.digest(&value), value.eip712_signing_hash(domain.eip712()));
        assert_ne!(domain.digest(&value), Domain::new(137, Address::repeat_byte(9)).digest(&value));
        assert_ne!(domain.digest(&value), Domain::new(31337, Address::repeat_byte(8)).digest(&value));
    }
}
