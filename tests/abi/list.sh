#!/bin/sh
# Lists what a shared library exports, one name a line, sorted: list.sh LIBRARY
set -eu
nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | LC_ALL=C sort -u
