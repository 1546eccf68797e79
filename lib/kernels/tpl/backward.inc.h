/* Sparse backward, one pass: input row by input row, x_i and dx_i of one tile of columns in registers, every row of dy
 * loaded once for both products. Included once for each index width. */

#ifndef BACKWARD_TYPES
#define BACKWARD_TYPES

/* What is wanted: dx, the weight gradients, or both. */
enum { WANT_INPUT, WANT_WEIGHTS, WANT_BOTH };

/* Connections of one input row that follow one another, in one tile of columns. */
typedef struct segment {
    int64_t row, first, last; /* connections [first, last) */
    int64_t next;             /* where the segment after this one begins */
    int64_t first_group;      /* of the tile of columns */
    int32_t starts_row, ends_row;
    int32_t adds; /* dots hold the sums of earlier tiles */
    float *dots;  /* out: of the connections from first, rounded up to 4 */
} segment;

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

/* All connections of a segment for one tile; returns the tile's part of the row sum of dx, once the row is finished.
 * Four at a time, whether there are four or not: what is too many has weight 0 and a dot product that nobody reads. It
 * belongs to the connections that come next, so it is a prefetch as well, and spares branches that cannot be foreseen.
 */
INLINE float INDEXED(backward_tile)(const tsnni_backward *task, const segment *s, const int groups, const int want)
{
    const int vectors = groups * GROUP_VECTORS;
    const int64_t stride = task->stride, ahead = task->prefetch, column = s->first_group * TSNNI_COLUMN_GROUP;
    const int64_t last = s->last, over = s->next - last + ahead;
    const float *dy = task->dy + column, *x = NULL;
    const float *values = task->values;
    const INDEX *index = task->column;
    float *out = want != WANT_WEIGHTS ? task->dx + s->row * stride + column : NULL, *dots = s->dots;
    const int adds = s->adds;
    vec dx[BACKWARD_GROUPS * GROUP_VECTORS], x_vectors[BACKWARD_GROUPS * GROUP_VECTORS];
    float unpacked[X_IN_REGISTERS ? 1 : BACKWARD_GROUPS * TSNNI_COLUMN_GROUP];

    if (want != WANT_INPUT && task->x_bf16) {
        const uint16_t *row = task->x_bf16 + s->row * task->bf16_stride;
        if (s->first_group % 2)
            load_bf16(row, s->first_group, 1, groups, x_vectors);
        else
            load_bf16(row, s->first_group, 0, groups, x_vectors);
        if (!X_IN_REGISTERS)
            store_columns(unpacked, groups, x_vectors);
        x = unpacked;
    } else if (want != WANT_INPUT) {
        x = task->x + s->row * stride + column;
        if (X_IN_REGISTERS)
            load_columns(x, groups, x_vectors);
    }
    if (want != WANT_WEIGHTS) {
        UNROLL
        for (int v = 0; v < vectors; v++)
            dx[v] = s->starts_row ? vzero() : vload(out + v * LANES);
    }

#define CONNECTION(k, w)                                                                                               \
    (prefetch_columns(dy + (int64_t)soon[k] * stride, groups),                                                         \
     INDEXED(connection)(dy + (int64_t)index[k] * stride, want == WANT_WEIGHTS ? 0.0f : (w), x, x_vectors, dx,         \
                         vectors, want))
    int64_t k = s->first;
    const INDEX *soon = index + ahead;
    for (; k + 4 <= last; k += 4) {
        if (k + ahead >= last)
            soon = index + over; /* behind the segment's end it goes on with the next one */
        vec d0 = CONNECTION(k, values[k]), d1 = CONNECTION(k + 1, values[k + 1]), d2 = CONNECTION(k + 2, values[k + 2]),
            d3 = CONNECTION(k + 3, values[k + 3]);
        if (want != WANT_INPUT) {
            vdots4(dots, d0, d1, d2, d3, adds);
            dots += 4;
        }
    }
    if (k < last) {
        const int64_t left = last - k;
        soon = index + over;
        vec d0 = CONNECTION(k, values[k]), d1 = CONNECTION(k + 1, left > 1 ? values[k + 1] : 0.0f),
            d2 = CONNECTION(k + 2, left > 2 ? values[k + 2] : 0.0f), d3 = vzero();
        if (want != WANT_INPUT)
            vdots4(dots, d0, d1, d2, d3, adds);
    }
#undef CONNECTION

    if (want == WANT_WEIGHTS)
        return 0;
    float sum = 0;
    if (s->ends_row) {
        vec sums = differentiate(task, s->row, s->first_group, groups, dx);
        if (task->dx_sum)
            sum = vsum(sums);
    }
    store_columns(out, groups, dx);
    return sum;
}

#define TILE(n)                                                                                                        \
    static TARGET float INDEXED(backward_input_##n)(const tsnni_backward *task, const segment *s)                      \
    {                                                                                                                  \
        return INDEXED(backward_tile)(task, s, n, WANT_INPUT);                                                         \
    }                                                                                                                  \
    static TARGET float INDEXED(backward_weights_##n)(const tsnni_backward *task, const segment *s)                    \
    {                                                                                                                  \
        return INDEXED(backward_tile)(task, s, n, WANT_WEIGHTS);                                                       \
    }                                                                                                                  \
    static TARGET float INDEXED(backward_both_##n)(const tsnni_backward *task, const segment *s)                       \
    {                                                                                                                  \
        return INDEXED(backward_tile)(task, s, n, WANT_BOTH);                                                          \
    }
BACKWARD_TILES(TILE)
#undef TILE

/* Asks the second-level cache for the rows of connections [*asked, until). */
INLINE void INDEXED(ask_far_rows)(const tsnni_backward *task, int64_t groups, int64_t *asked, int64_t until)
{
    const INDEX *column = task->column;
    for (; *asked < until; ++*asked) {
        const float *row = task->dy + (int64_t)column[*asked] * task->stride;
        for (int64_t g = 0; g < groups; g++)
            PREFETCH_FAR(row + g * FLOATS_PER_LINE);
    }
}

static TARGET void INDEXED(backward)(const tsnni_backward *task, int64_t begin, int64_t end)
{
#define INPUT_TILE(n) INDEXED(backward_input_##n),
#define WEIGHTS_TILE(n) INDEXED(backward_weights_##n),
#define BOTH_TILE(n) INDEXED(backward_both_##n),
    static float (*const tiles[][BACKWARD_GROUPS])(const tsnni_backward *, const segment *) = {
        {BACKWARD_TILES(INPUT_TILE)}, {BACKWARD_TILES(WEIGHTS_TILE)}, {BACKWARD_TILES(BOTH_TILE)}};
#undef INPUT_TILE
#undef WEIGHTS_TILE
#undef BOTH_TILE
    int want = task->mode == TSNNI_BACKWARD_INPUT ? WANT_INPUT : task->dx ? WANT_BOTH : WANT_WEIGHTS;
    int64_t groups = task->width / TSNNI_COLUMN_GROUP;
    if (groups == 0 || begin >= end || (want == WANT_INPUT && !task->dx))
        return;
    const int64_t panels = task->panels > 1 ? task->panels : 1, far = panels == 1 ? task->prefetch_far : 0;
    const int64_t all = task->row_ptr[end];
    dot_queue queue = {.first = task->row_ptr[begin]};
    step rule = step_of(&task->update);

    for (int64_t p = 0; p < panels; p++) {
        const int64_t *firsts = p == 0 ? task->row_ptr : task->panel_ptr + (p - 1) * task->rows;
        const int64_t *lasts = p == panels - 1 ? task->row_ptr + 1 : task->panel_ptr + p * task->rows;
        int64_t asked = firsts[begin];
        for (int64_t i = begin; i < end; i++) {
            const int64_t first = firsts[i], last = lasts[i], next = i + 1 < end ? firsts[i + 1] : last;
            segment s = {.row = i, .last = first};
            float sum = 0;
            if (want != WANT_INPUT)
                queue_start(task, &rule, &queue, first);
            do {
                int64_t size;
                s.first = s.last;
                s.last = last - s.first > DOT_BLOCK ? s.first + DOT_BLOCK : last;
                s.next = s.last < last ? s.last : next;
                s.starts_row = p == 0 && s.first == first;
                s.ends_row = p == panels - 1 && s.last == last;
                s.dots = queue.dots + queue.count;
                if (far > 0)
                    INDEXED(ask_far_rows)(task, groups, &asked, s.last + far < all ? s.last + far : all);
                for (int64_t g = 0; g < groups; g += size) {
                    size = tile_size(groups - g, BACKWARD_GROUPS);
                    s.first_group = g;
                    s.adds = g > 0;
                    sum += tiles[want][size - 1](task, &s);
                }
                if (want != WANT_INPUT)
                    queue_add(task, &rule, &queue, s.last - s.first);
            } while (s.last < last);
            if (task->dx && task->dx_sum && p == panels - 1)
                task->dx_sum[i] = sum;
        }
    }
    queue_finish(task, &rule, &queue);
}
