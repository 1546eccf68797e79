/* Layers in which every connection exists: register tiles, no indices. */

/* A matrix that products are made with: floats, or bf16 when that is not NULL. */
typedef struct dense_source {
    const float *floats;
    const uint16_t *bf16;  /* tiles of several groups begin with an even one */
    int64_t stride, group; /* of the one that is there; the first group of columns */
} dense_source;

/* The sums of `rows` x `groups` elements over `terms`: sum[r] += coefficient[r, t] * from[t]. */
INLINE void tile_product(const float *coefficient, int64_t row_step, int64_t term_step, const dense_source *from,
                         int64_t terms, const int rows, const int groups, const int from_bf16,
                         vec sum[DENSE_ROWS][DENSE_GROUPS * GROUP_VECTORS])
{
    const int vectors = groups * GROUP_VECTORS;
    for (int64_t t = 0; t < terms; t++) {
        const float *w = coefficient + t * term_step;
        vec x[DENSE_GROUPS * GROUP_VECTORS];
        if (!from_bf16)
            load_columns(from->floats + t * from->stride + from->group * TSNNI_COLUMN_GROUP, groups, x);
        else if (groups > 1 || from->group % 2 == 0)
            load_bf16(from->bf16 + t * from->stride, from->group, 0, groups, x);
        else
            load_bf16(from->bf16 + t * from->stride, from->group, 1, groups, x);
        UNROLL
        for (int v = 0; v < vectors; v++)
            HOLD(x[v]);
        UNROLL
        for (int r = 0; r < rows; r++) {
            vec weight = vset1(w[r * row_step]);
            UNROLL
            for (int v = 0; v < vectors; v++)
                sum[r][v] = vfma(weight, x[v], sum[r][v]);
        }
    }
}

INLINE void dense_forward_tile(const tsnni_forward *task, int64_t j, int64_t group, const int rows, const int groups)
{
    const dense_source x = {task->x, task->x_bf16, task->x_bf16 ? task->bf16_stride : task->stride, group};
    vec sum[DENSE_ROWS][DENSE_GROUPS * GROUP_VECTORS];
    UNROLL
    for (int r = 0; r < rows; r++) {
        vec bias = task->bias ? vset1(task->bias[j + r]) : vzero();
        UNROLL
        for (int v = 0; v < groups * GROUP_VECTORS; v++)
            sum[r][v] = bias;
    }
    if (task->x_bf16)
        tile_product(task->values + j, 1, task->columns, &x, task->rows, rows, groups, 1, sum);
    else
        tile_product(task->values + j, 1, task->columns, &x, task->rows, rows, groups, 0, sum);
    UNROLL
    for (int r = 0; r < rows; r++)
        store_columns(task->y + (j + r) * task->stride + group * TSNNI_COLUMN_GROUP, groups, sum[r]);
}

/* Several outputs and column groups of dx or y; `rows` <= DENSE_ROWS, `groups` is DENSE_GROUPS or 1. */
#define DENSE_SWITCH(rows, groups, CALL)                                                                               \
    switch (rows) {                                                                                                    \
    case 1:                                                                                                            \
        DENSE_SWITCH_GROUPS(1, groups, CALL)                                                                           \
    case 2:                                                                                                            \
        DENSE_SWITCH_GROUPS(2, groups, CALL)                                                                           \
    case 3:                                                                                                            \
        DENSE_SWITCH_GROUPS(3, groups, CALL)                                                                           \
    case 4:                                                                                                            \
        DENSE_SWITCH_GROUPS(4, groups, CALL)                                                                           \
    case 5:                                                                                                            \
        DENSE_SWITCH_GROUPS(5, groups, CALL)                                                                           \
    default:                                                                                                           \
        DENSE_SWITCH_GROUPS(6, groups, CALL)                                                                           \
    }
#define DENSE_SWITCH_GROUPS(rows, groups, CALL)                                                                        \
    if (groups == DENSE_GROUPS)                                                                                        \
        CALL(rows, DENSE_GROUPS);                                                                                      \
    else                                                                                                               \
        CALL(rows, 1);                                                                                                 \
    break;

static TARGET void finish_outputs(const tsnni_forward *task, const tsnni_dense_part *part)
{
    if (task->keep)
        draw_keep(task, part->first_output, part->end_output, part->first_group, part->end_group);
    for (int64_t j = part->first_output; j < part->end_output; j++) {
        for (int64_t g = part->first_group; g < part->end_group; g++) {
            float *row = task->y + j * task->stride + g * TSNNI_COLUMN_GROUP;
            vec y[GROUP_VECTORS];
            load_columns(row, 1, y);
            activate(task, j, g, 1, y);
            drop(task, j, g, 1, y);
            store_columns(row, 1, y);
        }
    }
}

static TARGET void dense_forward_part(const tsnni_forward *task, const tsnni_dense_part *part)
{
    int64_t groups, rows;
    for (int64_t g = part->first_group; g < part->end_group; g += groups) {
        groups = part->end_group - g >= DENSE_GROUPS && !(task->x_bf16 && g % 2) ? DENSE_GROUPS : 1;
        for (int64_t j = part->first_output; j < part->end_output; j += rows) {
            rows = tile_size(part->end_output - j, DENSE_ROWS);
#define CALL(r, n) dense_forward_tile(task, j, g, r, n)
            DENSE_SWITCH(rows, groups, CALL)
#undef CALL
        }
    }
    finish_outputs(task, part);
}

static TARGET void dense_forward(const tsnni_forward *task, int64_t begin, int64_t end)
{
    while (begin < end) {
        tsnni_dense_part part = tsnni_dense_part_of(task, begin, end);
        dense_forward_part(task, &part);
        begin += part.units;
    }
}

/* dx of `rows` inputs in one tile of columns; sums[r] gathers the row sums. */
INLINE void dense_input_tile(const tsnni_backward *task, int64_t i, int64_t group, const int rows, const int groups,
                             vec *sums)
{
    const dense_source dy = {task->dy, NULL, task->stride, group};
    vec dx[DENSE_ROWS][DENSE_GROUPS * GROUP_VECTORS];
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int v = 0; v < groups * GROUP_VECTORS; v++)
            dx[r][v] = vzero();
    }
    tile_product(task->values + i * task->columns, task->columns, 1, &dy, task->columns, rows, groups, 0, dx);
    UNROLL
    for (int r = 0; r < rows; r++) {
        sums[r] = vadd(sums[r], differentiate(task, i + r, group, groups, dx[r]));
        store_columns(task->dx + (i + r) * task->stride + group * TSNNI_COLUMN_GROUP, groups, dx[r]);
    }
}

static TARGET void dense_input(const tsnni_backward *task, int64_t i, int64_t rows)
{
    int64_t all = task->width / TSNNI_COLUMN_GROUP, groups;
    vec sums[DENSE_ROWS];
    for (int r = 0; r < DENSE_ROWS; r++)
        sums[r] = vzero();
    for (int64_t g = 0; g < all; g += groups) {
        groups = all - g >= DENSE_GROUPS ? DENSE_GROUPS : 1;
#define CALL(r, n) dense_input_tile(task, i, g, r, n, sums)
        DENSE_SWITCH(rows, groups, CALL)
#undef CALL
    }
    for (int64_t r = 0; r < rows && task->dx_sum; r++)
        task->dx_sum[i + r] = vsum(sums[r]);
}

/* The dot products of `rows` inputs with up to four outputs, over all columns. */
INLINE void dense_gradient_tile(const tsnni_backward *task, int64_t i, int64_t j, const int rows, const int outputs,
                                const int x_bf16, float *dots)
{
    const int64_t stride = task->stride, width = task->width;
    const float *dy = task->dy + j * stride;
    vec dot[DENSE_GRADIENT_ROWS][4];
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int o = 0; o < 4; o++)
            dot[r][o] = vzero();
    }
    for (int64_t c = 0; c < width; c += LANES) {
        vec d[4];
        UNROLL
        for (int o = 0; o < outputs; o++) {
            d[o] = vload(dy + o * stride + c);
            HOLD(d[o]);
        }
        UNROLL
        for (int r = 0; r < rows; r++) {
            vec from = x_bf16 ? load_bf16_vector(task->x_bf16 + (i + r) * task->bf16_stride, c)
                              : vload(task->x + (i + r) * stride + c);
            HOLD(from);
            UNROLL
            for (int o = 0; o < outputs; o++)
                dot[r][o] = vfma(from, d[o], dot[r][o]);
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++)
        vdots4(dots + r * DOT_BLOCK, dot[r][0], dot[r][1], dot[r][2], dot[r][3], 0);
}

INLINE void dense_gradient_outputs(const tsnni_backward *task, int64_t i, int64_t j, const int rows, int64_t outputs,
                                   const int x_bf16, float *dots)
{
    switch (outputs) {
    case 1:
        dense_gradient_tile(task, i, j, rows, 1, x_bf16, dots);
        break;
    case 2:
        dense_gradient_tile(task, i, j, rows, 2, x_bf16, dots);
        break;
    case 3:
        dense_gradient_tile(task, i, j, rows, 3, x_bf16, dots);
        break;
    default:
        dense_gradient_tile(task, i, j, rows, 4, x_bf16, dots);
        break;
    }
}

/* The dot products of `rows` <= DENSE_GRADIENT_ROWS inputs with up to DOT_BLOCK outputs. */
INLINE void dense_gradient_block(const tsnni_backward *task, int64_t i, int64_t rows, int64_t first, int64_t count,
                                 const int x_bf16, float *dots)
{
    for (int64_t j = 0; j < count; j += 4) {
        int64_t outputs = count - j < 4 ? count - j : 4;
        if (rows == DENSE_GRADIENT_ROWS)
            dense_gradient_outputs(task, i, first + j, DENSE_GRADIENT_ROWS, outputs, x_bf16, dots + j);
        else
            for (int64_t r = 0; r < rows; r++)
                dense_gradient_outputs(task, i + r, first + j, 1, outputs, x_bf16, dots + j + r * DOT_BLOCK);
    }
}

static TARGET void dense_weights(const tsnni_backward *task, const step *s, int64_t i, int64_t rows)
{
    float dots[DENSE_GRADIENT_ROWS * DOT_BLOCK + LANES] __attribute__((aligned(64))) = {0};
    for (int64_t first = 0; first < task->columns; first += DOT_BLOCK) {
        int64_t count = task->columns - first < DOT_BLOCK ? task->columns - first : DOT_BLOCK;
        if (task->x_bf16)
            dense_gradient_block(task, i, rows, first, count, 1, dots);
        else
            dense_gradient_block(task, i, rows, first, count, 0, dots);
        for (int64_t r = 0; r < rows; r++)
            finish_weights(task, s, (i + r) * task->columns + first, count, dots + r * DOT_BLOCK);
    }
}

static TARGET void dense_backward(const tsnni_backward *task, int64_t begin, int64_t end)
{
    step s = step_of(&task->update);
    int64_t rows;
    if (task->width < TSNNI_COLUMN_GROUP)
        return;
    for (int64_t i = begin; i < end; i += rows) {
        rows = end - i < DENSE_ROWS ? end - i : DENSE_ROWS;
        if (task->dx)
            dense_input(task, i, rows);
        if (task->mode == TSNNI_BACKWARD_INPUT)
            continue;
        for (int64_t r = 0; r < rows; r += DENSE_GRADIENT_ROWS)
            dense_weights(task, &s, i + r, rows - r < DENSE_GRADIENT_ROWS ? rows - r : DENSE_GRADIENT_ROWS);
    }
}
