/* A network with a context of its own: made, loaded, saved, described, given back. */
#include "model.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Tells our handles from other objects. */
static const napi_type_tag tag = {0x7c1de3a09b5f4d21u, 0x8e46a2c77f0b93d5u};

/* Models of all threads that are not given back yet. */
static atomic_int live;

static void give_back(model *held)
{
    if (held->context != NULL)
        atomic_fetch_sub(&live, 1);
    tsnn_network_destroy(&held->network);
    tsnn_context_destroy(&held->context);
}

static void finalize(napi_env env, void *data, void *hint)
{
    model *held = data;
    int64_t ignored;
    (void)hint;
    if (held->busy)
        return; /* the process is ending inside a callback of fit(), whose frames still use it */
    napi_adjust_external_memory(env, -held->told, &ignored);
    give_back(held);
    free(held);
}

bool model_of(napi_env env, napi_value handle, model **out)
{
    bool ours = false;
    void *data = NULL;
    napi_valuetype type;
    if (napi_typeof(env, handle, &type) != napi_ok || type != napi_object ||
        napi_check_object_type_tag(env, handle, &tag, &ours) != napi_ok || !ours ||
        napi_unwrap(env, handle, &data) != napi_ok) {
        napi_throw_type_error(env, NULL, "not a handle of a network");
        return false;
    }
    *out = data;
    if ((*out)->network == NULL) {
        js_throw(env, TSNN_ERROR_STATE, "this network is closed");
        return false;
    }
    return true;
}

/* A model with a context and no network yet. */
static model *begin(napi_env env, napi_value options)
{
    tsnn_context_options given = TSNN_CONTEXT_OPTIONS_INIT;
    int64_t seed = 0;
    if (!js_option_whole(env, options, "seed", &seed) || !js_option_small(env, options, "threads", &given.threads))
        return NULL;
    if (seed < 0) {
        js_throw(env, TSNN_ERROR_INVALID_ARGUMENT, "seed must not be negative");
        return NULL;
    }
    given.seed = (uint64_t)seed;
    model *made = calloc(1, sizeof *made);
    if (made == NULL) {
        js_throw(env, TSNN_ERROR_OUT_OF_MEMORY, tsnn_status_string(TSNN_ERROR_OUT_OF_MEMORY));
        return NULL;
    }
    tsnn_status status = tsnn_context_create(&given, &made->context);
    if (status < 0) {
        js_throw_status(env, NULL, status);
        free(made);
        return NULL;
    }
    atomic_fetch_add(&live, 1);
    return made;
}

/* The model as an object of JavaScript, which frees it in the end. On failure it is freed at once. */
static napi_value finish(napi_env env, model *made, tsnn_status status)
{
    napi_value handle;
    int64_t ignored;
    made->info = (tsnn_network_info)TSNN_NETWORK_INFO_INIT;
    if (status >= 0)
        status = tsnn_network_get_info(made->network, &made->info);
    if (status < 0) {
        js_throw_status(env, made->context, status);
    } else if (napi_create_object(env, &handle) == napi_ok && napi_type_tag_object(env, handle, &tag) == napi_ok &&
               napi_wrap(env, handle, made, finalize, NULL, NULL) == napi_ok) {
        made->told = made->info.bytes;
        napi_adjust_external_memory(env, made->told, &ignored);
        return handle;
    } else {
        js_throw(env, TSNN_ERROR_OUT_OF_MEMORY, "no handle could be made");
    }
    give_back(made);
    free(made);
    return NULL;
}

static const js_word activations[] = {{"all_relu", TSNN_ACTIVATION_ALL_RELU},
                                      {"relu", TSNN_ACTIVATION_RELU},
                                      {"leaky_relu", TSNN_ACTIVATION_LEAKY_RELU},
                                      {"sigmoid", TSNN_ACTIVATION_SIGMOID},
                                      {"tanh", TSNN_ACTIVATION_TANH},
                                      {"identity", TSNN_ACTIVATION_IDENTITY},
                                      {"softmax", TSNN_ACTIVATION_SOFTMAX},
                                      {NULL, 0}};

/* The network of a fresh model, by the options. */
static tsnn_status draw_network(model *made, tsnn_mlp_options *shape, int32_t hidden, int32_t output)
{
    tsnn_activation *first = NULL, *last = NULL;
    tsnn_activation_options options = TSNN_ACTIVATION_OPTIONS_INIT;
    options.kind = hidden;
    tsnn_status status = tsnn_activation_create(made->context, &options, &first);
    options.kind = output;
    if (status >= 0)
        status = tsnn_activation_create(made->context, &options, &last);
    shape->hidden = first;
    shape->output = last;
    if (status >= 0)
        status = tsnn_network_create_mlp(made->context, shape, &made->network);
    tsnn_activation_destroy(&first);
    tsnn_activation_destroy(&last);
    return status;
}

/* create(sizes, options): a handle. */
napi_value model_create(napi_env env, napi_callback_info info)
{
    napi_value arguments[2], handle = NULL;
    int64_t *sizes = NULL;
    tsnn_mlp_options shape = TSNN_MLP_OPTIONS_INIT;
    int32_t hidden = TSNN_ACTIVATION_ALL_RELU, output = TSNN_ACTIVATION_SOFTMAX;
    model *made;
    if (!js_arguments(env, info, 2, arguments) ||
        !js_option_word(env, arguments[1], "activation", activations, &hidden) ||
        !js_option_word(env, arguments[1], "output", activations, &output) ||
        !js_option_number(env, arguments[1], "epsilon", &shape.epsilon) ||
        !js_option_number(env, arguments[1], "dropout", &shape.dropout) ||
        !js_whole_numbers(env, arguments[0], "sizes", &sizes, &shape.size_count))
        return NULL;
    shape.sizes = sizes;
    made = begin(env, arguments[1]);
    if (made != NULL)
        handle = finish(env, made, draw_network(made, &shape, hidden, output));
    free(sizes);
    return handle;
}

/* load(path or Uint8Array, options): a handle. */
napi_value model_load(napi_env env, napi_callback_info info)
{
    napi_value arguments[2], handle = NULL;
    bool is_typed = false;
    char *path = NULL;
    void *bytes = NULL;
    int64_t size = 0;
    tsnn_load_options options = TSNN_LOAD_OPTIONS_INIT;
    if (!js_arguments(env, info, 2, arguments) || !js_option_whole(env, arguments[1], "maxBytes", &options.max_bytes) ||
        napi_is_typedarray(env, arguments[0], &is_typed) != napi_ok)
        return NULL;
    model *made = begin(env, arguments[1]);
    if (made == NULL)
        return NULL;
    if (is_typed ? !js_array(env, arguments[0], "bytes", napi_uint8_array, &bytes, &size)
                 : !js_text(env, arguments[0], "path", &path)) {
        give_back(made);
        free(made);
        return NULL;
    }
    handle = finish(env, made,
                    is_typed ? tsnn_network_load_memory(made->context, bytes, size, &options, &made->network)
                             : tsnn_network_load(made->context, path, &options, &made->network));
    free(path);
    return handle;
}

/* save(handle, path, key, text): a text of the caller's own goes along where a key is given. */
napi_value model_save(napi_env env, napi_callback_info info)
{
    napi_value arguments[4];
    model *held;
    napi_valuetype type;
    char *path = NULL, *key = NULL, *text = NULL;
    tsnn_save_options options = TSNN_SAVE_OPTIONS_INIT;
    if (!js_arguments(env, info, 4, arguments) || !model_of(env, arguments[0], &held) ||
        napi_typeof(env, arguments[2], &type) != napi_ok)
        return NULL;
    if (js_text(env, arguments[1], "path", &path) &&
        (type == napi_undefined ||
         (js_text(env, arguments[2], "key", &key) && js_text(env, arguments[3], "text", &text)))) {
        const char *pair[] = {key, text};
        options.metadata = pair;
        options.metadata_count = key == NULL ? 0 : 1;
        tsnn_status status = tsnn_network_save(held->network, &options, path);
        if (status < 0)
            js_throw_status(env, held->context, status);
    }
    free(path);
    free(key);
    free(text);
    return NULL;
}

/* toBytes(handle): an ArrayBuffer with what save() writes. */
napi_value model_to_bytes(napi_env env, napi_callback_info info)
{
    napi_value argument, buffer;
    model *held;
    void *data = NULL;
    int64_t size = 0;
    if (!js_arguments(env, info, 1, &argument) || !model_of(env, argument, &held))
        return NULL;
    tsnn_status status = tsnn_network_save_memory(held->network, NULL, NULL, 0, &size);
    if (status >= 0) {
        if (napi_create_arraybuffer(env, (size_t)size, &data, &buffer) != napi_ok) {
            js_throw(env, TSNN_ERROR_OUT_OF_MEMORY, tsnn_status_string(TSNN_ERROR_OUT_OF_MEMORY));
            return NULL;
        }
        status = tsnn_network_save_memory(held->network, NULL, data, size, &size);
    }
    if (status < 0) {
        js_throw_status(env, held->context, status);
        return NULL;
    }
    return buffer;
}

/* metadata(handle, path, key): the text of this key in a model file. */
napi_value model_metadata(napi_env env, napi_callback_info info)
{
    napi_value arguments[3], result = NULL;
    model *held;
    char *path = NULL, *key = NULL, *text = NULL;
    int64_t size = 0;
    if (!js_arguments(env, info, 3, arguments) || !model_of(env, arguments[0], &held))
        return NULL;
    if (js_text(env, arguments[1], "path", &path) && js_text(env, arguments[2], "key", &key)) {
        tsnn_status status = tsnn_model_get_metadata(held->context, path, key, NULL, 0, &size);
        if (status >= 0 && (text = malloc((size_t)size)) == NULL)
            js_throw(env, TSNN_ERROR_OUT_OF_MEMORY, tsnn_status_string(TSNN_ERROR_OUT_OF_MEMORY));
        else if (status < 0 || (status = tsnn_model_get_metadata(held->context, path, key, text, size, NULL)) < 0)
            js_throw_status(env, held->context, status);
        else
            napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &result);
    }
    free(path);
    free(key);
    free(text);
    return result;
}

/* info(handle): what the network is. */
napi_value model_info(napi_env env, napi_callback_info info)
{
    napi_value argument, object;
    model *held;
    if (!js_arguments(env, info, 1, &argument) || !model_of(env, argument, &held))
        return NULL;
    tsnn_network_info size = TSNN_NETWORK_INFO_INIT;
    tsnn_status status = tsnn_network_get_info(held->network, &size);
    if (status < 0 || napi_create_object(env, &object) != napi_ok) {
        js_throw_status(env, held->context, status < 0 ? status : TSNN_ERROR_OUT_OF_MEMORY);
        return NULL;
    }
    js_set(env, object, "layers", (double)size.layers);
    js_set(env, object, "inputs", (double)size.inputs);
    js_set(env, object, "outputs", (double)size.outputs);
    js_set(env, object, "neurons", (double)size.neurons);
    js_set(env, object, "connections", (double)size.connections);
    js_set(env, object, "bytes", (double)size.bytes);
    return object;
}

/* close(handle): gives the network back now; closing again does nothing. */
napi_value model_close(napi_env env, napi_callback_info info)
{
    napi_value argument;
    bool ours = false;
    void *data = NULL;
    if (!js_arguments(env, info, 1, &argument))
        return NULL;
    if (napi_check_object_type_tag(env, argument, &tag, &ours) == napi_ok && ours &&
        napi_unwrap(env, argument, &data) == napi_ok) {
        if (((model *)data)->busy)
            js_throw(env, TSNN_ERROR_STATE, "this network is being trained; it can be closed after fit() has returned");
        else
            give_back(data);
    }
    return NULL;
}

/* live(): models that are not given back yet. */
napi_value model_live(napi_env env, napi_callback_info info)
{
    napi_value number = NULL;
    (void)info;
    napi_create_int32(env, atomic_load(&live), &number);
    return number;
}
