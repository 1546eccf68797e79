/* The JSON header of a safetensors file, parsed with jansson, and real numbers as text. */
#include "formats/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

#if TSNN_MODEL_FILES

#include <jansson.h>

/* A header has containers in containers in one. */
#define DEEPEST 3
/* Bytes of header to each container: an entry, the shortest of which takes 50, has three. */
#define BYTES_A_CONTAINER 16

/* Bounds what jansson will take, before it takes it: an object costs it some 250 bytes, however short its text. */
static tsnn_status check_containers(tsnni_runtime *runtime, const char *header, int64_t bytes)
{
    int64_t containers = 0, depth = 0;
    int32_t in_string = 0;
    for (int64_t k = 0; k < bytes; k++) {
        char c = header[k];
        if (in_string) {
            if (c == '\\')
                k++;
            else
                in_string = c != '"';
            continue;
        }
        if (c == '{' || c == '[') {
            containers++;
            depth++;
        } else if (c == '}' || c == ']') {
            depth--;
        }
        in_string = c == '"';
        if (depth > DEEPEST)
            return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "header, byte %lld: nested more than %d deep", (long long)k,
                              DEEPEST);
    }
    if (containers > bytes / BYTES_A_CONTAINER + 4)
        return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "a header of %lld bytes with %lld objects and arrays",
                          (long long)bytes, (long long)containers);
    return TSNN_OK;
}

/* Names are cut in messages: they may be as long as the header. */
static tsnn_status wrong(tsnni_runtime *runtime, const char *name, const char *what)
{
    return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "tensor \"%.80s\": %s", name, what);
}

/* The text must have room: a string is never longer than what the header spends on it. */
static const char *keep(tsnni_safetensors *file, int64_t *used, const char *string)
{
    size_t size = strlen(string) + 1;
    char *kept = file->text + *used;
    memcpy(kept, string, size);
    *used += (int64_t)size;
    return kept;
}

static int32_t read_size(const json_t *value, int64_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return 0;
    *out = json_integer_value(value);
    return 1;
}

static tsnn_status read_tensor(tsnni_runtime *runtime, const char *name, const json_t *entry, tsnni_tensor *tensor)
{
    const char *type = json_string_value(json_object_get(entry, "dtype"));
    const json_t *shape = json_object_get(entry, "shape"), *offsets = json_object_get(entry, "data_offsets");
    if (type == NULL || !json_is_array(shape) || !json_is_array(offsets))
        return wrong(runtime, name, "dtype, shape or data_offsets is missing or of another type");
    if (!tsnni_element_by_name(type, &tensor->element))
        return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "tensor \"%.80s\": dtype \"%.16s\" is unknown", name, type);
    if (json_array_size(shape) > TSNNI_TENSOR_RANK)
        return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "tensor \"%.80s\": %lld dimensions; at most %d", name,
                          (long long)json_array_size(shape), TSNNI_TENSOR_RANK);
    tensor->rank = (int32_t)json_array_size(shape);
    tensor->count = 1;
    for (int32_t d = 0; d < tensor->rank; d++) {
        if (!read_size(json_array_get(shape, (size_t)d), &tensor->shape[d]))
            return wrong(runtime, name, "a dimension is no whole number from 0 on");
        if (tsnni_multiply(tensor->count, tensor->shape[d], &tensor->count) < 0)
            return wrong(runtime, name, "its shape overflows");
    }
    if (json_array_size(offsets) != 2 || !read_size(json_array_get(offsets, 0), &tensor->begin) ||
        !read_size(json_array_get(offsets, 1), &tensor->end))
        return wrong(runtime, name, "data_offsets are no two whole numbers from 0 on");
    return TSNN_OK;
}

static tsnn_status read_metadata(tsnni_runtime *runtime, json_t *object, tsnni_safetensors *file, int64_t *used)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "__metadata__ is no object");
    tsnn_status status = TSNNI_NEW(runtime, (int64_t)json_object_size(object), &file->metadata);
    if (status < 0)
        return status;
    json_object_foreach(object, key, value)
    {
        if (!json_is_string(value))
            return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "__metadata__: \"%.80s\" is no text", key);
        tsnni_metadata *pair = &file->metadata[file->metadata_count++];
        pair->key = keep(file, used, key);
        pair->value = keep(file, used, json_string_value(value));
    }
    return TSNN_OK;
}

static tsnn_status read_entries(tsnni_runtime *runtime, json_t *root, tsnni_safetensors *file)
{
    int64_t used = 0;
    const char *name;
    json_t *entry;
    tsnn_status status;
    if (!json_is_object(root))
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "the header is no object");
    TSNNI_TRY(TSNNI_NEW(runtime, (int64_t)json_object_size(root), &file->tensors));
    json_object_foreach(root, name, entry)
    {
        if (strcmp(name, "__metadata__") == 0) {
            TSNNI_TRY(read_metadata(runtime, entry, file, &used));
            continue;
        }
        tsnni_tensor *tensor = &file->tensors[file->tensor_count];
        memset(tensor, 0, sizeof *tensor);
        TSNNI_TRY(read_tensor(runtime, name, entry, tensor));
        tensor->name = keep(file, &used, name);
        file->tensor_count++;
    }
    return TSNN_OK;
fail:
    return status;
}

/* jansson 2.14 writes on where its buffer could not grow. What it may need is asked for beforehand and given back, so
 * that memory which is not there shows here. Another thread may still take it in between. */
static int32_t memory_suffices(int64_t bytes)
{
    void *trial = malloc((size_t)bytes * TSNNI_JSON_FACTOR);
    free(trial);
    return trial != NULL;
}

tsnn_status tsnni_json_read_header(tsnni_runtime *runtime, const char *header, int64_t bytes, tsnni_safetensors *file)
{
    json_error_t error;
    tsnn_status status = check_containers(runtime, header, bytes);
    if (status < 0)
        return status;
    if (!memory_suffices(bytes))
        return tsnni_fail(runtime, TSNN_ERROR_OUT_OF_MEMORY, "out of memory for a header of %lld bytes",
                          (long long)bytes);
    json_t *root = json_loadb(header, (size_t)bytes, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL && json_error_code(&error) == json_error_out_of_memory)
        return tsnni_fail(runtime, TSNN_ERROR_OUT_OF_MEMORY, "out of memory for a header of %lld bytes",
                          (long long)bytes);
    if (root == NULL)
        return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "header, byte %d: %s", error.position, error.text);
    status = read_entries(runtime, root, file);
    json_decref(root);
    return status;
}

tsnn_status tsnni_json_write_real(tsnni_runtime *runtime, double number, int digits, char text[TSNNI_REAL_TEXT])
{
    json_t *value = json_real(number); /* NULL for what is not finite, too */
    if (value == NULL)
        return isfinite(number) ? tsnni_fail(runtime, TSNN_ERROR_OUT_OF_MEMORY, "out of memory for a number")
                                : tsnni_fail(runtime, TSNN_ERROR_NOT_FINITE, "%g cannot be written", number);
    size_t length = json_dumpb(value, text, TSNNI_REAL_TEXT - 1, JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits));
    json_decref(value);
    if (length == 0 || length >= TSNNI_REAL_TEXT)
        return tsnni_fail(runtime, TSNN_ERROR_OUT_OF_MEMORY, "out of memory for a number");
    text[length] = '\0';
    return TSNN_OK;
}

/* What is no number at its first glance is not for jansson, which builds whatever else the text may hold. */
int32_t tsnni_json_read_real(const char *text, double *number)
{
    size_t length = strspn(text, "0123456789+-.eE");
    if (length >= TSNNI_REAL_TEXT || text[length] != '\0')
        return 0;
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    int32_t found = json_is_number(value);
    if (found)
        *number = json_number_value(value);
    json_decref(value);
    return found;
}

#else

static tsnn_status unsupported(tsnni_runtime *runtime)
{
    return tsnni_fail(runtime, TSNN_ERROR_UNSUPPORTED, "this libtsnn was built without model files (jansson)");
}

tsnn_status tsnni_json_read_header(tsnni_runtime *runtime, const char *header, int64_t bytes, tsnni_safetensors *file)
{
    (void)header;
    (void)bytes;
    (void)file;
    return unsupported(runtime);
}

tsnn_status tsnni_json_write_real(tsnni_runtime *runtime, double number, int digits, char text[TSNNI_REAL_TEXT])
{
    (void)number;
    (void)digits;
    text[0] = '\0';
    return unsupported(runtime);
}

int32_t tsnni_json_read_real(const char *text, double *number)
{
    (void)text;
    (void)number;
    return 0;
}

#endif
