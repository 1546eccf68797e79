/* The only door to OpenMP. A build without it (OPENMP=0) runs the same chunks in order and gives the same bits. */
#ifndef TSNNI_CORE_PARALLEL_H
#define TSNNI_CORE_PARALLEL_H

#include <stdint.h>

/* Runs one chunk. `worker` is in [0, threads) and is never shared by two chunks that run at the same time: index
 * scratch memory with it, never results. */
typedef void (*tsnni_chunk_function)(void *task, int64_t chunk, int32_t worker);

/* Calls body(task, chunk, worker) once for every chunk in [0, chunks), on up to `threads` threads, and returns when
 * all are done. Runs serially when threads < 2, when `work` (about one per nanosecond of work) is below a threshold,
 * inside a caller's parallel region, or in a child of fork() whose parent has run loops in parallel. A body runs in the
 * floating-point mode of tsnni_cpu_flush_denormals() on every thread, and the caller's mode is restored. Never changes
 * OpenMP's settings. */
void tsnni_parallel_for(int32_t threads, int64_t work, int64_t chunks, tsnni_chunk_function body, void *task);

/* Calls body(argument) once, on the caller's thread, with the threads of one parallel region standing by: the parallel
 * loops inside share them, instead of opening a region each. Waiting threads yield the processor soon, so that a busy
 * machine slows a session down and does not stall it. Without enough `work`, or inside another session or region, the
 * call is a plain one. The caller's floating-point mode is restored, whatever the body does to it between loops. */
void tsnni_parallel_session(int32_t threads, int64_t work, void (*body)(void *argument), void *argument);

/* Calls body(argument, worker) for every worker in [0, workers), each on a thread of its own and all at the same time:
 * they may wait for each other. Worker 0 is the caller's thread; parallel loops inside are serial. Returns 0 without a
 * call where so many threads are not to be had at once (a build without OpenMP, inside another region, a limit of the
 * process): the caller then lets the workers take turns. */
int32_t tsnni_parallel_workers(int32_t workers, void (*body)(void *argument, int32_t worker), void *argument);

/* Chunks that a caller should cut its work into for `threads` threads: enough for balance, no more. */
int64_t tsnni_parallel_chunks(int32_t threads);

/* The same for so much work: 1 where a loop would be serial anyway, since a cut costs a little too. */
int64_t tsnni_parallel_chunks_for(int32_t threads, int64_t work);

/* Processors that this process may use; 1 without OpenMP. */
int32_t tsnni_parallel_processors(void);

#endif
