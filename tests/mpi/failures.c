/* Claims about what ends a run: callbacks, checkpoints that cannot be written, divergence, memory that is refused.
 * Every rank is told the same, and the next run works. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ranks.h"

/* ---- callbacks ---- */

/* In phase 1 and in phase 2; rank 0's are the callbacks that count. */
static void callbacks_end_it_everywhere(int32_t mode)
{
    char text[160];
    for (int64_t epoch = 2; epoch <= 5; epoch += 3) {
        tsnni_watcher own = {.stop_epoch = epoch, .answer = -3}, saver = {.save_from = epoch};
        tsnni_course course = tsnni_ranks_course(0.0);
        tsnn_parallel_options options = tsnni_ranks_options(&course, mode, &own);
        tsnn_status status = tsnni_ranks_run(&course, &options, NULL, NULL);
        snprintf(text, sizeof text, "%s: a callback that fails after epoch %d fails everywhere", tsnni_modes[mode],
                 (int)epoch);
        tsnni_claim(text, status == TSNN_ERROR_CALLBACK && own.epochs == (tsnni_rank == 0 ? epoch : 0));

        saver.path = "/nowhere/at/all.tsnn";
        options = tsnni_ranks_options(&course, mode, &saver);
        status = tsnni_ranks_run(&course, &options, NULL, NULL);
        snprintf(text, sizeof text, "%s: a checkpoint that cannot be written after epoch %d fails everywhere",
                 tsnni_modes[mode], (int)epoch);
        tsnni_claim(text, status == TSNN_ERROR_CALLBACK);
        tsnni_course_free(&course);
    }
}

static int32_t fail_step(void *user, const tsnn_step_report *report)
{
    ++*(int64_t *)user;
    return report->epoch == 2 && report->step == 2 ? -5 : 0;
}

static void a_failing_step_ends_it_everywhere(int32_t mode)
{
    char text[160];
    int64_t steps = 0;
    tsnni_course course = tsnni_ranks_course(0.0);
    tsnn_parallel_options options = tsnni_ranks_options(&course, mode, NULL);
    options.on_step = fail_step;
    options.user = &steps;
    tsnn_status status = tsnni_ranks_run(&course, &options, NULL, NULL);
    /* WASAP's server reports the steps of one of its workers, which need not have a second one in each epoch. */
    int reached = tsnni_everyone(tsnni_rank != 0 || status < 0) || mode != TSNN_PARALLEL_WASAP;
    snprintf(text, sizeof text, "%s: a callback that fails at a step fails everywhere, and is rank 0's alone",
             tsnni_modes[mode]);
    tsnni_claim(text, (status == TSNN_ERROR_CALLBACK || !reached) && (tsnni_rank == 0 || steps == 0));
    tsnni_course_free(&course);
}

static void stops_and_goes_on(int32_t mode)
{
    char text[160];
    for (int64_t epoch = 2; epoch <= 5; epoch += 3) { /* in either phase */
        tsnni_watcher own = {.stop_epoch = epoch, .answer = 1};
        tsnni_course course = tsnni_ranks_course(0.2);
        tsnn_parallel_options options = tsnni_ranks_options(&course, mode, &own);
        tsnn_mpi *mpi = NULL;
        tsnn_status status = tsnn_mpi_create(course.context, MPI_COMM_WORLD, &options, NULL, &mpi);
        int good = status == TSNN_OK && tsnn_mpi_run(mpi, course.train, course.validation) == TSNN_STOPPED;
        good &= tsnni_rank != 0 || own.epochs == epoch;
        good &= tsnn_mpi_run(mpi, course.train, course.validation) == TSNN_OK && (tsnni_rank != 0 || own.epochs == 6);
        tsnn_mpi_destroy(&mpi);
        tsnni_course_free(&course);
        snprintf(text, sizeof text, "%s stops after epoch %d and goes on", tsnni_modes[mode], (int)epoch);
        tsnni_claim(text, good);
    }
}

/* The same object: what is left of its epochs. In phase 1, at its end, in phase 2, and at the very end. */
static void goes_on_after_a_failed_callback(int32_t mode)
{
    static const int64_t epochs[] = {2, 4, 5, 6};
    char text[160];
    for (int n = 0; n < 5; n++) {
        tsnni_watcher own = {.stop_epoch = n < 4 ? epochs[n] : 6, .answer = -3};
        tsnni_course course = tsnni_ranks_course(0.2);
        tsnn_parallel_options options = tsnni_ranks_options(&course, mode, &own);
        tsnn_mpi *mpi = NULL;
        if (mode != TSNN_PARALLEL_REPLICAS)
            options.phase_split = n < 4 ? 0.7 : 1.0;
        tsnn_status status = tsnn_mpi_create(course.context, MPI_COMM_WORLD, &options, NULL, &mpi);
        int good = status == TSNN_OK && tsnn_mpi_run(mpi, course.train, course.validation) == TSNN_ERROR_CALLBACK;
        good &= tsnn_mpi_run(mpi, course.train, course.validation) == TSNN_OK;
        good &= tsnni_rank != 0 || own.epochs == 6;
        good &= tsnni_same_network(course.network);
        tsnn_mpi_destroy(&mpi);
        tsnni_course_free(&course);
        snprintf(text, sizeof text, "%s goes on after a callback failed after epoch %d, phase 1 being %g of all",
                 tsnni_modes[mode], (int)own.stop_epoch, options.phase_split);
        tsnni_claim(text, good);
    }
}

/* As one that saves to a slow disk: the server says before that it will be silent. */
static int32_t sleep_a_while(void *user, const tsnn_epoch_report *report)
{
    struct timespec moment = {1, 500000000};
    (void)user;
    (void)report;
    nanosleep(&moment, NULL);
    return 0;
}

static void waits_for_a_slow_callback(void)
{
    tsnni_course course = tsnni_ranks_course(0.0);
    tsnn_mpi_options more = TSNN_MPI_OPTIONS_INIT;
    tsnn_parallel_options options = tsnni_ranks_options(&course, TSNN_PARALLEL_WASAP, NULL);
    options.on_epoch = sleep_a_while;
    options.epochs = 2;
    options.phase_split = 1.0;
    more.timeout_seconds = 0.3;
    tsnn_status status = tsnni_ranks_run(&course, &options, &more, NULL);
    tsnni_course_free(&course);
    tsnni_claim("a callback may take longer than a rank may be silent", status == TSNN_OK);
}

/* As one that pages a large network in: one request for memory takes its time. */
static void *allocate_slowly(void *user, size_t size)
{
    int *left = user;
    struct timespec moment = {1, 500000000};
    if (*left > 0 && --*left == 0)
        nanosleep(&moment, NULL);
    return malloc(size);
}

static void release_at_once(void *user, void *pointer)
{
    (void)user;
    free(pointer);
}

static void waits_for_a_slow_start(int32_t mode, int request)
{
    static const int64_t sizes[] = {12, 20, 4};
    static const tsnni_test_function functions[] = {{TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_SOFTMAX, 0}};
    char text[160];
    int left = 0;
    tsnn_context *context = NULL;
    tsnn_context_options settings = TSNN_CONTEXT_OPTIONS_INIT;
    settings.threads = 1;
    settings.seed = 5;
    settings.allocate = allocate_slowly;
    settings.release = release_at_once;
    settings.allocator_user = &left;
    TSNNI_OK(tsnn_context_create(&settings, &context));
    tsnni_course course =
        tsnni_course_create(context, tsnni_test_network(context, 2, sizes, functions, 0.4, 0.0),
                            tsnni_test_labelled(context, 60, 12, 4, 5), TSNN_LOSS_CROSS_ENTROPY, 0.004);
    tsnn_mpi_options more = TSNN_MPI_OPTIONS_INIT;
    tsnn_parallel_options options = tsnni_ranks_options(&course, mode, NULL);
    tsnn_mpi *mpi = NULL;
    options.epochs = 2;
    more.timeout_seconds = 0.3;
    tsnn_status status = tsnn_mpi_create(context, MPI_COMM_WORLD, &options, &more, &mpi);
    left = tsnni_rank == tsnni_ranks - 1 ? request : 0;
    if (status >= 0)
        status = tsnn_mpi_run(mpi, course.train, NULL);
    tsnn_mpi_destroy(&mpi);
    tsnni_course_free(&course);
    snprintf(text, sizeof text, "%s: setting up may take longer than a rank may be silent, at its request %d",
             tsnni_modes[mode], request);
    tsnni_claim(text, status == TSNN_OK && left == 0);
}

static void reports_divergence(int32_t mode)
{
    char text[160];
    tsnni_course course = tsnni_course_small(7, 120, 0.0);
    tsnn_optimizer_destroy(&course.optimizer);
    course.optimizer = tsnni_test_optimizer(course.context, TSNN_OPTIMIZER_MOMENTUM, 1e20, 0.0, 0);
    tsnn_parallel_options options = tsnni_ranks_options(&course, mode, NULL);
    tsnn_status status = tsnni_ranks_run(&course, &options, NULL, NULL);
    snprintf(text, sizeof text, "%s that diverges says so everywhere", tsnni_modes[mode]);
    tsnni_claim(text, status == TSNN_ERROR_NOT_FINITE);
    tsnni_course_free(&course);
}

void tsnni_claim_failures(void)
{
    for (int32_t mode = TSNN_PARALLEL_WASAP; mode <= TSNN_PARALLEL_REPLICAS; mode++) {
        callbacks_end_it_everywhere(mode);
        a_failing_step_ends_it_everywhere(mode);
        stops_and_goes_on(mode);
        goes_on_after_a_failed_callback(mode);
        reports_divergence(mode);
        for (int request = 2; request <= 8; request += 6)
            waits_for_a_slow_start(mode, request);
    }
    waits_for_a_slow_callback();
}

/* ---- memory ---- */

/* A small course in a context that counts, and refuses what it is told to. Rules that change shapes where they may. */
static tsnni_course counted_course(tsnni_test_allocator *allocator, int32_t mode)
{
    static const int64_t sizes[] = {12, 20, 15, 4};
    static const tsnni_test_function functions[] = {
        {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_SOFTMAX, 0}};
    tsnn_context *context = tsnni_test_counted_context(allocator);
    tsnni_course course =
        tsnni_course_create(context, tsnni_test_network(context, 3, sizes, functions, 0.4, 0.2),
                            tsnni_test_labelled(context, 63, 12, 4, 5), TSNN_LOSS_CROSS_ENTROPY, 0.004);
    tsnni_course_add_evolution(&course, 0.3);
    if (mode != TSNN_PARALLEL_REPLICAS)
        tsnni_course_add_pruning(&course, 20.0, 2, 1);
    course.validation = tsnni_test_labelled(context, 30, 12, 4, 5);
    return course;
}

/* One request is refused on one rank; then, for every other request, the same object goes on, and another one trains
 * anew. 0: the run ended well, so there was no such request. */
static int refuse_request(int32_t mode, int victim, int64_t request, int *good)
{
    tsnni_test_allocator allocator = {0};
    tsnni_course course = counted_course(&allocator, mode);
    tsnn_parallel_options options = tsnni_ranks_options(&course, mode, NULL);
    tsnn_mpi *mpi = NULL;
    char told[sizeof tsnni_claim_detail];
    options.epochs = 4; /* evolved and pruned in phase 1, and a phase 2 */
    options.keep_log = mode == TSNN_PARALLEL_WASAP;
    allocator.calls = 0;
    allocator.fail_at = tsnni_rank == victim ? request : 0;
    tsnn_status status = tsnn_mpi_create(course.context, MPI_COMM_WORLD, &options, NULL, &mpi);
    if (status >= 0)
        status = tsnn_mpi_run(mpi, course.train, course.validation);
    tsnn_context_error(course.context, told, sizeof told, NULL);
    int same = tsnni_same_status(status) && (status == TSNN_OK || status == TSNN_ERROR_OUT_OF_MEMORY);
    int ended_well = tsnni_everyone(status == TSNN_OK), again = 1;
    allocator.fail_at = 0;
    if (!ended_well && tsnni_everyone(mpi != NULL) && request % 2 == 0)
        again = tsnn_mpi_run(mpi, course.train, course.validation) == TSNN_OK;
    tsnn_mpi_destroy(&mpi);
    if (!ended_well)
        again &= tsnni_ranks_run(&course, &options, NULL, NULL) == TSNN_OK;
    again &= tsnni_same_network(course.network);
    tsnni_course_free(&course);
    int none = allocator.live == 0;
    if (!same || !again || !none) {
        snprintf(tsnni_claim_detail, sizeof tsnni_claim_detail, ": request %lld of rank %d: status %d (%.80s)%s%s%s",
                 (long long)request, victim, (int)status, told, same ? "" : ", not the same everywhere",
                 again ? "" : ", then no run works", none ? "" : ", memory is left");
        *good = 0;
    }
    return status == TSNN_ERROR_OUT_OF_MEMORY;
}

/* The first requests one by one, as each is another function's; later ones, of which each epoch has many, here and
 * there.
 */
void tsnni_claim_memory(void)
{
    char text[160];
    const int64_t stride = tsnni_test_all() ? 1 : 31;
    for (int32_t mode = TSNN_PARALLEL_WASAP; mode <= TSNN_PARALLEL_REPLICAS; mode++)
        for (int victim = 0; victim<tsnni_ranks; victim += tsnni_ranks> 1 ? tsnni_ranks - 1 : 1) {
            int good = 1;
            int64_t request = 1, tried = 0;
            for (; tsnni_everyone(good) && refuse_request(mode, victim, request, &good); tried++)
                request += request < 24 ? 1 : stride;
            snprintf(text, sizeof text, "%s: memory refused to rank %d, at each of %d places, is told everywhere",
                     tsnni_modes[mode], victim, (int)tried);
            tsnni_claim(text, good && tried > 25);
        }
}

/* ---- again and again ---- */

void tsnni_claim_stress(int runs)
{
    char text[160];
    for (int32_t mode = TSNN_PARALLEL_WASAP; mode <= TSNN_PARALLEL_REPLICAS; mode++) {
        int good = 1;
        for (int run = 0; run < runs; run++) {
            tsnni_watcher own = {0};
            tsnni_course course = tsnni_ranks_course(0.2);
            tsnn_parallel_options options = tsnni_ranks_options(&course, mode, &own);
            options.epochs = TSNNI_LEARNING_EPOCHS;
            int64_t before = tsnni_test_network_size(course.network).connections;
            tsnn_status status = tsnni_ranks_run(&course, &options, NULL, NULL);
            int sound = tsnni_same_network(course.network) && status == TSNN_OK;
            sound &= tsnni_test_network_size(course.network).connections == before;
            sound &= tsnni_rank != 0 || own.loss < own.first_loss;
            if (!sound)
                fprintf(stderr, "run %d on rank %d: loss %g, then %g%s\n", run, tsnni_rank, own.first_loss, own.loss,
                        tsnni_claim_detail);
            good &= sound;
            tsnni_course_free(&course);
        }
        snprintf(text, sizeof text, "%s: %d runs, one after another, all end and learn", tsnni_modes[mode], runs);
        tsnni_claim(text, good);
    }
}
