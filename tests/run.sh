#!/bin/sh
# Runs groups of tests, all of them even when one fails, and ends with "K skipped" and "N passed, M failed". Called by the Makefile:
#   run.sh headers plain symbols install inference export_c bench peers ffi fuzz examples unit
# A check script prints one line a check: "ok ...", "not ok ..." or "skip ...", and indented lines of detail.
set -u
: "${BUILD:=build}" "${CC:=cc}" "${CFLAGS:=}" "${MAKE:=make}" "${PKG_CONFIG:=pkg-config}" "${SOVERSION:=0}"
export BUILD CC CFLAGS MAKE PKG_CONFIG SOVERSION

# A busy machine may hold a test up for long; a test that hangs is found all the same.
: "${CK_DEFAULT_TIMEOUT:=60}"
export CK_DEFAULT_TIMEOUT

passed=0
failed=0
skipped=0
log=$BUILD/tests/log
mkdir -p "$BUILD/tests"

# A line that begins with "skip " is something that was not checked.
count_skipped()
{
    skipped=$((skipped + $(grep -c '^skip ' "$log")))
}

# Adds the lines of a check script to the totals; a script that fails without saying so is one failure.
run_checks()
{
    status=0
    sh "$1" >"$log" 2>&1 || status=$?
    cat "$log"
    good=$(grep -c '^ok ' "$log")
    bad=$(grep -c '^not ok ' "$log")
    [ "$status" -eq 0 ] || [ "$bad" -gt 0 ] || { echo "not ok $1 ended with status $status"; bad=1; }
    passed=$((passed + good))
    failed=$((failed + bad))
    count_skipped
}

# One program or script is one check; its output is shown when it fails, and what it skipped always.
run_program()
{
    if "$2" >"$log" 2>&1; then
        echo "ok $1"
        grep '^skip ' "$log"
        count_skipped
        passed=$((passed + 1))
    else
        echo "not ok $1 (status $?)"
        tail -n 40 "$log" | sed 's/^/    /'
        failed=$((failed + 1))
    fi
}

run_examples()
{
    for script in tests/examples/*.sh; do
        if [ -x "$script" ]; then
            run_program "$script" "./$script"
        fi
    done
    for source in tests/examples/*.c; do
        if [ -e "$source" ]; then
            name=$(basename "$source" .c)
            run_program "$source" "$BUILD/tests/examples/$name"
        fi
    done
}

# Check's own summary: "100%: Checks: 210, Failures: 0, Errors: 0". Output appears as it comes; the status goes by a file.
run_unit()
{
    rm -f "$log.status"
    { "$BUILD/tests/unit" 2>&1; echo $? >"$log.status"; } | tee "$log"
    set -- $(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$/\1 \2 \3/p' "$log" | tail -n 1)
    if [ $# -eq 3 ]; then
        passed=$((passed + $1 - $2 - $3))
        failed=$((failed + $2 + $3))
        [ "$(cat "$log.status")" -eq 0 ] || [ $(($2 + $3)) -gt 0 ] || failed=$((failed + 1))
    else
        echo "not ok unit tests ended with status $(cat "$log.status") and no summary"
        failed=$((failed + 1))
    fi
}

for group in "$@"; do
    case $group in
    headers)
        run_checks tests/headers/check.sh
        run_checks tests/headers/guide.sh
        ;;
    plain) run_program "build by hand with cc" "$BUILD/tests/plain" ;;
    symbols) run_checks tests/abi/check.sh; run_checks tests/abi/first/check.sh ;;
    install) run_checks tests/install/check.sh ;;
    export_c) run_checks tests/export_c/check.sh ;;
    bench) run_checks tests/bench/check.sh ;;
    peers) run_checks tests/bench/peers/check.sh ;;
    inference) run_checks tests/inference/check.sh ;;
    ffi) for script in tests/ffi/*/check.sh; do run_checks "$script"; done ;;
    fuzz) run_checks tests/fuzz/check.sh ;;
    examples) run_examples ;;
    unit) run_unit ;;
    *) echo "run.sh: no group called $group" >&2; exit 2 ;;
    esac
done

if [ "$passed" -eq 0 ] && [ "$failed" -eq 0 ]; then
    echo "run.sh: nothing was run" >&2
    exit 1
fi
echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
