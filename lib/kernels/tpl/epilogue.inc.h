/* What happens to a row while it is still in registers: activation, dropout, and their derivative. */

/* z becomes slope(z); its bits go to the plane of negative elements. */
INLINE void activate(const tsnni_forward *task, int64_t j, int64_t first_group, const int groups, vec *z)
{
    if (task->negative_slope == 1.0f && !task->negative)
        return;
    uint16_t *plane =
        task->negative ? task->negative + j * (task->width / TSNNI_COLUMN_GROUP) + first_group : NULL;
    vec slope = vset1(task->negative_slope);
    UNROLL
    for (int g = 0; g < groups; g++) {
        uint32_t bits = 0;
        UNROLL
        for (int u = 0; u < GROUP_VECTORS; u++) {
            vec *at = z + g * GROUP_VECTORS + u;
            vmask negative = vnegative(*at);
            *at = vselect(negative, vmul(*at, slope), *at);
            bits |= vbits(negative) << (u * LANES);
        }
        if (plane)
            plane[g] = (uint16_t)bits;
    }
}

/* Draws the bits of row j that dropout keeps. Not inlined: called while no sums are in registers. */
static __attribute__((noinline)) TARGET void draw_keep(const tsnni_forward *task, int64_t j, int64_t first_group,
                                                       int64_t groups)
{
    uint16_t *plane = task->keep + j * (task->width / TSNNI_COLUMN_GROUP) + first_group;
    for (int64_t g = 0; g < groups; g += KEEP_GROUPS) {
        uint16_t words[KEEP_GROUPS];
        int64_t count = groups - g < KEEP_GROUPS ? groups - g : KEEP_GROUPS;
        uint32_t group = (uint32_t)(first_group + g);
        if (count == KEEP_GROUPS) {
            keep_words(&task->key, (uint32_t)j, group, task->keep_below, plane + g);
        } else {
            keep_words(&task->key, (uint32_t)j, group, task->keep_below, words);
            for (int64_t i = 0; i < count; i++)
                plane[g + i] = words[i];
        }
    }
}

/* Applies the plane that draw_keep has drawn. */
INLINE void drop(const tsnni_forward *task, int64_t j, int64_t first_group, const int groups, vec *y)
{
    if (!task->keep)
        return;
    const uint16_t *plane = task->keep + j * (task->width / TSNNI_COLUMN_GROUP) + first_group;
    vec scale = vset1(task->keep_scale);
    UNROLL
    for (int g = 0; g < groups; g++) {
        uint32_t bits = plane[g];
        UNROLL
        for (int u = 0; u < GROUP_VECTORS; u++) {
            vec *at = y + g * GROUP_VECTORS + u;
            *at = vzero_unless(vmask_of(bits >> (u * LANES)), vmul(*at, scale));
        }
    }
}

/* dx becomes dx f'(z) keep; returns its sum over the vectors. */
INLINE vec differentiate(const tsnni_backward *task, int64_t i, int64_t first_group, const int groups, vec *dx)
{
    const int vectors = groups * GROUP_VECTORS;
    int64_t plane = i * (task->width / TSNNI_COLUMN_GROUP) + first_group;
    if (task->negative) {
        vec slope = vset1(task->negative_slope);
        UNROLL
        for (int v = 0; v < vectors; v++) {
            uint32_t bits = task->negative[plane + v / GROUP_VECTORS];
            vmask negative = vmask_of(bits >> (v % GROUP_VECTORS * LANES));
            dx[v] = vselect(negative, vmul(dx[v], slope), dx[v]);
        }
    }
    if (task->keep) {
        vec scale = vset1(task->keep_scale);
        UNROLL
        for (int v = 0; v < vectors; v++) {
            uint32_t bits = task->keep[plane + v / GROUP_VECTORS];
            dx[v] = vzero_unless(vmask_of(bits >> (v % GROUP_VECTORS * LANES)), vmul(dx[v], scale));
        }
    }
    vec sum = dx[0];
    UNROLL
    for (int v = 1; v < vectors; v++)
        sum = vadd(sum, dx[v]);
    return sum;
}

INLINE void load_columns(const float *row, const int groups, vec *to)
{
    UNROLL
    for (int v = 0; v < groups * GROUP_VECTORS; v++)
        to[v] = vload(row + v * LANES);
}

INLINE void store_columns(float *row, const int groups, const vec *from)
{
    UNROLL
    for (int v = 0; v < groups * GROUP_VECTORS; v++)
        vstore(row + v * LANES, from[v]);
}

static TARGET void dropout(const tsnni_forward *task, int64_t begin, int64_t end)
{
    int64_t groups = task->width / TSNNI_COLUMN_GROUP;
    if (!task->keep)
        return;
    for (int64_t j = begin; j < end; j++) {
        draw_keep(task, j, 0, groups);
        for (int64_t g = 0; g < groups; g++) {
            float *row = task->y + j * task->stride + g * TSNNI_COLUMN_GROUP;
            vec y[GROUP_VECTORS];
            load_columns(row, 1, y);
            drop(task, j, g, 1, y);
            store_columns(row, 1, y);
        }
    }
}

static TARGET void derivative(const tsnni_backward *task, int64_t begin, int64_t end)
{
    int64_t groups = task->width / TSNNI_COLUMN_GROUP;
    if (groups == 0)
        return;
    for (int64_t i = begin; i < end; i++) {
        vec sum = vzero();
        for (int64_t g = 0; g < groups; g++) {
            float *row = task->dx + i * task->stride + g * TSNNI_COLUMN_GROUP;
            vec dx[GROUP_VECTORS];
            load_columns(row, 1, dx);
            sum = vadd(sum, differentiate(task, i, g, 1, dx));
            store_columns(row, 1, dx);
        }
        if (task->dx_sum)
            task->dx_sum[i] = vsum(sum);
    }
}
