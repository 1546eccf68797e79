/* The parallel loop. The only file with OpenMP in it. */
#include "core/parallel.h"

#include "cpu/cpu.h"

#ifdef _OPENMP
#include <omp.h>
#endif

/* Nanoseconds of work below which waking the threads costs more than it brings. */
#define SERIAL_WORK 20000

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
    if (threads > chunks)
        threads = (int32_t)chunks;
#ifdef _OPENMP
    if (threads > 1 && work >= SERIAL_WORK && !omp_in_parallel()) {
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
    (void)work;
#endif
    run_serial(chunks, body, task);
}

int64_t tsnni_parallel_chunks(int32_t threads)
{
    return threads > 1 ? (int64_t)threads * 4 : 1;
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
