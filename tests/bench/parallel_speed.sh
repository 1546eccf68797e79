#!/bin/sh
# Epochs of Fashion-MNIST in sequence by one thread, and by workers, turn by turn on the same machine; prints the fastest
# of each, for docs/parallel.md. BUILD names the build folder, ROUNDS the turns, EPOCHS the epochs of a run, WORKERS
# the workers. Each worker wants an idle processor.
set -eu
BUILD=${BUILD:-build}
ROUNDS=${ROUNDS:-5}
EPOCHS=${EPOCHS:-2}
WORKERS=${WORKERS:-2}
MODES=${MODES:-wasap wassp replicas}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# run NAME PROGRAM ARGUMENT...: appends the seconds of each epoch to NAME.seconds, the result to NAME.result.
run()
{
    name=$1
    program=$2
    shift 2
    "$BUILD/examples/$program" --quiet --epochs "$EPOCHS" --metrics "$work/metrics" "$@" >>"$work/$name.result"
    sed 's/.*"train_seconds": \([0-9.]*\).*/\1/' "$work/metrics" >>"$work/$name.seconds"
}

round=0
while [ "$round" -lt "$ROUNDS" ]; do
    run sequential train_mlp --threads 1
    for mode in $MODES; do
        # Phase 1 for the whole run; replicas have phase 2 only.
        split=$([ "$mode" = replicas ] || echo --phase-split=1)
        run "$mode" train_parallel --mode "$mode" --workers "$WORKERS" --threads "$WORKERS" $split
    done
    round=$((round + 1))
done

best=$(sort -n "$work/sequential.seconds" | head -n 1)
echo "in sequence: $best s an epoch"
for mode in $MODES; do
    sort -n "$work/$mode.seconds" | head -n 1 | awk -v best="$best" -v mode="$mode" -v workers="$WORKERS" \
        '{ printf "%s, %d workers: %.3f s an epoch, %.2f times as many samples a second", mode, workers, $1, best / $1 }'
    sed 's/.*exchange_share=\([0-9.]*\) wait_share=\([0-9.]*\).*/\1 \2/' "$work/$mode.result" | sort -n -k 2 |
        awk '{ exchange[NR] = $1; wait[NR] = $2 }
             END { m = int((NR + 1) / 2); printf "; exchanging %.1f %%, waiting %.1f %%\n", 100 * exchange[m], 100 * wait[m] }'
done
