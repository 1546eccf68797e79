/* The parallel loop. The only file with OpenMP in it. */
#include "core/parallel.h"

#include <fenv.h>
#include <stddef.h>

#include "cpu/cpu.h"

#ifdef _OPENMP
#include <omp.h>

#include "core/process.h"
#include "core/team.h"

/* The team of the session that this thread leads. */
static _Thread_local tsnni_team *led_team;
#endif

/* Nanoseconds of work below which sharing costs more than it brings: threads also fetch what the others wrote. See
 * docs/performance.md. */
#define SERIAL_WORK 25000

#ifdef _OPENMP
static int32_t may_open_region(int32_t threads, int64_t work)
{
    return threads > 1 && work >= SERIAL_WORK && !omp_in_parallel() && !tsnni_process_lost_threads();
}
#endif

static void run_serial(int64_t chunks, tsnni_chunk_function body, void *task)
{
    uint64_t mode = tsnni_cpu_flush_denormals();
    for (int64_t chunk = 0; chunk < chunks; chunk++)
        body(task, chunk, 0);
    tsnni_cpu_float_mode_restore(mode);
}

void tsnni_parallel_for(int32_t threads, int64_t work, int64_t chunks, tsnni_chunk_function body, void *task)
{
    if (chunks < 1)
        return;
#ifdef _OPENMP
    /* A larger team than asked for would use workers that the caller has no scratch memory for. */
    if (led_team != NULL && led_team->threads <= threads && work >= SERIAL_WORK && chunks > 1 &&
        chunks <= TSNNI_TEAM_CHUNKS) {
        uint64_t mode = tsnni_cpu_flush_denormals();
        tsnni_team_run(led_team, chunks, body, task);
        tsnni_cpu_float_mode_restore(mode);
        return;
    }
    /* All the threads even for a few chunks: OpenMP ends those that a smaller region leaves out. */
    if (chunks > 1 && may_open_region(threads, work)) {
#pragma omp parallel num_threads(threads)
        {
            uint64_t mode = tsnni_cpu_flush_denormals();
            int32_t worker = (int32_t)omp_get_thread_num();
#pragma omp for schedule(dynamic, 1)
            for (int64_t chunk = 0; chunk < chunks; chunk++)
                body(task, chunk, worker);
            tsnni_cpu_float_mode_restore(mode);
        }
        return;
    }
#else
    (void)threads;
    (void)work;
#endif
    run_serial(chunks, body, task);
}

static void run_session(int32_t threads, int64_t work, void (*body)(void *argument), void *argument)
{
#ifdef _OPENMP
    if (led_team == NULL && may_open_region(threads, work)) {
        tsnni_team team;
#pragma omp parallel num_threads(threads)
        {
#pragma omp single
            tsnni_team_init(&team, (int32_t)omp_get_num_threads());
            int32_t worker = (int32_t)omp_get_thread_num();
            if (worker == 0) {
                led_team = &team;
                body(argument);
                led_team = NULL;
                tsnni_team_stop(&team);
            } else {
                uint64_t mode = tsnni_cpu_flush_denormals();
                tsnni_team_follow(&team, worker);
                tsnni_cpu_float_mode_restore(mode);
            }
        }
        return;
    }
#else
    (void)threads;
    (void)work;
#endif
    body(argument);
}

int32_t tsnni_parallel_workers(int32_t workers, void (*body)(void *argument, int32_t worker), void *argument)
{
#ifdef _OPENMP
    int32_t enough = 1;
    if (omp_in_parallel() || led_team != NULL || tsnni_process_lost_threads())
        return 0;
#pragma omp parallel num_threads(workers) shared(enough)
    {
        uint64_t mode = tsnni_cpu_flush_denormals();
        if (omp_get_num_threads() == (int)workers) {
            body(argument, (int32_t)omp_get_thread_num());
        } else {
#pragma omp single
            enough = 0;
        }
        tsnni_cpu_float_mode_restore(mode);
    }
    return enough;
#else
    (void)workers;
    (void)body;
    (void)argument;
    return 0;
#endif
}

void tsnni_parallel_session(int32_t threads, int64_t work, void (*body)(void *argument), void *argument)
{
    /* The body may call the caller's functions, which may change it. */
    fenv_t environment;
    fegetenv(&environment);
    run_session(threads, work, body, argument);
    fesetenv(&environment);
}

int64_t tsnni_parallel_chunks(int32_t threads)
{
    return threads > 1 ? (int64_t)threads * 4 : 1;
}

int64_t tsnni_parallel_chunks_for(int32_t threads, int64_t work)
{
    return work >= SERIAL_WORK ? tsnni_parallel_chunks(threads) : 1;
}

int32_t tsnni_parallel_processors(void)
{
#ifdef _OPENMP
    int processors = omp_get_num_procs(); /* counts the affinity mask */
    return processors > 0 ? (int32_t)processors : 1;
#else
    return 1;
#endif
}
