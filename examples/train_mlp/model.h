/* The library's objects for one training run, made as the options say. */
#ifndef TRAIN_MLP_MODEL_H
#define TRAIN_MLP_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include <tsnn.h>

#include "data.h"
#include "options.h"

/* Everything that tsnn_trainer_run() needs. */
struct model {
    tsnn_context *context;
    tsnn_dataset *train;
    tsnn_dataset *test;
    tsnn_network *network;
    tsnn_loss *loss;
    tsnn_optimizer *optimizer;
    tsnn_evolution *evolution; /* NULL: the topology stays */
    tsnn_pruning *pruning;     /* NULL: no pruning while training */
    tsnn_trainer *trainer;
};

/* What the trainer calls, and with what. */
struct model_callbacks {
    tsnn_step_callback on_step;
    tsnn_epoch_callback on_epoch;
    void *user;
};

/* Makes the objects; the data must outlive them. callbacks NULL: none. False: a message has been written, and *model
 * holds nothing. */
bool model_create(struct model *model, const struct options *options, const struct data *data,
                  const struct model_callbacks *callbacks);

/* Writes network and training state. After a failure, model_complain() tells of it, and the old file is there still. */
tsnn_status model_save(const struct model *model, const char *path);

/* Goes back to the saved state of options->resume; *epochs_done are behind it. False: a message has been written. */
bool model_resume(struct model *model, const struct options *options, int64_t *epochs_done);

void model_destroy(struct model *model);

/* Writes what the library says about its last failure to standard error. Always false. */
bool model_complain(const struct model *model, const char *what, tsnn_status status);

/* A network before and after pruning. */
struct pruning_outcome {
    tsnn_pruning_report report;
    double accuracy_before;
    double accuracy_after;
    double seconds_before; /* to score the test set */
    double seconds_after;
    int64_t bytes_before; /* of the layers */
    int64_t bytes_after;
};

/* Prunes once at a percentile, and scores the network before and after. False: a message has been written. */
bool model_prune(struct model *model, double percentile, bool fold, struct pruning_outcome *outcome);

/* How the first layer looks at each input: arrays of one number a feature. */
struct attention {
    int64_t *connections;
    double *strength; /* sum of the connections' |weight| */
};

/* Fills arrays that hold one number a feature. False: a message has been written. */
bool model_get_attention(const struct model *model, int64_t features, const struct attention *attention);

#endif
