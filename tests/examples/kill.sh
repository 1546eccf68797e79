#!/bin/sh
# Training that is killed with SIGKILL at a random moment and resumed from its checkpoint ends with the same file as training
# that was not: 3 times, or 20 with TSNN_CHECK_ALL=1. Says how many of them were equal.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
. "$root/tests/examples/common.sh"
needs_model_files
trials=3
[ "${TSNN_CHECK_ALL:-}" = 1 ] && trials=20
seed=${TSNN_KILL_SEED:-$$}

# Everything on that has a state.
options="--data $root/examples/data --hidden 100,100 --epochs 25 --batch 50 --dropout 0.2 --momentum .9 --schedule cosine
--warmup 2 --prune-first 5 --prune-every 7 --prune-percentile 5 --quiet"

# run FILE ARGUMENT...
run()
{
    "$program" $options --save "$@" >"$work/out" 2>"$work/err"
}

began=$(date +%s%N)
run "$work/whole"
claim "the run that is not killed has a result" grep -q '^result ' "$work/out"
took=$((($(date +%s%N) - began) / 1000000))

equal=0
trial=0
tries=0
while [ $trial -lt $trials ] && [ $tries -lt 200 ]; do
    tries=$((tries + 1))
    rm -f "$work"/killed*
    delay=$(awk -v seed="$((seed + tries * 7919))" -v took="$took" 'BEGIN { srand(seed); printf "%.3f", rand() * took / 1000 }')
    "$program" $options --save "$work/killed" >"$work/out" 2>"$work/err" &
    child=$!
    sleep "$delay"
    kill -KILL $child 2>/dev/null
    status=0
    wait $child 2>/dev/null || status=$?
    [ "$status" -eq 137 ] || continue # it was faster
    trial=$((trial + 1))
    if [ -e "$work/killed" ]; then
        run "$work/killed" --resume "$work/killed"
    else
        run "$work/killed" # before its first checkpoint
    fi
    cmp -s "$work/whole" "$work/killed" && equal=$((equal + 1))
done
echo "killed at random moments of $took ms and resumed: $equal of $trials equal (seed $seed)"
claim "$equal of $trials runs that were killed and resumed end with the same file" [ "$equal" -eq "$trials" ]
finish
