#!/bin/sh
# Installs libtsnn with libtsnn-mpi into an empty folder, builds a client through pkg-config against the shared libraries
# and the archives, runs it on two ranks, uninstalls, and looks for leftovers. Set by run.sh: MPI_BUILD, MPI_COMPILER,
# MPI_LAUNCH.
set -u
: "${BUILD:=build}" "${CC:=cc}" "${CFLAGS:=}" "${MAKE:=make}" "${PKG_CONFIG:=pkg-config}" "${SOVERSION:=0}"
: "${MPI_BUILD:=$BUILD/mpi}" "${MPI_COMPILER:=mpicc}" "${MPI_LAUNCH:=mpiexec}"
OMPI_CC=$CC
MPICH_CC=$CC
export OMPI_CC MPICH_CC
mkdir -p "$MPI_BUILD/tests"
stage=$(cd "$MPI_BUILD/tests" && pwd)/install || exit 1
prefix=/usr/local
lib=$stage$prefix/lib
log=$stage.log
. tests/claims.sh
rm -rf "$stage"
mkdir -p "$stage"

make_here()
{
    goal=$1
    shift
    $MAKE --no-print-directory -s "$goal" MPI=1 BUILD="$BUILD" CC="$CC" CFLAGS="$CFLAGS" MPICC="$MPI_COMPILER" \
        MPI_BUILD="$MPI_BUILD" DESTDIR="$stage" prefix=$prefix exec_prefix=$prefix libdir=$prefix/lib \
        includedir=$prefix/include pkgconfigdir=$prefix/lib/pkgconfig cmakedir=$prefix/lib/cmake/sparse-nn \
        mandir=$prefix/share/man "$@"
}

package()
{
    PKG_CONFIG_SYSROOT_DIR=$stage PKG_CONFIG_PATH=$lib/pkgconfig $PKG_CONFIG "$@" sparse-nn-mpi
}

# build_client PACKAGE-OPTION...
build_client()
{
    $MPI_COMPILER $CFLAGS tests/mpi/client.c -o "$stage/client" $(package --cflags --libs "$@")
}

run_client()
{
    LD_LIBRARY_PATH=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} $MPI_LAUNCH -n 2 "$stage/client" >"$stage.told" &&
        [ "libtsnn $(package --modversion)" = "$(grep '^libtsnn ' "$stage.told")" ]
}

shared_client()
{
    build_client && run_client && readelf -d "$stage/client" | grep -q "NEEDED.*libtsnn-mpi.so.$SOVERSION" &&
        readelf -d "$stage/client" | grep -q "NEEDED.*libtsnn.so.$SOVERSION"
}

# With the links to the shared libraries out of the way, -ltsnn-mpi and -ltsnn are the archives.
static_client()
{
    rm "$lib/libtsnn.so" "$lib/libtsnn-mpi.so" && build_client --static && run_client &&
        ! readelf -d "$stage/client" | grep 'NEEDED.*libtsnn'
}

nothing_is_left()
{
    rm -f "$stage/client"
    find "$stage" "(" ! -type d -o -name tsnn -o -name sparse-nn ")" -print >"$stage.leftovers"
    cat "$stage.leftovers"
    [ ! -s "$stage.leftovers" ]
}

claim "install with libtsnn-mpi into DESTDIR" make_here install
if command -v "$PKG_CONFIG" >/dev/null 2>&1; then
    claim "a client on two ranks builds with pkg-config sparse-nn-mpi and the shared libraries" shared_client
    claim "a client on two ranks builds with pkg-config --static and the archives" static_client
else
    echo "skip clients through pkg-config: no $PKG_CONFIG"
fi
claim "uninstall with libtsnn-mpi from DESTDIR" make_here uninstall
claim "uninstall leaves nothing of libtsnn-mpi" nothing_is_left
rm -rf "$stage"
exit $failed
