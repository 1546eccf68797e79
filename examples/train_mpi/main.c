/*
 * train_mpi: train_parallel with MPI ranks in place of threads.
 *
 * Every rank reads the data and builds the same network, as train_mlp does; rank 0 tests, prints and saves.
 *   mpiexec -n 2 train_mpi --mode wasap              two workers, of which rank 0 is the server too
 *   mpiexec -n 3 train_mpi --mode wasap --workers 2  two workers and a server
 *   mpiexec -n 2 train_mpi --mode wassp              two workers
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <tsnn-mpi.h>

#include "../train_mlp/data.h"
#include "../train_mlp/interrupt.h"
#include "../train_mlp/metrics.h"
#include "../train_mlp/model.h"
#include "../train_mlp/options.h"
#include "../train_mlp/progress.h"
#include "../train_mlp/text.h"
#include "../train_parallel/outcome.h"
#include "../train_parallel/parallel_options.h"
#include "../train_parallel/workers.h"
#include "mpi_options.h"

const char text_program[] = "train_mpi";

/* All that one run needs; the callbacks get it too. */
struct run {
    int rank, ranks;
    struct options options;
    struct parallel_options parallel;
    struct mpi_options mpi_options;
    struct data data;
    struct model model;
    tsnn_mpi *mpi;
    struct metrics metrics;
    struct progress progress;
    double seconds; /* of the epochs that are done */
    int64_t epoch_count;
    bool save_failed; /* the last time */
    bool lost;        /* a rank does not answer */
};

/* What one rank could not do, none goes on with. */
static bool everyone(bool good)
{
    int own = good, all;
    MPI_Allreduce(&own, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    return all != 0;
}

/* ---- callbacks, on rank 0 ---- */

static int32_t on_step(void *user, const tsnn_step_report *report)
{
    struct run *run = user;
    progress_step(&run->progress, report);
    return interrupt_wanted();
}

/* The checkpoint that is there when a rank is lost. */
static void save(struct run *run)
{
    if (run->options.save != NULL && run->rank == 0)
        run->save_failed = !outcome_save(&run->model, run->options.save);
}

static int32_t on_epoch(void *user, const tsnn_epoch_report *report)
{
    struct run *run = user;
    run->epoch_count++;
    run->seconds += report->train_seconds;
    progress_epoch(&run->progress, report);
    metrics_write(&run->metrics, report);
    save(run);
    return interrupt_wanted();
}

/* ---- the parts of a run ---- */

static bool create_ranks(struct run *run)
{
    const struct model_callbacks callbacks = {on_step, on_epoch, run};
    tsnn_schedule_options schedule;
    tsnn_parallel_options own;
    tsnn_mpi_options more = TSNN_MPI_OPTIONS_INIT;
    workers_fill(&own, &schedule, &run->model, &run->options, &run->parallel, &callbacks);
    own.workers = run->mpi_options.workers_given ? own.workers : 0;
    more.in_flight = run->mpi_options.in_flight;
    more.timeout_seconds = run->mpi_options.timeout;
    more.pause_seconds = run->mpi_options.pause;
    more.transport = run->mpi_options.transport;
    tsnn_status status = tsnn_mpi_create(run->model.context, MPI_COMM_WORLD, &own, &more, &run->mpi);
    run->lost = status == TSNN_ERROR_COMMUNICATION;
    if (status < 0 && (run->rank == 0 || run->lost))
        model_complain(&run->model, "cannot set up the ranks", status);
    return status >= 0;
}

static bool train(struct run *run)
{
    if (run->rank == 0)
        progress_start(&run->progress, run->options.quiet, run->options.epochs);
    tsnn_status status = tsnn_mpi_run(run->mpi, run->model.train, run->model.test);
    if (run->rank == 0)
        progress_end(&run->progress);
    run->lost = status == TSNN_ERROR_COMMUNICATION;
    if (status < 0 && (run->rank == 0 || run->lost))
        model_complain(&run->model,
                       status == TSNN_ERROR_NOT_FINITE ? "training diverged, try a lower --lr" : "training failed",
                       status);
    return status >= 0;
}

static bool print_result(struct run *run)
{
    char more[256];
    struct outcome outcome = {run->epoch_count, run->seconds, TSNN_PARALLEL_INFO_INIT, more};
    tsnn_mpi_info ranks = TSNN_MPI_INFO_INIT;
    tsnn_status status = tsnn_mpi_get_parallel_info(run->mpi, &outcome.info);
    if (status >= 0)
        status = tsnn_mpi_get_info(run->mpi, &ranks);
    if (status < 0)
        return model_complain(&run->model, "the test failed", status);
    snprintf(more, sizeof more,
             " ranks=%d bytes_per_exchange=%.0f bytes_of_values=%.0f topology_bytes=%lld average_bytes=%lld "
             "serve_seconds=%.2f",
             (int)ranks.ranks, ranks.exchange_bytes, ranks.value_bytes, (long long)ranks.topology_bytes,
             (long long)ranks.average_bytes, ranks.serve_seconds);
    return outcome_print(&run->model, &run->options, &run->parallel, &outcome);
}

static bool run_one(struct run *run)
{
    bool good = data_load(&run->data, run->options.data, run->options.label_column);
    if (good && run->data.sample)
        fprintf(run->options.quiet ? stderr : stdout,
                "Fashion-MNIST is not in %s: training on the small sample of it that comes with this program.\n",
                DATA_DEFAULT_DIRECTORY);
    good = good && model_create(&run->model, &run->options, &run->data, NULL);
    good = good && metrics_open(&run->metrics, run->rank == 0 ? run->options.metrics : NULL, false);
    if (!everyone(good) || !create_ranks(run) || !train(run))
        return false;
    if (run->rank != 0)
        return true;
    save(run);
    return print_result(run) &&
           (!run->save_failed || complain("--save %s: the network could not be written", run->options.save));
}

/* ---- the program ---- */

/* All ranks read the same command line; what there is to say about it is said once. */
static enum options_result read_options(struct run *run, int argc, char **argv)
{
    if (!mpi_options_parse(&run->mpi_options, &argc, argv) ||
        parallel_options_parse(&run->parallel, &argc, argv) == PARALLEL_OPTIONS_WRONG)
        return OPTIONS_WRONG;
    enum options_result result = options_parse(&run->options, argc, argv);
    if (result == OPTIONS_DONE || result == OPTIONS_WRONG)
        return result;
    if (run->options.plot != NULL || run->parallel.compare != NULL || run->options.resume != NULL ||
        run->options.prune_after != 0) {
        complain("--plot, --compare, --resume and --prune-after are for train_mlp and train_parallel");
        return OPTIONS_WRONG;
    }
    return result;
}

/* Ranks but the first speak only of what is theirs: on standard error, once the options are read. */
static int be_silent(int stream)
{
    int kept = dup(stream);
    FILE *file = freopen("/dev/null", "w", stream == STDOUT_FILENO ? stdout : stderr);
    return file != NULL ? kept : -1;
}

static void speak_again(int stream, int kept)
{
    fflush(stderr);
    if (kept >= 0)
        dup2(kept, stream);
}

int main(int argc, char **argv)
{
    static struct run run; /* all zeros: what has not been made is not freed */
    int level, spoke = -1;
    if (MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level) != MPI_SUCCESS)
        return EXIT_FAILURE;
    MPI_Comm_rank(MPI_COMM_WORLD, &run.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &run.ranks);
    interrupt_catch(); /* all: the first stops what rank 0 trains, and so all ranks */
    if (run.rank != 0) {
        be_silent(STDOUT_FILENO);
        spoke = be_silent(STDERR_FILENO);
    }
    enum options_result result = read_options(&run, argc, argv);
    if (run.rank != 0)
        speak_again(STDERR_FILENO, spoke);
    bool good = result == OPTIONS_DONE;
    if (result != OPTIONS_DONE && result != OPTIONS_WRONG)
        good = run_one(&run);
    if (run.lost) /* MPI_Finalize() would wait for it */
        MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
    metrics_close(&run.metrics);
    tsnn_mpi_destroy(&run.mpi);
    model_destroy(&run.model);
    data_free(&run.data);
    MPI_Finalize();
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
