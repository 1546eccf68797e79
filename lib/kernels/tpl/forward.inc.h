/* Sparse forward: output by output, the sums of one tile of columns in registers. Included once for each index width.
 */

#ifndef FORWARD_TYPES
#define FORWARD_TYPES

/* What one tile of columns is computed from: the part of the inputs that one panel holds. */
typedef struct forward_part {
    const int64_t *first, *last; /* of each output: its connections in the panel */
    int64_t first_group;         /* of the tile of columns */
    int32_t starts, ends;        /* the first panel, the last one */
} forward_part;

/* Whole blocks of bf16 columns, and a group that is left alone at the end of its row. */
static inline int64_t bf16_tile_size(int64_t groups)
{
    return groups == 1 ? 1 : 2 * tile_size(groups / 2, FORWARD_GROUPS / 2);
}

#endif

/* Asks the second-level cache for the rows and weights of connections [*asked, until). */
INLINE void INDEXED(ask_far)(const tsnni_forward *task, int64_t column, const int groups, const int bf16,
                             int64_t *asked, int64_t until)
{
    const INDEX *row = task->row;
    for (; *asked < until; ++*asked) {
        if (bf16)
            prefetch_bf16_far(task->x_bf16 + (int64_t)row[*asked] * task->bf16_stride + column, groups);
        else
            prefetch_columns_far(task->x + (int64_t)row[*asked] * task->stride + column, groups);
        PREFETCH_FAR(task->values + task->position[*asked]);
    }
}

/* `bf16`: of x; y follows the task. */
INLINE void INDEXED(forward_tile)(const tsnni_forward *task, int64_t begin, int64_t end, const forward_part *part,
                                  const int groups, const int bf16)
{
    const int vectors = groups * GROUP_VECTORS;
    const int64_t ahead = task->prefetch, column = part->first_group * TSNNI_COLUMN_GROUP;
    const int64_t stride = bf16 ? task->bf16_stride : task->stride;
    const float *x = bf16 ? NULL : task->x + column, *values = task->values;
    const uint16_t *x_bf16 = bf16 ? task->x_bf16 + column : NULL;
    uint16_t *const y_bf16 = bf16 && part->ends ? task->y_bf16 : NULL;
    const INDEX *row = task->row;
    const uint32_t *position = task->position;
    const int64_t far = part->starts && part->ends ? task->prefetch_far : 0, all = task->column_ptr[end];
    int64_t asked = part->first[begin];
    vec sum[FORWARD_GROUPS * GROUP_VECTORS];

    for (int64_t j = begin; j < end; j++) {
        const int64_t first = part->first[j], last = part->last[j];
        if (part->starts) {
            vec bias = task->bias ? vset1(task->bias[j]) : vzero();
            UNROLL
            for (int v = 0; v < vectors; v++)
                sum[v] = bias;
        } else {
            load_columns(task->y + j * task->stride + column, groups, sum);
        }
        const int64_t over = (j + 1 < end ? part->first[j + 1] : last) - last + ahead, turn = last - ahead;
        for (int64_t k = first, until; k < last; k = until) {
            until = k < turn ? turn : last;
            const INDEX *soon = row + (k < turn ? ahead : over);
            if (far > 0) {
                until = until - k > FAR_BLOCK ? k + FAR_BLOCK : until;
                INDEXED(ask_far)(task, column, groups, bf16, &asked, until + far < all ? until + far : all);
            }
            for (; k < until; k++) {
                vec weight = vset1(values[position[k]]);
                if (bf16) {
                    prefetch_bf16(x_bf16 + (int64_t)soon[k] * stride, groups);
                    add_bf16(x_bf16 + (int64_t)row[k] * stride, weight, groups, sum);
                    continue;
                }
                const float *from = x + (int64_t)row[k] * stride;
                prefetch_columns(x + (int64_t)soon[k] * stride, groups);
                UNROLL
                for (int v = 0; v < vectors; v++)
                    sum[v] = vfma(weight, vload(from + v * LANES), sum[v]);
            }
        }
        if (part->ends) {
            activate(task, j, part->first_group, groups, sum);
            drop(task, j, part->first_group, groups, sum);
        }
        if (bf16 && y_bf16)
            store_bf16(y_bf16 + j * stride + column, groups, sum);
        else
            store_columns(task->y + j * task->stride + column, groups, sum);
    }
}

#define TILE(n)                                                                                                        \
    static TARGET void INDEXED(forward_##n)(const tsnni_forward *task, int64_t begin, int64_t end,                     \
                                            const forward_part *part)                                                  \
    {                                                                                                                  \
        INDEXED(forward_tile)(task, begin, end, part, n, 0);                                                           \
    }
FORWARD_TILES(TILE)
#undef TILE

#define TILE(n)                                                                                                        \
    static TARGET void INDEXED(forward_bf16_##n)(const tsnni_forward *task, int64_t begin, int64_t end,                \
                                                 const forward_part *part)                                             \
    {                                                                                                                  \
        INDEXED(forward_tile)(task, begin, end, part, n, 1);                                                           \
    }
FORWARD_BF16_TILES(TILE)
#undef TILE

/* Tile by tile and panel by panel over the whole range, so that only one tile's columns of one panel's rows of x
 * compete for the cache. */
static TARGET void INDEXED(forward)(const tsnni_forward *task, int64_t begin, int64_t end)
{
    typedef void tile_function(const tsnni_forward *, int64_t, int64_t, const forward_part *);
#define TILE(n) INDEXED(forward_##n),
    static tile_function *const tiles[] = {FORWARD_TILES(TILE)};
#undef TILE
#define TILE(n) INDEXED(forward_bf16_##n),
    static tile_function *const bf16_tiles[] = {FORWARD_BF16_TILES(TILE)}; /* of 1, 2, 4, ... groups */
#undef TILE
    const int64_t panels = task->panels > 1 ? task->panels : 1;
    int64_t groups = task->width / TSNNI_COLUMN_GROUP, size;
    if (begin >= end)
        return;
    if (task->keep)
        draw_keep(task, begin, end, 0, groups);
    for (int64_t g = 0; g < groups; g += size) {
        size = task->x_bf16 ? bf16_tile_size(groups - g) : tile_size(groups - g, FORWARD_GROUPS);
        tile_function *tile = task->x_bf16 ? bf16_tiles[size / 2] : tiles[size - 1];
        for (int64_t p = 0; p < panels; p++) {
            const forward_part part = {.first = p == 0 ? task->column_ptr : task->panel_ptr + (p - 1) * task->columns,
                                       .last =
                                           p == panels - 1 ? task->column_ptr + 1 : task->panel_ptr + p * task->columns,
                                       .first_group = g,
                                       .starts = p == 0,
                                       .ends = p == panels - 1};
            tile(task, begin, end, &part);
        }
    }
}
