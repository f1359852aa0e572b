//! BN254: points, hashing to the curve, signatures.

use alloy::primitives::{B256, U256};
use ark_bn254::{Fq, Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{Field, PrimeField};
use proptest::prelude::*;
use tatum_protocol::bls::{self, PublicKey, SecretKey, Signature, Tag};

use crate::{Chain, bits, cases};

const P: U256 = U256::from_limbs(Fq::MODULUS.0);

/// As the contracts name them.
const TAGS: [(Tag, &str); 2] = [
    (Tag::Statement, "BLS_SIG_BN254G1_XMD:KECCAK-256_SVDW_RO_POP_"),
    (Tag::Possession, "BLS_POP_BN254G1_XMD:KECCAK-256_SVDW_RO_POP_"),
];

fn words(point: &G1Affine) -> [U256; 2] {
    let word = |coordinate: Fq| U256::from_limbs(coordinate.into_bigint().0);
    point.xy().map_or([U256::ZERO; 2], |(x, y)| [word(x), word(y)])
}

fn scalar(word: U256) -> Fr {
    Fr::from_le_bytes_mod_order(&word.to_le_bytes::<32>())
}

/// A point of G1: infinity, the generator, its negative and anything else.
fn point() -> impl Strategy<Value = G1Affine> {
    let order = U256::from_limbs(Fr::MODULUS.0);
    prop_oneof![1 => Just(order - U256::ONE), 6 => bits(256)]
        .prop_map(|word| (G1Affine::generator() * scalar(word)).into_affine())
}

/// Two words that are no point: off the curve, or a coordinate at or above the modulus.
fn no_point() -> impl Strategy<Value = [U256; 2]> {
    prop_oneof![
        point().prop_map(|point| words(&point)).prop_map(|[x, y]| [x, y + U256::ONE]),
        point().prop_map(|point| words(&point)).prop_map(|[x, y]| [x + P, y]),
        Just([P, P]),
        Just([U256::ONE, U256::ONE]),
    ]
}

#[test]
fn points_add_and_multiply_alike() {
    let chain = Chain::start();
    let c = &chain.libraries;
    proptest!(cases(120), |(a in point(), b in point(), factor in bits(256))| {
        let (wa, wb) = (words(&a), words(&b));
        prop_assert_eq!(chain.ask(c.add(wa, wb)), Some(words(&(a + b).into_affine())));
        prop_assert_eq!(chain.ask(c.subtract(wa, wb)), Some(words(&(G1Projective::from(a) - b).into_affine())));
        prop_assert_eq!(chain.ask(c.add(wa, wa)), Some(words(&(a + a).into_affine())), "doubling");
        prop_assert_eq!(chain.ask(c.negate(wa)), Some(words(&-a)));
        prop_assert_eq!(chain.ask(c.mul(wa, factor)), Some(words(&(a * scalar(factor)).into_affine())));
    });
    proptest!(cases(24), |(bad in no_point(), good in point())| {
        prop_assert_eq!(chain.ask(c.add(bad, words(&good))), None);
        prop_assert_eq!(chain.ask(c.mul(bad, U256::from(2))), None);
    });
}

#[test]
fn digests_hash_to_the_same_points() {
    let chain = Chain::start();
    let c = &chain.libraries;
    proptest!(cases(150), |(digest in bits(256), tag in 0..TAGS.len())| {
        let ((tag, name), digest) = (TAGS[tag], B256::from(digest));
        let expected = words(&bls::hash_to_curve(tag, &digest));
        prop_assert_eq!(chain.ask(c.hash(digest, name.to_owned())), Some(expected));
    });
    let half = Fq::from(2_u64).inverse().unwrap();
    // The denominators of the map vanish at 1/2 and its negative.
    let edges = [half, -half, Fq::from(0_u64), Fq::from(1_u64), -Fq::from(1_u64)];
    let field = prop_oneof![
        1 => (0..edges.len()).prop_map(move |edge| edges[edge]),
        6 => bits(256).prop_map(|word| Fq::from_le_bytes_mod_order(&word.to_le_bytes::<32>())),
    ];
    proptest!(cases(150), |(u in field)| {
        let found = chain.ask(c.mapToCurve(U256::from_limbs(u.into_bigint().0)));
        prop_assert_eq!(found, Some(words(&bls::map_to_curve(u))));
    });
}

/// A key in both groups and a signature, right or with something wrong.
#[derive(Debug, Clone)]
struct Claim {
    digest: B256,
    key1: [U256; 2],
    key2: [U256; 4],
    signature: [U256; 2],
}

/// What can be wrong with a claim; all but the first must be refused.
const WRONGS: u8 = 10;

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

fn signed(tag: Tag, secret: &SecretKey, digest: &B256) -> [U256; 2] {
    match tag {
        Tag::Statement => secret.sign(digest).abi(),
        Tag::Possession => secret.prove_possession(digest).abi(),
    }
}

fn claim(tag: Tag, wrong: u8, seed: u8, digest: B256) -> Claim {
    let (mine, other) = (secret(seed), secret(seed.wrapping_add(1)));
    let (key, stranger) = (mine.public_key(), other.public_key());
    let mut claim =
        Claim { digest, key1: key.g1_abi(), key2: key.g2_abi(), signature: signed(tag, &mine, &digest) };
    let negative = |[x, y]: [U256; 2]| [x, P - y];
    match wrong {
        0 => {}
        1 => claim.digest = B256::from(U256::from_be_bytes(digest.0).wrapping_add(U256::ONE)),
        2 => claim.key1 = stranger.g1_abi(),
        3 => claim.key2 = stranger.g2_abi(),
        4 => claim.signature = signed(tag, &other, &digest),
        5 => claim.signature = negative(claim.signature),
        6 => claim.signature = [U256::ZERO; 2],
        7 => (claim.key1, claim.key2, claim.signature) = ([U256::ZERO; 2], [U256::ZERO; 4], [U256::ZERO; 2]),
        8 => claim.signature[0] += P,
        _ => claim.key2[0] = claim.key2[0].wrapping_add(U256::ONE),
    }
    claim
}

/// The same question of the protocol crate.
fn holds(tag: Tag, claim: &Claim) -> bool {
    let key = PublicKey::from_abi(claim.key1, claim.key2);
    let (Ok(key), Ok(signature)) = (key, Signature::from_abi(&claim.signature)) else { return false };
    match tag {
        Tag::Statement => key.verify(&claim.digest, &signature).is_ok(),
        Tag::Possession => key.verify_possession(&claim.digest, &signature).is_ok(),
    }
}

#[test]
fn signatures_hold_in_both_or_in_neither() {
    let chain = Chain::start();
    let c = &chain.libraries;
    let inputs = (0..TAGS.len(), 0..WRONGS, any::<u8>(), bits(256));
    proptest!(cases(120), |((tag, wrong, seed, digest) in inputs)| {
        let (tag, name) = TAGS[tag];
        let claim = claim(tag, wrong, seed, digest.into());
        let Claim { digest, key1, key2, signature } = claim;
        // A revert is a refusal too: points that are none are not judged.
        let found = chain.ask(c.verify(digest, name.to_owned(), key1, key2, signature)).unwrap_or(false);
        prop_assert_eq!(found, holds(tag, &claim));
        prop_assert_eq!(found, wrong == 0);
    });
}

#[test]
fn two_signatures_under_one_key_are_judged_as_one_by_one() {
    let chain = Chain::start();
    let c = &chain.libraries;
    let inputs = (0..WRONGS, 0..WRONGS, any::<u8>(), bits(256), bits(256));
    proptest!(cases(60), |((wrong_a, wrong_b, seed, a, b) in inputs)| {
        let (tag, name) = TAGS[0];
        let a = claim(tag, wrong_a, seed, a.into());
        // One key for both: the first claim's.
        let b = Claim { key1: a.key1, key2: a.key2, ..claim(tag, wrong_b, seed, b.into()) };
        let call = c.verifyBoth(
            [a.digest, b.digest],
            name.to_owned(),
            a.key1,
            a.key2,
            a.signature,
            b.signature,
        );
        prop_assert_eq!(chain.ask(call).unwrap_or(false), holds(tag, &a) && holds(tag, &b));
    });
}
