/* The merge of what stays with what comes. A new cell is known by its rank among the empty ones: with s survivors
 * before it, rank r is cell r + s of all cells, counted row by row. */
#include "sparse/regrow.h"

#include "core/memory.h"
#include "core/parallel.h"
#include "sparse/partition.h"

/* Nanoseconds, for the choice between one thread and many. */
#define COUNT_COST 1
#define MERGE_COST 4

typedef struct regrow_task {
    const tsnni_regrowth *regrowth;
    int64_t chunks;
    int64_t *kept; /* chunks + 1: survivors in the rows before each chunk */
    tsnni_pattern *pattern;
    float *values, *companion;
} regrow_task;

static int64_t chunk_row(const regrow_task *task, int64_t chunk)
{
    const tsnni_pattern *pattern = task->regrowth->pattern;
    return tsnni_partition_bound(pattern->row_ptr, pattern->rows, 1, chunk, task->chunks);
}

static void count_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const regrow_task *task = argument;
    const tsnni_regrowth *regrowth = task->regrowth;
    const int64_t *row_ptr = regrowth->pattern->row_ptr;
    int64_t kept = 0, end = row_ptr[chunk_row(task, chunk + 1)];
    (void)worker;
    for (int64_t k = row_ptr[chunk_row(task, chunk)]; k < end; k++)
        kept += !tsnni_cut_takes(regrowth->cuts, regrowth->values[k], k);
    task->kept[chunk + 1] = kept;
}

/* How many of the rising numbers are below the bound. */
static int64_t count_below(const int64_t *numbers, int64_t count, int64_t bound)
{
    int64_t low = 0, high = count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (numbers[middle] < bound)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Writes connection `slot` of the new pattern. */
static inline void emit(const regrow_task *task, int64_t slot, int64_t column, float value, float companion)
{
    tsnni_index_set(&task->pattern->column, slot, column);
    task->values[slot] = value;
    if (task->companion != NULL)
        task->companion[slot] = companion;
}

static void merge_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const regrow_task *task = argument;
    const tsnni_regrowth *regrowth = task->regrowth;
    const tsnni_pattern *old = regrowth->pattern;
    const int64_t *ranks = regrowth->ranks;
    int64_t begin = chunk_row(task, chunk), end = chunk_row(task, chunk + 1);
    int64_t kept = task->kept[chunk]; /* survivors so far; each connection's slot is kept + next */
    int64_t next = count_below(ranks, regrowth->fresh_count, begin * old->columns - kept);
    (void)worker;
    for (int64_t row = begin; row < end; row++) {
        int64_t offset = kept - row * old->columns; /* what a rank of this row lacks to its column */
        for (int64_t k = old->row_ptr[row]; k < old->row_ptr[row + 1]; k++) {
            if (tsnni_cut_takes(regrowth->cuts, regrowth->values[k], k))
                continue;
            int64_t column = tsnni_index_at(&old->column, k);
            for (; next < regrowth->fresh_count && ranks[next] + offset < column; next++)
                emit(task, kept + next, ranks[next] + offset, regrowth->fresh[next], 0.0f);
            emit(task, kept + next, column, regrowth->values[k],
                 regrowth->companion != NULL ? regrowth->companion[k] : 0.0f);
            kept++;
            offset++;
        }
        for (; next < regrowth->fresh_count && ranks[next] + offset < old->columns; next++)
            emit(task, kept + next, ranks[next] + offset, regrowth->fresh[next], 0.0f);
        task->pattern->row_ptr[row + 1] = kept + next;
    }
}

/* One chunk needs no count: nothing lies before it. */
static void count_survivors(tsnni_runtime *runtime, regrow_task *task)
{
    task->kept[0] = 0;
    if (task->chunks == 1)
        return;
    tsnni_parallel_for(runtime->threads, COUNT_COST * task->regrowth->pattern->count, task->chunks, count_chunk, task);
    for (int64_t chunk = 0; chunk < task->chunks; chunk++)
        task->kept[chunk + 1] += task->kept[chunk];
}

tsnn_status tsnni_regrow(tsnni_runtime *runtime, const tsnni_regrowth *regrowth, tsnni_pattern *pattern, float **values,
                         float **companion)
{
    const tsnni_pattern *old = regrowth->pattern;
    regrow_task task = {regrowth, tsnni_parallel_chunks(runtime->threads), NULL, pattern, NULL, NULL};
    int64_t count = old->count - regrowth->cut_count + regrowth->fresh_count;
    tsnn_status status;
    *values = NULL;
    *companion = NULL;
    TSNNI_TRY(tsnni_pattern_allocate(runtime, old->rows, old->columns, count, pattern));
    TSNNI_TRY(TSNNI_NEW(runtime, count, &task.values));
    if (regrowth->companion != NULL)
        TSNNI_TRY(TSNNI_NEW(runtime, count, &task.companion));
    TSNNI_TRY(TSNNI_NEW(runtime, task.chunks + 1, &task.kept));
    count_survivors(runtime, &task);
    tsnni_parallel_for(runtime->threads, MERGE_COST * (count + old->rows), task.chunks, merge_chunk, &task);
    tsnni_release(runtime, task.kept);
    *values = task.values;
    *companion = task.companion;
    return TSNN_OK;
fail:
    tsnni_pattern_free(runtime, pattern);
    tsnni_release(runtime, task.values);
    tsnni_release(runtime, task.companion);
    return status;
}
