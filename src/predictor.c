/* A predictor: packing layers that come as plain arrays. Networks enter in predictor_network.c, model files in
 * predictor_load.c; workspaces are in predictor_workspace.c, passes in predictor_pass.c, the calls that predict in
 * predictor_run.c. */
#include "predictor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "sparse/convert.h"

#define TSNNI_MOST_LAYERS 65536

tsnn_status tsnn_predictor_options_init(tsnn_predictor_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_predictor_options)TSNN_PREDICTOR_OPTIONS_INIT;
    return TSNN_OK;
}

tsnn_status tsnni_predictor_options_read(tsnni_runtime *runtime, const tsnn_predictor_options *options,
                                         tsnn_predictor_options *out)
{
    tsnn_status status;
    TSNNI_TRY(tsnni_options_read(runtime, options, out, sizeof *out, "tsnn_predictor_options"));
    if (out->pack < TSNN_PACK_ALL || out->pack > TSNN_PACK_BATCH)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "pack %d is unknown", (int)out->pack);
    if (out->reserved != 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "reserved is %d; it must be 0", (int)out->reserved);
    if (out->skip_zeros != 0 && out->skip_zeros != 1)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "skip_zeros is %d; it must be 0 or 1", (int)out->skip_zeros);
    return TSNN_OK;
fail:
    return status;
}

/* ---- packing ---- */

tsnn_status tsnni_predictor_begin(tsnn_context *context, int64_t count, const tsnn_predictor_options *options,
                                  tsnn_predictor **out)
{
    tsnn_predictor *predictor = NULL;
    tsnn_status status;
    *out = NULL;
    TSNNI_TRY(TSNNI_NEW_ZERO(&context->runtime, 1, &predictor));
    predictor->runtime = context->runtime;
    predictor->runtime.log = NULL;
    predictor->kernels = context->kernels;
    predictor->options = *options;
    predictor->options.struct_size = (uint32_t)sizeof *options;
    predictor->batch = options->pack != TSNN_PACK_SINGLE;
    predictor->source = tsnni_source_of_memory(NULL, 0);
    TSNNI_TRY(TSNNI_NEW_ZERO(&context->runtime, count, &predictor->layers));
    *out = predictor;
    return TSNN_OK;
fail:
    tsnn_predictor_destroy(&predictor);
    return status;
}

tsnn_status tsnni_predictor_standardise(tsnn_context *context, tsnn_predictor *predictor, int64_t inputs,
                                        const float *shift, const float *scale)
{
    tsnni_runtime *runtime = &context->runtime;
    tsnn_status status;
    if (shift == NULL)
        return TSNN_OK;
    for (int64_t f = 0; f < inputs; f++)
        if (!isfinite(shift[f]) || !isfinite(scale[f]))
            TSNNI_FAIL(runtime, TSNN_ERROR_NOT_FINITE, "feature %lld: shift is %g, scale %g", (long long)f,
                       (double)shift[f], (double)scale[f]);
    TSNNI_TRY(TSNNI_NEW(runtime, inputs, &predictor->shift));
    TSNNI_TRY(TSNNI_NEW(runtime, inputs, &predictor->scale));
    memcpy(predictor->shift, shift, (size_t)inputs * sizeof(float));
    memcpy(predictor->scale, scale, (size_t)inputs * sizeof(float));
    return TSNN_OK;
fail:
    return status;
}

static void add_sizes(tsnn_predictor *predictor, const tsnni_packed_layer *layer)
{
    int64_t inputs = tsnni_whole_chunks(layer->inputs), outputs = tsnni_whole_chunks(layer->outputs);
    int64_t larger = inputs > outputs ? inputs : outputs;
    predictor->largest = larger > predictor->largest ? larger : predictor->largest;
    predictor->connections += layer->connections;
    predictor->bytes += tsnni_packed_layer_bytes(layer);
}

tsnn_status tsnni_predictor_add(tsnn_context *context, tsnn_predictor *predictor, const tsnni_layer_source *source)
{
    tsnni_runtime *runtime = &context->runtime;
    int64_t l = predictor->count;
    tsnni_packed_layer *layer = &predictor->layers[l];
    const int32_t *input_order = l > 0 ? layer[-1].order : NULL;
    tsnni_packing packing = {predictor->options.pack != TSNN_PACK_BATCH, predictor->options.pack != TSNN_PACK_SINGLE};
    char name[32];
    tsnn_status status;
    snprintf(name, sizeof name, "layer %lld", (long long)l);
    TSNNI_TRY(tsnni_packed_layer_build(runtime, source, input_order, &packing, name, layer));
    predictor->count++;
    add_sizes(predictor, layer);
    if (l == 0 && predictor->options.skip_zeros && !layer->dense) {
        TSNNI_TRY(tsnni_packed_inputs_build(runtime, source, layer, predictor->shift, predictor->scale,
                                            &predictor->by_input));
        predictor->skip_zeros = 1;
        predictor->bytes += layer->connections * (int64_t)(sizeof(float) + (size_t)predictor->by_input.place.width);
    }
    return TSNN_OK;
fail:
    return status;
}

void tsnn_predictor_destroy(tsnn_predictor **predictor)
{
    if (predictor == NULL || *predictor == NULL)
        return;
    tsnni_runtime runtime = (*predictor)->runtime;
    for (int64_t l = 0; l < (*predictor)->count; l++)
        tsnni_packed_layer_free(&runtime, &(*predictor)->layers[l]);
    tsnni_packed_inputs_free(&runtime, &(*predictor)->by_input);
    tsnni_release(&runtime, (*predictor)->layers);
    tsnni_release(&runtime, (*predictor)->shift);
    tsnni_release(&runtime, (*predictor)->scale);
    tsnni_source_close(&(*predictor)->source);
    tsnni_release(&runtime, *predictor);
    *predictor = NULL;
}

tsnn_status tsnn_predictor_get_info(const tsnn_predictor *predictor, tsnn_predictor_info *info)
{
    if (predictor == NULL || info == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnn_predictor_info known = TSNN_PREDICTOR_INFO_INIT;
    known.isa = (int32_t)predictor->kernels->isa;
    known.layers = predictor->count;
    known.inputs = tsnni_predictor_inputs(predictor);
    known.outputs = tsnni_predictor_outputs(predictor);
    known.connections = predictor->connections;
    known.bytes = predictor->bytes;
    known.borrowed = predictor->borrowed;
    return tsnni_info_write(NULL, info, &known, sizeof known, "tsnn_predictor_info");
}

/* ---- plain arrays ---- */

/* The struct may be of another version, so the array is walked by the size that its elements tell. */
static tsnn_status read_layer(tsnni_runtime *runtime, const tsnn_predictor_layer *layers, int64_t l,
                              tsnni_layer_source *out)
{
    tsnn_predictor_layer given;
    uint32_t size = layers->struct_size, own;
    const void *at = (const char *)layers + (size_t)l * size; /* of any alignment, if the size is a strange one */
    tsnn_status status;
    memcpy(&own, at, sizeof own);
    if (own != size)
        TSNNI_FAIL(runtime, TSNN_ERROR_STRUCT_SIZE, "layer %lld: struct_size is %u, but that of layer 0 is %u",
                   (long long)l, (unsigned)own, (unsigned)size);
    TSNNI_TRY(tsnni_options_read(runtime, at, &given, sizeof given, "tsnn_predictor_layer"));
    if (given.reserved != 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "layer %lld: reserved is %d; it must be 0", (long long)l,
                   (int)given.reserved);
    if (given.row_ptr == NULL || (given.values == NULL && given.connections > 0))
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "layer %lld: %s is NULL", (long long)l,
                   given.row_ptr == NULL ? "row_ptr" : "values");
    TSNNI_TRY(tsnni_csr_validate(runtime, given.inputs, given.outputs, given.connections, given.row_ptr, given.column,
                                 given.values));
    *out = (tsnni_layer_source){.inputs = given.inputs,
                                .outputs = given.outputs,
                                .connections = given.connections,
                                .row_ptr = given.row_ptr,
                                .column = {(void *)given.column, sizeof *given.column}, /* only read */
                                .values = given.values,
                                .bias = given.bias};
    out->activation.kind = TSNN_ACTIVATION_IDENTITY;
    if (given.activation != NULL)
        out->activation = given.activation->rule;
    if (l > 0 && out[-1].outputs != given.inputs)
        TSNNI_FAIL(runtime, TSNN_ERROR_SHAPE, "layer %lld: %lld inputs, but the layer before gives %lld", (long long)l,
                   (long long)given.inputs, (long long)out[-1].outputs);
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnn_predictor_create_from_layers(tsnn_context *context, const tsnn_predictor_layer *layers, int64_t count,
                                              const float *shift, const float *scale,
                                              const tsnn_predictor_options *options, tsnn_predictor **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &context->runtime;
    tsnni_layer_source *sources = NULL;
    tsnn_predictor_options given;
    tsnn_status status;
    TSNNI_TRY(tsnni_predictor_options_read(runtime, options, &given));
    if (layers == NULL || (shift == NULL) != (scale == NULL))
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "%s is NULL",
                   layers == NULL  ? "layers"
                   : shift == NULL ? "shift, but not scale,"
                                   : "scale, but not shift,");
    if (count < 1 || count > TSNNI_MOST_LAYERS)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "%lld layers; there must be 1..%d", (long long)count,
                   TSNNI_MOST_LAYERS);
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, count, &sources));
    for (int64_t l = 0; l < count; l++)
        TSNNI_TRY(read_layer(runtime, layers, l, sources + l));
    TSNNI_TRY(tsnni_predictor_begin(context, count, &given, out));
    TSNNI_TRY(tsnni_predictor_standardise(context, *out, sources->inputs, shift, scale));
    for (int64_t l = 0; l < count; l++)
        TSNNI_TRY(tsnni_predictor_add(context, *out, &sources[l]));
    status = TSNN_OK;
fail:
    tsnni_release(runtime, sources);
    if (status < 0)
        tsnn_predictor_destroy(out);
    return status;
}
