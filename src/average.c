/* Means are built beside the network; once all layers are there, nothing that can fail is left to do. */
#include "average.h"

#include <string.h>

#include "core/memory.h"
#include "sparse/merge.h"
#include "sparse/regrow.h"

/* A layer that is to take another's place. */
typedef struct mean_layer {
    tsnni_topology topology;
    float *bias, *bias_velocity;
} mean_layer;

tsnn_status tsnni_average_trim(tsnni_runtime *runtime, int64_t keep, tsnni_pattern *pattern, float **values,
                               float **companion)
{
    int64_t surplus = pattern->count - keep, counts[2], take[2];
    tsnni_pattern trimmed = {0};
    float *trimmed_values = NULL, *trimmed_companion = NULL;
    tsnni_cut cuts[2];
    if (surplus <= 0)
        return TSNN_OK;
    tsnn_status status = tsnni_sign_counts(runtime, *values, pattern->count, counts);
    if (status < 0)
        return status;
    /* Both factors are below 2^32. */
    take[TSNNI_NEGATIVE] = (int64_t)((uint64_t)surplus * (uint64_t)counts[TSNNI_NEGATIVE] / (uint64_t)pattern->count);
    take[TSNNI_POSITIVE] = surplus - take[TSNNI_NEGATIVE];
    status = tsnni_select_smallest(runtime, *values, pattern->count, take, cuts);
    if (status < 0)
        return status;
    const tsnni_regrowth cut = {.pattern = pattern,
                                .values = *values,
                                .companion = *companion,
                                .cuts = {cuts[0], cuts[1]},
                                .cut_count = surplus};
    status = tsnni_regrow(runtime, &cut, &trimmed, &trimmed_values, &trimmed_companion);
    if (status < 0)
        return status;
    tsnni_pattern_free(runtime, pattern);
    tsnni_release(runtime, *values);
    tsnni_release(runtime, *companion);
    *pattern = trimmed;
    *values = trimmed_values;
    *companion = trimmed_companion;
    return TSNN_OK;
}

/* What to average of a layer: a number of it, or NULL where it has none. */
typedef const float *(*bias_of)(const tsnn_layer *layer);

static const float *bias_value(const tsnn_layer *layer)
{
    return layer->bias;
}

static const float *bias_velocity(const tsnn_layer *layer)
{
    return layer->bias_velocity;
}

static tsnn_status mean_biases(tsnni_runtime *runtime, tsnn_network *const *networks, int64_t count, int64_t l,
                               bias_of get, float **out)
{
    int64_t outputs = networks[0]->stages[l].layer->topology.pattern.columns;
    if (get(networks[0]->stages[l].layer) == NULL)
        return TSNN_OK;
    tsnn_status status = TSNNI_NEW(runtime, outputs, out);
    for (int64_t j = 0; status >= 0 && j < outputs; j++) {
        double sum = 0.0;
        for (int64_t n = 0; n < count; n++)
            sum += (double)get(networks[n]->stages[l].layer)[j];
        (*out)[j] = (float)(sum / (double)count);
    }
    return status;
}

/* Velocities are averaged only where every network has them. */
static int32_t all_have_velocity(tsnn_network *const *networks, int64_t count, int64_t l)
{
    for (int64_t n = 0; n < count; n++)
        if (networks[n]->stages[l].layer->topology.velocity == NULL)
            return 0;
    return 1;
}

static tsnn_status build_mean(tsnni_runtime *runtime, const tsnn_layer *own, tsnn_network *const *networks,
                              int64_t count, int64_t l, tsnni_merge_source *sources, mean_layer *mean)
{
    tsnni_topology *topology = &mean->topology;
    int32_t velocity = all_have_velocity(networks, count, l);
    tsnn_status status;
    for (int64_t n = 0; n < count; n++) {
        const tsnni_topology *from = &networks[n]->stages[l].layer->topology;
        sources[n] = (tsnni_merge_source){&from->pattern, from->values, velocity ? from->velocity : NULL};
    }
    TSNNI_TRY(tsnni_merge_mean(runtime, sources, count, &topology->pattern, &topology->values, &topology->velocity));
    if (topology->pattern.rows != own->topology.pattern.rows ||
        topology->pattern.columns != own->topology.pattern.columns)
        TSNNI_FAIL(runtime, TSNN_ERROR_SHAPE, "layer %lld: a mean of %lld x %lld for a layer of %lld x %lld",
                   (long long)l, (long long)topology->pattern.rows, (long long)topology->pattern.columns,
                   (long long)own->topology.pattern.rows, (long long)own->topology.pattern.columns);
    TSNNI_TRY(tsnni_average_trim(runtime, own->topology.pattern.count, &topology->pattern, &topology->values,
                                 &topology->velocity));
    TSNNI_TRY(tsnni_transpose_build(runtime, &topology->pattern, &topology->transpose));
    TSNNI_TRY(mean_biases(runtime, networks, count, l, bias_value, &mean->bias));
    if (velocity)
        TSNNI_TRY(mean_biases(runtime, networks, count, l, bias_velocity, &mean->bias_velocity));
    return TSNN_OK;
fail:
    return status;
}

/* Cannot fail: the topology brings its transpose. What is left in *mean is the layer's old arrays. */
static void swap_mean(tsnn_layer *layer, mean_layer *mean)
{
    float *bias = layer->bias, *velocity = layer->bias_velocity;
    (void)tsnni_layer_replace_topology(layer, &mean->topology);
    layer->bias = mean->bias;
    layer->bias_velocity = mean->bias_velocity;
    mean->bias = bias;
    mean->bias_velocity = velocity;
}

tsnn_status tsnni_average_networks(tsnn_network *network, tsnn_network *const *networks, int64_t count)
{
    tsnni_runtime *runtime = &network->context->runtime;
    mean_layer *means = NULL;
    tsnni_merge_source *sources = NULL;
    tsnn_status status;
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, network->count, &means));
    TSNNI_TRY(TSNNI_NEW(runtime, count, &sources));
    for (int64_t n = 0; n < count; n++)
        if (networks[n]->count != network->count)
            TSNNI_FAIL(runtime, TSNN_ERROR_SHAPE, "a mean of networks with %lld and %lld layers",
                       (long long)network->count, (long long)networks[n]->count);
    for (int64_t l = 0; l < network->count; l++)
        TSNNI_TRY(build_mean(runtime, network->stages[l].layer, networks, count, l, sources, &means[l]));
    for (int64_t l = 0; l < network->count; l++)
        swap_mean(network->stages[l].layer, &means[l]);
    status = TSNN_OK;
fail:
    for (int64_t l = 0; means != NULL && l < network->count; l++) {
        tsnni_topology_free(runtime, &means[l].topology);
        tsnni_release(runtime, means[l].bias);
        tsnni_release(runtime, means[l].bias_velocity);
    }
    tsnni_release(runtime, means);
    tsnni_release(runtime, sources);
    return status;
}
