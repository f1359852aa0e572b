//! The scheme as a whole; hashing to the curve has its tests beside it.

use super::point::{decode_g2, encode_g1, encode_g2};
use super::*;
use alloy_primitives::{B256, keccak256, uint};
use ark_bn254::{Fq2, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use proptest::prelude::*;

/// Field modulus.
const P: U256 = uint!(21888242871839275222246405745257275088696311157297823662689037894645226208583_U256);
/// Group order.
const R: U256 = uint!(21888242871839275222246405745257275088548364400416034343698204186575808495617_U256);

fn key(index: u8) -> SecretKey {
    SecretKey::from_seed(&[index; 32])
}

fn digest(text: &str) -> B256 {
    keccak256(text)
}

#[test]
fn sign_and_verify() {
    let (secret, statement) = (key(1), digest("payout"));
    let signature = secret.sign(&statement);
    assert_eq!(signature, key(1).sign(&statement), "signing is deterministic");
    secret.public_key().verify(&statement, &signature).unwrap();
    assert_eq!(secret.public_key().verify(&digest("other"), &signature), Err(BlsError::WrongSignature));
    assert_eq!(key(2).public_key().verify(&statement, &signature), Err(BlsError::WrongSignature));
}

#[test]
fn tags_separate_statements_from_possession() {
    let (secret, statement) = (key(1), digest("key"));
    let public = secret.public_key();
    let (signature, proof) = (secret.sign(&statement), secret.prove_possession(&statement));
    public.verify_possession(&statement, &proof).unwrap();
    assert_eq!(public.verify(&statement, &proof), Err(BlsError::WrongSignature));
    assert_eq!(public.verify_possession(&statement, &signature), Err(BlsError::WrongPossession));
}

/// Two rounds of the public drand network evmnet (chain 04f1e906..c3), which runs this scheme under a tag of its own: the
/// hash to the curve, the pairing and the order of the words all have to agree.
#[test]
fn drand_evmnet_beacons_verify() {
    let public = "07e1d1d335df83fa98462005690372c643340060d205306a9aa8106b6bd0b382\
                  0557ec32c2ad488e4d4f6008f89a346f18492092ccc0d594610de2732c8b808f\
                  0095685ae3a85ba243747b1b2f426049010f6b73a0cf1d389351d5aaaa1047f6\
                  297d3a4f9749b33eb2d904c9d9ebf17224150ddd7abd7567a9bec6c74480ee0b";
    let words: Vec<U256> = hex::decode(public).unwrap().chunks(32).map(U256::from_be_slice).collect();
    let apk = decode_g2(&words.try_into().unwrap(), "drand key").unwrap();
    for (round, signature) in [
        (
            1000u64,
            "06fd5996329504d3a56b482d9222bf7205857d0a9559ddd216ca31a286f6a8cc\
             0a120f021aac2f13553fb164f62bc3a5ca32c76dea88a777b39bcf3cac5fdbd6",
        ),
        (
            18_710_192,
            "174c481ee5453aa002b6a5e4e4b3bad70c62933a286285b5c22e1d6b9304b4d4\
             0720072ba15a5c6dfe9f271bd48fd36b9d488334da388da85e45451f95ad1427",
        ),
    ] {
        let signature = Signature::from_bytes(&hex::decode(signature).unwrap()).unwrap();
        let hashed = hash_to_curve::hash_bytes(
            b"BLS_SIG_BN254G1_XMD:KECCAK-256_SVDW_RO_NUL_",
            keccak256(round.to_be_bytes()).as_slice(),
        );
        assert!(point::pairing_holds(signature.point(), hashed, apk), "round {round}");
        assert!(!point::pairing_holds(signature.point(), (hashed + hashed).into_affine(), apk));
    }
}

#[test]
fn aggregates_verify_against_the_sum_of_keys() {
    let statement = digest("volume");
    let secrets: Vec<SecretKey> = (1..=5).map(key).collect();
    let keys: Vec<PublicKey> = secrets.iter().map(SecretKey::public_key).collect();
    let signatures: Vec<Signature> = secrets.iter().map(|secret| secret.sign(&statement)).collect();

    let all = aggregate_signatures(&signatures).unwrap();
    aggregate_keys(&keys).unwrap().verify(&statement, &all).unwrap();
    assert_eq!(aggregate_signatures(signatures.iter().rev()).unwrap(), all, "order does not matter");
    assert_eq!(aggregate_keys(&keys[1..]).unwrap().verify(&statement, &all), Err(BlsError::WrongSignature));
    assert_eq!(aggregate_keys(&keys).unwrap().verify(&digest("x"), &all), Err(BlsError::WrongSignature));
    assert_eq!(aggregate_keys(&[]), Err(BlsError::Empty("key")));
    assert_eq!(aggregate_signatures(&[]), Err(BlsError::Empty("signature")));
}

#[test]
fn aggregates_that_cancel_out_are_refused() {
    let (public, signature) = (key(1).public_key(), key(1).sign(&digest("x")));
    let opposite = PublicKey::from_abi(negated_g1(&public), negated_g2(&public)).unwrap();
    let [x, y] = signature.abi();
    let minus = Signature::from_abi(&[x, P - y]).unwrap();
    assert_eq!(aggregate_keys(&[public, opposite]), Err(BlsError::Infinity("aggregate key")));
    assert_eq!(aggregate_signatures(&[signature, minus]), Err(BlsError::Infinity("aggregate signature")));
}

fn negated_g1(public: &PublicKey) -> [U256; 2] {
    let [x, y] = public.g1_abi();
    [x, P - y]
}

fn negated_g2(public: &PublicKey) -> [U256; 4] {
    let [x1, x0, y1, y0] = public.g2_abi();
    [x1, x0, P - y1, P - y0]
}

/// The attack that proofs of possession exist for: a key chosen as `mine - yours` lets me sign for both of us.
#[test]
fn a_rogue_key_aggregates_but_cannot_prove_possession() {
    let (mine, victim, statement) = (key(1), key(2).public_key(), digest("payout"));
    let g1 = |words: [U256; 2]| point::decode_g1(&words, "").unwrap();
    let g2 = |words: [U256; 4]| decode_g2(&words, "").unwrap();
    let rogue = PublicKey::from_abi(
        encode_g1(&(g1(mine.public_key().g1_abi()) - g1(victim.g1_abi())).into_affine()),
        encode_g2(&(g2(mine.public_key().g2_abi()) - g2(victim.g2_abi())).into_affine()),
    )
    .unwrap();
    let forged = mine.sign(&statement);
    aggregate_keys(&[victim, rogue]).unwrap().verify(&statement, &forged).unwrap();

    let proof = mine.prove_possession(&digest("key"));
    assert_eq!(rogue.verify_possession(&digest("key"), &proof), Err(BlsError::WrongPossession));
}

#[test]
fn certificates_bind_the_key_the_signature_and_the_statement() {
    let statement = digest("payout");
    let keys: Vec<PublicKey> = (1..=4).map(|index| key(index).public_key()).collect();
    let stored = aggregate_keys(&keys).unwrap().g1_abi();
    let apk = aggregate_keys(&keys[..3]).unwrap().g2_abi();
    let signature = aggregate_signatures(&[1, 2, 3].map(|index| key(index).sign(&statement))).unwrap();
    let signers = signers_sum(&stored, &keys[3..]).unwrap();
    assert_eq!(signers, aggregate_keys(&keys[..3]).unwrap().g1_abi());
    verify_certificate(&apk, &signers, &signature, &statement).unwrap();

    let wrong = Err(BlsError::WrongCertificate);
    assert_eq!(verify_certificate(&apk, &signers, &signature, &digest("other")), wrong);
    assert_eq!(verify_certificate(&apk, &stored, &signature, &statement), wrong, "absentee not subtracted");
    assert_eq!(verify_certificate(&apk, &signers, &key(1).sign(&statement), &statement), wrong);
    // A key the poster holds alone signs well, but is not the signers'.
    let own = key(9);
    let own_signature = own.sign(&statement);
    own.public_key().verify(&statement, &own_signature).unwrap();
    let own_apk = own.public_key().g2_abi();
    assert_eq!(verify_certificate(&own_apk, &signers, &own_signature, &statement), wrong);
    assert_eq!(signers_sum(&stored, &keys), Err(BlsError::Empty("signer")));
}

#[test]
fn halves_of_two_keys_are_refused() {
    let (one, two) = (key(1).public_key(), key(2).public_key());
    assert_eq!(PublicKey::from_abi(one.g1_abi(), two.g2_abi()), Err(BlsError::KeyMismatch));
    PublicKey::from_abi_trusted(one.g1_abi(), two.g2_abi()).unwrap();
    assert_eq!(PublicKey::from_abi(one.g1_abi(), one.g2_abi()), Ok(one));
}

#[test]
fn infinity_is_refused() {
    let public = key(1).public_key();
    let zero = U256::ZERO;
    assert_eq!(PublicKey::from_abi([zero; 2], public.g2_abi()), Err(BlsError::Infinity("G1 key")));
    assert_eq!(PublicKey::from_abi(public.g1_abi(), [zero; 4]), Err(BlsError::Infinity("G2 key")));
    assert_eq!(Signature::from_bytes(&[0; 64]), Err(BlsError::Infinity("signature")));
    assert_eq!(SecretKey::from_bytes(&[0; 32]), Err(BlsError::SecretKey));
}

#[test]
fn coordinates_at_or_above_the_modulus_are_refused() {
    let public = key(1).public_key();
    let [x, y] = public.g1_abi();
    for words in [[x + P, y], [x, y + P]] {
        let large = words[usize::from(words[0] == x)];
        assert_eq!(Signature::from_abi(&words), Err(BlsError::Coordinate(large)));
        assert_eq!(PublicKey::from_abi_trusted(words, public.g2_abi()), Err(BlsError::Coordinate(large)));
    }
    for index in 0..4 {
        let mut words = public.g2_abi();
        words[index] += P;
        assert_eq!(
            PublicKey::from_abi_trusted(public.g1_abi(), words),
            Err(BlsError::Coordinate(words[index]))
        );
    }
    // (0, p) and (p, p) would be infinity if reduced.
    assert_eq!(Signature::from_abi(&[P, P]), Err(BlsError::Coordinate(P)));
    assert_eq!(SecretKey::from_bytes(&R.to_be_bytes()), Err(BlsError::SecretKey));
    assert!(SecretKey::from_bytes(&(R - U256::ONE).to_be_bytes()).is_ok());
}

#[test]
fn points_off_the_curve_or_the_subgroup_are_refused() {
    let public = key(1).public_key();
    let one = U256::ONE;
    assert_eq!(Signature::from_abi(&[one, one]), Err(BlsError::NotOnCurve("signature")));
    assert_eq!(PublicKey::from_abi_trusted(public.g1_abi(), [one; 4]), Err(BlsError::NotOnCurve("G2 key")));
    let outside = (1u64..)
        .filter_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::new(x.into(), 0.into()), true))
        .find(|point| !point.is_in_correct_subgroup_assuming_on_curve())
        .unwrap();
    assert_eq!(
        PublicKey::from_abi_trusted(public.g1_abi(), encode_g2(&outside)),
        Err(BlsError::NotInSubgroup("G2 key"))
    );
}

#[test]
fn generators_are_spelled_as_the_precompiles_do() {
    // EIP-197.
    let words = encode_g2(&G2Affine::generator());
    assert_eq!(
        words[0].to_string(),
        "11559732032986387107991004021392285783925812861821192530917403151452391805634"
    );
    assert_eq!(
        words[1].to_string(),
        "10857046999023057135944570762232829481370756359578518086990519993285655852781"
    );
    assert_eq!(encode_g1(&G1Affine::generator()), [U256::ONE, U256::from(2)]);
}

/// Pins derivation, hashing and signing: a change here is a change of everyone's keys or signatures.
#[test]
fn golden_key_and_signature() {
    let secret = key(7);
    assert_eq!(
        hex::encode(secret.to_bytes()),
        "0d67d2b9009de5fe208c46a64bdf3bda6f329b18a49f0cbd6ea69d798194e47a"
    );
    assert_eq!(
        hex::encode(secret.sign(&digest("golden")).to_bytes()),
        "222adf1a5e8e1a19d2261fe5b08c572a5c8be1ba4af718f77a50fc5ba37db90e115e91d92c9eb3bffd31a2de326c60b029d0ed572252ea7c3379444c78ccb009"
    );
}

#[test]
fn secrets_round_trip_and_stay_out_of_debug_output() {
    let secret = key(3);
    assert_eq!(SecretKey::from_bytes(&secret.to_bytes()), Ok(secret.clone()));
    assert_eq!(format!("{secret:?}"), "SecretKey(redacted)");
    assert_ne!(key(3), key(4));
}

#[test]
fn serde_round_trips_and_checks() {
    let (public, signature) = (key(1).public_key(), key(1).sign(&digest("x")));
    let bytes = postcard::to_stdvec(&(public, signature)).unwrap();
    assert_eq!(postcard::from_bytes::<(PublicKey, Signature)>(&bytes).unwrap(), (public, signature));
    let json = serde_json::to_string(&(public, signature)).unwrap();
    assert!(json.contains(&hex::encode(signature.to_bytes())), "{json}");
    assert_eq!(serde_json::from_str::<(PublicKey, Signature)>(&json).unwrap(), (public, signature));

    let mismatched = PublicKey::from_abi_trusted(public.g1_abi(), key(2).public_key().g2_abi()).unwrap();
    let bytes = postcard::to_stdvec(&mismatched).unwrap();
    assert!(postcard::from_bytes::<PublicKey>(&bytes).is_err());
    assert!(postcard::from_bytes::<Signature>(&postcard::to_stdvec(&vec![1u8; 65]).unwrap()).is_err());
    assert!(postcard::from_bytes::<Signature>(&[64; 65]).is_err());
}

proptest! {
    #[test]
    fn decoders_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Signature::from_bytes(&bytes);
        let _ = postcard::from_bytes::<Signature>(&bytes);
        let _ = postcard::from_bytes::<PublicKey>(&bytes);
        let _ = serde_json::from_slice::<Signature>(&bytes);
    }

    #[test]
    fn words_never_panic(words: [[u8; 32]; 6], apk: bool) {
        let words = words.map(U256::from_be_bytes::<32>);
        let (g1, g2) = ([words[0], words[1]], [words[2], words[3], words[4], words[5]]);
        let good = key(1);
        let public = good.public_key();
        prop_assert!(PublicKey::from_abi(g1, public.g2_abi()).is_err());
        prop_assert!(PublicKey::from_abi(public.g1_abi(), g2).is_err());
        let (apk, sum) = if apk { (public.g2_abi(), g1) } else { (g2, public.g1_abi()) };
        prop_assert!(verify_certificate(&apk, &sum, &good.sign(&B256::ZERO), &B256::ZERO).is_err());
    }

    #[test]
    fn a_flipped_bit_is_refused(bit in 0usize..512, message: [u8; 32]) {
        let (secret, message) = (key(1), B256::from(message));
        let mut bytes = secret.sign(&message).to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let verified = Signature::from_bytes(&bytes).and_then(|found| secret.public_key().verify(&message, &found));
        prop_assert!(verified.is_err());
    }
}
