#!/bin/sh
# Installs into an empty folder, builds a client through pkg-config against both libraries, uninstalls, and looks for leftovers.
set -u
: "${BUILD:=build}" "${CC:=cc}" "${MAKE:=make}" "${PKG_CONFIG:=pkg-config}" "${CFLAGS:=}" "${SOVERSION:=0}"
stage=$BUILD/tests/install
prefix=/usr/local
lib=$stage$prefix/lib
log=$BUILD/tests/install.log
failed=0
rm -rf "$stage"
mkdir -p "$stage"

# claim TEXT COMMAND...: the claim holds when the command succeeds.
claim()
{
    text=$1
    shift
    if "$@" >"$log" 2>&1; then
        echo "ok $text"
    else
        echo "not ok $text"
        sed 's/^/    /' "$log"
        failed=1
    fi
}

make_here()
{
    $MAKE --no-print-directory -s "$1" DESTDIR="$stage" prefix=$prefix exec_prefix=$prefix libdir=$prefix/lib \
        includedir=$prefix/include pkgconfigdir=$prefix/lib/pkgconfig
}

package()
{
    PKG_CONFIG_SYSROOT_DIR=$stage PKG_CONFIG_PATH=$lib/pkgconfig $PKG_CONFIG "$@" sparse-nn
}

shared_client()
{
    $CC $CFLAGS tests/install/client.c -o "$stage/client" $(package --cflags --libs) &&
        LD_LIBRARY_PATH=$lib "$stage/client" &&
        readelf -d "$stage/client" | grep -q "NEEDED.*libtsnn.so.$SOVERSION"
}

# With the link to the shared library out of the way, -ltsnn is the archive.
static_client()
{
    mv "$lib/libtsnn.so" "$stage/aside" &&
        $CC $CFLAGS tests/install/client.c -o "$stage/client" $(package --cflags --libs --static) &&
        mv "$stage/aside" "$lib/libtsnn.so" &&
        "$stage/client" &&
        ! readelf -d "$stage/client" | grep 'NEEDED.*libtsnn'
}

version_agrees()
{
    [ "libtsnn $(package --modversion)" = "$(LD_LIBRARY_PATH=$lib "$stage/client")" ]
}

soname_is_there()
{
    readelf -d "$lib/libtsnn.so" | grep "SONAME.*libtsnn.so.$SOVERSION" && [ -e "$lib/libtsnn.so.$SOVERSION" ]
}

nothing_is_left()
{
    rm -f "$stage/client"
    find "$stage" "(" ! -type d -o -name tsnn ")" -print >"$BUILD/tests/leftovers"
    cat "$BUILD/tests/leftovers"
    [ ! -s "$BUILD/tests/leftovers" ]
}

claim "install into DESTDIR" make_here install
claim "the shared library has its soname" soname_is_there
if command -v "$PKG_CONFIG" >/dev/null 2>&1; then
    claim "a client builds with pkg-config and the shared library" shared_client
    claim "a client builds with pkg-config --static and the archive" static_client
    claim "pkg-config and the library agree on the version" version_agrees
else
    echo "skip clients through pkg-config: no $PKG_CONFIG"
fi
claim "uninstall from DESTDIR" make_here uninstall
claim "uninstall leaves nothing" nothing_is_left
rm -rf "$stage"
exit $failed
