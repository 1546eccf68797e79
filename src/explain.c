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
        return "they fit the second-level cache, but leave too little room in it for weights and indices";
    case TSNNI_REASON_FEW:
        return "more than the second-level cache holds, but too few connections a row for parts that fit it";
    case TSNNI_REASON_MEMORY:
        return "they come from memory, so rows are asked for early and again shortly before use";
    default:
        return "so many cells are connections that computing all of them is faster";
    }
}

static void write_line(char line[LINE_BYTES], const char *pass, const tsnni_pass_plan *plan,
                       const tsnni_pattern *pattern, int64_t rows, int64_t numbered, int32_t index_width,
                       const tsnni_caches *caches)
{
    static const char *const names[] = {"plain", "panels", "dense"};
    snprintf(line, LINE_BYTES,
             "%s: %s, %" PRId64 " part%s; %d-bit indices for %" PRId64 " neurons; prefetch %" PRId64
             " ahead, far %" PRId64 ". %" PRId64 " bytes of activations are read at random, caches hold %" PRId64
             " and %" PRId64 "; %.1f connections a row, density %.4f: %s",
             pass, names[plan->route], plan->panels, plan->panels == 1 ? "" : "s", 8 * (int)index_width, numbered,
             plan->prefetch, plan->prefetch_far, plan->bytes, caches->level2, caches->level3,
             (double)pattern->count / (double)rows,
             (double)pattern->count / ((double)pattern->rows * (double)pattern->columns), reason_text(plan->reason));
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

    const tsnn_layer *chosen = network->stages[layer].layer;
    const tsnni_pattern *pattern = &chosen->topology.pattern;
    tsnni_stage_plan picked;
    tsnni_stage_plan_choose(network, layer, samples, &picked);
    if (plan != NULL) {
        tsnn_layer_plan known = TSNN_LAYER_PLAN_INIT;
        known.forward_route = (int32_t)picked.forward.route;
        known.backward_route = (int32_t)picked.backward.route;
        known.input_index_bytes = chosen->topology.transpose.row.width;
        known.output_index_bytes = pattern->column.width;
        known.forward_panels = picked.forward.panels;
        known.backward_panels = picked.backward.panels;
        known.forward_prefetch = picked.forward.prefetch;
        known.backward_prefetch = picked.backward.prefetch;
        known.forward_prefetch_far = picked.forward.prefetch_far;
        known.backward_prefetch_far = picked.backward.prefetch_far;
        known.forward_bytes = picked.forward.bytes;
        known.backward_bytes = picked.backward.bytes;
        TSNNI_TRY(tsnni_info_write(runtime, plan, &known, sizeof known, "tsnn_layer_plan"));
    }
    if (capacity > 0) {
        const tsnni_caches *caches = &chosen->context->caches;
        char forward[LINE_BYTES], backward[LINE_BYTES];
        write_line(forward, "forward", &picked.forward, pattern, pattern->columns, pattern->rows,
                   chosen->topology.transpose.row.width, caches);
        write_line(backward, "backward", &picked.backward, pattern, pattern->rows, pattern->columns,
                   pattern->column.width, caches);
        snprintf(text, (size_t)capacity, "%s\n%s\n", forward, backward);
    }
    return TSNN_OK;
fail:
    return status;
}
