//! Contradictions of receivers, kept with both receipts for the settlement process to prove on chain.

use crate::db::{DbError, convert};
use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::sol_types::SolValue;
use sqlx::PgConnection;
use tatum_protocol::id::OperatorId;
use tatum_protocol::receipt::{BandwidthReceipt, Checked, is_equivocation, regression};

/// What two receipts of one pair prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffenceKind {
    /// One sequence, two different lists.
    Equivocation,
    /// A later sequence with a lower total.
    Regression,
}

impl OffenceKind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equivocation => "receipt_equivocation",
            Self::Regression => "receipt_regression",
        }
    }
}

/// `receiptSlot` of the Slashing contract: one punishment per pair and epoch.
pub fn slot(epoch: u64, relayer: Address, receiver: Address) -> B256 {
    // The contract's number of the first kind that shares the slot, receipt equivocation.
    const KIND: u8 = 1;
    keccak256((U256::from(KIND), epoch, relayer, receiver).abi_encode())
}

/// Two receipts of one (epoch, relayer, receiver) that cannot both be true.
#[derive(Debug, Clone)]
pub(crate) struct Offence {
    pub(crate) kind: OffenceKind,
    pub(crate) first: Checked<BandwidthReceipt>,
    pub(crate) second: Checked<BandwidthReceipt>,
    pub(crate) operator: Option<OperatorId>,
}

/// What `a` and `b` prove together, the lower sequence first.
pub(crate) fn find(
    a: &Checked<BandwidthReceipt>,
    b: &Checked<BandwidthReceipt>,
    operator: Option<OperatorId>,
) -> Option<Offence> {
    let kind = if is_equivocation(a, b) {
        OffenceKind::Equivocation
    } else if regression(a, b).is_some() {
        OffenceKind::Regression
    } else {
        return None;
    };
    let (first, second) = if a.receipt().sequence <= b.receipt().sequence { (a, b) } else { (b, a) };
    Some(Offence { kind, first: first.clone(), second: second.clone(), operator })
}

/// Keeps the first offence of each slot; true if this was it.
pub(crate) async fn keep(connection: &mut PgConnection, offence: Offence) -> Result<bool, DbError> {
    let BandwidthReceipt { epoch, relayer, receiver, .. } = *offence.first.receipt();
    let operator = offence.operator.map(|id| convert::int("operator id", id)).transpose()?;
    let done = sqlx::query(
        "INSERT INTO offences (slot, kind, epoch, relayer, receiver, operator_id, first, second)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (slot) DO NOTHING",
    )
    .bind(slot(epoch, relayer, receiver).as_slice())
    .bind(offence.kind.name())
    .bind(convert::int("epoch", epoch)?)
    .bind(relayer.as_slice())
    .bind(receiver.as_slice())
    .bind(operator)
    .bind(convert::body("receipt", &offence.first.into_unchecked())?)
    .bind(convert::body("receipt", &offence.second.into_unchecked())?)
    .execute(connection)
    .await?;
    tracing::warn!(epoch, %relayer, %receiver, ?operator, kind = offence.kind.name(), "receipts contradict each other");
    Ok(done.rows_affected() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_is_abi_encoded() {
        let (relayer, receiver) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let mut words = [0_u8; 128];
        words[31] = 1;
        words[63] = 7;
        words[76..96].fill(1);
        words[108..128].fill(2);
        assert_eq!(slot(7, relayer, receiver), keccak256(words));
    }
}
