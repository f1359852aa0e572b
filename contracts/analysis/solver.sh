#!/bin/sh
# The solver behind halmos.sh: Z3, with 256-bit words taken as integers rather than as bits. A product of two unknowns of
# 128 bits has some thirty thousand gates and is out of reach bit by bit; as an integer it is one term.
# halmos first leaves multiplication and division open and defines them if that gives a counterexample. Here they are
# defined at once, in halmos' own words: the integer mode does not take open functions.
# Whether Z3 finds a proof in a second or never depends on names and seeds, so the random part of halmos' names is
# cut off, and each seed has its turn. A proof is one by whichever seed.
set -eu
query=$(mktemp)
trap 'rm -f "$query"' EXIT
sed -E \
    -e 's/\(declare-fun f_evm_(bvmul)_([0-9]+) [^)]*\) [^)]*\)\) [^)]*\)\)/(define-fun f_evm_\1_\2 ((x (_ BitVec \2)) (y (_ BitVec \2))) (_ BitVec \2) (\1 x y))/' \
    -e 's/\(declare-fun f_evm_(bvudiv|bvurem)_([0-9]+) [^)]*\) [^)]*\)\) [^)]*\)\)/(define-fun f_evm_\1_\2 ((x (_ BitVec \2)) (y (_ BitVec \2))) (_ BitVec \2) (ite (= y (_ bv0 \2)) (_ bv0 \2) (\1 x y)))/' \
    -e 's/(p_[a-z]+_uint[0-9]+)_[0-9a-f]{7}_/\1_/g' -e 's/balance_[0-9a-f]{7}_/balance_/g' \
    "$1" >"$query"
for seed in 0 1 2 3 4 5 6 7 8 9 10 11; do
    answer=$("${TATUM_Z3:?}" -T:8 smt.bv.solver=2 sat.smt=true tactic.default_tactic=smt \
        smt.random_seed=$seed sat.random_seed=$seed "$query") || true
    case $answer in sat* | unsat*) break ;; esac
done
printf '%s\n' "$answer"
