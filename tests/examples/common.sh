# What the tests of the examples share: tiny data sets, and claims about runs of train_mlp. To be read in with "."
# after `root` has been set to the top of the tree.
LC_ALL=C
export LC_ALL
: "${BUILD:=build}"
case $BUILD in
/*) ;;
*) BUILD=$root/$BUILD ;;
esac
program=$BUILD/examples/train_mlp
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

# claim TEXT COMMAND...: holds when the command succeeds.
claim()
{
    text=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "not ok $text"
        head -n 5 "$work/out" "$work/err" 2>/dev/null | sed 's/^/    /'
    fi
}

finish()
{
    echo "$passed claims hold, $failed do not"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}

# Sets python: one with safetensors and SciPy, which is the environment that `make deps` makes where Debian's has none.
find_python()
{
    for python in python3 /usr/bin/python3 "$BUILD/python/bin/python"; do
        "$python" -c 'import safetensors.numpy, scipy.io, scipy.sparse' >/dev/null 2>&1 && return 0
    done
    return 1
}

# The program on a small network; output in $work/out and $work/err, exit status in $status.
train()
{
    status=0
    "$program" --hidden 8 --epsilon 4 --epochs 2 --batch 8 --threads 1 "$@" >"$work/out" 2>"$work/err" || status=$?
}

# Whether the last run failed as it should: status 1, one line that begins with the program's name and matches, no result.
was_refused()
{
    [ "$status" -eq 1 ] && [ "$(wc -l <"$work/err")" -eq 1 ] && grep -q "^${program##*/}: " "$work/err" &&
        grep -Eq -- "$1" "$work/err" && ! grep -q '^result' "$work/out"
}

# refuses TEXT PATTERN ARGUMENT...: the program ends with a message that matches the pattern.
refuses()
{
    text=$1
    pattern=$2
    shift 2
    train "$@"
    claim "$text (wanted: $pattern)" was_refused "$pattern"
}

# needs_model_files: ends the script where the library was built without them.
needs_model_files()
{
    train --data "$work/csv" --save "$work/probe"
    if grep -q 'without model files' "$work/err"; then
        echo "skip $0: built without model files"
        exit 0
    fi
    rm -f "$work/probe"
}

has_result()
{
    [ "$status" -eq 0 ] && tail -n 1 "$work/out" | grep -q '^result '
}

# accepts TEXT ARGUMENT...: the program ends with a result line.
accepts()
{
    text=$1
    shift
    train "$@"
    claim "$text" has_result
}

# The last run's result without what differs from run to run.
result()
{
    tail -n 1 "$work/out" | sed -e 's/train_seconds=[^ ]*//' -e 's/peak_rss_mb=[^ ]*//'
}

# A number as four bytes, the most significant first.
big_endian()
{
    octal=$(printf '\\%03o\\%03o\\%03o\\%03o' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255)))
    printf "$octal"
}

# idx_header SIZE...: the head of an IDX file of bytes.
idx_header()
{
    printf '\000\000\010'
    printf "\\00$#"
    for size in "$@"; do
        big_endian "$size"
    done
}

# rows COUNT SEED: lines of 16 whole numbers from 0 to 255 and a label from 0 to 2, which the numbers give away.
rows()
{
    awk -v count="$1" -v seed="$2" 'BEGIN {
        for (i = 0; i < count; i++) {
            label = i % 3
            for (j = 0; j < 16; j++) {
                seed = (seed * 1103 + 12345) % 65536
                printf "%d ", j == 0 ? 7 : j % 3 == label ? 128 + seed % 128 : seed % 128
            }
            print label
        }
    }'
}

# Numbers on standard input, as bytes.
bytes()
{
    printf "$(tr -s ' ' '\n' | awk 'NF { printf "\\%03o", $1 }')"
}

# idx_pair STEM ROWS: the IDX files of 4 x 4 images of a file of rows, without gzip.
idx_pair()
{
    count=$(wc -l <"$2")
    { idx_header "$count" 4 4; cut -d ' ' -f 1-16 "$2" | bytes; } >"$1-images-idx3-ubyte"
    { idx_header "$count"; cut -d ' ' -f 17 "$2" | bytes; } >"$1-labels-idx1-ubyte"
}

# Every test has: rows, and directories of the same samples as idx, csv, tsv, and Madelon's pair of files.
rows 60 1 >"$work/train.rows"
rows 30 2 >"$work/test.rows"
mkdir "$work/idx" "$work/csv" "$work/tsv" "$work/pair"
idx_pair "$work/idx/train" "$work/train.rows"
idx_pair "$work/idx/t10k" "$work/test.rows"
for part in train test; do
    tr ' ' ',' <"$work/$part.rows" >"$work/csv/$part.csv"
    tr ' ' '\t' <"$work/$part.rows" >"$work/tsv/$part.tsv"
done
cut -d ' ' -f 1-16 "$work/train.rows" | sed 's/$/ /' >"$work/pair/madelon_train.data"
cut -d ' ' -f 1-16 "$work/test.rows" | sed 's/$/ /' >"$work/pair/madelon_valid.data"
cut -d ' ' -f 17 "$work/train.rows" >"$work/pair/madelon_train.labels"
cut -d ' ' -f 17 "$work/test.rows" >"$work/pair/madelon_valid.labels"

# fresh FORMAT: a copy of one of these to be spoilt, in $spoilt.
fresh()
{
    spoilt=$work/spoilt
    rm -rf "$spoilt"
    cp -R "$work/$1" "$spoilt"
}
