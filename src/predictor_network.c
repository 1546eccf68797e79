/* From a network to a predictor: the layers as the plain arrays that are packed; and on to the subscribers. */
#include "network.h"
#include "publisher.h"

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
    tsnn_predictor_options given;
    tsnn_status status;
    if (network == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "network is NULL");
    TSNNI_TRY(tsnni_predictor_options_read(runtime, options, &given));
    if (network->count == 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_STATE, "the network has no layers");
    TSNNI_TRY(tsnni_predictor_begin(context, network->count, &given, out));
    TSNNI_TRY(
        tsnni_predictor_standardise(context, *out, tsnni_network_inputs(network), network->shift, network->scale));
    for (int64_t l = 0; l < network->count; l++) {
        tsnni_layer_source source = source_of(&network->stages[l]);
        TSNNI_TRY(tsnni_predictor_add(context, *out, &source));
    }
    return TSNN_OK;
fail:
    tsnn_predictor_destroy(out);
    return status;
}

tsnn_status tsnn_publisher_publish_network(tsnn_publisher *publisher, const tsnn_network *network)
{
    if (publisher == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnn_predictor_options options = tsnni_publisher_current(publisher)->options;
    tsnn_predictor *predictor = NULL;
    tsnn_status status;
    tsnni_publisher_collect(publisher); /* before memory is asked for */
    TSNNI_TRY(tsnn_predictor_create(publisher->context, network, &options, &predictor));
    TSNNI_TRY(tsnn_publisher_publish(publisher, &predictor));
    return TSNN_OK;
fail:
    tsnn_predictor_destroy(&predictor);
    return status;
}
