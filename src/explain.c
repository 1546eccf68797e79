/* Tells how a layer runs, in numbers and in words. */
#include <inttypes.h>
#include <stdio.h>

#include "workspace.h"

#define LINE_BYTES 480

static const char *reason_text(tsnni_plan_reason reason)
{
    switch (reason) {
    case TSNNI_REASON_FITS:
        return "they fit the second-level cache";
    case TSNNI_REASON_PARTS:
        return "connections enough a row to visit them in parts, of which the nearer caches hold more";
    case TSNNI_REASON_FEW:
        return "more than the second-level cache holds, but too few connections or columns for parts of them";
    case TSNNI_REASON_MEMORY:
        return "they come from memory, so rows are asked for early and again shortly before use";
    case TSNNI_REASON_REFERENCE:
        return "the reference kernels know no other way";
    default:
        return "so many cells are connections that computing all of them is faster";
    }
}

/* One pass of a layer. */
typedef struct told_pass {
    const char *name, *isa, *wanted, *read; /* wanted: what of the backward pass, or "" */
    const tsnni_pass_plan *plan;
    const tsnni_pattern *pattern;
    int64_t rows, numbered; /* neurons whose sums are made, and those that are read by number */
    int32_t index_bytes;
} told_pass;

static void write_line(char line[LINE_BYTES], const told_pass *pass, const tsnni_caches *caches)
{
    const tsnni_pass_plan *plan = pass->plan;
    const tsnni_pattern *pattern = pass->pattern;
    double density = (double)pattern->count / ((double)pattern->rows * (double)pattern->columns);
    char way[64] = "plain", prefetch[96] = "";
    if (plan->route == TSNNI_ROUTE_DENSE) {
        snprintf(line, LINE_BYTES, "%s: %s%s, dense. Density %.4f: %s", pass->name, pass->isa, pass->wanted, density,
                 reason_text(plan->reason));
        return;
    }
    if (plan->route == TSNNI_ROUTE_PANELS)
        snprintf(way, sizeof way, "panels, %" PRId64 " parts", plan->panels);
    if (plan->prefetch_far > 0)
        snprintf(prefetch, sizeof prefetch, "; prefetch %" PRId64 " ahead, far %" PRId64, plan->prefetch,
                 plan->prefetch_far);
    else if (plan->prefetch > 0)
        snprintf(prefetch, sizeof prefetch, "; prefetch %" PRId64 " ahead", plan->prefetch);
    snprintf(line, LINE_BYTES,
             "%s: %s%s, %s; %d-bit indices for %" PRId64 " neurons%s. %" PRId64
             " bytes of %s are read at random at a time, caches hold %" PRId64 ", %" PRId64 " and %" PRId64
             "; %.1f connections a row, density %.4f: %s",
             pass->name, pass->isa, pass->wanted, way, 8 * (int)pass->index_bytes, pass->numbered, prefetch,
             plan->bytes, pass->read, caches->level1, caches->level2, caches->level3,
             (double)pattern->count / (double)pass->rows, density, reason_text(plan->reason));
}

/* What training leaves of the backward pass of a layer. */
static const char *wanted_of(const tsnn_network *network, int64_t layer)
{
    if (network->stages[layer].layer->frozen)
        return ", derivatives only";
    return layer == tsnni_lowest_learning_layer(network) ? ", weights only" : "";
}

static void write_text(const tsnn_network *network, int64_t layer, const tsnni_stage_plan *picked,
                       const tsnn_layer_plan *known, char *text, size_t capacity)
{
    const tsnn_layer *chosen = network->stages[layer].layer;
    const tsnni_pattern *pattern = &chosen->topology.pattern;
    const char *isa = network->context->kernels->name;
    const told_pass forward = {.name = "forward",
                               .isa = isa,
                               .wanted = "",
                               .read = "activations",
                               .plan = &picked->forward,
                               .pattern = pattern,
                               .rows = pattern->columns,
                               .numbered = pattern->rows,
                               .index_bytes = known->input_index_bytes};
    const told_pass backward = {.name = "backward",
                                .isa = isa,
                                .wanted = wanted_of(network, layer),
                                .read = "derivatives",
                                .plan = &picked->backward,
                                .pattern = pattern,
                                .rows = pattern->rows,
                                .numbered = pattern->columns,
                                .index_bytes = known->output_index_bytes};
    char lines[2][LINE_BYTES] = {"", "backward: nothing runs, neither this layer nor one below it learns"};
    write_line(lines[0], &forward, &network->context->caches);
    if (layer >= tsnni_lowest_learning_layer(network))
        write_line(lines[1], &backward, &network->context->caches);
    snprintf(text, capacity, "%s\n%s\n", lines[0], lines[1]);
}

/* The numbers of a layer's plan: none where nothing of the kind runs. */
static void fill_plan(const tsnn_network *network, int64_t layer, const tsnni_stage_plan *picked,
                      tsnn_layer_plan *known)
{
    const tsnni_topology *topology = &network->stages[layer].layer->topology;
    const tsnni_pass_plan *forward = &picked->forward, *backward = &picked->backward;
    known->forward_route = (int32_t)forward->route;
    known->input_index_bytes = forward->route == TSNNI_ROUTE_DENSE ? 0 : topology->transpose.row.width;
    known->forward_panels = forward->panels;
    known->forward_prefetch = forward->prefetch;
    known->forward_prefetch_far = forward->prefetch_far;
    known->forward_bytes = forward->bytes;
    known->backward_panels = 1;
    if (layer < tsnni_lowest_learning_layer(network))
        return;
    known->backward_route = (int32_t)backward->route;
    known->output_index_bytes = backward->route == TSNNI_ROUTE_DENSE ? 0 : topology->pattern.column.width;
    known->backward_panels = backward->panels;
    known->backward_prefetch = backward->prefetch;
    known->backward_prefetch_far = backward->prefetch_far;
    known->backward_bytes = backward->bytes;
}

tsnn_status tsnn_network_explain(const tsnn_network *network, int64_t layer, int64_t samples, tsnn_layer_plan *plan,
                                 char *text, int64_t capacity)
{
    if (network == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &network->context->runtime;
    tsnn_status status;
    if (layer < 0 || layer >= network->count)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "layer %lld of %lld", (long long)layer,
                   (long long)network->count);
    if (samples < 1 || samples > INT32_MAX)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "samples is %lld; it must be 1..%d", (long long)samples,
                   INT32_MAX);
    if (capacity < 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "capacity is %lld", (long long)capacity);
    if (text == NULL && capacity > 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "text is NULL");

    tsnni_stage_plan picked;
    tsnn_layer_plan known = TSNN_LAYER_PLAN_INIT;
    tsnni_stage_plan_choose(network, layer, samples, &picked);
    fill_plan(network, layer, &picked, &known);
    if (plan != NULL)
        TSNNI_TRY(tsnni_info_write(runtime, plan, &known, sizeof known, "tsnn_layer_plan"));
    if (capacity > 0)
        write_text(network, layer, &picked, &known, text, (size_t)capacity);
    return TSNN_OK;
fail:
    return status;
}
