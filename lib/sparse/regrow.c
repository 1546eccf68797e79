/* The merge of what stays with what comes. Both have a place in their row, the number of empty cells before them: a
 * survivor's is its column less the survivors before it, a fresh cell's is its rank less the ranks of earlier rows. */
#include "sparse/regrow.h"

#include "core/memory.h"
#include "core/parallel.h"
#include "sparse/partition.h"

#if defined(__GNUC__) || defined(__clang__)
#define ALWAYS_INLINE static inline __attribute__((__always_inline__))
#else
#define ALWAYS_INLINE static inline
#endif

/* Nanoseconds, for the choice between one thread and many. */
#define COUNT_COST 1
#define MERGE_COST 4

typedef struct regrow_task {
    const tsnni_regrowth *regrowth;
    int64_t chunks;
    int64_t *kept; /* chunks + 1: survivors in the rows before each chunk */
    int64_t longest_row, longest_growth;
    int32_t *scratch; /* for each worker: a row_scratch */
    tsnni_pattern *pattern;
    float *values, *companion;
} regrow_task;

/* A row before it is merged. A survivor precedes a fresh cell of the same place. One entry more at either end of the
 * places, below and above all, spares the merge the question whether anything is left. */
typedef struct row_scratch {
    int32_t *survivor_place, *fresh_place;
    uint32_t *survivor; /* positions in the old order */
} row_scratch;

/* Entries of a worker's scratch memory. */
static int64_t scratch_count(const regrow_task *task)
{
    return 2 * (task->longest_row + 2) + task->longest_growth + 2;
}

static row_scratch worker_scratch(const regrow_task *task, int32_t worker)
{
    int32_t *memory = task->scratch + worker * scratch_count(task);
    row_scratch row = {memory + 1, memory + 1 + 2 * (task->longest_row + 2),
                       (uint32_t *)memory + 1 + task->longest_row + 2};
    row.survivor_place[-1] = row.fresh_place[-1] = INT32_MIN;
    row.survivor[-1] = 0;
    return row;
}

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
    int64_t kept = 0, k = row_ptr[chunk_row(task, chunk)], end = row_ptr[chunk_row(task, chunk + 1)];
    (void)worker;
    while (k < end) {
        const tsnni_cut_range range = tsnni_cut_range_at(regrowth->cuts, k);
        for (int64_t stop = range.end < end ? range.end : end; k < stop; k++)
            kept += !tsnni_cut_range_takes(&range, regrowth->values[k]);
    }
    task->kept[chunk + 1] = kept;
}

/* The arrays that a merge reads and writes, as local copies: the compiler knows then that no store changes them. */
typedef struct merge_arrays {
    tsnni_indices from_column, column;
    const float *from_values, *from_companion, *fresh;
    float *values, *companion;
} merge_arrays;

/* Lists what survives of positions [k, end); returns how many. Which do is as good as random: no branch. */
ALWAYS_INLINE int64_t list_survivors(const merge_arrays *arrays, const tsnni_cut cuts[2], tsnni_cut_range *range,
                                     int64_t k, int64_t end, const row_scratch *row)
{
    int64_t count = 0;
    while (k < end) {
        if (k >= range->end)
            *range = tsnni_cut_range_at(cuts, k);
        const tsnni_cut_range now = *range;
        for (int64_t stop = now.end < end ? now.end : end; k < stop; k++) {
            row->survivor_place[count] = (int32_t)(tsnni_index_at(&arrays->from_column, k) - count);
            row->survivor[count] = (uint32_t)k;
            count += !tsnni_cut_range_takes(&now, arrays->from_values[k]);
        }
    }
    row->survivor_place[count] = INT32_MAX;
    row->survivor[count] = 0;
    return count;
}

/* Lists the places of the ranks in [first, first + empty); returns how many. */
ALWAYS_INLINE int64_t list_fresh(const int64_t *ranks, int64_t count, int64_t first, int64_t empty, int32_t *place)
{
    int64_t listed = 0;
    while (listed < count && ranks[listed] - first < empty) {
        place[listed] = (int32_t)(ranks[listed] - first);
        listed++;
    }
    place[listed] = INT32_MAX;
    return listed;
}

static inline uint32_t float_bits(const float *value)
{
    uint32_t bits;
    memcpy(&bits, value, sizeof bits);
    return bits;
}

/* What comes next in a row, by masks: which of the two does is as good as random. `survives` is 0 or 1. */
ALWAYS_INLINE void put(const merge_arrays *arrays, int64_t slot, uint32_t survivor_place, uint32_t fresh_place,
                       int64_t survivors_before, int32_t survives, int64_t position, int64_t fresh)
{
    const uint32_t mask = 0u - (uint32_t)survives;
    uint32_t place = fresh_place ^ ((fresh_place ^ survivor_place) & mask);
    uint32_t fresh_value = float_bits(arrays->fresh + (fresh & ((int64_t)survives - 1)));
    uint32_t value = fresh_value ^ ((fresh_value ^ float_bits(arrays->from_values + position)) & mask);
    tsnni_index_set(&arrays->column, slot, place + survivors_before);
    memcpy(arrays->values + slot, &value, sizeof value);
    if (arrays->companion != NULL) {
        uint32_t companion = float_bits(arrays->from_companion + position) & mask;
        memcpy(arrays->companion + slot, &companion, sizeof companion);
    }
}

/* Merges a row from both ends at once: two chains of steps, each of which must wait for the one before it. first: the
 * number of the row's first fresh value. */
ALWAYS_INLINE void merge_row(const merge_arrays *arrays, const row_scratch *row, int64_t survivors, int64_t fresh,
                             int64_t first, int64_t slot)
{
    const int32_t *survivor_place = row->survivor_place, *fresh_place = row->fresh_place;
    const uint32_t *survivor = row->survivor;
    int64_t total = survivors + fresh, s = 0,
            e = survivors; /* survivors before each end of the gap; the rest is fresh */
    for (int64_t step = 0; step < total / 2; step++) {
        int64_t f = step - s;
        int32_t survives = survivor_place[s] <= fresh_place[f];
        put(arrays, slot + step, (uint32_t)survivor_place[s], (uint32_t)fresh_place[f], s, survives, survivor[s],
            first + f);
        s += survives;

        f = total - 1 - step - e;
        survives = survivor_place[e - 1] > fresh_place[f];
        put(arrays, slot + total - 1 - step, (uint32_t)survivor_place[e - 1], (uint32_t)fresh_place[f], e - survives,
            survives, survivor[e - 1], first + f);
        e -= survives;
    }
    if (total % 2 == 1) {
        int64_t f = total / 2 - s;
        put(arrays, slot + total / 2, (uint32_t)survivor_place[s], (uint32_t)fresh_place[f], s, s < e, survivor[s],
            first + f);
    }
}

ALWAYS_INLINE void merge_rows(int32_t width, int32_t with_companion, const regrow_task *task, int64_t chunk,
                              int32_t worker)
{
    static const float nothing = 0.0f; /* can be read, or pointed to, where an array has no element */
    static const int64_t no_rank = 0;
    const tsnni_regrowth regrowth = *task->regrowth;
    const int32_t any = regrowth.pattern->count > 0;
    const merge_arrays arrays = {
        {regrowth.pattern->column.data, width},
        {task->pattern->column.data, width},
        any ? regrowth.values : &nothing,
        any ? regrowth.companion : &nothing,
        regrowth.fresh_count > 0 ? regrowth.fresh : &nothing,
        task->values,
        with_companion ? task->companion : NULL,
    };
    const int64_t columns = regrowth.pattern->columns, *row_ptr = regrowth.pattern->row_ptr;
    const int64_t *ranks = regrowth.fresh_count > 0 ? regrowth.ranks : &no_rank;
    const row_scratch scratch = worker_scratch(task, worker);
    int64_t begin = chunk_row(task, chunk), end = chunk_row(task, chunk + 1);
    int64_t kept = task->kept[chunk]; /* survivors so far; the next connection's slot is kept + next */
    int64_t next = tsnni_count_below(ranks, regrowth.fresh_count, begin * columns - kept);
    tsnni_cut_range range = {0, 0, 0};
    for (int64_t row = begin; row < end; row++) {
        int64_t survivors = list_survivors(&arrays, regrowth.cuts, &range, row_ptr[row], row_ptr[row + 1], &scratch);
        int64_t fresh = list_fresh(ranks + next, regrowth.fresh_count - next, row * columns - kept, columns - survivors,
                                   scratch.fresh_place);
        merge_row(&arrays, &scratch, survivors, fresh, next, kept + next);
        kept += survivors;
        next += fresh;
        task->pattern->row_ptr[row + 1] = kept + next;
    }
}

/* Compiled for each width of an index, with and without a companion: the loops need not ask then. */
static void merge_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const regrow_task *task = argument;
    int32_t narrow = task->pattern->column.width == 2;
    if (task->companion != NULL)
        narrow ? merge_rows(2, 1, task, chunk, worker) : merge_rows(4, 1, task, chunk, worker);
    else
        narrow ? merge_rows(2, 0, task, chunk, worker) : merge_rows(4, 0, task, chunk, worker);
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
    task.longest_growth = old->columns < regrowth->fresh_count ? old->columns : regrowth->fresh_count;
    TSNNI_TRY(TSNNI_NEW(runtime, runtime->threads * scratch_count(&task), &task.scratch));
    count_survivors(runtime, &task);
    tsnni_parallel_for(runtime->threads, MERGE_COST * (count + old->rows), task.chunks, merge_chunk, &task);
    tsnni_release(runtime, task.scratch);
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
