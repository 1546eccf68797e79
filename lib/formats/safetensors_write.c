/* Writing safetensors: a plan of tensors and metadata, then header and data in one go. */
#include "formats/safetensors.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"

#define FIRST_CAPACITY 16
#define LENGTH_OF_SIZE 8  /* bytes in front of the header */
#define HEADER_MULTIPLE 8 /* spaces fill the header up, so that the data are aligned */
#define WIDEST_ELEMENT 8
#define ESCAPED 6 /* most bytes that one byte of a string becomes: \u001f */

/* ---- growing arrays ---- */

/* Room for `more` elements behind `used`. */
static tsnn_status reserve(tsnni_runtime *runtime, void **array, size_t size, int64_t used, int64_t more,
                           int64_t *capacity)
{
    int64_t wanted;
    void *larger;
    tsnn_status status;
    if (tsnni_add(used, more, &wanted) < 0 || wanted > INT64_MAX / 2)
        TSNNI_FAIL(runtime, TSNN_ERROR_OVERFLOW, "%lld elements after %lld", (long long)more, (long long)used);
    if (wanted <= *capacity)
        return TSNN_OK;
    wanted = wanted > 2 * *capacity ? wanted : 2 * *capacity;
    wanted = wanted > FIRST_CAPACITY ? wanted : FIRST_CAPACITY;
    TSNNI_TRY(tsnni_allocate(runtime, wanted, size, &larger));
    if (used > 0)
        memcpy(larger, *array, (size_t)used * size);
    tsnni_release(runtime, *array);
    *array = larger;
    *capacity = wanted;
    return TSNN_OK;
fail:
    return status;
}

/* ---- JSON strings ---- */

/* The length of the UTF-8 sequence at `text`, or 0: overlong forms, surrogates and numbers above U+10FFFF are none. */
static int utf8_length(const unsigned char *text)
{
    if (text[0] < 0x80)
        return 1;
    int length = text[0] >= 0xC2 && text[0] < 0xE0 ? 2 : text[0] >= 0xE0 && text[0] < 0xF0 ? 3 : 4;
    if (text[0] < 0xC2 || text[0] > 0xF4)
        return 0;
    for (int k = 1; k < length; k++)
        if ((text[k] & 0xC0) != 0x80)
            return 0;
    if ((text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xED && text[1] > 0x9F) ||
        (text[0] == 0xF0 && text[1] < 0x90) || (text[0] == 0xF4 && text[1] > 0x8F))
        return 0;
    return length;
}

static tsnn_status check_utf8(tsnni_runtime *runtime, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
        int length = utf8_length(at);
        if (length == 0)
            return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT, "byte %lld of a text is no UTF-8",
                              (long long)(at - (const unsigned char *)text));
        at += length;
    }
    return TSNN_OK;
}

/* With its quotes; the room must be there. Returns the bytes written. */
static int64_t put_string(char *to, const char *text)
{
    char *at = to;
    *at++ = '"';
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            *at++ = '\\';
            *at++ = (char)c;
        } else if (c < 0x20) {
            static const char digits[] = "0123456789abcdef";
            memcpy(at, "\\u00", 4);
            at[4] = digits[c >> 4];
            at[5] = digits[c & 15];
            at += 6;
        } else {
            *at++ = (char)c;
        }
    }
    *at++ = '"';
    return at - to;
}

/* ---- the plan ---- */

tsnn_status tsnni_plan_add_tensor(tsnni_runtime *runtime, tsnni_safetensors_plan *plan, const char *name,
                                  tsnni_element element, int32_t rank, const int64_t *shape, const void *data,
                                  tsnni_tensor_writer write)
{
    tsnn_status status;
    if (strlen(name) >= TSNNI_TENSOR_NAME)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "a tensor's name of %lld bytes; at most %d",
                   (long long)strlen(name), TSNNI_TENSOR_NAME - 1);
    TSNNI_TRY(check_utf8(runtime, name));
    TSNNI_TRY(reserve(runtime, (void **)&plan->tensors, sizeof *plan->tensors, plan->tensor_count, 1,
                      &plan->tensor_capacity));
    tsnni_tensor_entry *entry = &plan->tensors[plan->tensor_count];
    memset(entry, 0, sizeof *entry);
    memcpy(entry->name, name, strlen(name) + 1);
    entry->element = element;
    entry->rank = rank;
    entry->data = data;
    entry->write = write;
    entry->bytes = tsnni_element_bytes(element);
    for (int32_t d = 0; d < rank; d++) {
        entry->shape[d] = shape[d];
        if (tsnni_multiply(entry->bytes, shape[d], &entry->bytes) < 0)
            TSNNI_FAIL(runtime, TSNN_ERROR_OVERFLOW, "tensor \"%.80s\": its shape overflows", name);
    }
    plan->tensor_count++;
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnni_plan_add_metadata(tsnni_runtime *runtime, tsnni_safetensors_plan *plan, const char *key,
                                    const char *value)
{
    tsnn_status status;
    TSNNI_TRY(check_utf8(runtime, key));
    TSNNI_TRY(check_utf8(runtime, value));
    int64_t most = ESCAPED * (int64_t)(strlen(key) + strlen(value)) + 6;
    TSNNI_TRY(reserve(runtime, (void **)&plan->metadata, 1, plan->metadata_size, most, &plan->metadata_capacity));
    char *start = plan->metadata + plan->metadata_size, *at = start;
    if (plan->metadata_size > 0)
        *at++ = ',';
    at += put_string(at, key);
    *at++ = ':';
    at += put_string(at, value);
    plan->metadata_size += at - start;
    return TSNN_OK;
fail:
    return status;
}

void tsnni_plan_free(tsnni_runtime *runtime, tsnni_safetensors_plan *plan)
{
    tsnni_release(runtime, plan->tensors);
    tsnni_release(runtime, plan->metadata);
    memset(plan, 0, sizeof *plan);
}

/* ---- writing ---- */

/* One entry of the header, at `begin` of the data. Returns the bytes written. */
static int64_t put_entry(char *to, const tsnni_tensor_entry *entry, int64_t begin)
{
    char *at = to + put_string(to, entry->name);
    at += snprintf(at, 48, ":{\"dtype\":\"%s\",\"shape\":[", tsnni_element_name(entry->element));
    for (int32_t d = 0; d < entry->rank; d++)
        at += snprintf(at, 24, "%s%lld", d > 0 ? "," : "", (long long)entry->shape[d]);
    at += snprintf(at, 72, "],\"data_offsets\":[%lld,%lld]}", (long long)begin, (long long)(begin + entry->bytes));
    return at - to;
}

/* Calls for each tensor in the order of the file: by width of its elements. */
#define FOR_EACH_TENSOR(plan, entry)                                                                                   \
    for (int64_t width = WIDEST_ELEMENT; width > 0; width /= 2)                                                        \
        for (const tsnni_tensor_entry *entry = (plan)->tensors; entry < (plan)->tensors + (plan)->tensor_count;        \
             entry++)                                                                                                  \
            if (tsnni_element_bytes(entry->element) == width)

static tsnn_status write_header(tsnni_runtime *runtime, const tsnni_safetensors_plan *plan, tsnni_sink *sink)
{
    int64_t most_entry = ESCAPED * TSNNI_TENSOR_NAME + 48 + 24 * TSNNI_TENSOR_RANK + 72;
    int64_t size = LENGTH_OF_SIZE, capacity = 0, begin = 0;
    char *header = NULL;
    tsnn_status status;
    TSNNI_TRY(reserve(runtime, (void **)&header, 1, 0, plan->metadata_size + 64, &capacity));
    size += snprintf(header + size, 24, "{\"__metadata__\":{");
    if (plan->metadata_size > 0)
        memcpy(header + size, plan->metadata, (size_t)plan->metadata_size);
    size += plan->metadata_size;
    header[size++] = '}';
    FOR_EACH_TENSOR(plan, entry)
    {
        TSNNI_TRY(reserve(runtime, (void **)&header, 1, size, most_entry, &capacity));
        header[size++] = ',';
        size += put_entry(header + size, entry, begin);
        if (tsnni_add(begin, entry->bytes, &begin) < 0)
            TSNNI_FAIL(runtime, TSNN_ERROR_OVERFLOW, "the tensors are too large for a file");
    }
    TSNNI_TRY(reserve(runtime, (void **)&header, 1, size, HEADER_MULTIPLE, &capacity));
    header[size++] = '}';
    while (size % HEADER_MULTIPLE != 0)
        header[size++] = ' ';
    int64_t length = size - LENGTH_OF_SIZE;
    if (length > TSNNI_HEADER_BYTES)
        TSNNI_FAIL(runtime, TSNN_ERROR_OVERFLOW, "a header of %lld bytes; at most %lld", (long long)length,
                   (long long)TSNNI_HEADER_BYTES);
    for (int k = 0; k < LENGTH_OF_SIZE; k++)
        header[k] = (char)(unsigned char)((uint64_t)length >> 8 * k);
    TSNNI_TRY(tsnni_sink_write(runtime, sink, header, size));
    tsnni_release(runtime, header);
    return TSNN_OK;
fail:
    tsnni_release(runtime, header);
    return status;
}

tsnn_status tsnni_plan_write(tsnni_runtime *runtime, const tsnni_safetensors_plan *plan, tsnni_sink *sink)
{
    tsnn_status status;
    if (TSNNI_OTHER_BYTE_ORDER)
        TSNNI_FAIL(runtime, TSNN_ERROR_UNSUPPORTED, "safetensors are little-endian, this machine is not");
    TSNNI_TRY(write_header(runtime, plan, sink));
    FOR_EACH_TENSOR(plan, entry)
    {
        if (entry->write == NULL)
            TSNNI_TRY(tsnni_sink_write(runtime, sink, entry->data, entry->bytes));
        else
            TSNNI_TRY(entry->write(runtime, sink, entry->data));
    }
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnni_plan_save(tsnni_runtime *runtime, const tsnni_safetensors_plan *plan, const char *path)
{
    tsnni_sink sink;
    tsnn_status status;
    TSNNI_TRY(tsnni_sink_open(runtime, path, &sink));
    TSNNI_TRY(tsnni_plan_write(runtime, plan, &sink));
    TSNNI_TRY(tsnni_sink_commit(runtime, &sink));
fail:
    tsnni_sink_abandon(runtime, &sink);
    return status;
}
