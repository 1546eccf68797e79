#!/bin/sh
# Whether the comparison with peers finds wrong results out. Needs Python and NumPy, but no peer. Called by tests/run.sh.
set -u
: "${BUILD:=build}" "${PYTHON:=python3}"
if ! "$PYTHON" -c 'import numpy' >/dev/null 2>&1; then
    echo "skip peers: $PYTHON has no NumPy"
    exit 0
fi
sh tests/bench/peers/build.sh ours || { echo "not ok peers: libtsnn behind the peers' interface"; exit 1; }
exec env PYTHONPYCACHEPREFIX="$BUILD/peers/pycache" "$PYTHON" tests/bench/peers/bench.py --build "$BUILD/peers" --selftest
