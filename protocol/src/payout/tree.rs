//! Cumulative payouts and the chunked tree that settlement pushes from.

use super::EpochPayout;
use crate::amount::Wei;
use crate::id::Account;
use crate::merkle::{MerkleTree, leaf_hash};
use alloy_primitives::{B256, U256};
use alloy_sol_types::SolValue;
use std::collections::BTreeMap;

/// Entries per chunk; one push pays one chunk.
pub const CHUNK_ENTRIES: usize = 64;

const KIND_OPERATOR: u64 = 1;
const KIND_SPONSORSHIP: u64 = 2;

/// Why entries or sums are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    #[error("payout entry {0:#x} has an unknown kind or bits where none belong")]
    Entry(U256),
    #[error("payout entries are out of order at {0:#x}")]
    Order(U256),
    #[error("cumulative amount of {0:?} does not fit in 128 bits")]
    Overflow(Account),
}

/// What every account has been paid since genesis, epochs included so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cumulative(BTreeMap<Account, Wei>);

impl Cumulative {
    /// Adds an epoch.
    pub fn add(&mut self, payout: &EpochPayout) -> Result<(), TreeError> {
        for line in &payout.lines {
            self.add_to(Account::Operator(line.operator), line.amount)?;
        }
        for (sponsorship, amount) in &payout.refunds {
            self.add_to(Account::Sponsorship(*sponsorship), *amount)?;
        }
        Ok(())
    }

    fn add_to(&mut self, account: Account, amount: Wei) -> Result<(), TreeError> {
        if amount == Wei::ZERO {
            return Ok(());
        }
        let sum = self.0.entry(account).or_default();
        *sum = sum.checked_add(amount).ok_or(TreeError::Overflow(account))?;
        Ok(())
    }

    pub fn get(&self, account: Account) -> Wei {
        self.0.get(&account).copied().unwrap_or_default()
    }

    pub fn iter(&self) -> impl Iterator<Item = (Account, Wei)> {
        self.0.iter().map(|(account, amount)| (*account, *amount))
    }

    /// Everything scheduled so far: payouts + refunds. The contract compares it to the sponsors' schedule.
    pub fn total(&self) -> U256 {
        self.0.values().map(|wei| U256::from(wei.0)).fold(U256::ZERO, U256::saturating_add)
    }

    /// Packed `kind << 248 | id << 128 | cumulative`, ascending.
    pub fn entries(&self) -> Vec<U256> {
        self.0
            .iter()
            .map(|(account, amount)| {
                let (kind, id) = match account {
                    Account::Operator(id) => (KIND_OPERATOR, id),
                    Account::Sponsorship(id) => (KIND_SPONSORSHIP, id),
                };
                (U256::from(kind).wrapping_shl(248))
                    | (U256::from(*id).wrapping_shl(128))
                    | U256::from(amount.0)
            })
            .collect()
    }

    /// Reads entries back; refuses anything [`Self::entries`] would not have written.
    pub fn from_entries(entries: &[U256]) -> Result<Self, TreeError> {
        let mut amounts = BTreeMap::new();
        for entry in entries {
            let kind = entry.wrapping_shr(248);
            let middle = entry.wrapping_shr(128) & U256::MAX.wrapping_shr(136);
            let id = u64::try_from(middle).map_err(|_| TreeError::Entry(*entry))?;
            let account = match u64::try_from(kind) {
                Ok(KIND_OPERATOR) => Account::Operator(id),
                Ok(KIND_SPONSORSHIP) => Account::Sponsorship(id),
                _ => return Err(TreeError::Entry(*entry)),
            };
            let amount =
                u128::try_from(entry & U256::from(u128::MAX)).map_err(|_| TreeError::Entry(*entry))?;
            if amounts.last_key_value().is_some_and(|(last, _)| *last >= account) {
                return Err(TreeError::Order(*entry));
            }
            amounts.insert(account, Wei(amount));
        }
        Ok(Self(amounts))
    }

    pub fn tree(&self) -> PayoutTree {
        PayoutTree::new(self.entries())
    }
}

/// Chunks of entries under one root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutTree {
    chunks: Vec<Vec<U256>>,
    tree: MerkleTree,
}

impl PayoutTree {
    fn new(entries: Vec<U256>) -> Self {
        let chunks: Vec<Vec<U256>> = entries.chunks(CHUNK_ENTRIES).map(<[U256]>::to_vec).collect();
        let tree = MerkleTree::new(chunks.iter().map(Self::leaf).collect());
        Self { chunks, tree }
    }

    fn leaf(chunk: &Vec<U256>) -> B256 {
        leaf_hash(&chunk.abi_encode())
    }

    pub fn root(&self) -> B256 {
        self.tree.root()
    }

    /// Each chunk with its leaf hash and proof, in entry order.
    pub fn chunks(&self) -> impl Iterator<Item = (&[U256], B256, Vec<B256>)> {
        self.chunks.iter().map(|chunk| {
            let leaf = Self::leaf(chunk);
            (chunk.as_slice(), leaf, self.tree.proof(&leaf).unwrap_or_default())
        })
    }
}
