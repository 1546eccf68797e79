/* One of every object. */
#include "world.h"

#include <stdlib.h>

static const int64_t sizes[] = {12, 20, 15, 4};
static const tsnni_test_function functions[] = {
    {TSNN_ACTIVATION_ALL_RELU, 0.6}, {TSNN_ACTIVATION_TANH, 0}, {TSNN_ACTIVATION_SOFTMAX, 0}};

static void create_trainer(tsnni_test_world *world)
{
    tsnn_pruning_options pruning = TSNN_PRUNING_OPTIONS_INIT;
    pruning.first_epoch = 1;
    pruning.every_epochs = 1;
    TSNNI_OK(tsnn_pruning_create(world->context, &pruning, &world->pruning));
    TSNNI_OK(tsnn_evolution_create(world->context, NULL, &world->evolution));
    tsnn_trainer_options options = TSNN_TRAINER_OPTIONS_INIT;
    options.network = world->network;
    options.loss = world->loss;
    options.optimizer = world->optimizer;
    options.evolution = world->evolution;
    options.pruning = world->pruning;
    options.epochs = 3;
    options.batch = 16;
    TSNNI_OK(tsnn_trainer_create(world->context, &options, &world->trainer));
    TSNNI_OK(tsnn_trainer_step(world->trainer, world->dataset, NULL, 16, 1.0, NULL));
}

static void create_predictor(tsnni_test_world *world)
{
    TSNNI_OK(tsnn_predictor_create(world->context, world->network, NULL, &world->predictor));
    TSNNI_OK(tsnn_predictor_workspace_create(world->predictor, 2, &world->workspace));
}

static void create_parallel(tsnni_test_world *world)
{
    tsnn_parallel_options options = TSNN_PARALLEL_OPTIONS_INIT;
    options.mode = TSNN_PARALLEL_WASSP;
    options.workers = 2;
    options.network = world->network;
    options.loss = world->loss;
    options.optimizer = world->optimizer;
    options.evolution = world->evolution;
    options.pruning = world->pruning;
    options.epochs = 4;
    options.batch = 8;
    TSNNI_OK(tsnn_parallel_create(world->context, &options, &world->parallel));
}

void tsnni_test_world_create(tsnni_test_world *world, tsnn_context *context)
{
    *world = (tsnni_test_world){.context = context};
    world->layer = tsnni_test_layer(context, 4, 6, 0.5);
    world->network = tsnni_test_network(context, 3, sizes, functions, 0.4, 0.25);
    TSNNI_OK(tsnn_network_create(context, &world->empty));
    world->dataset = tsnni_test_labelled(context, 30, 12, 4, 1);
    world->targets = tsnni_test_targeted(context, 30, 12, 4, 1, 2);
    world->loss = tsnni_test_loss(context, TSNN_LOSS_CROSS_ENTROPY, 0.0);
    world->squared = tsnni_test_loss(context, TSNN_LOSS_MEAN_SQUARED_ERROR, 0.0);
    world->optimizer = tsnni_test_optimizer(context, TSNN_OPTIMIZER_MOMENTUM, 0.05, 0.001, TSNN_DECAY_DECOUPLED);
    world->activation = tsnni_test_activation(context, functions[1]);
    world->custom = tsnni_test_activation(context, (tsnni_test_function){TSNN_ACTIVATION_CUSTOM, 0});
    TSNNI_OK(tsnn_standardizer_fit(context, world->dataset, &world->standardizer));
    TSNNI_OK(tsnn_network_set_standardizer(world->network, world->standardizer));
    create_trainer(world);
    TSNNI_OK(tsnn_gradient_create(world->network, &world->gradient));
    TSNNI_OK(tsnn_gradient_add(world->gradient, world->network, world->loss, world->dataset, NULL, 30, NULL));
    create_predictor(world);
    create_parallel(world);
    tsnn_dataset_info info = TSNN_DATASET_INFO_INIT;
    TSNNI_OK(tsnn_dataset_get_info(world->dataset, &info));
    world->features = info.feature_data;
}

void tsnni_test_world_destroy(tsnni_test_world *world)
{
    tsnn_parallel_destroy(&world->parallel);
    tsnn_predictor_workspace_destroy(&world->workspace);
    tsnn_predictor_destroy(&world->predictor);
    tsnn_trainer_destroy(&world->trainer);
    tsnn_pruning_destroy(&world->pruning);
    tsnn_evolution_destroy(&world->evolution);
    tsnn_gradient_destroy(&world->gradient);
    tsnn_standardizer_destroy(&world->standardizer);
    tsnn_activation_destroy(&world->custom);
    tsnn_activation_destroy(&world->activation);
    tsnn_optimizer_destroy(&world->optimizer);
    tsnn_loss_destroy(&world->squared);
    tsnn_loss_destroy(&world->loss);
    tsnn_dataset_destroy(&world->targets);
    tsnn_dataset_destroy(&world->dataset);
    tsnn_network_destroy(&world->empty);
    tsnn_network_destroy(&world->network);
    tsnn_layer_destroy(&world->layer);
    tsnn_context_destroy(&world->context);
}

static void add_gradient(tsnni_test_bytes *bytes, const tsnni_test_world *world)
{
    float numbers[1000];
    double norm = 0.0;
    for (int64_t l = 0; l < 3; l++) {
        int64_t outputs = sizes[l + 1];
        for (int k = 0; k < 1000; k++)
            numbers[k] = 0.0f;
        TSNNI_OK(tsnn_gradient_get(world->gradient, l, numbers, 1000 - outputs, numbers + 1000 - outputs, outputs));
        tsnni_test_bytes_add(bytes, numbers, sizeof numbers);
    }
    TSNNI_OK(tsnn_gradient_norm(world->gradient, &norm));
    tsnni_test_bytes_add(bytes, &norm, sizeof norm);
}

static void add_map(tsnni_test_bytes *bytes, const tsnni_test_world *world)
{
    int32_t map[64] = {0};
    int64_t count = 0;
    for (int64_t l = 0; l < 3; l++) {
        tsnn_status status = tsnn_pruning_get_map(world->pruning, l, map, 64, &count);
        tsnni_test_bytes_add(bytes, &status, sizeof status);
        tsnni_test_bytes_add(bytes, map, sizeof map);
        tsnni_test_bytes_add(bytes, &count, sizeof count);
    }
}

/* A checkpoint tells all that a trainer knows, its place in the course of training included. */
static void add_trainer(tsnni_test_bytes *bytes, const tsnni_test_world *world)
{
    int64_t size = 0;
    tsnn_status status = tsnn_trainer_save_memory(world->trainer, NULL, NULL, 0, &size);
    tsnni_test_bytes_add(bytes, &status, sizeof status);
    if (status < 0)
        return;
    void *saved = tsnni_test_array(size, 1);
    TSNNI_OK(tsnn_trainer_save_memory(world->trainer, NULL, saved, size, NULL));
    tsnni_test_bytes_add(bytes, saved, (size_t)size);
    free(saved);
}

static void add_predictor(tsnni_test_bytes *bytes, const tsnni_test_world *world)
{
    float outputs[8];
    TSNNI_OK(tsnn_predictor_predict(world->predictor, world->workspace, world->features, 2, outputs, 8));
    tsnni_test_bytes_add(bytes, outputs, sizeof outputs);
}

static void add_parallel(tsnni_test_bytes *bytes, const tsnni_test_world *world)
{
    tsnn_parallel_info info = TSNN_PARALLEL_INFO_INIT;
    TSNNI_OK(tsnn_parallel_get_info(world->parallel, &info));
    tsnni_test_bytes_add(bytes, &info.epochs_done, sizeof info.epochs_done);
    tsnni_test_bytes_add(bytes, &info.exchanges, sizeof info.exchanges);
}

tsnni_test_bytes tsnni_test_world_bytes(const tsnni_test_world *world)
{
    tsnni_test_bytes bytes = {0};
    if (world->layer != NULL)
        tsnni_test_bytes_add_layer(&bytes, world->layer);
    tsnni_test_bytes_add_network(&bytes, world->network);
    tsnni_test_bytes_add_network(&bytes, world->empty);
    tsnni_test_bytes_add_dataset(&bytes, world->dataset);
    tsnni_test_bytes_add_dataset(&bytes, world->targets);
    float numbers[24];
    TSNNI_OK(tsnn_standardizer_get(world->standardizer, numbers, numbers + 12, 12, NULL));
    tsnni_test_bytes_add(&bytes, numbers, sizeof numbers);
    add_gradient(&bytes, world);
    add_map(&bytes, world);
    add_trainer(&bytes, world);
    add_predictor(&bytes, world);
    add_parallel(&bytes, world);
    /* what the network says: tells of activations and of a standardizer */
    float outputs[8] = {0};
    if (tsnni_test_network_size(world->network).outputs == 4)
        TSNNI_OK(tsnn_network_predict(world->network, world->features, 2, outputs, 8));
    tsnni_test_bytes_add(&bytes, outputs, sizeof outputs);
    return bytes;
}
