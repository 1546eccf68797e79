#!/bin/sh
# Runs groups of the tests of libtsnn-mpi under every MPI that is installed. Called by the Makefile:
#   run.sh install symbols claims programs memory stress losses example
# MPI_RANKS: how many ranks there are in `claims`, one after another; as many as there are processors or more.
# MPI_KINDS: which MPIs. TSNN_CHECK_ALL=1: the long variants. MPI_SANITIZED=1: the build has sanitizers.
# One line a check: "ok ...", "not ok ..." or "skip ..."; ends with "N passed, M failed".
set -u
: "${BUILD:=build}" "${CC:=cc}" "${CFLAGS:=-O2 -g}" "${MAKE:=make}" "${PKG_CONFIG:=pkg-config}" "${SOVERSION:=0}"
: "${MPI_RANKS:=1 2 3 4 5 6 7 8}" "${MPI_KINDS:=openmpi mpich}" "${MPI_SANITIZED:=0}" "${TSNN_CHECK_ALL:=0}"
export BUILD CC CFLAGS MAKE PKG_CONFIG SOVERSION TSNN_CHECK_ALL
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

# Seconds that a run may take; the long variants and sanitizers take their time.
limit=150
[ "$TSNN_CHECK_ALL" != 1 ] || limit=1500
if [ "$MPI_SANITIZED" = 1 ]; then
    limit=$((4 * limit))
    # Errors end the program; leaks are looked through afterwards.
    ASAN_OPTIONS="detect_leaks=1:log_path=$work/asan:${ASAN_OPTIONS:-}"
    LSAN_OPTIONS="exitcode=0:${LSAN_OPTIONS:-}"
    UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}"
    export ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS
fi

# start RANKS PROGRAM...: by the mpiexec of the MPI at hand.
start()
{
    count=$1
    shift
    rm -f "$work"/asan.*
    limited $limit $launch -n "$count" "$@"
}

# Ours among the leaks of the last start.
check_leaks()
{
    [ "$MPI_SANITIZED" = 1 ] || return 0
    cat "$work"/asan.* >"$work/reports" 2>/dev/null
    sh tests/mpi/leaks.sh "$work/reports" >"$work/leaks"
    if [ -s "$work/leaks" ] || grep -q 'ERROR: AddressSanitizer\|runtime error' "$work/reports"; then
        not_ok "$1: no error of memory, and no leak of ours"
        { cat "$work/leaks"; grep -A 30 'ERROR: AddressSanitizer' "$work/reports"; } | head -n 60 | sed 's/^/    /'
    else
        ok "$1: no error of memory, and no leak of ours"
    fi
}

# claims NAME RANKS PROGRAM...: the program's own lines are the checks; an end without any is one failure.
claims()
{
    what="$name, $1"
    shift
    status=0
    start "$@" >"$work/log" 2>&1 || status=$?
    good=$(grep -c '^ok ' "$work/log")
    bad=$(grep -c '^not ok ' "$work/log")
    passed=$((passed + good))
    failed=$((failed + bad))
    echo "$what: $good claims hold"
    grep '^not ok ' "$work/log"
    grep '^ok .* sends [0-9]' "$work/log"
    if [ "$status" -ne 0 ] || [ "$good" -eq 0 ]; then
        [ "$bad" -gt 0 ] || not_ok "$what: ended with status $status"
        grep -v '^ok ' "$work/log" | tail -n 20 | sed 's/^/    /'
    fi
    check_leaks "$what"
}

# The last rank's program says it has another version of the library.
check_programs()
{
    claims "a rank of another version" 2 "$tests" version : -n 1 "${tests}_of_another_version" version
    claims "MPI without threads" 2 "$tests" single
}

# check_loss MODE HOW WHO: one of three ranks, the last, which is a worker, or rank 0, WASAP's server, is stopped or
# killed when there is a checkpoint. Ten seconds after a kill the job is over, for a reason that is told; what was saved
# can be gone on with. A fourth word, local: in phase 2, with a server that has no epoch of its own.
check_loss()
{
    rm -f "$work"/checkpoint*
    status=0
    start 3 "$tests" lose "$1" "$2" "$work/checkpoint" "$3" "${4:-}" >"$work/log" 2>&1 || status=$?
    seconds=$(($(date +%s) - $(date -r "$work/checkpoint.lost" +%s 2>/dev/null || echo 0)))
    case $1 in 0) word=WASAP${4:+, phase 2} ;; 1) word=WASSP ;; *) word=replicas ;; esac
    most=10
    # The others wait 8 seconds and four steps, and half a second for each other's lines; mpiexec takes its time with a
    # rank that is stopped.
    [ "$2" = kill ] || most=14
    text="$name, $word: a $3 that $2s ends the job in $seconds s, told why"
    reason='^lost: .* has been silent for'
    [ "$2" != kill ] || reason="$reason|signal|killed|terminat"
    if [ "$status" -ne 0 ] && [ "$status" -ne 124 ] && [ "$seconds" -le $most ] && grep -Eqi "$reason" "$work/log"; then
        ok "$text"
    else
        not_ok "$text (status $status)"
        tail -n 20 "$work/log" | sed 's/^/    /'
    fi
    claims "after a $3 $2s in $word" 3 "$tests" resume "$work/checkpoint"
}

check_losses()
{
    for mode in 0 1 2; do
        check_loss $mode stop worker
        check_loss $mode kill worker
    done
    for how in stop pause kill; do
        check_loss 0 $how server
    done
    check_loss 0 stop worker local
}

# The example on three ranks, and its last line.
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
        check_leaks "$name: train_mpi --mode $mode"
    done
    if start 2 "$example" --mode=wasap --in-flight=1 --timeout=5 --data=examples/data --epochs=1 --quiet \
        >"$work/log" 2>&1 && ! start 2 "$example" --mode=wasap --in-flight=9 >"$work/log" 2>&1 &&
        grep -q -- '--in-flight 9' "$work/log"; then
        ok "$name: train_mpi takes its options with = too"
    else
        not_ok "$name: train_mpi takes its options with = too"
    fi
    # One rank, which mpiexec does not stand between.
    "$example" --mode wassp --data examples/data --epochs 1000000 --quiet >"$work/log" 2>&1 &
    pid=$!
    sleep 2
    kill -INT $pid
    if wait $pid && tail -n 1 "$work/log" | grep -q '^result '; then
        ok "$name: train_mpi stops at Ctrl-C, and tells its result"
    else
        not_ok "$name: train_mpi at Ctrl-C"
        tail -n 5 "$work/log" | sed 's/^/    /'
    fi
    if start 2 "$example" --mode wassp --batch 0 >"$work/log" 2>&1 || ! grep -q -- '--batch' "$work/log"; then
        not_ok "$name: train_mpi refuses a bad option"
    else
        ok "$name: train_mpi refuses a bad option"
    fi
    if start 2 "$example" --mode wassp --data examples/data --epochs 1 --quiet --save "$work/no/where" \
        >"$work/log" 2>&1 || ! grep -q "$work/no/where" "$work/log"; then
        not_ok "$name: train_mpi says that it cannot save"
    else
        ok "$name: train_mpi says that it cannot save"
    fi
}

# A script of checks.
check_script()
{
    MPI_BUILD=$folder MPI_COMPILER=$compiler MPI_LAUNCH="$launch" sh "$1" >"$work/log" 2>&1
    status=$?
    sed "s/^\(ok\|not ok\|skip\) /\1 $name: /" "$work/log"
    bad=$(grep -c '^not ok ' "$work/log")
    [ "$status" -eq 0 ] || [ "$bad" -gt 0 ] || { echo "not ok $name: $1 ended with status $status"; bad=1; }
    passed=$((passed + $(grep -c '^ok ' "$work/log")))
    failed=$((failed + bad))
}

run_group()
{
    began=$(date +%s)
    case $1 in
    install | symbols) check_script tests/mpi/$1.sh ;;
    claims) for ranks in $MPI_RANKS; do claims "$ranks ranks" "$ranks" "$tests" training refusals failures; done ;;
    programs) check_programs ;;
    memory) for ranks in 1 3; do claims "refused memory on $ranks ranks" $ranks "$tests" memory; done ;;
    stress)
        runs=5
        [ "$TSNN_CHECK_ALL" != 1 ] || runs=50
        for ranks in 4 8; do claims "$runs runs of $ranks ranks" $ranks "$tests" stress $runs; done
        ;;
    losses) check_losses ;;
    example) check_example ;;
    *) echo "run.sh: no group called $1" >&2; exit 2 ;;
    esac
    echo "    $name, $1: $(($(date +%s) - began)) s"
}

# check_mpi NAME MPICC MPIEXEC GROUP...
check_mpi()
{
    name=$1
    compiler=$2
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
    shift 3
    for group in "$@"; do
        run_group "$group"
    done
}

[ $# -gt 0 ] || set -- install symbols claims programs memory stress losses example
found=0
for kind in $MPI_KINDS; do
    if command -v mpicc.$kind >/dev/null 2>&1 && command -v mpiexec.$kind >/dev/null 2>&1; then
        check_mpi $kind mpicc.$kind mpiexec.$kind "$@"
        found=1
    else
        echo "skip $kind: not installed"
    fi
done
if [ $found -eq 0 ] && command -v mpicc >/dev/null 2>&1 && command -v mpiexec >/dev/null 2>&1; then
    check_mpi default mpicc mpiexec "$@"
    found=1
fi
if [ $found -eq 0 ]; then
    echo "check-mpi: no MPI here: make deps-mpi" >&2
    exit 1
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
