/* Every request for memory is refused in turn: the call says OUT_OF_MEMORY, nothing leaks, nothing else changes, and
 * afterwards it works and gives what it would have given. */
#include "suites.h"

#include <stdlib.h>
#include <string.h>

#include "model_support.h"
#include "world.h"

static const float numbers[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static const int64_t row_ptr[] = {0, 1, 3};
static const int32_t row[] = {1, 0, 1}, column[] = {0, 1, 2}, labels[] = {0, 1, 2};

/* What a call made, to be looked at and given back; at most one of these is set. */
typedef struct product {
    tsnn_activation *activation;
    tsnn_layer *layer;
    tsnn_network *network;
    tsnn_loss *loss;
    tsnn_dataset *dataset;
    tsnn_standardizer *standardizer;
    tsnn_optimizer *optimizer;
    tsnn_gradient *gradient;
    tsnn_evolution *evolution;
    tsnn_pruning *pruning;
    tsnn_trainer *trainer;
    tsnn_predictor *predictor;
    tsnn_predictor_workspace *workspace;
} product;

static void product_free(product *made)
{
    tsnn_activation_destroy(&made->activation);
    tsnn_layer_destroy(&made->layer);
    tsnn_network_destroy(&made->network);
    tsnn_loss_destroy(&made->loss);
    tsnn_dataset_destroy(&made->dataset);
    tsnn_standardizer_destroy(&made->standardizer);
    tsnn_optimizer_destroy(&made->optimizer);
    tsnn_gradient_destroy(&made->gradient);
    tsnn_evolution_destroy(&made->evolution);
    tsnn_pruning_destroy(&made->pruning);
    tsnn_trainer_destroy(&made->trainer);
    tsnn_predictor_workspace_destroy(&made->workspace);
    tsnn_predictor_destroy(&made->predictor);
}

static tsnni_test_bytes product_bytes(const product *made)
{
    tsnni_test_bytes bytes = {0};
    if (made->layer != NULL)
        tsnni_test_bytes_add_layer(&bytes, made->layer);
    if (made->network != NULL)
        tsnni_test_bytes_add_network(&bytes, made->network);
    return bytes;
}

/* ---- the calls ---- */

static tsnn_status make_activation(tsnni_test_world *world, product *made)
{
    return tsnn_activation_create(world->context, NULL, &made->activation);
}

static tsnn_status make_loss(tsnni_test_world *world, product *made)
{
    return tsnn_loss_create(world->context, NULL, &made->loss);
}

static tsnn_status make_optimizer(tsnni_test_world *world, product *made)
{
    return tsnn_optimizer_create(world->context, NULL, &made->optimizer);
}

static tsnn_status make_evolution(tsnni_test_world *world, product *made)
{
    return tsnn_evolution_create(world->context, NULL, &made->evolution);
}

static tsnn_status make_pruning(tsnni_test_world *world, product *made)
{
    return tsnn_pruning_create(world->context, NULL, &made->pruning);
}

static tsnn_status make_layer(tsnni_test_world *world, product *made)
{
    tsnn_layer_options options = TSNN_LAYER_OPTIONS_INIT;
    options.inputs = 40;
    options.outputs = 30;
    options.density = 0.2;
    return tsnn_layer_create(world->context, &options, &made->layer);
}

static tsnn_status make_exact_layer(tsnni_test_world *world, product *made)
{
    tsnn_layer_options options = TSNN_LAYER_OPTIONS_INIT;
    options.inputs = 40;
    options.outputs = 30;
    options.sampling = TSNN_SAMPLING_EXACT;
    options.density = 0.7;
    return tsnn_layer_create(world->context, &options, &made->layer);
}

static tsnn_status make_csr_layer(tsnni_test_world *world, product *made)
{
    return tsnn_layer_create_from_csr(world->context, 2, 3, 3, row_ptr, column, numbers, numbers, 0, &made->layer);
}

static tsnn_status make_coo_layer(tsnni_test_world *world, product *made)
{
    return tsnn_layer_create_from_coo(world->context, 2, 3, 3, row, column, numbers, numbers, &made->layer);
}

static tsnn_status make_network(tsnni_test_world *world, product *made)
{
    return tsnn_network_create(world->context, &made->network);
}

static tsnn_status make_mlp(tsnni_test_world *world, product *made)
{
    static const int64_t sizes[] = {12, 9, 8, 7, 6, 4};
    tsnn_mlp_options options = TSNN_MLP_OPTIONS_INIT;
    options.sizes = sizes;
    options.size_count = 6;
    options.epsilon = 2.0;
    return tsnn_network_create_mlp(world->context, &options, &made->network);
}

static tsnn_status copy_network(tsnni_test_world *world, product *made)
{
    return tsnn_network_copy(world->network, &made->network);
}

static tsnn_status make_dataset(tsnni_test_world *world, product *made)
{
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    options.samples = 3;
    options.features = 4;
    options.feature_data = numbers;
    options.labels = labels;
    return tsnn_dataset_create(world->context, &options, &made->dataset);
}

static tsnn_status make_target_dataset(tsnni_test_world *world, product *made)
{
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    options.samples = 3;
    options.features = 4;
    options.target_size = 2;
    options.feature_data = options.targets = numbers;
    return tsnn_dataset_create(world->context, &options, &made->dataset);
}

static tsnn_status borrow_dataset(tsnni_test_world *world, product *made)
{
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    options.ownership = TSNN_BORROW;
    options.samples = 3;
    options.features = 4;
    options.feature_data = numbers;
    options.labels = labels;
    return tsnn_dataset_create(world->context, &options, &made->dataset);
}

static tsnn_status fit_standardizer(tsnni_test_world *world, product *made)
{
    return tsnn_standardizer_fit(world->context, world->dataset, &made->standardizer);
}

static tsnn_status make_standardizer(tsnni_test_world *world, product *made)
{
    return tsnn_standardizer_create(world->context, 12, numbers, numbers, &made->standardizer);
}

static tsnn_status make_gradient(tsnni_test_world *world, product *made)
{
    return tsnn_gradient_create(world->network, &made->gradient);
}

static tsnn_status make_predictor(tsnni_test_world *world, product *made)
{
    tsnn_predictor_options options = TSNN_PREDICTOR_OPTIONS_INIT;
    options.skip_zeros = 1;
    return tsnn_predictor_create(world->context, world->network, &options, &made->predictor);
}

static tsnn_status make_array_predictor(tsnni_test_world *world, product *made)
{
    tsnn_predictor_layer layer = TSNN_PREDICTOR_LAYER_INIT;
    layer.inputs = 2;
    layer.outputs = 30;
    layer.connections = 3;
    layer.row_ptr = row_ptr;
    layer.column = column;
    layer.values = numbers;
    return tsnn_predictor_create_from_layers(world->context, &layer, 1, numbers, numbers, NULL, &made->predictor);
}

static tsnn_status make_trainer(tsnni_test_world *world, product *made)
{
    tsnn_trainer_options options = TSNN_TRAINER_OPTIONS_INIT;
    options.network = world->network;
    options.loss = world->loss;
    options.optimizer = world->optimizer;
    return tsnn_trainer_create(world->context, &options, &made->trainer);
}

static tsnn_status append_layer(tsnni_test_world *world, product *made)
{
    (void)made;
    tsnn_status status = tsnn_network_append(world->network, &world->layer, world->activation, 0.0);
    ck_assert((status == TSNN_OK) == (world->layer == NULL));
    return status;
}

static tsnn_status append_first_layer(tsnni_test_world *world, product *made)
{
    (void)made;
    tsnn_status status = tsnn_network_append(world->empty, &world->layer, NULL, 0.0);
    ck_assert((status == TSNN_OK) == (world->layer == NULL));
    return status;
}

static tsnn_status set_velocity(tsnni_test_world *world, product *made)
{
    (void)made;
    return tsnn_layer_set_velocity(world->layer, NULL, 0, numbers, 6);
}

static tsnn_status set_standardizer(tsnni_test_world *world, product *made)
{
    (void)made;
    return tsnn_network_set_standardizer(world->network, world->standardizer);
}

/* The network has one already. */
static tsnn_status remove_standardizer(tsnni_test_world *world, product *made)
{
    (void)made;
    return tsnn_network_set_standardizer(world->network, NULL);
}

static tsnn_status predict(tsnni_test_world *world, product *made)
{
    (void)made;
    float outputs[120];
    return tsnn_network_predict(world->network, world->features, 30, outputs, 120);
}

static tsnn_status predict_bf16(tsnni_test_world *world, product *made)
{
    tsnn_status status = tsnn_network_set_activation_format(world->network, TSNN_ACTIVATIONS_BF16);
    if (status >= 0)
        status = predict(world, made);
    tsnn_network_set_activation_format(world->network, TSNN_ACTIVATIONS_FLOAT32);
    return status;
}

static tsnn_status classify(tsnni_test_world *world, product *made)
{
    (void)made;
    int32_t found[30];
    return tsnn_network_classify(world->network, world->features, 30, found, 30);
}

static tsnn_status evaluate(tsnni_test_world *world, product *made)
{
    (void)made;
    tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
    tsnn_status status = tsnn_network_evaluate(world->network, world->loss, world->dataset, &evaluation);
    ck_assert_int_eq(evaluation.samples, status == TSNN_OK ? 30 : 0);
    return status;
}

static tsnn_status standardize_dataset(tsnni_test_world *world, product *made)
{
    (void)made;
    return tsnn_dataset_standardize(world->dataset, world->standardizer);
}

static tsnn_status add_gradient(tsnni_test_world *world, product *made)
{
    (void)made;
    return tsnn_gradient_add(world->gradient, world->network, world->loss, world->dataset, NULL, 30, NULL);
}

static tsnn_status add_gradient_bf16(tsnni_test_world *world, product *made)
{
    tsnn_status status = tsnn_network_set_activation_format(world->network, TSNN_ACTIVATIONS_BF16);
    if (status >= 0)
        status = add_gradient(world, made);
    tsnn_network_set_activation_format(world->network, TSNN_ACTIVATIONS_FLOAT32);
    return status;
}

static tsnn_status apply_optimizer(tsnni_test_world *world, product *made)
{
    (void)made;
    return tsnn_optimizer_apply(world->optimizer, world->network, world->gradient, 1.0);
}

static tsnn_status evolve_layer(tsnni_test_world *world, product *made)
{
    (void)made;
    return tsnn_evolution_apply_layer(world->evolution, tsnni_test_layer_of(world->network, 0), 3, NULL);
}

static tsnn_status prune(tsnni_test_world *world, product *made)
{
    (void)made;
    return tsnn_pruning_apply(world->pruning, world->network, NULL);
}

static tsnn_status take_step(tsnni_test_world *world, product *made)
{
    (void)made;
    return tsnn_trainer_step(world->trainer, world->dataset, NULL, 16, 1.0, NULL);
}

/* A new trainer, with everything that it may need memory for. */
static tsnn_status take_first_step(tsnni_test_world *world, product *made)
{
    tsnn_trainer_options options = TSNN_TRAINER_OPTIONS_INIT;
    options.network = world->network;
    options.loss = world->squared;
    options.optimizer = world->optimizer;
    options.clip_norm = 0.1;
    options.micro_batch = 7;
    tsnn_status status = tsnn_trainer_create(world->context, &options, &made->trainer);
    if (status >= 0)
        status = tsnn_trainer_step(made->trainer, world->targets, NULL, 30, 1.0, NULL);
    if (status < 0)
        tsnn_trainer_destroy(&made->trainer);
    return status;
}

#if TSNN_MODEL_FILES

static tsnn_status save_memory(tsnni_test_world *world, product *made)
{
    (void)made;
    return tsnn_network_save_memory(world->network, NULL, NULL, 0, NULL);
}

static tsnn_status save_trainer_memory(tsnni_test_world *world, product *made)
{
    (void)made;
    static const char *const pairs[] = {"name", "world"};
    tsnn_save_options options = TSNN_SAVE_OPTIONS_INIT;
    options.metadata = pairs;
    options.metadata_count = 1;
    return tsnn_trainer_save_memory(world->trainer, &options, NULL, 0, NULL);
}

/* A file that is not complete is not there. */
static tsnn_status save_file(tsnni_test_world *world, product *made)
{
    (void)made;
    tsnni_test_folder_create();
    tsnn_status status = tsnn_network_save(world->network, NULL, tsnni_test_path("model"));
    ck_assert_int_eq(tsnni_test_folder_count(), status == TSNN_OK ? 1 : 0);
    tsnni_test_folder_remove();
    return status;
}

static const tsnni_test_bytes *saved_network(void)
{
    static tsnni_test_bytes saved;
    if (saved.size == 0) {
        tsnn_context *context = tsnni_test_context(TSNN_ISA_REF, 1, 5);
        tsnn_network *network = tsnni_test_network_of_kind(context, 9);
        tsnn_save_options options = TSNN_SAVE_OPTIONS_INIT;
        options.momentum = 1;
        saved = tsnni_test_saved(network, &options);
        tsnn_network_destroy(&network);
        tsnn_context_destroy(&context);
    }
    return &saved;
}

static tsnn_status load_memory(tsnni_test_world *world, product *made)
{
    const tsnni_test_bytes *saved = saved_network();
    return tsnn_network_load_memory(world->context, saved->data, (int64_t)saved->size, NULL, &made->network);
}

/* From an odd address: every array is copied. */
static tsnn_status load_predictor(tsnni_test_world *world, product *made, int32_t ownership)
{
    const tsnni_test_bytes *saved = saved_network();
    static unsigned char *block;
    if (block == NULL)
        memcpy((block = tsnni_test_array((int64_t)saved->size + 1, 1)) + 1, saved->data, saved->size);
    tsnn_predictor_load_options options = TSNN_PREDICTOR_LOAD_OPTIONS_INIT;
    options.ownership = ownership;
    options.skip_zeros = 1;
    return tsnn_predictor_load_memory(world->context, block + 1, (int64_t)saved->size, &options, &made->predictor);
}

static tsnn_status load_packed(tsnni_test_world *world, product *made)
{
    return load_predictor(world, made, TSNN_COPY);
}

static tsnn_status load_in_place(tsnni_test_world *world, product *made)
{
    return load_predictor(world, made, TSNN_BORROW);
}

static tsnn_status map_file(tsnni_test_world *world, product *made)
{
    const tsnni_test_bytes *saved = saved_network();
    tsnn_predictor_load_options options = TSNN_PREDICTOR_LOAD_OPTIONS_INIT;
    options.ownership = TSNN_BORROW;
    tsnni_test_folder_create();
    tsnni_test_file_write(tsnni_test_path("model"), saved->data, saved->size);
    tsnn_status status = tsnn_predictor_load(world->context, tsnni_test_path("model"), &options, &made->predictor);
    tsnni_test_folder_remove();
    return status;
}

/* Back to the state it has: everything stays as it was after success, too. */
static tsnn_status resume_memory(tsnni_test_world *world, product *made)
{
    static tsnni_test_bytes saved;
    (void)made;
    if (saved.size == 0) {
        tsnni_test_world other;
        tsnni_test_world_create(&other, tsnni_test_context(TSNN_ISA_REF, 1, 5));
        saved = tsnni_test_saved_trainer(other.trainer);
        tsnni_test_world_destroy(&other);
    }
    return tsnn_trainer_resume_memory(world->trainer, saved.data, (int64_t)saved.size, NULL);
}

#endif

typedef struct memory_call {
    const char *name;
    tsnn_status (*call)(tsnni_test_world *world, product *made);
    int64_t requests; /* at least so many are expected, so that the test shows something; 0: none may be needed */
} memory_call;

static const memory_call calls[] = {
    {"tsnn_activation_create", make_activation, 1},
    {"tsnn_loss_create", make_loss, 1},
    {"tsnn_optimizer_create", make_optimizer, 1},
    {"tsnn_evolution_create", make_evolution, 1},
    {"tsnn_pruning_create", make_pruning, 1},
    {"tsnn_layer_create", make_layer, 7},
    {"tsnn_layer_create, exact", make_exact_layer, 7},
    {"tsnn_layer_create_from_csr", make_csr_layer, 7},
    {"tsnn_layer_create_from_coo", make_coo_layer, 7},
    {"tsnn_network_create", make_network, 1},
    {"tsnn_network_create_mlp", make_mlp, 36},
    {"tsnn_network_copy", copy_network, 20},
    {"tsnn_dataset_create", make_dataset, 3},
    {"tsnn_dataset_create, targets", make_target_dataset, 3},
    {"tsnn_dataset_create, borrowed", borrow_dataset, 1},
    {"tsnn_standardizer_fit", fit_standardizer, 3},
    {"tsnn_standardizer_create", make_standardizer, 3},
    {"tsnn_gradient_create", make_gradient, 7},
    {"tsnn_trainer_create", make_trainer, 1},
    {"tsnn_predictor_create", make_predictor, 30},
    {"tsnn_predictor_create_from_layers", make_array_predictor, 10},
    {"tsnn_network_append", append_layer, 0},
    {"tsnn_network_append, first", append_first_layer, 1},
    {"tsnn_layer_set_velocity", set_velocity, 2},
    {"tsnn_network_set_standardizer", set_standardizer, 2},
    {"tsnn_network_set_standardizer, none", remove_standardizer, 0},
    {"tsnn_network_predict", predict, 3},
    {"tsnn_network_predict, bf16", predict_bf16, 3},
    {"tsnn_network_classify", classify, 3},
    {"tsnn_network_evaluate", evaluate, 3},
    {"tsnn_dataset_standardize", standardize_dataset, 0},
    {"tsnn_gradient_add", add_gradient, 5},
    {"tsnn_gradient_add, bf16", add_gradient_bf16, 5},
    {"tsnn_optimizer_apply", apply_optimizer, 0},
    {"tsnn_evolution_apply_layer", evolve_layer, 3},
    {"tsnn_pruning_apply", prune, 3},
    {"tsnn_trainer_step", take_step, 0},
    {"tsnn_trainer_step, first", take_first_step, 10},
#if TSNN_MODEL_FILES
    {"tsnn_network_save_memory", save_memory, 5},
    {"tsnn_trainer_save_memory", save_trainer_memory, 5},
    {"tsnn_network_save", save_file, 7},
    {"tsnn_network_load_memory", load_memory, 40},
    {"tsnn_predictor_load_memory", load_packed, 40},
    {"tsnn_predictor_load_memory, in place", load_in_place, 20},
    {"tsnn_predictor_load, in place", map_file, 8},
    {"tsnn_trainer_resume_memory", resume_memory, 40},
#endif
};
#define CALL_COUNT ((int)(sizeof calls / sizeof *calls))

/* All objects and the product after the call without any refusal. */
static void undisturbed(const memory_call *given, tsnni_test_bytes bytes[2])
{
    tsnni_test_allocator allocator = {0};
    tsnni_test_world world;
    product made = {0};
    tsnni_test_world_create(&world, tsnni_test_counted_context(&allocator));
    TSNNI_OK(given->call(&world, &made));
    bytes[0] = tsnni_test_world_bytes(&world);
    bytes[1] = product_bytes(&made);
    product_free(&made);
    tsnni_test_world_destroy(&world);
    ck_assert_int_eq(allocator.live, 0);
}

/* The info of a data set holds its addresses, which differ between two worlds: everything else is compared. */
static void expect_same(const tsnni_test_bytes *expected, const tsnni_test_bytes *actual, const char *name)
{
    ck_assert_msg(expected->size == actual->size, "%s gives other sizes than undisturbed", name);
    size_t different = 0;
    for (size_t k = 0; k < expected->size; k++)
        different += expected->data[k] != actual->data[k];
    size_t addresses = 2 * 2 * sizeof(void *); /* two data sets of two arrays */
    ck_assert_msg(different <= addresses, "%s gives %u other bytes than undisturbed", name, (unsigned)different);
}

START_TEST(every_refused_request_leaves_everything_as_it_was)
{
    const memory_call *given = &calls[_i];
    tsnni_test_bytes expected[2];
    undisturbed(given, expected);

    tsnni_test_allocator allocator = {0};
    tsnni_test_world world;
    tsnni_test_world_create(&world, tsnni_test_counted_context(&allocator));
    tsnni_test_bytes before = tsnni_test_world_bytes(&world);
    product made = {0};
    int64_t refusals = 0;
    for (;; refusals++) {
        ck_assert_int_lt(refusals, 1000);
        allocator.fail_at = allocator.calls + refusals + 1;
        int64_t live = allocator.live, refused = allocator.refused;
        tsnn_status status = given->call(&world, &made);
        allocator.fail_at = 0;
        if (allocator.refused == refused) {
            TSNNI_OK(status);
            break;
        }
        TSNNI_REFUSED(world.context, TSNN_ERROR_OUT_OF_MEMORY, status);
        product nothing = {0};
        ck_assert_msg(memcmp(&made, &nothing, sizeof made) == 0, "%s: an output is set", given->name);
        /* A trainer keeps its workspace, or drops it: that is no leak, and the balance at the end tells. */
        if (given->call != take_step)
            ck_assert_msg(allocator.live == live, "%s, request %d refused: %d blocks more than before", given->name,
                          (int)refusals + 1, (int)(allocator.live - live));
        tsnni_test_bytes after = tsnni_test_world_bytes(&world);
        ck_assert_msg(tsnni_test_bytes_equal(&before, &after), "%s, request %d refused: something has changed",
                      given->name, (int)refusals + 1);
        tsnni_test_bytes_free(&after);
    }
    ck_assert_msg(refusals >= given->requests, "%s made only %d requests", given->name, (int)refusals);
    tsnni_test_bytes after = tsnni_test_world_bytes(&world), own = product_bytes(&made);
    expect_same(&expected[0], &after, given->name);
    ck_assert_msg(tsnni_test_bytes_equal(&expected[1], &own), "%s makes something else than undisturbed", given->name);
    product_free(&made);
    tsnni_test_world_destroy(&world);
    ck_assert_msg(allocator.live == 0, "%s: %d blocks leak", given->name, (int)allocator.live);
    tsnni_test_bytes_free(&before);
    tsnni_test_bytes_free(&after);
    tsnni_test_bytes_free(&own);
    tsnni_test_bytes_free(&expected[0]);
    tsnni_test_bytes_free(&expected[1]);
}
END_TEST

START_TEST(a_context_that_gets_no_memory_is_none)
{
    tsnni_test_allocator allocator = {.fail_at = 1};
    ck_assert_ptr_null(tsnni_test_counted_context(&allocator));
    ck_assert_int_eq(allocator.live, 0);
    tsnn_context *context = tsnni_test_counted_context(&allocator);
    ck_assert_ptr_nonnull(context);
    tsnn_context_destroy(&context);
    ck_assert_int_eq(allocator.live, 0);
}
END_TEST

/* Whole runs and evolution over all layers may have done a part when memory ends: they must stop cleanly, leave a
 * network that works, and go on afterwards. */
static tsnn_status evolve_all(tsnni_test_world *world)
{
    return tsnn_evolution_apply(world->evolution, world->network, 5, NULL);
}

static tsnn_status run_training(tsnni_test_world *world)
{
    return tsnn_trainer_run(world->trainer, world->dataset, world->dataset);
}

static void refuse_in_turn(tsnn_status (*call)(tsnni_test_world *world), int64_t at_least)
{
    int64_t refusals = 0;
    for (int64_t k = 1;; k++, refusals++) {
        ck_assert_int_lt(k, 2000);
        tsnni_test_allocator allocator = {0};
        tsnni_test_world world;
        tsnni_test_world_create(&world, tsnni_test_counted_context(&allocator));
        allocator.fail_at = allocator.calls + k;
        tsnn_status status = call(&world);
        int64_t refused = allocator.refused;
        allocator.fail_at = 0;
        if (refused > 0) {
            TSNNI_REFUSED(world.context, TSNN_ERROR_OUT_OF_MEMORY, status);
            tsnn_network *copy = NULL;
            TSNNI_OK(tsnn_network_copy(world.network, &copy)); /* a whole network */
            tsnn_network_destroy(&copy);
            tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
            TSNNI_OK(tsnn_network_evaluate(world.network, world.loss, world.dataset, &evaluation));
            TSNNI_OK(call(&world));
        } else {
            TSNNI_OK(status);
        }
        tsnni_test_world_destroy(&world);
        ck_assert_msg(allocator.live == 0, "request %d refused: %d blocks leak", (int)k, (int)allocator.live);
        if (refused == 0)
            break;
    }
    ck_assert_int_ge(refusals, at_least);
}

START_TEST(a_training_run_stops_cleanly_and_goes_on)
{
    refuse_in_turn(run_training, 30);
}
END_TEST

START_TEST(evolution_of_a_network_stops_cleanly_and_goes_on)
{
    refuse_in_turn(evolve_all, 6);
}
END_TEST

/* The library asks for nothing in a step once the first has been made. */
START_TEST(steps_after_the_first_take_no_memory)
{
    tsnni_test_allocator allocator = {0};
    tsnni_test_world world;
    tsnni_test_world_create(&world, tsnni_test_counted_context(&allocator));
    int64_t requests = allocator.calls;
    for (int s = 0; s < 5; s++)
        TSNNI_OK(tsnn_trainer_step(world.trainer, world.dataset, NULL, 16 - s, 1.0, NULL));
    ck_assert_int_eq(allocator.calls, requests);
    tsnni_test_world_destroy(&world);
    ck_assert_int_eq(allocator.live, 0);
}
END_TEST

Suite *tsnni_suite_memory(void)
{
    Suite *suite = suite_create("memory");
    TCase *tcase = tcase_create("refused");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, every_refused_request_leaves_everything_as_it_was, 0, CALL_COUNT);
    tcase_add_test(tcase, a_context_that_gets_no_memory_is_none);
    tcase_add_test(tcase, a_training_run_stops_cleanly_and_goes_on);
    tcase_add_test(tcase, evolution_of_a_network_stops_cleanly_and_goes_on);
    tcase_add_test(tcase, steps_after_the_first_take_no_memory);
    suite_add_tcase(suite, tcase);
    return suite;
}
