/* What parallel training did: figures of the runs and of each worker. */
#include "parallel.h"

tsnn_status tsnn_parallel_get_info(const tsnn_parallel *parallel, tsnn_parallel_info *info)
{
    if (parallel == NULL || info == NULL)
        return tsnni_null_argument(parallel != NULL ? parallel->context : NULL, "info");
    tsnn_parallel_info known = TSNN_PARALLEL_INFO_INIT;
    int64_t staleness = 0;
    known.workers = parallel->options.workers;
    known.concurrent = parallel->concurrent;
    known.epochs_done = parallel->epochs_done;
    known.phase_one_epochs = parallel->phase_one;
    for (int phase = 0; phase < 2; phase++)
        known.phase_seconds[phase] = parallel->phase_seconds[phase];
    for (int32_t w = 0; w < parallel->options.workers; w++) {
        const tsnni_worker *worker = &parallel->workers[w];
        known.dropped += worker->dropped;
        known.entries_retained += worker->entries_retained;
        known.entries_lost += worker->entries_lost;
        known.compute_seconds += worker->info.compute_seconds;
        known.exchange_seconds += worker->info.exchange_seconds;
        known.wait_seconds += worker->info.wait_seconds;
        staleness += worker->staleness_sum;
        if (worker->staleness_most > known.staleness_most)
            known.staleness_most = worker->staleness_most;
        for (int bin = 0; bin < TSNN_STALENESS_BINS; bin++) {
            known.staleness[bin] += worker->staleness[bin];
            known.exchanges += worker->staleness[bin];
        }
    }
    if (known.exchanges > 0)
        known.staleness_mean = (double)staleness / (double)known.exchanges;
    known.exchanges += parallel->sync_updates;
    return tsnni_info_write(&parallel->context->runtime, info, &known, sizeof known, "tsnn_parallel_info");
}

tsnn_status tsnn_parallel_get_worker(const tsnn_parallel *parallel, int32_t worker, tsnn_parallel_worker_info *info)
{
    if (parallel == NULL || info == NULL)
        return tsnni_null_argument(parallel != NULL ? parallel->context : NULL, "info");
    tsnni_runtime *runtime = &parallel->context->runtime;
    if (worker < 0 || worker >= parallel->options.workers)
        return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT, "worker %d of %d", (int)worker,
                          (int)parallel->options.workers);
    return tsnni_info_write(runtime, info, &parallel->workers[worker].info, sizeof parallel->workers[worker].info,
                            "tsnn_parallel_worker_info");
}
