/* What workers and a server hand each other: topologies, weights and gradients, as flat arrays of numbers or from layer
 * to layer. Nothing here allocates. */
#ifndef TSNNI_TRANSFER_H
#define TSNNI_TRANSFER_H

#include "gradient.h"
#include "network.h"

/* Copies a pattern with its index from a layer to another of the same size, and the version with it. */
void tsnni_transfer_topology(const tsnn_layer *from, tsnn_layer *to);

/* Numbers that a gradient of the network has, and that tsnni_transfer_pack_weights() writes: connections + biases. */
int64_t tsnni_transfer_size(const tsnn_network *network);

/* Layer by layer, connections in CSR order, then biases. The arrays hold tsnni_transfer_size() numbers. The network or
 * gradient that is read into has the topology of the one that was written from. */
void tsnni_transfer_pack_weights(const tsnn_network *network, float *flat);
void tsnni_transfer_unpack_weights(const float *flat, tsnn_network *network);
void tsnni_transfer_pack_gradient(const tsnn_gradient *gradient, float *flat);
void tsnni_transfer_unpack_gradient(const float *flat, tsnn_gradient *gradient);

#endif
