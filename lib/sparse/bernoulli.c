/* Patterns whose cells are drawn each by itself, in the time of the connections: geometric gaps along each row. */
#include "sparse/sampling.h"

#include <math.h>
#include <string.h>

#include "core/parallel.h"
#include "sparse/partition.h"

typedef struct bernoulli_task {
    tsnni_pattern *pattern;
    uint64_t seed;
    int64_t layer, chunks;
    double gap_scale; /* 1 / log(1 - density) */
    int32_t fill;     /* 0: count into row_ptr[row + 1]; 1: write the columns */
} bernoulli_task;

/* The number of cells before the next connection is geometric: floor(log(u) / log(1 - density)), u in (0, 1]. */
static int64_t sample_row(const bernoulli_task *task, int64_t row, tsnni_indices *column, int64_t first)
{
    int64_t columns = task->pattern->columns, next = 0, count = 0;
    tsnni_stream stream;
    tsnni_stream_init(&stream, tsnni_random_key_make(task->seed, TSNNI_PURPOSE_TOPOLOGY, task->layer, 0, row));
    for (; next < columns; next++) {
        double gap = log(1.0 - tsnni_stream_uniform(&stream)) * task->gap_scale;
        if (!(gap < (double)(columns - next))) /* also when a tiny density made it infinite or NaN */
            break;
        next += (int64_t)gap;
        if (column != NULL)
            tsnni_index_set(column, first + count, next);
        count++;
    }
    return count;
}

static void sample_rows(void *argument, int64_t chunk, int32_t worker)
{
    const bernoulli_task *task = argument;
    tsnni_pattern *pattern = task->pattern;
    int64_t end = tsnni_partition_even(pattern->rows, chunk + 1, task->chunks);
    (void)worker;
    for (int64_t row = tsnni_partition_even(pattern->rows, chunk, task->chunks); row < end; row++) {
        if (!task->fill)
            pattern->row_ptr[row + 1] = sample_row(task, row, NULL, 0);
        else
            sample_row(task, row, &pattern->column, pattern->row_ptr[row]);
    }
}

static void fill_every_cell(tsnni_pattern *pattern)
{
    for (int64_t row = 0; row < pattern->rows; row++) {
        for (int64_t column = 0; column < pattern->columns; column++)
            tsnni_index_set(&pattern->column, row * pattern->columns + column, column);
        pattern->row_ptr[row + 1] = (row + 1) * pattern->columns;
    }
}

/* The columns for the counts that row_ptr[1..rows] holds. */
static tsnn_status bernoulli_columns(tsnni_runtime *runtime, tsnni_pattern *pattern)
{
    for (int64_t row = 0; row < pattern->rows; row++)
        pattern->row_ptr[row + 1] += pattern->row_ptr[row];
    int64_t count = pattern->row_ptr[pattern->rows];
    tsnn_status status = tsnni_pattern_check(runtime, pattern->rows, pattern->columns, count);
    if (status < 0)
        return status;
    tsnni_indices_free(runtime, &pattern->column);
    status = tsnni_indices_allocate(runtime, count, tsnni_index_width(pattern->columns), &pattern->column);
    pattern->count = status < 0 ? 0 : count;
    return status;
}

tsnn_status tsnni_sample_bernoulli(tsnni_runtime *runtime, int64_t rows, int64_t columns, double density, uint64_t seed,
                                   int64_t layer, tsnni_pattern *out)
{
    /* ns: a draw with its logarithm, and the start of a row. */
    const double draw_cost = 20, row_cost = 20;
    memset(out, 0, sizeof *out);
    tsnn_status status = tsnni_pattern_check(runtime, rows, columns, 0);
    if (status < 0)
        return status;
    if (!(density >= 0 && density <= 1))
        return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT, "density %g is outside [0, 1]", density);
    double expected = density * (double)rows * (double)columns;
    if (expected > (double)TSNNI_MAX_CONNECTIONS + 64 * sqrt((double)TSNNI_MAX_CONNECTIONS))
        return tsnni_fail(runtime, TSNN_ERROR_OVERFLOW, "density %g of %lld x %lld cells is more than %lld connections",
                          density, (long long)rows, (long long)columns, (long long)TSNNI_MAX_CONNECTIONS);
    if (density == 1) {
        status = tsnni_pattern_allocate(runtime, rows, columns, rows * columns, out);
        if (status == TSNN_OK)
            fill_every_cell(out);
        return status;
    }
    TSNNI_TRY(tsnni_pattern_allocate(runtime, rows, columns, 0, out));
    if (density > 0) {
        bernoulli_task task = {out, seed, layer, tsnni_parallel_chunks(runtime->threads), 1 / log1p(-density), 0};
        int64_t work = (int64_t)(expected * draw_cost + (double)rows * row_cost);
        tsnni_parallel_for(runtime->threads, work, task.chunks, sample_rows, &task);
        TSNNI_TRY(bernoulli_columns(runtime, out));
        task.fill = 1;
        tsnni_parallel_for(runtime->threads, work, task.chunks, sample_rows, &task);
    }
    return TSNN_OK;
fail:
    tsnni_pattern_free(runtime, out);
    return status;
}
