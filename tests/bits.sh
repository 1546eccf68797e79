#!/bin/sh
# The same seed gives the same numbers for 1, 2, 3 and 8 threads and in a build without OpenMP: compares what train_mlp writes of
# each epoch (losses to nine digits), without the seconds. Usage: bits.sh BUILD_FOLDER SERIAL_BUILD_FOLDER
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# train NAME BUILD THREADS
train()
{
    "$2/examples/train_mlp" --quiet --data examples/data --hidden 300,200 --epochs 3 --dropout 0.2 --prune-first 1 \
        --prune-every 1 --prune-percentile 10 --threads "$3" --metrics "$work/$1.all" >/dev/null
    sed 's/"[a-z]*_seconds": [0-9.e+-]*, //g' "$work/$1.all" >"$work/$1"
}

train expected "$1" 1
grep -q '"epoch": 3,' "$work/expected"
for threads in 2 3 8; do
    train "$threads" "$1" "$threads"
    cmp "$work/expected" "$work/$threads"
    echo "ok $threads threads"
done
train serial "$2" 1
cmp "$work/expected" "$work/serial"
echo "ok without OpenMP"
