/* Networks from and to checkpoints of PyTorch: which tensors belong to which layer. The layers themselves are read by
 * import.c and written through layer_view.c. */
#include <tsnn/checkpoint.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "formats/safetensors.h"
#include "import.h"
#include "layer_view.h"
#include "network.h"

tsnn_status tsnn_checkpoint_import_options_init(tsnn_checkpoint_import_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_checkpoint_import_options)TSNN_CHECKPOINT_IMPORT_OPTIONS_INIT;
    return TSNN_OK;
}

tsnn_status tsnn_checkpoint_export_options_init(tsnn_checkpoint_export_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_checkpoint_export_options)TSNN_CHECKPOINT_EXPORT_OPTIONS_INIT;
    return TSNN_OK;
}

/* ---- names ---- */

/* The names of one layer's tensors. */
typedef struct tensor_names {
    char weight[TSNNI_TENSOR_NAME], original[TSNNI_TENSOR_NAME], mask[TSNNI_TENSOR_NAME];
    char bias[TSNNI_TENSOR_NAME], bias_original[TSNNI_TENSOR_NAME], bias_mask[TSNNI_TENSOR_NAME];
} tensor_names;

static tsnn_status name_tensors(tsnni_runtime *runtime, const char *const *names, int64_t layer, tensor_names *out)
{
    char own[64];
    const char *name = own;
    tsnn_status status;
    snprintf(own, sizeof own, "layers.%lld", (long long)layer);
    if (names != NULL && names[layer] == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "names[%lld] is NULL", (long long)layer);
    if (names != NULL)
        name = names[layer];
    if (strlen(name) + sizeof ".weight_orig" > TSNNI_TENSOR_NAME)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "names[%lld] has %lld bytes; at most %d are taken",
                   (long long)layer, (long long)strlen(name), TSNNI_TENSOR_NAME - (int)sizeof ".weight_orig");
    snprintf(out->weight, sizeof out->weight, "%s.weight", name);
    snprintf(out->original, sizeof out->original, "%s.weight_orig", name);
    snprintf(out->mask, sizeof out->mask, "%s.weight_mask", name);
    snprintf(out->bias, sizeof out->bias, "%s.bias", name);
    snprintf(out->bias_original, sizeof out->bias_original, "%s.bias_orig", name);
    snprintf(out->bias_mask, sizeof out->bias_mask, "%s.bias_mask", name);
    return TSNN_OK;
fail:
    return status;
}

/* Names without a count, and a count without names. */
static tsnn_status check_names(tsnni_runtime *runtime, const char *const *names, int64_t count)
{
    if ((names == NULL) != (count == 0) || count < 0 || count > TSNNI_MAX_LAYERS)
        return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT, "name_count is %lld %s names; 0 to %d layers are taken",
                          (long long)count, names == NULL ? "without" : "with", TSNNI_MAX_LAYERS);
    return TSNN_OK;
}

/* ---- import ---- */

typedef struct import_call {
    tsnn_context *context;
    tsnn_checkpoint_import_options options;
    tsnni_source source;
    tsnni_safetensors file;
    tsnn_import_report report;
} import_call;

static const char *present(const import_call *call, const char *name)
{
    return tsnni_safetensors_find(&call->file, name) != NULL ? name : NULL;
}

/* Layers of the default names that the file has. */
static tsnn_status count_layers(import_call *call, int64_t *count)
{
    tsnni_runtime *runtime = &call->context->runtime;
    tensor_names tensors;
    tsnn_status status;
    *count = call->options.name_count;
    if (call->options.names != NULL)
        return TSNN_OK;
    for (;; ++*count) {
        TSNNI_TRY(name_tensors(runtime, NULL, *count, &tensors));
        if (*count == TSNNI_MAX_LAYERS || (!present(call, tensors.weight) && !present(call, tensors.original)))
            break;
    }
    if (*count == 0)
        return tsnni_fail_at(runtime, tsnni_safetensors_lacks(runtime, &call->file, tensors.weight), "names is NULL");
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status import_layer(import_call *call, int64_t index, double threshold, tsnn_import_report *report,
                                tsnn_layer **out)
{
    tsnn_import_options options = TSNN_IMPORT_OPTIONS_INIT;
    tensor_names tensors;
    tsnn_status status;
    TSNNI_TRY(name_tensors(&call->context->runtime, call->options.names, index, &tensors));
    options.weights = present(call, tensors.original) ? tensors.original : tensors.weight;
    options.bias = present(call, tensors.bias_original);
    if (options.bias == NULL)
        options.bias = present(call, tensors.bias);
    options.mask = present(call, tensors.mask);
    options.threshold = threshold;
    options.rows = TSNN_ROWS_ARE_OUTPUTS;
    options.max_bytes = call->options.max_bytes;
    TSNNI_TRY(tsnni_layer_import_tensors(call->context, &call->file, &options, present(call, tensors.bias_mask), report,
                                         out));
fail:
    return status;
}

/* The network that keeps what is above the threshold; *report gets the sums. */
static tsnn_status build(import_call *call, int64_t layers, double threshold, tsnn_import_report *report,
                         tsnn_network **out)
{
    tsnn_activation_options relu = TSNN_ACTIVATION_OPTIONS_INIT, softmax = TSNN_ACTIVATION_OPTIONS_INIT;
    tsnn_activation *hidden = NULL, *output = NULL;
    tsnn_layer *layer = NULL;
    tsnn_status status;
    relu.kind = TSNN_ACTIVATION_RELU;
    softmax.kind = TSNN_ACTIVATION_SOFTMAX;
    TSNNI_TRY(tsnn_activation_create(call->context, &relu, &hidden));
    TSNNI_TRY(tsnn_activation_create(call->context, &softmax, &output));
    TSNNI_TRY(tsnn_network_create(call->context, out));
    for (int64_t l = 0; l < layers; l++) {
        int32_t last = l == layers - 1;
        const tsnn_activation *given = last ? call->options.output : call->options.hidden;
        tsnn_import_report part = TSNN_IMPORT_REPORT_INIT;
        TSNNI_TRY(import_layer(call, l, threshold, &part, &layer));
        TSNNI_TRY(tsnn_network_append(*out, &layer,
                                      given != NULL ? given
                                      : last        ? output
                                                    : hidden,
                                      last ? 0.0 : call->options.dropout));
        report->format = part.format;
        report->entries += part.entries;
        report->connections += part.connections;
        report->dropped += part.dropped;
    }
    report->inputs = tsnni_network_inputs(*out);
    report->outputs = tsnni_network_outputs(*out);
fail:
    if (status < 0)
        tsnn_network_destroy(out);
    tsnn_layer_destroy(&layer);
    tsnn_activation_destroy(&hidden);
    tsnn_activation_destroy(&output);
    return status;
}

/* Predicts the batch by the network as it is in the file and by what was made of it. */
static tsnn_status measure(import_call *call, int64_t layers, const tsnn_network *network)
{
    tsnni_runtime *runtime = &call->context->runtime;
    tsnn_import_report all = TSNN_IMPORT_REPORT_INIT;
    tsnn_network *whole = NULL;
    float *wanted = NULL, *got = NULL;
    int64_t samples = call->options.samples, numbers = 0, streams = call->context->streams;
    tsnn_status status;
    if (tsnni_multiply(samples, call->report.outputs, &numbers) < 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_OVERFLOW, "%lld samples", (long long)samples);
    TSNNI_TRY(build(call, layers, 0.0, &all, &whole));
    TSNNI_TRY(TSNNI_NEW(runtime, numbers, &wanted));
    TSNNI_TRY(TSNNI_NEW(runtime, numbers, &got));
    TSNNI_TRY(tsnn_network_predict(whole, call->options.features, samples, wanted, numbers));
    TSNNI_TRY(tsnn_network_predict(network, call->options.features, samples, got, numbers));
    for (int64_t k = 0; k < numbers; k++)
        call->report.largest_difference =
            fmax(call->report.largest_difference, fabs((double)wanted[k] - (double)got[k]));
fail:
    tsnni_release(runtime, wanted);
    tsnni_release(runtime, got);
    tsnn_network_destroy(&whole);
    call->context->streams = streams; /* the second network counts for nothing */
    return status;
}

static tsnn_status check_import(import_call *call)
{
    const tsnn_checkpoint_import_options *options = &call->options;
    tsnni_runtime *runtime = &call->context->runtime;
    tsnn_status status;
    TSNNI_TRY(check_names(runtime, options->names, options->name_count));
    if (options->path == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "path is NULL");
    if (options->reserved != 0 || options->samples < 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "reserved is %d, samples %lld; wanted 0 and none below 0",
                   (int)options->reserved, (long long)options->samples);
    if (options->features == NULL && options->samples > 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "features is NULL, samples %lld", (long long)options->samples);
fail:
    return status;
}

static tsnn_status read_network(import_call *call, int64_t *layers, tsnn_network **out)
{
    tsnn_status status;
    TSNNI_TRY(tsnni_safetensors_open(&call->context->runtime, &call->source, &call->file));
    TSNNI_TRY(count_layers(call, layers));
    TSNNI_TRY(build(call, *layers, call->options.threshold, &call->report, out));
fail:
    return status;
}

static tsnn_status import_network(import_call *call, tsnn_network **out)
{
    tsnni_runtime *runtime = &call->context->runtime;
    int64_t layers = 0;
    tsnn_status status;
    TSNNI_TRY(check_import(call));
    TSNNI_TRY(tsnni_source_open(runtime, call->options.path, &call->source));
    status = read_network(call, &layers, out);
    if (status < 0)
        return tsnni_fail_at(runtime, status, "%.200s", call->options.path);
    if (call->options.features != NULL)
        TSNNI_TRY(measure(call, layers, *out));
fail:
    return status;
}

tsnn_status tsnn_network_import(tsnn_context *context, const tsnn_checkpoint_import_options *options,
                                tsnn_import_report *report, tsnn_network **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &context->runtime;
    int64_t streams = context->streams;
    import_call call = {
        .context = context, .report = TSNN_IMPORT_REPORT_INIT, .source = tsnni_source_of_memory(NULL, 0)};
    tsnn_status status;
    if (options == NULL)
        return tsnni_fail(runtime, TSNN_ERROR_NULL_ARGUMENT, "options is NULL; an import needs a path");
    TSNNI_TRY(
        tsnni_options_read(runtime, options, &call.options, sizeof call.options, "tsnn_checkpoint_import_options"));
    TSNNI_TRY(import_network(&call, out));
    if (report != NULL)
        TSNNI_TRY(tsnni_info_write(runtime, report, &call.report, sizeof call.report, "tsnn_import_report"));
fail:
    if (status < 0) {
        tsnn_network_destroy(out);
        context->streams = streams; /* the next network draws what it would have drawn */
    }
    tsnni_safetensors_close(runtime, &call.file);
    tsnni_source_close(&call.source);
    return status;
}

/* ---- export ---- */

/* What the plan of one layer points to. */
typedef struct layer_export {
    tsnni_layer_view weights, mask;
} layer_export;

/* The first layer's biases for raw features: b - sum over inputs of w scale shift. */
static void fold_shift(const tsnn_network *network, float *bias)
{
    const tsnn_layer *layer = network->stages[0].layer;
    const tsnni_layer_view by_output = tsnni_layer_view_of(layer, TSNN_ROWS_ARE_OUTPUTS, 0);
    for (int64_t j = 0; j < by_output.rows; j++) {
        double sum = (double)layer->bias[j];
        for (int64_t k = tsnni_layer_view_row(&by_output, j); k < tsnni_layer_view_row(&by_output, j + 1); k++) {
            float weight;
            int64_t input = tsnni_layer_view_entry(&by_output, k, &weight);
            sum -= (double)weight * (double)network->scale[input] * (double)network->shift[input];
        }
        bias[j] = (float)sum;
    }
}

static tsnn_status plan_layer(tsnni_runtime *runtime, tsnni_safetensors_plan *plan, const tensor_names *tensors,
                              const layer_export *each, const float *bias, int32_t masks)
{
    const int64_t shape[2] = {each->weights.rows, each->weights.columns};
    tsnn_status status;
    TSNNI_TRY(tsnni_plan_add_tensor(runtime, plan, tensors->weight, TSNNI_F32, 2, shape, &each->weights,
                                    tsnni_layer_view_write));
    TSNNI_TRY(tsnni_plan_add_tensor(runtime, plan, tensors->bias, TSNNI_F32, 1, shape, bias, NULL));
    if (masks)
        TSNNI_TRY(tsnni_plan_add_tensor(runtime, plan, tensors->mask, TSNNI_U8, 2, shape, &each->mask,
                                        tsnni_layer_view_write));
fail:
    return status;
}

static tsnn_status check_export(const tsnn_network *network, const tsnn_checkpoint_export_options *options)
{
    tsnni_runtime *runtime = &network->context->runtime;
    tsnn_status status;
    TSNNI_TRY(check_names(runtime, options->names, options->name_count));
    if (options->path == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "path is NULL");
    if (options->masks != 0 && options->masks != 1)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "masks is %d, not 0 or 1", (int)options->masks);
    if (network->count == 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_STATE, "the network has no layers");
    if (options->names != NULL && options->name_count != network->count)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "%lld names for %lld layers", (long long)options->name_count,
                   (long long)network->count);
    for (int64_t l = 1; options->names != NULL && l < network->count; l++)
        for (int64_t k = 0; k < l; k++)
            if (options->names[k] != NULL && options->names[l] != NULL &&
                strcmp(options->names[k], options->names[l]) == 0)
                TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "layers %lld and %lld are both called \"%.80s\"",
                           (long long)k, (long long)l, options->names[l]);
fail:
    return status;
}

tsnn_status tsnn_network_export(const tsnn_network *network, const tsnn_checkpoint_export_options *options)
{
    if (network == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &network->context->runtime;
    tsnn_checkpoint_export_options given;
    tsnni_safetensors_plan plan = {0};
    layer_export *layers = NULL;
    tensor_names tensors;
    float *first_bias = NULL;
    tsnn_status status;
    if (options == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "options is NULL; an export needs a path");
    TSNNI_TRY(tsnni_options_read(runtime, options, &given, sizeof given, "tsnn_checkpoint_export_options"));
    TSNNI_TRY(check_export(network, &given));
    TSNNI_TRY(TSNNI_NEW(runtime, network->count, &layers));
    if (network->scale != NULL) {
        TSNNI_TRY(TSNNI_NEW(runtime, network->stages[0].layer->topology.pattern.columns, &first_bias));
        fold_shift(network, first_bias);
    }
    for (int64_t l = 0; l < network->count; l++) {
        const tsnn_layer *layer = network->stages[l].layer;
        layers[l].weights = tsnni_layer_view_of(layer, TSNN_ROWS_ARE_OUTPUTS, 0);
        layers[l].weights.scale = l == 0 ? network->scale : NULL;
        layers[l].mask = tsnni_layer_view_of(layer, TSNN_ROWS_ARE_OUTPUTS, 1);
        TSNNI_TRY(name_tensors(runtime, given.names, l, &tensors));
        TSNNI_TRY(tsnni_layer_view_check(runtime, &layers[l].weights,
                                         l == 0 && first_bias != NULL ? first_bias : layer->bias));
        TSNNI_TRY(plan_layer(runtime, &plan, &tensors, &layers[l],
                             l == 0 && first_bias != NULL ? first_bias : layer->bias, given.masks));
    }
    TSNNI_TRY(tsnni_plan_save(runtime, &plan, given.path));
fail:
    tsnni_plan_free(runtime, &plan);
    tsnni_release(runtime, layers);
    tsnni_release(runtime, first_bias);
    return status;
}
