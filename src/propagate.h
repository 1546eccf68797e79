/* One pass through a network: samples -> batch -> layers forward -> (loss) -> layers backward -> weights or gradient.
 */
#ifndef TSNNI_PROPAGATE_H
#define TSNNI_PROPAGATE_H

#include "gradient.h"
#include "kernels/kernels.h"
#include "workspace.h"

/* Which samples: row-major, `count` of them, by number or consecutive. */
typedef struct tsnni_batch {
    const float *samples;
    int64_t sample_stride;
    const int64_t *index; /* NULL: 0, 1, 2, ... */
    int64_t count;        /* at most workspace->samples */
} tsnni_batch;

typedef enum tsnni_pass {
    TSNNI_PASS_INFERENCE, /* outputs only */
    TSNNI_PASS_GRADIENT,  /* keeps what the backward pass needs; no dropout */
    TSNNI_PASS_TRAINING   /* the same, with dropout */
} tsnni_pass;

/* Nanoseconds of one thread, measured, for so many connections (and rows, at their cost in connections) of `width`
 * columns: a connection costs as much as its columns and 16 more, at 32 columns a nanosecond. */
static inline int64_t tsnni_pass_work(int64_t connections, int64_t width)
{
    return connections * (width + 16) / 32;
}

/* Fills workspace->output of every stage. `step` keys the dropout. */
void tsnni_propagate_forward(const tsnn_network *network, tsnni_workspace *workspace, const tsnni_batch *batch,
                             tsnni_pass pass, int64_t step);

/* From the loss's derivative in delta[last] (by the last layer's outputs, or by its pre-activations when
 * delta_is_final) down to the first layer. Changes the network's weights by `update`, or adds to `gradient` when that
 * is not NULL. */
void tsnni_propagate_backward(tsnn_network *network, tsnni_workspace *workspace, int64_t count, tsnni_pass pass,
                              int32_t delta_is_final, const tsnni_update *update, tsnn_gradient *gradient);

#endif
