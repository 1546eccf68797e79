/* Reading safetensors: the header, the check that the tensors tile the data, and their elements. */
#include "formats/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "formats/json.h"

#define LENGTH_BYTES 8
#define NAMED 4 /* tensors that a text names */

static const struct {
    const char *name;
    int64_t bytes;
} elements[] = {
    [TSNNI_BOOL] = {"BOOL", 1},       [TSNNI_U8] = {"U8", 1},           [TSNNI_I8] = {"I8", 1},
    [TSNNI_F8_E5M2] = {"F8_E5M2", 1}, [TSNNI_F8_E4M3] = {"F8_E4M3", 1}, [TSNNI_I16] = {"I16", 2},
    [TSNNI_U16] = {"U16", 2},         [TSNNI_F16] = {"F16", 2},         [TSNNI_BF16] = {"BF16", 2},
    [TSNNI_I32] = {"I32", 4},         [TSNNI_U32] = {"U32", 4},         [TSNNI_F32] = {"F32", 4},
    [TSNNI_F64] = {"F64", 8},         [TSNNI_I64] = {"I64", 8},         [TSNNI_U64] = {"U64", 8},
};
#define ELEMENTS ((int)(sizeof elements / sizeof *elements))

const char *tsnni_element_name(tsnni_element element)
{
    return (int)element >= 0 && (int)element < ELEMENTS ? elements[element].name : NULL;
}

int64_t tsnni_element_bytes(tsnni_element element)
{
    return elements[element].bytes;
}

int32_t tsnni_element_by_name(const char *name, tsnni_element *element)
{
    for (int k = 0; k < ELEMENTS; k++)
        if (strcmp(elements[k].name, name) == 0) {
            *element = (tsnni_element)k;
            return 1;
        }
    return 0;
}

/* ---- order ---- */

static int by_place(const void *left, const void *right)
{
    const tsnni_tensor *a = left, *b = right;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    return (a->end > b->end) - (a->end < b->end);
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const tsnni_tensor *)left)->name, ((const tsnni_tensor *)right)->name);
}

static int by_key(const void *left, const void *right)
{
    return strcmp(((const tsnni_metadata *)left)->key, ((const tsnni_metadata *)right)->key);
}

/* Each tensor begins where the one before ends, is as long as its shape says, and the last ends with the data. */
static tsnn_status check_places(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t data_bytes)
{
    int64_t end = 0, bytes;
    for (int64_t k = 0; k < file->tensor_count; k++) {
        const tsnni_tensor *tensor = &file->tensors[k];
        if (tensor->begin != end || tensor->end < tensor->begin)
            return tsnni_fail(runtime, TSNN_ERROR_FORMAT,
                              "tensor \"%.80s\" is at bytes %lld to %lld of the data; the one before ends at %lld",
                              tensor->name, (long long)tensor->begin, (long long)tensor->end, (long long)end);
        if (tsnni_multiply(tensor->count, tsnni_element_bytes(tensor->element), &bytes) < 0 ||
            bytes != tensor->end - tensor->begin)
            return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "tensor \"%.80s\": %lld elements of %s in %lld bytes",
                              tensor->name, (long long)tensor->count, tsnni_element_name(tensor->element),
                              (long long)(tensor->end - tensor->begin));
        end = tensor->end;
    }
    if (end != data_bytes)
        return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "the tensors take %lld bytes; the file holds %lld of data",
                          (long long)end, (long long)data_bytes);
    return TSNN_OK;
}

/* ---- the file ---- */

/* The header's length, when such a header is really there. */
static tsnn_status read_length(tsnni_runtime *runtime, const tsnni_source *source, int64_t *length)
{
    unsigned char bytes[LENGTH_BYTES];
    uint64_t number = 0;
    if (source->size < LENGTH_BYTES)
        return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "%lld bytes are no safetensors file", (long long)source->size);
    tsnn_status status = tsnni_source_read(runtime, source, 0, LENGTH_BYTES, bytes);
    if (status < 0)
        return status;
    for (int k = LENGTH_BYTES - 1; k >= 0; k--)
        number = number << 8 | bytes[k];
    if (number > (uint64_t)(source->size - LENGTH_BYTES) || number > (uint64_t)TSNNI_HEADER_BYTES)
        return tsnni_fail(runtime, TSNN_ERROR_FORMAT,
                          "a header of %llu bytes in a file of %lld; a header has at most %lld",
                          (unsigned long long)number, (long long)source->size, (long long)TSNNI_HEADER_BYTES);
    *length = (int64_t)number;
    return TSNN_OK;
}

tsnn_status tsnni_safetensors_open(tsnni_runtime *runtime, const tsnni_source *source, tsnni_safetensors *out)
{
    int64_t length = 0;
    char *header = NULL;
    tsnn_status status;
    memset(out, 0, sizeof *out);
    TSNNI_TRY(read_length(runtime, source, &length));
    out->source = source;
    out->data = LENGTH_BYTES + length;
    TSNNI_TRY(TSNNI_NEW(runtime, length, &header));
    TSNNI_TRY(TSNNI_NEW(runtime, length, &out->text));
    TSNNI_TRY(tsnni_source_read(runtime, source, LENGTH_BYTES, length, header));
    if (length == 0 || header[0] != '{')
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "no safetensors file: its header does not begin with {");
    TSNNI_TRY(tsnni_json_read_header(runtime, header, length, out));
    if (out->tensor_count > 0)
        qsort(out->tensors, (size_t)out->tensor_count, sizeof *out->tensors, by_place);
    TSNNI_TRY(check_places(runtime, out, source->size - out->data));
    if (out->tensor_count > 0)
        qsort(out->tensors, (size_t)out->tensor_count, sizeof *out->tensors, by_name);
    if (out->metadata_count > 0)
        qsort(out->metadata, (size_t)out->metadata_count, sizeof *out->metadata, by_key);
    tsnni_release(runtime, header);
    return TSNN_OK;
fail:
    tsnni_release(runtime, header);
    tsnni_safetensors_close(runtime, out);
    return status;
}

void tsnni_safetensors_close(tsnni_runtime *runtime, tsnni_safetensors *file)
{
    tsnni_release(runtime, file->tensors);
    tsnni_release(runtime, file->metadata);
    tsnni_release(runtime, file->text);
    memset(file, 0, sizeof *file);
}

const tsnni_tensor *tsnni_safetensors_find(const tsnni_safetensors *file, const char *name)
{
    tsnni_tensor wanted = {.name = name};
    if (file->tensor_count == 0)
        return NULL;
    return bsearch(&wanted, file->tensors, (size_t)file->tensor_count, sizeof wanted, by_name);
}

tsnn_status tsnni_safetensors_lacks(tsnni_runtime *runtime, const tsnni_safetensors *file, const char *name)
{
    char there[NAMED * 64 + 40] = "none";
    int length = 0;
    for (int64_t k = 0; k < file->tensor_count && k < NAMED; k++)
        length += snprintf(there + length, sizeof there - (size_t)length, "%s\"%.56s\"", k > 0 ? ", " : "",
                           file->tensors[k].name);
    if (file->tensor_count > NAMED)
        snprintf(there + length, sizeof there - (size_t)length, " and %lld more",
                 (long long)file->tensor_count - NAMED);
    return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT, "the file has no tensor \"%.80s\"; it has %s", name, there);
}

const char *tsnni_safetensors_metadata(const tsnni_safetensors *file, const char *key)
{
    tsnni_metadata wanted = {key, NULL};
    if (file->metadata_count == 0)
        return NULL;
    const tsnni_metadata *found = bsearch(&wanted, file->metadata, (size_t)file->metadata_count, sizeof wanted, by_key);
    return found != NULL ? found->value : NULL;
}

tsnn_status tsnni_safetensors_read(tsnni_runtime *runtime, const tsnni_safetensors *file, const tsnni_tensor *tensor,
                                   void *to)
{
    if (TSNNI_OTHER_BYTE_ORDER && tsnni_element_bytes(tensor->element) > 1)
        return tsnni_fail(runtime, TSNN_ERROR_UNSUPPORTED, "safetensors are little-endian, this machine is not");
    return tsnni_source_read(runtime, file->source, file->data + tensor->begin, tensor->end - tensor->begin, to);
}

const void *tsnni_safetensors_view(const tsnni_safetensors *file, const tsnni_tensor *tensor)
{
    if (TSNNI_OTHER_BYTE_ORDER || file->source->memory == NULL)
        return NULL;
    const unsigned char *first = file->source->memory + file->data + tensor->begin;
    return (uintptr_t)first % (size_t)tsnni_element_bytes(tensor->element) == 0 ? first : NULL;
}
