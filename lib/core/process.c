/* A handler of fork(), in place from the moment that the library is loaded: the threads may be the caller's. A build
 * without OpenMP has no use for it. */
#define _POSIX_C_SOURCE 200809L

#include "core/process.h"

#if defined(_OPENMP) && (defined(__unix__) || defined(__APPLE__))

#include <pthread.h>
#include <stdatomic.h>

#if defined(__has_include)
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define KNOWS_SINGLE_THREADED 1
#endif
#endif

static atomic_int lost_threads;

/* Elsewhere than with glibc nobody tells: a child is taken to have lost some. */
static int had_threads(void)
{
#if defined(KNOWS_SINGLE_THREADED)
    return __libc_single_threaded == 0;
#else
    return 1;
#endif
}

/* glibc does not let a child forget that its parent had threads. */
static void after_fork(void)
{
    if (had_threads())
        atomic_store_explicit(&lost_threads, 1, memory_order_relaxed);
}

__attribute__((constructor)) static void watch_fork(void)
{
    pthread_atfork(0, 0, after_fork);
}

int32_t tsnni_process_lost_threads(void)
{
    return atomic_load_explicit(&lost_threads, memory_order_relaxed);
}

#else

int32_t tsnni_process_lost_threads(void)
{
    return 0;
}

#endif
