/* A network: its stages and their sizes. Passes through it are in propagate_forward.c and propagate_backward.c,
 * inference in predict.c. */
#include "network.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "standardizer.h"

#define TSNNI_FIRST_CAPACITY 4

tsnn_status tsnn_network_create(tsnn_context *context, tsnn_network **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnn_status status = TSNNI_NEW_ZERO(&context->runtime, 1, out);
    if (status >= 0)
        (*out)->context = context;
    return status;
}

void tsnn_network_destroy(tsnn_network **network)
{
    if (network == NULL || *network == NULL)
        return;
    tsnni_runtime *runtime = &(*network)->context->runtime;
    for (int64_t l = 0; l < (*network)->count; l++) {
        (*network)->stages[l].layer->owned = 0;
        tsnn_layer_destroy(&(*network)->stages[l].layer);
    }
    tsnni_release(runtime, (*network)->stages);
    tsnni_release(runtime, (*network)->shift);
    tsnni_release(runtime, (*network)->scale);
    tsnni_release(runtime, *network);
    *network = NULL;
}

int64_t tsnni_network_inputs(const tsnn_network *network)
{
    return network->count > 0 ? network->stages[0].layer->topology.pattern.rows : 0;
}

int64_t tsnni_network_outputs(const tsnn_network *network)
{
    return network->count > 0 ? network->stages[network->count - 1].layer->topology.pattern.columns : 0;
}

int64_t tsnni_network_connections(const tsnn_network *network)
{
    int64_t connections = 0;
    for (int64_t l = 0; l < network->count; l++)
        connections += network->stages[l].layer->topology.pattern.count;
    return connections;
}

static tsnn_status reserve_stage(tsnn_network *network)
{
    if (network->count < network->capacity)
        return TSNN_OK;
    tsnni_runtime *runtime = &network->context->runtime;
    int64_t capacity = network->capacity > 0 ? 2 * network->capacity : TSNNI_FIRST_CAPACITY;
    tsnni_stage *stages = NULL;
    tsnn_status status = TSNNI_NEW(runtime, capacity, &stages);
    if (status < 0)
        return status;
    if (network->count > 0)
        memcpy(stages, network->stages, (size_t)network->count * sizeof *stages);
    tsnni_release(runtime, network->stages);
    network->stages = stages;
    network->capacity = capacity;
    return TSNN_OK;
}

/* Bytes below which a random byte keeps its element: at least one value is dropped for any dropout above zero. */
static uint32_t keep_below(double dropout)
{
    if (dropout == 0.0)
        return TSNNI_KEEP_ALL;
    double kept = floor((1.0 - dropout) * TSNNI_KEEP_ALL + 0.5);
    return (uint32_t)fmin(fmax(kept, 1.0), TSNNI_KEEP_ALL - 1.0);
}

static tsnn_status append(tsnn_network *network, tsnn_layer **layer, const tsnni_activation_rule *activation,
                          double dropout)
{
    tsnni_runtime *runtime = &network->context->runtime;
    tsnn_status status;
    if (!(dropout >= 0.0 && dropout < 1.0))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "dropout is %g; it must be in [0, 1)", dropout);
    if ((*layer)->context != network->context)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "the layer belongs to another context than the network");
    int64_t rows = (*layer)->topology.pattern.rows, before = tsnni_network_outputs(network);
    if (network->count > 0 && rows != before)
        TSNNI_FAIL(runtime, TSNN_ERROR_SHAPE, "layer %lld: %lld inputs, but the layer before gives %lld",
                   (long long)network->count, (long long)rows, (long long)before);
    if ((*layer)->owned)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "a network owns this layer already");
    TSNNI_TRY(reserve_stage(network));
    network->stages[network->count++] = (tsnni_stage){*layer, *activation, keep_below(dropout)};
    (*layer)->owned = 1;
    *layer = NULL;
    return TSNN_OK;
fail:
    return status;
}

static const tsnni_activation_rule identity_rule = {.kind = TSNN_ACTIVATION_IDENTITY};

tsnn_status tsnn_network_append(tsnn_network *network, tsnn_layer **layer, const tsnn_activation *activation,
                                double dropout)
{
    if (network == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    if (layer == NULL || *layer == NULL)
        return tsnni_fail(&network->context->runtime, TSNN_ERROR_NULL_ARGUMENT, "layer is NULL");
    return append(network, layer, activation != NULL ? &activation->rule : &identity_rule, dropout);
}

tsnn_status tsnn_mlp_options_init(tsnn_mlp_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_mlp_options)TSNN_MLP_OPTIONS_INIT;
    return TSNN_OK;
}

static tsnn_status append_mlp_layer(tsnn_network *network, const tsnn_mlp_options *options, int64_t index)
{
    static const tsnni_activation_rule softmax_rule = {.kind = TSNN_ACTIVATION_SOFTMAX};
    static const tsnni_activation_rule all_relu_rule = {.kind = TSNN_ACTIVATION_ALL_RELU, .alpha = 0.6f};
    int32_t last = index == options->size_count - 2;
    const tsnn_activation *given = last ? options->output : options->hidden;
    const tsnni_activation_rule *rule = given != NULL ? &given->rule : last ? &softmax_rule : &all_relu_rule;

    tsnn_layer_options layer_options = TSNN_LAYER_OPTIONS_INIT;
    layer_options.inputs = options->sizes[index];
    layer_options.outputs = options->sizes[index + 1];
    layer_options.sampling = options->sampling;
    layer_options.epsilon = options->epsilon;
    layer_options.init = options->init;
    layer_options.fan = options->fan;
    layer_options.init_scale = options->init_scale;
    tsnn_layer *layer = NULL;
    tsnn_status status = tsnn_layer_create(network->context, &layer_options, &layer);
    if (status >= 0)
        status = append(network, &layer, rule, last ? 0.0 : options->dropout);
    tsnn_layer_destroy(&layer);
    return status;
}

tsnn_status tsnn_network_create_mlp(tsnn_context *context, const tsnn_mlp_options *options, tsnn_network **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &context->runtime;
    tsnn_network *network = NULL;
    int64_t streams = context->streams;
    tsnn_mlp_options given;
    tsnn_status status;
    TSNNI_TRY(tsnni_options_read(runtime, options, &given, sizeof given, "tsnn_mlp_options"));
    if (given.sizes == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "sizes is NULL; a network needs at least input and output");
    if (given.size_count < 2 || given.size_count > TSNNI_MAX_LAYERS)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "size_count is %lld; it must be 2..%d",
                   (long long)given.size_count, TSNNI_MAX_LAYERS);
    if (!(given.dropout >= 0.0 && given.dropout < 1.0))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "dropout is %g; it must be in [0, 1)", given.dropout);
    TSNNI_TRY(tsnn_network_create(context, &network));
    for (int64_t index = 0; index < given.size_count - 1; index++)
        TSNNI_TRY(append_mlp_layer(network, &given, index));
    *out = network;
    return TSNN_OK;
fail:
    context->streams = streams; /* the next try draws what this one would have */
    tsnn_network_destroy(&network);
    return status;
}

tsnn_status tsnni_network_copy(const tsnn_network *network, tsnn_context *context, tsnn_network **out)
{
    *out = NULL;
    tsnni_runtime *runtime = &context->runtime;
    tsnn_network *copy = NULL;
    tsnn_status status;
    TSNNI_TRY(tsnn_network_create(context, &copy));
    TSNNI_TRY(TSNNI_NEW(runtime, network->count, &copy->stages));
    copy->capacity = network->count;
    copy->activation_format = network->activation_format;
    for (int64_t l = 0; l < network->count; l++) {
        tsnni_stage stage = network->stages[l];
        TSNNI_TRY(tsnni_layer_copy(network->stages[l].layer, context, &stage.layer));
        stage.layer->owned = 1;
        copy->stages[copy->count++] = stage;
    }
    if (network->shift != NULL)
        TSNNI_TRY(tsnni_standardizer_arrays_copy(runtime, tsnni_network_inputs(network), network->shift, network->scale,
                                                 &copy->shift, &copy->scale));
    *out = copy;
    return TSNN_OK;
fail:
    tsnn_network_destroy(&copy);
    return status;
}

tsnn_status tsnn_network_copy(const tsnn_network *network, tsnn_network **out)
{
    if (out == NULL)
        return tsnni_null_argument(network != NULL ? network->context : NULL, "out");
    *out = NULL;
    if (network == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    return tsnni_network_copy(network, network->context, out);
}

tsnn_status tsnn_network_get_info(const tsnn_network *network, tsnn_network_info *info)
{
    if (network == NULL || info == NULL)
        return tsnni_null_argument(network != NULL ? network->context : NULL, "info");
    tsnn_network_info known = TSNN_NETWORK_INFO_INIT;
    known.activation_format = network->activation_format;
    known.layers = network->count;
    known.inputs = tsnni_network_inputs(network);
    known.outputs = tsnni_network_outputs(network);
    for (int64_t l = 0; l < network->count; l++) {
        tsnn_layer_info layer = TSNN_LAYER_INFO_INIT;
        tsnn_status status = tsnn_layer_get_info(network->stages[l].layer, &layer);
        if (status < 0)
            return status;
        known.neurons += layer.outputs;
        known.connections += layer.connections;
        known.bytes += layer.bytes;
    }
    return tsnni_info_write(&network->context->runtime, info, &known, sizeof known, "tsnn_network_info");
}

tsnn_status tsnn_network_get_layer(tsnn_network *network, int64_t index, tsnn_layer **out)
{
    if (out == NULL)
        return tsnni_null_argument(network != NULL ? network->context : NULL, "out");
    *out = NULL;
    if (network == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    if (index < 0 || index >= network->count)
        return tsnni_fail(&network->context->runtime, TSNN_ERROR_INVALID_ARGUMENT, "layer %lld of %lld",
                          (long long)index, (long long)network->count);
    *out = network->stages[index].layer;
    return TSNN_OK;
}

tsnn_status tsnn_network_set_activation_format(tsnn_network *network, int32_t format)
{
    if (network == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    if (format != TSNN_ACTIVATIONS_FLOAT32 && format != TSNN_ACTIVATIONS_BF16)
        return tsnni_fail(&network->context->runtime, TSNN_ERROR_INVALID_ARGUMENT, "activation format %d is unknown",
                          (int)format);
    network->activation_format = format;
    return TSNN_OK;
}

tsnn_status tsnn_network_set_standardizer(tsnn_network *network, const tsnn_standardizer *standardizer)
{
    if (network == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &network->context->runtime;
    float *shift = NULL, *scale = NULL;
    tsnn_status status;
    if (standardizer != NULL) {
        if (network->count == 0)
            TSNNI_FAIL(runtime, TSNN_ERROR_STATE, "the network has no layers yet");
        if (standardizer->features != tsnni_network_inputs(network))
            TSNNI_FAIL(runtime, TSNN_ERROR_SHAPE, "a standardizer of %lld features for a network with %lld inputs",
                       (long long)standardizer->features, (long long)tsnni_network_inputs(network));
        TSNNI_TRY(tsnni_standardizer_arrays_copy(runtime, standardizer->features, standardizer->mean,
                                                 standardizer->inverse, &shift, &scale));
    }
    tsnni_release(runtime, network->shift);
    tsnni_release(runtime, network->scale);
    network->shift = shift;
    network->scale = scale;
    return TSNN_OK;
fail:
    return status;
}
