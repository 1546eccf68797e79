/* Fuzz target: the readers of the training programs, data_idx.c and data_text.c. The input: one byte for the format,
 * one for the label column, two for the length of the first file, then two files, or one. */
#include "fuzz.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../examples/train_mlp/data.h"
#include "../../examples/train_mlp/text.h"

/* ---- in place of text.c: messages are made as there, and stay here ---- */

static char message[1024];

static void say(const char *format, va_list arguments)
{
    FUZZ_REQUIRE(vsnprintf(message, sizeof message, format, arguments) > 0);
}

bool complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    return false;
}

void warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

struct text grouped(int64_t number)
{
    struct text out;
    snprintf(out.text, sizeof out.text, "%lld", (long long)number);
    return out;
}

/* ---- the target ---- */

/* What data.c does, too. */
static void free_samples(struct samples *samples)
{
    free(samples->path);
    free(samples->feature_data);
    free(samples->labels);
}

/* Every number is there and finite. */
static void check_samples(const struct samples *samples)
{
    int64_t sum = 0; /* every label is read */
    FUZZ_REQUIRE(samples->count >= 1 && samples->features >= 1);
    for (int64_t k = 0; k < samples->count * samples->features; k++)
        FUZZ_REQUIRE(isfinite(samples->feature_data[k]));
    for (int64_t n = 0; n < samples->count; n++)
        sum += samples->labels[n];
    FUZZ_REQUIRE(samples->path != NULL && sum <= samples->count * INT32_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct samples samples;
    tsnni_fuzz_input input = {data, size};
    int format = tsnni_fuzz_byte(&input) % 4, label_column = tsnni_fuzz_byte(&input) % 8;
    size_t first = (size_t)tsnni_fuzz_byte(&input) << 8;
    first |= tsnni_fuzz_byte(&input);
    if (first > input.size || format == 1 || format == 2)
        first = input.size;
    memset(&samples, 0, sizeof samples);
    message[0] = '\0';
    const char *one = tsnni_fuzz_file(0, input.data, first);
    const char *other = tsnni_fuzz_file(1, input.data + first, input.size - first);
    bool good = format == 0   ? samples_read_idx(&samples, one, other)
                : format == 1 ? samples_read_table(&samples, one, ',', label_column)
                : format == 2 ? samples_read_table(&samples, one, '\t', label_column)
                              : samples_read_pair(&samples, one, other);
    FUZZ_REQUIRE(good == (message[0] == '\0')); /* whoever is refused is told why */
    if (good)
        check_samples(&samples);
    free_samples(&samples);
    return 0;
}
