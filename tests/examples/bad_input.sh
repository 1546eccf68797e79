#!/bin/sh
# Bad files: each gets exit status 1 and one line that names the file and the numbers, and no result.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
. "$root/tests/examples/common.sh"

images=train-images-idx3-ubyte
labels=train-labels-idx1-ubyte

# --- directories
refuses "a directory that is not there" "$work/nowhere: cannot be opened as a directory" --data "$work/nowhere"
refuses "a file in place of a directory" "csv/train.csv: cannot be opened as a directory" --data "$work/csv/train.csv"
mkdir "$work/nothing"
refuses "a directory without data" "$work/nothing: holds none of train-images" --data "$work/nothing"

# --- IDX
for name in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do
    fresh idx
    rm "$spoilt/$name-ubyte"
    refuses "$name is missing" "$name-ubyte: is missing" --data "$spoilt"
    fresh idx
    : >"$spoilt/$name-ubyte"
    refuses "$name is empty" "$name-ubyte: is empty" --data "$spoilt"
    fresh idx
    head -c 3 "$work/idx/$name-ubyte" >"$spoilt/$name-ubyte"
    refuses "$name ends in its magic number" "$name-ubyte: truncated: it ends after 3 bytes" --data "$spoilt"
    fresh idx
    head -c 20 "$work/idx/$name-ubyte" >"$spoilt/$name-ubyte"
    refuses "$name is too short" "$name-ubyte: .*(60|30)( x 4 x 4)? bytes" --data "$spoilt"
    fresh idx
    printf 'x' >>"$spoilt/$name-ubyte"
    refuses "$name is too long" "$name-ubyte: goes on after the (60|30)( x 4 x 4)? bytes" --data "$spoilt"
    fresh idx
    gzip -n "$spoilt/$name-ubyte"
    size=$(wc -c <"$spoilt/$name-ubyte.gz")
    head -c $((size - 12)) "$spoilt/$name-ubyte.gz" >"$spoilt/cut" && mv "$spoilt/cut" "$spoilt/$name-ubyte.gz"
    refuses "$name.gz is cut off" "$name-ubyte.gz: truncated" --data "$spoilt"
    fresh idx
    { gzip -nc "$spoilt/$name-ubyte" | head -c 30; printf '\377\377\377\377'; gzip -nc "$spoilt/$name-ubyte" |
        tail -c +35; } >"$spoilt/$name-ubyte.gz"
    rm "$spoilt/$name-ubyte"
    refuses "$name.gz is damaged" "$name-ubyte.gz: " --data "$spoilt"
done

fresh idx
{ gzip -nc "$work/idx/$images" | head -c -8; printf '\001\002\003\004'; gzip -nc "$work/idx/$images" | tail -c 4; } \
    >"$spoilt/$images.gz"
rm "$spoilt/$images"
refuses "the checksum of a .gz is wrong" "$images.gz: damaged gzip data" --data "$spoilt"
fresh idx
cp "$work/idx/$labels" "$spoilt/$images"
refuses "labels in place of images" "$images: wrong magic number 0x00000801" --data "$spoilt"
fresh idx
cp "$work/idx/$images" "$spoilt/$labels"
refuses "images in place of labels" "$labels: wrong magic number 0x00000803" --data "$spoilt"
fresh idx
{ printf '\000\000\015\003'; tail -c +5 "$work/idx/$images"; } >"$spoilt/$images"
refuses "images as floats" "$images: wrong magic number 0x00000d03" --data "$spoilt"
fresh idx
cp "$work/csv/train.csv" "$spoilt/$images"
refuses "text in place of images" "$images: wrong magic number 0x" --data "$spoilt"
fresh idx
cp "$work/idx/t10k-labels-idx1-ubyte" "$spoilt/$labels"
refuses "fewer labels than images" "$labels: has 30 labels, but .*$images has 60 images" --data "$spoilt"
fresh idx
{ idx_header 0 4 4; } >"$spoilt/$images"
refuses "zero samples" "$images: holds no samples: its header says 0 x 4 x 4" --data "$spoilt"
fresh idx
{ idx_header 60 0 4; } >"$spoilt/$images"
refuses "images without pixels" "$images: holds no samples: its header says 60 x 0 x 4" --data "$spoilt"
for sizes in "4294967295 4294967295 4294967295" "4294967295 4 4" "60 4294967295 4" "60 65536 65536" "2147483647 1 1"; do
    fresh idx
    { idx_header $sizes; tail -c +17 "$work/idx/$images"; } >"$spoilt/$images"
    refuses "sizes $sizes" "$images: its header promises .* which the file cannot hold" --data "$spoilt"
    gzip -n "$spoilt/$images"
    refuses "sizes $sizes, gzipped" "$images.gz: its header promises .* which the file cannot hold" --data "$spoilt"
done
fresh idx
{ idx_header 30 2 8; tail -c +17 "$work/idx/t10k-images-idx3-ubyte"; } >"$spoilt/t10k-images-idx3-ubyte"
accepts "4 x 4 and 2 x 8 pixels are 16 features" --data "$spoilt"
{ idx_header 30 2 4; tail -c +257 "$work/idx/t10k-images-idx3-ubyte"; } >"$spoilt/t10k-images-idx3-ubyte"
refuses "other features in the test set" "$labels goes with 16 features a sample, but .*t10k.* with 8" --data "$spoilt"
fresh idx
{ head -c 37 "$work/idx/t10k-labels-idx1-ubyte"; printf '\011'; } >"$spoilt/t10k-labels-idx1-ubyte"
refuses "a test label that training has not" "t10k-labels-idx1-ubyte: sample 30: label 9 is not one of .* 3 classes" \
    --data "$spoilt"
fresh idx
{ idx_header 60; head -c 60 /dev/zero; } >"$spoilt/$labels"
refuses "one class only" "$labels: every label is 0" --data "$spoilt"

# --- CSV and TSV
fresh csv
rm "$spoilt/test.csv"
refuses "test.csv is missing" "test.csv: is missing" --data "$spoilt"
: >"$spoilt/test.csv"
refuses "test.csv is empty" "test.csv: is empty" --data "$spoilt"
printf 'a,b,label\n' >"$spoilt/test.csv"
refuses "test.csv has column names only" "test.csv: holds no samples" --data "$spoilt"
printf '\n\n' >"$spoilt/test.csv"
refuses "test.csv has blank lines only" "test.csv: holds no samples" --data "$spoilt"
rm "$spoilt/test.csv"
mkdir "$spoilt/test.csv"
refuses "test.csv is a directory" "test.csv: " --data "$spoilt"

# spoil FORMAT LINE COLUMN VALUE: sets one field of the training file.
spoil()
{
    fresh "$1"
    case $1 in csv) separator=, ;; *) separator='	' ;; esac
    awk -v FS="$separator" -v OFS="$separator" -v line="$2" -v column="$3" -v value="$4" \
        'NR == line { $column = value } { print }' "$work/$1/train.$1" >"$spoilt/train.$1"
}
for format in csv tsv; do
    for value in nan NaN inf -inf Infinity 1e39 1e999; do
        spoil $format 7 3 "$value"
        refuses "$format: a feature is $value" "train.$format: line 7, column 3: '$value' is not a finite number" \
            --data "$spoilt"
    done
    for value in "" x 1x 1,5x "--1" 0x; do
        case $format$value in csv*,*) continue ;; esac
        spoil $format 5 2 "$value"
        refuses "$format: a feature is '$value'" "train.$format: line 5, column 2: '$value' is not a number" \
            --data "$spoilt"
    done
    for value in 1.5 1e12 -3000000000; do
        spoil $format 2 17 "$value"
        refuses "$format: a label is $value" "train.$format: line 2, column 17: '$value' is not a label" --data "$spoilt"
    done
    spoil $format 60 17 "1	1"
    [ $format = csv ] && spoil csv 60 17 1,1
    refuses "$format: a line is too long" "train.$format: line 60 has 18 columns, but line 1 has 17" --data "$spoilt"
    fresh $format
    sed '9s/^[^,	]*[,	]//' "$work/$format/train.$format" >"$spoilt/train.$format"
    refuses "$format: a line is too short" "train.$format: line 9 has 16 columns, but line 1 has 17" --data "$spoilt"
    fresh $format
    sed '9s/.*//' "$work/$format/train.$format" >"$spoilt/train.$format"
    refuses "$format: a blank line in the middle" "train.$format: line 9 is blank" --data "$spoilt"
    fresh $format
    sed '9s/[0-9]*$/7/' "$work/$format/test.$format" >"$spoilt/test.$format"
    refuses "$format: a test label that training has not" "test.$format: line 9: label 7 is not one of .* 3 classes" \
        --data "$spoilt"
    fresh $format
    gzip -nc "$work/$format/train.$format" | head -c 100 >"$spoilt/train.$format.gz"
    rm "$spoilt/train.$format"
    refuses "$format: a .gz that is cut off" "train.$format.gz: truncated" --data "$spoilt"
    fresh $format
    sed 's/[,	][0-9]*$//' "$work/$format/test.$format" >"$spoilt/test.$format"
    refuses "$format: other features in the test set" "16 features a sample, but .*test.$format with 15" --data "$spoilt"
done
fresh csv
cut -d , -f 17 "$work/csv/train.csv" >"$spoilt/train.csv"
refuses "a label without features" "train.csv: line 1 has one column" --data "$spoilt"
fresh csv
{ head -n 3 "$work/csv/train.csv"; printf '1,2\000,3\n'; } >"$spoilt/train.csv"
refuses "a zero byte in a text" "train.csv: line 4 holds a zero byte" --data "$spoilt"
refuses "a label column that is not there" "train.csv: has 17 columns: no column 18" --data "$work/csv" --label-column 18
refuses "a label column of IDX files" "label-column: $work/idx holds no train.csv" --data "$work/idx" --label-column 1

# --- Madelon's pair
for name in madelon_train.labels madelon_valid.data madelon_valid.labels; do
    fresh pair
    rm "$spoilt/$name"
    refuses "$name is missing" "$name: is missing" --data "$spoilt"
    fresh pair
    : >"$spoilt/$name"
    refuses "$name is empty" "$name: is empty" --data "$spoilt"
done
fresh pair
sed '$d' "$work/pair/madelon_train.labels" >"$spoilt/madelon_train.labels"
refuses "fewer labels than rows" "madelon_train.labels: has 59 labels, but .*madelon_train.data has 60 rows" --data "$spoilt"
fresh pair
sed '4s/.*/5/' "$work/pair/madelon_valid.labels" >"$spoilt/madelon_valid.labels"
refuses "a label out of range" "madelon_valid.labels: line 4: label 5 is not one of" --data "$spoilt"
fresh pair
sed '4s/.*/1 1/' "$work/pair/madelon_train.labels" >"$spoilt/madelon_train.labels"
refuses "two labels on a line" "madelon_train.labels: line 4 has 2 columns, but line 1 has 1" --data "$spoilt"
sed 's/.*/1 1/' "$work/pair/madelon_train.labels" >"$spoilt/madelon_train.labels"
refuses "two labels on every line" "madelon_train.labels: line 1 has 2 numbers: there must be one label" --data "$spoilt"
fresh pair
sed '4s/^[0-9]*/nan/' "$work/pair/madelon_train.data" >"$spoilt/madelon_train.data"
refuses "a feature is nan" "madelon_train.data: line 4, column 1: 'nan' is not a finite number" --data "$spoilt"

# --- places to write to
refuses "a metrics file that cannot be made" "metrics $work/nowhere/m: " --data "$work/csv" --metrics "$work/nowhere/m"
refuses "pictures where a file is" "plot $work/csv/train.csv: " --data "$work/csv" --plot "$work/csv/train.csv"
if [ -e /dev/full ]; then
    status=0
    "$program" --data "$work/csv" --hidden 8 --epochs 1 --quiet >/dev/full 2>"$work/err" || status=$?
    : >"$work/out"
    claim "standard output on a full disk" was_refused "standard output cannot be written"
fi

finish
