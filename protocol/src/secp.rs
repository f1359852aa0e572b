//! secp256k1 signatures over 32-byte digests, by Ethereum identities: frames, receipts, node consents.
//!
//! Backed by libsecp256k1 (verification is the hot path of a broker). Only low-s signatures exist here: a high-s twin is
//! refused when it is decoded, so one statement by one key has one meaning everywhere.

use alloy_primitives::{Address, B256, keccak256};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, PublicKey, SecretKey};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Encoded length: `r ++ s ++ v`.
pub const SIGNATURE_BYTES: usize = 65;

/// Half of the group order, rounded down; a greater `s` is the malleable twin.
const HALF_ORDER: [u8; 32] =
    alloy_primitives::hex!("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0");

/// Why a signature or key is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("signature has {0} bytes; 65 are expected (r, s, v)")]
    Length(usize),
    #[error("signature has v = {0}; 27 or 28 is expected")]
    RecoveryByte(u8),
    #[error("signature has a high s value; only the low-s form is accepted")]
    HighS,
    #[error("no public key can have made this signature")]
    Unrecoverable,
    #[error("signature was made by {found}, not by {expected}")]
    WrongSigner { expected: Address, found: Address },
    #[error("secret key is zero or not below the group order")]
    SecretKey,
}

/// A signature whose form was checked: 65 bytes, v 27 or 28, low s.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct Signature([u8; SIGNATURE_BYTES]);

impl Signature {
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignatureError> {
        let array: [u8; SIGNATURE_BYTES] =
            bytes.try_into().map_err(|_| SignatureError::Length(bytes.len()))?;
        let [.., v] = array;
        if !matches!(v, 27 | 28) {
            return Err(SignatureError::RecoveryByte(v));
        }
        if array.get(32..64).is_none_or(|s| s > HALF_ORDER.as_slice()) {
            return Err(SignatureError::HighS);
        }
        Ok(Self(array))
    }

    pub fn as_bytes(&self) -> &[u8; SIGNATURE_BYTES] {
        &self.0
    }

    /// `(r, vs)` of ERC-2098: the parity of `v` in the top bit of `s`, which a low s leaves free.
    pub fn compact(&self) -> (B256, B256) {
        let [r_and_s @ .., v] = &self.0;
        let (r, s) = r_and_s.split_at(32);
        let (r, mut vs) = (B256::from_slice(r), B256::from_slice(s));
        if let (28, [first, ..]) = (v, &mut vs.0) {
            *first |= 0x80;
        }
        (r, vs)
    }

    /// Address of the key that signed `digest`.
    pub fn recover(&self, digest: &B256) -> Result<Address, SignatureError> {
        let [rs @ .., v] = &self.0;
        let id = if *v == 27 { RecoveryId::Zero } else { RecoveryId::One };
        let signature =
            RecoverableSignature::from_compact(rs, id).map_err(|_| SignatureError::Unrecoverable)?;
        let key = signature
            .recover_ecdsa(Message::from_digest(digest.0))
            .map_err(|_| SignatureError::Unrecoverable)?;
        Ok(address_of(&key))
    }

    /// Checks that `expected` signed `digest`.
    pub fn verify(&self, digest: &B256, expected: Address) -> Result<(), SignatureError> {
        match self.recover(digest)? {
            found if found == expected => Ok(()),
            found => Err(SignatureError::WrongSigner { expected, found }),
        }
    }
}

impl TryFrom<Vec<u8>> for Signature {
    type Error = SignatureError;
    fn try_from(bytes: Vec<u8>) -> Result<Self, SignatureError> {
        Self::from_bytes(&bytes)
    }
}

impl From<Signature> for Vec<u8> {
    fn from(signature: Signature) -> Self {
        signature.0.to_vec()
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", alloy_primitives::hex::encode(self.0))
    }
}

/// A secret key. Its debug form shows the address only.
#[derive(Clone, PartialEq, Eq)]
pub struct Signer {
    key: SecretKey,
    address: Address,
}

impl Signer {
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, SignatureError> {
        let key = SecretKey::from_secret_bytes(bytes).map_err(|_| SignatureError::SecretKey)?;
        Ok(Self { address: address_of(&PublicKey::from_secret_key(&key)), key })
    }

    pub fn address(&self) -> Address {
        self.address
    }

    /// Deterministic (RFC 6979), low s.
    pub fn sign(&self, digest: &B256) -> Signature {
        let signature =
            RecoverableSignature::sign_ecdsa_recoverable(Message::from_digest(digest.0), &self.key);
        let (id, rs) = signature.serialize_compact();
        let mut bytes = [0_u8; SIGNATURE_BYTES];
        let (head, tail) = bytes.split_at_mut(64);
        head.copy_from_slice(&rs);
        // An x coordinate at or above the group order (recovery ids 2 and 3) cannot be reached by search.
        tail.copy_from_slice(&[if id == RecoveryId::One { 28 } else { 27 }]);
        Signature(bytes)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.address)
    }
}

/// Ethereum address of a compressed (33 bytes) or uncompressed (65 bytes) public key, as libp2p peer ids carry it.
pub fn address_of_public_key(bytes: &[u8]) -> Result<Address, SignatureError> {
    PublicKey::from_slice(bytes).map(|key| address_of(&key)).map_err(|_| SignatureError::Unrecoverable)
}

fn address_of(key: &PublicKey) -> Address {
    let [_, point @ ..] = key.serialize_uncompressed();
    let [_, _, _, _, _, _, _, _, _, _, _, _, address @ ..] = keccak256(point).0;
    Address::new(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{U256, address, hex};
    use proptest::prelude::*;

    const ORDER: U256 =
        U256::from_be_bytes(hex!("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"));

    fn signer() -> Signer {
        Signer::from_bytes(hex!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")).unwrap()
    }

    #[test]
    fn address_matches_the_well_known_development_key() {
        assert_eq!(signer().address(), address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"));
    }

    #[test]
    fn signs_and_recovers() {
        let digest = keccak256("digest");
        let signature = signer().sign(&digest);
        assert_eq!(signature.verify(&digest, signer().address()), Ok(()));
        assert!(signature.verify(&keccak256("other"), signer().address()).is_err());
    }

    #[test]
    fn high_s_twin_is_refused() {
        let digest = keccak256("digest");
        let mut twin = *signer().sign(&digest).as_bytes();
        let s = U256::from_be_slice(&twin[32..64]);
        twin[32..64].copy_from_slice(&(ORDER - s).to_be_bytes::<32>());
        twin[64] = if twin[64] == 27 { 28 } else { 27 };
        assert_eq!(Signature::from_bytes(&twin), Err(SignatureError::HighS));
    }

    /// The examples of ERC-2098.
    #[test]
    fn compact_signatures_are_the_standards() {
        let even = hex!(
            "68a020a209d3d56c46f38cc50a33f704f4a9a10a59377f8dd762ac66910e9b90"
            "7e865ad05c4035ab5792787d4a0297a43617ae897930a6fe4d822b8faea52064" "1b"
        );
        let odd = hex!(
            "9328da16089fcba9bececa81663203989f2df5fe1faa6291a45381c81bd17f76"
            "139c6d6b623b42da56557e5e734a43dc83345ddfadec52cbe24d0cc64f550793" "1c"
        );
        let compact = |bytes: &[u8]| Signature::from_bytes(bytes).unwrap().compact();
        let (r, vs) = compact(&even);
        assert_eq!([r, vs].concat(), even[..64]);
        let (r, vs) = compact(&odd);
        assert_eq!(r.as_slice(), &odd[..32]);
        assert_eq!(vs.0, hex!("939c6d6b623b42da56557e5e734a43dc83345ddfadec52cbe24d0cc64f550793"));
    }

    #[test]
    fn malformed_signatures_and_keys_are_refused() {
        assert_eq!(Signature::from_bytes(&[0; 64]), Err(SignatureError::Length(64)));
        assert_eq!(Signature::from_bytes(&[0; 65]), Err(SignatureError::RecoveryByte(0)));
        assert_eq!(Signer::from_bytes([0; 32]), Err(SignatureError::SecretKey));
        assert_eq!(Signer::from_bytes([0xff; 32]), Err(SignatureError::SecretKey));
    }

    #[test]
    fn debug_never_shows_the_key() {
        assert_eq!(format!("{:?}", signer()), "Signer(0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266)");
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_recover_without_panic(bytes: Vec<u8>, digest: [u8; 32]) {
            if let Ok(signature) = Signature::from_bytes(&bytes) {
                let _ = signature.recover(&B256::from(digest));
            }
        }

        #[test]
        fn every_65_bytes_with_valid_v(mut bytes: [u8; 32], s: [u8; 31], v in 27_u8..=28, digest: [u8; 32]) {
            bytes[0] &= 0x7f;
            let all = [bytes.as_slice(), &[0], &s, &[v]].concat();
            if let Ok(signature) = Signature::from_bytes(&all) {
                let _ = signature.recover(&B256::from(digest));
            }
        }
    }
}
