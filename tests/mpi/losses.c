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

/* Looks every tenth of a second, from half a second on. */
static void arm(const char *how, const char *path)
{
    struct itimerval often = {{0, 100000}, {0, 500000}};
    struct sigaction action = {.sa_flags = SA_RESTART};
    lost_signal = strcmp(how, "kill") == 0 ? SIGKILL : SIGSTOP;
    checkpoint_path = path;
    snprintf(moment_path, sizeof moment_path, "%s.lost", path);
    action.sa_handler = lose;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
}

/* Whoever is left says what it was told, and ends the job. */
void tsnni_lose_a_rank(int32_t mode, const char *how, const char *path)
{
    char text[512];
    tsnni_watcher own = {.path = path};
    tsnni_course course = tsnni_ranks_course(0.0);
    tsnn_mpi *mpi = NULL;
    tsnn_optimizer_destroy(&course.optimizer);
    course.optimizer = tsnni_test_optimizer(course.context, TSNN_OPTIMIZER_MOMENTUM, 1e-6, 0.0, 0);
    tsnn_parallel_options options = tsnni_ranks_options(&course, mode, &own);
    options.epochs = 1000000;
    if (tsnni_rank == tsnni_ranks - 1)
        arm(how, path);
    tsnn_status status = tsnn_mpi_create(course.context, MPI_COMM_WORLD, &options, NULL, &mpi);
    if (status == TSNN_OK)
        status = tsnn_mpi_run(mpi, course.train, course.validation);
    tsnn_context_error(course.context, text, sizeof text, NULL);
    printf("%s rank %d, status %d: %s\n", status == TSNN_ERROR_COMMUNICATION ? "lost:" : "ended:", tsnni_rank,
           (int)status, text);
    fflush(stdout);
    tsnn_mpi_destroy(&mpi);
    if (tsnni_rank == 0) {
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
        options.epochs = 24;
        good &= tsnni_ranks_run(&course, &options, NULL, NULL) == TSNN_OK;
        good &= tsnni_rank != 0 || own.loss < own.first_loss;
        snprintf(text, sizeof text, "the last checkpoint loads and %s goes on from it", tsnni_modes[mode]);
        tsnni_claim(text, good);
        tsnni_course_free(&course);
    }
}
