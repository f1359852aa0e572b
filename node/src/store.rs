//! What must survive a crash: receipts signed and held, closed epochs, payout slots, and evidence on its way to the indexers.
//!
//! One thread writes. It takes what is queued into one transaction, commits with fsync, and only then runs what each write asked to be done
//! after it: **whatever leaves this node signed is on disk before**. A failed commit stops the node, since what it holds in memory is then
//! ahead of what it could prove after a restart.

mod outbox;
mod tables;
mod writer;

pub use outbox::{Entry, evidence_key};
pub use tables::StoreError;
pub use writer::{After, Write};

use redb::{Database, ReadableDatabase, ReadableTable};
use std::path::Path;
use std::sync::Arc;
use tables::{BANDWIDTH, CLOSED, HELD, OUTBOX, PAYOUT_SLOTS, decode};
use tatum_protocol::evidence::PayoutStatement;
use tatum_protocol::receipt::{BandwidthReceipt, Unchecked};
use tokio::sync::{mpsc, oneshot};

use crate::core::ledger::Closed;

/// Writes that may wait for the disk; who has more waits.
const QUEUE: usize = 4096;

/// Handle to the store. Cheap to clone; the writing thread ends with the last handle.
#[derive(Debug, Clone)]
pub struct Store {
    database: Arc<Database>,
    writes: mpsc::Sender<(Vec<Write>, After)>,
}

impl Store {
    /// Opens or creates the store. `failed` is called once if a commit fails.
    pub fn open(path: &Path, failed: impl FnOnce(StoreError) + Send + 'static) -> Result<Self, StoreError> {
        let database = Database::create(path).map_err(|error| StoreError::open(path, &error))?;
        let database = Arc::new(database);
        tables::create(&database)?;
        let (writes, queue) = mpsc::channel(QUEUE);
        let writer = database.clone();
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || {
                if let Err(error) = writer::run(&writer, queue) {
                    failed(error);
                }
            })
            .map_err(|source| StoreError::Thread(source.to_string()))?;
        Ok(Self { database, writes })
    }

    /// Queues writes that belong together; `after` runs once they are on disk.
    pub async fn write(&self, writes: Vec<Write>, after: After) -> Result<(), StoreError> {
        self.writes.send((writes, after)).await.map_err(|_| StoreError::Stopped)
    }

    /// Writes and waits until it is on disk.
    pub async fn write_through(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        let (done, on_disk) = oneshot::channel();
        self.write(
            writes,
            Some(Box::new(move || {
                // Who waited may have given up.
                let _ = done.send(());
            })),
        )
        .await?;
        on_disk.await.map_err(|_| StoreError::Stopped)
    }

    /// Last receipt signed here of each (epoch, relayer).
    pub fn signed(&self) -> Result<Vec<Unchecked<BandwidthReceipt>>, StoreError> {
        self.all(BANDWIDTH)
    }

    /// Last receipt held of each (epoch, receiver).
    pub fn held(&self) -> Result<Vec<Unchecked<BandwidthReceipt>>, StoreError> {
        self.all(HELD)
    }

    /// Closed epochs whose volumes are not attested.
    pub fn closed(&self) -> Result<Vec<Closed>, StoreError> {
        self.all(CLOSED)
    }

    /// The one payout statement that was signed for this epoch.
    pub fn payout_slot(&self, epoch: u64) -> Result<Option<PayoutStatement>, StoreError> {
        let read = self.database.begin_read()?;
        let table = read.open_table(PAYOUT_SLOTS)?;
        let value = table.get(epoch.to_be_bytes().as_slice())?;
        value.map(|value| decode(value.value())).transpose()
    }

    /// Entries for one indexer with keys after `after`, at most `most`, in the order of keys.
    pub fn outbox(&self, indexer: &str, after: &[u8], most: usize) -> Result<Vec<Entry>, StoreError> {
        outbox::entries(&self.database, indexer, after, most)
    }

    /// How much waits for all indexers together.
    pub fn outbox_len(&self) -> Result<u64, StoreError> {
        use redb::ReadableTableMetadata;
        Ok(self.database.begin_read()?.open_table(OUTBOX)?.len()?)
    }

    fn all<T: serde::de::DeserializeOwned>(&self, table: tables::Table) -> Result<Vec<T>, StoreError> {
        let read = self.database.begin_read()?;
        let table = read.open_table(table)?;
        table.iter()?.map(|entry| decode(entry?.1.value())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tatum_protocol::wire::Evidence;
    use tatum_protocol::{Address, B256};

    fn receipt(sequence: u32) -> Unchecked<BandwidthReceipt> {
        use tatum_protocol::receipt::{Credit, Receipt};
        let signer = tatum_protocol::secp::Signer::from_bytes([5; 32]).unwrap();
        let domain = tatum_protocol::eip712::Domain::new(1, Address::ZERO);
        let credit = Credit { part: B256::ZERO, messages: 1, bytes: sequence.into(), served_bytes: 0 };
        let (relayer, receiver) = (Address::repeat_byte(1), signer.address());
        BandwidthReceipt { epoch: 3, relayer, receiver, sequence, credits: vec![credit] }
            .sign(&domain, &signer)
            .unwrap()
            .into_unchecked()
    }

    #[tokio::test]
    async fn what_was_written_through_is_there_after_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.redb");
        let store = Store::open(&path, |error| panic!("{error}")).unwrap();
        store.write_through(vec![Write::Signed(receipt(1)), Write::Signed(receipt(2))]).await.unwrap();
        drop(store);
        // The writing thread lets go of the file when it notices.
        let mut reopened = Store::open(&path, |_| ());
        while reopened.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            reopened = Store::open(&path, |_| ());
        }
        assert_eq!(reopened.unwrap().signed().unwrap(), vec![receipt(2)]);
    }

    #[tokio::test]
    async fn an_entry_replaced_while_it_was_under_way_stays() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("node.redb"), |error| panic!("{error}")).unwrap();
        let submit = |sequence| Write::Submit {
            indexers: vec!["a".into(), "b".into()],
            evidence: Box::new(Evidence::Bandwidth(receipt(sequence))),
        };
        store.write_through(vec![submit(1)]).await.unwrap();
        let sent = store.outbox("a", &[], 10).unwrap();
        assert_eq!(sent.len(), 1);
        store
            .write_through(vec![submit(2), Write::Settled { indexer: "a".into(), entry: sent[0].clone() }])
            .await
            .unwrap();
        let waiting = store.outbox("a", &[], 10).unwrap();
        assert_eq!(waiting[0].evidence, Evidence::Bandwidth(receipt(2)));
        store
            .write_through(vec![Write::Settled { indexer: "a".into(), entry: waiting[0].clone() }])
            .await
            .unwrap();
        assert!(store.outbox("a", &[], 10).unwrap().is_empty());
        assert_eq!(store.outbox("b", &[], 10).unwrap().len(), 1);
    }
}
