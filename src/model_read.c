/* A network and its training out of tensors and metadata. */
#include "model_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "formats/json.h"

/* ---- metadata ---- */

/* A key that the format has is never optional: jansson can lose a part of a long string when memory is out, and then
 * says nothing; a key that is not found is how that shows. */
static tsnn_status find_text(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t layer, const char *key,
                             char name[TSNNI_MODEL_NAME], const char **out)
{
    if (layer >= 0)
        snprintf(name, TSNNI_MODEL_NAME, "tsnn.layers.%lld.%s", (long long)layer, key);
    else
        snprintf(name, TSNNI_MODEL_NAME, "tsnn.%s", key);
    *out = tsnni_safetensors_metadata(file, name);
    return *out != NULL ? TSNN_OK : tsnni_fail(runtime, TSNN_ERROR_FORMAT, "metadata: %s is missing", name);
}

/* Decimal digits only. */
static int32_t read_digits(const char *text, uint64_t most, uint64_t *out)
{
    uint64_t number = 0;
    if (*text == '\0')
        return 0;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return 0;
        uint64_t digit = (uint64_t)(*text - '0');
        if (digit > most || number > (most - digit) / 10)
            return 0;
        number = 10 * number + digit;
    }
    *out = number;
    return 1;
}

static tsnn_status read_whole(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t layer, const char *key,
                              int64_t low, int64_t high, int64_t *out)
{
    char name[TSNNI_MODEL_NAME];
    const char *text;
    uint64_t number = 0;
    tsnn_status status = find_text(runtime, file, layer, key, name, &text);
    if (status < 0)
        return status;
    if (!read_digits(text, (uint64_t)high, &number) || (int64_t)number < low)
        return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "%s is \"%.40s\"; it must be %lld..%lld", name, text,
                          (long long)low, (long long)high);
    *out = (int64_t)number;
    return TSNN_OK;
}

static tsnn_status read_real(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t layer, const char *key,
                             double *out)
{
    char name[TSNNI_MODEL_NAME];
    const char *text;
    tsnn_status status = find_text(runtime, file, layer, key, name, &text);
    if (status < 0)
        return status;
    if (!tsnni_json_read_real(text, out))
        return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "%s is \"%.40s\"; it must be a number", name, text);
    return TSNN_OK;
}

static tsnn_status read_word(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t layer, const char *key,
                             const tsnni_word *words, int32_t *out)
{
    char name[TSNNI_MODEL_NAME];
    const char *text;
    tsnn_status status = find_text(runtime, file, layer, key, name, &text);
    if (status < 0)
        return status;
    for (; words->text != NULL; words++)
        if (strcmp(words->text, text) == 0) {
            *out = words->value;
            return TSNN_OK;
        }
    return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "%s is \"%.40s\", which this version does not know", name, text);
}

/* ---- tensors ---- */

/* A vector of these elements, or a failure; *out is NULL where there is none and it is not needed. */
static tsnn_status find_vector(tsnni_runtime *runtime, const tsnni_safetensors *file, const char *name,
                               tsnni_element element, int32_t needed, const tsnni_tensor **out)
{
    const tsnni_tensor *tensor = tsnni_safetensors_find(file, name);
    *out = NULL;
    if (tensor == NULL && needed)
        return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "there is no tensor %s", name);
    if (tensor != NULL && (tensor->rank != 1 || tensor->element != element))
        return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "tensor %s: %d dimensions of %s; it must be one of %s", name,
                          (int)tensor->rank, tsnni_element_name(tensor->element), tsnni_element_name(element));
    *out = tensor;
    return TSNN_OK;
}

static tsnn_status find_layer_vector(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t l, const char *what,
                                     tsnni_element element, int32_t needed, const tsnni_tensor **out)
{
    char name[TSNNI_MODEL_NAME];
    snprintf(name, sizeof name, "layers.%lld.%s", (long long)l, what);
    return find_vector(runtime, file, name, element, needed, out);
}

/* A new array with a tensor's elements. */
static tsnn_status load_vector(tsnni_runtime *runtime, const tsnni_safetensors *file, const tsnni_tensor *tensor,
                               void **out)
{
    tsnn_status status = tsnni_allocate(runtime, tensor->count, (size_t)tsnni_element_bytes(tensor->element), out);
    return status < 0 ? status : tsnni_safetensors_read(runtime, file, tensor, *out);
}

static tsnn_status read_velocity(const tsnni_safetensors *file, int64_t l, tsnn_layer *layer)
{
    tsnni_runtime *runtime = &layer->context->runtime;
    const tsnni_tensor *weights, *bias;
    float *weight_numbers = NULL, *bias_numbers = NULL;
    tsnn_status status;
    TSNNI_TRY(find_layer_vector(runtime, file, l, "velocity", TSNNI_F32, 0, &weights));
    TSNNI_TRY(find_layer_vector(runtime, file, l, "bias_velocity", TSNNI_F32, weights != NULL, &bias));
    if ((weights == NULL) != (bias == NULL))
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "layer %lld: bias_velocity without velocity", (long long)l);
    if (weights == NULL)
        return TSNN_OK;
    TSNNI_TRY(load_vector(runtime, file, weights, (void **)&weight_numbers));
    TSNNI_TRY(load_vector(runtime, file, bias, (void **)&bias_numbers));
    TSNNI_TRY(tsnn_layer_set_velocity(layer, weight_numbers, weights->count, bias_numbers, bias->count));
fail:
    tsnni_release(runtime, weight_numbers);
    tsnni_release(runtime, bias_numbers);
    return status;
}

static tsnn_status read_rule(const tsnni_safetensors *file, int64_t l, tsnn_layer *layer)
{
    tsnni_runtime *runtime = &layer->context->runtime;
    int64_t frozen = 0;
    tsnn_status status;
    TSNNI_TRY(read_word(runtime, file, l, "init", tsnni_init_words, &layer->rule.init));
    TSNNI_TRY(read_word(runtime, file, l, "fan", tsnni_fan_words, &layer->rule.fan));
    TSNNI_TRY(read_whole(runtime, file, l, "stream", 1, TSNNI_LARGEST_COUNT, &layer->stream));
    TSNNI_TRY(read_whole(runtime, file, l, "frozen", 0, 1, &frozen));
    layer->frozen = (int32_t)frozen;
    return TSNN_OK;
fail:
    return status;
}

/* Every size comes from tensors that are there: nothing larger than the file is asked for. */
static tsnn_status read_layer(tsnn_context *context, const tsnni_safetensors *file, int64_t l, tsnn_layer **out)
{
    tsnni_runtime *runtime = &context->runtime;
    const tsnni_tensor *row_ptr, *col_idx, *values, *bias;
    int64_t *pointers = NULL;
    int32_t *columns = NULL;
    float *weights = NULL, *biases = NULL;
    tsnn_status status;
    TSNNI_TRY(find_layer_vector(runtime, file, l, "row_ptr", TSNNI_I64, 1, &row_ptr));
    TSNNI_TRY(find_layer_vector(runtime, file, l, "col_idx", TSNNI_I32, 1, &col_idx));
    TSNNI_TRY(find_layer_vector(runtime, file, l, "values", TSNNI_F32, 1, &values));
    TSNNI_TRY(find_layer_vector(runtime, file, l, "bias", TSNNI_F32, 1, &bias));
    if (row_ptr->count < 2 || bias->count < 1 || col_idx->count != values->count)
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT,
                   "layer %lld: %lld row pointers, %lld biases, %lld column indices, %lld values", (long long)l,
                   (long long)row_ptr->count, (long long)bias->count, (long long)col_idx->count,
                   (long long)values->count);
    TSNNI_TRY(load_vector(runtime, file, row_ptr, (void **)&pointers));
    TSNNI_TRY(load_vector(runtime, file, col_idx, (void **)&columns));
    TSNNI_TRY(load_vector(runtime, file, values, (void **)&weights));
    TSNNI_TRY(load_vector(runtime, file, bias, (void **)&biases));
    TSNNI_TRY(tsnn_layer_create_from_csr(context, row_ptr->count - 1, bias->count, values->count, pointers, columns,
                                         weights, biases, TSNN_CHECKED, out));
    TSNNI_TRY(read_rule(file, l, *out));
    TSNNI_TRY(read_velocity(file, l, *out));
fail:
    tsnni_release(runtime, pointers);
    tsnni_release(runtime, columns);
    tsnni_release(runtime, weights);
    tsnni_release(runtime, biases);
    if (status < 0)
        tsnn_layer_destroy(out);
    return status;
}

/* ---- a network ---- */

static tsnn_status read_activation(tsnn_context *context, const tsnni_safetensors *file, int64_t l,
                                   const tsnn_network *like, const tsnn_activation *custom, tsnn_activation **out)
{
    tsnni_runtime *runtime = &context->runtime;
    tsnn_activation_options options = TSNN_ACTIVATION_OPTIONS_INIT;
    tsnn_status status;
    TSNNI_TRY(read_word(runtime, file, l, "activation", tsnni_activation_words, &options.kind));
    if (tsnni_model_has_alpha(options.kind))
        TSNNI_TRY(read_real(runtime, file, l, "alpha", &options.alpha));
    if (options.kind == TSNN_ACTIVATION_CUSTOM) {
        const tsnni_activation_rule *rule = custom != NULL ? &custom->rule : NULL;
        if (like != NULL && l < like->count && like->stages[l].activation.kind == TSNN_ACTIVATION_CUSTOM)
            rule = &like->stages[l].activation;
        if (rule == NULL || rule->kind != TSNN_ACTIVATION_CUSTOM)
            TSNNI_FAIL(runtime, TSNN_ERROR_UNSUPPORTED,
                       "layer %lld has a custom activation, which a file cannot hold; give it in the options",
                       (long long)l);
        options.function = rule->function;
        options.derivative = rule->derivative;
        options.user = rule->user;
    }
    status = tsnn_activation_create(context, &options, out);
    if (status == TSNN_ERROR_INVALID_ARGUMENT)
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "layer %lld: alpha is %g", (long long)l, options.alpha);
    if (status >= 0 && options.alpha == 0.0) /* which the options take for the default */
        (*out)->rule.alpha = 0.0f;
    return status;
fail:
    return status;
}

static tsnn_status read_stage(tsnn_network *network, const tsnni_safetensors *file, int64_t l, const tsnn_network *like,
                              const tsnn_activation *custom)
{
    tsnn_context *context = network->context;
    tsnn_activation *activation = NULL;
    tsnn_layer *layer = NULL;
    double dropout = 0.0;
    tsnn_status status;
    TSNNI_TRY(read_activation(context, file, l, like, custom, &activation));
    TSNNI_TRY(read_real(&context->runtime, file, l, "dropout", &dropout));
    if (!(dropout >= 0.0 && dropout < 1.0))
        TSNNI_FAIL(&context->runtime, TSNN_ERROR_FORMAT, "layer %lld: dropout is %g; it must be in [0, 1)",
                   (long long)l, dropout);
    TSNNI_TRY(read_layer(context, file, l, &layer));
    TSNNI_TRY(tsnn_network_append(network, &layer, activation, dropout));
fail:
    tsnn_layer_destroy(&layer);
    tsnn_activation_destroy(&activation);
    return status;
}

static tsnn_status read_standardizer(tsnn_network *network, const tsnni_safetensors *file)
{
    tsnni_runtime *runtime = &network->context->runtime;
    int64_t inputs = tsnni_network_inputs(network);
    const tsnni_tensor *mean, *scale;
    tsnn_status status;
    TSNNI_TRY(find_vector(runtime, file, "inputs.mean", TSNNI_F32, 0, &mean));
    TSNNI_TRY(find_vector(runtime, file, "inputs.scale", TSNNI_F32, mean != NULL, &scale));
    if ((mean == NULL) != (scale == NULL))
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "inputs.scale without inputs.mean");
    if (mean == NULL)
        return TSNN_OK;
    if (mean->count != inputs || scale->count != inputs)
        TSNNI_FAIL(runtime, TSNN_ERROR_SHAPE, "inputs.mean has %lld numbers, inputs.scale %lld, for %lld inputs",
                   (long long)mean->count, (long long)scale->count, (long long)inputs);
    TSNNI_TRY(load_vector(runtime, file, mean, (void **)&network->shift));
    TSNNI_TRY(load_vector(runtime, file, scale, (void **)&network->scale));
    for (int64_t f = 0; f < inputs; f++)
        if (!isfinite(network->shift[f]) || !isfinite(network->scale[f]) || !(network->scale[f] > 0.0f))
            TSNNI_FAIL(runtime, TSNN_ERROR_NOT_FINITE, "input %lld: mean %g, scale %g", (long long)f,
                       (double)network->shift[f], (double)network->scale[f]);
    return TSNN_OK;
fail:
    return status; /* what is allocated goes with the network */
}

static tsnn_status check_format(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t *layers)
{
    int64_t format = 0;
    tsnn_status status;
    TSNNI_TRY(read_whole(runtime, file, -1, "format", 1, TSNNI_LARGEST_COUNT, &format));
    if (format > TSNNI_MODEL_FORMAT)
        TSNNI_FAIL(runtime, TSNN_ERROR_UNSUPPORTED, "model format %lld; this version reads up to %d", (long long)format,
                   TSNNI_MODEL_FORMAT);
    TSNNI_TRY(read_whole(runtime, file, -1, "layers", 1, TSNNI_MAX_LAYERS, layers));
    return TSNN_OK;
fail:
    return status;
}

/* The stream of a layer that is drawn later must be none of these. */
static int64_t largest_stream(const tsnn_network *network)
{
    int64_t largest = 0;
    for (int64_t l = 0; l < network->count; l++)
        if (network->stages[l].layer->stream > largest)
            largest = network->stages[l].layer->stream;
    return largest;
}

tsnn_status tsnni_model_read(tsnn_context *context, const tsnni_safetensors *file, const tsnn_network *like,
                             const tsnn_activation *custom, tsnn_network **out)
{
    tsnni_runtime *runtime = &context->runtime;
    int64_t layers = 0, streams = context->streams;
    tsnn_network *network = NULL;
    tsnn_status status;
    *out = NULL;
    TSNNI_TRY(check_format(runtime, file, &layers));
    TSNNI_TRY(tsnn_network_create(context, &network));
    for (int64_t l = 0; l < layers; l++)
        TSNNI_TRY(read_stage(network, file, l, like, custom));
    TSNNI_TRY(read_standardizer(network, file));
    context->streams = streams > largest_stream(network) ? streams : largest_stream(network);
    *out = network;
    return TSNN_OK;
fail:
    context->streams = streams;
    tsnn_network_destroy(&network);
    return status;
}

/* ---- training ---- */

tsnn_status tsnni_model_read_training(tsnn_context *context, const tsnni_safetensors *file, tsnni_training_place *place)
{
    tsnni_runtime *runtime = &context->runtime;
    tsnni_epoch_part *part = &place->part;
    char name[TSNNI_MODEL_NAME];
    uint64_t seed = 0;
    const char *text;
    tsnn_status status;
    memset(place, 0, sizeof *place);
    if (find_text(runtime, file, -1, "training.seed", name, &text) < 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_STATE, "the file holds a network, but no training to resume");
    if (!read_digits(text, UINT64_MAX, &seed))
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "%s is \"%.40s\"", name, text);
    if (seed != context->seed)
        TSNNI_FAIL(runtime, TSNN_ERROR_STATE, "trained with seed %llu; this context has %llu", (unsigned long long)seed,
                   (unsigned long long)context->seed);
    const int64_t most = TSNNI_LARGEST_COUNT;
    TSNNI_TRY(read_whole(runtime, file, -1, "training.epochs_done", 0, most, &place->epochs_done));
    TSNNI_TRY(read_whole(runtime, file, -1, "training.passes", 0, most, &place->passes));
    TSNNI_TRY(read_whole(runtime, file, -1, "training.steps_done", 0, most, &part->steps));
    if (part->steps == 0)
        return TSNN_OK;
    TSNNI_TRY(read_whole(runtime, file, -1, "training.samples", 1, most, &part->samples));
    TSNNI_TRY(read_whole(runtime, file, -1, "training.batch", 1, most, &part->batch));
    TSNNI_TRY(read_whole(runtime, file, -1, "training.correct", 0, most, &part->correct));
    TSNNI_TRY(read_real(runtime, file, -1, "training.loss_sum", &part->loss));
    TSNNI_TRY(read_real(runtime, file, -1, "training.learning_rate", &part->learning_rate));
    return TSNN_OK;
fail:
    return status;
}
