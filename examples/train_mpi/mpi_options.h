/* The options that train_mpi has beyond those of train_parallel and train_mlp. */
#ifndef TRAIN_MPI_OPTIONS_H
#define TRAIN_MPI_OPTIONS_H

#include <stdbool.h>

#include <tsnn-mpi.h>

struct mpi_options {
    int32_t in_flight; /* 0: the library's default, as the next two */
    int32_t transport;
    double timeout, pause;
    bool workers_given; /* --workers is there, which else follows from the ranks */
    bool help;
};

/* Takes its options out of argv and *argc, and leaves the others. False: a message has been written. */
bool mpi_options_parse(struct mpi_options *options, int *argc, char **argv);

#endif
