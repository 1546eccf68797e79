#!/bin/sh
# Each public header alone, as strict C99 and as strict C++11.
set -u
: "${CC:=cc}" "${CXX:=c++}"
strict="-pedantic -Wall -Wextra -Werror -Iinclude -fsyntax-only"
failed=0

# check_header LANGUAGE HEADER COMPILER FLAGS...
check_header()
{
    language=$1
    header=$2
    shift 2
    if printf '#include <%s>\n#include <%s>\nint main(void) { return 0; }\n' "$header" "$header" | "$@" - ; then
        echo "ok $header alone as $language"
    else
        echo "not ok $header alone as $language"
        failed=1
    fi
}

headers=$(cd include && ls tsnn.h tsnn/*.h)
for header in $headers; do
    check_header C99 "$header" $CC -std=c99 $strict -x c
done
if command -v "${CXX%% *}" >/dev/null 2>&1; then
    for header in $headers; do
        check_header C++11 "$header" $CXX -std=c++11 $strict -x c++
    done
else
    echo "skip headers as C++11: no $CXX"
fi
exit $failed
