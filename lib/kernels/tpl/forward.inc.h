/* Sparse forward: output by output, the sums of one tile of columns in registers. Included once for each index width.
 */

INLINE void INDEXED(forward_tile)(const tsnni_forward *task, int64_t begin, int64_t end, int64_t first_group,
                                  const int groups)
{
    const int vectors = groups * GROUP_VECTORS;
    const int64_t stride = task->stride, ahead = task->prefetch, column = first_group * TSNNI_COLUMN_GROUP;
    const float *x = task->x + column, *values = task->values;
    const INDEX *row = task->row;
    const uint32_t *position = task->position;
    vec sum[FORWARD_GROUPS * GROUP_VECTORS];

    for (int64_t j = begin; j < end; j++) {
        vec bias = task->bias ? vset1(task->bias[j]) : vzero();
        UNROLL
        for (int v = 0; v < vectors; v++)
            sum[v] = bias;
        const int64_t last = task->column_ptr[j + 1];
        for (int64_t k = task->column_ptr[j]; k < last; k++) {
            const float *from = x + (int64_t)row[k] * stride;
            vec weight = vset1(values[position[k]]);
            prefetch_columns(x + (int64_t)row[k + ahead] * stride, groups);
            UNROLL
            for (int v = 0; v < vectors; v++)
                sum[v] = vfma(weight, vload(from + v * LANES), sum[v]);
        }
        activate(task, j, first_group, groups, sum);
        drop(task, j, first_group, groups, sum);
        store_columns(task->y + j * stride + column, groups, sum);
    }
}

#define TILE(n)                                                                                                        \
    static TARGET void INDEXED(forward_##n)(const tsnni_forward *task, int64_t begin, int64_t end,                     \
                                            int64_t first_group)                                                       \
    {                                                                                                                  \
        INDEXED(forward_tile)(task, begin, end, first_group, n);                                                       \
    }
FORWARD_TILES(TILE)
#undef TILE

/* Tile by tile over the whole range, so that only one tile's columns of x compete for the cache. */
static TARGET void INDEXED(forward)(const tsnni_forward *task, int64_t begin, int64_t end)
{
#define TILE(n) INDEXED(forward_##n),
    static void (*const tiles[])(const tsnni_forward *, int64_t, int64_t, int64_t) = {FORWARD_TILES(TILE)};
#undef TILE
    int64_t groups = task->width / TSNNI_COLUMN_GROUP, size;
    if (task->keep)
        draw_keep(task, begin, end, 0, groups);
    for (int64_t g = 0; g < groups; g += size) {
        size = tile_size(groups - g, FORWARD_GROUPS);
        tiles[size - 1](task, begin, end, g);
    }
}
