/* Bounds of chunks of rows, by binary search over the cost up to each row; loops over such chunks. */
#include "sparse/partition.h"

#include <stddef.h>

#include "core/parallel.h"

/* total * chunk / chunks without the large product. */
static int64_t share(int64_t total, int64_t chunk, int64_t chunks)
{
    return total / chunks * chunk + total % chunks * chunk / chunks;
}

int64_t tsnni_partition_bound(const int64_t *pointer, int64_t rows, int64_t row_cost, int64_t chunk, int64_t chunks)
{
    if (chunk <= 0)
        return 0;
    if (chunk >= chunks)
        return rows;
    int64_t target = share(pointer[rows] - pointer[0] + rows * row_cost, chunk, chunks);
    int64_t low = 0, high = rows; /* the first row at or past the target is in [low, high] */
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (pointer[middle] - pointer[0] + middle * row_cost < target)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int64_t tsnni_partition_even(int64_t items, int64_t chunk, int64_t chunks)
{
    if (chunk <= 0)
        return 0;
    return chunk >= chunks ? items : share(items, chunk, chunks);
}

typedef struct span_loop {
    const int64_t *pointer; /* NULL: items of equal cost */
    int64_t items, row_cost, chunks;
    tsnni_span_function body;
    void *task;
} span_loop;

static int64_t span_bound(const span_loop *loop, int64_t chunk)
{
    return loop->pointer == NULL
               ? tsnni_partition_even(loop->items, chunk, loop->chunks)
               : tsnni_partition_bound(loop->pointer, loop->items, loop->row_cost, chunk, loop->chunks);
}

static void span_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const span_loop *loop = argument;
    (void)worker;
    loop->body(loop->task, span_bound(loop, chunk), span_bound(loop, chunk + 1));
}

void tsnni_parallel_rows(int32_t threads, int64_t work, const int64_t *pointer, int64_t rows, int64_t row_cost,
                         tsnni_span_function body, void *task)
{
    span_loop loop = {pointer, rows, row_cost, tsnni_parallel_chunks_for(threads, work), body, task};
    tsnni_parallel_for(threads, work, loop.chunks, span_chunk, &loop);
}

void tsnni_parallel_items(int32_t threads, int64_t work, int64_t items, tsnni_span_function body, void *task)
{
    tsnni_parallel_rows(threads, work, NULL, items, 0, body, task);
}

int64_t tsnni_count_below(const int64_t *numbers, int64_t count, int64_t bound)
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
