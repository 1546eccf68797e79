/* Parallel training: the object, and what surrounds the workers' steps in each epoch. */
#include "parallel.h"

#include <math.h>
#include <string.h>

#include "average.h"
#include "core/memory.h"
#include "epoch.h"
#include "evolution.h"
#include "optimizer.h"
#include "pruning.h"
#include "schedule.h"

#define TSNNI_DEFAULT_EPOCHS 10
#define TSNNI_DEFAULT_BATCH 128
#define TSNNI_DEFAULT_PHASE_SPLIT 0.7
#define TSNNI_DEFAULT_RATE_WARMUP 5.0
#define TSNNI_MAX_WORKERS 1024

/* ---- options ---- */

tsnn_status tsnn_parallel_options_init(tsnn_parallel_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_parallel_options)TSNN_PARALLEL_OPTIONS_INIT;
    return TSNN_OK;
}

static tsnn_status check_objects(tsnn_context *context, const tsnn_parallel_options *options)
{
    tsnni_runtime *runtime = &context->runtime;
    tsnn_status status;
    if (options->network == NULL || options->loss == NULL || options->optimizer == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "%s is NULL; workers need a network, a loss and an optimizer",
                   options->network == NULL ? "network"
                   : options->loss == NULL  ? "loss"
                                            : "optimizer");
    if (options->network->context != context)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "the network belongs to another context than the workers");
    if (options->evolution != NULL && tsnni_evolution_context(options->evolution) != context)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "evolution belongs to another context than the workers");
    if (options->pruning != NULL && tsnni_pruning_context(options->pruning) != context)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "pruning belongs to another context than the workers");
    if (options->pruning != NULL && options->mode == TSNN_PARALLEL_REPLICAS)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT,
                   "replicas cannot prune: their neurons would differ, and could not be averaged");
    TSNNI_TRY(tsnni_loss_check_network(options->loss, options->network));
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status check_choices(tsnni_runtime *runtime, const tsnn_parallel_options *options)
{
    tsnn_status status;
    if (options->mode < TSNN_PARALLEL_WASAP || options->mode > TSNN_PARALLEL_REPLICAS)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "mode %d is unknown", (int)options->mode);
    if (options->retain != TSNN_RETAIN_VALID && options->retain != TSNN_DISCARD_STALE)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "retain %d is unknown", (int)options->retain);
    if (options->workers < 1 || options->workers > TSNNI_MAX_WORKERS)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "workers is %d; it must be 1..%d", (int)options->workers,
                   TSNNI_MAX_WORKERS);
    if ((options->keep_log != 0 && options->keep_log != 1) || options->reserved != 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "keep_log is %d, reserved %d; they must be 0 or 1, and 0",
                   (int)options->keep_log, (int)options->reserved);
    if (options->replay_count < 0 || (options->replay == NULL) != (options->replay_count == 0))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "a replay of %lld commits %s them",
                   (long long)options->replay_count, options->replay == NULL ? "without" : "with");
    return TSNN_OK;
fail:
    return status;
}

static const char *mode_name(int32_t mode)
{
    return mode == TSNN_PARALLEL_WASAP ? "WASAP" : mode == TSNN_PARALLEL_WASSP ? "WASSP" : "REPLICAS";
}

/* What a mode would ignore is a mistake, unless it is the default. */
static tsnn_status check_mode(tsnni_runtime *runtime, const tsnn_parallel_options *options)
{
    tsnn_status status;
    if (options->mode != TSNN_PARALLEL_WASAP && (options->keep_log || options->replay != NULL))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "only WASAP has a log; mode is %s", mode_name(options->mode));
    if (options->mode != TSNN_PARALLEL_WASAP && (options->retain != TSNN_RETAIN_VALID || options->stale_limit != 0))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT,
                   "%s, stale_limit %lld; only WASAP has stale gradients, mode is %s",
                   options->retain == TSNN_DISCARD_STALE ? "DISCARD_STALE" : "RETAIN_VALID",
                   (long long)options->stale_limit, mode_name(options->mode));
    if (options->mode == TSNN_PARALLEL_REPLICAS && (options->phase_split != 0.0 || options->local_steps > 1 ||
                                                    (options->rate_multiple != 0.0 && options->rate_multiple != 1.0)))
        TSNNI_FAIL(
            runtime, TSNN_ERROR_INVALID_ARGUMENT,
            "phase_split is %g, local_steps %lld, rate_multiple %g; they are of phase 1, which replicas have not",
            options->phase_split, (long long)options->local_steps, options->rate_multiple);
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status check_numbers(tsnni_runtime *runtime, const tsnn_parallel_options *options)
{
    tsnn_status status;
    if (options->epochs < 0 || options->batch < 0 || options->micro_batch < 0 || options->local_steps < 0 ||
        options->stale_limit < 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT,
                   "epochs %lld, batch %lld, micro_batch %lld, local_steps %lld, stale_limit %lld; none may be below 0",
                   (long long)options->epochs, (long long)options->batch, (long long)options->micro_batch,
                   (long long)options->local_steps, (long long)options->stale_limit);
    if (options->batch > INT32_MAX || options->local_steps > INT32_MAX || options->epochs > INT32_MAX)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "epochs %lld, batch %lld, local_steps %lld; each at most %d",
                   (long long)options->epochs, (long long)options->batch, (long long)options->local_steps, INT32_MAX);
    if (!(options->phase_split >= 0.0 && options->phase_split <= 1.0))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "phase_split is %g; it must be in (0, 1]",
                   options->phase_split);
    if (!(options->rate_multiple >= 0.0) || !isfinite((float)options->rate_multiple))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "rate_multiple is %g; it must be above 0",
                   options->rate_multiple);
    if (!(options->local_multiple >= 0.0) || !isfinite((float)options->local_multiple))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "local_multiple is %g; it must be above 0",
                   options->local_multiple);
    if (!(options->rate_warmup >= 0.0) || !isfinite(options->rate_warmup))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "rate_warmup is %g; it must be above 0", options->rate_warmup);
    if (!(options->clip_norm >= 0.0) || !isfinite(options->clip_norm))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "clip_norm is %g; it must not be below 0", options->clip_norm);
    return TSNN_OK;
fail:
    return status;
}

double tsnni_parallel_default_local_multiple(int32_t workers)
{
    return workers > 1 ? 2.0 * (double)workers : 1.0;
}

static void fill_defaults(tsnn_parallel_options *options)
{
    options->schedule = NULL;
    options->epochs = options->epochs > 0 ? options->epochs : TSNNI_DEFAULT_EPOCHS;
    options->batch = options->batch > 0 ? options->batch : TSNNI_DEFAULT_BATCH;
    options->micro_batch =
        options->micro_batch > 0 && options->micro_batch < options->batch ? options->micro_batch : options->batch;
    options->local_steps = options->local_steps > 0 ? options->local_steps : 1;
    options->phase_split = options->phase_split > 0.0 ? options->phase_split : TSNNI_DEFAULT_PHASE_SPLIT;
    options->rate_warmup = options->rate_warmup > 0.0 ? options->rate_warmup : TSNNI_DEFAULT_RATE_WARMUP;
    if (options->local_multiple == 0.0)
        options->local_multiple = tsnni_parallel_default_local_multiple(options->workers);
    if (options->rate_multiple == 0.0)
        options->rate_multiple =
            options->mode == TSNN_PARALLEL_WASSP ? (double)options->workers * (double)options->local_steps : 1.0;
}

static int64_t phase_one_epochs(const tsnn_parallel_options *options)
{
    if (options->mode == TSNN_PARALLEL_REPLICAS)
        return 0;
    int64_t epochs = (int64_t)llround(options->phase_split * (double)options->epochs);
    return epochs < 1 ? 1 : epochs;
}

/* ---- creation ---- */

/* The decay of `steps` steps in one. */
static double decay_of(double decay, double steps)
{
    return 1.0 - pow(1.0 - decay, steps);
}

/* The optimizer of phase 2. For the mean to decay by each sample as in sequential training, each worker's weights decay
 * `workers` times in a step, whatever its learning rate; L2 decay goes with the rate already. */
static tsnn_optimizer local_optimizer(const tsnn_parallel_options *options, double workers)
{
    tsnn_optimizer local = *options->optimizer;
    local.weight_decay = local.decay == TSNN_DECAY_DECOUPLED ? decay_of(local.weight_decay, workers)
                                                             : local.weight_decay * workers / options->local_multiple;
    return local;
}

void tsnni_parallel_local_workers(tsnn_parallel *parallel, int32_t workers)
{
    parallel->local = local_optimizer(&parallel->options, (double)workers);
}

tsnn_status tsnn_parallel_create(tsnn_context *context, const tsnn_parallel_options *options, tsnn_parallel **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &context->runtime;
    tsnn_parallel *parallel = NULL;
    tsnn_parallel_options given;
    tsnn_schedule_options schedule;
    tsnn_status status;
    TSNNI_TRY(tsnni_options_read(runtime, options, &given, sizeof given, "tsnn_parallel_options"));
    TSNNI_TRY(check_choices(runtime, &given));
    TSNNI_TRY(check_objects(context, &given));
    TSNNI_TRY(check_numbers(runtime, &given));
    TSNNI_TRY(check_mode(runtime, &given));
    TSNNI_TRY(tsnni_schedule_read(runtime, given.schedule, &schedule));
    fill_defaults(&given);
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, 1, &parallel));
    parallel->context = context;
    parallel->options = given;
    parallel->schedule = schedule;
    parallel->phase_one = phase_one_epochs(&given);
    parallel->local = local_optimizer(&given, (double)given.workers);
    parallel->allocator = (tsnni_shared_allocator){
        .allocate = runtime->allocate, .release = runtime->release, .user = runtime->allocator_user};
    tsnni_lock_init(&parallel->allocator.lock);
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, given.workers, &parallel->workers));
    for (int32_t w = 0; w < given.workers; w++)
        tsnni_worker_init(parallel, w);
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, given.workers, &parallel->networks));
    parallel->engine.end = parallel->engine.computing_end = given.workers;
    if (given.replay != NULL) {
        TSNNI_TRY(TSNNI_NEW(runtime, given.replay_count, &parallel->replay));
        memcpy(parallel->replay, given.replay, (size_t)given.replay_count * sizeof *given.replay);
        parallel->options.replay = parallel->replay;
    }
    *out = parallel;
    return TSNN_OK;
fail:
    tsnn_parallel_destroy(&parallel);
    return status;
}

void tsnn_parallel_destroy(tsnn_parallel **parallel)
{
    if (parallel == NULL || *parallel == NULL || (*parallel)->train != NULL) /* in a callback */
        return;
    tsnni_runtime *runtime = &(*parallel)->context->runtime;
    tsnni_release(runtime, (*parallel)->workers);
    tsnni_release(runtime, (*parallel)->networks);
    tsnni_release(runtime, (*parallel)->replay);
    tsnni_release(runtime, (*parallel)->log);
    tsnni_release(runtime, *parallel);
    *parallel = NULL;
}

/* ---- what the workers call ---- */

double tsnni_parallel_rate_factor(const tsnn_parallel *parallel, double multiple, double progress, double length)
{
    double factor = tsnni_epoch_rate_factor(&parallel->schedule, progress, length, (double)parallel->options.epochs);
    return factor * (1.0 + (multiple - 1.0) * fmin(1.0, (progress + length) / parallel->options.rate_warmup));
}

tsnni_update tsnni_parallel_update(const tsnn_parallel *parallel, double progress, double length, int64_t steps)
{
    const tsnn_parallel_options *options = &parallel->options;
    double factor = tsnni_parallel_rate_factor(parallel, options->rate_multiple, progress, length);
    tsnni_update update = tsnni_optimizer_update(options->optimizer, factor);
    if (steps > 1)
        update.decay = (float)decay_of((double)update.decay, (double)steps);
    return update;
}

void tsnni_parallel_report_step(tsnn_parallel *parallel, int64_t step, int64_t steps)
{
    const tsnn_parallel_options *options = &parallel->options;
    const tsnni_worker *worker = &parallel->workers[0];
    if (options->on_step == NULL)
        return;
    tsnn_step_report report = {(uint32_t)sizeof report,
                               0,
                               parallel->epochs_done + 1,
                               step,
                               steps,
                               worker->score_samples,
                               worker->score_samples > 0 ? worker->score.loss / (double)worker->score_samples : 0.0,
                               parallel->learning_rate,
                               worker->score_norm};
    int32_t answer = options->on_step(options->user, &report);
    if (answer == 0)
        return;
    parallel->callback = answer > 0 ? TSNN_STOPPED : TSNN_ERROR_CALLBACK;
    if (answer < 0)
        (void)tsnni_fail(&parallel->workers[0].context.runtime, TSNN_ERROR_CALLBACK, "the callback returned %d",
                         (int)answer);
    atomic_store(&parallel->stop, 1);
}

/* ---- an epoch ---- */

/* What a worker's context says, in the caller's. */
static tsnn_status relay(tsnn_parallel *parallel, const tsnni_worker *worker, tsnn_status status)
{
    return tsnni_fail(&parallel->context->runtime, status, "worker %d: %s", (int)(worker - parallel->workers),
                      worker->context.runtime.error_text);
}

tsnn_status tsnni_parallel_enter(tsnn_parallel *parallel)
{
    tsnni_runtime *runtime = &parallel->context->runtime;
    const tsnn_network *network = parallel->options.network;
    int32_t first = parallel->epochs_done < parallel->phase_one;
    tsnni_lock *locks = NULL;
    tsnn_status status;
    TSNNI_TRY(tsnni_optimizer_prepare(parallel->options.optimizer, parallel->options.network));
    TSNNI_TRY(TSNNI_NEW(runtime, network->count, &locks));
    tsnni_release(runtime, parallel->locks);
    parallel->locks = locks;
    for (int64_t l = 0; l < network->count; l++)
        tsnni_lock_init(&locks[l]);
    for (int32_t w = parallel->engine.first; w < parallel->engine.end; w++) {
        tsnni_worker *worker = &parallel->workers[w];
        status =
            first ? tsnni_worker_enter_phase_one(parallel, worker) : tsnni_worker_enter_phase_two(parallel, worker);
        if (status < 0)
            return relay(parallel, worker, status);
        worker->snapshot = atomic_load(&parallel->commits);
        parallel->networks[w] = worker->network;
    }
    return TSNN_OK;
fail:
    return status;
}

/* Whether two networks of one shape take in their inputs alike. */
static int32_t inputs_fit(const tsnn_network *a, const tsnn_network *b)
{
    size_t size = (size_t)tsnni_network_inputs(a) * sizeof *a->shift;
    if (a->shift == NULL || b->shift == NULL)
        return a->shift == b->shift;
    return memcmp(a->shift, b->shift, size) == 0 && memcmp(a->scale, b->scale, size) == 0;
}

/* Whether the workers still have the shape of the network and what is set of it: pruning and callbacks may have changed
 * it. What one worker has, all have. */
static int32_t workers_fit(const tsnn_parallel *parallel)
{
    const tsnn_network *network = parallel->options.network;
    const tsnni_worker *worker = &parallel->workers[parallel->engine.first];
    const tsnn_gradient *gradient = worker->gradient;
    if (gradient->count != network->count)
        return 0;
    for (int64_t l = 0; l < network->count; l++) {
        const tsnn_layer *layer = network->stages[l].layer;
        const tsnni_pattern *pattern = &layer->topology.pattern;
        if (gradient->layers[l].connections != pattern->count || gradient->layers[l].outputs != pattern->columns ||
            worker->network->stages[l].layer->frozen != layer->frozen)
            return 0;
    }
    return worker->network->activation_format == network->activation_format &&
           (worker->workspace == NULL || worker->workspace->format == network->activation_format) &&
           inputs_fit(worker->network, network);
}

/* A worker's snapshot is from before the epoch's end, and so is the gradient it may have ready: that is what makes the
 * phase asynchronous. Only who closed the epoch, and has computed nothing since, fetches what evolution left. */
tsnn_status tsnni_parallel_prepare(tsnn_parallel *parallel)
{
    const tsnn_dataset *train = parallel->train;
    tsnn_status status = TSNN_OK;
    int32_t anew = parallel->replay != NULL && tsnni_parallel_replay_begins_anew(parallel, parallel->epochs_done);
    if (anew)
        tsnni_async_start(parallel);
    if (anew || !workers_fit(parallel))
        status = tsnni_parallel_enter(parallel);
    else if (tsnni_optimizer_prepare(parallel->options.optimizer, parallel->options.network) < 0)
        status = parallel->context->runtime.error;
    if (status < 0)
        return status;
    for (int64_t epoch = parallel->epochs_done; epoch < parallel->epochs_done + 2; epoch++)
        tsnni_epoch_shuffle(parallel->context->seed, epoch + 1, parallel->order[epoch % 2], train->samples);
    if (parallel->options.mode == TSNN_PARALLEL_WASAP)
        for (int32_t w = parallel->engine.first; w < parallel->engine.end; w++)
            if (parallel->workers[w].snapshot == atomic_load(&parallel->commits))
                tsnni_async_refresh(parallel, &parallel->workers[w]);
    return TSNN_OK;
}

static void begin_steps(tsnn_parallel *parallel)
{
    atomic_store(&parallel->stop, 0);
    parallel->callback = TSNN_OK;
    for (int32_t w = 0; w < parallel->options.workers; w++) {
        tsnni_worker *worker = &parallel->workers[w];
        worker->status = TSNN_OK;
        worker->epoch_loss = 0.0;
        worker->epoch_correct = worker->epoch_samples = worker->epoch_replaced = 0;
    }
}

/* Sums over the workers, in their order; and whoever was done early has waited for the last. */
static tsnn_status end_steps(tsnn_parallel *parallel, tsnn_epoch_report *report)
{
    int64_t correct = 0;
    double loss = 0.0, end = tsnni_seconds_now();
    for (int32_t w = 0; w < parallel->options.workers; w++) {
        tsnni_worker *worker = &parallel->workers[w];
        loss += worker->epoch_loss;
        correct += worker->epoch_correct;
        report->samples += worker->epoch_samples;
        report->replaced += worker->epoch_replaced;
        if (!parallel->turns)
            worker->info.wait_seconds += end - worker->finished_at;
    }
    report->train_loss = report->samples > 0 ? loss / (double)report->samples : 0.0;
    report->train_accuracy = report->samples > 0 ? (double)correct / (double)report->samples : 0.0;
    report->learning_rate = parallel->learning_rate;
    for (int32_t w = 0; w < parallel->options.workers; w++)
        if (parallel->workers[w].status < 0)
            return relay(parallel, &parallel->workers[w], parallel->workers[w].status);
    if (parallel->callback < 0)
        return tsnni_fail(&parallel->context->runtime, parallel->callback, "%s",
                          parallel->workers[0].context.runtime.error_text);
    return parallel->callback;
}

/* The workers' own copies against the validation set, before the run's end. */
static tsnn_status validate_workers(tsnn_parallel *parallel, const tsnn_dataset *validation)
{
    for (int32_t w = 0; w < parallel->options.workers; w++) {
        tsnni_worker *worker = &parallel->workers[w];
        tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
        tsnn_status status = tsnn_network_evaluate(worker->network, parallel->options.loss, validation, &evaluation);
        if (status < 0 && status != TSNN_ERROR_NOT_FINITE) /* the network is the mean; a copy is told as it is */
            return relay(parallel, worker, status);
        worker->info.has_validation = 1;
        worker->info.validation_loss = evaluation.loss;
        worker->info.validation_accuracy = evaluation.accuracy;
    }
    return TSNN_OK;
}

static tsnn_status run_steps(tsnn_parallel *parallel, int32_t first_phase, tsnn_epoch_report *report)
{
    tsnn_status status;
    if (first_phase)
        TSNNI_TRY(tsnni_parallel_prepare(parallel));
    begin_steps(parallel);
    if (parallel->engine.run_steps != NULL)
        parallel->engine.run_steps(parallel, first_phase);
    else if (!first_phase)
        tsnni_parallel_run_local(parallel);
    else if (parallel->options.mode == TSNN_PARALLEL_WASAP)
        tsnni_parallel_run_async(parallel);
    else
        tsnni_parallel_run_sync(parallel);
    status = end_steps(parallel, report);
    /* A stop keeps what the workers have learned. */
    if (status >= 0 && !first_phase && !parallel->engine.apart) {
        tsnn_status averaged =
            tsnni_average_networks(parallel->options.network, parallel->networks, parallel->options.workers);
        status = averaged < 0 ? averaged : status;
    }
fail:
    parallel->epochs_done++;
    return status;
}

tsnn_status tsnni_parallel_run_epoch(tsnn_parallel *parallel, const tsnn_dataset *validation)
{
    const tsnn_parallel_options *options = &parallel->options;
    int32_t first_phase = parallel->epochs_done < parallel->phase_one;
    tsnn_epoch_report report = {
        .struct_size = (uint32_t)sizeof report, .epoch = parallel->epochs_done + 1, .epochs = options->epochs};
    tsnn_network_info info = TSNN_NETWORK_INFO_INIT;
    tsnn_status status;
    double start = tsnni_seconds_now();
    status = run_steps(parallel, first_phase, &report);
    report.train_seconds = tsnni_seconds_now() - start;
    parallel->phase_seconds[!first_phase] += report.train_seconds;
    if (status != TSNN_OK)
        return status;
    TSNNI_TRY(tsnni_epoch_check_weights(options->network, report.epoch));
    TSNNI_TRY(tsnni_epoch_validate(options->network, options->loss, validation, &report));
    if (parallel->engine.pause != NULL)
        parallel->engine.pause(parallel);
    if (first_phase)
        TSNNI_TRY(tsnni_epoch_change_topology(options->network, options->evolution, options->pruning, &report));
    else if (validation != NULL && report.epoch == report.epochs)
        TSNNI_TRY(validate_workers(parallel, validation));
    report.train_seconds += report.evolution_seconds;
    parallel->phase_seconds[!first_phase] += report.evolution_seconds;
    TSNNI_TRY(tsnn_network_get_info(options->network, &info));
    report.connections = info.connections;
    report.neurons = info.neurons;
    if (options->on_epoch != NULL)
        status = tsnni_callback_status(&parallel->context->runtime, options->on_epoch(options->user, &report));
    return status;
fail:
    return status;
}

/* ---- a run ---- */

tsnn_status tsnni_parallel_begin(tsnn_parallel *parallel, const tsnn_dataset *train)
{
    const tsnn_parallel_options *options = &parallel->options;
    tsnni_runtime *runtime = &parallel->context->runtime;
    int64_t share =
        options->mode == TSNN_PARALLEL_WASSP ? options->workers * options->local_steps : options->local_steps;
    tsnn_status status;
    parallel->train = train;
    parallel->turns = 0;
    parallel->batches = (train->samples - 1) / options->batch + 1;
    parallel->exchanges =
        parallel->engine.exchanges > 0 ? parallel->engine.exchanges : (parallel->batches - 1) / share + 1;
    TSNNI_TRY(tsnni_parallel_check_replay(parallel));
    for (int parity = 0; parity < 2; parity++)
        TSNNI_TRY(TSNNI_NEW(runtime, train->samples, &parallel->order[parity]));
    TSNNI_TRY(tsnni_parallel_keep_log(parallel));
    tsnni_async_start(parallel);
    TSNNI_TRY(tsnni_parallel_enter(parallel));
    return TSNN_OK;
fail:
    return status;
}

void tsnni_parallel_end(tsnn_parallel *parallel)
{
    tsnni_runtime *runtime = &parallel->context->runtime;
    for (int32_t w = parallel->engine.first; w < parallel->engine.end; w++)
        tsnni_worker_leave(parallel, &parallel->workers[w]);
    for (int parity = 0; parity < 2; parity++) {
        tsnni_release(runtime, parallel->order[parity]);
        parallel->order[parity] = NULL;
    }
    tsnni_release(runtime, parallel->locks);
    parallel->locks = NULL;
    parallel->train = NULL;
    parallel->concurrent = !parallel->turns;
}

tsnn_status tsnni_parallel_check_data(const tsnn_parallel *parallel, const tsnn_dataset *train,
                                      const tsnn_dataset *validation)
{
    const tsnn_parallel_options *options = &parallel->options;
    tsnn_status status;
    TSNNI_TRY(tsnni_step_check(options->network, options->loss, train, NULL, 1));
    if (validation != NULL)
        TSNNI_TRY(tsnni_loss_check_dataset(options->loss, options->network, validation));
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnn_parallel_run(tsnn_parallel *parallel, const tsnn_dataset *train, const tsnn_dataset *validation)
{
    if (parallel == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    const tsnn_parallel_options *options = &parallel->options;
    tsnni_runtime *runtime = &parallel->context->runtime;
    tsnn_status status;
    if (parallel->train != NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_STATE,
                   "tsnn_parallel_run: the workers are running; their callbacks may not call this");
    TSNNI_TRY(tsnni_parallel_check_data(parallel, train, validation));
    if (options->workers > train->samples)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "%d workers for %lld samples", (int)options->workers,
                   (long long)train->samples);
    if (parallel->epochs_done == options->epochs)
        return TSNN_OK;
    status = tsnni_parallel_begin(parallel, train);
    while (status == TSNN_OK && parallel->epochs_done < options->epochs) {
        status = tsnni_parallel_run_epoch(parallel, validation);
        if (status == TSNN_OK && parallel->epochs_done == parallel->phase_one && options->epochs > parallel->phase_one)
            status = tsnni_parallel_enter(parallel);
    }
    tsnni_parallel_end(parallel);
    return status;
fail:
    return status;
}
