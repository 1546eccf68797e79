#!/bin/sh
# Impossible options: each gets exit status 1 and one line that names the option, before any data is read.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
. "$root/tests/examples/common.sh"

# wrong OPTION VALUE...: each value is refused with the option's name.
wrong()
{
    option=$1
    shift
    for value in "$@"; do
        refuses "--$option '$value'" "^train_mlp: --$option" --data "$work/nowhere" "--$option" "$value"
    done
}

numbers="nan inf -inf x 1x 0x10 1e999"
wrong data ""
wrong hidden 0 abc "" , 10, ,10 10,,10 10,0 -5 1.5 10000000000 "10, 10"
wrong epsilon 0 -1 $numbers
wrong activation "" softmax RELU relux
wrong alpha 1001 -1001 $numbers
wrong dropout 1 1.5 -.1 $numbers
wrong init "" uniform
wrong fan "" both
wrong init-scale 0 -1 $numbers
wrong sampling "" some
wrong epochs 0 -1 1.5 1e3 "" 99999999999999999999 $numbers
wrong batch 0 -1 2147483648 99999999999999999999 $numbers
wrong micro-batch 0 -1 $numbers
wrong loss "" hinge
wrong label-smoothing 1 -.1 $numbers
wrong optimizer "" adam
wrong lr 0 -1 "" $numbers
wrong momentum 1 -.1 $numbers
wrong weight-decay 1 -.1 $numbers
wrong decay "" l1
wrong clip-norm 0 -1 $numbers
wrong schedule "" linear
wrong warmup -1 $numbers
wrong step-epochs 0 -1 $numbers
wrong step-factor 0 1.1 $numbers
wrong final-factor -.1 1.1 $numbers
wrong zeta 2 -.1 $numbers
wrong prune-percentile 0 100 -1 $numbers
wrong prune-threshold 0 -1 $numbers
wrong prune-first 0 -1 1.5 $numbers
wrong prune-every 0 -1 1.5 $numbers
wrong prune-after 0 100 $numbers
wrong threads 0 -1 1025 100000 1.5 $numbers
wrong isa "" sse
wrong seed -1 1.5 "" 18446744073709551616 $numbers
wrong label-column 0 -1 x
wrong metrics ""
wrong plot ""

refuses "an unknown option" "--bogus: no such option" --bogus
refuses "an unknown letter" "-x: no such option" -x
refuses "an option without its argument" "--epochs: this option needs an argument" --epochs
refuses "a word that is no option" "word: not an option" word
refuses "plain SGD with momentum" "--momentum 0.5: --optimizer sgd" --optimizer sgd --momentum .5
refuses "two pruning rules" "--prune-percentile and --prune-threshold" --prune-percentile 5 --prune-threshold 1
refuses "a micro-batch above the batch" "--micro-batch 9: must be at most the batch, 8" --batch 8 --micro-batch 9
refuses "a slope without such an activation" "--alpha 0.1: belongs to" --activation relu --alpha .1
refuses "steps of the rate without their schedule" "--step-factor 0.5: belong to" --schedule cosine --step-factor .5
refuses "a last rate without its schedule" "--final-factor 0.1: belongs to" --final-factor .1
refuses "smoothed labels without cross-entropy" "--label-smoothing 0.1: belongs to" --loss mse --label-smoothing .1

# --- the same options where they make sense
data="--data $work/csv"
for value in all-relu relu leaky-relu sigmoid tanh identity; do
    accepts "--activation $value" $data --activation $value
done
for options in "--alpha 0" "--alpha -.5" "--init he --fan sparse" "--init xavier" "--init normal --init-scale 2" \
    "--sampling exact" "--optimizer sgd" "--optimizer sgd --momentum 0" "--optimizer nesterov" "--momentum 0" \
    "--decay l2" "--weight-decay 0" "--dropout 0" "--zeta 0" "--zeta 1" "--schedule step --step-epochs .5" \
    "--schedule step --step-factor 1" "--schedule cosine --final-factor .1 --warmup .5" "--clip-norm 1" \
    "--label-smoothing .1" "--loss mse" "--micro-batch 3" "--fold --prune-percentile 20 --prune-first 1 --prune-every 1" \
    "--prune-threshold .01 --prune-first 1" "--prune-after 25" "--isa ref" "--no-standardize" "--seed 0" \
    "--seed 18446744073709551615" "--threads 3" "--bf16" "--hidden 5,4,3" "--hidden 1"; do
    accepts "$options" $data $options
done

"$program" --help >"$work/out" 2>"$work/err"
claim "--help succeeds and names every option" [ "$(grep -c '^  --' "$work/out")" -ge 40 ]
"$program" --version >"$work/out" 2>"$work/err"
claim "--version names the library's version" grep -Eq '^train_mlp, libtsnn [0-9]+\.[0-9]+\.[0-9]+$' "$work/out"

finish
