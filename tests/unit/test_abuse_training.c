/* Wrong arguments of data sets, optimizers, gradients, evolution, pruning and trainers. */
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

/* ---- data sets ---- */

START_TEST(data_sets)
{
    static const float features[] = {1, 2, 3, 4};
    static const int32_t labels[] = {0, 1};
    tsnn_dataset_options good = TSNN_DATASET_OPTIONS_INIT;
    good.samples = good.features = 2;
    good.feature_data = features;
    good.labels = labels;
    NOBODY(tsnn_dataset_options_init(NULL));
    CREATE_NOBODY(tsnn_dataset, tsnn_dataset_create(NULL, &good, &out));
    REFUSED(NULL_ARGUMENT, tsnn_dataset_create(world.context, &good, NULL));
    CREATE_REFUSED(tsnn_dataset, NULL_ARGUMENT, tsnn_dataset_create(world.context, NULL, &out));
    static const int64_t sizes[] = {0, -1, INT64_MIN};
    for (int k = 0; k < 3; k++) {
        tsnn_dataset_options options = good;
        options.samples = sizes[k];
        CREATE_REFUSED(tsnn_dataset, INVALID, tsnn_dataset_create(world.context, &options, &out));
        options = good;
        options.features = sizes[k];
        CREATE_REFUSED(tsnn_dataset, INVALID, tsnn_dataset_create(world.context, &options, &out));
        options = good;
        options.labels = NULL;
        options.targets = features;
        options.target_size = sizes[k];
        CREATE_REFUSED(tsnn_dataset, INVALID, tsnn_dataset_create(world.context, &options, &out));
    }
    tsnn_dataset_options options = good;
    options.ownership = 2;
    CREATE_REFUSED(tsnn_dataset, INVALID, tsnn_dataset_create(world.context, &options, &out));
    options.ownership = -1;
    CREATE_REFUSED(tsnn_dataset, INVALID, tsnn_dataset_create(world.context, &options, &out));
    options = good;
    options.feature_data = NULL;
    CREATE_REFUSED(tsnn_dataset, NULL_ARGUMENT, tsnn_dataset_create(world.context, &options, &out));
    options = good;
    options.labels = NULL;
    CREATE_REFUSED(tsnn_dataset, INVALID, tsnn_dataset_create(world.context, &options, &out));
    options = good;
    options.targets = features;
    options.target_size = 1;
    CREATE_REFUSED(tsnn_dataset, INVALID, tsnn_dataset_create(world.context, &options, &out));
    options = good;
    options.classes = -1;
    CREATE_REFUSED(tsnn_dataset, INVALID, tsnn_dataset_create(world.context, &options, &out));
    options.classes = INT64_MAX;
    CREATE_REFUSED(tsnn_dataset, INVALID, tsnn_dataset_create(world.context, &options, &out));
    tsnn_dataset_info info = TSNN_DATASET_INFO_INIT;
    NOBODY(tsnn_dataset_get_info(NULL, &info));
    REFUSED(NULL_ARGUMENT, tsnn_dataset_get_info(world.dataset, NULL));
}
END_TEST

START_TEST(standardizers)
{
    static const float numbers[] = {1, 2};
    float out_numbers[12];
    int64_t count = 0;
    CREATE_NOBODY(tsnn_standardizer, tsnn_standardizer_fit(NULL, world.dataset, &out));
    CREATE_REFUSED(tsnn_standardizer, NULL_ARGUMENT, tsnn_standardizer_fit(world.context, NULL, &out));
    REFUSED(NULL_ARGUMENT, tsnn_standardizer_fit(world.context, world.dataset, NULL));
    CREATE_NOBODY(tsnn_standardizer, tsnn_standardizer_create(NULL, 2, numbers, numbers, &out));
    CREATE_REFUSED(tsnn_standardizer, NULL_ARGUMENT, tsnn_standardizer_create(world.context, 2, NULL, numbers, &out));
    CREATE_REFUSED(tsnn_standardizer, NULL_ARGUMENT, tsnn_standardizer_create(world.context, 2, numbers, NULL, &out));
    REFUSED(NULL_ARGUMENT, tsnn_standardizer_create(world.context, 2, numbers, numbers, NULL));
    CREATE_REFUSED(tsnn_standardizer, INVALID, tsnn_standardizer_create(world.context, -2, numbers, numbers, &out));
    NOBODY(tsnn_standardizer_get(NULL, out_numbers, out_numbers, 12, &count));
    REFUSED(SMALL, tsnn_standardizer_get(world.standardizer, out_numbers, NULL, 11, &count));
    REFUSED(SMALL, tsnn_standardizer_get(world.standardizer, NULL, out_numbers, -1, &count));
    TSNNI_OK(tsnn_standardizer_get(world.standardizer, NULL, NULL, 0, &count));
    ck_assert_int_eq(count, 12);
    TSNNI_OK(tsnn_standardizer_get(world.standardizer, NULL, NULL, 0, NULL));
    NOBODY(tsnn_standardizer_apply(NULL, world.features, 1, out_numbers));
    REFUSED(NULL_ARGUMENT, tsnn_standardizer_apply(world.standardizer, NULL, 1, out_numbers));
    REFUSED(NULL_ARGUMENT, tsnn_standardizer_apply(world.standardizer, world.features, 1, NULL));
    REFUSED(INVALID, tsnn_standardizer_apply(world.standardizer, world.features, -1, out_numbers));
    TSNNI_OK(tsnn_standardizer_apply(world.standardizer, NULL, 0, NULL));
    NOBODY(tsnn_dataset_standardize(NULL, world.standardizer));
    REFUSED(NULL_ARGUMENT, tsnn_dataset_standardize(world.dataset, NULL));
}
END_TEST

/* ---- optimizer, gradient ---- */

START_TEST(optimizers)
{
    NOBODY(tsnn_optimizer_options_init(NULL));
    CREATE_NOBODY(tsnn_optimizer, tsnn_optimizer_create(NULL, NULL, &out));
    REFUSED(NULL_ARGUMENT, tsnn_optimizer_create(world.context, NULL, NULL));
    typedef struct wrong {
        int32_t kind, decay;
        double rate, momentum, weight_decay;
    } wrong;
    static const wrong wrongs[] = {
        {-1, 0, 0, 0, 0},    {3, 0, 0, 0, 0},    {0, -1, 0, 0, 0},       {0, 2, 0, 0, 0},
        {0, 0, -0.1, 0, 0},  {0, 0, NAN, 0, 0},  {0, 0, INFINITY, 0, 0}, {0, 0, -INFINITY, 0, 0},
        {0, 0, 0, 0.5, 0},   {0, 0, 0, -0.5, 0}, {0, 0, 0, NAN, 0},      {1, 0, 0, 1.0, 0},
        {1, 0, 0, -0.1, 0},  {1, 0, 0, NAN, 0},  {2, 0, 0, 1.5, 0},      {2, 0, 0, INFINITY, 0},
        {0, 0, 0, 0, -1e-9}, {0, 0, 0, 0, 1.0},  {1, 1, 0, 0, NAN},      {1, 1, 0, 0, INFINITY},
    };
    for (size_t k = 0; k < sizeof wrongs / sizeof *wrongs; k++) {
        tsnn_optimizer_options options = TSNN_OPTIMIZER_OPTIONS_INIT;
        options.kind = wrongs[k].kind;
        options.decay = wrongs[k].decay;
        options.learning_rate = wrongs[k].rate;
        options.momentum = wrongs[k].momentum;
        options.weight_decay = wrongs[k].weight_decay;
        CREATE_REFUSED(tsnn_optimizer, INVALID, tsnn_optimizer_create(world.context, &options, &out));
    }
    NOBODY(tsnn_optimizer_apply(NULL, world.network, world.gradient, 1.0));
    REFUSED(NULL_ARGUMENT, tsnn_optimizer_apply(world.optimizer, NULL, world.gradient, 1.0));
    REFUSED(NULL_ARGUMENT, tsnn_optimizer_apply(world.optimizer, world.network, NULL, 1.0));
    for (int k = 0; k < 3; k++)
        REFUSED(INVALID, tsnn_optimizer_apply(world.optimizer, world.network, world.gradient, not_finite[k]));
    REFUSED(INVALID, tsnn_optimizer_apply(world.optimizer, world.network, world.gradient, -1e-9));
    REFUSED(TSNN_ERROR_STATE, tsnn_optimizer_apply(world.optimizer, world.empty, world.gradient, 1.0));
}
END_TEST

START_TEST(gradients)
{
    CREATE_NOBODY(tsnn_gradient, tsnn_gradient_create(NULL, &out));
    REFUSED(NULL_ARGUMENT, tsnn_gradient_create(world.network, NULL));
    CREATE_REFUSED(tsnn_gradient, TSNN_ERROR_STATE, tsnn_gradient_create(world.empty, &out));
    NOBODY(tsnn_gradient_clear(NULL));
    NOBODY(tsnn_gradient_scale(NULL, 1.0));
    for (int k = 0; k < 3; k++)
        REFUSED(INVALID, tsnn_gradient_scale(world.gradient, not_finite[k]));
    double norm = 0.0;
    NOBODY(tsnn_gradient_norm(NULL, &norm));
    REFUSED(NULL_ARGUMENT, tsnn_gradient_norm(world.gradient, NULL));
    float numbers[400];
    NOBODY(tsnn_gradient_get(NULL, 0, numbers, 400, NULL, 0));
    static const int64_t layers[] = {-1, 3, INT64_MAX, INT64_MIN};
    for (int k = 0; k < 4; k++)
        REFUSED(INVALID, tsnn_gradient_get(world.gradient, layers[k], numbers, 400, NULL, 0));
    REFUSED(SMALL, tsnn_gradient_get(world.gradient, 0, numbers, -1, NULL, 0));
    REFUSED(SMALL, tsnn_gradient_get(world.gradient, 0, NULL, 0, numbers, 19));
    const int64_t samples[] = {0, 1}, high[] = {0, 30}, low[] = {-1, 0};
    tsnn_gradient *gradient = world.gradient;
    NOBODY(tsnn_gradient_add(NULL, world.network, world.loss, world.dataset, samples, 2, &norm));
    REFUSED(NULL_ARGUMENT, tsnn_gradient_add(gradient, NULL, world.loss, world.dataset, samples, 2, &norm));
    REFUSED(NULL_ARGUMENT, tsnn_gradient_add(gradient, world.network, NULL, world.dataset, samples, 2, &norm));
    REFUSED(NULL_ARGUMENT, tsnn_gradient_add(gradient, world.network, world.loss, NULL, samples, 2, &norm));
    REFUSED(INVALID, tsnn_gradient_add(gradient, world.network, world.loss, world.dataset, samples, 0, &norm));
    REFUSED(INVALID, tsnn_gradient_add(gradient, world.network, world.loss, world.dataset, samples, -1, &norm));
    REFUSED(INVALID, tsnn_gradient_add(gradient, world.network, world.loss, world.dataset, high, 2, &norm));
    REFUSED(INVALID, tsnn_gradient_add(gradient, world.network, world.loss, world.dataset, low, 2, &norm));
    REFUSED(INVALID, tsnn_gradient_add(gradient, world.network, world.loss, world.dataset, NULL, 31, &norm));
    REFUSED(INVALID, tsnn_gradient_add(gradient, world.network, world.loss, world.dataset, NULL, INT64_MAX, &norm));
    REFUSED(TSNN_ERROR_STATE, tsnn_gradient_add(gradient, world.empty, world.loss, world.dataset, samples, 2, &norm));
}
END_TEST

/* ---- evolution, pruning ---- */

START_TEST(evolving)
{
    NOBODY(tsnn_evolution_options_init(NULL));
    CREATE_NOBODY(tsnn_evolution, tsnn_evolution_create(NULL, NULL, &out));
    REFUSED(NULL_ARGUMENT, tsnn_evolution_create(world.context, NULL, NULL));
    static const double zetas[] = {NAN, INFINITY, -INFINITY, -0.1, 1.01};
    for (int k = 0; k < 5; k++) {
        tsnn_evolution_options options = TSNN_EVOLUTION_OPTIONS_INIT;
        options.zeta = zetas[k];
        CREATE_REFUSED(tsnn_evolution, INVALID, tsnn_evolution_create(world.context, &options, &out));
    }
    int64_t replaced = 0;
    NOBODY(tsnn_evolution_apply_layer(NULL, world.layer, 0, &replaced));
    REFUSED(NULL_ARGUMENT, tsnn_evolution_apply_layer(world.evolution, NULL, 0, &replaced));
    REFUSED(INVALID, tsnn_evolution_apply_layer(world.evolution, world.layer, -1, &replaced));
    NOBODY(tsnn_evolution_apply(NULL, world.network, 0, &replaced));
    REFUSED(NULL_ARGUMENT, tsnn_evolution_apply(world.evolution, NULL, 0, &replaced));
    REFUSED(INVALID, tsnn_evolution_apply(world.evolution, world.network, INT64_MIN, &replaced));
}
END_TEST

START_TEST(pruning_networks)
{
    NOBODY(tsnn_pruning_options_init(NULL));
    CREATE_NOBODY(tsnn_pruning, tsnn_pruning_create(NULL, NULL, &out));
    REFUSED(NULL_ARGUMENT, tsnn_pruning_create(world.context, NULL, NULL));
    typedef struct wrong {
        int32_t fold;
        double percentile, threshold;
        int64_t first, every;
    } wrong;
    static const wrong wrongs[] = {
        {-1, 0, 0, 0, 0},       {2, 0, 0, 0, 0},  {0, -1, 0, 0, 0},        {0, 100, 0, 0, 0},      {0, NAN, 0, 0, 0},
        {0, INFINITY, 0, 0, 0}, {0, 0, -1, 0, 0}, {0, 0, NAN, 0, 0},       {0, 0, INFINITY, 0, 0}, {0, 20, 1, 0, 0},
        {0, 0, 0, -1, 0},       {0, 0, 0, 0, -1}, {0, 0, 0, INT64_MIN, 0},
    };
    for (size_t k = 0; k < sizeof wrongs / sizeof *wrongs; k++) {
        tsnn_pruning_options options = TSNN_PRUNING_OPTIONS_INIT;
        options.fold = wrongs[k].fold;
        options.percentile = wrongs[k].percentile;
        options.threshold = wrongs[k].threshold;
        options.first_epoch = wrongs[k].first;
        options.every_epochs = wrongs[k].every;
        CREATE_REFUSED(tsnn_pruning, INVALID, tsnn_pruning_create(world.context, &options, &out));
    }
    tsnn_pruning_report report = TSNN_PRUNING_REPORT_INIT;
    NOBODY(tsnn_pruning_apply(NULL, world.network, &report));
    REFUSED(NULL_ARGUMENT, tsnn_pruning_apply(world.pruning, NULL, &report));
    REFUSED(TSNN_ERROR_STATE, tsnn_pruning_apply(world.pruning, world.empty, &report));
    report.struct_size = 3;
    REFUSED(TSNN_ERROR_STRUCT_SIZE, tsnn_pruning_apply(world.pruning, world.network, &report));
    int32_t map[64];
    int64_t count = 0;
    NOBODY(tsnn_pruning_get_map(NULL, 0, map, 64, &count));
    REFUSED(TSNN_ERROR_STATE, tsnn_pruning_get_map(world.pruning, 0, map, 64, &count));
    tsnn_network *copy = NULL;
    tsnn_pruning *used = NULL;
    TSNNI_OK(tsnn_network_copy(world.network, &copy));
    TSNNI_OK(tsnn_pruning_create(world.context, NULL, &used));
    TSNNI_OK(tsnn_pruning_apply(used, copy, NULL));
    REFUSED(INVALID, tsnn_pruning_get_map(used, -1, map, 64, &count));
    REFUSED(INVALID, tsnn_pruning_get_map(used, 3, map, 64, &count));
    REFUSED(SMALL, tsnn_pruning_get_map(used, 0, map, 19, &count));
    TSNNI_OK(tsnn_pruning_get_map(used, 0, NULL, 0, &count));
    ck_assert_int_eq(count, 20);
    TSNNI_OK(tsnn_pruning_get_map(used, 0, NULL, 0, NULL));
    tsnn_pruning_destroy(&used);
    tsnn_network_destroy(&copy);
}
END_TEST

/* ---- trainer ---- */

START_TEST(trainers)
{
    tsnn_trainer_options good = TSNN_TRAINER_OPTIONS_INIT;
    good.network = world.network;
    good.loss = world.loss;
    good.optimizer = world.optimizer;
    NOBODY(tsnn_trainer_options_init(NULL));
    CREATE_NOBODY(tsnn_trainer, tsnn_trainer_create(NULL, &good, &out));
    REFUSED(NULL_ARGUMENT, tsnn_trainer_create(world.context, &good, NULL));
    CREATE_REFUSED(tsnn_trainer, NULL_ARGUMENT, tsnn_trainer_create(world.context, NULL, &out));
    tsnn_trainer_options options = good;
    options.network = NULL;
    CREATE_REFUSED(tsnn_trainer, NULL_ARGUMENT, tsnn_trainer_create(world.context, &options, &out));
    options = good;
    options.loss = NULL;
    CREATE_REFUSED(tsnn_trainer, NULL_ARGUMENT, tsnn_trainer_create(world.context, &options, &out));
    options = good;
    options.optimizer = NULL;
    CREATE_REFUSED(tsnn_trainer, NULL_ARGUMENT, tsnn_trainer_create(world.context, &options, &out));
    options = good;
    options.network = world.empty;
    CREATE_REFUSED(tsnn_trainer, TSNN_ERROR_STATE, tsnn_trainer_create(world.context, &options, &out));
    static const int64_t counts[] = {-1, INT64_MIN};
    for (int k = 0; k < 2; k++) {
        options = good;
        options.epochs = counts[k];
        CREATE_REFUSED(tsnn_trainer, INVALID, tsnn_trainer_create(world.context, &options, &out));
        options = good;
        options.batch = counts[k];
        CREATE_REFUSED(tsnn_trainer, INVALID, tsnn_trainer_create(world.context, &options, &out));
        options = good;
        options.micro_batch = counts[k];
        CREATE_REFUSED(tsnn_trainer, INVALID, tsnn_trainer_create(world.context, &options, &out));
    }
    static const double norms[] = {NAN, INFINITY, -INFINITY, -1.0};
    for (int k = 0; k < 4; k++) {
        options = good;
        options.clip_norm = norms[k];
        CREATE_REFUSED(tsnn_trainer, INVALID, tsnn_trainer_create(world.context, &options, &out));
    }
    options = good;
    options.order = 2;
    CREATE_REFUSED(tsnn_trainer, INVALID, tsnn_trainer_create(world.context, &options, &out));
    tsnn_loss *binary = tsnni_test_loss(world.context, TSNN_LOSS_BINARY_CROSS_ENTROPY, 0.0);
    options = good;
    options.loss = binary;
    CREATE_REFUSED(tsnn_trainer, INVALID, tsnn_trainer_create(world.context, &options, &out));
    tsnn_loss_destroy(&binary);
    tsnn_context *other = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_trainer *out = NULL;
    ck_assert_int_eq(tsnn_trainer_create(other, &good, &out), INVALID);
    ck_assert_ptr_null(out);
    tsnn_context_destroy(&other);
}
END_TEST

START_TEST(training_calls)
{
    NOBODY(tsnn_trainer_run(NULL, world.dataset, NULL));
    REFUSED(NULL_ARGUMENT, tsnn_trainer_run(world.trainer, NULL, NULL));
    REFUSED(NULL_ARGUMENT, tsnn_trainer_run(world.trainer, NULL, world.dataset));
    double loss = 0.0;
    const int64_t samples[] = {0, 1}, high[] = {0, 30}, low[] = {INT64_MIN, 0};
    NOBODY(tsnn_trainer_step(NULL, world.dataset, samples, 2, 1.0, &loss));
    REFUSED(NULL_ARGUMENT, tsnn_trainer_step(world.trainer, NULL, samples, 2, 1.0, &loss));
    REFUSED(INVALID, tsnn_trainer_step(world.trainer, world.dataset, samples, 0, 1.0, &loss));
    REFUSED(INVALID, tsnn_trainer_step(world.trainer, world.dataset, samples, -1, 1.0, &loss));
    REFUSED(INVALID, tsnn_trainer_step(world.trainer, world.dataset, NULL, 17, 1.0, &loss)); /* the batch is 16 */
    REFUSED(INVALID, tsnn_trainer_step(world.trainer, world.dataset, NULL, 31, 1.0, &loss));
    REFUSED(INVALID, tsnn_trainer_step(world.trainer, world.dataset, high, 2, 1.0, &loss));
    REFUSED(INVALID, tsnn_trainer_step(world.trainer, world.dataset, low, 2, 1.0, &loss));
    REFUSED(INVALID, tsnn_trainer_step(world.trainer, world.dataset, samples, 2, -1.0, &loss));
    for (int k = 0; k < 3; k++)
        REFUSED(INVALID, tsnn_trainer_step(world.trainer, world.dataset, samples, 2, not_finite[k], &loss));
}
END_TEST

Suite *tsnni_suite_abuse_training(void)
{
    Suite *suite = suite_create("abuse_training");
    TCase *tcase = tcase_create("abuse_training");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, data_sets);
    tcase_add_test(tcase, standardizers);
    tcase_add_test(tcase, optimizers);
    tcase_add_test(tcase, gradients);
    tcase_add_test(tcase, evolving);
    tcase_add_test(tcase, pruning_networks);
    tcase_add_test(tcase, trainers);
    tcase_add_test(tcase, training_calls);
    suite_add_tcase(suite, tcase);
    return suite;
}
