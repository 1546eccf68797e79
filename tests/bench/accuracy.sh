#!/bin/sh
# Trains with the original's hyper-parameters and prints mean test accuracies over seeds, for docs/results.md.
# Usage: accuracy.sh [MADELON_DIRECTORY]; BUILD names the build folder, SEEDS the seeds, THREADS the threads. Minutes.
set -eu
BUILD=${BUILD:-build}
SEEDS=${SEEDS:-1 2 3}
THREADS=${THREADS:-2}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# train NAME FLAGS...: one run for each seed, its metrics in $work/NAME.SEED
train()
{
    name=$1
    shift
    for seed in $SEEDS; do
        "$BUILD/examples/train_mlp" --quiet --threads "$THREADS" --seed "$seed" --metrics "$work/$name.$seed" "$@" \
            >/dev/null
    done
}

# mean NAME FIRST LAST: mean test accuracy over seeds and over the epochs FIRST..LAST, with the range over seeds
mean()
{
    for seed in $SEEDS; do
        sed 's/.*"epoch": \([0-9]*\),.*"test_accuracy": \([0-9.e+-]*\),.*/\1 \2/' "$work/$1.$seed" |
            awk -v first="$2" -v last="$3" '$1 >= first && $1 <= last { sum += $2; n++ } END { print sum / n }'
    done | awk '{ sum += $1; if (NR == 1 || $1 < low) low = $1; if ($1 > high) high = $1 }
                END { printf "%.4f (%.4f to %.4f, %d seeds)\n", sum / NR, low, high, NR }'
}

train all-relu --epochs 40
for epoch in 5 10 20 30 40; do
    echo "Fashion-MNIST, All-ReLU, epoch $epoch: $(mean all-relu $epoch $epoch)"
done
train relu --epochs 10 --activation relu
echo "Fashion-MNIST, ReLU, epoch 10: $(mean relu 10 10)"
train he --epochs 40 --init he --init-scale 1
for epoch in 10 20 40; do
    echo "Fashion-MNIST, All-ReLU, He start, epoch $epoch: $(mean he $epoch $epoch)"
done
train no-decay --epochs 10 --weight-decay 0
echo "Fashion-MNIST, no weight decay, epoch 10: $(mean no-decay 10 10)"
if [ $# -gt 0 ]; then
    for dropout in 0.3 0.5; do
        train madelon --data "$1" --hidden 400,100,400 --epsilon 10 --batch 32 --alpha 0.5 --epochs 150 \
            --dropout "$dropout"
        echo "Madelon, dropout $dropout, epochs 131 to 150: $(mean madelon 131 150)"
    done
fi
