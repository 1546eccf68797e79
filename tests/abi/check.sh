#!/bin/sh
# The library shows the functions listed in libtsnn.symbols and no others; the static archive shows no name without a prefix.
set -u
: "${BUILD:=build}" "${CC:=cc}" "${SOVERSION:=0}"
LC_ALL=C
export LC_ALL
shared=$BUILD/libtsnn.so.$SOVERSION
listed=tests/abi/libtsnn.symbols
work=$BUILD/tests/abi
mkdir -p "$work"
. tests/claims.sh

sh tests/abi/list.sh "$shared" >"$work/exported" || exit 1
[ -s "$work/exported" ] || { echo "not ok $shared exports something"; exit 1; }

comm -23 "$listed" "$work/exported" >"$work/removed"
verdict "no listed function is gone" "$work/removed" "callers depend on these; raise SOVERSION and make update-abi"
comm -13 "$listed" "$work/exported" >"$work/added"
verdict "every exported function is listed" "$work/added" "make update-abi"

# The name before the first parenthesis that follows TSNN_API.
cat include/tsnn/*.h | awk '
    /^ *#/ { next }
    /TSNN_API/ { sub(/.*TSNN_API/, ""); pending = 1; text = "" }
    pending { text = text " " $0 }
    pending && match(text, /tsnn_[a-z0-9_]+ *\(/) {
        name = substr(text, RSTART, RLENGTH); sub(/ *\(/, "", name); print name; pending = 0
    }' | sort -u >"$work/declared"
comm -13 "$work/exported" "$work/declared" >"$work/undefined"
verdict "every declared function is exported" "$work/undefined" "in include/ but not in the library"
comm -23 "$work/exported" "$work/declared" >"$work/undeclared"
verdict "every exported function is declared" "$work/undeclared" "in the library but not in include/"

# Fewer than this many names mean that they could not be read, not that all is well.
least=250
nm -g --defined-only "$BUILD/libtsnn.a" 2>"$work/nm" | awk 'NF == 3' >"$work/static"
defined=$(grep -c . "$work/static")
: >"$work/unread"
[ "$defined" -ge $least ] || { cat "$work/nm"; echo "$defined names, where at least $least are expected"; } >"$work/unread"
verdict "libtsnn.a can be read ($defined names)" "$work/unread" "no library, or another"

awk '$2 == "T" { print $3 }' "$work/static" | sort -u | comm -23 "$listed" - >"$work/removed"
verdict "every listed function is in libtsnn.a" "$work/removed" "the archive is to have what the shared library has"

awk '$3 !~ /^(tsnn|tsnni)_/ { print $3 }' "$work/static" >"$work/unprefixed"
verdict "every symbol of libtsnn.a begins with tsnn_ or tsnni_" "$work/unprefixed" "these may clash when linked statically"

awk '$3 ~ /^tsnn_/ && $2 != "T" { print $3 }' "$work/static" >"$work/data"
verdict "every public symbol is a function" "$work/data" "data is no part of a stable interface"

# Size and offsets of the public structs: a program compiled against older headers relies on them.
sh tests/abi/layout.sh "$work" >"$work/layout.now" || exit 1
comm -23 tests/abi/libtsnn.layout "$work/layout.now" >"$work/moved"
verdict "no listed field of a public struct has moved, changed its size or gone, and none has grown unlisted" "$work/moved" \
    "structs only grow, at their end; then make update-abi"
comm -13 tests/abi/libtsnn.layout "$work/layout.now" >"$work/unlisted"
verdict "every field of a public struct is listed" "$work/unlisted" "make update-abi"

# Types as the debugging information tells them, against the kept description.
if ! command -v abidiff >/dev/null 2>&1; then
    echo "skip abidiff: not installed (make deps)"
elif [ "$(uname -m)" != x86_64 ] || ! readelf -S "$shared" | grep -q '\.debug_info'; then
    echo "skip abidiff: the kept description is of an x86-64 build with debugging information"
else
    gunzip -c tests/abi/libtsnn.abi.gz >"$work/kept.abi"
    abidw --headers-dir include --drop-private-types --no-comp-dir-path --no-corpus-path "$shared" >"$work/now.abi" || exit 1
    abidiff --no-added-syms "$work/kept.abi" "$work/now.abi" >"$work/differences" 2>&1 && : >"$work/differences"
    verdict "abidiff finds no change against the kept description" "$work/differences" "if it is meant: make update-abi"
fi

exit $failed
