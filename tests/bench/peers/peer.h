/* The interface that every compiled peer implements, one shared object each, and libtsnn too (ours.c): so that one
 * driver checks and times them all alike. Each side prepares what it likes in `create`, which is not timed; `run` is.
 *
 * A create returns NULL when the peer cannot take the case; peer_error() then says why. Arrays that are passed in live
 * until the matching destroy. One thread. */
#ifndef TSNN_BENCH_PEER_H
#define TSNN_BENCH_PEER_H

#include <stdint.h>

#define PEER_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* A layer's weights: CSR, rows = inputs, columns = outputs, columns rising in a row. */
typedef struct peer_matrix {
    int64_t inputs, outputs, connections;
    const int64_t *row_ptr;
    const int32_t *column;
    const float *values;
} peer_matrix;

/* A network with All-ReLU hidden layers, softmax and cross-entropy, momentum, decoupled decay; biases begin at 0. */
typedef struct peer_network {
    int64_t layers;
    const peer_matrix *layer;
    int64_t batch, batches; /* samples a step; step s takes batch number s modulo batches */
    const float *samples;   /* (batches batch) x inputs, row-major */
    const int32_t *labels;  /* batches batch */
    double alpha, dropout, learning_rate, momentum, weight_decay;
} peer_network;

/* Name and version, as the table shows them. */
PEER_API const char *peer_version(void);
/* Why the last create or run failed. */
PEER_API const char *peer_error(void);

/* y = W^T x for a mini-batch: x inputs x batch, y outputs x batch, feature-major (one row of `batch` floats a neuron).
 */
PEER_API void *peer_forward_create(const peer_matrix *weights, int64_t batch, const float *x);
PEER_API int32_t peer_forward_run(void *forward); /* 0 on success */
PEER_API int32_t peer_forward_result(void *forward, float *y);
PEER_API void peer_forward_destroy(void *forward);

/* One whole training step: samples in, weights changed. Only some peers have it. */
PEER_API void *peer_step_create(const peer_network *network);
PEER_API int32_t peer_step_run(void *step, double *loss); /* 0 on success; loss before the update */
PEER_API int32_t peer_step_weights(void *step, int64_t layer, float *values, float *bias); /* CSR order */
PEER_API void peer_step_destroy(void *step);

/* y = W^T x for one sample, as a user serves it. Only some peers have it. */
PEER_API void *peer_predict_create(const peer_matrix *weights, const float *x);
PEER_API int32_t peer_predict_run(void *predict);
PEER_API int32_t peer_predict_result(void *predict, float *y);
PEER_API void peer_predict_destroy(void *predict);

#ifdef __cplusplus
}
#endif

#endif
