/* Checkpoints: training that is interrupted anywhere and resumed ends with the bits of training that never was. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* memmem */
#endif

#include "suites.h"

#include <stdlib.h>
#include <string.h>

#include "course.h"
#include "model_support.h"

#if TSNN_MODEL_FILES

/* Everything on: evolution, pruning, dropout, momentum, a schedule, clipping and micro-batches. */
static tsnni_course rich_course(int32_t isa, int32_t threads, uint64_t seed)
{
    static const int64_t sizes[] = {12, 40, 30, 4};
    static const tsnni_test_function functions[] = {
        {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_SOFTMAX, 0}};
    static tsnn_schedule_options schedule = TSNN_SCHEDULE_OPTIONS_INIT;
    tsnn_context *context = tsnni_test_context(isa, threads, seed);
    tsnn_network *network = tsnni_test_network(context, 3, sizes, functions, .3, .25);
    tsnni_course course =
        tsnni_course_create(context, network, tsnni_test_labelled(context, 50, 12, 4, 5), TSNN_LOSS_CROSS_ENTROPY, .05);
    tsnni_course_add_evolution(&course, .3);
    tsnni_course_add_pruning(&course, 10, 2, 2);
    schedule.kind = TSNN_SCHEDULE_COSINE;
    schedule.warmup_epochs = 1;
    course.options.schedule = &schedule;
    course.options.epochs = 6;
    course.options.batch = 16;
    course.options.micro_batch = 7;
    course.options.clip_norm = .5;
    return course;
}

/* Saves at step or epoch number `at` of the run and, when told so, stops there. */
typedef struct interruption {
    tsnni_course *course;
    int64_t at, seen;
    int32_t in_step, stop, save_later;
    tsnni_test_bytes saved;
    double train_loss, train_accuracy, learning_rate; /* of the last epoch reported */
} interruption;

static int32_t reached(interruption *given)
{
    if (++given->seen != given->at)
        return 0;
    if (!given->save_later)
        given->saved = tsnni_test_saved_trainer(given->course->trainer);
    return given->stop;
}

static int32_t on_step(void *user, const tsnn_step_report *report)
{
    (void)report;
    interruption *given = user;
    return given->in_step ? reached(given) : 0;
}

static int32_t on_epoch(void *user, const tsnn_epoch_report *report)
{
    interruption *given = user;
    given->train_loss = report->train_loss;
    given->train_accuracy = report->train_accuracy;
    given->learning_rate = report->learning_rate;
    return given->in_step ? 0 : reached(given);
}

static void start(tsnni_course *course, interruption *given)
{
    given->course = course;
    course->options.on_step = on_step;
    course->options.on_epoch = on_epoch;
    course->options.user = given;
    tsnni_course_start(course);
}

static tsnni_test_bytes finish(tsnni_course *course, const interruption *given)
{
    TSNNI_OK(tsnn_trainer_run(course->trainer, course->train, NULL));
    tsnni_test_bytes bytes = tsnni_course_bytes(course->network), saved = tsnni_test_saved_trainer(course->trainer);
    tsnni_test_bytes_add(&bytes, saved.data, saved.size); /* counters too */
    tsnni_test_bytes_add(&bytes, &given->train_loss, sizeof given->train_loss);
    tsnni_test_bytes_add(&bytes, &given->train_accuracy, sizeof given->train_accuracy);
    tsnni_test_bytes_add(&bytes, &given->learning_rate, sizeof given->learning_rate);
    tsnni_test_bytes_free(&saved);
    tsnni_course_free(course);
    return bytes;
}

static tsnni_test_bytes uninterrupted(int32_t isa)
{
    interruption none = {0};
    tsnni_course course = rich_course(isa, 1, 5);
    start(&course, &none);
    return finish(&course, &none);
}

/* Trains until `at` steps or epochs, throws everything away, and goes on in a new context with other thread count. */
static tsnni_test_bytes resumed(int32_t isa, int32_t in_step, int64_t at, int32_t save_later)
{
    interruption first = {.at = at, .in_step = in_step, .stop = 1, .save_later = save_later}, second = {0};
    tsnni_course course = rich_course(isa, 2, 5);
    start(&course, &first);
    ck_assert_int_eq(tsnn_trainer_run(course.trainer, course.train, NULL), TSNN_STOPPED);
    if (save_later)
        first.saved = tsnni_test_saved_trainer(course.trainer);
    tsnni_course_free(&course);

    course = rich_course(isa, 1, 5);
    start(&course, &second);
    TSNNI_OK(tsnn_trainer_resume_memory(course.trainer, first.saved.data, (int64_t)first.saved.size, NULL));
    tsnni_test_bytes_free(&first.saved);
    return finish(&course, &second);
}

START_TEST(a_run_resumed_after_any_epoch_ends_with_the_same_bits)
{
    for (int32_t isa = TSNN_ISA_REF; isa <= TSNNI_ISA_COUNT; isa++) {
        tsnn_context *there = tsnni_test_context(isa, 1, 0);
        if (there == NULL)
            continue;
        tsnn_context_destroy(&there);
        tsnni_test_bytes expected = uninterrupted(isa);
        for (int64_t epoch = 1; epoch < 6; epoch++) {
            tsnni_test_bytes actual = resumed(isa, 0, epoch, 0);
            ck_assert_msg(tsnni_test_bytes_equal(&expected, &actual), "resumed after epoch %d: other bits", (int)epoch);
            tsnni_test_bytes_free(&actual);
        }
        tsnni_test_bytes_free(&expected);
    }
}
END_TEST

/* Saved by the callback, or once the run that it stopped has returned. */
START_TEST(a_run_resumed_after_any_step_ends_with_the_same_bits)
{
    tsnni_test_bytes expected = uninterrupted(TSNN_ISA_AUTO);
    for (int64_t step = 1; step <= 24; step++) /* four an epoch */
        for (int32_t later = 0; later < 2; later++) {
            tsnni_test_bytes actual = resumed(TSNN_ISA_AUTO, 1, step, later);
            ck_assert_msg(tsnni_test_bytes_equal(&expected, &actual), "resumed after step %d%s: other bits", (int)step,
                          later ? ", saved later" : "");
            tsnni_test_bytes_free(&actual);
        }
    tsnni_test_bytes_free(&expected);
}
END_TEST

/* The trainer that resumes need not be told: its network becomes the saved one, bf16 and all. */
START_TEST(training_with_bf16_goes_on_with_bf16)
{
    interruption first = {.at = 6, .in_step = 1, .stop = 1}, second = {0};
    tsnni_course course = rich_course(TSNN_ISA_AUTO, 1, 5);
    TSNNI_OK(tsnn_network_set_activation_format(course.network, TSNN_ACTIVATIONS_BF16));
    start(&course, &second);
    tsnni_test_bytes expected = finish(&course, &second);

    course = rich_course(TSNN_ISA_AUTO, 1, 5);
    TSNNI_OK(tsnn_network_set_activation_format(course.network, TSNN_ACTIVATIONS_BF16));
    start(&course, &first);
    ck_assert_int_eq(tsnn_trainer_run(course.trainer, course.train, NULL), TSNN_STOPPED);
    tsnni_course_free(&course);

    course = rich_course(TSNN_ISA_AUTO, 1, 5);
    second = (interruption){0};
    start(&course, &second);
    TSNNI_OK(tsnn_trainer_resume_memory(course.trainer, first.saved.data, (int64_t)first.saved.size, NULL));
    tsnni_test_bytes actual = finish(&course, &second), floats = uninterrupted(TSNN_ISA_AUTO);
    ck_assert(tsnni_test_bytes_equal(&expected, &actual));
    ck_assert(!tsnni_test_bytes_equal(&floats, &actual));

    /* A file of before there was the key: the network stays as it was set. */
    static const char key[] = "\"tsnn.bf16\"";
    unsigned char *at = memmem(first.saved.data, first.saved.size, key, strlen(key));
    ck_assert_ptr_nonnull(at);
    at[1] = 'T';
    course = rich_course(TSNN_ISA_AUTO, 1, 5);
    TSNNI_OK(tsnn_network_set_activation_format(course.network, TSNN_ACTIVATIONS_BF16));
    tsnni_course_start(&course);
    TSNNI_OK(tsnn_trainer_resume_memory(course.trainer, first.saved.data, (int64_t)first.saved.size, NULL));
    ck_assert_int_eq(tsnni_test_network_size(course.network).activation_format, TSNN_ACTIVATIONS_BF16);
    tsnni_course_free(&course);
    tsnni_test_bytes_free(&first.saved);
    tsnni_test_bytes_free(&expected);
    tsnni_test_bytes_free(&actual);
    tsnni_test_bytes_free(&floats);
}
END_TEST

/* The trainer is as it was when it was saved as `before`, whose memory ends here. */
static void expect_trainer(const tsnni_course *course, tsnni_test_bytes *before)
{
    tsnni_test_bytes after = tsnni_test_saved_trainer(course->trainer);
    ck_assert(tsnni_test_bytes_equal(before, &after));
    tsnni_test_bytes_free(&after);
    tsnni_test_bytes_free(before);
}

START_TEST(what_does_not_fit_is_refused_and_changes_nothing)
{
    interruption first = {.at = 2, .in_step = 1, .stop = 1};
    tsnni_course course = rich_course(TSNN_ISA_AUTO, 1, 5);
    start(&course, &first);
    ck_assert_int_eq(tsnn_trainer_run(course.trainer, course.train, NULL), TSNN_STOPPED);
    tsnni_test_bytes alone = tsnni_test_saved(course.network, NULL), before = tsnni_test_saved_trainer(course.trainer);
    const int64_t size = (int64_t)first.saved.size;

    TSNNI_REFUSED(course.context, TSNN_ERROR_STATE,
                  tsnn_trainer_resume_memory(course.trainer, alone.data, (int64_t)alone.size, NULL));
    tsnni_test_expect_text(course.context, "no training to resume");
    TSNNI_REFUSED(course.context, TSNN_ERROR_FORMAT,
                  tsnn_trainer_resume_memory(course.trainer, first.saved.data, size - 1, NULL));
    TSNNI_REFUSED(course.context, TSNN_ERROR_IO, tsnn_trainer_resume(course.trainer, "/no/such/file", NULL));
    TSNNI_REFUSED(course.context, TSNN_ERROR_NULL_ARGUMENT, tsnn_trainer_resume(course.trainer, NULL, NULL));
    TSNNI_REFUSED(course.context, TSNN_ERROR_NULL_ARGUMENT, tsnn_trainer_save(course.trainer, NULL, NULL));
    ck_assert_int_eq(tsnn_trainer_resume(NULL, "x", NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_trainer_resume_memory(NULL, "x", 1, NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_trainer_save(NULL, NULL, "x"), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_trainer_save_memory(NULL, NULL, NULL, 0, NULL), TSNN_ERROR_NULL_ARGUMENT);
    expect_trainer(&course, &before);
    tsnni_course_free(&course);

    course = rich_course(TSNN_ISA_AUTO, 1, 6);
    tsnni_course_start(&course);
    TSNNI_REFUSED(course.context, TSNN_ERROR_STATE,
                  tsnn_trainer_resume_memory(course.trainer, first.saved.data, size, NULL));
    tsnni_test_expect_text(course.context, "trained with seed 5; this context has 6");
    tsnni_course_free(&course);

    course = rich_course(TSNN_ISA_AUTO, 1, 5); /* in the middle of an epoch the batch has to be the same */
    course.options.batch = 10;
    tsnni_course_start(&course);
    before = tsnni_test_saved_trainer(course.trainer);
    TSNNI_REFUSED(course.context, TSNN_ERROR_STATE,
                  tsnn_trainer_resume_memory(course.trainer, first.saved.data, size, NULL));
    tsnni_test_expect_text(course.context,
                           "after 2 steps of 16 samples; the trainer's batch is 10: create it with batch = 16");
    expect_trainer(&course, &before);
    tsnni_course_free(&course);

    course = rich_course(TSNN_ISA_AUTO, 1, 5); /* and the data set too, which only the run can tell */
    tsnni_course_start(&course);
    tsnn_dataset *other_data = tsnni_test_labelled(course.context, 60, 12, 4, 5);
    TSNNI_OK(tsnn_trainer_resume_memory(course.trainer, first.saved.data, size, NULL));
    TSNNI_REFUSED(course.context, TSNN_ERROR_STATE, tsnn_trainer_run(course.trainer, other_data, NULL));
    tsnni_test_expect_text(course.context, "after 2 steps of 16 of 50 samples; this is 16 of 60");
    tsnn_dataset_destroy(&other_data);
    tsnni_course_free(&course);

    tsnn_loss *squared = NULL; /* a loss that does not fit what was saved */
    course = rich_course(TSNN_ISA_AUTO, 1, 5);
    tsnni_course_start(&course);
    tsnn_context *context = course.context;
    static const int64_t sizes[] = {12, 4};
    static const tsnni_test_function functions[] = {{TSNN_ACTIVATION_SIGMOID, 0}};
    tsnn_network *network = tsnni_test_network(context, 1, sizes, functions, .5, 0);
    tsnn_trainer_options options = TSNN_TRAINER_OPTIONS_INIT;
    squared = tsnni_test_loss(context, TSNN_LOSS_BINARY_CROSS_ENTROPY, 0);
    options.network = network;
    options.loss = squared;
    options.optimizer = course.optimizer;
    tsnn_trainer *trainer = NULL;
    TSNNI_OK(tsnn_trainer_create(context, &options, &trainer));
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT,
                  tsnn_trainer_resume_memory(trainer, first.saved.data, size, NULL));
    ck_assert_int_eq(tsnni_test_network_size(network).layers, 1);
    tsnn_trainer_destroy(&trainer);
    tsnn_network_destroy(&network);
    tsnn_loss_destroy(&squared);
    tsnni_course_free(&course);
    tsnni_test_bytes_free(&first.saved);
    tsnni_test_bytes_free(&alone);
}
END_TEST

/* Pruning changes what is between inputs and outputs, never these: other numbers are another model's. */
START_TEST(the_checkpoint_of_another_model_is_refused)
{
    static const int64_t others[][4] = {{11, 40, 30, 4}, {12, 40, 30, 5}};
    static const tsnni_test_function functions[] = {
        {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_SOFTMAX, 0}};
    interruption first = {.at = 4, .stop = 1}; /* pruned by then */
    tsnni_course course = rich_course(TSNN_ISA_AUTO, 1, 5);
    start(&course, &first);
    ck_assert_int_eq(tsnn_trainer_run(course.trainer, course.train, NULL), TSNN_STOPPED);
    tsnni_course_free(&course);
    for (int k = 0; k < 2; k++) {
        course = rich_course(TSNN_ISA_AUTO, 1, 5);
        tsnn_network_destroy(&course.network);
        course.network = course.options.network = tsnni_test_network(course.context, 3, others[k], functions, .3, .25);
        tsnni_course_start(&course);
        tsnni_test_bytes before = tsnni_test_saved_trainer(course.trainer);
        TSNNI_REFUSED(course.context, TSNN_ERROR_SHAPE,
                      tsnn_trainer_resume_memory(course.trainer, first.saved.data, (int64_t)first.saved.size, NULL));
        tsnni_test_expect_text(course.context, k == 0 ? "has 12 inputs and 4 outputs, the trainer's has 11 and 4"
                                                      : "has 12 inputs and 4 outputs, the trainer's has 12 and 5");
        expect_trainer(&course, &before);
        tsnni_course_free(&course);
    }
    tsnni_test_bytes_free(&first.saved);
}
END_TEST

/* A trainer's file is a model file: the network can be taken out alone. */
START_TEST(a_checkpoint_is_a_model_file)
{
    tsnni_course course = rich_course(TSNN_ISA_AUTO, 1, 5);
    tsnni_course_start(&course);
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, NULL));
    tsnni_test_bytes saved = tsnni_test_saved_trainer(course.trainer);
    tsnn_network *loaded = NULL;
    TSNNI_OK(tsnn_network_load_memory(course.context, saved.data, (int64_t)saved.size, NULL, &loaded));
    tsnni_test_bytes one = tsnni_course_bytes(course.network), other = tsnni_course_bytes(loaded);
    ck_assert(tsnni_test_bytes_equal(&one, &other));
    tsnni_test_bytes_free(&one);
    tsnni_test_bytes_free(&other);
    tsnni_test_bytes_free(&saved);
    tsnn_network_destroy(&loaded);
    tsnni_course_free(&course);
}
END_TEST

#endif

Suite *tsnni_suite_resume(void)
{
    Suite *suite = suite_create("resume");
    TCase *tcase = tcase_create("resume");
    tcase_set_timeout(tcase, 60);
#if TSNN_MODEL_FILES
    tcase_add_test(tcase, a_run_resumed_after_any_epoch_ends_with_the_same_bits);
    tcase_add_test(tcase, a_run_resumed_after_any_step_ends_with_the_same_bits);
    tcase_add_test(tcase, training_with_bf16_goes_on_with_bf16);
    tcase_add_test(tcase, what_does_not_fit_is_refused_and_changes_nothing);
    tcase_add_test(tcase, the_checkpoint_of_another_model_is_refused);
    tcase_add_test(tcase, a_checkpoint_is_a_model_file);
#endif
    suite_add_tcase(suite, tcase);
    return suite;
}
