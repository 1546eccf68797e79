/* Inside of a sparse layer. Evolution and pruning build a new topology beside the old one and swap it in. */
#ifndef TSNNI_LAYER_H
#define TSNNI_LAYER_H

#include <tsnn/layer.h>

#include "core/random.h"
#include "sparse/pattern.h"
#include "context.h"

/* How fresh weights are drawn. */
typedef struct tsnni_init_rule {
    int32_t init, fan; /* TSNN_INIT_*, TSNN_FAN_* */
} tsnni_init_rule;

/* Everything that changes when the topology does: the pattern and the arrays in its order. */
typedef struct tsnni_topology {
    tsnni_pattern pattern; /* rows: inputs, columns: outputs */
    tsnni_transpose transpose;
    float *values;
    float *velocity; /* NULL until an optimizer with momentum needs it */
} tsnni_topology;

struct tsnn_layer {
    tsnn_context *context;
    tsnni_topology topology;
    float *bias;
    float *bias_velocity; /* NULL together with topology.velocity */
    tsnni_init_rule rule;
    int64_t stream;   /* keys the layer's random numbers */
    uint64_t version; /* of the topology: equal versions of a context are equal patterns */
    int32_t frozen;
    int32_t owned; /* 1 in a network */
};

/* Frees the arrays and zeroes the struct. */
void tsnni_topology_free(tsnni_runtime *runtime, tsnni_topology *topology);

/* Takes over *topology (its transpose may be unset: it is built here), gives the layer a new version, frees the old
 * one. On failure the layer is as it was and the caller keeps *topology; with a transpose nothing can fail. Biases are
 * not touched: a caller who changes the number of columns replaces them. */
tsnn_status tsnni_layer_replace_topology(tsnn_layer *layer, tsnni_topology *topology);

/* Allocates zero velocities, weights and biases both, unless they exist. */
tsnn_status tsnni_layer_need_velocity(tsnn_layer *layer);

/* An independent copy in that context, the layer's own or another, with the same version and stream. */
tsnn_status tsnni_layer_copy(const tsnn_layer *layer, tsnn_context *context, tsnn_layer **out);

/* 1 when every connection exists. */
int32_t tsnni_layer_is_full(const tsnn_layer *layer);

/* The half-width (or deviation) of a rule for a layer of these sizes. */
float tsnni_init_width(const tsnni_init_rule *rule, int64_t inputs, int64_t outputs, int64_t connections);

/* Weights by a rule, the k-th from the k-th numbers of the key's blocks (counter words 0 and 1): the same for any
 * number of threads. */
void tsnni_init_fill(tsnni_runtime *runtime, const tsnni_init_rule *rule, float width, tsnni_random_key key,
                     int64_t count, float *weights);

#endif
