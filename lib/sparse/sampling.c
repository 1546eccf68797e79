/* Patterns of an exact count: distinct cells, laid out row by row. */
#include "sparse/sampling.h"

#include "core/memory.h"
#include "core/parallel.h"
#include "sparse/partition.h"

#define LAY_COST 2 /* ns a connection or row */

typedef struct lay_task {
    const int64_t *cells; /* rising; NULL: every cell */
    int64_t chunks;
    tsnni_pattern *pattern;
} lay_task;

static void lay_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const lay_task *task = argument;
    const int64_t *cells = task->cells, columns = task->pattern->columns, count = task->pattern->count;
    tsnni_indices column = task->pattern->column; /* a copy: no store can change it */
    int64_t begin = tsnni_partition_even(task->pattern->rows, chunk, task->chunks);
    int64_t end = tsnni_partition_even(task->pattern->rows, chunk + 1, task->chunks);
    int64_t k = tsnni_count_below(cells, count, begin * columns);
    (void)worker;
    for (int64_t row = begin; row < end; row++) {
        for (; k < count && cells[k] < (row + 1) * columns; k++)
            tsnni_index_set(&column, k, cells[k] - row * columns);
        task->pattern->row_ptr[row + 1] = k;
    }
}

static void fill_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const lay_task *task = argument;
    tsnni_pattern *pattern = task->pattern;
    int64_t end = tsnni_partition_even(pattern->rows, chunk + 1, task->chunks);
    (void)worker;
    for (int64_t row = tsnni_partition_even(pattern->rows, chunk, task->chunks); row < end; row++) {
        for (int64_t column = 0; column < pattern->columns; column++)
            tsnni_index_set(&pattern->column, row * pattern->columns + column, column);
        pattern->row_ptr[row + 1] = (row + 1) * pattern->columns;
    }
}

tsnn_status tsnni_sample_exact(tsnni_runtime *runtime, int64_t rows, int64_t columns, int64_t count, uint64_t seed,
                               int64_t layer, tsnni_pattern *out)
{
    int64_t *cells = NULL;
    tsnn_status status;
    TSNNI_TRY(tsnni_pattern_allocate(runtime, rows, columns, count, out));
    lay_task task = {NULL, tsnni_parallel_chunks(runtime->threads), out};
    if (count == rows * columns) {
        tsnni_parallel_for(runtime->threads, LAY_COST * count, task.chunks, fill_chunk, &task);
        return TSNN_OK;
    }
    TSNNI_TRY(tsnni_sample_distinct(runtime, tsnni_random_key_make(seed, TSNNI_PURPOSE_TOPOLOGY, layer, 0, 0),
                                    rows * columns, count, &cells));
    task.cells = cells;
    tsnni_parallel_for(runtime->threads, LAY_COST * (count + rows), task.chunks, lay_chunk, &task);
    tsnni_release(runtime, cells);
    return TSNN_OK;
fail:
    tsnni_pattern_free(runtime, out);
    return status;
}
