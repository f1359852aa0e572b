// Shows that the invariants can fail: breaks one line of a contract at a time, in a copy, and runs them against it.
// `node contracts/test/invariants/mutations.mjs [name ...]`; about half a minute each. Fails if one goes unnoticed.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const contracts = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const solc = createRequire(path.join(contracts, "package.json"))("solc");

// What is broken, in which file, and the contract whose artifact it is compiled into.
const MUTATIONS = [
  ["unstaking leaves the weight", "Staking.sol", "Staking",
    "pool.unbondingOwn.add(out), burned);\n        _announce(operatorId, pool);", "pool.unbondingOwn.add(out), burned);"],
  ["a slash leaves the weight", "Staking.sol", "Staking",
    "emit Slashed(operatorId, loss);\n        _announce(operatorId, pool);", "emit Slashed(operatorId, loss);"],
  ["stake is free after an epoch", "Staking.sol", "Staking",
    "currentEpoch() + unbondingEpochs;\n        requestId", "currentEpoch() + 1;\n        requestId"],
  ["a withdrawal stays in the queue's total", "libraries/Losses.sol", "Staking", "self.total -= value;", ""],
  ["claims are valued up", "libraries/Losses.sol", "Staking",
    "_product(queue.kept) / _product(claim.kept));", "_product(queue.kept) / _product(claim.kept) + (queue.kept == 0 ? 0 : 1));"],
  ["a loss spares the claims", "libraries/Losses.sol", "Staking",
    "_product(queue.kept) * rest / queue.total", "_product(queue.kept)"],
  ["deposits get one share too many", "libraries/Pools.sol", "Staking",
    "toSharesDown(amount, assets, all).toUint128();", "toSharesDown(amount, assets, all).toUint128() + 1;"],
  ["exits burn shares rounded down", "libraries/Pools.sol", "Staking",
    "burned = uint128(Shares.toSharesUp(amount, assets - locked, shares));", "burned = uint128(Shares.toSharesDown(amount, assets - locked, shares));"],
  ["exits are paid unvested pay", "libraries/Pools.sol", "Staking",
    "toAssetsDown(held, assets - locked, shares);\n    }", "toAssetsDown(held, assets, shares);\n    }"],
  ["own stake does not go first", "libraries/Pools.sol", "Staking",
    "taken = amount < value ? amount : value;", "taken = amount / 2 < value ? amount / 2 : value;"],
  ["unvested pay outlives the shares", "libraries/Pools.sol", "Staking",
    "_setLocked(self, lockedUp(self) * (before - burned) / before);", ""],
  ["the penalty spares what waits", "libraries/Pools.sol", "Staking",
    "amount = ((self.assets + own + delegated) * bps", "amount = ((self.assets + own) * bps"],
  ["delegated shares are not noted", "Staking.sol", "Staking", "_delegations[operatorId][from] += shares;", ""],
  ["rotating leaves the sum of keys", "libraries/StakeHistory.sol", "Staking",
    "_commit(self, fromEpoch, Bn254.add(Bn254.add(self.aggregate, Bn254.negate(old)), key));", "_commit(self, fromEpoch, self.aggregate);"],
  ["who leaves stays in the sum of stake", "libraries/StakeHistory.sol", "Staking",
    "set.total + weight * UNIT - old * UNIT", "set.total + weight * UNIT"],
  ["an operator alone is slashed at the price", "libraries/Pools.sol", "Staking",
    "if (ownShares == shares) {", "if (shares == 0) {"],
  ["a chunk can be pushed again", "libraries/Pools.sol", "Staking", "amount = cumulative - before;", "amount = cumulative;"],
  ["pushes stay in flight", "Settlement.sol", "Settlement", "_latest.inFlight = left - uint96(due);", ""],
  ["lapsed epochs are paid too", "Timeline.sol", "Sponsorships", "if (first > cursor.epoch) _lapse(cursor, first);", ""],
  ["a lapse is recovered again and again", "Sponsorships.sol", "Sponsorships", "record.recoveredBefore = reached;", ""],
  ["stopping leaves the schedule", "Sponsorships.sol", "Sponsorships", "_changes.remove(fromEpoch, latest.to, latest.rate);", ""],
  ["stopping pays the spare twice", "Sponsorships.sol", "Sponsorships",
    "record.segments.latest = latest;\n        record.spare = 0;", "record.segments.latest = latest;"],
  ["refunds count twice", "Sponsorships.sol", "Sponsorships", "record.spare += amount;\n            emit Refunded", "record.spare += amount + amount;\n            emit Refunded"],
  ["the bounty is paid out of the burned part", "Offences.sol", "Slashing", "burned = taken - bounty - returned;", "burned = taken - returned;"],
  ["restored without a transfer", "Offences.sol", "Slashing", "IERC20(token).safeTransfer(sponsorships, returned);\n", ""],
  ["penalties are not burned", "Offences.sol", "Slashing", "if (burned != 0) IERC20(token).safeTransfer(BURNED, burned);", ""],
];

function compile(root, name) {
  const file = `src/${name}.sol`;
  const input = {
    language: "Solidity",
    sources: { [file]: { content: fs.readFileSync(path.join(root, file), "utf8") } },
    settings: {
      optimizer: { enabled: true, runs: 1000 },
      viaIR: true,
      evmVersion: "prague",
      outputSelection: { [file]: { [name]: ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
    },
  };
  const find = (p) => {
    const at = [path.join(root, p), path.join(contracts, "node_modules", p)].find((q) => fs.existsSync(q));
    return at ? { contents: fs.readFileSync(at, "utf8") } : { error: `${p} not found` };
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: find }));
  const bad = (output.errors ?? []).filter((e) => e.severity === "error");
  if (bad.length) throw new Error(bad.map((e) => e.formattedMessage).join("\n"));
  const { abi, evm } = output.contracts[file][name];
  const artifact = { abi, bytecode: `0x${evm.bytecode.object}`, deployedBytecode: `0x${evm.deployedBytecode.object}` };
  fs.writeFileSync(path.join(root, "artifacts", `${name}.json`), JSON.stringify(artifact));
}

// The reason, or nothing if all invariants held.
function run(root) {
  const env = {
    ...process.env,
    FOUNDRY_SRC: "test/invariants",
    FOUNDRY_TEST: "test/invariants",
    FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT: "0",
  };
  const args = ["test/run.sh", "--match-test", "everything", "--fuzz-seed", "1"];
  const { stdout, stderr, status } = spawnSync("sh", args, { cwd: root, env, encoding: "utf8", maxBuffer: 1 << 30 });
  if (status === 0) return undefined;
  const reasons = [...stdout.matchAll(/\[FAIL: ([^\]]*)\]/g)].map((m) => m[1]);
  if (!reasons.length) throw new Error(stderr || stdout);
  return [...new Set(reasons)].join("; ");
}

const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "mutations-"));
const root = path.join(temporary, "contracts");
for (const part of ["foundry.toml", "package.json", "compiler/solc.cjs", "test/invariants", "test/util", "test/run.sh"]) {
  fs.cpSync(path.join(contracts, part), path.join(root, part), { recursive: true });
}
fs.cpSync(path.join(contracts, "../tests/vectors"), path.join(temporary, "tests/vectors"), { recursive: true });
fs.symlinkSync(path.join(contracts, "node_modules"), path.join(root, "node_modules"));

const chosen = MUTATIONS.filter(([name]) => process.argv.length === 2 || process.argv.includes(name));
for (const [name, file, , from] of chosen) {
  const found = fs.readFileSync(path.join(contracts, "src", file), "utf8").split(from).length - 1;
  if (found !== 1) throw new Error(`${name}: the line to break is ${found} times in ${file}; expected once`);
}
let unnoticed = 0;
for (const [name, file, contract, from, to] of chosen) {
  for (const part of ["src", "artifacts"]) {
    fs.cpSync(path.join(contracts, part), path.join(root, part), { recursive: true });
  }
  fs.rmSync(path.join(root, "cache/invariant"), { recursive: true, force: true });
  const target = path.join(root, "src", file);
  fs.writeFileSync(target, fs.readFileSync(target, "utf8").replace(from, () => to));
  compile(root, contract);
  const reason = run(root);
  if (!reason) unnoticed += 1;
  console.log(`${reason ? "caught" : "UNNOTICED"}: ${name}${reason ? `: ${reason}` : ""}`);
}
fs.rmSync(temporary, { recursive: true });
process.exitCode = unnoticed ? 1 : 0;
