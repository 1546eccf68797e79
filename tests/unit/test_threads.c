/* Threads and the processes and callers around them: no thread is made in a step, nested regions and children of fork()
 * do not hang, and the caller's floating-point mode stays. */
#if defined(__unix__) && !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE /* fork, kill, usleep */
#endif

#include "suites.h"

#include <fenv.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#if defined(__unix__)
#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#if defined(__has_include)
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define KNOWS_SINGLE_THREADED 1
#endif
#endif

#include "core/parallel.h"
#include "course.h"
#include "cpu/cpu.h"

#define ALL_RELU                                                                                                       \
    {                                                                                                                  \
        TSNN_ACTIVATION_ALL_RELU, .6                                                                                   \
    }
#define SOFTMAX                                                                                                        \
    {                                                                                                                  \
        TSNN_ACTIVATION_SOFTMAX, 0                                                                                     \
    }

#define SAMPLES 256
#define FEATURES 100

/* Large enough for its loops to be shared. */
static tsnni_course wide_course(int32_t threads)
{
    static const int64_t sizes[] = {FEATURES, 400, 300, 10};
    static const tsnni_test_function functions[] = {ALL_RELU, ALL_RELU, SOFTMAX};
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, threads, 3);
    tsnn_network *network = tsnni_test_network(context, 3, sizes, functions, 0.4, 0.25);
    tsnni_course course = tsnni_course_create(context, network, tsnni_test_labelled(context, SAMPLES, FEATURES, 10, 1),
                                              TSNN_LOSS_CROSS_ENTROPY, 0.02);
    course.options.epochs = 2;
    return course;
}

static void step(tsnni_course *course, int64_t steps)
{
    int64_t samples[128];
    for (int64_t n = 0; n < 128; n++)
        samples[n] = n * 2;
    for (int64_t s = 0; s < steps; s++)
        TSNNI_OK(tsnn_trainer_step(course->trainer, course->train, samples, 128, 1.0, NULL));
}

/* The weights after some steps and a run. */
static tsnni_test_bytes trained(int32_t threads)
{
    tsnni_course course = wide_course(threads);
    tsnni_course_start(&course);
    step(&course, 3);
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, NULL));
    tsnni_test_bytes bytes = tsnni_course_bytes(course.network);
    tsnni_course_free(&course);
    return bytes;
}

/* ---- the pool ---- */

#if defined(__linux__)
#define MOST_THREADS 64

/* The system's numbers of this process's threads: a new thread has a new one. */
static int list_threads(long *numbers)
{
    DIR *folder = opendir("/proc/self/task");
    int count = 0;
    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL && count < MOST_THREADS;)
        if (entry->d_name[0] != '.')
            numbers[count++] = strtol(entry->d_name, NULL, 10);
    closedir(folder);
    return count;
}

/* Calls outside of a run: their loops are of all sizes, and some have fewer chunks than there are threads. */
static void use_everything_else(const tsnni_course *course)
{
    tsnn_evolution *evolution = NULL;
    tsnn_gradient *gradient = NULL;
    double norm;
    TSNNI_OK(tsnn_evolution_create(course->context, NULL, &evolution));
    for (int64_t round = 0; round < 20; round++) {
        tsnn_layer *layer = tsnni_test_layer(course->context, 300, 1000, 0.12);
        TSNNI_OK(tsnn_evolution_apply_layer(evolution, layer, round, NULL));
        TSNNI_OK(tsnn_evolution_apply(evolution, course->network, round, NULL));
        tsnn_layer_destroy(&layer);
        TSNNI_OK(tsnn_gradient_create(course->network, &gradient));
        TSNNI_OK(tsnn_gradient_add(gradient, course->network, course->loss, course->train, NULL, 20, NULL));
        TSNNI_OK(tsnn_gradient_norm(gradient, &norm));
        TSNNI_OK(tsnn_gradient_scale(gradient, 0.5));
        TSNNI_OK(tsnn_optimizer_apply(course->optimizer, course->network, gradient, 1.0));
        tsnn_gradient_destroy(&gradient);
    }
    tsnn_evolution_destroy(&evolution);
}

START_TEST(no_step_creates_a_thread)
{
    long before[MOST_THREADS], after[MOST_THREADS];
    tsnni_course course = wide_course(5);
    tsnni_course_start(&course);
    step(&course, 2);
    int count = list_threads(before);
    ck_assert_int_le(count, 5);
#ifdef _OPENMP
    ck_assert_int_eq(count, 5);
#endif
    step(&course, 50);
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, course.train));
    step(&course, 50);
    use_everything_else(&course);
    ck_assert_int_eq(list_threads(after), count);
    ck_assert_mem_eq(after, before, (size_t)count * sizeof *before);
    tsnni_course_free(&course);
}
END_TEST
#endif

/* ---- a caller's own threads ---- */

START_TEST(contexts_of_several_openmp_threads_are_independent)
{
    enum { CALLERS = 4 };
    tsnni_test_bytes expected = trained(1), bytes[CALLERS] = {{0}};
#ifdef _OPENMP
#pragma omp parallel for num_threads(CALLERS) schedule(static, 1)
#endif
    for (int caller = 0; caller < CALLERS; caller++)
        bytes[caller] = trained(caller + 1);
    for (int caller = 0; caller < CALLERS; caller++) {
        ck_assert(tsnni_test_bytes_equal(&expected, &bytes[caller]));
        tsnni_test_bytes_free(&bytes[caller]);
    }
    /* and the pool is whole afterwards */
    tsnni_test_bytes again = trained(3);
    ck_assert(tsnni_test_bytes_equal(&expected, &again));
    tsnni_test_bytes_free(&again);
    tsnni_test_bytes_free(&expected);
}
END_TEST

/* ---- fork ---- */

#if defined(__unix__)
#define PATIENCE 60 /* seconds */

/* Runs body(argument) in a child; returns whether it came to 0 in time. */
static int child_succeeds(int (*body)(void *argument), void *argument)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(body(argument));
    for (int64_t waited = 0; waited < PATIENCE * 100; waited++) {
        int status;
        if (waitpid(child, &status, WNOHANG) == child)
            return WIFEXITED(status) && WEXITSTATUS(status) == 0;
        usleep(10000);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return 0;
}

static int train_like(void *argument)
{
    tsnni_test_bytes bytes = trained(3);
    int differs = !tsnni_test_bytes_equal(argument, &bytes);
    tsnni_test_bytes_free(&bytes);
    return differs;
}

static int fork_again(void *argument)
{
    return train_like(argument) || !child_succeeds(train_like, argument);
}

START_TEST(a_child_of_fork_trains_to_the_same_bits)
{
    tsnni_test_bytes expected = trained(3); /* the pool is used by now */
    ck_assert(child_succeeds(train_like, &expected));
    ck_assert(child_succeeds(fork_again, &expected));
    ck_assert_int_eq(train_like(&expected), 0); /* the parent keeps its threads */
    tsnni_test_bytes_free(&expected);
}
END_TEST

typedef struct loop_workers {
    int32_t of[64];
} loop_workers;

static void note_worker(void *task, int64_t chunk, int32_t worker)
{
    loop_workers *workers = task;
    workers->of[chunk] = worker + 1;
}

static int loops_are_serial(void *argument)
{
    loop_workers workers = {{0}};
    (void)argument;
    tsnni_parallel_for(4, 1000000000, 64, note_worker, &workers);
    for (int chunk = 0; chunk < 64; chunk++)
        if (workers.of[chunk] != 1)
            return 1;
    return 0;
}

START_TEST(a_child_of_a_process_that_used_threads_is_serial)
{
    loop_workers workers = {{0}};
    tsnni_parallel_for(4, 1000000000, 64, note_worker, &workers);
    ck_assert(child_succeeds(loops_are_serial, NULL));
}
END_TEST

#ifdef _OPENMP
START_TEST(a_child_of_a_process_that_used_openmp_itself_does_not_wait_for_its_threads)
{
    int32_t sum = 0;
#pragma omp parallel for num_threads(3) reduction(+ : sum)
    for (int32_t k = 0; k < 3; k++)
        sum += k;
    ck_assert_int_eq(sum, 3);
    ck_assert(child_succeeds(loops_are_serial, NULL));
}
END_TEST
#endif

#if defined(_OPENMP) && defined(KNOWS_SINGLE_THREADED)
typedef struct meeting {
    atomic_int workers; /* a bit for each that has come */
    atomic_int over;
} meeting;

/* A chunk waits for a second worker: on a busy machine one could be through with all before another gets a processor.
 */
static void wait_for_another(void *task, int64_t chunk, int32_t worker)
{
    meeting *own = task;
    (void)chunk;
    atomic_fetch_or(&own->workers, 1 << worker);
    for (int64_t waited = 0; waited < PATIENCE / 2 * 1000 && !atomic_load(&own->over); waited++) {
        int workers = atomic_load(&own->workers);
        if ((workers & (workers - 1)) != 0)
            return;
        usleep(1000);
    }
    atomic_store(&own->over, 1);
}

static int loops_are_parallel(void *argument)
{
    meeting own = {0};
    (void)argument;
    tsnni_parallel_for(4, 1000000000, 64, wait_for_another, &own);
    return atomic_load(&own.over);
}

/* Where the system tells whether there were threads, and no earlier test nor a sanitizer made some here. */
START_TEST(a_child_of_a_process_without_threads_has_its_own)
{
    if (__libc_single_threaded)
        ck_assert(child_succeeds(loops_are_parallel, NULL));
}
END_TEST
#endif

typedef struct forking_callback {
    tsnni_course *course;
    int forks;
} forking_callback;

static int predict_and_leave(void *argument)
{
    forking_callback *given = argument;
    tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
    return tsnn_network_evaluate(given->course->network, given->course->loss, given->course->train, &evaluation) !=
           TSNN_OK;
}

static int32_t fork_in_callback(void *user, const tsnn_epoch_report *report)
{
    forking_callback *given = user;
    given->forks++;
    return report->epoch > 0 && child_succeeds(predict_and_leave, given) ? 0 : -1;
}

START_TEST(a_callback_may_fork_a_child_that_uses_the_library)
{
    tsnni_course course = wide_course(3);
    forking_callback given = {&course, 0};
    course.options.on_epoch = fork_in_callback;
    course.options.user = &given;
    tsnni_course_start(&course);
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, NULL));
    ck_assert_int_eq(given.forks, 2);
    tsnni_course_free(&course);
}
END_TEST
#endif

/* ---- the caller's floating-point mode ---- */

static int32_t round_up_after_step(void *user, const tsnn_step_report *report)
{
    (void)report;
    *(int *)user += 1;
    fesetround(FE_UPWARD);
    return 0;
}

static int32_t flush_after_epoch(void *user, const tsnn_epoch_report *report)
{
    (void)report;
    *(int *)user += 1;
    tsnni_cpu_flush_denormals();
    return 0;
}

static void round_down_in_function(void *user, const float *z, float *a, int64_t count)
{
    (void)user;
    fesetround(FE_DOWNWARD);
    memcpy(a, z, (size_t)count * sizeof *a);
}

static void round_down_in_derivative(void *user, const float *z, const float *a, float *derivative, int64_t count)
{
    (void)user;
    (void)z;
    (void)a;
    fesetround(FE_DOWNWARD);
    for (int64_t k = 0; k < count; k++)
        derivative[k] = 1.0f;
}

/* A network whose middle layer has a function that changes the mode. */
static tsnn_network *rounding_network(tsnn_context *context)
{
    tsnn_activation_options options = TSNN_ACTIVATION_OPTIONS_INIT;
    tsnn_activation *activation = NULL, *last = tsnni_test_activation(context, (tsnni_test_function)SOFTMAX);
    tsnn_network *network = NULL;
    options.kind = TSNN_ACTIVATION_CUSTOM;
    options.function = round_down_in_function;
    options.derivative = round_down_in_derivative;
    TSNNI_OK(tsnn_activation_create(context, &options, &activation));
    TSNNI_OK(tsnn_network_create(context, &network));
    tsnn_layer *layer = tsnni_test_layer(context, FEATURES, 400, 0.5);
    TSNNI_OK(tsnn_network_append(network, &layer, activation, 0.2));
    layer = tsnni_test_layer(context, 400, 10, 1.0);
    TSNNI_OK(tsnn_network_append(network, &layer, last, 0.0));
    tsnn_activation_destroy(&activation);
    tsnn_activation_destroy(&last);
    return network;
}

/* Without the exceptions that x86-64 notes in the same register. */
static uint64_t mode_now(void)
{
    return tsnni_cpu_float_mode() & ~(uint64_t)0x3F;
}

#define MODE_STAYS(call)                                                                                               \
    do {                                                                                                               \
        uint64_t before_ = mode_now();                                                                                 \
        int rounding_ = fegetround();                                                                                  \
        TSNNI_OK(call);                                                                                                \
        ck_assert_msg(mode_now() == before_ && fegetround() == rounding_, "%s changes the floating-point mode",        \
                      #call);                                                                                          \
    } while (0)

/* Every public call that computes, in the mode of this thread as it is. */
static void call_everything(int32_t threads)
{
    int64_t samples[128];
    int32_t labels[SAMPLES], calls = 0;
    float *features = tsnni_test_array(SAMPLES * FEATURES, sizeof *features);
    float *outputs = tsnni_test_array(SAMPLES * 10, sizeof *outputs);
    double loss;
    tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
    tsnn_gradient *gradient = NULL;
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, threads, 3);
    tsnn_network *network = rounding_network(context);
    tsnni_course course = tsnni_course_create(context, network, tsnni_test_labelled(context, SAMPLES, FEATURES, 10, 1),
                                              TSNN_LOSS_CROSS_ENTROPY, 0.001);
    tsnni_course_add_evolution(&course, 0.3);
    tsnni_course_add_pruning(&course, 10.0, 1, 1);
    course.options.epochs = 2;
    course.options.on_step = round_up_after_step;
    course.options.on_epoch = flush_after_epoch;
    course.options.user = &calls;
    tsnni_course_start(&course);
    for (int64_t n = 0; n < 128; n++)
        samples[n] = n;
    MODE_STAYS(tsnn_trainer_step(course.trainer, course.train, samples, 128, 1.0, NULL));
    MODE_STAYS(tsnn_trainer_step(course.trainer, course.train, samples, 1, 1.0, NULL));
    MODE_STAYS(tsnn_network_predict(network, features, SAMPLES, outputs, SAMPLES * 10));
    MODE_STAYS(tsnn_network_predict(network, features, 1, outputs, 10));
    MODE_STAYS(tsnn_network_classify(network, features, SAMPLES, labels, SAMPLES));
    MODE_STAYS(tsnn_network_evaluate(network, course.loss, course.train, &evaluation));
    MODE_STAYS(tsnn_gradient_create(network, &gradient));
    MODE_STAYS(tsnn_gradient_add(gradient, network, course.loss, course.train, samples, 128, &loss));
    MODE_STAYS(tsnn_gradient_norm(gradient, &loss));
    MODE_STAYS(tsnn_optimizer_apply(course.optimizer, network, gradient, 1.0));
    MODE_STAYS(tsnn_evolution_apply(course.evolution, network, 1, NULL));
    MODE_STAYS(tsnn_trainer_run(course.trainer, course.train, course.train));
    ck_assert_int_eq(calls, 2 * 2 + 2);
    tsnn_gradient_destroy(&gradient);
    tsnni_course_free(&course);
    free(features);
    free(outputs);
}

START_TEST(the_caller_s_floating_point_mode_is_as_before_after_every_call)
{
    static const int roundings[] = {FE_TONEAREST, FE_UPWARD, FE_TOWARDZERO};
    uint64_t mode = tsnni_cpu_float_mode();
    for (int r = 0; r < 3; r++)
        for (int32_t threads = 1; threads <= 3; threads += 2) {
            fesetround(roundings[r]);
            call_everything(threads);
            ck_assert_int_eq(fegetround(), roundings[r]);
        }
    fesetround(FE_TONEAREST);
    tsnni_cpu_float_mode_restore(mode);
}
END_TEST

START_TEST(an_activation_that_changes_the_mode_is_evaluated_without_harm)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_activation_options options = TSNN_ACTIVATION_OPTIONS_INIT;
    tsnn_activation *activation = NULL;
    const float z[3] = {1, 2, 3};
    float a[3], derivative[3];
    options.kind = TSNN_ACTIVATION_CUSTOM;
    options.function = round_down_in_function;
    options.derivative = round_down_in_derivative;
    TSNNI_OK(tsnn_activation_create(context, &options, &activation));
    MODE_STAYS(tsnn_activation_evaluate(activation, 0, z, a, derivative, 3));
    tsnn_activation_destroy(&activation);
    tsnn_context_destroy(&context);
}
END_TEST

/* Workers have modes of their own, so a chunk must not depend on the mode of the thread that runs it. */
START_TEST(the_caller_s_rounding_is_the_same_for_any_threads)
{
    uint64_t mode = mode_now();
    fesetround(FE_UPWARD);
    tsnni_test_bytes one = trained(1), three = trained(3);
    fesetround(FE_TONEAREST);
    ck_assert(tsnni_test_bytes_equal(&one, &three));
    ck_assert_uint_eq(mode_now(), mode);
    tsnni_test_bytes_free(&one);
    tsnni_test_bytes_free(&three);
}
END_TEST

/* With rates that are floats: what the caller's mode makes of others is the caller's affair. */
static tsnni_test_bytes applied(int mode)
{
    tsnni_course course = wide_course(1);
    tsnn_gradient *gradient = NULL;
    tsnn_optimizer *optimizer =
        tsnni_test_optimizer(course.context, TSNN_OPTIMIZER_SGD, 0.375, 0.0, TSNN_DECAY_DECOUPLED);
    TSNNI_OK(tsnn_gradient_create(course.network, &gradient));
    TSNNI_OK(tsnn_gradient_add(gradient, course.network, course.loss, course.train, NULL, 20, NULL));
    fesetround(mode);
    for (int n = 0; n < 3; n++) {
        TSNNI_OK(tsnn_gradient_scale(gradient, 0.625));
        TSNNI_OK(tsnn_optimizer_apply(optimizer, course.network, gradient, 1.0));
    }
    fesetround(FE_TONEAREST);
    tsnn_gradient_destroy(&gradient);
    tsnn_optimizer_destroy(&optimizer);
    tsnni_test_bytes bytes = tsnni_course_bytes(course.network);
    tsnni_course_free(&course);
    return bytes;
}

START_TEST(a_gradient_is_applied_in_the_library_s_mode)
{
    tsnni_test_bytes nearest = applied(FE_TONEAREST), upward = applied(FE_UPWARD);
    ck_assert(tsnni_test_bytes_equal(&nearest, &upward));
    tsnni_test_bytes_free(&nearest);
    tsnni_test_bytes_free(&upward);
}
END_TEST

Suite *tsnni_suite_threads(void)
{
    Suite *suite = suite_create("threads");
    TCase *tcase = tcase_create("threads");
    tcase_set_timeout(tcase, 240);
#if defined(__linux__)
    tcase_add_test(tcase, no_step_creates_a_thread);
#endif
    tcase_add_test(tcase, contexts_of_several_openmp_threads_are_independent);
#if defined(__unix__)
    tcase_add_test(tcase, a_child_of_fork_trains_to_the_same_bits);
    tcase_add_test(tcase, a_child_of_a_process_that_used_threads_is_serial);
#ifdef _OPENMP
    tcase_add_test(tcase, a_child_of_a_process_that_used_openmp_itself_does_not_wait_for_its_threads);
#endif
#if defined(_OPENMP) && defined(KNOWS_SINGLE_THREADED)
    tcase_add_test(tcase, a_child_of_a_process_without_threads_has_its_own);
#endif
    tcase_add_test(tcase, a_callback_may_fork_a_child_that_uses_the_library);
#endif
    tcase_add_test(tcase, the_caller_s_floating_point_mode_is_as_before_after_every_call);
    tcase_add_test(tcase, an_activation_that_changes_the_mode_is_evaluated_without_harm);
    tcase_add_test(tcase, the_caller_s_rounding_is_the_same_for_any_threads);
    tcase_add_test(tcase, a_gradient_is_applied_in_the_library_s_mode);
    suite_add_tcase(suite, tcase);
    return suite;
}
