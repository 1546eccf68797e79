/* Inside of a predictor's workspace: one block of memory, laid out once. */
#ifndef TSNNI_PREDICTOR_WORKSPACE_H
#define TSNNI_PREDICTOR_WORKSPACE_H

#include "predictor.h"

struct tsnn_predictor_workspace {
    tsnni_runtime errors; /* a copy of the predictor's: holds the text of the last failure, and frees the block */
    const tsnn_predictor *predictor;
    void *owned;           /* the block, NULL when it is the caller's */
    int64_t batch, stride; /* samples at once; floats between the rows of a batch */
    float *x[2];           /* a layer's inputs and outputs: one sample, or a feature-major batch */
    int32_t *input;        /* skip_zeros and layers in place: the inputs of a layer that are not 0 */
    float *amount;
};

/* What the memory has to hold. */
typedef struct tsnni_workspace_needs {
    int64_t largest; /* neurons of the largest layer, inputs included, as whole chunks */
    int64_t list;    /* inputs that are listed */
    int32_t batch;   /* 0: samples come one by one, whatever the batch */
} tsnni_workspace_needs;

tsnni_workspace_needs tsnni_predictor_needs(const tsnn_predictor *predictor);

/* A workspace of no predictor yet. INVALID_ARGUMENT (batch), OVERFLOW, OUT_OF_MEMORY. */
tsnn_status tsnni_workspace_make(tsnni_runtime *runtime, const tsnni_workspace_needs *needs, int64_t batch,
                                 tsnn_predictor_workspace **out);

#endif
