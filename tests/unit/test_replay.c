/* The log of WASAP and its replay, by threads and by workers that take turns; runs that are stopped and go on. */
#include "suites.h"

#include <stdlib.h>
#include <string.h>

#include "core/parallel.h"
#include "course.h"
#include "epoch.h"
#include "gradient.h"
#include "parallel.h"

enum { EPOCHS = 4, EXCHANGES = 12, DATA = 120, BATCH = 10 };

/* What a run is made of. */
typedef struct scene {
    int32_t workers, pruned;
    int32_t in_turn; /* 1: on one thread */
    int64_t batch;   /* 0: BATCH */
    double phase_split;
    int64_t stop_epoch; /* 0: never */
    int32_t keep_log;
    const tsnn_parallel_commit *replay;
    int64_t replay_count;
} scene;

/* A run, for as long as its object is looked at. */
typedef struct session {
    tsnni_course course;
    tsnn_parallel *parallel;
    tsnn_status status;
    int64_t stop_epoch, batch;
} session;

static int32_t on_epoch(void *user, const tsnn_epoch_report *report)
{
    return report->epoch == ((session *)user)->stop_epoch;
}

/* Dropout, evolution, and if asked for pruning: everything that draws random numbers. */
static tsnn_status session_try(session *own, const scene *like, tsnni_course course)
{
    *own = (session){.course = course, .stop_epoch = like->stop_epoch};
    own->batch = like->batch > 0 ? like->batch : BATCH;
    tsnni_course_add_evolution(&own->course, 0.3);
    if (like->pruned)
        tsnni_course_add_pruning(&own->course, 20, 1, 2);
    tsnn_parallel_options options = TSNN_PARALLEL_OPTIONS_INIT;
    options.workers = like->workers;
    options.network = own->course.network;
    options.loss = own->course.loss;
    options.optimizer = own->course.optimizer;
    options.evolution = own->course.evolution;
    options.pruning = own->course.pruning;
    options.epochs = EPOCHS;
    options.batch = own->batch;
    options.phase_split = like->phase_split;
    options.local_multiple = 1.0;
    options.keep_log = like->keep_log;
    options.replay = like->replay;
    options.replay_count = like->replay_count;
    options.on_epoch = on_epoch;
    options.user = own;
    return tsnn_parallel_create(own->course.context, &options, &own->parallel);
}

static void session_create(session *own, const scene *like)
{
    TSNNI_OK(session_try(own, like, tsnni_course_small(9, DATA, 0.2)));
}

static void session_free(session *own)
{
    tsnn_parallel_destroy(&own->parallel);
    tsnni_course_free(&own->course);
}

static void run_as_first(void *argument, int32_t number)
{
    session *own = argument;
    if (number == 0)
        own->status = tsnn_parallel_run(own->parallel, own->course.train, NULL);
}

/* Inside a parallel region there are no more threads to be had: the workers take turns. */
static tsnn_status session_run(session *own, int32_t in_turn)
{
    tsnn_parallel_info info = TSNN_PARALLEL_INFO_INIT;
    if (!in_turn || !tsnni_parallel_workers(2, run_as_first, own))
        run_as_first(own, 0);
    TSNNI_OK(tsnn_parallel_get_info(own->parallel, &info));
    ck_assert(own->status < 0 || !in_turn || !info.concurrent);
    if (own->status == TSNN_OK) /* no exchange is left out */
        ck_assert_int_eq(info.exchanges, info.phase_one_epochs * (DATA / own->batch));
    return own->status;
}

static tsnn_parallel_commit *log_of(const session *own, int64_t *count)
{
    TSNNI_OK(tsnn_parallel_get_log(own->parallel, NULL, 0, count));
    tsnn_parallel_commit *log = tsnni_test_array(*count + 1, sizeof *log);
    TSNNI_OK(tsnn_parallel_get_log(own->parallel, log, *count, NULL));
    return log;
}

/* Runs to the end, going on after a stop. */
static tsnni_test_bytes bytes_of_run(const scene *like, tsnn_parallel_commit **log, int64_t *count)
{
    session own;
    session_create(&own, like);
    if (like->stop_epoch > 0)
        ck_assert_int_eq(session_run(&own, like->in_turn), TSNN_STOPPED);
    TSNNI_OK(session_run(&own, like->in_turn));
    if (log != NULL)
        *log = log_of(&own, count);
    tsnni_test_bytes bytes = tsnni_course_bytes(own.course.network);
    session_free(&own);
    return bytes;
}

static void expect_bits(const scene *like, const tsnni_test_bytes *bytes)
{
    tsnni_test_bytes other = bytes_of_run(like, NULL, NULL);
    ck_assert(tsnni_test_bytes_equal(&other, bytes));
    tsnni_test_bytes_free(&other);
}

/* ---- the same bits ---- */

START_TEST(a_replay_gives_the_same_bits_ten_times_of_ten)
{
    for (int32_t workers = 2; workers <= 20; workers += 3) {
        scene own = {.workers = workers, .pruned = workers % 2, .keep_log = 1};
        tsnn_parallel_commit *log;
        int64_t count;
        tsnni_test_bytes bytes = bytes_of_run(&own, &log, &count);
        ck_assert_int_eq(count, 3 * EXCHANGES); /* .7 of 4 epochs */
        own.keep_log = 0;
        own.replay = log;
        own.replay_count = count;
        for (int n = 0; n < 10; n++) {
            own.in_turn = n % 2;
            expect_bits(&own, &bytes);
        }
        tsnni_test_bytes_free(&bytes);
        free(log);
    }
}
END_TEST

/* The log of a run in which the last of three workers hands nothing in until the second epoch is half over. */
static void write_late_log(tsnn_parallel_commit *log, int64_t total)
{
    int64_t next[] = {0, 1, 2}, snapshot[] = {0, 0, 0};
    for (int64_t n = 0; n < total; n++) {
        int64_t worker = n % 2;
        if (n == EXCHANGES + EXCHANGES / 2 || n == 3 * EXCHANGES - 1)
            worker = 2;
        for (int tries = 0; next[worker] >= total && tries < 3; tries++)
            worker = (worker + 1) % 3;
        log[n] = (tsnn_parallel_commit){worker, next[worker], snapshot[worker]};
        next[worker] = n + 3;
        snapshot[worker] = n + 1;
    }
}

START_TEST(workers_that_take_turns_follow_a_log_as_threads_do)
{
    enum { TOTAL = EPOCHS * EXCHANGES };
    tsnn_parallel_commit log[TOTAL];
    write_late_log(log, TOTAL);
    for (int32_t pruned = 0; pruned < 2; pruned++) {
        scene own = {
            .workers = 3, .pruned = pruned, .phase_split = 1.0, .replay = log, .replay_count = TOTAL, .keep_log = 1};
        tsnn_parallel_commit *kept;
        int64_t count;
        tsnni_test_bytes bytes = bytes_of_run(&own, &kept, &count);
        ck_assert_int_eq(count, TOTAL);
        for (int64_t n = 0; n < TOTAL; n++) {
            ck_assert_int_eq(kept[n].worker, log[n].worker);
            ck_assert_int_eq(kept[n].exchange, log[n].exchange);
        }
        own.in_turn = 1;
        expect_bits(&own, &bytes);
        tsnni_test_bytes_free(&bytes);
        free(kept);
    }
}
END_TEST

/* Of an epoch that is over: what a worker has to compute again after a pruning is about the same samples as before. */
START_TEST(a_late_exchange_is_about_the_samples_of_its_own_epoch)
{
    session own;
    const scene like = {.workers = 2, .phase_split = 1.0};
    int64_t order[DATA];
    double loss = 0.0;
    tsnn_gradient *expected = NULL;
    session_create(&own, &like);
    for (int64_t l = 0; l < own.course.network->count; l++)
        own.course.network->stages[l].keep_below = TSNNI_KEEP_ALL;
    TSNNI_OK(tsnni_parallel_begin(own.parallel, own.course.train));
    tsnni_worker *late = &own.parallel->workers[1];
    ck_assert_int_eq(late->exchange, 1);
    own.parallel->epochs_done = 2;
    TSNNI_OK(tsnni_parallel_enter(own.parallel));
    TSNNI_OK(tsnni_parallel_prepare(own.parallel));
    tsnni_worker_compute(own.parallel, late, 1, 2, 0);
    tsnni_epoch_shuffle(own.course.context->seed, 1, order, DATA);
    TSNNI_OK(tsnn_gradient_create(own.course.network, &expected));
    TSNNI_OK(tsnn_gradient_add(expected, own.course.network, own.course.loss, own.course.train, order + BATCH, BATCH,
                               &loss));
    for (int64_t l = 0; l < own.course.network->count; l++)
        for (int64_t k = 0; k < expected->layers[l].connections; k++)
            ck_assert_float_eq_tol(late->gradient->layers[l].weights[k], expected->layers[l].weights[k], 1e-6f);
    tsnn_gradient_destroy(&expected);
    tsnni_parallel_end(own.parallel);
    session_free(&own);
}
END_TEST

/* ---- stopped, and going on ---- */

START_TEST(a_stopped_run_goes_on_where_workers_take_turns)
{
    for (int32_t workers = 1; workers <= 8; workers++)
        for (int64_t stop = 1; stop <= EPOCHS; stop++) {
            scene like = {.workers = workers, .in_turn = 1, .phase_split = 0.8, .stop_epoch = stop};
            like.batch = workers % 2 == 0 ? DATA / 2 : 0; /* fewer exchanges than workers */
            tsnni_test_bytes bytes = bytes_of_run(&like, NULL, NULL);
            expect_bits(&like, &bytes);
            tsnni_test_bytes_free(&bytes);
        }
}
END_TEST

START_TEST(the_log_of_a_run_that_was_stopped_is_whole)
{
    for (int32_t in_turn = 0; in_turn < 2; in_turn++)
        for (int64_t stop = 1; stop <= EPOCHS; stop++) {
            scene own = {.workers = 3, .in_turn = in_turn, .pruned = stop == 2, .stop_epoch = stop, .keep_log = 1};
            tsnn_parallel_commit *log;
            int64_t count;
            own.phase_split = 1.0;
            tsnni_test_bytes bytes = bytes_of_run(&own, &log, &count);
            ck_assert_int_eq(count, EPOCHS * EXCHANGES);
            own.replay = log;
            own.replay_count = count;
            for (int n = 0; n < 4; n++) {
                own.in_turn = n % 2;
                own.stop_epoch = n < 2 ? 0 : stop; /* it begins anew by itself where the run did */
                expect_bits(&own, &bytes);
            }
            tsnni_test_bytes_free(&bytes);
            free(log);
        }
}
END_TEST

START_TEST(a_replay_that_is_stopped_in_phase_two_goes_on)
{
    scene own = {.workers = 2, .phase_split = 0.5, .stop_epoch = 3, .keep_log = 1};
    tsnn_parallel_commit *log;
    int64_t count;
    tsnni_test_bytes bytes = bytes_of_run(&own, &log, &count);
    ck_assert_int_eq(count, 2 * EXCHANGES);
    own.replay = log;
    own.replay_count = count;
    expect_bits(&own, &bytes);
    tsnni_test_bytes_free(&bytes);
    free(log);
}
END_TEST

START_TEST(a_replay_goes_on_only_where_its_log_does)
{
    scene like = {.workers = 2, .in_turn = 1, .phase_split = 1.0, .keep_log = 1};
    tsnn_parallel_commit *log;
    int64_t count;
    session own;
    tsnni_test_bytes bytes = bytes_of_run(&like, &log, &count);
    like.replay = log;
    like.replay_count = count;
    like.stop_epoch = 2;
    session_create(&own, &like);
    ck_assert_int_eq(session_run(&own, 0), TSNN_STOPPED);
    TSNNI_REFUSED(own.course.context, TSNN_ERROR_INVALID_ARGUMENT, session_run(&own, 0));
    tsnni_test_expect_text(own.course.context, "the replay was stopped after epoch 2");
    session_free(&own);
    tsnni_test_bytes_free(&bytes);
    free(log);
}
END_TEST

/* ---- what is no log ---- */

START_TEST(an_order_that_is_no_runs_is_refused)
{
    scene like = {.workers = 2, .keep_log = 1};
    tsnn_parallel_commit *log;
    int64_t count;
    tsnni_test_bytes bytes = bytes_of_run(&like, &log, &count);
    tsnni_test_bytes_free(&bytes);
    for (int wrong = 0; wrong < 6; wrong++) {
        session own;
        tsnn_parallel_commit *spoilt = tsnni_test_array(count, sizeof *spoilt);
        memcpy(spoilt, log, (size_t)count * sizeof *spoilt);
        spoilt[3].worker = wrong == 0 ? 2 : wrong == 1 ? -1 : wrong == 2 ? 1 - spoilt[3].worker : spoilt[3].worker;
        spoilt[3].exchange += wrong == 3;
        spoilt[0].exchange -= wrong == 5 ? 7 : 0;
        like.replay = spoilt;
        like.replay_count = wrong == 4 ? count - 1 : count;
        session_create(&own, &like);
        tsnni_test_bytes before = tsnni_course_bytes(own.course.network);
        TSNNI_REFUSED(own.course.context, TSNN_ERROR_INVALID_ARGUMENT, session_run(&own, 0));
        tsnni_test_bytes after = tsnni_course_bytes(own.course.network);
        ck_assert(tsnni_test_bytes_equal(&before, &after));
        tsnni_test_bytes_free(&before);
        tsnni_test_bytes_free(&after);
        session_free(&own);
        free(spoilt);
    }
    free(log);
}
END_TEST

START_TEST(a_replay_without_memory_says_so)
{
    enum { TOTAL = EPOCHS * EXCHANGES };
    static const int64_t sizes[] = {12, 20, 15, 4};
    static const tsnni_test_function functions[] = {
        {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_SOFTMAX, 0}};
    tsnn_parallel_commit log[TOTAL];
    tsnn_status status = TSNN_ERROR_OUT_OF_MEMORY;
    write_late_log(log, TOTAL);
    for (int64_t fail = 1; status != TSNN_OK; fail += tsnni_test_all() ? 1 : 3) {
        tsnni_test_allocator allocator = {0};
        scene like = {.workers = 3, .in_turn = 1, .pruned = 1, .phase_split = 1.0, .keep_log = 1};
        like.replay = log;
        like.replay_count = TOTAL;
        session own;
        tsnn_context *context = tsnni_test_counted_context(&allocator);
        tsnn_network *network = tsnni_test_network(context, 3, sizes, functions, 0.4, 0.2);
        TSNNI_OK(session_try(&own, &like,
                             tsnni_course_create(context, network, tsnni_test_labelled(context, DATA, 12, 4, 5),
                                                 TSNN_LOSS_CROSS_ENTROPY, 0.02)));
        allocator.calls = 0;
        allocator.fail_at = fail;
        status = session_run(&own, 1);
        if (status != TSNN_OK)
            tsnni_test_expect_error(context, TSNN_ERROR_OUT_OF_MEMORY, status, "run");
        session_free(&own);
        ck_assert_int_eq(allocator.live, 0);
    }
}
END_TEST

Suite *tsnni_suite_replay(void)
{
    Suite *suite = suite_create("replay");
    TCase *bits = tcase_create("bits");
    tcase_set_timeout(bits, 120);
    tcase_add_test(bits, a_replay_gives_the_same_bits_ten_times_of_ten);
    tcase_add_test(bits, workers_that_take_turns_follow_a_log_as_threads_do);
    tcase_add_test(bits, a_late_exchange_is_about_the_samples_of_its_own_epoch);
    suite_add_tcase(suite, bits);
    TCase *stopped = tcase_create("stopped");
    tcase_set_timeout(stopped, 60);
    tcase_add_test(stopped, a_stopped_run_goes_on_where_workers_take_turns);
    tcase_add_test(stopped, the_log_of_a_run_that_was_stopped_is_whole);
    tcase_add_test(stopped, a_replay_that_is_stopped_in_phase_two_goes_on);
    tcase_add_test(stopped, a_replay_goes_on_only_where_its_log_does);
    suite_add_tcase(suite, stopped);
    TCase *refused = tcase_create("refused");
    tcase_set_timeout(refused, 60);
    tcase_add_test(refused, an_order_that_is_no_runs_is_refused);
    tcase_add_test(refused, a_replay_without_memory_says_so);
    suite_add_tcase(suite, refused);
    return suite;
}
