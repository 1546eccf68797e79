/* One picture of three ways to train: in sequence, WASSP and WASAP. */
#ifndef TRAIN_PARALLEL_COMPARE_H
#define TRAIN_PARALLEL_COMPARE_H

#include <stdbool.h>

#include "../train_mlp/data.h"
#include "../train_mlp/options.h"
#include "parallel_options.h"

/*
 * Trains in sequence on one thread, then as WASSP and as WASAP, and writes accuracy_over_time (.dat, .gp, and with
 * gnuplot .png) into the directory of --compare. False: a message has been written.
 */
bool compare_draw(const struct options *options, const struct parallel_options *parallel, const struct data *data);

#endif
