#!/bin/sh
# Runs Slither over contracts/src: `sh contracts/analysis/slither.sh`, after `npm ci --ignore-scripts` in contracts/.
# Fails on a finding that slither.json does not list, on a listed one that is gone, and on a class of findings that
# findings.md does not answer.
set -eu
cd "$(dirname "$0")/.."
. analysis/tools.sh
tools slither-0.11.6 slither-analyzer==0.11.6 crytic-compile==0.4.2

# Slither reads what the pinned compiler makes of the sources; unoptimized, since it looks at no bytecode.
export FOUNDRY_SRC=src FOUNDRY_TEST=src FOUNDRY_OUT=out/slither FOUNDRY_CACHE_PATH=cache/slither
export FOUNDRY_VIA_IR=true FOUNDRY_OPTIMIZER=false FOUNDRY_LINT_LINT_ON_BUILD=false
rm -rf out/slither
forge build --quiet --force --build-info
report=$(mktemp)
trap 'rm -f "$report"' EXIT
# `--fail-none`: slither.py decides what is a failure.
slither . --foundry-out-directory out/slither --ignore-compile --fail-none --filter-paths node_modules \
    --json - >"$report" 2>/dev/null || { echo "slither itself failed; run it without 2>/dev/null" >&2; exit 1; }
python3 analysis/slither.py "$report" analysis/slither.json analysis/findings.md
