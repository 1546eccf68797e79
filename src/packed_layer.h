/* A layer packed for inference: plain CSR arrays in, the order that the packed kernels read out. Knows no network. */
#ifndef TSNNI_PACKED_LAYER_H
#define TSNNI_PACKED_LAYER_H

#include "core/runtime.h"
#include "kernels/kernels.h"
#include "sparse/pattern.h"
#include "activation.h"

/* A layer as plain arrays, borrowed: weights in CSR order, rows = inputs; valid, but the numbers need not be finite. */
typedef struct tsnni_layer_source {
    int64_t inputs, outputs, connections;
    const int64_t *row_ptr;
    tsnni_indices column;
    const float *values;
    const float *bias; /* NULL: zeros */
    tsnni_activation_rule activation;
} tsnni_layer_source;

/* What to build: TSNN_PACK_*. */
typedef struct tsnni_packing {
    int32_t single, batch; /* wanted or not; at least one is */
} tsnni_packing;

/* The entries of a layer in one order, see tsnni_packed. */
typedef struct tsnni_packed_form {
    tsnni_packed_run *runs;
    int64_t run_count, entries;
    tsnni_indices index;
    float *values;
} tsnni_packed_form;

/* A layer that is not packed: the arrays as they come from a file, walked from input to output. */
typedef struct tsnni_layer_in_place {
    const int64_t *row_ptr; /* NULL: the layer is packed */
    const int32_t *column;
    const float *values, *bias;
    void *copies[4]; /* to be freed: arrays that could not be read where they were */
} tsnni_layer_in_place;

typedef struct tsnni_packed_layer {
    int64_t inputs, outputs, connections;
    int32_t dense;           /* tiles in plain.values, and nothing else */
    int32_t far;             /* the inputs of one sample are beyond the nearer caches */
    tsnni_packed_form plain; /* chunk by chunk: for batches, and for single samples unless there is `swept` */
    tsnni_packed_form swept; /* single samples only, in an order that keeps x in the nearer caches; values NULL: none */
    int32_t *order;  /* the output in each place, outputs rounded up to chunks, surplus places -1; dense: NULL */
    int32_t *length; /* connections of the output in each place, for whole chunks */
    float *bias;     /* of the output in each place, for whole chunks */
    tsnni_layer_in_place in_place; /* when it is this, there is nothing of the above but the sizes */
    tsnni_activation_rule activation;
} tsnni_packed_layer;

/* The first layer by inputs, for samples that are mostly zero; shift and scale are folded in. */
typedef struct tsnni_packed_input_layer {
    int64_t *row_ptr;    /* inputs + 1 */
    tsnni_indices place; /* of the output of each connection */
    float *values;       /* w scale */
    float *base;         /* the sums of a sample of zeros, for whole chunks */
} tsnni_packed_input_layer;

/* `input_order` is the order of the layer before (its place p holds input input_order[p]), or NULL. NOT_FINITE for
 * weights or biases that are no numbers, OVERFLOW, OUT_OF_MEMORY; *out is zeroed on failure. `name` is for the text. */
tsnn_status tsnni_packed_layer_build(tsnni_runtime *runtime, const tsnni_layer_source *source,
                                     const int32_t *input_order, const tsnni_packing *packing, const char *name,
                                     tsnni_packed_layer *out);
void tsnni_packed_layer_free(tsnni_runtime *runtime, tsnni_packed_layer *layer);

/* The same layer by inputs; shift and scale may be NULL. Sparse layers only. */
tsnn_status tsnni_packed_inputs_build(tsnni_runtime *runtime, const tsnni_layer_source *source,
                                      const tsnni_packed_layer *layer, const float *shift, const float *scale,
                                      tsnni_packed_input_layer *out);
void tsnni_packed_inputs_free(tsnni_runtime *runtime, tsnni_packed_input_layer *inputs);

/* Outputs rounded up to whole chunks. */
int64_t tsnni_whole_chunks(int64_t outputs);

/* Bytes of the arrays. */
int64_t tsnni_packed_layer_bytes(const tsnni_packed_layer *layer);

#endif
