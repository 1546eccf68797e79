/* A rank that is lost in the middle of a run. Nothing of this is a claim: tests/mpi/run.sh reads the lines. */
#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "ranks.h"

static int lost_signal;
static const char *checkpoint_path;
static char moment_path[512]; /* its time is the moment of the loss */

/* Not before there is a checkpoint: then the run is under way. */
static void lose(int number)
{
    (void)number;
    if (access(checkpoint_path, R_OK) != 0)
        return;
    int file = open(moment_path, O_WRONLY | O_CREAT | O_EXCL, 0600); /* once: a stopped rank is woken at the end */
    if (file >= 0)
        close(file);
    kill(getpid(), lost_signal);
}

/* The server in the middle of an epoch; or in a callback, which is not silence for as long as others may wait. */
static int32_t lose_in_step(void *user, const tsnn_step_report *report)
{
    (void)user;
    if (report->epoch > 2 && report->step < report->steps)
        lose(0);
    return 0;
}

static int32_t save_and_lose(void *user, const tsnn_epoch_report *report)
{
    tsnni_watcher *own = user;
    if (tsnn_network_save(own->network, NULL, own->path) < 0)
        return -1;
    if (report->epoch > 2)
        lose(0);
    return 0;
}

static void choose(const char *how, const char *path)
{
    lost_signal = strcmp(how, "kill") == 0 ? SIGKILL : SIGSTOP;
    checkpoint_path = path;
    snprintf(moment_path, sizeof moment_path, "%s.lost", path);
}

/* Looks every tenth of a second, from half a second on. */
static void arm(void)
{
    struct itimerval often = {{0, 100000}, {0, 500000}};
    struct sigaction action = {.sa_flags = SA_RESTART};
    action.sa_handler = lose;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
}

/* Whoever is left says what it was told, and ends the job. */
void tsnni_lose_a_rank(int32_t mode, const char *how, const char *path, int lost, int local)
{
    char text[512];
    tsnni_watcher own = {.path = path};
    tsnni_course course = tsnni_ranks_course(0.0);
    tsnn_mpi *mpi = NULL;
    tsnn_optimizer_destroy(&course.optimizer);
    course.optimizer = tsnni_test_optimizer(course.context, TSNN_OPTIMIZER_MOMENTUM, 1e-6, 0.0, 0);
    tsnn_parallel_options options = tsnni_ranks_options(&course, mode, &own);
    options.epochs = 1000000;
    tsnn_mpi_options more = TSNN_MPI_OPTIONS_INIT;
    more.pause_seconds = local ? 600.0 : 6.0;
    if (local) {
        options.workers = tsnni_ranks - 1;
        options.phase_split = 1e-9; /* one epoch */
        own.save_from = 3;
    }
    choose(how, path);
    if (tsnni_rank == lost && lost > 0)
        arm();
    else if (tsnni_rank == lost && strcmp(how, "pause") == 0)
        options.on_epoch = save_and_lose;
    else if (tsnni_rank == lost)
        options.on_step = lose_in_step;
    tsnn_status status = tsnn_mpi_create(course.context, MPI_COMM_WORLD, &options, &more, &mpi);
    if (status == TSNN_OK)
        status = tsnn_mpi_run(mpi, course.train, course.validation);
    tsnn_context_error(course.context, text, sizeof text, NULL);
    printf("%s rank %d, status %d: %s\n", status == TSNN_ERROR_COMMUNICATION ? "lost:" : "ended:", tsnni_rank,
           (int)status, text);
    fflush(stdout);
    tsnn_mpi_destroy(&mpi);
    if (tsnni_rank == (lost == 0)) {
        struct timespec moment = {0, 500000000};
        nanosleep(&moment, NULL); /* the others' lines */
        MPI_Abort(MPI_COMM_WORLD, 3);
    }
    pause();
}

/* What was saved is a network that goes on learning. */
void tsnni_resume(const char *path)
{
    for (int32_t mode = TSNN_PARALLEL_WASAP; mode <= TSNN_PARALLEL_REPLICAS; mode++) {
        char text[160];
        tsnni_watcher own = {0};
        tsnni_course course = tsnni_ranks_course(0.0);
        tsnn_network_destroy(&course.network);
        int good = tsnn_network_load(course.context, path, NULL, &course.network) == TSNN_OK;
        tsnn_parallel_options options = tsnni_ranks_options(&course, mode, good ? &own : NULL);
        options.epochs = TSNNI_LEARNING_EPOCHS;
        good &= tsnni_ranks_run(&course, &options, NULL, NULL) == TSNN_OK;
        good &= tsnni_rank != 0 || own.loss < own.first_loss;
        snprintf(text, sizeof text, "the last checkpoint loads and %s goes on from it", tsnni_modes[mode]);
        tsnni_claim(text, good);
        tsnni_course_free(&course);
    }
}
