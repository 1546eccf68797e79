/* A batch goes in, and forward through the layers: which kernel runs on which layer, cut for the threads. */
#include <math.h>
#include <string.h>

#include "propagate.h"
#include "sparse/convert.h"
#include "sparse/partition.h"

/* Cost of a row in connections, for balanced chunks: loading and storing it, and its epilogue. */
#define FORWARD_ROW_COST 3

/* ---- the batch enters ---- */

typedef struct load_call {
    const tsnni_kernels *kernels;
    tsnni_batch_load task;
} load_call;

/* Whole groups of features, so that each chunk transposes whole blocks. */
static void load_groups(void *argument, int64_t begin, int64_t end)
{
    const load_call *call = argument;
    int64_t first = begin * TSNNI_COLUMN_GROUP, last = end * TSNNI_COLUMN_GROUP;
    call->kernels->batch_load(&call->task, first, last < call->task.features ? last : call->task.features);
}

static void load_batch(const tsnn_network *network, tsnni_workspace *workspace, const tsnni_batch *batch)
{
    int32_t threads = network->context->runtime.threads;
    int64_t features = tsnni_network_inputs(network), width = tsnni_width_for(batch->count);
    load_call call = {network->context->kernels,
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
                       .bf16_stride = workspace->bf16_stride}};
    int64_t groups = (features + TSNNI_COLUMN_GROUP - 1) / TSNNI_COLUMN_GROUP;
    tsnni_parallel_items(threads, features * width / 2, groups, load_groups, &call);
}

/* ---- forward ---- */

typedef struct forward_call {
    void (*kernel)(const tsnni_forward *task, int64_t begin, int64_t end);
    tsnni_forward task;
} forward_call;

static void forward_rows(void *argument, int64_t begin, int64_t end)
{
    const forward_call *call = argument;
    call->kernel(&call->task, begin, end);
}

/* Activations that forward does not fuse, in place on rows or (softmax) on groups of columns. */
typedef struct function_call {
    void (*kernel)(const tsnni_function *task, int64_t begin, int64_t end);
    tsnni_function task;
} function_call;

static void function_items(void *argument, int64_t begin, int64_t end)
{
    const function_call *call = argument;
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
                          {rows, workspace->undropped[l], stride, width}};
    tsnni_parallel_items(threads, rows * width, softmax ? width / TSNNI_COLUMN_GROUP : rows, function_items, &call);
}

/* Dropout of outputs that the kernels did not activate: the derivative needs them undropped as well. */
typedef struct dropout_call {
    forward_call forward;
    const float *undropped;
} dropout_call;

static void dropout_rows(void *argument, int64_t begin, int64_t end)
{
    dropout_call *call = argument;
    const tsnni_forward *task = &call->forward.task;
    for (int64_t j = begin; j < end; j++)
        memcpy(task->y + j * task->stride, call->undropped + j * task->stride, (size_t)task->width * sizeof(float));
    forward_rows(&call->forward, begin, end);
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
    tsnni_parallel_items(network->context->runtime.threads, call->task.columns * call->task.width / 2,
                         call->task.columns, dropout_rows, &dropping);
}

/* Outputs of a stage that came as floats, for the layer that reads them as bf16. */
typedef struct pack_call {
    const tsnni_kernels *kernels;
    tsnni_pack task;
} pack_call;

static void pack_rows(void *argument, int64_t begin, int64_t end)
{
    const pack_call *call = argument;
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
                       .bf16_stride = workspace->bf16_stride}};
    tsnni_parallel_items(threads, rows * width / 8, rows, pack_rows, &call);
}

typedef struct expand_call {
    const tsnni_topology *topology;
    float *out;
} expand_call;

static void expand_rows(void *argument, int64_t begin, int64_t end)
{
    const expand_call *call = argument;
    tsnni_csr_expand(&call->topology->pattern, call->topology->values, begin, end, call->out);
}

/* Every cell of a nearly full layer, for the dense kernel. */
static void expand_weights(const tsnn_layer *layer, float *out)
{
    int32_t threads = layer->context->runtime.threads;
    const tsnni_pattern *pattern = &layer->topology.pattern;
    expand_call call = {&layer->topology, out};
    tsnni_parallel_items(threads, pattern->rows * pattern->columns, pattern->rows, expand_rows, &call);
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
    int32_t slope = tsnni_activation_is_slope(&stage->activation),
            dropout = pass == TSNNI_PASS_TRAINING && stage->keep_below != TSNNI_KEEP_ALL;
    int64_t width = tsnni_width_for(count);
    int64_t work = tsnni_pass_work(topology->pattern.count + FORWARD_ROW_COST * topology->pattern.columns, width);

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
        if (plan->expanded != NULL) {
            expand_weights(layer, plan->expanded);
            call.task.values = plan->expanded;
        }
        tsnni_parallel_items(threads, work, tsnni_dense_units(&call.task), forward_rows, &call);
    } else {
        call.kernel = kernels->forward[topology->transpose.row.width == 2 ? 0 : 1];
        tsnni_parallel_rows(threads, work, topology->transpose.column_ptr, topology->pattern.columns, FORWARD_ROW_COST,
                            forward_rows, &call);
    }
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
