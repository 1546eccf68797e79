/* Importance pruning: hidden neurons go with everything that belongs to them. The smaller layers are built beside the
 * old ones; once all are there, nothing that can fail is left to do. */
#include "pruning.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "network.h"
#include "sparse/filter.h"
#include "sparse/partition.h"
#include "sparse/select.h"

#define TSNNI_DEFAULT_PERCENTILE 20.0
#define TSNNI_DEFAULT_FIRST_EPOCH 200
#define TSNNI_DEFAULT_EVERY_EPOCHS 10

#define IMPORTANCE_COST 2 /* ns a connection */
#define PRUNING_COST 10   /* the same, all passes together */

struct tsnn_pruning {
    tsnn_context *context;
    int32_t fold;
    double percentile, threshold; /* one of them is 0 */
    int64_t first_epoch, every_epochs;
    tsnni_index_map *maps; /* of the last application, one for each layer's neurons; NULL before the first */
    int64_t map_count;
};

/* A layer that is to take another's place. */
typedef struct pruned_layer {
    tsnni_topology topology;
    float *bias, *bias_velocity;
    int32_t changed; /* 0: the old layer stays */
} pruned_layer;

/* Everything that one application builds before it changes anything. */
typedef struct pruning_plan {
    tsnn_network *network;
    int64_t count; /* layers */
    tsnni_index_map *maps;
    pruned_layer *layers;
    float *constants; /* what the removed neurons of the layer before give for good; NULL: nothing to fold */
} pruning_plan;

/* ---- the rule ---- */

tsnn_status tsnn_pruning_options_init(tsnn_pruning_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_pruning_options)TSNN_PRUNING_OPTIONS_INIT;
    return TSNN_OK;
}

static tsnn_status check_options(tsnni_runtime *runtime, const tsnn_pruning_options *options)
{
    tsnn_status status;
    if (options->fold != TSNN_FOLD_NONE && options->fold != TSNN_FOLD_BIASES)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "fold %d is unknown", (int)options->fold);
    if (!(options->percentile >= 0.0 && options->percentile < 100.0))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "percentile is %g; it must be in (0, 100)",
                   options->percentile);
    if (!isfinite(options->threshold) || options->threshold < 0.0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "threshold is %g; it must be above 0", options->threshold);
    if (options->percentile > 0.0 && options->threshold > 0.0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "percentile %g and threshold %g are both set; only one may be",
                   options->percentile, options->threshold);
    if (options->first_epoch < 0 || options->every_epochs < 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "first_epoch is %lld, every_epochs %lld; neither may be < 0",
                   (long long)options->first_epoch, (long long)options->every_epochs);
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnn_pruning_create(tsnn_context *context, const tsnn_pruning_options *options, tsnn_pruning **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &context->runtime;
    tsnn_pruning_options given;
    tsnn_pruning *pruning = NULL;
    tsnn_status status;
    TSNNI_TRY(tsnni_options_read(runtime, options, &given, sizeof given, "tsnn_pruning_options"));
    TSNNI_TRY(check_options(runtime, &given));
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, 1, &pruning));
    pruning->context = context;
    pruning->fold = given.fold;
    pruning->threshold = given.threshold;
    pruning->percentile = given.percentile > 0.0  ? given.percentile
                          : given.threshold > 0.0 ? 0.0
                                                  : TSNNI_DEFAULT_PERCENTILE;
    pruning->first_epoch = given.first_epoch > 0 ? given.first_epoch : TSNNI_DEFAULT_FIRST_EPOCH;
    pruning->every_epochs = given.every_epochs > 0 ? given.every_epochs : TSNNI_DEFAULT_EVERY_EPOCHS;
    *out = pruning;
    return TSNN_OK;
fail:
    return status;
}

static void free_maps(tsnni_runtime *runtime, tsnni_index_map *maps, int64_t count)
{
    for (int64_t l = 0; maps != NULL && l < count; l++)
        tsnni_release(runtime, maps[l].to);
    tsnni_release(runtime, maps);
}

void tsnn_pruning_destroy(tsnn_pruning **pruning)
{
    if (pruning == NULL || *pruning == NULL)
        return;
    tsnni_runtime *runtime = &(*pruning)->context->runtime;
    free_maps(runtime, (*pruning)->maps, (*pruning)->map_count);
    tsnni_release(runtime, *pruning);
    *pruning = NULL;
}

const tsnn_context *tsnni_pruning_context(const tsnn_pruning *pruning)
{
    return pruning->context;
}

void tsnni_pruning_tell(const tsnn_pruning *pruning, tsnn_pruning_options *out)
{
    out->fold = pruning->fold;
    out->percentile = pruning->percentile;
    out->threshold = pruning->threshold;
    out->first_epoch = pruning->first_epoch;
    out->every_epochs = pruning->every_epochs;
}

int32_t tsnni_pruning_is_due(const tsnn_pruning *pruning, int64_t epoch)
{
    return epoch >= pruning->first_epoch && (epoch - pruning->first_epoch) % pruning->every_epochs == 0;
}

tsnn_status tsnn_pruning_get_map(const tsnn_pruning *pruning, int64_t layer, int32_t *map, int64_t capacity,
                                 int64_t *old_count)
{
    if (pruning == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &pruning->context->runtime;
    if (pruning->maps == NULL)
        return tsnni_fail(runtime, TSNN_ERROR_STATE, "nothing was pruned yet");
    if (layer < 0 || layer >= pruning->map_count)
        return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT, "layer %lld of %lld", (long long)layer,
                          (long long)pruning->map_count);
    const tsnni_index_map *known = &pruning->maps[layer];
    if (map != NULL && capacity < known->before)
        return tsnni_fail(runtime, TSNN_ERROR_BUFFER_TOO_SMALL, "map holds %lld numbers; %lld are needed",
                          (long long)capacity, (long long)known->before);
    if (map != NULL)
        for (int64_t j = 0; j < known->before; j++)
            map[j] = known->to != NULL ? known->to[j] : (int32_t)j;
    if (old_count != NULL)
        *old_count = known->before;
    return TSNN_OK;
}

/* ---- importance ---- */

typedef struct importance_task {
    const tsnni_topology *topology;
    double *importance;
} importance_task;

/* Each sum runs over the rows in rising order, whoever makes it. */
static void sum_importance(void *argument, int64_t begin, int64_t end)
{
    const importance_task *task = argument;
    const tsnni_transpose *transpose = &task->topology->transpose;
    for (int64_t j = begin; j < end; j++) {
        double sum = 0.0;
        for (int64_t k = transpose->column_ptr[j]; k < transpose->column_ptr[j + 1]; k++)
            sum += fabs((double)task->topology->values[transpose->position[k]]);
        task->importance[j] = sum;
    }
}

static void compute_importance(const tsnn_layer *layer, double *importance)
{
    const tsnni_pattern *pattern = &layer->topology.pattern;
    int32_t threads = layer->context->runtime.threads;
    importance_task task = {&layer->topology, importance};
    tsnni_parallel_rows(threads, IMPORTANCE_COST * (pattern->count + pattern->columns),
                        layer->topology.transpose.column_ptr, pattern->columns, 1, sum_importance, &task);
}

tsnn_status tsnn_layer_get_importance(const tsnn_layer *layer, double *importance, int64_t capacity)
{
    if (layer == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &layer->context->runtime;
    int64_t outputs = layer->topology.pattern.columns;
    if (importance == NULL)
        return tsnni_fail(runtime, TSNN_ERROR_NULL_ARGUMENT, "importance is NULL");
    if (capacity < outputs)
        return tsnni_fail(runtime, TSNN_ERROR_BUFFER_TOO_SMALL, "importance holds %lld numbers; %lld are needed",
                          (long long)capacity, (long long)outputs);
    compute_importance(layer, importance);
    return TSNN_OK;
}

/* A limit that parts the values as the percentile does: linear interpolation puts it between two neighbours, where
 * every limit takes the same of them, so the lower neighbour serves, free of rounding. */
static double percentile_limit(const double *values, int64_t count, double percentile)
{
    double place = percentile / 100.0 * (double)(count - 1);
    return tsnni_order_statistic(values, count, (int64_t)floor(place));
}

/* ---- which neurons stay ---- */

/* Leaves map->to at NULL when every neuron is above the limit. */
static tsnn_status map_above(tsnni_runtime *runtime, const double *importance, double limit, tsnni_index_map *map)
{
    int64_t best = 0, kept = 0;
    for (int64_t j = 0; j < map->before; j++) {
        kept += importance[j] > limit;
        if (importance[j] > importance[best])
            best = j;
    }
    if (kept == map->before || map->before == 1)
        return TSNN_OK;
    tsnn_status status = TSNNI_NEW(runtime, map->before, &map->to);
    if (status < 0)
        return status;
    map->after = 0;
    for (int64_t j = 0; j < map->before; j++)
        map->to[j] = importance[j] > limit || j == best ? (int32_t)map->after++ : -1;
    return TSNN_OK;
}

/* Importances of all layers are taken from the network as it is. */
static tsnn_status map_neurons(const tsnn_pruning *pruning, pruning_plan *plan)
{
    tsnni_runtime *runtime = &pruning->context->runtime;
    double *importance = NULL;
    tsnn_status status;
    for (int64_t l = 0; l < plan->count; l++)
        plan->maps[l].before = plan->maps[l].after = plan->network->stages[l].layer->topology.pattern.columns;
    for (int64_t l = 0; l < plan->count - 1; l++) {
        const tsnn_layer *layer = plan->network->stages[l].layer;
        if (layer->frozen || plan->network->stages[l + 1].layer->frozen)
            continue;
        int64_t neurons = plan->maps[l].before;
        TSNNI_TRY(TSNNI_NEW(runtime, neurons, &importance));
        compute_importance(layer, importance);
        double limit =
            pruning->threshold > 0.0 ? pruning->threshold : percentile_limit(importance, neurons, pruning->percentile);
        TSNNI_TRY(map_above(runtime, importance, limit, &plan->maps[l]));
        tsnni_release(runtime, importance);
        importance = NULL;
    }
    return TSNN_OK;
fail:
    tsnni_release(runtime, importance);
    return status;
}

/* ---- what the removed neurons leave behind ---- */

/* The biases of layer l with the constants of the removed neurons before it. *out: new array. */
static tsnn_status fold_biases(const pruning_plan *plan, int64_t l, float **out)
{
    tsnni_runtime *runtime = &plan->network->context->runtime;
    const tsnn_layer *layer = plan->network->stages[l].layer;
    const tsnni_topology *topology = &layer->topology;
    const tsnni_pattern *pattern = &topology->pattern;
    double *sums = NULL;
    tsnn_status status;
    TSNNI_TRY(TSNNI_NEW(runtime, pattern->columns, out));
    memcpy(*out, layer->bias, (size_t)pattern->columns * sizeof **out);
    if (plan->constants == NULL)
        return TSNN_OK;
    TSNNI_TRY(TSNNI_NEW(runtime, pattern->columns, &sums));
    for (int64_t j = 0; j < pattern->columns; j++)
        sums[j] = layer->bias[j];
    for (int64_t i = 0; i < pattern->rows; i++) {
        if (plan->maps[l - 1].to[i] >= 0)
            continue;
        for (int64_t k = pattern->row_ptr[i]; k < pattern->row_ptr[i + 1]; k++)
            sums[tsnni_index_at(&pattern->column, k)] += (double)plan->constants[i] * (double)topology->values[k];
    }
    for (int64_t j = 0; j < pattern->columns; j++) {
        (*out)[j] = (float)sums[j];
        if (!isfinite((*out)[j]))
            TSNNI_FAIL(runtime, TSNN_ERROR_NOT_FINITE, "layer %lld: folding makes bias %lld %g", (long long)l,
                       (long long)j, (double)(*out)[j]);
    }
    tsnni_release(runtime, sums);
    return TSNN_OK;
fail:
    tsnni_release(runtime, sums);
    tsnni_release(runtime, *out);
    *out = NULL;
    return status;
}

/* Replaces plan->constants by f(bias) of the neurons of layer l, for the layer after it. The bias has the constants of
 * the layer before folded in: what a removed neuron gets from removed neurons is as constant as its bias. A softmax has
 * no constant outputs. */
static tsnn_status find_constants(const tsnn_pruning *pruning, pruning_plan *plan, int64_t l, const float *bias)
{
    tsnni_runtime *runtime = &pruning->context->runtime;
    const tsnni_stage *stage = &plan->network->stages[l];
    tsnni_release(runtime, plan->constants);
    plan->constants = NULL;
    if (pruning->fold != TSNN_FOLD_BIASES || plan->maps[l].to == NULL ||
        stage->activation.kind == TSNN_ACTIVATION_SOFTMAX)
        return TSNN_OK;
    tsnn_status status = TSNNI_NEW(runtime, plan->maps[l].before, &plan->constants);
    if (status >= 0)
        tsnni_activation_apply(&stage->activation, l, bias, plan->constants, plan->maps[l].before);
    return status;
}

/* ---- smaller layers ---- */

static void free_pruned(tsnni_runtime *runtime, pruned_layer *pruned)
{
    tsnni_topology_free(runtime, &pruned->topology);
    tsnni_release(runtime, pruned->bias);
    tsnni_release(runtime, pruned->bias_velocity);
}

static tsnn_status build_layer(const tsnn_pruning *pruning, pruning_plan *plan, int64_t l)
{
    tsnni_runtime *runtime = &pruning->context->runtime;
    const tsnn_layer *layer = plan->network->stages[l].layer;
    const tsnni_topology *old = &layer->topology;
    const tsnni_index_map inputs = {NULL, old->pattern.rows, old->pattern.rows};
    const tsnni_index_map *rows = l > 0 ? &plan->maps[l - 1] : &inputs, *columns = &plan->maps[l];
    pruned_layer *pruned = &plan->layers[l];
    tsnni_topology *topology = &pruned->topology;
    float *bias = NULL;
    tsnn_status status;
    if (rows->to == NULL && columns->to == NULL)
        return TSNN_OK;
    TSNNI_TRY(fold_biases(plan, l, &bias));
    TSNNI_TRY(find_constants(pruning, plan, l, bias));
    TSNNI_TRY(tsnni_filter_array(runtime, bias, columns, &pruned->bias));
    if (layer->bias_velocity != NULL)
        TSNNI_TRY(tsnni_filter_array(runtime, layer->bias_velocity, columns, &pruned->bias_velocity));
    TSNNI_TRY(tsnni_filter(runtime, &old->pattern, old->values, old->velocity, rows, columns, &topology->pattern,
                           &topology->values, &topology->velocity));
    TSNNI_TRY(tsnni_transpose_build(runtime, &topology->pattern, &topology->transpose));
    pruned->changed = 1;
    tsnni_release(runtime, bias);
    return TSNN_OK;
fail:
    tsnni_release(runtime, bias);
    return status;
}

/* Cannot fail: the topology brings its transpose. */
static void swap_layer(tsnn_layer *layer, pruned_layer *pruned)
{
    tsnni_runtime *runtime = &layer->context->runtime;
    (void)tsnni_layer_replace_topology(layer, &pruned->topology);
    tsnni_release(runtime, layer->bias);
    tsnni_release(runtime, layer->bias_velocity);
    layer->bias = pruned->bias;
    layer->bias_velocity = pruned->bias_velocity;
    memset(pruned, 0, sizeof *pruned);
}

/* ---- application ---- */

static tsnn_status check_weights(const tsnn_network *network)
{
    tsnni_runtime *runtime = &network->context->runtime;
    for (int64_t l = 0; l < network->count; l++) {
        const tsnni_topology *topology = &network->stages[l].layer->topology;
        int64_t counts[2];
        tsnn_status status = tsnni_sign_counts(runtime, topology->values, topology->pattern.count, counts);
        if (status < 0)
            return tsnni_fail_at(runtime, status, "layer %lld: weights", (long long)l);
    }
    return TSNN_OK;
}

static tsnn_pruning_report make_report(const pruning_plan *plan)
{
    tsnn_pruning_report report = TSNN_PRUNING_REPORT_INIT;
    for (int64_t l = 0; l < plan->count; l++) {
        const pruned_layer *pruned = &plan->layers[l];
        int64_t connections = plan->network->stages[l].layer->topology.pattern.count;
        report.neurons_before += plan->maps[l].before;
        report.neurons_after += plan->maps[l].after;
        report.connections_before += connections;
        report.connections_after += pruned->changed ? pruned->topology.pattern.count : connections;
    }
    return report;
}

static tsnn_status build_plan(const tsnn_pruning *pruning, pruning_plan *plan)
{
    tsnni_runtime *runtime = &pruning->context->runtime;
    tsnn_status status;
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, plan->count, &plan->maps));
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, plan->count, &plan->layers));
    TSNNI_TRY(map_neurons(pruning, plan));
    for (int64_t l = 0; l < plan->count; l++)
        TSNNI_TRY(build_layer(pruning, plan, l));
    return TSNN_OK;
fail:
    return status;
}

/* What is left of it after the swap, or all of it without one. */
static void free_plan(tsnni_runtime *runtime, pruning_plan *plan)
{
    for (int64_t l = 0; plan->layers != NULL && l < plan->count; l++)
        free_pruned(runtime, &plan->layers[l]);
    tsnni_release(runtime, plan->layers);
    tsnni_release(runtime, plan->constants);
    free_maps(runtime, plan->maps, plan->count);
}

/* All layers inside a session. */
typedef struct plan_call {
    const tsnn_pruning *pruning;
    pruning_plan *plan;
    tsnn_status status;
} plan_call;

static void plan_layers(void *argument)
{
    plan_call *call = argument;
    call->status = build_plan(call->pruning, call->plan);
}

tsnn_status tsnn_pruning_apply(tsnn_pruning *pruning, tsnn_network *network, tsnn_pruning_report *report)
{
    if (pruning == NULL || network == NULL)
        return tsnni_null_argument(pruning != NULL ? pruning->context : NULL, "network");
    tsnni_runtime *runtime = &pruning->context->runtime;
    pruning_plan plan = {.network = network, .count = network->count};
    tsnn_status status;
    if (network->context != pruning->context)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "the network belongs to another context than the pruning");
    if (network->count == 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_STATE, "the network has no layers yet");
    TSNNI_TRY(check_weights(network));
    plan_call call = {pruning, &plan, TSNN_OK};
    tsnni_parallel_session(runtime->threads, PRUNING_COST * tsnni_network_connections(network), plan_layers, &call);
    TSNNI_TRY(call.status);
    if (report != NULL) {
        tsnn_pruning_report known = make_report(&plan);
        TSNNI_TRY(tsnni_info_write(runtime, report, &known, sizeof known, "tsnn_pruning_report"));
    }

    for (int64_t l = 0; l < plan.count; l++)
        if (plan.layers[l].changed)
            swap_layer(network->stages[l].layer, &plan.layers[l]);
    free_maps(runtime, pruning->maps, pruning->map_count);
    pruning->maps = plan.maps;
    pruning->map_count = plan.count;
    plan.maps = NULL;
    free_plan(runtime, &plan);
    return TSNN_OK;
fail:
    free_plan(runtime, &plan);
    return status;
}
