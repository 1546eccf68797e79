/* Patterns of an exact count: distinct cells, laid out row by row. */
#include "sparse/sampling.h"

#include "core/memory.h"
#include "sparse/partition.h"

#define LAY_COST 2 /* ns a connection or row */

typedef struct lay_task {
    const int64_t *cells; /* rising; NULL: every cell */
    tsnni_pattern *pattern;
} lay_task;

static void lay_cells(void *argument, int64_t begin, int64_t end)
{
    const lay_task *task = argument;
    const int64_t *cells = task->cells, columns = task->pattern->columns, count = task->pattern->count;
    tsnni_indices column = task->pattern->column; /* a copy: no store can change it */
    int64_t k = tsnni_count_below(cells, count, begin * columns);
    for (int64_t row = begin; row < end; row++) {
        for (; k < count && cells[k] < (row + 1) * columns; k++)
            tsnni_index_set(&column, k, cells[k] - row * columns);
        task->pattern->row_ptr[row + 1] = k;
    }
}

static void fill_rows(void *argument, int64_t begin, int64_t end)
{
    const lay_task *task = argument;
    tsnni_pattern *pattern = task->pattern;
    for (int64_t row = begin; row < end; row++) {
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
    lay_task task = {NULL, out};
    if (count == rows * columns) {
        tsnni_parallel_items(runtime->threads, LAY_COST * count, rows, fill_rows, &task);
        return TSNN_OK;
    }
    TSNNI_TRY(tsnni_sample_distinct(runtime, tsnni_random_key_make(seed, TSNNI_PURPOSE_TOPOLOGY, layer, 0, 0),
                                    rows * columns, count, &cells));
    task.cells = cells;
    tsnni_parallel_items(runtime->threads, LAY_COST * (count + rows), rows, lay_cells, &task);
    tsnni_release(runtime, cells);
    return TSNN_OK;
fail:
    tsnni_pattern_free(runtime, out);
    return status;
}
