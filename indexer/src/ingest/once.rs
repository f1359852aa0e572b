//! Evidence that is said once: delivery receipts, volume and payout attestations. The primary keys find repetitions.

use super::bandwidth::Fate;
use crate::counters::Refusal;
use crate::db::{DbError, convert};
use alloy::primitives::B256;
use sqlx::PgConnection;
use tatum_protocol::eip712::Domain;
use tatum_protocol::evidence::{PayoutAttestation, PayoutStatement};
use tatum_protocol::receipt::{Checked, DeliveryReceipt};
use tatum_protocol::volume::VolumeAttestation;

/// The first delivery receipt of a receiver stays; another one is refused.
pub(super) async fn delivery(
    connection: &mut PgConnection,
    receipt: Checked<DeliveryReceipt>,
) -> Result<Fate, DbError> {
    let (epoch, receiver, digest) = (receipt.receipt().epoch, receipt.receipt().receiver, receipt.digest());
    let kept: Vec<u8> = sqlx::query_scalar(
        "INSERT INTO delivery_receipts (epoch, receiver, digest, body) VALUES ($1, $2, $3, $4)
         ON CONFLICT (epoch, receiver) DO UPDATE SET digest = delivery_receipts.digest RETURNING digest",
    )
    .bind(convert::int("epoch", epoch)?)
    .bind(receiver.as_slice())
    .bind(digest.as_slice())
    .bind(convert::body("delivery receipt", &receipt.into_unchecked())?)
    .fetch_one(connection)
    .await?;
    if kept == digest.as_slice() {
        return Ok(Ok(()));
    }
    let kept = convert::hash("digest", &kept)?;
    Ok(Err((
        Refusal::Contradiction,
        format!("{receiver} signed another delivery receipt for epoch {epoch}: {kept}"),
    )))
}

/// Two volumes of one operator for one part are both kept, which takes its voice away; a third adds nothing.
pub(super) async fn volume(
    connection: &mut PgConnection,
    attestation: &VolumeAttestation,
    digest: B256,
) -> Result<Fate, DbError> {
    let (epoch, part, operator) = (attestation.volume.epoch, attestation.volume.part, attestation.operator);
    let kept: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT digest FROM volume_attestations WHERE epoch = $1 AND part = $2 AND operator_id = $3",
    )
    .bind(convert::int("epoch", epoch)?)
    .bind(part.as_slice())
    .bind(convert::int("operator id", operator)?)
    .fetch_all(&mut *connection)
    .await?;
    if kept.iter().any(|kept| kept == digest.as_slice()) {
        return Ok(Ok(()));
    }
    let contradiction = || {
        (
            Refusal::Contradiction,
            format!("operator {operator} attested another volume of part {part} in epoch {epoch}"),
        )
    };
    if kept.len() >= 2 {
        return Ok(Err(contradiction()));
    }
    sqlx::query(
        "INSERT INTO volume_attestations (epoch, part, operator_id, digest, body) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(convert::int("epoch", epoch)?)
    .bind(part.as_slice())
    .bind(convert::int("operator id", operator)?)
    .bind(digest.as_slice())
    .bind(convert::body("volume attestation", attestation)?)
    .execute(connection)
    .await?;
    Ok(if kept.is_empty() { Ok(()) } else { Err(contradiction()) })
}

/// What a payout attestation meets.
pub(super) enum PayoutFate {
    Judged(Fate),
    /// There is no proposal to compare it with yet.
    NoProposal,
}

/// An attestation counts for the proposal in the database and for no other.
pub(super) async fn payout(
    connection: &mut PgConnection,
    attestation: &PayoutAttestation,
    digest: B256,
    domain: &Domain,
) -> Result<PayoutFate, DbError> {
    let epoch = convert::int("epoch", attestation.statement.epoch)?;
    let row: Option<(i64, Vec<u8>, String)> = sqlx::query_as(
        "SELECT checkpoint, root, total::text FROM epochs WHERE epoch = $1 AND root IS NOT NULL",
    )
    .bind(epoch)
    .fetch_optional(&mut *connection)
    .await?;
    let Some((checkpoint, root, total)) = row else { return Ok(PayoutFate::NoProposal) };
    let proposed = PayoutStatement {
        epoch: attestation.statement.epoch,
        checkpoint: convert::uint("checkpoint", checkpoint)?,
        root: convert::hash("root", &root)?,
        total: convert::amount("total", &total)?,
    };
    if proposed.digest(domain) != digest {
        let reason = format!(
            "attests root {} and total {}; the proposal has {} and {}",
            attestation.statement.root, attestation.statement.total, proposed.root, proposed.total
        );
        return Ok(PayoutFate::Judged(Err((Refusal::OtherStatement, reason))));
    }
    sqlx::query(
        "INSERT INTO payout_attestations (epoch, operator_id, digest, signature) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind(epoch)
    .bind(convert::int("operator id", attestation.operator)?)
    .bind(digest.as_slice())
    .bind(attestation.signature.to_bytes().as_slice())
    .execute(connection)
    .await?;
    Ok(PayoutFate::Judged(Ok(())))
}
