/* Messages that end in bounded time: every wait looks, yields and sleeps, and gives up when a rank is silent for too
 * long. A request that was given up stays posted, so its memory is never freed. */
#include <limits.h>
#include <math.h>

#include "core/sync.h"
#include "epoch.h"
#include "mpi/ranks.h"

/* Looks between two looks at the clock. */
#define CLOCK_LOOKS 64

/* Seconds. Who has not looked for longer, because it was stopped itself, cannot tell whether others were silent. */
#define LONGEST_NAP 1.0

/* Looks before the first nap, where other ranks want the processor and where they do not. Yielding, between the two in
 * tsnni_sync_wait(), hands whole slices of time to whatever else runs on a crowded machine; who naps is woken at once.
 */
#define CROWDED_LOOKS 200
#define LOOKS 4000
#define NO_YIELDS 1000000

int64_t tsnni_mpi_room(int64_t bytes)
{
    return (bytes + TSNNI_MPI_BLOCK - 1) / TSNNI_MPI_BLOCK * TSNNI_MPI_BLOCK;
}

tsnn_status tsnni_mpi_blocks(tsnn_mpi *mpi, int64_t bytes, int *out)
{
    int64_t blocks = tsnni_mpi_room(bytes) / TSNNI_MPI_BLOCK;
    if (blocks > INT_MAX)
        return tsnni_fail(&mpi->context->runtime, TSNN_ERROR_OVERFLOW, "a message of %lld bytes; at most %lld",
                          (long long)bytes, (long long)INT_MAX * TSNNI_MPI_BLOCK);
    *out = (int)blocks;
    return TSNN_OK;
}

tsnn_status tsnni_mpi_result(tsnn_mpi *mpi, int code, const char *what)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length;
    if (code == MPI_SUCCESS)
        return TSNN_OK;
    mpi->broken = 1;
    MPI_Error_string(code, text, &length);
    return tsnni_fail(&mpi->context->runtime, TSNN_ERROR_COMMUNICATION, "%s: %s", what, text);
}

tsnn_status tsnni_mpi_lost(tsnn_mpi *mpi, int rank, double seconds, const char *what)
{
    mpi->broken = 1;
    if (rank < 0)
        return tsnni_fail(&mpi->context->runtime, TSNN_ERROR_COMMUNICATION,
                          "a rank has been silent for %.1f s: waiting for %s", seconds, what);
    return tsnni_fail(&mpi->context->runtime, TSNN_ERROR_COMMUNICATION,
                      "rank %d has been silent for %.1f s: waiting for %s", rank, seconds, what);
}

tsnn_status tsnni_mpi_send(tsnn_mpi *mpi, const void *data, int64_t bytes, int to, int tag, MPI_Request *request)
{
    int blocks = 0;
    tsnn_status status = tsnni_mpi_blocks(mpi, bytes, &blocks);
    if (status < 0)
        return status;
    return tsnni_mpi_result(mpi, MPI_Isend(data, blocks, mpi->block, to, tag, mpi->comm, request), "sending");
}

tsnn_status tsnni_mpi_receive(tsnn_mpi *mpi, void *data, int64_t bytes, int from, int tag, MPI_Request *request)
{
    int blocks = 0;
    tsnn_status status = tsnni_mpi_blocks(mpi, bytes, &blocks);
    if (status < 0)
        return status;
    return tsnni_mpi_result(mpi, MPI_Irecv(data, blocks, mpi->block, from, tag, mpi->comm, request), "receiving");
}

void tsnni_mpi_rest(const tsnn_mpi *mpi, int64_t looks)
{
    tsnni_sync_wait(looks < (mpi->crowded ? CROWDED_LOOKS : LOOKS) ? 0 : NO_YIELDS);
}

/* The rank of the first request that is not done. */
static int silent_rank(const MPI_Request *requests, const int *peers, int count)
{
    for (int n = 0; peers != NULL && n < count; n++) {
        int done = 1;
        if (requests[n] != MPI_REQUEST_NULL &&
            MPI_Request_get_status(requests[n], &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && !done)
            return peers[n];
    }
    return -1;
}

tsnn_status tsnni_mpi_wait(tsnn_mpi *mpi, MPI_Request *requests, const int *peers, int count, double limit,
                           const char *what)
{
    double last = 0.0, silent = 0.0;
    for (int64_t looks = 0;; looks++) {
        int done = 0;
        tsnn_status status = tsnni_mpi_result(mpi, MPI_Testall(count, requests, &done, MPI_STATUSES_IGNORE), what);
        if (status < 0 || done)
            return status;
        if (looks % CLOCK_LOOKS == 0) {
            double now = tsnni_seconds_now();
            silent += looks == 0 ? 0.0 : fmin(now - last, LONGEST_NAP);
            last = now;
            if (silent > limit)
                return tsnni_mpi_lost(mpi, silent_rank(requests, peers, count), silent, what);
        }
        tsnni_mpi_rest(mpi, looks);
    }
}

tsnn_status tsnni_mpi_broadcast(tsnn_mpi *mpi, void *data, int64_t bytes, int root, double limit)
{
    MPI_Request request = MPI_REQUEST_NULL;
    int blocks = 0;
    tsnn_status status;
    TSNNI_TRY(tsnni_mpi_blocks(mpi, bytes, &blocks));
    TSNNI_TRY(tsnni_mpi_result(mpi, MPI_Ibcast(data, blocks, mpi->block, root, mpi->comm, &request), "a broadcast"));
    return tsnni_mpi_wait(mpi, &request, &root, 1, limit, "a broadcast");
fail:
    return status;
}

tsnn_status tsnni_mpi_least(tsnn_mpi *mpi, const int32_t *own, int32_t *all, int count, double limit)
{
    MPI_Request request = MPI_REQUEST_NULL;
    tsnn_status status;
    TSNNI_TRY(tsnni_mpi_result(mpi, MPI_Iallreduce(own, all, count, MPI_INT32_T, MPI_MIN, mpi->comm, &request),
                               "what the other ranks report"));
    return tsnni_mpi_wait(mpi, &request, NULL, 1, limit, "what the other ranks report");
fail:
    return status;
}

tsnn_status tsnni_mpi_gather(tsnn_mpi *mpi, const void *own, void *all, int64_t bytes, double limit)
{
    MPI_Request request = MPI_REQUEST_NULL;
    tsnn_status status;
    TSNNI_TRY(
        tsnni_mpi_result(mpi, MPI_Iallgather(own, (int)bytes, MPI_BYTE, all, (int)bytes, MPI_BYTE, mpi->comm, &request),
                         "what the other ranks report"));
    return tsnni_mpi_wait(mpi, &request, NULL, 1, limit, "what the other ranks report");
fail:
    return status;
}

double tsnni_mpi_step_limit(const tsnn_mpi *mpi)
{
    if (mpi->longest == 0.0) /* setting up a large network takes its time too */
        return tsnni_mpi_pause_limit(mpi);
    return mpi->options.timeout_seconds + 4.0 * mpi->longest;
}

double tsnni_mpi_pause_limit(const tsnn_mpi *mpi)
{
    return mpi->options.pause_seconds + 4.0 * mpi->longest;
}

double tsnni_mpi_end_limit(const tsnn_mpi *mpi)
{
    return mpi->rank == 0 ? tsnni_mpi_step_limit(mpi) : tsnni_mpi_pause_limit(mpi);
}
