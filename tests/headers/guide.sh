#!/bin/sh
# The C of the guide and the README compiles: each block as it stands, with what the text has named before it.
set -u
: "${BUILD:=build}" "${CC:=cc}"
source=$BUILD/tests/guide.c
exported=$BUILD/tests/guide
failed=0
mkdir -p "$exported"
# The guide's digits.c: an exported network, under the guide's name.
"$BUILD/tests/export_c_write" "$exported" >/dev/null &&
    sed 's/classify/digits/g; s/CLASSIFY/DIGITS/g' "$exported/classify.c" >"$exported/digits.c"

# What the blocks take as given. Their own variables hide these.
write_names()
{
    cat <<'END'
/* Written by tests/headers/guide.sh. */
#include <stdint.h>
#include <tsnn.h>
static tsnn_status status;
static tsnn_context *context;
static tsnn_layer *layer;
static tsnn_network *network;
static tsnn_dataset *dataset, *train, *test;
static tsnn_loss *loss;
static tsnn_optimizer *optimizer;
static tsnn_evolution *evolution;
static tsnn_trainer *trainer;
static tsnn_predictor *predictor;
static tsnn_predictor_workspace *workspace;
static tsnn_publisher *publisher;
static tsnn_subscriber *subscriber;
static float pixels[784], probabilities[10], features[100];
static int32_t labels[10];
static int64_t samples, version;
int32_t print_epoch(void *user, const tsnn_epoch_report *report);
END
}

# write_blocks FILE: functions and structs stand for themselves, statements get a function around them.
write_blocks()
{
    awk -v file="$1" '
        function flush(outside) {
            outside = block ~ /\n(static [a-z0-9_ ]+\(|struct [a-z_]+ \{|#include)/
            if (!outside) printf "void block_%d(void);\nvoid block_%d(void)\n{\n", first, first
            printf "#line %d \"%s\"%s", first, file, block
            if (!outside) print "}"
        }
        /^```c$/ { inside = 1; block = "\n"; first = NR + 1; next }
        /^```/ { if (inside) flush(); inside = 0; next }
        inside { block = block $0 "\n" }' "$1"
}

for text in README.md docs/guide.md; do
    { write_names; write_blocks "$text"; } >"$source"
    if $CC -std=c11 -pedantic -Wall -Wextra -Wno-unused -Wno-unused-parameter -Werror -Iinclude -I"$exported" -fsyntax-only "$source"; then
        echo "ok the C in $text compiles ($(grep -c '^#line' "$source") blocks)"
    else
        echo "not ok the C in $text compiles"
        failed=1
    fi
done
exit $failed
