/* Between the caller's sample-major rows and the feature-major matrices: transposes in registers. */

/* Cache lines ahead in each sample's row. */
#define LOAD_AHEAD 8

/* LANES features of the samples in columns [c, c + LANES): rows[r] becomes those of feature f + r. */
INLINE void load_block(const tsnni_batch_load *task, int64_t f, int64_t c, vec rows[LANES])
{
    vec shift = task->shift ? vload(task->shift + f) : vzero(), scale = task->shift ? vload(task->scale + f) : vzero();
    UNROLL
    for (int r = 0; r < LANES; r++) {
        rows[r] = vzero();
        if (c + r < task->count) {
            int64_t sample = task->index ? task->index[c + r] : c + r;
            const float *from = task->samples + sample * task->sample_stride + f;
            PREFETCH(from + LOAD_AHEAD * FLOATS_PER_LINE);
            rows[r] = vload(from);
            if (task->shift)
                rows[r] = vmul(vsub(rows[r], shift), scale);
        }
    }
    vtranspose(rows);
}

INLINE void load_float_block(const tsnni_batch_load *task, int64_t f, int64_t c)
{
    vec rows[LANES];
    load_block(task, f, c, rows);
    UNROLL
    for (int r = 0; r < LANES; r++)
        vstore(task->x + (f + r) * task->stride + c, rows[r]);
}

/* A whole block of bf16; columns beyond the samples are zero. */
INLINE void load_bf16_block(const tsnni_batch_load *task, int64_t f, int64_t c)
{
    for (int u = 0; u < GROUP_VECTORS; u++) {
        vec low[LANES], high[LANES];
        load_block(task, f, c + u * LANES, low);
        load_block(task, f, c + u * LANES + TSNNI_COLUMN_GROUP, high);
        UNROLL
        for (int r = 0; r < LANES; r++)
            vstore_words(task->x_bf16 + (f + r) * task->bf16_stride + c + u * BF16_VECTOR, vbf16_pack(low[r], high[r]));
    }
}

/* With the other half of the last block. */
static inline int64_t bf16_width(int64_t width)
{
    return (width + TSNNI_BF16_BLOCK - 1) / TSNNI_BF16_BLOCK * TSNNI_BF16_BLOCK;
}

static TARGET void load_feature(const tsnni_batch_load *task, int64_t f)
{
    const int64_t width = task->x_bf16 ? bf16_width(task->width) : task->width;
    for (int64_t c = 0; c < width; c++) {
        float value = 0;
        if (c < task->count) {
            value = task->samples[(task->index ? task->index[c] : c) * task->sample_stride + f];
            if (task->shift)
                value = (value - task->shift[f]) * task->scale[f];
        }
        if (task->x_bf16)
            task->x_bf16[f * task->bf16_stride + tsnni_bf16_place(c)] = tsnni_bf16_round(value);
        else
            task->x[f * task->stride + c] = value;
    }
}

/* Sample by sample: the rows of few samples are read along, which memory serves best. A last block that is not full
 * overlaps the one before it. */
static TARGET void batch_load(const tsnni_batch_load *task, int64_t begin, int64_t end)
{
    if (end - begin < LANES) {
        for (int64_t f = begin; f < end; f++)
            load_feature(task, f);
        return;
    }
    for (int64_t c = 0; task->x_bf16 && c < task->width; c += TSNNI_BF16_BLOCK)
        for (int64_t block = begin; block < end; block += LANES)
            load_bf16_block(task, end - block < LANES ? end - LANES : block, c);
    for (int64_t c = 0; !task->x_bf16 && c < task->width; c += LANES)
        for (int64_t block = begin; block < end; block += LANES)
            load_float_block(task, end - block < LANES ? end - LANES : block, c);
}

INLINE void store_block(const tsnni_batch_store *task, int64_t f, int64_t c)
{
    vec rows[LANES];
    UNROLL
    for (int r = 0; r < LANES; r++)
        rows[r] = vload(task->y + (f + r) * task->stride + c);
    vtranspose(rows);
    UNROLL
    for (int r = 0; r < LANES; r++)
        if (c + r < task->count)
            vstore(task->out + (c + r) * task->out_stride + f, rows[r]);
}

static TARGET void batch_store(const tsnni_batch_store *task, int64_t begin, int64_t end)
{
    if (end - begin < LANES) {
        for (int64_t c = 0; c < task->count; c++)
            for (int64_t f = begin; f < end; f++)
                task->out[c * task->out_stride + f] = task->y[f * task->stride + c];
        return;
    }
    for (int64_t block = begin; block < end; block += LANES) {
        int64_t f = end - block < LANES ? end - LANES : block;
        for (int64_t c = 0; c < task->count; c += LANES)
            store_block(task, f, c);
    }
}
