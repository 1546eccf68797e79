/* The memory of a pass through a network: feature-major activations, bit planes, deltas. Nothing is allocated in a
 * pass. */
#ifndef TSNNI_WORKSPACE_H
#define TSNNI_WORKSPACE_H

#include "kernels/plan.h"
#include "network.h"

/* How a stage runs, and what its kernels need for that. */
typedef struct tsnni_stage_plan {
    tsnni_pass_plan forward, backward;
    int64_t *forward_ends, *backward_ends; /* bounds of the panels, or NULL */
    float *expanded;  /* every cell, for the dense forward kernel; NULL: the layer is full, or no */
    uint64_t version; /* of the layer that the bounds are of */
} tsnni_stage_plan;

typedef struct tsnni_workspace {
    tsnn_context *context;
    int64_t layers;
    int64_t samples; /* most that fit */
    int64_t stride;  /* floats between rows of every matrix of floats */
    int32_t format;  /* TSNN_ACTIVATIONS_*: of the input and the hidden outputs */
    int64_t bf16_stride;
    float *input;           /* NULL with bf16 */
    uint16_t *input_bf16;   /* NULL without */
    float **output;         /* per stage: after activation and dropout; two shared buffers for inference. Hidden ones
                             * with bf16: one buffer for all, where they come by as floats, if at all */
    uint16_t **output_bf16; /* per stage: the same as bf16; NULL for the last stage, and without bf16 */
    float **undropped;      /* per stage: before dropout, where the derivative needs it; else = output */
    float **preactivation;  /* per stage: z of custom activations, else NULL */
    uint16_t **negative;    /* per stage: bit plane of z < 0, or NULL */
    uint16_t **keep;        /* per stage: bit plane of what dropout keeps, or NULL */
    float *delta[2];        /* stage l uses delta[l % 2] */
    float *bias_gradient[2];
    tsnni_stage_plan *plans; /* per stage */
    double *group_loss;      /* per group of columns */
    int64_t *group_correct;
    void **blocks; /* all allocations, for freeing */
    int64_t block_count;
} tsnni_workspace;

/* The lowest layer that learns; below it training needs no delta. The number of layers when none does. */
int64_t tsnni_lowest_learning_layer(const tsnn_network *network);

/* The choice for a stage in a workspace of this many samples: what tsnn_network_explain() tells. Backward is chosen for
 * training as layers are frozen now; other passes, and later ones, give the same bits with it. */
void tsnni_stage_plan_choose(const tsnn_network *network, int64_t l, int64_t samples, tsnni_stage_plan *out);

/* For passes of up to `samples` samples; without deltas and with two shared buffers unless `training`. */
tsnn_status tsnni_workspace_create(const tsnn_network *network, int64_t samples, int32_t training,
                                   tsnni_workspace **out);

/* Follows a layer whose topology has changed but for its shape and number of connections; cannot fail. */
void tsnni_workspace_follow(tsnni_workspace *workspace, const tsnn_network *network, int64_t l);

void tsnni_workspace_destroy(tsnni_workspace **workspace);

/* Whole groups of columns for a number of samples. */
int64_t tsnni_width_for(int64_t samples);

#endif
