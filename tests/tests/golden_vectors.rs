//! Rust agrees with `tests/vectors`, which outside implementations have written (`contracts/vectors/generate.mjs`).
//! Solidity reads the same files (`contracts/test/Vectors.t.sol`), so the three agree with each other.

use std::{fs, path::Path, str::FromStr};

use alloy::{
    primitives::{Address, B256, U256, hex, keccak256},
    sol_types::SolStruct,
};
use serde_json::Value;
use tatum_protocol::{
    bls::{self, PublicKey, SecretKey, Tag},
    eip712::{Domain, types},
    epoch, id, merkle,
    payout::Cumulative,
    receipt::{Credit, Delivery},
    secp::{Signature, Signer},
    set_digest,
};

fn load(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(format!("{name}.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// A string of the file, parsed as what is asked for.
fn get<T: FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
    value.as_str().unwrap_or_else(|| panic!("expected a string, found {value}")).parse().unwrap()
}

fn words<const N: usize>(value: &Value) -> [U256; N] {
    let words: Vec<U256> = value.as_array().unwrap().iter().map(get).collect();
    words.try_into().unwrap()
}

fn hashes(value: &Value) -> Vec<B256> {
    value.as_array().unwrap().iter().map(get).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

#[test]
fn eip712_digests_are_a_wallet_librarys() {
    let file = load("eip712");
    let domain = Domain::new(
        file["domain"]["chainId"].as_u64().unwrap(),
        get::<Address>(&file["domain"]["verifyingContract"]),
    );
    assert_eq!(domain.separator(), get::<B256>(&file["domain"]["separator"]));

    fn agree<T: SolStruct>(file: &Value, domain: &Domain, name: &str, value: &T) {
        let vector = &file["structs"][name];
        assert_eq!(value.eip712_hash_struct(), get::<B256>(&vector["structHash"]), "{name}: struct hash");
        assert_eq!(domain.digest(value), get::<B256>(&vector["digest"]), "{name}: digest");
    }
    let v = |name: &str, field: &str| file["structs"][name]["value"][field].clone();
    let n = "Frame";
    let frame = types::Frame {
        streamPart: get(&v(n, "streamPart")),
        publisher: get(&v(n, "publisher")),
        chain: get(&v(n, "chain")),
        firstSequence: get(&v(n, "firstSequence")),
        count: get(&v(n, "count")),
        contentHash: get(&v(n, "contentHash")),
    };
    agree(&file, &domain, n, &frame);
    let n = "BandwidthReceipt";
    let receipt = types::BandwidthReceipt {
        epoch: get(&v(n, "epoch")),
        relayer: get(&v(n, "relayer")),
        receiver: get(&v(n, "receiver")),
        sequence: get(&v(n, "sequence")),
        creditsRoot: get(&v(n, "creditsRoot")),
    };
    agree(&file, &domain, n, &receipt);
    let n = "DeliveryReceipt";
    let receipt = types::DeliveryReceipt {
        epoch: get(&v(n, "epoch")),
        receiver: get(&v(n, "receiver")),
        deliveriesRoot: get(&v(n, "deliveriesRoot")),
    };
    agree(&file, &domain, n, &receipt);
    let n = "Volume";
    let volume = types::Volume {
        epoch: get(&v(n, "epoch")),
        checkpoint: get(&v(n, "checkpoint")),
        streamPart: get(&v(n, "streamPart")),
        setDigest: get(&v(n, "setDigest")),
        messages: get(&v(n, "messages")),
        bytes: get(&v(n, "bytes")),
    };
    agree(&file, &domain, n, &volume);
    let n = "Payout";
    let payout = types::Payout {
        epoch: get(&v(n, "epoch")),
        checkpoint: get(&v(n, "checkpoint")),
        root: get(&v(n, "root")),
        total: get(&v(n, "total")),
    };
    agree(&file, &domain, n, &payout);
    let n = "Fault";
    let fault = types::Fault {
        epoch: get(&v(n, "epoch")),
        checkpoint: get(&v(n, "checkpoint")),
        streamPart: get(&v(n, "streamPart")),
        operatorId: get(&v(n, "operatorId")),
    };
    agree(&file, &domain, n, &fault);
    let n = "BlsKey";
    let key = types::BlsKey { owner: get(&v(n, "owner")), g1: words(&v(n, "g1")), g2: words(&v(n, "g2")) };
    agree(&file, &domain, n, &key);
    let n = "NodeConsent";
    let consent = types::NodeConsent { owner: get(&v(n, "owner")), node: get(&v(n, "node")) };
    agree(&file, &domain, n, &consent);
}

#[test]
fn secp256k1_signatures_are_a_wallet_librarys_and_high_s_is_refused() {
    let file = load("secp256k1");
    let signer = Signer::from_bytes(get::<B256>(&file["secret"]).0).unwrap();
    assert_eq!(signer.address(), get::<Address>(&file["address"]));
    let digest: B256 = get(&file["digest"]);
    let bytes = |field: &str| hex::decode(file[field].as_str().unwrap()).unwrap();
    assert_eq!(signer.sign(&digest).as_bytes().as_slice(), bytes("signature"));
    Signature::from_bytes(&bytes("signature")).unwrap().verify(&digest, signer.address()).unwrap();
    let twin = Signature::from_bytes(&bytes("highS")).and_then(|twin| twin.verify(&digest, signer.address()));
    assert!(twin.is_err(), "the twin with high s was accepted");
}

#[test]
fn hash_to_curve_is_noble_curves() {
    for vector in list(&load("bls")["hashToCurve"]) {
        let tag = match vector["tag"].as_str().unwrap() {
            "BLS_SIG_BN254G1_XMD:KECCAK-256_SVDW_RO_POP_" => Tag::Statement,
            "BLS_POP_BN254G1_XMD:KECCAK-256_SVDW_RO_POP_" => Tag::Possession,
            other => panic!("unknown tag {other}"),
        };
        let point = bls::hash_to_curve(tag, &get::<B256>(&vector["digest"]));
        let found = [U256::from_str(&point.x.to_string()), U256::from_str(&point.y.to_string())];
        assert_eq!(found.map(Result::unwrap), words(&vector["point"]), "{vector}");
    }
}

#[test]
fn bls_keys_signatures_and_sums_are_noble_curves() {
    let file = load("bls");
    let (statement, possession) = (get::<B256>(&file["statement"]), get::<B256>(&file["possession"]));
    let secrets: Vec<SecretKey> = list(&file["keys"])
        .iter()
        .map(|key| SecretKey::from_bytes(&get::<B256>(&key["secret"]).0).unwrap())
        .collect();
    let keys: Vec<PublicKey> = secrets.iter().map(SecretKey::public_key).collect();
    for (key, vector) in keys.iter().zip(list(&file["keys"])) {
        assert_eq!(key.g1_abi(), words(&vector["g1"]));
        assert_eq!(key.g2_abi(), words(&vector["g2"]));
    }
    for (secret, vector) in secrets.iter().zip(list(&file["signatures"])) {
        assert_eq!(secret.sign(&statement).abi(), words(&vector["statement"]));
        assert_eq!(secret.prove_possession(&possession).abi(), words(&vector["possession"]));
    }
    for vector in list(&file["aggregates"]) {
        let members = usize::try_from(vector["members"].as_u64().unwrap()).unwrap();
        let sum = bls::aggregate_keys(&keys[..members]).unwrap();
        assert_eq!(sum.g1_abi(), words(&vector["g1"]));
        assert_eq!(sum.g2_abi(), words(&vector["g2"]));
        let signatures: Vec<_> = secrets[..members].iter().map(|secret| secret.sign(&statement)).collect();
        let signature = bls::aggregate_signatures(&signatures).unwrap();
        assert_eq!(signature.abi(), words(&vector["signature"]));
        bls::verify_certificate(&sum.g2_abi(), &sum.g1_abi(), &signature, &statement).unwrap();
    }
}

#[test]
fn merkle_trees_are_openzeppelins() {
    let file = load("merkle");
    let check = |name: &str, leaves: Vec<B256>| {
        let vectors = list(&file[name]["leaves"]);
        let tree = merkle::MerkleTree::new(leaves.clone());
        let root = get::<B256>(&file[name]["root"]);
        assert_eq!(tree.root(), root, "{name}: root");
        for (leaf, vector) in leaves.iter().zip(vectors) {
            assert_eq!(*leaf, get::<B256>(&vector["hash"]), "{name}: leaf");
            assert_eq!(tree.proof(leaf).unwrap(), hashes(&vector["proof"]), "{name}: proof");
            assert!(merkle::verify(&root, leaf, &hashes(&vector["proof"])));
        }
    };
    let number = |value: &Value| value.as_u64().unwrap();
    let credits: Vec<B256> = list(&file["credits"]["list"])
        .iter()
        .map(|c| Credit {
            part: get(&c["streamPart"]),
            messages: number(&c["messages"]),
            bytes: number(&c["bytes"]),
            served_bytes: number(&c["servedBytes"]),
        })
        .map(|credit| credit.leaf())
        .collect();
    let single = merkle::MerkleTree::new(credits[..1].to_vec());
    assert_eq!(single.root(), get::<B256>(&file["credits"]["single"]));
    check("credits", credits);
    let deliveries = list(&file["deliveries"]["list"])
        .iter()
        .map(|d| Delivery {
            part: get(&d["streamPart"]),
            messages: number(&d["messages"]),
            bytes: number(&d["bytes"]),
            custody: get(&d["custody"]),
        })
        .map(|delivery| delivery.leaf())
        .collect();
    check("deliveries", deliveries);

    let custody = &file["custody"];
    let found = set_digest::custody(&get(&custody["setDigest"]), &get(&custody["receiver"]));
    assert_eq!(found, get::<B256>(&custody["custody"]));
}

#[test]
fn payout_chunks_are_openzeppelins() {
    let file = load("merkle");
    let chunks: Vec<Vec<U256>> =
        list(&file["payouts"]["chunks"]).iter().map(|chunk| list(chunk).iter().map(get).collect()).collect();
    let cumulative = Cumulative::from_entries(&chunks.concat()).unwrap();
    let tree = cumulative.tree();
    assert_eq!(tree.root(), get::<B256>(&file["payouts"]["root"]));
    let vectors = list(&file["payouts"]["leaves"]);
    assert_eq!(tree.chunks().count(), vectors.len());
    for ((entries, leaf, proof), (chunk, vector)) in tree.chunks().zip(chunks.iter().zip(vectors)) {
        assert_eq!(entries, chunk);
        assert_eq!(leaf, get::<B256>(&vector["hash"]));
        assert_eq!(proof, hashes(&vector["proof"]));
    }
}

#[test]
fn stream_parts_and_seeds_are_a_wallet_librarys() {
    let file = load("identifiers");
    for vector in list(&file["streamParts"]) {
        let key: B256 = get(&vector["key"]);
        let partition = u32::try_from(vector["partition"].as_u64().unwrap()).unwrap();
        let stream = vector["stream"].as_str().unwrap();
        let part = id::StreamPart::new(stream.parse().unwrap(), partition).unwrap();
        assert_eq!(part.key(), key, "{stream}");
        assert_eq!(keccak256(format!("{stream}#{partition}")), key);
    }
    for vector in list(&file["seeds"]) {
        let seed = epoch::seed(get(&vector["root"]), get(&vector["epoch"]));
        assert_eq!(seed, get::<B256>(&vector["seed"]));
    }
}
