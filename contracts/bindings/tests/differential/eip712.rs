//! What is signed.

use alloy::{
    primitives::{Address, B256, U256},
    sol_types::SolStruct,
};
use proptest::prelude::*;
use tatum_protocol::eip712::{Domain, types};
use tatum_testkit::anvil::CHAIN_ID;

use crate::{Chain, Libraries, bits, cases, number};

fn hash() -> impl Strategy<Value = B256> {
    bits(256).prop_map(B256::from)
}

fn address() -> impl Strategy<Value = Address> {
    bits(160).prop_map(|word| Address::from_word(word.into()))
}

fn words<const N: usize>() -> impl Strategy<Value = [U256; N]> {
    prop::collection::vec(bits(256), N).prop_map(|words| words.try_into().unwrap())
}

#[test]
fn digests_bind_the_same_domain() {
    let chain = Chain::start();
    let c = &chain.libraries;
    proptest!(cases(60), |(slashing in address(), owner in address(), node in address())| {
        let consent = types::NodeConsent { owner, node };
        let expected = Domain::new(CHAIN_ID, slashing).digest(&consent);
        prop_assert_eq!(chain.ask(c.typedDigest(slashing, consent.eip712_hash_struct())), Some(expected));
        prop_assert_eq!(chain.ask(c.nodeConsent(owner, node)), Some(consent.eip712_hash_struct()));
    });
}

#[test]
fn messages_and_receipts_have_the_same_hashes() {
    let chain = Chain::start();
    let c = &chain.libraries;
    let inputs = (hash(), address(), address(), number(), number(), bits(32));
    proptest!(cases(100), |((root, a, b, x, y, small) in inputs)| {
        let small: u32 = small.to();
        let frame = types::Frame {
            streamPart: root,
            publisher: a,
            chain: x,
            firstSequence: y,
            count: small,
            contentHash: root,
        };
        let found = chain.ask(c.frame(root, a, x, y, small, root));
        prop_assert_eq!(found, Some(frame.eip712_hash_struct()));
        let receipt =
            types::BandwidthReceipt { epoch: x, relayer: a, receiver: b, sequence: small, creditsRoot: root };
        let asked =
            Libraries::BandwidthReceipt { epoch: x, relayer: a, receiver: b, sequence: small, creditsRoot: root };
        prop_assert_eq!(chain.ask(c.bandwidthReceipt(asked)), Some(receipt.eip712_hash_struct()));
        let receipt = types::DeliveryReceipt { epoch: x, receiver: b, deliveriesRoot: root };
        prop_assert_eq!(chain.ask(c.deliveryReceipt(x, b, root)), Some(receipt.eip712_hash_struct()));
    });
}

#[test]
fn statements_have_the_same_hashes() {
    let chain = Chain::start();
    let c = &chain.libraries;
    let inputs = (number(), number(), hash(), hash(), number(), number(), bits(256));
    proptest!(cases(100), |((epoch, checkpoint, part, digest, x, y, total) in inputs)| {
        let volume = types::Volume {
            epoch,
            checkpoint,
            streamPart: part,
            setDigest: digest,
            messages: x,
            bytes: y,
        };
        let found = chain.ask(c.volume(epoch, checkpoint, part, digest, x, y));
        prop_assert_eq!(found, Some(volume.eip712_hash_struct()));
        let payout = types::Payout { epoch, checkpoint, root: part, total };
        prop_assert_eq!(chain.ask(c.payout(epoch, checkpoint, part, total)), Some(payout.eip712_hash_struct()));
        let fault = types::Fault { epoch, checkpoint, streamPart: part, operatorId: x };
        prop_assert_eq!(chain.ask(c.fault(epoch, checkpoint, part, x)), Some(fault.eip712_hash_struct()));
    });
    proptest!(cases(60), |(owner in address(), g1 in words::<2>(), g2 in words::<4>())| {
        let key = types::BlsKey { owner, g1, g2 };
        prop_assert_eq!(chain.ask(c.blsKey(owner, g1, g2)), Some(key.eip712_hash_struct()));
    });
}
