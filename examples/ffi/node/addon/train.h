/* Functions of JavaScript that learn from samples, and that answer about them. */
#ifndef SPARSE_NN_NODE_TRAIN_H
#define SPARSE_NN_NODE_TRAIN_H

#include <node_api.h>

napi_value train_fit(napi_env env, napi_callback_info info);
napi_value train_evaluate(napi_env env, napi_callback_info info);
napi_value train_predict(napi_env env, napi_callback_info info);
napi_value train_classify(napi_env env, napi_callback_info info);

#endif
