/* Bounds of chunks of rows, by binary search over the cost up to each row. */
#include "sparse/partition.h"

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
