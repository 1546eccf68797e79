/* Claims about runs that succeed: they learn, whatever the data and the rules; they give the bits that threads give;
 * they send as little as is told. */
#include <math.h>
#include <stdio.h>

#include "ranks.h"

/* ---- learning ---- */

static void learns(int32_t mode)
{
    char text[160];
    tsnni_watcher own = {0};
    tsnni_course course = tsnni_ranks_course(0.2);
    tsnn_parallel_options options = tsnni_ranks_options(&course, mode, &own);
    options.epochs = TSNNI_LEARNING_EPOCHS;
    int64_t before = tsnni_test_network_size(course.network).connections;
    tsnn_status status = tsnni_ranks_run(&course, &options, NULL, NULL);
    snprintf(text, sizeof text, "%s learns, keeps its connections, and leaves all ranks one network",
             tsnni_modes[mode]);
    int good = status == TSNN_OK && tsnni_test_network_size(course.network).connections == before;
    good &= tsnni_rank != 0 || (own.epochs == TSNNI_LEARNING_EPOCHS && own.loss < 0.9 * own.first_loss);
    good &= tsnni_same_network(course.network);
    snprintf(tsnni_claim_detail, sizeof tsnni_claim_detail, ": status %d, loss %g, then %g", (int)status,
             own.first_loss, own.loss);
    tsnni_course_free(&course);
    tsnni_claim(text, good);
}

/* Each rank has its own third, say, of the samples, and one of them fewer. */
static void learns_from_shards(int32_t mode)
{
    char text[160];
    tsnni_watcher own = {0};
    tsnni_course course = tsnni_ranks_course(0.0);
    tsnn_mpi_options more = TSNN_MPI_OPTIONS_INIT;
    tsnn_parallel_options options = tsnni_ranks_options(&course, mode, &own);
    more.data = TSNN_MPI_SHARDED;
    options.epochs = TSNNI_LEARNING_EPOCHS;
    tsnn_dataset_destroy(&course.train);
    course.train = tsnni_test_labelled(course.context, 120 / tsnni_ranks + 13 + (tsnni_rank == 1), 12, 4, 5);
    tsnn_status status = tsnni_ranks_run(&course, &options, &more, NULL);
    snprintf(text, sizeof text, "%s learns from shards", tsnni_modes[mode]);
    int good = status == TSNN_OK && (tsnni_rank != 0 || own.loss < 0.9 * own.first_loss);
    tsnni_course_free(&course);
    tsnni_claim(text, good);
}

static void prunes(int32_t mode)
{
    char text[160];
    tsnni_watcher own = {0};
    tsnni_course course = tsnni_ranks_course(0.2);
    tsnni_course_add_pruning(&course, 20.0, 2, 1);
    tsnn_parallel_options options = tsnni_ranks_options(&course, mode, &own);
    options.phase_split = 0.8;
    int64_t before = tsnni_test_network_size(course.network).neurons;
    tsnn_status status = tsnni_ranks_run(&course, &options, NULL, NULL);
    snprintf(text, sizeof text, "%s prunes while it trains", tsnni_modes[mode]);
    int good = status == TSNN_OK && tsnni_test_network_size(course.network).neurons < before;
    good &= tsnni_same_network(course.network);
    tsnni_course_free(&course);
    tsnni_claim(text, good);
}

/* ---- bits ---- */

/* What as many threads make of a course. Takes it over. */
static tsnni_test_bytes by_threads(tsnni_course course, const tsnn_parallel_options *like, int32_t workers,
                                   const tsnn_parallel_commit *log, int64_t commits)
{
    tsnn_parallel_options options = tsnni_ranks_options(&course, like->mode, NULL);
    tsnn_parallel *parallel = NULL;
    options.workers = workers;
    options.epochs = like->epochs;
    options.batch = like->batch;
    options.phase_split = like->phase_split;
    options.rate_multiple = like->rate_multiple;
    options.local_multiple = like->local_multiple;
    options.replay = log;
    options.replay_count = commits;
    TSNNI_OK(tsnn_parallel_create(course.context, &options, &parallel));
    TSNNI_OK(tsnn_parallel_run(parallel, course.train, course.validation));
    tsnni_test_bytes bytes = tsnni_course_bytes(course.network);
    tsnn_parallel_destroy(&parallel);
    tsnni_course_free(&course);
    return bytes;
}

static int has_bytes(tsnn_network *network, tsnni_test_bytes expected)
{
    tsnni_test_bytes bytes = tsnni_course_bytes(network);
    int same = tsnni_test_bytes_equal(&bytes, &expected);
    tsnni_test_bytes_free(&bytes);
    tsnni_test_bytes_free(&expected);
    return same;
}

static void gives_the_bits_of_threads(int32_t mode)
{
    char text[160];
    int good = 1;
    for (int run = 0; run < 2; run++) {
        tsnni_course course = tsnni_ranks_course(0.2);
        tsnn_mpi_options more = TSNN_MPI_OPTIONS_INIT;
        tsnn_parallel_options options = tsnni_ranks_options(&course, mode, NULL);
        more.transport = run == 0 ? TSNN_MPI_AUTOMATIC : TSNN_MPI_MESSAGES;
        good &= tsnni_ranks_run(&course, &options, &more, NULL) == TSNN_OK;
        good &= has_bytes(course.network, by_threads(tsnni_ranks_course(0.2), &options, tsnni_ranks, NULL, 0));
        tsnni_course_free(&course);
    }
    snprintf(text, sizeof text, "%s gives the bits of as many threads, by shared memory and by messages",
             tsnni_modes[mode]);
    tsnni_claim(text, good);
}

/* Where the callers say nothing of rates either. */
static void gives_the_bits_of_threads_by_default(int32_t mode)
{
    char text[160];
    tsnni_course course = tsnni_ranks_course(0.2);
    tsnn_parallel_options options = tsnni_ranks_options(&course, mode, NULL);
    options.rate_multiple = options.local_multiple = 0.0;
    int good = tsnni_ranks_run(&course, &options, NULL, NULL) == TSNN_OK;
    good &= has_bytes(course.network, by_threads(tsnni_ranks_course(0.2), &options, tsnni_ranks, NULL, 0));
    tsnni_course_free(&course);
    snprintf(text, sizeof text, "%s gives the bits of as many threads with default rates", tsnni_modes[mode]);
    tsnni_claim(text, good);
}

/* With a rate of next to nothing only decay moves the weights: by 12 mini-batches an epoch, in either phase, whoever
 * has them and however many are in flight. */
static void decay_counts_every_mini_batch(int32_t mode, int32_t in_flight, int32_t apart)
{
    char text[160];
    float before[400], after[400];
    tsnni_course course = tsnni_course_small(8, 120, 0.0);
    tsnn_mpi_options more = TSNN_MPI_OPTIONS_INIT;
    tsnn_optimizer_destroy(&course.optimizer);
    course.optimizer = tsnni_test_optimizer(course.context, TSNN_OPTIMIZER_SGD, 1e-12, 0.01, TSNN_DECAY_DECOUPLED);
    int64_t count = tsnni_test_layer_size(tsnni_test_layer_of(course.network, 0)).connections;
    TSNNI_OK(tsnn_layer_get_csr(tsnni_test_layer_of(course.network, 0), NULL, 0, NULL, before, 400));
    tsnn_parallel_options options = tsnni_ranks_options(&course, mode, NULL);
    options.batch = 10;
    options.epochs = 6;
    options.workers = tsnni_ranks - apart;
    more.in_flight = in_flight;
    int good = tsnni_ranks_run(&course, &options, &more, NULL) == TSNN_OK;
    TSNNI_OK(tsnn_layer_get_csr(tsnni_test_layer_of(course.network, 0), NULL, 0, NULL, after, 400));
    double share = 0.0, expected = pow(0.99, 12.0 * 6.0);
    for (int64_t k = 0; k < count; k++)
        share += fabs((double)before[k]) > 0.01 ? (double)after[k] / (double)before[k] / (double)count
                                                : expected / (double)count;
    good &= fabs(share - expected) < 0.02 * expected;
    snprintf(tsnni_claim_detail, sizeof tsnni_claim_detail, ": %.4f of the weights are left, not %.4f", share,
             expected);
    tsnni_course_free(&course);
    snprintf(text, sizeof text, "%s decays by every mini-batch in both phases, with %d in flight%s", tsnni_modes[mode],
             (int)more.in_flight, apart ? " and a server apart" : "");
    tsnni_claim(text, good);
}

static void gives_the_same_bits_with_two_threads_each(int32_t mode)
{
    char text[160];
    tsnni_course course = tsnni_ranks_large_course(2);
    tsnni_course_add_evolution(&course, 0.3);
    tsnn_parallel_options options = tsnni_ranks_options(&course, mode, NULL);
    options.epochs = 3;
    options.batch = 32;
    int good = tsnni_ranks_run(&course, &options, NULL, NULL) == TSNN_OK;
    if (tsnni_rank == 0) {
        tsnni_course other = tsnni_ranks_large_course(1);
        tsnni_course_add_evolution(&other, 0.3);
        good &= has_bytes(course.network, by_threads(other, &options, tsnni_ranks, NULL, 0));
    }
    tsnni_course_free(&course);
    snprintf(text, sizeof text, "%s on ranks of two threads each gives the bits of as many single threads",
             tsnni_modes[mode]);
    tsnni_claim(text, good);
}

/* Where a log has prunings, snapshots of older shapes are under way when they come. */
static tsnni_course logged_course(int large, int32_t threads, int32_t pruned)
{
    tsnni_course course = large ? tsnni_ranks_large_course(threads) : tsnni_ranks_course(0.2);
    if (pruned)
        tsnni_course_add_pruning(&course, 20.0, 1, 2);
    return course;
}

static void its_log_can_be_replayed(int32_t in_flight, int32_t threads, int32_t transport, int32_t apart,
                                    int32_t pruned)
{
    static tsnn_parallel_commit log[1024];
    char text[160];
    int64_t commits = 0;
    tsnn_mpi *mpi = NULL;
    tsnn_mpi_options more = TSNN_MPI_OPTIONS_INIT;
    tsnni_course course = logged_course(threads > 1, threads, pruned);
    tsnn_parallel_options options = tsnni_ranks_options(&course, TSNN_PARALLEL_WASAP, NULL);
    options.phase_split = 1.0;
    options.batch = threads > 1 ? 16 : 7; /* more in an epoch than there are in flight */
    options.keep_log = 1;
    options.workers = tsnni_ranks - apart;
    more.in_flight = in_flight;
    more.transport = transport;
    tsnn_status status = tsnn_mpi_create(course.context, MPI_COMM_WORLD, &options, &more, &mpi);
    int good = status == TSNN_OK && tsnn_mpi_run(mpi, course.train, course.validation) == TSNN_OK;
    if (tsnni_rank == 0 && good) {
        int32_t lanes = tsnni_ranks_lanes(in_flight, apart);
        tsnn_mpi_info info = TSNN_MPI_INFO_INIT;
        TSNNI_OK(tsnn_mpi_get_info(mpi, &info));
        good = tsnni_ranks == 1 || info.gradients == lanes;
        good &= tsnn_mpi_get_log(mpi, log, 1024, &commits) == TSNN_OK;
        good &=
            has_bytes(course.network, by_threads(logged_course(threads > 1, 1, pruned), &options, lanes, log, commits));
    }
    tsnn_mpi_destroy(&mpi);
    tsnni_course_free(&course);
    snprintf(text, sizeof text,
             "a log of WASAP with %d in flight on ranks of %d threads%s%s%s is replayed to the same bits",
             (int)in_flight, (int)threads, transport == TSNN_MPI_MESSAGES ? ", by messages" : "",
             apart ? ", by a server apart" : "", pruned ? ", with prunings" : "");
    tsnni_claim(text, good);
}

/* ---- bytes ---- */

/* Counted where MPI is called, not where the library says what it sent. */
static void sends_little(int32_t mode)
{
    char text[160];
    tsnn_mpi_info info = TSNN_MPI_INFO_INIT;
    tsnn_mpi_options more = TSNN_MPI_OPTIONS_INIT;
    tsnni_course course = tsnni_ranks_large_course(1);
    tsnn_parallel_options options = tsnni_ranks_options(&course, mode, NULL);
    more.transport = TSNN_MPI_MESSAGES;
    options.epochs = 3;
    options.phase_split = 1.0;
    tsnni_wire_counts.bytes = 0;
    tsnn_status status = tsnni_ranks_run(&course, &options, &more, &info);
    double sent = (double)tsnni_sum_over_ranks(tsnni_wire_counts.bytes), exchanges = (double)info.exchanges;
    int good = status == TSNN_OK && info.exchanges > 0 && info.topology_bytes == 0 && info.average_bytes == 0;
    good &= sent <= 1.1 * info.value_bytes * exchanges && (tsnni_ranks == 1 || sent > 0.0);
    /* What is told has the question in it whether anyone stops: four bytes. */
    good &= (double)info.step_bytes >= sent && (double)info.step_bytes <= sent + 4.0 * exchanges;
    snprintf(text, sizeof text, "%s sends %.0f bytes an exchange, %.3f of the gradient's and the model's values",
             tsnni_modes[mode], sent / exchanges, sent / exchanges / info.value_bytes);
    tsnni_course_free(&course);
    tsnni_claim(text, good);
}

/* A worker fetches each evolved topology once a gradient in flight, and it takes at most the weights' own size and
 * half as much again for the columns, and the rows. */
static void sends_topologies_when_they_change(int32_t mode)
{
    char text[160];
    tsnn_mpi_info info = TSNN_MPI_INFO_INIT;
    tsnn_mpi_options more = TSNN_MPI_OPTIONS_INIT;
    tsnni_course course = tsnni_ranks_large_course(1);
    tsnni_course_add_evolution(&course, 0.3);
    tsnn_parallel_options options = tsnni_ranks_options(&course, mode, NULL);
    more.transport = TSNN_MPI_MESSAGES;
    options.epochs = 3;
    options.phase_split = 1.0;
    tsnni_wire_counts.bytes = 0;
    tsnn_status status = tsnni_ranks_run(&course, &options, &more, &info);
    double sent = (double)tsnni_sum_over_ranks(tsnni_wire_counts.bytes);
    double told = (double)(info.step_bytes + info.topology_bytes);
    int64_t fetches = mode == TSNN_PARALLEL_WASAP && tsnni_ranks > 1 ? 2 * 2 * (tsnni_ranks - 1) : 0;
    int good =
        status == TSNN_OK && sent <= told + 64.0 * (double)fetches && told <= sent + 4.0 * (double)info.exchanges;
    good &= (double)info.topology_bytes <= (double)fetches * info.value_bytes;
    good &= fetches == 0 || info.topology_bytes > 0;
    snprintf(text, sizeof text, "%s sends evolved topologies once to each gradient in flight, and tells so",
             tsnni_modes[mode]);
    snprintf(tsnni_claim_detail, sizeof tsnni_claim_detail, ": sent %.0f, told %.0f and topologies %.0f", sent,
             (double)info.step_bytes, (double)info.topology_bytes);
    tsnni_course_free(&course);
    tsnni_claim(text, good);
}

void tsnni_claim_training(void)
{
    for (int32_t mode = TSNN_PARALLEL_WASAP; mode <= TSNN_PARALLEL_REPLICAS; mode++) {
        learns(mode);
        learns_from_shards(mode);
        if (mode != TSNN_PARALLEL_WASAP) {
            gives_the_bits_of_threads(mode);
            gives_the_bits_of_threads_by_default(mode);
            decay_counts_every_mini_batch(mode, 0, 0);
            gives_the_same_bits_with_two_threads_each(mode);
        }
        if (mode != TSNN_PARALLEL_REPLICAS) {
            prunes(mode);
            sends_little(mode);
            sends_topologies_when_they_change(mode);
        }
    }
    for (int32_t in_flight = 1; in_flight <= 4; in_flight += 3)
        for (int32_t apart = 0; apart < 1 + (tsnni_ranks > 1); apart++)
            decay_counts_every_mini_batch(TSNN_PARALLEL_WASAP, in_flight, apart);
    for (int32_t in_flight = 1; in_flight <= 2; in_flight++)
        for (int32_t threads = 1; threads <= 2; threads++)
            for (int32_t kind = 0; kind < (tsnni_ranks > 1 ? 4 : 1); kind++)
                for (int32_t pruned = 0; pruned < 2; pruned++)
                    its_log_can_be_replayed(in_flight, threads, kind % 2 ? TSNN_MPI_MESSAGES : TSNN_MPI_AUTOMATIC,
                                            kind / 2, pruned);
}
