/* The transpose index, by a counting sort that keeps the order of the rows. A few thousand columns are sorted at once.
 * Of more, the connections are first parted by groups of columns: each group is then sorted within the second-level
 * cache, where one sort over all columns would miss the caches twice for each connection. */
#include "sparse/pattern.h"

#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "sparse/partition.h"

/* Up to this many columns are sorted at once. */
#define DIRECT_COLUMNS 32768

/* Columns of a group, at least. Fewer groups are better for the first pass, smaller ones for the second. */
#define GROUP_WIDTH 11
#define MANY_GROUPS 2048
#define MAX_GROUPS 16384

/* Nanoseconds a connection. */
#define COUNT_COST 1
#define MOVE_COST 2

typedef struct transpose_task {
    const tsnni_pattern *pattern;
    tsnni_transpose *out;
    int64_t chunks;
    int32_t width;  /* bits of a column within its group */
    int64_t groups; /* of 2^width columns */
    uint32_t *next; /* chunks x keys, a key being a column or a group: connections, then the place of the next one */
    int64_t *group_ptr; /* groups + 1 */
    uint32_t *packed;   /* for each connection in the order of the groups: row << width | column within its group */
    int64_t longest;    /* connections of a group */
    uint32_t *scratch;  /* for each worker: places of a group's columns, then packed and position of its connections */
    int64_t scratch_count;
} transpose_task;

static int64_t chunk_row(const transpose_task *task, int64_t chunk)
{
    return tsnni_partition_bound(task->pattern->row_ptr, task->pattern->rows, 1, chunk, task->chunks);
}

/* The loops are compiled for each width of an index, which they then need not ask for. */
#define FOR_WIDTH(indices, loop, ...)                                                                                  \
    do {                                                                                                               \
        if ((indices)->width == 2)                                                                                     \
            loop(2, __VA_ARGS__);                                                                                      \
        else                                                                                                           \
            loop(4, __VA_ARGS__);                                                                                      \
    } while (0)

/* ---- counting ---- */

static inline void count_keys(int32_t width, const tsnni_pattern *pattern, int64_t begin, int64_t end, int32_t shift,
                              uint32_t *counts)
{
    const tsnni_indices column = {pattern->column.data, width};
    for (int64_t k = begin; k < end; k++)
        counts[tsnni_index_at(&column, k) >> shift]++;
}

static void count_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const transpose_task *task = argument;
    const tsnni_pattern *pattern = task->pattern;
    uint32_t *counts = task->next + chunk * task->groups;
    int64_t begin = pattern->row_ptr[chunk_row(task, chunk)], end = pattern->row_ptr[chunk_row(task, chunk + 1)];
    (void)worker;
    memset(counts, 0, (size_t)task->groups * sizeof *counts);
    FOR_WIDTH(&pattern->column, count_keys, pattern, begin, end, task->width, counts);
}

/* Turns the counts of the chunks into places; leaves in pointer[g] where group g begins. */
static void place_chunks(transpose_task *task, int64_t *pointer)
{
    int64_t begin = 0;
    for (int64_t group = 0; group < task->groups; group++) {
        pointer[group] = begin;
        for (int64_t chunk = 0; chunk < task->chunks; chunk++) {
            uint32_t *next = &task->next[chunk * task->groups + group];
            uint32_t length = *next;
            *next = (uint32_t)begin;
            begin += length;
        }
        task->longest = begin - pointer[group] > task->longest ? begin - pointer[group] : task->longest;
    }
    pointer[task->groups] = begin;
}

/* ---- at once ---- */

static inline void sort_rows(int32_t width, const transpose_task *task, int64_t begin, int64_t end, uint32_t *next)
{
    const int64_t *row_ptr = task->pattern->row_ptr;
    const tsnni_indices column = {task->pattern->column.data, width};
    tsnni_indices row_index = task->out->row;
    uint32_t *position = task->out->position;
    for (int64_t row = begin; row < end; row++) {
        for (int64_t k = row_ptr[row]; k < row_ptr[row + 1]; k++) {
            uint32_t slot = next[tsnni_index_at(&column, k)]++;
            tsnni_index_set(&row_index, slot, row);
            position[slot] = (uint32_t)k;
        }
    }
}

static void sort_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const transpose_task *task = argument;
    (void)worker;
    FOR_WIDTH(&task->pattern->column, sort_rows, task, chunk_row(task, chunk), chunk_row(task, chunk + 1),
              task->next + chunk * task->groups);
}

/* ---- by groups ---- */

static inline void part_rows(int32_t width, const transpose_task *task, int64_t begin, int64_t end, uint32_t *next)
{
    const int64_t *row_ptr = task->pattern->row_ptr;
    const tsnni_indices column = {task->pattern->column.data, width};
    const int32_t low = task->width;
    const uint32_t mask = ((uint32_t)1 << low) - 1;
    uint32_t *packed = task->packed, *position = task->out->position;
    for (int64_t row = begin; row < end; row++) {
        for (int64_t k = row_ptr[row]; k < row_ptr[row + 1]; k++) {
            uint32_t index = (uint32_t)tsnni_index_at(&column, k);
            uint32_t slot = next[index >> low]++;
            packed[slot] = (uint32_t)row << low | (index & mask);
            position[slot] = (uint32_t)k;
        }
    }
}

static void part_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const transpose_task *task = argument;
    (void)worker;
    FOR_WIDTH(&task->pattern->column, part_rows, task, chunk_row(task, chunk), chunk_row(task, chunk + 1),
              task->next + chunk * task->groups);
}

static inline void place_group(int32_t width, const transpose_task *task, int64_t first, int64_t count, uint32_t *next,
                               const uint32_t *packed, const uint32_t *position)
{
    tsnni_indices row = {task->out->row.data, width};
    const int32_t low = task->width;
    const uint32_t mask = ((uint32_t)1 << low) - 1;
    for (int64_t k = 0; k < count; k++) {
        int64_t slot = first + next[packed[k] & mask]++;
        tsnni_index_set(&row, slot, packed[k] >> low);
        task->out->position[slot] = position[k];
    }
}

/* A group's connections lie where its columns will: they are copied out and put back in order. */
static void sort_group(void *argument, int64_t group, int32_t worker)
{
    const transpose_task *task = argument;
    const int64_t width = (int64_t)1 << task->width;
    int64_t first = task->group_ptr[group], count = task->group_ptr[group + 1] - first, column = group * width;
    int64_t columns = task->pattern->columns - column < width ? task->pattern->columns - column : width;
    uint32_t *next = task->scratch + worker * task->scratch_count, *packed = next + width;
    uint32_t *position = packed + task->longest, begin = 0;
    memset(next, 0, (size_t)columns * sizeof *next);
    memcpy(packed, task->packed + first, (size_t)count * sizeof *packed);
    memcpy(position, task->out->position + first, (size_t)count * sizeof *position);
    for (int64_t k = 0; k < count; k++)
        next[packed[k] & (uint32_t)(width - 1)]++;
    for (int64_t j = 0; j < columns; j++) {
        uint32_t length = next[j];
        task->out->column_ptr[column + j] = first + begin;
        next[j] = begin;
        begin += length;
    }
    FOR_WIDTH(&task->out->row, place_group, task, first, count, next, packed, position);
}

/* ---- the choice ---- */

/* Keys are counted for each chunk; the counts take no more room than the index. */
static tsnn_status count_by(tsnni_runtime *runtime, transpose_task *task, int32_t width)
{
    const tsnni_pattern *pattern = task->pattern;
    task->width = width;
    task->groups = ((pattern->columns - 1) >> width) + 1;
    int64_t chunks = tsnni_parallel_chunks(runtime->threads), most = pattern->count / task->groups + 1;
    task->chunks = chunks < most ? chunks : most;
    tsnni_release(runtime, task->next);
    tsnn_status status = TSNNI_NEW(runtime, task->chunks * task->groups, &task->next);
    if (status >= 0)
        tsnni_parallel_for(runtime->threads, COUNT_COST * pattern->count, task->chunks, count_chunk, task);
    return status;
}

/* Bits of a column within its group: with a row they share 32 bits. 0, a column a group: all at once. */
static int32_t choose_width(const tsnni_pattern *pattern)
{
    int32_t row_bits = 0;
    while ((pattern->rows - 1) >> row_bits > 0)
        row_bits++;
    int32_t most = 32 - row_bits, width = most < GROUP_WIDTH ? most : GROUP_WIDTH;
    while (pattern->columns >> width > MANY_GROUPS && width < most)
        width++;
    if (pattern->columns <= DIRECT_COLUMNS || pattern->count < pattern->columns ||
        pattern->columns >> width > MAX_GROUPS)
        return 0;
    return width;
}

static void sort_at_once(tsnni_runtime *runtime, transpose_task *task)
{
    place_chunks(task, task->out->column_ptr);
    tsnni_parallel_for(runtime->threads, MOVE_COST * task->pattern->count, task->chunks, sort_chunk, task);
}

/* Without enough to gain, when one group has most of the connections, all is sorted at once. */
static tsnn_status sort_by_groups(tsnni_runtime *runtime, transpose_task *task)
{
    const tsnni_pattern *pattern = task->pattern;
    tsnni_transpose *out = task->out;
    uint32_t *own = NULL;
    tsnn_status status;
    TSNNI_TRY(TSNNI_NEW(runtime, task->groups + 1, &task->group_ptr));
    place_chunks(task, task->group_ptr);
    if (task->longest > pattern->count / (runtime->threads + 1)) {
        TSNNI_TRY(count_by(runtime, task, 0));
        sort_at_once(runtime, task);
    } else {
        if (out->row.width == 2)
            TSNNI_TRY(TSNNI_NEW(runtime, pattern->count, &own));
        task->packed = out->row.width == 2 ? own : out->row.data;
        task->scratch_count = ((int64_t)1 << task->width) + 2 * task->longest;
        TSNNI_TRY(TSNNI_NEW(runtime, runtime->threads * task->scratch_count, &task->scratch));
        tsnni_parallel_for(runtime->threads, MOVE_COST * pattern->count, task->chunks, part_chunk, task);
        tsnni_parallel_for(runtime->threads, MOVE_COST * pattern->count, task->groups, sort_group, task);
        out->column_ptr[pattern->columns] = pattern->count;
    }
    status = TSNN_OK;
fail:
    tsnni_release(runtime, task->group_ptr);
    tsnni_release(runtime, task->scratch);
    tsnni_release(runtime, own);
    return status;
}

/* All passes inside a session. */
typedef struct refill_call {
    tsnni_runtime *runtime;
    transpose_task task;
    tsnn_status status;
} refill_call;

static void refill(void *argument)
{
    refill_call *call = argument;
    call->status = count_by(call->runtime, &call->task, choose_width(call->task.pattern));
    if (call->status >= 0 && call->task.width > 0)
        call->status = sort_by_groups(call->runtime, &call->task);
    else if (call->status >= 0)
        sort_at_once(call->runtime, &call->task);
}

tsnn_status tsnni_transpose_refill(tsnni_runtime *runtime, const tsnni_pattern *pattern, tsnni_transpose *transpose)
{
    refill_call call = {runtime, {.pattern = pattern, .out = transpose}, TSNN_OK};
    tsnni_parallel_session(runtime->threads, (COUNT_COST + MOVE_COST) * pattern->count, refill, &call);
    tsnni_release(runtime, call.task.next);
    return call.status;
}

tsnn_status tsnni_transpose_build(tsnni_runtime *runtime, const tsnni_pattern *pattern, tsnni_transpose *out)
{
    tsnn_status status;
    memset(out, 0, sizeof *out);
    TSNNI_TRY(TSNNI_NEW(runtime, pattern->columns + 1, &out->column_ptr));
    TSNNI_TRY(tsnni_indices_allocate(runtime, pattern->count, tsnni_index_width(pattern->rows), &out->row));
    TSNNI_TRY(TSNNI_NEW(runtime, pattern->count + TSNNI_INDEX_PADDING, &out->position));
    memset(out->position + pattern->count, 0, TSNNI_INDEX_PADDING * sizeof *out->position);
    TSNNI_TRY(tsnni_transpose_refill(runtime, pattern, out));
    return TSNN_OK;
fail:
    tsnni_transpose_free(runtime, out);
    return status;
}

void tsnni_transpose_free(tsnni_runtime *runtime, tsnni_transpose *transpose)
{
    tsnni_release(runtime, transpose->column_ptr);
    tsnni_indices_free(runtime, &transpose->row);
    tsnni_release(runtime, transpose->position);
    memset(transpose, 0, sizeof *transpose);
}
