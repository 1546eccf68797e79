/* A network with a context of its own, as JavaScript holds it. */
#ifndef SPARSE_NN_NODE_MODEL_H
#define SPARSE_NN_NODE_MODEL_H

#include "values.h"

typedef struct model {
    tsnn_context *context;
    tsnn_network *network;
    tsnn_network_info info;
    int64_t told; /* bytes that the garbage collector knows of */
    bool busy;    /* a call of fit() is running */
} model;

/* The open model behind a handle. */
bool model_of(napi_env env, napi_value handle, model **out);

/* The functions of JavaScript that make models and take them away. */
napi_value model_create(napi_env env, napi_callback_info info);
napi_value model_load(napi_env env, napi_callback_info info);
napi_value model_save(napi_env env, napi_callback_info info);
napi_value model_to_bytes(napi_env env, napi_callback_info info);
napi_value model_metadata(napi_env env, napi_callback_info info);
napi_value model_info(napi_env env, napi_callback_info info);
napi_value model_close(napi_env env, napi_callback_info info);
napi_value model_live(napi_env env, napi_callback_info info);

#endif
