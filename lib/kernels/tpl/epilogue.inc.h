/* What happens to a row while it is still in registers: activation, dropout, and their derivative. */

/* z becomes slope(z); its bits go to the plane of negative elements. */
INLINE void activate(const tsnni_forward *task, int64_t j, int64_t first_group, const int groups, vec *z)
{
    if (task->negative_slope == 1.0f && !task->negative)
        return;
    uint16_t *plane = task->negative ? task->negative + j * (task->width / TSNNI_COLUMN_GROUP) + first_group : NULL;
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

/* Moves the lanes of the counters that have left the row on to the next one. */
INLINE void wrap_counters(vcounter *row, vcounter *group, int64_t groups)
{
    vcounter over = (vcounter)(*group > vcounter_set(groups - 1));
    *group -= vcounter_set(groups) & over;
    *row -= over; /* all bits set: minus one */
}

/* Draws the bits that dropout keeps, for a rectangle of the plane: KEEP_WORDS words at a time, which may lie in several
 * rows. */
static TARGET void draw_keep(const tsnni_forward *task, int64_t first_row, int64_t last_row, int64_t first_group,
                             int64_t last_group)
{
    const int64_t groups = last_group - first_group, row_words = task->width / TSNNI_COLUMN_GROUP;
    const int64_t count = (last_row - first_row) * groups;
    const tsnni_random_key key = task->key; /* a copy that no store can change */
    const uint32_t keep_below = task->keep_below;
    uint16_t *plane = task->keep + first_row * row_words + first_group;
    if (count <= 0)
        return;
    vcounter row[KEEP_VECTORS], group[KEEP_VECTORS];
    for (int v = 0; v < KEEP_VECTORS; v++) {
        row[v] = vcounter_set(0);
        group[v] = vcounter_ramp() + vcounter_set(v * (KEEP_WORDS / KEEP_VECTORS));
        for (int lane = 1; lane < KEEP_WORDS; lane++)
            wrap_counters(&row[v], &group[v], groups);
        row[v] += vcounter_set(first_row);
    }
    const vcounter row_step = vcounter_set(KEEP_WORDS / groups), group_step = vcounter_set(KEEP_WORDS % groups);
    for (int64_t n = 0; n < count; n += KEEP_WORDS) {
        uint16_t words[KEEP_WORDS];
        int whole = groups == row_words && count - n >= KEEP_WORDS;
        keep_words(&key, row, group, (uint32_t)first_group, keep_below, whole ? plane + n : words);
        for (int64_t i = n; !whole && i < count && i < n + KEEP_WORDS; i++)
            plane[i / groups * row_words + i % groups] = words[i - n];
        UNROLL
        for (int v = 0; v < KEEP_VECTORS; v++) {
            row[v] += row_step;
            group[v] += group_step;
            wrap_counters(&row[v], &group[v], groups);
        }
    }
}

/* Applies what draw_keep has drawn. */
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

/* What dx is multiplied with; `negative` and `keep` point to the words of its columns, or are NULL. */
INLINE void apply_derivative(const uint16_t *negative, const uint16_t *keep, vec slope, vec scale, const int vectors,
                             vec *dx)
{
    UNROLL
    for (int v = 0; v < vectors; v++) {
        const int word = v / GROUP_VECTORS, shift = v % GROUP_VECTORS * LANES;
        vec factor = negative ? vselect(vmask_of((uint32_t)negative[word] >> shift), slope, scale) : scale;
        dx[v] = vmul(dx[v], factor);
        if (keep)
            dx[v] = vzero_unless(vmask_of((uint32_t)keep[word] >> shift), dx[v]);
    }
}

/* dx becomes dx f'(z) keep; returns its sum over the vectors. */
INLINE vec differentiate(const tsnni_backward *task, int64_t i, int64_t first_group, const int groups, vec *dx)
{
    const int vectors = groups * GROUP_VECTORS;
    const int64_t plane = i * (task->width / TSNNI_COLUMN_GROUP) + first_group;
    const float kept = task->keep ? task->keep_scale : 1.0f;
    vec scale = vset1(kept), slope = vset1(task->negative_slope * kept);
    if (task->negative && task->keep)
        apply_derivative(task->negative + plane, task->keep + plane, slope, scale, vectors, dx);
    else if (task->negative)
        apply_derivative(task->negative + plane, NULL, slope, scale, vectors, dx);
    else if (task->keep)
        apply_derivative(NULL, task->keep + plane, slope, scale, vectors, dx);
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
    draw_keep(task, begin, end, 0, groups);
    for (int64_t j = begin; j < end; j++) {
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
