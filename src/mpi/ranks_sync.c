/* WASSP: each rank computes the gradient of its own mini-batches; the numbers are cut into as many slices as there are
 * ranks; each rank is sent its slice by all, sums it up in the order of ranks, so that no bit depends on timing, and
 * sends the sum to all; then everyone makes the same update. A rank sends 8 (ranks - 1) / ranks bytes for a number. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "epoch.h"
#include "mpi/ranks.h"
#include "sparse/partition.h"
#include "transfer.h"

enum { GRADIENT_TAG = 1, SUM_TAG = 2 };

/* Numbers that are summed up and then handed on while they are in the nearest cache. */
#define SHARED_BLOCK 2048

/* The memory of an epoch. */
typedef struct exchange {
    tsnn_mpi *mpi;
    int64_t numbers; /* of a gradient */
    int32_t shared;  /* 1: through mailboxes */
    float *flat;     /* the gradient, then the sum; whole blocks */
    float *incoming; /* what the others send of this rank's slice, one after another */
    MPI_Request *requests;
    int *peers;
    int count; /* of requests */
} exchange;

/* A slice's place, in numbers. */
static int64_t slice_begin(const exchange *own, int rank)
{
    int64_t blocks = tsnni_mpi_room(own->numbers * (int64_t)sizeof(float)) / TSNNI_MPI_BLOCK;
    return tsnni_partition_even(blocks, rank, own->mpi->ranks) * TSNNI_MPI_BLOCK_FLOATS;
}

static int64_t slice_bytes(const exchange *own, int rank)
{
    return (slice_begin(own, rank + 1) - slice_begin(own, rank)) * (int64_t)sizeof(float);
}

static tsnn_status exchange_create(tsnn_mpi *mpi, exchange *own)
{
    tsnni_runtime *runtime = &mpi->context->runtime;
    tsnn_status status;
    *own = (exchange){.mpi = mpi, .numbers = tsnni_transfer_size(mpi->parallel->options.network)};
    int64_t slice = slice_bytes(own, mpi->rank) / (int64_t)sizeof(float);
    own->shared = tsnni_mpi_mailbox_of(mpi, mpi->rank) != NULL;
    TSNNI_TRY(TSNNI_NEW(runtime, 2 * mpi->ranks, &own->requests));
    TSNNI_TRY(TSNNI_NEW(runtime, 2 * mpi->ranks, &own->peers));
    if (own->shared)
        return TSNN_OK;
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, tsnni_mpi_room(own->numbers * (int64_t)sizeof(float)) / (int64_t)sizeof(float),
                             &own->flat));
    TSNNI_TRY(TSNNI_NEW(runtime, slice * mpi->ranks, &own->incoming));
    return TSNN_OK;
fail:
    return status;
}

static void exchange_free(exchange *own)
{
    tsnni_runtime *runtime = &own->mpi->context->runtime;
    if (own->mpi->broken) /* messages may still come */
        return;
    tsnni_release(runtime, own->flat);
    tsnni_release(runtime, own->incoming);
    tsnni_release(runtime, own->requests);
    tsnni_release(runtime, own->peers);
}

/* ---- a step ---- */

/* The mini-batches of a rank in a step, when each has samples of its own. */
static tsnni_sync_share shard_share(const tsnn_mpi *mpi, int64_t step)
{
    const tsnn_parallel_options *options = &mpi->parallel->options;
    tsnni_sync_share own = {0};
    for (int r = 0; r < mpi->ranks; r++) {
        int64_t samples = mpi->shard_samples[r], batches = (samples - 1) / options->batch + 1;
        int64_t first = step * options->local_steps, end = first + options->local_steps;
        first = first < batches ? first : batches;
        end = end < batches ? end : batches;
        if (r == mpi->rank) {
            own.first = first;
            own.end = end;
        }
        own.total += end - first;
        if (end > first)
            own.samples += (end * options->batch < samples ? end * options->batch : samples) - first * options->batch;
    }
    return own;
}

/* Where ranks have the same numbers for mini-batches of different samples, a rank's begin far apart, so that dropout
 * differs; an even number of epochs keeps the order of samples. */
static int64_t first_number(const tsnn_mpi *mpi)
{
    const tsnn_parallel *parallel = mpi->parallel;
    int64_t epochs = parallel->epochs_done;
    if (mpi->options.data == TSNN_MPI_SHARDED)
        epochs += 2 * parallel->options.epochs * mpi->rank;
    return epochs * parallel->batches;
}

static tsnni_sync_share share_of(const tsnn_mpi *mpi, int64_t step)
{
    return mpi->options.data == TSNN_MPI_SHARDED ? shard_share(mpi, step)
                                                 : tsnni_sync_share_of(mpi->parallel, step, mpi->rank);
}

static void compute(exchange *own, tsnni_worker *worker, int64_t step)
{
    tsnn_mpi *mpi = own->mpi;
    tsnni_sync_share share = share_of(mpi, step);
    int64_t before = first_number(mpi);
    double start = tsnni_seconds_now();
    tsnni_worker_compute(mpi->parallel, worker, before + share.first, before + share.end, share.samples);
    if (!isfinite(worker->score.loss))
        tsnni_worker_count(mpi->parallel, worker); /* stops the run */
    tsnni_transfer_pack_gradient(worker->gradient,
                                 own->shared ? tsnni_mpi_mailbox_of(mpi, mpi->rank)->gradient : own->flat);
    mpi->longest = fmax(mpi->longest, tsnni_seconds_now() - start);
}

/* The question whether anyone stops, in which all meet. */
static tsnn_status post_question(exchange *own)
{
    tsnn_mpi *mpi = own->mpi;
    mpi->stops = atomic_load(&mpi->parallel->stop);
    own->peers[own->count] = -1;
    mpi->own.step_bytes += (int64_t)sizeof mpi->stops;
    return tsnni_mpi_result(mpi,
                            MPI_Iallreduce(&mpi->stops, &mpi->anyone_stops, 1, MPI_INT32_T, MPI_MAX, mpi->comm,
                                           &own->requests[own->count++]),
                            "a step");
}

/* Posts what all send of this rank's slice, and this rank of theirs; and the question. */
static tsnn_status post_gradients(exchange *own)
{
    tsnn_mpi *mpi = own->mpi;
    int64_t bytes = slice_bytes(own, mpi->rank);
    tsnn_status status;
    for (int r = 0; r < mpi->ranks; r++) {
        if (r == mpi->rank)
            continue;
        own->peers[own->count] = r;
        TSNNI_TRY(tsnni_mpi_receive(mpi, (char *)own->incoming + r * bytes, bytes, r, GRADIENT_TAG,
                                    &own->requests[own->count++]));
    }
    for (int n = 1; n < mpi->ranks; n++) { /* not all to the same rank at once */
        int r = (mpi->rank + n) % mpi->ranks;
        own->peers[own->count] = r;
        TSNNI_TRY(tsnni_mpi_send(mpi, own->flat + slice_begin(own, r), slice_bytes(own, r), r, GRADIENT_TAG,
                                 &own->requests[own->count++]));
        mpi->own.step_bytes += slice_bytes(own, r);
    }
    return post_question(own);
fail:
    return status;
}

/* In the order of ranks, as threads do it. */
static void sum_up(exchange *own)
{
    const tsnn_mpi *mpi = own->mpi;
    int64_t count = slice_bytes(own, mpi->rank) / (int64_t)sizeof(float);
    float *slice = own->flat + slice_begin(own, mpi->rank);
    memcpy(own->incoming + mpi->rank * count, slice, (size_t)count * sizeof *slice);
    memcpy(slice, own->incoming, (size_t)count * sizeof *slice);
    for (int r = 1; r < mpi->ranks; r++)
        for (int64_t k = 0; k < count; k++)
            slice[k] += own->incoming[r * count + k];
}

static tsnn_status post_sums(exchange *own)
{
    tsnn_mpi *mpi = own->mpi;
    tsnn_status status;
    for (int r = 0; r < mpi->ranks; r++) {
        if (r == mpi->rank)
            continue;
        own->peers[own->count] = r;
        TSNNI_TRY(tsnni_mpi_receive(mpi, own->flat + slice_begin(own, r), slice_bytes(own, r), r, SUM_TAG,
                                    &own->requests[own->count++]));
    }
    for (int n = 1; n < mpi->ranks; n++) {
        int r = (mpi->rank + n) % mpi->ranks;
        own->peers[own->count] = r;
        TSNNI_TRY(tsnni_mpi_send(mpi, own->flat + slice_begin(own, mpi->rank), slice_bytes(own, mpi->rank), r, SUM_TAG,
                                 &own->requests[own->count++]));
        mpi->own.step_bytes += slice_bytes(own, mpi->rank);
    }
    return TSNN_OK;
fail:
    return status;
}

/* The same in shared memory: the sum of this rank's slice goes to all. */
static void share_sums(exchange *own)
{
    tsnn_mpi *mpi = own->mpi;
    int64_t begin = slice_begin(own, mpi->rank), end = slice_begin(own, mpi->rank + 1);
    float sum[SHARED_BLOCK];
    tsnni_mpi_mailboxes_sync(mpi);
    for (int64_t from = begin; from < end; from += SHARED_BLOCK) {
        int64_t count = end - from < SHARED_BLOCK ? end - from : SHARED_BLOCK;
        memcpy(sum, tsnni_mpi_mailbox_of(mpi, 0)->gradient + from, (size_t)count * sizeof *sum);
        for (int r = 1; r < mpi->ranks; r++) {
            const float *numbers = tsnni_mpi_mailbox_of(mpi, r)->gradient + from;
            for (int64_t k = 0; k < count; k++)
                sum[k] += numbers[k];
        }
        for (int r = 0; r < mpi->ranks; r++)
            memcpy(tsnni_mpi_mailbox_of(mpi, r)->weights + from, sum, (size_t)count * sizeof *sum);
    }
    /* As messages would: its part of others' gradients, and the sum for them. */
    mpi->own.step_bytes += 2 * (mpi->ranks - 1) * slice_bytes(own, mpi->rank);
}

/* What each has written before is seen by all after, once they sync too. */
static tsnn_status meet(exchange *own, int32_t ask)
{
    tsnni_mpi_mailboxes_sync(own->mpi);
    atomic_fetch_add(tsnni_mpi_mailbox_of(own->mpi, own->mpi->rank)->meetings, 1);
    if (ask)
        return post_question(own);
    own->peers[own->count] = -1;
    return tsnni_mpi_result(own->mpi, MPI_Ibarrier(own->mpi->comm, &own->requests[own->count++]), "a step");
}

/* A meeting does not tell who is missing. */
static tsnn_status name_the_lost(exchange *own, double seconds, const char *what)
{
    tsnn_mpi *mpi = own->mpi;
    int64_t here = atomic_load(tsnni_mpi_mailbox_of(mpi, mpi->rank)->meetings);
    for (int r = 0; r < mpi->ranks; r++)
        if (atomic_load(tsnni_mpi_mailbox_of(mpi, r)->meetings) < here)
            return tsnni_mpi_lost(mpi, r, seconds, what);
    return TSNN_ERROR_COMMUNICATION;
}

static tsnn_status wait_for(exchange *own, tsnni_worker *worker, const char *what)
{
    double start = tsnni_seconds_now();
    tsnn_status status =
        tsnni_mpi_wait(own->mpi, own->requests, own->peers, own->count, tsnni_mpi_step_limit(own->mpi), what);
    own->count = 0;
    worker->info.wait_seconds += tsnni_seconds_now() - start;
    if (status == TSNN_ERROR_COMMUNICATION && own->shared)
        return name_the_lost(own, tsnni_seconds_now() - start, what);
    return status;
}

static void apply(exchange *own, tsnni_worker *worker, int64_t step)
{
    tsnn_parallel *parallel = own->mpi->parallel;
    const tsnni_kernels *kernels = parallel->context->kernels;
    double length = 1.0 / (double)parallel->exchanges;
    tsnni_update update = tsnni_parallel_update(parallel, (double)parallel->epochs_done + (double)step * length, length,
                                                share_of(own->mpi, step).total);
    const float *sums = own->shared ? tsnni_mpi_mailbox_of(own->mpi, own->mpi->rank)->weights : own->flat;
    for (int64_t l = 0; l < parallel->options.network->count; l++) {
        tsnn_layer *layer = parallel->options.network->stages[l].layer;
        int64_t connections = layer->topology.pattern.count, outputs = layer->topology.pattern.columns;
        if (!layer->frozen) {
            kernels->update(layer->topology.values, layer->topology.velocity, sums, &update, 0, connections);
            kernels->update(layer->bias, layer->bias_velocity, sums + connections, &update, 0, outputs);
        }
        sums += connections + outputs;
    }
    parallel->learning_rate = update.learning_rate;
    parallel->sync_updates++;
    tsnni_worker_count(parallel, worker);
}

/* A rank may only stop where all do: after the first meeting, in which whoever wants to stop says so. */
static tsnn_status run_steps(exchange *own, tsnni_worker *worker)
{
    tsnn_parallel *parallel = own->mpi->parallel;
    tsnn_status status = TSNN_OK;
    for (int64_t step = 0; step < parallel->exchanges; step++) {
        compute(own, worker, step);
        double start = tsnni_seconds_now(), waited = worker->info.wait_seconds;
        TSNNI_TRY(own->shared ? meet(own, 1) : post_gradients(own));
        TSNNI_TRY(wait_for(own, worker, "its gradient"));
        if (own->mpi->anyone_stops)
            break;
        if (own->shared)
            share_sums(own);
        else
            sum_up(own);
        TSNNI_TRY(own->shared ? meet(own, 0) : post_sums(own));
        TSNNI_TRY(wait_for(own, worker, "its part of the sum"));
        if (own->shared)
            tsnni_mpi_mailboxes_sync(own->mpi);
        apply(own, worker, step);
        worker->info.exchange_seconds += tsnni_seconds_now() - start - (worker->info.wait_seconds - waited);
        tsnni_parallel_report_step(parallel, step + 1, parallel->exchanges);
    }
fail:
    return status;
}

/* ---- an epoch ---- */

typedef struct call {
    exchange *own;
    tsnni_worker *worker;
    tsnn_status status;
} call;

static void run_in_session(void *argument)
{
    call *steps = argument;
    steps->status = run_steps(steps->own, steps->worker);
}

/* All ranks must have come to the same network: rules that differ, or a callback that changed it, show here. */
static tsnn_status compare_networks(tsnn_mpi *mpi, tsnni_worker *worker)
{
    for (int r = 1; r < mpi->ranks; r++)
        if (mpi->records[r].network_bits != mpi->records[0].network_bits)
            return worker->status = tsnni_fail(&worker->context.runtime, TSNN_ERROR_STATE,
                                               "rank %d has come to another network than rank 0; do they evolve and "
                                               "prune by the same rules?",
                                               r);
    return TSNN_OK;
}

void tsnni_mpi_run_sync(tsnn_mpi *mpi)
{
    tsnn_parallel *parallel = mpi->parallel;
    tsnni_worker *worker = &parallel->workers[mpi->rank];
    exchange own;
    for (int64_t l = 0; l < worker->gradient->count; l++)
        worker->gradient->layers[l].version = parallel->options.network->stages[l].layer->version;
    tsnn_status status = tsnni_mpi_agree(mpi, exchange_create(mpi, &own), tsnni_mpi_step_limit(mpi));
    if (status >= 0) {
        call steps = {&own, worker, TSNN_OK};
        tsnni_parallel_session(mpi->context->runtime.threads,
                               2 * tsnni_step_work(parallel->options.network, parallel->train->samples), run_in_session,
                               &steps);
        status = steps.status;
        tsnni_mpi_fill_record(mpi, worker);
        mpi->own.network_bits = tsnni_mpi_checksum(parallel->options.network);
        if (status >= 0)
            status = tsnni_mpi_exchange_records(mpi, tsnni_mpi_step_limit(mpi));
        if (status >= 0)
            status = compare_networks(mpi, worker);
    }
    if (status < 0 && worker->status >= 0)
        worker->status = tsnni_fail(&worker->context.runtime, status, "%s", mpi->context->runtime.error_text);
    exchange_free(&own);
}
