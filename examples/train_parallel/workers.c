/* From options to a tsnn_parallel, and what it tells afterwards. */
#include "workers.h"

#include <stdio.h>

void workers_fill(tsnn_parallel_options *own, tsnn_schedule_options *schedule, const struct model *model,
                  const struct options *options, const struct parallel_options *parallel,
                  const struct model_callbacks *callbacks)
{
    *schedule = (tsnn_schedule_options)TSNN_SCHEDULE_OPTIONS_INIT;
    schedule->kind = options->schedule;
    schedule->warmup_epochs = options->warmup;
    schedule->step_epochs = options->step_epochs;
    schedule->step_factor = options->step_factor;
    schedule->final_factor = options->final_factor;
    *own = (tsnn_parallel_options)TSNN_PARALLEL_OPTIONS_INIT;
    own->mode = parallel->mode;
    own->workers = (int32_t)parallel->workers;
    own->retain = parallel->discard_stale ? TSNN_DISCARD_STALE : TSNN_RETAIN_VALID;
    own->network = model->network;
    own->loss = model->loss;
    own->optimizer = model->optimizer;
    own->evolution = model->evolution;
    own->pruning = model->pruning;
    own->schedule = schedule;
    own->epochs = options->epochs;
    own->batch = options->batch;
    own->micro_batch = options->micro_batch;
    own->local_steps = parallel->local_steps;
    own->stale_limit = parallel->stale_limit;
    own->phase_split = parallel->phase_split;
    own->rate_multiple = parallel->rate_multiple;
    own->local_multiple = parallel->local_multiple;
    own->rate_warmup = parallel->rate_warmup;
    own->clip_norm = options->clip_norm;
    own->on_step = callbacks->on_step;
    own->on_epoch = callbacks->on_epoch;
    own->user = callbacks->user;
}

bool workers_create(tsnn_parallel **workers, const struct model *model, const struct options *options,
                    const struct parallel_options *parallel, const struct model_callbacks *callbacks)
{
    tsnn_schedule_options schedule;
    tsnn_parallel_options own;
    workers_fill(&own, &schedule, model, options, parallel, callbacks);
    tsnn_status status = tsnn_parallel_create(model->context, &own, workers);
    return status >= 0 || model_complain(model, "cannot set up the workers", status);
}

void workers_describe(const tsnn_parallel *workers)
{
    tsnn_parallel_info info = TSNN_PARALLEL_INFO_INIT;
    tsnn_parallel_get_info(workers, &info);
    printf("\n  worker     steps    samples   computing   exchanging   waiting   own test acc\n");
    for (int32_t w = 0; w < info.workers; w++) {
        tsnn_parallel_worker_info own = TSNN_PARALLEL_WORKER_INFO_INIT;
        tsnn_parallel_get_worker(workers, w, &own);
        printf("  %6d  %8lld  %9lld  %8.2f s  %9.2f s  %6.2f s", (int)w, (long long)own.steps, (long long)own.samples,
               own.compute_seconds, own.exchange_seconds, own.wait_seconds);
        if (own.has_validation)
            printf("         %.4f", own.validation_accuracy);
        putchar('\n');
    }
    if (info.staleness_most == 0)
        return;
    printf("\nstaleness (updates missed: gradients)");
    for (int bin = 0; bin < TSNN_STALENESS_BINS; bin++)
        if (info.staleness[bin] > 0)
            printf("  %d%s: %lld", bin, bin == TSNN_STALENESS_BINS - 1 ? "+" : "", (long long)info.staleness[bin]);
    putchar('\n');
}
