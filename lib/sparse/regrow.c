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
    int64_t longest_row;
    uint32_t *survivors; /* longest_row for each worker: positions of the row at hand */
    tsnni_pattern *pattern;
    float *values, *companion;
} regrow_task;

static int64_t longest_row(const tsnni_pattern *pattern)
{
    int64_t longest = 0;
    for (int64_t row = 0; row < pattern->rows; row++) {
        int64_t length = pattern->row_ptr[row + 1] - pattern->row_ptr[row];
        longest = length > longest ? length : longest;
    }
    return longest;
}

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

/* Lists the positions of a row that survive; returns how many. Which do is as good as random: no branch. */
static int64_t list_survivors(const tsnni_regrowth *regrowth, int64_t row, uint32_t *survivors)
{
    int64_t count = 0, end = regrowth->pattern->row_ptr[row + 1];
    for (int64_t k = regrowth->pattern->row_ptr[row]; k < end; k++) {
        survivors[count] = (uint32_t)k;
        count += !tsnni_cut_takes(regrowth->cuts, regrowth->values[k], k);
    }
    return count;
}

/* The arrays that a merge reads and writes, as local copies: the compiler knows then that no store changes them. */
typedef struct merge_arrays {
    tsnni_indices from_column, column;
    const float *from_values, *from_companion;
    float *values, *companion;
} merge_arrays;

static inline void put_survivor(merge_arrays *arrays, int64_t slot, int64_t k)
{
    tsnni_index_set(&arrays->column, slot, tsnni_index_at(&arrays->from_column, k));
    arrays->values[slot] = arrays->from_values[k];
    if (arrays->companion != NULL)
        arrays->companion[slot] = arrays->from_companion[k];
}

static inline void put_fresh(merge_arrays *arrays, int64_t slot, int64_t column, float value)
{
    tsnni_index_set(&arrays->column, slot, column);
    arrays->values[slot] = value;
    if (arrays->companion != NULL)
        arrays->companion[slot] = 0.0f;
}

static void merge_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const regrow_task *task = argument;
    const tsnni_regrowth regrowth = *task->regrowth;
    const int64_t columns = regrowth.pattern->columns;
    merge_arrays arrays = {regrowth.pattern->column, task->pattern->column, regrowth.values,
                           regrowth.companion,       task->values,          task->companion};
    uint32_t *survivors = task->survivors + worker * task->longest_row;
    int64_t begin = chunk_row(task, chunk), end = chunk_row(task, chunk + 1);
    int64_t kept = task->kept[chunk]; /* survivors so far; the next connection's slot is kept + next */
    int64_t next = count_below(regrowth.ranks, regrowth.fresh_count, begin * columns - kept);
    for (int64_t row = begin; row < end; row++) {
        int64_t count = list_survivors(&regrowth, row, survivors), s = 0;
        for (; next < regrowth.fresh_count; next++) {
            int64_t rank = regrowth.ranks[next] - row * columns;
            for (; s < count && tsnni_index_at(&arrays.from_column, survivors[s]) <= rank + kept; kept++)
                put_survivor(&arrays, kept + next, survivors[s++]);
            if (rank + kept >= columns)
                break;
            put_fresh(&arrays, kept + next, rank + kept, regrowth.fresh[next]);
        }
        for (; s < count; kept++)
            put_survivor(&arrays, kept + next, survivors[s++]);
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
    regrow_task task = {.regrowth = regrowth, .chunks = tsnni_parallel_chunks(runtime->threads), .pattern = pattern};
    int64_t count = old->count - regrowth->cut_count + regrowth->fresh_count;
    tsnn_status status;
    *values = NULL;
    *companion = NULL;
    TSNNI_TRY(tsnni_pattern_allocate(runtime, old->rows, old->columns, count, pattern));
    TSNNI_TRY(TSNNI_NEW(runtime, count, &task.values));
    if (regrowth->companion != NULL)
        TSNNI_TRY(TSNNI_NEW(runtime, count, &task.companion));
    TSNNI_TRY(TSNNI_NEW(runtime, task.chunks + 1, &task.kept));
    task.longest_row = longest_row(old);
    TSNNI_TRY(TSNNI_NEW(runtime, runtime->threads * task.longest_row, &task.survivors));
    count_survivors(runtime, &task);
    tsnni_parallel_for(runtime->threads, MERGE_COST * (count + old->rows), task.chunks, merge_chunk, &task);
    tsnni_release(runtime, task.survivors);
    tsnni_release(runtime, task.kept);
    *values = task.values;
    *companion = task.companion;
    return TSNN_OK;
fail:
    tsnni_pattern_free(runtime, pattern);
    tsnni_release(runtime, task.kept);
    tsnni_release(runtime, task.values);
    tsnni_release(runtime, task.companion);
    return status;
}
