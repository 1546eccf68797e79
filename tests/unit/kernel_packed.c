/* The packed kernels against double precision: random runs of random entries, as no packing would ever order them. */
#include "kernel_compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS = 64, MOST_STEPS = 21, FAN_OUT = 9 };

/* A layer in the form that the kernels read. */
typedef struct packed {
    int64_t rows, columns, whole, entries;
    tsnni_packed_run runs[MOST_RUNS];
    int64_t run_count;
    void *index[2]; /* 16 and 32-bit */
    float *values, *bias;
    int32_t *length, *order;
} packed;

static int64_t below(tsnni_stream *stream, int64_t bound)
{
    return (int64_t)(tsnni_stream_uniform(stream) * (double)bound);
}

static void add_run(packed *p, int64_t chunk, int64_t chunks, int64_t steps)
{
    p->runs[p->run_count++] = (tsnni_packed_run){(int32_t)chunk, (int32_t)chunks, (int32_t)steps};
    p->entries += chunks * steps * TSNNI_CHUNK_ROWS;
}

/* Once every chunk; for single samples a second round over all chunks, one step each, and a third of a few. */
static void make_runs(packed *p, int single, tsnni_stream *stream)
{
    int64_t chunks = p->whole / TSNNI_CHUNK_ROWS;
    for (int64_t c = 0; c < chunks; c++) {
        int64_t together = chunks - c > 1 ? 1 + below(stream, 2) : 1;
        add_run(p, c, together, below(stream, MOST_STEPS));
        c += together - 1;
    }
    if (single) {
        add_run(p, 0, chunks, 1);
        add_run(p, chunks / 2, chunks - chunks / 2, 3);
    }
}

/* Padding has weight 0 and reads x[rows], which is 0. */
static void make_entries(packed *p, tsnni_stream *stream)
{
    size_t padded = (size_t)(p->entries + TSNNI_INDEX_PADDING * TSNNI_CHUNK_ROWS);
    p->index[0] = calloc(padded, 2);
    p->index[1] = calloc(padded, 4);
    p->values = tsnni_guarded_floats(stream, p->entries);
    for (int64_t k = 0; k < p->entries; k++) {
        int64_t i = below(stream, p->rows + 1);
        if (i == p->rows)
            p->values[k] = 0;
        ((uint16_t *)p->index[0])[k] = (uint16_t)i;
        ((uint32_t *)p->index[1])[k] = (uint32_t)i;
    }
}

/* Rows of a chunk have up to its steps; x has no row for padding in a batch, so lengths end before it. */
static void make_lengths(packed *p, tsnni_stream *stream)
{
    int64_t first = 0;
    p->length = calloc((size_t)p->whole, sizeof *p->length);
    p->order = calloc((size_t)p->whole, sizeof *p->order);
    for (int64_t s = 0; s < p->run_count; s++)
        for (int64_t c = 0; c < p->runs[s].chunks; c++) {
            for (int64_t r = 0; r < TSNNI_CHUNK_ROWS; r++) {
                int32_t length = (int32_t)below(stream, p->runs[s].steps + 1);
                for (int32_t t = 0; t < length; t++)
                    if (((uint32_t *)p->index[1])[first + t * TSNNI_CHUNK_ROWS + r] == (uint32_t)p->rows)
                        length = t;
                p->length[(p->runs[s].chunk + c) * TSNNI_CHUNK_ROWS + r] = length;
            }
            first += (int64_t)p->runs[s].steps * TSNNI_CHUNK_ROWS;
        }
    for (int64_t j = 0; j < p->columns; j++)
        p->order[j] = (int32_t)(p->columns - 1 - j);
}

static packed packed_new(int64_t rows, int64_t columns, int single)
{
    packed p = {.rows = rows, .columns = columns};
    tsnni_stream stream = tsnni_case_stream(rows, columns + 100000 * single);
    p.whole = (columns + TSNNI_CHUNK_ROWS - 1) / TSNNI_CHUNK_ROWS * TSNNI_CHUNK_ROWS;
    make_runs(&p, single, &stream);
    make_entries(&p, &stream);
    make_lengths(&p, &stream);
    p.bias = tsnni_guarded_floats(&stream, p.whole);
    return p;
}

static void packed_free(packed *p)
{
    free(p->index[0]);
    free(p->index[1]);
    free(p->length);
    free(p->order);
    tsnni_guarded_free(p->values);
    tsnni_guarded_free(p->bias);
}

/* ---- one sample ---- */

static void expect_sums(const packed *p, const float *x, const float *y, const char *name, tsnni_report *report)
{
    double *sum = calloc((size_t)p->whole, sizeof *sum), *magnitude = calloc((size_t)p->whole, sizeof *magnitude);
    for (int64_t j = 0; j < p->whole; j++)
        magnitude[j] = fabs(sum[j] = p->bias[j]);
    int64_t k = 0;
    for (int64_t s = 0; s < p->run_count; s++)
        for (int64_t c = 0; c < p->runs[s].chunks; c++)
            for (int64_t t = 0; t < p->runs[s].steps; t++)
                for (int64_t r = 0; r < TSNNI_CHUNK_ROWS; r++, k++) {
                    double product = (double)p->values[k] * (double)x[((uint32_t *)p->index[1])[k]];
                    sum[(p->runs[s].chunk + c) * TSNNI_CHUNK_ROWS + r] += product;
                    magnitude[(p->runs[s].chunk + c) * TSNNI_CHUNK_ROWS + r] += fabs(product);
                }
    for (int64_t j = 0; j < p->whole; j++)
        tsnni_expect(report, tsnni_close_enough(y[j], sum[j], magnitude[j], 3 * MOST_STEPS), "%s: y(%d) is %g, not %g",
                     name, (int)j, y[j], sum[j]);
    free(sum);
    free(magnitude);
}

static void compare_single(const tsnni_kernels *kernels, int64_t rows, int64_t columns, tsnni_report *report)
{
    packed p = packed_new(rows, columns, 1);
    tsnni_stream stream = tsnni_case_stream(rows, 3);
    float *x = tsnni_guarded_floats(&stream, rows + 1);
    x[rows] = 0;
    for (int variant = 0; variant < 4; variant++) {
        char name[100];
        snprintf(name, sizeof name, "%s packed single %dx%d, %d", kernels->name, (int)rows, (int)columns, variant);
        float *y = tsnni_guarded_new(p.whole * 4);
        memcpy(y, p.bias, (size_t)p.whole * 4);
        tsnni_packed task = {.rows = rows,
                             .columns = columns,
                             .runs = p.runs,
                             .run_count = p.run_count,
                             .index = p.index[variant % 2],
                             .values = p.values,
                             .x = x,
                             .y = y,
                             .far = variant / 2};
        kernels->packed_single[variant % 2](&task);
        expect_sums(&p, x, y, name, report);
        tsnni_expect_guards(report, y, p.whole * 4, name);
        tsnni_guarded_free(y);
    }
    tsnni_guarded_free(x);
    packed_free(&p);
}

/* ---- batch ---- */

static void expect_batch(const packed *p, const tsnni_packed *task, const char *name, tsnni_report *report)
{
    int64_t first = 0;
    for (int64_t s = 0; s < p->run_count; s++)
        for (int64_t c = 0; c < p->runs[s].chunks; c++) {
            for (int64_t r = 0; r < TSNNI_CHUNK_ROWS; r++) {
                int64_t j = (p->runs[s].chunk + c) * TSNNI_CHUNK_ROWS + r;
                for (int64_t b = 0; j < p->columns && b < task->width; b++) {
                    double z = p->bias[j], magnitude = fabs(z);
                    for (int64_t t = 0; t < p->length[j]; t++) {
                        int64_t k = first + t * TSNNI_CHUNK_ROWS + r;
                        double x = task->x[((uint32_t *)p->index[1])[k] * task->stride + b];
                        z += (double)p->values[k] * x;
                        magnitude += fabs((double)p->values[k] * x);
                    }
                    double expected = z < 0 ? (double)task->negative_slope * z : z;
                    double actual = task->y[(task->order ? task->order[j] : j) * task->stride + b];
                    tsnni_expect(report, tsnni_close_enough(actual, expected, magnitude, MOST_STEPS),
                                 "%s: y(%d, %d) is %g, not %g", name, (int)j, (int)b, actual, expected);
                }
            }
            first += (int64_t)p->runs[s].steps * TSNNI_CHUNK_ROWS;
        }
}

static void compare_batch(const tsnni_kernels *kernels, int64_t rows, int64_t columns, int64_t width,
                          tsnni_report *report)
{
    static const int64_t prefetches[] = {0, 8, TSNNI_INDEX_PADDING};
    packed p = packed_new(rows, columns, 0);
    int64_t stride = width + 16 * (width % 32 / 16);
    tsnni_stream stream = tsnni_case_stream(rows, width);
    float *x = tsnni_guarded_floats(&stream, rows * stride);
    for (int variant = 0; variant < 6; variant++) {
        char name[100];
        snprintf(name, sizeof name, "%s packed batch %dx%d width %d, %d", kernels->name, (int)rows, (int)columns,
                 (int)width, variant);
        tsnni_packed task = {.rows = rows,
                             .columns = columns,
                             .runs = p.runs,
                             .run_count = p.run_count,
                             .index = p.index[variant % 2],
                             .values = p.values,
                             .length = p.length,
                             .bias = p.bias,
                             .x = x,
                             .y = tsnni_guarded_new(columns * stride * 4),
                             .stride = stride,
                             .width = width,
                             .negative_slope = variant < 3 ? -0.6f : 1.0f,
                             .order = variant < 2 ? p.order : NULL,
                             .prefetch = prefetches[variant % 3]};
        kernels->packed_batch[variant % 2](&task);
        expect_batch(&p, &task, name, report);
        tsnni_expect_inside(report, task.y, columns, stride, width, 0, columns, name);
        tsnni_expect_guards(report, task.y, columns * stride * 4, name);
        tsnni_guarded_free(task.y);
    }
    tsnni_guarded_free(x);
    packed_free(&p);
}

/* ---- tiles, inputs, flat loops ---- */

static void compare_dense(const tsnni_kernels *kernels, int64_t rows, int64_t columns, tsnni_report *report)
{
    int64_t whole = (columns + TSNNI_CHUNK_ROWS - 1) / TSNNI_CHUNK_ROWS * TSNNI_CHUNK_ROWS;
    tsnni_stream stream = tsnni_case_stream(rows, columns);
    char name[100];
    snprintf(name, sizeof name, "%s packed dense %dx%d", kernels->name, (int)rows, (int)columns);
    float *w = tsnni_guarded_floats(&stream, rows * whole), *x = tsnni_guarded_floats(&stream, rows);
    float *bias = tsnni_guarded_floats(&stream, whole), *y = tsnni_guarded_new(whole * 4);
    memcpy(y, bias, (size_t)whole * 4);
    tsnni_packed task = {.rows = rows, .columns = columns, .values = w, .x = x, .y = y};
    kernels->packed_dense(&task);
    for (int64_t j = 0; j < whole; j++) {
        double z = bias[j], magnitude = fabs(z);
        for (int64_t i = 0; i < rows; i++) {
            double product = (double)x[i] * (double)w[(j / 16 * rows + i) * 16 + j % 16];
            z += product;
            magnitude += fabs(product);
        }
        tsnni_expect(report, tsnni_close_enough(y[j], z, magnitude, rows), "%s: y(%d) is %g, not %g", name, (int)j,
                     y[j], z);
    }
    tsnni_expect_guards(report, y, whole * 4, name);
    tsnni_guarded_free(w);
    tsnni_guarded_free(x);
    tsnni_guarded_free(bias);
    tsnni_guarded_free(y);
}

/* Input i reaches i % FAN_OUT outputs: i, i + 1, ... modulo the columns. */
static void compare_inputs(const tsnni_kernels *kernels, int64_t rows, int64_t columns, tsnni_report *report)
{
    tsnni_stream stream = tsnni_case_stream(rows, columns);
    int64_t *row_ptr = calloc((size_t)rows + 1, sizeof *row_ptr);
    int32_t *input = calloc((size_t)rows, sizeof *input);
    uint16_t *narrow = calloc((size_t)rows * FAN_OUT, sizeof *narrow);
    uint32_t *wide = calloc((size_t)rows * FAN_OUT, sizeof *wide);
    float *w = tsnni_guarded_floats(&stream, rows * FAN_OUT), *amount = tsnni_guarded_floats(&stream, rows);
    int64_t listed = 0;
    for (int64_t i = 0; i < rows; i++) {
        int64_t fan_out = i % FAN_OUT < columns ? i % FAN_OUT : columns;
        row_ptr[i + 1] = row_ptr[i] + fan_out;
        for (int64_t n = 0; n < fan_out; n++)
            narrow[row_ptr[i] + n] = (uint16_t)(wide[row_ptr[i] + n] = (uint32_t)((i + n) % columns));
        if (i % 3 != 1)
            input[listed++] = (int32_t)i;
    }
    for (int width = 0; width < 2; width++) {
        char name[100];
        snprintf(name, sizeof name, "%s packed inputs %dx%d, %d", kernels->name, (int)rows, (int)columns, width);
        float *y = tsnni_guarded_new(columns * 4);
        double *sum = calloc((size_t)columns, sizeof *sum);
        memset(y, 0, (size_t)columns * 4);
        tsnni_packed_inputs task = {row_ptr, width ? (const void *)wide : narrow, w, input, amount, listed, y};
        kernels->packed_inputs[width](&task);
        for (int64_t n = 0; n < listed; n++)
            for (int64_t k = row_ptr[input[n]]; k < row_ptr[input[n] + 1]; k++)
                sum[wide[k]] += (double)amount[n] * (double)w[k];
        for (int64_t j = 0; j < columns; j++)
            tsnni_expect(report, tsnni_close_enough(y[j], sum[j], (double)rows, rows), "%s: y(%d) is %g, not %g", name,
                         (int)j, y[j], sum[j]);
        tsnni_expect_guards(report, y, columns * 4, name);
        tsnni_guarded_free(y);
        free(sum);
    }
    tsnni_guarded_free(w);
    tsnni_guarded_free(amount);
    free(row_ptr);
    free(input);
    free(narrow);
    free(wide);
}

static void compare_sample_loops(const tsnni_kernels *kernels, int64_t count, tsnni_report *report)
{
    tsnni_stream stream = tsnni_case_stream(count, 9);
    float *x = tsnni_guarded_floats(&stream, count), *shift = tsnni_guarded_floats(&stream, count);
    float *scale = tsnni_guarded_floats(&stream, count), *y = tsnni_guarded_new(count * 4);
    kernels->standardise(x, shift, scale, y, count);
    for (int64_t k = 0; k < count; k++)
        tsnni_expect(report, y[k] == (x[k] - shift[k]) * scale[k], "%s standardise: %d of %d", kernels->name, (int)k,
                     (int)count);
    tsnni_expect_guards(report, y, count * 4, "standardise");
    memcpy(y, x, (size_t)count * 4);
    kernels->slope(y, count, -0.6f);
    for (int64_t k = 0; k < count; k++)
        tsnni_expect(report, y[k] == (x[k] < 0 ? -0.6f * x[k] : x[k]), "%s slope: %d of %d", kernels->name, (int)k,
                     (int)count);
    tsnni_expect_guards(report, y, count * 4, "slope");
    tsnni_expect(report, kernels->all_finite(x, count) == 1, "%s finite: %d numbers", kernels->name, (int)count);
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    for (int64_t k = 0; k < count; k++) {
        float kept = x[k];
        x[k] = bad[k % 3];
        tsnni_expect(report, kernels->all_finite(x, count) == 0, "%s finite: %d of %d", kernels->name, (int)k,
                     (int)count);
        x[k] = kept;
    }
    tsnni_guarded_free(x);
    tsnni_guarded_free(shift);
    tsnni_guarded_free(scale);
    tsnni_guarded_free(y);
}

void tsnni_compare_packed(const tsnni_kernels *kernels, tsnni_report *report)
{
    static const int64_t rows[] = {1, 2, 3, 7, 40, 1001}, columns[] = {1, 15, 16, 17, 33, 200};
    static const int64_t widths[] = {16, 32, 48, 80, 128, 144, 304};
    for (size_t r = 0; r < TSNNI_COUNT(rows); r++)
        for (size_t c = 0; c < TSNNI_COUNT(columns); c++) {
            compare_single(kernels, rows[r], columns[c], report);
            compare_dense(kernels, rows[r], columns[c], report);
            compare_inputs(kernels, rows[r], columns[c], report);
            compare_batch(kernels, rows[r], columns[c], widths[(r + c) % TSNNI_COUNT(widths)], report);
        }
    for (size_t w = 0; w < TSNNI_COUNT(widths); w++)
        compare_batch(kernels, 9, 35, widths[w], report);
    for (int64_t count = 0; count <= 131; count++)
        compare_sample_loops(kernels, count, report);
}
