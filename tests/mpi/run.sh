#!/bin/sh
# Runs the tests of libtsnn-mpi under every MPI that is installed: 1 to 8 ranks, as many as there are processors or more.
# One line a check: "ok ...", "not ok ..." or "skip ..."; ends with "N passed, M failed".
set -u
: "${BUILD:=build}" "${CC:=cc}" "${CFLAGS:=-O2 -g}" "${MAKE:=make}" "${MPI_RANKS:=1 2 3 4 5 6 7 8}"
passed=0
failed=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

ok() { echo "ok $1"; passed=$((passed + 1)); }
not_ok() { echo "not ok $1"; failed=$((failed + 1)); }

# limited SECONDS COMMAND...: ends it when it hangs, which is a failure like any other.
limited()
{
    if command -v timeout >/dev/null 2>&1; then timeout -k 5 "$@"; else shift; "$@"; fi
}

# start RANKS PROGRAM...: by the mpiexec of the MPI at hand.
start()
{
    count=$1
    shift
    limited 100 $launch -n "$count" "$@"
}

# The program's own lines are the checks; an end without any is one failure.
check_claims()
{
    status=0
    start "$1" "$tests" claims >"$work/log" 2>&1 || status=$?
    good=$(grep -c '^ok ' "$work/log")
    bad=$(grep -c '^not ok ' "$work/log")
    passed=$((passed + good))
    failed=$((failed + bad))
    echo "$name, $1 ranks: $good claims hold"
    grep '^not ok ' "$work/log"
    grep ' sends ' "$work/log"
    if [ "$status" -ne 0 ] || [ "$good" -eq 0 ]; then
        [ "$bad" -gt 0 ] || not_ok "$name, $1 ranks: ended with status $status"
        grep -v '^ok ' "$work/log" | tail -n 20 | sed 's/^/    /'
    fi
}

# check_loss MODE HOW RANKS WHO: the last rank, a worker, or rank 0, WASAP's server, is stopped or killed after a second;
# within ten more the job is over, for a reason that is told, and what was saved can be loaded.
check_loss()
{
    rm -f "$work/checkpoint"
    began=$(date +%s)
    status=0
    start "$3" "$tests" lose "$1" "$2" "$work/checkpoint" "$4" >"$work/log" 2>&1 || status=$?
    seconds=$(($(date +%s) - began))
    text="$name, mode $1: a $4 that $2s ends the job in $seconds s, told why"
    if [ "$status" -ne 0 ] && [ "$status" -ne 124 ] && [ "$seconds" -le 13 ] &&
        grep -Eqi 'lost after .*silent|signal|killed|terminat' "$work/log"; then
        ok "$text"
    else
        not_ok "$text (status $status)"
        tail -n 20 "$work/log" | sed 's/^/    /'
    fi
    if start 1 "$tests" load "$work/checkpoint" >"$work/log" 2>&1; then
        ok "$name, mode $1: the last checkpoint is usable after a $4 $2s"
    else
        not_ok "$name, mode $1: the last checkpoint after a $4 $2s"
    fi
}

# The example on two ranks, or three with a server, and its last line.
check_example()
{
    if [ ! -x "$example" ]; then
        echo "skip $name: train_mpi was not built"
        return
    fi
    for mode in wasap wassp replicas; do
        if start 3 "$example" --mode $mode --data examples/data --epochs 12 --quiet >"$work/log" 2>&1 &&
            tail -n 1 "$work/log" | grep -q "^result test_accuracy=0\.[5-9].* mode=$mode .*bytes_per_exchange="; then
            ok "$name: train_mpi --mode $mode learns"
        else
            not_ok "$name: train_mpi --mode $mode"
            tail -n 5 "$work/log" | sed 's/^/    /'
        fi
    done
    if start 2 "$example" --mode wassp --batch 0 >"$work/log" 2>&1 || ! grep -q -- '--batch' "$work/log"; then
        not_ok "$name: train_mpi refuses a bad option"
    else
        ok "$name: train_mpi refuses a bad option"
    fi
}

# check_mpi NAME MPICC MPIEXEC
check_mpi()
{
    name=$1
    launch=$3
    if "$3" --version 2>&1 | grep -q 'Open MPI\|OpenRTE'; then
        launch="$3 --oversubscribe"
        [ "$(id -u)" -ne 0 ] || launch="$launch --allow-run-as-root"
    fi
    folder=$BUILD/mpi-$1
    if ! $MAKE --no-print-directory BUILD="$BUILD" CC="$CC" CFLAGS="$CFLAGS" MPICC="$2" MPI_BUILD="$folder" mpi-tests; then
        not_ok "$1: the build"
        return
    fi
    tests=$folder/tests/ranks
    example=$folder/train_mpi
    for ranks in $MPI_RANKS; do
        check_claims "$ranks"
    done
    for mode in 0 1 2; do
        check_loss $mode stop 3 worker
        check_loss $mode kill 3 worker
    done
    check_loss 0 stop 3 server
    check_loss 0 pause 3 server
    check_loss 0 kill 3 server
    check_example
}

found=0
for kind in openmpi mpich; do
    if command -v mpicc.$kind >/dev/null 2>&1 && command -v mpiexec.$kind >/dev/null 2>&1; then
        check_mpi $kind mpicc.$kind mpiexec.$kind
        found=1
    else
        echo "skip $kind: not installed"
    fi
done
if [ $found -eq 0 ] && command -v mpicc >/dev/null 2>&1 && command -v mpiexec >/dev/null 2>&1; then
    check_mpi default mpicc mpiexec
    found=1
fi
if [ $found -eq 0 ]; then
    echo "check-mpi: no MPI here: make deps-mpi" >&2
    exit 1
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
