#!/bin/sh
# Runs the Solidity tests: `sh contracts/test/run.sh [forge arguments]`, after `npm ci --ignore-scripts` in contracts/.
# It calls the native forge: npm's wrapper does not pass on its exit code.
set -eu
cd "$(dirname "$0")/.."
forge=$(command -v forge || true)
for native in node_modules/@foundry-rs/forge-*/bin/forge; do
    if [ -x "$native" ]; then forge=$native; fi
done
if [ -z "$forge" ]; then
    echo "forge not found: run \`npm ci --ignore-scripts\` in contracts/, or put forge on PATH" >&2
    exit 1
fi
exec "$forge" test "$@"
