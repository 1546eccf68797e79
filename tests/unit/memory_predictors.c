/* The calls that make predictors and their workspaces, for the tests of memory. */
#include <string.h>

#include "memory_calls.h"

static tsnn_status make_predictor_of(tsnni_test_world *world, tsnni_product *made, int32_t pack, int32_t skip_zeros)
{
    tsnn_predictor_options options = TSNN_PREDICTOR_OPTIONS_INIT;
    options.pack = pack;
    options.skip_zeros = skip_zeros;
    return tsnn_predictor_create(world->context, world->network, &options, &made->predictor);
}

static tsnn_status make_predictor(tsnni_test_world *world, tsnni_product *made)
{
    return make_predictor_of(world, made, TSNN_PACK_ALL, 0);
}

static tsnn_status make_single_predictor(tsnni_test_world *world, tsnni_product *made)
{
    return make_predictor_of(world, made, TSNN_PACK_SINGLE, 0);
}

static tsnn_status make_batch_predictor(tsnni_test_world *world, tsnni_product *made)
{
    return make_predictor_of(world, made, TSNN_PACK_BATCH, 0);
}

static tsnn_status make_skipping_predictor(tsnni_test_world *world, tsnni_product *made)
{
    return make_predictor_of(world, made, TSNN_PACK_ALL, 1);
}

/* Of a network with full layers and sigmoids. */
static tsnn_status make_full_predictor(tsnni_test_world *world, tsnni_product *made)
{
    static const int64_t sizes[] = {12, 16, 4};
    tsnn_mlp_options options = TSNN_MLP_OPTIONS_INIT;
    tsnn_activation *sigmoid = NULL;
    tsnn_network *network = NULL;
    tsnn_activation_options kind = TSNN_ACTIVATION_OPTIONS_INIT;
    kind.kind = TSNN_ACTIVATION_SIGMOID;
    options.sizes = sizes;
    options.size_count = 3;
    options.epsilon = 1000.0;
    tsnn_status status = tsnn_activation_create(world->context, &kind, &sigmoid);
    options.hidden = sigmoid;
    if (status == TSNN_OK)
        status = tsnn_network_create_mlp(world->context, &options, &network);
    if (status == TSNN_OK)
        status = tsnn_predictor_create(world->context, network, NULL, &made->predictor);
    tsnn_network_destroy(&network);
    tsnn_activation_destroy(&sigmoid);
    return status;
}

static tsnn_status make_array_predictor(tsnni_test_world *world, tsnni_product *made)
{
    static const float numbers[] = {1, 2, 3};
    static const int64_t row_ptr[] = {0, 1, 3};
    static const int32_t column[] = {0, 1, 2};
    tsnn_predictor_layer layer = TSNN_PREDICTOR_LAYER_INIT;
    layer.inputs = 2;
    layer.outputs = 30;
    layer.connections = 3;
    layer.row_ptr = row_ptr;
    layer.column = column;
    layer.values = numbers;
    return tsnn_predictor_create_from_layers(world->context, &layer, 1, numbers, numbers, NULL, &made->predictor);
}

static tsnn_status make_workspace(tsnni_test_world *world, tsnni_product *made)
{
    return tsnn_predictor_workspace_create(world->predictor, 64, &made->workspace);
}

const tsnni_memory_call tsnni_memory_predictors[] = {
    {"tsnn_predictor_create", "for everything", make_predictor, TSNNI_UNCHANGED, 20},
    {"tsnn_predictor_create", "for single samples", make_single_predictor, TSNNI_UNCHANGED, 15},
    {"tsnn_predictor_create", "for batches", make_batch_predictor, TSNNI_UNCHANGED, 15},
    {"tsnn_predictor_create", "skipping zeros", make_skipping_predictor, TSNNI_UNCHANGED, 20},
    {"tsnn_predictor_create", "full layers", make_full_predictor, TSNNI_UNCHANGED, 20},
    {"tsnn_predictor_create_from_layers", NULL, make_array_predictor, TSNNI_UNCHANGED, 10},
    {"tsnn_predictor_workspace_create", NULL, make_workspace, TSNNI_UNCHANGED, 1},
    {NULL, NULL, NULL, 0, 0},
};
