#!/bin/sh
# Model files: train_mlp writes and resumes them, predict and Python read them.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
. "$root/tests/examples/common.sh"
needs_model_files
predict=$BUILD/examples/predict

# --- saving and resuming
train --data "$work/csv" --epochs 4 --dropout .2 --save "$work/whole"
claim "--save ends with a result" has_result
claim "--save writes the file and leaves no other" [ "$(ls "$work" | grep -c whole)" -eq 1 ]
expected=$(result)
train --data "$work/csv" --epochs 4 --dropout .2 --resume "$work/whole"
claim "a run that is done has nothing left to do: $(result)" [ "$(result)" = "$expected" ]
train --data "$work/csv" --epochs 9 --dropout .2 --resume "$work/whole" --hidden 30
claim "it goes on with more epochs, and with its own network" [ "$(grep -c '^result .* epochs=9 .* neurons=11 ' "$work/out")" -eq 1 ]
claim "the output tells where it resumed" grep -q "^resumed .*$work/whole, after 4 epochs" "$work/out"
train --data "$work/csv" --metrics "$work/lines" --save "$work/part"
train --data "$work/csv" --metrics "$work/lines" --resume "$work/part" --epochs 3
claim "--resume appends to the metrics" [ "$(grep -c '"epoch"' "$work/lines")" -eq 3 ]

refuses "a file that is not there" "--resume $work/nowhere: .*cannot open" --data "$work/csv" --resume "$work/nowhere"
refuses "a file of another kind" "--resume $work/csv/train.csv: " --data "$work/csv" --resume "$work/csv/train.csv"
refuses "another seed" "trained with seed 1; this context has 2" --data "$work/csv" --resume "$work/whole" --seed 2
head -c 500 "$work/whole" >"$work/cut"
refuses "a file that was cut off" "--resume $work/cut: .*500" --data "$work/csv" --resume "$work/cut"
cut -d , -f 2- "$work/csv/train.csv" >"$work/pair/train.csv"
cut -d , -f 2- "$work/csv/test.csv" >"$work/pair/test.csv"
refuses "data of another width" "16 inputs and 3 outputs, the trainer.s has 15 and 3" --data "$work/pair" --resume "$work/whole"
train --data "$work/csv" --save "$work/nowhere/model"
claim "a file that cannot be written is told" grep -q "^train_mlp: warning: --save $work/nowhere/model: cannot create" "$work/err"
claim "... and is an error in the end" [ "$status" -eq 1 ]

# --- predicting
cut -d , -f 1-16 "$work/csv/test.csv" >"$work/features"
status=0
"$predict" "$work/whole" "$work/features" >"$work/out" 2>"$work/err" || status=$?
claim "predict gives a class a line" [ "$status $(grep -c '^[0-2]$' "$work/out") $(wc -l <"$work/out")" = "0 30 30" ]
cp "$work/out" "$work/classes"
"$predict" "$work/whole" <"$work/features" >"$work/out" 2>"$work/err"
claim "predict reads standard input" cmp -s "$work/out" "$work/classes"
"$predict" --labelled "$work/whole" "$work/csv/test.csv" >"$work/out" 2>"$work/err"
accuracy=$(echo "$expected" | sed 's/.*test_accuracy=\([0-9.]*\) .*/\1/')
claim "predict is as accurate as train_mlp said: $accuracy" grep -q "^accuracy=$accuracy samples=30\$" "$work/err"
"$predict" --outputs "$work/whole" "$work/features" >"$work/out" 2>"$work/err"
claim "--outputs gives probabilities" [ "$(awk -F , 'NF == 3 && $1 + $2 + $3 > .999 && $1 + $2 + $3 < 1.001' "$work/out" | wc -l)" -eq 30 ]
for bad in "1 2 3" "$(head -n 1 "$work/csv/test.csv")" "$(head -n 1 "$work/features" | sed 's/^[0-9]*/nan/')"; do
    status=0
    echo "$bad" | "$predict" "$work/whole" >"$work/out" 2>"$work/err" || status=$?
    claim "predict refuses '$bad'" [ "$status $(grep -c '^predict: line 1: not 16 finite numbers$' "$work/err")" = "1 1" ]
done
for arguments in "" "--bogus $work/whole" "$work/nowhere $work/features" "$work/whole $work/nowhere" "$work/cut $work/features"; do
    status=0
    "$predict" $arguments </dev/null >"$work/out" 2>"$work/err" || status=$?
    claim "predict refuses the arguments '$arguments'" [ "$status" -eq 1 ]
done

# --- Python
if find_python; then
    "$python" "$root/examples/read_model.py" "$work/whole" >"$work/out" 2>"$work/err"
    claim "safetensors and SciPy open a model file" [ "$(grep -c '^layer [01]: ' "$work/out")" -eq 2 ]
else
    echo "skip opening a model file in Python: no safetensors or no SciPy"
fi

finish
