/* libtsnn-mpi as a caller sees it, on however many ranks it is started with: `ranks claims` prints a line for each
 * claim, `ranks lose MODE how FILE who` loses a rank (stop, kill, pause: stop in a callback; worker, server) in the
 * middle of a run, `ranks load FILE` reads what was saved. */
#define _POSIX_C_SOURCE 200809L

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <tsnn-mpi.h>

#include "../unit/course.h"

static int rank, ranks, failed;
static char detail[256]; /* what to tell when the next claim fails */

/* ---- claims ---- */

static int everyone(int good)
{
    int all;
    MPI_Allreduce(&good, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    return all;
}

/* A claim holds where it holds on every rank. */
static void claim(const char *text, int good)
{
    if (!good)
        fprintf(stderr, "rank %d of %d: not %s%s\n", rank, ranks, text, detail);
    detail[0] = '\0';
    good = everyone(good);
    failed |= !good;
    if (rank == 0)
        printf("%s %d ranks: %s\n", good ? "ok" : "not ok", ranks, text);
    fflush(stdout);
}

/* ---- courses ---- */

static const char *const words[] = {"WASAP", "WASSP", "replicas"};

typedef struct watcher {
    int64_t epochs, stop_epoch;
    int32_t answer;
    double loss, first_loss, accuracy;
    const char *path; /* NULL: nothing is saved */
    tsnn_network *network;
} watcher;

static int32_t on_epoch(void *user, const tsnn_epoch_report *report)
{
    watcher *own = user;
    own->epochs++;
    own->loss = report->validation_loss;
    own->accuracy = report->validation_accuracy;
    if (own->epochs == 1)
        own->first_loss = own->loss;
    if (own->path != NULL && tsnn_network_save(own->network, NULL, own->path) < 0)
        return -1;
    return own->epochs == own->stop_epoch ? own->answer : 0;
}

/* Momentum does not go with many stale gradients at the small courses' rate. */
static tsnni_course course_of(double dropout)
{
    tsnni_course course = tsnni_course_small(7, 120, dropout);
    tsnn_optimizer_destroy(&course.optimizer);
    course.optimizer = tsnni_test_optimizer(course.context, TSNN_OPTIMIZER_MOMENTUM, ranks > 3 ? 0.004 : 0.02, 0.0, 0);
    tsnni_course_add_evolution(&course, 0.3);
    course.validation = tsnni_test_labelled(course.context, 60, 12, 4, 5);
    return course;
}

static tsnn_parallel_options options_of(const tsnni_course *course, int32_t mode, watcher *user)
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

/* Creates, runs, and tells. */
static tsnn_status run(tsnni_course *course, const tsnn_parallel_options *options, const tsnn_mpi_options *more,
                       tsnn_mpi_info *info)
{
    tsnn_mpi *mpi = NULL;
    tsnn_status status = tsnn_mpi_create(course->context, MPI_COMM_WORLD, options, more, &mpi);
    if (status >= 0)
        status = tsnn_mpi_run(mpi, course->train, course->validation);
    if (mpi != NULL && info != NULL)
        tsnn_mpi_get_info(mpi, info);
    tsnn_mpi_destroy(&mpi);
    snprintf(detail, sizeof detail, ": status %d: ", (int)status);
    tsnn_context_error(course->context, detail + strlen(detail), (int64_t)(sizeof detail - strlen(detail)), NULL);
    return status;
}

/* Whether the network is the same on all ranks. */
static int same_everywhere(tsnni_test_bytes bytes)
{
    unsigned long long size = bytes.size, first = size;
    MPI_Bcast(&first, 1, MPI_UNSIGNED_LONG_LONG, 0, MPI_COMM_WORLD);
    unsigned char *other = calloc(1, first);
    if (rank == 0)
        memcpy(other, bytes.data, first);
    MPI_Bcast(other, (int)first, MPI_BYTE, 0, MPI_COMM_WORLD);
    int same = size == first && memcmp(other, bytes.data, size) == 0;
    free(other);
    return same;
}

/* ---- learning ---- */

static void learns(int32_t mode)
{
    char text[160];
    watcher own = {0};
    tsnni_course course = course_of(0.2);
    tsnn_parallel_options options = options_of(&course, mode, &own);
    options.epochs = 24;
    int64_t before = tsnni_test_network_size(course.network).connections;
    tsnn_status status = run(&course, &options, NULL, NULL);
    snprintf(text, sizeof text, "%s learns, keeps its connections, and leaves all ranks one network", words[mode]);
    tsnni_test_bytes bytes = tsnni_course_bytes(course.network);
    int good = status == TSNN_OK && tsnni_test_network_size(course.network).connections == before;
    good &= rank != 0 || (own.epochs == 24 && own.loss < 0.9 * own.first_loss);
    good &= same_everywhere(bytes);
    snprintf(detail, sizeof detail, ": status %d, loss %g, then %g", (int)status, own.first_loss, own.loss);
    tsnni_test_bytes_free(&bytes);
    tsnni_course_free(&course);
    claim(text, good);
}

/* Each rank has its own third, say, of the samples, and one of them fewer. */
static void learns_from_shards(int32_t mode)
{
    char text[160];
    watcher own = {0};
    tsnni_course course = course_of(0.0);
    tsnn_mpi_options more = TSNN_MPI_OPTIONS_INIT;
    tsnn_parallel_options options = options_of(&course, mode, &own);
    tsnn_dataset_info info = TSNN_DATASET_INFO_INIT;
    more.data = TSNN_MPI_SHARDED;
    options.epochs = 24;
    tsnn_dataset_destroy(&course.train);
    course.train = tsnni_test_labelled(course.context, 120 / ranks + 13 + (rank == 1), 12, 4, 5);
    TSNNI_OK(tsnn_dataset_get_info(course.train, &info));
    tsnn_status status = run(&course, &options, &more, NULL);
    snprintf(text, sizeof text, "%s learns from shards", words[mode]);
    int good = status == TSNN_OK && (rank != 0 || own.loss < 0.9 * own.first_loss);
    tsnni_course_free(&course);
    claim(text, good);
}

static void prunes(int32_t mode)
{
    char text[160];
    watcher own = {0};
    tsnni_course course = course_of(0.2);
    tsnni_course_add_pruning(&course, 20.0, 2, 1);
    tsnn_parallel_options options = options_of(&course, mode, &own);
    options.phase_split = 0.8;
    int64_t before = tsnni_test_network_size(course.network).neurons;
    tsnn_status status = run(&course, &options, NULL, NULL);
    snprintf(text, sizeof text, "%s prunes while it trains", words[mode]);
    tsnni_test_bytes bytes = tsnni_course_bytes(course.network);
    int good = status == TSNN_OK && tsnni_test_network_size(course.network).neurons < before;
    good &= same_everywhere(bytes);
    tsnni_test_bytes_free(&bytes);
    tsnni_course_free(&course);
    claim(text, good);
}

/* ---- bits ---- */

/* What as many threads make of it. */
static tsnni_test_bytes by_threads(const tsnn_parallel_options *like, int32_t workers, double dropout,
                                   const tsnn_parallel_commit *log, int64_t commits)
{
    tsnni_course course = course_of(dropout);
    tsnn_parallel_options options = options_of(&course, like->mode, NULL);
    tsnn_parallel *parallel = NULL;
    options.workers = workers;
    options.phase_split = like->phase_split;
    options.replay = log;
    options.replay_count = commits;
    TSNNI_OK(tsnn_parallel_create(course.context, &options, &parallel));
    TSNNI_OK(tsnn_parallel_run(parallel, course.train, course.validation));
    tsnni_test_bytes bytes = tsnni_course_bytes(course.network);
    tsnn_parallel_destroy(&parallel);
    tsnni_course_free(&course);
    return bytes;
}

static void gives_the_bits_of_threads(int32_t mode)
{
    char text[160];
    int good = 1;
    for (int32_t threads = 1; threads <= 2; threads++) {
        tsnn_mpi_options more = TSNN_MPI_OPTIONS_INIT;
        more.transport = threads == 1 ? TSNN_MPI_AUTOMATIC : TSNN_MPI_MESSAGES;
        tsnni_course course = course_of(0.2);
        TSNNI_OK(tsnn_context_set_threads(course.context, threads));
        tsnn_parallel_options options = options_of(&course, mode, NULL);
        good &= run(&course, &options, &more, NULL) == TSNN_OK;
        tsnni_test_bytes bytes = tsnni_course_bytes(course.network), other = by_threads(&options, ranks, 0.2, NULL, 0);
        good &= tsnni_test_bytes_equal(&bytes, &other);
        tsnni_test_bytes_free(&bytes);
        tsnni_test_bytes_free(&other);
        tsnni_course_free(&course);
    }
    snprintf(text, sizeof text, "%s gives the bits of as many threads, in every run", words[mode]);
    claim(text, good);
}

static void its_log_can_be_replayed(int32_t in_flight, int32_t transport, int32_t apart)
{
    char text[160];
    tsnn_parallel_commit log[1024];
    int64_t commits = 0;
    tsnn_mpi *mpi = NULL;
    tsnn_mpi_options more = TSNN_MPI_OPTIONS_INIT;
    tsnni_course course = course_of(0.2);
    tsnn_parallel_options options = options_of(&course, TSNN_PARALLEL_WASAP, NULL);
    options.phase_split = 1.0;
    options.keep_log = 1;
    options.workers = ranks - apart;
    more.in_flight = in_flight;
    more.transport = transport;
    tsnn_status status = tsnn_mpi_create(course.context, MPI_COMM_WORLD, &options, &more, &mpi);
    int good = status == TSNN_OK && tsnn_mpi_run(mpi, course.train, course.validation) == TSNN_OK;
    if (rank == 0 && good) {
        tsnn_mpi_info info = TSNN_MPI_INFO_INIT;
        TSNNI_OK(tsnn_mpi_get_info(mpi, &info));
        int32_t lanes = ranks > 1 ? info.gradients : 1;
        good = lanes == !apart + (ranks - 1) * in_flight;
        good &= tsnn_mpi_get_log(mpi, log, 1024, &commits) == TSNN_OK;
        tsnni_test_bytes bytes = tsnni_course_bytes(course.network),
                         other = by_threads(&options, lanes, 0.2, log, commits);
        good &= tsnni_test_bytes_equal(&bytes, &other);
        tsnni_test_bytes_free(&bytes);
        tsnni_test_bytes_free(&other);
    }
    tsnn_mpi_destroy(&mpi);
    tsnni_course_free(&course);
    snprintf(text, sizeof text, "a log of WASAP with %d in flight%s%s is replayed by threads to the same bits",
             (int)in_flight, transport == TSNN_MPI_MESSAGES ? ", by messages" : "", apart ? ", by a server apart" : "");
    claim(text, good);
}

/* ---- bytes ---- */

static void sends_little(int32_t mode)
{
    static const int64_t sizes[] = {12, 300, 300, 4};
    static const tsnni_test_function functions[] = {
        {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_SOFTMAX, 0}};
    char text[160];
    tsnn_mpi_info info = TSNN_MPI_INFO_INIT;
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 3);
    tsnni_course course =
        tsnni_course_create(context, tsnni_test_network(context, 3, sizes, functions, 0.2, 0.0),
                            tsnni_test_labelled(context, 300, 12, 4, 5), TSNN_LOSS_CROSS_ENTROPY, 0.02);
    tsnni_course_add_evolution(&course, 0.3);
    tsnn_parallel_options options = options_of(&course, mode, NULL);
    options.epochs = 3;
    tsnn_status status = run(&course, &options, NULL, &info);
    int good = status == TSNN_OK && info.exchange_bytes <= 1.1 * info.value_bytes && info.exchanges > 0;
    good &= ranks == 1 || info.step_bytes > 0;
    /* A worker fetches each evolved topology once a gradient in flight. */
    good &= info.topology_bytes <= 8 * 2 * 3 * (int64_t)info.value_bytes;
    snprintf(text, sizeof text, "%s sends %.0f bytes an exchange, %.3f of the gradient's and the model's values",
             words[mode], info.exchange_bytes, info.exchange_bytes / info.value_bytes);
    tsnni_course_free(&course);
    claim(text, good);
}

/* ---- bad input: the last rank is the one that differs ---- */

typedef struct fault {
    const char *text;
    void (*make)(tsnni_course *course, tsnn_parallel_options *options, tsnn_mpi_options *more);
    tsnn_status expected;
} fault;

static void other_batch(tsnni_course *course, tsnn_parallel_options *options, tsnn_mpi_options *more)
{
    (void)course;
    (void)more;
    options->batch = 8;
}

static void no_network(tsnni_course *course, tsnn_parallel_options *options, tsnn_mpi_options *more)
{
    (void)course;
    (void)more;
    options->network = NULL;
}

static void other_version(tsnni_course *course, tsnn_parallel_options *options, tsnn_mpi_options *more)
{
    (void)course;
    (void)options;
    more->version += 100;
}

static void other_transport(tsnni_course *course, tsnn_parallel_options *options, tsnn_mpi_options *more)
{
    (void)course;
    (void)options;
    more->transport = TSNN_MPI_MESSAGES;
}

static void too_many_workers(tsnni_course *course, tsnn_parallel_options *options, tsnn_mpi_options *more)
{
    (void)course;
    (void)more;
    options->workers = 99;
}

static void negative_workers(tsnni_course *course, tsnn_parallel_options *options, tsnn_mpi_options *more)
{
    (void)course;
    (void)more;
    options->workers = -1;
}

static void other_features(tsnni_course *course, tsnn_parallel_options *options, tsnn_mpi_options *more)
{
    (void)options;
    (void)more;
    tsnn_dataset_destroy(&course->train);
    course->train = tsnni_test_labelled(course->context, 120, 11, 4, 5);
}

static void fewer_samples(tsnni_course *course, tsnn_parallel_options *options, tsnn_mpi_options *more)
{
    (void)options;
    (void)more;
    tsnn_dataset_destroy(&course->train);
    course->train = tsnni_test_labelled(course->context, 119, 12, 4, 5);
}

static void no_data(tsnni_course *course, tsnn_parallel_options *options, tsnn_mpi_options *more)
{
    (void)options;
    (void)more;
    tsnn_dataset_destroy(&course->train);
}

static const fault faults[] = {
    {"another batch", other_batch, TSNN_ERROR_INVALID_ARGUMENT},
    {"no network", no_network, TSNN_ERROR_NULL_ARGUMENT},
    {"another version", other_version, TSNN_ERROR_UNSUPPORTED},
    {"another number of workers", too_many_workers, TSNN_ERROR_INVALID_ARGUMENT},
    {"-1 workers", negative_workers, TSNN_ERROR_INVALID_ARGUMENT},
    {"data of other features", other_features, TSNN_ERROR_SHAPE},
    {"fewer samples", fewer_samples, TSNN_ERROR_SHAPE},
    {"another transport", other_transport, TSNN_ERROR_INVALID_ARGUMENT},
    {"no data", no_data, TSNN_ERROR_NULL_ARGUMENT},
};

static void refuses(const fault *wrong, int32_t mode)
{
    char text[160];
    tsnni_course course = course_of(0.0);
    tsnn_mpi_options more = TSNN_MPI_OPTIONS_INIT;
    tsnn_parallel_options options = options_of(&course, mode, NULL);
    if (rank == ranks - 1)
        wrong->make(&course, &options, &more);
    tsnn_status status = run(&course, &options, &more, NULL);
    int alone = ranks == 1 && status == TSNN_OK; /* nobody to differ from */
    if (!alone && status != wrong->expected)
        fprintf(stderr, "rank %d: status %d\n", rank, (int)status);
    snprintf(text, sizeof text, "%s: a rank with %s is refused on all", words[mode], wrong->text);
    tsnni_course_free(&course);
    claim(text, alone || status == wrong->expected);
}

static void refuses_another_seed_and_no_context(void)
{
    tsnni_course course = course_of(0.0);
    tsnn_parallel_options options = options_of(&course, TSNN_PARALLEL_WASSP, NULL);
    tsnn_mpi *mpi = NULL;
    int last = rank == ranks - 1;
    tsnn_status status =
        tsnn_mpi_create(last ? NULL : course.context, MPI_COMM_WORLD, last ? NULL : &options, NULL, &mpi);
    claim("a rank without a context is refused on all", status == TSNN_ERROR_NULL_ARGUMENT && mpi == NULL);
    tsnni_course_free(&course);
    course = tsnni_course_small(last ? 8 : 7, 120, 0.0);
    options = options_of(&course, TSNN_PARALLEL_WASSP, NULL);
    status = run(&course, &options, NULL, NULL);
    claim("a rank with another seed is refused on all", ranks == 1 || status == TSNN_ERROR_INVALID_ARGUMENT);
    tsnni_course_free(&course);
}

static void refuses_more_workers_than_samples(void)
{
    tsnni_course course = course_of(0.0);
    tsnn_parallel_options options = options_of(&course, TSNN_PARALLEL_WASSP, NULL);
    tsnn_dataset_destroy(&course.train);
    course.train = tsnni_test_labelled(course.context, ranks > 1 ? ranks - 1 : 1, 12, 4, 5);
    tsnn_status status = run(&course, &options, NULL, NULL);
    claim("more workers than samples are refused", ranks == 1 || status == TSNN_ERROR_INVALID_ARGUMENT);
    tsnni_course_free(&course);
}

/* ---- callbacks ---- */

static void callbacks_end_it_everywhere(int32_t mode)
{
    char text[160];
    watcher own = {.stop_epoch = 2, .answer = -3};
    tsnni_course course = course_of(0.0);
    tsnn_parallel_options options = options_of(&course, mode, &own);
    tsnn_status status = run(&course, &options, NULL, NULL);
    snprintf(text, sizeof text, "%s: a callback that fails on rank 0 fails everywhere", words[mode]);
    claim(text, status == TSNN_ERROR_CALLBACK);

    watcher saver = {.path = "/nowhere/at/all.tsnn"};
    options = options_of(&course, mode, &saver);
    status = run(&course, &options, NULL, NULL);
    snprintf(text, sizeof text, "%s: a checkpoint that cannot be written fails everywhere", words[mode]);
    claim(text, status == TSNN_ERROR_CALLBACK);
    tsnni_course_free(&course);
}

static void stops_and_goes_on(int32_t mode)
{
    char text[160];
    for (int64_t epoch = 2; epoch <= 5; epoch += 3) { /* in either phase */
        watcher own = {.stop_epoch = epoch, .answer = 1};
        tsnni_course course = course_of(0.2);
        tsnn_parallel_options options = options_of(&course, mode, &own);
        tsnn_mpi *mpi = NULL;
        tsnn_status status = tsnn_mpi_create(course.context, MPI_COMM_WORLD, &options, NULL, &mpi);
        int good = status == TSNN_OK && tsnn_mpi_run(mpi, course.train, course.validation) == TSNN_STOPPED;
        good &= rank != 0 || own.epochs == epoch;
        good &= tsnn_mpi_run(mpi, course.train, course.validation) == TSNN_OK && (rank != 0 || own.epochs == 6);
        tsnn_mpi_destroy(&mpi);
        tsnni_course_free(&course);
        snprintf(text, sizeof text, "%s stops after epoch %d and goes on", words[mode], (int)epoch);
        claim(text, good);
    }
}

static void reports_divergence(int32_t mode)
{
    char text[160];
    tsnni_course course = tsnni_course_small(7, 120, 0.0);
    tsnn_optimizer_destroy(&course.optimizer);
    course.optimizer = tsnni_test_optimizer(course.context, TSNN_OPTIMIZER_MOMENTUM, 1e20, 0.0, 0);
    tsnn_parallel_options options = options_of(&course, mode, NULL);
    tsnn_status status = run(&course, &options, NULL, NULL);
    snprintf(text, sizeof text, "%s that diverges says so everywhere", words[mode]);
    claim(text, status == TSNN_ERROR_NOT_FINITE);
    tsnni_course_free(&course);
}

/* As one that saves to a slow disk: the server says before that it will be silent. */
static int32_t sleep_a_while(void *user, const tsnn_epoch_report *report)
{
    struct timespec moment = {1, 500000000};
    (void)user;
    (void)report;
    nanosleep(&moment, NULL);
    return 0;
}

static void waits_for_a_slow_callback(void)
{
    tsnni_course course = course_of(0.0);
    tsnn_mpi_options more = TSNN_MPI_OPTIONS_INIT;
    tsnn_parallel_options options = options_of(&course, TSNN_PARALLEL_WASAP, NULL);
    options.on_epoch = sleep_a_while;
    options.epochs = 2;
    options.phase_split = 1.0;
    more.timeout_seconds = 0.3;
    tsnn_status status = run(&course, &options, &more, NULL);
    tsnni_course_free(&course);
    claim("a callback may take longer than a rank may be silent", status == TSNN_OK);
}

static void check_claims(void)
{
    for (int32_t mode = TSNN_PARALLEL_WASAP; mode <= TSNN_PARALLEL_REPLICAS; mode++) {
        learns(mode);
        learns_from_shards(mode);
        if (mode != TSNN_PARALLEL_WASAP)
            gives_the_bits_of_threads(mode);
        if (mode != TSNN_PARALLEL_REPLICAS) {
            prunes(mode);
            sends_little(mode);
        }
        callbacks_end_it_everywhere(mode);
        stops_and_goes_on(mode);
        reports_divergence(mode);
        for (size_t f = 0; f < sizeof faults / sizeof faults[0]; f++)
            refuses(&faults[f], mode);
    }
    for (int32_t kind = 0; kind < 8; kind++) {
        int32_t apart = ranks > 1 && (kind & 4) != 0;
        its_log_can_be_replayed(1 + (kind & 1), (kind & 2) != 0 ? TSNN_MPI_MESSAGES : TSNN_MPI_AUTOMATIC, apart);
    }
    waits_for_a_slow_callback();
    refuses_another_seed_and_no_context();
    refuses_more_workers_than_samples();
}

/* ---- losing a rank ---- */

static int lost_signal;

static void lose(int number)
{
    (void)number;
    kill(getpid(), lost_signal);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* The server in the middle of an epoch, or (pause) of a callback, once a second is over. */
static double lost_from;

static int32_t lose_in_step(void *user, const tsnn_step_report *report)
{
    (void)user;
    if (report->epoch > 1 && report->step < report->steps && now() > lost_from)
        kill(getpid(), lost_signal);
    return 0;
}

static int32_t lose_in_callback(void *user, const tsnn_epoch_report *report)
{
    int32_t answer = on_epoch(user, report);
    if (now() > lost_from)
        kill(getpid(), lost_signal);
    return answer;
}

/* The rank goes after a second. Whoever is left says what it was told and when, and ends the job. */
static void lose_a_rank(int32_t mode, const char *how, const char *path, int lost)
{
    watcher own = {.path = path};
    tsnni_course course = course_of(0.0);
    tsnn_mpi_options more = TSNN_MPI_OPTIONS_INIT;
    tsnn_parallel_options options = options_of(&course, mode, &own);
    tsnn_mpi *mpi = NULL;
    char text[512];
    tsnn_optimizer_destroy(&course.optimizer);
    course.optimizer = tsnni_test_optimizer(course.context, TSNN_OPTIMIZER_MOMENTUM, 1e-6, 0.0, 0);
    options.optimizer = course.optimizer;
    options.epochs = 1000000;
    double start = now();
    lost_signal = strcmp(how, "kill") == 0 ? SIGKILL : SIGSTOP;
    lost_from = start + 1.0;
    more.pause_seconds = 6.0;
    if (rank == lost && lost > 0) {
        signal(SIGALRM, lose);
        alarm(1);
    } else if (rank == lost && strcmp(how, "pause") == 0) {
        options.on_epoch = lose_in_callback;
    } else if (rank == lost) {
        options.on_step = lose_in_step;
    }
    tsnn_status status = tsnn_mpi_create(course.context, MPI_COMM_WORLD, &options, &more, &mpi);
    if (status == TSNN_OK)
        status = tsnn_mpi_run(mpi, course.train, course.validation);
    tsnn_context_error(course.context, text, sizeof text, NULL);
    if (status == TSNN_ERROR_COMMUNICATION)
        printf("lost after %.1f s: rank %d: %s\n", now() - start - 1.0, rank, text);
    else
        printf("rank %d ended with status %d: %s\n", rank, (int)status, text);
    fflush(stdout);
    tsnn_mpi_destroy(&mpi);
    if (rank == (lost == 0)) {
        struct timespec moment = {1, 0};
        nanosleep(&moment, NULL); /* the others' lines */
        MPI_Abort(MPI_COMM_WORLD, 3);
    }
    pause();
}

static void load(const char *path)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 7);
    tsnn_network *network = NULL;
    claim("the last checkpoint is usable", tsnn_network_load(context, path, NULL, &network) == TSNN_OK);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}

static int argument_count;
static char **arguments;

/* The helpers of the unit tests assert; outside of a test they could not. */
START_TEST(what_was_asked_for)
{
    if (argument_count == 6 && strcmp(arguments[1], "lose") == 0)
        lose_a_rank(atoi(arguments[2]), arguments[3], arguments[4],
                    strcmp(arguments[5], "server") == 0 ? 0 : ranks - 1);
    else if (argument_count == 3 && strcmp(arguments[1], "load") == 0)
        load(arguments[2]);
    else
        check_claims();
}
END_TEST

int main(int argc, char **argv)
{
    int level;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    argument_count = argc;
    arguments = argv;
    Suite *suite = suite_create("ranks");
    TCase *group = tcase_create("ranks");
    tcase_add_test(group, what_was_asked_for);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    if (srunner_ntests_failed(runner) > 0)
        MPI_Abort(MPI_COMM_WORLD, 1);
    srunner_free(runner);
    MPI_Finalize();
    return failed;
}
