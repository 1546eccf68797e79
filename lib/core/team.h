/* A team: threads that stay together over many parallel loops, and claim the chunks of each as they come free. A thread
 * that the system has put aside holds nobody up, as long as it has not claimed a chunk. Knows nothing of how threads
 * are made. */
#ifndef TSNNI_CORE_TEAM_H
#define TSNNI_CORE_TEAM_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include "core/parallel.h"

#define TSNNI_TEAM_CHUNKS 65535 /* most of one loop */

typedef struct tsnni_team {
    atomic_uint_fast64_t ticket; /* number of the loop << 32 | end of the chunks that are left << 16 | their first */
    _Atomic(tsnni_chunk_function) body; /* the loop: written while the ticket leaves none */
    _Atomic(void *) task;
    atomic_int stop;
    int32_t threads;
    alignas(64) atomic_int_fast64_t done; /* chunks of the loop; on a line of its own, where the leader looks */
} tsnni_team;

void tsnni_team_init(tsnni_team *team, int32_t threads);

/* The leader, worker 0: runs a loop of at most TSNNI_TEAM_CHUNKS together with the others, and returns when all are
 * done. */
void tsnni_team_run(tsnni_team *team, int64_t chunks, tsnni_chunk_function body, void *task);

/* Another member: works until the leader stops the team. Spins shortly, then yields, then sleeps between looks. */
void tsnni_team_follow(tsnni_team *team, int32_t worker);

/* The leader: sends the others home. */
void tsnni_team_stop(tsnni_team *team);

#endif
