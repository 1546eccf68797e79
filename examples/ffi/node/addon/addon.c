/* The addon: its functions by name, and the statuses. sparse_nn.js makes classes of them. */
#include "model.h"
#include "train.h"

static const struct {
    const char *name;
    napi_callback function;
} functions[] = {
    {"create", model_create},     {"load", model_load},         {"save", model_save},
    {"toBytes", model_to_bytes},  {"metadata", model_metadata}, {"info", model_info},
    {"close", model_close},       {"live", model_live},         {"fit", train_fit},
    {"evaluate", train_evaluate}, {"predict", train_predict},   {"classify", train_classify},
};

static const js_word statuses[] = {
    {"OUT_OF_MEMORY", TSNN_ERROR_OUT_OF_MEMORY},
    {"OVERFLOW", TSNN_ERROR_OVERFLOW},
    {"NULL_ARGUMENT", TSNN_ERROR_NULL_ARGUMENT},
    {"INVALID_ARGUMENT", TSNN_ERROR_INVALID_ARGUMENT},
    {"STRUCT_SIZE", TSNN_ERROR_STRUCT_SIZE},
    {"BUFFER_TOO_SMALL", TSNN_ERROR_BUFFER_TOO_SMALL},
    {"SHAPE", TSNN_ERROR_SHAPE},
    {"STRUCTURE", TSNN_ERROR_STRUCTURE},
    {"NOT_FINITE", TSNN_ERROR_NOT_FINITE},
    {"LABEL", TSNN_ERROR_LABEL},
    {"STATE", TSNN_ERROR_STATE},
    {"UNSUPPORTED", TSNN_ERROR_UNSUPPORTED},
    {"CALLBACK", TSNN_ERROR_CALLBACK},
    {"IO", TSNN_ERROR_IO},
    {"FORMAT", TSNN_ERROR_FORMAT},
    {"COMMUNICATION", TSNN_ERROR_COMMUNICATION},
};

/* By this name Node finds it. Once for each thread of JavaScript that loads the addon: threads share nothing. */
NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports);

napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
    napi_value function, table;
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL, &function) !=
                napi_ok ||
            napi_set_named_property(env, exports, functions[i].name, function) != napi_ok)
            return NULL;
    if (napi_create_object(env, &table) != napi_ok)
        return NULL;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        js_set(env, table, statuses[i].word, statuses[i].number);
    napi_set_named_property(env, exports, "status", table);
    return exports;
}
