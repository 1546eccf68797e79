/* The gradient of a network's loss as an object. */
#include "gradient.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
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

tsnn_status tsnn_gradient_add(tsnn_gradient *gradient, const tsnn_network *network, const tsnn_loss *loss,
                              const tsnn_dataset *dataset, const int64_t *samples, int64_t count, double *value)
{
    if (gradient == NULL || network == NULL)
        return tsnni_null_argument(gradient != NULL ? gradient->context : NULL, "network");
    tsnni_runtime *runtime = &network->context->runtime;
    tsnni_workspace *workspace = NULL;
    double sum = 0.0;
    tsnn_status status;
    TSNNI_TRY(tsnni_step_check(network, loss, dataset, samples, count));
    if (!tsnni_gradient_fits(gradient, network))
        TSNNI_FAIL(runtime, TSNN_ERROR_STATE, "the gradient belongs to another topology");
    TSNNI_TRY(
        tsnni_workspace_create(network, count < TSNNI_GRADIENT_BATCH ? count : TSNNI_GRADIENT_BATCH, 1, &workspace));
    /* With a gradient to write to, a step leaves the network as it is. */
    tsnni_step step = {.network = (tsnn_network *)(uintptr_t)network,
                       .loss = loss,
                       .dataset = dataset,
                       .workspace = workspace,
                       .pass = TSNNI_PASS_GRADIENT,
                       .divisor = count,
                       .gradient = gradient};
    for (int64_t first = 0; first < count; first += TSNNI_GRADIENT_BATCH) {
        int64_t part = count - first < TSNNI_GRADIENT_BATCH ? count - first : TSNNI_GRADIENT_BATCH;
        sum += tsnni_step_run(&step, samples != NULL ? samples + first : NULL, first, part).loss;
    }
    if (!isfinite(sum))
        TSNNI_FAIL(runtime, TSNN_ERROR_NOT_FINITE, "the loss is %g", sum);
    if (value != NULL)
        *value = sum / (double)count;
    tsnni_workspace_destroy(&workspace);
    return TSNN_OK;
fail:
    tsnni_workspace_destroy(&workspace);
    return status;
}

tsnn_status tsnn_gradient_scale(tsnn_gradient *gradient, double factor)
{
    if (gradient == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    if (!isfinite(factor))
        return tsnni_fail(&gradient->context->runtime, TSNN_ERROR_INVALID_ARGUMENT, "factor is %g", factor);
    float scale = (float)factor;
    for (int64_t l = 0; l < gradient->count; l++) {
        tsnni_layer_gradient *layer = &gradient->layers[l];
        for (int64_t k = 0; k < layer->connections; k++)
            layer->weights[k] *= scale;
        for (int64_t j = 0; j < layer->outputs; j++)
            layer->bias[j] *= scale;
    }
    return TSNN_OK;
}

static double square_sum(const float *values, int64_t count)
{
    double sum = 0.0;
    for (int64_t k = 0; k < count; k++)
        sum += (double)values[k] * (double)values[k];
    return sum;
}

tsnn_status tsnn_gradient_norm(const tsnn_gradient *gradient, double *norm)
{
    if (gradient == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    if (norm == NULL)
        return tsnni_fail(&gradient->context->runtime, TSNN_ERROR_NULL_ARGUMENT, "norm is NULL");
    double sum = 0.0;
    for (int64_t l = 0; l < gradient->count; l++) {
        const tsnni_layer_gradient *layer = &gradient->layers[l];
        sum += square_sum(layer->weights, layer->connections) + square_sum(layer->bias, layer->outputs);
    }
    *norm = sqrt(sum);
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
