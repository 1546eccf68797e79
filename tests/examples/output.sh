#!/bin/sh
# What train_mlp, hello_sparse and serve_while_training write: the result line, the table, metrics, pictures.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
. "$root/tests/examples/common.sh"

line='^result test_accuracy=[01]\.[0-9]{4} epochs=3 connections=[0-9]+ neurons=11 train_seconds=[0-9]+\.[0-9] '
line="${line}peak_rss_mb=[0-9]+ seed=5\$"
count() { grep -Ec "$1" "$2"; }

train --data "$work/idx" --epochs 3 --seed 5 --metrics "$work/metrics"
claim "the last line is the result" [ "$(tail -n 1 "$work/out" | grep -Ec "$line")" -eq 1 ]
claim "there is one result line" [ "$(count '^result' "$work/out")" -eq 1 ]
claim "nothing is on standard error" [ ! -s "$work/err" ]
claim "the table has a line for each epoch" [ "$(count '^ +[123]( +[0-9.,]+){6}$' "$work/out")" -eq 3 ]
claim "without a terminal there is no escape code, carriage return or bar" \
    [ "$(tr -d '\n -~' <"$work/out" | wc -c)" -eq 0 ]

# --- metrics
claim "metrics: a line for each epoch" [ "$(wc -l <"$work/metrics")" -eq 3 ]
number='-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?'
claim "metrics: every line is an object of numbers" \
    [ "$(count "^\\{(\"[a-z_]+\": $number, )+\"[a-z_]+\": $number\\}\$" "$work/metrics")" -eq 3 ]
for key in epoch epochs train_loss train_accuracy test_loss test_accuracy learning_rate train_seconds \
    evolution_seconds test_seconds replaced pruned connections neurons; do
    claim "metrics: every line has $key" [ "$(count "\"$key\": [0-9]" "$work/metrics")" -eq 3 ]
done
if command -v jq >/dev/null 2>&1; then
    claim "metrics: jq reads them" [ "$(jq .epoch <"$work/metrics" | tr '\n' ' ')" = "1 2 3 " ]
fi
accuracy=$(sed -n 's/^result test_accuracy=\([0-9.]*\) .*/\1/p' "$work/out")
table=$(sed -n 's/^ *3 *[0-9.]* *[0-9.]* *\([0-9.]*\) .*/\1/p' "$work/out")
claim "the table ends with the result's accuracy: $table is $accuracy" [ "$table" = "$accuracy" ]

# --- quiet
train --data "$work/idx" --quiet --prune-after 20
claim "--quiet prints one line" [ "$(wc -l <"$work/out")" -eq 1 ]
claim "--quiet prints the result" has_result
claim "--quiet is quiet on standard error" [ ! -s "$work/err" ]

# --- pruning
train --data "$work/idx" --hidden 20,20 --prune-after 50
line='^pruned percentile=50 test_accuracy=[01]\.[0-9]{4}->[01]\.[0-9]{4} connections=[0-9]+->[0-9]+ neurons=43->23 '
claim "pruning half of the neurons is told" [ "$(count "$line" "$work/out")" -eq 1 ]
claim "the result counts what is left" [ "$(count '^result .* neurons=23 ' "$work/out")" -eq 1 ]
train --data "$work/idx" --epochs 4 --hidden 20 --prune-percentile 25 --prune-first 2 --prune-every 5
claim "pruning while training shrinks the network" [ "$(count '^result .* neurons=18 ' "$work/out")" -eq 1 ]

# --- pictures
train --data "$work/idx" --plot "$work/new/pictures"
claim "--plot makes its directory and ends with a result" has_result
for file in learning_curves.dat learning_curves.gp input_connections.dat input_connections.gp; do
    claim "--plot writes $file" [ -s "$work/new/pictures/$file" ]
done
claim "a line for each of the 16 pixels" [ "$(grep -c '^[0-9]' "$work/new/pictures/input_connections.dat")" -eq 16 ]
if command -v gnuplot >/dev/null 2>&1; then
    for file in learning_curves.png input_connections.png; do
        claim "gnuplot draws $file" [ "$(dd if="$work/new/pictures/$file" bs=1 skip=1 count=3 2>/dev/null)" = PNG ]
        claim "the output says where $file is" grep -q "$work/new/pictures/$file" "$work/out"
    done
    claim "gnuplot has nothing to say" [ ! -s "$work/err" ]
fi
mkdir "$work/empty"
status=0
PATH=$work/empty "$program" --data "$work/csv" --hidden 8 --epochs 1 --plot "$work/plain" >"$work/out" 2>"$work/err" ||
    status=$?
claim "without gnuplot there is a result" has_result
claim "without gnuplot there is a warning" grep -q '^train_mlp: warning: gnuplot is not installed' "$work/err"
claim "without gnuplot the data stay" [ -s "$work/plain/input_connections.dat" ]

# --- metrics that cannot be written, after they could be opened
if [ -e /dev/full ]; then
    train --data "$work/csv" --metrics /dev/full
    claim "a full disk does not end the training" has_result
    claim "a full disk is a warning" grep -q '^train_mlp: warning: --metrics /dev/full: epoch 1' "$work/err"
fi

# --- Ctrl-C
: >"$work/out"
"$program" --data "$work/idx" --hidden 100 --epochs 1000000 --threads 1 >"$work/out" 2>"$work/err" &
child=$!
waited=0
while [ "$(count '^ +[1-9]' "$work/out")" -lt 2 ] && [ $waited -lt 100 ]; do
    sleep 0.1
    waited=$((waited + 1))
done
kill -INT $child
status=0
wait $child || status=$?
claim "Ctrl-C ends with a result" has_result
claim "Ctrl-C is told" grep -q '^Stopped by Ctrl-C' "$work/out"
claim "Ctrl-C after some epochs" [ "$(count '^result .* epochs=[1-9]' "$work/out")" -eq 1 ]

# --- divergence
train --data "$work/idx" --lr 1000000 --epochs 50 --momentum .99
claim "a learning rate that is far too high is an error that says so" was_refused "training diverged, try a lower --lr"

# --- hello_sparse
status=0
"$BUILD/examples/hello_sparse" >"$work/out" 2>"$work/err" || status=$?
claim "hello_sparse succeeds" [ "$status" -eq 0 ]
after=$(sed -n 's/^after.*accuracy [01]\.\([0-9]*\).*/\1/p' "$work/out")
claim "hello_sparse learns: .$after is above .95" [ "${after:-0}" -gt 950 ]

# --- serve_while_training: both servers begin with version 1 and end with the last
status=0
"$BUILD/examples/serve_while_training" >"$work/out" 2>"$work/err" || status=$?
claim "serve_while_training succeeds" [ "$status" -eq 0 ]
served=$(sed -n 's/^server [12]: version 1 had [01]\.[0-9]* right, version 31 has \(0\.9\|1\.0\)[0-9]*; .*/yes/p' "$work/out" | wc -l)
claim "serve_while_training: both servers end with the last version, above .9" [ "$served" -eq 2 ]

finish
