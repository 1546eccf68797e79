/* The library's object for training by several workers: the part of this program to copy from. */
#ifndef TRAIN_PARALLEL_WORKERS_H
#define TRAIN_PARALLEL_WORKERS_H

#include <stdbool.h>

#include <tsnn.h>

#include "../train_mlp/model.h"
#include "parallel_options.h"

/* The options of a tsnn_parallel, with a schedule that they point to. */
void workers_fill(tsnn_parallel_options *own, tsnn_schedule_options *schedule, const struct model *model,
                  const struct options *options, const struct parallel_options *parallel,
                  const struct model_callbacks *callbacks);

/* Makes *workers around a model, which must outlive it. False: a message has been written. */
bool workers_create(tsnn_parallel **workers, const struct model *model, const struct options *options,
                    const struct parallel_options *parallel, const struct model_callbacks *callbacks);

/* Prints what each worker did and how stale the gradients were. */
void workers_describe(const tsnn_parallel *workers);

#endif
