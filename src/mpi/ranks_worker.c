/* A worker rank of WASAP, in phase 1. It has a few lanes, each a snapshot and a gradient, and goes round: takes what
 * the server answered to a lane's last gradient, computes the next and sends it. While one lane's gradient travels the
 * next lane computes, so with two lanes the answer is there before it is looked for. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "epoch.h"
#include "mpi/ranks.h"
#include "transfer.h"

typedef struct lane {
    tsnni_worker *worker;
    int32_t tag; /* number over all ranks */
    int32_t waits, done;
    int64_t generation;
    char *outgoing, *incoming; /* head and numbers */
    MPI_Request sent, answered;
} lane;

typedef struct worker_rank {
    tsnn_mpi *mpi;
    lane *lanes;
    int32_t count;
    int64_t size; /* of a message's memory */
    tsnni_mpi_listener listener;
    tsnn_status status;
} worker_rank;

static const int server = 0;

static tsnn_status create(worker_rank *own, tsnn_mpi *mpi)
{
    tsnni_runtime *runtime = &mpi->context->runtime;
    tsnn_parallel *parallel = mpi->parallel;
    int32_t shared = tsnni_mpi_mailbox_of(mpi, tsnni_mpi_first_lane(mpi, mpi->rank)) != NULL;
    int64_t numbers = shared ? 0 : tsnni_transfer_size(parallel->options.network) * (int64_t)sizeof(float);
    tsnn_status status;
    *own = (worker_rank){.mpi = mpi, .count = mpi->lanes};
    own->size = TSNNI_MPI_BLOCK + (numbers > TSNNI_MPI_TEXT ? numbers : TSNNI_MPI_TEXT);
    TSNNI_TRY(tsnni_mpi_listener_create(mpi, &own->listener));
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, own->count, &own->lanes));
    for (int32_t n = 0; n < own->count; n++) {
        lane *at = &own->lanes[n];
        at->tag = tsnni_mpi_first_lane(mpi, mpi->rank) + n;
        at->worker = &parallel->workers[at->tag];
        at->sent = at->answered = MPI_REQUEST_NULL;
        at->done = at->worker->exchange >= parallel->phase_one * parallel->exchanges;
        TSNNI_TRY(TSNNI_NEW_ZERO(runtime, tsnni_mpi_room(own->size), &at->outgoing));
        TSNNI_TRY(TSNNI_NEW_ZERO(runtime, tsnni_mpi_room(own->size), &at->incoming));
    }
    return TSNN_OK;
fail:
    return status;
}

static void release(worker_rank *own)
{
    tsnni_runtime *runtime = &own->mpi->context->runtime;
    if (own->mpi->broken) /* messages may still come */
        return;
    for (int32_t n = 0; own->lanes != NULL && n < own->count; n++) {
        tsnni_release(runtime, own->lanes[n].outgoing);
        tsnni_release(runtime, own->lanes[n].incoming);
    }
    tsnni_release(runtime, own->lanes);
    tsnni_mpi_listener_free(own->mpi, &own->listener);
}

/* ---- a gradient ---- */

void tsnni_mpi_find_batches(tsnn_mpi *mpi, int64_t exchange, int64_t *first, int64_t *end)
{
    tsnn_parallel *parallel = mpi->parallel;
    if (mpi->options.data == TSNN_MPI_SHARDED) {
        int64_t local = parallel->options.local_steps, number = mpi->exchanges_done++;
        int64_t within = number % mpi->shard_exchanges * local;
        int64_t before = (mpi->first_epoch + number / mpi->shard_exchanges) * parallel->batches;
        *first = before + within;
        *end = before + (within + local < parallel->batches ? within + local : parallel->batches);
    } else {
        tsnni_async_batches(parallel, exchange, first, end);
    }
    int64_t epoch = *first / parallel->batches;
    if (mpi->order_epoch[epoch % 2] == epoch)
        return;
    mpi->order_epoch[epoch % 2] = epoch;
    tsnni_epoch_shuffle(mpi->context->seed, epoch + 1, parallel->order[epoch % 2], parallel->train->samples);
}

static tsnn_status send_gradient(worker_rank *own, lane *at, double seconds)
{
    tsnn_mpi *mpi = own->mpi;
    tsnni_worker *worker = at->worker;
    tsnni_mpi_push head = {.kind = TSNNI_MPI_GRADIENT,
                           .generation = at->generation,
                           .steps = worker->score_steps,
                           .samples = worker->score_samples,
                           .correct = worker->score.correct,
                           .loss = worker->score.loss,
                           .norm = worker->score_norm,
                           .seconds = seconds};
    const tsnni_mpi_mailbox *box = tsnni_mpi_mailbox_of(mpi, at->tag);
    int64_t numbers = tsnni_transfer_size(worker->network) * (int64_t)sizeof(float);
    int64_t bytes = TSNNI_MPI_BLOCK + (box != NULL ? 0 : numbers);
    tsnn_status status;
    memcpy(at->outgoing, &head, sizeof head);
    tsnni_transfer_pack_gradient(worker->gradient,
                                 box != NULL ? box->gradient : (float *)(void *)(at->outgoing + TSNNI_MPI_BLOCK));
    if (box != NULL)
        tsnni_mpi_mailboxes_sync(mpi);
    TSNNI_TRY(tsnni_mpi_receive(mpi, at->incoming, own->size, server, at->tag, &at->answered));
    TSNNI_TRY(tsnni_mpi_send(mpi, at->outgoing, bytes, server, at->tag, &at->sent));
    mpi->own.step_bytes += TSNNI_MPI_BLOCK + tsnni_mpi_room(numbers);
    at->waits = 1;
fail:
    return status;
}

/* Tells the server what went wrong; the lane expects nothing more. */
static tsnn_status send_failure(worker_rank *own, lane *at)
{
    tsnni_mpi_push head = {.kind = TSNNI_MPI_FAILED, .status = own->status};
    memcpy(at->outgoing, &head, sizeof head);
    snprintf(at->outgoing + TSNNI_MPI_BLOCK, TSNNI_MPI_TEXT, "%.*s", TSNNI_MPI_TEXT - 1,
             own->mpi->context->runtime.error_text);
    at->done = 1;
    return tsnni_mpi_send(own->mpi, at->outgoing, TSNNI_MPI_BLOCK + TSNNI_MPI_TEXT, server, at->tag, &at->sent);
}

static tsnn_status next_gradient(worker_rank *own, lane *at)
{
    tsnn_mpi *mpi = own->mpi;
    tsnni_worker *worker = at->worker;
    int64_t first, end;
    double start = tsnni_seconds_now();
    if (own->status < 0)
        return send_failure(own, at);
    tsnni_mpi_find_batches(mpi, worker->exchange, &first, &end);
    tsnni_worker_compute(mpi->parallel, worker, first, end, 0);
    double computed = tsnni_seconds_now();
    mpi->longest = fmax(mpi->longest, computed - start);
    tsnni_worker_count(mpi->parallel, worker);
    if (worker->status < 0) {
        own->status = tsnni_fail(&mpi->context->runtime, worker->status, "%s", worker->context.runtime.error_text);
        return send_failure(own, at);
    }
    tsnn_status status = send_gradient(own, at, computed - start);
    worker->info.exchange_seconds += tsnni_seconds_now() - computed;
    return status;
}

/* ---- an answer ---- */

/* A workspace and a gradient for the topology that the network has now. */
static tsnn_status fit_worker(tsnn_mpi *mpi, tsnni_worker *worker)
{
    int64_t batch = mpi->parallel->options.micro_batch, samples = mpi->parallel->train->samples;
    tsnn_status status;
    tsnni_workspace_destroy(&worker->workspace);
    tsnn_gradient_destroy(&worker->gradient);
    TSNNI_TRY(tsnni_workspace_create(worker->network, batch < samples ? batch : samples, 1, &worker->workspace));
    TSNNI_TRY(tsnn_gradient_create(worker->network, &worker->gradient));
    return TSNN_OK;
fail:
    return tsnni_fail(&mpi->context->runtime, status, "%s", worker->context.runtime.error_text);
}

/* A message that there is no memory for is received all the same, into MPI's own: left where it is, it might be taken
 * for one of a later run. */
static tsnn_status drop_network(worker_rank *own, lane *at, int64_t bytes)
{
    tsnn_mpi *mpi = own->mpi;
    MPI_Request request = MPI_REQUEST_NULL;
    void *message = NULL;
    tsnn_status status;
    TSNNI_TRY(tsnni_mpi_result(mpi, MPI_Alloc_mem((MPI_Aint)tsnni_mpi_room(bytes), MPI_INFO_NULL, &message),
                               "room for a topology"));
    TSNNI_TRY(tsnni_mpi_receive(mpi, message, bytes, server, TSNNI_MPI_NETWORK_TAG + at->tag, &request));
    TSNNI_TRY(tsnni_mpi_wait(mpi, &request, &server, 1, tsnni_mpi_step_limit(mpi), "a topology"));
    MPI_Free_mem(message);
    return TSNN_OK;
fail:
    return status;
}

/* A failure that is this rank's own goes into own->status: the server is to hear of it. */
static tsnn_status receive_network(worker_rank *own, lane *at, int64_t bytes)
{
    tsnn_mpi *mpi = own->mpi;
    tsnni_runtime *runtime = &mpi->context->runtime;
    MPI_Request request = MPI_REQUEST_NULL;
    char *message = NULL;
    tsnn_status status = TSNNI_NEW(runtime, tsnni_mpi_room(bytes), &message);
    if (status < 0) {
        own->status = status;
        return drop_network(own, at, bytes);
    }
    TSNNI_TRY(tsnni_mpi_receive(mpi, message, bytes, server, TSNNI_MPI_NETWORK_TAG + at->tag, &request));
    TSNNI_TRY(tsnni_mpi_wait(mpi, &request, &server, 1, tsnni_mpi_step_limit(mpi), "a topology"));
    status = tsnni_mpi_message_unpack(at->worker->network, message, bytes);
    if (status < 0)
        TSNNI_FAIL(runtime, status, "%s", at->worker->context.runtime.error_text);
    status = fit_worker(mpi, at->worker);
fail:
    if (!mpi->broken)
        tsnni_release(runtime, message);
    if (status < 0 && !mpi->broken)
        own->status = status;
    return mpi->broken ? status : TSNN_OK;
}

static void take_weights(tsnn_mpi *mpi, lane *at)
{
    const tsnni_mpi_mailbox *box = tsnni_mpi_mailbox_of(mpi, at->tag);
    const float *numbers = box != NULL ? box->weights : (const float *)(const void *)(at->incoming + TSNNI_MPI_BLOCK);
    if (box != NULL)
        tsnni_mpi_mailboxes_sync(mpi);
    tsnni_transfer_unpack_weights(numbers, at->worker->network);
}

static tsnn_status take_answer(worker_rank *own, lane *at)
{
    tsnn_mpi *mpi = own->mpi;
    tsnni_mpi_pull head;
    MPI_Request both[2] = {at->sent, at->answered};
    double start = tsnni_seconds_now();
    tsnn_status status = tsnni_mpi_listen_for(mpi, &own->listener, both, 2, "the server's weights");
    at->sent = both[0];
    at->answered = both[1];
    at->waits = 0;
    double came = tsnni_seconds_now();
    at->worker->info.wait_seconds += came - start;
    if (status < 0)
        return status;
    memcpy(&head, at->incoming, sizeof head);
    at->done = head.kind == TSNNI_MPI_END;
    at->generation = head.generation;
    at->worker->exchange = head.exchange;
    if (head.kind == TSNNI_MPI_NETWORK)
        status = receive_network(own, at, head.bytes);
    else if (head.kind == TSNNI_MPI_WEIGHTS)
        take_weights(mpi, at);
    at->worker->info.exchange_seconds += tsnni_seconds_now() - came;
    return status;
}

/* ---- the phase ---- */

static void go_round(void *argument)
{
    worker_rank *own = argument;
    tsnn_status status = TSNN_OK;
    for (int32_t working = 1; working && status >= 0;) {
        working = 0;
        for (int32_t n = 0; n < own->count && status >= 0; n++) {
            lane *at = &own->lanes[n];
            if (at->waits)
                status = take_answer(own, at);
            if (status >= 0 && !at->done)
                status = next_gradient(own, at);
            working |= !at->done;
        }
    }
    for (int32_t n = 0; n < own->count && status >= 0; n++)
        status = tsnni_mpi_listen_for(own->mpi, &own->listener, &own->lanes[n].sent, 1, "room for a message");
    if (status >= 0)
        status = tsnni_mpi_listen_for(own->mpi, &own->listener, NULL, 0, "the end of the phase");
    if (status < 0)
        own->status = status;
}

tsnn_status tsnni_mpi_work(tsnn_mpi *mpi)
{
    tsnn_parallel *parallel = mpi->parallel;
    worker_rank own;
    tsnn_status status = tsnni_mpi_agree(mpi, create(&own, mpi), tsnni_mpi_pause_limit(mpi));
    if (status >= 0) {
        atomic_store(&parallel->stop, 0);
        for (int32_t n = 0; n < own.count; n++)
            own.lanes[n].worker->status = TSNN_OK;
        tsnni_parallel_session(mpi->context->runtime.threads,
                               2 * tsnni_step_work(parallel->options.network, parallel->train->samples), go_round,
                               &own);
        status = own.status;
    }
    release(&own);
    return status;
}
