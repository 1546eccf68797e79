/* Copies between layers, and to and from flat arrays. */
#include "transfer.h"

#include <string.h>

void tsnni_transfer_topology(const tsnn_layer *from, tsnn_layer *to)
{
    const tsnni_pattern *pattern = &from->topology.pattern;
    const tsnni_transpose *transpose = &from->topology.transpose;
    size_t count = (size_t)pattern->count;
    memcpy(to->topology.pattern.row_ptr, pattern->row_ptr, (size_t)(pattern->rows + 1) * sizeof *pattern->row_ptr);
    memcpy(to->topology.pattern.column.data, pattern->column.data, count * (size_t)pattern->column.width);
    memcpy(to->topology.transpose.column_ptr, transpose->column_ptr,
           (size_t)(pattern->columns + 1) * sizeof *transpose->column_ptr);
    memcpy(to->topology.transpose.row.data, transpose->row.data, count * (size_t)transpose->row.width);
    memcpy(to->topology.transpose.position, transpose->position, count * sizeof *transpose->position);
    to->version = from->version;
}

int64_t tsnni_transfer_size(const tsnn_network *network)
{
    int64_t size = 0;
    for (int64_t l = 0; l < network->count; l++) {
        const tsnni_pattern *pattern = &network->stages[l].layer->topology.pattern;
        size += pattern->count + pattern->columns;
    }
    return size;
}

static float *put(float *flat, const float *numbers, int64_t count)
{
    memcpy(flat, numbers, (size_t)count * sizeof *flat);
    return flat + count;
}

static const float *get(const float *flat, float *numbers, int64_t count)
{
    memcpy(numbers, flat, (size_t)count * sizeof *flat);
    return flat + count;
}

void tsnni_transfer_pack_weights(const tsnn_network *network, float *flat)
{
    for (int64_t l = 0; l < network->count; l++) {
        const tsnn_layer *layer = network->stages[l].layer;
        flat = put(flat, layer->topology.values, layer->topology.pattern.count);
        flat = put(flat, layer->bias, layer->topology.pattern.columns);
    }
}

void tsnni_transfer_unpack_weights(const float *flat, tsnn_network *network)
{
    for (int64_t l = 0; l < network->count; l++) {
        tsnn_layer *layer = network->stages[l].layer;
        flat = get(flat, layer->topology.values, layer->topology.pattern.count);
        flat = get(flat, layer->bias, layer->topology.pattern.columns);
    }
}

void tsnni_transfer_pack_gradient(const tsnn_gradient *gradient, float *flat)
{
    for (int64_t l = 0; l < gradient->count; l++) {
        flat = put(flat, gradient->layers[l].weights, gradient->layers[l].connections);
        flat = put(flat, gradient->layers[l].bias, gradient->layers[l].outputs);
    }
}

void tsnni_transfer_unpack_gradient(const float *flat, tsnn_gradient *gradient)
{
    for (int64_t l = 0; l < gradient->count; l++) {
        flat = get(flat, gradient->layers[l].weights, gradient->layers[l].connections);
        flat = get(flat, gradient->layers[l].bias, gradient->layers[l].outputs);
    }
}
