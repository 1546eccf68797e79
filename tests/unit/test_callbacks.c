/* Callbacks that stop training, and networks that change between steps. */
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "course.h"

#define ALL_RELU                                                                                                       \
    {                                                                                                                  \
        TSNN_ACTIVATION_ALL_RELU, .6                                                                                   \
    }

/* ---- callbacks that stop ---- */

typedef struct loop_stopper {
    int64_t epoch, step; /* where to stop; step 0: after the epoch */
    int32_t answer;
    int64_t steps, epochs, last_epoch;
} loop_stopper;

static int32_t stop_at_step(void *user, const tsnn_step_report *report)
{
    loop_stopper *stopper = user;
    stopper->steps++;
    stopper->last_epoch = report->epoch;
    return report->epoch == stopper->epoch && report->step == stopper->step ? stopper->answer : 0;
}

static int32_t stop_at_epoch(void *user, const tsnn_epoch_report *report)
{
    loop_stopper *stopper = user;
    stopper->epochs++;
    return report->epoch == stopper->epoch && stopper->step == 0 ? stopper->answer : 0;
}

static tsnni_course stoppable_course(loop_stopper *stopper)
{
    tsnni_course course = tsnni_course_small(2, 40, 0.25);
    tsnni_course_add_evolution(&course, 0.3);
    course.options.epochs = 5;
    course.options.batch = 10;
    course.options.on_step = stop_at_step;
    course.options.on_epoch = stop_at_epoch;
    course.options.user = stopper;
    tsnni_course_start(&course);
    return course;
}

/* A failing callback leaves the place as one that stops. */
START_TEST(a_step_callback_stops_and_going_on_takes_the_next_step_with_the_same_bits)
{
    for (int64_t step = 1; step <= 4; step++) /* the last of the epoch is followed by its evolution */
        for (int32_t answer = -1; answer <= 1; answer += 2) {
            loop_stopper stopper = {.epoch = 2, .step = step, .answer = answer}, none = {.epoch = -1};
            tsnni_course stopped = stoppable_course(&stopper), whole = stoppable_course(&none);
            ck_assert_int_eq(tsnn_trainer_run(stopped.trainer, stopped.train, NULL),
                             answer > 0 ? TSNN_STOPPED : TSNN_ERROR_CALLBACK);
            ck_assert_int_eq(stopper.steps, 4 + step);
            ck_assert_int_eq(stopper.last_epoch, 2);
            ck_assert_int_eq(stopper.epochs, 1);
            TSNNI_OK(tsnn_trainer_run(stopped.trainer, stopped.train, NULL));
            ck_assert_int_eq(stopper.steps, 5 * 4);
            ck_assert_int_eq(stopper.epochs, 5);
            TSNNI_OK(tsnn_trainer_run(whole.trainer, whole.train, NULL));
            tsnni_test_bytes a = tsnni_course_bytes(stopped.network), b = tsnni_course_bytes(whole.network);
            ck_assert(tsnni_test_bytes_equal(&a, &b));
            tsnni_test_bytes_free(&a);
            tsnni_test_bytes_free(&b);
            tsnni_course_free(&stopped);
            tsnni_course_free(&whole);
        }
}
END_TEST

START_TEST(an_epoch_that_was_left_goes_on_only_with_as_many_samples)
{
    loop_stopper stopper = {.epoch = 2, .step = 3, .answer = 1};
    tsnni_course course = stoppable_course(&stopper);
    tsnn_dataset *fewer = tsnni_test_labelled(course.context, 30, 12, 4, 1);
    ck_assert_int_eq(tsnn_trainer_run(course.trainer, course.train, NULL), TSNN_STOPPED);
    TSNNI_REFUSED(course.context, TSNN_ERROR_STATE, tsnn_trainer_run(course.trainer, fewer, NULL));
    tsnni_test_expect_text(course.context, "left after 3 steps of 10 of 40 samples; this is 10 of 30");
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, NULL));
    tsnn_dataset_destroy(&fewer);
    tsnni_course_free(&course);
}
END_TEST

START_TEST(an_epoch_callback_stops_and_going_on_gives_the_same_bits)
{
    loop_stopper stopper = {.epoch = 2, .answer = 7}, none = {.epoch = -1};
    tsnni_course stopped = stoppable_course(&stopper), whole = stoppable_course(&none);
    ck_assert_int_eq(tsnn_trainer_run(stopped.trainer, stopped.train, NULL), TSNN_STOPPED);
    ck_assert_int_eq(stopper.epochs, 2);
    ck_assert_int_eq(stopper.steps, 8);
    TSNNI_OK(tsnn_trainer_run(stopped.trainer, stopped.train, NULL));
    TSNNI_OK(tsnn_trainer_run(whole.trainer, whole.train, NULL));
    ck_assert_int_eq(stopper.epochs, 5);
    tsnni_test_bytes a = tsnni_course_bytes(stopped.network), b = tsnni_course_bytes(whole.network);
    ck_assert(tsnni_test_bytes_equal(&a, &b));
    tsnni_test_bytes_free(&a);
    tsnni_test_bytes_free(&b);
    tsnni_course_free(&stopped);
    tsnni_course_free(&whole);
}
END_TEST

START_TEST(stopping_in_the_last_epoch_leaves_nothing_to_do)
{
    loop_stopper stopper = {.epoch = 5, .answer = 1};
    tsnni_course course = stoppable_course(&stopper);
    ck_assert_int_eq(tsnn_trainer_run(course.trainer, course.train, NULL), TSNN_STOPPED);
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, NULL));
    ck_assert_int_eq(stopper.steps, 20);
    tsnni_course_free(&course);
}
END_TEST

START_TEST(a_failing_callback_fails_the_call)
{
    for (int64_t step = 0; step < 2; step++) {
        loop_stopper stopper = {.epoch = 2, .step = step, .answer = -5};
        tsnni_course course = stoppable_course(&stopper);
        TSNNI_REFUSED(course.context, TSNN_ERROR_CALLBACK, tsnn_trainer_run(course.trainer, course.train, NULL));
        ck_assert_int_eq(stopper.steps, step == 0 ? 8 : 5);
        tsnni_course_free(&course);
    }
}
END_TEST

/* ---- what a callback may call ---- */

typedef struct caller {
    tsnni_course *course;
    int64_t calls;
} caller;

static void try_everything(caller *own)
{
    tsnni_course *course = own->course;
    tsnn_trainer *same = course->trainer;
    tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
    TSNNI_REFUSED(course->context, TSNN_ERROR_STATE, tsnn_trainer_run(course->trainer, course->train, NULL));
    tsnni_test_expect_text(course->context, "tsnn_trainer_run: the trainer is running");
    TSNNI_REFUSED(course->context, TSNN_ERROR_STATE, tsnn_trainer_resume(course->trainer, "none", NULL));
    TSNNI_REFUSED(course->context, TSNN_ERROR_STATE, tsnn_trainer_resume_memory(course->trainer, "", 1, NULL));
    tsnn_trainer_destroy(&same);
    ck_assert_ptr_eq(same, course->trainer);
    TSNNI_OK(tsnn_network_evaluate(course->network, course->loss, course->train, &evaluation));
    own->calls++;
}

static int32_t call_after_step(void *user, const tsnn_step_report *report)
{
    (void)report;
    try_everything(user);
    return 0;
}

static int32_t call_after_epoch(void *user, const tsnn_epoch_report *report)
{
    (void)report;
    try_everything(user);
    return 0;
}

static tsnni_test_bytes trained_with(tsnn_step_callback on_step, tsnn_epoch_callback on_epoch, caller *own)
{
    tsnni_course course = tsnni_course_small(2, 40, 0.25);
    tsnni_course_add_evolution(&course, 0.3);
    own->course = &course;
    course.options.epochs = 3;
    course.options.batch = 10;
    course.options.on_step = on_step;
    course.options.on_epoch = on_epoch;
    course.options.user = own;
    tsnni_course_start(&course);
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, NULL));
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, NULL)); /* no longer running */
    TSNNI_OK(tsnn_trainer_step(course.trainer, course.train, NULL, 10, 1.0, NULL));
    tsnni_test_bytes bytes = tsnni_course_bytes(course.network);
    tsnni_course_free(&course);
    return bytes;
}

START_TEST(a_running_trainer_cannot_be_run_resumed_or_freed_by_its_callbacks)
{
    caller own = {0}, quiet = {0};
    tsnni_test_bytes called = trained_with(call_after_step, call_after_epoch, &own);
    tsnni_test_bytes plain = trained_with(NULL, NULL, &quiet);
    ck_assert_int_eq(own.calls, 3 * 4 + 3);
    ck_assert(tsnni_test_bytes_equal(&called, &plain));
    tsnni_test_bytes_free(&called);
    tsnni_test_bytes_free(&plain);
}
END_TEST

static int32_t step_after_step(void *user, const tsnn_step_report *report)
{
    static const int64_t hard[] = {7, 3, 11};
    caller *own = user;
    (void)report;
    own->calls++;
    TSNNI_OK(tsnn_trainer_step(own->course->trainer, own->course->train, hard, 3, 0.5, NULL));
    return 0;
}

START_TEST(a_callback_may_take_steps_of_its_own)
{
    caller own = {0}, again = {0}, quiet = {0};
    tsnni_test_bytes stepped = trained_with(step_after_step, NULL, &own);
    tsnni_test_bytes repeated = trained_with(step_after_step, NULL, &again);
    tsnni_test_bytes plain = trained_with(NULL, NULL, &quiet);
    ck_assert_int_eq(own.calls, 3 * 4);
    ck_assert(tsnni_test_bytes_equal(&stepped, &repeated));
    ck_assert(!tsnni_test_bytes_equal(&stepped, &plain));
    tsnni_test_bytes_free(&stepped);
    tsnni_test_bytes_free(&repeated);
    tsnni_test_bytes_free(&plain);
}
END_TEST

/* ---- the network changes between steps ---- */

static int32_t thaw_and_evolve(void *user, const tsnn_step_report *report)
{
    tsnni_course *course = user;
    TSNNI_OK(tsnn_layer_freeze(tsnni_test_layer_of(course->network, 1), report->step % 2 == 0));
    if (course->evolution != NULL)
        TSNNI_OK(tsnn_evolution_apply(course->evolution, course->network, 100 + report->step, NULL));
    return 0;
}

START_TEST(a_callback_may_freeze_thaw_and_evolve_layers)
{
    for (int variant = 0; variant < 4; variant++) {
        tsnni_course course = tsnni_course_small(2, 60, 0.25);
        TSNNI_OK(tsnn_layer_freeze(tsnni_test_layer_of(course.network, 1), 1)); /* no momentum yet */
        if (variant & 1)
            course.options.clip_norm = 0.5;
        if (variant & 2)
            tsnni_course_add_evolution(&course, 0.3);
        course.options.epochs = 2;
        course.options.batch = 10;
        course.options.on_step = thaw_and_evolve;
        course.options.user = &course;
        tsnni_course_start(&course);
        TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, NULL));
        tsnni_course_free(&course);
    }
}
END_TEST

START_TEST(a_layer_thawed_by_a_callback_has_momentum_at_once)
{
    tsnni_course course = tsnni_course_small(2, 60, 0.0);
    TSNNI_OK(tsnn_layer_freeze(tsnni_test_layer_of(course.network, 1), 1));
    course.options.epochs = 1;
    course.options.batch = 20;
    course.options.on_step = thaw_and_evolve; /* thaws after the first step and the third */
    course.options.user = &course;
    tsnni_course_start(&course);
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, NULL));
    float velocity[300], sum = 0.0f;
    int64_t count = tsnni_test_layer_size(tsnni_test_layer_of(course.network, 1)).connections;
    TSNNI_OK(tsnn_layer_get_velocity(tsnni_test_layer_of(course.network, 1), velocity, 300, NULL, 0));
    for (int64_t k = 0; k < count; k++)
        sum += fabsf(velocity[k]);
    ck_assert_float_gt(sum, 0.0f);
    tsnni_course_free(&course);
}
END_TEST

START_TEST(a_layer_appended_between_steps_is_trained)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    static const int64_t sizes[] = {12, 20, 30};
    static const tsnni_test_function functions[] = {ALL_RELU, ALL_RELU};
    tsnn_network *network = tsnni_test_network(context, 2, sizes, functions, 0.5, 0.0);
    tsnn_layer *late = tsnni_test_layer(context, 30, 500, 0.5); /* made before the first step */
    tsnn_dataset *dataset = tsnni_test_targeted(context, 20, 12, 30, 0, 1);
    tsnni_course course = tsnni_course_create(context, network, dataset, TSNN_LOSS_MEAN_SQUARED_ERROR, 0.01);
    tsnni_course_start(&course);
    TSNNI_OK(tsnn_trainer_step(course.trainer, dataset, NULL, 20, 1.0, NULL));
    TSNNI_OK(tsnn_network_append(network, &late, NULL, 0.0));
    TSNNI_REFUSED(context, TSNN_ERROR_SHAPE, tsnn_trainer_step(course.trainer, dataset, NULL, 20, 1.0, NULL));
    tsnn_dataset *fitting = tsnni_test_targeted(context, 20, 12, 500, 0, 1);
    tsnni_test_bytes before = {0}, after = {0};
    tsnni_test_bytes_add_layer(&before, tsnni_test_layer_of(network, 2));
    TSNNI_OK(tsnn_trainer_step(course.trainer, fitting, NULL, 20, 1.0, NULL));
    tsnni_test_bytes_add_layer(&after, tsnni_test_layer_of(network, 2));
    ck_assert(!tsnni_test_bytes_equal(&before, &after));
    tsnni_test_bytes_free(&before);
    tsnni_test_bytes_free(&after);
    tsnn_dataset_destroy(&fitting);
    tsnni_course_free(&course);
}
END_TEST

static int32_t append_wide_layer(void *user, const tsnn_step_report *report)
{
    tsnni_course *course = user;
    if (report->step != 1)
        return 0;
    tsnn_layer_options options = TSNN_LAYER_OPTIONS_INIT;
    options.inputs = 4;
    options.outputs = 3; /* fewer than the classes of the data */
    tsnn_layer *layer = NULL;
    tsnn_activation *softmax = NULL;
    tsnn_activation_options kind = TSNN_ACTIVATION_OPTIONS_INIT;
    kind.kind = TSNN_ACTIVATION_SOFTMAX;
    TSNNI_OK(tsnn_layer_create(course->context, &options, &layer));
    TSNNI_OK(tsnn_activation_create(course->context, &kind, &softmax));
    TSNNI_OK(tsnn_network_append(course->network, &layer, softmax, 0.0));
    tsnn_activation_destroy(&softmax);
    return 0;
}

START_TEST(a_layer_appended_by_a_callback_that_the_data_do_not_fit_stops_training)
{
    tsnni_course course = tsnni_course_small(2, 40, 0.0);
    course.options.batch = 10;
    course.options.on_step = append_wide_layer;
    course.options.user = &course;
    tsnni_course_start(&course);
    ck_assert_int_eq(tsnn_trainer_run(course.trainer, course.train, NULL), TSNN_ERROR_SHAPE);
    tsnni_course_free(&course);
}
END_TEST

START_TEST(pruning_and_evolving_between_steps_is_noticed)
{
    for (int clip = 0; clip < 2; clip++) {
        tsnni_course course = tsnni_course_small(2, 60, 0.25);
        tsnni_course_add_evolution(&course, 0.3);
        tsnni_course_add_pruning(&course, 30.0, 1, 1);
        course.options.clip_norm = clip ? 0.5 : 0.0;
        tsnni_course_start(&course);
        for (int round = 0; round < 4; round++) {
            TSNNI_OK(tsnn_trainer_step(course.trainer, course.train, NULL, 60, 1.0, NULL));
            TSNNI_OK(tsnn_evolution_apply(course.evolution, course.network, round, NULL));
            TSNNI_OK(tsnn_trainer_step(course.trainer, course.train, NULL, 60, 1.0, NULL));
            TSNNI_OK(tsnn_pruning_apply(course.pruning, course.network, NULL));
        }
        TSNNI_OK(tsnn_trainer_step(course.trainer, course.train, NULL, 60, 1.0, NULL));
        tsnni_course_free(&course);
    }
}
END_TEST

Suite *tsnni_suite_callbacks(void)
{
    Suite *suite = suite_create("callbacks");
    TCase *tcase = tcase_create("callbacks");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_step_callback_stops_and_going_on_takes_the_next_step_with_the_same_bits);
    tcase_add_test(tcase, an_epoch_that_was_left_goes_on_only_with_as_many_samples);
    tcase_add_test(tcase, an_epoch_callback_stops_and_going_on_gives_the_same_bits);
    tcase_add_test(tcase, stopping_in_the_last_epoch_leaves_nothing_to_do);
    tcase_add_test(tcase, a_failing_callback_fails_the_call);
    tcase_add_test(tcase, a_running_trainer_cannot_be_run_resumed_or_freed_by_its_callbacks);
    tcase_add_test(tcase, a_callback_may_take_steps_of_its_own);
    tcase_add_test(tcase, a_callback_may_freeze_thaw_and_evolve_layers);
    tcase_add_test(tcase, a_layer_thawed_by_a_callback_has_momentum_at_once);
    tcase_add_test(tcase, a_layer_appended_between_steps_is_trained);
    tcase_add_test(tcase, a_layer_appended_by_a_callback_that_the_data_do_not_fit_stops_training);
    tcase_add_test(tcase, pruning_and_evolving_between_steps_is_noticed);
    suite_add_tcase(suite, tcase);
    return suite;
}
