/* How the threads of a parallel region wait for each other: a lock and a barrier made of atomics. Waiting threads look
 * for a moment, then give the processor away, then sleep between looks: more threads than processors slow a region
 * down and do not stall it. Knows nothing of how threads are made. */
#ifndef TSNNI_CORE_SYNC_H
#define TSNNI_CORE_SYNC_H

#include <stdatomic.h>
#include <stdint.h>

/* Waits a little, the longer the more often it was called before: 0, 1, 2, ... looks. */
void tsnni_sync_wait(int64_t looks);

typedef struct tsnni_lock {
    atomic_int taken;
} tsnni_lock;

void tsnni_lock_init(tsnni_lock *lock);
void tsnni_lock_take(tsnni_lock *lock);
void tsnni_lock_release(tsnni_lock *lock);

/* For a fixed number of threads, any number of times. */
typedef struct tsnni_barrier {
    atomic_int_fast64_t arrived; /* over all rounds */
    int64_t threads;
} tsnni_barrier;

void tsnni_barrier_init(tsnni_barrier *barrier, int32_t threads);

/* Returns when all threads have called it as often as this one. What each wrote before is seen by all after. */
void tsnni_barrier_wait(tsnni_barrier *barrier);

#endif
