/* How a run of several workers ends: the network in a file, and the result line. train_mpi ends so too. */
#ifndef TRAIN_PARALLEL_OUTCOME_H
#define TRAIN_PARALLEL_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include <tsnn.h>

#include "../train_mlp/model.h"
#include "parallel_options.h"

/* Saves the network as it is between epochs, the model of the server or the mean of the workers'. False: a warning has
 * been written. */
bool outcome_save(const struct model *model, const char *path);

/* What the result line tells beside the test. */
struct outcome {
    int64_t epochs;
    double seconds; /* of training */
    tsnn_parallel_info info;
    const char *more; /* further fields, each behind a space; or "" */
};

/* Tests the network and prints the result line. False: a message has been written. */
bool outcome_print(const struct model *model, const struct options *options, const struct parallel_options *parallel,
                   const struct outcome *outcome);

#endif
