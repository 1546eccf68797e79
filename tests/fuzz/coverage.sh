#!/bin/sh
# What the corpora reach of the code that reads untrusted input: lines and branches by llvm-cov.
set -u
: "${BUILD:=build/coverage}"
for tool in llvm-profdata llvm-cov; do
    command -v $tool >/dev/null 2>&1 || { echo "fuzz-coverage: skipped, no $tool (make deps-fuzz)"; exit 0; }
done
objects=
for replay in "$BUILD"/tests/fuzz/replay_*; do
    case $replay in *.*) continue ;; esac
    target=${replay##*/replay_}
    LLVM_PROFILE_FILE="$BUILD/$target.profraw" "$replay" "tests/fuzz/corpus/$target" "$@" || exit 1
    objects="$objects${objects:+ -object }$replay"
done
llvm-profdata merge -o "$BUILD/all.profdata" "$BUILD"/*.profraw || exit 1
llvm-cov report $objects -instr-profile="$BUILD/all.profdata" lib/formats lib/sparse/convert.c \
    src/import.c src/model_file.c src/model_read.c src/context.c examples/train_mlp
