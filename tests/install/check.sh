#!/bin/sh
# Installs into an empty folder, builds a client through pkg-config against both libraries, uninstalls, and looks for leftovers.
set -u
: "${BUILD:=build}" "${CC:=cc}" "${MAKE:=make}" "${PKG_CONFIG:=pkg-config}" "${CFLAGS:=}" "${SOVERSION:=0}"
stage=$BUILD/tests/install
prefix=/usr/local
lib=$stage$prefix/lib
log=$BUILD/tests/install.log
. tests/claims.sh
rm -rf "$stage"
mkdir -p "$stage"

make_here()
{
    $MAKE --no-print-directory -s "$1" DESTDIR="$stage" prefix=$prefix exec_prefix=$prefix libdir=$prefix/lib \
        includedir=$prefix/include pkgconfigdir=$prefix/lib/pkgconfig cmakedir=$prefix/lib/cmake/sparse-nn \
        mandir=$prefix/share/man
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

# The program of README that predicts: it builds, and says 1 where there is no model file.
readme_client()
{
    sed -n '/^```c$/,/^```$/p' README.md | awk '/^```c$/ { text = ""; next } /^```$/ { if (text ~ /int main/) print text; next }
        { text = text $0 "\n" }' >"$stage/readme.c"
    grep -q 'tsnn_predictor_classify' "$stage/readme.c" &&
        $CC $CFLAGS "$stage/readme.c" -o "$stage/readme" $(package --cflags --libs) || return 1
    status=0
    (libraries=$(cd "$lib" && pwd) && cd "$stage" && LD_LIBRARY_PATH=$libraries ./readme) || status=$?
    rm -f "$stage/readme" "$stage/readme.c"
    [ "$status" -eq 1 ]
}

version_agrees()
{
    [ "libtsnn $(package --modversion)" = "$(LD_LIBRARY_PATH=$lib "$stage/client")" ]
}

soname_is_there()
{
    readelf -d "$lib/libtsnn.so" | grep "SONAME.*libtsnn.so.$SOVERSION" && [ -e "$lib/libtsnn.so.$SOVERSION" ]
}

# A package of its own, installed without DESTDIR, because CMake files name absolute folders; with both libraries, and
# refused when a newer version is asked for.
cmake_clients()
{
    home=$(pwd)/$BUILD/tests/cmake
    case $BUILD in /*) home=$BUILD/tests/cmake ;; esac
    rm -rf "$home"
    mkdir -p "$home/source"
    $MAKE --no-print-directory -s install prefix="$home/usr" exec_prefix="$home/usr" libdir="$home/usr/lib" \
        includedir="$home/usr/include" pkgconfigdir="$home/usr/lib/pkgconfig" cmakedir="$home/usr/lib/cmake/sparse-nn" \
        mandir="$home/usr/share/man" DESTDIR= || return 1
    cp tests/install/client.c "$home/source"
    cat >"$home/source/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.16)
project(client C)
find_package(sparse-nn 0.1 REQUIRED)
find_package(sparse-nn 99.0 QUIET)
if(sparse-nn_FOUND)
  message(FATAL_ERROR "a version that is not there was found")
endif()
find_package(sparse-nn 0.1 REQUIRED)
add_executable(shared_client client.c)
target_link_libraries(shared_client sparse-nn::tsnn)
add_executable(static_client client.c)
target_link_libraries(static_client sparse-nn::tsnn_static)
END
    cmake -S "$home/source" -B "$home/build" -DCMAKE_PREFIX_PATH="$home/usr" -DCMAKE_C_COMPILER="${CC##* }" \
        -DCMAKE_C_FLAGS="$CFLAGS" && cmake --build "$home/build" && "$home/build/shared_client" && "$home/build/static_client" &&
        ! readelf -d "$home/build/static_client" | grep 'NEEDED.*libtsnn'
}

man_page_is_clean()
{
    man --warnings -E UTF-8 -l -Tutf8 -Z "$stage$prefix/share/man/man3/libtsnn.3" 2>"$BUILD/tests/man.log" >/dev/null
    ! grep . "$BUILD/tests/man.log"
}

nothing_is_left()
{
    rm -f "$stage/client"
    find "$stage" "(" ! -type d -o -name tsnn -o -name sparse-nn ")" -print >"$BUILD/tests/leftovers"
    cat "$BUILD/tests/leftovers"
    [ ! -s "$BUILD/tests/leftovers" ]
}

claim "install into DESTDIR" make_here install
claim "the shared library has its soname" soname_is_there
if command -v "$PKG_CONFIG" >/dev/null 2>&1; then
    claim "a client builds with pkg-config and the shared library" shared_client
    claim "a client builds with pkg-config --static and the archive" static_client
    claim "pkg-config and the library agree on the version" version_agrees
    claim "the program of README builds and runs" readme_client
else
    echo "skip clients through pkg-config: no $PKG_CONFIG"
fi
if command -v cmake >/dev/null 2>&1; then
    claim "find_package(sparse-nn) gives both libraries, and no version that is not there" cmake_clients
else
    echo "skip find_package: no cmake"
fi
if command -v man >/dev/null 2>&1 && command -v groff >/dev/null 2>&1; then
    claim "the man page has no warnings" man_page_is_clean
else
    echo "skip the man page: no man"
fi
claim "uninstall from DESTDIR" make_here uninstall
claim "uninstall leaves nothing" nothing_is_left
rm -rf "$stage"
exit $failed
