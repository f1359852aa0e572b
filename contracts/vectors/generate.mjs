// Golden vectors of docs/protocol.md, by implementations that are not ours: ethers (EIP-712, Keccak-256, ABI,
// secp256k1), OpenZeppelin's merkle-tree, and noble's BN254 with the drand project's SvdW map. Rust and Solidity
// read the same files (tests/tests/golden_vectors.rs, contracts/test/Vectors.t.sol) and have to agree with every line.
//
//   node vectors/generate.mjs           writes tests/vectors/*.json
//   node vectors/generate.mjs --check   fails, naming the file, if one is not what it would write

import { readFileSync, writeFileSync } from "node:fs";
import { ethers } from "ethers";
import { StandardMerkleTree } from "@openzeppelin/merkle-tree";
import noble from "@kevincharm/noble-bn254-drand";

const { bn254 } = noble;
const { keccak256, toUtf8Bytes, TypedDataEncoder } = ethers;
const folder = new URL("../../tests/vectors/", import.meta.url);

const word = (value) => "0x" + BigInt(value).toString(16).padStart(64, "0");
const label = (text) => keccak256(toUtf8Bytes(text));
const addressOf = (text) => ethers.getAddress("0x" + label(text).slice(-40)).toLowerCase();
const DATA = 10n ** 18n;

// ---- BLS

const TAGS = {
  statement: "BLS_SIG_BN254G1_XMD:KECCAK-256_SVDW_RO_POP_",
  possession: "BLS_POP_BN254G1_XMD:KECCAK-256_SVDW_RO_POP_",
};
const ORDER = bn254.fields.Fr.ORDER;

const g1Words = (point) => {
  const { x, y } = point.toAffine();
  return [word(x), word(y)];
};
const g2Words = (point) => {
  const { x, y } = point.toAffine();
  return [word(x.c1), word(x.c0), word(y.c1), word(y.c0)];
};
const hashToCurve = (tag, digest) =>
  bn254.G1.ProjectivePoint.fromAffine(
    bn254.G1.hashToCurve(ethers.getBytes(digest), { DST: TAGS[tag] }).toAffine(),
  );
const secret = (index) => BigInt(label(`tatum vector secret ${index}`)) % ORDER;
const g1Of = (scalar) => g1Words(bn254.G1.ProjectivePoint.BASE.multiply(scalar));
const g2Of = (scalar) => g2Words(bn254.G2.ProjectivePoint.BASE.multiply(scalar));
const sign = (tag, scalar, digest) => g1Words(hashToCurve(tag, digest).multiply(scalar));

// ---- EIP-712

const domain = {
  name: "Tatum",
  version: "1",
  chainId: 31337,
  verifyingContract: addressOf("slashing"),
};
const part = label(`${addressOf("publisher")}/machine/telemetry#7`);
const MAX_U64 = 2n ** 64n - 1n;

const cases = [
  ["Frame", [["bytes32", "streamPart"], ["address", "publisher"], ["uint64", "chain"], ["uint64", "firstSequence"], ["uint32", "count"], ["bytes32", "contentHash"]],
    [part, addressOf("publisher"), MAX_U64, 12345n, 256n, label("content")]],
  ["BandwidthReceipt", [["uint64", "epoch"], ["address", "relayer"], ["address", "receiver"], ["uint32", "sequence"], ["bytes32", "creditsRoot"]],
    [42n, addressOf("relayer"), addressOf("receiver"), 4294967295n, label("credits")]],
  ["DeliveryReceipt", [["uint64", "epoch"], ["address", "receiver"], ["bytes32", "deliveriesRoot"]],
    [42n, addressOf("receiver"), label("deliveries")]],
  ["Volume", [["uint64", "epoch"], ["uint64", "checkpoint"], ["bytes32", "streamPart"], ["bytes32", "setDigest"], ["uint64", "messages"], ["uint64", "bytes"]],
    [42n, 40n, part, label("set"), 1000n, MAX_U64]],
  ["Payout", [["uint64", "epoch"], ["uint64", "checkpoint"], ["bytes32", "root"], ["uint256", "total"]],
    [42n, 40n, label("root"), 123456789n * DATA]],
  ["Fault", [["uint64", "epoch"], ["uint64", "checkpoint"], ["bytes32", "streamPart"], ["uint64", "operatorId"]],
    [42n, 40n, part, 3n]],
  ["BlsKey", [["address", "owner"], ["uint256[2]", "g1"], ["uint256[4]", "g2"]],
    [addressOf("owner"), g1Of(secret(1)), g2Of(secret(1))]],
  ["NodeConsent", [["address", "owner"], ["address", "node"]],
    [addressOf("owner"), addressOf("node")]],
];

const text = (value) => (typeof value === "bigint" ? value.toString() : value);
const eip712 = {
  domain: { ...domain, separator: TypedDataEncoder.hashDomain(domain) },
  structs: Object.fromEntries(
    cases.map(([name, fields, values]) => {
      const types = { [name]: fields.map(([type, field]) => ({ type, name: field })) };
      const value = Object.fromEntries(fields.map(([, field], i) => [field, values[i]]));
      return [name, {
        value: Object.fromEntries(Object.entries(value).map(([field, v]) => [field, text(v)])),
        structHash: TypedDataEncoder.from(types).hash(value),
        digest: TypedDataEncoder.hash(domain, types, value),
      }];
    }),
  ),
};

// secp256k1, deterministic (RFC 6979), low s; and the twin with high s, which has to be refused.
const wallet = new ethers.SigningKey(label("tatum vector wallet"));
const receiptDigest = eip712.structs.BandwidthReceipt.digest;
const signature = wallet.sign(receiptDigest);
const SECP_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const secp256k1 = {
  secret: label("tatum vector wallet"),
  address: ethers.computeAddress(wallet.publicKey).toLowerCase(),
  digest: receiptDigest,
  signature: signature.serialized,
  highS: ethers.concat([signature.r, word(SECP_ORDER - BigInt(signature.s)), signature.v === 27 ? "0x1c" : "0x1b"]),
};

const digests = [ethers.ZeroHash, "0x" + "ff".repeat(32)]
  .concat(Array.from({ length: 14 }, (_, i) => label(`tatum vector digest ${i}`)));
const statement = eip712.structs.Payout.digest;
const possessed = eip712.structs.BlsKey.digest;
const sum = (indices) => indices.reduce((total, i) => (total + secret(i)) % ORDER, 0n);
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const aggregates = [range(1, 4), range(1, 3), range(1, 16), range(1, 11), range(1, 64), range(1, 43), range(1, 14), range(1, 55)];
const bls = {
  hashToCurve: Object.keys(TAGS).flatMap((tag) =>
    digests.map((digest) => ({ tag: TAGS[tag], digest, point: g1Words(hashToCurve(tag, digest)) }))),
  statement,
  possession: possessed,
  keys: range(1, 64).map((i) => ({ secret: word(secret(i)), g1: g1Of(secret(i)), g2: g2Of(secret(i)) })),
  signatures: range(1, 4).map((i) => ({
    key: i,
    statement: sign("statement", secret(i), statement),
    possession: sign("possession", secret(i), possessed),
  })),
  // Keys 1..=members, their sum and their signature of `statement`.
  aggregates: aggregates.map((members) => ({
    members: members.length,
    g1: g1Of(sum(members)),
    g2: g2Of(sum(members)),
    signature: sign("statement", sum(members), statement),
  })),
};

// ---- Merkle trees

const tree = (leaves, types) => {
  const built = StandardMerkleTree.of(leaves, types);
  return {
    leaves: leaves.map((leaf, i) => ({ hash: built.leafHash(leaf), proof: built.getProof(i) })),
    root: built.root,
  };
};
const setDigest = label("set");
const receiver = addressOf("receiver");
const custody = ethers.solidityPackedKeccak256(["bytes32", "address"], [setDigest, receiver]);
const listed = range(1, 5).map((i) => label(`part ${i}`));
const credits = listed.map((streamPart, i) => ({ streamPart, messages: 1000 + i, bytes: 250000 + i, servedBytes: 200000 + i }));
const deliveries = listed.map((streamPart, i) => ({ streamPart, messages: 1000 + i, bytes: 250000 + i, custody }));
const entry = (kind, id, cumulative) => word((BigInt(kind) << 248n) | (BigInt(id) << 128n) | cumulative);
const payoutEntries = range(1, 130).map((i) => ({ kind: 1, id: i, cumulative: (BigInt(i) * DATA).toString() }))
  .concat(range(1, 10).map((i) => ({ kind: 2, id: i, cumulative: (BigInt(i) * DATA + 7n).toString() })));
const packed = payoutEntries.map(({ kind, id, cumulative }) => entry(kind, id, BigInt(cumulative)));
const chunks = [packed.slice(0, 64), packed.slice(64, 128), packed.slice(128)];

const creditTypes = ["bytes32", "uint64", "uint64", "uint64"];
const deliveryTypes = ["bytes32", "uint64", "uint64", "bytes32"];
const creditLeaves = (list) => list.map((c) => [c.streamPart, c.messages, c.bytes, c.servedBytes]);
const deliveryLeaves = (list) => list.map((d) => [d.streamPart, d.messages, d.bytes, d.custody]);
const merkle = {
  custody: { setDigest, receiver, custody },
  credits: { list: credits, ...tree(creditLeaves(credits), creditTypes), single: tree(creditLeaves(credits.slice(0, 1)), creditTypes).root },
  deliveries: { list: deliveries, ...tree(deliveryLeaves(deliveries), deliveryTypes) },
  payouts: { entries: payoutEntries, chunks, ...tree(chunks.map((chunk) => [chunk]), ["uint256[]"]) },
};

// ---- Identifiers and the seed

const streams = [
  [`${addressOf("publisher")}/machine/telemetry`, 7],
  ["sensors.eth/größe/温度", 0],
  [`${addressOf("publisher")}/${"x".repeat(213)}`, 99],
];
const identifiers = {
  streamParts: streams.map(([stream, partition]) => ({ stream, partition, key: label(`${stream}#${partition}`) })),
  seeds: [[ethers.ZeroHash, 0n], [label("root"), 42n], [label("root"), MAX_U64]].map(([root, epoch]) => ({
    root,
    epoch: epoch.toString(),
    seed: ethers.solidityPackedKeccak256(["bytes32", "uint64"], [root, epoch]),
  })),
};

const files = { eip712, secp256k1, bls, merkle, identifiers };
const stale = [];
for (const [name, value] of Object.entries(files)) {
  const path = new URL(`${name}.json`, folder);
  const wanted = JSON.stringify(value, null, 2) + "\n";
  if (!process.argv.includes("--check")) writeFileSync(path, wanted);
  else if (readFileSync(path, "utf8") !== wanted) stale.push(`tests/vectors/${name}.json`);
}
if (stale.length) {
  console.error(`not what the outside implementations say: ${stale.join(", ")}; generate anew and commit`);
  process.exitCode = 1;
}
