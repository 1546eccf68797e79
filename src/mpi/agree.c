/* What all ranks find out about each other: failures, differences, sums. Each function is collective, and leaves every
 * rank with the same status. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "evolution.h"
#include "loss.h"
#include "mpi/ranks.h"
#include "network.h"
#include "pruning.h"

/* Into mpi->failure of everyone: that rank's status, and its text. */
static tsnn_status hand_round(tsnn_mpi *mpi, int rank, tsnn_status failure, const char *text, double limit)
{
    tsnni_mpi_failure *told = &mpi->failure;
    memset(told, 0, sizeof *told);
    told->status = failure;
    snprintf(told->text, sizeof told->text, "%.*s", (int)sizeof told->text - 1, text);
    tsnn_status status = tsnni_mpi_broadcast(mpi, told, sizeof *told, rank, limit);
    told->text[sizeof told->text - 1] = '\0';
    return status;
}

/* The text of a failure of that rank, from its runtime into everyone's. */
static tsnn_status spread_text(tsnn_mpi *mpi, int rank, tsnn_status failure, double limit)
{
    tsnni_runtime *runtime = &mpi->context->runtime;
    tsnn_status status = hand_round(mpi, rank, failure, runtime->error_text, limit);
    if (status < 0)
        return status;
    return tsnni_fail(runtime, (tsnn_status)mpi->failure.status, "rank %d: %s", rank, mpi->failure.text);
}

/* Asks for no memory, and its messages do not depend on the library's version: those are the failures it is there for.
 */
tsnn_status tsnni_mpi_agree(tsnn_mpi *mpi, tsnn_status status, double limit)
{
    if (mpi->broken || mpi->agreed)
        return status;
    mpi->own_words[0] = status < 0 ? mpi->rank : mpi->ranks; /* the least of these is the first that failed */
    mpi->own_words[1] = status < 0 ? 0 : -status;            /* ... the most that a rank has to say */
    tsnn_status met = tsnni_mpi_least(mpi, mpi->own_words, mpi->all_words, 2, limit);
    if (met < 0)
        return met;
    if (mpi->all_words[0] == mpi->ranks)
        return (tsnn_status)-mpi->all_words[1];
    mpi->agreed = 1;
    return spread_text(mpi, mpi->all_words[0], status, limit);
}

/* ---- ranks that must be alike ---- */

/* A number in which ranks must not differ. */
typedef struct trait {
    const char *name; /* NULL: the last */
    double number;    /* to be told */
    int64_t bits;     /* to be compared */
    tsnn_status failure;
} trait;

enum { MOST_TRAITS = 64 };

typedef struct traits {
    trait items[MOST_TRAITS];
    int32_t count;
} traits;

static void add(traits *list, const char *name, tsnn_status failure, int64_t whole)
{
    list->items[list->count++] = (trait){name, (double)whole, whole, failure};
}

static void add_real(traits *list, const char *name, double real)
{
    trait own = {name, real, 0, TSNN_ERROR_INVALID_ARGUMENT};
    memcpy(&own.bits, &real, sizeof own.bits);
    list->items[list->count++] = own;
}

/* A checksum as a trait: a double tells it exactly. */
static int64_t mark(uint64_t checksum)
{
    return (int64_t)(checksum >> 12);
}

static int64_t mark_of_shape(const tsnn_network *network)
{
    uint64_t sum = 1;
    for (int64_t l = 0; l < network->count; l++) {
        const tsnni_stage *stage = &network->stages[l];
        const tsnni_pattern *pattern = &stage->layer->topology.pattern;
        int64_t numbers[] = {pattern->rows, pattern->columns, stage->activation.kind, stage->keep_below,
                             stage->layer->frozen};
        sum = tsnni_mpi_mix(sum, numbers, sizeof numbers);
        sum = tsnni_mpi_mix(sum, &stage->activation.alpha, sizeof stage->activation.alpha);
    }
    return mark(sum);
}

static void add_network(traits *list, const tsnn_network *network)
{
    int64_t inputs = tsnni_network_inputs(network);
    add(list, "layers", TSNN_ERROR_SHAPE, network->count);
    add(list, "inputs", TSNN_ERROR_SHAPE, inputs);
    add(list, "outputs", TSNN_ERROR_SHAPE, tsnni_network_outputs(network));
    add(list, "the mark of layers' sizes, activations, dropout and freezing", TSNN_ERROR_SHAPE, mark_of_shape(network));
    add(list, "the activations' format", TSNN_ERROR_SHAPE, network->activation_format);
    uint64_t standard = 0;
    if (network->shift != NULL) {
        standard = tsnni_mpi_mix(1, network->shift, inputs * (int64_t)sizeof(float));
        standard = tsnni_mpi_mix(standard, network->scale, inputs * (int64_t)sizeof(float));
    }
    add(list, "the mark of the standardizer", TSNN_ERROR_SHAPE, mark(standard));
}

static void add_rules(traits *list, const tsnn_parallel_options *options)
{
    const tsnn_status invalid = TSNN_ERROR_INVALID_ARGUMENT;
    tsnn_pruning_options pruning = TSNN_PRUNING_OPTIONS_INIT;
    add(list, "whether there is evolution", invalid, options->evolution != NULL);
    add_real(list, "zeta", options->evolution != NULL ? tsnni_evolution_zeta(options->evolution) : 0.0);
    if (options->pruning != NULL)
        tsnni_pruning_tell(options->pruning, &pruning);
    add(list, "whether there is pruning", invalid, options->pruning != NULL);
    add(list, "the pruning's fold", invalid, pruning.fold);
    add(list, "the pruning's first_epoch", invalid, pruning.first_epoch);
    add(list, "the pruning's every_epochs", invalid, pruning.every_epochs);
    add_real(list, "the pruning's percentile", pruning.percentile);
    add_real(list, "the pruning's threshold", pruning.threshold);
}

static void add_options(traits *list, const tsnn_mpi *mpi)
{
    const tsnn_parallel_options *options = &mpi->parallel->options;
    const tsnn_status invalid = TSNN_ERROR_INVALID_ARGUMENT;
    add(list, "seed", invalid, (int64_t)mpi->context->seed);
    add(list, "mode", invalid, options->mode);
    add(list, "retain", invalid, options->retain);
    add(list, "epochs", invalid, options->epochs);
    add(list, "batch", invalid, options->batch);
    add(list, "micro_batch", invalid, options->micro_batch);
    add(list, "local_steps", invalid, options->local_steps);
    add(list, "stale_limit", invalid, options->stale_limit);
    add(list, "data", invalid, mpi->options.data);
    add(list, "in_flight", invalid, mpi->options.in_flight);
    add(list, "transport", invalid, mpi->options.transport);
    add_real(list, "phase_split", options->phase_split);
    add_real(list, "rate_multiple", options->rate_multiple);
    add_real(list, "local_multiple", options->local_multiple);
    add_real(list, "rate_warmup", options->rate_warmup);
    add_real(list, "clip_norm", options->clip_norm);
    add_rules(list, options);
    add(list, "the loss", invalid, options->loss->kind);
    add_real(list, "label smoothing", (double)options->loss->smoothing);
    add(list, "the optimizer", invalid, options->optimizer->kind);
    add(list, "the optimizer's decay", invalid, options->optimizer->decay);
    add_real(list, "learning_rate", options->optimizer->learning_rate);
    add_real(list, "momentum", options->optimizer->momentum);
    add_real(list, "weight_decay", options->optimizer->weight_decay);
    add(list, "the schedule", invalid, mpi->parallel->schedule.kind);
    add_real(list, "warmup_epochs", mpi->parallel->schedule.warmup_epochs);
    add_real(list, "final_factor", mpi->parallel->schedule.final_factor);
    add_real(list, "step_epochs", mpi->parallel->schedule.step_epochs);
    add_real(list, "step_factor", mpi->parallel->schedule.step_factor);
}

/* The first difference from rank 0, which every rank finds by itself. */
static tsnn_status compare(tsnn_mpi *mpi, const traits *own)
{
    tsnni_runtime *runtime = &mpi->context->runtime;
    int64_t bytes = (int64_t)sizeof *own;
    traits *all = NULL;
    tsnn_status status;
    status = tsnni_allocate(runtime, mpi->ranks + 1, sizeof *all, (void **)&all);
    TSNNI_TRY(tsnni_mpi_agree(mpi, status, tsnni_mpi_pause_limit(mpi)));
    all[mpi->ranks] = *own;
    TSNNI_TRY(tsnni_mpi_gather(mpi, &all[mpi->ranks], all, bytes, tsnni_mpi_pause_limit(mpi)));
    for (int32_t n = 0; n < own->count; n++)
        for (int r = 1; r < mpi->ranks; r++)
            if (all[r].items[n].bits != all[0].items[n].bits) {
                mpi->agreed = 1;
                TSNNI_FAIL(runtime, own->items[n].failure, "rank %d: %s is %.15g, but %.15g on rank 0", r,
                           own->items[n].name, all[r].items[n].number, all[0].items[n].number);
            }
    status = TSNN_OK;
fail:
    if (!mpi->broken)
        tsnni_release(runtime, all);
    return status;
}

/* Of other versions nothing else can be compared: their messages may be others. */
static tsnn_status compare_versions(tsnn_mpi *mpi)
{
    tsnn_status status;
    mpi->own_words[0] = tsnn_version_number();
    mpi->own_words[1] = -tsnn_version_number();
    TSNNI_TRY(tsnni_mpi_least(mpi, mpi->own_words, mpi->all_words, 2, tsnni_mpi_pause_limit(mpi)));
    if (mpi->all_words[0] == -mpi->all_words[1])
        return TSNN_OK;
    mpi->agreed = 1;
    TSNNI_FAIL(&mpi->context->runtime, TSNN_ERROR_UNSUPPORTED,
               "the ranks have versions %d to %d of the library, this one %d", (int)mpi->all_words[0],
               -(int)mpi->all_words[1], (int)tsnn_version_number());
fail:
    return status;
}

tsnn_status tsnni_mpi_compare_ranks(tsnn_mpi *mpi)
{
    const char *instructions = mpi->context->kernels->name;
    traits own = {.count = 0};
    tsnn_status status = compare_versions(mpi);
    if (status < 0)
        return status;
    add(&own, "the mark of the instruction set", TSNN_ERROR_UNSUPPORTED,
        mark(tsnni_mpi_mix(1, instructions, (int64_t)strlen(instructions))));
    add_network(&own, mpi->parallel->options.network);
    add_options(&own, mpi);
    return compare(mpi, &own);
}

/* Ranks are neighbours where MPI gives their machine one name. */
tsnn_status tsnni_mpi_count_neighbours(tsnn_mpi *mpi)
{
    char name[MPI_MAX_PROCESSOR_NAME] = "";
    int length = 0;
    int32_t threads = 0;
    MPI_Get_processor_name(name, &length);
    int32_t *own = mpi->own_words, *all = NULL;
    tsnn_status status = TSNNI_NEW(&mpi->context->runtime, 2 * mpi->ranks, &all);
    TSNNI_TRY(tsnni_mpi_agree(mpi, status, tsnni_mpi_step_limit(mpi)));
    own[0] = (int32_t)(mark(tsnni_mpi_mix(1, name, length)) & INT32_MAX);
    own[1] = mpi->context->runtime.threads;
    TSNNI_TRY(tsnni_mpi_gather(mpi, own, all, sizeof mpi->own_words, tsnni_mpi_step_limit(mpi)));
    for (int r = 0; r < mpi->ranks; r++)
        threads += all[2 * r] == own[0] ? all[2 * r + 1] : 0;
    mpi->crowded = threads > sysconf(_SC_NPROCESSORS_ONLN);
fail:
    if (!mpi->broken)
        tsnni_release(&mpi->context->runtime, all);
    return status;
}

static int64_t divided_up(int64_t a, int64_t b)
{
    return (a - 1) / b + 1;
}

/* Of the shards: WASSP steps as long as any rank has mini-batches, WASAP's ranks each go through their own. */
static int64_t shard_exchanges(tsnn_mpi *mpi)
{
    const tsnn_parallel_options *options = &mpi->parallel->options;
    int64_t total = 0, most = 0;
    for (int r = mpi->apart; r < mpi->ranks; r++) {
        int64_t own = divided_up(divided_up(mpi->shard_samples[r], options->batch), options->local_steps);
        total += own;
        most = own > most ? own : most;
        if (r == mpi->rank)
            mpi->shard_exchanges = own;
    }
    return options->mode == TSNN_PARALLEL_WASAP ? total : most;
}

/* Of a set that every rank holds whole: as many samples in another order, say, would go unnoticed otherwise. */
static void add_samples(traits *list, const tsnn_dataset *train)
{
    const int64_t word = 4;
    uint64_t sum = tsnni_mpi_mix(1, train->feature_data, train->samples * train->features * word);
    if (train->labels != NULL)
        sum = tsnni_mpi_mix(sum, train->labels, train->samples * word);
    if (train->targets != NULL)
        sum = tsnni_mpi_mix(sum, train->targets, train->samples * train->target_size * word);
    add(list, "samples", TSNN_ERROR_SHAPE, train->samples);
    add(list, "the mark of the samples", TSNN_ERROR_INVALID_ARGUMENT, mark(sum));
}

tsnn_status tsnni_mpi_compare_data(tsnn_mpi *mpi, const tsnn_dataset *train)
{
    traits own = {.count = 0};
    tsnn_status status;
    add(&own, "features", TSNN_ERROR_SHAPE, train->features);
    add(&own, "classes", TSNN_ERROR_SHAPE, train->classes);
    add(&own, "the size of a target", TSNN_ERROR_SHAPE, train->target_size);
    if (mpi->options.data == TSNN_MPI_WHOLE)
        add_samples(&own, train);
    TSNNI_TRY(compare(mpi, &own));
    mpi->samples = train->samples;
    TSNNI_TRY(tsnni_mpi_gather(mpi, &mpi->samples, mpi->shard_samples, sizeof mpi->samples, tsnni_mpi_step_limit(mpi)));
    mpi->parallel->engine.exchanges = mpi->options.data == TSNN_MPI_SHARDED ? shard_exchanges(mpi) : 0;
    if (mpi->options.data == TSNN_MPI_WHOLE && mpi->workers > train->samples)
        return tsnni_fail(&mpi->context->runtime, TSNN_ERROR_INVALID_ARGUMENT, "%d workers for %lld samples",
                          (int)mpi->workers, (long long)train->samples);
    return TSNN_OK;
fail:
    return status;
}

/* ---- records ---- */

void tsnni_mpi_fill_record(tsnn_mpi *mpi, const tsnni_worker *worker)
{
    tsnni_mpi_record *own = &mpi->own;
    own->status = TSNN_OK;
    own->epochs_done = mpi->parallel->epochs_done;
    own->exchanges = mpi->parallel->sync_updates;
    own->compute_seconds = own->exchange_seconds = own->wait_seconds = 0.0;
    for (int32_t w = 0; w < mpi->all_lanes; w++) {
        const tsnn_parallel_worker_info *info = &mpi->parallel->workers[w].info;
        int32_t mirror = mpi->served && tsnni_mpi_rank_of_lane(mpi, w) != mpi->rank;
        own->compute_seconds += info->compute_seconds;
        own->wait_seconds += mirror ? 0.0 : info->wait_seconds;
        own->exchange_seconds += mirror ? 0.0 : info->exchange_seconds;
        for (int bin = 0; bin < TSNN_STALENESS_BINS; bin++)
            own->exchanges += mpi->parallel->workers[w].staleness[bin];
    }
    if (worker == NULL)
        return;
    own->status = worker->status;
    own->epoch_loss = worker->epoch_loss;
    own->epoch_correct = worker->epoch_correct;
    own->epoch_samples = worker->epoch_samples;
    own->epoch_replaced = worker->epoch_replaced;
    own->learning_rate = mpi->parallel->learning_rate;
}

/* A worker of another rank failed: its text goes where relay() looks. */
static tsnn_status spread_failure(tsnn_mpi *mpi, double limit)
{
    for (int r = mpi->apart; r < mpi->ranks; r++) {
        tsnni_worker *worker = &mpi->parallel->workers[r - mpi->apart];
        if (mpi->records[r].status >= 0)
            continue;
        tsnn_status failure = (tsnn_status)mpi->records[r].status;
        if (hand_round(mpi, r, failure, worker->context.runtime.error_text, limit) < 0)
            return TSNN_ERROR_COMMUNICATION;
        return tsnni_fail(&worker->context.runtime, failure, "%s", mpi->failure.text);
    }
    return TSNN_OK;
}

tsnn_status tsnni_mpi_exchange_records(tsnn_mpi *mpi, double limit)
{
    tsnn_status status = tsnni_mpi_gather(mpi, &mpi->own, mpi->records, sizeof mpi->own, limit);
    if (status < 0)
        return status;
    for (int32_t w = 0; w < mpi->workers; w++) {
        const tsnni_mpi_record *record = &mpi->records[w + mpi->apart];
        tsnni_worker *worker = &mpi->parallel->workers[w];
        worker->status = (tsnn_status)record->status;
        worker->epoch_loss = record->epoch_loss;
        worker->epoch_correct = record->epoch_correct;
        worker->epoch_samples = record->epoch_samples;
        worker->epoch_replaced = record->epoch_replaced;
    }
    mpi->parallel->learning_rate = mpi->records[mpi->apart].learning_rate;
    return spread_failure(mpi, limit) == TSNN_ERROR_COMMUNICATION ? TSNN_ERROR_COMMUNICATION : TSNN_OK;
}
