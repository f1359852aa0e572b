//! Calldata of a slashing proof from the two receipts that contradict each other.

use crate::chain::Harmed;
use alloy::primitives::Bytes;
use alloy::sol_types::SolCall;
use tatum_contracts::abi::slashing::{ISlashing::Harm, Slashing};
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

/// `first` and `second` are postcard of `Unchecked<BandwidthReceipt>`; `harmed` says who paid for a stream part in an epoch. The
/// penalty is taken with the proof.
pub(super) fn calldata(
    kind: &str,
    first: &[u8],
    second: &[u8],
    domain: &Domain,
    harmed: impl Fn(PartKey, u64) -> Option<Harmed>,
) -> Result<Bytes, ProofError> {
    let load = |bytes: &[u8]| -> Result<Checked<BandwidthReceipt>, ProofError> {
        Ok(postcard::from_bytes::<Unchecked<BandwidthReceipt>>(bytes)?.check(domain)?)
    };
    let (first, second) = (load(first)?, load(second)?);
    match kind {
        "receipt_equivocation" if is_equivocation(&first, &second) => Ok(equivocation(&first, &second)),
        "receipt_regression" => {
            let part = regression(&first, &second).ok_or_else(|| ProofError::NoConflict(kind.to_owned()))?;
            let harm = harm(harmed(part, first.receipt().epoch));
            if first.receipt().sequence < second.receipt().sequence {
                decrease(&first, &second, part, harm)
            } else {
                decrease(&second, &first, part, harm)
            }
        }
        _ => Err(ProofError::NoConflict(kind.to_owned())),
    }
}

fn equivocation(a: &Checked<BandwidthReceipt>, b: &Checked<BandwidthReceipt>) -> Bytes {
    let receipt = a.receipt();
    let ((r_a, vs_a), (r_b, vs_b)) = (a.signature().compact(), b.signature().compact());
    let call = Slashing::receiptEquivocationCall {
        epoch: receipt.epoch,
        relayer: receipt.relayer,
        receiver: receipt.receiver,
        sequence: receipt.sequence,
        creditsRoots: [receipt.tree().root(), b.receipt().tree().root()],
        r: [r_a, r_b],
        vs: [vs_a, vs_b],
        thenExecute: true,
    };
    call.abi_encode().into()
}

fn decrease(
    earlier: &Checked<BandwidthReceipt>,
    later: &Checked<BandwidthReceipt>,
    part: PartKey,
    harm: Harm,
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
        harm,
        thenExecute: true,
    };
    Ok(call.abi_encode().into())
}

/// Nobody is named by a sponsorship of 0.
fn harm(harmed: Option<Harmed>) -> Harm {
    let Harmed { sponsorship, stream, partition } =
        harmed.unwrap_or(Harmed { sponsorship: 0, stream: String::new(), partition: 0 });
    Harm { sponsorshipId: sponsorship, streamId: stream, partition }
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

    /// Sponsorship 8 paid for the second stream part in epoch 5.
    fn harmed(part: PartKey, epoch: u64) -> Option<Harmed> {
        let it = (part, epoch) == (B256::repeat_byte(2), 5);
        it.then(|| Harmed { sponsorship: 8, stream: "owner/path".into(), partition: 2 })
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
            calldata("receipt_equivocation", &stored(3, &[10, 5]), &stored(3, &[11, 5]), &domain(), harmed);
        let call = Slashing::receiptEquivocationCall::abi_decode(&equivocation.unwrap()).unwrap();
        assert_ne!(call.creditsRoots[0], call.creditsRoots[1]);
        assert_eq!((call.epoch, call.sequence, call.thenExecute), (5, 3, true));

        // In either order of the rows, the proof has the lower sequence first.
        for (first, second) in [(3, 4), (4, 3)] {
            let bytes = |sequence| if sequence == 3 { [10, 20] } else { [10, 19] };
            let regression = calldata(
                "receipt_regression",
                &stored(first, &bytes(first)),
                &stored(second, &bytes(second)),
                &domain(),
                harmed,
            );
            let call = Slashing::receiptRegressionCall::abi_decode(&regression.unwrap()).unwrap();
            assert_eq!((call.earlier.sequence, call.creditA.bytes_, call.creditB.bytes_), (3, 20, 19));
            assert_eq!((call.harm.sponsorshipId, call.harm.partition, call.thenExecute), (8, 2, true));
        }
    }

    #[test]
    fn what_does_not_is_refused() {
        let honest = calldata("receipt_regression", &stored(3, &[10]), &stored(4, &[10]), &domain(), harmed);
        assert!(matches!(honest, Err(ProofError::NoConflict(_))));
        let same = calldata("receipt_equivocation", &stored(3, &[10]), &stored(3, &[10]), &domain(), harmed);
        assert!(matches!(same, Err(ProofError::NoConflict(_))));
        let elsewhere = Domain::new(1, Address::ZERO);
        let forged =
            calldata("receipt_equivocation", &stored(3, &[10]), &stored(3, &[11]), &elsewhere, harmed);
        assert!(matches!(forged, Err(ProofError::Receipt(_))));
        assert!(matches!(calldata("x", &[], &[], &domain(), harmed), Err(ProofError::Encoding(_))));
    }
}
