/* Options and info structs of other sizes than this version knows. */
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "abuse.h"
#include "model_support.h"

static tsnni_test_world world;
static tsnni_test_bytes before;

static void setup(void)
{
    tsnni_test_world_create(&world, tsnni_test_context(TSNN_ISA_AUTO, 1, 4));
    before = tsnni_test_world_bytes(&world);
}

/* Whatever a test tried, every object is as it was. */
static void teardown(void)
{
    tsnni_test_bytes after = tsnni_test_world_bytes(&world);
    ck_assert(tsnni_test_bytes_equal(&before, &after));
    tsnni_test_bytes_free(&before);
    tsnni_test_bytes_free(&after);
    tsnni_test_world_destroy(&world);
}

/* Each call gets a valid options struct in a buffer of another size; all fields that a size of 8 bytes less cuts off
 * are at their defaults. */
typedef tsnn_status (*options_call)(const void *options);

static tsnn_status with_context(const void *options)
{
    tsnn_context *out = NULL;
    tsnn_status status = tsnn_context_create(options, &out);
    ck_assert((status == TSNN_OK) == (out != NULL));
    tsnn_context_destroy(&out);
    return status;
}

#define OPTIONS_CALL(name)                                                                                             \
    static tsnn_status with_##name(const void *options)                                                                \
    {                                                                                                                  \
        tsnn_##name *out = NULL;                                                                                       \
        tsnn_status status = tsnn_##name##_create(world.context, options, &out);                                       \
        ck_assert((status == TSNN_OK) == (out != NULL));                                                               \
        tsnn_##name##_destroy(&out);                                                                                   \
        return status;                                                                                                 \
    }

OPTIONS_CALL(activation)
OPTIONS_CALL(layer)
OPTIONS_CALL(loss)
OPTIONS_CALL(dataset)
OPTIONS_CALL(optimizer)
OPTIONS_CALL(evolution)
OPTIONS_CALL(pruning)
OPTIONS_CALL(trainer)

static tsnn_status with_predictor(const void *options)
{
    tsnn_predictor *out = NULL;
    tsnn_status status = tsnn_predictor_create(world.context, world.network, options, &out);
    ck_assert((status == TSNN_OK) == (out != NULL));
    tsnn_predictor_destroy(&out);
    return status;
}

static tsnn_status with_mlp(const void *options)
{
    tsnn_network *out = NULL;
    tsnn_status status = tsnn_network_create_mlp(world.context, options, &out);
    tsnn_network_destroy(&out);
    return status;
}

#if TSNN_MODEL_FILES
static tsnn_status with_save(const void *options)
{
    return tsnn_network_save_memory(world.network, options, NULL, 0, NULL);
}

static tsnn_status with_load(const void *options)
{
    tsnn_network *out = NULL;
    tsnni_test_bytes saved = tsnni_test_saved(world.network, NULL);
    tsnn_status status = tsnn_network_load_memory(world.context, saved.data, (int64_t)saved.size, options, &out);
    tsnn_network_destroy(&out);
    tsnni_test_bytes_free(&saved);
    return status;
}

static tsnn_status with_predictor_load(const void *options)
{
    tsnn_predictor *out = NULL;
    tsnni_test_bytes saved = tsnni_test_saved(world.network, NULL);
    tsnn_status status = tsnn_predictor_load_memory(world.context, saved.data, (int64_t)saved.size, options, &out);
    ck_assert((status == TSNN_OK) == (out != NULL));
    tsnn_predictor_destroy(&out);
    tsnni_test_bytes_free(&saved);
    return status;
}
#endif

static tsnn_status with_publisher(const void *options)
{
    tsnn_predictor *predictor = NULL;
    tsnn_publisher *out = NULL;
    TSNNI_OK(tsnn_predictor_create(world.context, world.network, NULL, &predictor));
    tsnn_status status = tsnn_publisher_create(world.context, &predictor, options, &out);
    ck_assert((status == TSNN_OK) == (out != NULL) && (status == TSNN_OK) == (predictor == NULL));
    tsnn_publisher_destroy(&out);
    tsnn_predictor_destroy(&predictor);
    return status;
}

static tsnn_status with_schedule(const void *options)
{
    double factor = 0.0;
    return tsnn_schedule_factor(options, 0.5, 3, &factor);
}

#define BUFFER 8192

static void try_sizes(const char *name, const void *valid, size_t size, options_call call)
{
    unsigned char *buffer = tsnni_test_array(BUFFER, 1);
    static const size_t refused[] = {0, 1, 4, 7, 9, 8 + sizeof(void *) / 2, BUFFER, UINT32_MAX};
    for (size_t k = 0; k < sizeof refused / sizeof *refused; k++) {
        memcpy(buffer, valid, size);
        uint32_t claimed = (uint32_t)refused[k];
        memcpy(buffer, &claimed, sizeof claimed);
        tsnn_status status = call(buffer);
        ck_assert_msg(status == TSNN_ERROR_STRUCT_SIZE, "%s of %u bytes: status %d", name, claimed, (int)status);
    }
    static const int difference[] = {0, -8, 8, 64, 1000};
    for (int k = 0; k < 5; k++) {
        uint32_t claimed = (uint32_t)((int)size + difference[k]);
        memset(buffer, 0, BUFFER);
        memcpy(buffer, valid, size);
        memcpy(buffer, &claimed, sizeof claimed);
        tsnn_status status = call(buffer);
        ck_assert_msg(status == TSNN_OK, "%s of %u bytes with a zero tail: status %d", name, claimed, (int)status);
        if (difference[k] > 0)
            for (size_t at = size; at < claimed; at += claimed - size - 1) {
                buffer[at] = 1;
                status = call(buffer);
                ck_assert_msg(status == TSNN_ERROR_STRUCT_SIZE, "%s of %u bytes with byte %u set: status %d", name,
                              claimed, (unsigned)at, (int)status);
                buffer[at] = 0;
            }
    }
    free(buffer);
}

START_TEST(options_of_any_version_are_read)
{
    static const int64_t sizes[] = {5, 6, 3};
    static const float features[] = {1, 2};
    static const int32_t labels[] = {0};
    tsnn_context_options context = TSNN_CONTEXT_OPTIONS_INIT;
    try_sizes("context", &context, sizeof context, with_context);
    tsnn_activation_options activation = TSNN_ACTIVATION_OPTIONS_INIT;
    try_sizes("activation", &activation, sizeof activation, with_activation);
    tsnn_layer_options layer = TSNN_LAYER_OPTIONS_INIT;
    layer.inputs = layer.outputs = 5;
    try_sizes("layer", &layer, sizeof layer, with_layer);
    tsnn_mlp_options mlp = TSNN_MLP_OPTIONS_INIT;
    mlp.sizes = sizes;
    mlp.size_count = 3;
    try_sizes("mlp", &mlp, sizeof mlp, with_mlp);
    tsnn_loss_options loss = TSNN_LOSS_OPTIONS_INIT;
    try_sizes("loss", &loss, sizeof loss, with_loss);
    tsnn_dataset_options dataset = TSNN_DATASET_OPTIONS_INIT;
    dataset.samples = 1;
    dataset.features = 2;
    dataset.feature_data = features;
    dataset.labels = labels;
    try_sizes("dataset", &dataset, sizeof dataset, with_dataset);
    tsnn_optimizer_options optimizer = TSNN_OPTIMIZER_OPTIONS_INIT;
    try_sizes("optimizer", &optimizer, sizeof optimizer, with_optimizer);
    tsnn_evolution_options evolution = TSNN_EVOLUTION_OPTIONS_INIT;
    try_sizes("evolution", &evolution, sizeof evolution, with_evolution);
    tsnn_pruning_options pruning = TSNN_PRUNING_OPTIONS_INIT;
    try_sizes("pruning", &pruning, sizeof pruning, with_pruning);
    tsnn_schedule_options schedule = TSNN_SCHEDULE_OPTIONS_INIT;
    try_sizes("schedule", &schedule, sizeof schedule, with_schedule);
    tsnn_predictor_options predictor = TSNN_PREDICTOR_OPTIONS_INIT;
    try_sizes("predictor", &predictor, sizeof predictor, with_predictor);
    tsnn_publisher_options publisher = TSNN_PUBLISHER_OPTIONS_INIT;
    try_sizes("publisher", &publisher, sizeof publisher, with_publisher);
#if TSNN_MODEL_FILES
    tsnn_save_options save = TSNN_SAVE_OPTIONS_INIT;
    try_sizes("save", &save, sizeof save, with_save);
    tsnn_load_options load = TSNN_LOAD_OPTIONS_INIT;
    try_sizes("load", &load, sizeof load, with_load);
    tsnn_predictor_load_options predictor_load = TSNN_PREDICTOR_LOAD_OPTIONS_INIT;
    try_sizes("predictor_load", &predictor_load, sizeof predictor_load, with_predictor_load);
#endif
    tsnn_trainer_options trainer = TSNN_TRAINER_OPTIONS_INIT;
    trainer.network = world.network;
    trainer.loss = world.loss;
    trainer.optimizer = world.optimizer;
    try_sizes("trainer", &trainer, sizeof trainer, with_trainer);
}
END_TEST

#define EXPECT_INIT(type, macro)                                                                                       \
    do {                                                                                                               \
        tsnn_##type##_options by_macro = macro, by_function;                                                           \
        memset(&by_function, 0xFF, sizeof by_function);                                                                \
        TSNNI_OK(tsnn_##type##_options_init(&by_function));                                                            \
        ck_assert_uint_eq(by_function.struct_size, sizeof by_function);                                                \
        ck_assert_mem_eq(&by_function, &by_macro, sizeof by_macro);                                                    \
    } while (0)

START_TEST(init_functions_do_what_the_macros_do)
{
    EXPECT_INIT(context, TSNN_CONTEXT_OPTIONS_INIT);
    EXPECT_INIT(activation, TSNN_ACTIVATION_OPTIONS_INIT);
    EXPECT_INIT(layer, TSNN_LAYER_OPTIONS_INIT);
    EXPECT_INIT(mlp, TSNN_MLP_OPTIONS_INIT);
    EXPECT_INIT(loss, TSNN_LOSS_OPTIONS_INIT);
    EXPECT_INIT(dataset, TSNN_DATASET_OPTIONS_INIT);
    EXPECT_INIT(optimizer, TSNN_OPTIMIZER_OPTIONS_INIT);
    EXPECT_INIT(evolution, TSNN_EVOLUTION_OPTIONS_INIT);
    EXPECT_INIT(pruning, TSNN_PRUNING_OPTIONS_INIT);
    EXPECT_INIT(schedule, TSNN_SCHEDULE_OPTIONS_INIT);
    EXPECT_INIT(predictor, TSNN_PREDICTOR_OPTIONS_INIT);
    EXPECT_INIT(predictor_load, TSNN_PREDICTOR_LOAD_OPTIONS_INIT);
    EXPECT_INIT(publisher, TSNN_PUBLISHER_OPTIONS_INIT);
    EXPECT_INIT(trainer, TSNN_TRAINER_OPTIONS_INIT);
    EXPECT_INIT(save, TSNN_SAVE_OPTIONS_INIT);
    EXPECT_INIT(load, TSNN_LOAD_OPTIONS_INIT);
    EXPECT_INIT(import, TSNN_IMPORT_OPTIONS_INIT);
    EXPECT_INIT(export, TSNN_EXPORT_OPTIONS_INIT);
}
END_TEST

static tsnn_status info_of_context(void *info)
{
    return tsnn_context_get_info(world.context, info);
}

static tsnn_status info_of_layer(void *info)
{
    return tsnn_layer_get_info(world.layer, info);
}

static tsnn_status info_of_network(void *info)
{
    return tsnn_network_get_info(world.network, info);
}

static tsnn_status info_of_dataset(void *info)
{
    return tsnn_dataset_get_info(world.dataset, info);
}

static tsnn_status info_of_evaluation(void *info)
{
    return tsnn_network_evaluate(world.network, world.loss, world.dataset, info);
}

typedef struct info_call {
    const char *name;
    size_t size;
    tsnn_status (*call)(void *info);
} info_call;

static const info_call info_calls[] = {
    {"context", sizeof(tsnn_context_info), info_of_context},
    {"layer", sizeof(tsnn_layer_info), info_of_layer},
    {"network", sizeof(tsnn_network_info), info_of_network},
    {"dataset", sizeof(tsnn_dataset_info), info_of_dataset},
    {"evaluation", sizeof(tsnn_evaluation), info_of_evaluation},
};

START_TEST(info_of_any_version_is_written)
{
    unsigned char *whole = tsnni_test_array(BUFFER, 1), *buffer = tsnni_test_array(BUFFER, 1);
    for (size_t k = 0; k < sizeof info_calls / sizeof *info_calls; k++) {
        const info_call *given = &info_calls[k];
        uint32_t size = (uint32_t)given->size;
        memcpy(whole, &size, sizeof size);
        TSNNI_OK(given->call(whole));
        static const uint32_t refused[] = {0, 4, BUFFER};
        for (int r = 0; r < 3; r++) {
            memcpy(buffer, &refused[r], sizeof *refused);
            ck_assert_msg(given->call(buffer) == TSNN_ERROR_STRUCT_SIZE, "%s of %u bytes", given->name, refused[r]);
        }
        const uint32_t taken[] = {8, 16, size - 8, size, size + 8, 2 * size};
        for (int t = 0; t < 6; t++) {
            memset(buffer, 0xEE, BUFFER);
            memcpy(buffer, &taken[t], sizeof *taken);
            ck_assert_msg(given->call(buffer) == TSNN_OK, "%s of %u bytes", given->name, taken[t]);
            ck_assert_mem_eq(buffer, &taken[t], sizeof *taken); /* the caller's */
            uint32_t shared = taken[t] < size ? taken[t] : size;
            ck_assert_mem_eq(buffer + 4, whole + 4, shared - 4);
            for (uint32_t at = shared; at < taken[t]; at++)
                ck_assert_int_eq(buffer[at], 0);
            for (uint32_t at = taken[t]; at < taken[t] + 64; at++)
                ck_assert_int_eq(buffer[at], 0xEE);
        }
    }
    free(whole);
    free(buffer);
}
END_TEST

Suite *tsnni_suite_structs(void)
{
    Suite *suite = suite_create("structs");
    TCase *tcase = tcase_create("structs");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, options_of_any_version_are_read);
    tcase_add_test(tcase, init_functions_do_what_the_macros_do);
    tcase_add_test(tcase, info_of_any_version_is_written);
    suite_add_tcase(suite, tcase);
    return suite;
}
