#!/bin/sh
# libtsnn-mpi shows the functions and structs that tests/abi lists and no others; its archive shows no name without a
# prefix. Set by run.sh: MPI_BUILD, MPI_COMPILER.
set -u
: "${MPI_BUILD:=build/mpi}" "${MPI_COMPILER:=mpicc}" "${SOVERSION:=0}"
LC_ALL=C
export LC_ALL
shared=$MPI_BUILD/libtsnn-mpi.so.$SOVERSION
work=$MPI_BUILD/tests/abi
mkdir -p "$work"
. tests/claims.sh

sh tests/abi/list.sh "$shared" >"$work/exported" || exit 1
[ -s "$work/exported" ] || { echo "not ok $shared exports something"; exit 1; }
diff tests/abi/libtsnn-mpi.symbols "$work/exported" >"$work/differences"
verdict "libtsnn-mpi exports what is listed" "$work/differences" "make MPI=1 update-abi, if it is meant"
sed -n 's/^TSNN_API.*[ *]\(tsnn_[a-z0-9_]*\)(.*/\1/p' include/tsnn-mpi.h | sort -u >"$work/declared"
diff "$work/declared" "$work/exported" >"$work/differences"
verdict "libtsnn-mpi exports what its header declares" "$work/differences" "they must be the same"
readelf -d "$shared" | grep -q "SONAME.*\[libtsnn-mpi.so.$SOVERSION\]" || echo "$shared" >"$work/unnamed"
verdict "libtsnn-mpi has its soname" "$work/unnamed" "it must be libtsnn-mpi.so.$SOVERSION"
rm -f "$work/unnamed"
nm -g --defined-only "$MPI_BUILD/libtsnn-mpi.a" 2>/dev/null |
    awk 'NF == 3 && $3 !~ /^(tsnn|tsnni)_mpi_/ { print $3 }' >"$work/unprefixed"
verdict "every symbol of libtsnn-mpi.a begins with tsnn_mpi_ or tsnni_mpi_" "$work/unprefixed" "these may clash"
CC=$MPI_COMPILER UMBRELLA=tsnn-mpi.h sh tests/abi/layout.sh "$work" include/tsnn-mpi.h >"$work/layout.now" || exit 1
diff tests/abi/libtsnn-mpi.layout "$work/layout.now" >"$work/moved"
verdict "the public structs of libtsnn-mpi are as listed" "$work/moved" \
    "structs only grow, at their end; then make MPI=1 update-abi"
exit $failed
