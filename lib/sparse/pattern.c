/* Life of a pattern. */
#include "sparse/pattern.h"

#include <string.h>

#include "core/memory.h"

int32_t tsnni_index_width(int64_t dimension)
{
    return dimension <= (int64_t)UINT16_MAX + 1 ? 2 : 4;
}

tsnn_status tsnni_indices_allocate(tsnni_runtime *runtime, int64_t count, int32_t width, tsnni_indices *out)
{
    unsigned char *data;
    int64_t padded;
    out->data = NULL;
    out->width = 0;
    if (tsnni_add(count, TSNNI_INDEX_PADDING, &padded) < 0)
        return tsnni_fail(runtime, TSNN_ERROR_OVERFLOW, "cannot allocate %lld indices", (long long)count);
    tsnn_status status = tsnni_allocate(runtime, padded, (size_t)width, (void **)&data);
    if (status < 0)
        return status;
    memset(data + (size_t)count * (size_t)width, 0, (size_t)TSNNI_INDEX_PADDING * (size_t)width);
    out->data = data;
    out->width = width;
    return TSNN_OK;
}

void tsnni_indices_free(tsnni_runtime *runtime, tsnni_indices *indices)
{
    tsnni_release(runtime, indices->data);
    indices->data = NULL;
    indices->width = 0;
}

tsnn_status tsnni_pattern_check(tsnni_runtime *runtime, int64_t rows, int64_t columns, int64_t count)
{
    if (rows < 1 || rows > INT32_MAX || columns < 1 || columns > INT32_MAX)
        return tsnni_fail(runtime, TSNN_ERROR_SHAPE, "%lld x %lld: each dimension must be between 1 and %ld",
                          (long long)rows, (long long)columns, (long)INT32_MAX);
    if (count < 0)
        return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT, "%lld connections; they must not be below 0",
                          (long long)count);
    if (count > TSNNI_MAX_CONNECTIONS)
        return tsnni_fail(runtime, TSNN_ERROR_OVERFLOW, "%lld connections; at most %lld", (long long)count,
                          (long long)TSNNI_MAX_CONNECTIONS);
    if (count > rows * columns)
        return tsnni_fail(runtime, TSNN_ERROR_STRUCTURE, "%lld connections in %lld x %lld cells", (long long)count,
                          (long long)rows, (long long)columns);
    return TSNN_OK;
}

tsnn_status tsnni_pattern_allocate(tsnni_runtime *runtime, int64_t rows, int64_t columns, int64_t count,
                                   tsnni_pattern *out)
{
    tsnn_status status;
    memset(out, 0, sizeof *out);
    TSNNI_TRY(tsnni_pattern_check(runtime, rows, columns, count));
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, rows + 1, &out->row_ptr));
    TSNNI_TRY(tsnni_indices_allocate(runtime, count, tsnni_index_width(columns), &out->column));
    out->rows = rows;
    out->columns = columns;
    out->count = count;
    return TSNN_OK;
fail:
    tsnni_pattern_free(runtime, out);
    return status;
}

tsnn_status tsnni_pattern_copy(tsnni_runtime *runtime, const tsnni_pattern *from, tsnni_pattern *out)
{
    tsnn_status status = tsnni_pattern_allocate(runtime, from->rows, from->columns, from->count, out);
    if (status < 0)
        return status;
    memcpy(out->row_ptr, from->row_ptr, (size_t)(from->rows + 1) * sizeof *out->row_ptr);
    memcpy(out->column.data, from->column.data, (size_t)from->count * (size_t)from->column.width);
    return TSNN_OK;
}

void tsnni_pattern_free(tsnni_runtime *runtime, tsnni_pattern *pattern)
{
    tsnni_release(runtime, pattern->row_ptr);
    tsnni_indices_free(runtime, &pattern->column);
    memset(pattern, 0, sizeof *pattern);
}
