/* The kernels in plain C: what every other table is tested against, and what runs where no vector unit is known. */
#include "kernels/tables.h"

#include <math.h>

enum { SIXTEEN_BIT, THIRTY_TWO_BIT };

static int64_t index_at(const void *indices, int width, int64_t k)
{
    return width == SIXTEEN_BIT ? ((const uint16_t *)indices)[k] : ((const uint32_t *)indices)[k];
}

/* One word of a bit plane and the bit of column c in it. */
static int64_t plane_word(int64_t row, int64_t width, int64_t c)
{
    return row * (width / TSNNI_COLUMN_GROUP) + c / TSNNI_COLUMN_GROUP;
}

static int plane_bit(const uint16_t *plane, int64_t row, int64_t width, int64_t c)
{
    return plane[plane_word(row, width, c)] >> (c % TSNNI_COLUMN_GROUP) & 1;
}

/* y_j += w x_i */
static void add_row(float *y, const float *x, float w, int64_t width)
{
    for (int64_t c = 0; c < width; c++)
        y[c] += w * x[c];
}

/* The same with columns [first, first + TSNNI_COLUMN_GROUP) of a row of bf16. */
static void add_bf16_group(float *y, const uint16_t *x, int64_t first, float w)
{
    for (int64_t c = 0; c < TSNNI_COLUMN_GROUP; c++)
        y[c] += w * tsnni_bf16_value(x[tsnni_bf16_place(first + c)]);
}

static float dot_rows(const float *x, const float *dy, int64_t width)
{
    float sum = 0;
    for (int64_t c = 0; c < width; c++)
        sum += x[c] * dy[c];
    return sum;
}

static float dot_bf16_row(const uint16_t *x, const float *dy, int64_t width)
{
    float sum = 0;
    for (int64_t c = 0; c < width; c++)
        sum += tsnni_bf16_value(x[tsnni_bf16_place(c)]) * dy[c];
    return sum;
}

static void start_row(const tsnni_forward *task, int64_t j, float *y, int64_t width)
{
    for (int64_t c = 0; c < width; c++)
        y[c] = task->bias ? task->bias[j] : 0.0f;
}

/* The bits of one group of columns that dropout keeps: one byte of the generator decides one element. */
static uint16_t keep_word(const tsnni_forward *task, int64_t j, int64_t group)
{
    const uint32_t *origin = task->key.counter;
    uint32_t counter[4] = {origin[0] + (uint32_t)group, origin[1] + (uint32_t)j, origin[2], origin[3]};
    uint32_t block[4];
    tsnni_philox4x32(counter, task->key.key, block);
    uint32_t word = 0;
    for (int k = 0; k < TSNNI_COLUMN_GROUP; k++) {
        uint32_t byte = block[k / 4] >> (8 * (k % 4)) & 0xFF;
        word |= (uint32_t)(byte < task->keep_below) << k;
    }
    return (uint16_t)word;
}

/* Columns of one group in y. */
static float *group_of(const tsnni_forward *task, int64_t j, int64_t group)
{
    return task->y + j * task->stride + group * TSNNI_COLUMN_GROUP;
}

/* Dropout on the columns y of one group. */
static void drop_group(const tsnni_forward *task, int64_t j, int64_t group, float *y)
{
    uint16_t *word = &task->keep[plane_word(j, task->width, group * TSNNI_COLUMN_GROUP)];
    *word = keep_word(task, j, group);
    for (int k = 0; k < TSNNI_COLUMN_GROUP; k++)
        y[k] = *word >> k & 1 ? y[k] * task->keep_scale : 0.0f;
}

/* Activation and dropout on the columns y of one group. */
static void finish_group(const tsnni_forward *task, int64_t j, int64_t group, float *y)
{
    uint32_t negative = 0;
    for (int k = 0; k < TSNNI_COLUMN_GROUP; k++) {
        float z = y[k];
        negative |= (uint32_t)(z < 0) << k;
        y[k] = z < 0 ? task->negative_slope * z : z;
    }
    if (task->negative)
        task->negative[plane_word(j, task->width, group * TSNNI_COLUMN_GROUP)] = (uint16_t)negative;
    if (task->keep)
        drop_group(task, j, group, y);
}

/* One group of columns as bf16; the last group of a row also clears the half block that may be left. */
static void pack_group(const float *from, uint16_t *row, int64_t group, int64_t groups)
{
    int64_t first = group * TSNNI_COLUMN_GROUP;
    for (int64_t c = 0; c < TSNNI_COLUMN_GROUP; c++) {
        row[tsnni_bf16_place(first + c)] = tsnni_bf16_round(from[c]);
        if (group == groups - 1 && group % 2 == 0)
            row[tsnni_bf16_place(first + TSNNI_COLUMN_GROUP + c)] = 0;
    }
}

/* Group by group, so that the sums need no room. */
static void forward_bf16(const tsnni_forward *task, int width, int64_t begin, int64_t end)
{
    int64_t groups = task->width / TSNNI_COLUMN_GROUP;
    for (int64_t j = begin; j < end; j++) {
        for (int64_t group = 0; group < groups; group++) {
            float sums[TSNNI_COLUMN_GROUP], *y = task->y_bf16 ? sums : group_of(task, j, group);
            start_row(task, j, y, TSNNI_COLUMN_GROUP);
            for (int64_t k = task->column_ptr[j]; k < task->column_ptr[j + 1]; k++)
                add_bf16_group(y, task->x_bf16 + index_at(task->row, width, k) * task->bf16_stride,
                               group * TSNNI_COLUMN_GROUP, task->values[task->position[k]]);
            finish_group(task, j, group, y);
            if (task->y_bf16)
                pack_group(y, task->y_bf16 + j * task->bf16_stride, group, groups);
        }
    }
}

static void forward(const tsnni_forward *task, int width, int64_t begin, int64_t end)
{
    if (task->x_bf16) {
        forward_bf16(task, width, begin, end);
        return;
    }
    for (int64_t j = begin; j < end; j++) {
        start_row(task, j, task->y + j * task->stride, task->width);
        for (int64_t k = task->column_ptr[j]; k < task->column_ptr[j + 1]; k++)
            add_row(task->y + j * task->stride, task->x + index_at(task->row, width, k) * task->stride,
                    task->values[task->position[k]], task->width);
        for (int64_t group = 0; group < task->width / TSNNI_COLUMN_GROUP; group++)
            finish_group(task, j, group, group_of(task, j, group));
    }
}

static void forward_16(const tsnni_forward *task, int64_t begin, int64_t end)
{
    forward(task, SIXTEEN_BIT, begin, end);
}

static void forward_32(const tsnni_forward *task, int64_t begin, int64_t end)
{
    forward(task, THIRTY_TWO_BIT, begin, end);
}

static void dense_forward_part(const tsnni_forward *task, const tsnni_dense_part *part)
{
    for (int64_t group = part->first_group; group < part->end_group; group++) {
        int64_t first = group * TSNNI_COLUMN_GROUP;
        for (int64_t j = part->first_output; j < part->end_output; j++) {
            float *y = group_of(task, j, group);
            start_row(task, j, y, TSNNI_COLUMN_GROUP);
            for (int64_t i = 0; i < task->rows; i++) {
                float w = task->values[i * task->columns + j];
                if (task->x_bf16)
                    add_bf16_group(y, task->x_bf16 + i * task->bf16_stride, first, w);
                else
                    add_row(y, task->x + i * task->stride + first, w, TSNNI_COLUMN_GROUP);
            }
            finish_group(task, j, group, y);
        }
    }
}

static void dense_forward(const tsnni_forward *task, int64_t begin, int64_t end)
{
    while (begin < end) {
        tsnni_dense_part part = tsnni_dense_part_of(task, begin, end);
        dense_forward_part(task, &part);
        begin += part.units;
    }
}

static void dropout(const tsnni_forward *task, int64_t begin, int64_t end)
{
    if (!task->keep)
        return;
    for (int64_t j = begin; j < end; j++)
        for (int64_t group = 0; group < task->width / TSNNI_COLUMN_GROUP; group++)
            drop_group(task, j, group, group_of(task, j, group));
}

static void pack(const tsnni_pack *task, int64_t begin, int64_t end)
{
    int64_t groups = task->width / TSNNI_COLUMN_GROUP;
    for (int64_t i = begin; i < end; i++)
        for (int64_t group = 0; group < groups; group++)
            pack_group(task->from + i * task->stride + group * TSNNI_COLUMN_GROUP, task->to + i * task->bf16_stride,
                       group, groups);
}

static void update_one(float *value, float *velocity, float gradient, const tsnni_update *update)
{
    float w = *value, g = update->gradient_scale * gradient + update->l2 * w;
    float v = (velocity ? update->momentum * *velocity : 0.0f) - update->learning_rate * g;
    float step = update->nesterov ? update->momentum * v - update->learning_rate * g : v;
    *value = w + step - update->decay * w;
    if (velocity)
        *velocity = v;
}

static void update(float *values, float *velocity, const float *gradient, const tsnni_update *update, int64_t begin,
                   int64_t end)
{
    for (int64_t k = begin; k < end; k++)
        update_one(values + k, velocity ? velocity + k : NULL, gradient[k], update);
}

static void derivative_row(const tsnni_backward *task, int64_t i)
{
    float *dx = task->dx + i * task->stride, sum = 0;
    float scale = task->keep ? task->keep_scale : 1.0f, slope = task->negative_slope * scale;
    for (int64_t c = 0; c < task->width; c++) {
        dx[c] *= task->negative && plane_bit(task->negative, i, task->width, c) ? slope : scale;
        if (task->keep && !plane_bit(task->keep, i, task->width, c))
            dx[c] = 0;
        sum += dx[c];
    }
    if (task->dx_sum)
        task->dx_sum[i] = sum;
}

static void derivative(const tsnni_backward *task, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end && task->width > 0; i++)
        derivative_row(task, i);
}

/* Connection k from input i to output j: its share of dx_i, then its own change. */
static void backward_one(const tsnni_backward *task, int64_t i, int64_t j, int64_t k)
{
    const float *dy = task->dy + j * task->stride;
    if (task->dx)
        add_row(task->dx + i * task->stride, dy, task->values[k], task->width);
    if (task->mode == TSNNI_BACKWARD_INPUT)
        return;
    float gradient = task->x_bf16 ? dot_bf16_row(task->x_bf16 + i * task->bf16_stride, dy, task->width)
                                  : dot_rows(task->x + i * task->stride, dy, task->width);
    if (task->mode == TSNNI_BACKWARD_UPDATE)
        update_one(task->values + k, task->velocity ? task->velocity + k : NULL, gradient, &task->update);
    else
        task->gradient[k] = task->accumulate ? task->gradient[k] + gradient : gradient;
}

static void clear_row(const tsnni_backward *task, int64_t i)
{
    for (int64_t c = 0; task->dx && c < task->width; c++)
        task->dx[i * task->stride + c] = 0;
}

static void backward(const tsnni_backward *task, int width, int64_t begin, int64_t end)
{
    if (task->width == 0)
        return;
    for (int64_t i = begin; i < end; i++) {
        clear_row(task, i);
        for (int64_t k = task->row_ptr[i]; k < task->row_ptr[i + 1]; k++)
            backward_one(task, i, index_at(task->column, width, k), k);
        if (task->dx)
            derivative_row(task, i);
    }
}

static void backward_16(const tsnni_backward *task, int64_t begin, int64_t end)
{
    backward(task, SIXTEEN_BIT, begin, end);
}

static void backward_32(const tsnni_backward *task, int64_t begin, int64_t end)
{
    backward(task, THIRTY_TWO_BIT, begin, end);
}

static void dense_backward(const tsnni_backward *task, int64_t begin, int64_t end)
{
    if (task->width == 0)
        return;
    for (int64_t i = begin; i < end; i++) {
        clear_row(task, i);
        for (int64_t j = 0; j < task->columns; j++)
            backward_one(task, i, j, i * task->columns + j);
        if (task->dx)
            derivative_row(task, i);
    }
}

/* e^x for x <= 0. */
static float exp_negative(float x)
{
    return x < -87.0f ? 0.0f : expf(x);
}

static void sigmoid(const tsnni_function *task, int64_t begin, int64_t end)
{
    for (int64_t j = begin; j < end; j++)
        for (int64_t c = 0; c < task->width; c++) {
            float *y = task->y + j * task->stride + c, e = exp_negative(-fabsf(*y));
            *y = (*y < 0 ? e : 1.0f) / (1.0f + e);
        }
}

static void hyperbolic_tangent(const tsnni_function *task, int64_t begin, int64_t end)
{
    for (int64_t j = begin; j < end; j++)
        for (int64_t c = 0; c < task->width; c++)
            task->y[j * task->stride + c] = tanhf(task->y[j * task->stride + c]);
}

static void softmax(const tsnni_function *task, int64_t begin, int64_t end)
{
    for (int64_t c = begin * TSNNI_COLUMN_GROUP; task->rows > 0 && c < end * TSNNI_COLUMN_GROUP; c++) {
        float *y = task->y + c, largest = y[0], sum = 0;
        for (int64_t k = 1; k < task->rows; k++)
            largest = y[k * task->stride] > largest ? y[k * task->stride] : largest;
        for (int64_t k = 0; k < task->rows; k++) {
            y[k * task->stride] = exp_negative(y[k * task->stride] - largest);
            sum += y[k * task->stride];
        }
        for (int64_t k = 0; k < task->rows; k++)
            y[k * task->stride] *= 1.0f / sum;
    }
}

static void batch_load(const tsnni_batch_load *task, int64_t begin, int64_t end)
{
    int64_t unit = task->x_bf16 ? TSNNI_BF16_BLOCK : TSNNI_COLUMN_GROUP, width = (task->width + unit - 1) / unit * unit;
    for (int64_t c = 0; c < width; c++) {
        int64_t sample = task->index && c < task->count ? task->index[c] : c;
        for (int64_t f = begin; f < end; f++) {
            float value = 0;
            if (c < task->count) {
                value = task->samples[sample * task->sample_stride + f];
                if (task->shift)
                    value = (value - task->shift[f]) * task->scale[f];
            }
            if (task->x_bf16)
                task->x_bf16[f * task->bf16_stride + tsnni_bf16_place(c)] = tsnni_bf16_round(value);
            else
                task->x[f * task->stride + c] = value;
        }
    }
}

static void batch_store(const tsnni_batch_store *task, int64_t begin, int64_t end)
{
    for (int64_t c = 0; c < task->count; c++)
        for (int64_t f = begin; f < end; f++)
            task->out[c * task->out_stride + f] = task->y[f * task->stride + c];
}

/* ---- packed layers ---- */

static void packed_single(const tsnni_packed *task, int width)
{
    int64_t k = 0;
    for (int64_t s = 0; s < task->run_count; s++) {
        const tsnni_packed_run *run = &task->runs[s];
        for (int64_t chunk = run->chunk; chunk < run->chunk + run->chunks; chunk++)
            for (int32_t t = 0; t < run->steps; t++)
                for (int r = 0; r < TSNNI_CHUNK_ROWS; r++, k++)
                    task->y[chunk * TSNNI_CHUNK_ROWS + r] += task->values[k] * task->x[index_at(task->index, width, k)];
    }
}

static void packed_single_16(const tsnni_packed *task)
{
    packed_single(task, SIXTEEN_BIT);
}

static void packed_single_32(const tsnni_packed *task)
{
    packed_single(task, THIRTY_TWO_BIT);
}

/* Row r of a chunk whose entries start at `first`. */
static void packed_row(const tsnni_packed *task, int width, int64_t j, int64_t first)
{
    float *y = task->y + (task->order ? task->order[j] : j) * task->stride;
    for (int64_t c = 0; c < task->width; c++)
        y[c] = task->bias[j];
    for (int64_t t = 0; t < task->length[j]; t++) {
        int64_t k = first + t * TSNNI_CHUNK_ROWS;
        add_row(y, task->x + index_at(task->index, width, k) * task->stride, task->values[k], task->width);
    }
    for (int64_t c = 0; c < task->width; c++)
        y[c] = y[c] < 0 ? task->negative_slope * y[c] : y[c];
}

static void packed_batch(const tsnni_packed *task, int width)
{
    int64_t first = 0;
    for (int64_t s = 0; s < task->run_count; s++) {
        const tsnni_packed_run *run = &task->runs[s];
        for (int64_t chunk = run->chunk; chunk < run->chunk + run->chunks; chunk++) {
            for (int64_t r = 0; r < TSNNI_CHUNK_ROWS && chunk * TSNNI_CHUNK_ROWS + r < task->columns; r++)
                packed_row(task, width, chunk * TSNNI_CHUNK_ROWS + r, first + r);
            first += (int64_t)run->steps * TSNNI_CHUNK_ROWS;
        }
    }
}

static void packed_batch_16(const tsnni_packed *task)
{
    packed_batch(task, SIXTEEN_BIT);
}

static void packed_batch_32(const tsnni_packed *task)
{
    packed_batch(task, THIRTY_TWO_BIT);
}

static void packed_dense(const tsnni_packed *task)
{
    for (int64_t first = 0; first < task->columns; first += TSNNI_CHUNK_ROWS)
        for (int64_t i = 0; i < task->rows; i++)
            for (int r = 0; r < TSNNI_CHUNK_ROWS; r++)
                task->y[first + r] += task->values[first * task->rows + i * TSNNI_CHUNK_ROWS + r] * task->x[i];
}

static void packed_inputs(const tsnni_packed_inputs *task, int width)
{
    for (int64_t n = 0; n < task->count; n++)
        for (int64_t k = task->row_ptr[task->input[n]]; k < task->row_ptr[task->input[n] + 1]; k++)
            task->y[index_at(task->index, width, k)] += task->amount[n] * task->values[k];
}

static void packed_inputs_16(const tsnni_packed_inputs *task)
{
    packed_inputs(task, SIXTEEN_BIT);
}

static void packed_inputs_32(const tsnni_packed_inputs *task)
{
    packed_inputs(task, THIRTY_TWO_BIT);
}

static void slope(float *y, int64_t count, float negative_slope)
{
    for (int64_t k = 0; k < count; k++)
        y[k] = y[k] < 0 ? negative_slope * y[k] : y[k];
}

static int32_t all_finite(const float *x, int64_t count)
{
    for (int64_t k = 0; k < count; k++)
        if (!isfinite(x[k]))
            return 0;
    return 1;
}

static void standardise(const float *from, const float *shift, const float *scale, float *x, int64_t count)
{
    for (int64_t k = 0; k < count; k++)
        x[k] = (from[k] - shift[k]) * scale[k];
}

const tsnni_kernels tsnni_kernels_ref = {
    .name = "ref",
    .isa = TSNNI_ISA_REF,
    .lanes = 1,
#if !defined(TSNNI_INFERENCE_ONLY)
    .forward = {forward_16, forward_32},
    .backward = {backward_16, backward_32},
    .dense_backward = dense_backward,
    .update = update,
    .dropout = dropout,
    .derivative = derivative,
    .pack = pack,
#endif
    .dense_forward = dense_forward,
    .sigmoid = sigmoid,
    .hyperbolic_tangent = hyperbolic_tangent,
    .softmax = softmax,
    .batch_load = batch_load,
    .batch_store = batch_store,
    .packed_single = {packed_single_16, packed_single_32},
    .packed_batch = {packed_batch_16, packed_batch_32},
    .packed_dense = packed_dense,
    .packed_inputs = {packed_inputs_16, packed_inputs_32},
    .slope = slope,
    .all_finite = all_finite,
    .standardise = standardise,
};
