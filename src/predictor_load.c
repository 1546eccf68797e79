/* From a model file to a predictor, without a network: layers packed one at a time, or read where they are. */
#include "model_parts.h"
#include "predictor.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "sparse/convert.h"

tsnn_status tsnn_predictor_load_options_init(tsnn_predictor_load_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_predictor_load_options)TSNN_PREDICTOR_LOAD_OPTIONS_INIT;
    return TSNN_OK;
}

static tsnn_status read_options(tsnni_runtime *runtime, const tsnn_predictor_load_options *options,
                                tsnn_predictor_load_options *out, tsnn_predictor_options *packing)
{
    tsnn_predictor_options wanted = TSNN_PREDICTOR_OPTIONS_INIT;
    tsnn_status status;
    TSNNI_TRY(tsnni_options_read(runtime, options, out, sizeof *out, "tsnn_predictor_load_options"));
    if (out->ownership != TSNN_COPY && out->ownership != TSNN_BORROW)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "ownership %d is unknown", (int)out->ownership);
    if (out->ownership == TSNN_BORROW && out->pack != TSNN_PACK_ALL)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "pack is %d, but nothing is packed with TSNN_BORROW",
                   (int)out->pack);
    wanted.pack = out->pack;
    wanted.skip_zeros = out->skip_zeros;
    return tsnni_predictor_options_read(runtime, &wanted, packing);
fail:
    return status;
}

/* ---- checks ---- */

/* Everything that is not checked where layers are packed. */
static tsnn_status check_layer(tsnni_runtime *runtime, const tsnn_predictor *predictor, const tsnni_model_layer *layer)
{
    int64_t l = predictor->count;
    tsnn_status status;
    if (l > 0 && predictor->layers[l - 1].outputs != layer->inputs)
        TSNNI_FAIL(runtime, TSNN_ERROR_SHAPE, "layer %lld: %lld inputs, but the layer before gives %lld", (long long)l,
                   (long long)layer->inputs, (long long)predictor->layers[l - 1].outputs);
    status = tsnni_csr_validate(runtime, layer->inputs, layer->outputs, layer->connections, layer->row_ptr,
                                layer->column, layer->values);
    if (status < 0)
        return tsnni_fail_at(runtime, status, "layer %lld", (long long)l);
    for (int64_t j = 0; j < layer->outputs; j++)
        if (!isfinite(layer->bias[j]))
            TSNNI_FAIL(runtime, TSNN_ERROR_NOT_FINITE, "layer %lld: bias[%lld] is %g", (long long)l, (long long)j,
                       (double)layer->bias[j]);
    return TSNN_OK;
fail:
    return status;
}

/* ---- layers in place ---- */

/* What the first layer's sums are where all raw features are 0. */
static tsnn_status fold_zeros(tsnni_runtime *runtime, tsnn_predictor *predictor)
{
    const tsnni_packed_layer *layer = &predictor->layers[0];
    const tsnni_layer_in_place *at = &layer->in_place;
    double *sum = NULL;
    tsnn_status status;
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, layer->outputs, &sum));
    TSNNI_TRY(TSNNI_NEW(runtime, layer->outputs, &predictor->by_input.base));
    for (int64_t i = 0; i < layer->inputs && predictor->shift != NULL; i++)
        for (int64_t k = at->row_ptr[i]; k < at->row_ptr[i + 1]; k++)
            sum[at->column[k]] -= (double)at->values[k] * (double)predictor->shift[i] * (double)predictor->scale[i];
    for (int64_t j = 0; j < layer->outputs; j++)
        predictor->by_input.base[j] = (float)(sum[j] + (double)at->bias[j]);
    predictor->skip_zeros = 1;
    predictor->bytes += layer->outputs * (int64_t)sizeof(float);
    status = TSNN_OK;
fail:
    tsnni_release(runtime, sum);
    return status;
}

/* The next layer, not packed; takes the copies of *from over. */
static tsnn_status add_in_place(tsnni_runtime *runtime, tsnn_predictor *predictor, tsnni_model_layer *from,
                                const tsnni_activation_rule *activation)
{
    tsnni_packed_layer *layer = &predictor->layers[predictor->count++];
    int64_t larger = tsnni_whole_chunks(from->inputs > from->outputs ? from->inputs : from->outputs);
    layer->inputs = from->inputs;
    layer->outputs = from->outputs;
    layer->connections = from->connections;
    layer->activation = *activation;
    layer->in_place = (tsnni_layer_in_place){from->row_ptr, from->column, from->values, from->bias, {NULL}};
    for (int array = 0; array < TSNNI_MODEL_ARRAYS; array++) {
        layer->in_place.copies[array] = from->copies[array];
        from->copies[array] = NULL;
    }
    predictor->largest = larger > predictor->largest ? larger : predictor->largest;
    predictor->connections += layer->connections;
    predictor->bytes += from->copied;
    predictor->borrowed += from->in_place;
    if (predictor->count == 1 && predictor->options.skip_zeros)
        return fold_zeros(runtime, predictor);
    return TSNN_OK;
}

/* ---- a file ---- */

typedef struct load_call {
    tsnn_context *context;
    const tsnni_safetensors *file;
    const tsnni_activation_rule *custom;
    tsnn_predictor *predictor;
} load_call;

static tsnn_status add_standardizer(const load_call *call, int64_t inputs)
{
    tsnn_predictor *predictor = call->predictor;
    return tsnni_model_standardizer(&call->context->runtime, call->file, inputs, &predictor->shift, &predictor->scale);
}

static tsnn_status add_layer(const load_call *call)
{
    tsnni_runtime *runtime = &call->context->runtime;
    tsnn_predictor *predictor = call->predictor;
    int64_t l = predictor->count;
    tsnni_model_layer arrays = {0};
    tsnn_activation *activation = NULL;
    tsnn_status status;
    TSNNI_TRY(tsnni_model_activation(call->context, call->file, l, call->custom, &activation));
    TSNNI_TRY(tsnni_model_layer_read(runtime, call->file, l, &arrays));
    TSNNI_TRY(check_layer(runtime, predictor, &arrays));
    if (l == 0)
        TSNNI_TRY(add_standardizer(call, arrays.inputs));
    if (predictor->in_place) {
        TSNNI_TRY(add_in_place(runtime, predictor, &arrays, &activation->rule));
    } else {
        tsnni_layer_source source = {.inputs = arrays.inputs,
                                     .outputs = arrays.outputs,
                                     .connections = arrays.connections,
                                     .row_ptr = arrays.row_ptr,
                                     .column = {(void *)arrays.column, sizeof *arrays.column}, /* only read */
                                     .values = arrays.values,
                                     .bias = arrays.bias,
                                     .activation = activation->rule};
        TSNNI_TRY(tsnni_predictor_add(call->context, predictor, &source));
    }
fail:
    tsnni_model_layer_free(runtime, &arrays);
    tsnn_activation_destroy(&activation);
    return status;
}

static tsnn_status read_predictor(tsnn_context *context, const tsnni_safetensors *file,
                                  const tsnn_predictor_load_options *given, const tsnn_predictor_options *packing,
                                  tsnn_predictor **out)
{
    tsnni_runtime *runtime = &context->runtime;
    int64_t layers = 0;
    tsnn_status status;
    TSNNI_TRY(tsnni_model_check_format(runtime, file, &layers));
    TSNNI_TRY(tsnni_predictor_begin(context, layers, packing, out));
    if (given->ownership == TSNN_BORROW) {
        (*out)->in_place = 1;
        (*out)->batch = 0;
    }
    load_call call = {context, file, given->custom != NULL ? &given->custom->rule : NULL, *out};
    for (int64_t l = 0; l < layers; l++)
        TSNNI_TRY(add_layer(&call));
fail:
    return status;
}

static tsnn_status load(tsnn_context *context, const tsnni_model_place *place,
                        const tsnn_predictor_load_options *options, tsnn_predictor **out)
{
    tsnni_runtime *runtime = &context->runtime;
    tsnni_source source = tsnni_source_of_memory(NULL, 0);
    tsnni_safetensors file = {0};
    tsnni_model_place from = *place;
    tsnn_predictor_load_options given;
    tsnn_predictor_options packing;
    tsnn_status status;
    TSNNI_TRY(read_options(runtime, options, &given, &packing));
    from.max_bytes = given.max_bytes;
    TSNNI_TRY(tsnni_model_open(runtime, &from, &source));
    if (given.ownership == TSNN_BORROW && source.memory == NULL)
        TSNNI_TRY(tsnni_source_map(runtime, &source));
    status = tsnni_safetensors_open(runtime, &source, &file);
    if (status >= 0)
        status = read_predictor(context, &file, &given, &packing, out);
    TSNNI_TRY(tsnni_model_failed(runtime, status, from.path));
    if (given.ownership == TSNN_BORROW) {
        (*out)->source = source;
        source = tsnni_source_of_memory(NULL, 0);
    }
fail:
    tsnni_safetensors_close(runtime, &file);
    tsnni_source_close(&source);
    if (status < 0)
        tsnn_predictor_destroy(out);
    return status;
}

tsnn_status tsnn_predictor_load(tsnn_context *context, const char *path, const tsnn_predictor_load_options *options,
                                tsnn_predictor **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    if (path == NULL)
        return tsnni_null_argument(context, "path");
    return load(context, &(tsnni_model_place){.path = path}, options, out);
}

tsnn_status tsnn_predictor_load_memory(tsnn_context *context, const void *data, int64_t size,
                                       const tsnn_predictor_load_options *options, tsnn_predictor **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    return load(context, &(tsnni_model_place){.data = data, .size = size}, options, out);
}
