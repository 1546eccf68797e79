/* How the members of a team share a loop: by one ticket that names the loop and the chunks that are left, which are
 * claimed from both ends. Every other member claims from the back: loops over the same rows follow one another, and so
 * each finds most of the rows that it wrote before in its own cache.
 *
 * A member reads the ticket, then the loop, then claims by comparing and swapping the ticket. That succeeds only if the
 * ticket has not changed in between, and the leader closes it before it writes another loop: so what was read belongs
 * together. */
#include "core/team.h"

#include <stddef.h>
#include <threads.h>
#include <time.h>

#define LOOP_SHIFT 32
#define BACK_SHIFT 16 /* one behind the last chunk that is left; below it the first one */
#define CHUNK_MASK UINT64_C(0xffff)
#define CLOSED UINT64_C(0) /* none is left */

/* Waiting: about 20 us of looking, then giving the processor away, then sleeps that cost next to nothing. */
#define SPINS 1000
#define YIELDS 100
#define SLEEP_NANOSECONDS 50000

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void wait_a_little(int64_t looks, int32_t may_sleep)
{
    if (looks < SPINS) {
        relax();
    } else if (looks < SPINS + YIELDS || !may_sleep) {
        thrd_yield();
    } else {
        struct timespec nap = {0, SLEEP_NANOSECONDS};
        thrd_sleep(&nap, NULL);
    }
}

void tsnni_team_init(tsnni_team *team, int32_t threads)
{
    atomic_init(&team->ticket, CLOSED);
    atomic_init(&team->body, NULL);
    atomic_init(&team->task, NULL);
    atomic_init(&team->done, 0);
    atomic_init(&team->stop, 0);
    team->threads = threads;
}

/* Claims and runs chunks until none is left; returns whether there was one. */
static int32_t work(tsnni_team *team, int32_t worker)
{
    int32_t worked = 0;
    for (;;) {
        uint_fast64_t ticket = atomic_load_explicit(&team->ticket, memory_order_acquire);
        int64_t front = (int64_t)(ticket & CHUNK_MASK), back = (int64_t)(ticket >> BACK_SHIFT & CHUNK_MASK);
        if (front >= back)
            return worked;
        int64_t chunk = worker % 2 == 0 ? front : back - 1;
        uint_fast64_t claimed = worker % 2 == 0 ? ticket + 1 : ticket - (UINT64_C(1) << BACK_SHIFT);
        tsnni_chunk_function body = atomic_load_explicit(&team->body, memory_order_relaxed);
        void *task = atomic_load_explicit(&team->task, memory_order_relaxed);
        if (!atomic_compare_exchange_weak_explicit(&team->ticket, &ticket, claimed, memory_order_acq_rel,
                                                   memory_order_relaxed))
            continue;
        body(task, chunk, worker);
        atomic_fetch_add_explicit(&team->done, 1, memory_order_release);
        worked = 1;
    }
}

void tsnni_team_run(tsnni_team *team, int64_t chunks, tsnni_chunk_function body, void *task)
{
    uint_fast64_t closed = atomic_load_explicit(&team->ticket, memory_order_relaxed);
    uint_fast64_t loop = (closed >> LOOP_SHIFT) + 1;
    atomic_store_explicit(&team->done, 0, memory_order_relaxed);
    atomic_store_explicit(&team->body, body, memory_order_relaxed);
    atomic_store_explicit(&team->task, task, memory_order_relaxed);
    atomic_store_explicit(&team->ticket, loop << LOOP_SHIFT | (uint_fast64_t)chunks << BACK_SHIFT,
                          memory_order_release);
    work(team, 0);
    for (int64_t looks = 0; atomic_load_explicit(&team->done, memory_order_acquire) < chunks; looks++)
        wait_a_little(looks, 0);
    /* A sequentially consistent swap: no member may see the next loop's numbers together with this loop's ticket. */
    atomic_exchange(&team->ticket, loop << LOOP_SHIFT | CLOSED);
}

void tsnni_team_follow(tsnni_team *team, int32_t worker)
{
    int64_t looks = 0;
    while (!atomic_load_explicit(&team->stop, memory_order_acquire)) {
        if (work(team, worker))
            looks = 0;
        else
            wait_a_little(looks++, 1);
    }
}

void tsnni_team_stop(tsnni_team *team)
{
    atomic_store_explicit(&team->stop, 1, memory_order_release);
}
