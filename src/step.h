/* One pass of learning over samples of a data set: forward, score, backward. What the trainer and gradients share. */
#ifndef TSNNI_STEP_H
#define TSNNI_STEP_H

#include "loss.h"
#include "propagate.h"

typedef struct tsnni_step {
    tsnn_network *network;
    const tsnn_loss *loss;
    const tsnn_dataset *dataset;
    tsnni_workspace *workspace;
    tsnni_pass pass;
    int64_t number;             /* keys the dropout */
    int64_t divisor;            /* the loss is the sum over the samples divided by this */
    const tsnni_update *update; /* changes the weights by this rule, unless */
    tsnn_gradient *gradient;    /* is set: then the gradient is added there and the network stays */
} tsnni_step;

/* Whether loss, data set and sample numbers fit the network: all that a step needs before it may run. */
tsnn_status tsnni_step_check(const tsnn_network *network, const tsnn_loss *loss, const tsnn_dataset *dataset,
                             const int64_t *samples, int64_t count);

/* Runs on samples[0..count), or on the consecutive ones from `first` when samples is NULL. No backward pass when the
 * loss is not finite: the caller looks at the score. */
tsnni_score tsnni_step_run(const tsnni_step *step, const int64_t *samples, int64_t first, int64_t count);

/* About the nanoseconds that samples take through the largest layer, for tsnni_parallel_session(): where no loop is
 * worth sharing, threads that stand by only cost. */
int64_t tsnni_step_work(const tsnn_network *network, int64_t samples);

#endif
