/* The calls that make objects and put them together, for the tests of memory. */
#include <string.h>

#include "memory_calls.h"

static const float numbers[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static const int64_t row_ptr[] = {0, 1, 3};
static const int32_t row[] = {1, 0, 1}, column[] = {0, 1, 2}, labels[] = {0, 1, 2};

static tsnn_status make_context(tsnni_test_world *world, tsnni_product *made)
{
    (void)world;
    tsnn_context_options options = TSNN_CONTEXT_OPTIONS_INIT;
    options.threads = 1;
    options.allocate = tsnni_test_allocate;
    options.release = tsnni_test_release;
    options.allocator_user = &tsnni_memory_counter;
    return tsnn_context_create(&options, &made->context);
}

static tsnn_status make_activation(tsnni_test_world *world, tsnni_product *made)
{
    return tsnn_activation_create(world->context, NULL, &made->activation);
}

static tsnn_status make_loss(tsnni_test_world *world, tsnni_product *made)
{
    return tsnn_loss_create(world->context, NULL, &made->loss);
}

static tsnn_status make_optimizer(tsnni_test_world *world, tsnni_product *made)
{
    return tsnn_optimizer_create(world->context, NULL, &made->optimizer);
}

static tsnn_status make_evolution(tsnni_test_world *world, tsnni_product *made)
{
    return tsnn_evolution_create(world->context, NULL, &made->evolution);
}

static tsnn_status make_pruning(tsnni_test_world *world, tsnni_product *made)
{
    return tsnn_pruning_create(world->context, NULL, &made->pruning);
}

/* ---- layers ---- */

static tsnn_status make_layer_of(tsnni_test_world *world, tsnni_product *made, int32_t sampling, double density,
                                 int64_t outputs)
{
    tsnn_layer_options options = TSNN_LAYER_OPTIONS_INIT;
    options.inputs = 40;
    options.outputs = outputs;
    options.sampling = sampling;
    options.density = density;
    options.init = TSNN_INIT_NORMAL;
    options.fan = TSNN_FAN_SPARSE;
    return tsnn_layer_create(world->context, &options, &made->layer);
}

static tsnn_status make_layer(tsnni_test_world *world, tsnni_product *made)
{
    return make_layer_of(world, made, TSNN_SAMPLING_BERNOULLI, 0.2, 30);
}

static tsnn_status make_exact_layer(tsnni_test_world *world, tsnni_product *made)
{
    return make_layer_of(world, made, TSNN_SAMPLING_EXACT, 0.7, 30);
}

static tsnn_status make_thin_exact_layer(tsnni_test_world *world, tsnni_product *made)
{
    return make_layer_of(world, made, TSNN_SAMPLING_EXACT, 0.02, 30);
}

static tsnn_status make_full_layer(tsnni_test_world *world, tsnni_product *made)
{
    return make_layer_of(world, made, TSNN_SAMPLING_BERNOULLI, 1.0, 30);
}

static tsnn_status make_wide_layer(tsnni_test_world *world, tsnni_product *made)
{
    return make_layer_of(world, made, TSNN_SAMPLING_EXACT, 0.0001, 70000);
}

static tsnn_status make_csr_layer(tsnni_test_world *world, tsnni_product *made)
{
    return tsnn_layer_create_from_csr(world->context, 2, 3, 3, row_ptr, column, numbers, numbers, TSNN_CHECKED,
                                      &made->layer);
}

static tsnn_status make_trusted_layer(tsnni_test_world *world, tsnni_product *made)
{
    return tsnn_layer_create_from_csr(world->context, 2, 70000, 3, row_ptr, column, numbers, NULL, TSNN_TRUSTED,
                                      &made->layer);
}

static tsnn_status make_coo_layer(tsnni_test_world *world, tsnni_product *made)
{
    return tsnn_layer_create_from_coo(world->context, 2, 3, 3, row, column, numbers, numbers, &made->layer);
}

static tsnn_status set_velocity(tsnni_test_world *world, tsnni_product *made)
{
    (void)made;
    return tsnn_layer_set_velocity(world->layer, NULL, 0, numbers, 6);
}

/* ---- networks ---- */

static tsnn_status make_network(tsnni_test_world *world, tsnni_product *made)
{
    return tsnn_network_create(world->context, &made->network);
}

static tsnn_status make_mlp(tsnni_test_world *world, tsnni_product *made)
{
    static const int64_t sizes[] = {12, 9, 8, 7, 6, 4};
    tsnn_mlp_options options = TSNN_MLP_OPTIONS_INIT;
    options.sizes = sizes;
    options.size_count = 6;
    options.epsilon = 2.0;
    return tsnn_network_create_mlp(world->context, &options, &made->network);
}

static tsnn_status copy_network(tsnni_test_world *world, tsnni_product *made)
{
    return tsnn_network_copy(world->network, &made->network);
}

static tsnn_status append_layer(tsnni_test_world *world, tsnni_product *made)
{
    (void)made;
    tsnn_status status = tsnn_network_append(world->network, &world->layer, world->activation, 0.0);
    ck_assert((status == TSNN_OK) == (world->layer == NULL));
    return status;
}

static tsnn_status append_first_layer(tsnni_test_world *world, tsnni_product *made)
{
    (void)made;
    tsnn_status status = tsnn_network_append(world->empty, &world->layer, NULL, 0.0);
    ck_assert((status == TSNN_OK) == (world->layer == NULL));
    return status;
}

static tsnn_status set_standardizer(tsnni_test_world *world, tsnni_product *made)
{
    (void)made;
    return tsnn_network_set_standardizer(world->network, world->standardizer);
}

/* The network has one already. */
static tsnn_status remove_standardizer(tsnni_test_world *world, tsnni_product *made)
{
    (void)made;
    return tsnn_network_set_standardizer(world->network, NULL);
}

/* ---- data ---- */

static tsnn_status make_dataset_of(tsnni_test_world *world, tsnni_product *made, int32_t ownership, int64_t targets)
{
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    options.ownership = ownership;
    options.samples = 3;
    options.features = 4;
    options.feature_data = numbers;
    options.target_size = targets;
    options.targets = targets > 0 ? numbers : NULL;
    options.labels = targets > 0 ? NULL : labels;
    return tsnn_dataset_create(world->context, &options, &made->dataset);
}

static tsnn_status make_dataset(tsnni_test_world *world, tsnni_product *made)
{
    return make_dataset_of(world, made, TSNN_COPY, 0);
}

static tsnn_status make_target_dataset(tsnni_test_world *world, tsnni_product *made)
{
    return make_dataset_of(world, made, TSNN_COPY, 2);
}

static tsnn_status borrow_dataset(tsnni_test_world *world, tsnni_product *made)
{
    return make_dataset_of(world, made, TSNN_BORROW, 0);
}

static tsnn_status fit_standardizer(tsnni_test_world *world, tsnni_product *made)
{
    return tsnn_standardizer_fit(world->context, world->dataset, &made->standardizer);
}

static tsnn_status make_standardizer(tsnni_test_world *world, tsnni_product *made)
{
    return tsnn_standardizer_create(world->context, 12, numbers, numbers, &made->standardizer);
}

static tsnn_status make_gradient(tsnni_test_world *world, tsnni_product *made)
{
    return tsnn_gradient_create(world->network, &made->gradient);
}

const tsnni_memory_call tsnni_memory_objects[] = {
    {"tsnn_context_create", NULL, make_context, TSNNI_UNCHANGED, 1},
    {"tsnn_activation_create", NULL, make_activation, TSNNI_UNCHANGED, 1},
    {"tsnn_loss_create", NULL, make_loss, TSNNI_UNCHANGED, 1},
    {"tsnn_optimizer_create", NULL, make_optimizer, TSNNI_UNCHANGED, 1},
    {"tsnn_evolution_create", NULL, make_evolution, TSNNI_UNCHANGED, 1},
    {"tsnn_pruning_create", NULL, make_pruning, TSNNI_UNCHANGED, 1},
    {"tsnn_layer_create", "each cell", make_layer, TSNNI_UNCHANGED, 7},
    {"tsnn_layer_create", "exact", make_exact_layer, TSNNI_UNCHANGED, 7},
    {"tsnn_layer_create", "exact and thin", make_thin_exact_layer, TSNNI_UNCHANGED, 7},
    {"tsnn_layer_create", "full", make_full_layer, TSNNI_UNCHANGED, 7},
    {"tsnn_layer_create", "wide", make_wide_layer, TSNNI_UNCHANGED, 7},
    {"tsnn_layer_create_from_csr", "checked", make_csr_layer, TSNNI_UNCHANGED, 7},
    {"tsnn_layer_create_from_csr", "trusted and wide", make_trusted_layer, TSNNI_UNCHANGED, 7},
    {"tsnn_layer_create_from_coo", NULL, make_coo_layer, TSNNI_UNCHANGED, 7},
    {"tsnn_layer_set_velocity", NULL, set_velocity, TSNNI_UNCHANGED, 2},
    {"tsnn_network_create", NULL, make_network, TSNNI_UNCHANGED, 1},
    {"tsnn_network_create_mlp", NULL, make_mlp, TSNNI_UNCHANGED, 36},
    {"tsnn_network_copy", NULL, copy_network, TSNNI_UNCHANGED, 20},
    {"tsnn_network_append", "another", append_layer, TSNNI_UNCHANGED, 0},
    {"tsnn_network_append", "the first", append_first_layer, TSNNI_UNCHANGED, 1},
    {"tsnn_network_set_standardizer", "another", set_standardizer, TSNNI_UNCHANGED, 2},
    {"tsnn_network_set_standardizer", "none", remove_standardizer, TSNNI_UNCHANGED, 0},
    {"tsnn_dataset_create", "labels", make_dataset, TSNNI_UNCHANGED, 3},
    {"tsnn_dataset_create", "targets", make_target_dataset, TSNNI_UNCHANGED, 3},
    {"tsnn_dataset_create", "borrowed", borrow_dataset, TSNNI_UNCHANGED, 1},
    {"tsnn_standardizer_fit", NULL, fit_standardizer, TSNNI_UNCHANGED, 3},
    {"tsnn_standardizer_create", NULL, make_standardizer, TSNNI_UNCHANGED, 3},
    {"tsnn_gradient_create", NULL, make_gradient, TSNNI_UNCHANGED, 7},
    {NULL, NULL, NULL, 0, 0},
};
