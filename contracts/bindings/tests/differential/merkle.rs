//! Leaves, and the shape of payout chunks.

use std::cell::Cell;

use alloy::primitives::{B256, U256};
use proptest::prelude::*;
use tatum_protocol::{
    payout::{CHUNK_ENTRIES, Cumulative},
    receipt::{Credit, Delivery},
};

use crate::{Chain, Libraries, bits, cases, number};

#[test]
fn leaves_are_the_same() {
    let chain = Chain::start();
    let c = &chain.libraries;
    let inputs = (bits(256), number(), number(), number(), bits(256));
    proptest!(cases(150), |((part, messages, bytes, served_bytes, custody) in inputs)| {
        let (part, custody) = (B256::from(part), B256::from(custody));
        let credit = Credit { part, messages, bytes, served_bytes };
        let asked = Libraries::Credit { streamPart: part, messages, bytes_: bytes, servedBytes: served_bytes };
        prop_assert_eq!(chain.ask(c.creditLeaf(asked)), Some(credit.leaf()));
        let delivery = Delivery { part, messages, bytes, custody };
        prop_assert_eq!(chain.ask(c.deliveryLeaf(part, messages, bytes, custody)), Some(delivery.leaf()));
    });
}

fn entry(kind: u64, id: u64, amount: u128) -> U256 {
    (U256::from(kind) << 248) | (U256::from(id) << 128) | U256::from(amount)
}

/// A chunk as trees have them, ascending; empty or one too long at times.
fn chunk() -> impl Strategy<Value = Vec<U256>> {
    // More accounts than a chunk holds, also without those that come up twice.
    let account = (1..=2_u64, prop_oneof![1 => 0..80_u64, 4 => any::<u64>()]);
    let accounts = prop::collection::btree_map(account, bits(128), 3 * CHUNK_ENTRIES / 2..2 * CHUNK_ENTRIES);
    let length = prop_oneof![
        1 => Just(0),
        1 => Just(CHUNK_ENTRIES),
        1 => Just(CHUNK_ENTRIES + 1),
        6 => 1..20_usize
    ];
    (accounts, length).prop_map(|(accounts, length)| {
        let accounts = accounts.into_iter().take(length);
        accounts.map(|((kind, id), amount)| entry(kind, id, amount.to())).collect()
    })
}

/// What may be done to a chunk: nothing, two entries swapped, one repeated, a bit set where none belongs.
fn damaged() -> impl Strategy<Value = Vec<U256>> {
    (chunk(), 0..6_u8, any::<prop::sample::Index>(), 192..256_usize).prop_map(
        |(mut chunk, damage, index, bit)| {
            if chunk.is_empty() {
                return chunk;
            }
            let at = index.index(chunk.len());
            match damage {
                0 => chunk.swap(0, at),
                1 => chunk.insert(at, chunk[at]),
                2 => chunk[at] |= U256::ONE << bit,
                _ => {}
            }
            chunk
        },
    )
}

#[test]
fn chunks_are_taken_or_refused_alike_and_hash_to_the_same_leaf() {
    let chain = Chain::start();
    let c = &chain.libraries;
    let (taken, refused) = (Cell::new(0), Cell::new(0));
    proptest!(cases(300), |(chunk in damaged())| {
        // The tree has no empty chunks and cuts at the limit; a chunk by itself is what it reads back.
        let length = (1..=CHUNK_ENTRIES).contains(&chunk.len());
        let read = Cumulative::from_entries(&chunk).ok().filter(|_| length);
        let expected = read.as_ref().map(|cumulative| {
            let operators = cumulative.iter().filter(|(account, _)| {
                matches!(account, tatum_protocol::id::Account::Operator(_))
            });
            (U256::from(operators.count()), cumulative.tree().root())
        });
        let found = chain.ask(c.checkChunk(chunk.clone())).map(|found| (found.operators, found.leaf));
        prop_assert_eq!(found, expected);
        let count = if found.is_some() { &taken } else { &refused };
        count.set(count.get() + 1);
    });
    let (taken, refused) = (taken.get(), refused.get());
    assert!(taken > 30 && refused > 30, "{taken} taken, {refused} refused: the inputs miss their point");
}

#[test]
fn entries_unpack_to_what_was_packed() {
    let chain = Chain::start();
    let c = &chain.libraries;
    proptest!(cases(100), |(kind in 1..=2_u64, id in number(), amount in bits(128))| {
        let amount: u128 = amount.to();
        let found = chain.ask(c.unpack(entry(kind, id, amount))).unwrap();
        prop_assert_eq!((found.kind, found.id, found.cumulative), (U256::from(kind), id, amount));
        let cumulative = Cumulative::from_entries(&[entry(kind, id, amount)]).unwrap();
        prop_assert_eq!(cumulative.iter().map(|(_, wei)| wei.0).collect::<Vec<_>>(), vec![amount]);
    });
}
