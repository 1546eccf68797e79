/* Rows of bf16: one vector of 32-bit words holds LANES columns of a group in its lower halves and the same columns of
 * the group after it in its upper halves, see kernels.h. A tile begins with a block; one with an odd number of groups
 * ends its row, in half a block. */

#define BF16_VECTOR (2 * LANES) /* halves */

/* sum += weight times the tile that begins at `from`. */
INLINE void add_bf16(const uint16_t *from, vec weight, const int groups, vec *sum)
{
    UNROLL
    for (int g = 0; g < groups; g += 2) {
        UNROLL
        for (int u = 0; u < GROUP_VECTORS; u++) {
            vec words = vload_words(from + g * TSNNI_COLUMN_GROUP + u * BF16_VECTOR);
            HOLD(words);
            vec *low = sum + g * GROUP_VECTORS + u, *high = low + GROUP_VECTORS;
            *low = vfma(weight, vbf16_low(words), *low);
            if (g + 1 < groups)
                *high = vfma(weight, vbf16_high(words), *high);
        }
    }
}

INLINE void store_bf16(uint16_t *row, const int groups, const vec *from)
{
    UNROLL
    for (int g = 0; g < groups; g += 2) {
        UNROLL
        for (int u = 0; u < GROUP_VECTORS; u++) {
            const vec *low = from + g * GROUP_VECTORS + u;
            vstore_words(row + g * TSNNI_COLUMN_GROUP + u * BF16_VECTOR,
                         vbf16_pack(*low, g + 1 < groups ? low[GROUP_VECTORS] : vzero()));
        }
    }
}

/* Any groups of a row, as floats; `odd`: first_group % 2. */
INLINE void load_bf16(const uint16_t *row, int64_t first_group, const int odd, const int groups, vec *to)
{
    const uint16_t *first = row + first_group / 2 * TSNNI_BF16_BLOCK;
    UNROLL
    for (int g = 0; g < groups; g++) {
        UNROLL
        for (int u = 0; u < GROUP_VECTORS; u++) {
            vec words = vload_words(first + (g + odd) / 2 * TSNNI_BF16_BLOCK + u * BF16_VECTOR);
            to[g * GROUP_VECTORS + u] = (g + odd) % 2 ? vbf16_high(words) : vbf16_low(words);
        }
    }
}

/* LANES columns of a row from column c, a multiple of that. */
INLINE vec load_bf16_vector(const uint16_t *row, int64_t c)
{
    vec words = vload_words(row + c / TSNNI_BF16_BLOCK * TSNNI_BF16_BLOCK + 2 * (c % TSNNI_COLUMN_GROUP));
    return c / TSNNI_COLUMN_GROUP % 2 ? vbf16_high(words) : vbf16_low(words);
}

INLINE void prefetch_bf16(const uint16_t *row, const int groups)
{
    UNROLL
    for (int g = 0; g < groups; g += 4)
        PREFETCH(row + g * TSNNI_COLUMN_GROUP);
}

INLINE void prefetch_bf16_far(const uint16_t *row, const int groups)
{
    UNROLL
    for (int g = 0; g < groups; g += 2)
        PREFETCH_FAR(row + g * TSNNI_COLUMN_GROUP);
}

static TARGET void pack(const tsnni_pack *task, int64_t begin, int64_t end)
{
    const int64_t groups = task->width / TSNNI_COLUMN_GROUP;
    for (int64_t i = begin; i < end; i++) {
        const float *from = task->from + i * task->stride;
        uint16_t *to = task->to + i * task->bf16_stride;
        for (int64_t g = 0; g < groups; g += 2) {
            const int whole = groups - g > 1;
            vec block[2 * GROUP_VECTORS];
            load_columns(from + g * TSNNI_COLUMN_GROUP, 1, block);
            UNROLL
            for (int u = 0; u < GROUP_VECTORS; u++)
                block[GROUP_VECTORS + u] = vzero();
            if (whole)
                load_columns(from + (g + 1) * TSNNI_COLUMN_GROUP, 1, block + GROUP_VECTORS);
            store_bf16(to + g * TSNNI_COLUMN_GROUP, 2, block);
        }
    }
}
