/* Phase 2: every worker rank trains its own copy and sends it to rank 0 after each epoch, the pattern only when it has
 * evolved; rank 0 has all copies and averages them. */
#include <math.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "epoch.h"
#include "mpi/ranks.h"

enum { COPY_TAG = 3 };

typedef struct call {
    tsnn_parallel *parallel;
    tsnni_worker *worker;
} call;

static void run_in_session(void *argument)
{
    call *own = argument;
    tsnni_local_run_worker(own->parallel, own->worker);
}

static void train(tsnn_mpi *mpi, tsnni_worker *worker)
{
    call own = {mpi->parallel, worker};
    double start = tsnni_seconds_now();
    tsnni_parallel_session(mpi->context->runtime.threads,
                           2 * tsnni_step_work(worker->network, mpi->parallel->train->samples), run_in_session, &own);
    mpi->own.epoch_seconds = tsnni_seconds_now() - start;
    mpi->longest = fmax(mpi->longest, mpi->own.epoch_seconds);
}

/* Until the others' epochs are done. Who trains, or has heard how long others took, knows their length; a server that
 * has no epoch of its own has only seen single mini-batches before. */
static double epoch_limit(const tsnn_mpi *mpi)
{
    int64_t most = mpi->parallel->batches / mpi->workers + 1;
    for (int r = 0; mpi->options.data == TSNN_MPI_SHARDED && r < mpi->ranks; r++)
        most = (int64_t)fmax((double)most, (double)(mpi->shard_samples[r] / mpi->parallel->options.batch + 1));
    if (mpi->longest > 0.0)
        return tsnni_mpi_step_limit(mpi);
    return tsnni_mpi_pause_limit(mpi) + 4.0 * (double)most * mpi->batch_seconds;
}

/* What a rank's copy is as a message. */
static void describe_message(tsnn_mpi *mpi, const tsnni_worker *worker)
{
    uint64_t stamp = tsnni_mpi_stamp(worker->network);
    int32_t parts = TSNNI_MPI_VELOCITY | (stamp != mpi->stamp ? TSNNI_MPI_PATTERN : 0);
    mpi->stamp = stamp;
    mpi->own.message_brings = parts;
    mpi->own.message_bytes = tsnni_mpi_message_size(worker->network, parts);
    if (mpi->rank != 0)
        mpi->own.average_bytes += tsnni_mpi_room(mpi->own.message_bytes);
}

static tsnn_status send_copy(tsnn_mpi *mpi, const tsnni_worker *worker)
{
    static const int root = 0;
    tsnni_runtime *runtime = &mpi->context->runtime;
    MPI_Request request = MPI_REQUEST_NULL;
    int64_t size = mpi->own.message_bytes;
    char *bytes = NULL;
    tsnn_status status = TSNNI_NEW_ZERO(runtime, tsnni_mpi_room(size), &bytes);
    TSNNI_TRY(tsnni_mpi_agree(mpi, status, tsnni_mpi_step_limit(mpi)));
    tsnni_mpi_message_pack(worker->network, (int32_t)mpi->own.message_brings, bytes);
    TSNNI_TRY(tsnni_mpi_send(mpi, bytes, size, 0, COPY_TAG, &request));
    TSNNI_TRY(tsnni_mpi_wait(mpi, &request, &root, 1, tsnni_mpi_step_limit(mpi), "room for a copy"));
fail:
    if (!mpi->broken)
        tsnni_release(runtime, bytes);
    return status;
}

/* One after another: rank 0 needs the memory of one message. */
static tsnn_status receive_copies(tsnn_mpi *mpi)
{
    tsnni_runtime *runtime = &mpi->context->runtime;
    MPI_Request request = MPI_REQUEST_NULL;
    int64_t most = 0;
    char *bytes = NULL;
    tsnn_status status, unpacked = TSNN_OK;
    for (int r = 1; r < mpi->ranks; r++)
        most = mpi->records[r].message_bytes > most ? mpi->records[r].message_bytes : most;
    status = TSNNI_NEW(runtime, tsnni_mpi_room(most), &bytes);
    TSNNI_TRY(tsnni_mpi_agree(mpi, status, tsnni_mpi_step_limit(mpi)));
    for (int r = 1; r < mpi->ranks; r++) {
        tsnn_network *mirror = mpi->parallel->workers[r - mpi->apart].network;
        TSNNI_TRY(tsnni_mpi_receive(mpi, bytes, mpi->records[r].message_bytes, r, COPY_TAG, &request));
        TSNNI_TRY(tsnni_mpi_wait(mpi, &request, &r, 1, tsnni_mpi_step_limit(mpi), "its copy"));
        if (unpacked >= 0)
            unpacked = tsnni_mpi_message_unpack(mirror, bytes, mpi->records[r].message_bytes);
        if (unpacked < 0)
            (void)tsnni_fail(runtime, unpacked, "%s", mirror->context->runtime.error_text);
    }
    status = unpacked;
fail:
    if (!mpi->broken)
        tsnni_release(runtime, bytes);
    return status;
}

void tsnni_mpi_run_local(tsnn_mpi *mpi)
{
    tsnn_parallel *parallel = mpi->parallel;
    int32_t trains = mpi->rank >= mpi->apart;
    tsnni_worker *worker = &parallel->workers[trains ? mpi->rank - mpi->apart : 0];
    if (trains) {
        train(mpi, worker);
        describe_message(mpi, worker);
    }
    tsnni_mpi_fill_record(mpi, trains ? worker : NULL);
    /* A rank that was stopped knows no epoch's length. */
    tsnn_status status = tsnni_mpi_exchange_records(
        mpi, trains && atomic_load(&parallel->stop) ? tsnni_mpi_pause_limit(mpi) : epoch_limit(mpi));
    for (int r = 0; r < mpi->ranks && status >= 0; r++)
        mpi->longest = fmax(mpi->longest, mpi->records[r].epoch_seconds);
    for (int32_t w = 0; w < mpi->workers && status >= 0; w++)
        if (parallel->workers[w].status < 0)
            return;
    if (status >= 0)
        status = mpi->rank == 0 ? receive_copies(mpi) : send_copy(mpi, worker);
    if (status < 0)
        worker->status = tsnni_fail(&worker->context.runtime, status, "%s", mpi->context->runtime.error_text);
}
