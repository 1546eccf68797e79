/* Inside of a trainer: its options and its place in the training, for checkpoints. */
#ifndef TSNNI_TRAINER_H
#define TSNNI_TRAINER_H

#include <tsnn/trainer.h>

#include "gradient.h"
#include "loss.h"
#include "workspace.h"

/* The steps of an epoch that is not done yet, be it under way or left by a stop: zeros between epochs. */
typedef struct tsnni_epoch_part {
    int64_t steps;          /* done */
    int64_t samples, batch; /* of the data set and a step: another order would not fit */
    int64_t correct;        /* of the samples so far */
    double loss;            /* sum over them */
    double learning_rate;   /* of the last step */
} tsnni_epoch_part;

struct tsnn_trainer {
    tsnn_context *context;
    tsnn_trainer_options options; /* with defaults filled in */
    tsnn_schedule_options schedule;
    int64_t epochs_done;
    int64_t passes; /* forward passes so far: keys the dropout */
    tsnni_epoch_part part;
    int32_t running; /* a run is under way: what is called now comes from its callbacks */
    tsnni_workspace *workspace;
    uint64_t workspace_version; /* of the context's topologies when it was made */
    tsnn_gradient *gradient;    /* only for clipping and micro-batches */
};

/* STATE while a run is under way, for calls that may not come from its callbacks. `call` names the call. */
tsnn_status tsnni_trainer_check_idle(const tsnn_trainer *trainer, const char *call);

/* tsnn_trainer_step() that tells the whole score: sums over the samples. */
tsnn_status tsnni_trainer_step(tsnn_trainer *trainer, const tsnn_dataset *dataset, const int64_t *samples,
                               int64_t count, double rate_factor, tsnni_score *score);

#endif
