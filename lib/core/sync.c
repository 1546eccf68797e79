/* Locks and barriers. Atomics and not mutexes: the sanitizers see them, and a lock is held for microseconds. */
#include "core/sync.h"

#include <stddef.h>
#include <threads.h>
#include <time.h>

#define SPINS 2000
#define YIELDS 200
#define SLEEP_NANOSECONDS 20000

void tsnni_sync_wait(int64_t looks)
{
    if (looks < SPINS) {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile("yield");
#endif
    } else if (looks < SPINS + YIELDS) {
        thrd_yield();
    } else {
        struct timespec nap = {0, SLEEP_NANOSECONDS};
        thrd_sleep(&nap, NULL);
    }
}

void tsnni_lock_init(tsnni_lock *lock)
{
    atomic_init(&lock->taken, 0);
}

void tsnni_lock_take(tsnni_lock *lock)
{
    for (int64_t looks = 0; atomic_exchange_explicit(&lock->taken, 1, memory_order_acquire); looks++)
        tsnni_sync_wait(looks);
}

void tsnni_lock_release(tsnni_lock *lock)
{
    atomic_store_explicit(&lock->taken, 0, memory_order_release);
}

void tsnni_barrier_init(tsnni_barrier *barrier, int32_t threads)
{
    atomic_init(&barrier->arrived, 0);
    barrier->threads = threads;
}

void tsnni_barrier_wait(tsnni_barrier *barrier)
{
    int64_t place = atomic_fetch_add_explicit(&barrier->arrived, 1, memory_order_acq_rel);
    int64_t round_end = (place / barrier->threads + 1) * barrier->threads;
    for (int64_t looks = 0; atomic_load_explicit(&barrier->arrived, memory_order_acquire) < round_end; looks++)
        tsnni_sync_wait(looks);
}
