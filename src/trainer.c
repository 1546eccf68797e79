/* Training: epochs of shuffled mini-batches; between them validation, pruning and evolution; callbacks that can stop
 * it. */
#include "trainer.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "epoch.h"
#include "evolution.h"
#include "optimizer.h"
#include "pruning.h"
#include "schedule.h"
#include "step.h"

#define TSNNI_DEFAULT_EPOCHS 10
#define TSNNI_DEFAULT_BATCH 128

tsnn_status tsnn_trainer_options_init(tsnn_trainer_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_trainer_options)TSNN_TRAINER_OPTIONS_INIT;
    return TSNN_OK;
}

static tsnn_status check_objects(tsnn_context *context, const tsnn_trainer_options *options)
{
    tsnni_runtime *runtime = &context->runtime;
    tsnn_status status;
    if (options->network == NULL || options->loss == NULL || options->optimizer == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "%s is NULL; a trainer needs a network, a loss and an optimizer",
                   options->network == NULL ? "network"
                   : options->loss == NULL  ? "loss"
                                            : "optimizer");
    if (options->network->context != context)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "the network belongs to another context than the trainer");
    if ((options->evolution != NULL && tsnni_evolution_context(options->evolution) != context) ||
        (options->pruning != NULL && tsnni_pruning_context(options->pruning) != context))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "%s belongs to another context than the trainer",
                   options->evolution != NULL && tsnni_evolution_context(options->evolution) != context ? "evolution"
                                                                                                        : "pruning");
    TSNNI_TRY(tsnni_loss_check_network(options->loss, options->network));
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status check_numbers(tsnn_context *context, const tsnn_trainer_options *options)
{
    tsnni_runtime *runtime = &context->runtime;
    tsnn_status status;
    if (options->order != TSNN_SHUFFLE && options->order != TSNN_IN_ORDER)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "order %d is unknown", (int)options->order);
    if (options->epochs < 0 || options->batch < 0 || options->micro_batch < 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT,
                   "epochs %lld, batch %lld, micro_batch %lld; none may be below 0", (long long)options->epochs,
                   (long long)options->batch, (long long)options->micro_batch);
    if (options->batch > INT32_MAX)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "batch is %lld; at most %d", (long long)options->batch,
                   INT32_MAX);
    if (!(options->clip_norm >= 0.0) || !isfinite(options->clip_norm))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "clip_norm is %g; it must not be below 0", options->clip_norm);
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnn_trainer_create(tsnn_context *context, const tsnn_trainer_options *options, tsnn_trainer **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &context->runtime;
    tsnn_trainer_options given;
    tsnn_schedule_options schedule;
    tsnn_status status;
    TSNNI_TRY(tsnni_options_read(runtime, options, &given, sizeof given, "tsnn_trainer_options"));
    TSNNI_TRY(check_objects(context, &given));
    TSNNI_TRY(check_numbers(context, &given));
    TSNNI_TRY(tsnni_schedule_read(runtime, given.schedule, &schedule));
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, 1, out));
    given.schedule = NULL;
    given.epochs = given.epochs > 0 ? given.epochs : TSNNI_DEFAULT_EPOCHS;
    given.batch = given.batch > 0 ? given.batch : TSNNI_DEFAULT_BATCH;
    given.micro_batch = given.micro_batch > 0 && given.micro_batch < given.batch ? given.micro_batch : given.batch;
    (*out)->context = context;
    (*out)->options = given;
    (*out)->schedule = schedule;
    return TSNN_OK;
fail:
    return status;
}

void tsnn_trainer_destroy(tsnn_trainer **trainer)
{
    if (trainer == NULL || *trainer == NULL || (*trainer)->running)
        return;
    tsnni_workspace_destroy(&(*trainer)->workspace);
    tsnn_gradient_destroy(&(*trainer)->gradient);
    tsnni_release(&(*trainer)->context->runtime, *trainer);
    *trainer = NULL;
}

tsnn_status tsnni_trainer_check_idle(const tsnn_trainer *trainer, const char *call)
{
    if (trainer->running)
        return tsnni_fail(&trainer->context->runtime, TSNN_ERROR_STATE,
                          "%s: the trainer is running; its callbacks may not call this", call);
    return TSNN_OK;
}

/* ---- a step ---- */

static int32_t needs_gradient(const tsnn_trainer *trainer, int64_t count)
{
    return trainer->options.clip_norm > 0.0 || count > trainer->options.micro_batch;
}

/* Workspace, velocities and gradient for steps of up to `count` samples on the topology as it is now. */
static tsnn_status prepare(tsnn_trainer *trainer, const tsnn_dataset *dataset, int64_t count)
{
    tsnn_network *network = trainer->options.network;
    int64_t samples = count < trainer->options.micro_batch ? count : trainer->options.micro_batch;
    tsnn_status status;
    TSNNI_TRY(tsnni_loss_check_network(trainer->options.loss, network));
    TSNNI_TRY(tsnni_loss_check_dataset(trainer->options.loss, network, dataset));
    TSNNI_TRY(tsnni_optimizer_prepare(trainer->options.optimizer, network));
    /* An appended layer may be older than the workspace: versions alone do not tell. */
    if (trainer->workspace == NULL || trainer->workspace->samples < samples ||
        trainer->workspace->layers != network->count || trainer->workspace->format != network->activation_format ||
        trainer->workspace_version != trainer->context->versions) {
        tsnni_workspace_destroy(&trainer->workspace);
        TSNNI_TRY(tsnni_workspace_create(network, samples, 1, &trainer->workspace));
        trainer->workspace_version = trainer->context->versions;
    }
    if (needs_gradient(trainer, count) &&
        (trainer->gradient == NULL || !tsnni_gradient_fits(trainer->gradient, network))) {
        tsnn_gradient_destroy(&trainer->gradient);
        TSNNI_TRY(tsnn_gradient_create(network, &trainer->gradient));
    }
    return TSNN_OK;
fail:
    return status;
}

/* What a step of `count` samples did. */
typedef struct step_result {
    tsnni_score score;
    double norm;
} step_result;

/* Layers that do not learn must not count in the norm. */
static void clear_frozen(tsnn_trainer *trainer)
{
    for (int64_t l = 0; l < trainer->gradient->count; l++) {
        tsnni_layer_gradient *layer = &trainer->gradient->layers[l];
        if (!trainer->options.network->stages[l].layer->frozen)
            continue;
        memset(layer->weights, 0, (size_t)layer->connections * sizeof *layer->weights);
        memset(layer->bias, 0, (size_t)layer->outputs * sizeof *layer->bias);
    }
}

/* The gradient of all micro-batches, then one update; clipping needs the whole norm first. */
static step_result run_accumulated(tsnn_trainer *trainer, tsnni_step *step, const int64_t *samples, int64_t first,
                                   int64_t count, double rate_factor)
{
    step_result result = {{0.0, 0}, 0.0};
    double scale = 1.0;
    int64_t micro = trainer->options.micro_batch;
    step->gradient = trainer->gradient;
    tsnn_gradient_clear(trainer->gradient);
    for (int64_t done = 0; done < count && isfinite(result.score.loss); done += micro) {
        int64_t part = count - done < micro ? count - done : micro;
        step->number = trainer->passes++;
        tsnni_score score = tsnni_step_run(step, samples != NULL ? samples + done : NULL, first + done, part);
        result.score.loss += score.loss;
        result.score.correct += score.correct;
    }
    if (!isfinite(result.score.loss))
        return result;
    clear_frozen(trainer);
    if (trainer->options.clip_norm > 0.0) {
        tsnn_gradient_norm(trainer->gradient, &result.norm);
        if (!isfinite(result.norm)) {
            result.score.loss = result.norm;
            return result;
        }
        if (result.norm > trainer->options.clip_norm)
            scale = trainer->options.clip_norm / result.norm;
    }
    tsnni_optimizer_step(trainer->options.optimizer, trainer->options.network, trainer->gradient, rate_factor, scale);
    return result;
}

static step_result run_step(tsnn_trainer *trainer, const tsnn_dataset *dataset, const int64_t *samples, int64_t first,
                            int64_t count, double rate_factor)
{
    tsnni_update update = tsnni_optimizer_update(trainer->options.optimizer, rate_factor);
    tsnni_step step = {.network = trainer->options.network,
                       .loss = trainer->options.loss,
                       .dataset = dataset,
                       .workspace = trainer->workspace,
                       .pass = TSNNI_PASS_TRAINING,
                       .divisor = count,
                       .update = &update};
    if (needs_gradient(trainer, count))
        return run_accumulated(trainer, &step, samples, first, count, rate_factor);
    step.number = trainer->passes++;
    step_result result = {tsnni_step_run(&step, samples, first, count), 0.0};
    return result;
}

typedef struct step_call {
    tsnn_trainer *trainer;
    const tsnn_dataset *dataset;
    const int64_t *samples;
    int64_t count;
    double rate_factor;
    step_result result;
} step_call;

static void run_one_step(void *argument)
{
    step_call *call = argument;
    call->result = run_step(call->trainer, call->dataset, call->samples, 0, call->count, call->rate_factor);
}

tsnn_status tsnni_trainer_step(tsnn_trainer *trainer, const tsnn_dataset *dataset, const int64_t *samples,
                               int64_t count, double rate_factor, tsnni_score *score)
{
    tsnni_runtime *runtime = &trainer->context->runtime;
    tsnn_status status;
    TSNNI_TRY(tsnni_step_check(trainer->options.network, trainer->options.loss, dataset, samples, count));
    if (count > trainer->options.batch)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "count is %lld; the trainer's batch is %lld", (long long)count,
                   (long long)trainer->options.batch);
    if (!(rate_factor >= 0.0) || !isfinite((float)(trainer->options.optimizer->learning_rate * rate_factor)))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "rate_factor is %g; it must be finite and not below 0",
                   rate_factor);
    TSNNI_TRY(prepare(trainer, dataset, count));
    step_call call = {trainer, dataset, samples, count, rate_factor, {{0.0, 0}, 0.0}};
    tsnni_parallel_session(runtime->threads, tsnni_step_work(trainer->options.network, count), run_one_step, &call);
    if (!isfinite(call.result.score.loss))
        TSNNI_FAIL(runtime, TSNN_ERROR_NOT_FINITE, "the loss is %g; is the learning rate too high?",
                   call.result.score.loss);
    *score = call.result.score;
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnn_trainer_step(tsnn_trainer *trainer, const tsnn_dataset *dataset, const int64_t *samples, int64_t count,
                              double rate_factor, double *loss)
{
    tsnni_score score;
    if (trainer == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnn_status status = tsnni_trainer_step(trainer, dataset, samples, count, rate_factor, &score);
    if (status >= 0 && loss != NULL)
        *loss = score.loss / (double)count;
    return status;
}

/* ---- an epoch ---- */

/* All steps of an epoch that are left. `order` NULL: in order. Sums go into the report. */
static tsnn_status run_steps(tsnn_trainer *trainer, const tsnn_dataset *train, const int64_t *order,
                             tsnn_epoch_report *report)
{
    tsnni_runtime *runtime = &trainer->context->runtime;
    const tsnn_trainer_options *options = &trainer->options;
    tsnni_epoch_part *part = &trainer->part;
    int64_t steps = (train->samples - 1) / options->batch + 1;
    tsnn_status status = TSNN_OK;
    part->samples = train->samples;
    part->batch = options->batch;
    for (int64_t s = part->steps; s < steps && status == TSNN_OK; s++) {
        int64_t first = s * options->batch;
        int64_t count = train->samples - first < options->batch ? train->samples - first : options->batch;
        double progress = (double)trainer->epochs_done + (double)s / (double)steps;
        double factor =
            tsnni_epoch_rate_factor(&trainer->schedule, progress, 1.0 / (double)steps, (double)options->epochs);
        /* Anew each time: a callback may have thawed, evolved, pruned or appended a layer. */
        status = prepare(trainer, train, count);
        if (status < 0)
            return status;
        step_result result = run_step(trainer, train, order != NULL ? order + first : NULL, first, count, factor);
        if (!isfinite(result.score.loss))
            return tsnni_fail(runtime, TSNN_ERROR_NOT_FINITE,
                              "epoch %lld, step %lld: the loss is %g; is the learning rate too high?",
                              (long long)trainer->epochs_done + 1, (long long)s + 1, result.score.loss);
        part->steps = s + 1;
        part->loss += result.score.loss;
        part->correct += result.score.correct;
        part->learning_rate = options->optimizer->learning_rate * factor;
        if (options->on_step != NULL) {
            tsnn_step_report step = {(uint32_t)sizeof step,
                                     0,
                                     trainer->epochs_done + 1,
                                     s + 1,
                                     steps,
                                     count,
                                     result.score.loss / (double)count,
                                     part->learning_rate,
                                     result.norm};
            status = tsnni_callback_status(runtime, options->on_step(options->user, &step));
        }
    }
    report->samples = part->steps < steps ? part->steps * options->batch : train->samples;
    report->learning_rate = part->learning_rate;
    report->train_loss = part->loss / (double)report->samples;
    report->train_accuracy = (double)part->correct / (double)report->samples;
    return status;
}

static tsnn_status run_epoch(tsnn_trainer *trainer, const tsnn_dataset *train, const tsnn_dataset *validation,
                             int64_t *order)
{
    const tsnn_trainer_options *options = &trainer->options;
    tsnn_epoch_report report = {
        .struct_size = (uint32_t)sizeof report, .epoch = trainer->epochs_done + 1, .epochs = options->epochs};
    tsnn_network_info info = TSNN_NETWORK_INFO_INIT;
    tsnn_status status;
    double start = tsnni_seconds_now();
    TSNNI_TRY(prepare(trainer, train, train->samples < options->batch ? train->samples : options->batch));
    if (order != NULL)
        tsnni_epoch_shuffle(trainer->context->seed, trainer->epochs_done + 1, order, train->samples);
    status = run_steps(trainer, train, order, &report);
    if (status == TSNN_STOPPED || status == TSNN_ERROR_CALLBACK)
        return status; /* the place within the epoch stays: a later run, or one that resumes, goes on there */
    trainer->part = (tsnni_epoch_part){0};
    trainer->epochs_done++;
    if (status != TSNN_OK)
        return status;
    report.train_seconds = tsnni_seconds_now() - start;
    TSNNI_TRY(tsnni_epoch_check_weights(options->network, report.epoch));
    TSNNI_TRY(tsnni_epoch_validate(options->network, options->loss, validation, &report));
    TSNNI_TRY(tsnni_epoch_change_topology(options->network, options->evolution, options->pruning, &report));
    report.train_seconds += report.evolution_seconds;
    TSNNI_TRY(tsnn_network_get_info(options->network, &info));
    report.connections = info.connections;
    report.neurons = info.neurons;
    if (options->on_epoch != NULL)
        status = tsnni_callback_status(&trainer->context->runtime, options->on_epoch(options->user, &report));
    return status;
fail:
    return status;
}

/* A run inside a session: one parallel region for all its steps. */
typedef struct run_call {
    tsnn_trainer *trainer;
    const tsnn_dataset *train, *validation;
    int64_t *order;
    tsnn_status status;
} run_call;

static void run_epochs(void *argument)
{
    run_call *call = argument;
    call->status = TSNN_OK;
    while (call->status == TSNN_OK && call->trainer->epochs_done < call->trainer->options.epochs)
        call->status = run_epoch(call->trainer, call->train, call->validation, call->order);
}

tsnn_status tsnn_trainer_run(tsnn_trainer *trainer, const tsnn_dataset *train, const tsnn_dataset *validation)
{
    if (trainer == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &trainer->context->runtime;
    int64_t *order = NULL;
    tsnn_status status;
    TSNNI_TRY(tsnni_trainer_check_idle(trainer, "tsnn_trainer_run"));
    TSNNI_TRY(tsnni_step_check(trainer->options.network, trainer->options.loss, train, NULL, 1));
    if (validation != NULL)
        TSNNI_TRY(tsnni_loss_check_dataset(trainer->options.loss, trainer->options.network, validation));
    if (trainer->part.steps > 0 &&
        (trainer->part.samples != train->samples || trainer->part.batch != trainer->options.batch))
        TSNNI_FAIL(runtime, TSNN_ERROR_STATE,
                   "the epoch was left after %lld steps of %lld of %lld samples; this is %lld of %lld samples",
                   (long long)trainer->part.steps, (long long)trainer->part.batch, (long long)trainer->part.samples,
                   (long long)trainer->options.batch, (long long)train->samples);
    if (trainer->options.order == TSNN_SHUFFLE)
        TSNNI_TRY(TSNNI_NEW(runtime, train->samples, &order));
    run_call call = {trainer, train, validation, order, TSNN_OK};
    trainer->running = 1;
    tsnni_parallel_session(runtime->threads, tsnni_step_work(trainer->options.network, train->samples), run_epochs,
                           &call);
    trainer->running = 0;
    status = call.status;
fail:
    tsnni_release(runtime, order);
    return status;
}
