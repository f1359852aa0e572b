//! The thread that writes: many writes, one commit.

use super::outbox::{Entry, beside, evidence_key, prefix};
use super::tables::{BANDWIDTH, CLOSED, DELIVERIES, HELD, OUTBOX, PAYOUT_SLOTS, StoreError, Table, encode};
use crate::core::ledger::Closed;
use redb::{Database, ReadableTable, WriteTransaction};
use tatum_protocol::evidence::PayoutStatement;
use tatum_protocol::receipt::{BandwidthReceipt, DeliveryReceipt, Unchecked};
use tatum_protocol::wire::Evidence;
use tokio::sync::mpsc;

/// Most queued writes that share one commit.
const GROUP: usize = 512;

/// Done once the writes it came with are on disk.
pub type After = Option<Box<dyn FnOnce() + Send>>;

#[derive(Debug)]
pub enum Write {
    /// Our receipt, before its relayer gets it.
    Signed(Unchecked<BandwidthReceipt>),
    /// Somebody's receipt for us.
    Held(Unchecked<BandwidthReceipt>),
    /// Our delivery receipt with the totals it was made from. Refused if another one was signed for the epoch.
    Delivery { receipt: Unchecked<DeliveryReceipt>, closed: Closed },
    /// Volumes of this epoch are attested.
    Attested { epoch: u64 },
    /// Takes the slot of an epoch. Refused if it is taken by another statement.
    Payout(PayoutStatement),
    /// Puts evidence on its way to these indexers.
    Submit { indexers: Vec<String>, evidence: Box<Evidence> },
    /// Evidence that contradicts other evidence and must not replace it. Only a node that equivocates has such.
    SubmitBeside { indexers: Vec<String>, evidence: Box<Evidence> },
    /// An indexer has judged this entry.
    Settled { indexer: String, entry: Entry },
    /// Forgets what is of epochs before this one. Outbox entries stay until they are judged, payout slots for ever: a second
    /// statement is an offence at any age.
    Prune { before: u64 },
}

/// Until all handles are gone, or a commit fails.
pub(super) fn run(
    database: &Database,
    mut queue: mpsc::Receiver<(Vec<Write>, After)>,
) -> Result<(), StoreError> {
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = queue.try_recv()
        {
            group.push(next);
        }
        let transaction = database.begin_write()?;
        let mut done = Vec::with_capacity(group.len());
        for (writes, after) in group {
            for write in &writes {
                apply(&transaction, write)?;
            }
            done.extend(after);
        }
        transaction.commit()?;
        done.into_iter().for_each(|after| after());
    }
    Ok(())
}

fn apply(transaction: &WriteTransaction, write: &Write) -> Result<(), StoreError> {
    match write {
        Write::Signed(receipt) => {
            let key = [&receipt.receipt.epoch.to_be_bytes()[..], receipt.receipt.relayer.as_slice()].concat();
            put(transaction, BANDWIDTH, &key, &encode(receipt)?)
        }
        Write::Held(receipt) => {
            let key =
                [&receipt.receipt.epoch.to_be_bytes()[..], receipt.receipt.receiver.as_slice()].concat();
            put(transaction, HELD, &key, &encode(receipt)?)
        }
        Write::Delivery { receipt, closed } => {
            let epoch = closed.epoch;
            if !claim(transaction, DELIVERIES, epoch, &encode(receipt)?)? {
                return Err(StoreError::SecondDelivery(epoch));
            }
            put(transaction, CLOSED, &epoch.to_be_bytes(), &encode(closed)?)
        }
        Write::Attested { epoch } => {
            transaction.open_table(CLOSED)?.remove(epoch.to_be_bytes().as_slice())?;
            Ok(())
        }
        Write::Payout(statement) => {
            match claim(transaction, PAYOUT_SLOTS, statement.epoch, &encode(statement)?)? {
                true => Ok(()),
                false => Err(StoreError::SecondPayout(statement.epoch)),
            }
        }
        Write::Submit { indexers, evidence } => {
            let value = encode(evidence.as_ref())?;
            submit(transaction, indexers, &evidence_key(evidence), &value)
        }
        Write::SubmitBeside { indexers, evidence } => {
            let value = encode(evidence.as_ref())?;
            submit(transaction, indexers, &beside(&evidence_key(evidence), &value), &value)
        }
        Write::Settled { indexer, entry } => {
            let key = [prefix(indexer).as_slice(), &entry.key].concat();
            let mut table = transaction.open_table(OUTBOX)?;
            let unchanged = table.get(key.as_slice())?.is_some_and(|value| value.value() == entry.stored);
            if unchanged {
                table.remove(key.as_slice())?;
            }
            Ok(())
        }
        Write::Prune { before } => {
            for table in [BANDWIDTH, HELD, CLOSED, DELIVERIES] {
                let bound = before.to_be_bytes();
                transaction.open_table(table)?.retain_in(..bound.as_slice(), |_, _| false)?;
            }
            Ok(())
        }
    }
}

fn put(transaction: &WriteTransaction, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    transaction.open_table(table)?.insert(key, value)?;
    Ok(())
}

/// Whether the epoch's slot is free or holds this very value.
fn claim(transaction: &WriteTransaction, table: Table, epoch: u64, value: &[u8]) -> Result<bool, StoreError> {
    let mut table = transaction.open_table(table)?;
    let key = epoch.to_be_bytes();
    let taken = table.get(key.as_slice())?.map(|known| known.value() == value);
    if taken.is_none() {
        table.insert(key.as_slice(), value)?;
    }
    Ok(taken.unwrap_or(true))
}

fn submit(
    transaction: &WriteTransaction,
    indexers: &[String],
    key: &[u8],
    value: &[u8],
) -> Result<(), StoreError> {
    indexers
        .iter()
        .try_for_each(|indexer| put(transaction, OUTBOX, &[prefix(indexer).as_slice(), key].concat(), value))
}
