/* Inside of a network: its stages, each a layer with an activation and dropout. */
#ifndef TSNNI_NETWORK_H
#define TSNNI_NETWORK_H

#include <tsnn/network.h>

#include "activation.h"
#include "layer.h"

#define TSNNI_KEEP_ALL 256u /* keep_below without dropout */
#define TSNNI_MAX_LAYERS 65536

typedef struct tsnni_stage {
    tsnn_layer *layer;
    tsnni_activation_rule activation; /* of the layer's outputs; the hidden index is the stage's place */
    uint32_t keep_below;              /* of 256; TSNNI_KEEP_ALL without dropout */
} tsnni_stage;

struct tsnn_network {
    tsnn_context *context;
    tsnni_stage *stages;
    int64_t count, capacity;
    int32_t activation_format; /* TSNN_ACTIVATIONS_*: of the inputs and hidden activations while they are computed */
    float *shift, *scale;      /* of the inputs: (x - shift) * scale; both NULL without a standardizer */
};

/* 0 without layers. */
int64_t tsnni_network_inputs(const tsnn_network *network);
int64_t tsnni_network_outputs(const tsnn_network *network);
int64_t tsnni_network_connections(const tsnn_network *network);

/* tsnn_network_copy() into another context, which may be used by another thread. */
tsnn_status tsnni_network_copy(const tsnn_network *network, tsnn_context *context, tsnn_network **out);

#endif
