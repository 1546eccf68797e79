/* A packed layer on one sample (gathers), and the inputs of a sparse sample (scatter). Included once for each index
 * width. */

/* Two indices, loaded at once: gathers are bound by the number of loads. Low half first, so little-endian only. */
INLINE PAIR INDEXED(pair_at)(const INDEX *i)
{
    PAIR pair;
    memcpy(&pair, i, sizeof pair);
    return pair;
}

#define PAIR_LOW(p) x[(INDEX)(p)]
#define PAIR_HIGH(p) x[(p) >> (8 * sizeof(INDEX))]

/* GATHER_LANES elements of x, assembled from scalar loads: these win over the gather instruction as long as x is in
 * the nearer caches. */
INLINE gvec INDEXED(gather_near)(const float *x, const INDEX *i)
{
    const PAIR a = INDEXED(pair_at)(i), b = INDEXED(pair_at)(i + 2);
#if GATHER_LANES == 8
    const PAIR c = INDEXED(pair_at)(i + 4), d = INDEXED(pair_at)(i + 6);
    return (gvec){PAIR_LOW(a), PAIR_HIGH(a), PAIR_LOW(b), PAIR_HIGH(b),
                  PAIR_LOW(c), PAIR_HIGH(c), PAIR_LOW(d), PAIR_HIGH(d)};
#else
    return (gvec){PAIR_LOW(a), PAIR_HIGH(a), PAIR_LOW(b), PAIR_HIGH(b)};
#endif
}

/* One step of a chunk. */
INLINE void INDEXED(packed_step)(const float *x, const INDEX *index, const float *values, const int far, gvec *sum)
{
    UNROLL
    for (int v = 0; v < CHUNK_VECTORS; v++) {
        const INDEX *i = index + v * GATHER_LANES;
        gvec taken = far ? INDEXED(gather_far)(x, i) : INDEXED(gather_near)(x, i);
        sum[v] = gfma(taken, gload(values + v * GATHER_LANES), sum[v]);
    }
}

INLINE void INDEXED(packed_runs)(const tsnni_packed *task, const int far)
{
    const float *x = task->x, *values = task->values;
    const INDEX *index = task->index;
    for (int64_t s = 0; s < task->run_count; s++) {
        const tsnni_packed_run run = task->runs[s];
        float *y = task->y + (int64_t)run.chunk * TSNNI_CHUNK_ROWS, *last = y + (int64_t)run.chunks * TSNNI_CHUNK_ROWS;
        gvec sum[CHUNK_VECTORS];
        if (run.steps == 1) {
            for (; y < last; y += TSNNI_CHUNK_ROWS, index += TSNNI_CHUNK_ROWS, values += TSNNI_CHUNK_ROWS) {
                load_sums(y, sum);
                INDEXED(packed_step)(x, index, values, far, sum);
                store_sums(y, sum);
            }
            continue;
        }
        for (; y < last; y += TSNNI_CHUNK_ROWS) {
            load_sums(y, sum);
            UNROLL_TWICE
            for (int32_t t = 0; t < run.steps; t++) {
                INDEXED(packed_step)(x, index, values, far, sum);
                index += TSNNI_CHUNK_ROWS;
                values += TSNNI_CHUNK_ROWS;
            }
            store_sums(y, sum);
        }
    }
}

static TARGET void INDEXED(packed_single)(const tsnni_packed *task)
{
    if (task->far)
        INDEXED(packed_runs)(task, 1);
    else
        INDEXED(packed_runs)(task, 0);
}

/* ---- batch: the sums of one output and one tile of columns in registers ---- */

/* Adds the connections [t, last) of one row; `next` are the indices of what comes `t` later, wherever that is. */
INLINE void INDEXED(packed_steps)(const float *x, int64_t stride, const INDEX *index, const float *values,
                                  const INDEX *next, int64_t t, int64_t last, const int groups, vec *sum)
{
    for (; t < last; t++) {
        const float *from = x + (int64_t)index[t * TSNNI_CHUNK_ROWS] * stride;
        vec weight = vset1(values[t * TSNNI_CHUNK_ROWS]);
        prefetch_columns(x + (int64_t)next[t * TSNNI_CHUNK_ROWS] * stride, groups);
        UNROLL
        for (int v = 0; v < groups * GROUP_VECTORS; v++)
            sum[v] = vfma(weight, vload(from + v * LANES), sum[v]);
    }
}

/* The rows of one chunk. Prefetching goes on from the end of a row to the start of the next. */
INLINE void INDEXED(packed_chunk)(const tsnni_packed *task, int64_t chunk, int64_t first, int64_t steps, int64_t column,
                                  const int groups)
{
    const INDEX *index = (const INDEX *)task->index + first;
    const float *values = task->values + first, *x = task->x + column;
    const int64_t stride = task->stride, left = task->columns - chunk * TSNNI_CHUNK_ROWS;
    const int64_t rows = left < TSNNI_CHUNK_ROWS ? left : TSNNI_CHUNK_ROWS;
    vec sum[FORWARD_GROUPS * GROUP_VECTORS];
    for (int64_t r = 0; r < rows; r++) {
        const int64_t j = chunk * TSNNI_CHUNK_ROWS + r, length = task->length[j];
        const int64_t inner = length > task->prefetch ? length - task->prefetch : 0;
        const INDEX *after = r + 1 < TSNNI_CHUNK_ROWS ? index + r + 1 : index + steps * TSNNI_CHUNK_ROWS;
        vec bias = vset1(task->bias[j]);
        UNROLL
        for (int v = 0; v < groups * GROUP_VECTORS; v++)
            sum[v] = bias;
        INDEXED(packed_steps)
        (x, stride, index + r, values + r, index + r + task->prefetch * TSNNI_CHUNK_ROWS, 0, inner, groups, sum);
        INDEXED(packed_steps)
        (x, stride, index + r + inner * TSNNI_CHUNK_ROWS, values + r + inner * TSNNI_CHUNK_ROWS, after, 0,
         length - inner, groups, sum);
        packed_slope(task->negative_slope, groups, sum);
        store_columns(task->y + (task->order ? task->order[j] : j) * stride + column, groups, sum);
    }
}

INLINE void INDEXED(packed_tile)(const tsnni_packed *task, int64_t first_group, const int groups)
{
    int64_t first = 0;
    for (int64_t s = 0; s < task->run_count; s++)
        for (int32_t c = 0; c < task->runs[s].chunks; c++) {
            const int64_t steps = task->runs[s].steps;
            INDEXED(packed_chunk)
            (task, task->runs[s].chunk + c, first, steps, first_group * TSNNI_COLUMN_GROUP, groups);
            first += steps * TSNNI_CHUNK_ROWS;
        }
}

#define TILE(n)                                                                                                        \
    static TARGET void INDEXED(packed_tile_##n)(const tsnni_packed *task, int64_t first_group)                         \
    {                                                                                                                  \
        INDEXED(packed_tile)(task, first_group, n);                                                                    \
    }
FORWARD_TILES(TILE)
#undef TILE

static TARGET void INDEXED(packed_batch)(const tsnni_packed *task)
{
#define TILE(n) INDEXED(packed_tile_##n),
    static void (*const tiles[])(const tsnni_packed *, int64_t) = {FORWARD_TILES(TILE)};
#undef TILE
    int64_t groups = task->width / TSNNI_COLUMN_GROUP, size;
    for (int64_t g = 0; g < groups; g += size) {
        size = tile_size(groups - g, FORWARD_GROUPS);
        tiles[size - 1](task, g);
    }
}

/* ---- the inputs of a sparse sample ---- */

/* The outputs of one input are distinct, so four sums can be under way. */
static TARGET void INDEXED(packed_inputs)(const tsnni_packed_inputs *task)
{
    float *y = task->y;
    for (int64_t n = 0; n < task->count; n++) {
        const int64_t i = task->input[n], last = task->row_ptr[i + 1];
        const float amount = task->amount[n], *w = task->values;
        const INDEX *to = task->index;
        int64_t k = task->row_ptr[i];
        for (; k + 4 <= last; k += 4) {
            float a = __builtin_fmaf(amount, w[k], y[to[k]]), b = __builtin_fmaf(amount, w[k + 1], y[to[k + 1]]);
            float c = __builtin_fmaf(amount, w[k + 2], y[to[k + 2]]),
                  d = __builtin_fmaf(amount, w[k + 3], y[to[k + 3]]);
            y[to[k]] = a;
            y[to[k + 1]] = b;
            y[to[k + 2]] = c;
            y[to[k + 3]] = d;
        }
        for (; k < last; k++)
            y[to[k]] = __builtin_fmaf(amount, w[k], y[to[k]]);
    }
}

#undef PAIR_LOW
#undef PAIR_HIGH
