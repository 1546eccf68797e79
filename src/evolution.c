/* SET: the weights nearest to zero of each sign go, as many connections come at random empty cells. */
#include "evolution.h"

#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "network.h"
#include "sparse/regrow.h"
#include "sparse/sampling.h"

#define TSNNI_DEFAULT_ZETA 0.3

#define EVOLUTION_COST 10 /* ns a connection */

struct tsnn_evolution {
    tsnn_context *context;
    double zeta;
};

const tsnn_context *tsnni_evolution_context(const tsnn_evolution *evolution)
{
    return evolution->context;
}

double tsnni_evolution_zeta(const tsnn_evolution *evolution)
{
    return evolution->zeta;
}

tsnn_status tsnn_evolution_options_init(tsnn_evolution_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_evolution_options)TSNN_EVOLUTION_OPTIONS_INIT;
    return TSNN_OK;
}

tsnn_status tsnn_evolution_create(tsnn_context *context, const tsnn_evolution_options *options, tsnn_evolution **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &context->runtime;
    tsnn_evolution_options given;
    tsnn_evolution *evolution = NULL;
    tsnn_status status;
    TSNNI_TRY(tsnni_options_read(runtime, options, &given, sizeof given, "tsnn_evolution_options"));
    if (given.reserved != 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "reserved is %d; it must be 0", (int)given.reserved);
    if (!(given.zeta >= 0.0 && given.zeta <= 1.0))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "zeta is %g; it must be in (0, 1]", given.zeta);
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, 1, &evolution));
    evolution->context = context;
    evolution->zeta = given.zeta > 0.0 ? given.zeta : TSNNI_DEFAULT_ZETA;
    *out = evolution;
    return TSNN_OK;
fail:
    return status;
}

void tsnn_evolution_destroy(tsnn_evolution **evolution)
{
    if (evolution == NULL || *evolution == NULL)
        return;
    tsnni_release(&(*evolution)->context->runtime, *evolution);
    *evolution = NULL;
}

tsnn_status tsnni_evolution_copy(const tsnn_evolution *evolution, tsnn_context *context, tsnn_evolution **out)
{
    tsnn_status status = TSNNI_NEW(&context->runtime, 1, out);
    if (status < 0)
        return status;
    **out = *evolution;
    (*out)->context = context;
    return TSNN_OK;
}

/* Takes `count` connections by the cuts and grows as many. */
static tsnn_status replace_connections(tsnn_layer *layer, const tsnni_cut cuts[2], int64_t count, int64_t round)
{
    tsnni_runtime *runtime = &layer->context->runtime;
    const tsnni_topology *old = &layer->topology;
    const tsnni_pattern *pattern = &old->pattern;
    int64_t empty = pattern->rows * pattern->columns - (pattern->count - count);
    tsnni_random_key key = tsnni_random_key_make(layer->context->seed, TSNNI_PURPOSE_REGROWTH, layer->stream, round, 0);
    tsnni_topology grown = {0};
    int64_t *ranks = NULL;
    float *fresh = NULL;
    tsnn_status status;
    TSNNI_TRY(tsnni_sample_distinct(runtime, key, empty, count, &ranks));
    TSNNI_TRY(TSNNI_NEW(runtime, count, &fresh));
    tsnni_init_fill(
        runtime, &layer->rule, tsnni_init_width(&layer->rule, pattern->rows, pattern->columns, pattern->count),
        tsnni_random_key_make(layer->context->seed, TSNNI_PURPOSE_REGROWN, layer->stream, round, 0), count, fresh);
    const tsnni_regrowth regrowth = {pattern, old->values, old->velocity, {cuts[0], cuts[1]},
                                     count,   ranks,       fresh,         count};
    TSNNI_TRY(tsnni_regrow(runtime, &regrowth, &grown.pattern, &grown.values, &grown.velocity));
    tsnni_release(runtime, ranks);
    tsnni_release(runtime, fresh);
    ranks = NULL;
    fresh = NULL;
    /* The index keeps its size and is not needed meanwhile: fresh pages would cost more than filling it. */
    TSNNI_TRY(tsnni_transpose_refill(runtime, &grown.pattern, &layer->topology.transpose));
    grown.transpose = layer->topology.transpose;
    memset(&layer->topology.transpose, 0, sizeof layer->topology.transpose);
    return tsnni_layer_replace_topology(layer, &grown); /* nothing is left that could fail */
fail:
    tsnni_release(runtime, ranks);
    tsnni_release(runtime, fresh);
    tsnni_topology_free(runtime, &grown);
    return status;
}

static tsnn_status check_use(const tsnn_evolution *evolution, const tsnn_context *context, const char *what,
                             int64_t round)
{
    tsnni_runtime *runtime = &evolution->context->runtime;
    if (context != evolution->context)
        return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT, "the %s belongs to another context than the evolution",
                          what);
    if (round < 0)
        return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT, "round is %lld; it must be at least 0",
                          (long long)round);
    return TSNN_OK;
}

/* All loops of a layer inside a session. */
typedef struct layer_call {
    const tsnn_evolution *evolution;
    tsnn_layer *layer;
    int64_t round, replaced;
    tsnn_status status;
} layer_call;

static void evolve_layer(void *argument)
{
    layer_call *call = argument;
    const tsnni_topology *topology = &call->layer->topology;
    int64_t take[2];
    tsnni_cut cuts[2];
    call->status = tsnni_select_share(&call->evolution->context->runtime, topology->values, topology->pattern.count,
                                      call->evolution->zeta, take, cuts);
    if (call->status < 0 || take[0] + take[1] == 0)
        return;
    call->status = replace_connections(call->layer, cuts, take[0] + take[1], call->round);
    call->replaced = call->status < 0 ? 0 : take[0] + take[1];
}

tsnn_status tsnn_evolution_apply_layer(const tsnn_evolution *evolution, tsnn_layer *layer, int64_t round,
                                       int64_t *replaced)
{
    if (replaced != NULL)
        *replaced = 0;
    if (evolution == NULL || layer == NULL)
        return tsnni_null_argument(evolution != NULL ? evolution->context : NULL, "layer");
    tsnni_runtime *runtime = &evolution->context->runtime;
    tsnn_status status = check_use(evolution, layer->context, "layer", round);
    if (status < 0)
        return status;
    if (layer->frozen || tsnni_layer_is_full(layer))
        return TSNN_OK;
    layer_call call = {evolution, layer, round, 0, TSNN_OK};
    tsnni_parallel_session(runtime->threads, EVOLUTION_COST * layer->topology.pattern.count, evolve_layer, &call);
    if (replaced != NULL)
        *replaced = call.replaced;
    return call.status;
}

/* All layers. */
typedef struct network_call {
    const tsnn_evolution *evolution;
    tsnn_network *network;
    int64_t round, replaced;
    tsnn_status status;
} network_call;

static void evolve_network(void *argument)
{
    network_call *call = argument;
    tsnni_runtime *runtime = &call->evolution->context->runtime;
    for (int64_t l = 0; l < call->network->count - 1 && call->status >= 0; l++) {
        int64_t moved;
        call->status = tsnn_evolution_apply_layer(call->evolution, call->network->stages[l].layer, call->round, &moved);
        if (call->status < 0)
            tsnni_fail_at(runtime, call->status, "layer %lld", (long long)l);
        call->replaced += moved;
    }
}

tsnn_status tsnn_evolution_apply(const tsnn_evolution *evolution, tsnn_network *network, int64_t round,
                                 int64_t *replaced)
{
    if (replaced != NULL)
        *replaced = 0;
    if (evolution == NULL || network == NULL)
        return tsnni_null_argument(evolution != NULL ? evolution->context : NULL, "network");
    tsnni_runtime *runtime = &evolution->context->runtime;
    tsnn_status status = check_use(evolution, network->context, "network", round);
    if (status < 0)
        return status;
    network_call call = {evolution, network, round, 0, TSNN_OK};
    tsnni_parallel_session(runtime->threads, EVOLUTION_COST * tsnni_network_connections(network), evolve_network,
                           &call);
    if (replaced != NULL)
        *replaced = call.replaced;
    return call.status;
}
