/* Changes model files so that they stay safetensors: the header's length fits, tensors that grow or shrink take their
 * offsets along, and so do those of the same length. */
#include "mutate.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

enum { LENGTH_BYTES = 8, MOST_TENSORS = 64 };

/* One tensor, in the order of the data. */
typedef struct tensor {
    const char *name;
    json_t *entry;
    size_t begin, end, element;
} tensor;

static int by_place(const void *left, const void *right)
{
    const tensor *a = left, *b = right;
    return (a->begin > b->begin) - (a->begin < b->begin);
}

/* 0: no file with a header. */
static size_t header_bytes(const uint8_t *data, size_t size)
{
    uint64_t length = 0;
    for (size_t k = LENGTH_BYTES; k-- > 0;)
        length = length << 8 | (k < size ? data[k] : 0);
    return size > LENGTH_BYTES && size <= MUTATE_MOST && length <= size - LENGTH_BYTES ? (size_t)length : 0;
}

/* Header and data one after the other; `size` itself where they do not fit. */
static size_t put_together(uint8_t *data, size_t size, size_t max_size, const void *header, size_t length,
                           const uint8_t *tensors, size_t bytes)
{
    if (LENGTH_BYTES + length + bytes > max_size)
        return size;
    for (size_t k = 0; k < LENGTH_BYTES; k++)
        data[k] = (uint8_t)((uint64_t)length >> 8 * k);
    memcpy(data + LENGTH_BYTES, header, length);
    memcpy(data + LENGTH_BYTES + length, tensors, bytes);
    return LENGTH_BYTES + length + bytes;
}

/* The header as text. */
static size_t change_header(uint8_t *data, size_t size, size_t max_size, size_t length)
{
    static uint8_t header[2 * MUTATE_MOST], tensors[MUTATE_MOST];
    size_t bytes = size - LENGTH_BYTES - length;
    memcpy(header, data + LENGTH_BYTES, length);
    memcpy(tensors, data + LENGTH_BYTES + length, bytes);
    length = LLVMFuzzerMutate(header, length, length + 256);
    return put_together(data, size, max_size, header, length, tensors, bytes);
}

/* Numbers, but not how many. */
static size_t change_numbers(uint8_t *data, size_t size, size_t length)
{
    static uint8_t changed[2 * MUTATE_MOST];
    uint8_t *tensors = data + LENGTH_BYTES + length;
    size_t bytes = size - LENGTH_BYTES - length;
    if (bytes == 0)
        return size;
    memcpy(changed, tensors, bytes);
    size_t after = LLVMFuzzerMutate(changed, bytes, bytes);
    memcpy(tensors, changed, after < bytes ? after : bytes);
    return size;
}

/* Those with one dimension and valid offsets, or none at all. */
static size_t list_tensors(json_t *root, size_t bytes, tensor *tensors)
{
    const char *name;
    json_t *entry;
    size_t count = 0;
    json_object_foreach(root, name, entry)
    {
        const json_t *offsets = json_object_get(entry, "data_offsets"), *shape = json_object_get(entry, "shape");
        json_int_t begin = json_integer_value(json_array_get(offsets, 0));
        json_int_t end = json_integer_value(json_array_get(offsets, 1));
        json_int_t length = json_integer_value(json_array_get(shape, 0));
        if (strcmp(name, "__metadata__") == 0)
            continue;
        if (count == MOST_TENSORS || begin < 0 || end < begin || end > (json_int_t)bytes || length < 0 ||
            json_array_size(shape) != 1)
            return 0;
        tensors[count++] = (tensor){name, entry, (size_t)begin, (size_t)end,
                                    length > 0 ? (size_t)((end - begin) / length) : sizeof(float)};
    }
    qsort(tensors, count, sizeof *tensors, by_place);
    return count;
}

/* One tensor, and perhaps all that are as long, become longer or shorter. */
static size_t change_lengths(uint8_t *data, size_t size, size_t max_size, size_t length, unsigned int seed)
{
    static uint8_t moved[2 * MUTATE_MOST];
    tensor tensors[MOST_TENSORS];
    const uint8_t *from = data + LENGTH_BYTES + length;
    json_t *root = json_loadb((const char *)data + LENGTH_BYTES, length, 0, NULL);
    size_t count = list_tensors(root, size - LENGTH_BYTES - length, tensors), at = 0;
    char *header = NULL;
    if (count > 0) {
        const tensor *picked = &tensors[seed % count];
        size_t element = picked->element > 0 ? picked->element : 1, old = (picked->end - picked->begin) / element;
        size_t now = seed / 256 % 2 ? old + 1 + seed / 512 % 3 : old - (old > 0);
        for (size_t k = 0; k < count; k++) {
            tensor *each = &tensors[k];
            size_t bytes = each->end - each->begin, wanted = bytes;
            if (each == picked || (seed / 64 % 4 != 0 && each->element > 0 && bytes / each->element == old))
                wanted = now * each->element;
            if (at + wanted > sizeof moved)
                break;
            size_t kept = bytes < wanted ? bytes : wanted;
            memcpy(moved + at, from + each->begin, kept);
            /* What is new is as the last was: for pointers that is an empty row. */
            for (size_t b = kept; b < wanted; b++)
                moved[at + b] = b >= each->element && each->element > 0 ? moved[at + b - each->element] : 0;
            if (wanted != bytes)
                json_object_set_new(each->entry, "shape", json_pack("[I]", (json_int_t)now));
            json_object_set_new(each->entry, "data_offsets",
                                json_pack("[I,I]", (json_int_t)at, (json_int_t)(at + wanted)));
            at += wanted;
        }
        header = json_dumps(root, JSON_COMPACT);
    }
    if (header != NULL)
        size = put_together(data, size, max_size, header, strlen(header), moved, at);
    json_free_t give_back = NULL;
    json_malloc_t take = NULL;
    json_get_alloc_funcs(&take, &give_back); /* the target has its own */
    if (header != NULL)
        give_back(header);
    json_decref(root);
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    size_t length = header_bytes(data, size);
    if (length == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    switch (seed % 8) {
    case 0:
        return LLVMFuzzerMutate(data, size, max_size);
    case 1:
    case 2:
    case 3:
        return change_header(data, size, max_size, length);
    case 4:
    case 5:
        return change_lengths(data, size, max_size, length, seed / 8);
    default:
        return change_numbers(data, size, length);
    }
}
