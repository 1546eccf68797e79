#!/bin/sh
# Installs what bench-peers compares with: Debian's packages, then PyTorch and MKL from PyPI into $BUILD/peers/venv, which
# sees Debian's SciPy too. What cannot be had is only a line in the table, so this never fails.
#   PEERS_PIP        what to install (torch mkl)
#   PEERS_PIP_FLAGS  flags for pip; the PyTorch that PyPI has for Linux brings its libraries for GPUs, some 6 GB in all
set -u
: "${BUILD:=build}" "${PEERS_PIP:=torch mkl}" "${PEERS_PIP_FLAGS:=}"
sh .ci/deps peers

environment=$BUILD/peers/venv
python=/usr/bin/python3
[ -x $python ] || python=python3
mkdir -p "$BUILD/peers"
if ! [ -x "$environment/bin/python" ] && ! $python -m venv --system-site-packages "$environment"; then
    echo "deps: warning: no Python environment; PyTorch and MKL will be missing in the table" >&2
    exit 0
fi
for package in $PEERS_PIP; do
    # shellcheck disable=SC2086 # a list of flags
    "$environment/bin/python" -m pip install --quiet $PEERS_PIP_FLAGS "$package" ||
        echo "deps: warning: no $package; it will be missing in the table" >&2
done
exit 0
