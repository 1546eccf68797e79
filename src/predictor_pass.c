/* Passes through a predictor: one sample by gathers, a batch by feature-major rows. */
#include "predictor_pass.h"

#include <math.h>
#include <string.h>

/* Share of the inputs below which going from input to output is less work: a connection costs more
 * that way, since each one is added to a sum in memory; much more where the sums are beyond the nearer caches. */
#define TSNNI_BY_INPUT_SHARE 0.4
#define TSNNI_BY_INPUT_SHARE_FAR 0.1
#define TSNNI_FAR_SUMS ((int64_t)128 << 10)

/* As in training: rows that come from a farther cache are asked for earlier. */
#define TSNNI_PREFETCH_NEAR 8
#define TSNNI_PREFETCH_MIDDLE 16
#define TSNNI_PREFETCH_FAR 64
#define TSNNI_MIDDLE_BYTES ((int64_t)2 << 20)
#define TSNNI_FAR_ROWS_BYTES ((int64_t)24 << 20)

static float standardise(const tsnn_predictor *predictor, int64_t f, float value)
{
    return predictor->shift != NULL ? (value - predictor->shift[f]) * predictor->scale[f] : value;
}

/* ---- one sample ---- */

static void load_sample(const tsnn_predictor *predictor, const tsnni_sample_rows *rows, int64_t sample, float *x)
{
    int64_t inputs = tsnni_predictor_inputs(predictor);
    if (rows->features != NULL && predictor->shift == NULL) {
        memcpy(x, rows->features + sample * inputs, (size_t)inputs * sizeof *x);
    } else if (rows->features != NULL) {
        predictor->kernels->standardise(rows->features + sample * inputs, predictor->shift, predictor->scale, x,
                                        inputs);
    } else {
        for (int64_t f = 0; f < inputs; f++)
            x[f] = standardise(predictor, f, 0.0f);
        for (int64_t k = rows->sample_ptr[sample]; k < rows->sample_ptr[sample + 1]; k++)
            x[rows->index[k]] = standardise(predictor, rows->index[k], rows->value[k]);
    }
    x[inputs] = 0.0f; /* what padding reads */
}

/* The inputs that are not 0, or 0 when there are more than `most`. */
static int32_t list_inputs(const tsnn_predictor *predictor, tsnn_predictor_workspace *workspace,
                           const tsnni_sample_rows *rows, int64_t sample, int64_t most, tsnni_packed_inputs *task)
{
    if (rows->features == NULL) {
        task->input = rows->index + rows->sample_ptr[sample];
        task->amount = rows->value + rows->sample_ptr[sample];
        task->count = rows->sample_ptr[sample + 1] - rows->sample_ptr[sample];
        return task->count <= most;
    }
    int64_t inputs = tsnni_predictor_inputs(predictor), count = 0;
    const float *from = rows->features + sample * inputs;
    for (int64_t f = 0; f < inputs && count <= most; f++) {
        workspace->input[count] = (int32_t)f;
        workspace->amount[count] = from[f];
        count += from[f] != 0.0f;
    }
    task->input = workspace->input;
    task->amount = workspace->amount;
    task->count = count;
    return count <= most;
}

/* y += the contributions of the listed inputs of a layer in place. */
static void add_in_place(const tsnn_predictor *predictor, const tsnni_packed_layer *layer, const int32_t *input,
                         const float *amount, int64_t count, float *y)
{
    tsnni_packed_inputs task = {.row_ptr = layer->in_place.row_ptr,
                                .index = layer->in_place.column,
                                .values = layer->in_place.values,
                                .input = input,
                                .amount = amount,
                                .count = count,
                                .y = y};
    predictor->kernels->packed_inputs[1](&task);
}

/* A layer in place from its inputs that are not 0. */
static void sum_in_place(const tsnn_predictor *predictor, tsnn_predictor_workspace *workspace,
                         const tsnni_packed_layer *layer, const float *x, float *y)
{
    int64_t count = 0;
    for (int64_t i = 0; i < layer->inputs; i++) {
        workspace->input[count] = (int32_t)i;
        workspace->amount[count] = x[i];
        count += x[i] != 0.0f;
    }
    memcpy(y, layer->in_place.bias, (size_t)layer->outputs * sizeof *y);
    add_in_place(predictor, layer, workspace->input, workspace->amount, count, y);
}

/* The first layer in place with the standardizer folded in: raw features that are 0 are passed over. */
static void first_in_place(const tsnn_predictor *predictor, tsnn_predictor_workspace *workspace,
                           const tsnni_sample_rows *rows, int64_t sample, float *y)
{
    const tsnni_packed_layer *layer = &predictor->layers[0];
    tsnni_packed_inputs listed;
    (void)list_inputs(predictor, workspace, rows, sample, layer->inputs, &listed);
    if (predictor->scale != NULL) { /* in place where the list is ours already */
        for (int64_t k = 0; k < listed.count; k++)
            workspace->amount[k] = listed.amount[k] * predictor->scale[listed.input[k]];
        listed.amount = workspace->amount;
    }
    memcpy(y, predictor->by_input.base, (size_t)layer->outputs * sizeof *y);
    add_in_place(predictor, layer, listed.input, listed.amount, listed.count, y);
}

/* The sums of the first layer from the inputs that are not 0, or 0 where that is more work. */
static int32_t first_layer_by_input(const tsnn_predictor *predictor, tsnn_predictor_workspace *workspace,
                                    const tsnni_sample_rows *rows, int64_t sample, float *y)
{
    const tsnni_packed_input_layer *by_input = &predictor->by_input;
    const tsnni_packed_layer *layer = &predictor->layers[0];
    tsnni_packed_inputs task = {
        .row_ptr = by_input->row_ptr, .index = by_input->place.data, .values = by_input->values, .y = y};
    if (predictor->skip_zeros && predictor->in_place) {
        first_in_place(predictor, workspace, rows, sample, y);
        return 1;
    }
    double share = layer->outputs > TSNNI_FAR_SUMS ? TSNNI_BY_INPUT_SHARE_FAR : TSNNI_BY_INPUT_SHARE;
    int64_t most = (int64_t)(share * (double)layer->inputs);
    if (!predictor->skip_zeros || !list_inputs(predictor, workspace, rows, sample, most, &task))
        return 0;
    memcpy(y, by_input->base, (size_t)tsnni_whole_chunks(layer->outputs) * sizeof *y);
    predictor->kernels->packed_inputs[by_input->place.width == 2 ? 0 : 1](&task);
    return 1;
}

static void sum_single(const tsnn_predictor *predictor, const tsnni_packed_layer *layer, const float *x, float *y)
{
    const tsnni_packed_form *form = layer->swept.values != NULL ? &layer->swept : &layer->plain;
    tsnni_packed task = {.rows = layer->inputs,
                         .columns = layer->outputs,
                         .runs = form->runs,
                         .run_count = form->run_count,
                         .index = form->index.data,
                         .values = form->values,
                         .x = x,
                         .y = y,
                         .far = layer->far};
    memcpy(y, layer->bias, (size_t)tsnni_whole_chunks(layer->outputs) * sizeof *y);
    if (layer->dense)
        predictor->kernels->packed_dense(&task);
    else
        predictor->kernels->packed_single[form->index.width == 2 ? 0 : 1](&task);
}

static void softmax_single(float *z, int64_t count)
{
    float largest = z[0], sum = 0.0f;
    for (int64_t k = 1; k < count; k++)
        largest = z[k] > largest ? z[k] : largest;
    for (int64_t k = 0; k < count; k++)
        sum += z[k] = expf(z[k] - largest);
    for (int64_t k = 0; k < count; k++)
        z[k] *= 1.0f / sum;
}

/* Activates z and returns where the result is: z, or `other` for functions of the caller. */
static float *activate_single(const tsnn_predictor *predictor, int64_t l, float *z, float *other)
{
    const tsnni_packed_layer *layer = &predictor->layers[l];
    const tsnni_activation_rule *rule = &layer->activation;
    if (tsnni_activation_is_slope(rule)) {
        float slope = tsnni_activation_slope(rule, l);
        if (slope != 1.0f)
            predictor->kernels->slope(z, layer->outputs, slope);
    } else if (rule->kind == TSNN_ACTIVATION_SOFTMAX) {
        softmax_single(z, layer->outputs);
    } else {
        float *a = rule->kind == TSNN_ACTIVATION_CUSTOM ? other : z;
        tsnni_activation_apply(rule, l, z, a, layer->outputs);
        return a;
    }
    return z;
}

const float *tsnni_predictor_single(const tsnn_predictor *predictor, tsnn_predictor_workspace *workspace,
                                    const tsnni_sample_rows *rows, int64_t sample, int32_t raw)
{
    float *x = workspace->x[0], *y = workspace->x[1];
    for (int64_t l = 0; l < predictor->count; l++) {
        const tsnni_packed_layer *layer = &predictor->layers[l];
        if (l > 0 || !first_layer_by_input(predictor, workspace, rows, sample, y)) {
            if (l == 0)
                load_sample(predictor, rows, sample, x);
            if (predictor->in_place)
                sum_in_place(predictor, workspace, layer, x, y);
            else
                sum_single(predictor, layer, x, y);
        }
        float *other = x;
        x = raw && l == predictor->count - 1 ? y : activate_single(predictor, l, y, other);
        y = x == y ? other : y;
        x[layer->outputs] = 0.0f; /* what padding reads */
    }
    const tsnni_packed_layer *last = &predictor->layers[predictor->count - 1];
    if (last->order == NULL)
        return x;
    for (int64_t p = 0; p < last->outputs; p++)
        y[last->order[p]] = x[p];
    return y;
}

/* ---- a batch ---- */

static int64_t prefetch_distance(int64_t rows, int64_t stride)
{
    int64_t bytes = rows * stride * (int64_t)sizeof(float);
    return bytes > TSNNI_FAR_ROWS_BYTES ? TSNNI_PREFETCH_FAR
           : bytes > TSNNI_MIDDLE_BYTES ? TSNNI_PREFETCH_MIDDLE
                                        : TSNNI_PREFETCH_NEAR;
}

static void load_batch(const tsnn_predictor *predictor, tsnn_predictor_workspace *workspace,
                       const tsnni_sample_rows *rows, int64_t first, int64_t count, int64_t width)
{
    int64_t inputs = tsnni_predictor_inputs(predictor), stride = workspace->stride;
    float *x = workspace->x[0];
    if (rows->features != NULL) {
        tsnni_batch_load task = {.samples = rows->features + first * inputs,
                                 .sample_stride = inputs,
                                 .count = count,
                                 .features = inputs,
                                 .shift = predictor->shift,
                                 .scale = predictor->scale,
                                 .x = x,
                                 .stride = stride,
                                 .width = width};
        predictor->kernels->batch_load(&task, 0, inputs);
        return;
    }
    for (int64_t f = 0; f < inputs; f++)
        for (int64_t c = 0; c < width; c++)
            x[f * stride + c] = c < count ? standardise(predictor, f, 0.0f) : 0.0f;
    for (int64_t c = 0; c < count; c++)
        for (int64_t k = rows->sample_ptr[first + c]; k < rows->sample_ptr[first + c + 1]; k++)
            x[rows->index[k] * stride + c] = standardise(predictor, rows->index[k], rows->value[k]);
}

/* Layers of tiles run on the kernel of full layers, which takes a tile for a layer of sixteen outputs. */
static void sum_dense_batch(const tsnn_predictor *predictor, const tsnni_packed_layer *layer, const float *x, float *y,
                            int64_t stride, int64_t width, float slope)
{
    for (int64_t first = 0; first < layer->outputs; first += TSNNI_CHUNK_ROWS) {
        tsnni_forward task = {.rows = layer->inputs,
                              .columns = TSNNI_CHUNK_ROWS,
                              .values = layer->plain.values + first * layer->inputs,
                              .bias = layer->bias + first,
                              .x = x,
                              .y = y + first * stride,
                              .stride = stride,
                              .width = width,
                              .negative_slope = slope};
        predictor->kernels->dense_forward(&task, 0, tsnni_dense_units(&task));
    }
}

static void sum_batch(const tsnn_predictor *predictor, const tsnni_packed_layer *layer, const float *x, float *y,
                      int64_t stride, int64_t width, float slope, const int32_t *order)
{
    tsnni_packed task = {.rows = layer->inputs,
                         .columns = layer->outputs,
                         .runs = layer->plain.runs,
                         .run_count = layer->plain.run_count,
                         .index = layer->plain.index.data,
                         .values = layer->plain.values,
                         .length = layer->length,
                         .bias = layer->bias,
                         .x = x,
                         .y = y,
                         .stride = stride,
                         .width = width,
                         .negative_slope = slope,
                         .order = order,
                         .prefetch = prefetch_distance(layer->inputs, stride)};
    predictor->kernels->packed_batch[layer->plain.index.width == 2 ? 0 : 1](&task);
}

/* What the kernels have not done. Returns where the result is. */
static float *activate_batch(const tsnn_predictor *predictor, int64_t l, float *z, float *other, int64_t stride,
                             int64_t width, int64_t count)
{
    const tsnni_packed_layer *layer = &predictor->layers[l];
    const tsnni_activation_rule *rule = &layer->activation;
    const tsnni_function function = {layer->outputs, z, stride, width};
    if (rule->kind == TSNN_ACTIVATION_SOFTMAX) {
        predictor->kernels->softmax(&function, 0, width / TSNNI_COLUMN_GROUP);
        return z;
    }
    if (rule->kind == TSNN_ACTIVATION_SIGMOID || rule->kind == TSNN_ACTIVATION_TANH) {
        (rule->kind == TSNN_ACTIVATION_SIGMOID ? predictor->kernels->sigmoid
                                               : predictor->kernels->hyperbolic_tangent)(&function, 0, layer->outputs);
        return z;
    }
    /* On samples only: the caller's function may not like the numbers of surplus columns. */
    for (int64_t j = 0; j < layer->outputs; j++) {
        float *a = other + j * stride;
        tsnni_activation_apply(rule, l, z + j * stride, a, count);
        memset(a + count, 0, (size_t)(width - count) * sizeof *a);
    }
    return other;
}

const float *tsnni_predictor_batch(const tsnn_predictor *predictor, tsnn_predictor_workspace *workspace,
                                   const tsnni_sample_rows *rows, int64_t first, int64_t count, int32_t raw)
{
    int64_t stride = workspace->stride;
    int64_t width = (count + TSNNI_COLUMN_GROUP - 1) / TSNNI_COLUMN_GROUP * TSNNI_COLUMN_GROUP;
    float *x = workspace->x[0], *y = workspace->x[1];
    load_batch(predictor, workspace, rows, first, count, width);
    for (int64_t l = 0; l < predictor->count; l++) {
        const tsnni_packed_layer *layer = &predictor->layers[l];
        int32_t last = l == predictor->count - 1, plain = raw && last;
        int32_t fused = tsnni_activation_is_slope(&layer->activation);
        float slope = fused && !plain ? tsnni_activation_slope(&layer->activation, l) : 1.0f, *other = x;
        if (layer->dense)
            sum_dense_batch(predictor, layer, x, y, stride, width, slope);
        else
            sum_batch(predictor, layer, x, y, stride, width, slope, last ? layer->order : NULL);
        x = fused || plain ? y : activate_batch(predictor, l, y, other, stride, width, count);
        y = x == y ? other : y;
    }
    return x;
}
