/* Phase 2: each worker trains its own copy, in its own order, and evolves it by its own random numbers. */
#include "core/parallel.h"
#include "epoch.h"
#include "evolution.h"
#include "optimizer.h"
#include "parallel.h"
#include "trainer.h"

/* An epoch's mini-batches are shared out evenly; where some get one more, it is other workers in each epoch. */
static int64_t share_of(const tsnn_parallel *parallel, int64_t number)
{
    int64_t workers = parallel->options.workers;
    if (parallel->engine.sharded)
        return parallel->batches;
    int64_t place = (number + parallel->epochs_done) % workers;
    return parallel->batches / workers + (place < parallel->batches % workers);
}

/* The next samples of the worker's own order, which begins anew when all have been seen. */
static const int64_t *next_samples(const tsnn_parallel *parallel, tsnni_worker *worker, int64_t *count)
{
    int64_t samples = parallel->train->samples, batch = parallel->options.batch;
    if (worker->order_next == samples) {
        tsnni_epoch_shuffle(worker->context.seed, ++worker->order_rounds, worker->order, samples);
        worker->order_next = 0;
    }
    const int64_t *next = worker->order + worker->order_next;
    *count = samples - worker->order_next < batch ? samples - worker->order_next : batch;
    worker->order_next += *count;
    return next;
}

/* A worker's own epoch is as many samples as the training set has, which takes it `workers` epochs. It evolves after
 * each of them that leaves it time for another: what grows needs as long to learn as in sequential training. */
static int32_t evolves(const tsnn_parallel *parallel)
{
    int64_t done = parallel->epochs_done + 1, workers = parallel->options.workers;
    return (done - parallel->phase_one) % workers == 0 && parallel->options.epochs - done >= workers;
}

static tsnn_status run_epoch(tsnn_parallel *parallel, tsnni_worker *worker)
{
    int64_t number = worker - parallel->workers, steps = share_of(parallel, number);
    double length = steps > 0 ? 1.0 / (double)steps : 1.0;
    for (int64_t s = 0; s < steps && !atomic_load(&parallel->stop); s++) {
        double factor;
        int64_t count;
        const int64_t *samples = next_samples(parallel, worker, &count);
        factor = tsnni_parallel_rate_factor(parallel, parallel->options.local_multiple,
                                            (double)parallel->epochs_done + (double)s * length, length);
        tsnn_status status =
            tsnni_trainer_step(worker->trainer, parallel->train, samples, count, factor, &worker->score);
        if (status < 0)
            return status;
        worker->score_samples = count;
        worker->score_steps = 1;
        tsnni_worker_count(parallel, worker);
        if (number == 0) {
            parallel->learning_rate = parallel->options.optimizer->learning_rate * factor;
            tsnni_parallel_report_step(parallel, s + 1, steps);
        }
    }
    tsnn_status status = tsnni_epoch_check_weights(worker->network, parallel->epochs_done + 1);
    if (status < 0 || worker->evolution == NULL || !evolves(parallel))
        return status;
    return tsnn_evolution_apply(worker->evolution, worker->network, parallel->epochs_done + 1, &worker->epoch_replaced);
}

void tsnni_local_run_worker(tsnn_parallel *parallel, tsnni_worker *worker)
{
    double start = tsnni_seconds_now();
    worker->status = run_epoch(parallel, worker);
    if (worker->status < 0)
        atomic_store(&parallel->stop, 1);
    worker->finished_at = tsnni_seconds_now();
    worker->info.compute_seconds += worker->finished_at - start;
}

static void work(void *argument, int32_t number)
{
    tsnn_parallel *parallel = argument;
    tsnni_local_run_worker(parallel, &parallel->workers[number]);
}

void tsnni_parallel_run_local(tsnn_parallel *parallel)
{
    if (!parallel->turns && tsnni_parallel_workers(parallel->options.workers, work, parallel))
        return;
    parallel->turns = 1;
    for (int32_t w = 0; w < parallel->options.workers; w++)
        work(parallel, w);
}
