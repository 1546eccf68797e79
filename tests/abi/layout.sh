#!/bin/sh
# Lists size and fields of every public struct, one a line: "tsnn_layer_info 56", "tsnn_layer_info.inputs 8 8" (offset,
# size). The numbers are those of the compiler: layout.sh FOLDER-FOR-THE-PROGRAM [HEADER...]. The
# program includes UMBRELLA.
set -eu
: "${CC:=cc}" "${UMBRELLA:=tsnn.h}"
work=$1
shift
[ $# -gt 0 ] || set -- include/tsnn/*.h
mkdir -p "$work"
{
    printf '#include <stddef.h>\n#include <stdio.h>\n#include <%s>\n' "$UMBRELLA"
    printf '#define SIZE(type) printf(#type " %%zu\\n", sizeof(type))\n'
    printf '#define FIELD(type, field) printf(#type "." #field " %%zu %%zu\\n", offsetof(type, field), sizeof(((type *)0)->field))\n'
    printf 'int main(void)\n{\n'
    # Comments go first, then each declaration inside a struct's braces is one statement; its names end in , or ; .
    cat "$@" | awk '
        { text = text $0 "\n" }
        END {
            while (match(text, /\/\*[^*]*\*+([^\/*][^*]*\*+)*\//))
                text = substr(text, 1, RSTART - 1) substr(text, RSTART + RLENGTH)
            count = split(text, line, "\n")
            for (i = 1; i <= count; i++) {
                if (line[i] ~ /^typedef struct tsnn_[a-z0-9_]+ \{/) { inside = 1; body = ""; continue }
                if (inside && line[i] ~ /^\} tsnn_[a-z0-9_]+;/) {
                    type = line[i]; gsub(/[};  ]/, "", type)
                    printf "    SIZE(%s);\n", type
                    fields = split(body, statement, ";")
                    for (f = 1; f <= fields; f++) {
                        if (statement[f] !~ /[a-z]/) continue
                        names = split(statement[f], name, ",")
                        for (n = 1; n <= names; n++) {
                            gsub(/\[.*\]/, "", name[n]); sub(/[ \n]+$/, "", name[n]); sub(/.*[ *\n]/, "", name[n])
                            printf "    FIELD(%s, %s);\n", type, name[n]
                        }
                    }
                    inside = 0
                }
                if (inside) body = body line[i] "\n"
            }
        }'
    printf '    return 0;\n}\n'
} >"$work/layout.c"
$CC -Iinclude -o "$work/layout" "$work/layout.c"
"$work/layout" | LC_ALL=C sort
