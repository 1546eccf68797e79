/* What packed layers need whatever the width of their indices: layers of dense tiles on one sample, and the flat loops
 * over one sample. */

/* The sums of one chunk. */
INLINE void load_sums(const float *y, gvec *sum)
{
    UNROLL
    for (int v = 0; v < CHUNK_VECTORS; v++)
        sum[v] = gload(y + v * GATHER_LANES);
}

INLINE void store_sums(float *y, const gvec *sum)
{
    UNROLL
    for (int v = 0; v < CHUNK_VECTORS; v++)
        gstore(y + v * GATHER_LANES, sum[v]);
}

/* Terms whose sums are kept apart, so that no multiplication waits for the one before. */
#define PACKED_TERMS 4

static TARGET void packed_dense(const tsnni_packed *task)
{
    const int64_t rows = task->rows;
    for (int64_t tile = 0; tile * TSNNI_CHUNK_ROWS < task->columns; tile++) {
        const float *w = task->values + tile * rows * TSNNI_CHUNK_ROWS, *x = task->x;
        float *y = task->y + tile * TSNNI_CHUNK_ROWS;
        vec sum[PACKED_TERMS][GROUP_VECTORS];
        UNROLL
        for (int v = 0; v < GROUP_VECTORS; v++) {
            sum[0][v] = vload(y + v * LANES);
            sum[1][v] = sum[2][v] = sum[3][v] = vzero();
        }
        int64_t i = 0;
        for (; i + PACKED_TERMS <= rows; i += PACKED_TERMS) {
            UNROLL
            for (int term = 0; term < PACKED_TERMS; term++) {
                vec input = vset1(x[i + term]);
                UNROLL
                for (int v = 0; v < GROUP_VECTORS; v++)
                    sum[term][v] = vfma(input, vload(w + (i + term) * TSNNI_CHUNK_ROWS + v * LANES), sum[term][v]);
            }
        }
        for (; i < rows; i++) {
            vec input = vset1(x[i]);
            UNROLL
            for (int v = 0; v < GROUP_VECTORS; v++)
                sum[0][v] = vfma(input, vload(w + i * TSNNI_CHUNK_ROWS + v * LANES), sum[0][v]);
        }
        UNROLL
        for (int v = 0; v < GROUP_VECTORS; v++)
            vstore(y + v * LANES, vadd(vadd(sum[0][v], sum[1][v]), vadd(sum[2][v], sum[3][v])));
    }
}

INLINE void packed_slope(float slope, const int groups, vec *z)
{
    vec factor = vset1(slope);
    UNROLL
    for (int v = 0; v < groups * GROUP_VECTORS; v++)
        z[v] = vselect(vnegative(z[v]), vmul(z[v], factor), z[v]);
}

static TARGET void slope(float *y, int64_t count, float negative_slope)
{
    vec factor = vset1(negative_slope);
    int64_t k = 0;
    for (; k + LANES <= count; k += LANES) {
        vec z = vload(y + k);
        vstore(y + k, vselect(vnegative(z), vmul(z, factor), z));
    }
    for (; k < count; k++)
        y[k] = y[k] < 0 ? negative_slope * y[k] : y[k];
}

static TARGET int32_t all_finite(const float *x, int64_t count)
{
    vec sum[PACKED_TERMS];
    float tail = 0;
    int64_t k = 0;
    UNROLL
    for (int term = 0; term < PACKED_TERMS; term++)
        sum[term] = vzero();
    for (; k + PACKED_TERMS * LANES <= count; k += PACKED_TERMS * LANES) {
        UNROLL
        for (int term = 0; term < PACKED_TERMS; term++) {
            vec v = vload(x + k + term * LANES);
            sum[term] = vadd(sum[term], vsub(v, v)); /* 0, or no number for ever after */
        }
    }
    for (; k < count; k++)
        tail += x[k] - x[k];
    return vsum(vadd(vadd(sum[0], sum[1]), vadd(sum[2], sum[3]))) + tail == 0.0f;
}

static TARGET void standardise(const float *from, const float *shift, const float *scale, float *x, int64_t count)
{
    int64_t k = 0;
    for (; k + LANES <= count; k += LANES)
        vstore(x + k, vmul(vsub(vload(from + k), vload(shift + k)), vload(scale + k)));
    for (; k < count; k++)
        x[k] = (from[k] - shift[k]) * scale[k];
}
