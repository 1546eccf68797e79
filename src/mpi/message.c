/* Networks as bytes. Sizes follow from the shapes, which come first. */
#include <string.h>

#include "core/memory.h"
#include "mpi/ranks.h"

typedef struct layer_head {
    int64_t rows, columns, count, velocity;
} layer_head;

/* A layer that is to take another's place. */
typedef struct new_layer {
    tsnni_topology topology;
    float *bias, *bias_velocity;
} new_layer;

static layer_head head_of(const tsnn_layer *layer, int32_t parts)
{
    const tsnni_pattern *pattern = &layer->topology.pattern;
    layer_head head = {pattern->rows, pattern->columns, pattern->count,
                       (parts & TSNNI_MPI_VELOCITY) && layer->topology.velocity != NULL};
    return head;
}

static int64_t body_size(const layer_head *head, int32_t parts)
{
    int64_t size = (head->count + head->columns) * (int64_t)sizeof(float) * (head->velocity ? 2 : 1);
    if (parts & TSNNI_MPI_PATTERN)
        size += (head->rows + 1) * (int64_t)sizeof(int64_t) + head->count * tsnni_index_width(head->columns);
    return size;
}

int64_t tsnni_mpi_message_size(const tsnn_network *network, int32_t parts)
{
    int64_t size = 2 * (int64_t)sizeof(int64_t);
    for (int64_t l = 0; l < network->count; l++) {
        layer_head head = head_of(network->stages[l].layer, parts);
        size += (int64_t)sizeof head + body_size(&head, parts);
    }
    return size;
}

static char *put(char *bytes, const void *from, int64_t size)
{
    memcpy(bytes, from, (size_t)size);
    return bytes + size;
}

static const char *get(const char *bytes, void *to, int64_t size)
{
    memcpy(to, bytes, (size_t)size);
    return bytes + size;
}

void tsnni_mpi_message_pack(const tsnn_network *network, int32_t parts, void *bytes)
{
    int64_t first[2] = {network->count, parts};
    char *next = put(bytes, first, sizeof first);
    for (int64_t l = 0; l < network->count; l++) {
        const tsnn_layer *layer = network->stages[l].layer;
        const tsnni_pattern *pattern = &layer->topology.pattern;
        layer_head head = head_of(layer, parts);
        int64_t values = head.count * (int64_t)sizeof(float), biases = head.columns * (int64_t)sizeof(float);
        next = put(next, &head, sizeof head);
        if (parts & TSNNI_MPI_PATTERN) {
            next = put(next, pattern->row_ptr, (head.rows + 1) * (int64_t)sizeof(int64_t));
            next = put(next, pattern->column.data, head.count * pattern->column.width);
        }
        next = put(next, layer->topology.values, values);
        next = put(next, layer->bias, biases);
        if (head.velocity) {
            next = put(next, layer->topology.velocity, values);
            next = put(next, layer->bias_velocity, biases);
        }
    }
}

/* Reads a layer's body into arrays of its own. */
static tsnn_status build_layer(tsnni_runtime *runtime, const layer_head *head, const char *bytes, new_layer *out)
{
    tsnni_topology *topology = &out->topology;
    int64_t values = head->count * (int64_t)sizeof(float), biases = head->columns * (int64_t)sizeof(float);
    tsnn_status status;
    TSNNI_TRY(tsnni_pattern_allocate(runtime, head->rows, head->columns, head->count, &topology->pattern));
    bytes = get(bytes, topology->pattern.row_ptr, (head->rows + 1) * (int64_t)sizeof(int64_t));
    bytes = get(bytes, topology->pattern.column.data, head->count * topology->pattern.column.width);
    TSNNI_TRY(tsnni_transpose_build(runtime, &topology->pattern, &topology->transpose));
    TSNNI_TRY(TSNNI_NEW(runtime, head->count, &topology->values));
    TSNNI_TRY(TSNNI_NEW(runtime, head->columns, &out->bias));
    bytes = get(bytes, topology->values, values);
    bytes = get(bytes, out->bias, biases);
    if (head->velocity) {
        TSNNI_TRY(TSNNI_NEW(runtime, head->count, &topology->velocity));
        TSNNI_TRY(TSNNI_NEW(runtime, head->columns, &out->bias_velocity));
        bytes = get(bytes, topology->velocity, values);
        get(bytes, out->bias_velocity, biases);
    }
    return TSNN_OK;
fail:
    return status;
}

/* Cannot fail: the topology brings its transpose. */
static void swap_layer(tsnn_layer *layer, new_layer *built)
{
    new_layer old = {.bias = layer->bias, .bias_velocity = layer->bias_velocity};
    (void)tsnni_layer_replace_topology(layer, &built->topology);
    layer->bias = built->bias;
    layer->bias_velocity = built->bias_velocity;
    *built = old;
}

static void fill_layer(tsnn_layer *layer, const layer_head *head, const char *bytes)
{
    int64_t values = head->count * (int64_t)sizeof(float), biases = head->columns * (int64_t)sizeof(float);
    bytes = get(bytes, layer->topology.values, values);
    bytes = get(bytes, layer->bias, biases);
    if (head->velocity) {
        bytes = get(bytes, layer->topology.velocity, values);
        get(bytes, layer->bias_velocity, biases);
    }
}

/* Without a pattern the layer must have the message's sizes. */
static tsnn_status check_head(tsnni_runtime *runtime, const tsnn_layer *layer, const layer_head *head, int32_t parts,
                              int64_t l)
{
    const tsnni_pattern *pattern = &layer->topology.pattern;
    if (head->rows >= 1 && head->columns >= 1 && head->count >= 0 &&
        ((parts & TSNNI_MPI_PATTERN) ||
         (head->rows == pattern->rows && head->columns == pattern->columns && head->count == pattern->count)))
        return TSNN_OK;
    return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "layer %lld: a message of %lld x %lld with %lld connections",
                      (long long)l, (long long)head->rows, (long long)head->columns, (long long)head->count);
}

tsnn_status tsnni_mpi_message_unpack(tsnn_network *network, const void *bytes, int64_t size)
{
    tsnni_runtime *runtime = &network->context->runtime;
    const char *start = bytes, *next;
    new_layer *built = NULL;
    int64_t first[2];
    layer_head head;
    tsnn_status status;
    next = get(start, first, sizeof first);
    int32_t parts = (int32_t)first[1];
    if (first[0] != network->count)
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "a message of %lld layers for a network of %lld", (long long)first[0],
                   (long long)network->count);
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, network->count, &built));
    for (int64_t l = 0; l < network->count; l++) {
        tsnn_layer *layer = network->stages[l].layer;
        next = get(next, &head, sizeof head);
        TSNNI_TRY(check_head(runtime, layer, &head, parts, l));
        if (next - start + body_size(&head, parts) > size)
            TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "layer %lld: the message ends early", (long long)l);
        if (parts & TSNNI_MPI_PATTERN)
            TSNNI_TRY(build_layer(runtime, &head, next, &built[l]));
        else if (head.velocity)
            TSNNI_TRY(tsnni_layer_need_velocity(layer));
        next += body_size(&head, parts);
    }
    next = start + sizeof first;
    for (int64_t l = 0; l < network->count; l++) {
        next = get(next, &head, sizeof head);
        if (parts & TSNNI_MPI_PATTERN)
            swap_layer(network->stages[l].layer, &built[l]);
        else
            fill_layer(network->stages[l].layer, &head, next);
        next += body_size(&head, parts);
    }
    status = TSNN_OK;
fail:
    for (int64_t l = 0; built != NULL && l < network->count; l++) {
        tsnni_topology_free(runtime, &built[l].topology);
        tsnni_release(runtime, built[l].bias);
        tsnni_release(runtime, built[l].bias_velocity);
    }
    tsnni_release(runtime, built);
    return status;
}

uint64_t tsnni_mpi_stamp(const tsnn_network *network)
{
    uint64_t stamp = 0;
    for (int64_t l = 0; l < network->count; l++)
        if (network->stages[l].layer->version > stamp)
            stamp = network->stages[l].layer->version;
    return stamp;
}

uint64_t tsnni_mpi_mix(uint64_t hash, const void *bytes, int64_t size)
{
    const unsigned char *next = bytes;
    for (; size >= 4; size -= 4, next += 4) {
        uint32_t word;
        memcpy(&word, next, sizeof word);
        hash = (hash ^ word) * 0x100000001b3u;
        hash ^= hash >> 29;
    }
    for (; size > 0; size--, next++)
        hash = (hash ^ *next) * 0x100000001b3u;
    return hash;
}

uint64_t tsnni_mpi_checksum(const tsnn_network *network)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (int64_t l = 0; l < network->count; l++) {
        const tsnn_layer *layer = network->stages[l].layer;
        const tsnni_pattern *pattern = &layer->topology.pattern;
        hash = tsnni_mpi_mix(hash, pattern->row_ptr, (pattern->rows + 1) * (int64_t)sizeof *pattern->row_ptr);
        hash = tsnni_mpi_mix(hash, pattern->column.data, pattern->count * pattern->column.width);
        hash = tsnni_mpi_mix(hash, layer->topology.values, pattern->count * (int64_t)sizeof(float));
        hash = tsnni_mpi_mix(hash, layer->bias, pattern->columns * (int64_t)sizeof(float));
    }
    return hash;
}

tsnn_status tsnni_mpi_share(tsnn_mpi *mpi)
{
    const int32_t parts = TSNNI_MPI_PATTERN | TSNNI_MPI_VELOCITY;
    tsnni_runtime *runtime = &mpi->context->runtime;
    tsnn_network *network = mpi->parallel->options.network;
    int64_t *head = mpi->head;
    char *bytes = NULL;
    tsnn_status status;
    if (mpi->ranks == 1)
        return TSNN_OK;
    head[0] = tsnni_mpi_message_size(network, parts);
    head[1] = mpi->parallel->epochs_done;
    TSNNI_TRY(tsnni_mpi_broadcast(mpi, head, sizeof mpi->head, 0, tsnni_mpi_pause_limit(mpi)));
    mpi->parallel->epochs_done = head[1]; /* a worker of WASAP does not know how many there were before a failure */
    status = TSNNI_NEW_ZERO(runtime, tsnni_mpi_room(head[0]), &bytes);
    TSNNI_TRY(tsnni_mpi_agree(mpi, status, tsnni_mpi_step_limit(mpi)));
    if (mpi->rank == 0)
        tsnni_mpi_message_pack(network, parts, bytes);
    TSNNI_TRY(tsnni_mpi_broadcast(mpi, bytes, head[0], 0, tsnni_mpi_step_limit(mpi)));
    status = mpi->rank == 0 ? TSNN_OK : tsnni_mpi_message_unpack(network, bytes, head[0]);
    status = tsnni_mpi_agree(mpi, status, tsnni_mpi_step_limit(mpi));
fail:
    if (!mpi->broken)
        tsnni_release(runtime, bytes);
    return status;
}
