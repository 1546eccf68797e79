/* Growing text: room doubles when it is short. */
#include "core/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"

#define PIECE 512
#define FIRST_CAPACITY 4096
#define MANTISSA_BITS 24

void tsnni_text_init(tsnni_text *text, tsnni_runtime *runtime)
{
    memset(text, 0, sizeof *text);
    text->runtime = runtime;
}

void tsnni_text_free(tsnni_text *text)
{
    tsnni_release(text->runtime, text->bytes);
    text->bytes = NULL;
    text->length = text->capacity = 0;
}

/* Room for `count` more characters and the zero byte. */
static tsnn_status reserve(tsnni_text *text, int64_t count)
{
    int64_t needed, capacity = text->capacity > 0 ? text->capacity : FIRST_CAPACITY;
    char *bytes;
    if (tsnni_add(text->length, count + 1, &needed) < 0 || needed > INT64_MAX / 2)
        return tsnni_fail(text->runtime, TSNN_ERROR_OVERFLOW, "a text of more than %lld characters",
                          (long long)text->length);
    if (needed <= text->capacity)
        return TSNN_OK;
    while (capacity < needed)
        capacity *= 2;
    tsnn_status status = TSNNI_NEW(text->runtime, capacity, &bytes);
    if (status < 0)
        return status;
    if (text->length > 0)
        memcpy(bytes, text->bytes, (size_t)text->length);
    bytes[text->length] = '\0';
    tsnni_release(text->runtime, text->bytes);
    text->bytes = bytes;
    text->capacity = capacity;
    return TSNN_OK;
}

void tsnni_text_add(tsnni_text *text, const char *format, ...)
{
    char piece[PIECE];
    va_list arguments;
    if (text->status < 0)
        return;
    va_start(arguments, format);
    int length = vsnprintf(piece, sizeof piece, format, arguments);
    va_end(arguments);
    if (length < 0 || length >= PIECE)
        text->status =
            tsnni_fail(text->runtime, TSNN_ERROR_OVERFLOW, "a piece of %d characters; at most %d", length, PIECE - 1);
    else
        text->status = reserve(text, length);
    if (text->status < 0)
        return;
    memcpy(text->bytes + text->length, piece, (size_t)length + 1);
    text->length += length;
}

void tsnni_text_add_float(tsnni_text *text, float value)
{
    int exponent;
    /* The mantissa as a whole number has no radix character, which a locale could change. */
    long mantissa = (long)ldexp(frexp((double)value, &exponent), MANTISSA_BITS);
    if (mantissa == 0)
        tsnni_text_add(text, "%s", signbit(value) ? "-0x0p0f" : "0x0p0f");
    else
        tsnni_text_add(text, "%s0x%lxp%df", mantissa < 0 ? "-" : "", mantissa < 0 ? -mantissa : mantissa,
                       exponent - MANTISSA_BITS);
}
