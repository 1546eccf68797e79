/* The bounds of panels inside rows, one merge over the sorted indices of each row. */
#include "sparse/panels.h"

#include "core/memory.h"
#include "sparse/partition.h"

#define INDEX_COST 1 /* ns an index */

typedef struct panels_task {
    const int64_t *pointer;
    const tsnni_indices *index;
    int64_t rows, dimension, panels;
    int64_t *ends;
} panels_task;

static void bound_rows(void *argument, int64_t begin, int64_t end)
{
    const panels_task *task = argument;
    for (int64_t i = begin; i < end; i++) {
        int64_t k = task->pointer[i], last = task->pointer[i + 1];
        for (int64_t p = 0; p < task->panels - 1; p++) {
            int64_t bound = tsnni_partition_even(task->dimension, p + 1, task->panels);
            while (k < last && tsnni_index_at(task->index, k) < bound)
                k++;
            task->ends[p * task->rows + i] = k;
        }
    }
}

void tsnni_panels_fill(int32_t threads, const int64_t *pointer, const tsnni_indices *index, int64_t rows,
                       int64_t dimension, int64_t panels, int64_t *ends)
{
    panels_task task = {pointer, index, rows, dimension, panels, ends};
    tsnni_parallel_rows(threads, INDEX_COST * (pointer[rows] + rows), pointer, rows, 1, bound_rows, &task);
}

tsnn_status tsnni_panels_build(tsnni_runtime *runtime, const int64_t *pointer, const tsnni_indices *index, int64_t rows,
                               int64_t dimension, int64_t panels, int64_t **out)
{
    int64_t numbers;
    *out = NULL;
    if (tsnni_multiply(panels - 1, rows, &numbers) < 0)
        return tsnni_fail(runtime, TSNN_ERROR_OVERFLOW, "%lld panels of %lld rows", (long long)panels, (long long)rows);
    tsnn_status status = TSNNI_NEW(runtime, numbers, out);
    if (status < 0)
        return status;
    tsnni_panels_fill(runtime->threads, pointer, index, rows, dimension, panels, *out);
    return TSNN_OK;
}
