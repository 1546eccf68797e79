/* Reading the parts of a model out of a file. */
#include "model_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "formats/json.h"

const tsnni_word tsnni_activation_words[] = {{"identity", TSNN_ACTIVATION_IDENTITY},
                                             {"relu", TSNN_ACTIVATION_RELU},
                                             {"leaky_relu", TSNN_ACTIVATION_LEAKY_RELU},
                                             {"all_relu", TSNN_ACTIVATION_ALL_RELU},
                                             {"sigmoid", TSNN_ACTIVATION_SIGMOID},
                                             {"tanh", TSNN_ACTIVATION_TANH},
                                             {"softmax", TSNN_ACTIVATION_SOFTMAX},
                                             {"custom", TSNN_ACTIVATION_CUSTOM},
                                             {NULL, 0}};

int32_t tsnni_model_has_alpha(int32_t activation)
{
    return activation == TSNN_ACTIVATION_LEAKY_RELU || activation == TSNN_ACTIVATION_ALL_RELU;
}

/* ---- where the bytes are ---- */

tsnn_status tsnni_model_open(tsnni_runtime *runtime, const tsnni_model_place *place, tsnni_source *source)
{
    tsnn_status status;
    if (place->max_bytes < 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "max_bytes is %lld; it must not be below 0",
                   (long long)place->max_bytes);
    if (place->path != NULL) {
        TSNNI_TRY(tsnni_source_open(runtime, place->path, source));
    } else {
        if (place->size < 0)
            TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "size is %lld; it must not be below 0",
                       (long long)place->size);
        if (place->data == NULL)
            TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "data is NULL");
        *source = tsnni_source_of_memory(place->data, place->size);
    }
    if (place->max_bytes > 0 && source->size > place->max_bytes)
        return tsnni_model_failed(runtime,
                                  tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT, "%lld bytes; max_bytes is %lld",
                                             (long long)source->size, (long long)place->max_bytes),
                                  place->path);
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnni_model_failed(tsnni_runtime *runtime, tsnn_status status, const char *path)
{
    return status < 0 && path != NULL ? tsnni_fail_at(runtime, status, "%.200s", path) : status;
}

tsnn_status tsnni_model_check_format(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t *layers)
{
    int64_t format = 0;
    tsnn_status status;
    TSNNI_TRY(tsnni_model_whole(runtime, file, -1, "format", 1, TSNNI_LARGEST_COUNT, &format));
    if (format > TSNNI_MODEL_FORMAT)
        TSNNI_FAIL(runtime, TSNN_ERROR_UNSUPPORTED, "model format %lld; this version reads up to %d", (long long)format,
                   TSNNI_MODEL_FORMAT);
    TSNNI_TRY(tsnni_model_whole(runtime, file, -1, "layers", 1, TSNNI_MODEL_LAYERS, layers));
    /* before anything is allocated by that number */
    if (*layers > file->tensor_count / TSNNI_MODEL_ARRAYS)
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "tsnn.layers is %lld; %lld tensors are too few for that, at %d a layer",
                   (long long)*layers, (long long)file->tensor_count, TSNNI_MODEL_ARRAYS);
    return TSNN_OK;
fail:
    return status;
}

/* ---- metadata ---- */

/* A key that the format has is never optional: jansson can lose a part of a long string when memory is out, and then
 * says nothing; a key that is not found is how that shows. */
tsnn_status tsnni_model_text(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t layer, const char *key,
                             char name[TSNNI_MODEL_NAME], const char **out)
{
    if (layer >= 0)
        snprintf(name, TSNNI_MODEL_NAME, "tsnn.layers.%lld.%s", (long long)layer, key);
    else
        snprintf(name, TSNNI_MODEL_NAME, "tsnn.%s", key);
    *out = tsnni_safetensors_metadata(file, name);
    return *out != NULL ? TSNN_OK : tsnni_fail(runtime, TSNN_ERROR_FORMAT, "metadata: %s is missing", name);
}

int32_t tsnni_model_digits(const char *text, uint64_t most, uint64_t *out)
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

tsnn_status tsnni_model_whole(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t layer, const char *key,
                              int64_t low, int64_t high, int64_t *out)
{
    char name[TSNNI_MODEL_NAME];
    const char *text;
    uint64_t number = 0;
    tsnn_status status = tsnni_model_text(runtime, file, layer, key, name, &text);
    if (status < 0)
        return status;
    if (!tsnni_model_digits(text, (uint64_t)high, &number) || (int64_t)number < low)
        return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "%s is \"%.40s\"; it must be %lld..%lld", name, text,
                          (long long)low, (long long)high);
    *out = (int64_t)number;
    return TSNN_OK;
}

tsnn_status tsnni_model_real(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t layer, const char *key,
                             double *out)
{
    char name[TSNNI_MODEL_NAME];
    const char *text;
    tsnn_status status = tsnni_model_text(runtime, file, layer, key, name, &text);
    if (status < 0)
        return status;
    if (!tsnni_json_read_real(text, out))
        return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "%s is \"%.40s\"; it must be a number", name, text);
    return TSNN_OK;
}

tsnn_status tsnni_model_word(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t layer, const char *key,
                             const tsnni_word *words, int32_t *out)
{
    char name[TSNNI_MODEL_NAME];
    const char *text;
    tsnn_status status = tsnni_model_text(runtime, file, layer, key, name, &text);
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

tsnn_status tsnni_model_layer_vector(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t layer,
                                     const char *what, tsnni_element element, int32_t needed, const tsnni_tensor **out)
{
    char name[TSNNI_MODEL_NAME];
    snprintf(name, sizeof name, "layers.%lld.%s", (long long)layer, what);
    return find_vector(runtime, file, name, element, needed, out);
}

tsnn_status tsnni_model_copy_vector(tsnni_runtime *runtime, const tsnni_safetensors *file, const tsnni_tensor *tensor,
                                    void **out)
{
    tsnn_status status = tsnni_allocate(runtime, tensor->count, (size_t)tsnni_element_bytes(tensor->element), out);
    return status < 0 ? status : tsnni_safetensors_read(runtime, file, tensor, *out);
}

/* ---- layers ---- */

/* One array of the four. */
static tsnn_status view_or_copy(tsnni_runtime *runtime, const tsnni_safetensors *file, const tsnni_tensor *tensor,
                                tsnni_model_layer *layer, int array, const void **out)
{
    int64_t bytes = tensor->end - tensor->begin;
    *out = tsnni_safetensors_view(file, tensor);
    if (*out != NULL) {
        layer->in_place += bytes;
        return TSNN_OK;
    }
    tsnn_status status = tsnni_model_copy_vector(runtime, file, tensor, &layer->copies[array]);
    *out = layer->copies[array];
    layer->copied += bytes;
    return status;
}

tsnn_status tsnni_model_layer_read(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t l,
                                   tsnni_model_layer *out)
{
    const tsnni_tensor *row_ptr, *col_idx, *values, *bias;
    const void *at[TSNNI_MODEL_ARRAYS] = {NULL};
    tsnn_status status;
    memset(out, 0, sizeof *out);
    TSNNI_TRY(tsnni_model_layer_vector(runtime, file, l, "row_ptr", TSNNI_I64, 1, &row_ptr));
    TSNNI_TRY(tsnni_model_layer_vector(runtime, file, l, "col_idx", TSNNI_I32, 1, &col_idx));
    TSNNI_TRY(tsnni_model_layer_vector(runtime, file, l, "values", TSNNI_F32, 1, &values));
    TSNNI_TRY(tsnni_model_layer_vector(runtime, file, l, "bias", TSNNI_F32, 1, &bias));
    if (row_ptr->count < 2 || bias->count < 1 || col_idx->count != values->count)
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT,
                   "layer %lld: %lld row pointers, %lld biases, %lld column indices, %lld values", (long long)l,
                   (long long)row_ptr->count, (long long)bias->count, (long long)col_idx->count,
                   (long long)values->count);
    const tsnni_tensor *const tensors[TSNNI_MODEL_ARRAYS] = {row_ptr, col_idx, values, bias};
    for (int array = 0; array < TSNNI_MODEL_ARRAYS; array++)
        TSNNI_TRY(view_or_copy(runtime, file, tensors[array], out, array, &at[array]));
    out->inputs = row_ptr->count - 1;
    out->outputs = bias->count;
    out->connections = values->count;
    out->row_ptr = at[0];
    out->column = at[1];
    out->values = at[2];
    out->bias = at[3];
    return TSNN_OK;
fail:
    tsnni_model_layer_free(runtime, out);
    return status;
}

void tsnni_model_layer_free(tsnni_runtime *runtime, tsnni_model_layer *layer)
{
    for (int array = 0; array < TSNNI_MODEL_ARRAYS; array++)
        tsnni_release(runtime, layer->copies[array]);
    memset(layer, 0, sizeof *layer);
}

tsnn_status tsnni_model_activation(tsnn_context *context, const tsnni_safetensors *file, int64_t l,
                                   const tsnni_activation_rule *custom, tsnn_activation **out)
{
    tsnni_runtime *runtime = &context->runtime;
    tsnn_activation_options options = TSNN_ACTIVATION_OPTIONS_INIT;
    tsnn_status status;
    TSNNI_TRY(tsnni_model_word(runtime, file, l, "activation", tsnni_activation_words, &options.kind));
    if (tsnni_model_has_alpha(options.kind))
        TSNNI_TRY(tsnni_model_real(runtime, file, l, "alpha", &options.alpha));
    if (options.kind == TSNN_ACTIVATION_CUSTOM) {
        if (custom == NULL || custom->kind != TSNN_ACTIVATION_CUSTOM)
            TSNNI_FAIL(runtime, TSNN_ERROR_UNSUPPORTED,
                       "layer %lld has a custom activation, which a file cannot hold; give it in the options",
                       (long long)l);
        options.function = custom->function;
        options.derivative = custom->derivative;
        options.user = custom->user;
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

tsnn_status tsnni_model_standardizer(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t inputs,
                                     float **shift, float **scale)
{
    const tsnni_tensor *mean, *inverse;
    tsnn_status status;
    TSNNI_TRY(find_vector(runtime, file, "inputs.mean", TSNNI_F32, 0, &mean));
    TSNNI_TRY(find_vector(runtime, file, "inputs.scale", TSNNI_F32, mean != NULL, &inverse));
    if ((mean == NULL) != (inverse == NULL))
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "inputs.scale without inputs.mean");
    if (mean == NULL)
        return TSNN_OK;
    if (mean->count != inputs || inverse->count != inputs)
        TSNNI_FAIL(runtime, TSNN_ERROR_SHAPE, "inputs.mean has %lld numbers, inputs.scale %lld, for %lld inputs",
                   (long long)mean->count, (long long)inverse->count, (long long)inputs);
    TSNNI_TRY(tsnni_model_copy_vector(runtime, file, mean, (void **)shift));
    TSNNI_TRY(tsnni_model_copy_vector(runtime, file, inverse, (void **)scale));
    for (int64_t f = 0; f < inputs; f++)
        if (!isfinite((*shift)[f]) || !isfinite((*scale)[f]) || !((*scale)[f] > 0.0f))
            TSNNI_FAIL(runtime, TSNN_ERROR_NOT_FINITE, "input %lld: mean %g, scale %g", (long long)f,
                       (double)(*shift)[f], (double)(*scale)[f]);
    return TSNN_OK;
fail:
    return status;
}
