/* The gradient of a network's loss as an object. */
#include "gradient.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "sparse/partition.h"
#include "step.h"

/* Samples that tsnn_gradient_add() passes through the network at once. */
#define TSNNI_GRADIENT_BATCH 256

tsnn_status tsnn_gradient_create(const tsnn_network *network, tsnn_gradient **out)
{
    if (out == NULL)
        return tsnni_null_argument(network != NULL ? network->context : NULL, "out");
    *out = NULL;
    if (network == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &network->context->runtime;
    tsnn_gradient *gradient = NULL;
    tsnn_status status;
    if (network->count == 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_STATE, "the network has no layers");
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, 1, &gradient));
    gradient->context = network->context;
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, network->count, &gradient->layers));
    gradient->count = network->count;
    for (int64_t l = 0; l < network->count; l++) {
        const tsnn_layer *layer = network->stages[l].layer;
        tsnni_layer_gradient *own = &gradient->layers[l];
        own->connections = layer->topology.pattern.count;
        own->outputs = layer->topology.pattern.columns;
        own->version = layer->version;
        TSNNI_TRY(TSNNI_NEW_ZERO(runtime, own->connections, &own->weights));
        TSNNI_TRY(TSNNI_NEW_ZERO(runtime, own->outputs, &own->bias));
    }
    *out = gradient;
    return TSNN_OK;
fail:
    tsnn_gradient_destroy(&gradient);
    return status;
}

void tsnn_gradient_destroy(tsnn_gradient **gradient)
{
    if (gradient == NULL || *gradient == NULL)
        return;
    tsnni_runtime *runtime = &(*gradient)->context->runtime;
    for (int64_t l = 0; l < (*gradient)->count; l++) {
        tsnni_release(runtime, (*gradient)->layers[l].weights);
        tsnni_release(runtime, (*gradient)->layers[l].bias);
    }
    tsnni_release(runtime, (*gradient)->layers);
    tsnni_release(runtime, *gradient);
    *gradient = NULL;
}

int64_t tsnni_gradient_weights(const tsnn_gradient *gradient)
{
    int64_t weights = 0;
    for (int64_t l = 0; l < gradient->count; l++)
        weights += gradient->layers[l].connections;
    return weights;
}

int32_t tsnni_gradient_fits(const tsnn_gradient *gradient, const tsnn_network *network)
{
    if (gradient->context != network->context || gradient->count != network->count)
        return 0;
    for (int64_t l = 0; l < network->count; l++)
        if (gradient->layers[l].version != network->stages[l].layer->version)
            return 0;
    return 1;
}

tsnn_status tsnn_gradient_clear(tsnn_gradient *gradient)
{
    if (gradient == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    for (int64_t l = 0; l < gradient->count; l++) {
        tsnni_layer_gradient *layer = &gradient->layers[l];
        memset(layer->weights, 0, (size_t)layer->connections * sizeof *layer->weights);
        memset(layer->bias, 0, (size_t)layer->outputs * sizeof *layer->bias);
    }
    return TSNN_OK;
}

/* All parts of the samples inside a session. */
typedef struct add_call {
    tsnni_step step;
    const int64_t *samples;
    int64_t count;
    double loss;
} add_call;

static void add_parts(void *argument)
{
    add_call *call = argument;
    for (int64_t first = 0; first < call->count; first += TSNNI_GRADIENT_BATCH) {
        int64_t left = call->count - first, part = left < TSNNI_GRADIENT_BATCH ? left : TSNNI_GRADIENT_BATCH;
        call->loss +=
            tsnni_step_run(&call->step, call->samples != NULL ? call->samples + first : NULL, first, part).loss;
    }
}

tsnn_status tsnn_gradient_add(tsnn_gradient *gradient, const tsnn_network *network, const tsnn_loss *loss,
                              const tsnn_dataset *dataset, const int64_t *samples, int64_t count, double *value)
{
    if (gradient == NULL || network == NULL)
        return tsnni_null_argument(gradient != NULL ? gradient->context : NULL, "network");
    tsnni_runtime *runtime = &network->context->runtime;
    tsnni_workspace *workspace = NULL;
    tsnn_status status;
    TSNNI_TRY(tsnni_step_check(network, loss, dataset, samples, count));
    if (!tsnni_gradient_fits(gradient, network))
        TSNNI_FAIL(runtime, TSNN_ERROR_STATE, "the gradient belongs to another topology");
    TSNNI_TRY(
        tsnni_workspace_create(network, count < TSNNI_GRADIENT_BATCH ? count : TSNNI_GRADIENT_BATCH, 1, &workspace));
    /* With a gradient to write to, a step leaves the network as it is. */
    add_call call = {{.network = (tsnn_network *)(uintptr_t)network,
                      .loss = loss,
                      .dataset = dataset,
                      .workspace = workspace,
                      .pass = TSNNI_PASS_GRADIENT,
                      .divisor = count,
                      .gradient = gradient},
                     samples,
                     count,
                     0.0};
    tsnni_parallel_session(runtime->threads, tsnni_step_work(network, count), add_parts, &call);
    if (!isfinite(call.loss))
        TSNNI_FAIL(runtime, TSNN_ERROR_NOT_FINITE, "the loss is %g", call.loss);
    if (value != NULL)
        *value = call.loss / (double)count;
    tsnni_workspace_destroy(&workspace);
    return TSNN_OK;
fail:
    tsnni_workspace_destroy(&workspace);
    return status;
}

/* Weights that are scaled in a nanosecond, by one thread. */
#define SCALE_RATE 4

typedef struct scale_call {
    float *values;
    float factor;
} scale_call;

static void scale_values(void *argument, int64_t begin, int64_t end)
{
    const scale_call *call = argument;
    for (int64_t k = begin; k < end; k++)
        call->values[k] *= call->factor;
}

tsnn_status tsnn_gradient_scale(tsnn_gradient *gradient, double factor)
{
    if (gradient == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    if (!isfinite(factor))
        return tsnni_fail(&gradient->context->runtime, TSNN_ERROR_INVALID_ARGUMENT, "factor is %g", factor);
    int32_t threads = gradient->context->runtime.threads;
    scale_call call = {NULL, (float)factor};
    for (int64_t l = 0; l < gradient->count; l++) {
        tsnni_layer_gradient *layer = &gradient->layers[l];
        call.values = layer->weights;
        tsnni_parallel_items(threads, layer->connections / SCALE_RATE, layer->connections, scale_values, &call);
        call.values = layer->bias;
        tsnni_parallel_items(threads, layer->outputs / SCALE_RATE, layer->outputs, scale_values, &call);
    }
    return TSNN_OK;
}

/* Weights whose squares are added in a nanosecond, by one thread. */
#define NORM_RATE 2

/* Parts and lanes that the squares are added in, whatever the threads: so their sum has the same bits. */
#define NORM_PARTS 64
#define NORM_LANES 8

typedef struct norm_call {
    const float *values;
    int64_t count;
    double sums[NORM_PARTS];
} norm_call;

static void norm_chunk(void *argument, int64_t part, int32_t worker)
{
    (void)worker;
    norm_call *call = argument;
    int64_t k = tsnni_partition_even(call->count, part, NORM_PARTS);
    int64_t end = tsnni_partition_even(call->count, part + 1, NORM_PARTS);
    double lanes[NORM_LANES] = {0.0}, sum = 0.0;
    for (; k + NORM_LANES <= end; k += NORM_LANES)
        for (int lane = 0; lane < NORM_LANES; lane++)
            lanes[lane] += (double)call->values[k + lane] * (double)call->values[k + lane];
    for (; k < end; k++)
        sum += (double)call->values[k] * (double)call->values[k];
    for (int lane = 0; lane < NORM_LANES; lane++)
        sum += lanes[lane];
    call->sums[part] = sum;
}

static double square_sum(int32_t threads, const float *values, int64_t count)
{
    norm_call call = {values, count, {0.0}};
    double sum = 0.0;
    tsnni_parallel_for(threads, count / NORM_RATE, NORM_PARTS, norm_chunk, &call);
    for (int part = 0; part < NORM_PARTS; part++)
        sum += call.sums[part];
    return sum;
}

/* All layers inside a session. */
typedef struct squares_call {
    const tsnn_gradient *gradient;
    double sum;
} squares_call;

static void add_squares(void *argument)
{
    squares_call *call = argument;
    int32_t threads = call->gradient->context->runtime.threads;
    for (int64_t l = 0; l < call->gradient->count; l++) {
        const tsnni_layer_gradient *layer = &call->gradient->layers[l];
        call->sum +=
            square_sum(threads, layer->weights, layer->connections) + square_sum(threads, layer->bias, layer->outputs);
    }
}

tsnn_status tsnn_gradient_norm(const tsnn_gradient *gradient, double *norm)
{
    if (gradient == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    if (norm == NULL)
        return tsnni_fail(&gradient->context->runtime, TSNN_ERROR_NULL_ARGUMENT, "norm is NULL");
    squares_call call = {gradient, 0.0};
    tsnni_parallel_session(gradient->context->runtime.threads, tsnni_gradient_weights(gradient) / NORM_RATE,
                           add_squares, &call);
    *norm = sqrt(call.sum);
    return TSNN_OK;
}

tsnn_status tsnn_gradient_get(const tsnn_gradient *gradient, int64_t layer, float *weights, int64_t capacity,
                              float *bias, int64_t bias_capacity)
{
    if (gradient == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &gradient->context->runtime;
    if (layer < 0 || layer >= gradient->count)
        return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT, "layer %lld of %lld", (long long)layer,
                          (long long)gradient->count);
    const tsnni_layer_gradient *own = &gradient->layers[layer];
    if ((weights != NULL && capacity < own->connections) || (bias != NULL && bias_capacity < own->outputs))
        return tsnni_fail(runtime, TSNN_ERROR_BUFFER_TOO_SMALL,
                          "room for %lld weights and %lld biases; %lld and %lld are needed", (long long)capacity,
                          (long long)bias_capacity, (long long)own->connections, (long long)own->outputs);
    if (weights != NULL)
        memcpy(weights, own->weights, (size_t)own->connections * sizeof *weights);
    if (bias != NULL)
        memcpy(bias, own->bias, (size_t)own->outputs * sizeof *bias);
    return TSNN_OK;
}
