/* Optimizers: SGD, momentum, Nesterov, with decoupled or L2 decay. The arithmetic is in the kernels. */
#include "optimizer.h"

#include <math.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "gradient.h"
#include "network.h"
#include "sparse/partition.h"

#define TSNNI_DEFAULT_LEARNING_RATE 0.01
#define TSNNI_DEFAULT_MOMENTUM 0.9

tsnn_status tsnn_optimizer_options_init(tsnn_optimizer_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_optimizer_options)TSNN_OPTIMIZER_OPTIONS_INIT;
    return TSNN_OK;
}

static tsnn_status check_options(tsnni_runtime *runtime, const tsnn_optimizer_options *options)
{
    tsnn_status status;
    if (options->kind < TSNN_OPTIMIZER_SGD || options->kind > TSNN_OPTIMIZER_NESTEROV)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "optimizer kind %d is unknown", (int)options->kind);
    if (options->decay != TSNN_DECAY_DECOUPLED && options->decay != TSNN_DECAY_L2)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "decay kind %d is unknown", (int)options->decay);
    if (options->reserved != 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "reserved is %d; it must be 0", (int)options->reserved);
    if (!(options->learning_rate >= 0.0) || !isfinite((float)options->learning_rate))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "learning_rate is %g; it must be above 0",
                   options->learning_rate);
    if (!(options->momentum >= 0.0 && options->momentum < 1.0) ||
        (options->kind == TSNN_OPTIMIZER_SGD && options->momentum != 0.0))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "momentum is %g; it must be in (0, 1), and 0 for SGD",
                   options->momentum);
    if (!(options->weight_decay >= 0.0 && options->weight_decay < 1.0))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "weight_decay is %g; it must be in [0, 1)",
                   options->weight_decay);
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnn_optimizer_create(tsnn_context *context, const tsnn_optimizer_options *options, tsnn_optimizer **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &context->runtime;
    tsnn_optimizer_options given;
    tsnn_status status;
    TSNNI_TRY(tsnni_options_read(runtime, options, &given, sizeof given, "tsnn_optimizer_options"));
    TSNNI_TRY(check_options(runtime, &given));
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, 1, out));
    (*out)->context = context;
    (*out)->kind = given.kind;
    (*out)->decay = given.decay;
    (*out)->learning_rate = given.learning_rate > 0.0 ? given.learning_rate : TSNNI_DEFAULT_LEARNING_RATE;
    (*out)->momentum = given.kind == TSNN_OPTIMIZER_SGD ? 0.0
                       : given.momentum > 0.0           ? given.momentum
                                                        : TSNNI_DEFAULT_MOMENTUM;
    (*out)->weight_decay = given.weight_decay;
    return TSNN_OK;
fail:
    return status;
}

void tsnn_optimizer_destroy(tsnn_optimizer **optimizer)
{
    if (optimizer == NULL || *optimizer == NULL)
        return;
    tsnni_release(&(*optimizer)->context->runtime, *optimizer);
    *optimizer = NULL;
}

tsnni_update tsnni_optimizer_update(const tsnn_optimizer *optimizer, double rate_factor)
{
    int32_t l2 = optimizer->decay == TSNN_DECAY_L2;
    return (tsnni_update){.gradient_scale = 1.0f,
                          .learning_rate = (float)(optimizer->learning_rate * rate_factor),
                          .momentum = (float)optimizer->momentum,
                          .decay = l2 ? 0.0f : (float)optimizer->weight_decay,
                          .l2 = l2 ? (float)optimizer->weight_decay : 0.0f,
                          .nesterov = optimizer->kind == TSNN_OPTIMIZER_NESTEROV};
}

tsnn_status tsnni_optimizer_prepare(const tsnn_optimizer *optimizer, tsnn_network *network)
{
    if (optimizer->momentum == 0.0)
        return TSNN_OK;
    for (int64_t l = 0; l < network->count; l++) {
        tsnn_layer *layer = network->stages[l].layer;
        tsnn_status status = layer->frozen ? TSNN_OK : tsnni_layer_need_velocity(layer);
        if (status < 0)
            return status;
    }
    return TSNN_OK;
}

typedef struct update_call {
    const tsnni_kernels *kernels;
    tsnn_layer *layer;
    const tsnni_layer_gradient *gradient;
    tsnni_update update;
} update_call;

static void update_weights(void *argument, int64_t begin, int64_t end)
{
    const update_call *call = argument;
    tsnni_topology *topology = &call->layer->topology;
    call->kernels->update(topology->values, topology->velocity, call->gradient->weights, &call->update, begin, end);
}

static void update_biases(void *argument, int64_t begin, int64_t end)
{
    const update_call *call = argument;
    call->kernels->update(call->layer->bias, call->layer->bias_velocity, call->gradient->bias, &call->update, begin,
                          end);
}

void tsnni_optimizer_step(const tsnn_optimizer *optimizer, tsnn_network *network, const tsnn_gradient *gradient,
                          double rate_factor, double gradient_scale)
{
    int32_t threads = network->context->runtime.threads;
    update_call call = {.kernels = network->context->kernels, .update = tsnni_optimizer_update(optimizer, rate_factor)};
    call.update.gradient_scale = (float)gradient_scale;
    for (int64_t l = 0; l < network->count; l++) {
        tsnn_layer *layer = network->stages[l].layer;
        if (layer->frozen)
            continue;
        call.layer = layer;
        call.gradient = &gradient->layers[l];
        int64_t count = layer->topology.pattern.count, outputs = layer->topology.pattern.columns;
        tsnni_parallel_items(threads, count, count, update_weights, &call);
        tsnni_parallel_items(threads, outputs, outputs, update_biases, &call);
    }
}

/* All layers inside a session. */
typedef struct apply_call {
    const tsnn_optimizer *optimizer;
    tsnn_network *network;
    const tsnn_gradient *gradient;
    double rate_factor;
} apply_call;

static void apply_gradient(void *argument)
{
    const apply_call *call = argument;
    tsnni_optimizer_step(call->optimizer, call->network, call->gradient, call->rate_factor, 1.0);
}

tsnn_status tsnn_optimizer_apply(const tsnn_optimizer *optimizer, tsnn_network *network, const tsnn_gradient *gradient,
                                 double rate_factor)
{
    if (optimizer == NULL || network == NULL || gradient == NULL)
        return tsnni_null_argument(optimizer != NULL ? optimizer->context : NULL,
                                   network == NULL ? "network" : "gradient");
    tsnni_runtime *runtime = &network->context->runtime;
    tsnn_status status;
    if (!(rate_factor >= 0.0) || !isfinite((float)(optimizer->learning_rate * rate_factor)))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "rate_factor is %g; it must be finite and not below 0",
                   rate_factor);
    if (!tsnni_gradient_fits(gradient, network))
        TSNNI_FAIL(runtime, TSNN_ERROR_STATE, "the gradient belongs to another topology");
    TSNNI_TRY(tsnni_optimizer_prepare(optimizer, network));
    apply_call call = {optimizer, network, gradient, rate_factor};
    tsnni_parallel_session(runtime->threads, tsnni_gradient_weights(gradient), apply_gradient, &call);
    return TSNN_OK;
fail:
    return status;
}
