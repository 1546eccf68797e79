#!/bin/sh
# Everything `make lint` looks at. Each finding is a line FILE:LINE: TEXT; tools that are not installed are skipped by name.
set -u
: "${WARNINGS:=-Wall -Wextra}" "${CFLAGS:=}"
LC_ALL=C
export LC_ALL
here=tests/lint
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

find include lib src examples tests -name '*.[ch]' -o -name '*.[ch]pp' | sort >"$work/c"
{
    cat "$work/c"
    find tests .ci examples -type f \( -name '*.sh' -o -name '*.awk' -o -name '*.js' -o -path '.ci/*' \)
    echo Makefile
} | sort -u >"$work/text"

# report NAME: standard input holds the findings.
report()
{
    cat >"$work/found"
    if [ -s "$work/found" ]; then
        echo "not ok $1"
        sed 's/^/  /' "$work/found"
        failed=1
    else
        echo "ok $1"
    fi
}

# --- the code without comments and strings
xargs awk -f $here/strip.awk <"$work/c" >"$work/code"
awk -v files="$work/c" -f $here/layers.awk "$work/code" | report "layering"
{
    awk -f $here/rules.awk "$work/code"
    grep -v -e "^lib/core/parallel.c" -e "^tests/" "$work/c" | xargs grep -nE "_Pragma *\( *\"omp" /dev/null
} | report "house rules"

# --- text
xargs awk 'FNR == 1 {
    first = $0
    if (FILENAME ~ /\.[ch](pp)?$/) { if (first !~ /^\/\*/) print FILENAME ":1: begin with a comment that says what lives here" }
    else if (FILENAME ~ /\.js$/) { if (first !~ /^\/\//) print FILENAME ":1: begin with a comment that says what lives here" }
    else if (first !~ /^#/) print FILENAME ":1: begin with a comment that says what lives here"
}
FNR == 2 && first ~ /^#!/ && $0 !~ /^# / { print FILENAME ":2: begin with a comment that says what lives here" }
' <"$work/text" | report "every file says what lives there"

grep -E '^(lib|src|include|examples)/' "$work/c" | xargs awk '
    FNR == 701 { print FILENAME ": more than 700 lines" }' | report "no file is over 700 lines"

xargs grep -nE '[[:space:]]+$' <"$work/text" | report "no trailing white space"
xargs grep -nwE 'T[O]DO|F[I]XME|X[X]X|H[A]CK' <"$work/text" | report "nothing is put off"

# --- warnings
# Where an MPI keeps its header; without one, the files that include it are left out.
mpi=$(pkg-config --cflags ompi-c 2>/dev/null || pkg-config --cflags mpich 2>/dev/null)
[ -n "$mpi" ] || echo "skip warnings from the files for MPI: none installed"
# The same for Node.
node=$(find /usr/include/node /usr/include/nodejs/src -name node_api.h -exec dirname {} \; 2>/dev/null | head -n 1)
[ -n "$node" ] || echo "skip warnings from the files for Node: no node_api.h"
# warnings COMPILER NAME FLAGS...
warnings()
{
    compiler=$1
    name=$2
    shift 2
    : >"$work/warnings"
    while read -r file; do
        case $file in
        tests/bench/peers/peer_*) continue ;; # they include libraries that need not be here
        *.c) ;;
        *) continue ;;
        esac
        case $file in
        src/mpi/* | examples/train_mpi/* | tests/mpi/*)
            [ -n "$mpi" ] || continue
            where="-Iinclude -Ilib -Isrc $mpi"
            ;;
        examples/ffi/node/*)
            [ -n "$node" ] || continue
            where="-Iinclude -I$node"
            ;;
        tests/*) where="-Iinclude -Ilib -Isrc -Itests/unit" ;;
        examples/*) where="-Iinclude" ;;
        *) where="-Iinclude -Ilib" ;;
        esac
        echo "$where $file"
    done <"$work/c" | xargs -L 1 -P 2 $compiler -std=c11 -ffp-contract=off $WARNINGS -Werror $CFLAGS "$@" \
        -fsyntax-only >"$work/warnings" 2>&1
    report "no warning from $compiler$name" <"$work/warnings"
}

for compiler in gcc clang; do
    if ! command -v $compiler >/dev/null 2>&1; then
        echo "skip warnings from $compiler: not installed"
        continue
    fi
    warnings $compiler " without OpenMP"
    if printf '#include <omp.h>\n' | $compiler -fopenmp -fsyntax-only -x c - 2>/dev/null; then
        warnings $compiler " with OpenMP" -fopenmp
    else
        echo "skip warnings from $compiler with OpenMP: no omp.h"
    fi
done

# --- formatting
if command -v clang-format >/dev/null 2>&1; then
    xargs clang-format --dry-run -Werror <"$work/c" 2>&1 | sed -n 's|^\([^:]*\):[0-9]*:[0-9]*: error:.*|\1: make format|p' | sort -u | report "clang-format"
else
    echo "skip clang-format: not installed"
fi

# --- Rust
# Nothing is linked, so the library need not be there.
command -v cargo >/dev/null 2>&1 || PATH=$PATH:${HOME:-}/.cargo/bin
for folder in examples/ffi/rust tests/ffi/rust; do
    if cargo fmt --version >/dev/null 2>&1; then
        (cd $folder && cargo fmt --check) 2>&1 | sed -n "s|^Diff in .*/$folder/\([a-z/_]*\.rs\).*|$folder/\1: cargo fmt|p" | sort -u |
            report "rustfmt on $folder"
    else
        echo "skip rustfmt on $folder: not installed (make deps-rust)"
    fi
    if cargo clippy --version >/dev/null 2>&1; then
        (cd $folder && SPARSE_NN_LIB_DIR=. CARGO_TARGET_DIR="$work/rust" cargo clippy --offline --locked --quiet \
            --all-targets -- -D warnings) 2>&1 | report "no warning from clippy on $folder"
    else
        echo "skip clippy on $folder: not installed (make deps-rust)"
    fi
done

# --- shell scripts
for script in $(grep -E '\.sh$|^\.ci/' "$work/text"); do
    case $(head -n 1 "$script") in
    *bash*) bash -n "$script" 2>&1 ;;
    *) sh -n "$script" 2>&1 ;;
    esac
done | report "scripts parse"

exit $failed
