#!/bin/sh
# Replays the corpora of the fuzz targets, past findings among them: one line a target.
set -u
: "${BUILD:=build}"
log=$BUILD/tests/fuzz/log
failed=0
for source in tests/fuzz/fuzz_*.c; do
    target=$(basename "$source" .c)
    target=${target#fuzz_}
    if [ ! -x "$BUILD/tests/fuzz/replay_$target" ]; then
        echo "skip fuzz corpus of $target: not built"
    elif "$BUILD/tests/fuzz/replay_$target" "tests/fuzz/corpus/$target" >"$log" 2>&1; then
        echo "ok fuzz corpus of $target: $(tail -n 1 "$log")"
    else
        echo "not ok fuzz corpus of $target (status $?)"
        tail -n 20 "$log" | sed 's/^/    /'
        failed=1
    fi
done
exit $failed
