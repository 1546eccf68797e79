#!/bin/sh
# Whether the Rust example calls the library rightly: declarations, ownership, closures, threads, errors, equal bits with
# C. Needs cargo, in PATH or ~/.cargo/bin (make deps-rust), and no crates. Called by tests/run.sh.
set -u
: "${BUILD:=build}" "${CC:=cc}" "${SOVERSION:=0}"
command -v cargo >/dev/null 2>&1 || PATH=$PATH:${HOME:-}/.cargo/bin
if ! cargo --version >/dev/null 2>&1; then
    echo "skip ffi/rust: no cargo (make deps-rust)"
    exit 0
fi
BUILD=$(cd "$BUILD" && pwd) || exit 1
crate=$(pwd)/examples/ffi/rust
tests=$(pwd)/tests/ffi/rust
work=$BUILD/tests/rust
log=$work/log
mkdir -p "$work"
export CARGO_TARGET_DIR="$work" SPARSE_NN_LIB_DIR="$BUILD" TSNN_C_RUN="$work/run" RUST_BACKTRACE=0
export LD_LIBRARY_PATH="$BUILD${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
unset RUSTFLAGS
failed=0

# report NAME: tells how the command before went, whose output is in the log.
report()
{
    if [ "$2" -eq 0 ]; then
        echo "ok ffi/rust: $1"
    else
        echo "not ok ffi/rust: $1"
        sed 's/^/    /' "$log" | tail -n 40
        failed=1
    fi
}

# The lines of Rust's test programs, as tests/run.sh wants them. What a failed one prints comes after all of them.
tell()
{
    status=0
    (cd "$1" && shift && cargo test --offline --locked "$@") >"$log" 2>&1 || status=$?
    sed -n -e 's/^test \(.*\) \.\.\. ok$/ok \1/p' -e 's/^test \(.*\) \.\.\. FAILED$/not ok \1/p' \
        -e 's/^test \(.*\) \.\.\. ignored.*$/skip \1/p' "$log" >"$log.lines"
    sed -e 's/src\/lib\.rs - Readme (line [0-9]*)/the program in README.md/' \
        -e 's/src\/\([a-z]*\)\.rs - .*(line [0-9]*)/the example in \1.rs/' -e 's/ - compile fail$/ does not compile, as it should not/' \
        -e 's/^\(not ok\|ok\|skip\) \([a-z]*::\)\{0,1\}/\1 ffi\/rust: /' -e 's/_/ /g' "$log.lines"
    if [ "$status" -ne 0 ]; then
        grep -q '^not ok' "$log.lines" || echo "not ok ffi/rust: cargo test $*"
        sed -n '/^failures:$/,$p;/^error/,$p' "$log" | sed 's/^/    /' | head -n 80
        failed=1
    fi
}

$CC -O2 -Iinclude -o "$work/run" tests/ffi/rust/run.c -L"$BUILD" -ltsnn >"$log" 2>&1 ||
    { report "the C program that its bits are compared with is built" 1; exit 1; }
tell "$tests"
tell "$crate" --doc

status=0
(cd "$crate" && cargo build --offline --locked --quiet --example train) >"$log" 2>&1 || status=$?
report "the example program is built without crates and network" "$status"
if [ "$status" -eq 0 ]; then
    program=$work/debug/examples/train
    ended=0
    "$program" "$work/moons.safetensors" >"$log" 2>&1 || ended=$?
    # A library without model files cannot save; everything before that is done.
    grep -q -e 'accuracy 0\.9' -e 'accuracy 1' -e '^Error: Error { status: Unsupported' "$log" || status=1
    report "the example program trains, saves, loads and predicts" "$status"
    if ! command -v valgrind >/dev/null 2>&1; then
        echo "skip ffi/rust: the example program under valgrind: not installed (make deps-dev)"
    else
        OMP_WAIT_POLICY=passive valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect \
            --errors-for-leak-kinds=definite,indirect "$program" "$work/moons.safetensors" >"$log" 2>&1
        [ $? -eq "$ended" ]
        report "the example program runs clean under valgrind" $?
    fi
fi
exit "$failed"
