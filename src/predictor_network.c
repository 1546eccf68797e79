/* From a network to a predictor: the layers as the plain arrays that are packed. */
#include "network.h"
#include "predictor.h"

#include "core/memory.h"

static tsnni_layer_source source_of(const tsnni_stage *stage)
{
    const tsnni_pattern *pattern = &stage->layer->topology.pattern;
    return (tsnni_layer_source){.inputs = pattern->rows,
                                .outputs = pattern->columns,
                                .connections = pattern->count,
                                .row_ptr = pattern->row_ptr,
                                .column = pattern->column,
                                .values = stage->layer->topology.values,
                                .bias = stage->layer->bias,
                                .activation = stage->activation};
}

tsnn_status tsnn_predictor_create(tsnn_context *context, const tsnn_network *network,
                                  const tsnn_predictor_options *options, tsnn_predictor **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &context->runtime;
    tsnni_layer_source *layers = NULL;
    tsnn_predictor_options given;
    tsnn_status status;
    if (network == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "network is NULL");
    TSNNI_TRY(tsnni_predictor_options_read(runtime, options, &given));
    if (network->count == 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_STATE, "the network has no layers");
    TSNNI_TRY(TSNNI_NEW(runtime, network->count, &layers));
    for (int64_t l = 0; l < network->count; l++)
        layers[l] = source_of(&network->stages[l]);
    tsnni_predictor_source source = {layers, network->count, network->shift, network->scale};
    TSNNI_TRY(tsnni_predictor_pack(context, &source, &given, out));
    status = TSNN_OK;
fail:
    tsnni_release(runtime, layers);
    return status;
}
