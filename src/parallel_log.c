/* The log of WASAP's commits: kept over all calls that a run takes, told, and followed. */
#include <string.h>

#include "core/memory.h"
#include "parallel.h"

/* ---- kept ---- */

tsnn_status tsnni_parallel_keep_log(tsnn_parallel *parallel)
{
    tsnni_runtime *runtime = &parallel->context->runtime;
    int64_t before = parallel->epochs_done * parallel->exchanges;
    if (!parallel->options.keep_log || parallel->epochs_done >= parallel->phase_one)
        return TSNN_OK;
    if (before > 0 && parallel->log != NULL && parallel->log_count == before)
        return TSNN_OK;
    tsnni_release(runtime, parallel->log);
    parallel->log = NULL;
    parallel->log_count = 0;
    return TSNNI_NEW(runtime, parallel->phase_one * parallel->exchanges, &parallel->log);
}

tsnn_status tsnn_parallel_get_log(const tsnn_parallel *parallel, tsnn_parallel_commit *commits, int64_t capacity,
                                  int64_t *count)
{
    if (parallel == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &parallel->context->runtime;
    if (parallel->log == NULL)
        return tsnni_fail(runtime, TSNN_ERROR_STATE, "no log was kept");
    if (commits != NULL && capacity < parallel->log_count)
        return tsnni_fail(runtime, TSNN_ERROR_BUFFER_TOO_SMALL, "room for %lld commits; %lld are needed",
                          (long long)capacity, (long long)parallel->log_count);
    if (commits != NULL)
        memcpy(commits, parallel->log, (size_t)parallel->log_count * sizeof *commits);
    if (count != NULL)
        *count = parallel->log_count;
    return TSNN_OK;
}

/* ---- followed ---- */

/* Workers that begin anew are each at the exchange of their number, on all updates so far, or on more if a later
 * pruning made them start afresh. What a worker hands in first from there on is known by its exchange: later ones are
 * at least `workers` further. Where the workers were just so for another reason, beginning anew makes no difference. */
int32_t tsnni_parallel_replay_begins_anew(const tsnn_parallel *parallel, int64_t epochs)
{
    int64_t begin = epochs * parallel->exchanges, workers = parallel->options.workers, found = 0;
    for (int64_t n = begin; n < parallel->options.replay_count && found < workers; n++) {
        const tsnn_parallel_commit *commit = &parallel->replay[n];
        if (commit->exchange >= begin + workers)
            continue;
        if (commit->exchange != begin + commit->worker || commit->snapshot < begin)
            return 0;
        found++;
    }
    return 1;
}

/* Walks through the log from where the run is. next: the exchange that each worker is at. */
static tsnn_status walk(tsnn_parallel *parallel, int64_t total, int64_t *next)
{
    int32_t workers = parallel->options.workers;
    int64_t exchanges = parallel->exchanges, begin = parallel->epochs_done * exchanges;
    for (int64_t n = begin; n < total; n++) {
        const tsnn_parallel_commit *commit = &parallel->replay[n];
        if (n % exchanges == 0 && (n == begin || tsnni_parallel_replay_begins_anew(parallel, n / exchanges)))
            for (int32_t w = 0; w < workers; w++)
                next[w] = n + w;
        if (commit->worker < 0 || commit->worker >= workers || commit->exchange != next[commit->worker] ||
            commit->exchange >= total || commit->exchange >= (n / exchanges + 2) * exchanges)
            return tsnni_fail(&parallel->context->runtime, TSNN_ERROR_INVALID_ARGUMENT,
                              "commit %lld: worker %lld of %d cannot hand in exchange %lld there", (long long)n,
                              (long long)commit->worker, (int)workers, (long long)commit->exchange);
        next[commit->worker] = n + workers;
    }
    return TSNN_OK;
}

tsnn_status tsnni_parallel_check_replay(tsnn_parallel *parallel)
{
    tsnni_runtime *runtime = &parallel->context->runtime;
    int64_t total = parallel->phase_one * parallel->exchanges, *next = NULL;
    tsnn_status status;
    if (parallel->replay == NULL || parallel->epochs_done >= parallel->phase_one)
        return TSNN_OK;
    if (parallel->options.replay_count != total)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT,
                   "a log of %lld commits; phase 1 has %lld and is replayed whole",
                   (long long)parallel->options.replay_count, (long long)total);
    if (parallel->epochs_done > 0 && !tsnni_parallel_replay_begins_anew(parallel, parallel->epochs_done))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT,
                   "the replay was stopped after epoch %lld and cannot go on: the log's run was not stopped there",
                   (long long)parallel->epochs_done);
    TSNNI_TRY(TSNNI_NEW(runtime, parallel->options.workers, &next));
    status = walk(parallel, total, next);
fail:
    tsnni_release(runtime, next);
    return status;
}
