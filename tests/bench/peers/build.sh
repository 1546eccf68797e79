#!/bin/sh
# Compiles libtsnn and each peer that is installed into shared objects behind peer.h, in $BUILD/peers. What cannot be
# compiled is left out; the driver then says so, with the compiler's first error.
#   build.sh            everything
#   build.sh ours       libtsnn only
set -u
: "${BUILD:=build}" "${CC:=cc}" "${CXX:=c++}" "${OPENMP_FLAGS:=}" "${PKG_CONFIG:=pkg-config}"
here=tests/bench/peers
out=$BUILD/peers
mkdir -p "$out"

# The peers get the flags that are best for them: this machine's instruction set, and -O3.
fast="-O3 -march=native -Wall -Wextra -fPIC -shared -fvisibility=hidden -I$here"

# compile NAME SOURCE COMMAND...: builds NAME.so, unless it is newer than its sources; the compiler's words go to NAME.log.
compile()
{
    name=$1
    source=$2
    shift 2
    object=$out/$name.so
    [ -n "$(find "$object" -newer "$source" -newer $here/peer.h -newer $here/build.sh 2>/dev/null)" ] &&
        [ "$name" != ours ] && return 0
    rm -f "$object"
    "$@" -o "$object" >"$out/$name.log" 2>&1 || rm -f "$object"
}

# shellcheck disable=SC2086 # flags are lists of words
{
    compile ours $here/ours.c $CC -std=c11 -O2 -Wall -Wextra -fPIC -shared -fvisibility=hidden -ffp-contract=off \
        -Iinclude -Ilib -I$here $here/ours.c "$BUILD/libtsnn.a" $OPENMP_FLAGS -lm
    if [ "${1:-all}" != ours ]; then
        compile eigen $here/peer_eigen.cpp $CXX -std=c++17 $fast -DNDEBUG $(
            { $PKG_CONFIG --cflags eigen3 2>/dev/null || echo -I/usr/include/eigen3; } | sed 's/-I/-isystem /g'
        ) $here/peer_eigen.cpp
        compile graphblas $here/peer_graphblas.c $CC -std=c11 $fast $here/peer_graphblas.c -lgraphblas
        compile librsb $here/peer_librsb.c $CC -std=gnu11 $fast $here/peer_librsb.c -lrsb
        compile openblas $here/peer_openblas.c $CC -std=c11 $fast -fno-math-errno -fno-trapping-math $(
            $PKG_CONFIG --cflags openblas 2>/dev/null
        ) $here/peer_openblas.c -lopenblas -lm
    fi
}
[ -e "$out/ours.so" ] || { cat "$out/ours.log" >&2; exit 1; }
