/* What the server of WASAP tells its workers besides answers, so that they know a server that is busy from one that
 * hangs: a beat while it works, a word before it pauses for what may take long, and which rank is lost. */
#include <math.h>
#include <stdio.h>

#include "core/memory.h"
#include "epoch.h"
#include "mpi/ranks.h"

/* Of timeout_seconds: how often the server is heard, and how much longer than the server a worker waits, so that it
 * hears from it who is lost. */
#define BEAT 0.125

/* Of timeout_seconds: how long to wait for room for a notice. */
#define ROOM 0.04

/* Looks between two looks at the clock. */
#define CLOCK_LOOKS 64

/* After a sleep of its own, a rank finds what came meanwhile only by a few looks. */
#define SUSPICION 0.5

/* ---- the server ---- */

tsnn_status tsnni_mpi_teller_create(tsnn_mpi *mpi, tsnni_mpi_teller *teller)
{
    tsnni_runtime *runtime = &mpi->context->runtime;
    tsnn_status status;
    *teller = (tsnni_mpi_teller){.pauses = 1};
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, mpi->ranks, &teller->notices));
    TSNNI_TRY(TSNNI_NEW(runtime, mpi->ranks, &teller->sent));
    for (int r = 0; r < mpi->ranks; r++)
        teller->sent[r] = MPI_REQUEST_NULL;
    return TSNN_OK;
fail:
    return status;
}

void tsnni_mpi_teller_free(tsnn_mpi *mpi, tsnni_mpi_teller *teller)
{
    if (mpi->broken)
        return;
    tsnni_release(&mpi->context->runtime, teller->notices);
    tsnni_release(&mpi->context->runtime, teller->sent);
}

static tsnn_status finish(tsnn_mpi *mpi, tsnni_mpi_teller *teller, int rank)
{
    return tsnni_mpi_wait(mpi, &teller->sent[rank], &rank, 1, tsnni_mpi_step_limit(mpi), "room for a notice");
}

/* A worker that has not heard the last dozens of notices hangs, which its gradient tells in time: it is given a moment
 * only. */
static int32_t has_room(const tsnn_mpi *mpi, tsnni_mpi_teller *teller, int rank)
{
    double end = tsnni_seconds_now() + ROOM * mpi->options.timeout_seconds;
    for (int64_t looks = 0;; looks++) {
        int done = 0;
        if (MPI_Test(&teller->sent[rank], &done, MPI_STATUS_IGNORE) != MPI_SUCCESS)
            return 0;
        if (done || tsnni_seconds_now() > end)
            return done;
        tsnni_mpi_rest(mpi, looks);
    }
}

tsnn_status tsnni_mpi_tell(tsnn_mpi *mpi, tsnni_mpi_teller *teller, int64_t kind)
{
    tsnn_status status;
    for (int r = 1; r < mpi->ranks; r++) {
        tsnni_mpi_notice *notice = &teller->notices[r];
        if (kind == TSNNI_MPI_DONE)
            TSNNI_TRY(finish(mpi, teller, r));
        else if (!has_room(mpi, teller, r))
            continue;
        notice->kind = kind;
        TSNNI_TRY(tsnni_mpi_send(mpi, notice, sizeof *notice, r, TSNNI_MPI_NOTICE_TAG, &teller->sent[r]));
    }
    for (int r = 1; kind == TSNNI_MPI_DONE && r < mpi->ranks; r++)
        TSNNI_TRY(finish(mpi, teller, r));
    teller->told_at = tsnni_seconds_now();
    teller->pauses = kind == TSNNI_MPI_PAUSES;
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnni_mpi_tell_on(tsnn_mpi *mpi, tsnni_mpi_teller *teller)
{
    if (teller->pauses || tsnni_seconds_now() - teller->told_at < BEAT * mpi->options.timeout_seconds)
        return TSNN_OK;
    return tsnni_mpi_tell(mpi, teller, TSNNI_MPI_AT_WORK);
}

void tsnni_mpi_tell_loss(tsnn_mpi *mpi, tsnni_mpi_teller *teller)
{
    for (int r = 1; r < mpi->ranks; r++) {
        tsnni_mpi_notice *notice = &teller->notices[r];
        if (!has_room(mpi, teller, r))
            continue;
        notice->kind = TSNNI_MPI_LOST;
        snprintf(notice->text, sizeof notice->text, "%.*s", (int)sizeof notice->text - 1,
                 mpi->context->runtime.error_text);
        (void)MPI_Isend(notice, sizeof *notice / TSNNI_MPI_BLOCK, mpi->block, r, TSNNI_MPI_NOTICE_TAG, mpi->comm,
                        &teller->sent[r]);
    }
}

/* ---- a worker ---- */

static tsnn_status expect(tsnn_mpi *mpi, tsnni_mpi_listener *listener)
{
    return tsnni_mpi_receive(mpi, listener->notice, sizeof *listener->notice, 0, TSNNI_MPI_NOTICE_TAG,
                             &listener->coming);
}

tsnn_status tsnni_mpi_listener_create(tsnn_mpi *mpi, tsnni_mpi_listener *listener)
{
    *listener = (tsnni_mpi_listener){.coming = MPI_REQUEST_NULL, .pauses = 1, .heard_at = tsnni_seconds_now()};
    return TSNNI_NEW_ZERO(&mpi->context->runtime, 1, &listener->notice);
}

void tsnni_mpi_listener_free(tsnn_mpi *mpi, tsnni_mpi_listener *listener)
{
    if (!mpi->broken)
        tsnni_release(&mpi->context->runtime, listener->notice);
}

tsnn_status tsnni_mpi_listen(tsnn_mpi *mpi, tsnni_mpi_listener *listener)
{
    tsnn_status status;
    for (;;) {
        int done = 0;
        if (listener->done)
            return TSNN_OK;
        if (listener->coming == MPI_REQUEST_NULL)
            TSNNI_TRY(expect(mpi, listener));
        TSNNI_TRY(tsnni_mpi_result(mpi, MPI_Test(&listener->coming, &done, MPI_STATUS_IGNORE), "a notice"));
        if (!done)
            return TSNN_OK;
        listener->heard_at = tsnni_seconds_now();
        listener->pauses = listener->notice->kind == TSNNI_MPI_PAUSES;
        listener->done = listener->notice->kind == TSNNI_MPI_DONE;
        if (listener->notice->kind == TSNNI_MPI_LOST) {
            mpi->broken = 1;
            listener->notice->text[sizeof listener->notice->text - 1] = '\0';
            return tsnni_fail(&mpi->context->runtime, TSNN_ERROR_COMMUNICATION, "%s", listener->notice->text);
        }
    }
fail:
    return status;
}

/* Whether the server is silent for too long. */
static tsnn_status check_server(tsnn_mpi *mpi, tsnni_mpi_listener *listener, double start, const char *what)
{
    double now = tsnni_seconds_now(), since = fmax(start, listener->heard_at);
    double limit =
        listener->pauses ? tsnni_mpi_pause_limit(mpi) : tsnni_mpi_step_limit(mpi) + BEAT * mpi->options.timeout_seconds;
    if (now - since <= limit) {
        listener->suspected_at = 0.0;
        return TSNN_OK;
    }
    if (listener->suspected_at == 0.0)
        listener->suspected_at = now;
    return now - listener->suspected_at <= SUSPICION ? TSNN_OK : tsnni_mpi_lost(mpi, 0, now - since, what);
}

tsnn_status tsnni_mpi_listen_for(tsnn_mpi *mpi, tsnni_mpi_listener *listener, MPI_Request *requests, int count,
                                 const char *what)
{
    double start = 0.0;
    tsnn_status status;
    for (int64_t looks = 0;; looks++) {
        int done = 0;
        TSNNI_TRY(tsnni_mpi_result(mpi, MPI_Testall(count, requests, &done, MPI_STATUSES_IGNORE), what));
        if (count > 0 ? done : listener->done)
            return TSNN_OK;
        if (looks % CLOCK_LOOKS == 0) {
            start = looks == 0 ? tsnni_seconds_now() : start;
            TSNNI_TRY(tsnni_mpi_listen(mpi, listener));
            TSNNI_TRY(check_server(mpi, listener, start, what));
        }
        tsnni_mpi_rest(mpi, looks);
    }
fail:
    return status;
}
