//! Calldata of a slashing proof from the two receipts that contradict each other.

use alloy::primitives::Bytes;
use alloy::sol_types::SolCall;
use tatum_contracts::abi::slashing::Slashing;
use tatum_protocol::B256;
use tatum_protocol::eip712::Domain;
use tatum_protocol::id::PartKey;
use tatum_protocol::receipt::{
    BandwidthReceipt, Checked, Failed, Receipt, Unchecked, is_equivocation, regression,
};

/// Why two receipts are no proof.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProofError {
    #[error("not a stored receipt: {0}")]
    Encoding(#[from] postcard::Error),
    #[error("receipt does not hold: {0}")]
    Receipt(#[from] Box<Failed<BandwidthReceipt>>),
    #[error("the receipts do not contradict each other as {0}")]
    NoConflict(String),
    #[error("stream part {0} is not in the receipt")]
    NoLeaf(PartKey),
}

/// `first` and `second` are postcard of `Unchecked<BandwidthReceipt>`.
pub(super) fn calldata(
    kind: &str,
    first: &[u8],
    second: &[u8],
    domain: &Domain,
) -> Result<Bytes, ProofError> {
    let load = |bytes: &[u8]| -> Result<Checked<BandwidthReceipt>, ProofError> {
        Ok(postcard::from_bytes::<Unchecked<BandwidthReceipt>>(bytes)?.check(domain)?)
    };
    let (first, second) = (load(first)?, load(second)?);
    match kind {
        "receipt_equivocation" if is_equivocation(&first, &second) => Ok(equivocation(&first, &second)),
        "receipt_regression" => {
            let part = regression(&first, &second).ok_or_else(|| ProofError::NoConflict(kind.to_owned()))?;
            if first.receipt().sequence < second.receipt().sequence {
                decrease(&first, &second, part)
            } else {
                decrease(&second, &first, part)
            }
        }
        _ => Err(ProofError::NoConflict(kind.to_owned())),
    }
}

fn equivocation(a: &Checked<BandwidthReceipt>, b: &Checked<BandwidthReceipt>) -> Bytes {
    let call = Slashing::receiptEquivocationCall {
        a: header(a),
        signatureA: signature(a),
        b: header(b),
        signatureB: signature(b),
    };
    call.abi_encode().into()
}

fn decrease(
    earlier: &Checked<BandwidthReceipt>,
    later: &Checked<BandwidthReceipt>,
    part: PartKey,
) -> Result<Bytes, ProofError> {
    let (credit_a, proof_a) = opening(earlier, part)?;
    let (credit_b, proof_b) = opening(later, part)?;
    let call = Slashing::receiptRegressionCall {
        earlier: header(earlier),
        signatureA: signature(earlier),
        creditA: credit_a,
        proofA: proof_a,
        later: header(later),
        signatureB: signature(later),
        creditB: credit_b,
        proofB: proof_b,
    };
    Ok(call.abi_encode().into())
}

fn header(checked: &Checked<BandwidthReceipt>) -> Slashing::BandwidthReceipt {
    let receipt = checked.receipt();
    Slashing::BandwidthReceipt {
        epoch: receipt.epoch,
        relayer: receipt.relayer,
        receiver: receipt.receiver,
        sequence: receipt.sequence,
        creditsRoot: receipt.tree().root(),
    }
}

fn signature(checked: &Checked<BandwidthReceipt>) -> Bytes {
    checked.signature().as_bytes().to_vec().into()
}

fn opening(
    checked: &Checked<BandwidthReceipt>,
    part: PartKey,
) -> Result<(Slashing::Credit, Vec<B256>), ProofError> {
    let receipt = checked.receipt();
    let credit = receipt.credits.iter().find(|credit| credit.part == part).ok_or(ProofError::NoLeaf(part))?;
    let proof = receipt.tree().proof(&credit.leaf()).ok_or(ProofError::NoLeaf(part))?;
    let leaf = Slashing::Credit {
        streamPart: credit.part,
        messages: credit.messages,
        bytes_: credit.bytes,
        servedBytes: credit.served_bytes,
    };
    Ok((leaf, proof))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tatum_protocol::Address;
    use tatum_protocol::receipt::Credit;
    use tatum_protocol::secp::Signer;

    fn domain() -> Domain {
        Domain::new(31337, Address::repeat_byte(7))
    }

    fn stored(sequence: u32, bytes: &[u64]) -> Vec<u8> {
        let receiver = Signer::from_bytes([2; 32]).unwrap();
        let credits = bytes
            .iter()
            .zip(1..)
            .map(|(bytes, part)| Credit {
                part: B256::repeat_byte(part),
                messages: 1,
                bytes: *bytes,
                served_bytes: 0,
            })
            .collect();
        let receipt = BandwidthReceipt {
            epoch: 5,
            relayer: Address::repeat_byte(1),
            receiver: receiver.address(),
            sequence,
            credits,
        };
        let signed = receipt.sign(&domain(), &receiver).unwrap();
        postcard::to_stdvec(&signed.into_unchecked()).unwrap()
    }

    #[test]
    fn what_contradicts_itself_makes_a_proof() {
        let equivocation =
            calldata("receipt_equivocation", &stored(3, &[10, 5]), &stored(3, &[11, 5]), &domain());
        let call = Slashing::receiptEquivocationCall::abi_decode(&equivocation.unwrap()).unwrap();
        assert_ne!(call.a.creditsRoot, call.b.creditsRoot);

        // In either order of the rows, the proof has the lower sequence first.
        for (first, second) in [(3, 4), (4, 3)] {
            let bytes = |sequence| if sequence == 3 { [10, 20] } else { [10, 19] };
            let regression = calldata(
                "receipt_regression",
                &stored(first, &bytes(first)),
                &stored(second, &bytes(second)),
                &domain(),
            );
            let call = Slashing::receiptRegressionCall::abi_decode(&regression.unwrap()).unwrap();
            assert_eq!((call.earlier.sequence, call.creditA.bytes_, call.creditB.bytes_), (3, 20, 19));
        }
    }

    #[test]
    fn what_does_not_is_refused() {
        let honest = calldata("receipt_regression", &stored(3, &[10]), &stored(4, &[10]), &domain());
        assert!(matches!(honest, Err(ProofError::NoConflict(_))));
        let same = calldata("receipt_equivocation", &stored(3, &[10]), &stored(3, &[10]), &domain());
        assert!(matches!(same, Err(ProofError::NoConflict(_))));
        let elsewhere = Domain::new(1, Address::ZERO);
        let forged = calldata("receipt_equivocation", &stored(3, &[10]), &stored(3, &[11]), &elsewhere);
        assert!(matches!(forged, Err(ProofError::Receipt(_))));
        assert!(matches!(calldata("x", &[], &[], &domain()), Err(ProofError::Encoding(_))));
    }
}
