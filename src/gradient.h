/* Inside of a gradient. */
#ifndef TSNNI_GRADIENT_H
#define TSNNI_GRADIENT_H

#include <tsnn/gradient.h>

#include "core/runtime.h"

typedef struct tsnni_layer_gradient {
    float *weights, *bias;
    int64_t connections, outputs;
    uint64_t version; /* of the topology that the numbers belong to */
} tsnni_layer_gradient;

struct tsnn_gradient {
    tsnn_context *context;
    tsnni_layer_gradient *layers;
    int64_t count;
};

/* Connections of all layers. */
int64_t tsnni_gradient_weights(const tsnn_gradient *gradient);

/* 1 when the gradient belongs to the topology that the network has now. */
int32_t tsnni_gradient_fits(const tsnn_gradient *gradient, const tsnn_network *network);

#endif
