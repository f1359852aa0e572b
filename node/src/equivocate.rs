//! Fault injection, hidden behind `tatum node --equivocate`: a second, contradicting receipt beside every honest one. It is what
//! slashing exists for; the watcher must find it. Nothing else in the node knows how to do this.

use tatum_protocol::eip712::Domain;
use tatum_protocol::receipt::{BandwidthReceipt, Checked, Receipt};
use tatum_protocol::secp::Signer;

/// A receipt for the same slot with other credits.
pub(crate) fn contradict(
    receipt: &Checked<BandwidthReceipt>,
    domain: &Domain,
    signer: &Signer,
) -> Option<Checked<BandwidthReceipt>> {
    let mut other = receipt.receipt().clone();
    let credit = other.credits.first_mut()?;
    credit.messages = credit.messages.checked_add(1)?;
    credit.bytes = credit.bytes.checked_add(1)?;
    tracing::warn!(
        epoch = other.epoch, relayer = %other.relayer, sequence = other.sequence,
        "EQUIVOCATING on purpose (--equivocate): this costs the operator's stake"
    );
    other.sign(domain, signer).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tatum_protocol::receipt::{Credit, is_equivocation};
    use tatum_protocol::{Address, B256};

    #[test]
    fn what_it_makes_is_a_proof_against_its_maker() {
        let (domain, signer) = (Domain::new(1, Address::ZERO), Signer::from_bytes([3; 32]).unwrap());
        let credit = Credit { part: B256::ZERO, messages: 1, bytes: 10, served_bytes: 10 };
        let (relayer, receiver) = (Address::repeat_byte(1), signer.address());
        let receipt = BandwidthReceipt { epoch: 1, relayer, receiver, sequence: 1, credits: vec![credit] };
        let receipt = receipt.sign(&domain, &signer).unwrap();
        assert!(is_equivocation(&receipt, &contradict(&receipt, &domain, &signer).unwrap()));
    }
}
