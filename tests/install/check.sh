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

# make_project FOLDER: a CMake project of two clients; a version that is not there must not be found.
make_project()
{
    mkdir -p "$1"
    cp tests/install/client.c "$1"
    cat >"$1/CMakeLists.txt" <<END
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
}

# cmake_build SOURCE BUILD OPTION...: both clients build, run, and have the library that they name.
cmake_build()
{
    source=$1
    built=$2
    shift 2
    cmake -S "$source" -B "$built" -DCMAKE_C_COMPILER="${CC##* }" -DCMAKE_C_FLAGS="$CFLAGS" "$@" &&
        cmake --build "$built" && "$built/shared_client" && "$built/static_client" &&
        ! readelf -d "$built/static_client" | grep 'NEEDED.*libtsnn'
}

# A package of its own, installed without DESTDIR.
cmake_clients()
{
    home=$(pwd)/$BUILD/tests/cmake
    case $BUILD in /*) home=$BUILD/tests/cmake ;; esac
    rm -rf "$home"
    $MAKE --no-print-directory -s install prefix="$home/usr" exec_prefix="$home/usr" libdir="$home/usr/lib" \
        includedir="$home/usr/include" pkgconfigdir="$home/usr/lib/pkgconfig" cmakedir="$home/usr/lib/cmake/sparse-nn" \
        mandir="$home/usr/share/man" DESTDIR= || return 1
    make_project "$home/source"
    cmake_build "$home/source" "$home/build" -DCMAKE_PREFIX_PATH="$home/usr"
}

# What was installed for /usr/local lies elsewhere by now: in the root of a cross build, or where somebody unpacked it.
move_away()
{
    moved=$(cd "$BUILD/tests" && pwd)/moved
    rm -rf "$moved"
    cp -R "$stage" "$moved"
}

moved_package()
{
    move_away && $CC $CFLAGS tests/install/client.c -o "$moved/client" \
        $(PKG_CONFIG_PATH=$moved$prefix/lib/pkgconfig $PKG_CONFIG --define-prefix --cflags --libs sparse-nn) &&
        LD_LIBRARY_PATH=$moved$prefix/lib "$moved/client"
}

moved_cmake_clients()
{
    move_away && make_project "$moved/source" &&
        cmake_build "$moved/source" "$moved/build" -DCMAKE_FIND_ROOT_PATH="$moved" &&
        cmake_build "$moved/source" "$moved/built" -DCMAKE_PREFIX_PATH="$moved$prefix"
}

# Folders outside the prefix keep their full names, here and there.
other_folders()
{
    other=$(cd "$BUILD/tests" && pwd)/other
    rm -rf "$other"
    $MAKE --no-print-directory -s install DESTDIR= prefix="$other/usr" exec_prefix="$other/usr/machine" libdir="$other/lib" \
        includedir="$other/usr/include/deep" pkgconfigdir="$other/pc" cmakedir="$other/cmake/sparse-nn" \
        mandir="$other/usr/share/man" &&
        $CC $CFLAGS tests/install/client.c -o "$other/client" \
            $(PKG_CONFIG_PATH=$other/pc $PKG_CONFIG --cflags --libs sparse-nn) &&
        LD_LIBRARY_PATH=$other/lib "$other/client" || return 1
    if command -v cmake >/dev/null 2>&1; then
        make_project "$other/source" && cmake_build "$other/source" "$other/build" -DCMAKE_PREFIX_PATH="$other/cmake" ||
            return 1
    fi
    rm -rf "$other"
}

# Of the archive and of the shared library, which serve as before.
stripped_clients()
{
    readelf -S "$lib/libtsnn.so.$SOVERSION" "$lib/libtsnn.a" | grep 'debug_info'
    make_here install-strip && ! readelf -S "$lib/libtsnn.so.$SOVERSION" "$lib/libtsnn.a" | grep 'debug_' &&
        shared_client && static_client
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
    claim "a client builds with pkg-config --define-prefix where the installed folders were moved to" moved_package
    claim "install-strip leaves no debugging information, and clients build as before" stripped_clients
    claim "folders outside the prefix are found by pkg-config and CMake" other_folders
else
    echo "skip clients through pkg-config: no $PKG_CONFIG"
fi
if command -v cmake >/dev/null 2>&1; then
    claim "find_package(sparse-nn) gives both libraries, and no version that is not there" cmake_clients
    claim "find_package(sparse-nn) finds what was moved, also in the root of a cross build" moved_cmake_clients
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
rm -rf "$stage" "${moved:-$stage}"
exit $failed
