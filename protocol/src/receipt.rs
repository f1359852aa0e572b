//! Receipts: what a receiver signs for money. Unchecked until [`Unchecked::check`] has passed; only [`Checked`] ones can be counted.
//!
//! A receipt carries its list (credits or deliveries); the signature covers the list's Merkle root, so that a dispute can open
//! single leaves on chain. Totals are cumulative within the epoch: of a (relayer, receiver) pair only the receipt with the
//! highest sequence matters.

use crate::eip712::{Domain, types};
use crate::id::PartKey;
use crate::merkle::{MerkleTree, leaf_hash};
use crate::secp::{Signature, SignatureError, Signer};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolValue;
use serde::{Deserialize, Serialize};

/// Most stream parts in one receipt.
pub const MAX_LEAVES: usize = 4096;

/// Of one stream part: what a relayer served or offered in time. Cumulative in the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    pub part: PartKey,
    pub messages: u64,
    /// Encoded frame bytes served or offered.
    pub bytes: u64,
    /// Encoded frame bytes really carried.
    pub served_bytes: u64,
}

/// Of one stream part: everything that reached the receiver in the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub part: PartKey,
    pub messages: u64,
    pub bytes: u64,
    /// See [`crate::set_digest::custody`].
    pub custody: B256,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BandwidthReceipt {
    pub epoch: u64,
    pub relayer: Address,
    pub receiver: Address,
    /// Counts up from 1 within (epoch, relayer, receiver).
    pub sequence: u32,
    /// Sorted by part, no part twice.
    pub credits: Vec<Credit>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryReceipt {
    pub epoch: u64,
    pub receiver: Address,
    /// Sorted by part, no part twice.
    pub deliveries: Vec<Delivery>,
}

impl Credit {
    pub fn leaf(&self) -> B256 {
        leaf_hash(
            &(self.part, U256::from(self.messages), U256::from(self.bytes), U256::from(self.served_bytes))
                .abi_encode(),
        )
    }
}

impl Delivery {
    pub fn leaf(&self) -> B256 {
        leaf_hash(&(self.part, U256::from(self.messages), U256::from(self.bytes), self.custody).abi_encode())
    }
}

/// What the two receipts have in common. Sealed: there are no others.
pub trait Receipt: private::Sealed {
    /// Who must have signed it.
    fn receiver(&self) -> Address;
    fn epoch(&self) -> u64;
    /// Tree over its list.
    fn tree(&self) -> MerkleTree;
    /// The digest that is signed.
    fn digest(&self, domain: &Domain) -> B256;
    /// Rules that need no key: order, bounds, consistency.
    fn check_form(&self) -> Result<(), ReceiptError>;

    fn sign(self, domain: &Domain, signer: &Signer) -> Result<Checked<Self>, ReceiptError>
    where
        Self: Sized,
    {
        self.check_form()?;
        let (expected, found) = (self.receiver(), signer.address());
        if expected != found {
            return Err(SignatureError::WrongSigner { expected, found }.into());
        }
        let digest = self.digest(domain);
        Ok(Checked { signature: signer.sign(&digest), digest, receipt: self })
    }
}

mod private {
    pub trait Sealed {}
    impl Sealed for super::BandwidthReceipt {}
    impl Sealed for super::DeliveryReceipt {}
}

impl Receipt for BandwidthReceipt {
    fn receiver(&self) -> Address {
        self.receiver
    }

    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn tree(&self) -> MerkleTree {
        MerkleTree::new(self.credits.iter().map(Credit::leaf).collect())
    }

    fn digest(&self, domain: &Domain) -> B256 {
        domain.digest(&types::BandwidthReceipt {
            epoch: self.epoch,
            relayer: self.relayer,
            receiver: self.receiver,
            sequence: self.sequence,
            creditsRoot: self.tree().root(),
        })
    }

    fn check_form(&self) -> Result<(), ReceiptError> {
        if self.relayer == self.receiver {
            return Err(ReceiptError::SelfCredit(self.receiver));
        }
        if self.sequence == 0 {
            return Err(ReceiptError::SequenceZero);
        }
        check_list(self.credits.iter().map(|credit| credit.part))?;
        match self.credits.iter().find(|credit| credit.served_bytes > credit.bytes) {
            Some(credit) => Err(ReceiptError::ServedExceedsBytes {
                part: credit.part,
                served: credit.served_bytes,
                bytes: credit.bytes,
            }),
            None => Ok(()),
        }
    }
}

impl Receipt for DeliveryReceipt {
    fn receiver(&self) -> Address {
        self.receiver
    }

    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn tree(&self) -> MerkleTree {
        MerkleTree::new(self.deliveries.iter().map(Delivery::leaf).collect())
    }

    fn digest(&self, domain: &Domain) -> B256 {
        domain.digest(&types::DeliveryReceipt {
            epoch: self.epoch,
            receiver: self.receiver,
            deliveriesRoot: self.tree().root(),
        })
    }

    fn check_form(&self) -> Result<(), ReceiptError> {
        check_list(self.deliveries.iter().map(|delivery| delivery.part))
    }
}

fn check_list(parts: impl ExactSizeIterator<Item = PartKey> + Clone) -> Result<(), ReceiptError> {
    if parts.len() == 0 || parts.len() > MAX_LEAVES {
        return Err(ReceiptError::Leaves(parts.len()));
    }
    match parts.clone().zip(parts.skip(1)).find(|(one, next)| one >= next) {
        Some((_, part)) => Err(ReceiptError::Order(part)),
        None => Ok(()),
    }
}

/// Why a receipt is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    #[error("receipt lists {0} stream parts; 1 to {MAX_LEAVES} are allowed")]
    Leaves(usize),
    #[error("stream part {0} is listed twice or out of order")]
    Order(PartKey),
    #[error("receiver {0} credits itself")]
    SelfCredit(Address),
    #[error("receipt sequences count from 1, found 0")]
    SequenceZero,
    #[error("stream part {part}: {served} bytes carried of {bytes} credited")]
    ServedExceedsBytes { part: PartKey, served: u64, bytes: u64 },
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// A receipt as it came from the network: nothing about it may be believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unchecked<R> {
    pub receipt: R,
    pub signature: Signature,
}

/// A receipt whose form and signature passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked<R> {
    receipt: R,
    signature: Signature,
    digest: B256,
}

/// A refused receipt, kept with the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Failed<R> {
    pub receipt: Unchecked<R>,
    pub reason: ReceiptError,
}

impl<R: Receipt> Unchecked<R> {
    /// Checks form, then signature.
    pub fn check(self, domain: &Domain) -> Result<Checked<R>, Box<Failed<R>>> {
        let checked = self.receipt.check_form().and_then(|()| {
            let digest = self.receipt.digest(domain);
            self.signature.verify(&digest, self.receipt.receiver())?;
            Ok(digest)
        });
        match checked {
            Ok(digest) => Ok(Checked { receipt: self.receipt, signature: self.signature, digest }),
            Err(reason) => Err(Box::new(Failed { receipt: self, reason })),
        }
    }
}

impl<R> Checked<R> {
    pub fn receipt(&self) -> &R {
        &self.receipt
    }

    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The EIP-712 digest that was signed.
    pub fn digest(&self) -> B256 {
        self.digest
    }

    pub fn into_unchecked(self) -> Unchecked<R> {
        Unchecked { receipt: self.receipt, signature: self.signature }
    }
}

/// Two receipts by which a receiver contradicts itself: same slot, different lists.
pub fn is_equivocation(a: &Checked<BandwidthReceipt>, b: &Checked<BandwidthReceipt>) -> bool {
    let slot = |r: &BandwidthReceipt| (r.epoch, r.relayer, r.receiver, r.sequence);
    slot(a.receipt()) == slot(b.receipt()) && a.digest() != b.digest()
}

/// The first stream part whose total goes down from the lower to the higher sequence of one (epoch, relayer, receiver).
/// A part that disappears is not a proof: only an opened leaf can be shown on chain.
pub fn regression(a: &Checked<BandwidthReceipt>, b: &Checked<BandwidthReceipt>) -> Option<PartKey> {
    let slot = |r: &BandwidthReceipt| (r.epoch, r.relayer, r.receiver);
    let (low, high) = match a.receipt().sequence.cmp(&b.receipt().sequence) {
        std::cmp::Ordering::Less => (a.receipt(), b.receipt()),
        std::cmp::Ordering::Greater => (b.receipt(), a.receipt()),
        std::cmp::Ordering::Equal => return None,
    };
    if slot(low) != slot(high) {
        return None;
    }
    low.credits.iter().find_map(|before| {
        let after = high.credits.iter().find(|after| after.part == before.part)?;
        let lower = after.messages < before.messages
            || after.bytes < before.bytes
            || after.served_bytes < before.served_bytes;
        lower.then_some(before.part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain() -> Domain {
        Domain::new(31337, Address::repeat_byte(7))
    }

    fn signer(n: u8) -> Signer {
        Signer::from_bytes([n; 32]).unwrap()
    }

    fn credit(part: u8, bytes: u64) -> Credit {
        Credit { part: PartKey::repeat_byte(part), messages: 1, bytes, served_bytes: 0 }
    }

    fn receipt(sequence: u32, credits: Vec<Credit>) -> BandwidthReceipt {
        let (relayer, receiver) = (signer(1).address(), signer(2).address());
        BandwidthReceipt { epoch: 5, relayer, receiver, sequence, credits }
    }

    fn signed(sequence: u32, credits: Vec<Credit>) -> Checked<BandwidthReceipt> {
        receipt(sequence, credits).sign(&domain(), &signer(2)).unwrap()
    }

    #[test]
    fn a_checked_receipt_survives_the_wire() {
        let checked = signed(1, vec![credit(1, 10), credit(2, 20)]);
        assert_eq!(checked.clone().into_unchecked().check(&domain()), Ok(checked));
    }

    #[test]
    fn forgeries_are_refused_with_the_reason() {
        let mut forged = signed(1, vec![credit(1, 10)]).into_unchecked();
        forged.receipt.credits[0].bytes = 11;
        assert!(matches!(
            forged.check(&domain()).unwrap_err().reason,
            ReceiptError::Signature(SignatureError::WrongSigner { .. })
        ));
        assert!(receipt(1, vec![credit(1, 10)]).sign(&domain(), &signer(3)).is_err());
    }

    #[test]
    fn form_is_checked() {
        let form = |r: BandwidthReceipt| r.check_form().unwrap_err();
        assert_eq!(form(receipt(1, vec![])), ReceiptError::Leaves(0));
        assert_eq!(form(receipt(0, vec![credit(1, 1)])), ReceiptError::SequenceZero);
        assert!(matches!(form(receipt(1, vec![credit(2, 1), credit(1, 1)])), ReceiptError::Order(_)));
        assert!(matches!(form(receipt(1, vec![credit(1, 1), credit(1, 1)])), ReceiptError::Order(_)));
        let served = Credit { served_bytes: 2, ..credit(1, 1) };
        assert!(matches!(form(receipt(1, vec![served])), ReceiptError::ServedExceedsBytes { .. }));
        let mut own = receipt(1, vec![credit(1, 1)]);
        own.relayer = own.receiver;
        assert!(matches!(form(own), ReceiptError::SelfCredit(_)));
        assert_eq!(
            form(receipt(1, vec![credit(1, 1); MAX_LEAVES + 1])),
            ReceiptError::Leaves(MAX_LEAVES + 1)
        );
    }

    #[test]
    fn equivocation_and_regression_are_found_and_honest_progress_is_not() {
        let first = signed(1, vec![credit(1, 10)]);
        assert!(is_equivocation(&first, &signed(1, vec![credit(1, 11)])));
        assert!(!is_equivocation(&first, &first.clone()));
        assert!(!is_equivocation(&first, &signed(2, vec![credit(1, 11)])));
        assert_eq!(regression(&first, &signed(2, vec![credit(1, 9)])), Some(PartKey::repeat_byte(1)));
        assert_eq!(regression(&signed(2, vec![credit(1, 9)]), &first), Some(PartKey::repeat_byte(1)));
        assert_eq!(regression(&first, &signed(2, vec![credit(1, 10), credit(2, 1)])), None);
    }
}
