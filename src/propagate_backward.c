/* Back through the layers, from the loss's derivative to the weights or their gradient: which kernel runs on which
 * layer, cut into chunks for the threads. */
#include "propagate.h"
#include "softmax.h"
#include "sparse/partition.h"

/* Cost of a row in connections, for balanced chunks: two rows are read, and connections are rounded up to four. */
#define BACKWARD_ROW_COST 12

/* Neurons whose biases are updated in a nanosecond. */
#define BIAS_RATE 2

typedef struct backward_call {
    void (*kernel)(const tsnni_backward *task, int64_t begin, int64_t end);
    tsnni_backward task;
} backward_call;

static void backward_rows(void *argument, int64_t begin, int64_t end)
{
    const backward_call *call = argument;
    call->kernel(&call->task, begin, end);
}

/* The derivatives that the kernels do not fuse: delta of stage l, by its undropped outputs, becomes by its sums. */
typedef struct derivative_call {
    const tsnni_stage *stage;
    const float *a;
    float *delta;
    int64_t hidden_index, rows, stride, width;
} derivative_call;

/* Of rows, or (softmax) of groups of columns. */
static void differentiate_items(void *argument, int64_t begin, int64_t end)
{
    const derivative_call *call = argument;
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
    task->negative_slope =
        tsnni_activation_is_slope(&stage->activation) ? tsnni_activation_slope(&stage->activation, l) : 1.0f;
    task->keep = pass == TSNNI_PASS_TRAINING ? workspace->keep[l] : NULL;
    task->keep_scale = (float)TSNNI_KEEP_ALL / (float)stage->keep_below;
}

static void run_derivative_kernel(const tsnn_network *network, backward_call *call)
{
    int32_t threads = network->context->runtime.threads;
    call->kernel = network->context->kernels->derivative;
    tsnni_parallel_items(threads, call->task.rows * call->task.width / 8, call->task.rows, backward_rows, call);
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
        if (!tsnni_activation_is_slope(&stage->activation)) {
            if (call.task.keep != NULL)
                run_derivative_kernel(network, &call);
            call.task.keep = NULL;
            if (stage->activation.kind == TSNN_ACTIVATION_CUSTOM) {
                differentiate_custom(network, workspace, l, count, delta);
            } else {
                int64_t items = stage->activation.kind == TSNN_ACTIVATION_SOFTMAX ? width / TSNNI_COLUMN_GROUP : rows;
                derivative_call derivative = {stage, workspace->undropped[l], delta, l, rows, workspace->stride, width};
                tsnni_parallel_items(threads, rows * width, items, differentiate_items, &derivative);
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
} bias_call;

static void change_biases(void *argument, int64_t begin, int64_t end)
{
    const bias_call *call = argument;
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
    bias_call call = {network->context->kernels, gradient != NULL ? gradient->layers[l].bias : layer->bias,
                      layer->bias_velocity, workspace->bias_gradient[l % 2], gradient != NULL ? NULL : update};
    if (gradient != NULL || !layer->frozen)
        tsnni_parallel_items(threads, outputs / BIAS_RATE, outputs, change_biases, &call);
}

/* Layer l: its weights (or their gradient) from delta[l % 2], and delta of stage l - 1 when `pass_down`. */
static void backward_stage(const tsnn_network *network, tsnni_workspace *workspace, int64_t l, int64_t count,
                           tsnni_pass pass, int32_t pass_down, const tsnni_update *update, tsnn_gradient *gradient)
{
    tsnn_layer *layer = network->stages[l].layer;
    const tsnni_topology *topology = &layer->topology;
    const tsnni_stage_plan *plan = &workspace->plans[l];
    const tsnni_kernels *kernels = network->context->kernels;
    int32_t threads = network->context->runtime.threads,
            fused = pass_down && tsnni_activation_is_slope(&network->stages[l - 1].activation);
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
        tsnni_pass_work(topology->pattern.count + BACKWARD_ROW_COST * topology->pattern.rows, call.task.width);
    int32_t dense = plan->backward.route == TSNNI_ROUTE_DENSE;
    call.kernel = dense ? kernels->dense_backward : kernels->backward[topology->pattern.column.width == 2 ? 0 : 1];
    /* The rows of a dense pass are all alike. */
    if (call.task.mode != TSNNI_BACKWARD_INPUT || pass_down)
        tsnni_parallel_rows(threads, work, dense ? NULL : topology->pattern.row_ptr, topology->pattern.rows,
                            BACKWARD_ROW_COST, backward_rows, &call);
    if (pass_down && !fused)
        finish_delta(network, workspace, l - 1, count, pass, 0);
}

void tsnni_propagate_backward(tsnn_network *network, tsnni_workspace *workspace, int64_t count, tsnni_pass pass,
                              int32_t delta_is_final, const tsnni_update *update, tsnn_gradient *gradient)
{
    /* A gradient object has numbers for every layer. */
    int64_t lowest = gradient != NULL ? 0 : tsnni_lowest_learning_layer(network);
    if (lowest < network->count)
        finish_delta(network, workspace, network->count - 1, count, pass, delta_is_final);
    for (int64_t l = network->count - 1; l >= lowest; l--) {
        backward_stage(network, workspace, l, count, pass, l > lowest, update, gradient);
        apply_to_biases(network, workspace, l, update, gradient);
        tsnni_context_breathe(network->context);
    }
}
