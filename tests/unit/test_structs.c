/* Every public struct, of other sizes than this version knows. */
#include "suites.h"

#include <math.h>
#include <stdio.h>
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
    tsnni_test_folder_create();
}

/* Whatever a test tried, every object is as it was. */
static void teardown(void)
{
    tsnni_test_bytes after = tsnni_test_world_bytes(&world);
    ck_assert(tsnni_test_bytes_equal(&before, &after));
    tsnni_test_bytes_free(&before);
    tsnni_test_bytes_free(&after);
    tsnni_test_world_destroy(&world);
    tsnni_test_folder_remove();
}

/* ---- structs that the caller fills in ---- */

/* Each call gets a valid struct in a block of some size. */
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
OPTIONS_CALL(parallel)

static tsnn_status with_predictor(const void *options)
{
    tsnn_predictor *out = NULL;
    tsnn_status status = tsnn_predictor_create(world.context, world.network, options, &out);
    ck_assert((status == TSNN_OK) == (out != NULL));
    tsnn_predictor_destroy(&out);
    return status;
}

/* Once alone, once as two in a row: their size is the distance, too. */
static tsnn_status with_predictor_layer(const void *options)
{
    uint32_t size;
    memcpy(&size, options, sizeof size);
    tsnn_predictor *out = NULL;
    tsnn_status alone = tsnn_predictor_create_from_layers(world.context, options, 1, NULL, NULL, NULL, &out);
    ck_assert((alone == TSNN_OK) == (out != NULL));
    tsnn_predictor_destroy(&out);
    if (alone == TSNN_OK) {
        unsigned char *two = tsnni_test_array(2, size);
        memcpy(two, options, size);
        memcpy(two + size, options, size);
        TSNNI_OK(tsnn_predictor_create_from_layers(world.context, (const void *)two, 2, NULL, NULL, NULL, &out));
        tsnn_predictor_destroy(&out);
        free(two);
    }
    return alone;
}

static tsnn_status with_samples(const void *options)
{
    float outputs[4];
    tsnn_answers answers = TSNN_ANSWERS_INIT;
    answers.outputs = outputs;
    answers.outputs_capacity = 4;
    return tsnn_predictor_run(world.predictor, world.workspace, options, &answers);
}

static tsnn_status with_answers(const void *options)
{
    tsnn_samples samples = TSNN_SAMPLES_INIT;
    samples.features = world.features;
    samples.count = 1;
    return tsnn_predictor_run(world.predictor, world.workspace, &samples, options);
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

static tsnn_status with_checkpoint_export(const void *options)
{
    return tsnn_network_export(world.network, options);
}

static tsnn_status with_checkpoint_import(const void *options)
{
    tsnn_network *out = NULL;
    tsnn_status status = tsnn_network_import(world.context, options, NULL, &out);
    ck_assert((status == TSNN_OK) == (out != NULL));
    tsnn_network_destroy(&out);
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

static tsnn_status with_import(const void *options)
{
    tsnn_layer *out = NULL;
    tsnn_status status = tsnn_layer_import(world.context, options, NULL, &out);
    ck_assert((status == TSNN_OK) == (out != NULL));
    tsnn_layer_destroy(&out);
    return status;
}

static tsnn_status with_export(const void *options)
{
    return tsnn_layer_export(world.layer, options);
}

static tsnn_status with_export_c(const void *options)
{
    return tsnn_export_c(world.network, options, tsnni_test_path("network.c"), NULL);
}

/* A valid struct; what is left at zero is its tail. */
#define FILL(name, type, init, ...)                                                                                    \
    static void fill_##name(void *to)                                                                                  \
    {                                                                                                                  \
        type given = init;                                                                                             \
        __VA_ARGS__                                                                                                    \
        memcpy(to, &given, sizeof given);                                                                              \
    }

static const int64_t sizes[] = {5, 6, 3}, row_ptr[] = {0, 1, 2};
static const int32_t labels[] = {0}, column[] = {0, 1};
static const float features[] = {1, 2};

FILL(context, tsnn_context_options, TSNN_CONTEXT_OPTIONS_INIT, given.threads = 1;)
FILL(activation, tsnn_activation_options, TSNN_ACTIVATION_OPTIONS_INIT, given.kind = TSNN_ACTIVATION_TANH;)
FILL(layer, tsnn_layer_options, TSNN_LAYER_OPTIONS_INIT, given.inputs = given.outputs = 5;)
FILL(mlp, tsnn_mlp_options, TSNN_MLP_OPTIONS_INIT, given.sizes = sizes; given.size_count = 3;)
FILL(loss, tsnn_loss_options, TSNN_LOSS_OPTIONS_INIT, given.kind = TSNN_LOSS_MEAN_SQUARED_ERROR;)
FILL(dataset, tsnn_dataset_options, TSNN_DATASET_OPTIONS_INIT, given.samples = 1; given.features = 2;
     given.feature_data = features; given.labels = labels;)
FILL(optimizer, tsnn_optimizer_options, TSNN_OPTIMIZER_OPTIONS_INIT, given.kind = TSNN_OPTIMIZER_MOMENTUM;)
FILL(evolution, tsnn_evolution_options, TSNN_EVOLUTION_OPTIONS_INIT, )
FILL(pruning, tsnn_pruning_options, TSNN_PRUNING_OPTIONS_INIT, )
FILL(schedule, tsnn_schedule_options, TSNN_SCHEDULE_OPTIONS_INIT, given.kind = TSNN_SCHEDULE_COSINE;)
FILL(predictor, tsnn_predictor_options, TSNN_PREDICTOR_OPTIONS_INIT, given.pack = TSNN_PACK_SINGLE;)
FILL(predictor_layer, tsnn_predictor_layer, TSNN_PREDICTOR_LAYER_INIT, given.inputs = given.outputs = 2;
     given.connections = 2; given.row_ptr = row_ptr; given.column = column; given.values = features;)
FILL(samples, tsnn_samples, TSNN_SAMPLES_INIT, given.count = 1; given.features = world.features;)
FILL(answers, tsnn_answers, TSNN_ANSWERS_INIT, static float outputs[4]; given.outputs = outputs;
     given.outputs_capacity = 4;)
FILL(trainer, tsnn_trainer_options, TSNN_TRAINER_OPTIONS_INIT, given.network = world.network; given.loss = world.loss;
     given.optimizer = world.optimizer;)
FILL(parallel, tsnn_parallel_options, TSNN_PARALLEL_OPTIONS_INIT, given.workers = 2; given.network = world.network;
     given.loss = world.loss; given.optimizer = world.optimizer;)
FILL(save, tsnn_save_options, TSNN_SAVE_OPTIONS_INIT, given.momentum = 1;)
FILL(load, tsnn_load_options, TSNN_LOAD_OPTIONS_INIT, )
FILL(predictor_load, tsnn_predictor_load_options, TSNN_PREDICTOR_LOAD_OPTIONS_INIT, given.skip_zeros = 1;)
FILL(publisher, tsnn_publisher_options, TSNN_PUBLISHER_OPTIONS_INIT, )
FILL(checkpoint_export, tsnn_checkpoint_export_options, TSNN_CHECKPOINT_EXPORT_OPTIONS_INIT,
     given.path = tsnni_test_path("checkpoint");)
FILL(checkpoint_import, tsnn_checkpoint_import_options, TSNN_CHECKPOINT_IMPORT_OPTIONS_INIT,
     given.path = tsnni_test_path("checkpoint");)
FILL(import, tsnn_import_options, TSNN_IMPORT_OPTIONS_INIT, given.path = tsnni_test_path("weights");)
FILL(export, tsnn_export_options, TSNN_EXPORT_OPTIONS_INIT, given.format = TSNN_FORMAT_NPY;
     given.path = tsnni_test_path("weights");)
FILL(export_c, tsnn_export_c_options, TSNN_EXPORT_C_OPTIONS_INIT, given.weights = TSNN_EXPORT_INT8;)

typedef struct options_case {
    const char *type;
    size_t size;
    void (*fill)(void *to);
    options_call call; /* NULL: not in this build */
} options_case;

#define OPTIONS(name)                                                                                                  \
    {                                                                                                                  \
        "tsnn_" #name "_options", sizeof(tsnn_##name##_options), fill_##name, with_##name                              \
    }
#define STRUCT(name)                                                                                                   \
    {                                                                                                                  \
        "tsnn_" #name, sizeof(tsnn_##name), fill_##name, with_##name                                                   \
    }
#if TSNN_MODEL_FILES
#define FILE_OPTIONS(name) OPTIONS(name)
#else
#define FILE_OPTIONS(name)                                                                                             \
    {                                                                                                                  \
        "tsnn_" #name "_options", sizeof(tsnn_##name##_options), fill_##name, NULL                                     \
    }
#endif

/* Exporting comes before importing: the one writes what the other reads. */
static const options_case options_cases[] = {
    OPTIONS(context),
    OPTIONS(activation),
    OPTIONS(layer),
    OPTIONS(mlp),
    OPTIONS(loss),
    OPTIONS(dataset),
    OPTIONS(optimizer),
    OPTIONS(evolution),
    OPTIONS(pruning),
    OPTIONS(schedule),
    OPTIONS(predictor),
    OPTIONS(trainer),
    OPTIONS(parallel),
    FILE_OPTIONS(save),
    FILE_OPTIONS(load),
    OPTIONS(export),
    OPTIONS(import),
    OPTIONS(export_c),
    STRUCT(samples),
    STRUCT(answers),
    STRUCT(predictor_layer),
    OPTIONS(publisher),
    FILE_OPTIONS(predictor_load),
    FILE_OPTIONS(checkpoint_export),
    FILE_OPTIONS(checkpoint_import),
};
enum { OPTIONS_CASES = sizeof options_cases / sizeof *options_cases };

/* The call with a struct that claims a size, in a block of exactly `room` bytes, so that a sanitizer sees what goes
 * beyond; byte `set` is 1, unless that is 0. */
static tsnn_status claim(const options_case *given, uint32_t claimed, size_t room, size_t set)
{
    unsigned char *whole = tsnni_test_array((int64_t)given->size, 1), *block = tsnni_test_array((int64_t)room, 1);
    given->fill(whole);
    memcpy(block, whole, room < given->size ? room : given->size);
    memcpy(block, &claimed, sizeof claimed);
    if (set > 0)
        block[set] = 1;
    tsnn_status status = given->call(block);
    free(whole);
    free(block);
    return status;
}

/* Bytes up to the last one that is set, in steps of a field. */
static size_t used(const options_case *given)
{
    unsigned char *whole = tsnni_test_array((int64_t)given->size, 1);
    given->fill(whole);
    size_t size = given->size;
    while (size > 8 && whole[size - 1] == 0)
        size--;
    free(whole);
    return (size + 7) / 8 * 8;
}

#define EXPECT_STATUS(expected, status, given, claimed)                                                                \
    ck_assert_msg((status) == (expected), "%s of %u bytes: status %d", (given)->type, (unsigned)(claimed),             \
                  (int)(status))

START_TEST(garbage_for_a_size_is_refused)
{
    static const uint32_t garbage[] = {0, 1, 4, 7, 9, 13, 4097, 8192, INT32_MAX, 0x80000000u, UINT32_MAX};
    for (const options_case *given = options_cases; given < options_cases + OPTIONS_CASES; given++) {
        if (given->call == NULL)
            continue;
        for (size_t k = 0; k < sizeof garbage / sizeof *garbage; k++)
            EXPECT_STATUS(TSNN_ERROR_STRUCT_SIZE, claim(given, garbage[k], given->size, 0), given, garbage[k]);
        for (uint32_t more = 1; more < 4; more++)
            EXPECT_STATUS(TSNN_ERROR_STRUCT_SIZE, claim(given, (uint32_t)given->size + more, given->size + more, 0),
                          given, given->size + more);
    }
}
END_TEST

/* A program compiled with an older header: what its struct lacks is at the default. Where a field is lacking that must
 * be set, the call says so, and reads no byte beyond. */
START_TEST(smaller_structs_are_read_as_far_as_they_go)
{
    for (const options_case *given = options_cases; given < options_cases + OPTIONS_CASES; given++)
        for (size_t size = 8; given->call != NULL && size <= given->size; size += 8) {
            tsnn_status status = claim(given, (uint32_t)size, size, 0);
            if (size >= used(given))
                EXPECT_STATUS(TSNN_OK, status, given, size);
            ck_assert_msg(status != TSNN_ERROR_STRUCT_SIZE, "%s of %u bytes is refused", given->type, (unsigned)size);
        }
}
END_TEST

/* A program compiled with a newer header: what this version does not know must be zero. */
START_TEST(larger_structs_are_read_while_their_tail_is_zero)
{
    static const size_t more[] = {8, 64, 1000};
    for (const options_case *given = options_cases; given < options_cases + OPTIONS_CASES; given++)
        for (int k = 0; given->call != NULL && k < 3; k++) {
            size_t size = given->size + more[k];
            EXPECT_STATUS(TSNN_OK, claim(given, (uint32_t)size, size, 0), given, size);
            for (size_t at = given->size; at < size; at += more[k] - 1)
                EXPECT_STATUS(TSNN_ERROR_STRUCT_SIZE, claim(given, (uint32_t)size, size, at), given, size);
        }
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
    EXPECT_INIT(checkpoint_import, TSNN_CHECKPOINT_IMPORT_OPTIONS_INIT);
    EXPECT_INIT(checkpoint_export, TSNN_CHECKPOINT_EXPORT_OPTIONS_INIT);
    EXPECT_INIT(trainer, TSNN_TRAINER_OPTIONS_INIT);
    EXPECT_INIT(save, TSNN_SAVE_OPTIONS_INIT);
    EXPECT_INIT(load, TSNN_LOAD_OPTIONS_INIT);
    EXPECT_INIT(import, TSNN_IMPORT_OPTIONS_INIT);
    EXPECT_INIT(export, TSNN_EXPORT_OPTIONS_INIT);
    EXPECT_INIT(export_c, TSNN_EXPORT_C_OPTIONS_INIT);
    EXPECT_INIT(parallel, TSNN_PARALLEL_OPTIONS_INIT);
}
END_TEST

/* ---- structs that the library fills in ---- */

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

static tsnn_status info_of_plan(void *info)
{
    return tsnn_network_explain(world.network, 0, 16, info, NULL, 0);
}

static tsnn_status info_of_parallel(void *info)
{
    return tsnn_parallel_get_info(world.parallel, info);
}

static tsnn_status info_of_worker(void *info)
{
    return tsnn_parallel_get_worker(world.parallel, 0, info);
}

static tsnn_status info_of_predictor(void *info)
{
    return tsnn_predictor_get_info(world.predictor, info);
}

static tsnn_status info_of_publisher(void *info)
{
    tsnn_predictor *predictor = NULL;
    tsnn_publisher *publisher = NULL;
    TSNNI_OK(tsnn_predictor_create(world.context, world.network, NULL, &predictor));
    TSNNI_OK(tsnn_publisher_create(world.context, &predictor, NULL, &publisher));
    tsnn_status status = tsnn_publisher_get_info(publisher, info);
    tsnn_publisher_destroy(&publisher);
    return status;
}

/* On a copy: a report that cannot be written must leave the network as it was, too. */
static tsnn_status report_of_pruning(void *report)
{
    tsnn_network *copy = NULL;
    tsnn_pruning *pruning = NULL;
    tsnni_test_bytes before_it = {0}, after_it = {0};
    TSNNI_OK(tsnn_network_copy(world.network, &copy));
    TSNNI_OK(tsnn_pruning_create(world.context, NULL, &pruning));
    tsnni_test_bytes_add_network(&before_it, copy);
    tsnn_status status = tsnn_pruning_apply(pruning, copy, report);
    tsnni_test_bytes_add_network(&after_it, copy);
    ck_assert_int_eq(tsnni_test_bytes_equal(&before_it, &after_it), status != TSNN_OK);
    tsnni_test_bytes_free(&before_it);
    tsnni_test_bytes_free(&after_it);
    tsnn_pruning_destroy(&pruning);
    tsnn_network_destroy(&copy);
    return status;
}

static tsnn_status report_of_export_c(void *report)
{
    const char *path = tsnni_test_path("network.c");
    tsnn_status status = tsnn_export_c(world.network, NULL, path, report);
    ck_assert_int_eq(remove(path) == 0, status == TSNN_OK);
    return status;
}

static tsnn_status report_of_import(void *report)
{
    tsnn_export_options written = TSNN_EXPORT_OPTIONS_INIT;
    tsnn_import_options options = TSNN_IMPORT_OPTIONS_INIT;
    tsnn_layer *layer = NULL;
    written.format = TSNN_FORMAT_NPZ;
    written.path = options.path = tsnni_test_path("weights");
    TSNNI_OK(tsnn_layer_export(world.layer, &written));
    tsnn_status status = tsnn_layer_import(world.context, &options, report, &layer);
    ck_assert((status == TSNN_OK) == (layer != NULL));
    tsnn_layer_destroy(&layer);
    return status;
}

typedef struct info_case {
    const char *type;
    size_t size;
    tsnn_status (*call)(void *info);
} info_case;

#define INFO(type, call)                                                                                               \
    {                                                                                                                  \
#type, sizeof(type), call                                                                                      \
    }

static const info_case info_cases[] = {
    INFO(tsnn_context_info, info_of_context),     INFO(tsnn_layer_info, info_of_layer),
    INFO(tsnn_network_info, info_of_network),     INFO(tsnn_dataset_info, info_of_dataset),
    INFO(tsnn_evaluation, info_of_evaluation),    INFO(tsnn_layer_plan, info_of_plan),
    INFO(tsnn_parallel_info, info_of_parallel),   INFO(tsnn_parallel_worker_info, info_of_worker),
    INFO(tsnn_predictor_info, info_of_predictor), INFO(tsnn_publisher_info, info_of_publisher),
    INFO(tsnn_pruning_report, report_of_pruning), INFO(tsnn_export_c_report, report_of_export_c),
    INFO(tsnn_import_report, report_of_import),
};
enum { INFO_CASES = sizeof info_cases / sizeof *info_cases };

#define BUFFER 8192

START_TEST(info_of_any_version_is_written)
{
    unsigned char *whole = tsnni_test_array(BUFFER, 1), *buffer = tsnni_test_array(BUFFER, 1);
    for (const info_case *given = info_cases; given < info_cases + INFO_CASES; given++) {
        uint32_t size = (uint32_t)given->size;
        memcpy(whole, &size, sizeof size);
        TSNNI_OK(given->call(whole));
        static const uint32_t refused[] = {0, 1, 4, 7, 9, 13, 4097, BUFFER, 0x80000000u, UINT32_MAX};
        for (int r = 0; r < 10; r++) {
            memcpy(buffer, &refused[r], sizeof *refused);
            ck_assert_msg(given->call(buffer) == TSNN_ERROR_STRUCT_SIZE, "%s of %u bytes", given->type, refused[r]);
        }
        const uint32_t taken[] = {8, 16, size - 8, size, size + 8, 2 * size};
        for (int t = 0; t < 6; t++) {
            memset(buffer, 0xEE, BUFFER);
            memcpy(buffer, &taken[t], sizeof *taken);
            ck_assert_msg(given->call(buffer) == TSNN_OK, "%s of %u bytes", given->type, taken[t]);
            ck_assert_mem_eq(buffer, &taken[t], sizeof *taken); /* the caller's */
            uint32_t shared = taken[t] < size ? taken[t] : size;
            ck_assert_msg(memcmp(buffer + 4, whole + 4, shared - 4) == 0, "%s of %u bytes", given->type, taken[t]);
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

/* ---- structs of callbacks ---- */

static int32_t see_step(void *user, const tsnn_step_report *report)
{
    ck_assert_uint_eq(report->struct_size, sizeof *report);
    ++*(int *)user;
    return 0;
}

static int32_t see_epoch(void *user, const tsnn_epoch_report *report)
{
    ck_assert_uint_eq(report->struct_size, sizeof *report);
    ++*(int *)user;
    return 0;
}

/* So that a program compiled with a newer header can see what an older library does not tell. */
START_TEST(reports_tell_their_size)
{
    for (int parallel = 0; parallel < 2; parallel++) {
        int seen = 0;
        tsnn_network *copy = NULL;
        TSNNI_OK(tsnn_network_copy(world.network, &copy));
        if (parallel) {
            tsnn_parallel_options options = TSNN_PARALLEL_OPTIONS_INIT;
            tsnn_parallel *out = NULL;
            fill_parallel(&options);
            options.network = copy;
            options.on_step = see_step;
            options.on_epoch = see_epoch;
            options.user = &seen;
            TSNNI_OK(tsnn_parallel_create(world.context, &options, &out));
            TSNNI_OK(tsnn_parallel_run(out, world.dataset, NULL));
            tsnn_parallel_destroy(&out);
        } else {
            tsnn_trainer_options options = TSNN_TRAINER_OPTIONS_INIT;
            tsnn_trainer *out = NULL;
            fill_trainer(&options);
            options.network = copy;
            options.on_step = see_step;
            options.on_epoch = see_epoch;
            options.user = &seen;
            TSNNI_OK(tsnn_trainer_create(world.context, &options, &out));
            TSNNI_OK(tsnn_trainer_run(out, world.dataset, NULL));
            tsnn_trainer_destroy(&out);
        }
        ck_assert_int_gt(seen, 10); /* of 10 epochs, and some steps */
        tsnn_network_destroy(&copy);
    }
}
END_TEST

/* ---- completeness ---- */

/* Structs that no size goes with, or that only the library makes. */
static const info_case other_cases[] = {
    INFO(tsnn_step_report, NULL), INFO(tsnn_epoch_report, NULL), /* above */
    INFO(tsnn_parallel_commit, NULL),                            /* lies in arrays: fixed for good */
};

/* Of the tables above; 0: in none. */
static size_t size_of(const char *type)
{
    for (int k = 0; k < OPTIONS_CASES; k++)
        if (strcmp(options_cases[k].type, type) == 0)
            return options_cases[k].size;
    for (int k = 0; k < INFO_CASES; k++)
        if (strcmp(info_cases[k].type, type) == 0)
            return info_cases[k].size;
    for (size_t k = 0; k < sizeof other_cases / sizeof *other_cases; k++)
        if (strcmp(other_cases[k].type, type) == 0)
            return other_cases[k].size;
    return 0;
}

START_TEST(every_public_struct_is_tried)
{
    char line[200], type[200];
    unsigned size, structs = 0;
    FILE *file = fopen("tests/abi/libtsnn.layout", "r");
    ck_assert_msg(file != NULL, "tests/abi/libtsnn.layout cannot be read: the tests run in the root of the tree");
    while (fgets(line, sizeof line, file) != NULL) {
        if (strchr(line, '.') != NULL || sscanf(line, "%199s %u", type, &size) != 2)
            continue;
        ck_assert_msg(size_of(type) > 0, "%s is in no table of tests/unit/test_structs.c", type);
        if (sizeof(void *) == 8)
            ck_assert_uint_eq(size_of(type), size);
        structs++;
    }
    fclose(file);
    ck_assert_uint_eq(structs, OPTIONS_CASES + INFO_CASES + sizeof other_cases / sizeof *other_cases);
}
END_TEST

Suite *tsnni_suite_structs(void)
{
    Suite *suite = suite_create("structs");
    TCase *tcase = tcase_create("structs");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, garbage_for_a_size_is_refused);
    tcase_add_test(tcase, smaller_structs_are_read_as_far_as_they_go);
    tcase_add_test(tcase, larger_structs_are_read_while_their_tail_is_zero);
    tcase_add_test(tcase, init_functions_do_what_the_macros_do);
    tcase_add_test(tcase, info_of_any_version_is_written);
    tcase_add_test(tcase, reports_tell_their_size);
    tcase_add_test(tcase, every_public_struct_is_tried);
    suite_add_tcase(suite, tcase);
    return suite;
}
