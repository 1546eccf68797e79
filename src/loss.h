/* Inside of a loss: scoring feature-major outputs and turning them into the derivative that the backward pass starts
 * from. */
#ifndef TSNNI_LOSS_H
#define TSNNI_LOSS_H

#include <tsnn/loss.h>

#include "dataset.h"
#include "network.h"
#include "workspace.h"

struct tsnn_loss {
    tsnn_context *context;
    int32_t kind;
    float smoothing;
};

/* The truth for the samples of a batch. */
typedef struct tsnni_truth {
    const int32_t *labels; /* one of the two is NULL */
    const float *targets;
    int64_t target_size;
    const int64_t *index; /* NULL: 0, 1, 2, ... */
    int64_t count;
} tsnni_truth;

typedef struct tsnni_score {
    double loss; /* sum over the samples */
    int64_t correct;
} tsnni_score;

/* Whether loss and last activation fit; whether the data set fits network and loss. loss may be NULL (accuracy only).
 */
tsnn_status tsnni_loss_check_network(const tsnn_loss *loss, const tsnn_network *network);
tsnn_status tsnni_loss_check_dataset(const tsnn_loss *loss, const tsnn_network *network, const tsnn_dataset *dataset);

/* Scores the outputs of the last stage. With `divisor` above 0 also writes the derivative of loss_sum / divisor into
 * the last delta, label smoothing included (in the value too), zeros in surplus columns; returns in *delta_is_final
 * whether that is by the pre-activations already. loss NULL: accuracy only. */
tsnni_score tsnni_loss_score(const tsnn_loss *loss, const tsnn_network *network, tsnni_workspace *workspace,
                             const tsnni_truth *truth, int64_t divisor, int32_t *delta_is_final);

/* The class of one sample from its outputs, `stride` floats apart: the largest, the first of equals; a single output is
 * a yes or no. */
int32_t tsnni_predicted_class(const float *outputs, int64_t count, int64_t stride);

/* Labels or targets of one data set as the truth of a batch: consecutive from `first`, or by number. */
tsnni_truth tsnni_truth_of(const tsnn_dataset *dataset, const int64_t *index, int64_t first, int64_t count);

#endif
