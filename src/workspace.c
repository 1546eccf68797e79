/* Allocation of the memory of a pass. */
#include "workspace.h"

#include <string.h>

#include "core/memory.h"
#include "sparse/panels.h"

/* Rows whose distance is a multiple of this many bytes fall into the same cache sets; one group of columns is added
 * then. */
#define TSNNI_ALIASING_BYTES 4096

/* Per stage: output, undropped, preactivation, negative, keep, bounds of panels, expanded weights. Per workspace:
 * tables, input, deltas or shared buffers, sums. */
#define TSNNI_BLOCKS_PER_STAGE 8
#define TSNNI_BLOCKS_OF_ITS_OWN 16

int64_t tsnni_width_for(int64_t samples)
{
    return (samples + TSNNI_COLUMN_GROUP - 1) / TSNNI_COLUMN_GROUP * TSNNI_COLUMN_GROUP;
}

static int64_t stride_for(int64_t width)
{
    return width * (int64_t)sizeof(float) % TSNNI_ALIASING_BYTES == 0 ? width + TSNNI_COLUMN_GROUP : width;
}

/* In halves: whole blocks. */
static int64_t bf16_stride_for(int64_t width)
{
    int64_t stride = (width + TSNNI_BF16_BLOCK - 1) / TSNNI_BF16_BLOCK * TSNNI_BF16_BLOCK;
    return stride * (int64_t)sizeof(uint16_t) % TSNNI_ALIASING_BYTES == 0 ? stride + TSNNI_BF16_BLOCK : stride;
}

static tsnn_status take(tsnni_workspace *workspace, int64_t count, size_t size, void *out)
{
    void *block;
    tsnn_status status = tsnni_allocate_zero(&workspace->context->runtime, count, size, &block);
    if (status < 0)
        return status;
    workspace->blocks[workspace->block_count++] = block;
    memcpy(out, &block, sizeof block); /* whatever the type of the pointer that it fills */
    return TSNN_OK;
}

static tsnn_status take_matrix(tsnni_workspace *workspace, int64_t rows, float **out)
{
    int64_t numbers;
    if (tsnni_multiply(rows, workspace->stride, &numbers) < 0)
        return tsnni_fail(&workspace->context->runtime, TSNN_ERROR_OVERFLOW, "%lld neurons times %lld samples",
                          (long long)rows, (long long)workspace->samples);
    return take(workspace, numbers, sizeof(float), out);
}

static tsnn_status take_bf16_matrix(tsnni_workspace *workspace, int64_t rows, uint16_t **out)
{
    int64_t numbers;
    if (tsnni_multiply(rows, workspace->bf16_stride, &numbers) < 0)
        return tsnni_fail(&workspace->context->runtime, TSNN_ERROR_OVERFLOW, "%lld neurons times %lld samples",
                          (long long)rows, (long long)workspace->samples);
    return take(workspace, numbers, sizeof(uint16_t), out);
}

static tsnn_status take_bits(tsnni_workspace *workspace, int64_t rows, uint16_t **out)
{
    int64_t words;
    if (tsnni_multiply(rows, tsnni_width_for(workspace->samples) / TSNNI_COLUMN_GROUP, &words) < 0)
        return tsnni_fail(&workspace->context->runtime, TSNN_ERROR_OVERFLOW, "%lld neurons times %lld samples",
                          (long long)rows, (long long)workspace->samples);
    return take(workspace, words, sizeof(uint16_t), out);
}

static int64_t stage_outputs(const tsnni_stage *stage)
{
    return stage->layer->topology.pattern.columns;
}

static int32_t is_bf16(const tsnni_workspace *workspace, int64_t l)
{
    return workspace->format == TSNN_ACTIVATIONS_BF16 && l < workspace->layers - 1;
}

static tsnn_status take_training_stage(tsnni_workspace *workspace, const tsnni_stage *stage, int64_t l)
{
    int64_t rows = stage_outputs(stage);
    int32_t slope = tsnni_activation_is_slope(&stage->activation), dropout = stage->keep_below != TSNNI_KEEP_ALL;
    tsnn_status status;
    if (is_bf16(workspace, l)) {
        /* A derivative that needs the outputs gets them unrounded. The deltas are free while a pass runs forward. */
        TSNNI_TRY(take_bf16_matrix(workspace, rows, &workspace->output_bf16[l]));
        workspace->output[l] = workspace->undropped[l] = workspace->delta[0];
        if (!slope)
            TSNNI_TRY(take_matrix(workspace, rows, &workspace->undropped[l]));
        if (!dropout)
            workspace->output[l] = workspace->undropped[l];
    } else {
        TSNNI_TRY(take_matrix(workspace, rows, &workspace->output[l]));
        workspace->undropped[l] = workspace->output[l];
        if (dropout && !slope)
            TSNNI_TRY(take_matrix(workspace, rows, &workspace->undropped[l]));
    }
    if (stage->activation.kind == TSNN_ACTIVATION_CUSTOM)
        TSNNI_TRY(take_matrix(workspace, rows, &workspace->preactivation[l]));
    if (slope && tsnni_activation_slope(&stage->activation, l) != 1.0f)
        TSNNI_TRY(take_bits(workspace, rows, &workspace->negative[l]));
    if (dropout)
        TSNNI_TRY(take_bits(workspace, rows, &workspace->keep[l]));
    return TSNN_OK;
fail:
    return status;
}

int64_t tsnni_lowest_learning_layer(const tsnn_network *network)
{
    int64_t l = 0;
    while (l < network->count && network->stages[l].layer->frozen)
        l++;
    return l;
}

void tsnni_stage_plan_choose(const tsnn_network *network, int64_t l, int64_t samples, tsnni_stage_plan *out)
{
    const tsnni_caches *caches = &network->context->caches;
    const tsnni_pattern *pattern = &network->stages[l].layer->topology.pattern;
    int32_t bf16 = network->activation_format == TSNN_ACTIVATIONS_BF16;
    tsnni_plan_shape shape = {.rows = pattern->rows,
                              .columns = pattern->columns,
                              .count = pattern->count,
                              .width = tsnni_width_for(samples),
                              .input_bytes = bf16 ? (int64_t)sizeof(uint16_t) : (int64_t)sizeof(float),
                              .forward_columns = network->context->kernels->forward_columns,
                              .backward_columns = network->context->kernels->backward_columns};
    memset(out, 0, sizeof *out);
    out->forward = tsnni_plan_forward(caches, &shape);
    out->backward = tsnni_plan_backward(caches, &shape, l > 0 && l != tsnni_lowest_learning_layer(network));
}

/* What the chosen routes need, built for the topology as it is now. */
static tsnn_status take_plan(tsnni_workspace *workspace, const tsnn_network *network, int64_t l, int32_t training)
{
    tsnni_runtime *runtime = &workspace->context->runtime;
    const tsnn_layer *layer = network->stages[l].layer;
    const tsnni_pattern *pattern = &layer->topology.pattern;
    const tsnni_transpose *transpose = &layer->topology.transpose;
    tsnni_stage_plan *plan = &workspace->plans[l];
    tsnn_status status;
    tsnni_stage_plan_choose(network, l, workspace->samples, plan);
    plan->version = layer->version;
    if (plan->forward.route == TSNNI_ROUTE_PANELS) {
        TSNNI_TRY(tsnni_panels_build(runtime, transpose->column_ptr, &transpose->row, pattern->columns, pattern->rows,
                                     plan->forward.panels, &plan->forward_ends));
        workspace->blocks[workspace->block_count++] = plan->forward_ends;
    }
    if (plan->forward.route == TSNNI_ROUTE_DENSE && !tsnni_layer_is_full(layer))
        TSNNI_TRY(take(workspace, pattern->rows * pattern->columns, sizeof(float), &plan->expanded));
    if (training && plan->backward.route == TSNNI_ROUTE_PANELS) {
        TSNNI_TRY(tsnni_panels_build(runtime, pattern->row_ptr, &pattern->column, pattern->rows, pattern->columns,
                                     plan->backward.panels, &plan->backward_ends));
        workspace->blocks[workspace->block_count++] = plan->backward_ends;
    }
    return TSNN_OK;
fail:
    return status;
}

void tsnni_workspace_follow(tsnni_workspace *workspace, const tsnn_network *network, int64_t l)
{
    int32_t threads = workspace->context->runtime.threads;
    const tsnn_layer *layer = network->stages[l].layer;
    const tsnni_pattern *pattern = &layer->topology.pattern;
    const tsnni_transpose *transpose = &layer->topology.transpose;
    tsnni_stage_plan *plan = &workspace->plans[l];
    if (plan->version == layer->version)
        return;
    plan->version = layer->version;
    if (plan->forward_ends != NULL)
        tsnni_panels_fill(threads, transpose->column_ptr, &transpose->row, pattern->columns, pattern->rows,
                          plan->forward.panels, plan->forward_ends);
    if (plan->backward_ends != NULL)
        tsnni_panels_fill(threads, pattern->row_ptr, &pattern->column, pattern->rows, pattern->columns,
                          plan->backward.panels, plan->backward_ends);
}

static int64_t largest_stage(const tsnn_network *network)
{
    int64_t largest = 0;
    for (int64_t l = 0; l < network->count; l++)
        largest = stage_outputs(&network->stages[l]) > largest ? stage_outputs(&network->stages[l]) : largest;
    return largest;
}

/* Of the largest stage whose outputs come by as floats. */
static int64_t largest_float_stage(const tsnni_workspace *workspace, const tsnn_network *network)
{
    int64_t largest = 0;
    for (int64_t l = 0; l < network->count; l++) {
        const tsnni_stage *stage = &network->stages[l];
        int32_t straight = is_bf16(workspace, l) && tsnni_activation_is_slope(&stage->activation) &&
                           workspace->plans[l].forward.route == TSNNI_ROUTE_PLAIN;
        if (!straight && stage_outputs(stage) > largest)
            largest = stage_outputs(stage);
    }
    return largest;
}

/* Outputs that the next stage reads and nobody later. */
static tsnn_status take_inference_stages(tsnni_workspace *workspace, const tsnn_network *network)
{
    int64_t largest = largest_stage(network);
    float *shared[2];
    uint16_t *shared_bf16[2] = {NULL, NULL};
    tsnn_status status;
    TSNNI_TRY(take_matrix(workspace, largest_float_stage(workspace, network), &shared[0]));
    if (workspace->format == TSNN_ACTIVATIONS_BF16) {
        shared[1] = shared[0];
        TSNNI_TRY(take_bf16_matrix(workspace, largest, &shared_bf16[0]));
        TSNNI_TRY(take_bf16_matrix(workspace, largest, &shared_bf16[1]));
    } else {
        TSNNI_TRY(take_matrix(workspace, largest, &shared[1]));
    }
    for (int64_t l = 0; l < network->count; l++) {
        workspace->output[l] = workspace->undropped[l] = shared[l % 2];
        workspace->output_bf16[l] = is_bf16(workspace, l) ? shared_bf16[l % 2] : NULL;
        if (network->stages[l].activation.kind == TSNN_ACTIVATION_CUSTOM)
            TSNNI_TRY(take_matrix(workspace, stage_outputs(&network->stages[l]), &workspace->preactivation[l]));
    }
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status take_training_stages(tsnni_workspace *workspace, const tsnn_network *network)
{
    int64_t largest = largest_stage(network);
    tsnn_status status;
    for (int b = 0; b < 2; b++) {
        TSNNI_TRY(take_matrix(workspace, largest, &workspace->delta[b]));
        TSNNI_TRY(take(workspace, largest, sizeof(float), &workspace->bias_gradient[b]));
    }
    for (int64_t l = 0; l < network->count; l++)
        TSNNI_TRY(take_training_stage(workspace, &network->stages[l], l));
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status take_all(tsnni_workspace *workspace, const tsnn_network *network, int32_t training)
{
    int64_t layers = network->count, groups = tsnni_width_for(workspace->samples) / TSNNI_COLUMN_GROUP;
    tsnn_status status;
    TSNNI_TRY(take(workspace, layers, sizeof(float *), &workspace->output));
    TSNNI_TRY(take(workspace, layers, sizeof(uint16_t *), &workspace->output_bf16));
    TSNNI_TRY(take(workspace, layers, sizeof(float *), &workspace->undropped));
    TSNNI_TRY(take(workspace, layers, sizeof(float *), &workspace->preactivation));
    TSNNI_TRY(take(workspace, layers, sizeof(uint16_t *), &workspace->negative));
    TSNNI_TRY(take(workspace, layers, sizeof(uint16_t *), &workspace->keep));
    TSNNI_TRY(take(workspace, layers, sizeof(tsnni_stage_plan), &workspace->plans));
    TSNNI_TRY(take(workspace, groups, sizeof(double), &workspace->group_loss));
    TSNNI_TRY(take(workspace, groups, sizeof(int64_t), &workspace->group_correct));
    if (workspace->format == TSNN_ACTIVATIONS_BF16)
        TSNNI_TRY(take_bf16_matrix(workspace, tsnni_network_inputs(network), &workspace->input_bf16));
    else
        TSNNI_TRY(take_matrix(workspace, tsnni_network_inputs(network), &workspace->input));
    for (int64_t l = 0; l < layers; l++)
        TSNNI_TRY(take_plan(workspace, network, l, training));
    TSNNI_TRY(training ? take_training_stages(workspace, network) : take_inference_stages(workspace, network));
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnni_workspace_create(const tsnn_network *network, int64_t samples, int32_t training,
                                   tsnni_workspace **out)
{
    tsnni_runtime *runtime = &network->context->runtime;
    tsnni_workspace *workspace = NULL;
    tsnn_status status;
    *out = NULL;
    if (samples > INT32_MAX)
        TSNNI_FAIL(runtime, TSNN_ERROR_OVERFLOW, "a batch of %lld samples; at most %d", (long long)samples, INT32_MAX);
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, 1, &workspace));
    workspace->context = network->context;
    workspace->layers = network->count;
    workspace->samples = samples;
    workspace->stride = stride_for(tsnni_width_for(samples));
    workspace->format = network->activation_format;
    workspace->bf16_stride = bf16_stride_for(tsnni_width_for(samples));
    TSNNI_TRY(
        TSNNI_NEW_ZERO(runtime, TSNNI_BLOCKS_PER_STAGE * network->count + TSNNI_BLOCKS_OF_ITS_OWN, &workspace->blocks));
    TSNNI_TRY(take_all(workspace, network, training));
    *out = workspace;
    return TSNN_OK;
fail:
    tsnni_workspace_destroy(&workspace);
    return status;
}

void tsnni_workspace_destroy(tsnni_workspace **workspace)
{
    if (*workspace == NULL)
        return;
    tsnni_runtime *runtime = &(*workspace)->context->runtime;
    for (int64_t b = 0; b < (*workspace)->block_count; b++)
        tsnni_release(runtime, (*workspace)->blocks[b]);
    tsnni_release(runtime, (*workspace)->blocks);
    tsnni_release(runtime, *workspace);
    *workspace = NULL;
}
