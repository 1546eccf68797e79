/* What the tests on ranks share: claims, courses of training, counts of what MPI was asked to do; and the groups of
 * claims, one file each. */
#ifndef TSNN_TESTS_MPI_RANKS_H
#define TSNN_TESTS_MPI_RANKS_H

#include <tsnn-mpi.h>

#include "../unit/course.h"

extern int tsnni_rank, tsnni_ranks;
extern int tsnni_claim_failed;          /* 1: some claim did not hold */
extern char tsnni_claim_detail[256];    /* what to tell when the next claim fails */
extern const char *const tsnni_modes[]; /* by their number */

/* ---- support.c ---- */

/* Whether it is so on every rank; collective. */
int tsnni_everyone(int good);
int64_t tsnni_sum_over_ranks(int64_t own);

/* A claim holds where it holds on every rank; one line, from rank 0; collective. */
void tsnni_claim(const char *text, int good);

/* What rank 0's callback after an epoch does and sees. */
typedef struct tsnni_watcher {
    int64_t epochs, stop_epoch;
    int32_t answer; /* after stop_epoch */
    double loss, first_loss, accuracy;
    const char *path;  /* the network is saved there; NULL: it is not */
    int64_t save_from; /* the first epoch that is saved */
    tsnn_network *network;
} tsnni_watcher;

/* How long a claim that a run learns lets it run. */
#define TSNNI_LEARNING_EPOCHS 40

/* 12-20-15-4 on 120 samples, with evolution and validation. */
tsnni_course tsnni_ranks_course(double dropout);

/* 12-360-360-4 on 300 samples: enough work that a context's threads share it. */
tsnni_course tsnni_ranks_large_course(int32_t threads);

/* Six epochs of mini-batches of 7. */
tsnn_parallel_options tsnni_ranks_options(const tsnni_course *course, int32_t mode, tsnni_watcher *user);

/* Creates, runs, and notes what the context tells; collective. */
tsnn_status tsnni_ranks_run(tsnni_course *course, const tsnn_parallel_options *options, const tsnn_mpi_options *more,
                            tsnn_mpi_info *info);

/* Gradients of WASAP in flight, with a server that is a worker too or is apart. */
int32_t tsnni_ranks_lanes(int32_t in_flight, int32_t apart);

/* Whether every rank has rank 0's network, or status; collective. */
int tsnni_same_network(tsnn_network *network);
int tsnni_same_status(tsnn_status status);

/* ---- wire.c: MPI as the library calls it, by MPI's profiling interface ---- */

typedef struct tsnni_wire {
    int64_t sends, receives;      /* messages between two ranks */
    int64_t bytes;                /* of the sends, but for notices */
    int64_t notice_bytes;         /* of the notices that WASAP's server sends */
    int64_t meeting_bytes;        /* that this rank brings to Iallreduce, Iallgather and, as the root, Ibcast */
    int64_t pending;              /* requests that are not done */
    int64_t communicators, types; /* not freed */
    int64_t on_stack;             /* buffers given to MPI that are gone before a message that comes late */
} tsnni_wire;

extern tsnni_wire tsnni_wire_counts;

/* An address on the stack above all frames of the library. */
extern uintptr_t tsnni_wire_stack;

/* From its sends, the one of this number, from 1, is refused by MPI; 0: none. */
extern int64_t tsnni_wire_refuses;

/* ---- the groups ---- */

void tsnni_claim_training(void); /* learning, bits, bytes */
void tsnni_claim_refusals(void); /* bad input */
void tsnni_claim_failures(void); /* callbacks, checkpoints, divergence: everything that ends a run */
void tsnni_claim_memory(void);   /* each request for memory refused, on one rank */
void tsnni_claim_stress(int runs);
void tsnni_claim_other_version(void); /* where the last rank's program has another library */
void tsnni_claim_single(void);        /* MPI without threads */

/* Lines that tests/mpi/run.sh reads: a rank goes in the middle of a run, and what is left of a checkpoint. */
void tsnni_lose_a_rank(int32_t mode, const char *how, const char *path, int lost, int local);
void tsnni_resume(const char *path);

#endif
