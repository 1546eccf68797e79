#!/bin/sh
# The unit tests in one process under valgrind: no invalid access, no use of what was never set, no lost memory.
# SUITES="core sparse" picks suites; none named: all.
set -u
: "${BUILD:=build}" "${SUITES:=}"
if ! command -v valgrind >/dev/null 2>&1; then
    echo "valgrind: skipped, not installed (make deps-dev)"
    exit 0
fi
# Idle OpenMP threads sleep: valgrind runs one thread at a time, and waiting in a loop would eat the turns of the others.
export CK_FORK=no OMP_WAIT_POLICY=passive
unset TSNN_CHECK_ALL
# What an OpenMP runtime keeps until the end of the process is reachable or possibly lost, and no leak.
set -- valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect \
    --errors-for-leak-kinds=definite,indirect "$BUILD/tests/unit"
[ -n "$SUITES" ] || exec "$@"
for suite in $SUITES; do
    CK_RUN_SUITE=$suite "$@" || exit 1
done
