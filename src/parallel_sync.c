/* WASSP: in each step every worker computes the gradient of its own mini-batches on the caller's network, which nobody
 * changes meanwhile; then all sum up and update, each its own part of every layer. No weights are copied. */
#include <math.h>
#include <string.h>

#include "core/parallel.h"
#include "epoch.h"
#include "gradient.h"
#include "optimizer.h"
#include "parallel.h"
#include "sparse/partition.h"

/* Numbers that are summed up and then used while they are in the nearest cache. */
#define BLOCK 2048

tsnni_sync_share tsnni_sync_share_of(const tsnn_parallel *parallel, int64_t step, int32_t worker)
{
    int64_t local = parallel->options.local_steps, all = local * parallel->options.workers;
    int64_t begin = step * all, end = begin + all < parallel->batches ? begin + all : parallel->batches;
    int64_t last_sample = end * parallel->options.batch;
    tsnni_sync_share own = {.first = begin + worker * local, .total = end - begin};
    own.first = own.first < end ? own.first : end;
    own.end = own.first + local < end ? own.first + local : end;
    if (last_sample > parallel->train->samples)
        last_sample = parallel->train->samples;
    own.samples = last_sample - begin * parallel->options.batch;
    return own;
}

static void compute(tsnn_parallel *parallel, tsnni_worker *worker, int64_t step)
{
    tsnni_sync_share own = tsnni_sync_share_of(parallel, step, (int32_t)(worker - parallel->workers));
    int64_t before = parallel->epochs_done * parallel->batches;
    tsnni_worker_compute(parallel, worker, before + own.first, before + own.end, own.samples);
    if (!isfinite(worker->score.loss))
        tsnni_worker_count(parallel, worker); /* stops the run */
}

static const float *numbers_of(const tsnn_parallel *parallel, int32_t worker, int64_t l, int32_t biases)
{
    const tsnni_layer_gradient *layer = &parallel->workers[worker].gradient->layers[l];
    return biases ? layer->bias : layer->weights;
}

/* Sums up the workers' numbers in their order and applies them. The sums stay here: a line of a gradient that another
 * worker had written would have to come back to its owner in the next step. */
static void reduce(tsnn_parallel *parallel, const tsnni_update *update, float *values, float *velocity, int64_t l,
                   int32_t biases, int64_t begin, int64_t end)
{
    float sum[BLOCK];
    for (int64_t from = begin; from < end; from += BLOCK) {
        int64_t count = end - from < BLOCK ? end - from : BLOCK;
        memcpy(sum, numbers_of(parallel, 0, l, biases) + from, (size_t)count * sizeof *sum);
        for (int32_t w = 1; w < parallel->options.workers; w++) {
            const float *numbers = numbers_of(parallel, w, l, biases) + from;
            for (int64_t k = 0; k < count; k++)
                sum[k] += numbers[k];
        }
        parallel->context->kernels->update(values + from, velocity != NULL ? velocity + from : NULL, sum, update, 0,
                                           count);
    }
}

static void apply(tsnn_parallel *parallel, tsnni_worker *worker, int64_t step)
{
    double start = tsnni_seconds_now();
    int64_t number = worker - parallel->workers, workers = parallel->options.workers;
    double length = 1.0 / (double)parallel->exchanges;
    tsnni_update update = tsnni_parallel_update(parallel, (double)parallel->epochs_done + (double)step * length, length,
                                                tsnni_sync_share_of(parallel, step, 0).total);
    for (int64_t l = 0; l < parallel->options.network->count; l++) {
        tsnn_layer *layer = parallel->options.network->stages[l].layer;
        int64_t count = layer->topology.pattern.count, columns = layer->topology.pattern.columns;
        if (layer->frozen)
            continue;
        reduce(parallel, &update, layer->topology.values, layer->topology.velocity, l, 0,
               tsnni_partition_even(count, number, workers), tsnni_partition_even(count, number + 1, workers));
        reduce(parallel, &update, layer->bias, layer->bias_velocity, l, 1,
               tsnni_partition_even(columns, number, workers), tsnni_partition_even(columns, number + 1, workers));
    }
    if (number == 0) {
        parallel->learning_rate = update.learning_rate;
        parallel->sync_updates++;
    }
    tsnni_worker_count(parallel, worker);
    worker->info.exchange_seconds += tsnni_seconds_now() - start;
}

static void meet(tsnn_parallel *parallel, tsnni_worker *worker)
{
    double start = tsnni_seconds_now();
    tsnni_barrier_wait(&parallel->barrier);
    worker->info.wait_seconds += tsnni_seconds_now() - start;
}

/* A worker may only stop where all do: at the first meeting, before which whoever wants to stop has said so. */
static void work(void *argument, int32_t number)
{
    tsnn_parallel *parallel = argument;
    tsnni_worker *worker = &parallel->workers[number];
    for (int64_t step = 0; step < parallel->exchanges; step++) {
        compute(parallel, worker, step);
        meet(parallel, worker);
        if (atomic_load(&parallel->stop))
            break;
        apply(parallel, worker, step);
        meet(parallel, worker);
        if (number == 0)
            tsnni_parallel_report_step(parallel, step + 1, parallel->exchanges);
    }
    worker->finished_at = tsnni_seconds_now();
}

static void take_turns(tsnn_parallel *parallel)
{
    int32_t workers = parallel->options.workers;
    for (int64_t step = 0; step < parallel->exchanges; step++) {
        for (int32_t w = 0; w < workers; w++)
            compute(parallel, &parallel->workers[w], step);
        if (atomic_load(&parallel->stop))
            return;
        for (int32_t w = 0; w < workers; w++)
            apply(parallel, &parallel->workers[w], step);
        tsnni_parallel_report_step(parallel, step + 1, parallel->exchanges);
    }
}

void tsnni_parallel_run_sync(tsnn_parallel *parallel)
{
    /* An evolution keeps the counts: the gradients need new versions only. */
    for (int32_t w = 0; w < parallel->options.workers; w++)
        for (int64_t l = 0; l < parallel->options.network->count; l++)
            parallel->workers[w].gradient->layers[l].version = parallel->options.network->stages[l].layer->version;
    tsnni_barrier_init(&parallel->barrier, parallel->options.workers);
    if (!parallel->turns && tsnni_parallel_workers(parallel->options.workers, work, parallel))
        return;
    parallel->turns = 1;
    take_turns(parallel);
}
