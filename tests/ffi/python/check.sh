#!/bin/sh
# Whether the Python example calls the library rightly: structs, memory, callbacks, errors, and scikit-learn's own checks.
# Needs Python and NumPy; what needs scikit-learn is skipped by name without it. Called by tests/run.sh.
set -u
: "${BUILD:=build}" "${PYTHON:=python3}" "${SOVERSION:=0}"
if ! "$PYTHON" -c 'import numpy' >/dev/null 2>&1; then
    echo "skip ffi/python: $PYTHON has no NumPy (make deps)"
    exit 0
fi
exec env TSNN_LIBRARY="$BUILD/libtsnn.so.$SOVERSION" PYTHONPATH=examples/ffi/python PYTHONPYCACHEPREFIX="$BUILD/tests/pycache" \
    "$PYTHON" tests/ffi/python/run.py
