/* Wrong arguments of contexts, activations, losses, schedules, layers and networks: a status, a text, and nothing
 * changed. */
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "abuse.h"

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

static const double not_finite[] = {NAN, INFINITY, -INFINITY};

/* ---- context, status ---- */

START_TEST(contexts)
{
    tsnn_context *out = (tsnn_context *)(void *)&world;
    tsnn_context_options options = TSNN_CONTEXT_OPTIONS_INIT;
    NOBODY(tsnn_context_options_init(NULL));
    NOBODY(tsnn_context_create(&options, NULL));
    static const int32_t threads[] = {-1, 1025, INT32_MAX, INT32_MIN}, isas[] = {-1, 5, INT32_MAX};
    for (int k = 0; k < 4; k++) {
        options.threads = threads[k];
        out = (tsnn_context *)(void *)&world;
        ck_assert_int_eq(tsnn_context_create(&options, &out), INVALID);
        ck_assert_ptr_null(out);
        REFUSED(INVALID, tsnn_context_set_threads(world.context, threads[k]));
    }
    options.threads = 0;
    for (int k = 0; k < 3; k++) {
        options.isa = isas[k];
        ck_assert_int_eq(tsnn_context_create(&options, &out), INVALID);
        ck_assert_ptr_null(out);
    }
    options.isa = 0;
    tsnni_test_allocator allocator = {0};
    tsnn_context *counted = tsnni_test_counted_context(&allocator);
    tsnn_context_destroy(&counted);
    options.allocate = (tsnn_allocate_function)NULL;
    options.release = (tsnn_release_function)NULL;
    TSNNI_OK(tsnn_context_create(&options, &out));
    tsnn_context_destroy(&out);
    NOBODY(tsnn_context_set_threads(NULL, 1));
    tsnn_context_info info = TSNN_CONTEXT_INFO_INIT;
    NOBODY(tsnn_context_get_info(NULL, &info));
    NOBODY(tsnn_context_get_info(world.context, NULL));
    TSNNI_OK(tsnn_context_set_threads(world.context, 0));
    TSNNI_OK(tsnn_context_get_info(world.context, &info));
    ck_assert_int_ge(info.threads, 1);
    ck_assert_int_gt(info.isa, TSNN_ISA_AUTO);
    ck_assert_uint_eq(info.seed, 4);
    TSNNI_OK(tsnn_context_set_threads(world.context, 1));
}
END_TEST

static void *never(void *user, size_t size)
{
    (void)user;
    (void)size;
    return NULL;
}

static void never_release(void *user, void *pointer)
{
    (void)user;
    (void)pointer;
    ck_abort_msg("nothing was allocated");
}

START_TEST(an_allocator_comes_as_a_pair)
{
    tsnn_context *out = (tsnn_context *)(void *)&world;
    tsnn_context_options options = TSNN_CONTEXT_OPTIONS_INIT;
    options.allocate = never;
    ck_assert_int_eq(tsnn_context_create(&options, &out), INVALID);
    ck_assert_ptr_null(out);
    options.release = never_release;
    out = (tsnn_context *)(void *)&world;
    ck_assert_int_eq(tsnn_context_create(&options, &out), TSNN_ERROR_OUT_OF_MEMORY);
    ck_assert_ptr_null(out);
    options.allocate = NULL;
    ck_assert_int_eq(tsnn_context_create(&options, &out), INVALID);
}
END_TEST

START_TEST(an_error_text_is_cut_to_fit)
{
    char whole[600], part[8] = "xxxxxxx";
    tsnn_status code = TSNN_OK;
    REFUSED(INVALID, tsnn_layer_freeze(world.layer, 9));
    TSNNI_OK(tsnn_context_error(world.context, whole, 600, &code));
    ck_assert_int_eq(code, INVALID);
    TSNNI_OK(tsnn_context_error(world.context, part, 4, NULL));
    ck_assert_mem_eq(part, whole, 3);
    ck_assert_int_eq(part[3], '\0');
    ck_assert_int_eq(part[4], 'x');
    TSNNI_OK(tsnn_context_error(world.context, NULL, 0, &code));
    TSNNI_OK(tsnn_context_error(world.context, part, 0, NULL));
    NOBODY(tsnn_context_error(NULL, whole, 600, &code));
    NOBODY(tsnn_context_error(world.context, NULL, 5, &code));
    ck_assert_int_eq(tsnn_context_error(world.context, whole, -1, &code), INVALID);
}
END_TEST

START_TEST(strings_are_total)
{
    for (int32_t status = -200; status <= 200; status++) {
        const char *text = tsnn_status_string(status);
        ck_assert_ptr_nonnull(text);
        ck_assert(text[0] != '\0');
    }
    ck_assert_str_eq(tsnn_status_string(-12345), "unknown status");
    ck_assert_str_eq(tsnn_status_string(INT32_MIN), "unknown status");
    ck_assert_str_ne(tsnn_status_string(TSNN_ERROR_LABEL), "unknown status");
    ck_assert_str_eq(tsnn_isa_string(TSNN_ISA_AVX512), "avx512");
    ck_assert_str_eq(tsnn_isa_string(77), "unknown");
    ck_assert_str_eq(tsnn_isa_string(-1), "unknown");
    int32_t number = TSNN_VERSION_MAJOR * 10000 + TSNN_VERSION_MINOR * 100 + TSNN_VERSION_PATCH;
    ck_assert_int_eq(tsnn_version_number(), number);
    ck_assert_int_eq(tsnn_version_string()[0], '0' + TSNN_VERSION_MAJOR);
}
END_TEST

/* ---- destroying ---- */

#define DESTROY_TWICE(type, name, created)                                                                             \
    do {                                                                                                               \
        type *object = NULL;                                                                                           \
        name(NULL);                                                                                                    \
        name(&object);                                                                                                 \
        TSNNI_OK(created);                                                                                             \
        name(&object);                                                                                                 \
        ck_assert_ptr_null(object);                                                                                    \
        name(&object);                                                                                                 \
    } while (0)

START_TEST(destroying_twice_or_nothing_is_harmless)
{
    tsnn_layer_options layer = TSNN_LAYER_OPTIONS_INIT;
    layer.inputs = layer.outputs = 5;
    tsnn_dataset_options dataset = TSNN_DATASET_OPTIONS_INIT;
    static const float number[] = {1.0f};
    static const int32_t label[] = {0};
    dataset.samples = dataset.features = 1;
    dataset.feature_data = number;
    dataset.labels = label;
    tsnn_trainer_options trainer = TSNN_TRAINER_OPTIONS_INIT;
    trainer.network = world.network;
    trainer.loss = world.loss;
    trainer.optimizer = world.optimizer;
    DESTROY_TWICE(tsnn_context, tsnn_context_destroy, tsnn_context_create(NULL, &object));
    DESTROY_TWICE(tsnn_activation, tsnn_activation_destroy, tsnn_activation_create(world.context, NULL, &object));
    DESTROY_TWICE(tsnn_layer, tsnn_layer_destroy, tsnn_layer_create(world.context, &layer, &object));
    DESTROY_TWICE(tsnn_network, tsnn_network_destroy, tsnn_network_create(world.context, &object));
    DESTROY_TWICE(tsnn_loss, tsnn_loss_destroy, tsnn_loss_create(world.context, NULL, &object));
    DESTROY_TWICE(tsnn_optimizer, tsnn_optimizer_destroy, tsnn_optimizer_create(world.context, NULL, &object));
    DESTROY_TWICE(tsnn_evolution, tsnn_evolution_destroy, tsnn_evolution_create(world.context, NULL, &object));
    DESTROY_TWICE(tsnn_pruning, tsnn_pruning_destroy, tsnn_pruning_create(world.context, NULL, &object));
    DESTROY_TWICE(tsnn_dataset, tsnn_dataset_destroy, tsnn_dataset_create(world.context, &dataset, &object));
    DESTROY_TWICE(tsnn_standardizer, tsnn_standardizer_destroy,
                  tsnn_standardizer_create(world.context, 1, number, number, &object));
    DESTROY_TWICE(tsnn_gradient, tsnn_gradient_destroy, tsnn_gradient_create(world.network, &object));
    DESTROY_TWICE(tsnn_trainer, tsnn_trainer_destroy, tsnn_trainer_create(world.context, &trainer, &object));
}
END_TEST

/* ---- activation, loss, schedule ---- */

static void some_function(void *user, const float *z, float *a, int64_t count)
{
    (void)user;
    memcpy(a, z, (size_t)count * sizeof *a);
}

START_TEST(activations)
{
    tsnn_activation_options options = TSNN_ACTIVATION_OPTIONS_INIT;
    NOBODY(tsnn_activation_options_init(NULL));
    CREATE_NOBODY(tsnn_activation, tsnn_activation_create(NULL, &options, &out));
    REFUSED(NULL_ARGUMENT, tsnn_activation_create(world.context, &options, NULL));
    static const int32_t kinds[] = {-1, 8, INT32_MAX, INT32_MIN};
    for (int k = 0; k < 4; k++) {
        options.kind = kinds[k];
        CREATE_REFUSED(tsnn_activation, INVALID, tsnn_activation_create(world.context, &options, &out));
    }
    options.kind = TSNN_ACTIVATION_LEAKY_RELU;
    static const double alphas[] = {NAN, INFINITY, -INFINITY, 1000.1, -1e300};
    for (int k = 0; k < 5; k++) {
        options.alpha = alphas[k];
        CREATE_REFUSED(tsnn_activation, INVALID, tsnn_activation_create(world.context, &options, &out));
    }
    options.alpha = 0.1;
    for (options.kind = TSNN_ACTIVATION_IDENTITY; options.kind <= TSNN_ACTIVATION_CUSTOM; options.kind++)
        if (options.kind != TSNN_ACTIVATION_LEAKY_RELU && options.kind != TSNN_ACTIVATION_ALL_RELU)
            CREATE_REFUSED(tsnn_activation, INVALID, tsnn_activation_create(world.context, &options, &out));
    options = (tsnn_activation_options)TSNN_ACTIVATION_OPTIONS_INIT;
    options.function = some_function; /* and the kind forgotten */
    CREATE_REFUSED(tsnn_activation, INVALID, tsnn_activation_create(world.context, &options, &out));
    options = (tsnn_activation_options)TSNN_ACTIVATION_OPTIONS_INIT;
    options.kind = TSNN_ACTIVATION_CUSTOM;
    CREATE_REFUSED(tsnn_activation, INVALID, tsnn_activation_create(world.context, &options, &out));
    options.function = some_function;
    CREATE_REFUSED(tsnn_activation, INVALID, tsnn_activation_create(world.context, &options, &out));
    float z[2] = {1, 2}, a[2], d[2];
    NOBODY(tsnn_activation_evaluate(NULL, 0, z, a, d, 2));
    REFUSED(NULL_ARGUMENT, tsnn_activation_evaluate(world.activation, 0, NULL, a, d, 2));
    REFUSED(NULL_ARGUMENT, tsnn_activation_evaluate(world.activation, 0, z, NULL, d, 2));
    REFUSED(INVALID, tsnn_activation_evaluate(world.activation, 0, z, a, d, -1));
    REFUSED(INVALID, tsnn_activation_evaluate(world.activation, -1, z, a, d, 2));
    TSNNI_OK(tsnn_activation_evaluate(world.activation, 0, NULL, NULL, NULL, 0));
}
END_TEST

START_TEST(losses)
{
    tsnn_loss_options options = TSNN_LOSS_OPTIONS_INIT;
    NOBODY(tsnn_loss_options_init(NULL));
    CREATE_NOBODY(tsnn_loss, tsnn_loss_create(NULL, &options, &out));
    REFUSED(NULL_ARGUMENT, tsnn_loss_create(world.context, &options, NULL));
    options.kind = 3;
    CREATE_REFUSED(tsnn_loss, INVALID, tsnn_loss_create(world.context, &options, &out));
    options.kind = -1;
    CREATE_REFUSED(tsnn_loss, INVALID, tsnn_loss_create(world.context, &options, &out));
    options.kind = TSNN_LOSS_CROSS_ENTROPY;
    static const double smoothing[] = {NAN, INFINITY, -INFINITY, -0.1, 1.0, 7.0};
    for (int k = 0; k < 6; k++) {
        options.label_smoothing = smoothing[k];
        CREATE_REFUSED(tsnn_loss, INVALID, tsnn_loss_create(world.context, &options, &out));
    }
    static const float outputs[] = {0.5f, 0.5f};
    static const int32_t labels[] = {0};
    double value = 0.0;
    NOBODY(tsnn_loss_evaluate(NULL, outputs, 1, 2, labels, NULL, &value));
    REFUSED(NULL_ARGUMENT, tsnn_loss_evaluate(world.loss, NULL, 1, 2, labels, NULL, &value));
    REFUSED(NULL_ARGUMENT, tsnn_loss_evaluate(world.loss, outputs, 1, 2, labels, NULL, NULL));
    REFUSED(INVALID, tsnn_loss_evaluate(world.loss, outputs, -1, 2, labels, NULL, &value));
    REFUSED(INVALID, tsnn_loss_evaluate(world.loss, outputs, 1, -2, labels, NULL, &value));
    REFUSED(INVALID, tsnn_loss_evaluate(world.loss, outputs, 1, 2, NULL, NULL, &value));
    tsnni_test_expect_text(world.context, "neither labels nor targets");
    REFUSED(INVALID, tsnn_loss_evaluate(world.loss, outputs, 1, 1, labels, NULL, &value)); /* one output */
    static const float beyond[] = {1.5f, -0.5f}, negative[] = {1.0f, -1.0f};
    REFUSED(INVALID, tsnn_loss_evaluate(world.loss, beyond, 1, 2, labels, NULL, &value));
    REFUSED(INVALID, tsnn_loss_evaluate(world.loss, outputs, 1, 2, NULL, negative, &value));
    REFUSED(INVALID, tsnn_loss_evaluate(world.loss, outputs, 1, 2, labels, outputs, &value));
    tsnn_status status = tsnn_loss_evaluate(world.loss, outputs, INT64_MAX, INT64_MAX, labels, NULL, &value);
    ck_assert_int_lt(status, 0);
}
END_TEST

START_TEST(schedules)
{
    tsnn_schedule_options options = TSNN_SCHEDULE_OPTIONS_INIT;
    double factor = 0.0;
    NOBODY(tsnn_schedule_options_init(NULL));
    NOBODY(tsnn_schedule_factor(&options, 0.0, 1, NULL));
    ck_assert_int_eq(tsnn_schedule_factor(&options, -0.1, 1, &factor), INVALID);
    ck_assert_int_eq(tsnn_schedule_factor(&options, 0.0, 0, &factor), INVALID);
    ck_assert_int_eq(tsnn_schedule_factor(&options, 0.0, -5, &factor), INVALID);
    for (int k = 0; k < 3; k++)
        ck_assert_int_eq(tsnn_schedule_factor(&options, not_finite[k], 5, &factor), INVALID);
    typedef struct wrong {
        int32_t kind;
        double warmup, step_epochs, step_factor, final_factor;
    } wrong;
    static const wrong wrongs[] = {
        {-1, 0, 0, 0, 0},       {3, 0, 0, 0, 0},   {0, -1, 0, 0, 0},       {0, NAN, 0, 0, 0},
        {0, INFINITY, 0, 0, 0}, {1, 0, -1, 0, 0},  {1, 0, NAN, 0, 0},      {1, 0, INFINITY, 0, 0},
        {1, 0, 0, -0.1, 0},     {1, 0, 0, 1.1, 0}, {1, 0, 0, NAN, 0},      {2, 0, 0, 0, -0.1},
        {2, 0, 0, 0, 1.1},      {2, 0, 0, 0, NAN}, {2, 0, 0, 0, INFINITY}, {0, 0, 0, 0, NAN},
        {0, 0, 3, 0, 0},        {0, 0, 0, 0.5, 0}, {2, 0, 3, 0, 0},        {2, 0, 0, 0.5, 0}, /* of other kinds */
        {0, 0, 0, 0, 0.1},      {1, 0, 0, 0, 0.1},
    };
    for (size_t k = 0; k < sizeof wrongs / sizeof *wrongs; k++) {
        options.kind = wrongs[k].kind;
        options.warmup_epochs = wrongs[k].warmup;
        options.step_epochs = wrongs[k].step_epochs;
        options.step_factor = wrongs[k].step_factor;
        options.final_factor = wrongs[k].final_factor;
        ck_assert_msg(tsnn_schedule_factor(&options, 1.0, 5, &factor) == INVALID, "wrong schedule %d", (int)k);
        tsnn_trainer_options trainer = TSNN_TRAINER_OPTIONS_INIT;
        trainer.network = world.network;
        trainer.loss = world.loss;
        trainer.optimizer = world.optimizer;
        trainer.schedule = &options;
        CREATE_REFUSED(tsnn_trainer, INVALID, tsnn_trainer_create(world.context, &trainer, &out));
    }
}
END_TEST

/* ---- layers ---- */

START_TEST(random_layers)
{
    NOBODY(tsnn_layer_options_init(NULL));
    tsnn_layer_options good = TSNN_LAYER_OPTIONS_INIT;
    good.inputs = good.outputs = 50;
    CREATE_NOBODY(tsnn_layer, tsnn_layer_create(NULL, &good, &out));
    REFUSED(NULL_ARGUMENT, tsnn_layer_create(world.context, &good, NULL));
    CREATE_REFUSED(tsnn_layer, NULL_ARGUMENT, tsnn_layer_create(world.context, NULL, &out));
    static const int64_t dimensions[] = {0, -1, INT64_MIN, (int64_t)INT32_MAX + 1, INT64_MAX};
    for (int k = 0; k < 5; k++) {
        tsnn_layer_options options = good;
        options.inputs = dimensions[k];
        CREATE_REFUSED(tsnn_layer, TSNN_ERROR_SHAPE, tsnn_layer_create(world.context, &options, &out));
        options = good;
        options.outputs = dimensions[k];
        CREATE_REFUSED(tsnn_layer, TSNN_ERROR_SHAPE, tsnn_layer_create(world.context, &options, &out));
    }
    static const double numbers[] = {NAN, INFINITY, -INFINITY, -1.0};
    for (int k = 0; k < 4; k++) {
        tsnn_layer_options options = good;
        options.epsilon = numbers[k];
        CREATE_REFUSED(tsnn_layer, INVALID, tsnn_layer_create(world.context, &options, &out));
        options = good;
        options.density = numbers[k];
        CREATE_REFUSED(tsnn_layer, INVALID, tsnn_layer_create(world.context, &options, &out));
        options = good;
        options.init_scale = numbers[k];
        CREATE_REFUSED(tsnn_layer, INVALID, tsnn_layer_create(world.context, &options, &out));
    }
    tsnn_layer_options options = good;
    options.density = 1.01;
    CREATE_REFUSED(tsnn_layer, INVALID, tsnn_layer_create(world.context, &options, &out));
    options.density = 0.5;
    options.epsilon = 3.0;
    CREATE_REFUSED(tsnn_layer, INVALID, tsnn_layer_create(world.context, &options, &out));
    static const int32_t choices[] = {-1, 3, INT32_MAX};
    for (int k = 0; k < 3; k++) {
        options = good;
        options.sampling = choices[k];
        CREATE_REFUSED(tsnn_layer, INVALID, tsnn_layer_create(world.context, &options, &out));
        options = good;
        options.init = choices[k];
        CREATE_REFUSED(tsnn_layer, INVALID, tsnn_layer_create(world.context, &options, &out));
        options = good;
        options.fan = choices[k];
        CREATE_REFUSED(tsnn_layer, INVALID, tsnn_layer_create(world.context, &options, &out));
    }
    options = good;
    options.stream = -1;
    CREATE_REFUSED(tsnn_layer, INVALID, tsnn_layer_create(world.context, &options, &out));
    options.stream = 1 << 24;
    CREATE_REFUSED(tsnn_layer, INVALID, tsnn_layer_create(world.context, &options, &out));
    options = good;
    options.inputs = options.outputs = INT32_MAX;
    options.density = 1.0;
    CREATE_REFUSED(tsnn_layer, TSNN_ERROR_OVERFLOW, tsnn_layer_create(world.context, &options, &out));
    options.sampling = TSNN_SAMPLING_EXACT;
    CREATE_REFUSED(tsnn_layer, TSNN_ERROR_OVERFLOW, tsnn_layer_create(world.context, &options, &out));
}
END_TEST

START_TEST(given_layers)
{
    static const int64_t row_ptr[] = {0, 1, 2};
    static const int32_t row[] = {0, 1}, column[] = {0, 2};
    static const float values[] = {1, 2}, bias[] = {0, 0, 0};
    tsnn_context *context = world.context;
    CREATE_NOBODY(tsnn_layer, tsnn_layer_create_from_csr(NULL, 2, 3, 2, row_ptr, column, values, bias, 0, &out));
    REFUSED(NULL_ARGUMENT, tsnn_layer_create_from_csr(context, 2, 3, 2, row_ptr, column, values, bias, 0, NULL));
    for (int32_t trust = 0; trust < 2; trust++) {
        CREATE_REFUSED(tsnn_layer, NULL_ARGUMENT,
                       tsnn_layer_create_from_csr(context, 2, 3, 2, NULL, column, values, bias, trust, &out));
        CREATE_REFUSED(tsnn_layer, NULL_ARGUMENT,
                       tsnn_layer_create_from_csr(context, 2, 3, 2, row_ptr, NULL, values, bias, trust, &out));
        CREATE_REFUSED(tsnn_layer, NULL_ARGUMENT,
                       tsnn_layer_create_from_csr(context, 2, 3, 2, row_ptr, column, NULL, bias, trust, &out));
    }
    CREATE_REFUSED(tsnn_layer, INVALID,
                   tsnn_layer_create_from_csr(context, 2, 3, 2, row_ptr, column, values, bias, 2, &out));
    CREATE_REFUSED(tsnn_layer, INVALID,
                   tsnn_layer_create_from_csr(context, 2, 3, 2, row_ptr, column, values, bias, -1, &out));
    CREATE_NOBODY(tsnn_layer, tsnn_layer_create_from_coo(NULL, 2, 3, 2, row, column, values, bias, &out));
    REFUSED(NULL_ARGUMENT, tsnn_layer_create_from_coo(context, 2, 3, 2, row, column, values, bias, NULL));
    CREATE_REFUSED(tsnn_layer, NULL_ARGUMENT,
                   tsnn_layer_create_from_coo(context, 2, 3, 2, NULL, column, values, bias, &out));
    CREATE_REFUSED(tsnn_layer, NULL_ARGUMENT,
                   tsnn_layer_create_from_coo(context, 2, 3, 2, row, NULL, values, bias, &out));
    CREATE_REFUSED(tsnn_layer, NULL_ARGUMENT,
                   tsnn_layer_create_from_coo(context, 2, 3, 2, row, column, NULL, bias, &out));
    static const int64_t dimensions[] = {0, -1, (int64_t)INT32_MAX + 1, INT64_MIN};
    for (int k = 0; k < 4; k++) {
        int64_t wrong = dimensions[k];
        CREATE_REFUSED(tsnn_layer, TSNN_ERROR_SHAPE,
                       tsnn_layer_create_from_csr(context, wrong, 3, 2, row_ptr, column, values, bias, 0, &out));
        CREATE_REFUSED(tsnn_layer, TSNN_ERROR_SHAPE,
                       tsnn_layer_create_from_csr(context, 2, wrong, 2, row_ptr, column, values, bias, 0, &out));
        CREATE_REFUSED(tsnn_layer, TSNN_ERROR_SHAPE,
                       tsnn_layer_create_from_coo(context, wrong, 3, 2, row, column, values, bias, &out));
        CREATE_REFUSED(tsnn_layer, TSNN_ERROR_SHAPE,
                       tsnn_layer_create_from_coo(context, 2, wrong, 2, row, column, values, bias, &out));
    }
    static const struct {
        int64_t count;
        tsnn_status expected;
    } counts[] = {{-1, INVALID}, {INT64_MIN, INVALID}, {7, TSNN_ERROR_STRUCTURE}, {INT64_MAX, TSNN_ERROR_OVERFLOW}};
    for (int k = 0; k < 4; k++)
        for (int32_t trust = 0; trust < 2; trust++) {
            int64_t count = counts[k].count;
            CREATE_REFUSED(
                tsnn_layer, counts[k].expected,
                tsnn_layer_create_from_csr(context, 2, 3, count, row_ptr, column, values, bias, trust, &out));
            CREATE_REFUSED(tsnn_layer, counts[k].expected,
                           tsnn_layer_create_from_coo(context, 2, 3, count, row, column, values, bias, &out));
        }
}
END_TEST

START_TEST(reading_and_changing_layers)
{
    float numbers[64] = {0};
    int32_t indices[64];
    int64_t row_ptr[8];
    tsnn_layer_info info = TSNN_LAYER_INFO_INIT;
    NOBODY(tsnn_layer_get_info(NULL, &info));
    REFUSED(NULL_ARGUMENT, tsnn_layer_get_info(world.layer, NULL));
    NOBODY(tsnn_layer_get_csr(NULL, row_ptr, 8, indices, numbers, 64));
    NOBODY(tsnn_layer_get_coo(NULL, indices, indices, numbers, 64));
    NOBODY(tsnn_layer_get_bias(NULL, numbers, 64));
    REFUSED(NULL_ARGUMENT, tsnn_layer_get_bias(world.layer, NULL, 64));
    REFUSED(SMALL, tsnn_layer_get_bias(world.layer, numbers, INT64_MIN));
    NOBODY(tsnn_layer_get_velocity(NULL, numbers, 64, numbers, 64));
    NOBODY(tsnn_layer_set_weights(NULL, numbers, 64, numbers, 64));
    NOBODY(tsnn_layer_set_velocity(NULL, numbers, 64, numbers, 64));
    REFUSED(TSNN_ERROR_SHAPE, tsnn_layer_set_weights(world.layer, numbers, -1, NULL, 0));
    REFUSED(TSNN_ERROR_SHAPE, tsnn_layer_set_weights(world.layer, NULL, 0, numbers, INT64_MAX));
    REFUSED(TSNN_ERROR_SHAPE, tsnn_layer_set_velocity(world.layer, numbers, INT64_MAX, NULL, 0));
    NOBODY(tsnn_layer_freeze(NULL, 1));
    REFUSED(INVALID, tsnn_layer_freeze(world.layer, INT32_MIN));
    double importance[8];
    NOBODY(tsnn_layer_get_importance(NULL, importance, 8));
    REFUSED(NULL_ARGUMENT, tsnn_layer_get_importance(world.layer, NULL, 8));
    REFUSED(SMALL, tsnn_layer_get_importance(world.layer, importance, 5));
    REFUSED(SMALL, tsnn_layer_get_importance(world.layer, importance, -1));
}
END_TEST

/* ---- networks ---- */

START_TEST(building_networks)
{
    CREATE_NOBODY(tsnn_network, tsnn_network_create(NULL, &out));
    REFUSED(NULL_ARGUMENT, tsnn_network_create(world.context, NULL));
    tsnn_layer *none = NULL;
    NOBODY(tsnn_network_append(NULL, &world.layer, NULL, 0.0));
    REFUSED(NULL_ARGUMENT, tsnn_network_append(world.network, NULL, NULL, 0.0));
    REFUSED(NULL_ARGUMENT, tsnn_network_append(world.network, &none, NULL, 0.0));
    static const double dropouts[] = {NAN, INFINITY, -INFINITY, -1e-9, 1.0, 2.0};
    static const int64_t sizes[] = {5, 6, 7};
    tsnn_mlp_options good = TSNN_MLP_OPTIONS_INIT;
    good.sizes = sizes;
    good.size_count = 3;
    for (int k = 0; k < 6; k++) {
        REFUSED(INVALID, tsnn_network_append(world.network, &world.layer, NULL, dropouts[k]));
        tsnn_mlp_options options = good;
        options.dropout = dropouts[k];
        CREATE_REFUSED(tsnn_network, INVALID, tsnn_network_create_mlp(world.context, &options, &out));
    }
    NOBODY(tsnn_mlp_options_init(NULL));
    CREATE_NOBODY(tsnn_network, tsnn_network_create_mlp(NULL, &good, &out));
    REFUSED(NULL_ARGUMENT, tsnn_network_create_mlp(world.context, &good, NULL));
    CREATE_REFUSED(tsnn_network, NULL_ARGUMENT, tsnn_network_create_mlp(world.context, NULL, &out));
    tsnn_mlp_options options = good;
    options.sizes = NULL;
    CREATE_REFUSED(tsnn_network, NULL_ARGUMENT, tsnn_network_create_mlp(world.context, &options, &out));
    static const int64_t counts[] = {0, 1, -1, INT64_MIN, INT64_MAX};
    for (int k = 0; k < 5; k++) {
        options = good;
        options.size_count = counts[k];
        CREATE_REFUSED(tsnn_network, INVALID, tsnn_network_create_mlp(world.context, &options, &out));
    }
    static const int64_t zero[] = {5, 0, 7}, negative[] = {-5, 6, 7}, large[] = {5, 6, INT64_MAX};
    const int64_t *wrong[] = {zero, negative, large};
    for (int k = 0; k < 3; k++) {
        options = good;
        options.sizes = wrong[k];
        CREATE_REFUSED(tsnn_network, TSNN_ERROR_SHAPE, tsnn_network_create_mlp(world.context, &options, &out));
    }
    for (int k = 0; k < 3; k++) {
        options = good;
        options.epsilon = not_finite[k];
        CREATE_REFUSED(tsnn_network, INVALID, tsnn_network_create_mlp(world.context, &options, &out));
        options = good;
        options.init_scale = not_finite[k];
        CREATE_REFUSED(tsnn_network, INVALID, tsnn_network_create_mlp(world.context, &options, &out));
    }
    options = good;
    options.sampling = 9;
    CREATE_REFUSED(tsnn_network, INVALID, tsnn_network_create_mlp(world.context, &options, &out));
    options = good;
    options.init = 9;
    CREATE_REFUSED(tsnn_network, INVALID, tsnn_network_create_mlp(world.context, &options, &out));
    options = good;
    options.fan = 9;
    CREATE_REFUSED(tsnn_network, INVALID, tsnn_network_create_mlp(world.context, &options, &out));
    CREATE_NOBODY(tsnn_network, tsnn_network_copy(NULL, &out));
    REFUSED(NULL_ARGUMENT, tsnn_network_copy(world.network, NULL));
    tsnn_network_info info = TSNN_NETWORK_INFO_INIT;
    NOBODY(tsnn_network_get_info(NULL, &info));
    REFUSED(NULL_ARGUMENT, tsnn_network_get_info(world.network, NULL));
    CREATE_NOBODY(tsnn_layer, tsnn_network_get_layer(NULL, 0, &out));
    REFUSED(NULL_ARGUMENT, tsnn_network_get_layer(world.network, 0, NULL));
    static const int64_t indices[] = {-1, 3, INT64_MAX, INT64_MIN};
    for (int k = 0; k < 4; k++)
        CREATE_REFUSED(tsnn_layer, INVALID, tsnn_network_get_layer(world.network, indices[k], &out));
    CREATE_REFUSED(tsnn_layer, INVALID, tsnn_network_get_layer(world.empty, 0, &out));
    NOBODY(tsnn_network_set_activation_format(NULL, TSNN_ACTIVATIONS_BF16));
    REFUSED(INVALID, tsnn_network_set_activation_format(world.network, 2));
    NOBODY(tsnn_network_set_standardizer(NULL, world.standardizer));
    REFUSED(TSNN_ERROR_STATE, tsnn_network_set_standardizer(world.empty, world.standardizer));
    static const float one[] = {1.0f};
    tsnn_standardizer *narrow = NULL;
    TSNNI_OK(tsnn_standardizer_create(world.context, 1, one, one, &narrow));
    REFUSED(TSNN_ERROR_SHAPE, tsnn_network_set_standardizer(world.network, narrow));
    tsnn_standardizer_destroy(&narrow);
}
END_TEST

START_TEST(asking_networks)
{
    float outputs[128];
    int32_t labels[32];
    const tsnn_network *network = world.network;
    NOBODY(tsnn_network_predict(NULL, world.features, 2, outputs, 8));
    REFUSED(NULL_ARGUMENT, tsnn_network_predict(network, NULL, 2, outputs, 8));
    REFUSED(NULL_ARGUMENT, tsnn_network_predict(network, world.features, 2, NULL, 8));
    REFUSED(INVALID, tsnn_network_predict(network, world.features, -1, outputs, 8));
    REFUSED(SMALL, tsnn_network_predict(network, world.features, 2, outputs, 7));
    REFUSED(SMALL, tsnn_network_predict(network, world.features, 2, outputs, -1));
    REFUSED(TSNN_ERROR_OVERFLOW, tsnn_network_predict(network, world.features, INT64_MAX / 8, outputs, 8));
    REFUSED(TSNN_ERROR_STATE, tsnn_network_predict(world.empty, world.features, 2, outputs, 8));
    NOBODY(tsnn_network_classify(NULL, world.features, 2, labels, 2));
    REFUSED(NULL_ARGUMENT, tsnn_network_classify(network, NULL, 2, labels, 2));
    REFUSED(NULL_ARGUMENT, tsnn_network_classify(network, world.features, 2, NULL, 2));
    REFUSED(INVALID, tsnn_network_classify(network, world.features, INT64_MIN, labels, 2));
    REFUSED(SMALL, tsnn_network_classify(network, world.features, 2, labels, 1));
    REFUSED(TSNN_ERROR_OVERFLOW, tsnn_network_classify(network, world.features, INT64_MAX / 8, labels, 2));
    REFUSED(TSNN_ERROR_STATE, tsnn_network_classify(world.empty, world.features, 2, labels, 2));
    for (int k = 0; k < 3; k++) {
        float features[24];
        memcpy(features, world.features, sizeof features);
        features[17] = (float)not_finite[k];
        REFUSED(TSNN_ERROR_NOT_FINITE, tsnn_network_predict(network, features, 2, outputs, 8));
        REFUSED(TSNN_ERROR_NOT_FINITE, tsnn_network_classify(network, features, 2, labels, 2));
        TSNNI_OK(tsnn_network_predict(network, features, 1, outputs, 8)); /* 17 is in the second sample */
    }
    tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
    NOBODY(tsnn_network_evaluate(NULL, world.loss, world.dataset, &evaluation));
    REFUSED(NULL_ARGUMENT, tsnn_network_evaluate(network, world.loss, NULL, &evaluation));
    REFUSED(NULL_ARGUMENT, tsnn_network_evaluate(network, world.loss, world.dataset, NULL));
    REFUSED(TSNN_ERROR_STATE, tsnn_network_evaluate(world.empty, world.loss, world.dataset, &evaluation));
    tsnn_loss *binary = tsnni_test_loss(world.context, TSNN_LOSS_BINARY_CROSS_ENTROPY, 0.0);
    REFUSED(INVALID, tsnn_network_evaluate(network, binary, world.dataset, &evaluation));
    tsnn_loss_destroy(&binary);
}
END_TEST

/* Data sets that do not fit 12 inputs and 4 outputs, everywhere where one is taken. */
START_TEST(data_that_does_not_fit)
{
    tsnn_dataset *wrong[] = {tsnni_test_labelled(world.context, 10, 11, 4, 1),
                             tsnni_test_labelled(world.context, 10, 12, 5, 1),
                             tsnni_test_targeted(world.context, 10, 12, 3, 1, 1)};
    for (int k = 0; k < 3; k++) {
        tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
        REFUSED(TSNN_ERROR_SHAPE, tsnn_network_evaluate(world.network, world.loss, wrong[k], &evaluation));
        REFUSED(TSNN_ERROR_SHAPE,
                tsnn_gradient_add(world.gradient, world.network, world.loss, wrong[k], NULL, 5, NULL));
        REFUSED(TSNN_ERROR_SHAPE, tsnn_trainer_step(world.trainer, wrong[k], NULL, 5, 1.0, NULL));
        REFUSED(TSNN_ERROR_SHAPE, tsnn_trainer_run(world.trainer, wrong[k], NULL));
        REFUSED(TSNN_ERROR_SHAPE, tsnn_trainer_run(world.trainer, world.dataset, wrong[k]));
        if (k == 0)
            REFUSED(TSNN_ERROR_SHAPE, tsnn_dataset_standardize(wrong[k], world.standardizer));
        tsnn_dataset_destroy(&wrong[k]);
    }
}
END_TEST

Suite *tsnni_suite_abuse(void)
{
    Suite *suite = suite_create("abuse");
    TCase *tcase = tcase_create("abuse");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, contexts);
    tcase_add_test(tcase, an_allocator_comes_as_a_pair);
    tcase_add_test(tcase, an_error_text_is_cut_to_fit);
    tcase_add_test(tcase, strings_are_total);
    tcase_add_test(tcase, destroying_twice_or_nothing_is_harmless);
    tcase_add_test(tcase, activations);
    tcase_add_test(tcase, losses);
    tcase_add_test(tcase, schedules);
    tcase_add_test(tcase, random_layers);
    tcase_add_test(tcase, given_layers);
    tcase_add_test(tcase, reading_and_changing_layers);
    tcase_add_test(tcase, building_networks);
    tcase_add_test(tcase, asking_networks);
    tcase_add_test(tcase, data_that_does_not_fit);
    suite_add_tcase(suite, tcase);
    return suite;
}
