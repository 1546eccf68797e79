#!/bin/sh
# What was compiled with the first complete headers, kept in include/ beside this file, runs on today's library.
set -u
: "${BUILD:=build}" "${CC:=cc}" "${SOVERSION:=0}"
LC_ALL=C
export LC_ALL CC
here=tests/abi/first
work=$BUILD/tests/abi/first
mkdir -p "$work"
work=$(cd "$work" && pwd)
library=$(cd "$BUILD" && pwd)
failed=0

# claim TEXT FILE-OF-OFFENDERS: holds when the file is empty.
claim()
{
    if [ -s "$2" ]; then
        echo "not ok $1"
        sed 's/^/    /' "$2"
        failed=1
    else
        echo "ok $1"
    fi
}

if $CC -std=c99 -Wall -Wextra -Werror -I$here/include $here/client.c -o "$work/client" \
    "$library/libtsnn.so.$SOVERSION" -Wl,-rpath,"$library" -lm >"$work/wrong" 2>&1 &&
    "$work/client" >"$work/wrong" 2>&1; then
    : >"$work/wrong"
else
    echo "ended with status $?" >>"$work/wrong"
fi
claim "a client of the first headers runs on today's library" "$work/wrong"

# Functions: every one of then is exported now.
cat $here/include/tsnn/*.h | grep -o 'tsnn_[a-z0-9_]* *(' | tr -d ' (' | sort -u >"$work/functions"
comm -23 "$work/functions" tests/abi/libtsnn.symbols >"$work/gone"
claim "every function of the first headers is still there ($(grep -c . "$work/functions"))" "$work/gone"

# Fields: each at its old place, of its old size. A reserved one may have been given a name.
(cd $here && sh ../layout.sh "$work/layout") >"$work/layout.first" || exit 1
grep '\.' "$work/layout.first" | grep -v '\.reserved ' | comm -23 - tests/abi/libtsnn.layout >"$work/moved"
claim "every field of the first headers is where it was ($(grep -c '\.' "$work/layout.first"))" "$work/moved"
awk 'FNR == NR { if ($1 !~ /\./) size[$1] = $2; next } $1 in size && size[$1] > $2 { print $1 ": " size[$1] " bytes, now " $2 }' \
    "$work/layout.first" tests/abi/libtsnn.layout >"$work/smaller"
claim "no struct of the first headers is smaller than it was" "$work/smaller"

# Numbers: a program compiled with the old headers has them built in.
{
    printf '#include <stdio.h>\n#include <tsnn.h>\nint main(void)\n{\n'
    cat $here/include/tsnn/*.h | sed 's|/\*.*||' | grep -oE '\<TSNN_[A-Z0-9_]+ =' | sed 's/ =//' | sort -u |
        sed 's/.*/    printf("%s %lld\\n", "&", (long long)&);/'
    printf '    return 0;\n}\n'
} >"$work/values.c"
for headers in $here/include include; do
    $CC -I$headers "$work/values.c" -o "$work/values" && "$work/values"
    echo "= end"
done >"$work/values.both" 2>&1
awk '/^= end/ { second = 1; next } !second { value[$1] = $2; next } !($1 in value) || value[$1] != $2 { print }' \
    "$work/values.both" >"$work/changed"
[ "$(grep -c '^TSNN_' "$work/values.both")" -ge 100 ] || echo "the numbers could not be listed" >>"$work/changed"
claim "every number of the first headers means what it meant ($(($(grep -c '^TSNN_' "$work/values.both") / 2)))" "$work/changed"

exit $failed
