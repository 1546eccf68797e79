/* WASAP: the server is the caller's network; a worker hands its gradient in and fetches the newest weights in one pass
 * over the layers.
 *
 * A lock a layer, taken hand over hand: a worker takes the next layer's lock before it gives the last one's back, so no
 * worker overtakes another, all layers see the updates in one order, and what a worker fetches is the model after
 * exactly its own update. That makes the order of commits the whole truth about a run: replaying it gives its bits. */
#include <math.h>
#include <string.h>

#include "core/parallel.h"
#include "epoch.h"
#include "optimizer.h"
#include "parallel.h"
#include "sparse/merge.h"
#include "transfer.h"

/* Numbers that are updated and then fetched while they are in the nearest cache. */
#define BLOCK 2048

void tsnni_async_batches(const tsnn_parallel *parallel, int64_t exchange, int64_t *first, int64_t *end)
{
    int64_t epoch = exchange / parallel->exchanges, within = exchange % parallel->exchanges;
    int64_t local = parallel->options.local_steps;
    *first = within * local;
    *end = (within + 1) * local < parallel->batches ? (within + 1) * local : parallel->batches;
    *first += epoch * parallel->batches;
    *end += epoch * parallel->batches;
}

/* ---- the server's side ---- */

static void update_and_fetch(const tsnni_kernels *kernels, const tsnni_update *update, float *values, float *velocity,
                             const float *gradient, float *snapshot, int64_t count)
{
    for (int64_t begin = 0; begin < count; begin += BLOCK) {
        int64_t end = count - begin < BLOCK ? count : begin + BLOCK;
        if (update != NULL)
            kernels->update(values, velocity, gradient, update, begin, end);
        memcpy(snapshot + begin, values + begin, (size_t)(end - begin) * sizeof *values);
    }
}

/* One layer, under its lock. update NULL: the gradient does not count. */
static void exchange_layer(tsnn_parallel *parallel, tsnni_worker *worker, int64_t l, const tsnni_update *update)
{
    tsnn_layer *server = parallel->options.network->stages[l].layer, *own = worker->network->stages[l].layer;
    tsnni_layer_gradient *gradient = &worker->gradient->layers[l];
    const float *numbers = gradient->weights;
    if (own->version != server->version) {
        if (update != NULL) {
            int64_t retained = tsnni_merge_retain(&own->topology.pattern, gradient->weights, &server->topology.pattern,
                                                  worker->retained);
            worker->entries_retained += retained;
            worker->entries_lost += gradient->connections - retained;
            numbers = worker->retained;
        }
        tsnni_transfer_topology(server, own);
        gradient->version = server->version;
    }
    if (server->frozen)
        update = NULL;
    const tsnni_kernels *kernels = parallel->context->kernels;
    update_and_fetch(kernels, update, server->topology.values, server->topology.velocity, numbers, own->topology.values,
                     server->topology.pattern.count);
    update_and_fetch(kernels, update, server->bias, server->bias_velocity, gradient->bias, own->bias,
                     server->topology.pattern.columns);
}

/* Takes the first lock when it is this worker's turn; 0 when there is nothing more to commit. */
static int32_t take_turn(tsnn_parallel *parallel, const tsnni_worker *worker)
{
    for (int64_t looks = 0;; looks++) {
        tsnni_lock_take(&parallel->locks[0]);
        int64_t commits = atomic_load_explicit(&parallel->commits, memory_order_relaxed);
        if (commits == parallel->commit_end || atomic_load(&parallel->stop)) {
            tsnni_lock_release(&parallel->locks[0]);
            return 0;
        }
        if (parallel->replay == NULL || parallel->replay[commits].worker == worker - parallel->workers)
            return 1;
        tsnni_lock_release(&parallel->locks[0]);
        tsnni_sync_wait(looks);
    }
}

static int32_t has_old_topology(const tsnn_parallel *parallel, const tsnni_worker *worker)
{
    for (int64_t l = 0; l < worker->network->count; l++)
        if (worker->network->stages[l].layer->version != parallel->options.network->stages[l].layer->version)
            return 1;
    return 0;
}

static void count_staleness(tsnni_worker *worker, int64_t staleness)
{
    worker->staleness[staleness < TSNN_STALENESS_BINS ? staleness : TSNN_STALENESS_BINS - 1]++;
    worker->staleness_sum += staleness;
    worker->staleness_most = staleness > worker->staleness_most ? staleness : worker->staleness_most;
}

int32_t tsnni_async_commit(tsnn_parallel *parallel, tsnni_worker *worker)
{
    const tsnn_parallel_options *options = &parallel->options;
    double start = tsnni_seconds_now();
    if (!take_turn(parallel, worker))
        return 0;
    double begin = tsnni_seconds_now();
    int64_t number = atomic_load_explicit(&parallel->commits, memory_order_relaxed);
    int64_t staleness = number - worker->snapshot, layers = worker->network->count;
    if (parallel->log != NULL)
        parallel->log[parallel->log_count++] =
            (tsnn_parallel_commit){worker - parallel->workers, worker->exchange, worker->snapshot};
    atomic_store_explicit(&parallel->commits, number + 1, memory_order_release);
    int32_t counts = (options->stale_limit == 0 || staleness <= options->stale_limit) &&
                     (options->retain == TSNN_RETAIN_VALID || !has_old_topology(parallel, worker));
    tsnni_update update = tsnni_parallel_update(parallel, (double)number / (double)parallel->exchanges,
                                                1.0 / (double)parallel->exchanges, worker->score_steps);
    for (int64_t l = 0; l < layers; l++) {
        if (l > 0) {
            tsnni_lock_take(&parallel->locks[l]);
            tsnni_lock_release(&parallel->locks[l - 1]);
        }
        exchange_layer(parallel, worker, l, counts ? &update : NULL);
    }
    tsnni_lock_release(&parallel->locks[layers - 1]);
    count_staleness(worker, staleness);
    worker->dropped += !counts;
    worker->snapshot = number + 1;
    worker->exchange = number + options->workers;
    worker->ready = 0;
    tsnni_worker_count(parallel, worker);
    worker->info.wait_seconds += begin - start;
    worker->info.exchange_seconds += tsnni_seconds_now() - begin;
    if (worker == parallel->workers) {
        parallel->learning_rate = update.learning_rate;
        tsnni_parallel_report_step(parallel, number % parallel->exchanges + 1, parallel->exchanges);
    }
    return 1;
}

void tsnni_async_refresh(tsnn_parallel *parallel, tsnni_worker *worker)
{
    for (int64_t l = 0; l < worker->network->count; l++)
        exchange_layer(parallel, worker, l, NULL);
    worker->snapshot = atomic_load(&parallel->commits);
}

void tsnni_async_start(tsnn_parallel *parallel)
{
    int64_t commits = parallel->epochs_done * parallel->exchanges;
    atomic_store(&parallel->commits, commits);
    for (int32_t w = 0; w < parallel->options.workers; w++) {
        tsnni_worker *worker = &parallel->workers[w];
        worker->exchange = commits + w;
        worker->snapshot = commits;
        worker->ready = 0;
    }
}

/* ---- the workers' side ---- */

/* The gradient of the exchange at hand, unless it is there already; 0: it is too far ahead, or the run stops. A worker
 * whose own update closed the epoch waits for the evolution and computes on what that leaves; any other computes in
 * this epoch, even when that is full already: so all know the order of samples that an exchange is about. */
static int32_t make_ready(tsnn_parallel *parallel, tsnni_worker *worker)
{
    int64_t first, end;
    if (worker->snapshot == parallel->commit_end || worker->exchange >= parallel->commit_end + parallel->exchanges ||
        worker->exchange >= parallel->phase_one * parallel->exchanges || atomic_load(&parallel->stop))
        return 0;
    if (worker->ready)
        return 1;
    tsnni_async_batches(parallel, worker->exchange, &first, &end);
    tsnni_worker_compute(parallel, worker, first, end, 0);
    worker->ready = 1;
    if (!isfinite(worker->score.loss))
        tsnni_worker_count(parallel, worker);
    return isfinite(worker->score.loss);
}

static void work(void *argument, int32_t number)
{
    tsnn_parallel *parallel = argument;
    tsnni_worker *worker = &parallel->workers[number];
    while (make_ready(parallel, worker) && tsnni_async_commit(parallel, worker))
        continue;
    worker->finished_at = tsnni_seconds_now();
}

/* Whose turn it is: by the log, or who has the oldest exchange. That goes round from 0 to K - 1, also from an epoch on
 * that is not the first; and the oldest is one of this epoch or of an earlier one, so whoever has it can go on. */
static tsnni_worker *next_in_turn(const tsnn_parallel *parallel)
{
    tsnni_worker *next = parallel->workers;
    if (parallel->replay != NULL)
        return next + parallel->replay[atomic_load(&parallel->commits)].worker;
    for (int32_t w = 1; w < parallel->options.workers; w++)
        if (parallel->workers[w].exchange < next->exchange)
            next = &parallel->workers[w];
    return next;
}

/* What each thread does when the epoch is full is done here too: the gradient that is handed in next is computed before
 * the epoch's end, or a log would not tell which weights and which order of samples it is about. */
static void take_turns(tsnn_parallel *parallel)
{
    int32_t going = 1;
    while (going && atomic_load(&parallel->commits) < parallel->commit_end && !atomic_load(&parallel->stop)) {
        tsnni_worker *worker = next_in_turn(parallel);
        going = make_ready(parallel, worker) && tsnni_async_commit(parallel, worker);
    }
    for (int32_t w = 0; w < parallel->options.workers; w++)
        (void)make_ready(parallel, &parallel->workers[w]);
}

void tsnni_parallel_run_async(tsnn_parallel *parallel)
{
    parallel->commit_end = (parallel->epochs_done + 1) * parallel->exchanges;
    if (!parallel->turns && tsnni_parallel_workers(parallel->options.workers, work, parallel))
        return;
    parallel->turns = 1;
    take_turns(parallel);
}
