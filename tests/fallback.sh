#!/bin/sh
# Where the data set's package is not installed, train_mlp takes the embedded sample and says so. Builds it with a default
# directory that does not exist. Usage: fallback.sh BUILD_FOLDER
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
${CC:-cc} -O1 -Iinclude '-DDATA_DEFAULT_DIRECTORY="/nonexistent/fashion-mnist"' -o "$work/train_mlp" examples/train_mlp/*.c \
    "$1/libtsnn.a" -fopenmp -ljansson -lz -lm
"$work/train_mlp" --epochs 1 --hidden 50 --threads 1 >"$work/out"
grep -i 'sample' "$work/out"
tail -n 1 "$work/out" | grep -q '^result test_accuracy=0\.[0-9]* epochs=1 '
echo "ok the embedded sample serves where the package is missing"
