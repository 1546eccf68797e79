/* Changes .npz archives so that they stay archives: a member's contents or its compressed bytes change, and directory,
 * sizes and checksums follow. */
#include "mutate.h"

#include <string.h>
#include <zlib.h>

enum { MOST_MEMBERS = 8, NAME = 64, CONTENTS = 16384, ENTRY_BYTES = 46, LOCAL_BYTES = 30, END_BYTES = 22 };

typedef struct member {
    char name[NAME];
    size_t name_length;
    uint32_t method, crc, size;
    uint8_t packed[CONTENTS];
    size_t packed_size;
} member;

static member members[MOST_MEMBERS];

static uint32_t number(const uint8_t *at, int bytes)
{
    uint32_t value = 0;
    for (int k = bytes; k-- > 0;)
        value = value << 8 | at[k];
    return value;
}

static uint8_t *put(uint8_t *at, uint32_t value, int bytes)
{
    for (int k = 0; k < bytes; k++)
        *at++ = (uint8_t)(value >> 8 * k);
    return at;
}

/* ---- apart and together ---- */

static int read_member(const uint8_t *data, size_t size, const uint8_t *entry, member *out)
{
    size_t offset = number(entry + 42, 4);
    out->method = number(entry + 10, 2);
    out->crc = number(entry + 16, 4);
    out->packed_size = number(entry + 20, 4);
    out->size = number(entry + 24, 4);
    out->name_length = number(entry + 28, 2);
    if (out->name_length > NAME || out->packed_size > CONTENTS || size < LOCAL_BYTES || offset > size - LOCAL_BYTES)
        return 0;
    size_t begin = offset + LOCAL_BYTES + number(data + offset + 26, 2) + number(data + offset + 28, 2);
    if (begin > size || out->packed_size > size - begin)
        return 0;
    memcpy(out->name, entry + ENTRY_BYTES, out->name_length);
    memcpy(out->packed, data + begin, out->packed_size);
    return 1;
}

/* Members that were read; 0 when it is no archive. */
static int take_apart(const uint8_t *data, size_t size)
{
    if (size < END_BYTES || size > MUTATE_MOST)
        return 0;
    const uint8_t *end = data + size - END_BYTES;
    while (end > data && number(end, 4) != 0x06054B50u)
        end--;
    size_t at = number(end + 16, 4);
    int wanted = (int)number(end + 10, 2), count = 0;
    if (number(end, 4) != 0x06054B50u || wanted > MOST_MEMBERS)
        return 0;
    for (; count < wanted; count++) {
        if (at > size - END_BYTES || size - at < ENTRY_BYTES)
            return 0;
        size_t length = ENTRY_BYTES + number(data + at + 28, 2) + number(data + at + 30, 2) + number(data + at + 32, 2);
        if (length > size - at || !read_member(data, size, data + at, &members[count]))
            return 0;
        at += length;
    }
    return count;
}

/* What a member's header and its directory entry share. */
static uint8_t *put_shared(uint8_t *at, const member *from)
{
    at = put(at, 20, 4); /* version 2.0, no flags */
    at = put(at, from->method, 2);
    at = put(at, 0x210000, 4);
    at = put(at, from->crc, 4);
    at = put(at, (uint32_t)from->packed_size, 4);
    at = put(at, from->size, 4);
    return put(at, (uint32_t)from->name_length, 4); /* and no extra field */
}

/* `size` when it does not fit. */
static size_t put_together(uint8_t *data, size_t size, size_t max_size, int count)
{
    size_t total = END_BYTES;
    uint32_t offsets[MOST_MEMBERS];
    for (int k = 0; k < count; k++)
        total += LOCAL_BYTES + ENTRY_BYTES + 2 * members[k].name_length + members[k].packed_size;
    if (total > max_size)
        return size;
    uint8_t *at = data;
    for (int k = 0; k < count; k++) {
        offsets[k] = (uint32_t)(at - data);
        at = put_shared(put(at, 0x04034B50u, 4), &members[k]);
        memcpy(at, members[k].name, members[k].name_length);
        at += members[k].name_length;
        memcpy(at, members[k].packed, members[k].packed_size);
        at += members[k].packed_size;
    }
    uint32_t directory = (uint32_t)(at - data);
    for (int k = 0; k < count; k++) {
        at = put_shared(put(put(at, 0x02014B50u, 4), 20, 2), &members[k]);
        memset(at, 0, 10);
        at = put(at + 10, offsets[k], 4);
        memcpy(at, members[k].name, members[k].name_length);
        at += members[k].name_length;
    }
    uint32_t bytes = (uint32_t)(at - data) - directory;
    at = put(put(at, 0x06054B50u, 4), 0, 4);
    at = put(put(at, (uint32_t)count, 2), (uint32_t)count, 2);
    at = put(put(put(at, bytes, 4), directory, 4), 0, 2);
    return (size_t)(at - data);
}

/* ---- members ---- */

/* Bytes of the contents; 0 when they cannot be had. */
static size_t unpack(const member *from, uint8_t *contents)
{
    z_stream stream;
    if (from->method == 0) {
        memcpy(contents, from->packed, from->packed_size);
        return from->packed_size;
    }
    memset(&stream, 0, sizeof stream);
    if (inflateInit2(&stream, -15) != Z_OK)
        return 0;
    stream.next_in = (Bytef *)(uintptr_t)from->packed;
    stream.avail_in = (uInt)from->packed_size;
    stream.next_out = contents;
    stream.avail_out = CONTENTS;
    int code = inflate(&stream, Z_FINISH);
    size_t bytes = (size_t)stream.total_out;
    inflateEnd(&stream);
    return code == Z_STREAM_END ? bytes : 0;
}

/* Stored, or compressed with codes of their own, fixed codes, or none. */
static void pack(member *to, const uint8_t *contents, size_t bytes, unsigned int kind)
{
    static const int strategies[] = {Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY};
    z_stream stream;
    to->crc = (uint32_t)crc32(0, contents, (uInt)bytes);
    to->size = (uint32_t)bytes;
    to->method = 0;
    memcpy(to->packed, contents, bytes);
    to->packed_size = bytes;
    memset(&stream, 0, sizeof stream);
    if (kind % 4 == 0 ||
        deflateInit2(&stream, kind % 8 == 1 ? 0 : 9, Z_DEFLATED, -15, 9, strategies[kind % 4 - 1]) != Z_OK)
        return;
    stream.next_in = (Bytef *)(uintptr_t)contents;
    stream.avail_in = (uInt)bytes;
    stream.next_out = to->packed;
    stream.avail_out = CONTENTS;
    if (deflate(&stream, Z_FINISH) == Z_STREAM_END) {
        to->method = 8;
        to->packed_size = (size_t)stream.total_out;
    } else {
        memcpy(to->packed, contents, bytes);
    }
    deflateEnd(&stream);
}

/* The array's head may change with it, or its elements only. */
static void change_contents(member *picked, unsigned int seed)
{
    static uint8_t contents[CONTENTS];
    size_t bytes = unpack(picked, contents), head = seed % 2 ? 0 : 128;
    if (bytes > head && bytes + 64 < CONTENTS) {
        size_t most = seed / 2 % 2 ? bytes - head : bytes - head + 64;
        size_t after = LLVMFuzzerMutate(contents + head, bytes - head, most);
        if (seed / 2 % 2 == 0)
            bytes = head + after;
    }
    pack(picked, contents, bytes, seed / 4);
}

/* Compressed bytes change; where they still are something, the directory tells what. */
static void change_packed(member *picked)
{
    static uint8_t contents[CONTENTS];
    if (picked->packed_size > 0 && picked->packed_size + 16 < CONTENTS)
        picked->packed_size = LLVMFuzzerMutate(picked->packed, picked->packed_size, picked->packed_size + 16);
    size_t bytes = unpack(picked, contents);
    if (bytes > 0) {
        picked->size = (uint32_t)bytes;
        picked->crc = (uint32_t)crc32(0, contents, (uInt)bytes);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    int count = take_apart(data, size);
    if (count == 0 || seed % 8 == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    member *picked = &members[seed / 8 % (unsigned int)count];
    if (seed % 8 < 6)
        change_contents(picked, seed / 64);
    else
        change_packed(picked);
    return put_together(data, size, max_size, count);
}
