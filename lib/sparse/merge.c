/* One pass counts the union of each row, one fills it. */
#include "sparse/merge.h"

#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "sparse/partition.h"

#define MERGE_COST 4 /* ns a connection */

typedef struct merge_task {
    const tsnni_merge_source *sources;
    int64_t count, rows, chunks;
    int64_t *cursors; /* count for each worker: the next connection of each source */
    int64_t *row_ptr; /* of the union; while counting, entry i + 1 is the length of row i */
    tsnni_pattern *pattern;
    float *values, *companion;
} merge_task;

static void start_row(const merge_task *task, int64_t row, int64_t *cursors)
{
    for (int64_t s = 0; s < task->count; s++)
        cursors[s] = task->sources[s].pattern->row_ptr[row];
}

/* The lowest column that a cursor of the row points at; INT64_MAX at its end. */
static int64_t next_column(const merge_task *task, int64_t row, const int64_t *cursors)
{
    int64_t lowest = INT64_MAX;
    for (int64_t s = 0; s < task->count; s++) {
        const tsnni_pattern *pattern = task->sources[s].pattern;
        if (cursors[s] == pattern->row_ptr[row + 1])
            continue;
        int64_t column = tsnni_index_at(&pattern->column, cursors[s]);
        lowest = column < lowest ? column : lowest;
    }
    return lowest;
}

/* Moves the cursors that are at the column on, and sums up what they were at. */
static void take_column(const merge_task *task, int64_t row, int64_t column, int64_t *cursors, double *value,
                        double *companion)
{
    *value = *companion = 0.0;
    for (int64_t s = 0; s < task->count; s++) {
        const tsnni_merge_source *source = &task->sources[s];
        int64_t at = cursors[s];
        if (at == source->pattern->row_ptr[row + 1] || tsnni_index_at(&source->pattern->column, at) != column)
            continue;
        *value += (double)source->values[at];
        if (source->companion != NULL)
            *companion += (double)source->companion[at];
        cursors[s]++;
    }
}

static void count_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const merge_task *task = argument;
    int64_t *cursors = task->cursors + worker * task->count;
    int64_t end = tsnni_partition_even(task->rows, chunk + 1, task->chunks);
    for (int64_t row = tsnni_partition_even(task->rows, chunk, task->chunks); row < end; row++) {
        int64_t length = 0, column;
        double value, companion;
        start_row(task, row, cursors);
        for (; (column = next_column(task, row, cursors)) != INT64_MAX; length++)
            take_column(task, row, column, cursors, &value, &companion);
        task->row_ptr[row + 1] = length;
    }
}

static void fill_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const merge_task *task = argument;
    int64_t *cursors = task->cursors + worker * task->count;
    int64_t end = tsnni_partition_even(task->rows, chunk + 1, task->chunks);
    const double share = 1.0 / (double)task->count;
    for (int64_t row = tsnni_partition_even(task->rows, chunk, task->chunks); row < end; row++) {
        int64_t column;
        start_row(task, row, cursors);
        for (int64_t slot = task->row_ptr[row]; (column = next_column(task, row, cursors)) != INT64_MAX; slot++) {
            double value, companion;
            take_column(task, row, column, cursors, &value, &companion);
            tsnni_index_set(&task->pattern->column, slot, column);
            task->values[slot] = (float)(value * share);
            if (task->companion != NULL)
                task->companion[slot] = (float)(companion * share);
        }
    }
}

static tsnn_status check_shapes(tsnni_runtime *runtime, const tsnni_merge_source *sources, int64_t count)
{
    const tsnni_pattern *first = sources[0].pattern;
    for (int64_t s = 1; s < count; s++)
        if (sources[s].pattern->rows != first->rows || sources[s].pattern->columns != first->columns)
            return tsnni_fail(runtime, TSNN_ERROR_SHAPE, "a mean of %lld x %lld and %lld x %lld connections",
                              (long long)first->rows, (long long)first->columns, (long long)sources[s].pattern->rows,
                              (long long)sources[s].pattern->columns);
    return TSNN_OK;
}

tsnn_status tsnni_merge_mean(tsnni_runtime *runtime, const tsnni_merge_source *sources, int64_t count,
                             tsnni_pattern *pattern, float **values, float **companion)
{
    const tsnni_pattern *first = sources[0].pattern;
    merge_task task = {.sources = sources,
                       .count = count,
                       .rows = first->rows,
                       .chunks = tsnni_parallel_chunks(runtime->threads),
                       .pattern = pattern};
    int64_t total = 0;
    tsnn_status status;
    memset(pattern, 0, sizeof *pattern);
    *values = *companion = NULL;
    TSNNI_TRY(check_shapes(runtime, sources, count));
    for (int64_t s = 0; s < count; s++)
        total += sources[s].pattern->count;
    TSNNI_TRY(TSNNI_NEW(runtime, runtime->threads * count, &task.cursors));
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, task.rows + 1, &task.row_ptr));
    tsnni_parallel_for(runtime->threads, MERGE_COST * total, task.chunks, count_chunk, &task);
    for (int64_t row = 0; row < task.rows; row++)
        task.row_ptr[row + 1] += task.row_ptr[row];
    int64_t united = task.row_ptr[task.rows];
    TSNNI_TRY(tsnni_pattern_allocate(runtime, first->rows, first->columns, united, pattern));
    TSNNI_TRY(TSNNI_NEW(runtime, united, &task.values));
    if (sources[0].companion != NULL)
        TSNNI_TRY(TSNNI_NEW(runtime, united, &task.companion));
    memcpy(pattern->row_ptr, task.row_ptr, (size_t)(task.rows + 1) * sizeof *task.row_ptr);
    tsnni_parallel_for(runtime->threads, MERGE_COST * total, task.chunks, fill_chunk, &task);
    tsnni_release(runtime, task.cursors);
    tsnni_release(runtime, task.row_ptr);
    *values = task.values;
    *companion = task.companion;
    return TSNN_OK;
fail:
    tsnni_release(runtime, task.cursors);
    tsnni_release(runtime, task.row_ptr);
    tsnni_pattern_free(runtime, pattern);
    tsnni_release(runtime, task.values);
    return status;
}

int64_t tsnni_merge_retain(const tsnni_pattern *from, const float *from_values, const tsnni_pattern *to,
                           float *to_values)
{
    int64_t shared = 0;
    for (int64_t row = 0; row < to->rows; row++) {
        int64_t k = from->row_ptr[row], end = from->row_ptr[row + 1];
        for (int64_t t = to->row_ptr[row]; t < to->row_ptr[row + 1]; t++) {
            int64_t column = tsnni_index_at(&to->column, t);
            while (k < end && tsnni_index_at(&from->column, k) < column)
                k++;
            int32_t found = k < end && tsnni_index_at(&from->column, k) == column;
            to_values[t] = found ? from_values[k] : 0.0f;
            shared += found;
        }
    }
    return shared;
}
