#!/bin/sh
# Whether the C++ example wraps the library rightly, as g++ and clang++ compile it for C++17 and C++20, warnings being errors.
# Run are one build without sanitizers and one with; all four both ways with TSNN_CHECK_ALL=1. Called by tests/run.sh.
set -u
: "${BUILD:=build}" "${CC:=cc}" "${MAKE:=make}" "${PKG_CONFIG:=pkg-config}" "${TSNN_CHECK_ALL:=0}"
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
work=$BUILD/tests/ffi-cpp
strict="-Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion"
sanitizers="-fsanitize=address,undefined -fno-sanitize-recover=all"
folders="-Iinclude -Iexamples/ffi/cpp -Itests/ffi/cpp"
log=$work/log
about="ffi/cpp: "
. tests/claims.sh
rm -rf "$work"
mkdir -p "$work"

compilers=
for compiler in g++ clang++; do
    if command -v $compiler >/dev/null 2>&1; then
        compilers="$compilers $compiler"
    else
        echo "skip ffi/cpp with $compiler: not installed"
    fi
done
[ -n "$compilers" ] || exit 0

# All tests as one file, which reads the headers once.
for file in tests/ffi/cpp/*.cpp; do
    echo "#include \"$PWD/$file\""
done >"$work/all.cpp"

# Two programs that stand in the documents: the one in the README and moons.cpp.
awk '/^```cpp$/ { inside = 1; next } /^```$/ { inside = 0 } inside' examples/ffi/cpp/README.md >"$work/readme.cpp"

# build COMPILER STANDARD FLAGS...: the tests as $work/tests
build()
{
    compiler=$1
    standard=$2
    shift 2
    $compiler -std=$standard -g1 $strict $folders "$@" "$work/all.cpp" "$work/in_c.o" -L"$BUILD" -ltsnn \
        -Wl,-rpath,"$BUILD" -pthread -o "$work/tests"
}

# run PREFIX: the tests print their own lines.
run()
{
    mkdir -p "$work/files"
    status=0
    "$work/tests" "$1" "$work/files" >"$work/lines" 2>&1 || status=$?
    sed '/^ok \|^not ok /!s/^/    /' "$work/lines"
    if [ $status -ne 0 ] && ! grep -q '^not ok ' "$work/lines"; then
        echo "not ok $1 ended with status $status"
    fi
    [ $status -eq 0 ] || failed=1
}

sanitizers_work()
{
    echo 'int main() { return 0; }' | $1 $sanitizers -x c++ - -o "$work/probe" 2>/dev/null && "$work/probe"
}

claim "the course in C compiles" $CC -std=c11 -Iinclude -c tests/ffi/in_c.c -o "$work/in_c.o"

# One build is run as it is and another with sanitizers; the rest is only compiled.
plain=
checked=
for compiler in $compilers; do
    for standard in c++17 c++20; do
        name="$compiler -std=$standard"
        [ -n "$plain" ] || plain=$name
        case "$name" in
        *20) if sanitizers_work $compiler; then checked=$name; fi ;;
        esac
    done
done
[ -n "$checked" ] || echo "skip ffi/cpp with sanitizers: no compiler links with $sanitizers"
for compiler in $compilers; do
    for standard in c++17 c++20; do
        name="$compiler -std=$standard"
        runs=
        [ "$name" = "$plain" ] || [ "$TSNN_CHECK_ALL" = 1 ] && runs=plain
        [ "$name" = "$checked" ] || { [ "$TSNN_CHECK_ALL" = 1 ] && sanitizers_work $compiler; } && runs="$runs checked"
        claim "the example compiles with $name" \
            $compiler -std=$standard $strict $folders -fsyntax-only examples/ffi/cpp/moons.cpp
        [ -n "$runs" ] ||
            claim "the tests compile with $name" $compiler -std=$standard $strict $folders -fsyntax-only "$work/all.cpp"
        for kind in $runs; do
            case $kind in
            plain) claim "the tests build with $name" build $compiler $standard && run "ffi/cpp" ;;
            checked)
                claim "the tests build with $name and sanitizers" build $compiler $standard $sanitizers &&
                    run "ffi/cpp with sanitizers"
                ;;
            esac
        done
    done
done

# As a user would: an installed package, found by pkg-config.
stage=$work/stage
compiler=${compilers# }
compiler=${compiler%% *}

installed()
{
    $MAKE --no-print-directory -s install DESTDIR="$stage" prefix=/usr exec_prefix=/usr libdir=/usr/lib \
        includedir=/usr/include pkgconfigdir=/usr/lib/pkgconfig cmakedir=/usr/lib/cmake/sparse-nn mandir=/usr/share/man
}

package()
{
    PKG_CONFIG_SYSROOT_DIR=$stage PKG_CONFIG_PATH=$stage/usr/lib/pkgconfig $PKG_CONFIG "$@" sparse-nn
}

readme_runs()
{
    $compiler -std=c++17 $strict -Iexamples/ffi/cpp "$work/readme.cpp" $(package --cflags --libs) -o "$work/readme" &&
        (cd "$work" && LD_LIBRARY_PATH=$stage/usr/lib ./readme) >"$work/said" && cat "$work/said" &&
        grep -q 'probability [01]\.' "$work/said" && grep -q 'status -40, features: 7 numbers' "$work/said"
}

moons_runs()
{
    $compiler -std=c++17 -O1 $strict -Iexamples/ffi/cpp examples/ffi/cpp/moons.cpp $(package --cflags --libs) -pthread \
        -o "$work/moons" &&
        LD_LIBRARY_PATH=$stage/usr/lib "$work/moons" "$work/moons.safetensors" >"$work/said" && cat "$work/said" &&
        grep -q '^accuracy \(0\.9[5-9]\|1\)' "$work/said"
}

missing_folder_is_told()
{
    LD_LIBRARY_PATH=$stage/usr/lib "$work/moons" "$work/nowhere/moons.safetensors" 2>"$work/said"
    [ $? -eq 1 ] && grep -q 'nowhere.*status -100' "$work/said"
}

if command -v "$PKG_CONFIG" >/dev/null 2>&1; then
    if claim "the library installs for a program of C++" installed; then
        claim "the program in the README runs as it says" readme_runs
        claim "moons.cpp learns, saves, loads and predicts on four threads" moons_runs &&
            claim "moons.cpp tells of a folder that is missing" missing_folder_is_told
    fi
else
    echo "skip ffi/cpp against an installed library: no $PKG_CONFIG"
fi
exit $failed
