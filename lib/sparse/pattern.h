/* Where the connections are: a CSR structure without values. Several arrays (weight, velocity, gradient) share one
 * pattern. Rows are inputs, columns are outputs; columns rise strictly within a row. */
#ifndef TSNNI_SPARSE_PATTERN_H
#define TSNNI_SPARSE_PATTERN_H

#include "core/runtime.h"

/* Connections that kernels may look ahead, and entries behind the last index that they may read: they take four
 * connections at a time and prefetch for each. The padding holds index 0. */
#define TSNNI_MAX_PREFETCH 128
#define TSNNI_INDEX_PADDING (TSNNI_MAX_PREFETCH + 16)

/* Most connections of one pattern: positions are 32-bit in the transpose index. */
#define TSNNI_MAX_CONNECTIONS ((int64_t)UINT32_MAX)

/* 16-bit where the dimension allows it, else 32-bit. */
typedef struct tsnni_indices {
    void *data;    /* uint16_t or uint32_t, TSNNI_ALIGNMENT-aligned, TSNNI_INDEX_PADDING entries of padding */
    int32_t width; /* bytes: 2 or 4 */
} tsnni_indices;

typedef struct tsnni_pattern {
    int64_t rows, columns, count; /* count: stored connections */
    int64_t *row_ptr;             /* rows + 1 */
    tsnni_indices column;         /* count */
} tsnni_pattern;

/* Output-major index: for column j the entries [column_ptr[j], column_ptr[j + 1]) name the rows of its connections,
 * rising, and the position of each in the CSR order. */
typedef struct tsnni_transpose {
    int64_t *column_ptr; /* columns + 1 */
    tsnni_indices row;   /* count */
    uint32_t *position;  /* count, plus TSNNI_INDEX_PADDING entries of 0 */
} tsnni_transpose;

/* 2 when every index below `dimension` fits 16 bits, else 4. */
int32_t tsnni_index_width(int64_t dimension);
tsnn_status tsnni_indices_allocate(tsnni_runtime *runtime, int64_t count, int32_t width, tsnni_indices *out);
void tsnni_indices_free(tsnni_runtime *runtime, tsnni_indices *indices);

static inline int64_t tsnni_index_at(const tsnni_indices *indices, int64_t k)
{
    return indices->width == 2 ? ((const uint16_t *)indices->data)[k] : ((const uint32_t *)indices->data)[k];
}

static inline void tsnni_index_set(const tsnni_indices *indices, int64_t k, int64_t index)
{
    if (indices->width == 2)
        ((uint16_t *)indices->data)[k] = (uint16_t)index;
    else
        ((uint32_t *)indices->data)[k] = (uint32_t)index;
}

/* SHAPE for dimensions < 1 or above INT32_MAX; for count INVALID_ARGUMENT when negative, OVERFLOW above
 * TSNNI_MAX_CONNECTIONS, STRUCTURE above rows * columns. */
tsnn_status tsnni_pattern_check(tsnni_runtime *runtime, int64_t rows, int64_t columns, int64_t count);

/* An empty shell with its arrays allocated: row_ptr zeroed, indices unset. The errors of tsnni_pattern_check. *out is
 * zeroed on failure. */
tsnn_status tsnni_pattern_allocate(tsnni_runtime *runtime, int64_t rows, int64_t columns, int64_t count,
                                   tsnni_pattern *out);
tsnn_status tsnni_pattern_copy(tsnni_runtime *runtime, const tsnni_pattern *from, tsnni_pattern *out);
/* Takes a zeroed pattern; zeroes it. */
void tsnni_pattern_free(tsnni_runtime *runtime, tsnni_pattern *pattern);

/* Counting sort, O(count + rows + columns), on up to runtime->threads threads; the index is the same for any number. */
tsnn_status tsnni_transpose_build(tsnni_runtime *runtime, const tsnni_pattern *pattern, tsnni_transpose *out);

/* Indexes another pattern of the same sizes in the memory of an index. OUT_OF_MEMORY leaves the index as it was. */
tsnn_status tsnni_transpose_refill(tsnni_runtime *runtime, const tsnni_pattern *pattern, tsnni_transpose *transpose);
void tsnni_transpose_free(tsnni_runtime *runtime, tsnni_transpose *transpose);

#endif
