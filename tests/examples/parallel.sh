#!/bin/sh
# train_parallel: its options, its result line, what it refuses, the network it saves, the picture of all modes.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
. "$root/tests/examples/common.sh"
program=$BUILD/examples/train_parallel
data="--data $work/csv"

# --- impossible options
wrong()
{
    option=$1
    shift
    for value in "$@"; do
        refuses "--$option '$value'" "^train_parallel: --$option" --data "$work/nowhere" "--$option" "$value"
    done
}

numbers="nan inf -inf x 1x 0x10 1e999"
wrong mode "" WASAP sequential
wrong workers 0 -1 1.5 1025 "" 99999999999999999999 $numbers
wrong phase-split 0 -.1 1.1 "" $numbers
wrong local-steps 0 -1 1.5 "" $numbers
wrong stale-limit 0 -1 1.5 "" $numbers
wrong rate-multiple 0 -1 "" $numbers
wrong local-multiple 0 -1 "" $numbers
wrong rate-warmup 0 -1 "" $numbers
wrong compare ""
wrong epochs 0 -1 x
refuses "an option without its argument" "--workers: this option needs an argument" --workers
refuses "an unknown option" "--bogus: no such option" --bogus
refuses "a picture of one run" "--plot: train_parallel draws with --compare" $data --plot "$work/pictures"
refuses "an asynchronous run to be resumed" "--resume: only train_mlp" $data --resume "$work/nowhere"
refuses "more workers than samples" "61 workers for 60 samples" $data --workers 61
refuses "replicas that prune" "replicas cannot prune" $data --mode replicas --prune-percentile 20
refuses "what replicas would ignore" "local_steps 3" $data --mode replicas --local-steps 3
refuses "what workers in step would ignore" "stale_limit 3" $data --mode wassp --stale-limit 3
refuses "data that is not there" "$work/nowhere: cannot be opened" --data "$work/nowhere"
refuses "a rate that diverges" "diverged" $data --lr 1e6 --epochs 4

# --- the same options where they make sense
for mode in wasap wassp replicas; do
    for workers in 1 2 4; do
        accepts "--mode $mode --workers $workers" $data --mode $mode --workers $workers --epochs 4
        claim "the result of $mode tells of $workers workers" grep -q "mode=$mode workers=$workers " "$work/out"
    done
done
for options in "--phase-split 1" "--phase-split=.5" "--local-steps 3" "--stale-limit 1" "--discard-stale" \
    "--rate-multiple 2" "--local-multiple .5" "--rate-warmup .5" "--micro-batch 3" "--clip-norm 1" "--zeta 0" \
    "--prune-percentile 20 --prune-first 1 --prune-every 1" "--prune-after 25" "--schedule cosine" "--workers 60"; do
    accepts "$options" $data --epochs 4 $options
done

# --- the result
pattern='^result test_accuracy=[01]\.[0-9]{4} epochs=4 connections=[0-9]+ neurons=[0-9]+ train_seconds=[0-9.]+'
pattern="$pattern peak_rss_mb=[0-9]+ seed=7 mode=wasap workers=2 staleness_mean=[0-9.]+ staleness_max=[0-9]+"
pattern="$pattern phase1_seconds=[0-9.]+ phase2_seconds=[0-9.]+ exchange_share=[01]\.[0-9]+ wait_share=[01]\.[0-9]+\$"
accepts "a run" $data --epochs 4 --seed 7
claim "the result line has all its fields" grep -Eq "$pattern" "$work/out"
claim "there is a line for each worker" [ "$(grep -c '^ *[01] .* s ' "$work/out")" -ge 2 ]
accepts "a quiet run" $data --quiet
claim "a quiet run prints the result only" [ "$(wc -l <"$work/out")" -eq 1 ]

# In step, a seed gives the same network every time.
same_twice()
{
    train $data --mode wassp --epochs 4 --quiet
    first=$(result | sed 's/phase1_seconds.*//')
    train $data --mode wassp --epochs 4 --quiet --threads 2
    [ "$first" = "$(result | sed 's/phase1_seconds.*//')" ]
}
claim "WASSP gives the same result twice" same_twice

accepts "--metrics" $data --epochs 4 --metrics "$work/metrics"
claim "there is a line of metrics for each epoch" [ "$(wc -l <"$work/metrics")" -eq 4 ]

train --help
claim "--help tells of the workers and of train_mlp's options" \
    eval '[ "$status" -eq 0 ] && grep -q -- "--workers K" "$work/out" && grep -q -- "--hidden N" "$work/out"'

# --- all modes in one picture
accepts_compare()
{
    train $data --epochs 3 --stale-limit 1 --discard-stale --compare "$work/pictures"
    [ "$status" -eq 0 ] && [ -s "$work/pictures/accuracy_over_time.gp" ] &&
        [ "$(grep -c '^[0-9.]* [01]\.[0-9]*$' "$work/pictures/accuracy_over_time.dat")" -eq 9 ]
}
claim "--compare writes three curves of three epochs" accepts_compare
refuses "a picture in a file's place" "csv/train.csv" $data --compare "$work/csv/train.csv"

# --- the network
needs_model_files
accepts "--save" $data --save "$work/model.safetensors"
claim "the network is there" [ -s "$work/model.safetensors" ]
# What was trained is told all the same, as in train_mlp.
train $data --save "$work/nowhere/model"
claim "a network that cannot be saved ends in status 1" \
    eval '[ "$status" -eq 1 ] && tail -n 1 "$work/err" | grep -q "^train_parallel: --save .*could not be written"'

finish
