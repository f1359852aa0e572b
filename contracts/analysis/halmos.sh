#!/bin/sh
# Proves contracts/test/symbolic with halmos: `sh contracts/analysis/halmos.sh [halmos arguments]`, after
# `npm ci --ignore-scripts` in contracts/. Fails unless every check is proved; a time-out is a failure.
set -eu
cd "$(dirname "$0")/.."
. analysis/tools.sh
# halmos pins an older Z3, without the integer mode for words, so the solver is apart.
tools z3-5.4.0 z3-solver==5.4.0.0
TATUM_Z3=$environment/bin/z3
export TATUM_Z3
tools halmos-0.3.3 halmos==0.3.3

export FOUNDRY_SRC=test/symbolic FOUNDRY_TEST=test/symbolic FOUNDRY_OUT=out/symbolic FOUNDRY_CACHE_PATH=cache/symbolic
export FOUNDRY_LINT_LINT_ON_BUILD=false
# halmos would run what forge left there of removed files.
rm -rf out/symbolic
# Every panic counts, so that no arithmetic is ever out of range.
exec halmos --root . --forge-build-out out/symbolic --no-status --panic-error-codes '*' \
    --solver-timeout-assertion 120s --solver-command "sh $PWD/analysis/solver.sh" "$@"
