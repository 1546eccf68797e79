#!/bin/sh
# Compiles the peers that are installed and prints the table. Arguments go to bench.py; $PYTHON runs it.
set -u
: "${BUILD:=build}" "${PYTHON:=python3}"
sh tests/bench/peers/build.sh || exit 1
if ! command -v "$PYTHON" >/dev/null 2>&1; then
    echo "bench-peers: nothing can be measured without Python; make deps-peers installs what is wanted"
    exit 0
fi
exec env PYTHONPYCACHEPREFIX="$BUILD/peers/pycache" "$PYTHON" tests/bench/peers/bench.py --build "$BUILD/peers" "$@"
