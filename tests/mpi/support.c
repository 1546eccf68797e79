/* Claims, courses of training and comparisons between ranks. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ranks.h"

int tsnni_rank, tsnni_ranks, tsnni_claim_failed;
char tsnni_claim_detail[256];
const char *const tsnni_modes[] = {"WASAP", "WASSP", "replicas"};

/* ---- meetings: MPI's own waits spin, which eight ranks on two processors cannot afford ---- */

static void wait_for(MPI_Request *request)
{
    const struct timespec nap = {0, 50000};
    int done = 0;
    for (PMPI_Test(request, &done, MPI_STATUS_IGNORE); !done; PMPI_Test(request, &done, MPI_STATUS_IGNORE))
        nanosleep(&nap, NULL);
}

int tsnni_everyone(int good)
{
    MPI_Request request;
    int all;
    PMPI_Iallreduce(&good, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD, &request);
    wait_for(&request);
    return all;
}

int64_t tsnni_sum_over_ranks(int64_t own)
{
    MPI_Request request;
    int64_t all;
    PMPI_Iallreduce(&own, &all, 1, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD, &request);
    wait_for(&request);
    return all;
}

/* Rank 0's bytes, for all. */
static void hand_out(void *data, int64_t bytes)
{
    MPI_Request request;
    PMPI_Ibcast(data, (int)bytes, MPI_BYTE, 0, MPI_COMM_WORLD, &request);
    wait_for(&request);
}

/* ---- claims ---- */

void tsnni_claim(const char *text, int good)
{
    if (!good)
        fprintf(stderr, "rank %d of %d: not %s%s\n", tsnni_rank, tsnni_ranks, text, tsnni_claim_detail);
    tsnni_claim_detail[0] = '\0';
    good = tsnni_everyone(good);
    tsnni_claim_failed |= !good;
    if (tsnni_rank == 0)
        printf("%s %d ranks: %s\n", good ? "ok" : "not ok", tsnni_ranks, text);
    fflush(stdout);
}

int tsnni_same_network(tsnn_network *network)
{
    tsnni_test_bytes bytes = tsnni_course_bytes(network);
    int64_t first = (int64_t)bytes.size;
    hand_out(&first, sizeof first);
    unsigned char *other = tsnni_test_array(first, 1);
    if (tsnni_rank == 0)
        memcpy(other, bytes.data, bytes.size);
    hand_out(other, first);
    int same = (int64_t)bytes.size == first && memcmp(other, bytes.data, bytes.size) == 0;
    free(other);
    tsnni_test_bytes_free(&bytes);
    return same;
}

int tsnni_same_status(tsnn_status status)
{
    int32_t first = status;
    hand_out(&first, sizeof first);
    return tsnni_everyone(status == first);
}

/* ---- courses ---- */

static int32_t on_epoch(void *user, const tsnn_epoch_report *report)
{
    tsnni_watcher *own = user;
    own->epochs++;
    own->loss = report->validation_loss;
    own->accuracy = report->validation_accuracy;
    if (own->epochs == 1)
        own->first_loss = own->loss;
    if (own->path != NULL && own->epochs >= own->save_from && tsnn_network_save(own->network, NULL, own->path) < 0)
        return -1;
    return own->epochs == own->stop_epoch ? own->answer : 0;
}

/* At the small courses' own rate, .02, momentum with stale gradients diverges in one run of a few: from three ranks on,
 * and from a checkpoint after thousands of evolutions on three too. At this rate, and as long as this, the loss of a
 * hundred runs on 3 to 8 ranks falls to .06 to .83 of its first. */
tsnni_course tsnni_ranks_course(double dropout)
{
    tsnni_course course = tsnni_course_small(7, 120, dropout);
    tsnn_optimizer_destroy(&course.optimizer);
    course.optimizer = tsnni_test_optimizer(course.context, TSNN_OPTIMIZER_MOMENTUM, 0.004, 0.0, 0);
    tsnni_course_add_evolution(&course, 0.3);
    course.validation = tsnni_test_labelled(course.context, 60, 12, 4, 5);
    return course;
}

tsnni_course tsnni_ranks_large_course(int32_t threads)
{
    static const int64_t sizes[] = {12, 360, 360, 4};
    static const tsnni_test_function functions[] = {
        {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_SOFTMAX, 0}};
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, threads, 3);
    return tsnni_course_create(context, tsnni_test_network(context, 3, sizes, functions, 0.2, 0.0),
                               tsnni_test_labelled(context, 300, 12, 4, 5), TSNN_LOSS_CROSS_ENTROPY, 0.002);
}

tsnn_parallel_options tsnni_ranks_options(const tsnni_course *course, int32_t mode, tsnni_watcher *user)
{
    tsnn_parallel_options options = TSNN_PARALLEL_OPTIONS_INIT;
    options.mode = mode;
    options.network = course->network;
    options.loss = course->loss;
    options.optimizer = course->optimizer;
    options.evolution = course->evolution;
    options.pruning = course->pruning;
    options.epochs = 6;
    options.batch = 7;
    options.rate_multiple = options.local_multiple = 1.0;
    if (user != NULL) {
        user->network = course->network;
        options.on_epoch = on_epoch;
        options.user = user;
    }
    return options;
}

int32_t tsnni_ranks_lanes(int32_t in_flight, int32_t apart)
{
    return tsnni_ranks > 1 ? !apart + (tsnni_ranks - 1) * in_flight : 1;
}

tsnn_status tsnni_ranks_run(tsnni_course *course, const tsnn_parallel_options *options, const tsnn_mpi_options *more,
                            tsnn_mpi_info *info)
{
    tsnn_mpi *mpi = NULL;
    tsnn_status status = tsnn_mpi_create(course->context, MPI_COMM_WORLD, options, more, &mpi);
    if (status >= 0)
        status = tsnn_mpi_run(mpi, course->train, course->validation);
    if (mpi != NULL && info != NULL)
        tsnn_mpi_get_info(mpi, info);
    tsnn_mpi_destroy(&mpi);
    int length = snprintf(tsnni_claim_detail, sizeof tsnni_claim_detail, ": status %d: ", (int)status);
    tsnn_context_error(course->context, tsnni_claim_detail + length, (int64_t)sizeof tsnni_claim_detail - length, NULL);
    return status;
}
