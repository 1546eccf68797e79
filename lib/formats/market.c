/* Matrix Market files: header, sizes, entries, one a line. */
#include "formats/market.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "sparse/pattern.h"

#define LARGEST_FLOAT 3.4028235677973366e38 /* what is above does not round to a float */

/* ---- numbers ---- */

int tsnni_float_text(float number, char text[32])
{
    char local[32];
    int length = 0;
    snprintf(local, sizeof local, "%.9g", (double)number);
    /* The locale's decimal separator, of one character or several, becomes a point. */
    for (const char *at = local; *at != '\0'; at++) {
        if (strchr("0123456789+-einf", *at) != NULL)
            text[length++] = *at;
        else if (length > 0 && text[length - 1] != '.')
            text[length++] = '.';
    }
    text[length] = '\0';
    return length;
}

/* mantissa * 10^exponent, to about one unit of the last place of a double. */
static double scale_decimal(double mantissa, int64_t exponent)
{
    if (mantissa == 0.0 || exponent < -400)
        return 0.0;
    if (exponent > 400)
        return INFINITY;
    for (; exponent < -300; exponent += 100) /* 10^300 and more is near the end of a double */
        mantissa /= 1e100;
    double scale = 1.0, power = 10.0;
    for (int64_t left = exponent < 0 ? -exponent : exponent; left > 0; left /= 2, power *= power)
        if (left % 2 == 1)
            scale *= power;
    return exponent < 0 ? mantissa / scale : mantissa * scale;
}

int64_t tsnni_float_parse(const char *text, const char *end, double *number)
{
    const char *at = text;
    uint64_t mantissa = 0;
    int64_t exponent = 0, digits = 0, power = 0;
    int32_t negative = at < end && *at == '-', after_point = 0;
    at += at < end && (*at == '-' || *at == '+');
    for (; at < end && ((*at >= '0' && *at <= '9') || (*at == '.' && !after_point)); at++) {
        if (*at == '.') {
            after_point = 1;
            continue;
        }
        digits++;
        if (mantissa < 100000000000000000u) /* further digits do not matter */
            mantissa = 10 * mantissa + (uint64_t)(*at - '0');
        else
            exponent++;
        exponent -= after_point;
    }
    if (digits == 0)
        return 0;
    if (at < end && (*at == 'e' || *at == 'E')) {
        const char *mark = at++;
        int32_t down = at < end && *at == '-';
        at += at < end && (*at == '-' || *at == '+');
        if (at == end || *at < '0' || *at > '9')
            at = mark;
        for (; at > mark && at < end && *at >= '0' && *at <= '9'; at++)
            power = power < 100000 ? 10 * power + (*at - '0') : power;
        exponent += down ? -power : power;
    }
    double size = scale_decimal((double)mantissa, exponent);
    *number = negative ? -size : size;
    return at - text;
}

/* ---- reading ---- */

/* The file as text, line by line. */
typedef struct market_reader {
    tsnni_runtime *runtime;
    char *text;
    const char *at, *end, *line_end;
    int64_t line;
    int32_t in_full, has_values, mirrored; /* mirrored: 1 symmetric, -1 skew-symmetric */
} market_reader;

static tsnn_status wrong(const market_reader *reader, const char *what)
{
    return tsnni_fail(reader->runtime, TSNN_ERROR_FORMAT, "line %lld: %s", (long long)reader->line, what);
}

static int32_t next_line(market_reader *reader)
{
    if (reader->line > 0)
        reader->at = reader->line_end < reader->end ? reader->line_end + 1 : reader->end;
    reader->line++;
    if (reader->at >= reader->end)
        return 0;
    const char *newline = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
    reader->line_end = newline != NULL ? newline : reader->end;
    return 1;
}

static void skip_blanks(market_reader *reader)
{
    while (reader->at < reader->line_end && (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\r'))
        reader->at++;
}

/* The next line that is neither a comment nor blank. */
static int32_t next_content(market_reader *reader)
{
    while (next_line(reader)) {
        skip_blanks(reader);
        if (reader->at < reader->line_end && *reader->at != '%')
            return 1;
    }
    return 0;
}

/* Letters of either case. */
static int32_t word_is(market_reader *reader, const char *word)
{
    size_t length = strlen(word);
    skip_blanks(reader);
    if ((size_t)(reader->line_end - reader->at) < length)
        return 0;
    for (size_t k = 0; k < length; k++)
        if ((reader->at[k] | 0x20) != (word[k] | 0x20))
            return 0;
    reader->at += length;
    return 1;
}

static int32_t read_whole(market_reader *reader, int64_t *out)
{
    int64_t number = 0;
    skip_blanks(reader);
    const char *begin = reader->at;
    for (; reader->at < reader->line_end && *reader->at >= '0' && *reader->at <= '9'; reader->at++) {
        if (number > (INT64_MAX - 9) / 10)
            return 0;
        number = 10 * number + (*reader->at - '0');
    }
    *out = number;
    return reader->at > begin;
}

static int32_t read_real(market_reader *reader, float *out)
{
    double number = 0.0;
    skip_blanks(reader);
    int64_t taken = tsnni_float_parse(reader->at, reader->line_end, &number);
    reader->at += taken;
    *out = fabs(number) > LARGEST_FLOAT ? INFINITY : (float)number;
    return taken > 0;
}

static tsnn_status read_header(market_reader *reader)
{
    if (!next_line(reader) || !word_is(reader, "%%MatrixMarket") || !word_is(reader, "matrix"))
        return wrong(reader, "no Matrix Market file: it does not begin with %%MatrixMarket matrix");
    reader->in_full = word_is(reader, "array");
    if (!reader->in_full && !word_is(reader, "coordinate"))
        return wrong(reader, "neither array nor coordinate");
    if (word_is(reader, "complex"))
        return tsnni_fail(reader->runtime, TSNN_ERROR_UNSUPPORTED, "a complex matrix");
    reader->has_values = word_is(reader, "real") || word_is(reader, "integer") || word_is(reader, "double");
    if (!reader->has_values && (reader->in_full || !word_is(reader, "pattern")))
        return wrong(reader, "neither real nor integer nor a pattern");
    if (word_is(reader, "hermitian"))
        return tsnni_fail(reader->runtime, TSNN_ERROR_UNSUPPORTED, "a Hermitian matrix");
    reader->mirrored = word_is(reader, "symmetric") ? 1 : word_is(reader, "skew-symmetric") ? -1 : 0;
    if (!reader->mirrored && !word_is(reader, "general"))
        return wrong(reader, "neither general nor symmetric nor skew-symmetric");
    if (reader->in_full && reader->mirrored)
        return tsnni_fail(reader->runtime, TSNN_ERROR_UNSUPPORTED, "a symmetric matrix in full");
    return TSNN_OK;
}

/* Rows, columns and entries; every entry takes at least two bytes of what is left, so that no more is allocated. */
static tsnn_status read_sizes(market_reader *reader, tsnni_market *out, int64_t *entries)
{
    if (!next_content(reader) || !read_whole(reader, &out->rows) || !read_whole(reader, &out->columns) ||
        (!reader->in_full && !read_whole(reader, entries)))
        return wrong(reader, "no sizes");
    tsnn_status status = tsnni_pattern_check(reader->runtime, out->rows, out->columns, 0);
    if (status < 0)
        return status;
    if (reader->in_full)
        *entries = out->rows * out->columns;
    if (*entries > (reader->end - reader->at) / 2 + 1)
        return tsnni_fail(reader->runtime, TSNN_ERROR_FORMAT, "line %lld: %lld entries in %lld bytes",
                          (long long)reader->line, (long long)*entries, (long long)(reader->end - reader->at));
    return TSNN_OK;
}

static void add(tsnni_market *out, int64_t row, int64_t column, float value)
{
    out->row[out->count] = (int32_t)row;
    out->column[out->count] = (int32_t)column;
    out->value[out->count++] = value;
}

static tsnn_status read_entries(market_reader *reader, int64_t entries, tsnni_market *out)
{
    for (int64_t k = 0; k < entries; k++) {
        int64_t row = k % out->rows + 1, column = k / out->rows + 1;
        float value = 1.0f;
        if (!next_content(reader))
            return tsnni_fail(reader->runtime, TSNN_ERROR_FORMAT, "%lld entries of %lld", (long long)k,
                              (long long)entries);
        if (!reader->in_full && (!read_whole(reader, &row) || !read_whole(reader, &column)))
            return wrong(reader, "no row and column");
        if (reader->has_values && !read_real(reader, &value))
            return wrong(reader, "no number");
        if (row < 1 || row > out->rows || column < 1 || column > out->columns)
            return tsnni_fail(reader->runtime, TSNN_ERROR_STRUCTURE, "line %lld: row %lld, column %lld of %lld x %lld",
                              (long long)reader->line, (long long)row, (long long)column, (long long)out->rows,
                              (long long)out->columns);
        if (reader->in_full && value == 0.0f)
            continue;
        add(out, row - 1, column - 1, value);
        if (reader->mirrored && row != column) {
            if (row > out->columns || column > out->rows)
                return wrong(reader, "a symmetric matrix that is not square");
            add(out, column - 1, row - 1, (float)reader->mirrored * value);
        }
    }
    return next_content(reader) ? wrong(reader, "more entries than the sizes say") : TSNN_OK;
}

tsnn_status tsnni_market_read(tsnni_runtime *runtime, const tsnni_source *source, int64_t most, tsnni_market *out)
{
    market_reader reader = {.runtime = runtime};
    int64_t entries = 0;
    tsnn_status status;
    memset(out, 0, sizeof *out);
    TSNNI_TRY(TSNNI_NEW(runtime, source->size, &reader.text));
    TSNNI_TRY(tsnni_source_read(runtime, source, 0, source->size, reader.text));
    reader.at = reader.line_end = reader.text;
    reader.end = reader.text + source->size;
    TSNNI_TRY(read_header(&reader));
    TSNNI_TRY(read_sizes(&reader, out, &entries));
    int64_t room = reader.mirrored ? 2 * entries : entries;
    out->bytes = room * (int64_t)(sizeof *out->row + sizeof *out->column + sizeof *out->value);
    if (out->bytes > most)
        TSNNI_FAIL(runtime, TSNN_ERROR_OVERFLOW, "%lld entries take %lld bytes; at most %lld are allowed",
                   (long long)room, (long long)out->bytes, (long long)most);
    TSNNI_TRY(TSNNI_NEW(runtime, room, &out->row));
    TSNNI_TRY(TSNNI_NEW(runtime, room, &out->column));
    TSNNI_TRY(TSNNI_NEW(runtime, room, &out->value));
    TSNNI_TRY(read_entries(&reader, entries, out));
    tsnni_release(runtime, reader.text);
    return TSNN_OK;
fail:
    tsnni_release(runtime, reader.text);
    tsnni_market_free(runtime, out);
    return status;
}

void tsnni_market_free(tsnni_runtime *runtime, tsnni_market *market)
{
    tsnni_release(runtime, market->row);
    tsnni_release(runtime, market->column);
    tsnni_release(runtime, market->value);
    memset(market, 0, sizeof *market);
}
