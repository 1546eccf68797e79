/* A worker of parallel training: its context, what it owns in each phase, and the gradient of its mini-batches. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "epoch.h"
#include "evolution.h"
#include "parallel.h"

uint64_t tsnni_worker_seed(uint64_t seed, int32_t worker, int64_t epochs)
{
    tsnni_stream stream;
    tsnni_stream_init(&stream, tsnni_random_key_make(seed, TSNNI_PURPOSE_WORKER, 0, epochs, worker));
    return tsnni_stream_u64(&stream);
}

static void *shared_allocate(void *user, size_t size)
{
    tsnni_shared_allocator *shared = user;
    tsnni_lock_take(&shared->lock);
    void *block = shared->allocate(shared->user, size);
    tsnni_lock_release(&shared->lock);
    return block;
}

static void shared_release(void *user, void *pointer)
{
    tsnni_shared_allocator *shared = user;
    tsnni_lock_take(&shared->lock);
    shared->release(shared->user, pointer);
    tsnni_lock_release(&shared->lock);
}

void tsnni_worker_init(tsnn_parallel *parallel, int32_t number)
{
    tsnn_context *context = &parallel->workers[number].context;
    *context = *parallel->context;
    context->runtime.threads = 1;
    context->runtime.log = NULL;
    context->runtime.allocate = shared_allocate;
    context->runtime.release = shared_release;
    context->runtime.allocator_user = &parallel->allocator;
    context->runtime.error = TSNN_OK;
    context->runtime.error_text[0] = '\0';
}

void tsnni_worker_leave(tsnn_parallel *parallel, tsnni_worker *worker)
{
    tsnni_runtime *runtime = &worker->context.runtime;
    tsnn_trainer_destroy(&worker->trainer);
    tsnn_evolution_destroy(&worker->evolution);
    tsnn_gradient_destroy(&worker->gradient);
    tsnni_workspace_destroy(&worker->workspace);
    tsnni_release(runtime, worker->retained);
    tsnni_release(runtime, worker->order);
    worker->retained = NULL;
    worker->order = NULL;
    if (worker->network != parallel->options.network)
        tsnn_network_destroy(&worker->network);
    worker->network = NULL;
    worker->ready = 0;
}

static int64_t largest_layer(const tsnn_network *network)
{
    int64_t largest = 0;
    for (int64_t l = 0; l < network->count; l++) {
        int64_t count = network->stages[l].layer->topology.pattern.count;
        largest = count > largest ? count : largest;
    }
    return largest;
}

/* A worker that starts afresh may be at an exchange of an epoch that is over: it is still about that epoch's samples.
 */
static tsnn_status recall_order(tsnn_parallel *parallel, tsnni_worker *worker)
{
    int64_t epoch = worker->exchange / parallel->exchanges;
    if (parallel->options.mode != TSNN_PARALLEL_WASAP || worker - parallel->workers >= parallel->engine.computing_end ||
        epoch >= parallel->epochs_done)
        return TSNN_OK;
    tsnn_status status = TSNNI_NEW(&worker->context.runtime, parallel->train->samples, &worker->order);
    if (status < 0)
        return status;
    worker->order_epoch = epoch;
    tsnni_epoch_shuffle(parallel->context->seed, epoch + 1, worker->order, parallel->train->samples);
    return TSNN_OK;
}

tsnn_status tsnni_worker_enter_phase_one(tsnn_parallel *parallel, tsnni_worker *worker)
{
    const tsnn_parallel_options *options = &parallel->options;
    int64_t samples = options->micro_batch < parallel->train->samples ? options->micro_batch : parallel->train->samples;
    int32_t number = (int32_t)(worker - parallel->workers);
    tsnn_status status;
    tsnni_worker_leave(parallel, worker);
    worker->context.seed = tsnni_worker_seed(parallel->context->seed, number, 0);
    TSNNI_TRY(recall_order(parallel, worker));
    if (options->mode == TSNN_PARALLEL_WASAP) {
        TSNNI_TRY(tsnni_network_copy(options->network, &worker->context, &worker->network));
        TSNNI_TRY(TSNNI_NEW(&worker->context.runtime, largest_layer(options->network), &worker->retained));
    } else {
        worker->network = options->network;
    }
    if (number < parallel->engine.computing_end)
        TSNNI_TRY(tsnni_workspace_create(worker->network, samples, 1, &worker->workspace));
    TSNNI_TRY(tsnn_gradient_create(worker->network, &worker->gradient));
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnni_worker_enter_phase_two(tsnn_parallel *parallel, tsnni_worker *worker)
{
    const tsnn_parallel_options *options = &parallel->options;
    int32_t number = (int32_t)(worker - parallel->workers);
    tsnn_trainer_options trainer = TSNN_TRAINER_OPTIONS_INIT;
    tsnn_status status;
    tsnni_worker_leave(parallel, worker);
    worker->context.seed = tsnni_worker_seed(parallel->context->seed, number, parallel->epochs_done);
    TSNNI_TRY(tsnni_network_copy(options->network, &worker->context, &worker->network));
    if (options->evolution != NULL)
        TSNNI_TRY(tsnni_evolution_copy(options->evolution, &worker->context, &worker->evolution));
    TSNNI_TRY(TSNNI_NEW(&worker->context.runtime, parallel->train->samples, &worker->order));
    worker->order_next = parallel->train->samples;
    worker->order_rounds = 0;
    trainer.network = worker->network;
    trainer.loss = options->loss;
    trainer.optimizer = &parallel->local;
    trainer.batch = options->batch;
    trainer.micro_batch = options->micro_batch;
    trainer.clip_norm = options->clip_norm;
    TSNNI_TRY(tsnn_trainer_create(&worker->context, &trainer, &worker->trainer));
    return TSNN_OK;
fail:
    return status;
}

/* ---- a gradient ---- */

/* Layers that do not learn must not count in the norm. */
static void clear_frozen(tsnni_worker *worker)
{
    for (int64_t l = 0; l < worker->gradient->count; l++) {
        tsnni_layer_gradient *layer = &worker->gradient->layers[l];
        if (!worker->network->stages[l].layer->frozen)
            continue;
        memset(layer->weights, 0, (size_t)layer->connections * sizeof *layer->weights);
        memset(layer->bias, 0, (size_t)layer->outputs * sizeof *layer->bias);
    }
}

static void clip(const tsnn_parallel *parallel, tsnni_worker *worker)
{
    double most = parallel->options.clip_norm, norm;
    worker->score_norm = 0.0;
    if (!(most > 0.0) || !isfinite(worker->score.loss))
        return;
    tsnn_gradient_norm(worker->gradient, &norm);
    if (!isfinite(norm))
        worker->score.loss = norm;
    else if (norm > most)
        tsnn_gradient_scale(worker->gradient, most / norm);
    worker->score_norm = norm;
}

static const int64_t *order_of(const tsnn_parallel *parallel, const tsnni_worker *worker, int64_t epoch)
{
    return worker->order != NULL && worker->order_epoch == epoch ? worker->order : parallel->order[epoch % 2];
}

/* One mini-batch, by its number from the first epoch on. */
static void compute_batch(tsnn_parallel *parallel, tsnni_worker *worker, int64_t number, int64_t divisor)
{
    const tsnn_dataset *train = parallel->train;
    int64_t first = number % parallel->batches * parallel->options.batch;
    int64_t count = train->samples - first < parallel->options.batch ? train->samples - first : parallel->options.batch;
    const int64_t *samples = order_of(parallel, worker, number / parallel->batches) + first;
    /* With a gradient to write to, a step leaves the network as it is. */
    tsnni_step step = {.network = worker->network,
                       .loss = parallel->options.loss,
                       .dataset = train,
                       .workspace = worker->workspace,
                       .pass = TSNNI_PASS_TRAINING,
                       .divisor = divisor > 0 ? divisor : count,
                       .gradient = worker->gradient};
    for (int64_t done = 0; done < count && isfinite(worker->score.loss); done += parallel->options.micro_batch) {
        int64_t part = count - done < parallel->options.micro_batch ? count - done : parallel->options.micro_batch;
        int64_t parts = (parallel->options.batch - 1) / parallel->options.micro_batch + 1;
        step.number = number * parts + done / parallel->options.micro_batch;
        tsnni_score score = tsnni_step_run(&step, samples + done, 0, part);
        worker->score.loss += score.loss;
        worker->score.correct += score.correct;
    }
    worker->score_samples += count;
    worker->score_steps++;
}

void tsnni_worker_compute(tsnn_parallel *parallel, tsnni_worker *worker, int64_t first, int64_t end, int64_t divisor)
{
    double start = tsnni_seconds_now();
    worker->score = (tsnni_score){0.0, 0};
    worker->score_samples = worker->score_steps = 0;
    tsnn_gradient_clear(worker->gradient);
    for (int64_t number = first; number < end && isfinite(worker->score.loss); number++)
        compute_batch(parallel, worker, number, divisor);
    clear_frozen(worker);
    clip(parallel, worker);
    worker->info.compute_seconds += tsnni_seconds_now() - start;
}

void tsnni_worker_count(tsnn_parallel *parallel, tsnni_worker *worker)
{
    if (!isfinite(worker->score.loss)) {
        worker->status = tsnni_fail(&worker->context.runtime, TSNN_ERROR_NOT_FINITE,
                                    "epoch %lld: the loss is %g; is the learning rate too high?",
                                    (long long)parallel->epochs_done + 1, worker->score.loss);
        atomic_store(&parallel->stop, 1);
        return;
    }
    worker->epoch_loss += worker->score.loss;
    worker->epoch_correct += worker->score.correct;
    worker->epoch_samples += worker->score_samples;
    worker->info.steps += worker->score_steps;
    worker->info.samples += worker->score_samples;
}
