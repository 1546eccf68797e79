/* Inside of parallel training. parallel.c holds the object and its epochs, parallel_worker.c what a worker has,
 * parallel_async.c, parallel_sync.c and parallel_local.c the three ways of running an epoch, parallel_log.c the log. */
#ifndef TSNNI_PARALLEL_H
#define TSNNI_PARALLEL_H

#include <stdatomic.h>

#include <tsnn/parallel.h>

#include "core/sync.h"
#include "optimizer.h"
#include "step.h"

/* A worker. It has a context of its own, since a context is used by one thread at a time: one thread, a seed that makes
 * its dropout, order and regrowth its own. */
typedef struct tsnni_worker {
    _Alignas(TSNNI_ALIGNMENT) tsnn_context context;
    tsnn_network *network; /* its snapshot, or copy; in WASSP the server's network itself */
    tsnn_gradient *gradient;
    tsnni_workspace *workspace;
    float *retained; /* WASAP: the largest layer's gradient on the server's topology */

    /* WASAP */
    int64_t exchange; /* the number of the one at hand */
    int64_t snapshot; /* commits that the network holds */
    int32_t ready;    /* the exchange's gradient is computed */

    /* Of all samples. Phase 1: of the epoch that a late exchange is about which is to be computed anew, or NULL; phase
     * 2: its own. */
    int64_t *order;
    int64_t order_epoch;              /* phase 1 */
    int64_t order_next, order_rounds; /* phase 2 */
    tsnn_trainer *trainer;
    tsnn_evolution *evolution;

    /* the exchange or epoch at hand */
    tsnni_score score;
    int64_t score_samples, score_steps;
    double score_norm;

    /* the epoch at hand */
    double epoch_loss;
    int64_t epoch_correct, epoch_samples;
    int64_t epoch_replaced; /* connections, in phase 2 */
    double finished_at;

    tsnn_status status; /* of its last run; the text is in its context */
    tsnn_parallel_worker_info info;
    int64_t dropped, entries_retained, entries_lost, staleness_sum, staleness_most;
    int64_t staleness[TSNN_STALENESS_BINS];
} tsnni_worker;

/* A caller's allocator, called by one thread at a time. */
typedef struct tsnni_shared_allocator {
    tsnni_lock lock;
    void *(*allocate)(void *user, size_t size);
    void (*release)(void *user, void *pointer);
    void *user;
} tsnni_shared_allocator;

/* Who runs the workers. Zeros: threads of this process. Else they live in several processes, of which this is one. */
typedef struct tsnni_engine {
    void (*run_steps)(tsnn_parallel *parallel, int32_t first_phase); /* the steps of one epoch */
    /* Called when what comes until the next steps, evolution and callbacks, may take long; NULL: nobody waits. */
    void (*pause)(tsnn_parallel *parallel);
    void *user;
    int32_t first, end;    /* the workers of this process */
    int32_t computing_end; /* those from this on compute nothing here: they mirror another process's */
    int32_t apart;         /* 1: it has not all copies of phase 2, so that others average */
    int32_t sharded;       /* 1: the training set is this process's own part, all of which it learns from */
    int64_t exchanges;     /* of an epoch, by all processes; 0: they follow from the training set */
} tsnni_engine;

struct tsnn_parallel {
    tsnn_context *context;
    tsnn_parallel_options options; /* with defaults filled in */
    tsnn_schedule_options schedule;
    tsnn_optimizer local; /* the optimizer as phase 2 uses it */
    int64_t phase_one;    /* epochs */
    int64_t epochs_done;
    tsnni_shared_allocator allocator;
    tsnni_worker *workers;
    tsnn_network **networks; /* the workers', for averaging */
    tsnni_engine engine;

    /* a run */
    const tsnn_dataset *train;
    int64_t batches;      /* mini-batches an epoch */
    int64_t exchanges;    /* WASAP: of an epoch; WASSP: steps of an epoch */
    int64_t *order[2];    /* of the epochs of phase 1, by their number's parity */
    int32_t turns;        /* 1: the workers take turns on one thread */
    atomic_int stop;      /* all workers stop as soon as they see it */
    tsnn_status callback; /* what on_step answered */
    double learning_rate; /* of worker 0's last step */

    /* WASAP: the server is options.network and these */
    tsnni_lock *locks;           /* one a layer */
    atomic_int_fast64_t commits; /* so far; changes under the first lock */
    int64_t commit_end;          /* of this epoch */
    tsnn_parallel_commit *log;   /* NULL: not kept */
    int64_t log_count;
    tsnn_parallel_commit *replay; /* NULL: none */

    /* WASSP */
    tsnni_barrier barrier;
    int64_t sync_updates;

    int32_t concurrent;
    double phase_seconds[2];
};

/* ---- parallel_worker.c ---- */

/* The seed of a worker's own random numbers: in phase 1 that of 0 epochs, since mini-batches are numbered over all of
 * them; in phase 2 that of the epochs before. */
uint64_t tsnni_worker_seed(uint64_t seed, int32_t worker, int64_t epochs);

/* Gives a worker its context. */
void tsnni_worker_init(tsnn_parallel *parallel, int32_t number);

/* What phase 1 needs: workspace, gradient, and in WASAP a snapshot. */
tsnn_status tsnni_worker_enter_phase_one(tsnn_parallel *parallel, tsnni_worker *worker);

/* What phase 2 needs: a copy of the network, and a trainer of it. */
tsnn_status tsnni_worker_enter_phase_two(tsnn_parallel *parallel, tsnni_worker *worker);

/* Frees what either gave. */
void tsnni_worker_leave(tsnn_parallel *parallel, tsnni_worker *worker);

/* Computes into worker->gradient the gradient of the mini-batches [first, end) of all epochs: the sum of their means,
 * or with `divisor` above 0 the sum over their samples divided by it. Clips it; frozen layers have none. */
void tsnni_worker_compute(tsnn_parallel *parallel, tsnni_worker *worker, int64_t first, int64_t end, int64_t divisor);

/* Adds the score at hand to the epoch's; stops the run when it is not finite. */
void tsnni_worker_count(tsnn_parallel *parallel, tsnni_worker *worker);

/* ---- a run ---- */

/* Gives the workers what the phase needs that is next, the run its orders and log. End it also after a failure. */
tsnn_status tsnni_parallel_begin(tsnn_parallel *parallel, const tsnn_dataset *train);
void tsnni_parallel_end(tsnn_parallel *parallel);

/* Gives the workers of this process what the phase at hand needs. */
tsnn_status tsnni_parallel_enter(tsnn_parallel *parallel);

/* One epoch, with all that surrounds its steps. */
tsnn_status tsnni_parallel_run_epoch(tsnn_parallel *parallel, const tsnn_dataset *validation);

/* Whether a run may begin with these data. */
tsnn_status tsnni_parallel_check_data(const tsnn_parallel *parallel, const tsnn_dataset *train,
                                      const tsnn_dataset *validation);

/* What comes before the steps of an epoch of phase 1: orders, fresh snapshots, workers of the network's shape. */
tsnn_status tsnni_parallel_prepare(tsnn_parallel *parallel);

/* ---- parallel_log.c ---- */

/* Room for the log of the run that begins; what a run left that was stopped between epochs stays. */
tsnn_status tsnni_parallel_keep_log(tsnn_parallel *parallel);

/* A log must be one that these options can have led to, from the epoch at hand on: the workers would wait for each
 * other for ever otherwise. */
tsnn_status tsnni_parallel_check_replay(tsnn_parallel *parallel);

/* Whether the log's run was stopped after so many epochs, or 0, and its workers began anew there. */
int32_t tsnni_parallel_replay_begins_anew(const tsnn_parallel *parallel, int64_t epochs);

/* ---- the epochs ---- */

/* How the weights move in an update of phase 1 that stands for `steps` mini-batches: their decay, the learning rate. */
tsnni_update tsnni_parallel_update(const tsnn_parallel *parallel, double progress, double length, int64_t steps);

/* Of the learning rate in phase 2, by as many workers as that has. */
double tsnni_parallel_default_local_multiple(int32_t workers);

/* How many workers phase 2 has, where that is not how many phase 1 has. */
void tsnni_parallel_local_workers(tsnn_parallel *parallel, int32_t workers);

/* The learning rate's factor in a step of either phase, of that length in epochs. */
double tsnni_parallel_rate_factor(const tsnn_parallel *parallel, double multiple, double progress, double length);

/* on_step, after a step of worker 0. */
void tsnni_parallel_report_step(tsnn_parallel *parallel, int64_t step, int64_t steps);

/* Each runs the steps of one epoch with all workers; what went wrong is in the workers' status. */
void tsnni_parallel_run_async(tsnn_parallel *parallel);
void tsnni_parallel_run_sync(tsnn_parallel *parallel);
void tsnni_parallel_run_local(tsnn_parallel *parallel);

/* WASSP: the mini-batches [first, end) of an epoch that a worker has in a step; `total` are those of all workers. */
typedef struct tsnni_sync_share {
    int64_t first, end, total, samples; /* samples: of all workers */
} tsnni_sync_share;
tsnni_sync_share tsnni_sync_share_of(const tsnn_parallel *parallel, int64_t step, int32_t worker);

/* WASAP: the mini-batches [first, end) that an exchange is about: numbers over all epochs. */
void tsnni_async_batches(const tsnn_parallel *parallel, int64_t exchange, int64_t *first, int64_t *end);

/* Phase 2: a worker's epoch; what went wrong is in its status. */
void tsnni_local_run_worker(tsnn_parallel *parallel, tsnni_worker *worker);

/* WASAP: hands in the worker's gradient and fetches the newest weights. 0: the epoch is full or the run stopped, and
 * the gradient waits. */
int32_t tsnni_async_commit(tsnn_parallel *parallel, tsnni_worker *worker);

/* WASAP: sets the server up for the epochs from epochs_done on; and a worker's snapshot to the newest weights. */
void tsnni_async_start(tsnn_parallel *parallel);
void tsnni_async_refresh(tsnn_parallel *parallel, tsnni_worker *worker);

#endif
