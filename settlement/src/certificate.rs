//! From payout attestations to the certificate that the contract takes.
//!
//! Every signature is checked under its operator's key before it is added up: one bad signature would spoil the sum. The result is
//! checked the way the contract does, so that a wrong certificate is refused here and not paid for there.
//!
//! Left out: where attestations come from (the indexer takes them from the network) and who may post (anyone).

use crate::numeric::{from_u64, to_u64};
use sqlx::{PgPool, Row};
use std::collections::{BTreeMap, HashMap};
use tatum_contracts::view;
use tatum_protocol::B256;
use tatum_protocol::U256;
use tatum_protocol::bls::{
    BlsError, PublicKey, Signature, aggregate_keys, aggregate_signatures, signers_sum, verify_certificate,
};
use tatum_protocol::id::OperatorId;
use tatum_protocol::plan::more_than_two_thirds;

/// Who may sign for an epoch, and with what weight.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OperatorSet {
    pub checkpoint: u64,
    pub members: BTreeMap<OperatorId, Member>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Checkpointed stake, in wei.
    pub weight: u128,
    pub key: PublicKey,
}

/// In the order of the contract's struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Ascending.
    pub absentees: Vec<OperatorId>,
    /// The absentees' keys, and the sum of all members' keys: the contract has only commitments to them.
    pub keys: Vec<[U256; 2]>,
    pub aggregate: [U256; 2],
    pub apk: [U256; 4],
    pub signature: [U256; 2],
}

/// How far the collection for one statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    pub signers: usize,
    pub members: usize,
    pub signed: u128,
    pub total: u128,
}

impl Tally {
    pub fn has_quorum(&self) -> bool {
        more_than_two_thirds(self.signed, self.total)
    }

    /// Nobody is left to wait for.
    pub fn is_complete(&self) -> bool {
        self.signers == self.members
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("signers hold {signed} of {total} stake; more than two thirds is needed")]
    Quorum { signed: u128, total: u128 },
    #[error("operator {0} signed but is not in the operator set")]
    Stranger(OperatorId),
    #[error(transparent)]
    Bls(#[from] BlsError),
}

impl OperatorSet {
    /// The contract accepts keys only with both halves checked and possession proved: no need to do it again.
    pub fn new(set: &view::OperatorSet) -> Result<Self, BlsError> {
        let member = |operator: &view::Operator| {
            let key = PublicKey::from_abi_trusted(operator.key.g1, operator.key.g2)?;
            Ok((operator.id, Member { weight: operator.weight, key }))
        };
        Ok(Self {
            checkpoint: set.checkpoint,
            members: set.members.iter().map(member).collect::<Result<_, BlsError>>()?,
        })
    }

    pub fn tally(&self, signers: impl Iterator<Item = OperatorId>) -> Tally {
        let mut tally = Tally { signers: 0, members: self.members.len(), signed: 0, total: 0 };
        tally.total = self.members.values().map(|member| member.weight).fold(0, u128::saturating_add);
        for member in signers.filter_map(|id| self.members.get(&id)) {
            tally.signers += 1;
            tally.signed = tally.signed.saturating_add(member.weight);
        }
        tally
    }

    /// Adds the signatures up and checks the sum as the contract will.
    pub fn certify(
        &self,
        digest: &B256,
        signatures: &BTreeMap<OperatorId, Signature>,
    ) -> Result<Certificate, CertificateError> {
        if let Some(stranger) = signatures.keys().find(|id| !self.members.contains_key(id)) {
            return Err(CertificateError::Stranger(*stranger));
        }
        let tally = self.tally(signatures.keys().copied());
        if !tally.has_quorum() {
            return Err(CertificateError::Quorum { signed: tally.signed, total: tally.total });
        }
        let key_if = |signed: bool| {
            self.members
                .iter()
                .filter(move |(id, _)| signatures.contains_key(id) == signed)
                .map(|(_, m)| &m.key)
        };
        let absentees = self.members.keys().filter(|id| !signatures.contains_key(id)).copied().collect();
        let apk = aggregate_keys(key_if(true))?.g2_abi();
        let signature = aggregate_signatures(signatures.values())?;
        // What the contract has committed to for the checkpoint, if it agrees about the members; the simulation will tell.
        let aggregate = aggregate_keys(self.members.values().map(|member| &member.key))?.g1_abi();
        verify_certificate(&apk, &signers_sum(&aggregate, key_if(false))?, &signature, digest)?;
        let keys = key_if(false).map(PublicKey::g1_abi).collect();
        Ok(Certificate { absentees, keys, aggregate, apk, signature: signature.abi() })
    }
}

/// Bytes that were checked, and the signature if they are one that holds.
type Judged = (Vec<u8>, Option<Signature>);

/// Reads attestations and remembers which signatures were checked, so that each is paired once.
#[derive(Debug, Default)]
pub struct Collector {
    /// By statement digest.
    checked: HashMap<B256, BTreeMap<OperatorId, Judged>>,
}

#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Malformed(#[from] crate::numeric::Malformed),
    #[error("checking signatures was cut short: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

impl Collector {
    /// The valid signatures under `digest` that the database has by now.
    pub async fn collect(
        &mut self,
        pool: &PgPool,
        epoch: u64,
        digest: B256,
        set: &OperatorSet,
    ) -> Result<BTreeMap<OperatorId, Signature>, CollectError> {
        let sql = "SELECT operator_id, signature FROM payout_attestations WHERE epoch = $1 AND digest = $2";
        let rows = sqlx::query(sql).bind(from_u64(epoch)).bind(digest.as_slice()).fetch_all(pool).await?;
        let known = self.checked.entry(digest).or_default();
        let mut unchecked = Vec::new();
        for row in rows {
            let operator = to_u64("payout_attestations.operator_id", row.try_get("operator_id")?)?;
            let bytes: Vec<u8> = row.try_get("signature")?;
            let Some(member) = set.members.get(&operator) else { continue };
            if known.get(&operator).is_none_or(|(seen, _)| *seen != bytes) {
                unchecked.push((operator, member.key, bytes));
            }
        }
        if !unchecked.is_empty() {
            // Pairings take about a millisecond each: not on the thread that talks to the network.
            let checked = tokio::task::spawn_blocking(move || check_all(digest, unchecked)).await?;
            known.extend(checked);
        }
        let valid = known.iter().filter_map(|(operator, (_, signature))| Some((*operator, (*signature)?)));
        Ok(valid.collect())
    }

    /// Forgets statements that are settled.
    pub fn retain(&mut self, digests: &[B256]) {
        self.checked.retain(|digest, _| digests.contains(digest));
    }
}

fn check_all(digest: B256, unchecked: Vec<(OperatorId, PublicKey, Vec<u8>)>) -> Vec<(OperatorId, Judged)> {
    let check = |operator: OperatorId, key: PublicKey, bytes: &[u8]| {
        let signature = Signature::from_bytes(bytes);
        match signature.and_then(|signature| key.verify(&digest, &signature).map(|()| signature)) {
            Ok(signature) => Some(signature),
            Err(error) => {
                tracing::warn!(operator, %error, "payout attestation left out");
                None
            }
        }
    };
    unchecked.into_iter().map(|(id, key, bytes)| (id, (bytes.clone(), check(id, key, &bytes)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tatum_protocol::bls::SecretKey;

    fn secret(n: u8) -> SecretKey {
        SecretKey::from_seed(&[n; 32])
    }

    /// Operators 1..=4 with weights 10, 20, 30, 40.
    fn set() -> OperatorSet {
        let member = |n: u8| Member { weight: u128::from(n) * 10, key: secret(n).public_key() };
        OperatorSet { checkpoint: 2, members: (1..=4).map(|n| (u64::from(n), member(n))).collect() }
    }

    fn signed(digest: &B256, by: &[u8]) -> BTreeMap<OperatorId, Signature> {
        by.iter().map(|n| (u64::from(*n), secret(*n).sign(digest))).collect()
    }

    #[test]
    fn absentees_are_named_in_order_and_the_certificate_holds() {
        let digest = B256::repeat_byte(9);
        let certificate = set().certify(&digest, &signed(&digest, &[3, 4])).unwrap();
        assert_eq!(certificate.absentees, vec![1, 2]);
        assert_eq!(certificate.keys, [1, 2].map(|n| secret(n).public_key().g1_abi()));
        let all = set().certify(&digest, &signed(&digest, &[1, 2, 3, 4])).unwrap();
        assert!(all.absentees.is_empty() && all.keys.is_empty());
        assert_eq!(all.aggregate, certificate.aggregate);
    }

    #[test]
    fn two_thirds_exactly_is_not_enough() {
        let digest = B256::repeat_byte(9);
        let mut three = set();
        three.members.remove(&4);
        // 40 of 60.
        let found = three.certify(&digest, &signed(&digest, &[1, 3]));
        assert!(matches!(found, Err(CertificateError::Quorum { signed: 40, total: 60 })));
        assert!(three.certify(&digest, &signed(&digest, &[2, 3])).is_ok());
    }

    #[test]
    fn a_wrong_certificate_is_refused_before_it_is_posted() {
        let (digest, other) = (B256::repeat_byte(9), B256::repeat_byte(8));
        let mut signatures = signed(&digest, &[2, 3, 4]);
        signatures.insert(4, secret(4).sign(&other));
        let refused = set().certify(&digest, &signatures);
        assert!(matches!(refused, Err(CertificateError::Bls(BlsError::WrongCertificate))), "{refused:?}");
        let stranger = signed(&digest, &[2, 3, 4, 5]);
        assert!(matches!(set().certify(&digest, &stranger), Err(CertificateError::Stranger(5))));
    }

    #[test]
    fn bad_signatures_are_left_out() {
        let (digest, other) = (B256::repeat_byte(9), B256::repeat_byte(8));
        let of = |n: u8, digest: &B256| {
            (u64::from(n), secret(n).public_key(), secret(n).sign(digest).to_bytes().to_vec())
        };
        let checked =
            check_all(digest, vec![of(1, &digest), of(2, &other), (3, secret(3).public_key(), vec![0; 64])]);
        let valid: Vec<_> = checked.iter().filter(|(_, (_, s))| s.is_some()).map(|(id, _)| *id).collect();
        assert_eq!(valid, vec![1]);
    }
}
