#!/bin/sh
# Trains on Fashion-MNIST in sequence, as WASAP and as WASSP, and prints mean test accuracies over seeds, for
# docs/parallel.md. BUILD names the build folder, SEEDS the seeds, EPOCHS the epochs, WORKERS the numbers of workers. RANKS
# are the numbers of ranks of MPI that are tried as well (none), MPIEXEC starts them.
set -eu
BUILD=${BUILD:-build}
SEEDS=${SEEDS:-1 2 3}
EPOCHS=${EPOCHS:-20}
WORKERS=${WORKERS-2 4}
MODES=${MODES:-wasap wassp}
RANKS=${RANKS:-}
MPIEXEC=${MPIEXEC:-mpiexec --oversubscribe}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# field NAME FILE: the values of a field of the result lines
field()
{
    sed -n "s/^result.*$1=\([^ ]*\).*/\1/p" "$2"
}

# mean NAME FILE: their mean and range
mean()
{
    field "$1" "$2" | awk '{ sum += $1; if (NR == 1 || $1 < low) low = $1; if ($1 > high) high = $1 }
                           END { printf "%.4f (%.4f to %.4f)", sum / NR, low, high }'
}

# margin FILE: the averaged model's accuracy less the best worker's own, a number a run
margin()
{
    awk '/^ +[0-9]+ .* s +0\.[0-9]+$/ && NF >= 8 { if ($NF > best) best = $NF }
         /^result/ { split($2, pair, "="); printf " %+.4f", pair[2] - best; best = 0 }' "$1"
}

for seed in $SEEDS; do
    "$BUILD/examples/train_mlp" --quiet --threads 1 --seed "$seed" --epochs "$EPOCHS" >>"$work/sequential"
done
echo "in sequence: $(mean test_accuracy "$work/sequential")"
for mode in $MODES; do
    for workers in $WORKERS; do
        for seed in $SEEDS; do
            "$BUILD/examples/train_parallel" --mode "$mode" --workers "$workers" --seed "$seed" --epochs "$EPOCHS" \
                >>"$work/$mode.$workers"
        done
        echo "$mode, $workers workers: $(mean test_accuracy "$work/$mode.$workers")," \
            "averaged model less best worker:$(margin "$work/$mode.$workers")"
    done
done
for mode in $MODES; do
    for ranks in $RANKS; do
        for seed in $SEEDS; do
            $MPIEXEC -n "$ranks" "$BUILD/mpi/train_mpi" --quiet --threads 1 --mode "$mode" --seed "$seed" \
                --epochs "$EPOCHS" >>"$work/mpi.$mode.$ranks"
        done
        echo "$mode, $ranks ranks: $(mean test_accuracy "$work/mpi.$mode.$ranks")"
    done
done
