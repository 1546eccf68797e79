/* Status text, error text, memory, the parallel loop and the processor's modes. */
#include "suites.h"

#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include <tsnn/context.h>

#include "allocator.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "cpu/cpu.h"

START_TEST(every_integer_has_a_status_text)
{
    const tsnn_status known[] = {
        TSNN_OK,
        TSNN_STOPPED,
        TSNN_ERROR_OUT_OF_MEMORY,
        TSNN_ERROR_OVERFLOW,
        TSNN_ERROR_NULL_ARGUMENT,
        TSNN_ERROR_INVALID_ARGUMENT,
        TSNN_ERROR_STRUCT_SIZE,
        TSNN_ERROR_BUFFER_TOO_SMALL,
        TSNN_ERROR_SHAPE,
        TSNN_ERROR_STRUCTURE,
        TSNN_ERROR_NOT_FINITE,
        TSNN_ERROR_LABEL,
        TSNN_ERROR_STATE,
        TSNN_ERROR_UNSUPPORTED,
        TSNN_ERROR_CALLBACK,
        TSNN_ERROR_IO,
        TSNN_ERROR_FORMAT,
        TSNN_ERROR_COMMUNICATION,
    };
    const int count = sizeof known / sizeof known[0];
    for (int i = 0; i < count; i++) {
        ck_assert_str_ne(tsnn_status_string(known[i]), "unknown status");
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(tsnn_status_string(known[i]), tsnn_status_string(known[j]));
    }
    const tsnn_status unknown[] = {-1, -12, 2, 1000, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        ck_assert_str_eq(tsnn_status_string(unknown[i]), "unknown status");
}
END_TEST

START_TEST(a_failure_keeps_its_code_and_text)
{
    tsnni_runtime runtime;
    tsnni_runtime_init(&runtime);
    ck_assert_int_eq(runtime.error, TSNN_OK);
    ck_assert_str_eq(runtime.error_text, "");
    ck_assert_int_eq(tsnni_fail(&runtime, TSNN_ERROR_SHAPE, "layer %d: %s", 2, "too wide"), TSNN_ERROR_SHAPE);
    ck_assert_int_eq(runtime.error, TSNN_ERROR_SHAPE);
    ck_assert_str_eq(runtime.error_text, "layer 2: too wide");
    ck_assert_int_eq(tsnni_fail(&runtime, TSNN_ERROR_LABEL, "evaluation: %s", runtime.error_text), TSNN_ERROR_LABEL);
    ck_assert_str_eq(runtime.error_text, "evaluation: layer 2: too wide");
    ck_assert_int_eq(tsnni_fail(NULL, TSNN_ERROR_STATE, "nobody reads this"), TSNN_ERROR_STATE);
}
END_TEST

START_TEST(a_place_goes_in_front_of_a_text)
{
    tsnni_runtime runtime;
    tsnni_runtime_init(&runtime);
    tsnn_status status = tsnni_fail(&runtime, TSNN_ERROR_SHAPE, "too wide");
    status = tsnni_fail_at(&runtime, status, "layer %d", 2);
    ck_assert_int_eq(tsnni_fail_at(&runtime, status, "%s", "model"), TSNN_ERROR_SHAPE);
    ck_assert_int_eq(runtime.error, TSNN_ERROR_SHAPE);
    ck_assert_str_eq(runtime.error_text, "model: layer 2: too wide");
    ck_assert_int_eq(tsnni_fail_at(NULL, TSNN_ERROR_STATE, "nowhere"), TSNN_ERROR_STATE);
}
END_TEST

START_TEST(a_long_error_text_is_cut_at_the_end)
{
    tsnni_runtime runtime;
    char text[2000];
    tsnni_runtime_init(&runtime);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    tsnni_fail(&runtime, TSNN_ERROR_STATE, "%s", text);
    ck_assert_uint_eq(strlen(runtime.error_text), sizeof runtime.error_text - 1);
}
END_TEST

static void remember_line(void *user, int32_t level, const char *text)
{
    snprintf(user, 64, "%d %s", (int)level, text);
}

START_TEST(log_lines_reach_the_callback_and_only_it)
{
    tsnni_runtime runtime;
    char line[64] = "";
    tsnni_runtime_init(&runtime);
    tsnni_log(&runtime, 1, "unheard");
    tsnni_log(NULL, 1, "unheard");
    runtime.log = remember_line;
    runtime.log_user = line;
    tsnni_log(&runtime, 3, "epoch %d", 7);
    ck_assert_str_eq(line, "3 epoch 7");
}
END_TEST

static void count_line(void *user, int32_t level, const char *text)
{
    int *lines = user;
    ck_assert_int_eq(level, TSNN_LOG_INFO);
    ck_assert_str_eq(text, "kernels: ref, 1 threads");
    ++*lines;
}

START_TEST(a_context_logs_its_kernels_once_and_no_failure)
{
    int lines = 0;
    tsnn_context *context = NULL;
    tsnn_context_options options = TSNN_CONTEXT_OPTIONS_INIT;
    options.isa = TSNN_ISA_REF;
    options.threads = 1;
    options.log = count_line;
    options.log_user = &lines;
    ck_assert_int_eq(tsnn_context_create(&options, &context), TSNN_OK);
    ck_assert_int_eq(lines, 1);
    ck_assert_int_eq(tsnn_context_set_threads(context, -1), TSNN_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(lines, 1);
    tsnn_context_destroy(&context);
}
END_TEST

START_TEST(arrays_are_aligned_whatever_the_allocator_returns)
{
    const int64_t counts[] = {0, 1, 63, 64, 65, 1000, ((int64_t)5 << 20) + 3};
    for (size_t offset = 0; offset < 64; offset += 7) {
        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
            tsnni_runtime runtime;
            counting_allocator allocator;
            unsigned char *array;
            counting_runtime_init(&runtime, &allocator);
            allocator.offset = offset;
            ck_assert_int_eq(TSNNI_NEW(&runtime, counts[i], &array), TSNN_OK);
            ck_assert_ptr_nonnull(array);
            ck_assert_uint_eq((uintptr_t)array % TSNNI_ALIGNMENT, 0);
            memset(array, 1, (size_t)counts[i]); /* all of it is ours */
            tsnni_release(&runtime, array);
            ck_assert_int_eq(allocator.live, 0);
        }
    }
}
END_TEST

START_TEST(a_zeroed_array_is_zero)
{
    tsnni_runtime runtime;
    counting_allocator allocator;
    int32_t *array;
    counting_runtime_init(&runtime, &allocator);
    ck_assert_int_eq(TSNNI_NEW_ZERO(&runtime, 777, &array), TSNN_OK);
    for (int i = 0; i < 777; i++)
        ck_assert_int_eq(array[i], 0);
    tsnni_release(&runtime, array);
    tsnni_release(&runtime, NULL);
}
END_TEST

START_TEST(an_impossible_size_is_an_overflow)
{
    tsnni_runtime runtime;
    counting_allocator allocator;
    double *array = (double *)&runtime;
    counting_runtime_init(&runtime, &allocator);
    const int64_t counts[] = {-1, INT64_MIN, INT64_MAX, INT64_MAX / 8, INT64_MAX / 8 - 7};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        char number[32];
        array = (double *)&runtime;
        ck_assert_int_eq(TSNNI_NEW(&runtime, counts[i], &array), TSNN_ERROR_OVERFLOW);
        ck_assert_ptr_null(array);
        snprintf(number, sizeof number, "%lld", (long long)counts[i]);
        ck_assert_ptr_nonnull(strstr(runtime.error_text, number));
    }
    ck_assert_int_eq(TSNNI_NEW_ZERO(&runtime, -1, &array), TSNN_ERROR_OVERFLOW);
    ck_assert_int_eq(allocator.calls, 0);
}
END_TEST

START_TEST(a_failing_allocator_gives_out_of_memory_with_the_size)
{
    tsnni_runtime runtime;
    counting_allocator allocator;
    double *array = (double *)&runtime;
    counting_runtime_init(&runtime, &allocator);
    allocator.fail_at = 1;
    ck_assert_int_eq(TSNNI_NEW_ZERO(&runtime, 4321, &array), TSNN_ERROR_OUT_OF_MEMORY);
    ck_assert_ptr_null(array);
    ck_assert_ptr_nonnull(strstr(runtime.error_text, "4321"));
    ck_assert_ptr_nonnull(strstr(runtime.error_text, "8 bytes"));
}
END_TEST

START_TEST(size_arithmetic_stops_at_the_largest_integer)
{
    int64_t out = -5;
    ck_assert_int_eq(tsnni_multiply(INT64_MAX, 2, &out), TSNN_ERROR_OVERFLOW);
    ck_assert_int_eq(tsnni_multiply((int64_t)1 << 32, (int64_t)1 << 31, &out), TSNN_ERROR_OVERFLOW);
    ck_assert_int_eq(tsnni_multiply(-1, 2, &out), TSNN_ERROR_OVERFLOW);
    ck_assert_int_eq(tsnni_add(INT64_MAX, 1, &out), TSNN_ERROR_OVERFLOW);
    ck_assert_int_eq(tsnni_add(1, -1, &out), TSNN_ERROR_OVERFLOW);
    ck_assert_int_eq(out, -5);
    ck_assert_int_eq(tsnni_multiply(INT64_MAX, 0, &out), TSNN_OK);
    ck_assert_int_eq(out, 0);
    ck_assert_int_eq(tsnni_multiply(0, INT64_MAX, &out), TSNN_OK);
    ck_assert_int_eq(tsnni_multiply(INT64_MAX / 3, 3, &out), TSNN_OK);
    ck_assert_int_eq(out, INT64_MAX / 3 * 3);
    ck_assert_int_eq(tsnni_add(INT64_MAX - 1, 1, &out), TSNN_OK);
    ck_assert_int_eq(out, INT64_MAX);
}
END_TEST

#define CHUNKS 100
#define MUCH_WORK 1000000000

typedef struct loop_task {
    int32_t visits[CHUNKS];
    int32_t worker[CHUNKS];
    int32_t inner_visits[CHUNKS];
    float smallest[CHUNKS]; /* a denormal if it survives the product */
    volatile float factor;
    int32_t nested;
} loop_task;

static void count_inner(void *argument, int64_t chunk, int32_t worker)
{
    int32_t *visits = argument;
    if (worker != 0)
        *visits += 1000;
    *visits += 1 + 0 * (int32_t)chunk;
}

static void visit(void *argument, int64_t chunk, int32_t worker)
{
    loop_task *task = argument;
    task->visits[chunk]++;
    task->worker[chunk] = worker;
    if (task->nested)
        tsnni_parallel_for(8, MUCH_WORK, 20, count_inner, &task->inner_visits[chunk]);
    task->smallest[chunk] = task->factor * 1e-20f;
}

START_TEST(every_chunk_runs_once_for_any_number_of_threads)
{
    for (int32_t threads = -1; threads <= 8; threads++) {
        for (int64_t chunks = 0; chunks <= CHUNKS; chunks += chunks < 3 ? 1 : 97) {
            loop_task task = {.factor = 1};
            tsnni_parallel_for(threads, MUCH_WORK, chunks, visit, &task);
            for (int64_t chunk = 0; chunk < CHUNKS; chunk++) {
                ck_assert_int_eq(task.visits[chunk], chunk < chunks);
                ck_assert_int_ge(task.worker[chunk], 0);
                ck_assert_int_lt(task.worker[chunk], threads < 1 ? 1 : threads);
            }
        }
    }
}
END_TEST

/* Many loops of changing lengths in one session, checked after each. */
typedef struct session_task {
    int32_t threads;
    int32_t loops;
    int32_t inner_sessions;
} session_task;

static void run_loops(void *argument)
{
    session_task *session = argument;
    for (int64_t chunks = 0; chunks <= CHUNKS; chunks += chunks < 40 ? 1 : 37) {
        loop_task task = {.factor = 1};
        tsnni_parallel_for(session->threads, chunks % 3 == 0 ? 1 : MUCH_WORK, chunks, visit, &task);
        for (int64_t chunk = 0; chunk < CHUNKS; chunk++) {
            ck_assert_int_eq(task.visits[chunk], chunk < chunks);
            ck_assert_int_lt(task.worker[chunk], session->threads);
        }
        session->loops++;
    }
    if (session->inner_sessions-- > 0)
        tsnni_parallel_session(session->threads, MUCH_WORK, run_loops, session);
}

START_TEST(the_loops_of_a_session_run_every_chunk_once)
{
    for (int32_t threads = 1; threads <= 8; threads++) {
        session_task session = {.threads = threads, .inner_sessions = 1};
        tsnni_parallel_session(threads, MUCH_WORK, run_loops, &session);
        ck_assert_int_gt(session.loops, 80);
    }
}
END_TEST

static void run_loop_for_one(void *argument)
{
    loop_task *task = argument;
    tsnni_parallel_for(1, MUCH_WORK, CHUNKS, visit, task);
}

START_TEST(a_loop_for_fewer_threads_than_its_session_has_keeps_to_them)
{
    loop_task task = {.factor = 1};
    tsnni_parallel_session(4, MUCH_WORK, run_loop_for_one, &task);
    for (int64_t chunk = 0; chunk < CHUNKS; chunk++) {
        ck_assert_int_eq(task.visits[chunk], 1);
        ck_assert_int_eq(task.worker[chunk], 0);
    }
}
END_TEST

START_TEST(little_work_stays_on_the_calling_thread)
{
    loop_task task = {.factor = 1};
    tsnni_parallel_for(8, 100, CHUNKS, visit, &task);
    for (int64_t chunk = 0; chunk < CHUNKS; chunk++) {
        ck_assert_int_eq(task.visits[chunk], 1);
        ck_assert_int_eq(task.worker[chunk], 0);
    }
}
END_TEST

START_TEST(a_loop_inside_a_parallel_loop_is_serial)
{
    loop_task task = {.factor = 1, .nested = 1};
    tsnni_parallel_for(4, MUCH_WORK, CHUNKS, visit, &task);
    for (int64_t chunk = 0; chunk < CHUNKS; chunk++)
        ck_assert_int_eq(task.inner_visits[chunk], 20);
}
END_TEST

static int denormals_survive(void)
{
    volatile float small = 1e-20f;
    volatile float product = small * small;
    return product != 0;
}

/* Whether this machine heeds the bits at all; valgrind does not. */
static int machine_can_flush(void)
{
#if defined(__x86_64__)
    uint32_t mode = _mm_getcsr();
    _mm_setcsr(mode | 0x8040u);
    int flushed = !denormals_survive();
    _mm_setcsr(mode);
    return flushed;
#elif defined(__aarch64__)
    return 1;
#else
    return 0;
#endif
}

START_TEST(denormals_are_flushed_in_a_loop_and_kept_outside)
{
    int flushes = machine_can_flush();
    ck_assert(denormals_survive());
    for (int32_t threads = 1; threads <= 3; threads++) {
        for (int32_t nested = 0; nested <= 1; nested++) {
            loop_task task = {.factor = 1e-20f, .nested = nested};
            tsnni_parallel_for(threads, MUCH_WORK, CHUNKS, visit, &task);
            for (int64_t chunk = 0; flushes && chunk < CHUNKS; chunk++)
                ck_assert(task.smallest[chunk] == 0);
            ck_assert(denormals_survive());
        }
    }
    uint64_t mode = tsnni_cpu_flush_denormals();
    loop_task task = {.factor = 1};
    tsnni_parallel_for(2, MUCH_WORK, CHUNKS, visit, &task);
    ck_assert(!flushes || !denormals_survive()); /* the caller's own choice stands too */
    tsnni_cpu_float_mode_restore(mode);
    ck_assert(denormals_survive());
}
END_TEST

START_TEST(the_machine_is_described_within_reason)
{
    uint32_t features = tsnni_cpu_features();
    ck_assert_uint_eq(features, tsnni_cpu_features());
    ck_assert(!(features & TSNNI_CPU_AVX512) || (features & TSNNI_CPU_AVX2));
#if defined(__x86_64__)
    ck_assert(!(features & TSNNI_CPU_NEON));
    ck_assert_int_eq((features & TSNNI_CPU_AVX2) != 0, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
    ck_assert_int_eq((features & TSNNI_CPU_AVX512) != 0,
                     __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"));
#endif
    ck_assert_int_ge(tsnni_cpu_cache_bytes(1), 4096);
    ck_assert_int_ge(tsnni_cpu_cache_bytes(2), tsnni_cpu_cache_bytes(1));
    ck_assert_int_ge(tsnni_cpu_cache_bytes(3), tsnni_cpu_cache_bytes(1));
    ck_assert_int_ge(tsnni_parallel_processors(), 1);
    ck_assert_int_eq(tsnni_parallel_chunks(1), 1);
    ck_assert_int_ge(tsnni_parallel_chunks(8), 8);
    ck_assert_int_eq(tsnni_parallel_chunks_for(8, 100), 1);
    ck_assert_int_eq(tsnni_parallel_chunks_for(8, MUCH_WORK), tsnni_parallel_chunks(8));
}
END_TEST

/* The C library may add up those of all parts of a package. */
START_TEST(the_third_level_cache_is_no_larger_than_what_one_core_shares)
{
    int level = 0, kilobytes = 0;
    FILE *file = fopen("/sys/devices/system/cpu/cpu0/cache/index3/level", "r");
    if (!file || fscanf(file, "%d", &level) != 1)
        level = 0;
    if (file)
        fclose(file);
    file = fopen("/sys/devices/system/cpu/cpu0/cache/index3/size", "r");
    if (!file || fscanf(file, "%dK", &kilobytes) != 1)
        kilobytes = 0;
    if (file)
        fclose(file);
    if (level == 3 && kilobytes > 0) /* else this system does not tell */
        ck_assert_int_le(tsnni_cpu_cache_bytes(3), (int64_t)kilobytes << 10);
}
END_TEST

Suite *tsnni_suite_core(void)
{
    Suite *suite = suite_create("core");
    TCase *text = tcase_create("text");
    tcase_add_test(text, every_integer_has_a_status_text);
    tcase_add_test(text, a_failure_keeps_its_code_and_text);
    tcase_add_test(text, a_place_goes_in_front_of_a_text);
    tcase_add_test(text, a_long_error_text_is_cut_at_the_end);
    tcase_add_test(text, log_lines_reach_the_callback_and_only_it);
    tcase_add_test(text, a_context_logs_its_kernels_once_and_no_failure);
    suite_add_tcase(suite, text);
    TCase *memory = tcase_create("memory");
    tcase_add_test(memory, arrays_are_aligned_whatever_the_allocator_returns);
    tcase_add_test(memory, a_zeroed_array_is_zero);
    tcase_add_test(memory, an_impossible_size_is_an_overflow);
    tcase_add_test(memory, a_failing_allocator_gives_out_of_memory_with_the_size);
    tcase_add_test(memory, size_arithmetic_stops_at_the_largest_integer);
    suite_add_tcase(suite, memory);
    TCase *parallel = tcase_create("parallel");
    tcase_add_test(parallel, every_chunk_runs_once_for_any_number_of_threads);
    tcase_add_test(parallel, the_loops_of_a_session_run_every_chunk_once);
    tcase_add_test(parallel, a_loop_for_fewer_threads_than_its_session_has_keeps_to_them);
    tcase_add_test(parallel, little_work_stays_on_the_calling_thread);
    tcase_add_test(parallel, a_loop_inside_a_parallel_loop_is_serial);
    tcase_add_test(parallel, denormals_are_flushed_in_a_loop_and_kept_outside);
    tcase_add_test(parallel, the_machine_is_described_within_reason);
    tcase_add_test(parallel, the_third_level_cache_is_no_larger_than_what_one_core_shares);
    suite_add_tcase(suite, parallel);
    return suite;
}
