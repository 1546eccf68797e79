/* Rows and columns go: one pass counts what stays of each row, one moves it. */
#include "sparse/filter.h"

#include <string.h>

#include "core/memory.h"
#include "sparse/partition.h"

#define MOVE_COST 2 /* ns */

typedef struct filter_task {
    const tsnni_pattern *from;
    const float *from_values, *from_companion;
    const int32_t *row_to, *column_to;
    int64_t *row_ptr; /* of the new pattern; while counting, entry i + 1 is the length of row i */
    tsnni_pattern *pattern;
    float *values, *companion;
} filter_task;

static int64_t mapped(const int32_t *to, int64_t index)
{
    return to == NULL ? index : to[index];
}

static void count_rows(void *argument, int64_t begin, int64_t end)
{
    const filter_task *task = argument;
    const tsnni_pattern *from = task->from;
    for (int64_t row = begin; row < end; row++) {
        int64_t new_row = mapped(task->row_to, row), length = 0;
        if (new_row < 0)
            continue;
        for (int64_t k = from->row_ptr[row]; k < from->row_ptr[row + 1]; k++)
            length += mapped(task->column_to, tsnni_index_at(&from->column, k)) >= 0;
        task->row_ptr[new_row + 1] = length;
    }
}

static void move_rows(void *argument, int64_t begin, int64_t end)
{
    const filter_task *task = argument;
    const tsnni_pattern *from = task->from;
    for (int64_t row = begin; row < end; row++) {
        int64_t new_row = mapped(task->row_to, row);
        if (new_row < 0)
            continue;
        int64_t slot = task->row_ptr[new_row];
        for (int64_t k = from->row_ptr[row]; k < from->row_ptr[row + 1]; k++) {
            int64_t column = mapped(task->column_to, tsnni_index_at(&from->column, k));
            if (column < 0)
                continue;
            tsnni_index_set(&task->pattern->column, slot, column);
            task->values[slot] = task->from_values[k];
            if (task->companion != NULL)
                task->companion[slot] = task->from_companion[k];
            slot++;
        }
    }
}

tsnn_status tsnni_filter(tsnni_runtime *runtime, const tsnni_pattern *from, const float *from_values,
                         const float *from_companion, const tsnni_index_map *rows, const tsnni_index_map *columns,
                         tsnni_pattern *pattern, float **values, float **companion)
{
    filter_task task = {.from = from,
                        .from_values = from_values,
                        .from_companion = from_companion,
                        .row_to = rows->to,
                        .column_to = columns->to,
                        .pattern = pattern};
    int64_t work = MOVE_COST * (from->count + from->rows);
    tsnn_status status;
    memset(pattern, 0, sizeof *pattern);
    *values = NULL;
    *companion = NULL;
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, rows->after + 1, &task.row_ptr));
    tsnni_parallel_rows(runtime->threads, work, from->row_ptr, from->rows, 1, count_rows, &task);
    for (int64_t row = 0; row < rows->after; row++)
        task.row_ptr[row + 1] += task.row_ptr[row];
    int64_t count = task.row_ptr[rows->after];
    TSNNI_TRY(tsnni_pattern_allocate(runtime, rows->after, columns->after, count, pattern));
    TSNNI_TRY(TSNNI_NEW(runtime, count, &task.values));
    if (from_companion != NULL)
        TSNNI_TRY(TSNNI_NEW(runtime, count, &task.companion));
    memcpy(pattern->row_ptr, task.row_ptr, (size_t)(rows->after + 1) * sizeof *task.row_ptr);
    tsnni_parallel_rows(runtime->threads, work, from->row_ptr, from->rows, 1, move_rows, &task);
    tsnni_release(runtime, task.row_ptr);
    *values = task.values;
    *companion = task.companion;
    return TSNN_OK;
fail:
    tsnni_release(runtime, task.row_ptr);
    tsnni_pattern_free(runtime, pattern);
    tsnni_release(runtime, task.values);
    return status;
}

tsnn_status tsnni_filter_array(tsnni_runtime *runtime, const float *from, const tsnni_index_map *map, float **out)
{
    tsnn_status status = TSNNI_NEW(runtime, map->after, out);
    if (status < 0)
        return status;
    for (int64_t index = 0; index < map->before; index++) {
        int64_t to = mapped(map->to, index);
        if (to >= 0)
            (*out)[to] = from[index];
    }
    return TSNN_OK;
}
