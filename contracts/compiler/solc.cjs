#!/usr/bin/env node
// The npm build of solc behind the two calls that foundry-compilers and forge make of a native one. `solcjs` itself
// refuses --allow-paths, and exiting before stdout has drained would cut the output at 64 KiB.
const solc = require("solc");

const args = process.argv.slice(2);
if (args.includes("--version")) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`);
} else if (args.includes("--standard-json")) {
  process.stdout.write(solc.compile(require("fs").readFileSync(0, "utf8")));
} else {
  console.error(`solc.cjs: expected --version or --standard-json, got ${JSON.stringify(args)}`);
  process.exitCode = 1;
}
