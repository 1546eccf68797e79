#!/bin/sh
# Whether the Node example calls the library rightly: values, memory, callbacks, errors, workers; once more with sanitizers.
# Needs Node 18 or later with its headers, and no package of npm. Called by tests/run.sh.
set -u
: "${BUILD:=build}" "${CC:=cc}" "${SOVERSION:=0}"
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
work=$BUILD/tests/ffi-node
strict="-std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror"
sanitizers="-fsanitize=address,undefined -fno-sanitize-recover=all"
log=$work/log
about="ffi/node: "
. tests/claims.sh

node=$(command -v node || command -v nodejs)
if [ -z "$node" ] || ! "$node" -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' 2>/dev/null; then
    echo "skip ffi/node: no Node of version 18 or later (make deps)"
    exit 0
fi
# Beside the program, or where Debian puts them.
headers=
for folder in "$(dirname "$(dirname "$(readlink -f "$node")")")/include/node" /usr/include/node /usr/include/nodejs/src; do
    [ -z "$headers" ] && [ -e "$folder/node_api.h" ] && headers=$folder
done
if [ -z "$headers" ]; then
    echo "skip ffi/node: no node_api.h (make deps)"
    exit 0
fi
rm -rf "$work"
mkdir -p "$work"

# addon FILE FLAGS...
addon()
{
    file=$1
    shift
    $CC $strict -g -O1 "$@" -fPIC -shared -fvisibility=hidden -Iinclude "-I$headers" examples/ffi/node/addon/*.c -o "$file" \
        "-L$BUILD" -ltsnn "-Wl,-rpath,$BUILD" -lm
}

# What a program in C makes of the data that the tests use.
course_in_c()
{
    $CC -std=c11 -Iinclude tests/ffi/node/in_c.c tests/ffi/in_c.c -o "$work/in_c" "-L$BUILD" -ltsnn "-Wl,-rpath,$BUILD" &&
        "$node" -e "const { features, labels } = require('./tests/ffi/node/support.js').moons();
            process.stdout.write(Buffer.concat([Buffer.from(features.buffer), Buffer.from(labels.buffer)]));" \
            >"$work/data.bin" && "$work/in_c" <"$work/data.bin" >"$work/in_c.bin"
}

readme_runs()
{
    mkdir -p "$work/node_modules" && ln -sfn "$PWD/examples/ffi/node" "$work/node_modules/sparse_nn" &&
        awk '/^```js$/ { inside = 1; next } /^```$/ { inside = 0 } inside' examples/ffi/node/README.md >"$work/readme.js" &&
        (cd "$work" && TSNN_ADDON=$work/sparse_nn.node "$node" readme.js) >"$work/said" && cat "$work/said" &&
        grep -q "^[01][.0-9]* \[ 'different' \]" "$work/said" && grep -q '^true features: 7 numbers' "$work/said"
}

if claim "the course in C runs" course_in_c && claim "the addon compiles without a warning" addon "$work/sparse_nn.node"; then
    status=0
    TSNN_ADDON=$work/sparse_nn.node "$node" --expose-gc tests/ffi/node/run.js "$work" >"$work/lines" 2>&1 || status=$?
    cat "$work/lines"
    if [ $status -ne 0 ]; then
        failed=1
        grep -q '^not ok ' "$work/lines" || echo "not ok ffi/node: the tests ended with status $status"
    fi
    claim "the program in the README runs as it says" readme_runs

    # Node itself has no sanitizers in it, so they are loaded before it. Where that does not work, as with clang's, they
    # are left out.
    preload="$($CC -print-file-name=libasan.so) $($CC -print-file-name=libubsan.so)"
    under_sanitizers()
    {
        ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD=$preload TSNN_ADDON=$work/checked.node "$node" --expose-gc "$@"
    }
    case $preload in
    /*\ /*) ;;
    *) preload= ;;
    esac
    if [ -n "$preload" ] && addon "$work/checked.node" $sanitizers >"$work/log" 2>&1 &&
        under_sanitizers -e 0 >"$work/log" 2>&1; then
        claim "all of it once more with sanitizers" under_sanitizers tests/ffi/node/run.js "$work"
    else
        echo "skip ffi/node with sanitizers: $CC has none that Node can load"
    fi
fi
exit $failed
