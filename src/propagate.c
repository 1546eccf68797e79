/* The pass through a network: which kernel runs on which layer, cut into chunks for the threads. */
#include "propagate.h"

#include <math.h>
#include <string.h>

#include "core/parallel.h"
#include "softmax.h"
#include "sparse/convert.h"
#include "sparse/partition.h"

/* Costs of a row in connections, for balanced chunks: loading and storing it, and its epilogue. Backward reads two rows
 * and rounds their connections up to four. */
#define TSNNI_FORWARD_ROW_COST 3
#define TSNNI_BACKWARD_ROW_COST 12

/* Work in nanoseconds of one thread, measured: a connection costs the columns of a row and WORK_COLUMNS more, at
 * WORK_RATE columns a nanosecond; a row as many connections as in the balance. */
#define TSNNI_WORK_COLUMNS 16
#define TSNNI_WORK_RATE 32

/* Neurons whose biases are updated in a nanosecond. */
#define TSNNI_BIAS_RATE 2

/* How a range of rows is cut: by connections when pointer is set, else evenly. */
typedef struct row_span {
    const int64_t *pointer;
    int64_t rows, row_cost, chunks;
} row_span;

static void span_chunk(const row_span *span, int64_t chunk, int64_t *begin, int64_t *end)
{
    if (span->pointer != NULL) {
        *begin = tsnni_partition_bound(span->pointer, span->rows, span->row_cost, chunk, span->chunks);
        *end = tsnni_partition_bound(span->pointer, span->rows, span->row_cost, chunk + 1, span->chunks);
    } else {
        *begin = tsnni_partition_even(span->rows, chunk, span->chunks);
        *end = tsnni_partition_even(span->rows, chunk + 1, span->chunks);
    }
}

static int32_t is_slope(const tsnni_stage *stage)
{
    return tsnni_activation_is_slope(&stage->activation);
}

static int64_t pass_work(int64_t connections, int64_t width)
{
    return connections * (width + TSNNI_WORK_COLUMNS) / TSNNI_WORK_RATE;
}

/* ---- the batch enters ---- */

typedef struct load_call {
    const tsnni_kernels *kernels;
    tsnni_batch_load task;
    row_span span;
} load_call;

static void load_chunk(void *argument, int64_t chunk, int32_t worker)
{
    (void)worker;
    const load_call *call = argument;
    int64_t begin, end;
    span_chunk(&call->span, chunk, &begin, &end);
    /* Whole groups of features, so that each chunk transposes whole blocks. */
    int64_t first = begin * TSNNI_COLUMN_GROUP, last = end * TSNNI_COLUMN_GROUP;
    call->kernels->batch_load(&call->task, first, last < call->task.features ? last : call->task.features);
}

static void load_batch(const tsnn_network *network, tsnni_workspace *workspace, const tsnni_batch *batch)
{
    int32_t threads = network->context->runtime.threads;
    int64_t features = tsnni_network_inputs(network), width = tsnni_width_for(batch->count);
    load_call call = {
        network->context->kernels,
        {.samples = batch->samples,
         .sample_stride = batch->sample_stride,
         .index = batch->index,
         .count = batch->count,
         .features = features,
         .shift = network->shift,
         .scale = network->scale,
         .x = workspace->input,
         .x_bf16 = workspace->input_bf16,
         .stride = workspace->stride,
         .width = width,
         .bf16_stride = workspace->bf16_stride},
        {NULL, (features + TSNNI_COLUMN_GROUP - 1) / TSNNI_COLUMN_GROUP, 0, tsnni_parallel_chunks(threads)}};
    tsnni_parallel_for(threads, features * width / 2, call.span.chunks, load_chunk, &call);
}

/* ---- forward ---- */

typedef struct forward_call {
    void (*kernel)(const tsnni_forward *task, int64_t begin, int64_t end);
    tsnni_forward task;
    row_span span;
} forward_call;

static void forward_chunk(void *argument, int64_t chunk, int32_t worker)
{
    (void)worker;
    const forward_call *call = argument;
    int64_t begin, end;
    span_chunk(&call->span, chunk, &begin, &end);
    call->kernel(&call->task, begin, end);
}

/* Activations that forward does not fuse, in place on rows or (softmax) on groups of columns. */
typedef struct function_call {
    void (*kernel)(const tsnni_function *task, int64_t begin, int64_t end);
    tsnni_function task;
    row_span span;
} function_call;

static void function_chunk(void *argument, int64_t chunk, int32_t worker)
{
    (void)worker;
    const function_call *call = argument;
    int64_t begin, end;
    span_chunk(&call->span, chunk, &begin, &end);
    call->kernel(&call->task, begin, end);
}

static void activate(const tsnn_network *network, tsnni_workspace *workspace, int64_t l, int64_t count)
{
    const tsnni_stage *stage = &network->stages[l];
    int32_t threads = network->context->runtime.threads;
    int64_t rows = stage->layer->topology.pattern.columns, stride = workspace->stride, width = tsnni_width_for(count);
    if (stage->activation.kind == TSNN_ACTIVATION_CUSTOM) {
        /* The caller's function: on the caller's thread, and on samples only; it may not like the numbers of surplus
         * columns. */
        for (int64_t i = 0; i < rows; i++) {
            float *a = workspace->undropped[l] + i * stride;
            tsnni_activation_apply(&stage->activation, l, workspace->preactivation[l] + i * stride, a, count);
            memset(a + count, 0, (size_t)(width - count) * sizeof *a);
            for (int64_t c = 0; workspace->output_bf16[l] != NULL && c < count; c++)
                if (isnan(a[c]))
                    a[c] = NAN; /* one of those that rounding keeps */
        }
        return;
    }
    const tsnni_kernels *kernels = network->context->kernels;
    int32_t kind = stage->activation.kind, softmax = kind == TSNN_ACTIVATION_SOFTMAX;
    function_call call = {softmax                           ? kernels->softmax
                          : kind == TSNN_ACTIVATION_SIGMOID ? kernels->sigmoid
                                                            : kernels->hyperbolic_tangent,
                          {rows, workspace->undropped[l], stride, width},
                          {NULL, softmax ? width / TSNNI_COLUMN_GROUP : rows, 0, tsnni_parallel_chunks(threads)}};
    tsnni_parallel_for(threads, rows * width, call.span.chunks, function_chunk, &call);
}

/* Dropout of outputs that the kernels did not activate: the derivative needs them undropped as well. */
typedef struct dropout_call {
    forward_call forward;
    const float *undropped;
} dropout_call;

static void dropout_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const dropout_call *call = argument;
    const tsnni_forward *task = &call->forward.task;
    int64_t begin, end;
    span_chunk(&call->forward.span, chunk, &begin, &end);
    for (int64_t j = begin; j < end; j++)
        memcpy(task->y + j * task->stride, call->undropped + j * task->stride, (size_t)task->width * sizeof(float));
    forward_chunk((void *)(uintptr_t)&call->forward, chunk, worker);
}

/* Activation and dropout of a stage whose kernel wrote plain sums. */
static void finish_outputs(const tsnn_network *network, tsnni_workspace *workspace, int64_t l, int64_t count,
                           const forward_call *call, int32_t dropout)
{
    activate(network, workspace, l, count);
    if (workspace->undropped[l] == workspace->output[l])
        return; /* nothing to drop, ever */
    dropout_call dropping = {*call, workspace->undropped[l]};
    dropping.forward.kernel = network->context->kernels->dropout;
    dropping.forward.task.y = workspace->output[l];
    dropping.forward.task.keep = dropout ? workspace->keep[l] : NULL;
    dropping.forward.span.pointer = NULL;
    dropping.forward.span.rows = call->task.columns;
    dropping.forward.span.chunks = tsnni_parallel_chunks(network->context->runtime.threads);
    tsnni_parallel_for(network->context->runtime.threads, call->task.columns * call->task.width / 2,
                       dropping.forward.span.chunks, dropout_chunk, &dropping);
}

/* Outputs of a stage that came as floats, for the layer that reads them as bf16. */
typedef struct pack_call {
    const tsnni_kernels *kernels;
    tsnni_pack task;
    row_span span;
} pack_call;

static void pack_chunk(void *argument, int64_t chunk, int32_t worker)
{
    (void)worker;
    const pack_call *call = argument;
    int64_t begin, end;
    span_chunk(&call->span, chunk, &begin, &end);
    call->kernels->pack(&call->task, begin, end);
}

static void pack_outputs(const tsnn_network *network, tsnni_workspace *workspace, int64_t l, int64_t width)
{
    int32_t threads = network->context->runtime.threads;
    int64_t rows = network->stages[l].layer->topology.pattern.columns;
    pack_call call = {network->context->kernels,
                      {.from = workspace->output[l],
                       .to = workspace->output_bf16[l],
                       .stride = workspace->stride,
                       .width = width,
                       .bf16_stride = workspace->bf16_stride},
                      {NULL, rows, 0, tsnni_parallel_chunks(threads)}};
    tsnni_parallel_for(threads, rows * width / 8, call.span.chunks, pack_chunk, &call);
}

typedef struct expand_call {
    const tsnni_topology *topology;
    float *out;
    row_span span;
} expand_call;

static void expand_chunk(void *argument, int64_t chunk, int32_t worker)
{
    (void)worker;
    const expand_call *call = argument;
    int64_t begin, end;
    span_chunk(&call->span, chunk, &begin, &end);
    tsnni_csr_expand(&call->topology->pattern, call->topology->values, begin, end, call->out);
}

/* Every cell of a nearly full layer, for the dense kernel. */
static void expand_weights(const tsnn_layer *layer, float *out)
{
    int32_t threads = layer->context->runtime.threads;
    const tsnni_pattern *pattern = &layer->topology.pattern;
    expand_call call = {&layer->topology, out, {NULL, pattern->rows, 0, tsnni_parallel_chunks(threads)}};
    tsnni_parallel_for(threads, pattern->rows * pattern->columns, call.span.chunks, expand_chunk, &call);
}

static void forward_stage(const tsnn_network *network, tsnni_workspace *workspace, int64_t l, int64_t count,
                          tsnni_pass pass, int64_t step)
{
    const tsnni_stage *stage = &network->stages[l];
    const tsnn_layer *layer = stage->layer;
    const tsnni_topology *topology = &layer->topology;
    const tsnni_stage_plan *plan = &workspace->plans[l];
    const tsnni_kernels *kernels = network->context->kernels;
    int32_t threads = network->context->runtime.threads;
    int32_t slope = is_slope(stage), dropout = pass == TSNNI_PASS_TRAINING && stage->keep_below != TSNNI_KEEP_ALL;
    int64_t width = tsnni_width_for(count);
    int64_t work = pass_work(topology->pattern.count + TSNNI_FORWARD_ROW_COST * topology->pattern.columns, width);
    int64_t chunks = tsnni_parallel_chunks_for(threads, work);

    forward_call call = {0};
    call.task.rows = topology->pattern.rows;
    call.task.columns = topology->pattern.columns;
    call.task.column_ptr = topology->transpose.column_ptr;
    call.task.row = topology->transpose.row.data;
    call.task.position = topology->transpose.position;
    call.task.values = topology->values;
    call.task.bias = layer->bias;
    call.task.x = l == 0 ? workspace->input : workspace->output[l - 1];
    call.task.x_bf16 = l == 0 ? workspace->input_bf16 : workspace->output_bf16[l - 1];
    call.task.y_bf16 = slope && plan->forward.route != TSNNI_ROUTE_DENSE ? workspace->output_bf16[l] : NULL;
    call.task.y = workspace->preactivation[l] != NULL ? workspace->preactivation[l] : workspace->undropped[l];
    call.task.stride = workspace->stride;
    call.task.width = width;
    call.task.bf16_stride = workspace->bf16_stride;
    call.task.negative_slope = slope ? tsnni_activation_slope(&stage->activation, l) : 1.0f;
    call.task.negative = workspace->negative[l];
    call.task.keep = slope && dropout ? workspace->keep[l] : NULL;
    call.task.keep_below = stage->keep_below;
    call.task.keep_scale = (float)TSNNI_KEEP_ALL / (float)stage->keep_below;
    call.task.key = tsnni_random_key_make(network->context->seed, TSNNI_PURPOSE_DROPOUT, layer->stream, step, 0);
    call.task.prefetch = plan->forward.prefetch;
    call.task.prefetch_far = plan->forward.prefetch_far;
    call.task.panels = plan->forward.panels;
    call.task.panel_ptr = plan->forward_ends;
    if (plan->forward.route == TSNNI_ROUTE_DENSE) {
        call.kernel = kernels->dense_forward;
        call.span = (row_span){NULL, width / TSNNI_COLUMN_GROUP, 0, chunks};
        if (plan->expanded != NULL) {
            expand_weights(layer, plan->expanded);
            call.task.values = plan->expanded;
        }
    } else {
        call.kernel = kernels->forward[topology->transpose.row.width == 2 ? 0 : 1];
        call.span =
            (row_span){topology->transpose.column_ptr, topology->pattern.columns, TSNNI_FORWARD_ROW_COST, chunks};
    }
    tsnni_parallel_for(threads, work, chunks, forward_chunk, &call);
    int32_t packed = call.task.y_bf16 != NULL;
    if (!slope)
        finish_outputs(network, workspace, l, count, &call, dropout);
    if (workspace->output_bf16[l] != NULL && !packed)
        pack_outputs(network, workspace, l, width);
}

void tsnni_propagate_forward(const tsnn_network *network, tsnni_workspace *workspace, const tsnni_batch *batch,
                             tsnni_pass pass, int64_t step)
{
    load_batch(network, workspace, batch);
    for (int64_t l = 0; l < network->count; l++) {
        tsnni_workspace_follow(workspace, network, l);
        forward_stage(network, workspace, l, batch->count, pass, step);
        tsnni_context_breathe(network->context);
    }
}

/* ---- backward ---- */

typedef struct backward_call {
    void (*kernel)(const tsnni_backward *task, int64_t begin, int64_t end);
    tsnni_backward task;
    row_span span;
} backward_call;

static void backward_chunk(void *argument, int64_t chunk, int32_t worker)
{
    (void)worker;
    const backward_call *call = argument;
    int64_t begin, end;
    span_chunk(&call->span, chunk, &begin, &end);
    call->kernel(&call->task, begin, end);
}

/* The derivatives that the kernels do not fuse: delta of stage l, by its undropped outputs, becomes by its sums. */
typedef struct derivative_call {
    const tsnni_stage *stage;
    const float *a;
    float *delta;
    int64_t hidden_index, rows, stride, width;
    row_span span;
} derivative_call;

static void derivative_chunk(void *argument, int64_t chunk, int32_t worker)
{
    (void)worker;
    const derivative_call *call = argument;
    int64_t begin, end;
    span_chunk(&call->span, chunk, &begin, &end);
    for (int64_t i = begin; i < end; i++) {
        if (call->stage->activation.kind == TSNN_ACTIVATION_SOFTMAX) {
            tsnni_softmax_differentiate_group(call->a + i * TSNNI_COLUMN_GROUP, call->delta + i * TSNNI_COLUMN_GROUP,
                                              call->rows, call->stride);
            continue;
        }
        for (int64_t c = 0; c < call->width; c += TSNNI_COLUMN_GROUP) {
            float derivative[TSNNI_COLUMN_GROUP];
            const float *a = call->a + i * call->stride + c;
            float *delta = call->delta + i * call->stride + c;
            tsnni_activation_differentiate(&call->stage->activation, call->hidden_index, NULL, a, derivative,
                                           TSNNI_COLUMN_GROUP);
            for (int k = 0; k < TSNNI_COLUMN_GROUP; k++)
                delta[k] *= derivative[k];
        }
    }
}

static void differentiate_custom(const tsnn_network *network, tsnni_workspace *workspace, int64_t l, int64_t count,
                                 float *delta)
{
    const tsnni_stage *stage = &network->stages[l];
    for (int64_t i = 0; i < stage->layer->topology.pattern.columns; i++)
        for (int64_t c = 0; c < count; c += TSNNI_COLUMN_GROUP) {
            float derivative[TSNNI_COLUMN_GROUP];
            int64_t at = i * workspace->stride + c,
                    columns = count - c < TSNNI_COLUMN_GROUP ? count - c : TSNNI_COLUMN_GROUP;
            tsnni_activation_differentiate(&stage->activation, l, workspace->preactivation[l] + at,
                                           workspace->undropped[l] + at, derivative, columns);
            for (int64_t k = 0; k < columns; k++)
                delta[at + k] *= derivative[k];
        }
}

/* The derivative of stage l as the kernels know it: slope and dropout. */
static void set_derivative(const tsnn_network *network, const tsnni_workspace *workspace, int64_t l, tsnni_pass pass,
                           tsnni_backward *task)
{
    const tsnni_stage *stage = &network->stages[l];
    task->negative = workspace->negative[l];
    task->negative_slope = is_slope(stage) ? tsnni_activation_slope(&stage->activation, l) : 1.0f;
    task->keep = pass == TSNNI_PASS_TRAINING ? workspace->keep[l] : NULL;
    task->keep_scale = (float)TSNNI_KEEP_ALL / (float)stage->keep_below;
}

static void run_derivative_kernel(const tsnn_network *network, backward_call *call)
{
    int32_t threads = network->context->runtime.threads;
    call->kernel = network->context->kernels->derivative;
    call->span = (row_span){NULL, call->task.rows, 0, tsnni_parallel_chunks(threads)};
    tsnni_parallel_for(threads, call->task.rows * call->task.width / 8, call->span.chunks, backward_chunk, call);
}

/* delta[l % 2], by the outputs of stage l, becomes by its sums, and bias_gradient[l % 2] their totals. */
static void finish_delta(const tsnn_network *network, tsnni_workspace *workspace, int64_t l, int64_t count,
                         tsnni_pass pass, int32_t delta_is_final)
{
    const tsnni_stage *stage = &network->stages[l];
    int32_t threads = network->context->runtime.threads;
    int64_t rows = stage->layer->topology.pattern.columns, width = tsnni_width_for(count);
    float *delta = workspace->delta[l % 2];
    backward_call call = {0};
    call.task.rows = rows;
    call.task.dx = delta;
    call.task.stride = workspace->stride;
    call.task.width = width;
    call.task.negative_slope = 1.0f;
    call.task.keep_scale = 1.0f;
    if (!delta_is_final) {
        set_derivative(network, workspace, l, pass, &call.task);
        if (!is_slope(stage)) {
            if (call.task.keep != NULL)
                run_derivative_kernel(network, &call);
            call.task.keep = NULL;
            if (stage->activation.kind == TSNN_ACTIVATION_CUSTOM) {
                differentiate_custom(network, workspace, l, count, delta);
            } else {
                int32_t softmax = stage->activation.kind == TSNN_ACTIVATION_SOFTMAX;
                derivative_call derivative = {
                    stage, workspace->undropped[l],
                    delta, l,
                    rows,  workspace->stride,
                    width, {NULL, softmax ? width / TSNNI_COLUMN_GROUP : rows, 0, tsnni_parallel_chunks(threads)}};
                tsnni_parallel_for(threads, rows * width, derivative.span.chunks, derivative_chunk, &derivative);
            }
        }
    }
    call.task.dx_sum = workspace->bias_gradient[l % 2];
    run_derivative_kernel(network, &call);
}

/* Biases change by their gradient, or add it to what is there. */
typedef struct bias_call {
    const tsnni_kernels *kernels;
    float *bias, *velocity;
    const float *gradient;
    const tsnni_update *update; /* NULL: bias is a gradient, to be added to */
    row_span span;
} bias_call;

static void bias_chunk(void *argument, int64_t chunk, int32_t worker)
{
    (void)worker;
    const bias_call *call = argument;
    int64_t begin, end;
    span_chunk(&call->span, chunk, &begin, &end);
    if (call->update != NULL)
        call->kernels->update(call->bias, call->velocity, call->gradient, call->update, begin, end);
    for (int64_t j = begin; call->update == NULL && j < end; j++)
        call->bias[j] += call->gradient[j];
}

static void apply_to_biases(const tsnn_network *network, tsnni_workspace *workspace, int64_t l,
                            const tsnni_update *update, tsnn_gradient *gradient)
{
    tsnn_layer *layer = network->stages[l].layer;
    int32_t threads = network->context->runtime.threads;
    int64_t outputs = layer->topology.pattern.columns;
    bias_call call = {network->context->kernels,
                      gradient != NULL ? gradient->layers[l].bias : layer->bias,
                      layer->bias_velocity,
                      workspace->bias_gradient[l % 2],
                      gradient != NULL ? NULL : update,
                      {NULL, outputs, 0, tsnni_parallel_chunks(threads)}};
    if (gradient != NULL || !layer->frozen)
        tsnni_parallel_for(threads, outputs / TSNNI_BIAS_RATE, call.span.chunks, bias_chunk, &call);
}

/* Layer l: its weights (or their gradient) from delta[l % 2], and delta of stage l - 1 when `pass_down`. */
static void backward_stage(const tsnn_network *network, tsnni_workspace *workspace, int64_t l, int64_t count,
                           tsnni_pass pass, int32_t pass_down, const tsnni_update *update, tsnn_gradient *gradient)
{
    tsnn_layer *layer = network->stages[l].layer;
    const tsnni_topology *topology = &layer->topology;
    const tsnni_stage_plan *plan = &workspace->plans[l];
    const tsnni_kernels *kernels = network->context->kernels;
    int32_t threads = network->context->runtime.threads, fused = pass_down && is_slope(&network->stages[l - 1]);
    backward_call call = {0};
    call.task.rows = topology->pattern.rows;
    call.task.columns = topology->pattern.columns;
    call.task.row_ptr = topology->pattern.row_ptr;
    call.task.column = topology->pattern.column.data;
    call.task.values = topology->values;
    call.task.velocity = topology->velocity;
    call.task.gradient = gradient != NULL ? gradient->layers[l].weights : NULL;
    call.task.accumulate = 1;
    call.task.mode = gradient != NULL ? TSNNI_BACKWARD_GRADIENT
                     : layer->frozen  ? TSNNI_BACKWARD_INPUT
                                      : TSNNI_BACKWARD_UPDATE;
    call.task.x = l == 0 ? workspace->input : workspace->output[l - 1];
    call.task.x_bf16 = l == 0 ? workspace->input_bf16 : workspace->output_bf16[l - 1];
    call.task.bf16_stride = workspace->bf16_stride;
    call.task.dy = workspace->delta[l % 2];
    call.task.dx = pass_down ? workspace->delta[(l + 1) % 2] : NULL;
    call.task.stride = workspace->stride;
    call.task.width = tsnni_width_for(count);
    call.task.negative_slope = 1.0f;
    call.task.keep_scale = 1.0f;
    if (fused) {
        set_derivative(network, workspace, l - 1, pass, &call.task);
        call.task.dx_sum = workspace->bias_gradient[(l + 1) % 2];
    }
    if (update != NULL)
        call.task.update = *update;
    call.task.prefetch = plan->backward.prefetch;
    call.task.prefetch_far = plan->backward.prefetch_far;
    call.task.panels = plan->backward.panels;
    call.task.panel_ptr = plan->backward_ends;
    int64_t work =
        pass_work(topology->pattern.count + TSNNI_BACKWARD_ROW_COST * topology->pattern.rows, call.task.width);
    int64_t chunks = tsnni_parallel_chunks_for(threads, work);
    if (plan->backward.route == TSNNI_ROUTE_DENSE) {
        call.kernel = kernels->dense_backward;
        call.span = (row_span){NULL, topology->pattern.rows, 0, chunks};
    } else {
        call.kernel = kernels->backward[topology->pattern.column.width == 2 ? 0 : 1];
        call.span = (row_span){topology->pattern.row_ptr, topology->pattern.rows, TSNNI_BACKWARD_ROW_COST, chunks};
    }
    if (call.task.mode != TSNNI_BACKWARD_INPUT || pass_down)
        tsnni_parallel_for(threads, work, chunks, backward_chunk, &call);
    if (pass_down && !fused)
        finish_delta(network, workspace, l - 1, count, pass, 0);
}

/* The lowest layer that learns; below it no delta is needed. A gradient object has numbers for every layer. */
static int64_t lowest_learning_layer(const tsnn_network *network, const tsnn_gradient *gradient)
{
    int64_t l = 0;
    while (gradient == NULL && l < network->count && network->stages[l].layer->frozen)
        l++;
    return l;
}

void tsnni_propagate_backward(tsnn_network *network, tsnni_workspace *workspace, int64_t count, tsnni_pass pass,
                              int32_t delta_is_final, const tsnni_update *update, tsnn_gradient *gradient)
{
    int64_t lowest = lowest_learning_layer(network, gradient);
    if (lowest < network->count)
        finish_delta(network, workspace, network->count - 1, count, pass, delta_is_final);
    for (int64_t l = network->count - 1; l >= lowest; l--) {
        backward_stage(network, workspace, l, count, pass, l > lowest, update, gradient);
        apply_to_biases(network, workspace, l, update, gradient);
        tsnni_context_breathe(network->context);
    }
}
