/* Parallel training by MPI ranks: the object, its options, and a run from the first agreement to the last. */
#include "mpi/ranks.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "epoch.h"
#include "network.h"
#include "transfer.h"

#define DEFAULT_TIMEOUT 8.0
#define DEFAULT_PAUSE 600.0
#define DEFAULT_IN_FLIGHT 2
#define MOST_IN_FLIGHT 8
#define MOST_LANES 1024 /* each is a worker to the algorithm */

tsnn_status tsnn_mpi_options_init(tsnn_mpi_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_mpi_options)TSNN_MPI_OPTIONS_INIT;
    return TSNN_OK;
}

/* ---- creation ---- */

/* Without MPI nothing can be agreed on: this is found by every rank for itself. */
static tsnn_status check_mpi(tsnni_runtime *runtime, MPI_Comm communicator)
{
    int initialised = 0, finalised = 0;
    MPI_Initialized(&initialised);
    MPI_Finalized(&finalised);
    if (!initialised || finalised)
        return tsnni_fail(runtime, TSNN_ERROR_STATE, "MPI is %s", finalised ? "finalised" : "not initialised");
    if (communicator == MPI_COMM_NULL)
        return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT, "the communicator is MPI_COMM_NULL: it has no ranks");
    return TSNN_OK;
}

static tsnn_status check_level(tsnni_runtime *runtime)
{
    int level = MPI_THREAD_SINGLE;
    MPI_Query_thread(&level);
    if (level >= MPI_THREAD_FUNNELED || runtime->threads == 1)
        return TSNN_OK;
    return tsnni_fail(runtime, TSNN_ERROR_STATE,
                      "a context of %d threads wants MPI_Init_thread() with MPI_THREAD_FUNNELED",
                      (int)runtime->threads);
}

/* All that agreeing needs; no memory of the caller's. */
static tsnn_status connect(tsnn_mpi *mpi, MPI_Comm communicator)
{
    MPI_Request request;
    tsnn_status status;
    mpi->options.timeout_seconds = DEFAULT_TIMEOUT; /* until the caller's are read */
    mpi->options.pause_seconds = DEFAULT_PAUSE;
    TSNNI_TRY(tsnni_mpi_result(mpi, MPI_Comm_idup(communicator, &mpi->comm, &request), "duplicating"));
    TSNNI_TRY(tsnni_mpi_wait(mpi, &request, NULL, 1, DEFAULT_PAUSE, "the others to set up training"));
    MPI_Comm_set_errhandler(mpi->comm, MPI_ERRORS_RETURN);
    MPI_Comm_rank(mpi->comm, &mpi->rank);
    MPI_Comm_size(mpi->comm, &mpi->ranks);
    TSNNI_TRY(tsnni_mpi_result(mpi, MPI_Type_contiguous(TSNNI_MPI_BLOCK, MPI_BYTE, &mpi->block), "a data type"));
    TSNNI_TRY(tsnni_mpi_result(mpi, MPI_Type_commit(&mpi->block), "a data type"));
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status create_tables(tsnn_mpi *mpi)
{
    tsnni_runtime *runtime = &mpi->context->runtime;
    tsnn_status status;
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, mpi->ranks, &mpi->records));
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, mpi->ranks, &mpi->shard_samples));
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status read_options(tsnn_mpi *mpi, const tsnn_mpi_options *options)
{
    tsnni_runtime *runtime = &mpi->context->runtime;
    tsnn_mpi_options given;
    tsnn_status status;
    TSNNI_TRY(tsnni_options_read(runtime, options, &given, sizeof given, "tsnn_mpi_options"));
    if (given.version != 0 && given.version != tsnn_version_number())
        TSNNI_FAIL(runtime, TSNN_ERROR_UNSUPPORTED, "the program was built with version %d, the library is %d",
                   (int)given.version, (int)tsnn_version_number());
    if (given.data != TSNN_MPI_WHOLE && given.data != TSNN_MPI_SHARDED)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "data %d is unknown", (int)given.data);
    if (given.in_flight < 0 || given.in_flight > MOST_IN_FLIGHT)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "in_flight is %d; it must be 1..%d", (int)given.in_flight,
                   MOST_IN_FLIGHT);
    if (!(given.timeout_seconds >= 0.0) || !(given.pause_seconds >= 0.0) || !isfinite(given.timeout_seconds) ||
        !isfinite(given.pause_seconds))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT,
                   "timeout_seconds is %g, pause_seconds %g; they must be above 0", given.timeout_seconds,
                   given.pause_seconds);
    if ((given.transport != TSNN_MPI_AUTOMATIC && given.transport != TSNN_MPI_MESSAGES) || given.reserved != 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "transport is %d, reserved %d; they must be 0 or 1, and 0",
                   (int)given.transport, (int)given.reserved);
    given.in_flight = given.in_flight > 0 ? given.in_flight : DEFAULT_IN_FLIGHT;
    given.timeout_seconds = given.timeout_seconds > 0.0 ? given.timeout_seconds : DEFAULT_TIMEOUT;
    given.pause_seconds = given.pause_seconds > 0.0 ? given.pause_seconds : DEFAULT_PAUSE;
    mpi->options = given;
    return TSNN_OK;
fail:
    return status;
}

int32_t tsnni_mpi_first_lane(const tsnn_mpi *mpi, int rank)
{
    if (!mpi->served)
        return rank;
    return rank == 0 ? 0 : !mpi->apart + (rank - 1) * mpi->lanes;
}

int tsnni_mpi_rank_of_lane(const tsnn_mpi *mpi, int32_t lane)
{
    if (!mpi->served)
        return lane;
    return lane < !mpi->apart ? 0 : (lane - !mpi->apart) / mpi->lanes + 1;
}

/* The workers that this rank has in phase 1: the server mirrors all lanes, a worker rank has its own. */
static void place_phase_one(tsnn_mpi *mpi)
{
    tsnni_engine *engine = &mpi->parallel->engine;
    mpi->parallel->options.workers = mpi->all_lanes;
    engine->first = tsnni_mpi_first_lane(mpi, mpi->rank);
    engine->end = engine->computing_end = tsnni_mpi_first_lane(mpi, mpi->rank + 1);
    if (mpi->served && mpi->rank == 0)
        engine->end = mpi->all_lanes;
}

/* In phase 2: rank 0 has the copies of all, to average them. */
static void place_phase_two(tsnn_mpi *mpi)
{
    tsnni_engine *engine = &mpi->parallel->engine;
    for (int32_t w = engine->first; w < engine->end; w++)
        tsnni_worker_leave(mpi->parallel, &mpi->parallel->workers[w]);
    mpi->parallel->options.workers = mpi->workers;
    engine->first = mpi->rank == 0 ? 0 : mpi->rank - mpi->apart;
    engine->end = engine->computing_end = mpi->rank == 0 ? mpi->workers : engine->first + 1;
    engine->apart = mpi->rank != 0;
}

static void run_steps(tsnn_parallel *parallel, int32_t first_phase)
{
    tsnn_mpi *mpi = parallel->engine.user;
    if (first_phase)
        tsnni_mpi_run_sync(mpi);
    else
        tsnni_mpi_run_local(mpi);
    for (int32_t w = 0; w < parallel->options.workers; w++)
        parallel->workers[w].finished_at = tsnni_seconds_now();
}

static tsnn_status create_workers(tsnn_mpi *mpi, const tsnn_parallel_options *options)
{
    tsnni_runtime *runtime = &mpi->context->runtime;
    tsnn_parallel_options own;
    tsnn_status status;
    TSNNI_TRY(tsnni_options_read(runtime, options, &own, sizeof own, "tsnn_parallel_options"));
    own.struct_size = sizeof own;
    mpi->served = own.mode == TSNN_PARALLEL_WASAP && mpi->ranks > 1;
    mpi->apart = mpi->served && own.workers == mpi->ranks - 1;
    mpi->workers = mpi->ranks - mpi->apart;
    mpi->lanes = mpi->served ? mpi->options.in_flight : 1;
    mpi->all_lanes = tsnni_mpi_first_lane(mpi, mpi->ranks);
    if (own.workers != 0 && own.workers != mpi->workers)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "workers is %d; %d ranks make %d%s", (int)own.workers,
                   mpi->ranks, mpi->ranks, mpi->served ? " or one less" : "");
    if (own.mode != TSNN_PARALLEL_WASAP && mpi->options.in_flight != DEFAULT_IN_FLIGHT)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT,
                   "in_flight is %d; only WASAP has gradients in flight, mode is %d", (int)mpi->options.in_flight,
                   (int)own.mode);
    if (own.replay != NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "a log is replayed by threads, not by ranks");
    if (mpi->all_lanes > MOST_LANES)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT,
                   "%d ranks with in_flight %d have %d gradients in flight; there may be %d at most", mpi->ranks,
                   (int)mpi->options.in_flight, (int)mpi->all_lanes, MOST_LANES);
    if (own.local_multiple == 0.0)
        own.local_multiple = tsnni_parallel_default_local_multiple(mpi->workers);
    own.workers = mpi->all_lanes;
    if (mpi->rank != 0) {
        own.on_step = NULL;
        own.on_epoch = NULL;
        own.keep_log = 0;
    }
    TSNNI_TRY(tsnn_parallel_create(mpi->context, &own, &mpi->parallel));
    tsnni_parallel_local_workers(mpi->parallel, mpi->workers);
    mpi->parallel->engine.user = mpi;
    mpi->parallel->engine.sharded = mpi->options.data == TSNN_MPI_SHARDED;
    mpi->parallel->engine.run_steps = run_steps;
    for (int32_t w = 0; w < own.workers; w++)
        mpi->parallel->workers[w].context.runtime.threads = runtime->threads;
    return TSNN_OK;
fail:
    return status;
}

/* What a rank can find out by itself. */
static tsnn_status set_up(tsnn_mpi *mpi, const tsnn_parallel_options *parallel, const tsnn_mpi_options *options)
{
    tsnn_status status;
    TSNNI_TRY(check_level(&mpi->context->runtime));
    TSNNI_TRY(create_tables(mpi));
    TSNNI_TRY(read_options(mpi, options));
    TSNNI_TRY(create_workers(mpi, parallel));
    return TSNN_OK;
fail:
    return status;
}

/* Frees all but the object itself. */
static void disconnect(tsnn_mpi *mpi)
{
    tsnni_runtime *runtime = &mpi->context->runtime;
    if (mpi->parallel != NULL)
        mpi->parallel->options.workers = mpi->all_lanes;
    tsnn_parallel_destroy(&mpi->parallel);
    if (mpi->broken) /* messages may still come */
        return;
    if (mpi->block != MPI_DATATYPE_NULL)
        MPI_Type_free(&mpi->block);
    if (mpi->comm != MPI_COMM_NULL)
        MPI_Comm_free(&mpi->comm);
    tsnni_release(runtime, mpi->records);
    tsnni_release(runtime, mpi->shard_samples);
}

tsnn_status tsnn_mpi_create(tsnn_context *context, MPI_Comm communicator, const tsnn_parallel_options *parallel,
                            const tsnn_mpi_options *options, tsnn_mpi **out)
{
    /* A rank that brings nothing, or finds no memory, still tells the others so. */
    tsnn_context nobody = {.runtime = {.threads = 1}};
    tsnn_context *used = context != NULL ? context : &nobody;
    tsnn_mpi *spare = NULL, *mpi = NULL;
    tsnn_status status, found;
    tsnni_runtime_init(&nobody.runtime);
    if (out != NULL)
        *out = NULL;
    status = check_mpi(&used->runtime, communicator);
    if (status < 0)
        return status;
    found = TSNNI_NEW_ZERO(&used->runtime, 1, &mpi);
    if (found < 0) { /* not on the stack: messages may come when this has returned */
        if (MPI_Alloc_mem((MPI_Aint)sizeof *spare, MPI_INFO_NULL, &spare) != MPI_SUCCESS)
            return found;
        memset(spare, 0, sizeof *spare);
        mpi = spare;
    }
    mpi->context = used;
    mpi->comm = MPI_COMM_NULL;
    mpi->crowded = 1;
    mpi->block = MPI_DATATYPE_NULL;
    TSNNI_TRY(connect(mpi, communicator));
    if (context == NULL || out == NULL || parallel == NULL)
        found = tsnni_fail(&used->runtime, TSNN_ERROR_NULL_ARGUMENT, "%s is NULL",
                           context == NULL ? "context"
                           : out == NULL   ? "out"
                                           : "parallel");
    if (found >= 0)
        found = set_up(mpi, parallel, options);
    TSNNI_TRY(tsnni_mpi_agree(mpi, found, tsnni_mpi_pause_limit(mpi)));
    TSNNI_TRY(tsnni_mpi_compare_ranks(mpi));
    TSNNI_TRY(tsnni_mpi_count_neighbours(mpi));
    *out = mpi;
    return TSNN_OK;
fail:
    if (spare == NULL) {
        tsnn_mpi_destroy(&mpi);
    } else {
        disconnect(spare);
        if (!spare->broken)
            MPI_Free_mem(spare);
    }
    return status;
}

void tsnn_mpi_destroy(tsnn_mpi **mpi)
{
    if (mpi == NULL || *mpi == NULL)
        return;
    tsnn_mpi *own = *mpi;
    tsnni_runtime *runtime = &own->context->runtime;
    *mpi = NULL;
    disconnect(own);
    if (!own->broken)
        tsnni_release(runtime, own);
}

/* ---- a run ---- */

/* A served phase 1: the ranks meet at its end only. */
static tsnn_status run_served(tsnn_mpi *mpi, const tsnn_dataset *validation)
{
    tsnn_parallel *parallel = mpi->parallel;
    mpi->exchanges_done = 0;
    mpi->first_epoch = parallel->epochs_done;
    mpi->order_epoch[0] = mpi->order_epoch[1] = -1;
    tsnn_status status = mpi->rank == 0 ? tsnni_mpi_serve(mpi, validation) : tsnni_mpi_work(mpi);
    status = tsnni_mpi_agree(mpi, status, tsnni_mpi_step_limit(mpi));
    if (status < 0 || mpi->broken)
        return status;
    tsnni_mpi_fill_record(mpi, NULL);
    tsnn_status told = tsnni_mpi_exchange_records(mpi, tsnni_mpi_step_limit(mpi));
    if (told < 0)
        return told;
    parallel->epochs_done = mpi->records[0].epochs_done;
    return status;
}

static tsnn_status enter_phase_two(tsnn_mpi *mpi)
{
    tsnn_status status = tsnni_mpi_share(mpi);
    if (status < 0)
        return status;
    place_phase_two(mpi);
    mpi->parallel->engine.run_steps = run_steps;
    mpi->longest = 0.0; /* its steps were phase 1's */
    status = tsnni_mpi_agree(mpi, tsnni_parallel_enter(mpi->parallel), tsnni_mpi_step_limit(mpi));
    if (status >= 0 && mpi->rank >= mpi->apart)
        mpi->stamp = tsnni_mpi_stamp(mpi->parallel->workers[mpi->rank - mpi->apart].network);
    return status;
}

static tsnn_status run_epochs(tsnn_mpi *mpi, const tsnn_dataset *validation)
{
    tsnn_parallel *parallel = mpi->parallel;
    tsnn_status status = TSNN_OK;
    if (mpi->served && parallel->epochs_done < parallel->phase_one)
        status = run_served(mpi, validation);
    if (mpi->served && status == TSNN_OK && parallel->epochs_done < parallel->options.epochs)
        status = enter_phase_two(mpi);
    while (status == TSNN_OK && parallel->epochs_done < parallel->options.epochs) {
        status = tsnni_mpi_agree(mpi, tsnni_parallel_run_epoch(parallel, validation), tsnni_mpi_end_limit(mpi));
        if (status == TSNN_OK && parallel->epochs_done == parallel->phase_one &&
            parallel->epochs_done < parallel->options.epochs)
            status = enter_phase_two(mpi);
    }
    return status;
}

/* After a failure that all know of: the networks may have other shapes, with which nothing new could be set up. What
 * went wrong stays what is told. */
static void share_what_is_left(tsnn_mpi *mpi, tsnn_status status)
{
    char text[sizeof mpi->context->runtime.error_text];
    memcpy(text, mpi->context->runtime.error_text, sizeof text);
    mpi->agreed = 0;
    (void)tsnni_mpi_share(mpi);
    mpi->agreed = 1;
    (void)tsnni_fail(&mpi->context->runtime, status, "%s", text);
}

/* Both ends of a run are the same on all ranks: rank 0's network. */
static tsnn_status run_all(tsnn_mpi *mpi, const tsnn_dataset *train, const tsnn_dataset *validation)
{
    tsnn_parallel *parallel = mpi->parallel;
    tsnn_status status;
    TSNNI_TRY(tsnni_mpi_share(mpi));
    if (parallel->epochs_done < parallel->phase_one)
        place_phase_one(mpi);
    else
        place_phase_two(mpi);
    parallel->engine.run_steps = run_steps;
    status = tsnni_parallel_begin(parallel, train);
    TSNNI_TRY(tsnni_mpi_agree(mpi, status, tsnni_mpi_step_limit(mpi)));
    if (parallel->epochs_done >= parallel->phase_one && mpi->rank >= mpi->apart)
        mpi->stamp = tsnni_mpi_stamp(parallel->workers[mpi->rank - mpi->apart].network);
    if (parallel->epochs_done < parallel->phase_one)
        TSNNI_TRY(tsnni_mpi_mailboxes_create(mpi));
    status = run_epochs(mpi, validation);
    if (status >= 0) {
        tsnn_status shared = tsnni_mpi_share(mpi);
        status = shared < 0 ? shared : status;
    }
fail:
    tsnni_mpi_mailboxes_free(mpi);
    tsnni_parallel_end(parallel);
    if (status < 0 && mpi->agreed && !mpi->broken)
        share_what_is_left(mpi, status);
    return status;
}

tsnn_status tsnn_mpi_run(tsnn_mpi *mpi, const tsnn_dataset *train, const tsnn_dataset *validation)
{
    if (mpi == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnn_parallel *parallel = mpi->parallel;
    tsnni_runtime *runtime = &mpi->context->runtime;
    tsnn_status status;
    if (mpi->broken)
        return tsnni_fail(runtime, TSNN_ERROR_STATE, "a rank was lost before; there is no going on");
    mpi->agreed = 0;
    validation = mpi->rank == 0 ? validation : NULL;
    status = tsnni_parallel_check_data(parallel, train, validation);
    TSNNI_TRY(tsnni_mpi_agree(mpi, status, tsnni_mpi_pause_limit(mpi)));
    TSNNI_TRY(tsnni_mpi_compare_data(mpi, train));
    if (parallel->epochs_done == parallel->options.epochs)
        return TSNN_OK;
    if (parallel->options.mode == TSNN_PARALLEL_WASAP && mpi->ranks == 1) {
        parallel->engine = (tsnni_engine){.end = 1, .computing_end = 1}; /* one worker: a thread */
        return tsnn_parallel_run(parallel, train, validation);
    }
    return run_all(mpi, train, validation);
fail:
    return status;
}

/* ---- what it did ---- */

tsnn_status tsnn_mpi_get_parallel_info(const tsnn_mpi *mpi, tsnn_parallel_info *info)
{
    if (mpi == NULL || info == NULL)
        return tsnni_null_argument(mpi != NULL ? mpi->context : NULL, "info");
    tsnn_parallel_info known = TSNN_PARALLEL_INFO_INIT;
    tsnn_parallel all = *mpi->parallel; /* as in phase 1: of all lanes */
    all.options.workers = mpi->all_lanes;
    tsnn_status status = tsnn_parallel_get_info(&all, &known);
    if (status < 0)
        return status;
    known.workers = mpi->workers;
    if (mpi->ranks > 1) { /* alone it may have been a run of one thread */
        known.exchanges = mpi->records[0].exchanges;
        known.compute_seconds = known.exchange_seconds = known.wait_seconds = 0.0;
        for (int r = 0; r < mpi->ranks; r++) {
            known.compute_seconds += mpi->records[r].compute_seconds;
            known.exchange_seconds += mpi->records[r].exchange_seconds;
            known.wait_seconds += mpi->records[r].wait_seconds;
        }
    }
    return tsnni_info_write(&mpi->context->runtime, info, &known, sizeof known, "tsnn_parallel_info");
}

tsnn_status tsnn_mpi_get_info(const tsnn_mpi *mpi, tsnn_mpi_info *info)
{
    if (mpi == NULL || info == NULL)
        return tsnni_null_argument(mpi != NULL ? mpi->context : NULL, "info");
    tsnn_mpi_info known = TSNN_MPI_INFO_INIT;
    tsnn_parallel_info parallel = TSNN_PARALLEL_INFO_INIT;
    tsnn_status status = tsnn_mpi_get_parallel_info(mpi, &parallel);
    if (status < 0)
        return status;
    known.rank = mpi->rank;
    known.ranks = mpi->ranks;
    known.workers = mpi->workers;
    known.gradients = mpi->served ? mpi->all_lanes : 0;
    for (int r = 0; r < mpi->ranks; r++) {
        known.step_bytes += mpi->records[r].step_bytes;
        known.topology_bytes += mpi->records[r].topology_bytes;
        known.average_bytes += mpi->records[r].average_bytes;
        known.serve_seconds += mpi->records[r].serve_seconds;
    }
    known.exchanges = parallel.exchanges;
    if (mpi->parallel->options.mode == TSNN_PARALLEL_WASSP)
        known.exchanges *= mpi->workers;
    known.value_bytes = 2.0 * sizeof(float) * (double)tsnni_transfer_size(mpi->parallel->options.network);
    known.exchange_bytes = known.exchanges > 0 ? (double)known.step_bytes / (double)known.exchanges : 0.0;
    return tsnni_info_write(&mpi->context->runtime, info, &known, sizeof known, "tsnn_mpi_info");
}

tsnn_status tsnn_mpi_get_log(const tsnn_mpi *mpi, tsnn_parallel_commit *commits, int64_t capacity, int64_t *count)
{
    if (mpi == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    return tsnn_parallel_get_log(mpi->parallel, commits, capacity, count);
}
