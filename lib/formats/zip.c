/* Zip archives: central directory, members, CRC-32. */
#include "formats/zip.h"

#include <string.h>

#include "core/memory.h"
#include "formats/inflate.h"

#define END_BYTES 22 /* of the end record, which a comment of up to 65535 bytes may follow */
#define LONGEST_COMMENT 65535
#define ENTRY_BYTES 46 /* of a directory entry, without its name */
#define LOCAL_BYTES 30 /* of a member's own header, without its name */
#define END_MARK 0x06054B50u
#define ENTRY_MARK 0x02014B50u
#define LOCAL_MARK 0x04034B50u
#define STORED 0
#define DEFLATED 8
#define ENCRYPTED 1                       /* a flag */
#define LARGEST ((int64_t)UINT32_MAX - 1) /* larger sizes want zip64 */
#define MOST_PACKED 1032                  /* bytes that deflate packs into one */

static uint32_t word(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint32_t half(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

/* Four bits at a time. */
static uint32_t crc_add(uint32_t crc, const unsigned char *data, int64_t bytes)
{
    static const uint32_t table[16] = {0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u,
                                       0x4DB26158u, 0x5005713Cu, 0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu,
                                       0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu};
    crc = ~crc;
    for (int64_t k = 0; k < bytes; k++) {
        crc ^= data[k];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

/* ---- reading ---- */

/* The end record, searched from the end of the file backwards. */
static tsnn_status find_end(tsnni_runtime *runtime, const tsnni_source *source, unsigned char end[END_BYTES])
{
    unsigned char *tail = NULL;
    int64_t bytes = source->size < END_BYTES + LONGEST_COMMENT ? source->size : END_BYTES + LONGEST_COMMENT, at;
    tsnn_status status;
    TSNNI_TRY(TSNNI_NEW(runtime, bytes, &tail));
    TSNNI_TRY(tsnni_source_read(runtime, source, source->size - bytes, bytes, tail));
    for (at = bytes - END_BYTES; at >= 0 && word(tail + at) != END_MARK; at--)
        continue;
    if (at < 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "%lld bytes without the end of a zip archive", (long long)source->size);
    memcpy(end, tail + at, END_BYTES);
fail:
    tsnni_release(runtime, tail);
    return status;
}

tsnn_status tsnni_zip_open(tsnni_runtime *runtime, const tsnni_source *source, tsnni_zip *out)
{
    unsigned char end[END_BYTES] = {0};
    tsnn_status status;
    memset(out, 0, sizeof *out);
    TSNNI_TRY(find_end(runtime, source, end));
    int64_t bytes = word(end + 12), offset = word(end + 16);
    if (bytes > LARGEST || offset > LARGEST || half(end + 10) == UINT16_MAX)
        TSNNI_FAIL(runtime, TSNN_ERROR_UNSUPPORTED, "a zip archive of 4 GiB or more");
    if (offset > source->size || bytes > source->size - offset)
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "a zip directory of %lld bytes at %lld in a file of %lld",
                   (long long)bytes, (long long)offset, (long long)source->size);
    TSNNI_TRY(TSNNI_NEW(runtime, bytes, &out->directory));
    TSNNI_TRY(tsnni_source_read(runtime, source, offset, bytes, out->directory));
    out->source = source;
    out->directory_bytes = bytes;
    out->members = half(end + 10);
    return TSNN_OK;
fail:
    tsnni_zip_close(runtime, out);
    return status;
}

void tsnni_zip_close(tsnni_runtime *runtime, tsnni_zip *zip)
{
    tsnni_release(runtime, zip->directory);
    memset(zip, 0, sizeof *zip);
}

/* NULL: there is none. */
static const unsigned char *find_member(const tsnni_zip *zip, const char *name)
{
    const unsigned char *at = zip->directory, *end = at + zip->directory_bytes;
    for (int64_t k = 0; k < zip->members; k++) {
        if (end - at < ENTRY_BYTES || word(at) != ENTRY_MARK)
            return NULL;
        int64_t length = half(at + 28), size = ENTRY_BYTES + length + half(at + 30) + half(at + 32);
        if (size > end - at)
            return NULL;
        if (length == (int64_t)strlen(name) && memcmp(at + ENTRY_BYTES, name, (size_t)length) == 0)
            return at;
        at += size;
    }
    return NULL;
}

/* Where a member's data begin, and whether `bytes` of them are there. */
static tsnn_status find_data(tsnni_runtime *runtime, const tsnni_zip *zip, const char *name, int64_t offset,
                             int64_t bytes, int64_t *begin)
{
    unsigned char local[LOCAL_BYTES];
    tsnn_status status;
    TSNNI_TRY(tsnni_source_read(runtime, zip->source, offset, LOCAL_BYTES, local));
    *begin = offset + LOCAL_BYTES + half(local + 26) + half(local + 28);
    if (word(local) != LOCAL_MARK || *begin > zip->source->size || bytes > zip->source->size - *begin)
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "%s: %lld bytes at %lld in a file of %lld", name, (long long)bytes,
                   (long long)*begin, (long long)zip->source->size);
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnni_zip_read(tsnni_runtime *runtime, const tsnni_zip *zip, const char *name, int64_t most,
                           unsigned char **out, int64_t *bytes)
{
    unsigned char *packed = NULL;
    int64_t begin;
    tsnn_status status;
    *out = NULL;
    *bytes = 0;
    const unsigned char *entry = find_member(zip, name);
    if (entry == NULL)
        return TSNN_OK;
    uint32_t method = half(entry + 10);
    int64_t packed_bytes = word(entry + 20), size = word(entry + 24);
    if (packed_bytes > LARGEST || size > LARGEST || (half(entry + 8) & ENCRYPTED) != 0 ||
        (method != STORED && method != DEFLATED))
        TSNNI_FAIL(runtime, TSNN_ERROR_UNSUPPORTED, "%s: method %u, flags %u, %lld bytes", name, (unsigned)method,
                   (unsigned)half(entry + 8), (long long)size);
    if (method == STORED ? size != packed_bytes : size > MOST_PACKED * packed_bytes)
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "%s: %lld bytes out of %lld", name, (long long)size,
                   (long long)packed_bytes);
    TSNNI_TRY(find_data(runtime, zip, name, word(entry + 42), packed_bytes, &begin));
    if (size > most)
        TSNNI_FAIL(runtime, TSNN_ERROR_OVERFLOW, "%s: %lld bytes; at most %lld are allowed", name, (long long)size,
                   (long long)most);
    TSNNI_TRY(TSNNI_NEW(runtime, size, out));
    if (method == STORED) {
        TSNNI_TRY(tsnni_source_read(runtime, zip->source, begin, size, *out));
    } else {
        TSNNI_TRY(TSNNI_NEW(runtime, packed_bytes, &packed));
        TSNNI_TRY(tsnni_source_read(runtime, zip->source, begin, packed_bytes, packed));
        TSNNI_TRY(tsnni_inflate(runtime, packed, packed_bytes, *out, size));
    }
    if (crc_add(0, *out, size) != word(entry + 16))
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "%s: its checksum is wrong", name);
    *bytes = size;
    tsnni_release(runtime, packed);
    return TSNN_OK;
fail:
    tsnni_release(runtime, packed);
    tsnni_release(runtime, *out);
    *out = NULL;
    return status;
}

/* ---- writing ---- */

static void put_word(unsigned char *at, uint32_t value)
{
    for (int k = 0; k < 4; k++)
        at[k] = (unsigned char)(value >> 8 * k);
}

static void put_half(unsigned char *at, uint32_t value)
{
    at[0] = (unsigned char)value;
    at[1] = (unsigned char)(value >> 8);
}

/* What a member's own header and its directory entry share, 26 bytes: version 2.0, stored, 1980-01-01. */
static void put_shared(unsigned char *at, uint32_t crc, int64_t bytes, const char *name)
{
    memset(at, 0, 26);
    put_half(at, 20);
    put_half(at + 8, 0x21);
    put_word(at + 10, crc);
    put_word(at + 14, (uint32_t)bytes);
    put_word(at + 18, (uint32_t)bytes);
    put_half(at + 22, (uint32_t)strlen(name));
}

tsnn_status tsnni_zip_store(tsnni_runtime *runtime, tsnni_zip_writer *writer, const char *name, const void *head,
                            int64_t head_bytes, const void *data, int64_t data_bytes)
{
    unsigned char local[LOCAL_BYTES];
    tsnn_status status;
    int64_t offset = writer->sink->size;
    if (writer->members == TSNNI_ZIP_MEMBERS || data_bytes > LARGEST - head_bytes || offset > LARGEST)
        TSNNI_FAIL(runtime, TSNN_ERROR_OVERFLOW, "%s: %lld bytes are too many for a zip archive", name,
                   (long long)data_bytes);
    uint32_t crc = crc_add(crc_add(0, head, head_bytes), data, data_bytes);
    put_word(local, LOCAL_MARK);
    put_shared(local + 4, crc, head_bytes + data_bytes, name);
    TSNNI_TRY(tsnni_sink_write(runtime, writer->sink, local, LOCAL_BYTES));
    TSNNI_TRY(tsnni_sink_write(runtime, writer->sink, name, (int64_t)strlen(name)));
    TSNNI_TRY(tsnni_sink_write(runtime, writer->sink, head, head_bytes));
    TSNNI_TRY(tsnni_sink_write(runtime, writer->sink, data, data_bytes));
    writer->member[writer->members].name = name;
    writer->member[writer->members].crc = crc;
    writer->member[writer->members].offset = offset;
    writer->member[writer->members++].bytes = head_bytes + data_bytes;
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnni_zip_finish(tsnni_runtime *runtime, const tsnni_zip_writer *writer)
{
    int64_t begin = writer->sink->size;
    tsnn_status status;
    if (begin > LARGEST)
        TSNNI_FAIL(runtime, TSNN_ERROR_OVERFLOW, "%lld bytes are too many for a zip archive", (long long)begin);
    for (int32_t k = 0; k < writer->members; k++) {
        unsigned char entry[ENTRY_BYTES] = {0};
        const char *name = writer->member[k].name;
        put_word(entry, ENTRY_MARK);
        put_half(entry + 4, 20);
        put_shared(entry + 6, writer->member[k].crc, writer->member[k].bytes, name);
        put_word(entry + 42, (uint32_t)writer->member[k].offset);
        TSNNI_TRY(tsnni_sink_write(runtime, writer->sink, entry, ENTRY_BYTES));
        TSNNI_TRY(tsnni_sink_write(runtime, writer->sink, name, (int64_t)strlen(name)));
    }
    unsigned char end[END_BYTES] = {0};
    put_word(end, END_MARK);
    put_half(end + 8, (uint32_t)writer->members);
    put_half(end + 10, (uint32_t)writer->members);
    put_word(end + 12, (uint32_t)(writer->sink->size - begin));
    put_word(end + 16, (uint32_t)begin);
    TSNNI_TRY(tsnni_sink_write(runtime, writer->sink, end, END_BYTES));
    return TSNN_OK;
fail:
    return status;
}
