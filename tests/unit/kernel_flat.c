/* The helpers of the kernel comparison, the kernels without a sparse structure, and the groups of cases. */
#include "kernel_compare.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUARD 256  /* bytes on either side of an array */
#define UNSET 0xFF /* fills guards and outputs: as a float it is no number */

/* ---- helpers ---- */

void *tsnni_guarded_new(int64_t bytes)
{
    size_t size = ((size_t)bytes + 2 * GUARD + 63) / 64 * 64;
    unsigned char *memory = aligned_alloc(64, size);
    if (!memory)
        exit(EXIT_FAILURE);
    memset(memory, UNSET, size);
    return memory + GUARD;
}

void tsnni_guarded_free(void *array)
{
    if (array)
        free((unsigned char *)array - GUARD);
}

void *tsnni_exact_copy(const void *from, int64_t bytes)
{
    void *copy = from ? malloc(bytes > 0 ? (size_t)bytes : 1) : NULL;
    if (copy)
        memcpy(copy, from, (size_t)bytes);
    return copy;
}

tsnni_stream tsnni_case_stream(int64_t a, int64_t b)
{
    tsnni_stream stream;
    tsnni_stream_init(&stream, tsnni_random_key_make(7, TSNNI_PURPOSE_USER, 1, a, b));
    return stream;
}

float *tsnni_guarded_floats(tsnni_stream *stream, int64_t count)
{
    float *array = tsnni_guarded_new(count * (int64_t)sizeof *array);
    for (int64_t i = 0; i < count; i++)
        array[i] = 2 * tsnni_stream_uniform_float(stream) - 1;
    return array;
}

uint16_t *tsnni_guarded_plane(tsnni_stream *stream, int64_t words)
{
    uint16_t *plane = tsnni_guarded_new(words * (int64_t)sizeof *plane);
    for (int64_t i = 0; i < words; i++)
        plane[i] = (uint16_t)tsnni_stream_u32(stream);
    return plane;
}

static int all_unset(const void *from, int64_t bytes)
{
    for (int64_t i = 0; i < bytes; i++)
        if (((const unsigned char *)from)[i] != UNSET)
            return 0;
    return 1;
}

void tsnni_expect(tsnni_report *report, int good, const char *format, ...)
{
    report->checks++;
    if (good)
        return;
    if (report->mismatches++ == 0) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(report->first, sizeof report->first, format, arguments);
        va_end(arguments);
    }
}

void tsnni_expect_guards(tsnni_report *report, const void *array, int64_t bytes, const char *name)
{
    const unsigned char *data = array;
    if (array)
        tsnni_expect(report, all_unset(data - GUARD, GUARD) && all_unset(data + bytes, GUARD), "%s: written outside",
                     name);
}

void tsnni_expect_inside(tsnni_report *report, const float *matrix, int64_t rows, int64_t stride, int64_t width,
                         int64_t begin, int64_t end, const char *name)
{
    for (int64_t i = 0; matrix && i < rows; i++) {
        int64_t first = i >= begin && i < end ? width : 0;
        tsnni_expect(report, all_unset(matrix + i * stride + first, (stride - first) * (int64_t)sizeof *matrix),
                     "%s: row %d written outside", name, (int)i);
    }
}

int tsnni_close_enough(double actual, double expected, double magnitude, int64_t terms)
{
    return fabs(actual - expected) <= (4 + 2 * sqrt((double)terms)) * FLT_EPSILON * magnitude + 1e-30;
}

static int same_bytes(const void *a, const void *b, int64_t bytes)
{
    return !a || memcmp(a, b, (size_t)bytes) == 0;
}

static int64_t width_of(int64_t batch)
{
    return (batch + TSNNI_COLUMN_GROUP - 1) / TSNNI_COLUMN_GROUP * TSNNI_COLUMN_GROUP;
}

/* ---- update ---- */

static void check_updated(const tsnni_update *u, double w, double v, double g, double new_w, double new_v,
                          const char *name, tsnni_report *report)
{
    g = u->gradient_scale * g + u->l2 * w;
    v = u->momentum * v - u->learning_rate * g;
    double expected = w + (u->nesterov ? u->momentum * v - u->learning_rate * g : v) - u->decay * w;
    tsnni_expect(report, fabs(new_w - expected) < 1e-6, "%s: weight %g, not %g", name, new_w, expected);
    tsnni_expect(report, fabs(new_v - v) < 1e-6, "%s: velocity %g, not %g", name, new_v, v);
}

static void compare_update_once(const tsnni_kernels *kernels, const tsnni_update *u, int64_t count, int velocity,
                                tsnni_report *report)
{
    char name[80];
    snprintf(name, sizeof name, "%s update of %d%s", kernels->name, (int)count, velocity ? "" : " without velocity");
    tsnni_stream stream = tsnni_case_stream(count, 3);
    int64_t bytes = count * 4;
    float *w = tsnni_guarded_floats(&stream, count), *v = velocity ? tsnni_guarded_floats(&stream, count) : NULL;
    float *g = tsnni_guarded_floats(&stream, count);
    float *old_w = tsnni_exact_copy(w, bytes), *old_v = tsnni_exact_copy(v, bytes);
    float *cut_w = tsnni_exact_copy(w, bytes), *cut_v = tsnni_exact_copy(v, bytes);
    kernels->update(w, v, g, u, 0, count);
    for (int64_t k = 0; k < count; k++)
        check_updated(u, old_w[k], v ? old_v[k] : 0, g[k], w[k],
                      v ? v[k] : -u->learning_rate * (u->gradient_scale * g[k] + u->l2 * old_w[k]), name, report);
    tsnni_expect_guards(report, w, bytes, name);
    tsnni_expect_guards(report, v, bytes, name);
    kernels->update(cut_w, cut_v, g, u, count / 3, count);
    tsnni_expect(report, same_bytes(cut_w, old_w, count / 3 * 4), "%s: changed before the range", name);
    kernels->update(cut_w, cut_v, g, u, 0, count / 3);
    tsnni_expect(report, same_bytes(cut_w, w, bytes) && same_bytes(cut_v, v, bytes), "%s: depends on the cuts", name);
    tsnni_guarded_free(w);
    tsnni_guarded_free(v);
    tsnni_guarded_free(g);
    free(old_w);
    free(old_v);
    free(cut_w);
    free(cut_v);
}

void tsnni_compare_update(const tsnni_kernels *kernels, int64_t count, tsnni_report *report)
{
    static const tsnni_update plain = TSNNI_PLAIN_SGD, momentum = TSNNI_MOMENTUM, nesterov = TSNNI_NESTEROV;
    compare_update_once(kernels, &plain, count, 0, report);
    compare_update_once(kernels, &plain, count, 1, report);
    compare_update_once(kernels, &momentum, count, 1, report);
    compare_update_once(kernels, &nesterov, count, 1, report);
}

/* ---- dropout and derivative ---- */

void tsnni_compare_dropout(const tsnni_kernels *kernels, int64_t rows, int64_t batch, tsnni_report *report)
{
    char name[80];
    snprintf(name, sizeof name, "%s dropout %dx%d", kernels->name, (int)rows, (int)batch);
    tsnni_stream stream = tsnni_case_stream(rows, batch);
    int64_t width = width_of(batch), stride = width + 16, bytes = rows * stride * 4, words = rows * (width / 16);
    float *y = tsnni_guarded_floats(&stream, rows * stride);
    float *expected = tsnni_guarded_new(bytes), *cut = tsnni_guarded_new(bytes);
    uint16_t *plane = tsnni_guarded_new(words * 2), *expected_plane = tsnni_guarded_new(words * 2);
    memcpy(expected, y, (size_t)bytes);
    memcpy(cut, y, (size_t)bytes);
    tsnni_forward task = {.columns = rows,
                          .y = expected,
                          .stride = stride,
                          .width = width,
                          .keep = expected_plane,
                          .keep_below = 179,
                          .keep_scale = 256.0f / 179,
                          .key = tsnni_random_key_make(3, TSNNI_PURPOSE_DROPOUT, 2, 1, 0)};
    tsnni_kernels_for(TSNNI_ISA_REF)->dropout(&task, 0, rows);
    task.keep = plane;
    task.y = y;
    kernels->dropout(&task, 0, rows);
    tsnni_expect(report, same_bytes(plane, expected_plane, words * 2), "%s: plane", name);
    tsnni_expect(report, same_bytes(y, expected, bytes), "%s: values", name);
    tsnni_expect_guards(report, y, bytes, name);
    tsnni_expect_guards(report, plane, words * 2, name);
    task.y = cut;
    kernels->dropout(&task, rows / 2, rows);
    kernels->dropout(&task, 0, rows / 2);
    tsnni_expect(report, same_bytes(cut, y, bytes), "%s: depends on the cuts", name);
    task.keep = NULL;
    kernels->dropout(&task, 0, rows);
    tsnni_expect(report, same_bytes(cut, y, bytes), "%s: drops without being asked", name);
    tsnni_guarded_free(y);
    tsnni_guarded_free(expected);
    tsnni_guarded_free(cut);
    tsnni_guarded_free(plane);
    tsnni_guarded_free(expected_plane);
}

static void check_derivative(const tsnni_backward *task, const float *before, int64_t i, const char *name,
                             tsnni_report *report)
{
    double sum = 0, magnitude = 0;
    for (int64_t c = 0; c < task->width; c++) {
        int64_t word = i * (task->width / 16) + c / 16;
        float expected = before[i * task->stride + c];
        float scale = task->keep ? task->keep_scale : 1;
        expected *= task->negative && task->negative[word] >> (c % 16) & 1 ? task->negative_slope * scale : scale;
        if (task->keep && !(task->keep[word] >> (c % 16) & 1))
            expected = 0;
        sum += (double)expected;
        magnitude += fabs((double)expected);
        tsnni_expect(report, task->dx[i * task->stride + c] == expected, "%s: (%d, %d)", name, (int)i, (int)c);
    }
    if (task->dx_sum)
        tsnni_expect(report, tsnni_close_enough(task->dx_sum[i], sum, magnitude, task->width), "%s: sum of row %d",
                     name, (int)i);
}

void tsnni_compare_derivative(const tsnni_kernels *kernels, int64_t rows, int64_t batch, tsnni_report *report)
{
    tsnni_stream stream = tsnni_case_stream(rows, batch);
    int64_t width = width_of(batch), stride = width + 16;
    float *before = tsnni_guarded_floats(&stream, rows * stride), *dx = tsnni_guarded_new(rows * stride * 4);
    float *sum = tsnni_guarded_new(rows * 4), *cut_sum = tsnni_guarded_new(rows * 4);
    uint16_t *negative = tsnni_guarded_plane(&stream, rows * (width / 16));
    uint16_t *keep = tsnni_guarded_plane(&stream, rows * (width / 16));
    for (int variant = 0; variant < 8; variant++) {
        char name[80];
        snprintf(name, sizeof name, "%s derivative %dx%d variant %d", kernels->name, (int)rows, (int)batch, variant);
        tsnni_backward task = {.rows = rows,
                               .dx = dx,
                               .stride = stride,
                               .width = width,
                               .negative = variant & 1 ? negative : NULL,
                               .negative_slope = -0.5f,
                               .keep = variant & 2 ? keep : NULL,
                               .keep_scale = 1.25f,
                               .dx_sum = variant & 4 ? sum : NULL};
        memcpy(dx, before, (size_t)(rows * stride * 4));
        kernels->derivative(&task, 0, rows);
        for (int64_t i = 0; i < rows; i++)
            check_derivative(&task, before, i, name, report);
        tsnni_expect_guards(report, dx, rows * stride * 4, name);
        tsnni_expect_guards(report, sum, rows * 4, name);
        if (!task.dx_sum)
            continue;
        memcpy(dx, before, (size_t)(rows * stride * 4));
        task.dx_sum = cut_sum;
        kernels->derivative(&task, rows / 2, rows);
        kernels->derivative(&task, 0, rows / 2);
        tsnni_expect(report, same_bytes(sum, cut_sum, rows * 4), "%s: sums depend on the cuts", name);
    }
    tsnni_guarded_free(before);
    tsnni_guarded_free(dx);
    tsnni_guarded_free(sum);
    tsnni_guarded_free(cut_sum);
    tsnni_guarded_free(negative);
    tsnni_guarded_free(keep);
}

/* ---- bf16 ---- */

void tsnni_compare_pack(const tsnni_kernels *kernels, int64_t rows, int64_t batch, tsnni_report *report)
{
    /* Ties both ways, what rounds up into the next power, subnormals, the largest, overflow, infinity, NaN. */
    static const uint32_t special[] = {0x3F808000, 0x3F818000, 0x3F807FFF, 0x3F808001, 0x3FFFFFFF,
                                       0x00000001, 0x00008000, 0x00018000, 0x80000000, 0x7F7F7FFF,
                                       0x7F7FFFFF, 0xFF800000, 0x7FC00000, 0xFFC00000, 0x00000000};
    char name[80];
    snprintf(name, sizeof name, "%s pack %dx%d", kernels->name, (int)rows, (int)batch);
    tsnni_stream stream = tsnni_case_stream(rows, batch);
    int64_t width = width_of(batch), stride = width + 16, half_stride = (width + 31) / 32 * 32 + 32;
    float *from = tsnni_guarded_floats(&stream, rows * stride);
    for (int64_t i = 0; i < rows * stride; i += 3)
        memcpy(from + i, special + i % (int64_t)TSNNI_COUNT(special), sizeof *from);
    tsnni_pack task = {from, tsnni_guarded_new(rows * half_stride * 2), stride, width, half_stride};
    kernels->pack(&task, rows / 2, rows);
    tsnni_expect(report, all_unset(task.to, rows / 2 * half_stride * 2), "%s: written before the range", name);
    kernels->pack(&task, 0, rows / 2);
    for (int64_t i = 0; i < rows; i++) {
        const uint16_t *row = task.to + i * half_stride;
        int64_t columns = (width + 31) / 32 * 32;
        for (int64_t c = 0; c < columns; c++) {
            uint16_t expected = c < width ? tsnni_bf16_round(from[i * stride + c]) : 0;
            tsnni_expect(report, row[tsnni_bf16_place(c)] == expected, "%s: (%d, %d) is %04x, not %04x", name, (int)i,
                         (int)c, (unsigned)row[tsnni_bf16_place(c)], (unsigned)expected);
        }
        tsnni_expect(report, all_unset(row + columns, (half_stride - columns) * 2), "%s: row %d written outside", name,
                     (int)i);
    }
    tsnni_expect_guards(report, task.to, rows * half_stride * 2, name);
    tsnni_guarded_free(from);
    tsnni_guarded_free(task.to);
}

/* ---- batches ---- */

/* What belongs at feature f of the sample in column c. */
static float loaded(const tsnni_batch_load *task, int64_t f, int64_t c)
{
    float value = task->samples[(task->index ? task->index[c] : c) * task->sample_stride + f];
    return task->shift ? (value - task->shift[f]) * task->scale[f] : value;
}

/* The same with bf16: every column of the last block is written. */
static void check_loaded_bf16(const tsnni_batch_load *task, int64_t begin, int64_t end, const char *name,
                              tsnni_report *report)
{
    int64_t blocks = (task->width + TSNNI_BF16_BLOCK - 1) / TSNNI_BF16_BLOCK;
    for (int64_t f = 0; f < task->features; f++) {
        const uint16_t *row = task->x_bf16 + f * task->bf16_stride;
        int inside = f >= begin && f < end;
        for (int64_t c = 0; inside && c < blocks * TSNNI_BF16_BLOCK; c++) {
            float expected = c < task->count ? loaded(task, f, c) : 0;
            tsnni_expect(report, row[tsnni_bf16_place(c)] == tsnni_bf16_round(expected), "%s: (%d, %d)", name, (int)f,
                         (int)c);
        }
        int64_t written = inside ? blocks * TSNNI_BF16_BLOCK : 0;
        tsnni_expect(report, all_unset(row + written, (task->bf16_stride - written) * 2), "%s: row %d written outside",
                     name, (int)f);
    }
    tsnni_expect_guards(report, task->x_bf16, task->features * task->bf16_stride * 2, name);
}

static void check_loaded(const tsnni_batch_load *task, int64_t begin, int64_t end, const char *name,
                         tsnni_report *report)
{
    for (int64_t f = begin; f < end; f++)
        for (int64_t c = 0; c < task->width; c++) {
            float expected = c < task->count ? loaded(task, f, c) : 0;
            tsnni_expect(report, task->x[f * task->stride + c] == expected, "%s: (%d, %d)", name, (int)f, (int)c);
        }
    tsnni_expect_inside(report, task->x, task->features, task->stride, task->width, begin, end, name);
    tsnni_expect_guards(report, task->x, task->features * task->stride * 4, name);
}

static void compare_batch_load(const tsnni_kernels *kernels, int64_t features, int64_t batch, int variant,
                               tsnni_report *report)
{
    char name[80];
    snprintf(name, sizeof name, "%s batch_load %dx%d variant %d", kernels->name, (int)features, (int)batch, variant);
    tsnni_stream stream = tsnni_case_stream(features, batch);
    int64_t sample_stride = features + (variant & 1 ? 3 : 0), index[2048];
    float *samples = tsnni_guarded_floats(&stream, batch * sample_stride);
    float *exact = tsnni_exact_copy(samples, batch * sample_stride * 4);
    float *shift = tsnni_guarded_floats(&stream, features), *scale = tsnni_guarded_floats(&stream, features);
    for (int64_t c = 0; c < batch; c++)
        index[c] = (int64_t)tsnni_stream_below(&stream, (uint64_t)batch);
    tsnni_batch_load task = {.samples = exact,
                             .sample_stride = sample_stride,
                             .index = variant & 1 ? index : NULL,
                             .count = batch,
                             .features = features,
                             .shift = variant & 2 ? shift : NULL,
                             .scale = variant & 2 ? scale : NULL,
                             .stride = width_of(batch) + 16,
                             .width = width_of(batch),
                             .bf16_stride = (width_of(batch) + 31) / 32 * 32 + 32};
    for (int part = 0; part < 2; part++) {
        int64_t begin = part ? features / 3 : 0, end = part ? features - features / 4 : features;
        task.x = tsnni_guarded_new(features * task.stride * 4);
        kernels->batch_load(&task, begin, end);
        check_loaded(&task, begin, end, name, report);
        tsnni_guarded_free(task.x);
        task.x = NULL;
        task.x_bf16 = tsnni_guarded_new(features * task.bf16_stride * 2);
        kernels->batch_load(&task, begin, end);
        check_loaded_bf16(&task, begin, end, name, report);
        tsnni_guarded_free(task.x_bf16);
        task.x_bf16 = NULL;
    }
    tsnni_guarded_free(samples);
    tsnni_guarded_free(shift);
    tsnni_guarded_free(scale);
    free(exact);
}

static void compare_batch_store(const tsnni_kernels *kernels, int64_t features, int64_t batch, tsnni_report *report)
{
    char name[80];
    snprintf(name, sizeof name, "%s batch_store %dx%d", kernels->name, (int)features, (int)batch);
    tsnni_stream stream = tsnni_case_stream(features, batch);
    int64_t stride = width_of(batch), out_stride = features + 5, bytes = batch * out_stride * 4;
    float *y = tsnni_guarded_floats(&stream, features * stride);
    for (int part = 0; part < 2; part++) {
        int64_t begin = part ? features / 3 : 0, end = part ? features - features / 4 : features;
        float *out = tsnni_guarded_new(bytes), *expected = tsnni_guarded_new(bytes);
        tsnni_batch_store task = {y, stride, batch, features, out, out_stride};
        for (int64_t c = 0; c < batch; c++)
            for (int64_t f = begin; f < end; f++)
                expected[c * out_stride + f] = y[f * stride + c];
        kernels->batch_store(&task, begin, end);
        tsnni_expect(report, same_bytes(out, expected, bytes), "%s: differs in part %d", name, part);
        tsnni_expect_guards(report, out, bytes, name);
        tsnni_guarded_free(out);
        tsnni_guarded_free(expected);
    }
    tsnni_guarded_free(y);
}

void tsnni_compare_batch(const tsnni_kernels *kernels, int64_t features, int64_t batch, tsnni_report *report)
{
    for (int variant = 0; variant < 4; variant++)
        compare_batch_load(kernels, features, batch, variant, report);
    compare_batch_store(kernels, features, batch, report);
}

/* ---- groups of cases ---- */

static void compare_variants(const tsnni_kernels *kernels, const tsnni_kernel_shape *shape, size_t first, size_t step,
                             tsnni_report *report)
{
    for (size_t v = first % step; v < TSNNI_COUNT(tsnni_forward_variants); v += step)
        tsnni_compare_forward(kernels, shape, tsnni_forward_variants + v, report);
    for (size_t v = first % step; v < TSNNI_COUNT(tsnni_backward_variants); v += step)
        tsnni_compare_backward(kernels, shape, tsnni_backward_variants + v, report);
}

/* Every pair of sizes, full and thinned; the variants take turns. */
void tsnni_compare_sizes(const tsnni_kernels *kernels, tsnni_report *report)
{
    size_t turn = 0;
    for (size_t r = 0; r < TSNNI_COUNT(tsnni_kernel_sizes); r++)
        for (size_t c = 0; c < TSNNI_COUNT(tsnni_kernel_sizes); c++)
            for (int full = 0; full < 2; full++) {
                tsnni_kernel_shape shape = {tsnni_kernel_sizes[r], tsnni_kernel_sizes[c], 5,
                                            full ? 1.0 : 0.4,      (r + c) % 2 && !full,  0};
                compare_variants(kernels, &shape, turn++, 3, report);
            }
}

void tsnni_compare_batches(const tsnni_kernels *kernels, tsnni_report *report)
{
    for (int64_t batch = 1; batch <= 130; batch++) {
        tsnni_kernel_shape shape = {6, 7, batch, batch % 3 ? 0.6 : 1.0, 0, batch % 2 ? 16 : 0};
        compare_variants(kernels, &shape, (size_t)batch, batch % TSNNI_COLUMN_GROUP == 0 ? 1 : 2, report);
    }
}

void tsnni_compare_shapes(const tsnni_kernels *kernels, tsnni_report *report)
{
    for (size_t s = 0; s < TSNNI_COUNT(tsnni_kernel_shapes); s++)
        compare_variants(kernels, tsnni_kernel_shapes + s, 0, 1, report);
}

void tsnni_compare_flat(const tsnni_kernels *kernels, tsnni_report *report)
{
    static const int64_t batches[] = {1, 5, 16, 17, 100, 128, 130, 300};
    for (int64_t count = 0; count <= 67; count++)
        tsnni_compare_update(kernels, count, report);
    for (size_t s = 0; s < TSNNI_COUNT(tsnni_kernel_sizes); s++)
        for (size_t b = 0; b < TSNNI_COUNT(batches); b++)
            tsnni_compare_batch(kernels, tsnni_kernel_sizes[s], batches[b], report);
    for (size_t b = 0; b < TSNNI_COUNT(batches); b++) {
        tsnni_compare_dropout(kernels, 11, batches[b], report);
        tsnni_compare_derivative(kernels, 5, batches[b], report);
        tsnni_compare_pack(kernels, 7, batches[b], report);
    }
}
