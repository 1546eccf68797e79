/* Training: every sample once an epoch, reports, learning rates, single steps, and that it learns. */
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "course.h"

#define SOFTMAX                                                                                                        \
    {                                                                                                                  \
        TSNN_ACTIVATION_SOFTMAX, 0                                                                                     \
    }
#define ALL_RELU                                                                                                       \
    {                                                                                                                  \
        TSNN_ACTIVATION_ALL_RELU, .6                                                                                   \
    }
#define TANH                                                                                                           \
    {                                                                                                                  \
        TSNN_ACTIVATION_TANH, 0                                                                                        \
    }
#define IDENTITY                                                                                                       \
    {                                                                                                                  \
        TSNN_ACTIVATION_IDENTITY, 0                                                                                    \
    }
#define SIGMOID                                                                                                        \
    {                                                                                                                  \
        TSNN_ACTIVATION_SIGMOID, 0                                                                                     \
    }

/* ---- the order of samples ---- */

#define ORDERED 37

/* A frozen network whose output is 0 and samples whose target is their number + 1: with one sample a step, the loss is
 * the square of it and tells which sample was used. */
static tsnni_course ordered_course(uint64_t seed)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, seed);
    static const float zero[] = {0.0f};
    static const int64_t row_ptr[] = {0, 1};
    static const int32_t column[] = {0};
    tsnn_layer *layer = NULL;
    tsnn_network *network = NULL;
    TSNNI_OK(tsnn_layer_create_from_csr(context, 1, 1, 1, row_ptr, column, zero, NULL, 0, &layer));
    TSNNI_OK(tsnn_layer_freeze(layer, 1));
    TSNNI_OK(tsnn_network_create(context, &network));
    TSNNI_OK(tsnn_network_append(network, &layer, NULL, 0.0));
    float features[ORDERED], targets[ORDERED];
    for (int n = 0; n < ORDERED; n++) {
        features[n] = 1.0f;
        targets[n] = (float)(n + 1);
    }
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    options.samples = ORDERED;
    options.features = 1;
    options.target_size = 1;
    options.feature_data = features;
    options.targets = targets;
    tsnn_dataset *dataset = NULL;
    TSNNI_OK(tsnn_dataset_create(context, &options, &dataset));
    return tsnni_course_create(context, network, dataset, TSNN_LOSS_MEAN_SQUARED_ERROR, 0.01);
}

typedef struct order_record {
    int64_t epochs;
    int order[4][ORDERED];
} order_record;

static int32_t record_order(void *user, const tsnn_step_report *report)
{
    order_record *record = user;
    ck_assert_int_eq(report->samples, 1);
    ck_assert_int_eq(report->steps, ORDERED);
    ck_assert_int_le(report->epoch, 4);
    record->epochs = report->epoch;
    record->order[report->epoch - 1][report->step - 1] = (int)lround(sqrt(report->loss)) - 1;
    return 0;
}

static order_record orders_of(uint64_t seed, int32_t order)
{
    order_record record = {0};
    tsnni_course course = ordered_course(seed);
    course.options.order = order;
    course.options.epochs = 4;
    course.options.batch = 1;
    course.options.on_step = record_order;
    course.options.user = &record;
    tsnni_course_start(&course);
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, NULL));
    ck_assert_int_eq(record.epochs, 4);
    tsnni_course_free(&course);
    return record;
}

START_TEST(every_sample_is_used_once_an_epoch)
{
    for (int32_t order = TSNN_SHUFFLE; order <= TSNN_IN_ORDER; order++) {
        order_record record = orders_of(3, order);
        for (int epoch = 0; epoch < 4; epoch++) {
            int seen[ORDERED] = {0};
            for (int s = 0; s < ORDERED; s++) {
                int sample = record.order[epoch][s];
                ck_assert(sample >= 0 && sample < ORDERED);
                ck_assert_int_eq(seen[sample]++, 0);
                if (order == TSNN_IN_ORDER)
                    ck_assert_int_eq(sample, s);
            }
        }
    }
}
END_TEST

START_TEST(the_order_changes_with_epoch_and_seed_and_repeats)
{
    order_record first = orders_of(3, TSNN_SHUFFLE), again = orders_of(3, TSNN_SHUFFLE),
                 other = orders_of(4, TSNN_SHUFFLE);
    ck_assert_mem_eq(first.order, again.order, sizeof first.order);
    for (int epoch = 0; epoch < 4; epoch++) {
        ck_assert_mem_ne(first.order[epoch], other.order[epoch], sizeof first.order[epoch]);
        for (int before = 0; before < epoch; before++)
            ck_assert_mem_ne(first.order[epoch], first.order[before], sizeof first.order[epoch]);
    }
}
END_TEST

typedef struct loss_sum {
    double loss;
    int64_t samples, steps;
} loss_sum;

static int32_t sum_losses(void *user, const tsnn_step_report *report)
{
    loss_sum *sum = user;
    sum->loss += report->loss * (double)report->samples;
    sum->samples += report->samples;
    sum->steps++;
    return 0;
}

START_TEST(a_partial_last_batch_counts_in_full)
{
    static const int64_t batches[] = {2, 7, 16, 36, 37, 38, 1000, 0};
    for (int b = 0; b < 8; b++)
        for (int64_t micro = 0; micro < 10; micro += 3) {
            loss_sum sum = {0};
            tsnni_course course = ordered_course(1);
            course.options.epochs = 1;
            course.options.batch = batches[b];
            course.options.micro_batch = micro;
            course.options.on_step = sum_losses;
            course.options.user = &sum;
            tsnni_course_start(&course);
            TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, NULL));
            int64_t batch = batches[b] > 0 ? batches[b] : 128;
            ck_assert_int_eq(sum.samples, ORDERED);
            ck_assert_int_eq(sum.steps, (ORDERED + batch - 1) / batch);
            ck_assert_double_eq_tol(sum.loss, ORDERED * (ORDERED + 1) * (2 * ORDERED + 1) / 6.0, 1e-3);
            tsnni_course_free(&course);
        }
}
END_TEST

/* ---- reports ---- */

typedef struct report_check {
    tsnni_course *course;
    loss_sum sum;
    int64_t epochs, steps, replaced, pruned_epochs;
    double last_rate;
    int64_t connections, neurons;
} report_check;

static int32_t check_step(void *user, const tsnn_step_report *report)
{
    report_check *check = user;
    ck_assert_uint_eq(report->struct_size, sizeof *report);
    ck_assert_int_eq(report->epoch, check->epochs + 1);
    ck_assert_int_eq(report->step, ++check->steps);
    ck_assert_int_eq(report->steps, 4); /* 100 samples, 32 a batch */
    ck_assert_int_eq(report->samples, report->step < 4 ? 32 : 4);
    ck_assert_double_eq(report->gradient_norm, 0.0);
    ck_assert(isfinite(report->loss) && report->loss > 0.0);
    check->last_rate = report->learning_rate;
    return sum_losses(&check->sum, report);
}

static int32_t check_epoch(void *user, const tsnn_epoch_report *report)
{
    report_check *check = user;
    ck_assert_uint_eq(report->struct_size, sizeof *report);
    ck_assert_int_eq(report->epoch, ++check->epochs);
    ck_assert_int_eq(check->steps, 4);
    ck_assert_int_eq(report->epochs, 6);
    ck_assert_int_eq(report->samples, 100);
    ck_assert_double_eq_tol(report->train_loss, check->sum.loss / 100.0, 1e-9);
    ck_assert(report->train_accuracy >= 0.0 && report->train_accuracy <= 1.0);
    double correct = report->train_accuracy * 100.0;
    ck_assert_double_eq_tol(correct, floor(correct + 0.5), 1e-9);
    ck_assert_double_eq(report->learning_rate, check->last_rate);
    ck_assert_int_eq(report->has_validation, 1);
    ck_assert(report->validation_loss > 0.0 && report->validation_accuracy >= 0.0);
    ck_assert(report->evolution_seconds >= 0.0 && report->validation_seconds >= 0.0);
    ck_assert(report->train_seconds >= report->evolution_seconds && report->train_seconds < 60.0);
    tsnn_network_info info = tsnni_test_network_size(check->course->network);
    ck_assert_int_eq(report->connections, info.connections);
    ck_assert_int_eq(report->neurons, info.neurons);
    ck_assert_int_eq(check->neurons - report->neurons, report->pruned);
    if (report->epoch == 2 || report->epoch == 4) /* from the second on, every second, but not after the last */
        ck_assert_int_gt(report->pruned, 0);
    else if (report->epoch != 6)
        ck_assert_int_eq(report->pruned, 0);
    if (report->pruned == 0)
        ck_assert_int_eq(report->connections, check->connections);
    ck_assert_int_eq(report->replaced > 0, report->epoch < 6);
    check->connections = report->connections;
    check->neurons = report->neurons;
    check->steps = 0;
    check->sum = (loss_sum){0};
    return 0;
}

START_TEST(reports_tell_what_happened)
{
    tsnni_course course = tsnni_course_small(2, 100, 0.25);
    report_check check = {.course = &course};
    check.connections = tsnni_test_network_size(course.network).connections;
    check.neurons = tsnni_test_network_size(course.network).neurons;
    course.validation = tsnni_test_labelled(course.context, 30, 12, 4, 6);
    tsnni_course_add_evolution(&course, 0.3);
    tsnni_course_add_pruning(&course, 20.0, 2, 2);
    course.options.epochs = 6;
    course.options.batch = 32;
    course.options.on_step = check_step;
    course.options.on_epoch = check_epoch;
    course.options.user = &check;
    tsnni_course_start(&course);
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, course.validation));
    ck_assert_int_eq(check.epochs, 6);
    /* nothing is left to do */
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, course.validation));
    ck_assert_int_eq(check.epochs, 6);
    tsnni_course_free(&course);
}
END_TEST

static int32_t compare_validation(void *user, const tsnn_epoch_report *report)
{
    tsnni_course *course = user;
    tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
    TSNNI_OK(tsnn_network_evaluate(course->network, course->loss, course->validation, &evaluation));
    ck_assert_double_eq(report->validation_loss, evaluation.loss);
    ck_assert_double_eq(report->validation_accuracy, evaluation.accuracy);
    return 0;
}

START_TEST(validation_is_an_evaluation)
{
    tsnni_course course = tsnni_course_small(2, 100, 0.25);
    course.validation = tsnni_test_labelled(course.context, 70, 12, 4, 6);
    course.options.epochs = 3;
    course.options.on_epoch = compare_validation;
    course.options.user = &course;
    tsnni_course_start(&course);
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, course.validation));
    tsnni_course_free(&course);
}
END_TEST

static int32_t expect_no_validation(void *user, const tsnn_epoch_report *report)
{
    ck_assert_int_eq(report->has_validation, 0);
    ck_assert_double_eq(report->validation_loss, 0.0);
    ck_assert_double_eq(report->train_accuracy, 0.0); /* no labels */
    ck_assert_double_ge(report->evolution_seconds, 0.0);
    ++*(int *)user;
    return 0;
}

START_TEST(without_validation_labels_and_evolution_their_numbers_are_zero)
{
    int calls = 0;
    tsnni_course course = ordered_course(1);
    course.options.epochs = 2;
    course.options.on_epoch = expect_no_validation;
    course.options.user = &calls;
    tsnni_course_start(&course);
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, NULL));
    ck_assert_int_eq(calls, 2);
    tsnni_course_free(&course);
}
END_TEST

START_TEST(training_goes_on_for_10_epochs_by_default)
{
    loss_sum sum = {0};
    tsnni_course course = ordered_course(1);
    course.options.on_step = sum_losses;
    course.options.user = &sum;
    tsnni_course_start(&course);
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, NULL));
    ck_assert_int_eq(sum.steps, 10); /* one batch of 128 holds all samples */
    tsnni_course_free(&course);
}
END_TEST

/* ---- learning rates ---- */

typedef struct rate_record {
    int64_t count;
    double rates[64];
} rate_record;

static int32_t record_rate(void *user, const tsnn_step_report *report)
{
    rate_record *record = user;
    record->rates[record->count++] = report->learning_rate;
    return 0;
}

static rate_record rates_of(const tsnn_schedule_options *schedule)
{
    rate_record record = {0};
    tsnni_course course = tsnni_course_small(2, 40, 0.0);
    tsnn_schedule_options copy = *schedule;
    course.options.schedule = &copy;
    course.options.epochs = 6;
    course.options.batch = 10;
    course.options.on_step = record_rate;
    course.options.user = &record;
    tsnni_course_start(&course);
    memset(&copy, 0xFF, sizeof copy); /* it was copied */
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, NULL));
    ck_assert_int_eq(record.count, 24);
    tsnni_course_free(&course);
    return record;
}

START_TEST(the_schedule_is_followed_step_by_step)
{
    for (int32_t kind = TSNN_SCHEDULE_CONSTANT; kind <= TSNN_SCHEDULE_COSINE; kind++) {
        tsnn_schedule_options schedule = TSNN_SCHEDULE_OPTIONS_INIT;
        schedule.kind = kind;
        schedule.step_epochs = kind == TSNN_SCHEDULE_STEP ? 1.5 : 0.0;
        schedule.final_factor = kind == TSNN_SCHEDULE_COSINE ? 0.1 : 0.0;
        rate_record record = rates_of(&schedule);
        for (int64_t s = 0; s < 24; s++) {
            double factor = 0.0;
            TSNNI_OK(tsnn_schedule_factor(&schedule, (double)s / 4.0, 6, &factor));
            ck_assert_double_eq_tol(record.rates[s], 0.02 * factor, 1e-12);
        }
    }
}
END_TEST

START_TEST(a_warm_up_starts_above_zero_and_ends_at_the_full_rate)
{
    tsnn_schedule_options schedule = TSNN_SCHEDULE_OPTIONS_INIT;
    schedule.warmup_epochs = 2.0;
    rate_record record = rates_of(&schedule);
    ck_assert_double_gt(record.rates[0], 0.0);
    for (int s = 1; s < 8; s++)
        ck_assert_double_gt(record.rates[s], record.rates[s - 1]);
    for (int s = 8; s < 24; s++)
        ck_assert_double_eq_tol(record.rates[s], 0.02, 1e-12);
}
END_TEST

/* ---- single steps ---- */

START_TEST(a_step_uses_the_samples_it_is_given)
{
    tsnni_course course = ordered_course(1);
    tsnni_course_start(&course);
    static const int64_t samples[] = {36, 0, 5, 5};
    double loss = 0.0;
    TSNNI_OK(tsnn_trainer_step(course.trainer, course.train, samples, 4, 1.0, &loss));
    ck_assert_double_eq_tol(loss, (37.0 * 37.0 + 1.0 + 36.0 + 36.0) / 4.0, 1e-3);
    TSNNI_OK(tsnn_trainer_step(course.trainer, course.train, NULL, 3, 1.0, &loss));
    ck_assert_double_eq_tol(loss, (1.0 + 4.0 + 9.0) / 3.0, 1e-5);
    static const int64_t high[] = {0, 37}, low[] = {0, -1};
    TSNNI_REFUSED(course.context, TSNN_ERROR_INVALID_ARGUMENT,
                  tsnn_trainer_step(course.trainer, course.train, high, 2, 1.0, NULL));
    TSNNI_REFUSED(course.context, TSNN_ERROR_INVALID_ARGUMENT,
                  tsnn_trainer_step(course.trainer, course.train, low, 2, 1.0, NULL));
    tsnni_course_free(&course);
}
END_TEST

START_TEST(a_step_at_rate_zero_changes_nothing)
{
    tsnni_course course = tsnni_course_small(2, 60, 0.25);
    tsnni_course_start(&course);
    tsnni_test_bytes before = tsnni_course_bytes(course.network);
    TSNNI_OK(tsnn_trainer_step(course.trainer, course.train, NULL, 60, 0.0, NULL));
    tsnni_test_bytes after = tsnni_course_bytes(course.network);
    ck_assert(tsnni_test_bytes_equal(&before, &after));
    tsnni_test_bytes_free(&before);
    tsnni_test_bytes_free(&after);
    tsnni_course_free(&course);
}
END_TEST

/* ---- learning ---- */

START_TEST(clusters_are_learned_while_the_topology_evolves)
{
    static const int64_t sizes[] = {40, 60, 50, 4};
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 2, 8);
    static const tsnni_test_function functions[] = {ALL_RELU, ALL_RELU, SOFTMAX};
    tsnn_network *network = tsnni_test_network(context, 3, sizes, functions, 0.15, 0.2);
    tsnni_course course = tsnni_course_create(context, network, tsnni_test_labelled(context, 600, 40, 4, 1),
                                              TSNN_LOSS_CROSS_ENTROPY, 0.05);
    course.validation = tsnni_test_labelled(context, 400, 40, 4, 2);
    tsnni_course_add_evolution(&course, 0.3);
    course.options.epochs = 15;
    course.options.batch = 32;
    tsnni_course_start(&course);
    tsnn_evaluation before = TSNN_EVALUATION_INIT, after = TSNN_EVALUATION_INIT;
    TSNNI_OK(tsnn_network_evaluate(network, course.loss, course.validation, &before));
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, course.validation));
    TSNNI_OK(tsnn_network_evaluate(network, course.loss, course.validation, &after));
    ck_assert_double_lt(before.accuracy, 0.6);
    ck_assert_double_gt(after.accuracy, 0.95);
    ck_assert_double_lt(after.loss, 0.3 * before.loss);
    tsnni_course_free(&course);
}
END_TEST

START_TEST(exclusive_or_is_learned_with_one_output)
{
    static const int64_t sizes[] = {2, 16, 1};
    static const tsnni_test_function functions[] = {TANH, SIGMOID};
    static const float features[] = {-1, -1, -1, 1, 1, -1, 1, 1};
    static const int32_t labels[] = {0, 1, 1, 0};
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 8);
    tsnn_network *network = tsnni_test_network(context, 2, sizes, functions, 1.0, 0.0);
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    options.samples = 4;
    options.features = 2;
    options.feature_data = features;
    options.labels = labels;
    tsnn_dataset *dataset = NULL;
    TSNNI_OK(tsnn_dataset_create(context, &options, &dataset));
    tsnni_course course = tsnni_course_create(context, network, dataset, TSNN_LOSS_BINARY_CROSS_ENTROPY, 0.2);
    course.options.epochs = 300;
    tsnni_course_start(&course);
    TSNNI_OK(tsnn_trainer_run(course.trainer, dataset, NULL));
    int32_t found[4];
    TSNNI_OK(tsnn_network_classify(network, features, 4, found, 4));
    ck_assert_mem_eq(found, labels, sizeof labels);
    tsnni_course_free(&course);
}
END_TEST

START_TEST(a_diverging_loss_is_reported)
{
    static const int64_t sizes[] = {12, 20, 15, 4};
    static const tsnni_test_function functions[] = {IDENTITY, IDENTITY, IDENTITY};
    for (int variant = 0; variant < 3; variant++) {
        tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
        tsnn_network *network = tsnni_test_network(context, 3, sizes, functions, 0.5, 0.0);
        tsnni_course course = tsnni_course_create(context, network, tsnni_test_targeted(context, 50, 12, 4, 0, 1),
                                                  TSNN_LOSS_MEAN_SQUARED_ERROR, 1e25);
        course.options.clip_norm = variant == 1 ? 1e30 : 0.0;
        course.options.micro_batch = variant == 2 ? 7 : 0;
        tsnni_course_add_evolution(&course, 0.3);
        tsnni_course_start(&course);
        TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_trainer_run(course.trainer, course.train, NULL));
        TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE,
                      tsnn_trainer_step(course.trainer, course.train, NULL, 50, 1.0, NULL));
        tsnni_course_free(&course);
    }
}
END_TEST

START_TEST(divergence_in_the_very_last_step_is_told)
{
    for (int validated = 0; validated < 2; validated++) {
        tsnni_course course = tsnni_course_small(3, 40, 0.0);
        tsnn_optimizer_options options = TSNN_OPTIMIZER_OPTIONS_INIT;
        options.learning_rate = 3e38;
        tsnn_optimizer *wild = NULL;
        TSNNI_OK(tsnn_optimizer_create(course.context, &options, &wild));
        course.options.optimizer = wild;
        if (!validated) {
            /* Large features make large gradients: the weights themselves overflow. */
            float mean[12] = {0}, deviation[12];
            tsnn_standardizer *standardizer = NULL;
            for (int f = 0; f < 12; f++)
                deviation[f] = 1e-6f;
            TSNNI_OK(tsnn_standardizer_create(course.context, 12, mean, deviation, &standardizer));
            TSNNI_OK(tsnn_network_set_standardizer(course.network, standardizer));
            tsnn_standardizer_destroy(&standardizer);
        }
        course.options.epochs = 1;
        course.options.batch = 40; /* one step */
        tsnni_course_start(&course);
        ck_assert_int_eq(tsnn_trainer_run(course.trainer, course.train, validated ? course.train : NULL),
                         TSNN_ERROR_NOT_FINITE);
        tsnn_optimizer_destroy(&wild);
        tsnni_course_free(&course);
    }
}
END_TEST

START_TEST(a_warm_up_shorter_than_a_step_does_not_run_into_the_schedule)
{
    tsnni_course course = tsnni_course_small(3, 40, 0.0);
    tsnn_schedule_options schedule = TSNN_SCHEDULE_OPTIONS_INIT;
    schedule.kind = TSNN_SCHEDULE_COSINE;
    schedule.warmup_epochs = 0.5;
    course.options.schedule = &schedule;
    course.options.epochs = 1;
    course.options.batch = 40;
    tsnni_course_start(&course);
    tsnni_test_bytes before = tsnni_course_bytes(course.network);
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, NULL));
    tsnni_test_bytes after = tsnni_course_bytes(course.network);
    ck_assert(!tsnni_test_bytes_equal(&before, &after));
    tsnni_test_bytes_free(&before);
    tsnni_test_bytes_free(&after);
    tsnni_course_free(&course);
}
END_TEST

START_TEST(evolution_and_pruning_of_another_context_are_refused)
{
    tsnn_context *other = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnni_course course = tsnni_course_small(3, 40, 0.0);
    tsnn_evolution *evolution = NULL;
    tsnn_pruning *pruning = NULL;
    tsnn_trainer *trainer = NULL;
    TSNNI_OK(tsnn_evolution_create(other, NULL, &evolution));
    TSNNI_OK(tsnn_pruning_create(other, NULL, &pruning));
    course.options.evolution = evolution;
    ck_assert_int_eq(tsnn_trainer_create(course.context, &course.options, &trainer), TSNN_ERROR_INVALID_ARGUMENT);
    course.options.evolution = NULL;
    course.options.pruning = pruning;
    ck_assert_int_eq(tsnn_trainer_create(course.context, &course.options, &trainer), TSNN_ERROR_INVALID_ARGUMENT);
    ck_assert_ptr_null(trainer);
    tsnn_pruning_destroy(&pruning);
    tsnn_evolution_destroy(&evolution);
    tsnni_course_free(&course);
    tsnn_context_destroy(&other);
}
END_TEST

/* The norm that a step with clipping reports. */
static int32_t keep_norm(void *user, const tsnn_step_report *report)
{
    *(double *)user = report->gradient_norm;
    return 1;
}

START_TEST(frozen_layers_do_not_count_in_the_clipping_norm)
{
    double norms[2];
    for (int32_t frozen = 0; frozen < 2; frozen++) {
        tsnni_course course = tsnni_course_small(3, 40, 0.0);
        tsnn_layer *layer = NULL;
        course.options.clip_norm = 1.0;
        course.options.on_step = keep_norm;
        course.options.user = &norms[frozen];
        TSNNI_OK(tsnn_network_get_layer(course.network, 1, &layer));
        TSNNI_OK(tsnn_layer_freeze(layer, frozen));
        tsnni_course_start(&course);
        ck_assert_int_eq(tsnn_trainer_run(course.trainer, course.train, NULL), TSNN_STOPPED);
        tsnni_course_free(&course);
    }
    ck_assert(norms[1] > 0.0 && norms[1] < norms[0]);
}
END_TEST

/* z log|z|: not a number at 0, where the sums of no sample lie, but the unused places of a batch once did. */
static void z_log_z(void *user, const float *z, float *a, int64_t count)
{
    (void)user;
    for (int64_t k = 0; k < count; k++)
        a[k] = z[k] * logf(fabsf(z[k]));
}

static void z_log_z_derivative(void *user, const float *z, const float *a, float *derivative, int64_t count)
{
    (void)user;
    (void)a;
    for (int64_t k = 0; k < count; k++)
        derivative[k] = logf(fabsf(z[k])) + 1.0f;
}

START_TEST(a_custom_activation_sees_samples_only)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_activation_options custom = TSNN_ACTIVATION_OPTIONS_INIT;
    custom.kind = TSNN_ACTIVATION_CUSTOM;
    custom.function = z_log_z;
    custom.derivative = z_log_z_derivative;
    tsnn_activation *activation = NULL;
    TSNNI_OK(tsnn_activation_create(context, &custom, &activation));
    const int64_t sizes[] = {4, 6, 3};
    tsnn_mlp_options shape = TSNN_MLP_OPTIONS_INIT;
    shape.sizes = sizes;
    shape.size_count = 3;
    shape.hidden = activation;
    tsnn_network *network = NULL;
    TSNNI_OK(tsnn_network_create_mlp(context, &shape, &network));
    float features[10 * 4];
    int32_t labels[10];
    for (int k = 0; k < 40; k++)
        features[k] = 0.1f + 0.01f * (float)k;
    for (int n = 0; n < 10; n++)
        labels[n] = n % 3;
    tsnn_dataset_options data = TSNN_DATASET_OPTIONS_INIT;
    data.samples = 10;
    data.features = 4;
    data.feature_data = features;
    data.labels = labels;
    tsnn_dataset *dataset = NULL;
    TSNNI_OK(tsnn_dataset_create(context, &data, &dataset));
    tsnni_course course = tsnni_course_create(context, network, dataset, TSNN_LOSS_CROSS_ENTROPY, 0.01);
    course.options.epochs = 4;
    tsnni_course_start(&course);
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, NULL));
    tsnn_activation_destroy(&activation);
    tsnni_course_free(&course);
}
END_TEST

Suite *tsnni_suite_trainer(void)
{
    Suite *suite = suite_create("trainer");
    TCase *tcase = tcase_create("trainer");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, every_sample_is_used_once_an_epoch);
    tcase_add_test(tcase, the_order_changes_with_epoch_and_seed_and_repeats);
    tcase_add_test(tcase, a_partial_last_batch_counts_in_full);
    tcase_add_test(tcase, reports_tell_what_happened);
    tcase_add_test(tcase, validation_is_an_evaluation);
    tcase_add_test(tcase, without_validation_labels_and_evolution_their_numbers_are_zero);
    tcase_add_test(tcase, training_goes_on_for_10_epochs_by_default);
    tcase_add_test(tcase, the_schedule_is_followed_step_by_step);
    tcase_add_test(tcase, a_warm_up_starts_above_zero_and_ends_at_the_full_rate);
    tcase_add_test(tcase, a_step_uses_the_samples_it_is_given);
    tcase_add_test(tcase, a_step_at_rate_zero_changes_nothing);
    tcase_add_test(tcase, clusters_are_learned_while_the_topology_evolves);
    tcase_add_test(tcase, exclusive_or_is_learned_with_one_output);
    tcase_add_test(tcase, a_diverging_loss_is_reported);
    tcase_add_test(tcase, a_custom_activation_sees_samples_only);
    tcase_add_test(tcase, divergence_in_the_very_last_step_is_told);
    tcase_add_test(tcase, a_warm_up_shorter_than_a_step_does_not_run_into_the_schedule);
    tcase_add_test(tcase, evolution_and_pruning_of_another_context_are_refused);
    tcase_add_test(tcase, frozen_layers_do_not_count_in_the_clipping_norm);
    suite_add_tcase(suite, tcase);
    return suite;
}
