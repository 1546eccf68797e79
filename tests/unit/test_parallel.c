/* Training by several workers, as a caller sees it. */
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "course.h"

static const int32_t modes[] = {TSNN_PARALLEL_WASAP, TSNN_PARALLEL_WASSP, TSNN_PARALLEL_REPLICAS};
enum { MODES = 3 };

typedef struct watcher {
    int64_t epochs, steps, samples[32], neurons;
    double accuracy, loss, first_loss;
    int64_t stop_epoch, stop_step; /* 0: never */
    int32_t answer;
} watcher;

static int32_t on_epoch(void *user, const tsnn_epoch_report *report)
{
    watcher *own = user;
    own->samples[own->epochs++ % 32] = report->samples;
    own->accuracy = report->validation_accuracy;
    own->loss = report->validation_loss;
    own->neurons = report->neurons;
    if (own->epochs == 1)
        own->first_loss = report->validation_loss;
    ck_assert_int_eq(report->epoch, own->epochs);
    return report->epoch == own->stop_epoch ? own->answer : 0;
}

static int32_t on_step(void *user, const tsnn_step_report *report)
{
    watcher *own = user;
    own->steps++;
    ck_assert(report->step >= 1 && report->step <= report->steps);
    return own->steps == own->stop_step ? own->answer : 0;
}

static tsnn_parallel_options options_of(const tsnni_course *course, int32_t mode, int32_t workers, watcher *user)
{
    tsnn_parallel_options options = TSNN_PARALLEL_OPTIONS_INIT;
    options.mode = mode;
    options.workers = workers;
    options.network = course->network;
    options.loss = course->loss;
    options.optimizer = course->optimizer;
    options.evolution = course->evolution;
    options.pruning = course->pruning;
    options.epochs = 4;
    options.batch = 10;
    options.rate_multiple = options.local_multiple = 1.0;
    if (user != NULL) {
        options.on_step = on_step;
        options.on_epoch = on_epoch;
        options.user = user;
    }
    return options;
}

/* A network that can learn, with everything on that draws random numbers. */
static tsnni_course full_course(uint64_t seed)
{
    tsnni_course course = tsnni_course_small(seed, 120, 0.2);
    tsnni_course_add_evolution(&course, 0.3);
    course.validation = tsnni_test_labelled(course.context, 60, 12, 4, 5);
    return course;
}

static tsnn_status run(tsnni_course *course, const tsnn_parallel_options *options, tsnn_parallel_info *info)
{
    tsnn_parallel *parallel = NULL;
    TSNNI_OK(tsnn_parallel_create(course->context, options, &parallel));
    tsnn_status status = tsnn_parallel_run(parallel, course->train, course->validation);
    if (info != NULL)
        TSNNI_OK(tsnn_parallel_get_info(parallel, info));
    tsnn_parallel_destroy(&parallel);
    return status;
}

/* ---- learning ---- */

START_TEST(every_mode_learns_and_keeps_its_connections)
{
    for (int m = 0; m < MODES; m++)
        for (int32_t workers = 1; workers <= 4; workers++) {
            watcher own = {0};
            tsnni_course course = full_course(1);
            tsnn_network_info before = tsnni_test_network_size(course.network);
            tsnn_parallel_options options = options_of(&course, modes[m], workers, &own);
            options.epochs = 16;
            TSNNI_OK(run(&course, &options, NULL));
            ck_assert_int_eq(own.epochs, 16);
            ck_assert(isfinite(own.loss) && own.loss < 0.9 * own.first_loss);
            ck_assert_int_eq(tsnni_test_network_size(course.network).connections, before.connections);
            tsnni_course_free(&course);
        }
}
END_TEST

/* In WASAP a late gradient may count in the next epoch; over the phase each mini-batch counts once. */
START_TEST(phase_one_sees_every_sample_once_an_epoch)
{
    for (int m = 0; m < 2; m++) {
        watcher own = {0};
        tsnni_course course = full_course(2);
        tsnn_parallel_options options = options_of(&course, modes[m], 3, &own);
        options.batch = 7;
        options.phase_split = 1.0;
        TSNNI_OK(run(&course, &options, NULL));
        for (int e = 0; e < 4 && modes[m] == TSNN_PARALLEL_WASSP; e++)
            ck_assert_int_eq(own.samples[e], 120);
        ck_assert_int_eq(own.samples[0] + own.samples[1] + own.samples[2] + own.samples[3], 4 * 120);
        tsnni_course_free(&course);
    }
}
END_TEST

START_TEST(phase_two_shares_out_as_many_mini_batches_as_an_epoch_has)
{
    watcher own = {0};
    tsnni_course course = full_course(2);
    tsnn_parallel_options options = options_of(&course, TSNN_PARALLEL_REPLICAS, 5, &own);
    TSNNI_OK(run(&course, &options, NULL));
    for (int e = 0; e < 4; e++)
        ck_assert_int_eq(own.samples[e], 120);
    tsnni_course_free(&course);
}
END_TEST

/* Local progress survives to the average: phase 2 goes on from where phase 1 left the network, by training. */
START_TEST(phase_two_really_trains)
{
    tsnn_evaluation after[2];
    for (int phase_two = 0; phase_two < 2; phase_two++) {
        tsnni_course course = full_course(3);
        tsnn_parallel_options options = options_of(&course, TSNN_PARALLEL_WASSP, 2, NULL);
        options.epochs = phase_two ? 20 : 2;
        options.phase_split = phase_two ? 0.1 : 1.0;
        TSNNI_OK(run(&course, &options, NULL));
        after[phase_two] = (tsnn_evaluation)TSNN_EVALUATION_INIT;
        TSNNI_OK(tsnn_network_evaluate(course.network, course.loss, course.validation, &after[phase_two]));
        tsnni_course_free(&course);
    }
    ck_assert(after[1].loss < 0.8 * after[0].loss);
}
END_TEST

/* With one worker the mean is the worker's own model, so phase 2 must give what the worker says it has. */
START_TEST(the_network_is_what_a_lone_worker_has)
{
    tsnni_course course = full_course(4);
    tsnn_parallel_options options = options_of(&course, TSNN_PARALLEL_REPLICAS, 1, NULL);
    tsnn_parallel *parallel = NULL;
    tsnn_parallel_worker_info worker = TSNN_PARALLEL_WORKER_INFO_INIT;
    tsnn_evaluation mean = TSNN_EVALUATION_INIT;
    TSNNI_OK(tsnn_parallel_create(course.context, &options, &parallel));
    TSNNI_OK(tsnn_parallel_run(parallel, course.train, course.validation));
    TSNNI_OK(tsnn_parallel_get_worker(parallel, 0, &worker));
    TSNNI_OK(tsnn_network_evaluate(course.network, course.loss, course.validation, &mean));
    ck_assert_int_eq(worker.has_validation, 1);
    ck_assert(worker.validation_loss == mean.loss);
    tsnn_parallel_destroy(&parallel);
    tsnni_course_free(&course);
}
END_TEST

START_TEST(workers_go_different_ways)
{
    tsnni_course course = full_course(5);
    tsnn_parallel_options options = options_of(&course, TSNN_PARALLEL_REPLICAS, 3, NULL);
    tsnn_parallel *parallel = NULL;
    tsnn_parallel_worker_info workers[3];
    TSNNI_OK(tsnn_parallel_create(course.context, &options, &parallel));
    TSNNI_OK(tsnn_parallel_run(parallel, course.train, course.validation));
    for (int32_t w = 0; w < 3; w++) {
        workers[w] = (tsnn_parallel_worker_info)TSNN_PARALLEL_WORKER_INFO_INIT;
        TSNNI_OK(tsnn_parallel_get_worker(parallel, w, &workers[w]));
        ck_assert_int_eq(workers[w].steps, 16);
        for (int32_t other = 0; other < w; other++)
            ck_assert(workers[w].validation_loss != workers[other].validation_loss);
    }
    tsnn_parallel_destroy(&parallel);
    tsnni_course_free(&course);
}
END_TEST

/* ---- against the trainer ---- */

static void expect_close(tsnn_network *a, tsnn_network *b)
{
    for (int64_t l = 0; l < 3; l++) {
        float x[400], y[400];
        int64_t count = tsnni_test_layer_size(tsnni_test_layer_of(a, l)).connections;
        TSNNI_OK(tsnn_layer_get_csr(tsnni_test_layer_of(a, l), NULL, 0, NULL, x, 400));
        TSNNI_OK(tsnn_layer_get_csr(tsnni_test_layer_of(b, l), NULL, 0, NULL, y, 400));
        for (int64_t k = 0; k < count; k++)
            ck_assert_float_eq_tol(x[k], y[k], 2e-5f);
    }
}

static void expect_the_trainers_weights(int32_t mode, int32_t workers, int64_t batch, int64_t local_steps)
{
    tsnni_course sequential = tsnni_course_small(7, 120, 0.0), course = tsnni_course_small(7, 120, 0.0);
    tsnni_course_add_evolution(&sequential, 0.3);
    tsnni_course_add_evolution(&course, 0.3);
    sequential.options.epochs = 3;
    sequential.options.batch = 24;
    tsnni_course_start(&sequential);
    TSNNI_OK(tsnn_trainer_run(sequential.trainer, sequential.train, NULL));
    tsnn_parallel_options options = options_of(&course, mode, workers, NULL);
    options.epochs = 3;
    options.batch = batch;
    options.local_steps = local_steps;
    options.phase_split = 1.0;
    TSNNI_OK(run(&course, &options, NULL));
    expect_close(sequential.network, course.network);
    tsnni_course_free(&sequential);
    tsnni_course_free(&course);
}

START_TEST(wassp_is_a_trainer_whose_batch_is_that_of_all_workers)
{
    expect_the_trainers_weights(TSNN_PARALLEL_WASSP, 1, 24, 1);
    expect_the_trainers_weights(TSNN_PARALLEL_WASSP, 2, 12, 1);
    expect_the_trainers_weights(TSNN_PARALLEL_WASSP, 3, 8, 1);
    expect_the_trainers_weights(TSNN_PARALLEL_WASSP, 2, 6, 2);
}
END_TEST

START_TEST(wasap_with_one_worker_is_a_trainer)
{
    expect_the_trainers_weights(TSNN_PARALLEL_WASAP, 1, 24, 1);
}
END_TEST

START_TEST(decay_counts_every_mini_batch)
{
    /* With a rate of next to nothing only decay moves the weights: 12 mini-batches an epoch, whoever has them. */
    for (int m = 0; m < MODES; m++) {
        tsnni_course course = tsnni_course_small(8, 120, 0.0);
        float before[400], after[400];
        tsnn_optimizer_destroy(&course.optimizer);
        course.optimizer = tsnni_test_optimizer(course.context, TSNN_OPTIMIZER_SGD, 1e-12, 0.01, TSNN_DECAY_DECOUPLED);
        int64_t count = tsnni_test_layer_size(tsnni_test_layer_of(course.network, 0)).connections;
        TSNNI_OK(tsnn_layer_get_csr(tsnni_test_layer_of(course.network, 0), NULL, 0, NULL, before, 400));
        tsnn_parallel_options options = options_of(&course, modes[m], 3, NULL);
        options.epochs = 1;
        options.phase_split = modes[m] == TSNN_PARALLEL_REPLICAS ? 0.0 : 1.0;
        TSNNI_OK(run(&course, &options, NULL));
        TSNNI_OK(tsnn_layer_get_csr(tsnni_test_layer_of(course.network, 0), NULL, 0, NULL, after, 400));
        for (int64_t k = 0; k < count; k++)
            ck_assert_float_eq_tol(after[k], before[k] * (float)pow(0.99, 12), 1e-5f);
        tsnni_course_free(&course);
    }
}
END_TEST

/* ---- the same bits ---- */

static tsnni_test_bytes bytes_of_run(int32_t mode, int32_t workers)
{
    tsnni_course course = full_course(9);
    tsnn_parallel_options options = options_of(&course, mode, workers, NULL);
    TSNNI_OK(run(&course, &options, NULL));
    tsnni_test_bytes bytes = tsnni_course_bytes(course.network);
    tsnni_course_free(&course);
    return bytes;
}

START_TEST(in_step_and_apart_give_the_same_bits_every_time)
{
    for (int m = 1; m < MODES; m++) {
        tsnni_test_bytes first = bytes_of_run(modes[m], 3);
        for (int n = 0; n < 3; n++) {
            tsnni_test_bytes again = bytes_of_run(modes[m], 3);
            ck_assert(tsnni_test_bytes_equal(&first, &again));
            tsnni_test_bytes_free(&again);
        }
        tsnni_test_bytes_free(&first);
    }
}
END_TEST

static tsnni_test_bytes bytes_by_caches(int32_t mode, int32_t workers, tsnni_caches caches)
{
    static const int64_t sizes[] = {12, 300, 300, 4};
    static const tsnni_test_function functions[] = {
        {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_SOFTMAX, 0}};
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 3);
    context->caches = caches;
    tsnni_course course =
        tsnni_course_create(context, tsnni_test_network(context, 3, sizes, functions, 0.2, 0.0),
                            tsnni_test_labelled(context, 200, 12, 4, 5), TSNN_LOSS_CROSS_ENTROPY, 0.02);
    tsnni_course_add_evolution(&course, 0.3);
    tsnn_parallel_options options = options_of(&course, mode, workers, NULL);
    options.batch = 50;
    TSNNI_OK(run(&course, &options, NULL));
    tsnni_test_bytes bytes = tsnni_course_bytes(course.network);
    tsnni_course_free(&course);
    return bytes;
}

/* Small caches make the kernels work in panels, whose bounds have to follow every evolution. */
START_TEST(the_size_of_the_caches_changes_no_bit_of_evolving_networks)
{
    static const tsnni_caches large = {32 << 10, 1 << 20, 32 << 20}, small = {16 << 10, 80 << 10, 32 << 20};
    for (int m = 0; m < MODES; m++) {
        int32_t workers = modes[m] == TSNN_PARALLEL_WASAP ? 1 : 2;
        tsnni_test_bytes first = bytes_by_caches(modes[m], workers, large);
        tsnni_test_bytes second = bytes_by_caches(modes[m], workers, small);
        ck_assert(tsnni_test_bytes_equal(&first, &second));
        tsnni_test_bytes_free(&first);
        tsnni_test_bytes_free(&second);
    }
}
END_TEST

/* ---- many at once ---- */

START_TEST(many_workers_on_few_processors_stay_sound)
{
    for (int n = 0; n < 50; n++) {
        watcher own = {0};
        tsnni_course course = full_course(10 + (uint64_t)n);
        tsnn_parallel_info info = TSNN_PARALLEL_INFO_INIT;
        int64_t connections = tsnni_test_network_size(course.network).connections, gradients = 0;
        tsnn_parallel_options options = options_of(&course, modes[n % 2], n % 4 < 2 ? 4 : 8, &own);
        TSNNI_OK(run(&course, &options, &info));
        ck_assert(isfinite(own.loss) && own.loss < 2.0);
        ck_assert_int_eq(tsnni_test_network_size(course.network).connections, connections);
        for (int bin = 0; bin < TSNN_STALENESS_BINS; bin++)
            gradients += info.staleness[bin];
        ck_assert_int_eq(gradients, n % 2 == 0 ? 3 * 12 : 0);
        ck_assert_int_eq(info.epochs_done, 4);
        tsnni_course_free(&course);
    }
}
END_TEST

START_TEST(more_workers_than_mini_batches)
{
    for (int m = 0; m < MODES; m++) {
        watcher own = {0};
        tsnni_course course = full_course(11);
        tsnn_parallel_options options = options_of(&course, modes[m], 30, &own);
        options.batch = 50;
        TSNNI_OK(run(&course, &options, NULL));
        ck_assert_int_eq(own.epochs, 4);
        tsnni_course_free(&course);
    }
}
END_TEST

START_TEST(small_parts_of_a_mini_batch_and_a_clipped_gradient)
{
    for (int m = 0; m < MODES; m++) {
        watcher own = {0};
        tsnni_course course = full_course(12);
        tsnn_parallel_options options = options_of(&course, modes[m], 2, &own);
        options.micro_batch = 3;
        options.clip_norm = 0.1;
        options.epochs = 30;
        TSNNI_OK(run(&course, &options, NULL));
        ck_assert(own.loss < own.first_loss);
        tsnni_course_free(&course);
    }
}
END_TEST

START_TEST(pruning_shrinks_the_network_under_the_workers)
{
    for (int m = 0; m < 2; m++) {
        watcher own = {0};
        tsnni_course course = full_course(13);
        tsnni_course_add_pruning(&course, 20, 1, 2);
        int64_t neurons = tsnni_test_network_size(course.network).neurons;
        tsnn_parallel_options options = options_of(&course, modes[m], 3, &own);
        options.epochs = 8;
        TSNNI_OK(run(&course, &options, NULL));
        ck_assert_int_lt(own.neurons, neurons);
        ck_assert_int_eq(own.neurons, tsnni_test_network_size(course.network).neurons);
        ck_assert(isfinite(own.loss));
        tsnni_course_free(&course);
    }
}
END_TEST

START_TEST(frozen_layers_stay)
{
    static const float biases[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    for (int m = 0; m < MODES; m++) {
        tsnni_course course = full_course(14);
        tsnn_layer *layer = tsnni_test_layer_of(course.network, 1);
        TSNNI_OK(tsnn_layer_freeze(layer, 1));
        TSNNI_OK(tsnn_layer_set_weights(layer, NULL, 0, biases, 15)); /* that decay or a gradient would move */
        tsnni_test_bytes before = {0}, after = {0};
        tsnni_test_bytes_add_layer(&before, layer);
        tsnn_parallel_options options = options_of(&course, modes[m], 2, NULL);
        TSNNI_OK(run(&course, &options, NULL));
        tsnni_test_bytes_add_layer(&after, layer);
        ck_assert(tsnni_test_bytes_equal(&before, &after));
        tsnni_test_bytes_free(&before);
        tsnni_test_bytes_free(&after);
        tsnni_course_free(&course);
    }
}
END_TEST

/* ---- what on_epoch changes ---- */

enum { THAW, FREEZE, STANDARDISE, ROUND, CHANGES };

typedef struct change {
    const tsnni_course *course;
    int what; /* CHANGES: all of them */
} change;

/* After the first epoch: thaws a layer, freezes another, has inputs standardised or activations rounded. */
static int32_t change_settings(void *user, const tsnn_epoch_report *report)
{
    const change *own = user;
    tsnn_network *network = own->course->network;
    tsnn_standardizer *standardizer = NULL;
    if (report->epoch != 1)
        return 0;
    if (own->what == THAW || own->what == CHANGES)
        TSNNI_OK(tsnn_layer_freeze(tsnni_test_layer_of(network, 1), 0));
    if (own->what == FREEZE || own->what == CHANGES)
        TSNNI_OK(tsnn_layer_freeze(tsnni_test_layer_of(network, 0), 1));
    if (own->what == ROUND || own->what == CHANGES)
        TSNNI_OK(tsnn_network_set_activation_format(network, TSNN_ACTIVATIONS_BF16));
    if (own->what == STANDARDISE || own->what == CHANGES) {
        TSNNI_OK(tsnn_standardizer_fit(own->course->context, own->course->train, &standardizer));
        TSNNI_OK(tsnn_network_set_standardizer(network, standardizer));
        tsnn_standardizer_destroy(&standardizer);
    }
    return 0;
}

/* Clipped, so that what is frozen must not count in the norm. */
static tsnni_course course_to_be_changed(void)
{
    tsnni_course course = tsnni_course_small(7, 120, 0.0);
    TSNNI_OK(tsnn_layer_freeze(tsnni_test_layer_of(course.network, 1), 1));
    course.options.epochs = 3;
    course.options.batch = 10;
    course.options.clip_norm = 0.2;
    course.options.on_epoch = change_settings;
    return course;
}

static void expect_what_the_trainer_learns(tsnni_course *sequential, int32_t mode, int what)
{
    tsnni_course course = course_to_be_changed();
    change own = {&course, what};
    tsnn_parallel_options options = options_of(&course, mode, 1, NULL);
    options.epochs = 3;
    options.phase_split = 1.0;
    options.clip_norm = 0.2;
    options.on_epoch = change_settings;
    options.user = &own;
    TSNNI_OK(run(&course, &options, NULL));
    expect_close(sequential->network, course.network);
    tsnni_course_free(&course);
}

START_TEST(what_is_set_between_epochs_reaches_the_workers)
{
    for (int what = THAW; what <= CHANGES; what++) {
        tsnni_course sequential = course_to_be_changed();
        change own = {&sequential, what};
        sequential.options.user = &own;
        tsnni_course_start(&sequential);
        TSNNI_OK(tsnn_trainer_run(sequential.trainer, sequential.train, NULL));
        expect_what_the_trainer_learns(&sequential, TSNN_PARALLEL_WASAP, what);
        expect_what_the_trainer_learns(&sequential, TSNN_PARALLEL_WASSP, what);
        tsnni_course_free(&sequential);
    }
}
END_TEST

/* Also of workers whose gradients were on their way. */
START_TEST(a_layer_that_is_thawed_learns_again)
{
    for (int m = 0; m < 2; m++) {
        tsnni_course course = course_to_be_changed();
        tsnn_layer *layer = tsnni_test_layer_of(course.network, 1);
        tsnni_test_bytes before = {0}, after = {0};
        tsnni_test_bytes_add_layer(&before, layer);
        tsnn_parallel_options options = options_of(&course, modes[m], 3, NULL);
        change own = {&course, THAW};
        options.phase_split = 1.0;
        options.on_epoch = change_settings;
        options.user = &own;
        TSNNI_OK(run(&course, &options, NULL));
        tsnni_test_bytes_add_layer(&after, layer);
        ck_assert(!tsnni_test_bytes_equal(&before, &after));
        tsnni_test_bytes_free(&before);
        tsnni_test_bytes_free(&after);
        tsnni_course_free(&course);
    }
}
END_TEST

/* ---- callbacks and failures ---- */

typedef struct phase_two_reports {
    int64_t replaced[16];
    double train_accuracy[16], train_loss[16];
} phase_two_reports;

static int32_t keep_report(void *user, const tsnn_epoch_report *report)
{
    phase_two_reports *own = user;
    own->replaced[report->epoch] = report->replaced;
    own->train_accuracy[report->epoch] = report->train_accuracy;
    own->train_loss[report->epoch] = report->train_loss;
    return 0;
}

/* Two workers evolve after every second epoch, but not when less than two are left. */
START_TEST(phase_two_reports_what_its_workers_did)
{
    phase_two_reports own = {{0}, {0.0}, {0.0}};
    tsnni_course course = full_course(22);
    tsnn_parallel_options options = options_of(&course, TSNN_PARALLEL_REPLICAS, 2, NULL);
    options.epochs = 7;
    options.on_epoch = keep_report;
    options.user = &own;
    TSNNI_OK(run(&course, &options, NULL));
    for (int64_t e = 1; e <= 7; e++) {
        ck_assert_int_eq(own.replaced[e] > 0, e == 2 || e == 4);
        ck_assert(own.train_accuracy[e] > 0.2 && own.train_accuracy[e] <= 1.0);
        ck_assert(own.train_loss[e] > 0.0);
    }
    ck_assert(own.train_accuracy[7] > own.train_accuracy[1]);
    tsnni_course_free(&course);
}
END_TEST

START_TEST(an_epoch_callback_stops_and_the_next_call_goes_on)
{
    for (int m = 0; m < MODES; m++)
        for (int64_t stop = 1; stop <= 4; stop++) {
            watcher own = {.stop_epoch = stop, .answer = 1};
            tsnni_course course = full_course(15);
            tsnn_parallel_options options = options_of(&course, modes[m], 2, &own);
            tsnn_parallel *parallel = NULL;
            TSNNI_OK(tsnn_parallel_create(course.context, &options, &parallel));
            ck_assert_int_eq(tsnn_parallel_run(parallel, course.train, course.validation), TSNN_STOPPED);
            ck_assert_int_eq(own.epochs, stop);
            TSNNI_OK(tsnn_parallel_run(parallel, course.train, course.validation));
            ck_assert_int_eq(own.epochs, 4);
            TSNNI_OK(tsnn_parallel_run(parallel, course.train, course.validation));
            ck_assert_int_eq(own.epochs, 4);
            tsnn_parallel_destroy(&parallel);
            tsnni_course_free(&course);
        }
}
END_TEST

typedef struct caller {
    tsnni_course *course;
    tsnn_parallel *parallel;
    int64_t calls;
} caller;

static int32_t run_again(void *user, const tsnn_epoch_report *report)
{
    caller *own = user;
    tsnn_parallel *same = own->parallel;
    (void)report;
    TSNNI_REFUSED(own->course->context, TSNN_ERROR_STATE, tsnn_parallel_run(own->parallel, own->course->train, NULL));
    tsnn_parallel_destroy(&same);
    ck_assert_ptr_eq(same, own->parallel);
    own->calls++;
    return 0;
}

START_TEST(an_epoch_callback_can_neither_run_nor_free_what_is_running)
{
    for (int m = 0; m < MODES; m++) {
        tsnni_course course = full_course(15);
        caller own = {.course = &course};
        tsnn_parallel_options options = options_of(&course, modes[m], 2, NULL);
        options.on_step = NULL;
        options.on_epoch = run_again;
        options.user = &own;
        TSNNI_OK(tsnn_parallel_create(course.context, &options, &own.parallel));
        TSNNI_OK(tsnn_parallel_run(own.parallel, course.train, NULL));
        ck_assert_int_eq(own.calls, 4);
        tsnn_parallel_destroy(&own.parallel);
        ck_assert_ptr_null(own.parallel);
        tsnni_course_free(&course);
    }
}
END_TEST

START_TEST(a_step_callback_stops_every_worker)
{
    for (int m = 0; m < MODES; m++)
        for (int32_t answer = -1; answer <= 1; answer += 2) {
            watcher own = {.stop_step = 2, .answer = answer};
            tsnni_course course = full_course(16);
            tsnni_test_bytes before = tsnni_course_bytes(course.network);
            tsnn_parallel_options options = options_of(&course, modes[m], 3, &own);
            tsnn_status status = run(&course, &options, NULL);
            ck_assert_int_eq(own.steps, 2);
            ck_assert_int_lt(own.epochs, 4); /* other workers may make many steps before worker 0 makes its second */
            if (answer > 0)
                ck_assert_int_eq(status, TSNN_STOPPED);
            else
                tsnni_test_expect_error(course.context, TSNN_ERROR_CALLBACK, status, "run");
            tsnni_test_bytes after = tsnni_course_bytes(course.network);
            if (answer > 0) /* what was learned is kept */
                ck_assert(!tsnni_test_bytes_equal(&before, &after));
            tsnni_test_bytes_free(&before);
            tsnni_test_bytes_free(&after);
            tsnni_course_free(&course);
        }
}
END_TEST

START_TEST(an_epoch_callback_that_fails_ends_the_run)
{
    for (int m = 0; m < MODES; m++) {
        watcher own = {.stop_epoch = 3, .answer = -7};
        tsnni_course course = full_course(17);
        tsnn_parallel_options options = options_of(&course, modes[m], 2, &own);
        tsnni_test_expect_error(course.context, TSNN_ERROR_CALLBACK, run(&course, &options, NULL), "run");
        tsnni_test_expect_text(course.context, "-7");
        tsnni_course_free(&course);
    }
}
END_TEST

START_TEST(divergence_is_told_and_nobody_hangs)
{
    for (int m = 0; m < MODES; m++)
        for (int32_t workers = 1; workers <= 4; workers += 3) {
            tsnni_course course = full_course(18);
            tsnn_optimizer_destroy(&course.optimizer);
            course.optimizer = tsnni_test_optimizer(course.context, TSNN_OPTIMIZER_SGD, 1e30, 0.0, 0);
            tsnn_parallel_options options = options_of(&course, modes[m], workers, NULL);
            tsnni_test_expect_error(course.context, TSNN_ERROR_NOT_FINITE, run(&course, &options, NULL), "run");
            tsnni_course_free(&course);
        }
}
END_TEST

START_TEST(every_refused_request_for_memory_is_told)
{
    for (int m = 0; m < MODES; m++)
        for (int64_t fail = 1;; fail += tsnni_test_all() ? 1 : 5) {
            tsnni_test_allocator allocator = {0};
            tsnn_context *context = tsnni_test_counted_context(&allocator);
            static const int64_t sizes[] = {12, 20, 15, 4};
            static const tsnni_test_function functions[] = {
                {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_SOFTMAX, 0}};
            tsnni_course course =
                tsnni_course_create(context, tsnni_test_network(context, 3, sizes, functions, 0.4, 0.2),
                                    tsnni_test_labelled(context, 40, 12, 4, 5), TSNN_LOSS_CROSS_ENTROPY, 0.02);
            tsnni_course_add_evolution(&course, 0.3);
            tsnn_parallel_options options = options_of(&course, modes[m], 2, NULL);
            tsnn_parallel *parallel = NULL;
            int64_t live = allocator.live;
            allocator.calls = 0;
            allocator.fail_at = fail;
            tsnn_status status = tsnn_parallel_create(context, &options, &parallel);
            if (status >= 0)
                status = tsnn_parallel_run(parallel, course.train, NULL);
            tsnn_parallel_destroy(&parallel);
            if (status != TSNN_OK) {
                tsnni_test_expect_error(context, TSNN_ERROR_OUT_OF_MEMORY, status, "run");
                ck_assert(allocator.live <= live + 6); /* velocities of weights and biases may have come */
            }
            tsnni_course_free(&course);
            ck_assert_int_eq(allocator.live, 0);
            if (status == TSNN_OK)
                break;
        }
}
END_TEST

/* ---- arguments ---- */

START_TEST(wrong_options_are_refused)
{
    tsnni_course course = full_course(19);
    tsnni_course_add_pruning(&course, 20, 1, 1);
    static const tsnn_parallel_commit commit = {0, 0, 0};
    for (int wrong = 0; wrong < 32; wrong++) {
        tsnn_parallel_options options = options_of(&course, TSNN_PARALLEL_WASAP, 2, NULL);
        tsnn_parallel *out = (void *)&course;
        switch (wrong) {
        case 0:
            options.workers = 0;
            break;
        case 1:
            options.workers = -1;
            break;
        case 2:
            options.workers = 1025;
            break;
        case 3:
            options.mode = 3;
            break;
        case 4:
            options.mode = -1;
            break;
        case 5:
            options.retain = 2;
            break;
        case 6:
            options.epochs = -1;
            break;
        case 7:
            options.batch = -1;
            break;
        case 8:
            options.batch = INT64_C(1) << 40;
            break;
        case 9:
            options.micro_batch = -1;
            break;
        case 10:
            options.local_steps = -1;
            break;
        case 11:
            options.stale_limit = -1;
            break;
        case 12:
            options.phase_split = 1.5;
            break;
        case 13:
            options.phase_split = NAN;
            break;
        case 14:
            options.rate_multiple = -1.0;
            break;
        case 15:
            options.rate_multiple = INFINITY;
            break;
        case 16:
            options.rate_warmup = NAN;
            break;
        case 17:
            options.clip_norm = -1.0;
            break;
        case 18:
            options.keep_log = 2;
            break;
        case 19:
            options.reserved = 1;
            break;
        case 20:
            options.replay_count = 1;
            break;
        case 21:
            options.replay = &commit;
            break;
        case 22:
            options.mode = TSNN_PARALLEL_WASSP;
            options.keep_log = 1;
            break;
        case 23:
            options.local_multiple = NAN;
            break;
        case 24:
            options.mode = TSNN_PARALLEL_REPLICAS; /* with pruning */
            break;
        case 25:
            options.mode = TSNN_PARALLEL_WASSP;
            options.retain = TSNN_DISCARD_STALE;
            break;
        case 26:
            options.mode = TSNN_PARALLEL_WASSP;
            options.stale_limit = 3;
            break;
        default: /* what replicas would ignore */
            options.mode = TSNN_PARALLEL_REPLICAS;
            options.pruning = NULL;
            options.rate_multiple = wrong == 27 ? 2.0 : 0.0;
            options.phase_split = wrong == 28 ? 0.5 : 0.0;
            options.local_steps = wrong == 29 ? 2 : 0;
            options.stale_limit = wrong == 30 ? 1 : 0;
            options.retain = wrong == 31 ? TSNN_DISCARD_STALE : TSNN_RETAIN_VALID;
            break;
        }
        TSNNI_REFUSED(course.context, TSNN_ERROR_INVALID_ARGUMENT,
                      tsnn_parallel_create(course.context, &options, &out));
        ck_assert_ptr_null(out);
    }
    tsnni_course_free(&course);
}
END_TEST

START_TEST(wrong_arguments_are_refused)
{
    tsnni_course course = full_course(20), other = full_course(20);
    tsnn_parallel_options options = options_of(&course, TSNN_PARALLEL_WASAP, 2, NULL), wrong = options;
    tsnn_parallel *parallel = NULL;
    tsnn_parallel_info info = TSNN_PARALLEL_INFO_INIT;
    tsnn_parallel_worker_info worker = TSNN_PARALLEL_WORKER_INFO_INIT;
    tsnn_parallel_destroy(NULL);
    tsnn_parallel_destroy(&parallel);
    ck_assert_int_eq(tsnn_parallel_options_init(NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_parallel_create(NULL, &options, &parallel), TSNN_ERROR_NULL_ARGUMENT);
    TSNNI_REFUSED(course.context, TSNN_ERROR_NULL_ARGUMENT, tsnn_parallel_create(course.context, &options, NULL));
    wrong.struct_size = 3;
    TSNNI_REFUSED(course.context, TSNN_ERROR_STRUCT_SIZE, tsnn_parallel_create(course.context, &wrong, &parallel));
    wrong = options;
    wrong.network = NULL;
    TSNNI_REFUSED(course.context, TSNN_ERROR_NULL_ARGUMENT, tsnn_parallel_create(course.context, &wrong, &parallel));
    wrong = options;
    wrong.network = other.network;
    TSNNI_REFUSED(course.context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_parallel_create(course.context, &wrong, &parallel));
    wrong = options;
    wrong.evolution = other.evolution;
    TSNNI_REFUSED(course.context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_parallel_create(course.context, &wrong, &parallel));
    options.workers = 121; /* more than samples */
    TSNNI_OK(tsnn_parallel_create(course.context, &options, &parallel));
    ck_assert_int_eq(tsnn_parallel_run(NULL, course.train, NULL), TSNN_ERROR_NULL_ARGUMENT);
    TSNNI_REFUSED(course.context, TSNN_ERROR_NULL_ARGUMENT, tsnn_parallel_run(parallel, NULL, NULL));
    TSNNI_REFUSED(course.context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_parallel_run(parallel, course.train, NULL));
    tsnni_test_expect_text(course.context, "121 workers for 120 samples");
    tsnn_dataset *narrow = tsnni_test_labelled(course.context, 200, 11, 4, 1);
    TSNNI_REFUSED(course.context, TSNN_ERROR_SHAPE, tsnn_parallel_run(parallel, narrow, NULL));
    ck_assert_int_eq(tsnn_parallel_get_info(NULL, &info), TSNN_ERROR_NULL_ARGUMENT);
    TSNNI_REFUSED(course.context, TSNN_ERROR_NULL_ARGUMENT, tsnn_parallel_get_info(parallel, NULL));
    TSNNI_REFUSED(course.context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_parallel_get_worker(parallel, 121, &worker));
    TSNNI_REFUSED(course.context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_parallel_get_worker(parallel, -1, &worker));
    TSNNI_REFUSED(course.context, TSNN_ERROR_STATE, tsnn_parallel_get_log(parallel, NULL, 0, NULL));
    tsnn_dataset_destroy(&narrow);
    tsnn_parallel_destroy(&parallel);
    tsnni_course_free(&course);
    tsnni_course_free(&other);
}
END_TEST

Suite *tsnni_suite_parallel(void)
{
    Suite *suite = suite_create("parallel");
    TCase *learning = tcase_create("learning");
    tcase_set_timeout(learning, 120);
    tcase_add_test(learning, every_mode_learns_and_keeps_its_connections);
    tcase_add_test(learning, phase_one_sees_every_sample_once_an_epoch);
    tcase_add_test(learning, phase_two_shares_out_as_many_mini_batches_as_an_epoch_has);
    tcase_add_test(learning, phase_two_really_trains);
    tcase_add_test(learning, the_network_is_what_a_lone_worker_has);
    tcase_add_test(learning, workers_go_different_ways);
    suite_add_tcase(suite, learning);
    TCase *trainer = tcase_create("against the trainer");
    tcase_add_test(trainer, wassp_is_a_trainer_whose_batch_is_that_of_all_workers);
    tcase_add_test(trainer, wasap_with_one_worker_is_a_trainer);
    tcase_add_test(trainer, decay_counts_every_mini_batch);
    suite_add_tcase(suite, trainer);
    TCase *bits = tcase_create("bits");
    tcase_set_timeout(bits, 120);
    tcase_add_test(bits, in_step_and_apart_give_the_same_bits_every_time);
    tcase_add_test(bits, the_size_of_the_caches_changes_no_bit_of_evolving_networks);
    suite_add_tcase(suite, bits);
    TCase *many = tcase_create("many");
    tcase_set_timeout(many, 120);
    tcase_add_test(many, many_workers_on_few_processors_stay_sound);
    tcase_add_test(many, more_workers_than_mini_batches);
    tcase_add_test(many, small_parts_of_a_mini_batch_and_a_clipped_gradient);
    tcase_add_test(many, pruning_shrinks_the_network_under_the_workers);
    tcase_add_test(many, frozen_layers_stay);
    tcase_add_test(many, what_is_set_between_epochs_reaches_the_workers);
    tcase_add_test(many, a_layer_that_is_thawed_learns_again);
    suite_add_tcase(suite, many);
    TCase *failures = tcase_create("failures");
    tcase_set_timeout(failures, 120);
    tcase_add_test(failures, phase_two_reports_what_its_workers_did);
    tcase_add_test(failures, an_epoch_callback_stops_and_the_next_call_goes_on);
    tcase_add_test(failures, an_epoch_callback_can_neither_run_nor_free_what_is_running);
    tcase_add_test(failures, a_step_callback_stops_every_worker);
    tcase_add_test(failures, an_epoch_callback_that_fails_ends_the_run);
    tcase_add_test(failures, divergence_is_told_and_nobody_hangs);
    tcase_add_test(failures, every_refused_request_for_memory_is_told);
    tcase_add_test(failures, wrong_options_are_refused);
    tcase_add_test(failures, wrong_arguments_are_refused);
    suite_add_tcase(suite, failures);
    return suite;
}
