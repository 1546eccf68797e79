#!/bin/sh
# Cuts the sample of Fashion-MNIST in this directory out of the whole data set: the first images of each class, as many
# of each, in the order of the original. Usage: make_sample.sh [SOURCE [TARGET]]; the same source gives the same bytes.
set -eu

source=${1:-/usr/share/datasets/fashion-mnist}
target=${2:-$(dirname "$0")}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A number as the four bytes of an IDX header.
big_endian() {
    printf "$(printf '\\%03o\\%03o\\%03o\\%03o' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255)))"
}

# cut_out NAME PER_CLASS: the sample of NAME-images-idx3-ubyte and NAME-labels-idx1-ubyte.
cut_out() {
    gzip -dc "$source/$1-images-idx3-ubyte.gz" | tail -c +17 > "$work/images"
    gzip -dc "$source/$1-labels-idx1-ubyte.gz" | tail -c +9 > "$work/labels"
    # Runs of neighbours that are wanted: the first number, from 0, and how many.
    od -An -v -tu1 -w1 "$work/labels" | awk -v most="$2" '
        function finish() { if (run > 0) print start, run; run = 0 }
        taken[$1]++ < most { if (start + run != NR - 1) finish(); if (run == 0) start = NR - 1; run++ }
        END { finish() }' > "$work/runs"
    count=$((10 * $2))
    {
        printf '\000\000\010\003'; big_endian $count; big_endian 28; big_endian 28
        while read -r start length; do
            dd if="$work/images" bs=784 skip="$start" count="$length" 2> /dev/null
        done < "$work/runs"
    } | gzip -9n > "$target/$1-images-idx3-ubyte.gz"
    {
        printf '\000\000\010\001'; big_endian $count
        while read -r start length; do
            dd if="$work/labels" bs=1 skip="$start" count="$length" 2> /dev/null
        done < "$work/runs"
    } | gzip -9n > "$target/$1-labels-idx1-ubyte.gz"
}

cut_out train 450
cut_out t10k 100
