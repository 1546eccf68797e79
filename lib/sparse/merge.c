/* One pass counts the union of each row, one fills it. */
#include "sparse/merge.h"

#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "sparse/partition.h"

#define MERGE_COST 8 /* ns a connection, and ... */
#define MATCH_COST 4 /* ... for each that its source plays against */

/* Sources play for the lowest column, and at one column for the lowest source, in a tournament: places [size, 2 size)
 * hold each source's next connection, place n the winner of places 2 n and 2 n + 1, place 1 the next of all. A source
 * that moves on plays against log2(size) others. */
#define NOBODY UINT64_MAX

typedef struct merge_task {
    const tsnni_merge_source *sources;
    int64_t count, rows, chunks;
    int64_t size;     /* of a tournament: count, rounded up to a power of 2 */
    int64_t *cursors; /* count for each worker: the next connection of each source */
    uint64_t *places; /* 2 size for each worker: column * 2^32 + source, or NOBODY */
    int64_t *row_ptr; /* of the union; while counting, entry i + 1 is the length of row i */
    tsnni_pattern *pattern;
    float *values, *companion;
} merge_task;

/* One row under way. */
typedef struct merge_row {
    const merge_task *task;
    int64_t row;
    int64_t *cursors;
    uint64_t *places;
} merge_row;

static uint64_t entry(const merge_row *own, int64_t s)
{
    const tsnni_pattern *pattern = own->task->sources[s].pattern;
    if (own->cursors[s] == pattern->row_ptr[own->row + 1])
        return NOBODY;
    return (uint64_t)tsnni_index_at(&pattern->column, own->cursors[s]) << 32 | (uint64_t)s;
}

static uint64_t lower(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static merge_row start_row(const merge_task *task, int64_t row, int32_t worker)
{
    merge_row own = {task, row, task->cursors + worker * task->count, task->places + worker * 2 * task->size};
    for (int64_t s = 0; s < task->count; s++) {
        own.cursors[s] = task->sources[s].pattern->row_ptr[row];
        own.places[task->size + s] = entry(&own, s);
    }
    for (int64_t n = task->size - 1; n > 0; n--)
        own.places[n] = lower(own.places[2 * n], own.places[2 * n + 1]);
    return own;
}

/* The source whose connection is next, which moves on. */
static int64_t take(const merge_row *own)
{
    int64_t source = (int64_t)(own->places[1] & UINT32_MAX), n = own->task->size + source;
    own->cursors[source]++;
    own->places[n] = entry(own, source);
    for (n /= 2; n > 0; n /= 2)
        own->places[n] = lower(own->places[2 * n], own->places[2 * n + 1]);
    return source;
}

static int64_t column_of(uint64_t place)
{
    return (int64_t)(place >> 32);
}

static void count_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const merge_task *task = argument;
    int64_t end = tsnni_partition_even(task->rows, chunk + 1, task->chunks);
    for (int64_t row = tsnni_partition_even(task->rows, chunk, task->chunks); row < end; row++) {
        int64_t length = 0, last = -1;
        merge_row own = start_row(task, row, worker);
        while (own.places[1] != NOBODY) {
            int64_t column = column_of(own.places[1]);
            length += column != last;
            last = column;
            (void)take(&own);
        }
        task->row_ptr[row + 1] = length;
    }
}

static void fill_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const merge_task *task = argument;
    int64_t end = tsnni_partition_even(task->rows, chunk + 1, task->chunks);
    const double share = 1.0 / (double)task->count;
    for (int64_t row = tsnni_partition_even(task->rows, chunk, task->chunks); row < end; row++) {
        merge_row own = start_row(task, row, worker);
        for (int64_t slot = task->row_ptr[row]; own.places[1] != NOBODY; slot++) {
            int64_t column = column_of(own.places[1]);
            double value = 0.0, companion = 0.0;
            while (column_of(own.places[1]) == column) {
                int64_t source = take(&own), at = own.cursors[source] - 1;
                value += (double)task->sources[source].values[at];
                if (task->companion != NULL)
                    companion += (double)task->sources[source].companion[at];
            }
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
                       .size = 1,
                       .pattern = pattern};
    int64_t total = 0, work = MERGE_COST, places;
    tsnn_status status;
    memset(pattern, 0, sizeof *pattern);
    *values = *companion = NULL;
    TSNNI_TRY(check_shapes(runtime, sources, count));
    for (int64_t s = 0; s < count; s++)
        total += sources[s].pattern->count;
    for (; task.size < count; task.size *= 2)
        work += MATCH_COST;
    work *= total;
    places = runtime->threads * 2 * task.size;
    TSNNI_TRY(TSNNI_NEW(runtime, runtime->threads * count, &task.cursors));
    TSNNI_TRY(TSNNI_NEW(runtime, places, &task.places));
    for (int64_t n = 0; n < places; n++)
        task.places[n] = NOBODY;
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, task.rows + 1, &task.row_ptr));
    tsnni_parallel_for(runtime->threads, work, task.chunks, count_chunk, &task);
    for (int64_t row = 0; row < task.rows; row++)
        task.row_ptr[row + 1] += task.row_ptr[row];
    int64_t united = task.row_ptr[task.rows];
    TSNNI_TRY(tsnni_pattern_allocate(runtime, first->rows, first->columns, united, pattern));
    TSNNI_TRY(TSNNI_NEW(runtime, united, &task.values));
    if (sources[0].companion != NULL)
        TSNNI_TRY(TSNNI_NEW(runtime, united, &task.companion));
    memcpy(pattern->row_ptr, task.row_ptr, (size_t)(task.rows + 1) * sizeof *task.row_ptr);
    tsnni_parallel_for(runtime->threads, work, task.chunks, fill_chunk, &task);
    tsnni_release(runtime, task.cursors);
    tsnni_release(runtime, task.places);
    tsnni_release(runtime, task.row_ptr);
    *values = task.values;
    *companion = task.companion;
    return TSNN_OK;
fail:
    tsnni_release(runtime, task.cursors);
    tsnni_release(runtime, task.places);
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
