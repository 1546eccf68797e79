#!/bin/sh
# The same samples in any format give the same result, and what is odd but harmless is no error.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
. "$root/tests/examples/common.sh"

# same TEXT ARGUMENT...: the result is the one in $expected.
same()
{
    text=$1
    shift
    train "$@"
    claim "$text has a result" has_result
    claim "$text: $(result) is $expected" [ "$(result)" = "$expected" ]
}

# --- formats. Column 1 never varies in any of them.
accepts "a feature that never varies" --data "$work/csv"
expected=$(result)
same "TSV" --data "$work/tsv"
same "Madelon's pair" --data "$work/pair"
fresh csv
for part in train test; do
    { echo "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,label"; cat "$work/csv/$part.csv"; echo; echo; } >"$spoilt/$part.csv"
done
same "CSV with column names" --data "$spoilt"
sed -i 's/$/\r/' "$spoilt/train.csv"
same "CSV from Windows" --data "$spoilt"
gzip "$spoilt/train.csv"
same "CSV, gzipped" --data "$spoilt"
fresh tsv
{ printf '\357\273\277"a b"'; for name in b c d e f g h i j k l m n o p label; do printf '\t"%s"' $name; done; echo
    cat "$work/tsv/train.tsv"; } >"$spoilt/train.tsv"
same "TSV with quoted names and a byte order mark" --data "$spoilt"
fresh csv
for part in train test; do
    awk -F , '{ printf "%s", $17; for (i = 1; i < 17; i++) printf ", %s.0", $i; print "" }' "$work/csv/$part.csv" \
        >"$spoilt/$part.csv"
done
same "the label in the first column, and decimal points" --data "$spoilt" --label-column 1
fresh csv
for part in train test; do
    awk -F , -v OFS=, '{ $17 = 10 * $17 - 10; print }' "$work/csv/$part.csv" >"$spoilt/$part.csv"
done
same "labels -10, 0, 10" --data "$spoilt"
fresh pair
gzip "$spoilt/madelon_train.data" "$spoilt/madelon_valid.labels"
same "Madelon's pair, gzipped in part" --data "$spoilt"

train --data "$work/idx"
claim "IDX has a result" has_result
expected=$(result)
fresh idx
gzip "$spoilt"/*
same "IDX, gzipped" --data "$spoilt"
fresh idx
gzip "$spoilt/train-images-idx3-ubyte"
same "IDX, gzipped in part" --data "$spoilt/"

# --- sizes
train --data "$work/csv" --batch 60
expected=$(result)
same "a batch larger than the data is one batch" --data "$work/csv" --batch 1000000
fresh csv
head -n 2 "$work/csv/train.csv" >"$spoilt/train.csv"
head -n 1 "$work/csv/test.csv" >"$spoilt/test.csv"
accepts "two samples to learn from, one to test with" --data "$spoilt"
fresh csv
for part in train test; do
    cut -d , -f 3,17 "$work/csv/$part.csv" >"$spoilt/$part.csv"
done
accepts "one feature" --data "$spoilt"
fresh csv
sed -E 's/^([^,]*,){16}/5,5,/' "$work/csv/train.csv" >"$spoilt/train.csv"
sed -E 's/^([^,]*,){16}/6,6,/' "$work/csv/test.csv" >"$spoilt/test.csv"
accepts "no feature that varies" --data "$spoilt"

# --- threads
expected=
for threads in 1 2 3; do
    train --data "$work/idx" --hidden 60,50 --epochs 4 --threads $threads
    : "${expected:=$(result)}"
    claim "$threads threads: $(result) is $expected" [ "$(result)" = "$expected" ]
done
train --data "$work/idx" --hidden 60,50 --epochs 4 --threads 1 --seed 2
claim "another seed is another run" [ "$(result)" != "$expected" ]

# --- the embedded sample, read from its own directory
train --data "$root/examples/data" --epochs 1 --hidden 100 --epsilon 20 --batch 32
claim "the embedded sample: 4,500 and 1,000 samples" grep -q '4,500 training and 1,000 test samples, 784 features, 10 cl' \
    "$work/out"
accuracy=$(sed -n 's/^result test_accuracy=0\.\([0-9]*\) .*/\1/p' "$work/out")
claim "an epoch on the embedded sample: .$accuracy is above .6" [ "${accuracy:-0}" -gt 6000 ]

finish
