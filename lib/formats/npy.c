/* The head of .npy files. */
#include "formats/npy.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"

#define MAGIC "\x93NUMPY"
#define MAGIC_BYTES 6
#define LONGEST_HEAD 65536
#define HEAD_MULTIPLE 64

static const struct {
    char text[3];
    tsnni_element element;
} types[] = {{"b1", TSNNI_BOOL}, {"i1", TSNNI_I8},  {"u1", TSNNI_U8},  {"i2", TSNNI_I16},
             {"u2", TSNNI_U16},  {"f2", TSNNI_F16}, {"i4", TSNNI_I32}, {"u4", TSNNI_U32},
             {"f4", TSNNI_F32},  {"i8", TSNNI_I64}, {"u8", TSNNI_U64}, {"f8", TSNNI_F64}};

/* A place in the head; `at` is NULL once something was not as expected. */
typedef struct scanner {
    const char *at, *end;
} scanner;

static void skip_blanks(scanner *scan)
{
    while (scan->at != NULL && scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n'))
        scan->at++;
}

static int32_t next_is(scanner *scan, const char *text)
{
    size_t length = strlen(text);
    skip_blanks(scan);
    if (scan->at == NULL || (size_t)(scan->end - scan->at) < length || memcmp(scan->at, text, length) != 0)
        return 0;
    scan->at += length;
    return 1;
}

static void expect(scanner *scan, const char *text)
{
    if (!next_is(scan, text))
        scan->at = NULL;
}

static int64_t whole(scanner *scan)
{
    int64_t number = 0, digits = 0;
    skip_blanks(scan);
    for (; scan->at != NULL && scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'; scan->at++, digits++) {
        if (number > (INT64_MAX - 9) / 10) {
            scan->at = NULL;
            return 0;
        }
        number = 10 * number + (*scan->at - '0');
    }
    if (digits == 0)
        scan->at = NULL;
    return number;
}

static void read_type(scanner *scan, tsnni_npy *out, int32_t *big_endian)
{
    int32_t known = 0;
    char quote[2] = "'";
    if (!next_is(scan, "'")) {
        quote[0] = '"';
        expect(scan, quote);
    }
    *big_endian = next_is(scan, ">");
    if (!*big_endian && !next_is(scan, "<") && !next_is(scan, "="))
        next_is(scan, "|");
    if (next_is(scan, "S")) {
        out->is_text = 1;
        out->element = TSNNI_U8;
        out->shape[TSNNI_TENSOR_RANK - 1] = whole(scan);
        known = 1;
    }
    for (size_t k = 0; !known && k < sizeof types / sizeof *types; k++)
        if (next_is(scan, types[k].text)) {
            out->element = types[k].element;
            known = 1;
        }
    if (!known)
        scan->at = NULL;
    expect(scan, quote);
    if (known && (out->is_text || tsnni_element_bytes(out->element) == 1))
        *big_endian = 0;
}

static void read_shape(scanner *scan, tsnni_npy *out)
{
    int64_t text_length = out->is_text ? out->shape[TSNNI_TENSOR_RANK - 1] : 0;
    expect(scan, "(");
    while (scan->at != NULL && !next_is(scan, ")")) {
        if (out->rank == TSNNI_TENSOR_RANK - 1)
            scan->at = NULL;
        else
            out->shape[out->rank++] = whole(scan);
        next_is(scan, ",");
    }
    if (out->is_text)
        out->shape[out->rank++] = text_length;
}

/* NumPy writes the keys in this order, and so does everyone. */
static void read_dictionary(scanner *scan, tsnni_npy *out, int32_t *big_endian)
{
    expect(scan, "{");
    expect(scan, "'descr':");
    read_type(scan, out, big_endian);
    expect(scan, ",");
    expect(scan, "'fortran_order':");
    out->column_major = next_is(scan, "True");
    if (!out->column_major)
        expect(scan, "False");
    expect(scan, ",");
    expect(scan, "'shape':");
    read_shape(scan, out);
    next_is(scan, ",");
    expect(scan, "}");
}

/* Where the dictionary is. */
static tsnn_status find_dictionary(tsnni_runtime *runtime, const unsigned char *block, int64_t bytes, const char *name,
                                   scanner *scan)
{
    if (bytes < MAGIC_BYTES + 4 || memcmp(block, MAGIC, MAGIC_BYTES) != 0)
        return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "%.200s: %lld bytes that are no .npy array", name,
                          (long long)bytes);
    int wide = block[MAGIC_BYTES] > 1;
    int64_t begin = MAGIC_BYTES + (wide ? 6 : 4), length = 0;
    for (int64_t k = begin - 1; k >= MAGIC_BYTES + 2 && k < bytes; k--)
        length = length << 8 | block[k];
    if (length > LONGEST_HEAD || begin > bytes || length > bytes - begin)
        return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "%.200s: a head of %lld bytes in an array of %lld", name,
                          (long long)length, (long long)bytes);
    scan->at = (const char *)block + begin;
    scan->end = scan->at + length;
    return TSNN_OK;
}

tsnn_status tsnni_npy_read(tsnni_runtime *runtime, const unsigned char *block, int64_t bytes, const char *name,
                           tsnni_npy *out)
{
    scanner scan = {NULL, NULL};
    int32_t big_endian = 0;
    int64_t size;
    tsnn_status status;
    memset(out, 0, sizeof *out);
    TSNNI_TRY(find_dictionary(runtime, block, bytes, name, &scan));
    out->data = (int64_t)((const unsigned char *)scan.end - block);
    read_dictionary(&scan, out, &big_endian);
    if (scan.at == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "%.200s: its head is not understood, or its elements are no numbers",
                   name);
    if (big_endian)
        TSNNI_FAIL(runtime, TSNN_ERROR_UNSUPPORTED, "%.200s: big-endian elements", name);
    out->count = 1;
    for (int32_t d = 0; d < out->rank; d++)
        if (tsnni_multiply(out->count, out->shape[d], &out->count) < 0)
            TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "%.200s: its shape overflows", name);
    if (tsnni_multiply(out->count, tsnni_element_bytes(out->element), &size) < 0 || size > bytes - out->data)
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "%.200s: %lld elements of %s in %lld bytes", name, (long long)out->count,
                   tsnni_element_name(out->element), (long long)(bytes - out->data));
    return TSNN_OK;
fail:
    return status;
}

int64_t tsnni_npy_head(unsigned char head[TSNNI_NPY_HEAD], const char *descr, const char *shape)
{
    char text[TSNNI_NPY_HEAD];
    int length = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape);
    int64_t begin = MAGIC_BYTES + 4, bytes = begin + length + 1;
    bytes += (HEAD_MULTIPLE - bytes % HEAD_MULTIPLE) % HEAD_MULTIPLE;
    memset(head, ' ', (size_t)bytes);
    memcpy(head, MAGIC "\x01", MAGIC_BYTES + 2); /* version 1.0: the closing zero is its minor number */
    head[MAGIC_BYTES + 2] = (unsigned char)(bytes - begin);
    head[MAGIC_BYTES + 3] = (unsigned char)((bytes - begin) >> 8);
    memcpy(head + begin, text, (size_t)length);
    head[bytes - 1] = '\n';
    return bytes;
}
