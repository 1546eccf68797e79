/* WASAP's server, rank 0: the network of its caller, and a mirror of every worker's snapshot, so that a gradient that
 * comes in is committed as one from a thread is (tsnni_async_commit), evolved topologies included. What a worker gets
 * back is its mirror after the commit. Unless it is apart, the server is a worker too, lane 0, and answers the others
 * between the layers of its own passes; when it has nothing to compute it waits for messages, and sleeps meanwhile.
 *
 * A lane is a gradient in flight, and a worker to the algorithm. Either its rank has it to do (BUSY), or it waits here
 * for the epoch's end that its own commit brought about (HELD), or it is done. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "epoch.h"
#include "mpi/ranks.h"
#include "transfer.h"

#define CLOCK_LOOKS 256
#define FEW_LOOKS 16 /* of those at the clock, between which there are many at the messages */
#define FEW_SECONDS 0.5

typedef enum lane_state { BUSY, HELD, DONE } lane_state;

typedef struct lane {
    lane_state state;
    int32_t afresh;      /* HELD: the network goes with the answer, for its shape has changed */
    char *incoming;      /* head and numbers */
    char *outgoing;      /* the same */
    char *network;       /* a message after an evolution, or NULL */
    uint64_t stamp;      /* the topology that the rank knows */
    double asked_at;     /* BUSY: when it got its weights */
    double suspected_at; /* since when it has been silent for too long; 0: it is not */
    int64_t suspicions;  /* looks in vain since then */
    MPI_Request sent[2];
} lane;

typedef struct tsnni_mpi_server {
    tsnn_mpi *mpi;
    lane *lanes;
    MPI_Request *incoming; /* one a lane */
    int32_t count;
    int64_t numbers;    /* of a gradient */
    int64_t most;       /* the same before all pruning */
    int64_t generation; /* prunings so far: gradients of another shape do not count */
    int64_t total;      /* exchanges of the phase */
    double longest;     /* seconds that a rank takes for a gradient of each lane */
    double served;      /* seconds spent on messages, so far */
    tsnn_status status; /* of what came while it computed */
    tsnni_mpi_teller teller;
} tsnni_mpi_server;

static int rank_of(const tsnni_mpi_server *own, int32_t l)
{
    return tsnni_mpi_rank_of_lane(own->mpi, l);
}

/* Of a message's memory, in either direction. */
static int64_t message_size(const tsnni_mpi_server *own, int32_t l)
{
    int64_t size = tsnni_mpi_mailbox_of(own->mpi, l) != NULL ? 0 : own->most * (int64_t)sizeof(float);
    return TSNNI_MPI_BLOCK + (size > TSNNI_MPI_TEXT ? size : TSNNI_MPI_TEXT);
}

static tsnn_status expect(tsnni_mpi_server *own, int32_t l)
{
    own->lanes[l].state = BUSY;
    own->lanes[l].asked_at = tsnni_seconds_now();
    own->lanes[l].suspected_at = 0.0;
    own->lanes[l].suspicions = 0;
    return tsnni_mpi_receive(own->mpi, own->lanes[l].incoming, message_size(own, l), rank_of(own, l), l,
                             &own->incoming[l]);
}

static tsnn_status server_create(tsnni_mpi_server *own, tsnn_mpi *mpi)
{
    tsnni_runtime *runtime = &mpi->context->runtime;
    tsnn_parallel *parallel = mpi->parallel;
    tsnn_status status;
    *own = (tsnni_mpi_server){.mpi = mpi, .count = mpi->all_lanes};
    own->numbers = own->most = tsnni_transfer_size(parallel->options.network);
    own->total = parallel->phase_one * parallel->exchanges;
    TSNNI_TRY(tsnni_mpi_teller_create(mpi, &own->teller));
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, own->count, &own->lanes));
    TSNNI_TRY(TSNNI_NEW(runtime, own->count, &own->incoming));
    for (int32_t l = 0; l < own->count; l++) {
        lane *at = &own->lanes[l];
        own->incoming[l] = at->sent[0] = at->sent[1] = MPI_REQUEST_NULL;
        at->state = DONE;
        at->stamp = tsnni_mpi_stamp(parallel->workers[l].network);
        if (rank_of(own, l) == 0)
            continue;
        TSNNI_TRY(TSNNI_NEW_ZERO(runtime, tsnni_mpi_room(message_size(own, l)), &at->incoming));
        TSNNI_TRY(TSNNI_NEW_ZERO(runtime, tsnni_mpi_room(message_size(own, l)), &at->outgoing));
    }
    return TSNN_OK;
fail:
    return status;
}

static void server_free(tsnni_mpi_server *own)
{
    tsnni_runtime *runtime = &own->mpi->context->runtime;
    if (own->mpi->broken) /* messages may still come */
        return;
    for (int32_t l = 0; own->lanes != NULL && l < own->count; l++) {
        tsnni_release(runtime, own->lanes[l].incoming);
        tsnni_release(runtime, own->lanes[l].outgoing);
        tsnni_release(runtime, own->lanes[l].network);
    }
    tsnni_release(runtime, own->lanes);
    tsnni_release(runtime, own->incoming);
    tsnni_mpi_teller_free(own->mpi, &own->teller);
}

/* ---- answers ---- */

static tsnn_status finish_sends(tsnni_mpi_server *own, int32_t l)
{
    const int peers[2] = {rank_of(own, l), rank_of(own, l)};
    return tsnni_mpi_wait(own->mpi, own->lanes[l].sent, peers, 2, tsnni_mpi_step_limit(own->mpi), "room for weights");
}

/* Puts a network message together; the weights go with it. */
static tsnn_status send_network(tsnni_mpi_server *own, int32_t l, tsnni_mpi_pull *head)
{
    tsnni_runtime *runtime = &own->mpi->context->runtime;
    const tsnn_network *mirror = own->mpi->parallel->workers[l].network;
    lane *at = &own->lanes[l];
    tsnn_status status;
    head->kind = TSNNI_MPI_NETWORK;
    head->bytes = tsnni_mpi_message_size(mirror, TSNNI_MPI_PATTERN);
    tsnni_release(runtime, at->network);
    at->network = NULL;
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, tsnni_mpi_room(head->bytes), &at->network));
    tsnni_mpi_message_pack(mirror, TSNNI_MPI_PATTERN, at->network);
    TSNNI_TRY(
        tsnni_mpi_send(own->mpi, at->network, head->bytes, rank_of(own, l), TSNNI_MPI_NETWORK_TAG + l, &at->sent[1]));
    at->stamp = tsnni_mpi_stamp(mirror);
    at->afresh = 0;
    own->mpi->own.topology_bytes += head->bytes;
    return TSNN_OK;
fail:
    return status;
}

/* The mirror's weights, where the worker looks for them; returns the bytes of them that go into the message. */
static int64_t pack_weights(tsnni_mpi_server *own, int32_t l)
{
    const tsnn_network *mirror = own->mpi->parallel->workers[l].network;
    const tsnni_mpi_mailbox *box = tsnni_mpi_mailbox_of(own->mpi, l);
    int64_t bytes = tsnni_transfer_size(mirror) * (int64_t)sizeof(float);
    own->mpi->own.step_bytes += tsnni_mpi_room(bytes);
    if (box == NULL) {
        tsnni_transfer_pack_weights(mirror, (float *)(void *)(own->lanes[l].outgoing + TSNNI_MPI_BLOCK));
        return bytes;
    }
    tsnni_transfer_pack_weights(mirror, box->weights);
    tsnni_mpi_mailboxes_sync(own->mpi);
    return 0;
}

/* The mirror, or the end when nothing is left to do. */
static tsnn_status answer(tsnni_mpi_server *own, int32_t l)
{
    tsnn_parallel *parallel = own->mpi->parallel;
    const tsnni_worker *worker = &parallel->workers[l];
    lane *at = &own->lanes[l];
    tsnni_mpi_pull head = {.kind = TSNNI_MPI_WEIGHTS, .exchange = worker->exchange, .generation = own->generation};
    int64_t bytes = sizeof head;
    int32_t ends = atomic_load(&parallel->stop) || worker->exchange >= own->total;
    tsnn_status status;
    at->state = HELD; /* after a failure it is still to be dismissed */
    TSNNI_TRY(finish_sends(own, l));
    if (ends) {
        head.kind = TSNNI_MPI_END;
    } else if (at->afresh || at->stamp != tsnni_mpi_stamp(worker->network)) {
        TSNNI_TRY(send_network(own, l, &head));
    } else {
        bytes += pack_weights(own, l);
    }
    memcpy(at->outgoing, &head, sizeof head);
    TSNNI_TRY(tsnni_mpi_send(own->mpi, at->outgoing, bytes, rank_of(own, l), l, &at->sent[0]));
    own->mpi->own.step_bytes += (int64_t)sizeof head;
    at->state = DONE;
    return ends ? TSNN_OK : expect(own, l);
fail:
    return status;
}

/* ---- gradients ---- */

static void accept_failure(tsnni_mpi_server *own, int32_t l, const tsnni_mpi_push *head)
{
    tsnni_worker *worker = &own->mpi->parallel->workers[l];
    const char *text = own->lanes[l].incoming + TSNNI_MPI_BLOCK;
    own->lanes[l].state = DONE;
    worker->status =
        tsnni_fail(&worker->context.runtime, head->status, "rank %d: %.*s", rank_of(own, l), TSNNI_MPI_TEXT - 1, text);
    atomic_store(&own->mpi->parallel->stop, 1);
}

static tsnn_status accept_gradient(tsnni_mpi_server *own, int32_t l, const tsnni_mpi_push *head)
{
    tsnn_parallel *parallel = own->mpi->parallel;
    tsnni_worker *worker = &parallel->workers[l];
    const tsnni_mpi_mailbox *box = tsnni_mpi_mailbox_of(own->mpi, l);
    const float *numbers =
        box != NULL ? box->gradient : (const float *)(const void *)(own->lanes[l].incoming + TSNNI_MPI_BLOCK);
    if (head->generation != own->generation || atomic_load(&parallel->stop)) {
        own->lanes[l].afresh = 1;
        return answer(own, l);
    }
    if (box != NULL)
        tsnni_mpi_mailboxes_sync(own->mpi);
    tsnni_transfer_unpack_gradient(numbers, worker->gradient);
    worker->score = (tsnni_score){head->loss, head->correct};
    worker->score_samples = head->samples;
    worker->score_steps = head->steps;
    worker->score_norm = head->norm;
    (void)tsnni_async_commit(parallel, worker);
    /* What closes an epoch waits for the evolution. */
    if (worker->snapshot == parallel->commit_end && worker->exchange < own->total) {
        own->lanes[l].state = HELD;
        return TSNN_OK;
    }
    return answer(own, l);
}

static tsnn_status accept_message(tsnni_mpi_server *own, int32_t l)
{
    double start = tsnni_seconds_now();
    tsnni_mpi_push head;
    tsnn_status status = TSNN_OK;
    memcpy(&head, own->lanes[l].incoming, sizeof head);
    if (head.kind == TSNNI_MPI_GRADIENT) {
        own->longest = fmax(own->longest, head.seconds * own->mpi->lanes);
        own->mpi->longest = fmax(own->mpi->longest, head.seconds);
        own->mpi->batch_seconds =
            fmax(own->mpi->batch_seconds, head.seconds / (double)own->mpi->parallel->options.local_steps);
    }
    if (head.kind != TSNNI_MPI_FAILED)
        status = accept_gradient(own, l, &head);
    else
        accept_failure(own, l, &head);
    own->served += tsnni_seconds_now() - start;
    return status;
}

/* The lane that is silent, or -1. After a pause a message may be there that nobody has looked for, and take a few looks
 * to come: a lane over the limit is suspected first. */
static int32_t silent_lane(const tsnni_mpi_server *own, double now)
{
    double limit =
        own->longest > 0.0 ? own->mpi->options.timeout_seconds + 4.0 * own->longest : tsnni_mpi_pause_limit(own->mpi);
    for (int32_t l = 0; l < own->count; l++) {
        lane *at = &own->lanes[l];
        int here = 0;
        if (at->state != BUSY || now - at->asked_at <= limit)
            continue;
        if (MPI_Request_get_status(own->incoming[l], &here, MPI_STATUS_IGNORE) == MPI_SUCCESS && here)
            continue;
        if (at->suspicions++ == 0)
            at->suspected_at = now;
        if (at->suspicions >= FEW_LOOKS && now - at->suspected_at > FEW_SECONDS)
            return l;
    }
    return -1;
}

static tsnn_status check_silence(tsnni_mpi_server *own)
{
    double now = tsnni_seconds_now();
    int32_t silent = silent_lane(own, now);
    if (silent < 0)
        return tsnni_mpi_tell_on(own->mpi, &own->teller);
    return tsnni_mpi_lost(own->mpi, rank_of(own, silent), now - own->lanes[silent].asked_at, "its gradient");
}

/* Waits for the next message of any lane. That some come does not mean that all do. */
static tsnn_status next_message(tsnni_mpi_server *own, int *l)
{
    tsnn_status status;
    for (int64_t looks = 0;; looks++) {
        int found = 0;
        TSNNI_TRY(tsnni_mpi_result(own->mpi, MPI_Testany(own->count, own->incoming, l, &found, MPI_STATUS_IGNORE),
                                   "a gradient"));
        if (looks % CLOCK_LOOKS == 0)
            TSNNI_TRY(check_silence(own));
        if (found)
            return *l != MPI_UNDEFINED ? TSNN_OK : tsnni_mpi_lost(own->mpi, -1, 0.0, "a gradient of no one");
        tsnni_mpi_rest(own->mpi, looks);
    }
fail:
    return status;
}

static int32_t epoch_ends(const tsnn_parallel *parallel)
{
    return atomic_load(&parallel->commits) >= parallel->commit_end || atomic_load(&parallel->stop);
}

/* Accepts what is there, and waits for nothing. */
static tsnn_status accept_waiting(tsnni_mpi_server *own)
{
    tsnn_status status;
    while (!epoch_ends(own->mpi->parallel)) {
        int found = 0, l = MPI_UNDEFINED;
        TSNNI_TRY(tsnni_mpi_result(own->mpi, MPI_Testany(own->count, own->incoming, &l, &found, MPI_STATUS_IGNORE),
                                   "a gradient"));
        if (!found || l == MPI_UNDEFINED)
            return check_silence(own);
        TSNNI_TRY(accept_message(own, l));
    }
    return TSNN_OK;
fail:
    return status;
}

/* ---- the server as a worker: lane 0, whose gradients need no message ---- */

static void look_after_others(void *user)
{
    tsnni_mpi_server *own = user;
    if (own->status >= 0)
        own->status = accept_waiting(own);
}

/* As of a worker that is a thread: see make_ready() in src/parallel_async.c. */
static int32_t has_work(const tsnni_mpi_server *own)
{
    const tsnn_parallel *parallel = own->mpi->parallel;
    const tsnni_worker *worker = &parallel->workers[0];
    return !own->mpi->apart && worker->snapshot != parallel->commit_end && worker->exchange < own->total &&
           worker->exchange < parallel->commit_end + parallel->exchanges;
}

/* The others are answered between its layers, so that they wait for a layer at most. */
static tsnn_status compute_gradient(tsnni_mpi_server *own)
{
    tsnn_mpi *mpi = own->mpi;
    tsnni_worker *worker = &mpi->parallel->workers[0];
    double served = own->served;
    int64_t first, end;
    tsnni_mpi_find_batches(mpi, worker->exchange, &first, &end);
    tsnni_worker_compute(mpi->parallel, worker, first, end, 0);
    worker->info.compute_seconds -= own->served - served;
    worker->ready = 1;
    if (!isfinite(worker->score.loss))
        tsnni_worker_count(mpi->parallel, worker); /* stops the run */
    return own->status;
}

/* ---- an epoch ---- */

static tsnni_mpi_server *server_of(tsnn_parallel *parallel)
{
    return ((tsnn_mpi *)parallel->engine.user)->server;
}

/* A worker whose shape pruning has changed since it got its weights. */
static void start_generation(tsnni_mpi_server *own)
{
    int64_t numbers = tsnni_transfer_size(own->mpi->parallel->options.network);
    if (numbers == own->numbers)
        return;
    own->numbers = numbers;
    own->generation++;
    for (int32_t l = 0; l < own->count; l++)
        own->lanes[l].afresh = 1;
}

static tsnn_status serve_epoch(tsnni_mpi_server *own)
{
    tsnn_parallel *parallel = own->mpi->parallel;
    tsnn_status status = TSNN_OK;
    parallel->commit_end = (parallel->epochs_done + 1) * parallel->exchanges;
    for (int32_t l = 0; l < own->count; l++)
        if (own->lanes[l].state == HELD)
            TSNNI_TRY(answer(own, l));
    while (!epoch_ends(parallel)) {
        int l;
        if (has_work(own)) {
            if (!parallel->workers[0].ready)
                TSNNI_TRY(compute_gradient(own));
            (void)tsnni_async_commit(parallel, &parallel->workers[0]);
            TSNNI_TRY(accept_waiting(own));
            continue;
        }
        double start = tsnni_seconds_now();
        TSNNI_TRY(next_message(own, &l));
        parallel->workers[0].info.wait_seconds += own->mpi->apart ? 0.0 : tsnni_seconds_now() - start;
        TSNNI_TRY(accept_message(own, l));
    }
fail:
    return status;
}

static void serve_in_session(void *argument)
{
    tsnni_mpi_server *own = argument;
    if (own->status >= 0)
        own->status = serve_epoch(own);
}

static void run_steps(tsnn_parallel *parallel, int32_t first_phase)
{
    tsnni_mpi_server *own = server_of(parallel);
    (void)first_phase;
    start_generation(own);
    own->status = tsnni_mpi_tell(own->mpi, &own->teller, TSNNI_MPI_AT_WORK);
    own->mpi->order_epoch[0] = own->mpi->order_epoch[1] = -1;
    tsnni_parallel_session(own->mpi->context->runtime.threads,
                           2 * tsnni_step_work(parallel->options.network, parallel->train->samples), serve_in_session,
                           own);
    tsnn_status status = own->status;
    if (status < 0)
        parallel->workers[0].status =
            tsnni_fail(&parallel->workers[0].context.runtime, status, "%s", own->mpi->context->runtime.error_text);
    for (int32_t l = 0; l < own->count; l++)
        parallel->workers[l].finished_at = tsnni_seconds_now();
}

/* A network that is validated is between its layers now and then; whoever evolves or is called back is not. */
static void look_alive(void *user)
{
    tsnni_mpi_server *own = user;
    if (own->status >= 0)
        own->status = tsnni_mpi_tell_on(own->mpi, &own->teller);
}

static void tell_pause(tsnn_parallel *parallel)
{
    tsnni_mpi_server *own = server_of(parallel);
    if (own->status >= 0)
        own->status = tsnni_mpi_tell(own->mpi, &own->teller, TSNNI_MPI_PAUSES);
}

/* What goes on beside the server's passes. */
static void hook(tsnni_mpi_server *own, int32_t on)
{
    tsnn_parallel *parallel = own->mpi->parallel;
    tsnn_context *contexts[] = {own->mpi->context, &parallel->workers[0].context};
    for (int c = 0; c < 2; c++) {
        contexts[c]->between = !on ? NULL : c == 0 ? look_alive : look_after_others;
        contexts[c]->between_user = on ? own : NULL;
    }
    parallel->engine.pause = on ? tell_pause : NULL;
}

/* ---- the phase ---- */

/* Everyone who still computes is told that this is the end. */
static tsnn_status dismiss(tsnni_mpi_server *own)
{
    tsnn_status status = TSNN_OK;
    atomic_store(&own->mpi->parallel->stop, 1);
    for (int32_t l = 0; l < own->count; l++)
        if (own->lanes[l].state == HELD)
            TSNNI_TRY(answer(own, l));
    for (int32_t busy = 1; busy;) {
        int l;
        busy = 0;
        for (int32_t k = 0; k < own->count; k++)
            busy |= own->lanes[k].state == BUSY;
        if (!busy)
            break;
        TSNNI_TRY(next_message(own, &l));
        TSNNI_TRY(accept_message(own, l));
    }
    for (int32_t l = 0; l < own->count; l++)
        TSNNI_TRY(finish_sends(own, l));
    return tsnni_mpi_tell(own->mpi, &own->teller, TSNNI_MPI_DONE);
fail:
    return status;
}

tsnn_status tsnni_mpi_serve(tsnn_mpi *mpi, const tsnn_dataset *validation)
{
    tsnn_parallel *parallel = mpi->parallel;
    tsnni_mpi_server own;
    tsnn_status status = tsnni_mpi_agree(mpi, server_create(&own, mpi), tsnni_mpi_pause_limit(mpi));
    if (status < 0) {
        server_free(&own);
        return status;
    }
    mpi->server = &own;
    parallel->engine.run_steps = run_steps;
    hook(&own, 1);
    for (int32_t l = tsnni_mpi_first_lane(mpi, 1); l < own.count && status >= 0; l++)
        if (parallel->workers[l].exchange < own.total)
            status = expect(&own, l);
    while (status == TSNN_OK && parallel->epochs_done < parallel->phase_one)
        status = tsnni_parallel_run_epoch(parallel, validation);
    hook(&own, 0);
    status = status >= 0 && own.status < 0 ? own.status : status;
    if (!mpi->broken) {
        tsnn_status dismissed = dismiss(&own);
        status = dismissed < 0 ? dismissed : status;
    }
    if (mpi->broken)
        tsnni_mpi_tell_loss(mpi, &own.teller);
    mpi->own.serve_seconds += own.served;
    server_free(&own);
    mpi->server = NULL;
    return status;
}
