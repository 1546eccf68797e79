/* Inside of an optimizer. */
#ifndef TSNNI_OPTIMIZER_H
#define TSNNI_OPTIMIZER_H

#include <tsnn/optimizer.h>

#include "kernels/kernels.h"

struct tsnn_optimizer {
    tsnn_context *context;
    int32_t kind, decay;
    double learning_rate, momentum, weight_decay;
};

/* The rule as the kernels take it, with the learning rate times rate_factor. */
tsnni_update tsnni_optimizer_update(const tsnn_optimizer *optimizer, double rate_factor);

/* Gives every layer that learns a velocity, when the rule has momentum. */
tsnn_status tsnni_optimizer_prepare(const tsnn_optimizer *optimizer, tsnn_network *network);

/* tsnn_optimizer_apply() without checks, the gradient multiplied by gradient_scale. */
void tsnni_optimizer_step(const tsnn_optimizer *optimizer, tsnn_network *network, const tsnn_gradient *gradient,
                          double rate_factor, double gradient_scale);

#endif
