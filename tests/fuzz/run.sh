#!/bin/sh
# Runs the fuzz targets that $BUILD/tests/fuzz has, each for FUZZ_SECONDS: run.sh. With `merge` instead: takes into
# tests/fuzz/corpus, from what the runs have found, what covers more than it does.
set -u
: "${BUILD:=build/fuzz}" "${FUZZ_TARGETS:=model csr options data exchange npz}" "${FUZZ_SECONDS:=60}"
here=tests/fuzz
failed=0

# The longest input; a file is larger than the arrays of a call.
longest()
{
    [ "$1" = model ] && echo 8192 || echo 4096
}

# What the fuzzer has found is kept beside it, and where the next run begins.
fuzz()
{
    found=$BUILD/corpus/$1
    log=$BUILD/$1.log
    mkdir -p "$found" "$here/corpus/$1"
    dictionary=
    [ -e "$here/$1.dict" ] && dictionary=-dict=$here/$1.dict
    # No call may allocate 32 MiB at once: the longest input would not excuse it. Memory of the sanitizer counts as well.
    "$BUILD/tests/fuzz/fuzz_$1" -max_total_time="$FUZZ_SECONDS" -timeout=60 -report_slow_units=60 -malloc_limit_mb=32 -rss_limit_mb=1024 \
        -max_len="$(longest "$1")" -print_final_stats=1 -artifact_prefix="$BUILD/$1-" $dictionary \
        "$found" "$here/corpus/$1" >"$log" 2>&1
    status=$?
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    edges=$(sed -n 's/^#.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    if [ "$status" -eq 0 ] && [ -n "$executions" ]; then
        echo "ok fuzz $1: $executions executions in $FUZZ_SECONDS s, $edges edges"
    else
        echo "not ok fuzz $1: status $status, after ${executions:-?} executions; see $log"
        grep -E 'finding:|ERROR:|runtime error:|SUMMARY:|Test unit written' "$log" | sed 's/^/    /'
        failed=1
    fi
}

# By edges, not by how often each is taken: a corpus that is small.
merge()
{
    mkdir -p "$BUILD/corpus/$1" "$BUILD/merged/$1" "$here/corpus/$1"
    rm -f "$BUILD/merged/$1"/*
    "$BUILD/tests/fuzz/fuzz_$1" -merge=1 -use_counters=0 -timeout=60 "$BUILD/merged/$1" "$here/corpus/$1" \
        "$BUILD/corpus/$1" >"$BUILD/$1.merge.log" 2>&1 || { echo "not ok merge $1: see $BUILD/$1.merge.log"; failed=1; return; }
    # What begins with "found-" once was a finding, and stays.
    find "$here/corpus/$1" -type f ! -name 'found-*' -exec rm -f {} +
    for input in "$BUILD/merged/$1"/*; do
        mv "$input" "$here/corpus/$1/$(basename "$input" | cut -c 1-12)"
    done
    echo "ok corpus of $1: $(find "$here/corpus/$1" -type f | wc -l) inputs, $(cat "$here/corpus/$1"/* | wc -c) bytes"
}

for target in $FUZZ_TARGETS; do
    if [ ! -x "$BUILD/tests/fuzz/fuzz_$target" ]; then
        echo "skip fuzz $target: not built"
    elif [ "${1:-}" = merge ]; then
        merge "$target"
    else
        fuzz "$target"
    fi
done
exit $failed
