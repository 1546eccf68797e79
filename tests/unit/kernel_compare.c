/* Random problems, a double-precision computation straight from the formulas, and the comparison. */
#include "kernel_compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- problems ---- */

typedef struct problem {
    int64_t rows, columns, batch, width, stride, bf16_stride, words, count;
    int64_t *row_ptr, *column_ptr;
    void *column[2], *row[2]; /* 16 and 32-bit */
    uint32_t *position;
    float *values, *bias, *x, *dy;
    uint16_t *x_bf16; /* x, once that has been rounded; NULL before */
    double *weight;   /* rows x columns, 0 where nothing is */
    int64_t *where;   /* of each cell in values, or -1 */
    uint16_t *negative, *keep;
} problem;

static void choose_cells(problem *p, const tsnni_kernel_shape *shape, tsnni_stream *stream)
{
    int64_t cells = p->rows * p->columns;
    p->where = malloc((size_t)(cells + 1) * sizeof *p->where);
    for (int64_t cell = 0; cell < cells; cell++) {
        int64_t i = cell / p->columns;
        int there = tsnni_stream_uniform(stream) < shape->density;
        if (shape->ragged)
            there = i % 3 == 1 ? 0 : i % 5 == 0 ? 1 : there;
        p->where[cell] = there ? p->count++ : -1;
    }
}

static void set_index(void *indices[2], int64_t k, int64_t index)
{
    ((uint16_t *)indices[0])[k] = (uint16_t)index;
    ((uint32_t *)indices[1])[k] = (uint32_t)index;
}

/* Both index orders, from the chosen cells. */
static void build_indices(problem *p)
{
    size_t padded = (size_t)p->count + TSNNI_INDEX_PADDING;
    p->row_ptr = calloc((size_t)p->rows + 1, sizeof *p->row_ptr);
    p->column_ptr = calloc((size_t)p->columns + 1, sizeof *p->column_ptr);
    p->position = calloc(padded, sizeof *p->position);
    for (int wide = 0; wide < 2; wide++) {
        p->column[wide] = calloc(padded, wide ? 4 : 2);
        p->row[wide] = calloc(padded, wide ? 4 : 2);
    }
    for (int64_t i = 0; i < p->rows; i++) {
        p->row_ptr[i + 1] = p->row_ptr[i];
        for (int64_t j = 0; j < p->columns; j++)
            if (p->where[i * p->columns + j] >= 0)
                set_index(p->column, p->row_ptr[i + 1]++, j);
    }
    for (int64_t j = 0, k = 0; j < p->columns; j++) {
        for (int64_t i = 0; i < p->rows; i++) {
            if (p->where[i * p->columns + j] < 0)
                continue;
            set_index(p->row, k, i);
            p->position[k++] = (uint32_t)p->where[i * p->columns + j];
        }
        p->column_ptr[j + 1] = k;
    }
}

static problem problem_new(const tsnni_kernel_shape *shape)
{
    problem p = {.rows = shape->rows, .columns = shape->columns, .batch = shape->batch};
    tsnni_stream stream = tsnni_case_stream(shape->rows * 1000 + shape->columns, shape->batch);
    p.width = (p.batch + TSNNI_COLUMN_GROUP - 1) / TSNNI_COLUMN_GROUP * TSNNI_COLUMN_GROUP;
    p.stride = p.width + shape->gap;
    p.bf16_stride = (p.stride + TSNNI_BF16_BLOCK - 1) / TSNNI_BF16_BLOCK * TSNNI_BF16_BLOCK;
    p.words = p.width / TSNNI_COLUMN_GROUP;
    choose_cells(&p, shape, &stream);
    build_indices(&p);
    p.values = tsnni_guarded_floats(&stream, p.count);
    p.bias = tsnni_guarded_floats(&stream, p.columns);
    p.x = tsnni_guarded_floats(&stream, p.rows * p.stride);
    p.dy = tsnni_guarded_floats(&stream, p.columns * p.stride);
    for (int64_t j = 0; j < p.columns; j++)
        for (int64_t c = p.batch; c < p.width; c++)
            p.dy[j * p.stride + c] = 0;
    p.negative = tsnni_guarded_plane(&stream, p.rows * p.words);
    p.keep = tsnni_guarded_plane(&stream, p.rows * p.words);
    p.weight = calloc((size_t)(p.rows * p.columns) + 1, sizeof *p.weight);
    for (int64_t cell = 0; cell < p.rows * p.columns; cell++)
        if (p.where[cell] >= 0)
            p.weight[cell] = p.values[p.where[cell]];
    return p;
}

/* Goes on with x as bf16; x itself becomes the same numbers, for the computation in double precision. */
static void problem_round(problem *p)
{
    p->x_bf16 = tsnni_guarded_new(p->rows * p->bf16_stride * 2);
    memset(p->x_bf16, 0, (size_t)(p->rows * p->bf16_stride * 2));
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t c = 0; c < p->width; c++) {
            uint16_t half = tsnni_bf16_round(p->x[i * p->stride + c]);
            p->x_bf16[i * p->bf16_stride + tsnni_bf16_place(c)] = half;
            p->x[i * p->stride + c] = tsnni_bf16_value(half);
        }
}

static void problem_free(problem *p)
{
    for (int wide = 0; wide < 2; wide++) {
        free(p->column[wide]);
        free(p->row[wide]);
    }
    free(p->row_ptr);
    free(p->column_ptr);
    free(p->position);
    free(p->weight);
    free(p->where);
    tsnni_guarded_free(p->values);
    tsnni_guarded_free(p->bias);
    tsnni_guarded_free(p->x);
    tsnni_guarded_free(p->x_bf16);
    tsnni_guarded_free(p->dy);
    tsnni_guarded_free(p->negative);
    tsnni_guarded_free(p->keep);
}

static int plane_bit(const uint16_t *plane, int64_t words, int64_t row, int64_t c)
{
    return plane[row * words + c / 16] >> (c % 16) & 1;
}

/* ---- forward ---- */

enum { NARROW, WIDE, DENSE };
static const char *const kernel_names[] = {"16-bit", "32-bit", "dense"};

typedef void (*forward_function)(const tsnni_forward *, int64_t, int64_t);

static forward_function forward_of(const tsnni_kernels *kernels, int kind)
{
    return kind == DENSE ? kernels->dense_forward : kernels->forward[kind];
}

static void forward_outputs_new(tsnni_forward *task, const tsnni_forward_variant *variant, int64_t words)
{
    task->y = tsnni_guarded_new(task->columns * task->stride * 4);
    if (task->y_bf16)
        task->y_bf16 = tsnni_guarded_new(task->columns * task->bf16_stride * 2);
    task->negative = variant->negative ? tsnni_guarded_new(task->columns * words * 2) : NULL;
    task->keep = variant->keep_below ? tsnni_guarded_new(task->columns * words * 2) : NULL;
}

static void forward_outputs_free(tsnni_forward *task)
{
    tsnni_guarded_free(task->y);
    tsnni_guarded_free(task->y_bf16);
    tsnni_guarded_free(task->negative);
    tsnni_guarded_free(task->keep);
}

static int kept(const tsnni_forward *task, int64_t j, int64_t c)
{
    const uint32_t *origin = task->key.counter;
    uint32_t counter[4] = {origin[0] + (uint32_t)(c / 16), origin[1] + (uint32_t)j, origin[2], origin[3]}, block[4];
    tsnni_philox4x32(counter, task->key.key, block);
    return (block[c % 16 / 4] >> (8 * (c % 4)) & 0xFF) < task->keep_below;
}

static void check_output(const problem *p, const tsnni_forward *task, int64_t j, int64_t c, const char *name,
                         tsnni_report *report)
{
    double z = task->bias ? task->bias[j] : 0, magnitude = fabs(z), share = 1;
    for (int64_t i = 0; i < p->rows; i++) {
        z += p->weight[i * p->columns + j] * p->x[i * p->stride + c];
        magnitude += fabs(p->weight[i * p->columns + j] * p->x[i * p->stride + c]);
    }
    if (task->keep) {
        int keep = kept(task, j, c);
        tsnni_expect(report, plane_bit(task->keep, p->words, j, c) == keep, "%s: keep bit (%d, %d)", name, (int)j,
                     (int)c);
        share = keep ? (double)task->keep_scale : 0;
    }
    if (task->negative && !tsnni_close_enough(0, z, magnitude, p->rows))
        tsnni_expect(report, plane_bit(task->negative, p->words, j, c) == (z < 0), "%s: negative bit (%d, %d)", name,
                     (int)j, (int)c);
    double expected = share * (z < 0 ? (double)task->negative_slope * z : z), actual = task->y[j * p->stride + c];
    tsnni_expect(report, tsnni_close_enough(actual, expected, share * magnitude, p->rows),
                 "%s: y(%d, %d) is %g, not %g", name, (int)j, (int)c, actual, expected);
}

/* The finished outputs of two runs. */
static int same_outputs(const problem *p, const tsnni_forward *a, const tsnni_forward *b)
{
    if (a->y_bf16)
        return memcmp(a->y_bf16, b->y_bf16, (size_t)(p->columns * p->bf16_stride * 2)) == 0;
    return memcmp(a->y, b->y, (size_t)(p->columns * p->stride * 4)) == 0;
}

/* The middle third first, and nothing else; then the rest. The result must have the bits of the whole. */
static void check_forward_cuts(const problem *p, const tsnni_forward *whole, const tsnni_forward_variant *variant,
                               forward_function function, int kind, const char *name, tsnni_report *report)
{
    tsnni_forward task = *whole;
    int64_t units = kind == DENSE ? tsnni_dense_units(&task) : p->columns, begin = units / 3, end = units - units / 3;
    int64_t plane_bytes = p->columns * p->words * 2;
    forward_outputs_new(&task, variant, p->words);
    function(&task, begin, end);
    if (kind != DENSE && !task.y_bf16)
        tsnni_expect_inside(report, task.y, p->columns, p->stride, p->width, begin, end, name);
    function(&task, 0, begin);
    function(&task, end, end);
    function(&task, end, units);
    tsnni_expect(report, same_outputs(p, &task, whole), "%s: y depends on the cuts", name);
    if (task.negative)
        tsnni_expect(report, memcmp(task.negative, whole->negative, (size_t)plane_bytes) == 0, "%s: negative, cuts",
                     name);
    if (task.keep)
        tsnni_expect(report, memcmp(task.keep, whole->keep, (size_t)plane_bytes) == 0, "%s: keep, cuts", name);
    forward_outputs_free(&task);
}

/* Where in each line of the index the parts of the other dimension end, see tsnni_forward. */
static int64_t *panel_ends(const int64_t *pointer, const uint32_t *index, int64_t lines, int64_t dimension,
                           int64_t panels)
{
    int64_t *ends = malloc((size_t)((panels - 1) * lines + 1) * sizeof *ends);
    for (int64_t part = 0; part < panels - 1; part++)
        for (int64_t i = 0; i < lines; i++) {
            int64_t k = pointer[i];
            while (k < pointer[i + 1] && index[k] < (part + 1) * dimension / panels)
                k++;
            ends[part * lines + i] = k;
        }
    return ends;
}

/* Panels and the far prefetch are about speed: the result must have the bits of the plain run. */
static void check_forward_panels(const problem *p, const tsnni_forward *whole, const tsnni_forward_variant *variant,
                                 forward_function function, const char *name, tsnni_report *report)
{
    for (int64_t panels = 1; panels <= 4; panels++) {
        tsnni_forward task = *whole;
        int64_t *ends = panel_ends(p->column_ptr, p->row[WIDE], p->columns, p->rows, panels);
        int64_t y_bytes = p->columns * p->stride * 4, plane_bytes = p->columns * p->words * 2;
        task.panels = panels;
        task.panel_ptr = ends;
        task.prefetch_far = panels % 2 ? 64 : 0;
        forward_outputs_new(&task, variant, p->words);
        function(&task, 0, p->columns / 2);
        function(&task, p->columns / 2, p->columns);
        tsnni_expect(report, same_outputs(p, &task, whole), "%s: y depends on %d panels", name, (int)panels);
        if (task.negative)
            tsnni_expect(report, memcmp(task.negative, whole->negative, (size_t)plane_bytes) == 0,
                         "%s: negative, %d panels", name, (int)panels);
        tsnni_expect_guards(report, task.y, y_bytes, name);
        forward_outputs_free(&task);
        free(ends);
    }
}

/* The same again with outputs in bf16: those of `whole`, rounded, and nothing in the rows' surplus halves. */
static void check_forward_bf16(const problem *p, const tsnni_forward *whole, const tsnni_forward_variant *variant,
                               forward_function function, int kind, const char *name, tsnni_report *report)
{
    tsnni_forward task = *whole;
    task.y_bf16 = p->x_bf16; /* wanted */
    forward_outputs_new(&task, variant, p->words);
    function(&task, 0, p->columns);
    for (int64_t j = 0; j < p->columns; j++) {
        const uint16_t *row = task.y_bf16 + j * p->bf16_stride;
        for (int64_t c = 0; c < p->width; c++)
            tsnni_expect(report, row[tsnni_bf16_place(c)] == tsnni_bf16_round(whole->y[j * p->stride + c]),
                         "%s: y(%d, %d) is not rounded to the nearest bf16", name, (int)j, (int)c);
        for (int64_t c = p->width; c % TSNNI_BF16_BLOCK; c++)
            tsnni_expect(report, row[tsnni_bf16_place(c)] == 0, "%s: surplus column %d", name, (int)c);
    }
    tsnni_expect_guards(report, task.y_bf16, p->columns * p->bf16_stride * 2, name);
    tsnni_expect_inside(report, task.y, p->columns, p->stride, 0, 0, 0, name);
    check_forward_cuts(p, &task, variant, function, kind, name, report);
    check_forward_panels(p, &task, variant, function, name, report);
    forward_outputs_free(&task);
}

static void compare_forward_kind(const tsnni_kernels *kernels, const problem *p, const tsnni_forward_variant *variant,
                                 int kind, tsnni_report *report)
{
    forward_function function = forward_of(kernels, kind);
    char name[120];
    snprintf(name, sizeof name, "%s forward %s %dx%d batch %d%s", kernels->name, kernel_names[kind], (int)p->rows,
             (int)p->columns, (int)p->batch, p->x_bf16 ? " bf16" : "");
    tsnni_forward task = {.rows = p->rows,
                          .columns = p->columns,
                          .column_ptr = kind == DENSE ? NULL : p->column_ptr,
                          .row = kind == DENSE ? NULL : p->row[kind],
                          .position = kind == DENSE ? NULL : p->position,
                          .values = tsnni_exact_copy(p->values, p->count * 4),
                          .bias = variant->bias ? p->bias : NULL,
                          .x = p->x_bf16 ? NULL : p->x,
                          .x_bf16 = p->x_bf16,
                          .stride = p->stride,
                          .width = p->width,
                          .bf16_stride = p->bf16_stride,
                          .negative_slope = variant->negative_slope,
                          .keep_below = variant->keep_below,
                          .keep_scale = variant->keep_below ? 256.0f / (float)variant->keep_below : 0,
                          .key = {{5, 0xFFFFFFF0u}, {0xFFFFFFFEu, 0xFFFFFFFDu, 3, 4}},
                          .prefetch = variant->prefetch};
    forward_outputs_new(&task, variant, p->words);
    function(&task, 0, kind == DENSE ? tsnni_dense_units(&task) : p->columns);
    for (int64_t j = 0; j < p->columns; j++)
        for (int64_t c = 0; c < p->width; c++)
            check_output(p, &task, j, c, name, report);
    tsnni_expect_inside(report, task.y, p->columns, p->stride, p->width, 0, p->columns, name);
    tsnni_expect_guards(report, task.y, p->columns * p->stride * 4, name);
    tsnni_expect_guards(report, task.negative, p->columns * p->words * 2, name);
    tsnni_expect_guards(report, task.keep, p->columns * p->words * 2, name);
    check_forward_cuts(p, &task, variant, function, kind, name, report);
    if (kind != DENSE)
        check_forward_panels(p, &task, variant, function, name, report);
    if (kind != DENSE && p->x_bf16)
        check_forward_bf16(p, &task, variant, function, kind, name, report);
    forward_outputs_free(&task);
    free((void *)task.values);
}

void tsnni_compare_forward(const tsnni_kernels *kernels, const tsnni_kernel_shape *shape,
                           const tsnni_forward_variant *variant, tsnni_report *report)
{
    problem p = problem_new(shape);
    for (int bf16 = 0; bf16 < 2; bf16++) {
        if (bf16)
            problem_round(&p);
        for (int kind = NARROW; kind <= DENSE; kind++)
            if (kind != DENSE || p.count == p.rows * p.columns)
                compare_forward_kind(kernels, &p, variant, kind, report);
    }
    problem_free(&p);
}

/* ---- backward ---- */

typedef void (*backward_function)(const tsnni_backward *, int64_t, int64_t);

static backward_function backward_of(const tsnni_kernels *kernels, int kind)
{
    return kind == DENSE ? kernels->dense_backward : kernels->backward[kind];
}

/* Weights, velocity and gradient start from the same numbers each time; dx and its sums unset. */
static void backward_outputs_new(tsnni_backward *task, const problem *p, const tsnni_backward_variant *variant)
{
    tsnni_stream stream = tsnni_case_stream(1, 2);
    task->values = tsnni_guarded_new(p->count * 4);
    memcpy(task->values, p->values, (size_t)p->count * 4);
    task->velocity = variant->velocity ? tsnni_guarded_floats(&stream, p->count) : NULL;
    task->gradient = variant->mode == TSNNI_BACKWARD_GRADIENT ? tsnni_guarded_floats(&stream, p->count) : NULL;
    task->dx = variant->dx ? tsnni_guarded_new(p->rows * p->stride * 4) : NULL;
    task->dx_sum = variant->dx_sum ? tsnni_guarded_new(p->rows * 4) : NULL;
}

static void backward_outputs_free(tsnni_backward *task)
{
    tsnni_guarded_free(task->values);
    tsnni_guarded_free(task->velocity);
    tsnni_guarded_free(task->gradient);
    tsnni_guarded_free(task->dx);
    tsnni_guarded_free(task->dx_sum);
}

static void check_input_row(const problem *p, const tsnni_backward *task, int64_t i, const char *name,
                            tsnni_report *report)
{
    double sum = 0, sum_magnitude = 0;
    for (int64_t c = 0; c < p->width; c++) {
        double expected = 0, magnitude = 0, factor = 1;
        for (int64_t j = 0; j < p->columns; j++) {
            expected += p->weight[i * p->columns + j] * p->dy[j * p->stride + c];
            magnitude += fabs(p->weight[i * p->columns + j] * p->dy[j * p->stride + c]);
        }
        if (task->negative && plane_bit(task->negative, p->words, i, c))
            factor = task->negative_slope;
        if (task->keep)
            factor *= plane_bit(task->keep, p->words, i, c) ? (double)task->keep_scale : 0;
        expected *= factor;
        magnitude *= fabs(factor);
        sum += expected;
        sum_magnitude += magnitude;
        double actual = task->dx[i * p->stride + c];
        tsnni_expect(report, tsnni_close_enough(actual, expected, magnitude, p->columns),
                     "%s: dx(%d, %d) is %g, not %g", name, (int)i, (int)c, actual, expected);
    }
    if (task->dx_sum)
        tsnni_expect(report, tsnni_close_enough(task->dx_sum[i], sum, sum_magnitude, p->columns + p->width),
                     "%s: sum of row %d is %g, not %g", name, (int)i, (double)task->dx_sum[i], sum);
}

/* One optimizer step by the formula of tsnni_update; *magnitude becomes that of the result. */
static void step_weight(const tsnni_update *u, double *w, double *v, double g, double *magnitude)
{
    double scale = fabs(u->gradient_scale) * *magnitude + fabs(u->l2 * *w);
    double old = *w;
    g = u->gradient_scale * g + u->l2 * old;
    *magnitude = fabs(u->momentum * *v) + u->learning_rate * scale;
    *v = u->momentum * *v - u->learning_rate * g;
    *w = old + (u->nesterov ? u->momentum * *v - u->learning_rate * g : *v) - u->decay * old;
    *magnitude = 2 * *magnitude + fabs(old);
}

static void check_weight(const problem *p, const tsnni_backward *task, const tsnni_backward *before, int64_t i,
                         int64_t j, const char *name, tsnni_report *report)
{
    int64_t k = p->where[i * p->columns + j];
    double g = 0, magnitude = 0, w = before->values[k], v = before->velocity ? before->velocity[k] : 0;
    for (int64_t c = 0; c < p->width; c++) {
        g += (double)p->x[i * p->stride + c] * p->dy[j * p->stride + c];
        magnitude += fabs((double)p->x[i * p->stride + c] * p->dy[j * p->stride + c]);
    }
    if (task->mode == TSNNI_BACKWARD_GRADIENT) {
        double expected = g + (task->accumulate ? (double)before->gradient[k] : 0);
        tsnni_expect(report, tsnni_close_enough(task->gradient[k], expected, magnitude + 1, p->width),
                     "%s: gradient(%d, %d) is %g, not %g", name, (int)i, (int)j, (double)task->gradient[k], expected);
    }
    if (task->mode == TSNNI_BACKWARD_UPDATE)
        step_weight(&task->update, &w, &v, g, &magnitude);
    else
        magnitude = 0; /* untouched */
    tsnni_expect(report, tsnni_close_enough(task->values[k], w, magnitude, p->width),
                 "%s: weight(%d, %d) is %g, not %g", name, (int)i, (int)j, (double)task->values[k], w);
    if (task->velocity)
        tsnni_expect(report, tsnni_close_enough(task->velocity[k], v, magnitude, p->width),
                     "%s: velocity(%d, %d) is %g, not %g", name, (int)i, (int)j, (double)task->velocity[k], v);
}

static int same_bytes(const void *a, const void *b, int64_t bytes)
{
    return !a || memcmp(a, b, (size_t)bytes) == 0;
}

static void expect_same_backward(const problem *p, const tsnni_backward *task, const tsnni_backward *whole,
                                 const char *name, const char *what, tsnni_report *report)
{
    tsnni_expect(report, same_bytes(task->dx, whole->dx, p->rows * p->stride * 4), "%s: dx depends on %s", name, what);
    tsnni_expect(report, same_bytes(task->dx_sum, whole->dx_sum, p->rows * 4), "%s: dx_sum, %s", name, what);
    tsnni_expect(report, same_bytes(task->values, whole->values, p->count * 4), "%s: values, %s", name, what);
    tsnni_expect(report, same_bytes(task->velocity, whole->velocity, p->count * 4), "%s: velocity, %s", name, what);
    tsnni_expect(report, same_bytes(task->gradient, whole->gradient, p->count * 4), "%s: gradient, %s", name, what);
}

static void check_backward_cuts(const problem *p, const tsnni_backward *whole, const tsnni_backward_variant *variant,
                                backward_function function, const char *name, tsnni_report *report)
{
    tsnni_backward task = *whole;
    int64_t begin = p->rows / 3, end = p->rows - p->rows / 3;
    backward_outputs_new(&task, p, variant);
    function(&task, begin, end);
    tsnni_expect_inside(report, task.dx, p->rows, p->stride, p->width, begin, end, name);
    tsnni_expect(report, same_bytes(p->row_ptr[begin] ? task.values : NULL, p->values, p->row_ptr[begin] * 4),
                 "%s: weights before the range changed", name);
    function(&task, 0, begin);
    function(&task, end, end);
    function(&task, end, p->rows);
    expect_same_backward(p, &task, whole, name, "the cuts", report);
    backward_outputs_free(&task);
}

static void check_backward_panels(const problem *p, const tsnni_backward *whole, const tsnni_backward_variant *variant,
                                  backward_function function, const char *name, tsnni_report *report)
{
    for (int64_t panels = 1; panels <= 4; panels++) {
        tsnni_backward task = *whole;
        int64_t *ends = panel_ends(p->row_ptr, p->column[WIDE], p->rows, p->columns, panels);
        task.panels = panels;
        task.panel_ptr = ends;
        task.prefetch_far = panels % 2 ? 64 : 0;
        backward_outputs_new(&task, p, variant);
        function(&task, 0, p->rows / 2);
        function(&task, p->rows / 2, p->rows);
        expect_same_backward(p, &task, whole, name, "panels", report);
        backward_outputs_free(&task);
        free(ends);
    }
}

static void check_backward(const problem *p, const tsnni_backward *task, const tsnni_backward_variant *variant,
                           const char *name, tsnni_report *report)
{
    tsnni_backward before = *task;
    backward_outputs_new(&before, p, variant);
    for (int64_t i = 0; i < p->rows; i++) {
        if (task->dx)
            check_input_row(p, task, i, name, report);
        for (int64_t j = 0; j < p->columns; j++)
            if (p->where[i * p->columns + j] >= 0)
                check_weight(p, task, &before, i, j, name, report);
    }
    tsnni_expect_inside(report, task->dx, p->rows, p->stride, p->width, 0, p->rows, name);
    tsnni_expect_guards(report, task->dx, p->rows * p->stride * 4, name);
    tsnni_expect_guards(report, task->dx_sum, p->rows * 4, name);
    tsnni_expect_guards(report, task->values, p->count * 4, name);
    tsnni_expect_guards(report, task->velocity, p->count * 4, name);
    tsnni_expect_guards(report, task->gradient, p->count * 4, name);
    backward_outputs_free(&before);
}

static void compare_backward_kind(const tsnni_kernels *kernels, const problem *p, const tsnni_backward_variant *variant,
                                  int kind, tsnni_report *report)
{
    backward_function function = backward_of(kernels, kind);
    char name[120];
    snprintf(name, sizeof name, "%s backward %s %dx%d batch %d mode %d%s%s", kernels->name, kernel_names[kind],
             (int)p->rows, (int)p->columns, (int)p->batch, (int)variant->mode, variant->dx ? "" : " without dx",
             p->x_bf16 ? " bf16" : "");
    const int wants_x = variant->mode != TSNNI_BACKWARD_INPUT;
    tsnni_backward task = {.rows = p->rows,
                           .columns = p->columns,
                           .row_ptr = kind == DENSE ? NULL : p->row_ptr,
                           .column = kind == DENSE ? NULL : p->column[kind],
                           .accumulate = variant->accumulate,
                           .mode = variant->mode,
                           .x = wants_x && !p->x_bf16 ? p->x : NULL,
                           .x_bf16 = wants_x ? p->x_bf16 : NULL,
                           .dy = p->dy,
                           .stride = p->stride,
                           .width = p->width,
                           .bf16_stride = p->bf16_stride,
                           .negative = variant->negative ? p->negative : NULL,
                           .negative_slope = -0.6f,
                           .keep = variant->keep ? p->keep : NULL,
                           .keep_scale = 1.4f,
                           .update = variant->update,
                           .prefetch = variant->prefetch};
    backward_outputs_new(&task, p, variant);
    function(&task, 0, p->rows);
    check_backward(p, &task, variant, name, report);
    check_backward_cuts(p, &task, variant, function, name, report);
    if (kind != DENSE)
        check_backward_panels(p, &task, variant, function, name, report);
    backward_outputs_free(&task);
}

void tsnni_compare_backward(const tsnni_kernels *kernels, const tsnni_kernel_shape *shape,
                            const tsnni_backward_variant *variant, tsnni_report *report)
{
    problem p = problem_new(shape);
    for (int bf16 = 0; bf16 < 2; bf16++) {
        if (bf16)
            problem_round(&p);
        for (int kind = NARROW; kind <= DENSE; kind++)
            if (kind != DENSE || p.count == p.rows * p.columns)
                compare_backward_kind(kernels, &p, variant, kind, report);
    }
    problem_free(&p);
}
