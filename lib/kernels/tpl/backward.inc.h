/* Sparse backward, one pass: input row by input row, x_i and dx_i of one tile of columns in registers, every row of dy
 * loaded once for both products. Included once for each index width. */

#ifndef BACKWARD_TYPES
#define BACKWARD_TYPES

/* What is wanted: dx, the weight gradients, or both. */
enum { WANT_INPUT, WANT_WEIGHTS, WANT_BOTH };

/* Up to DOT_BLOCK connections of one input row. */
typedef struct block {
    int64_t row, first, last; /* connections [first, last) */
    int64_t first_group;      /* of the tile of columns */
    int32_t starts_row, ends_row;
    int32_t adds;   /* partial holds the sums of earlier tiles */
    float *partial; /* DOT_PARTIALS */
} block;

#endif

/* One connection: dx += w dy; returns the lanes of <x, dy>. */
INLINE vec INDEXED(connection)(const float *dy, float w, const float *x, const vec *x_vectors, vec *dx,
                               const int vectors, const int want)
{
    vec dot = vzero(), weight = vset1(w);
    UNROLL
    for (int v = 0; v < vectors; v++) {
        vec d = vload(dy + v * LANES);
        if (want == WANT_BOTH)
            HOLD(d);
        if (want != WANT_WEIGHTS)
            dx[v] = vfma(weight, d, dx[v]);
        if (want != WANT_INPUT)
            dot = vfma(X_IN_REGISTERS ? x_vectors[v] : vload(x + v * LANES), d, dot);
    }
    return dot;
}

/* All connections of a block for one tile; returns the tile's part of the row sum of dx, once the row is finished. */
INLINE float INDEXED(backward_tile)(const tsnni_backward *task, const block *b, const int groups, const int want)
{
    const int vectors = groups * GROUP_VECTORS;
    const int64_t stride = task->stride, ahead = task->prefetch, column = b->first_group * TSNNI_COLUMN_GROUP;
    const int64_t last = b->last;
    const float *dy = task->dy + column, *x = want != WANT_INPUT ? task->x + b->row * stride + column : NULL;
    const float *values = task->values;
    const INDEX *index = task->column;
    float *out = want != WANT_WEIGHTS ? task->dx + b->row * stride + column : NULL, *partial = b->partial;
    const int adds = b->adds;
    vec dx[BACKWARD_GROUPS * GROUP_VECTORS], x_vectors[BACKWARD_GROUPS * GROUP_VECTORS];

    if (want != WANT_INPUT && X_IN_REGISTERS)
        load_columns(x, groups, x_vectors);
    if (want != WANT_WEIGHTS) {
        UNROLL
        for (int v = 0; v < vectors; v++)
            dx[v] = b->starts_row ? vzero() : vload(out + v * LANES);
    }

#define CONNECTION(k)                                                                                                  \
    (prefetch_columns(dy + (int64_t)index[(k) + ahead] * stride, groups),                                              \
     INDEXED(connection)(dy + (int64_t)index[k] * stride, want == WANT_WEIGHTS ? 0.0f : values[k], x, x_vectors, dx,   \
                         vectors, want))
#define KEEP_DOTS(d0, d1, d2, d3)                                                                                      \
    do {                                                                                                               \
        vec sums = vreduce4(d0, d1, d2, d3);                                                                           \
        vstore(partial, adds ? vadd(vload(partial), sums) : sums);                                                     \
        partial += LANES;                                                                                              \
    } while (0)

    int64_t k = b->first;
    for (; k + 4 <= last; k += 4) {
        vec d0 = CONNECTION(k), d1 = CONNECTION(k + 1), d2 = CONNECTION(k + 2), d3 = CONNECTION(k + 3);
        if (want != WANT_INPUT)
            KEEP_DOTS(d0, d1, d2, d3);
    }
    if (k < last) {
        vec d0 = CONNECTION(k), d1 = vzero(), d2 = vzero();
        if (k + 1 < last)
            d1 = CONNECTION(k + 1);
        if (k + 2 < last)
            d2 = CONNECTION(k + 2);
        if (want != WANT_INPUT)
            KEEP_DOTS(d0, d1, d2, vzero());
    }
#undef CONNECTION
#undef KEEP_DOTS

    if (want == WANT_WEIGHTS)
        return 0;
    float sum = 0;
    if (b->ends_row) {
        vec sums = differentiate(task, b->row, b->first_group, groups, dx);
        if (task->dx_sum)
            sum = vsum(sums);
    }
    store_columns(out, groups, dx);
    return sum;
}

#define TILE(n)                                                                                                        \
    static TARGET float INDEXED(backward_input_##n)(const tsnni_backward *task, const block *b)                        \
    {                                                                                                                  \
        return INDEXED(backward_tile)(task, b, n, WANT_INPUT);                                                         \
    }                                                                                                                  \
    static TARGET float INDEXED(backward_weights_##n)(const tsnni_backward *task, const block *b)                      \
    {                                                                                                                  \
        return INDEXED(backward_tile)(task, b, n, WANT_WEIGHTS);                                                       \
    }                                                                                                                  \
    static TARGET float INDEXED(backward_both_##n)(const tsnni_backward *task, const block *b)                         \
    {                                                                                                                  \
        return INDEXED(backward_tile)(task, b, n, WANT_BOTH);                                                          \
    }
BACKWARD_TILES(TILE)
#undef TILE

static TARGET void INDEXED(backward)(const tsnni_backward *task, int64_t begin, int64_t end)
{
#define INPUT_TILE(n) INDEXED(backward_input_##n),
#define WEIGHTS_TILE(n) INDEXED(backward_weights_##n),
#define BOTH_TILE(n) INDEXED(backward_both_##n),
    static float (*const tiles[][BACKWARD_GROUPS])(const tsnni_backward *, const block *) = {
        {BACKWARD_TILES(INPUT_TILE)}, {BACKWARD_TILES(WEIGHTS_TILE)}, {BACKWARD_TILES(BOTH_TILE)}};
#undef INPUT_TILE
#undef WEIGHTS_TILE
#undef BOTH_TILE
    int want = task->mode == TSNNI_BACKWARD_INPUT ? WANT_INPUT : task->dx ? WANT_BOTH : WANT_WEIGHTS;
    int64_t groups = task->width / TSNNI_COLUMN_GROUP;
    if (groups == 0 || (want == WANT_INPUT && !task->dx))
        return;
    step s = step_of(&task->update);
    float partial[DOT_PARTIALS] __attribute__((aligned(64))) = {0};

    for (int64_t i = begin; i < end; i++) {
        const int64_t first = task->row_ptr[i], last = task->row_ptr[i + 1];
        block b = {.row = i, .last = first, .partial = partial};
        float sum = 0;
        do {
            int64_t size;
            b.first = b.last;
            b.last = last - b.first > DOT_BLOCK ? b.first + DOT_BLOCK : last;
            b.starts_row = b.first == first;
            b.ends_row = b.last == last;
            for (int64_t g = 0; g < groups; g += size) {
                size = tile_size(groups - g, BACKWARD_GROUPS);
                b.first_group = g;
                b.adds = g > 0;
                sum += tiles[want][size - 1](task, &b);
            }
            if (want != WANT_INPUT)
                finish_weights(task, &s, b.first, b.last - b.first, partial);
        } while (b.last < last);
        if (task->dx && task->dx_sum)
            task->dx_sum[i] = sum;
    }
}
